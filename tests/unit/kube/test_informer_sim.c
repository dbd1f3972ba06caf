/* Informers against the embedded API server, in one process and one clock: random changes, some of them writes of
 * ours whose answers are put in at once or late, compactions and faults. No record ever goes back; when the
 * faults are over, the cache holds what the server holds, and change() has reported every difference. */
#include "../case.h"
#include "../each.h"
#include "fake.h"
#include "kube/informer.h"
#include "sim/sim.h"

enum { NAMES = 20, STEPS = 60 };

struct bridge { /* an open request */
    struct fake_req *r;
    struct sim_exchange *x;
    bool ended;
};
struct late { /* the answer to a write of ours, on its way */
    struct list node;
    struct run *x;
    struct timer *timer;
    char *name, *uid; /* of a delete */
    struct buf body;
};
struct run {
    struct fake *f;
    struct sim *sim;
    struct timer *tick;
    struct kube_config *c;
    struct kube *k;
    struct informer *inf;
    struct rng rng;
    uint64_t seed;
    char rv[NAMES][24];     /* what the handlers believe; "" absent */
    char newest[NAMES][24]; /* the newest version that they have seen */
    bool metadata_only;
    struct list late; /* of struct late */
    unsigned changes, ended, wrote, at_once;
};

/* ---- the embedded server behind the fake world ---- */

static void tick(void *ctx);
static void plan(struct run *x) {
    int64_t at = sim_next_ns(x->sim);
    timer_at(x->tick, at == TIME_NEVER ? TIME_NEVER : at - world_wall_ns(x->f->a.w) + fake_now(x->f));
}
static void tick(void *ctx) {
    struct run *x = ctx;
    sim_advance(x->sim, world_wall_ns(x->f->a.w));
    plan(x);
}
static void on_head(void *ctx, int status, const char *type, int retry_after_s) {
    struct bridge *b = ctx;
    char after[16];
    (void)type;
    snprintf(after, sizeof after, "%d", retry_after_s);
    if (b->r) fake_head(b->r, status, retry_after_s >= 0 ? "Retry-After" : NULL, after);
}
static void on_body(void *ctx, struct slice data) {
    struct bridge *b = ctx;
    if (b->r) fake_bytes(b->r, data);
}
static void on_end(void *ctx, bool cut) {
    struct bridge *b = ctx;
    struct err e;
    err_set(&e, ERR_TRANSPORT, -ECONNRESET, "cut");
    b->ended = true;
    if (b->r) {
        fake_end(b->r, cut ? &e : NULL);
    } else {
        free(b);
    }
}
static void on_gone(void *ctx) {
    struct bridge *b = ctx;
    b->r = NULL;
    if (!b->ended && !b->x) return;
    if (!b->ended) sim_leave(b->x);
    free(b);
}
static struct slice header_of(const struct fake_req *r, const char *name) {
    cleanup_free char *start = xasprintf("%s: ", name);
    const char *at = strstr(buf_str(&r->headers), start);
    return at ? slice_make(at + strlen(start), strcspn(at + strlen(start), "\n")) : (struct slice){0};
}
static void handle(struct fake *f, struct fake_req *r) {
    static const struct sim_cb cb = {.head = on_head, .body = on_body, .end = on_end};
    struct run *x = f->user;
    struct sim_request q = {.method = slice_of(r->method),
                            .target = slice_of(r->url + strlen("http://api")),
                            .accept = header_of(r, "Accept"),
                            .content_type = header_of(r, "Content-Type"),
                            .authorization = header_of(r, "Authorization"),
                            .body = buf_slice(&r->body)};
    struct bridge *b = xcalloc(1, sizeof *b);
    b->r = r;
    r->on_gone = on_gone;
    r->gone_ctx = b;
    r->deliver_max = 1 + rng_below(&x->rng, 3000);
    sim_advance(x->sim, world_wall_ns(f->a.w));
    b->x = sim_handle(x->sim, &q, &cb, b);
    plan(x);
}

/* ---- changes from the side ---- */

struct answer {
    int status;
    struct buf body;
};
static void answer_head(void *ctx, int status, const char *type, int retry_after_s) {
    (void)type, (void)retry_after_s;
    ((struct answer *)ctx)->status = status;
}
static void answer_body(void *ctx, struct slice data) {
    buf_add(&((struct answer *)ctx)->body, data);
}
static void answer_end(void *ctx, bool cut) {
    (void)ctx, (void)cut;
}
static int direct(struct run *x, const char *method, const char *target, const char *body, struct buf *ret) {
    static const struct sim_cb cb = {.head = answer_head, .body = answer_body, .end = answer_end};
    struct answer a = {.body = BUF(1 << 20)};
    struct sim_request q = {.method = slice_of(method),
                            .target = slice_of(target),
                            .content_type = SL("application/json"),
                            .body = slice_of(body)};
    sim_advance(x->sim, world_wall_ns(x->f->a.w));
    assert_null(sim_handle(x->sim, &q, &cb, &a));
    plan(x);
    buf_free(ret);
    *ret = a.body;
    return a.status;
}

