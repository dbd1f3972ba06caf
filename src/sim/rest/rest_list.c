/* LIST with limit and continue, resourceVersion and resourceVersionMatch. What goes out was fixed when the
 * request came: references to the texts of that version; they are sent in pieces, as fast as they leave. */
#include "rest/rest_list.h"
#include "base/hash.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

enum { PIECE = 64 << 10, UNSENT_MAX = 4 << 20 };
#define PAUSE_NS (2 * NS_PER_MS)

struct lister {
    struct sim_exchange *x;
    const struct sim_type *type;
    struct render render;
    struct history_snapshot items;
    size_t next;
    struct list paused; /* in sim.paused, while the client reads slowly */
    struct due due;     /* ... and when to ask again, if nothing else happens */
};

void rest_list_close(struct sim_exchange *x) {
    struct lister *l = x->list;
    if (!l) return;
    x->list = NULL;
    sim_due_cancel(x->s, &l->due);
    list_remove(&l->paused);
    history_snapshot_free(&l->items);
    free(l);
}

static void send_pieces(struct sim_exchange *x) {
    struct buf b = BUF(SIZE_MAX - 1);
    while (x->list && x->list->next < x->list->items.n) {
        struct lister *l = x->list;
        if (b.n == 0 && exchange_unsent(x) > UNSENT_MAX) {
            list_push(&x->s->paused, &l->paused);
            sim_due_at(x->s, &l->due, x->s->now + PAUSE_NS);
            buf_free(&b);
            return;
        }
        if (l->next) buf_addc(&b, ',');
        render_item(x->s, l->type, l->items.v[l->next++], l->render, &b);
        if (b.n < PIECE) continue;
        exchange_body(x, buf_slice(&b)); /* may end it: x->list is looked at again */
        buf_clear(&b);
    }
    if (!x->over) {
        render_list_tail(&b);
        exchange_body(x, buf_slice(&b));
        rest_list_close(x);
        exchange_end(x, false);
    }
    buf_free(&b);
}

static void resume(struct lister *l) {
    sim_due_cancel(l->x->s, &l->due);
    list_remove(&l->paused);
    send_pieces(l->x);
}

static void go_on(struct sim *s, struct due *d) {
    (void)s;
    resume(container_of(d, struct lister, due));
}

void rest_list_resume(struct sim *s) {
    struct list ready;
    list_init(&ready);
    list_each_safe(it, tmp, &s->paused) {
        struct lister *l = container_of(it, struct lister, paused);
        if (exchange_unsent(l->x) > UNSENT_MAX) continue;
        list_remove(&l->paused);
        list_push(&ready, &l->paused);
    }
    while (!list_empty(&ready)) resume(container_of(ready.next, struct lister, paused));
}

/* ---- continue tokens: base64 of {"v":"meta.k8s.io/v1","rv":N,"start":"ns/name"}, as Kubernetes makes them,
 * and "left":N of our own ---- */
struct from {
    bool set, inconsistent; /* inconsistent: at the present state, not at rv */
    uint64_t rv;
    char *ns, *name; /* go on behind this */
    int64_t left;    /* objects behind it, as the page before it said; 0: not known */
};

static void from_free(struct from *f) {
    free(f->ns);
    free(f->name);
}

static char *make_token(const char *ns, const char *name, uint64_t rv, bool inconsistent, int64_t left) {
    struct buf json = BUF(4096), out = BUF(8192), key = BUF(2048);
    buf_addf(&key, "%s/%s", ns, name);
    buf_adds(&json, "{\"v\":\"meta.k8s.io/v1\",\"rv\":");
    if (inconsistent) {
        buf_adds(&json, "-1");
    } else {
        buf_addf(&json, "%" PRIu64, rv);
    }
    buf_adds(&json, ",\"start\":");
    buf_add_json(&json, buf_slice(&key));
    if (left > 0 && !inconsistent) buf_addf(&json, ",\"left\":%" PRId64, left);
    buf_addc(&json, '}');
    base64_encode(buf_slice(&json), &out);
    buf_free(&json);
    buf_free(&key);
    return buf_take(&out);
}

static int read_token(const char *text, struct from *ret, struct api_status *f) {
    struct buf json = BUF(8192);
    bool ok = base64_decode(slice_of(text), &json) == 0;
    cleanup_json cJSON *v = ok ? json_parse(buf_slice(&json), NULL) : NULL;
    buf_free(&json);
    const char *start = json_str(v, "start"), *version = json_str(v, "v");
    int64_t rv = json_i64(v, "rv", 0);
    struct slice ns, name;
    if (!start || !version || strcmp(version, "meta.k8s.io/v1") != 0 || rv == 0 || rv < -1 ||
        !slice_cut(slice_of(start), '/', &ns, &name)) {
        return api_status_set(f, 400, "BadRequest", "continue key is not valid");
    }
    int64_t left = json_i64(v, "left", 0);
    *ret = (struct from){.set = true,
                         .inconsistent = rv < 0,
                         .rv = rv < 0 ? 0 : (uint64_t)rv,
                         .ns = slice_dup(ns),
                         .name = slice_dup(name),
                         .left = left > 0 ? left : 0};
    return 0;
}

static int token_expired(const struct from *from, struct api_status *f) {
    f->more = make_token(from->ns, from->name, 0, true, 0);
    return api_status_set(
        f, 410, "Expired",
        "The provided continue parameter is too old to display a consistent list result. You can start a new "
        "list "
        "without the continue parameter, or use the continue token in this response to retrieve the "
        "remainder of "
        "the results. Continuing with the provided token results in an inconsistent list - objects that were "
        "created, modified, or deleted between the time the first chunk was returned and now may show up in "
        "the "
        "list.");
}

