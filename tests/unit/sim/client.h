/* A client of the embedded API server inside the same process, and the tests of it: each registers itself, and
 * has a server of its own. JSON of a request is written with ' for ". */
#ifndef TEST_SIM_CLIENT_H
#define TEST_SIM_CLIENT_H
#include "../check.h"
#include "../each.h"
#include "api/meta.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/time.h"
#include "sim/sim.h"

#define WALL (INT64_C(1700000000) * NS_PER_S)

static struct CMUnitTest sim_tests[64];
static size_t sim_ntests;
int main(void) {
    return _cmocka_run_group_tests("sim", sim_tests, sim_ntests, NULL, NULL);
}

#define REGISTER_TEST(name, fn)                                                                              \
    static void __attribute__((constructor)) register_##name(void) {                                         \
        sim_tests[sim_ntests++] = (struct CMUnitTest){#name, fn, NULL, NULL, NULL};                          \
    }
/* A test of a server `s`; TEST_ALONE: of servers of its own making. */
#define SIM_TEST(name)                                                                                       \
    static void name(struct sim *s);                                                                         \
    static void run_##name(void **state) {                                                                   \
        struct sim *s = *state = sim_test();                                                                 \
        name(s);                                                                                             \
        sim_free(s);                                                                                         \
    }                                                                                                        \
    REGISTER_TEST(name, run_##name)                                                                          \
    static void name(struct sim *s)
#define TEST_ALONE(name)                                                                                     \
    static void name(void);                                                                                  \
    static void run_##name(void **state) {                                                                   \
        (void)state;                                                                                         \
        name();                                                                                              \
    }                                                                                                        \
    REGISTER_TEST(name, run_##name)                                                                          \
    static void name(void)

struct answer {
    struct sim_exchange *x; /* while it is open */
    int status, retry_after_s, heads;
    struct buf body;
    size_t read; /* how far watch_next() has got */
    bool ended, cut;
    char type[64];
};

static void on_head(void *ctx, int status, const char *type, int retry) {
    struct answer *a = ctx;
    assert_false(a->ended);
    a->status = status;
    a->retry_after_s = retry;
    a->heads++;
    strncpy(a->type, type, sizeof a->type - 1);
}

static void on_body(void *ctx, struct slice data) {
    struct answer *a = ctx;
    assert_false(a->ended);
    assert_int_equal(a->heads, 1);
    assert_int_equal(buf_add(&a->body, data), 0);
}

static void on_end(void *ctx, bool cut) {
    struct answer *a = ctx;
    assert_false(a->ended);
    a->ended = true;
    a->cut = cut;
    a->x = NULL;
}

static const struct sim_cb client_cb = {on_head, on_body, on_end, NULL};

/* Trees of answers belong to the test: each is valid for 64 further ones, and until the end of the program. */
static cJSON *trees[64];
static size_t ntrees;
static inline cJSON *keep(cJSON *v) {
    cJSON **at = &trees[ntrees++ % ARRAY_LEN(trees)];
    cJSON_Delete(*at);
    return *at = v;
}
static __attribute__((destructor)) void forget(void) {
    for (size_t i = 0; i < ARRAY_LEN(trees); i++) cJSON_Delete(trees[i]);
}

static inline struct sim *sim_seeded(uint64_t seed) {
    return sim_new(&(struct sim_config){.seed = seed, .wall_ns = WALL, .trees = 1});
}

static inline struct sim *sim_test(void) {
    return sim_seeded(7);
}

static inline void run_ms(struct sim *s, int64_t ms) {
    sim_advance(s, sim_now_ns(s) + ms * NS_PER_MS);
}

static inline void answer_free(struct answer *a) {
    if (a->x) sim_leave(a->x);
    buf_free(&a->body);
    *a = (struct answer){0};
}

/* Starts a request; a must stay where it is until its end. */
static inline void send_as(struct sim *s, const char *method, const char *target, const char *content_type,
                           const char *accept, struct slice body, struct answer *a) {
    *a = (struct answer){.body = BUF((size_t)64 << 20)};
    cleanup_free char *json = slice_dup(body); /* the server keeps what it needs */
    bool yaml = content_type && strstr(content_type, "yaml");
    struct sim_request r = {.method = slice_of(method),
                            .target = slice_of(target),
                            .content_type = slice_of(content_type),
                            .accept = slice_of(accept),
                            .body = slice_make(yaml ? json : quoted(json), body.n),
                            .user_agent = SL("tester/1.0")};
    struct sim_exchange *x = sim_handle(s, &r, &client_cb, a);
    assert_int_equal(x == NULL, a->ended);
    a->x = x;
}

/* Scripts and faults: 0, or the reason in err. */
static inline int script_err(struct sim *s, const char *json, struct err *err) {
    cleanup_free char *text = quoted(xstrdup(json));
    return sim_script(s, slice_of(text), err);
}
static inline int fault_err(struct sim *s, const char *json, struct err *err) {
    cleanup_free char *text = quoted(xstrdup(json));
    return sim_fault(s, slice_of(text), err);
}
static inline void script(struct sim *s, const char *json) {
    struct err err = {0};
    if (script_err(s, json, &err) < 0) fail_msg("%s", err.msg);
}
static inline void fault(struct sim *s, const char *json) {
    struct err err = {0};
    if (fault_err(s, json, &err) < 0) fail_msg("%s", err.msg);
}

/* A request that is answered at once. Returns the body as a tree (NULL if it is none). */
static inline cJSON *ask_as(struct sim *s, const char *method, const char *target, const char *content_type,
                            const char *accept, const char *body, int *ret_status) {
    struct answer a;
    send_as(s, method, target, content_type, accept, slice_of(body), &a);
    assert_true(a.ended);
    assert_false(a.cut);
    cJSON *v = keep(json_parse(buf_slice(&a.body), NULL));
    if (ret_status) *ret_status = a.status;
    answer_free(&a);
    return v;
}

static inline cJSON *ask(struct sim *s, const char *method, const char *target, const char *body,
                         int *ret_status) {
    const char *type = strcmp(method, "PATCH") == 0 ? "application/merge-patch+json" : "application/json";
    return ask_as(s, method, target, type, NULL, body, ret_status);
}

static inline void run(struct sim *s, const char *method, const char *target, const char *body,
                       int want_status) {
    int status = 0;
    cJSON *v = ask(s, method, target, body, &status);
    if (status != want_status) {
        char *text = v ? json_print(v) : NULL;
        fail_msg("%s %s: %d instead of %d: %s", method, target, status, want_status, text ? text : "");
    }
}

/* The request fails with this status, and its message has this text. */
static inline void refused(struct sim *s, const char *method, const char *target, const char *body,
                           int want_status, const char *text) {
    int status = 0;
    cJSON *v = ask(s, method, target, body, &status);
    const char *msg = json_str_or(v, "message", "");
    if (status != want_status || !strstr(msg, text)) fail_msg("%s %s: %d %s", method, target, status, msg);
    assert_string_equal(json_str_or(v, "kind", ""), "Status");
    assert_int_equal(json_i64(v, "code", 0), want_status);
}

/* The next event of a watch as a tree, NULL if none has come. */
static inline cJSON *watch_next(struct answer *a) {
    const char *from = buf_str(&a->body) + a->read, *nl = strchr(from, '\n');
    if (!nl) return NULL;
    cJSON *v = keep(json_parse(slice_make(from, (size_t)(nl - from)), NULL));
    assert_non_null(v);
    a->read += (size_t)(nl - from) + 1;
    return v;
}

/* The next event is of this type and about this object. */
static inline void expect_event(struct answer *a, const char *type, const char *name) {
    cJSON *v = watch_next(a);
    if (!v) fail_msg("no event, expected %s %s", type, name);
    const char *have = json_str_or(json_obj(json_obj(v, "object"), "metadata"), "name", "");
    if (strcmp(json_str_or(v, "type", ""), type) != 0 || strcmp(have, name) != 0) {
        fail_msg("%s %s instead of %s %s", json_str_or(v, "type", ""), have, type, name);
    }
}

static inline void expect_no_event(struct answer *a) {
    cJSON *v = watch_next(a);
    if (v) fail_msg("unexpected: %s", json_print(v));
}

/* What a tree has at these paths: "kind=Pod|status/replicas=3"; a number that is absent is 0. */
static inline void says(const cJSON *v, const char *want) {
    each_of(one, want) {
        struct slice path, value;
        slice_cut(one, '=', &path, &value);
        cleanup_free char *where = slice_dup(path), *is = slice_dup(value), *number = NULL;
        char *key = strrchr(where, '/');
        if (key) *key++ = '\0';
        const cJSON *at = json_get(key ? json_at(v, where) : v, key ? key : where);
        if (cJSON_IsNumber(at)) number = xasprintf("%.15g", at->valuedouble);
        const char *have = number ? number : cJSON_IsString(at) ? at->valuestring : at ? "(other)" : "0";
        if (strcmp(have, is) != 0) fail_msg("%.*s is %s, not %s", SLF(path), have, is);
    }
}

static inline char *config_map(const char *name, const char *label, const char *value) {
    return xasprintf("{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'%s','labels':{'l':'%s'}},"
                     "'data':{'k':'%s'}}",
                     name, label, value);
}

#define CMS         "/api/v1/namespaces/default/configmaps"
#define DEPLOYMENTS "/apis/apps/v1/namespaces/default/deployments"
#define LEASES      "/apis/coordination.k8s.io/v1/namespaces/default/leases"
#define DEPLOYMENT(name, image)                                                                              \
    "{'apiVersion':'apps/v1','kind':'Deployment','metadata':{'name':'" name "'},'spec':{'replicas':2,"       \
    "'selector':{'matchLabels':{'app':'" name "'}},'template':{'metadata':{'labels':{'app':'" name "'}},"    \
    "'spec':{'containers':[{'name':'c','image':'" image "'}]}}}}"

static inline void make_cm(struct sim *s, const char *name, const char *label, const char *value) {
    char *body = config_map(name, label, value);
    run(s, "POST", CMS, body, 201);
    free(body);
}
#endif
