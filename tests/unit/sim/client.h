/* A client of the embedded API server for the controllers' tests: requests as kubectl would make them, time
 * in ms. */
#ifndef TEST_SIM_CLIENT_H
#define TEST_SIM_CLIENT_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include "api/meta.h"
#include "api/rfc3339.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/time.h"
#include "sim/sim.h"

#define START  (INT64_C(1767225600) * NS_PER_S)
#define APPS   "/apis/apps/v1/namespaces/default/"
#define CORE   "/api/v1/namespaces/default/"
#define UNUSED __attribute__((unused))

struct answer {
    int status;
    bool ended;
    struct buf body;
};

static void answer_head(void *ctx, int status, const char *type, int retry_after) {
    (void)type;
    (void)retry_after;
    ((struct answer *)ctx)->status = status;
}
static void answer_body(void *ctx, struct slice data) {
    (void)buf_add(&((struct answer *)ctx)->body, data);
}
static void answer_end(void *ctx, bool cut) {
    (void)cut;
    ((struct answer *)ctx)->ended = true;
}

/* The status; *ret (if not NULL) the parsed body, NULL when it is no JSON. */
static int ask(struct sim *s, const char *method, const char *path, const char *type, const char *body,
               cJSON **ret) {
    static const struct sim_cb cb = {.head = answer_head, .body = answer_body, .end = answer_end};
    struct answer a = {.body = BUF((size_t)64 << 20)};
    struct sim_request rq = {.method = slice_of(method),
                             .target = slice_of(path),
                             .content_type = slice_of(type),
                             .accept = SL("application/json"),
                             .body = slice_of(body)};
    assert_null(sim_handle(s, &rq, &cb, &a));
    assert_true(a.ended);
    if (ret) *ret = json_parse(buf_slice(&a.body), NULL);
    buf_free(&a.body);
    return a.status;
}

static UNUSED cJSON *get(struct sim *s, const char *path) { /* NULL if there is none */
    cJSON *v = NULL;
    if (ask(s, "GET", path, NULL, NULL, &v) == 200) return v;
    cJSON_Delete(v);
    return NULL;
}

static UNUSED int post(struct sim *s, const char *path, const char *body) {
    return ask(s, "POST", path, "application/json", body, NULL);
}

static UNUSED int merge(struct sim *s, const char *path, const char *patch) {
    return ask(s, "PATCH", path, "application/merge-patch+json", patch, NULL);
}

static UNUSED int del(struct sim *s, const char *path, const char *options) {
    return ask(s, "DELETE", path, "application/json", options, NULL);
}

static UNUSED void run_ms(struct sim *s, int64_t ms) {
    sim_advance(s, sim_now_ns(s) + ms * NS_PER_MS);
}

static UNUSED struct sim *sim_start(uint64_t seed) {
    return sim_new(&(struct sim_config){.seed = seed, .wall_ns = START});
}

static UNUSED void script(struct sim *s, const char *json) {
    struct err err = {0};
    if (sim_script(s, slice_of(json), &err) < 0) fail_msg("%s", err.msg);
}

/* spec: more members of spec, as JSON text beginning with ',', or "". */
static UNUSED void make_deployment(struct sim *s, const char *name, int replicas, const char *image,
                                   const char *spec) {
    cleanup_free char *body = xasprintf(
        "{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"%s\"},\"spec\":{"
        "\"replicas\":%d,\"selector\":{\"matchLabels\":{\"app\":\"%s\"}},\"template\":{\"metadata\":{"
        "\"labels\":{"
        "\"app\":\"%s\"}},\"spec\":{\"containers\":[{\"name\":\"m\",\"image\":\"%s\"}]}}%s}}",
        name, replicas, name, name, image, spec);
    cJSON *v = NULL;
    int status = ask(s, "POST", APPS "deployments", "application/json", body, &v);
    if (status != 201) fail_msg("%d %s", status, json_str_or(v, "message", "?"));
    cJSON_Delete(v);
}

static UNUSED void set_image(struct sim *s, const char *name, const char *image) {
    cleanup_free char *path = xasprintf(APPS "deployments/%s", name);
    cleanup_free char *body = xasprintf(
        "{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"m\",\"image\":\"%s\"}]}}}}", image);
    assert_int_equal(merge(s, path, body), 200);
}

static UNUSED void patch_spec(struct sim *s, const char *kind, const char *name, const char *spec) {
    cleanup_free char *path = xasprintf(APPS "%s/%s", kind, name);
    cleanup_free char *body = xasprintf("{\"spec\":%s}", spec);
    assert_int_equal(merge(s, path, body), 200);
}

