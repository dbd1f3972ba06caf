/* From what was read to what the plan looks at: only ReplicaSets that belong to the target, and their pods.
 */
#include "observe/snapshot.h"
#include "base/json_raw.h"
#include <errno.h>

struct wanted {
    const char *uid;
    bool found;
};

static void match_owner(void *ctx, const char *uid) {
    struct wanted *w = ctx;
    if (strcmp(uid, w->uid) == 0) w->found = true;
}

static bool belongs(const cJSON *rs, const char *uid) {
    struct wanted w = {.uid = uid};
    obs_each_owner(rs, match_owner, &w);
    return w.found;
}

static bool seen(const struct target_snapshot *v, const char *uid) {
    for (size_t i = 0; i < v->nrs; i++)
        if (strcmp(v->rs[i].uid, uid) == 0) return true;
    return false;
}

/* The text of each element beside its tree: templates are compared and copied as text. */
static int add_replicasets(struct target_snapshot *v, const cJSON *items, struct slice list, const char *uid,
                           struct err *err) {
    struct slice raw_items = {0};
    size_t n = v->nrs + (size_t)cJSON_GetArraySize(items);
    if (n == 0) return 0;
    v->rs = xrealloc(v->rs, n * sizeof *v->rs);
    if (!json_raw_at(list, "items", &raw_items)) return 0;
    struct json_raw_it it = json_raw_each(raw_items);
    const cJSON *item;
    cJSON_ArrayForEach(item, items) {
        if (!json_raw_next(&it)) break;
        if (!belongs(item, uid) || (obj_uid(item) && seen(v, obj_uid(item)))) continue;
        int rc = obs_rs_read(item, it.value, &v->rs[v->nrs], err);
        if (rc) return rc;
        v->nrs++;
    }
    return 0;
}

static int add_pods(struct target_snapshot *v, const cJSON *items, struct err *err) {
    size_t n = (size_t)cJSON_GetArraySize(items);
    if (n == 0) return 0;
    v->pods = xcalloc(n, sizeof *v->pods);
    v->pod_items = xcalloc(n, sizeof *v->pod_items);
    const cJSON *item;
    cJSON_ArrayForEach(item, items) {
        int rc = obs_pod_read(item, &v->pods[v->npods], err);
        if (rc) return rc;
        if (v->pods[v->npods].rs_uid && seen(v, v->pods[v->npods].rs_uid))
            v->pod_items[v->npods++] = item;
        else
            obs_pod_free(&v->pods[v->npods]);
    }
    return 0;
}

int target_snapshot_make(const struct reads *r, const char *target_uid, struct target_snapshot *ret,
                         struct err *err) {
    *ret = (struct target_snapshot){0};
    const char *uid = target_uid;
    if (!r->gone) {
        int rc = obs_target_read(r->deployment_json, buf_slice(&r->deployment), &ret->target, err);
        if (rc) return rc;
        ret->has_target = true;
        uid = ret->target.uid;
    }
    if (!uid) return 0;
    int rc = add_replicasets(ret, r->replicasets, buf_slice(&r->replicasets_raw), uid, err);
    if (rc == 0) rc = add_replicasets(ret, r->canaries, buf_slice(&r->canaries_raw), uid, err);
    if (rc == 0) rc = add_pods(ret, r->pods, err);
    return rc;
}

void target_snapshot_free(struct target_snapshot *v) {
    if (v->has_target) obs_target_free(&v->target);
    for (size_t i = 0; i < v->nrs; i++) obs_rs_free(&v->rs[i]);
    for (size_t i = 0; i < v->npods; i++) obs_pod_free(&v->pods[i]);
    free(v->rs);
    free(v->pods);
    free(v->pod_items);
    *v = (struct target_snapshot){0};
}
