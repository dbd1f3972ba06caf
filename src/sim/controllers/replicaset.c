/* The ReplicaSet controller: keeps as many pods as spec.replicas says, chooses whom to delete, counts. */
#include "controllers/ctl.h"
#include <errno.h>
#include <string.h>

struct member {
    struct sim_obj *o;
    bool assigned, ready;
    int phase; /* 0 Pending, 1 Unknown, 2 Running */
    int64_t ready_since, created, restarts;
};

static bool is_active(const cJSON *pod) {
    const char *phase = json_str_or(json_get(pod, "status"), "phase", "");
    return strcmp(phase, "Succeeded") != 0 && strcmp(phase, "Failed") != 0 && !obj_deleting(pod);
}

static int64_t restarts(const cJSON *status) {
    int64_t max = 0;
    const cJSON *list = json_arr(status, "containerStatuses");
    for (const cJSON *c = list ? list->child : NULL; c; c = c->next) {
        int64_t n = json_i64(c, "restartCount", 0);
        if (n > max) max = n;
    }
    return max;
}

static struct member member_of(struct ctl *c, struct sim_obj *o) {
    const cJSON *pod = sim_store_json(c->s, o), *status = json_get(pod, "status");
    const cJSON *ready = obj_condition(pod, "Ready");
    const char *phase = json_str_or(status, "phase", "Pending");
    struct member m = {.o = o, .assigned = *json_str_or(json_get(pod, "spec"), "nodeName", "") != '\0'};
    m.phase = strcmp(phase, "Running") == 0 ? 2 : strcmp(phase, "Pending") == 0 ? 0 : 1;
    m.ready = strcmp(json_str_or(ready, "status", ""), "True") == 0;
    m.ready_since = m.ready ? ctl_json_time(ready, "lastTransitionTime") : 0;
    m.created = ctl_json_time(json_get(pod, "metadata"), "creationTimestamp");
    m.restarts = restarts(status);
    return m;
}

/* Whom to delete first: not scheduled, pending, not ready, ready for a shorter time, restarted more often,
 * younger. */
static int by_worth(const void *a, const void *b) {
    const struct member *x = a, *y = b;
    if (x->assigned != y->assigned) return x->assigned ? 1 : -1;
    if (x->phase != y->phase) return x->phase < y->phase ? -1 : 1;
    if (x->ready != y->ready) return x->ready ? 1 : -1;
    if (x->ready && x->ready_since != y->ready_since) return x->ready_since > y->ready_since ? -1 : 1;
    if (x->restarts != y->restarts) return x->restarts > y->restarts ? -1 : 1;
    if (x->created != y->created) return x->created > y->created ? -1 : 1;
    return strcmp(x->o->name, y->o->name); /* a real one leaves this to chance */
}

/* ---- creating and deleting ---- */

static cJSON *pod_json(struct ctl *c, struct sim_obj *rs) {
    const cJSON *tmpl = json_at(sim_store_json(c->s, rs), "spec/template");
    cJSON *pod = cJSON_CreateObject();
    ctl_json_set_str(pod, "apiVersion", "v1");
    ctl_json_set_str(pod, "kind", "Pod");
    cJSON *meta = ctl_json_make(pod, "metadata");
    cleanup_free char *prefix = xasprintf("%.240s-", rs->name);
    ctl_json_set_str(meta, "generateName", prefix);
    ctl_json_set_str(meta, "namespace", rs->ns);
    static const char *const copied[] = {"labels", "annotations", "finalizers"};
    for (size_t i = 0; i < ARRAY_LEN(copied); i++) {
        const cJSON *v = json_get(json_get(tmpl, "metadata"), copied[i]);
        if (v && v->child) ctl_json_set(meta, copied[i], cJSON_Duplicate(v, true));
    }
    cJSON *refs = cJSON_CreateArray();
    cJSON_AddItemToArray(refs, ctl_owner_ref(rs));
    ctl_json_set(meta, "ownerReferences", refs);
    ctl_json_set(pod, "spec", cJSON_Duplicate(json_get(tmpl, "spec"), true));
    return pod;
}

static int create_pod(struct ctl *c, struct sim_obj *rs, struct err *err) {
    struct sim_obj *pod = NULL;
    cJSON *json = pod_json(c, rs);
    int r = pod_admission(c, rs->ns, json, err);
    if (r < 0)
        cJSON_Delete(json);
    else
        r = sim_store_create(c->s, c->pods, rs->ns, json, &pod, err);
    if (r < 0)
        ctl_event(c, rs, "replicaset-controller", "Warning", "FailedCreate", "Error creating: %s", err->msg);
    else if (pod)
        ctl_event(c, rs, "replicaset-controller", "Normal", "SuccessfulCreate", "Created pod: %s", pod->name);
    return r;
}

static void delete_pod(struct ctl *c, struct sim_obj *rs, struct sim_obj *pod) {
    cleanup_free char *name = xstrdup(pod->name);
    if (sim_store_delete(c->s, pod, NULL, -1, NULL) == 0)
        ctl_event(c, rs, "replicaset-controller", "Normal", "SuccessfulDelete", "Deleted pod: %s", name);
}

