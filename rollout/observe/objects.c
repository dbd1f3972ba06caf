/* API objects to what the plan looks at: Deployment and ReplicaSet. */
#include "observe/objects_impl.h"
#include "observe/track_selector.h"
#include "api/meta.h"
#include "api/rfc3339.h"
#include "api/template.h"
#include "base/hash.h"
#include "base/json_raw.h"
#include <errno.h>
#include <stdio.h>

enum { MAX_REPLICAS = 1000000 };

static int32_t count(const cJSON *obj, const char *key, int32_t def) {
    int64_t v = json_i64(obj, key, def);
    return v < 0 ? 0 : v > MAX_REPLICAS ? MAX_REPLICAS : (int32_t)v;
}

static char *line(const char *s) { /* a copy, of a sane length */
    return s ? slice_dup_text(slice_of(s), 512) : NULL;
}

bool observe_time(const cJSON *obj, const char *key, int64_t *ret) {
    const char *t = json_str(obj, key);
    if (t && rfc3339_parse(slice_of(t), ret) == 0) return true;
    *ret = 0;
    return false;
}

int64_t observe_created(const cJSON *obj) {
    int64_t ns;
    observe_time(json_get(obj, "metadata"), "creationTimestamp", &ns);
    return ns;
}

char *observe_text(const char *text) {
    if (!text || !*text) return NULL;
    static const char gap[] = " [...] ";
    size_t n = strlen(text), head = OBSERVE_TEXT / 3, tail = OBSERVE_TEXT - head - strlen(gap);
    if (n <= OBSERVE_TEXT) return slice_dup_text(slice_of(text), OBSERVE_TEXT);
    const char *end = text + n - tail;
    while (((unsigned char)*end & 0xc0) == 0x80) end++; /* not in the middle of a character */
    cleanup_free char *first = slice_dup_text(slice_of(text), head),
                      *last = slice_dup_text(slice_of(end), tail);
    return xasprintf("%s%s%s", first, gap, last);
}

bool observe_one_of(const char *text, const char *const *list, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (strcmp(text, list[i]) == 0) return true;
    return false;
}

static int identity(const cJSON *obj, const char *kind, struct err *err) {
    if (obj_name(obj) && obj_ns(obj) && obj_uid(obj) && obj_rv(obj)) return 0;
    return err_set(err, ERR_PROTOCOL, -EINVAL, "%s without name, namespace, uid or resourceVersion", kind);
}

static int template_of(struct slice raw, char hash[11], struct slice *ret, struct err *err) {
    if (!json_raw_at(raw, "spec/template", ret))
        return err_set(err, ERR_PROTOCOL, -EINVAL, "no spec.template");
    return template_hash(*ret, hash, err);
}

/* Ours alone: others' (a whole manifest in kubectl's) are never looked at. */
static cJSON *own_annotations(const cJSON *all) {
    cJSON *own = NULL;
    for (const cJSON *a = all ? all->child : NULL; a; a = a->next) {
        if (strncmp(a->string, HANDOVER_PREFIX, strlen(HANDOVER_PREFIX)) != 0) continue;
        if (!own) own = cJSON_CreateObject();
        cJSON_AddItemToObject(own, a->string, cJSON_Duplicate(a, true));
    }
    return own;
}

enum { MANAGER_MAX = 100 };

static char *manager_name(struct slice string) {
    cleanup_buf struct buf name = BUF(1024);
    if (json_raw_unescape(string, &name) < 0 || !name.n) return NULL;
    char *text = slice_dup_text(buf_slice(&name), MANAGER_MAX);
    for (char *p = text; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f) *p = '?';
    return text;
}

/* Whose word it was is asked of these alone (spec_action_name()); a target has many others, for years. */
static bool is_command(const char *annotation) {
    static const char *const names[] = {"promote", "pause", "resume", "abort", "retry", "approve", "release"};
    return observe_one_of(annotation + strlen(HANDOVER_PREFIX), names, ARRAY_LEN(names));
}

