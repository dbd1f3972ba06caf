/* What the tests of the client share: one client in a scripted world, and calls that note their end. */
#ifndef TEST_CLIENT_KIT_H
#define TEST_CLIENT_KIT_H
#include "../case.h"
#include "fake.h"
#include "kube/client.h"

struct call {
    struct fake *f;
    struct kube *k;
    struct kube_config *c;
    struct metrics *m;
    struct kube_op *op;
    unsigned n;
    struct err err;
    struct buf raw, pieces;
    void (*then)(struct call *);
};

static inline void done(void *ctx, const struct err *err, struct slice raw) {
    struct call *c = ctx;
    c->op = NULL;
    c->n++;
    c->err = err ? *err : (struct err){0};
    buf_clear(&c->raw);
    buf_add(&c->raw, raw);
    if (c->then) c->then(c);
}

static inline struct call *setup_cluster(const char *cluster, const char *user) {
    struct call *c = xcalloc(1, sizeof *c);
    c->f = fake_new();
    c->f->user = c;
    buf_init(&c->raw, 1 << 20);
    buf_init(&c->pieces, 1 << 20);
    c->m = metrics_new(100);
    cleanup_free char *text =
        xasprintf("current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n"
                  "clusters: [{name: k, cluster: {%s}}]\nusers: [{name: u, user: {%s}}]\n",
                  cluster, user);
    fake_file(c->f, "/k/config", text);
    fake_file(c->f, "/k/token", "tok1");
    struct kube_config_spec s = {.kubeconfig = "/k/config"};
    struct err e = {0};
    if (kube_config_load(c->f->a.w, &c->f->log, &s, &c->c, &e) < 0) fail_msg("%s", e.msg);
    c->k = kube_new(c->f->a.w, c->c, &c->f->log, c->m);
    return c;
}

static inline struct call *setup(const char *user) {
    return setup_cluster("server: 'https://api:6443/base'", user);
}

static inline void teardown(struct call *c) {
    kube_free(c->k);
    kube_config_free(c->c);
    fake_free(c->f);
    metrics_free(c->m);
    buf_free(&c->raw);
    buf_free(&c->pieces);
    free(c);
}

/* With a client c; SECRET: whose token must not be seen in logs. */
#define CLIENT_CASE(name) CASE_OF(struct call, c, setup("token: t"), teardown, name)
#define SECRET_CASE(name) CASE_OF(struct call, c, setup("token: s3cret"), teardown, name)

static inline struct kube_spec lease(enum kube_verb verb) {
    return (struct kube_spec){.verb = verb,
                              .ref = {.gvr = &gvr_leases, .ns = SL("default"), .name = SL("handover")},
                              .lane = LANE_CALL};
}

static inline void start(struct call *c, const struct kube_spec *s) {
    c->n = 0;
    unsigned before = fake_turns(c->f);
    c->op = kube_call(c->k, s, done, c);
    assert_int_equal(c->n, 0);
    assert_int_equal(fake_turns(c->f), before);
}

/* The call's request is open. */
static inline void ask(struct call *c, const struct kube_spec *s) {
    start(c, s);
    fake_settle(c->f);
}

static inline void answer(struct call *c, int code, const char *body) {
    fake_answer(fake_one(c->f), code, body);
}

/* How it ended, after so many requests in all. */
static inline void ended(const struct call *c, enum err_kind kind, unsigned started) {
    if (c->err.kind != kind) print_error("%s\n", c->err.msg);
    assert_int_equal(c->n, 1);
    assert_int_equal(c->err.kind, kind);
    assert_int_equal(c->f->started, started);
}

static inline double metric_of(struct call *c, const char *code, const char *method) {
    const char *labels[] = {code, method, "api:6443"};
    return metric_value(metric_with(
        metrics_family(c->m, METRIC_COUNTER, "rest_client_requests_total", "", "code,method,host", NULL, 0),
        labels));
}

#define STATUS(code, reason, msg)                                                                            \
    "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"status\":\"Failure\",\"message\":\"" msg                   \
    "\",\"reason\":\"" reason "\",\"code\":" #code "}"
#endif
