/* The Deployment controller's status: counts, and the conditions Progressing, Available and
 * ReplicaFailure. */
#include "controllers/deployment.h"
#include <stdio.h>

/* ---- conditions of a status ---- */

static cJSON *find(cJSON *status, const char *type) {
    cJSON *list = cJSON_GetObjectItemCaseSensitive(status, "conditions");
    for (cJSON *c = list ? list->child : NULL; c; c = c->next)
        if (strcmp(json_str_or(c, "type", ""), type) == 0) return c;
    return NULL;
}

static void drop(cJSON *status, const char *type) {
    cJSON *c = find(status, type);
    if (c)
        cJSON_Delete(cJSON_DetachItemViaPointer(cJSON_GetObjectItemCaseSensitive(status, "conditions"), c));
}

static bool reason_is(const cJSON *cond, const char *reason) {
    return strcmp(json_str_or(cond, "reason", ""), reason) == 0;
}

/* The same status and reason: nothing changes. Otherwise it is replaced, at the end; lastTransitionTime is
 * that of the last change of status, or `since` where that is given. */
static void set_condition(struct dep *d, cJSON *status, const char *type, const char *value,
                          const char *reason, const char *message, const char *since) {
    cJSON *old = find(status, type);
    if (old && !since && reason_is(old, reason) && strcmp(json_str_or(old, "status", ""), value) == 0) return;
    char *moved = NULL;
    if (since)
        moved = xstrdup(since);
    else if (old && strcmp(json_str_or(old, "status", ""), value) == 0)
        moved = xstrdup_null(json_str(old, "lastTransitionTime"));
    drop(status, type);
    cJSON *c = cJSON_CreateObject();
    ctl_json_set_str(c, "type", type);
    ctl_json_set_str(c, "status", value);
    ctl_json_set_time(c, "lastUpdateTime", ctl_now(d->c));
    if (moved)
        ctl_json_set_str(c, "lastTransitionTime", moved);
    else
        ctl_json_set_time(c, "lastTransitionTime", ctl_now(d->c));
    free(moved);
    ctl_json_set_str(c, "reason", reason);
    ctl_json_set_str(c, "message", message);
    cJSON *list = cJSON_GetObjectItemCaseSensitive(status, "conditions");
    if (!cJSON_IsArray(list)) {
        list = cJSON_CreateArray();
        ctl_json_set(status, "conditions", list);
    }
    cJSON_AddItemToArray(list, c);
}

void deployment_condition(struct dep *d, const char *type, const char *status, const char *reason,
                          const char *fmt, ...) {
    cleanup_buf struct buf msg = BUF(1024);
    va_list ap;
    va_start(ap, fmt);
    (void)buf_addv(&msg, fmt, ap);
    va_end(ap);
    cJSON *json = ctl_copy_status(d->c, d->o);
    set_condition(d, ctl_json_make(json, "status"), type, status, reason, buf_str(&msg), NULL);
    (void)ctl_put(d->c, d->o, json, STORE_STATUS);
}

void deployment_paused_condition(struct dep *d) {
    if (d->deadline_s < 0) return;
    const cJSON *cond = obj_condition(sim_store_json(d->c->s, d->o), "Progressing");
    if (reason_is(cond, "ProgressDeadlineExceeded")) return; /* what was late stays on record */
    bool noted = reason_is(cond, "DeploymentPaused");
    if (d->paused && !noted)
        deployment_condition(d, "Progressing", "Unknown", "DeploymentPaused", "Deployment is paused");
    else if (!d->paused && noted)
        deployment_condition(d, "Progressing", "Unknown", "DeploymentResumed", "Deployment is resumed");
}

/* ---- counts ---- */

struct counts {
    int64_t spec, replicas, updated, ready, available;
};

static struct counts count(const struct dep *d) {
    struct counts n = {0};
    for (size_t i = 0; i < d->n; i++) {
        const struct rs *r = &d->v[i];
        n.spec += r->spec;
        n.replicas += r->replicas;
        n.ready += r->ready;
        n.available += r->available;
        if (r == d->new) n.updated = r->replicas;
    }
    return n;
}

static struct counts counts_of(const cJSON *status) {
    return (struct counts){.replicas = json_i64(status, "replicas", 0),
                           .updated = json_i64(status, "updatedReplicas", 0),
                           .ready = json_i64(status, "readyReplicas", 0),
                           .available = json_i64(status, "availableReplicas", 0)};
}

static void set_count(cJSON *status, const char *key, int64_t n) {
    if (n > 0)
        ctl_json_set_i64(status, key, n);
    else
        ctl_json_del(status, key); /* omitempty */
}

static bool complete(const struct dep *d, const struct counts *n) {
    return n->updated == d->replicas && n->replicas == d->replicas && n->available == d->replicas;
}

bool deployment_complete(const struct dep *d) {
    const cJSON *status = json_get(sim_store_json(d->c->s, d->o), "status");
    struct counts n = counts_of(status);
    return complete(d, &n) && json_i64(status, "observedGeneration", 0) >= d->generation;
}

