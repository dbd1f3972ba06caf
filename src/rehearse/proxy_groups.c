/* Which API groups honour dry runs? Those of the API server itself, CustomResourceDefinitions included; not those that it hands to
 * another server: an APIService with a service. Who may not read APIServices reads the names of CustomResourceDefinitions. */
#include "proxy_impl.h"
#include "api/status.h"
#include "base/json.h"
#include <errno.h>

enum { GROUPS_MAX = 5000, GROUP_MAX = 253, STATUS_MAX = 64 << 10, ITEM_MAX = 4 << 20 };
#define GROUPS_NS (30 * NS_PER_S)

enum step { STEP_VERSION, STEP_SERVICES, STEP_DEFINITIONS, STEPS };
static const struct {
    const char *target, *accept;
} steps[STEPS] = {
    [STEP_VERSION] = {"/version", "application/json"},
    [STEP_SERVICES] = {"/apis/apiregistration.k8s.io/v1/apiservices", "application/json"},
    [STEP_DEFINITIONS] = {"/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
                          "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"},
};

struct group_reader {
    struct proxy *p;
    void (*done)(struct proxy *p, const struct err *err);
    enum step step;
    struct ask *ask;
    struct upstream u;
    int status;
    struct buf body; /* of a failure */
    struct splitter split;
    bool broken;
    struct names local, remote;
    bool aggregates;
};

/* ---- sorted names ---- */

