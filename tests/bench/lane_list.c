/* A list, read as an informer reads it: bytes are taken until there is a slice of 128 KiB, then the transfer is held, the
 * slice is worked off in a deferred call of its own (items split, parsed, looked at), and the transfer goes on. */
#include "lane_list.h"
#include "base/json.h"
#include "world/http_client.h"
#include <errno.h>

enum { SLICE = 128 * 1024, ITEM_CAP = 4 << 20 };

struct lane_list {
    struct world *w;
    struct http_req *req;
    lane_list_done done;
    void *ctx;
    struct buf pending; /* received, not yet worked off */
    struct buf item;    /* the item that is arriving */
    int depth;          /* braces and brackets open; items are the objects at depth 2: {"items":[{ */
    bool string, escape, working, ended;
    size_t items, bytes;
    struct err err;
};

static void finish(struct lane_list *l) {
    const struct lane_list_result r = {.err = l->err.kind ? &l->err : NULL, .items = l->items, .bytes = l->bytes};
    l->done(l->ctx, &r);
}

static void one_item(struct lane_list *l) {
    struct err err = {0};
    cleanup_json cJSON *obj = json_parse(buf_slice(&l->item), &err);
    const cJSON *meta = json_obj(obj, "metadata");
    if (!obj || !json_str(meta, "name") || !json_str(meta, "uid") || !json_str(meta, "resourceVersion"))
        err_set(&l->err, ERR_PROTOCOL, -EPROTO, "item %zu is no object: %s", l->items, err.msg);
    l->items++;
    buf_clear(&l->item);
}

/* Splits the stream at the ends of items; everything else of the list is skipped. */
static void split(struct lane_list *l, struct slice s) {
    size_t begin = 0; /* of what belongs to the item */
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (l->string) {
            l->string = l->escape || c != '"';
            l->escape = !l->escape && c == '\\';
        } else if (c == '"') {
            l->string = true;
        } else if (c == '{' || c == '[') {
            if (++l->depth == 3 && c == '{') begin = i;
        } else if (c == '}' || c == ']') {
            if (--l->depth != 2 || c != '}') continue;
            buf_add(&l->item, slice_make(s.p + begin, i + 1 - begin));
            one_item(l);
        }
    }
    if (l->depth >= 3) buf_add(&l->item, slice_make(s.p + begin, s.n - begin));
}

static void work(void *ctx) {
    struct lane_list *l = ctx;
    l->working = false;
    l->bytes += l->pending.n;
    split(l, buf_slice(&l->pending));
    buf_clear(&l->pending);
    if (l->ended) {
        finish(l);
    } else {
        http_resume(l->req);
    }
}

static enum http_pull on_body(void *ctx, struct slice data) {
    struct lane_list *l = ctx;
    buf_add(&l->pending, data);
    if (l->pending.n < SLICE) return HTTP_MORE;
    l->working = true;
    world_defer(l->w, work, l);
    return HTTP_HOLD;
}

static void on_end(void *ctx, const struct err *err, int status) {
    struct lane_list *l = ctx;
    l->req = NULL;
    l->ended = true;
    if (err) {
        l->err = *err;
    } else if (status != 200) {
        err_set(&l->err, ERR_SERVER, -EPROTO, "status %d", status);
    }
    if (!l->working) work(l);
}

struct lane_list *lane_list_start(struct world *w, const char *server, lane_list_done done, void *ctx) {
    static const struct http_client_cb cb = {.body = on_body, .end = on_end};
    struct lane_list *l = xcalloc(1, sizeof *l);
    cleanup_free char *url = xasprintf("%s/apis/apps/v1/deployments", server);
    l->w = w;
    l->done = done;
    l->ctx = ctx;
    buf_init(&l->pending, 2 * SLICE);
    buf_init(&l->item, ITEM_CAP);
    const struct http_spec spec = {.lane = LANE_WATCH, .method = "GET", .url = url};
    if (http_start(w, &spec, &cb, l, &l->req, &l->err) < 0) abort();
    return l;
}

void lane_list_free(struct lane_list *l) {
    if (!l) return;
    if (l->req) http_cancel(l->req);
    buf_free(&l->pending);
    buf_free(&l->item);
    free(l);
}