/* ---- progress ---- */

static bool progressing(const struct counts *now, const struct counts *old) {
    return now->updated > old->updated || now->replicas - now->updated < old->replicas - old->updated ||
           now->ready > old->ready || now->available > old->available;
}

static int64_t deadline_at(const struct dep *d, const cJSON *cond) {
    return ctl_json_time(cond, "lastUpdateTime") + d->deadline_s * NS_PER_S;
}

static bool timed_out(const struct dep *d, const cJSON *cond) {
    if (!cond || reason_is(cond, "NewReplicaSetAvailable")) return false;
    if (reason_is(cond, "ProgressDeadlineExceeded")) return true;
    return deadline_at(d, cond) < ctl_now(d->c);
}

static void judge_progress(struct dep *d, cJSON *status, const struct counts *n, const struct counts *old) {
    cJSON *cond = find(status, "Progressing");
    if (n->replicas == n->updated && reason_is(cond, "NewReplicaSetAvailable"))
        return; /* done; pods may come and go */
    cleanup_free char *who =
        d->new ? xasprintf("ReplicaSet \"%s\"", d->new->o->name) : xasprintf("Deployment \"%s\"", d->name);
    cleanup_buf struct buf msg = BUF(1024);
    if (complete(d, n)) {
        (void)buf_addf(&msg, "%s has successfully progressed.", who);
        set_condition(d, status, "Progressing", "True", "NewReplicaSetAvailable", buf_str(&msg), NULL);
    } else if (progressing(n, old)) {
        (void)buf_addf(&msg, "%s is progressing.", who);
        /* Every bit of progress starts the deadline anew, so this one is written even if it says the same. */
        cleanup_free char *since = NULL;
        if (cond && strcmp(json_str_or(cond, "status", ""), "True") == 0)
            since = xstrdup_null(json_str(cond, "lastTransitionTime"));
        drop(status, "Progressing");
        set_condition(d, status, "Progressing", "True", "ReplicaSetUpdated", buf_str(&msg), since);
    } else if (timed_out(d, cond)) {
        (void)buf_addf(&msg, "%s has timed out progressing.", who);
        set_condition(d, status, "Progressing", "False", "ProgressDeadlineExceeded", buf_str(&msg), NULL);
    }
}

static void judge_failures(struct dep *d, cJSON *status) {
    const struct rs *bad = d->new && d->new->failing ? d->new : NULL;
    for (size_t i = 0; i < d->n && !bad; i++)
        if (d->v[i].failing) bad = &d->v[i];
    if (!bad) {
        drop(status, "ReplicaFailure");
        return;
    }
    const cJSON *from = obj_condition(sim_store_json(d->c->s, bad->o), "ReplicaFailure");
    set_condition(d, status, "ReplicaFailure", "True", json_str_or(from, "reason", "FailedCreate"),
                  json_str_or(from, "message", ""), NULL);
}

static void judge_available(struct dep *d, cJSON *status, const struct counts *n) {
    if (n->available >= d->replicas - d->unavailable)
        set_condition(d, status, "Available", "True", "MinimumReplicasAvailable",
                      "Deployment has minimum availability.", NULL);
    else
        set_condition(d, status, "Available", "False", "MinimumReplicasUnavailable",
                      "Deployment does not have minimum availability.", NULL);
}

/* Looks again when the deadline will have passed, should nothing move until then. */
static void arm_deadline(struct dep *d, const cJSON *status, const struct counts *n) {
    const cJSON *cond = NULL;
    const cJSON *list = json_arr(status, "conditions");
    for (const cJSON *c = list ? list->child : NULL; c; c = c->next)
        if (strcmp(json_str_or(c, "type", ""), "Progressing") == 0) cond = c;
    if (!cond || complete(d, n) || reason_is(cond, "NewReplicaSetAvailable") ||
        reason_is(cond, "ProgressDeadlineExceeded"))
        return;
    d->co->mine = true;
    ctl_at(d->c, d->co, deadline_at(d, cond) + NS_PER_S);
}

void deployment_write_status(struct dep *d, enum dep_status how) {
    cJSON *json = ctl_copy_status(d->c, d->o), *status = ctl_json_make(json, "status");
    struct counts old = counts_of(status), n = count(d);
    ctl_json_set_i64(status, "observedGeneration", d->generation);
    set_count(status, "replicas", n.replicas);
    set_count(status, "updatedReplicas", n.updated);
    set_count(status, "readyReplicas", n.ready);
    set_count(status, "availableReplicas", n.available);
    set_count(status, "unavailableReplicas", n.spec - n.available);
    judge_available(d, status, &n);
    if (how == DEP_STATUS_ROLLOUT) {
        if (d->deadline_s >= 0)
            judge_progress(d, status, &n, &old);
        else
            drop(status, "Progressing"); /* no progressDeadlineSeconds */
        judge_failures(d, status);
        if (d->deadline_s >= 0) arm_deadline(d, status, &n);
    }
    (void)ctl_put(d->c, d->o, json, STORE_STATUS);
}