static size_t place(const struct names *s, struct slice name) {
    size_t lo = 0, hi = s->n;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (slice_cmp(slice_of(s->v[mid]), name) < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo;
}

bool proxy_names_has(const struct names *s, struct slice name) {
    size_t i = place(s, name);
    return i < s->n && slice_eqs(name, s->v[i]);
}

void proxy_names_add(struct names *s, struct slice name) {
    if (!name.n || name.n > GROUP_MAX || s->n == GROUPS_MAX || proxy_names_has(s, name)) return;
    size_t i = place(s, name);
    s->v = xgrow(s->v, &s->cap, s->n + 1, sizeof *s->v);
    memmove(s->v + i + 1, s->v + i, (s->n - i) * sizeof *s->v);
    s->v[i] = slice_dup(name);
    s->n++;
}

void proxy_names_free(struct names *s) {
    for (size_t i = 0; i < s->n; i++) free(s->v[i]);
    free(s->v);
    *s = (struct names){0};
}

struct gate_groups proxy_groups(const struct proxy *p) {
    return (struct gate_groups){.all = !p->aggregates,
                                .local = (const char *const *)p->local.v,
                                .n = p->local.n,
                                .remote = (const char *const *)p->remote.v,
                                .nremote = p->remote.n};
}

/* ---- reading ---- */

void proxy_read_groups_cancel(struct group_reader *r) {
    if (!r) return;
    proxy_ask_cancel(r->ask);
    upstream_free(&r->u);
    splitter_free(&r->split);
    buf_free(&r->body);
    proxy_names_free(&r->local);
    proxy_names_free(&r->remote);
    free(r);
}

static void finish(struct group_reader *r, const struct err *err) {
    struct proxy *p = r->p;
    void (*done)(struct proxy *, const struct err *) = r->done;
    if (!err) {
        struct names local = p->local, remote = p->remote;
        for (size_t i = 0; i < p->forced.n; i++) proxy_names_add(&r->local, slice_of(p->forced.v[i]));
        p->local = r->local;
        p->remote = r->remote;
        p->aggregates = r->aggregates;
        r->local = local;
        r->remote = remote;
    }
    p->reader = NULL;
    proxy_read_groups_cancel(r);
    done(p, err);
}

static void ask(struct group_reader *r);

static void next(struct group_reader *r, enum step step) {
    r->step = step;
    if (step == STEPS) {
        finish(r, NULL);
    } else {
        ask(r);
    }
}

static void take_item(struct group_reader *r, struct slice item) {
    cleanup_json cJSON *o = json_parse(item, NULL);
    if (r->step == STEP_DEFINITIONS) { /* "certificates.cert-manager.io" */
        struct slice plural, group;
        if (slice_cut(slice_of(json_str(json_obj(o, "metadata"), "name")), '.', &plural, &group))
            proxy_names_add(&r->local, group);
        return;
    }
    const cJSON *spec = json_obj(o, "spec");
    const char *group = json_str(spec, "group");
    if (!group) return;
    bool elsewhere = json_obj(spec, "service") && !proxy_names_has(&r->p->forced, slice_of(group));
    proxy_names_add(elsewhere ? &r->remote : &r->local, slice_of(group));
}

static void on_head(void *ctx, int status, const struct http_headers *h) {
    struct group_reader *r = ctx;
    (void)h;
    r->status = status;
}

static enum http_pull on_body(void *ctx, struct slice data) {
    struct group_reader *r = ctx;
    struct slice item;
    enum split_event ev;
    if (r->status != 200 || r->step == STEP_VERSION) {
        size_t room = STATUS_MAX - r->body.n;
        buf_add(&r->body, slice_make(data.p, data.n < room ? data.n : room));
        return HTTP_MORE;
    }
    while (!r->broken && (ev = splitter_next(&r->split, &data, &item)) != SPLIT_MORE) {
        if (ev == SPLIT_ITEM) take_item(r, item);
        if (ev == SPLIT_BROKEN) r->broken = true;
        if (ev == SPLIT_END) break;
    }
    return HTTP_MORE;
}

static void on_end(void *ctx, const struct err *err) {
    struct group_reader *r = ctx;
    struct split_list list = {0};
    struct err e = {0};
    r->ask = NULL;
    upstream_free(&r->u);
    if (err) {
        e = *err;
    } else if (r->step == STEP_SERVICES && r->status == 404) {
        r->aggregates = false; /* there are no APIServices at all */
        next(r, STEPS);
        return;
    } else if (r->status == 403) { /* who may not ask knows less, and less can be rehearsed */
        next(r, r->step + 1);
        return;
    } else if (r->status != 200) {
        status_to_err(r->status, buf_slice(&r->body), steps[r->step].target, &e);
    } else if (r->step != STEP_VERSION) {
        (void)splitter_list(&r->split, &list, &e);
        split_list_free(&list);
    }
    if (e.kind) {
        err_wrap(&e, "asking the API server what it serves");
        finish(r, &e);
        return;
    }
    next(r, r->step == STEP_SERVICES ? STEPS : r->step + 1);
}

static void ask(struct group_reader *r) {
    static const struct ask_cb cb = {on_head, on_body, on_end};
    const struct gate_header h = {.accept = slice_of(steps[r->step].accept)};
    struct gate_groups none = {0};
    struct gate_request q;
    int status;
    struct err e = {0};
    if (gate_parse(SL("GET"), slice_of(steps[r->step].target), &h, SL(""), &none, &q, &status, &e) < 0)
        abort();
    if (upstream_read(&q, &r->u) < 0) abort();
    gate_free(&q);
    splitter_free(&r->split);
    splitter_init(&r->split, SPLIT_LIST, ITEM_MAX);
    buf_clear(&r->body);
    r->ask =
        proxy_ask(r->p, &(struct ask_spec){.u = &r->u, .lane = LANE_WATCH, .total_ns = GROUPS_NS}, &cb, r);
}

struct group_reader *proxy_read_groups(struct proxy *p,
                                       void (*done)(struct proxy *p, const struct err *err)) {
    struct group_reader *r = xcalloc(1, sizeof *r);
    *r = (struct group_reader){.p = p, .done = done, .aggregates = true, .body = BUF(STATUS_MAX)};
    splitter_init(&r->split, SPLIT_LIST, ITEM_MAX);
    p->groups_read_ns = world_boot_ns(p->w);
    ask(r);
    return r;
}
