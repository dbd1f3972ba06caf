/* What the controllers' tests do as kubectl would: workloads, their pods, time until they have settled. */
#ifndef TEST_SIM_KIT_H
#define TEST_SIM_KIT_H
#include "../client.h"
#include "api/rfc3339.h"
#include "base/rand.h"

#define APPS "/apis/apps/v1/namespaces/default/"
#define CORE "/api/v1/namespaces/default/"

static inline char *path_of(const char *kind, const char *name) {
    bool apps = strcmp(kind, "deployments") == 0 || strcmp(kind, "replicasets") == 0 ||
                strcmp(kind, "statefulsets") == 0 || strcmp(kind, "controllerrevisions") == 0;
    return xasprintf("%s%s%s%s", apps ? APPS : CORE, kind, *name ? "/" : "", name);
}

/* NULL if there is none. */
static inline cJSON *object(struct sim *s, const char *kind, const char *name) {
    cleanup_free char *path = path_of(kind, name);
    return get(s, path);
}

static inline void post(struct sim *s, const char *path, const char *body) {
    run(s, "POST", path, body, 201);
}

static inline void merge(struct sim *s, const char *path, const char *patch) {
    run(s, "PATCH", path, patch, 200);
}

static inline void del(struct sim *s, const char *kind, const char *name, const char *options) {
    cleanup_free char *path = path_of(kind, name);
    run(s, "DELETE", path, options, 200);
}

/* The spec of a ReplicaSet or Deployment, without its replicas: SPEC("'app':'op'", "op:v1") */
#define POD_SPEC(image) "'spec':{'containers':[{'name':'m','image':'" image "'}]}"
#define SPEC(labels, image)                                                                                  \
    "'selector':{'matchLabels':{" labels "}},'template':{'metadata':{'labels':{" labels                      \
    "}}," POD_SPEC(image) "}"

/* spec: more members of spec, as JSON text beginning with ',', or "". */
static inline void make_deployment(struct sim *s, const char *name, int replicas, const char *image,
                                   const char *spec) {
    cleanup_free char *body =
        xasprintf("{'metadata':{'name':'%s'},'spec':{'replicas':%d," SPEC("'app':'%s'", "%s") "%s}}", name,
                  replicas, name, name, image, spec);
    post(s, APPS "deployments", body);
}

static inline void patch_spec(struct sim *s, const char *kind, const char *name, const char *spec) {
    cleanup_free char *path = path_of(kind, name), *body = xasprintf("{'spec':%s}", spec);
    merge(s, path, body);
}

static inline void patch_op(struct sim *s, const char *spec) {
    patch_spec(s, "deployments", "op", spec);
}

static inline void set_image(struct sim *s, const char *name, const char *image) {
    cleanup_free char *spec = xasprintf("{'template':{" POD_SPEC("%s") "}}", image);
    patch_spec(s, "deployments", name, spec);
}

static inline cJSON *deployment(struct sim *s, const char *name) {
    cJSON *v = object(s, "deployments", name);
    assert_non_null(v);
    return v;
}

static inline int64_t at_i64(const cJSON *v, const char *where, const char *key) {
    return json_i64(json_at(v, where), key, 0);
}

static inline const cJSON *first_of(struct sim *s, const char *kind) { /* a list of items; NULL: none */
    cJSON *v = object(s, kind, "");
    assert_non_null(v);
    return json_arr(v, "items")->child;
}

static inline const char *image_of(const cJSON *o, const char *where) { /* where the containers are */
    const cJSON *c = json_at(o, where);
    return c && c->child ? json_str_or(c->child, "image", "") : "";
}

static inline bool pod_is_ready(const cJSON *pod) {
    return strcmp(json_str_or(obj_condition(pod, "Ready"), "status", ""), "True") == 0;
}

/* Pods of an image that are not being deleted; ready: only those that are Ready. */
static inline int pods_of(struct sim *s, const char *image, bool ready) {
    int n = 0;
    for (const cJSON *p = first_of(s, "pods"); p; p = p->next) {
        if (obj_deleting(p) || (image && strcmp(image_of(p, "spec/containers"), image) != 0)) continue;
        n += !ready || pod_is_ready(p);
    }
    return n;
}

/* Name of the ReplicaSet with that image, "" if none; valid for 64 requests. */
static inline const char *rs_of(struct sim *s, const char *image) {
    for (const cJSON *r = first_of(s, "replicasets"); r; r = r->next)
        if (strcmp(image_of(r, "spec/template/spec/containers"), image) == 0) return obj_name(r);
    return "";
}

static inline char *pod_of(struct sim *s, const char *image) { /* to be freed */
    for (const cJSON *p = first_of(s, "pods"); p; p = p->next)
        if (!obj_deleting(p) && strcmp(image_of(p, "spec/containers"), image) == 0)
            return xstrdup(obj_name(p));
    return xstrdup("");
}

static inline void count_one(cJSON *counts, const char *image, bool counts_it) {
    cJSON *n = cJSON_GetObjectItemCaseSensitive(counts, image);
    if (!n) n = cJSON_AddNumberToObject(counts, image, 0);
    cJSON_SetNumberHelper(n, n->valuedouble + counts_it);
}

/* What there is, as says() takes it: "pods=3|all/op:v1=2|ready/op:v2=1|replicasets=2|rs/op:v1/spec/replicas=0|
 * op/status/replicas=2|Progressing=True ReplicaSetUpdated". all: pods of that image that are not being
 * deleted; op, and the conditions: of the Deployment of that name. */
static inline void shows(struct sim *s, const char *want) {
    cJSON *v = keep(cJSON_CreateObject()), *op = object(s, "deployments", "op");
    cJSON *all = cJSON_AddObjectToObject(v, "all"), *ready = cJSON_AddObjectToObject(v, "ready"),
          *rs = cJSON_AddObjectToObject(v, "rs");
    int pods = 0, sets = 0;
    for (const cJSON *p = first_of(s, "pods"); p; p = p->next, pods++) {
        count_one(all, image_of(p, "spec/containers"), !obj_deleting(p));
        count_one(ready, image_of(p, "spec/containers"), !obj_deleting(p) && pod_is_ready(p));
    }
    for (const cJSON *r = first_of(s, "replicasets"); r; r = r->next, sets++)
        cJSON_AddItemToObject(rs, image_of(r, "spec/template/spec/containers"), cJSON_Duplicate(r, true));
    cJSON_AddNumberToObject(v, "pods", pods);
    cJSON_AddNumberToObject(v, "replicasets", sets);
    cJSON_AddItemToObject(v, "op", cJSON_Duplicate(op, true));
    for (const cJSON *c = json_at(op, "status/conditions") ? json_at(op, "status/conditions")->child : NULL;
         c; c = c->next) {
        cleanup_free char *is = xasprintf("%s %s", json_str(c, "status"), json_str(c, "reason"));
        cJSON_AddStringToObject(v, json_str(c, "type"), is);
    }
    says(v, want);
}

static inline void later(struct sim *s, int64_t ms, const char *want) {
    run_ms(s, ms);
    shows(s, want);
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
    cleanup_free char *text = json_print(json_get(deployment(s, name), "status"));
    fail_msg("%s does not settle: %s", name, text);
}

/* A Deployment op of image op:v1 that has rolled out. */
static inline void start_op(struct sim *s, int replicas, const char *spec) {
    make_deployment(s, "op", replicas, "op:v1", spec);
    settle(s, "op", 2000);
}
#endif
