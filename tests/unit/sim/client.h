/* A client of the embedded API server inside the same process, and the tests of it: each registers itself, and
 * has a server of its own. JSON of a request is written with ' for ". */
#ifndef TEST_SIM_CLIENT_H
#define TEST_SIM_CLIENT_H
#include "../case.h"
#include "../each.h"
#include "api/meta.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/time.h"
#include "sim/sim.h"

#define WALL (INT64_C(1700000000) * NS_PER_S)

/* A test of a server `s`; with CASE(): of servers of its own making. */
#define SIM_TEST(name) CASE_OF(struct sim, s, sim_test(), sim_free, name)
CASES("sim")

/* SIM_SEED=n in the environment: that one alone, SIM_SCHEDULES=n: so many. */
struct seeds {
    uint64_t from, to;
};
static inline struct seeds seeds(uint64_t usual) {
    const char *one = getenv("SIM_SEED"), *many = getenv("SIM_SCHEDULES");
    uint64_t from = one ? strtoull(one, NULL, 10) : 1;
    return (struct seeds){from, one ? from : many ? strtoull(many, NULL, 10) : usual};
}

struct answer {
    struct sim_exchange *x; /* while it is open */
    int status, retry_after_s, heads;
    struct buf body;
    size_t read; /* how far watch_next() has got */
    bool ended, cut;
    char type[96];
    struct buf warnings; /* one a line */
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

static void on_warning(void *ctx, struct slice text) {
    struct answer *a = ctx;
    assert_int_equal(a->heads, 0);
    buf_addf(&a->warnings, "%.*s\n", SLF(text));
}

static const struct sim_cb client_cb = {
    .head = on_head, .body = on_body, .end = on_end, .warning = on_warning};

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
    buf_free(&a->warnings);
    *a = (struct answer){0};
}
#define cleanup_answer __attribute__((cleanup(answer_free)))

/* Starts a request, after the end of what a was used for before; a must stay where it is until its end. */
static inline void send_as(struct sim *s, const char *method, const char *target, const char *content_type,
                           const char *accept, struct slice body, struct answer *a) {
    answer_free(a);
    a->body = BUF((size_t)64 << 20);
    a->warnings = BUF(64 << 10);
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
    cleanup_answer struct answer a = {0};
    send_as(s, method, target, content_type, accept, slice_of(body), &a);
    assert_true(a.ended);
    assert_false(a.cut);
    cJSON *v = keep(json_parse(buf_slice(&a.body), NULL));
    if (ret_status) *ret_status = a.status;
    return v;
}

static inline cJSON *ask(struct sim *s, const char *method, const char *target, const char *body,
                         int *ret_status) {
    const char *type = strcmp(method, "PATCH") == 0 ? "application/merge-patch+json" : "application/json";
    return ask_as(s, method, target, type, NULL, body, ret_status);
}

/* Fails unless it is answered with that status. */
static inline cJSON *run(struct sim *s, const char *method, const char *target, const char *body,
                         int want_status) {
    int status = 0;
    cJSON *v = ask(s, method, target, body, &status);
    if (status != want_status) {
        char *text = v ? json_print(v) : NULL;
        fail_msg("%s %s: %d instead of %d: %s", method, target, status, want_status, text ? text : "");
    }
    return v;
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

/* The value at a JSON pointer that is written without its first slash. */
static inline const cJSON *json_pointed(const cJSON *v, struct slice path) {
    while (path.p) {
        struct slice one;
        slice_cut(path, '/', &one, &path);
        cleanup_free char *key = slice_dup(one);
        for (char *p; (p = strstr(key, "~1"));) {
            *p = '/';
            memmove(p + 1, p + 2, strlen(p + 1));
        }
        v = cJSON_IsArray(v) ? cJSON_GetArrayItem(v, atoi(key)) : json_get(v, key);
    }
    return v;
}

/* As text, to be freed; a list is its length. */
static inline char *json_said(const cJSON *v) {
    if (cJSON_IsArray(v)) return xasprintf("[%d]", cJSON_GetArraySize(v));
    if (cJSON_IsNumber(v)) return xasprintf("%.15g", v->valuedouble);
    if (cJSON_IsBool(v) || cJSON_IsNull(v)) return json_print(v);
    return xstrdup(cJSON_IsString(v) ? v->valuestring : v ? "(other)" : "none");
}

/* What a tree has at these JSON pointers: "kind=Pod|metadata/labels/a~1b=x|status/replicas=3|items=[2]"; what is
 * absent is none, or 0. */
static inline void says(const cJSON *v, const char *want) {
    each_of(one, want) {
        struct slice path, value;
        slice_cut(one, '=', &path, &value);
        const cJSON *at = json_pointed(v, path);
        cleanup_free char *is = slice_dup(value), *have = json_said(at);
        if (strcmp(have, is) != 0 && (at || strcmp(is, "0") != 0))
            fail_msg("%.*s is %s, not %s", SLF(path), have, is);
    }
}

/* The next event is of this type and about this object. Returns the object. */
static inline const cJSON *expect_event(struct answer *a, const char *type, const char *name) {
    cJSON *v = watch_next(a);
    cleanup_free char *want = xasprintf("type=%s|object/metadata/name=%s", type, name);
    says(v, want);
    return json_get(v, "object");
}

static inline void expect_no_event(struct answer *a) {
    cJSON *v = watch_next(a);
    if (v) fail_msg("unexpected: %s", json_print(v));
}

/* NULL if there is none. */
static inline cJSON *get(struct sim *s, const char *path) {
    int status = 0;
    cJSON *v = ask(s, "GET", path, NULL, &status);
    return status == 200 ? v : NULL;
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
    cleanup_free char *body = config_map(name, label, value);
    run(s, "POST", CMS, body, 201);
}
#endif
