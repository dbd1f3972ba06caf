/* LIST with limit and continue, resourceVersion and resourceVersionMatch. What goes out was fixed when the
 * request came: references to the texts of that version. */
#include "rest/rest_list.h"
#include "rest/list_options.h"
#include "rest/list_token.h"
#include "rest/sender.h"

struct lister {
    struct sender sender;
    const struct sim_type *type;
    struct render render;
    struct history_snapshot items;
    size_t next;
};

void rest_list_close(struct sim_exchange *x) {
    struct lister *l = x->list;
    if (!l) return;
    x->list = NULL;
    sender_close(&l->sender);
    history_snapshot_free(&l->items);
    free(l);
}

static bool more(struct sender *s, struct buf *out) {
    struct lister *l = container_of(s, struct lister, sender);
    if (l->next == l->items.n) {
        render_list_tail(out);
        return false;
    }
    if (l->next) buf_addc(out, ',');
    render_item(s->x->s, l->type, l->items.v[l->next++], l->render, out);
    return true;
}

static void end(struct sender *s) {
    exchange_end(s->x, false);
}

/* ---- the page ---- */
static void begin(struct call *c, struct render r, struct history_snapshot *p, uint64_t rv, const char *cont,
                  int64_t remaining) {
    struct lister *l = xcalloc(1, sizeof *l);
    *l = (struct lister){.type = c->type, .render = r, .items = *p};
    sender_init(&l->sender, c->x, more, end);
    *p = (struct history_snapshot){0};
    c->x->list = l;
    struct buf b = BUF(64 << 10);
    render_list_head(c->type, r, rv, cont, remaining, &b);
    exchange_head(c->x, 200, "application/json", -1);
    exchange_body(c->x, buf_slice(&b));
    buf_free(&b);
    if (!c->x->over) sender_run(&l->sender);
}

struct wanted {
    struct list_options o;
    struct list_token from;
    struct render render;
    struct matcher m;
};

/* Out of the state that was kept for the pages behind the first, or out of the history. */
static int take_page(struct call *c, const struct wanted *w, uint64_t rv, const struct history_range *range,
                     struct history_snapshot *ret) {
    struct resource_table *h = resource_table_of(c->s, c->type);
    bool later = w->from.set && !w->from.inconsistent;
    const struct history_snapshot *all = later ? pin_find(c->s, h, rv) : NULL;
    if (all) {
        history_snapshot_cut(c->s, all, range, ret);
        return 0;
    }
    int r = history_snapshot_take(c->s, h, rv, range, ret);
    if (r == 0 && ret->more && !w->from.inconsistent) pin_take(c->s, h, rv);
    return r;
}

static int serve(struct call *c, const struct wanted *w, struct matcher *m) {
    const struct list_token *from = &w->from;
    if (w->o.rv > c->s->rv || from->rv > c->s->rv)
        return list_options_too_large(c, w->o.rv ? w->o.rv : from->rv);
    uint64_t rv = from->set && !from->inconsistent ? from->rv : w->o.exact ? w->o.rv : c->s->rv;
    /* What remains is counted once, with the first page; the tokens carry it on. */
    const struct history_range range = {.ns = c->ns,
                                        .after_ns = from->ns,
                                        .after_name = from->name,
                                        .keep = matcher_all(m) ? NULL : matcher_keep,
                                        .ctx = m,
                                        .max = (size_t)w->o.limit,
                                        .count = matcher_all(m) && !from->left};
    struct history_snapshot p = {0};
    if (take_page(c, w, rv, &range, &p) < 0) {
        if (from->set) return list_token_expired(from, &c->f);
        return api_status_set(&c->f, 410, "Expired", "The resourceVersion for the provided list is too old.");
    }
    int64_t left = !matcher_all(m) ? -1 : range.count ? (int64_t)p.more : from->left - (int64_t)p.n;
    if (matcher_all(m) && p.more && left < 1)
        left = 1; /* of an inconsistent list: objects were made meanwhile */
    cleanup_free char *cont = NULL;
    if (p.more && p.n) {
        const struct json_doc *last = p.v[p.n - 1];
        cont = list_token_make(last->ns, last->name, rv, from->inconsistent, left);
    }
    begin(c, w->render, &p, rv, cont, left);
    history_snapshot_free(&p);
    return 0;
}

int rest_list_serve(struct call *c) {
    struct wanted w = {0};
    int ret = rest_render(c, &w.render);
    if (ret == 0) ret = list_options_read(c, false, &w.o);
    if (ret == 0 && w.o.more) ret = list_token_read(w.o.more, &w.from, &c->f);
    if (ret == 0) ret = rest_matcher(c, &w.m);
    if (ret == 0) ret = serve(c, &w, &w.m);
    list_token_free(&w.from);
    matcher_free(&w.m);
    return ret;
}
