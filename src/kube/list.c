/* See kube/list.h. One item_stream per page. A page that fails after some of its items were handed out is not
 * continued: another attempt begins with the first page. */
#include "kube/list.h"
#include "object_peek.h"
#include "item_stream.h"
#include "retry.h"
#include <errno.h>

enum { MAX_ITEMS = 100000 };
static const size_t max_bytes = 256 << 20;
static const int64_t timeout_ns = 120 * NS_PER_S, idle_ns = 30 * NS_PER_S;

struct kube_list {
    struct list node; /* of kube.lists */
    struct kube *k;
    struct kube_list_cb cb;
    void *ctx;
    const struct gvr *gvr;
    char *ns, *labels, *fields, *token, *target, *what;
    bool metadata_only, from_cache, no_retry, whole; /* whole: without pages, since a token has expired */
    int64_t deadline_ns;
    size_t bytes, items, bytes_cap, items_cap;
    unsigned attempt;
    struct item_stream *stream;
    struct timer *timer; /* the next attempt, or the delivery of a failure */
    struct err failure;
    struct buf scratch;
    bool cancelled;
    unsigned depth;
};

static void destroy(struct kube_list *l) {
    free(l->ns);
    free(l->labels);
    free(l->fields);
    free(l->token);
    free(l->target);
    free(l->what);
    buf_free(&l->scratch);
    free(l);
}

void kube_list_cancel(struct kube_list *l) {
    if (!l || l->cancelled) return;
    l->cancelled = true;
    list_remove(&l->node);
    item_stream_cancel(l->stream);
    timer_free(l->timer);
    if (!l->depth) destroy(l);
}

void kube_lists_cancel(struct kube *k) {
    while (!list_empty(&k->lists)) kube_list_cancel(container_of(k->lists.next, struct kube_list, node));
}

static void finish(struct kube_list *l, const struct err *err, const char *rv) {
    struct kube_list_cb cb = l->cb;
    void *ctx = l->ctx;
    kube_list_cancel(l);
    cb.done(ctx, err, rv);
}

/* ---- items ---- */

static int on_bytes(void *ctx, size_t n, struct err *err) {
    struct kube_list *l = ctx;
    l->bytes += n;
    if (l->bytes <= l->bytes_cap) return 0;
    return err_set(err, ERR_PROTOCOL, -EFBIG, "%s: larger than %zu bytes, the cap of this list", l->what,
                   l->bytes_cap);
}

static int on_item(void *ctx, struct slice text, struct err *err) {
    struct kube_list *l = ctx;
    if (++l->items > l->items_cap) {
        return err_set(err, ERR_PROTOCOL, -E2BIG, "%s: more than %zu items, the cap of this list", l->what,
                       l->items_cap);
    }
    struct object_peek it = object_peek(text);
    cJSON *obj = object_peek_parse(text, &it, &l->scratch, err);
    if (!obj) return err_wrap(err, "%s: an item", l->what);
    l->depth++;
    int r = l->cb.item(l->ctx, text, &obj, err);
    l->depth--;
    cJSON_Delete(obj);
    if (l->cancelled) destroy(l);
    return r;
}

/* ---- pages ---- */

static void next_page(struct kube_list *l);

static void on_timer(void *ctx) {
    struct kube_list *l = ctx;
    if (!l->failure.kind) {
        next_page(l);
        return;
    }
    struct err e = l->failure;
    finish(l, &e, "");
}

/* From the first page again: at once, or after a wait. */
static void restart(struct kube_list *l, int64_t at_ns) {
    free(l->token);
    l->token = NULL;
    bool given = l->items > 0;
    l->items = l->bytes = 0;
    timer_at(l->timer, at_ns);
    if (given) l->cb.restart(l->ctx);
}

static void page_failed(struct kube_list *l, struct err *e) {
    int64_t now = world_boot_ns(l->k->w);
    if (e->kind == ERR_GONE && !l->whole && (l->token || l->from_cache)) {
        l->whole = l->token != NULL;
        l->from_cache = false;
        restart(l, now);
        return;
    }
    int64_t at = now + retry_delay_ns(e, l->attempt, world_rand(l->k->w));
    if (!l->no_retry && retry_worth(e, l->attempt) && at < l->deadline_ns) {
        restart(l, at);
        return;
    }
    finish(l, e, "");
}

static void on_end(void *ctx, struct err *err, const struct split_list *list) {
    struct kube_list *l = ctx;
    l->stream = NULL;
    if (!list) {
        page_failed(l, err);
    } else if (list->token[0]) {
        free(l->token);
        l->token = xstrdup(list->token);
        next_page(l);
    } else {
        finish(l, NULL, list->rv);
    }
}

static void next_page(struct kube_list *l) {
    static const struct item_stream_cb cb = {.bytes = on_bytes, .item = on_item, .end = on_end};
    struct buf b = BUF(1 << 20);
    bool first = true;
    if (!l->token) l->attempt++;
    kube_collection(&b, &first, l->gvr, slice_of(l->ns), slice_of(l->labels), slice_of(l->fields));
    if (!l->whole) url_query(&b, &first, "limit", SL("500"));
    if (l->token) url_query(&b, &first, "continue", slice_of(l->token));
    if (l->from_cache && !l->token) url_query(&b, &first, "resourceVersion", SL("0"));
    bool full = b.full;
    free(l->target);
    l->target = buf_take(&b);
    if (full) {
        err_set(&l->failure, ERR_CONFIG, -E2BIG, "%s: a selector is too long", l->what);
        timer_in(l->timer, 0);
        return;
    }
    struct exchange_spec s = {.lane = LANE_WATCH,
                              .method = "GET",
                              .target = l->target,
                              .what = l->what,
                              .deadline_ns = l->deadline_ns,
                              .accept = l->metadata_only ? kube_accept_meta_list : kube_accept_json};
    l->stream = item_stream_start(l->k, &s, SPLIT_LIST, idle_ns, &cb, l);
}

struct kube_list *kube_list(struct kube *k, const struct kube_list_spec *spec, const struct kube_list_cb *cb,
                            void *ctx) {
    struct kube_list *l = xcalloc(1, sizeof *l);
    struct buf what = BUF(1024);
    struct kube_ref ref = {.gvr = spec->gvr, .ns = spec->ns};
    kube_what(&what, "list", &ref);
    *l = (struct kube_list){.k = k,
                            .cb = *cb,
                            .ctx = ctx,
                            .gvr = spec->gvr,
                            .ns = slice_dup(spec->ns),
                            .labels = slice_dup(spec->labels),
                            .fields = slice_dup(spec->fields),
                            .what = buf_take(&what),
                            .metadata_only = spec->metadata_only,
                            .from_cache = spec->from_cache,
                            .no_retry = spec->no_retry,
                            .bytes_cap = spec->max_bytes ? spec->max_bytes : max_bytes,
                            .items_cap = spec->max_items ? spec->max_items : MAX_ITEMS};
    l->deadline_ns = world_boot_ns(k->w) + (spec->timeout_ns > 0 ? spec->timeout_ns : timeout_ns);
    buf_init(&l->scratch, SPLIT_ITEM_CAP);
    l->timer = timer_new(k->w, on_timer, l);
    list_push(&k->lists, &l->node);
    next_page(l);
    return l;
}
