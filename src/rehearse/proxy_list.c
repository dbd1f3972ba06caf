/* A list passes by item by item: the overlay's view of each, then what only the overlay has. Nothing of it is kept here. */
#include "proxy_impl.h"
#include "base/json_raw.h"

enum { ITEM_MAX = ANSWER_CAP };

static void on_room(void *ctx);

/* An item that is to follow, and a comma before it; given: whether there is one. */
static size_t before_item(struct work *k) {
    size_t mark = k->out.n;
    if (k->followed) buf_addc(&k->out, ',');
    return mark;
}

static void after_item(struct work *k, size_t mark) {
    if (k->out.n > mark + k->followed) {
        k->followed = true;
    } else {
        k->out.n = mark; /* none: without its comma */
    }
    if (k->out.full) k->broken = true;
    proxy_send(k, false);
}

static void begin_list(struct work *k) {
    k->list = overlay_list_begin(k->p->overlay, &k->r);
    buf_adds(&k->out, "{\"items\":[");
}

/* ---- its end ---- */

static struct slice kind_of(struct slice resource) {
    return slice_eqs(resource, "leases")       ? SL("\"LeaseList\"")
           : slice_eqs(resource, "configmaps") ? SL("\"ConfigMapList\"")
           : slice_eqs(resource, "endpoints")  ? SL("\"EndpointsList\"")
                                               : SL("\"List\"");
}

static void end_list(struct work *k) {
    struct buf *out = &k->out;
    struct slice kind = k->whole.kind.n ? k->whole.kind : kind_of(k->r.resource);
    buf_adds(out, "],\"kind\":");
    buf_add(out, kind);
    buf_adds(out, ",\"apiVersion\":");
    if (k->whole.api_version.n) {
        buf_add(out, k->whole.api_version);
    } else {
        buf_addf(out, "\"%.*s%s%.*s\"", SLF(k->r.group), k->r.group.n ? "/" : "", SLF(k->r.version));
    }
    buf_adds(out, ",\"metadata\":{\"resourceVersion\":\"");
    (void)overlay_list_version(k->list, slice_of(k->whole.rv), out);
    buf_addc(out, '"');
    if (k->whole.token && k->whole.token[0]) {
        buf_adds(out, ",\"continue\":");
        buf_add_json(out, slice_of(k->whole.token));
    }
    if (k->whole.remaining >= 0) buf_addf(out, ",\"remainingItemCount\":%lld", (long long)k->whole.remaining);
    buf_adds(out, "}}\n");
    if (out->full) k->broken = true;
    if (k->broken && k->begun) {
        proxy_cut(k);
    } else if (k->broken) {
        proxy_answer_status(k, 500, "the list does not fit in memory");
    } else if (k->begun) {
        proxy_end(k);
    } else {
        proxy_answer(k, 200, buf_slice(out));
    }
}

/* What only the overlay has, no faster than it is taken. */
static void rest_of_list(struct work *k) {
    bool last = !k->whole.token || !k->whole.token[0];
    for (;;) {
        size_t mark = before_item(k);
        bool more = overlay_list_more(k->list, last, &k->out);
        after_item(k, mark);
        if (!more || k->broken) break;
        if (proxy_too_much(k, on_room)) return;
    }
    end_list(k);
}

static void on_room(void *ctx) {
    struct work *k = ctx;
    if (k->ask) {
        proxy_ask_resume(k->ask);
    } else {
        rest_of_list(k);
    }
}

/* ---- its items ---- */

static void on_head(void *ctx, int status, const struct http_headers *h) {
    struct work *k = ctx;
    proxy_take_head(k, status, h);
    if (status == 200) begin_list(k);
}

static enum http_pull on_body(void *ctx, struct slice data) {
    struct work *k = ctx;
    struct slice item;
    enum split_event ev;
    if (k->status != 200) {
        buf_add(&k->body, data);
        return HTTP_MORE;
    }
    while (!k->broken && (ev = splitter_next(&k->split, &data, &item)) != SPLIT_MORE) {
        if (ev == SPLIT_END) break;
        if (ev == SPLIT_BROKEN) {
            k->broken = true;
        } else {
            size_t mark = before_item(k);
            if (overlay_list_item(k->list, world_wall_ns(k->p->w), item, &k->out) < 0) k->broken = true;
            after_item(k, mark);
        }
    }
    return proxy_too_much(k, on_room) ? HTTP_HOLD : HTTP_MORE;
}

static void on_end(void *ctx, const struct err *err) {
    struct work *k = ctx;
    struct err e = err ? *err : (struct err){0};
    k->ask = NULL;
    if (!err && k->status != 200) { /* refused: as the API server says it */
        overlay_read_failed(k->p->overlay, &k->r, k->status, buf_slice(&k->body));
        proxy_answer(k, k->status, buf_slice(&k->body));
        return;
    }
    if (!err && (k->broken || splitter_list(&k->split, &k->whole, &e) < 0) && !e.kind)
        err_set(&e, ERR_PROTOCOL, -1, "the API server's answer is no list: %s", splitter_why(&k->split));
    if (!e.kind) {
        k->p->last_change_ns = world_wall_ns(k->p->w); /* the operator acts on what it has read */
        rest_of_list(k);
    } else if (k->begun) {
        proxy_cut(k);
    } else {
        k->extra.n = 0;
        proxy_answer_err(k, &e);
    }
}

void proxy_list(struct work *k) {
    static const struct ask_cb cb = {on_head, on_body, on_end};
    splitter_init(&k->split, SPLIT_LIST, ITEM_MAX);
    if (overlay_is_private(&k->r)) {
        k->status = 200;
        k->whole.remaining = -1;
        begin_list(k);
        rest_of_list(k);
    } else if (upstream_read(&k->r, &k->u) < 0) {
        proxy_answer_status(k, 400, "the resourceVersion is none of this API server");
    } else {
        k->ask = proxy_ask(k->p, &(struct ask_spec){.u = &k->u, .as = k->x, .lane = LANE_WATCH}, &cb, k);
    }
}
