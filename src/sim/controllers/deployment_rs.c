/* The Deployment controller's ReplicaSets: finding, making, scaling and cleaning them up; revisions. */
#include "controllers/deployment.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* ---- reading ---- */

static int64_t annotation_i64(const cJSON *json, const char *key, int64_t def) {
    const char *s = obj_annotation(json, key);
    int64_t n;
    return s && slice_i64(slice_of(s), &n) == 0 ? n : def;
}

static bool is_failing(const cJSON *json) {
    const char *s = json_str(obj_condition(json, "ReplicaFailure"), "status");
    return s && strcmp(s, "True") == 0;
}

static void rs_read(struct dep *d, struct rs *r, struct sim_obj *o) {
    const cJSON *json = sim_store_json(d->c->s, o), *status = json_get(json, "status");
    *r = (struct rs){
        .o = o,
        .created = ctl_json_time(json_get(json, "metadata"), "creationTimestamp"),
        .spec = json_i64(json_get(json, "spec"), "replicas", 1),
        .replicas = json_i64(status, "replicas", 0),
        .ready = json_i64(status, "readyReplicas", 0),
        .available = json_i64(status, "availableReplicas", 0),
        .desired = annotation_i64(json, ANN_DESIRED, -1),
        .max = annotation_i64(json, ANN_MAX, -1),
        .revision = annotation_i64(json, ANN_REVISION, 0),
        .deleting = obj_deleting(json),
        .failing = is_failing(json),
    };
}

static int by_age(const void *a, const void *b) {
    const struct rs *x = a, *y = b;
    if (x->created != y->created) return x->created < y->created ? -1 : 1;
    return strcmp(x->o->name, y->o->name);
}

int deployment_read(struct dep *d, struct ctl *c, struct ctl_obj *co) {
    const cJSON *json = sim_store_json(c->s, co->o), *spec = json_get(json, "spec");
    *d = (struct dep){.c = c, .co = co, .o = co->o, .name = co->o->name};
    d->generation = json_i64(json_get(json, "metadata"), "generation", 0);
    d->deleting = obj_deleting(json);
    d->paused = json_bool(spec, "paused", false);
    d->deadline_s = json_i64(spec, "progressDeadlineSeconds", -1);
    if (d->deadline_s == INT32_MAX) d->deadline_s = -1;
    d->history = json_i64(spec, "revisionHistoryLimit", -1);
    if (d->history == INT32_MAX) d->history = -1;
    d->min_ready_s = json_i64(spec, "minReadySeconds", 0);
    deployment_limits(spec, d);
    if (!co->sel) return -EINVAL;

    cleanup_sim_objs struct sim_objs sets = {0};
    adoption_claim(c, co, CK_REPLICASET, &sets);
    d->v = xcalloc(sets.n + 1, sizeof *d->v); /* one more: for a new one */
    for (size_t i = 0; i < sets.n; i++) rs_read(d, &d->v[d->n++], sets.v[i]);
    qsort(d->v, d->n, sizeof *d->v, by_age);
    const char *hash = ctl_template_hash(c, co);
    for (size_t i = 0; i < d->n && !d->new; i++) { /* of several the oldest */
        struct ctl_obj *rs = ctl_obj_of(d->v[i].o);
        if (rs && strcmp(ctl_template_hash(c, rs), hash) == 0) d->new = &d->v[i];
    }
    return 0;
}

void deployment_free(struct dep *d) {
    free(d->v);
    d->v = d->new = NULL;
    d->n = 0;
}

int64_t deployment_rs_sum_spec(const struct dep *d, bool old_only) {
    int64_t sum = 0;
    for (size_t i = 0; i < d->n; i++)
        if (!old_only || &d->v[i] != d->new) sum += d->v[i].spec;
    return sum;
}

/* ---- revisions and annotations ---- */

static int64_t next_revision(const struct dep *d) {
    int64_t max = 0;
    for (size_t i = 0; i < d->n; i++)
        if (&d->v[i] != d->new && d->v[i].revision > max) max = d->v[i].revision;
    return max + 1;
}

static void set_annotation(cJSON *json, const char *key, const char *value) {
    ctl_json_set_str(ctl_json_make(json, "metadata/annotations"), key, value);
}

static void set_annotation_i64(cJSON *json, const char *key, int64_t value) {
    char text[24];
    (void)snprintf(text, sizeof text, "%lld", (long long)value);
    set_annotation(json, key, text);
}

/* The Deployment's annotations go down to its new ReplicaSet, but for those that have a meaning of their own
 * there. */
static bool goes_down(const cJSON *annotation) {
    static const char *const own[] = {"kubectl.kubernetes.io/last-applied-configuration",
                                      ANN_REVISION,
                                      ANN_REVISION_HISTORY,
                                      ANN_DESIRED,
                                      ANN_MAX,
                                      "deprecated.deployment.rollback.to"};
    for (size_t i = 0; i < ARRAY_LEN(own); i++)
        if (strcmp(annotation->string, own[i]) == 0) return false;
    return cJSON_IsString(annotation);
}