/* Who has given each of the user commands, as the API server keeps it in metadata.managedFields. */
static cJSON *annotation_managers(struct slice raw) {
    static const char prefix[] = "\"f:" HANDOVER_PREFIX;
    struct slice list, name, set;
    cJSON *all = NULL;
    if (!json_raw_at(raw, "metadata/managedFields", &list)) return NULL;
    struct json_raw_it entry = json_raw_each(list);
    while (json_raw_next(&entry)) {
        if (!json_raw_get(entry.value, SL("manager"), &name) || json_raw_string_is(name, SL("handover")) ||
            !json_raw_at(entry.value, "fieldsV1/f:metadata/f:annotations", &set))
            continue;
        struct json_raw_it field = json_raw_each(set);
        while (json_raw_next(&field)) {
            if (!slice_starts(field.key, slice_of(prefix))) continue;
            cleanup_free char *key = slice_dup(slice_make(field.key.p + 3, field.key.n - 4));
            cleanup_free char *who = is_command(key) ? manager_name(name) : NULL;
            if (!who) continue;
            if (!all) all = cJSON_CreateObject();
            if (!json_get(all, key)) cJSON_AddStringToObject(all, key, who);
        }
    }
    return all;
}

/* Pods that cannot be made; that old ones cannot be deleted is another matter. */
static char *replica_failure(const cJSON *obj) {
    const cJSON *c = obj_condition(obj, "ReplicaFailure");
    if (strcmp(json_str_or(c, "status", ""), "True") != 0 ||
        !strcmp(json_str_or(c, "reason", ""), "FailedDelete"))
        return NULL;
    return line(json_str_or(c, "message", "its pods cannot be made"));
}

static char *failure_of(const cJSON *deployment) {
    const cJSON *c = obj_condition(deployment, "Progressing");
    if (!strcmp(json_str_or(c, "reason", ""), "ReplicaSetCreateError"))
        return line(json_str_or(c, "message", "its ReplicaSet cannot be made"));
    return replica_failure(deployment);
}

int obs_target_read(const struct workload *kind, const cJSON *obj, struct slice raw, struct obs_target *ret,
                    struct err *err) {
    struct slice tmpl = {0}, selector = {0};
    struct obs_target t = {.kind = kind};
    int rc = identity(obj, kind->gvr->kind, err);
    if (rc == 0) rc = template_of(raw, t.hash, &tmpl, err);
    if (rc == 0 && !json_raw_at(raw, "spec/selector", &selector))
        rc = err_set(err, ERR_PROTOCOL, -EINVAL, "no spec.selector");
    if (rc < 0) {
        err_wrap(err, "%s %s", kind->gvr->kind, obj_name(obj) ? obj_name(obj) : "");
        return rc;
    }
    const cJSON *meta = json_get(obj, "metadata"), *spec = json_get(obj, "spec"),
                *status = json_get(obj, "status");
    t.ns = xstrdup(obj_ns(obj));
    t.name = xstrdup(obj_name(obj));
    t.id = workload_id(kind, t.name);
    t.uid = xstrdup(obj_uid(obj));
    t.rv = xstrdup(obj_rv(obj));
    t.deleting = obj_deleting(obj);
    t.created_ns = observe_created(obj);
    t.generation = json_i64(meta, "generation", 0);
    t.observed_generation = json_i64(status, "observedGeneration", 0);
    t.replicas = count(spec, "replicas", 1);
    t.paused = json_bool(spec, "paused", false);
    t.held = obj_annotation(obj, ANNOTATION_HELD) != NULL;
    t.deadline_s = json_i64(spec, "progressDeadlineSeconds", -1);
    if (t.deadline_s < 0 || t.deadline_s > INT32_MAX) t.deadline_s = -1;
    t.history = count(spec, "revisionHistoryLimit", 10);
    t.recreate = !strcmp(json_str_or(json_get(spec, "strategy"), "type", ""), "Recreate");
    t.st_replicas = count(status, "replicas", 0);
    t.st_updated = count(status, "updatedReplicas", 0);
    t.st_ready = count(status, "readyReplicas", 0);
    t.st_available = count(status, "availableReplicas", 0);
    t.selector = slice_dup(selector);
    t.tmpl = slice_dup(tmpl);
    cleanup_buf struct buf image = BUF(1024);
    template_image(tmpl, &image);
    t.image = xstrdup(buf_str(&image));
    t.status = xstrdup_null(obj_annotation(obj, HANDOVER_PREFIX "status"));
    t.progressing = line(json_str(obj_condition(obj, "Progressing"), "reason"));
    t.failure = failure_of(obj);
    t.annotations = own_annotations(json_obj(meta, "annotations"));
    if (t.annotations) t.managers = annotation_managers(raw);
    if (kind == &workload_statefulset) observe_stateful(obj, tmpl, &t);
    *ret = t;
    return 0;
}