static void late_free(struct late *l) {
    list_remove(&l->node);
    timer_free(l->timer);
    free(l->name);
    free(l->uid);
    buf_free(&l->body);
    free(l);
}

static void arrives(void *ctx) {
    struct late *l = ctx;
    struct run *x = l->x;
    struct err e = {0};
    if (l->uid) {
        informer_deleted(x->inf, SL("default"), slice_of(l->name), slice_of(l->uid));
    } else if (informer_wrote(x->inf, buf_slice(&l->body), &e) != (x->metadata_only ? -EINVAL : 0)) {
        fail_seed(x->seed, "%s", e.msg);
    }
    x->wrote++;
    late_free(l);
}

/* A write of ours was answered: the informer is given the answer now, or later. */
static void ours(struct run *x, const char *name, const char *uid, struct buf *body) {
    struct late *l = xcalloc(1, sizeof *l);
    *l = (struct late){.x = x, .name = xstrdup(name), .uid = xstrdup_null(uid), .body = *body};
    *body = BUF(1 << 20);
    l->timer = timer_new(x->f->a.w, arrives, l);
    list_push(&x->late, &l->node);
    if (rng_below(&x->rng, 2)) {
        timer_in(l->timer, (int64_t)rng_below(&x->rng, 4000) * NS_PER_MS);
        return;
    }
    cleanup_json cJSON *o = json_parse(buf_slice(&l->body), NULL);
    cleanup_free char *rv = xstrdup(o && obj_rv(o) ? obj_rv(o) : "");
    arrives(l);
    const struct store_rec *r = store_get(informer_store(x->inf), SL("default"), slice_of(name));
    if (uid ? r && !r->deleting && strcmp(r->uid, uid) == 0
            : !x->metadata_only && (!r || strcmp(r->rv, rv) != 0))
        fail_seed(x->seed, "%s: the write is not in the store", name);
    x->at_once++;
}
static void change_something(struct run *x) {
    int i = (int)rng_below(&x->rng, NAMES);
    bool mine = informer_synced(x->inf) && rng_below(&x->rng, 2), hold = rng_below(&x->rng, 8) == 0;
    cleanup_buf struct buf answer = BUF(1 << 20), was = BUF(1 << 20);
    char name[8];
    snprintf(name, sizeof name, "c%d", i);
    cleanup_free char *one = xasprintf("/api/v1/namespaces/default/configmaps/c%d", i);
    cleanup_free char *body = quoted(
        xasprintf("{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'c%d'%s},'data':{'x':'%llu'}}", i,
                  hold ? ",'finalizers':['a.example/b']" : "", (unsigned long long)rng_next(&x->rng)));
    if (rng_below(&x->rng, 4) == 0) {
        cleanup_json cJSON *o = sim_peek(x->sim, "configmaps", "default", name, &was) == 0
                                    ? json_parse(buf_slice(&was), NULL)
                                    : NULL;
        if (direct(x, "DELETE", one, "", &answer) < 300 && mine) ours(x, name, obj_uid(o), &answer);
    } else if (direct(x, "PUT", one, body, &answer) < 300 ||
               direct(x, "POST", "/api/v1/namespaces/default/configmaps", body, &answer) < 300) {
        if (mine) ours(x, name, NULL, &answer);
    }
}

/* ---- what the handlers receive ---- */

static void on_change(void *ctx, const struct store_rec *old, const struct store_rec *now, bool initial) {
    struct run *x = ctx;
    const struct store_rec *rec = now ? now : old;
    (void)initial;
    if (rec->name[0] != 'c') return;
    char *believed = x->rv[atoi(rec->name + 1)], *newest = x->newest[atoi(rec->name + 1)];
    if (strcmp(believed, old ? old->rv : "") != 0)
        fail_seed(x->seed, "%s: told from %s, was %s", rec->name, old ? old->rv : "-", believed);
    if (now && newest[0] && !rv_older(newest, now->rv))
        fail_seed(x->seed, "%s: back to %s from %s", rec->name, now->rv, newest);
    if (now) snprintf(newest, sizeof x->newest[0], "%s", now->rv);
    snprintf(believed, sizeof x->rv[0], "%s", now ? now->rv : "");
    x->changes++;
}