static bool misses_annotations(const cJSON *from, const cJSON *to) {
    const cJSON *a = json_at(from, "metadata/annotations");
    for (const cJSON *v = a ? a->child : NULL; v; v = v->next) {
        const char *got = obj_annotation(to, v->string);
        if (goes_down(v) && (!got || strcmp(got, v->valuestring) != 0)) return true;
    }
    return false;
}

static void copy_annotations(const cJSON *from, cJSON *to) {
    const cJSON *a = json_at(from, "metadata/annotations");
    for (const cJSON *v = a ? a->child : NULL; v; v = v->next)
        if (goes_down(v)) set_annotation(to, v->string, v->valuestring);
}

/* A revision only rises; the former one is remembered when an old ReplicaSet becomes the new one again. */
static void raise_revision(cJSON *json, int64_t to) {
    int64_t old = annotation_i64(json, ANN_REVISION, 0);
    if (old >= to) return;
    if (old > 0) {
        const char *history = obj_annotation(json, ANN_REVISION_HISTORY);
        cleanup_free char *text = history && *history ? xasprintf("%s,%lld", history, (long long)old)
                                                      : xasprintf("%lld", (long long)old);
        if (strlen(text) < 2000) set_annotation(json, ANN_REVISION_HISTORY, text);
    }
    set_annotation_i64(json, ANN_REVISION, to);
}

static void note_revision(struct dep *d, int64_t revision) {
    if (annotation_i64(sim_store_json(d->c->s, d->o), ANN_REVISION, -1) == revision) return;
    cJSON *json = ctl_copy_status(d->c, d->o);
    set_annotation_i64(json, ANN_REVISION, revision);
    (void)ctl_put(d->c, d->o, json, STORE_STATUS); /* through status: the generation stays */
}

static bool is_up_to_date(struct dep *d) {
    const cJSON *json = sim_store_json(d->c->s, d->new->o);
    return d->new->revision >= next_revision(d) && !misses_annotations(sim_store_json(d->c->s, d->o), json) &&
           json_i64(json_get(json, "spec"), "minReadySeconds", 0) == d->min_ready_s;
}

static bool update_new(struct dep *d) {
    if (is_up_to_date(d)) {
        note_revision(d, d->new->revision);
        if (d->deadline_s >= 0 && !obj_condition(sim_store_json(d->c->s, d->o), "Progressing"))
            deployment_condition(d, "Progressing", "True", "FoundNewReplicaSet",
                                 "Found new replica set \"%s\"", d->new->o->name);
        return true;
    }
    cJSON *json = ctl_copy(d->c, d->new->o);
    copy_annotations(sim_store_json(d->c->s, d->o), json);
    raise_revision(json, next_revision(d));
    if (d->min_ready_s > 0)
        ctl_json_set_i64(ctl_json_make(json, "spec"), "minReadySeconds", d->min_ready_s);
    else
        ctl_json_del(ctl_json_make(json, "spec"), "minReadySeconds");
    if (ctl_put(d->c, d->new->o, json, STORE_MAIN) < 0) return false;
    rs_read(d, d->new, d->new->o);
    return true;
}

/* ---- making the new one ---- */

static void name_hash(struct dep *d, char ret[11]) {
    int64_t collisions = json_i64(json_get(sim_store_json(d->c->s, d->o), "status"), "collisionCount", 0);
    const char *t = ctl_template_hash(d->c, d->co);
    cleanup_free char *text = collisions > 0 ? xasprintf("%s/%lld", t, (long long)collisions) : xstrdup(t);
    hash_name(slice_of(text), ret);
}

static cJSON *new_rs_json(struct dep *d, const char *name, const char *hash, int64_t replicas) {
    const cJSON *from = sim_store_json(d->c->s, d->o), *spec = json_get(from, "spec");
    cJSON *json = cJSON_CreateObject();
    ctl_json_set_str(json, "apiVersion", "apps/v1");
    ctl_json_set_str(json, "kind", "ReplicaSet");
    cJSON *tmpl = cJSON_Duplicate(json_get(spec, "template"), true);
    ctl_json_set_str(ctl_json_make(tmpl, "metadata/labels"), LABEL_HASH, hash);
    cJSON *sel = cJSON_Duplicate(json_get(spec, "selector"), true);
    ctl_json_set_str(ctl_json_make(sel, "matchLabels"), LABEL_HASH, hash);
    cJSON *meta = ctl_json_make(json, "metadata");
    ctl_json_set_str(meta, "name", name);
    ctl_json_set_str(meta, "namespace", d->o->ns);
    ctl_json_set(meta, "labels", cJSON_Duplicate(json_at(tmpl, "metadata/labels"), true));
    cJSON *refs = cJSON_CreateArray();
    cJSON_AddItemToArray(refs, ctl_owner_ref(d->o));
    ctl_json_set(meta, "ownerReferences", refs);
    copy_annotations(from, json);
    set_annotation_i64(json, ANN_REVISION, next_revision(d));
    set_annotation_i64(json, ANN_DESIRED, d->replicas);
    set_annotation_i64(json, ANN_MAX, d->replicas + d->surge);
    cJSON *out = ctl_json_make(json, "spec");
    ctl_json_set_i64(out, "replicas", replicas);
    if (d->min_ready_s > 0) ctl_json_set_i64(out, "minReadySeconds", d->min_ready_s);
    ctl_json_set(out, "selector", sel);
    ctl_json_set(out, "template", tmpl);
    return json;
}

