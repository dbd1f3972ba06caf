/* Objects to their projections; see cache_stores.h. */
#include "observe/cache_stores.h"
#include "api/meta.h"
#include "observe/objects.h"

static void *project(const struct workload *kind, struct slice raw, const cJSON *obj) {
    struct obs_target *t = xcalloc(1, sizeof *t);
    if (obs_target_read(kind, obj, raw, t, NULL) == 0) return t;
    free(t);
    return NULL;
}

static void *project_target(void *ctx, struct slice raw, const cJSON *obj) {
    (void)ctx;
    return project(&workload_deployment, raw, obj);
}

static void *project_set(void *ctx, struct slice raw, const cJSON *obj) {
    (void)ctx;
    return project(&workload_statefulset, raw, obj);
}

static void unproject_target(void *ctx, void *data) {
    (void)ctx;
    if (data) obs_target_free(data);
    free(data);
}

static void *project_rs(void *ctx, struct slice raw, const cJSON *obj) {
    struct obs_rs *r = xcalloc(1, sizeof *r);
    (void)ctx;
    if (obs_rs_read(obj, raw, r, NULL) == 0) return r;
    free(r);
    return NULL;
}

static void unproject_rs(void *ctx, void *data) {
    (void)ctx;
    if (data) obs_rs_free(data);
    free(data);
}

static void *project_pod(void *ctx, struct slice raw, const cJSON *obj) {
    struct obs_pod *p = xcalloc(1, sizeof *p);
    (void)ctx, (void)raw;
    if (obs_pod_read(obj, p, NULL) == 0) return p;
    free(p);
    return NULL;
}

static void unproject_pod(void *ctx, void *data) {
    (void)ctx;
    if (data) obs_pod_free(data);
    free(data);
}

static void *project_lease(void *ctx, struct slice raw, const cJSON *obj) {
    struct obs_lease *l = xcalloc(1, sizeof *l);
    (void)ctx, (void)raw;
    if (obs_lease_read(obj, l, NULL) == 0) return l;
    free(l);
    return NULL;
}

static void unproject_lease(void *ctx, void *data) {
    (void)ctx;
    if (data) obs_lease_free(data);
    free(data);
}

/* A state's data is the id of its target; its text is kept as it is, for the next leader. */
static void *project_state(void *ctx, struct slice raw, const cJSON *obj) {
    char *owner = obs_owner_target(obj);
    const char *name = obj_name(obj), *suffix = strrchr(name, '-');
    (void)ctx, (void)raw;
    if (owner) return owner;
    return suffix && !strcmp(suffix, "-handover") ? slice_dup(slice_make(name, (size_t)(suffix - name)))
                                                  : NULL;
}

static void unproject_state(void *ctx, void *data) {
    (void)ctx;
    free(data);
}

static bool keep_target(void *ctx, const cJSON *obj) {
    (void)ctx;
    const cJSON *annotations = json_at(obj, "metadata/annotations");
    return obs_opted_in(annotations) || json_get(annotations, HANDOVER_PREFIX "status") ||
           json_get(annotations, ANNOTATION_HELD);
}

struct adding {
    void (*add)(void *to, struct slice value);
    void *to;
};

static void add_owner(void *ctx, const char *uid) {
    struct adding *a = ctx;
    a->add(a->to, slice_of(uid));
}

static void index_rs(void *ctx, unsigned index, const cJSON *obj, void (*add)(void *to, struct slice value),
                     void *to) {
    struct adding a = {add, to};
    (void)ctx, (void)index;
    obs_each_owner(obj, add_owner, &a);
}

static void index_pod(void *ctx, unsigned index, const cJSON *obj, void (*add)(void *to, struct slice value),
                      void *to) {
    const char *uid = json_str(obj_controller(obj), "uid");
    (void)ctx, (void)index;
    if (uid) add(to, slice_of(uid));
}

static void index_lease(void *ctx, unsigned index, const cJSON *obj,
                        void (*add)(void *to, struct slice value), void *to) {
    struct slice pod = obs_identity_pod(json_str_or(json_get(obj, "spec"), "holderIdentity", ""));
    (void)ctx, (void)index;
    if (pod.n) add(to, pod);
}

const struct store_spec caches_rs_store = {
    .project = project_rs, .unproject = unproject_rs, .index = index_rs, .nindexes = 1};
const struct store_spec caches_pod_store = {
    .project = project_pod, .unproject = unproject_pod, .index = index_pod, .nindexes = 1};
const struct store_spec caches_lease_store = {
    .project = project_lease, .unproject = unproject_lease, .index = index_lease, .nindexes = 1};
const struct store_spec caches_target_store = {
    .keep = keep_target, .project = project_target, .unproject = unproject_target};
const struct store_spec caches_set_store = {
    .keep = keep_target, .project = project_set, .unproject = unproject_target};
const struct store_spec caches_state_store = {
    .keep_raw = true, .no_managers = true, .project = project_state, .unproject = unproject_state};
