/* What the tests of the election share: candidates in a simulated world with the embedded API server. JSON
 * is written with ' for ". */
#ifndef TEST_ELECTION_KIT_H
#define TEST_ELECTION_KIT_H
#include "leader/election.h"
#include "simworld/simworld.h"
#include "base/json.h"
#include "../case.h"
#include "../each.h"

#define S         NS_PER_S
#define MS        NS_PER_MS
#define API       "http://api.sim:8080"
#define LEASE_URL API "/apis/coordination.k8s.io/v1/namespaces/default/leases/l"

/* One candidate and the callbacks that it got. */
struct cand {
    struct simworld *sw;
    struct world *w;
    struct kube_config *cfg;
    struct metrics *metrics;
    struct kube *kube;
    struct election *e;
    struct identity id;
    int leads, late, losts, overs, renewed_ok, renewed_bad;
    int64_t term, led_at, stopped_at;
    enum lease_reason reason, lost_reason, over_reason;
    size_t keys; /* of work in hand, told as queued */
    size_t got[CHECKPOINT_KINDS];
    bool drains_itself; /* answers lost() at once */
    int orders;
    char ordered[200];
};

struct field {
    struct simworld *sw;
    struct sim *api;
    struct cand c[3];
};

static inline void restored(void *ctx, const struct checkpoint_key *k) {
    struct cand *c = ctx;
    c->got[k->kind]++;
    c->keys += k->kind == CHECKPOINT_QUEUED;
}

static inline void on_lead(void *ctx, int64_t term, enum lease_reason reason,
                           struct checkpoint_reader *work) {
    struct cand *c = ctx;
    assert_true(election_may_mutate(c->e));
    c->leads++;
    c->term = term;
    c->reason = reason;
    c->led_at = simworld_now(c->sw);
    if (work) checkpoint_each(work, restored, c);
}

static inline void on_late_work(void *ctx, struct checkpoint_reader *work) {
    struct cand *c = ctx;
    c->late++;
    checkpoint_each(work, restored, c);
}

static inline void on_lost(void *ctx, enum lease_reason reason) {
    struct cand *c = ctx;
    assert_false(election_may_mutate(c->e));
    c->losts++;
    c->lost_reason = reason;
    if (c->drains_itself) election_drained(c->e, 0);
}

static inline void on_over(void *ctx, enum lease_reason reason) {
    struct cand *c = ctx;
    c->overs++;
    c->over_reason = reason;
}

static inline void on_work(void *ctx, bool final, struct checkpoint *to) {
    struct cand *c = ctx;
    char key[80];
    checkpoint_add(to, &(struct checkpoint_key){.kind = final ? CHECKPOINT_INTERRUPTED : CHECKPOINT_INFLIGHT,
                                                .controller = SL("rollout"),
                                                .key = SL("a/first")});
    for (size_t i = 0; i < c->keys; i++) {
        int n = snprintf(key, sizeof(key), "team-%zu/%08zx%08zx-deployment", i % 97,
                         i * 2654435761u % 4294967291u, i);
        checkpoint_add(to, &(struct checkpoint_key){.kind = CHECKPOINT_QUEUED,
                                                    .controller = SL("rollout"),
                                                    .key = slice_make(key, (size_t)n)});
    }
}

static inline void on_renewed(void *ctx, bool ok) {
    struct cand *c = ctx;
    if (ok)
        c->renewed_ok++;
    else
        c->renewed_bad++;
}

static inline void on_orders(void *ctx, struct slice text) {
    struct cand *c = ctx;
    assert_true(election_leading(c->e) && c->leads);
    c->orders++;
    (void)snprintf(c->ordered, sizeof c->ordered, "%.*s", SLF(text));
}

static inline bool held(void *ctx) {
    return election_may_mutate(((struct cand *)ctx)->e);
}

static const struct election_cb cand_cb = {on_lead,    on_late_work, on_lost, on_over, on_work,
                                           on_renewed, on_orders,    NULL,    NULL};