/* Makes or deletes at most CTL_BURST pods; true if there is more to do. err: why a pod could not be made. */
static bool manage(struct ctl *c, struct sim_obj *rs, int64_t want, struct member *m, size_t n,
                   struct err *err) {
    int64_t diff = (int64_t)n - want;
    if (diff < 0) {
        int64_t count = -diff < CTL_BURST ? -diff : CTL_BURST;
        for (int64_t i = 0; i < count; i++)
            if (create_pod(c, rs, err) < 0) return true;
        return count < -diff;
    }
    qsort(m, n, sizeof *m, by_worth);
    int64_t count = diff < CTL_BURST ? diff : CTL_BURST;
    for (int64_t i = 0; i < count; i++) delete_pod(c, rs, m[i].o);
    return count < diff;
}

/* ---- status ---- */

static void set_count(cJSON *status, const char *key, int64_t n) {
    if (n > 0)
        ctl_json_set_i64(status, key, n);
    else
        ctl_json_del(status, key);
}

static void set_failure(struct ctl *c, cJSON *status, const struct err *err) {
    if (err->kind == ERR_NONE) {
        ctl_json_del(status, "conditions"); /* ReplicaFailure is the only one there is */
        return;
    }
    const cJSON *old = json_arr(status, "conditions");
    if (old && old->child) return;
    cJSON *list = cJSON_CreateArray(), *cond = cJSON_CreateObject();
    ctl_json_set_str(cond, "type", "ReplicaFailure");
    ctl_json_set_str(cond, "status", "True");
    ctl_json_set_time(cond, "lastTransitionTime", ctl_now(c));
    ctl_json_set_str(cond, "reason", "FailedCreate");
    ctl_json_set_str(cond, "message", err->msg);
    cJSON_AddItemToArray(list, cond);
    ctl_json_set(status, "conditions", list);
}

static bool has_all_labels(const cJSON *pod, const cJSON *labels) {
    for (const cJSON *l = labels ? labels->child : NULL; l; l = l->next) {
        const char *v = obj_label(pod, l->string);
        if (!v || strcmp(v, cJSON_IsString(l) ? l->valuestring : "") != 0) return false;
    }
    return true;
}

/* Counts the pods as they were before this look created or deleted any, as the real one does. */
static void write_status(struct ctl *c, struct ctl_obj *co, const struct member *m, size_t n, int64_t labeled,
                         const struct err *err) {
    int64_t now = ctl_now(c), next = TIME_NEVER, ready = 0, available = 0;
    const cJSON *rs = sim_store_json(c->s, co->o);
    cJSON *json = ctl_copy_status(c, co->o), *status = ctl_json_make(json, "status");
    int64_t min_ready = json_i64(json_get(rs, "spec"), "minReadySeconds", 0) * NS_PER_S;
    for (size_t i = 0; i < n; i++) {
        if (!m[i].ready) continue;
        ready++;
        int64_t at = m[i].ready_since + min_ready;
        if (at <= now)
            available++;
        else if (at < next)
            next = at;
    }
    ctl_json_set_i64(status, "replicas", (int64_t)n);
    set_count(status, "fullyLabeledReplicas", labeled);
    set_count(status, "readyReplicas", ready);
    set_count(status, "availableReplicas", available);
    ctl_json_set_i64(status, "observedGeneration", json_i64(json_get(rs, "metadata"), "generation", 0));
    set_failure(c, status, err);
    (void)ctl_put(c, co->o, json, STORE_STATUS);
    if (next == TIME_NEVER) return;
    co->mine = true;
    ctl_at(c, co, next);
}

void replicaset_sync(struct ctl *c, struct ctl_obj *co) {
    if (!co->sel) return;
    cleanup_sim_objs struct sim_objs pods = {0};
    adoption_claim(c, co, CK_POD, &pods);
    const cJSON *json = sim_store_json(c->s, co->o);
    const cJSON *labels = json_at(json, "spec/template/metadata/labels");
    bool deleting = obj_deleting(json);
    int64_t want = json_i64(json_get(json, "spec"), "replicas", 1), labeled = 0;
    struct member *m = xcalloc(pods.n + 1, sizeof *m);
    size_t n = 0;
    for (size_t i = 0; i < pods.n; i++) {
        const cJSON *pod = sim_store_json(c->s, pods.v[i]);
        if (!is_active(pod)) continue;
        m[n++] = member_of(c, pods.v[i]);
        labeled += has_all_labels(pod, labels);
    }
    struct err err = {0};
    bool more = false;
    if (!deleting && (int64_t)n != want) more = manage(c, co->o, want, m, n, &err);
    write_status(c, co, m, n, labeled, &err);
    if (more) {
        co->mine = true;
        ctl_at(c, co, ctl_now(c) + (err.kind == ERR_NONE ? NS_PER_MS : NS_PER_S));
    }
    free(m);
}
