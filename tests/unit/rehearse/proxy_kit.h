/* A proxy in a scripted world: what the operator asks of it, what it asks of the API server, byte by byte. */
#ifndef TEST_PROXY_KIT_H
#define TEST_PROXY_KIT_H
#include "../case.h"
#include "../kube/fake.h"
#include "rehearse/proxy.h"

#define TOKEN "rehearsal-token-of-the-test"
#define BASE  "https://api:6443/base"
#define SERVICES                                                                                             \
    "{\"kind\":\"APIServiceList\",\"metadata\":{\"resourceVersion\":\"5\"},\"items\":["                      \
    "{\"metadata\":{\"name\":\"v1.things.io\"},\"spec\":{\"group\":\"things.io\",\"version\":\"v1\"}},"      \
    "{\"metadata\":{\"name\":\"v1.far.io\"},\"spec\":{\"group\":\"far.io\",\"service\":{\"name\":\"far\"}}}" \
    "]}"

struct stage {
    struct fake *f;
    struct kube_config *c;
    struct metrics *m;
    struct proxy *p;
    const char *const *local_groups;
    unsigned ready;
    struct err err;
};

static inline void stage_ready(void *ctx, const struct err *err) {
    struct stage *s = ctx;
    s->ready++;
    if (err) s->err = *err;
}

/* Whatever leaves, and for whom it was asked: no write. */
static inline void stage_check(struct fake *f, struct fake_req *r) {
    (void)f;
    bool review = strstr(r->url, "reviews") != NULL;
    if (strcmp(r->method, "GET") != 0 && !review) assert_has(r->url, "dryRun=All");
}

static inline void stage_start(struct stage *s) {
    struct err e = {0};
    struct proxy_options o = {.config = s->c, .token = TOKEN, .local_groups = s->local_groups};
    if (proxy_start(s->f->a.w, &s->f->log, s->m, &o, stage_ready, s, &s->p, &e) < 0) fail_msg("%s", e.msg);
    assert_int_equal(s->ready, 0);
    fake_settle(s->f);
}

static inline struct stage *stage_bare(const char *user) {
    struct stage *s = xcalloc(1, sizeof *s);
    s->f = fake_new();
    s->f->on_request = stage_check;
    s->m = metrics_new(100);
    cleanup_free char *text =
        xasprintf("current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n"
                  "clusters: [{name: k, cluster: {server: '%s'}}]\nusers: [{name: u, user: {%s}}]\n",
                  BASE, user);
    fake_file(s->f, "/k/config", text);
    fake_file(s->f, "/k/token", "tok1");
    struct kube_config_spec spec = {.kubeconfig = "/k/config"};
    struct err e = {0};
    if (kube_config_load(s->f->a.w, &s->f->log, &spec, &s->c, &e) < 0) fail_msg("%s", e.msg);
    return s;
}

static inline struct stage *stage_as(const char *user) {
    struct stage *s = stage_bare(user);
    stage_start(s);
    fake_answer(fake_one(s->f), 200, "{}");
    fake_answer(fake_one(s->f), 200, SERVICES);
    assert_int_equal(s->ready, 1);
    assert_int_equal(s->err.kind, ERR_NONE);
    return s;
}

static inline struct stage *stage_new(void) {
    return stage_as("tokenFile: /k/token");
}

static inline void stage_free(struct stage *s) {
    proxy_stop(s->p);
    kube_config_free(s->c);
    fake_free(s->f);
    metrics_free(s->m);
    free(s);
}
#define STAGE_CASE(name) CASE_OF(struct stage, s, stage_new(), stage_free, name)

/* A request of the operator; headers: "Name: value" pairs, as name, value, ..., NULL. */
#define OPERATOR(s, a, method, target, body, ...)                                                            \
    operator_asks(s, a, method, target, body, (const char *const[]){__VA_ARGS__, NULL})
static inline void operator_asks(struct stage *s, struct alone_answer *a, const char *method,
                                 const char *target, const char *body, const char *const *headers) {
    struct http_headers h = {0};
    for (size_t i = 0; headers[i]; i += 2)
        http_headers_add(&h, slice_of(headers[i]), slice_of(headers[i + 1]));
    alone_send(&s->f->a, a, method, target, &h, slice_of(body));
    fake_settle(s->f);
}
#define OURS "Authorization", "Bearer " TOKEN
/* One that is freed at the end of its scope; what is not answered yet is left by its client before. */
static inline void answer_end(struct alone_answer *a) {
    if (a->gone && !a->ended && !a->aborted) a->gone(a->gone_ctx);
    alone_answer_free(a);
}
#define ANSWER(name) __attribute__((cleanup(answer_end))) struct alone_answer name = {0}
#define GETS(s, a, target)                                                                                   \
    ANSWER(a);                                                                                               \
    OPERATOR(s, &a, "GET", target, "", OURS)

static inline void answered(const struct alone_answer *a, int status, const char *part) {
    assert_int_equal(a->status, status);
    assert_true(a->ended);
    assert_has(buf_str(&a->body), part);
}
#endif