/* uid: the pod's; log: NULL for none. */
static inline void cand_start_as(struct field *f, int i, const struct simhost *host, const char *uid,
                                 const char *termination_log, struct log *log) {
    struct cand *c = &f->c[i];
    char name[16];
    struct err err = {0};
    snprintf(name, sizeof(name), "pod-%d", i);
    *c = (struct cand){.sw = f->sw, .w = simworld_host(f->sw, name, host), .drains_itself = true};
    simworld_file(c->w, "/dev/termination-log", SL(""));
    if (kube_config_load(c->w, NULL, &(struct kube_config_spec){.server = API}, &c->cfg, &err) < 0)
        fail_msg("%s", err.msg);
    c->metrics = metrics_new(100);
    c->kube = kube_new(c->w, c->cfg, log, c->metrics);
    identity_make(name, uid, world_rand(c->w), world_rand(c->w), &c->id);
    struct election_config cfg = {
        .ns = "default", .name = "l", .id = c->id, .termination_log = termination_log};
    if (election_new(c->kube, &cfg, &cand_cb, c, &c->e, &err) < 0) fail_msg("%s", err.msg);
    kube_set_fence(c->kube, (struct kube_fence){held, c});
    election_start(c->e);
    election_ready(c->e, true);
}

static inline void cand_start(struct field *f, int i, const struct simhost *host) {
    cand_start_as(f, i, host, "0f1e2d3c", "/dev/termination-log", NULL);
}

static inline void cand_free(struct cand *c) {
    election_free(c->e);
    kube_free(c->kube);
    kube_config_free(c->cfg);
    metrics_free(c->metrics);
    c->e = NULL;
    c->kube = NULL;
    c->cfg = NULL;
    c->metrics = NULL;
}

static inline void cand_crash(struct cand *c) {
    simworld_kill(c->w);
    cand_free(c);
}

static inline void field_new(struct field *f, uint64_t seed) {
    *f = (struct field){.sw = simworld_new(seed)};
    f->api = sim_new(&(struct sim_config){.seed = seed, .wall_ns = simworld_now(f->sw)});
    simworld_server(f->sw, "api", API, f->api);
    simworld_net(f->sw, "*", "api", &(struct simnet){.latency_ns = MS, .jitter_ns = MS});
}

static inline void field_free(struct field *f) {
    for (size_t i = 0; i < ARRAY_LEN(f->c); i++) {
        if (f->c[i].e) cand_crash(&f->c[i]);
    }
    simworld_free(f->sw);
    sim_free(f->api);
}

static inline bool leads(void *ctx) {
    return ((struct cand *)ctx)->leads > 0;
}

static inline bool is_over(void *ctx) {
    return ((struct cand *)ctx)->overs > 0;
}

/* Candidate 0 leads, the others stand by. */
static inline void field_lead(struct field *f, int n) {
    field_new(f, 7);
    cand_start(f, 0, NULL);
    assert_true(simworld_run_until(f->sw, leads, &f->c[0], 2 * S));
    for (int i = 1; i < n; i++) cand_start(f, i, NULL);
    simworld_run(f->sw, 5 * S);
}

/* With n candidates in a field f, of which 0 leads. */
static inline struct field *field_of(int n) {
    struct field *f = xcalloc(1, sizeof *f);
    field_lead(f, n);
    return f;
}
static inline void field_end(struct field *f) {
    field_free(f);
    free(f);
}
#define FIELD_CASE(n, name) CASE_OF(struct field, f, field_of(n), field_end, name)

static inline void stop_cleanly(struct cand *c) {
    c->stopped_at = simworld_now(c->sw);
    election_stop(c->e);
    election_drained(c->e, 0);
}

static inline void fault(struct field *f, const char *json) {
    cleanup_free char *text = quoted(xstrdup(json));
    struct err err = {0};
    if (sim_fault(f->api, slice_of(text), &err) < 0) fail_msg("%s", err.msg);
}

static inline void peek(struct field *f, const char *resource, const char *name, struct buf *b) {
    buf_clear(b);
    if (sim_peek(f->api, resource, "default", name, b) < 0) buf_adds(b, "(none)");
}

static inline void ask(struct field *f, const char *method, const char *url, const char *type,
                       const char *body, int status) {
    cleanup_buf struct buf answer = BUF(1 << 20);
    cleanup_free char *json = quoted(xstrdup(body));
    int got = simworld_request(f->sw, method, url, type, slice_of(json), &answer);
    if (got != status) fail_msg("%s %s: %d %s", method, url, got, buf_str(&answer));
}
#endif
