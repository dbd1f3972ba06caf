/* The page's stream (text/event-stream): a reader gets all items first, then those that have changed. What it has not read
 * yet is not added to: it gets what is new when it has, so nobody has more than one round of items waiting, and who does
 * not read for a while is dropped. */
#include "page.h"
#include <stdlib.h>

#define TICK_NS   NS_PER_S
#define SOON_NS   (250 * NS_PER_MS)
#define QUIET_NS  (5 * NS_PER_S)   /* then a comment is sent: silence says that the server is lost */
#define BEHIND_NS (10 * NS_PER_S)  /* for reading what was sent */
#define STREAM_NS (300 * NS_PER_S) /* then the reader has to ask again, and its token is reviewed again */

void page_items_free(struct page_items *i) {
    for (size_t k = 0; k < i->n; k++) free(i->v[k].key);
    free(i->v);
    buf_free(&i->text);
    i->v = NULL;
    i->n = i->cap = i->sorted = 0;
}

static int by_key(const void *a, const void *b) {
    return strcmp(((const struct page_item *)a)->key, ((const struct page_item *)b)->key);
}

void page_item(struct page_items *to, const char *key, struct slice json) {
    struct page_item wanted = {.key = (char *)(uintptr_t)key};
    struct page_item *it = to->sorted ? bsearch(&wanted, to->v, to->sorted, sizeof wanted, by_key) : NULL;
    size_t at = to->text.n;
    if (buf_add(&to->text, json) < 0) return;
    if (!it) {
        to->v = xgrow(to->v, &to->cap, to->n + 1, sizeof *to->v);
        it = &to->v[to->n++];
        *it = (struct page_item){.key = xstrdup(key)};
    }
    uint64_t hash = slice_hash(json, 1);
    if (!it->version || it->hash != hash || !it->n) it->version = ++to->version;
    it->at = at;
    it->n = json.n;
    it->hash = hash;
    it->here = true;
}

static void add_checks(const struct admin *a, struct page_items *to) {
    cleanup_buf struct buf out = BUF(64 << 10);
    cleanup_buf struct buf why = BUF(ADMIN_WHY_CAP);
    buf_addc(&out, '[');
    for (size_t i = 0; i < a->nchecks; i++) {
        bool well = admin_run_check(&a->checks[i], &why);
        buf_addf(&out, "%s{\"name\":\"%s\",\"ok\":%s", i ? "," : "", a->checks[i].name,
                 well ? "true" : "false");
        if (!well) {
            buf_adds(&out, ",\"why\":");
            buf_add_json(&out, buf_slice(&why));
        }
        buf_addc(&out, '}');
    }
    buf_addc(&out, ']');
    page_item(to, "checks", buf_slice(&out));
}

/* What is gone stays as an item without text until every reader knows. */
static void look(struct page *p) {
    struct page_items *i = &p->items;
    uint64_t known = i->version;
    buf_clear(&i->text);
    for (size_t k = 0; k < i->n; k++) i->v[k].here = false;
    add_checks(p->admin, i);
    p->src.items(p->src.ctx, i);
    for (size_t k = 0; k < PAGE_VISITORS; k++)
        if (p->visitor[k].streaming && p->visitor[k].seen < known) known = p->visitor[k].seen;
    size_t kept = 0;
    for (size_t k = 0; k < i->n; k++) {
        struct page_item *it = &i->v[k];
        if (!it->here && it->n) {
            it->n = 0;
            it->version = ++i->version;
        }
        if (!it->n && it->version <= known)
            free(it->key);
        else
            i->v[kept++] = *it;
    }
    i->n = i->sorted = kept;
    if (kept) qsort(i->v, kept, sizeof *i->v, by_key);
}

