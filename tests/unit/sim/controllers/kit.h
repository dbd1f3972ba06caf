/* What the controllers' tests do as kubectl would: workloads, their pods, time until they have settled. */
#ifndef TEST_SIM_KIT_H
#define TEST_SIM_KIT_H
#include "../client.h"
#include "api/rfc3339.h"
#include "base/rand.h"

#define APPS "/apis/apps/v1/namespaces/default/"
#define CORE "/api/v1/namespaces/default/"

static inline int status_of(struct sim *s, const char *method, const char *path, const char *body) {
    int status = 0;
    ask(s, method, path, body, &status);
    return status;
}

static inline cJSON *get(struct sim *s, const char *path) { /* NULL if there is none */
    int status = 0;
    cJSON *v = ask(s, "GET", path, NULL, &status);
    if (status == 200) return v;
    return NULL;
}

static inline int post(struct sim *s, const char *path, const char *body) {
    return status_of(s, "POST", path, body);
}

static inline int merge(struct sim *s, const char *path, const char *patch) {
    return status_of(s, "PATCH", path, patch);
}

static inline int del(struct sim *s, const char *path, const char *options) {
    return status_of(s, "DELETE", path, options);
}

/* spec: more members of spec, as JSON text beginning with ',', or "". */
static inline void make_deployment(struct sim *s, const char *name, int replicas, const char *image,
                                   const char *spec) {
    cleanup_free char *body =
        xasprintf("{'apiVersion':'apps/"
                  "v1','kind':'Deployment','metadata':{'name':'%s'},'spec':{'replicas':%d,'selector':{'"
                  "matchLabels':{'app':'%s'}},'template':{'metadata':{'labels':{'app':'%s'}},'spec':{'"
                  "containers':[{'name':'m','image':'%s'}]}}%s}}",
                  name, replicas, name, name, image, spec);
    run(s, "POST", APPS "deployments", body, 201);
}

static inline void set_image(struct sim *s, const char *name, const char *image) {
    cleanup_free char *path = xasprintf(APPS "deployments/%s", name);
    cleanup_free char *body =
        xasprintf("{'spec':{'template':{'spec':{'containers':[{'name':'m','image':'%s'}]}}}}", image);
    assert_int_equal(merge(s, path, body), 200);
}

static inline void patch_spec(struct sim *s, const char *kind, const char *name, const char *spec) {
    cleanup_free char *path = xasprintf(APPS "%s/%s", kind, name);
    cleanup_free char *body = xasprintf("{'spec':%s}", spec);
    assert_int_equal(merge(s, path, body), 200);
}

static inline cJSON *deployment(struct sim *s, const char *name) {
    cleanup_free char *path = xasprintf(APPS "deployments/%s", name);
    cJSON *v = get(s, path);
    assert_non_null(v);
    return v;
}

static inline int64_t at_i64(const cJSON *v, const char *where, const char *key) {
    return json_i64(json_at(v, where), key, 0);
}

/* A number of a Deployment or ReplicaSet: num(s, "deployments", "op", "status", "readyReplicas") */
static inline int64_t num(struct sim *s, const char *kind, const char *name, const char *where,
                          const char *key) {
    cleanup_free char *path = xasprintf(APPS "%s/%s", kind, name);
    cJSON *v = get(s, path);
    return v ? at_i64(v, where, key) : -1;
}

static inline cJSON *list_of(struct sim *s, const char *kind) {
    bool core = strcmp(kind, "pods") == 0 || strcmp(kind, "events") == 0 || strcmp(kind, "configmaps") == 0;
    cleanup_free char *path = xasprintf("%s%s", core ? CORE : APPS, kind);
    cJSON *v = get(s, path);
    assert_non_null(v);
    return v;
}

static inline const cJSON *first_item(const cJSON *list) {
    return json_arr(list, "items")->child;
}

static inline int count(struct sim *s, const char *kind) {
    cJSON *v = list_of(s, kind);
    return cJSON_GetArraySize(json_arr(v, "items"));
}

static inline const char *image_of(const cJSON *o, const char *where) { /* where the containers are */
    const cJSON *c = json_at(o, where);
    return c && c->child ? json_str_or(c->child, "image", "") : "";
}

/* Pods of an image that are not being deleted; ready: only those that are Ready. */
static inline int pods_of(struct sim *s, const char *image, bool ready) {
    cJSON *v = list_of(s, "pods");
    int n = 0;
    for (const cJSON *p = first_item(v); p; p = p->next) {
        if (obj_deleting(p) || (image && strcmp(image_of(p, "spec/containers"), image) != 0)) continue;
        const char *r = json_str(obj_condition(p, "Ready"), "status");
        n += !ready || (r && strcmp(r, "True") == 0);
    }
    return n;
}

/* Name of the ReplicaSet with that image, "" if none; to be freed. */
static inline char *rs_of(struct sim *s, const char *image) {
    cJSON *v = list_of(s, "replicasets");
    for (const cJSON *r = first_item(v); r; r = r->next)
        if (strcmp(image_of(r, "spec/template/spec/containers"), image) == 0) return xstrdup(obj_name(r));
    return xstrdup("");
}

static inline char *pod_of(struct sim *s, const char *image) {
    cJSON *v = list_of(s, "pods");
    for (const cJSON *p = first_item(v); p; p = p->next)
        if (!obj_deleting(p) && strcmp(image_of(p, "spec/containers"), image) == 0)
            return xstrdup(obj_name(p));
    return xstrdup("");
}

static inline char *condition(struct sim *s, const char *name, const char *type, const char *key) {
    cJSON *v = deployment(s, name);
    return xstrdup(json_str_or(obj_condition(v, type), key, ""));
}

static inline void assert_condition(struct sim *s, const char *name, const char *type, const char *status,
                                    const char *reason) {
    cleanup_free char *got_status = condition(s, name, type, "status"),
                      *got = condition(s, name, type, "reason");
    assert_string_equal(got, reason);
    assert_string_equal(got_status, status);
}

static inline bool settled(struct sim *s, const char *name) {
    cJSON *v = deployment(s, name);
    int64_t want = json_i64(json_get(v, "spec"), "replicas", 0);
    const cJSON *st = json_get(v, "status");
    return json_i64(st, "observedGeneration", 0) == json_i64(json_get(v, "metadata"), "generation", -1) &&
           json_i64(st, "updatedReplicas", 0) == want && json_i64(st, "replicas", 0) == want &&
           json_i64(st, "availableReplicas", 0) == want;
}

/* Runs until the Deployment is as its spec says, in steps of ms; fails after limit_ms. */
static inline void settle(struct sim *s, const char *name, int64_t limit_ms) {
    for (int64_t t = 0; t < limit_ms; t += 10) {
        if (settled(s, name)) return;
        run_ms(s, 10);
    }
    cJSON *v = deployment(s, name);
    cleanup_free char *text = json_print(json_get(v, "status"));
    fail_msg("%s does not settle: %s", name, text);
}

/* A Deployment op of image op:v1 that has rolled out. */
static inline void start_op(struct sim *s, int replicas, const char *spec) {
    make_deployment(s, "op", replicas, "op:v1", spec);
    settle(s, "op", 2000);
}
#endif