static UNUSED cJSON *deployment(struct sim *s, const char *name) {
    cleanup_free char *path = xasprintf(APPS "deployments/%s", name);
    cJSON *v = get(s, path);
    assert_non_null(v);
    return v;
}

static UNUSED int64_t at_i64(const cJSON *v, const char *where, const char *key) {
    return json_i64(json_at(v, where), key, 0);
}

/* A number of a Deployment or ReplicaSet: num(s, "deployments", "op", "status", "readyReplicas") */
static UNUSED int64_t num(struct sim *s, const char *kind, const char *name, const char *where,
                          const char *key) {
    cleanup_free char *path = xasprintf(APPS "%s/%s", kind, name);
    cleanup_json cJSON *v = get(s, path);
    return v ? at_i64(v, where, key) : -1;
}

static UNUSED cJSON *list_of(struct sim *s, const char *kind) {
    bool core = strcmp(kind, "pods") == 0 || strcmp(kind, "events") == 0 || strcmp(kind, "configmaps") == 0;
    cleanup_free char *path = xasprintf("%s%s", core ? CORE : APPS, kind);
    cJSON *v = get(s, path);
    assert_non_null(v);
    return v;
}

static UNUSED const cJSON *first_item(const cJSON *list) {
    return json_arr(list, "items")->child;
}

static UNUSED int count(struct sim *s, const char *kind) {
    cleanup_json cJSON *v = list_of(s, kind);
    return cJSON_GetArraySize(json_arr(v, "items"));
}

static UNUSED const char *image_of(const cJSON *o, const char *where) { /* where the containers are */
    const cJSON *c = json_at(o, where);
    return c && c->child ? json_str_or(c->child, "image", "") : "";
}

/* Pods of an image that are not being deleted; ready: only those that are Ready. */
static UNUSED int pods_of(struct sim *s, const char *image, bool ready) {
    cleanup_json cJSON *v = list_of(s, "pods");
    int n = 0;
    for (const cJSON *p = first_item(v); p; p = p->next) {
        if (obj_deleting(p) || (image && strcmp(image_of(p, "spec/containers"), image) != 0)) continue;
        const char *r = json_str(obj_condition(p, "Ready"), "status");
        n += !ready || (r && strcmp(r, "True") == 0);
    }
    return n;
}

/* Name of the ReplicaSet with that image, "" if none; to be freed. */
static UNUSED char *rs_of(struct sim *s, const char *image) {
    cleanup_json cJSON *v = list_of(s, "replicasets");
    for (const cJSON *r = first_item(v); r; r = r->next)
        if (strcmp(image_of(r, "spec/template/spec/containers"), image) == 0) return xstrdup(obj_name(r));
    return xstrdup("");
}

static UNUSED char *pod_of(struct sim *s, const char *image) {
    cleanup_json cJSON *v = list_of(s, "pods");
    for (const cJSON *p = first_item(v); p; p = p->next)
        if (!obj_deleting(p) && strcmp(image_of(p, "spec/containers"), image) == 0)
            return xstrdup(obj_name(p));
    return xstrdup("");
}

static UNUSED char *condition(struct sim *s, const char *name, const char *type, const char *key) {
    cleanup_json cJSON *v = deployment(s, name);
    return xstrdup(json_str_or(obj_condition(v, type), key, ""));
}

static UNUSED void assert_condition(struct sim *s, const char *name, const char *type, const char *status,
                                    const char *reason) {
    cleanup_free char *got_status = condition(s, name, type, "status"),
                      *got = condition(s, name, type, "reason");
    assert_string_equal(got, reason);
    assert_string_equal(got_status, status);
}

static UNUSED bool settled(struct sim *s, const char *name) {
    cleanup_json cJSON *v = deployment(s, name);
    int64_t want = json_i64(json_get(v, "spec"), "replicas", 0);
    const cJSON *st = json_get(v, "status");
    return json_i64(st, "observedGeneration", 0) == json_i64(json_get(v, "metadata"), "generation", -1) &&
           json_i64(st, "updatedReplicas", 0) == want && json_i64(st, "replicas", 0) == want &&
           json_i64(st, "availableReplicas", 0) == want;
}

/* Runs until the Deployment is as its spec says, in steps of ms; fails after limit_ms. */
static UNUSED void settle(struct sim *s, const char *name, int64_t limit_ms) {
    for (int64_t t = 0; t < limit_ms; t += 10) {
        if (settled(s, name)) return;
        run_ms(s, 10);
    }
    cleanup_json cJSON *v = deployment(s, name);
    cleanup_free char *text = json_print(json_get(v, "status"));
    fail_msg("%s does not settle: %s", name, text);
}
#endif