static void fault(struct run *x) {
    static const char *const faults[] = {
        "},'count':2,'status':429,'retryAfter':1",
        "},'count':2,'status':500",
        "},'count':2,'status':403",
        "},'count':1,'dropBefore':true",
        "},'count':1,'dropAfter':true",
        "},'count':3,'cutAfterBytes':700",
        "},'count':1,'latencyMs':5000",
        ",'query':'watch'},'count':1,'silent':true",
        ",'query':'continue'},'count':1,'status':410",
    };
    cleanup_free char *one = xasprintf("{'match':{'method':'GET','path':'*configmaps'%s}",
                                       faults[rng_below(&x->rng, ARRAY_LEN(faults))]);
    struct err e = {0};
    if (sim_fault(x->sim, slice_of(quoted(one)), &e) < 0) fail_msg("%s", e.msg);
}

static struct run *setup(uint64_t seed, bool metadata_only) {
    static const struct informer_cb cb = {on_change, NULL, NULL};
    struct run *x = xcalloc(1, sizeof *x);
    x->rng.s = x->seed = seed;
    x->f = fake_seeded(seed);
    x->f->user = x;
    x->f->on_request = handle;
    x->f->running = true;
    x->sim = sim_new(
        &(struct sim_config){.seed = seed,
                             .wall_ns = world_wall_ns(x->f->a.w),
                             .history = 40,
                             .bookmark_ns = 30 * NS_PER_S,
                             .release = seed / 2 % 2 ? SIM_RELEASE_1_37 : (enum sim_release)(seed / 4 % 3)});
    x->tick = timer_new(x->f->a.w, tick, x);
    x->metadata_only = metadata_only;
    list_init(&x->late);
    struct kube_config_spec s = {.server = "http://api"};
    assert_int_equal(kube_config_load(x->f->a.w, &x->f->log, &s, &x->c, NULL), 0);
    x->k = kube_new(x->f->a.w, x->c, &x->f->log, NULL);
    struct informer_spec spec = {
        .gvr = &gvr_configmaps, .ns = SL("default"), .metadata_only = metadata_only, .name = "configmaps"};
    assert_int_equal(informer_new(x->k, &spec, &cb, x, &x->inf, NULL), 0);
    return x;
}
static void teardown(struct run *x) {
    list_each_safe(it, next, &x->late) late_free(container_of(it, struct late, node));
    informer_free(x->inf);
    kube_free(x->k);
    kube_config_free(x->c);
    x->f->on_request = NULL;
    timer_free(x->tick);
    sim_free(x->sim);
    fake_free(x->f);
    free(x);
}

static void compare(struct run *x) {
    size_t there = 0;
    for (int i = 0; i < NAMES; i++) {
        char name[8];
        cleanup_buf struct buf b = BUF(1 << 20);
        snprintf(name, sizeof name, "c%d", i);
        bool here = sim_peek(x->sim, "configmaps", "default", name, &b) == 0;
        cleanup_json cJSON *o = here ? json_parse(buf_slice(&b), NULL) : NULL;
        const struct store_rec *r = store_get(informer_store(x->inf), SL("default"), slice_of(name));
        const char *want = here ? obj_rv(o) : "", *got = r ? r->rv : "";
        if (strcmp(want, got) != 0) fail_seed(x->seed, "%s is %s, not %s", name, got, want);
        if (strcmp(want, x->rv[i]) != 0) fail_seed(x->seed, "%s came as %s, not %s", name, x->rv[i], want);
        there += here;
    }
    if (store_len(informer_store(x->inf)) < there) fail_seed(x->seed, "length");
}

CASE(the_cache_follows_the_server) {
    unsigned changes = 0, wrote = 0, at_once = 0;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct run *x = setup(seed, seed % 2);
        for (int i = 0; i < 10; i++) change_something(x);
        informer_start(x->inf);
        for (int step = 0; step < STEPS; step++) {
            for (uint64_t n = rng_below(&x->rng, 4); n > 0; n--) change_something(x);
            if (rng_below(&x->rng, 4) == 0) fault(x);
            if (rng_below(&x->rng, 15) == 0) sim_compact(x->sim);
            fake_run(x->f, (int64_t)rng_below(&x->rng, 20000) * NS_PER_MS);
        }
        assert_int_equal(sim_fault(x->sim, JS("{'clear':true}"), NULL), 0);
        fake_run(x->f, 1200 * NS_PER_S); /* a watch that was silenced stays so until its deadline */
        for (int i = 0; i < 5; i++) change_something(x);
        fake_run(x->f, 5 * NS_PER_S);
        assert_true(informer_synced(x->inf));
        compare(x);
        changes += x->changes;
        wrote += x->wrote;
        at_once += x->at_once;
        teardown(x);
    }
    assert_true(changes > 1000 && wrote > 500 && at_once > 200);
}

CASES("kube/informer_sim")