/* The name is taken by something that is not ours: another name next time. */
static void count_collision(struct dep *d) {
    cJSON *json = ctl_copy_status(d->c, d->o), *status = ctl_json_make(json, "status");
    ctl_json_set_i64(status, "collisionCount", json_i64(status, "collisionCount", 0) + 1);
    (void)ctl_put(d->c, d->o, json, STORE_STATUS);
    ctl_wake(d->c, d->co);
}

static bool create_new(struct dep *d) {
    char hash[11];
    name_hash(d, hash);
    cleanup_free char *name = xasprintf("%.242s-%s", d->name, hash);
    int64_t replicas = deployment_new_rs_replicas(d, 0), revision = next_revision(d);
    struct sim_obj *made = NULL;
    struct err err = {0};
    int r = sim_store_create(d->c->s, d->c->replicasets, d->o->ns, new_rs_json(d, name, hash, replicas),
                             &made, &err);
    if (err.http == 409) {
        count_collision(d);
        return false;
    }
    if (r < 0) {
        if (d->deadline_s >= 0)
            deployment_condition(d, "Progressing", "False", "ReplicaSetCreateError",
                                 "Failed to create new replica set \"%s\": %s", name, err.msg);
        ctl_event(d->c, d->o, "deployment-controller", "Warning", "ReplicaSetCreateError",
                  "Failed to create new replica set \"%s\": %s", name, err.msg);
        d->co->mine = true;
        ctl_at(d->c, d->co, ctl_now(d->c) + 5 * NS_PER_S);
        return false;
    }
    /* v has a place to spare; the youngest by order of creation, though another may bear the same second. */
    d->new = &d->v[d->n++];
    rs_read(d, d->new, made);
    if (replicas > 0)
        ctl_event(d->c, d->o, "deployment-controller", "Normal", "ScalingReplicaSet",
                  "Scaled up replica set %s to %lld", name, (long long)replicas);
    note_revision(d, revision);
    if (d->deadline_s >= 0)
        deployment_condition(d, "Progressing", "True", "NewReplicaSetCreated",
                             "Created new replica set \"%s\"", name);
    return true;
}

bool deployment_sync_revision(struct dep *d, bool create) {
    if (d->new) return update_new(d);
    return !create || create_new(d);
}

/* ---- scaling and cleaning up ---- */

bool deployment_rs_scale(struct dep *d, struct rs *r, int64_t to) {
    bool resize = r->spec != to;
    if (!resize && r->desired == d->replicas && r->max == d->replicas + d->surge) return false;
    cJSON *json = ctl_copy(d->c, r->o);
    set_annotation_i64(json, ANN_DESIRED, d->replicas);
    set_annotation_i64(json, ANN_MAX, d->replicas + d->surge);
    ctl_json_set_i64(ctl_json_make(json, "spec"), "replicas", to);
    if (ctl_put(d->c, r->o, json, STORE_MAIN) < 0) return false;
    const char *way = to > r->spec ? "up" : "down";
    rs_read(d, r, r->o);
    if (resize)
        ctl_event(d->c, d->o, "deployment-controller", "Normal", "ScalingReplicaSet",
                  "Scaled %s replica set %s to %lld", way, r->o->name, (long long)to);
    return resize;
}

void deployment_cleanup(struct dep *d) {
    if (d->history < 0) return;
    int64_t old = 0;
    for (size_t i = 0; i < d->n; i++) old += &d->v[i] != d->new && !d->v[i].deleting;
    int64_t excess = old - d->history;
    cleanup_sim_objs struct sim_objs gone = {0};
    for (size_t i = 0; i < d->n && excess > 0; i++) {
        struct rs *r = &d->v[i];
        if (r == d->new || r->deleting) continue;
        excess--; /* one that may not go is not made up for by a younger one */
        const cJSON *json = sim_store_json(d->c->s, r->o);
        bool behind = json_i64(json_get(json, "metadata"), "generation", 0) >
                      json_i64(json_get(json, "status"), "observedGeneration", 0);
        if (r->replicas == 0 && r->spec == 0 && !behind) sim_objs_add(&gone, r->o);
    }
    for (size_t i = 0; i < gone.n; i++) (void)sim_store_delete(d->c->s, gone.v[i], NULL, -1, NULL);
    if (gone.n > 0) deployment_free(d);
}