void obs_target_free(struct obs_target *t) {
    if (!t) return;
    char *owned[] = {t->ns,       t->name,    t->id,     t->uid,    t->rv,
                     t->selector, t->tmpl,    t->image,  t->status, t->progressing,
                     t->failure,  t->current, t->update, t->unfit,  t->claims};
    for (size_t i = 0; i < ARRAY_LEN(owned); i++) free(owned[i]);
    cJSON_Delete(t->annotations);
    cJSON_Delete(t->managers);
    *t = (struct obs_target){0};
}

void observe_template_label(const cJSON *obj, char ret[11]) {
    const char *h = obj_label(obj, LABEL_TEMPLATE);
    ret[0] = '\0';
    if (h && strlen(h) <= 10 && strspn(h, "abcdefghijklmnopqrstuvwxyz0123456789") == strlen(h))
        memcpy(ret, h, strlen(h) + 1);
}

/* Our labels, and the target that they name is an owner (an orphaning delete takes all owners away). */
static bool made_by_us(const cJSON *obj) {
    const char *target = obj_label(obj, LABEL_TARGET), *by = obj_label(obj, "app.kubernetes.io/managed-by");
    if (!target || !by || strcmp(by, "handover") != 0) return false;
    const cJSON *refs = json_arr(json_get(obj, "metadata"), "ownerReferences");
    if (!refs || !refs->child) return true;
    for (const cJSON *r = refs->child; r; r = r->next)
        if (!strcmp(json_str_or(r, "uid", ""), target)) return true;
    return false;
}

/* "HASH" or "HASH-control"; whatever else is there is a rehearsal that nobody wants. */
static enum rehearsed rehearsal_of(const cJSON *obj, char hash[11]) {
    const char *label = obj_label(obj, LABEL_REHEARSAL);
    struct slice first, rest;
    if (!label) return REHEARSED_NONE;
    bool control = slice_cut(slice_of(label), '-', &first, &rest);
    if (first.n <= 10 && (!control || slice_eqs(rest, "control"))) memcpy(hash, first.p, first.n);
    return control ? REHEARSED_CONTROL : REHEARSED_NEW;
}

/* "": it has none. */
static void rehearsal_key(const cJSON *obj, char made[11]) {
    const cJSON *list = json_arr(json_at(obj, "spec/template/spec"), "initContainers"), *e;
    const cJSON *first = list ? list->child : NULL;
    made[0] = '\0';
    if (strcmp(json_str_or(first, "name", ""), REHEARSAL_SIDECAR) != 0) return;
    cJSON_ArrayForEach(e, json_arr(first, "env")) {
        if (!strcmp(json_str_or(e, "name", ""), REHEARSAL_KEY))
            snprintf(made, 11, "%.10s", json_str_or(e, "value", ""));
    }
}