/* ---- which version ---- */
struct wanted {
    uint64_t rv;
    bool exact;
    int64_t limit;
    struct from from;
};

static int option_error(struct call *c, const char *reason, const char *detail) {
    static const struct sim_type options = {"meta.k8s.io", "v1", "listoptions", "ListOptions", "", "",
                                            .custom = true};
    api_status_cause(&c->f, reason, "resourceVersionMatch", "%s", detail);
    return api_status_invalid(&c->f, &options, "");
}

static int check_match(struct call *c, const char *rv, const char *match, bool cont) {
    if (!match || !match[0]) return 0;
    if (cont) {
        return option_error(c, "FieldValueForbidden",
                            "Forbidden: resourceVersionMatch is forbidden when continue is provided");
    }
    if (!rv || !rv[0]) {
        return option_error(
            c, "FieldValueForbidden",
            "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided");
    }
    if (strcmp(match, "Exact") != 0 && strcmp(match, "NotOlderThan") != 0) {
        char text[200];
        snprintf(text, sizeof text,
                 "Unsupported value: \"%.80s\": supported values: \"Exact\", \"NotOlderThan\", \"\"", match);
        return option_error(c, "FieldValueNotSupported", text);
    }
    if (!strcmp(match, "Exact") && !strcmp(rv, "0")) {
        return option_error(
            c, "FieldValueForbidden",
            "Forbidden: resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"");
    }
    return 0;
}

static int read_wanted(struct call *c, struct wanted *ret) {
    const char *rv = request_uri_param(&c->t, "resourceVersion"),
               *match = request_uri_param(&c->t, "resourceVersionMatch");
    const char *cont = request_uri_param(&c->t, "continue"), *limit = request_uri_param(&c->t, "limit");
    int r = check_match(c, rv, match, cont && cont[0]);
    if (r < 0) return r;
    r = rest_version(rv, &ret->rv, &c->f);
    if (r < 0) return r;
    if (limit && limit[0] && (slice_i64(slice_of(limit), &ret->limit) < 0 || ret->limit < 0)) {
        return api_status_set(&c->f, 400, "BadRequest", "strconv.ParseInt: parsing \"%s\": invalid syntax",
                              limit);
    }
    ret->exact = match && !strcmp(match, "Exact");
    if (!cont || !cont[0]) return 0;
    if (ret->rv) {
        return api_status_set(&c->f, 400, "BadRequest",
                              "specifying resource version is not allowed when using continue");
    }
    return read_token(cont, &ret->from, &c->f);
}

/* ---- the page ---- */
static void begin(struct call *c, struct render r, struct history_snapshot *p, uint64_t rv, const char *more,
                  int64_t remaining) {
    struct lister *l = xcalloc(1, sizeof *l);
    *l = (struct lister){.x = c->x, .type = c->type, .render = r, .items = *p};
    l->due.fn = go_on;
    list_init(&l->paused);
    *p = (struct history_snapshot){0};
    c->x->list = l;
    struct buf b = BUF(64 << 10);
    render_list_head(c->type, r, rv, more, remaining, &b);
    exchange_head(c->x, 200, "application/json", -1);
    exchange_body(c->x, buf_slice(&b));
    buf_free(&b);
    if (!c->x->over) send_pieces(c->x);
}

static int too_large(struct call *c, uint64_t rv) {
    api_status_cause(&c->f, "ResourceVersionTooLarge", "", "Too large resource version");
    c->f.retry_after_s = 1;
    return api_status_set(&c->f, 504, "Timeout", "Too large resource version: %" PRIu64 ", current: %" PRIu64,
                          rv, c->s->rv);
}

static int serve(struct call *c, const struct wanted *w, struct matcher *m, struct render r) {
    struct resource_table *h = resource_table_of(c->s, c->type);
    if (w->rv > c->s->rv || w->from.rv > c->s->rv) return too_large(c, w->rv ? w->rv : w->from.rv);
    uint64_t rv = w->from.set && !w->from.inconsistent ? w->from.rv : w->exact ? w->rv : c->s->rv;
    const struct from *from = &w->from;
    /* What remains is counted once, with the first page; the tokens carry it on. */
    const struct history_range range = {.ns = c->ns,
                                        .after_ns = from->ns,
                                        .after_name = from->name,
                                        .keep = matcher_all(m) ? NULL : matcher_keep,
                                        .ctx = m,
                                        .max = (size_t)w->limit,
                                        .count = matcher_all(m) && !from->left};
    struct history_snapshot p = {0};
    if (history_snapshot_take(c->s, h, rv, &range, &p) < 0) {
        if (from->set) return token_expired(from, &c->f);
        return api_status_set(&c->f, 410, "Expired", "The resourceVersion for the provided list is too old.");
    }
    int64_t left = !matcher_all(m) ? -1 : range.count ? (int64_t)p.more : from->left - (int64_t)p.n;
    cleanup_free char *more = NULL;
    if (p.more && p.n) more = make_token(p.v[p.n - 1]->ns, p.v[p.n - 1]->name, rv, from->inconsistent, left);
    begin(c, r, &p, rv, more, left);
    history_snapshot_free(&p);
    return 0;
}

int rest_list_serve(struct call *c) {
    struct wanted w = {0};
    struct render r = {0};
    struct matcher m = {0};
    int ret = render_choose(c->req->accept, request_uri_param(&c->t, "includeObject"), &r, &c->f);
    if (ret == 0) ret = read_wanted(c, &w);
    if (ret == 0) {
        ret = matcher_parse(c->type, request_uri_param(&c->t, "labelSelector"),
                            request_uri_param(&c->t, "fieldSelector"), &m, &c->f);
    }
    if (ret == 0) ret = serve(c, &w, &m, r);
    from_free(&w.from);
    matcher_free(&m);
    return ret;
}