/* {"now":MS,"all":true,"items":{...},"gone":[...]} */
static bool write_news(const struct page *p, const struct page_visitor *v, struct buf *out) {
    const struct page_items *i = &p->items;
    cleanup_buf struct buf gone = BUF(PAGE_BYTES);
    size_t n = 0;
    buf_addf(out, "data: {\"now\":%lld%s,\"items\":{",
             (long long)(world_wall_ns(p->admin->world) / NS_PER_MS), v->seen ? "" : ",\"all\":true");
    for (size_t k = 0; k < i->n; k++) {
        const struct page_item *it = &i->v[k];
        if (it->version <= v->seen || (!it->n && !v->seen)) continue;
        struct buf *to = it->n ? out : &gone;
        if (to == out ? n++ > 0 : gone.n > 0) buf_addc(to, ',');
        buf_add_json(to, slice_of(it->key));
        if (!it->n) continue;
        buf_addc(out, ':');
        buf_add(out, slice_make(i->text.p + it->at, it->n));
    }
    buf_addf(out, "},\"gone\":[%s]}\n\n", buf_str(&gone));
    return n || gone.n || !v->seen;
}

static void end_stream(struct page_visitor *v, bool cut) {
    struct http_exchange *x = v->x;
    *v = (struct page_visitor){.page = v->page};
    metric_add(v->page->readers, -1);
    if (cut)
        http_reply_abort(x);
    else
        http_reply_end(x);
}

static void drop(struct page_visitor *v, const char *reason) {
    metric_inc(metric_with(v->page->refused, &reason));
    end_stream(v, true);
}

static void serve(struct page_visitor *v, int64_t now) {
    cleanup_buf struct buf out = BUF(3 * (size_t)PAGE_BYTES);
    if (http_reply_unsent(v->x)) {
        if (!v->behind_ns) v->behind_ns = now;
        if (now - v->behind_ns >= BEHIND_NS) drop(v, "slow");
        return;
    }
    v->behind_ns = 0;
    if (now >= v->until_ns) {
        end_stream(v, false);
        return;
    }
    bool news = write_news(v->page, v, &out);
    if (!news && now - v->quiet_ns < QUIET_NS) return;
    if (!news) {
        buf_clear(&out);
        buf_adds(&out, ": nothing new\n\n");
    }
    if (out.full) {
        drop(v, "large");
        return;
    }
    v->seen = v->page->items.version;
    v->quiet_ns = now;
    http_reply_send(v->x, buf_slice(&out));
}

void page_stream_tick(void *ctx) {
    struct page *p = ctx;
    int64_t now = world_boot_ns(p->admin->world);
    size_t open = 0;
    for (size_t k = 0; k < PAGE_VISITORS; k++) open += p->visitor[k].streaming;
    if (!open) {
        page_items_free(&p->items);
        p->src.unseen(p->src.ctx);
        return;
    }
    look(p);
    p->looked_ns = now;
    for (size_t k = 0; k < PAGE_VISITORS; k++)
        if (p->visitor[k].streaming) serve(&p->visitor[k], now);
    timer_in(p->tick, TICK_NS);
}

static void left(void *ctx) {
    struct page_visitor *v = ctx;
    metric_add(v->page->readers, -1);
    *v = (struct page_visitor){.page = v->page};
}

void page_stream_begin(struct page_visitor *v) {
    struct page *p = v->page;
    struct http_headers h = {.n = 0};
    int64_t now = world_boot_ns(p->admin->world);
    admin_headers(&h, "no-store");
    http_headers_add(&h, SL("X-Accel-Buffering"), SL("no"));
    admin_count(p->admin, 200);
    http_reply_begin(v->x, 200, "text/event-stream", &h);
    v->streaming = true;
    v->until_ns = now + STREAM_NS;
    metric_add(p->readers, 1);
    if (slice_eqs(http_x_method(v->x), "HEAD")) {
        end_stream(v, false);
        return;
    }
    http_on_gone(v->x, left, v);
    int64_t at = p->looked_ns + SOON_NS; /* who comes and goes all the time makes no work all the time */
    timer_at(p->tick, at > now ? at : now);
}