int obs_rs_read(const cJSON *obj, struct slice raw, struct obs_rs *ret, struct err *err) {
    struct slice tmpl;
    struct obs_rs r = {0};
    int rc = identity(obj, "ReplicaSet", err);
    const cJSON *controller = obj_controller(obj), *spec = json_get(obj, "spec"),
                *status = json_get(obj, "status");
    bool ours = !controller && made_by_us(obj);
    char computed[11] = "";
    int read = rc == 0 ? template_of(raw, computed, &tmpl, ours ? NULL : err) : rc;
    if (rc == 0 && !ours) rc = read;
    memcpy(ours ? r.made : r.hash, computed, sizeof computed);
    if (rc < 0) {
        err_wrap(err, "ReplicaSet %s", obj_name(obj) ? obj_name(obj) : "");
        return rc;
    }
    r.rehearsed = ours ? rehearsal_of(obj, r.hash) : REHEARSED_NONE;
    r.canary = ours && r.rehearsed == REHEARSED_NONE;
    if (r.canary) observe_template_label(obj, r.hash);
    if (r.rehearsed != REHEARSED_NONE) rehearsal_key(obj, r.made);
    r.detached = r.canary && obj_annotation(obj, ANNOTATION_DETACHED);
    r.name = xstrdup(obj_name(obj));
    r.uid = xstrdup(obj_uid(obj));
    r.rv = xstrdup(obj_rv(obj));
    r.owner_uid = xstrdup_null(ours ? obj_label(obj, LABEL_TARGET) : json_str(controller, "uid"));
    r.owner_name = obs_owner_target(obj);
    r.deleting = obj_deleting(obj);
    r.created_ns = observe_created(obj);
    r.observed =
        json_i64(status, "observedGeneration", 0) >= json_i64(json_get(obj, "metadata"), "generation", 0);
    r.selects = read == 0 && track_selector_replace(tmpl, NULL) > 0;
    r.replicas = count(spec, "replicas", 1);
    r.st_replicas = count(status, "replicas", 0);
    r.st_ready = count(status, "readyReplicas", 0);
    r.st_available = count(status, "availableReplicas", 0);
    r.quarantined = line(obj_annotation(obj, ANNOTATION_QUARANTINED));
    r.failure = replica_failure(obj);
    *ret = r;
    return 0;
}

void obs_rs_free(struct obs_rs *r) {
    if (!r) return;
    char *owned[] = {r->name, r->uid, r->rv, r->owner_uid, r->owner_name, r->quarantined, r->failure};
    for (size_t i = 0; i < ARRAY_LEN(owned); i++) free(owned[i]);
    *r = (struct obs_rs){0};
}

char *obs_owner_target(const cJSON *obj) {
    const cJSON *ref, *refs = json_arr(json_get(obj, "metadata"), "ownerReferences");
    cJSON_ArrayForEach(ref, refs) {
        const struct workload *kind = workload_of_kind(json_str(ref, "kind"));
        if (kind && json_str(ref, "name")) return workload_id(kind, json_str(ref, "name"));
    }
    return NULL;
}

char *obs_canary_target(const char *rs_name) {
    const char *last = NULL;
    for (const char *at = rs_name; (at = strstr(at, "-canary-")); at++) last = at;
    if (!last) return NULL;
    struct slice of = slice_make(rs_name, (size_t)(last - rs_name)),
                 infix = slice_of(workload_statefulset.infix);
    bool set = slice_ends(of, infix);
    if (set) of.n -= infix.n;
    cleanup_free char *name = slice_dup(of);
    return workload_id(set ? &workload_statefulset : &workload_deployment, name);
}

void obs_each_owner(const cJSON *obj, void (*fn)(void *ctx, const char *uid), void *ctx) {
    const cJSON *refs = json_arr(json_get(obj, "metadata"), "ownerReferences");
    for (const cJSON *r = refs ? refs->child : NULL; r; r = r->next) {
        const char *uid = json_str(r, "uid");
        if (uid) fn(ctx, uid);
    }
    /* An orphaning delete of the target takes the reference away, and our canary must not outlive its target. */
    const char *target = obj_controller(obj) ? NULL : obj_label(obj, LABEL_TARGET);
    if (target) fn(ctx, target);
}

bool obs_opted_in(const cJSON *annotations) {
    return json_get(annotations, HANDOVER_PREFIX "canary-percent") != NULL;
}

/* What is cut ends with a digest of the whole: two long names never share one. */
char *obs_name_with(const char *target, const char *suffix) {
    enum { NAME_MAX_LEN = 253 };
    char digest[11] = "";
    size_t n = strlen(target), room = NAME_MAX_LEN - strlen(suffix);
    if (n <= room) return xasprintf("%s%s", target, suffix);
    hash_name(slice_of(target), digest);
    for (n = room - 11; n > 1 && (target[n - 1] == '.' || target[n - 1] == '-'); n--) continue;
    return xasprintf("%.*s-%s%s", (int)n, target, digest, suffix);
}

char *obs_state_name(const char *id) {
    cleanup_free char *suffix = xasprintf("%s-handover", workload_of(id)->infix);
    return obs_name_with(workload_name(id), suffix);
}
