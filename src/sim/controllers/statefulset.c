/* The StatefulSet controller: pods NAME-0 and up from the current revision below spec's partition, from the update revision above it;
 * one after the other unless podManagementPolicy is Parallel. As pkg/controller/statefulset/stateful_set_control.go. */
#include "controllers/statefulset.h"
#include <string.h>

/* ---- pods ---- */

static const char *phase_of(const cJSON *pod) {
    return json_str_or(json_get(pod, "status"), "phase", "Pending");
}

static bool has_ended(const cJSON *pod) {
    return !strcmp(phase_of(pod), "Failed") || !strcmp(phase_of(pod), "Succeeded");
}

static bool is_ready(const cJSON *pod) {
    return !strcmp(phase_of(pod), "Running") &&
           !strcmp(json_str_or(obj_condition(pod, "Ready"), "status", ""), "True");
}

static struct member member_of(struct set *s, struct sim_obj *o) {
    const cJSON *pod = sim_store_json(s->c->s, o);
    struct member m = {
        .o = o, .ended = has_ended(pod), .terminating = obj_deleting(pod), .ready = is_ready(pod)};
    const char *revision = obj_label(pod, LABEL_REVISION);
    m.current = revision && s->current && !strcmp(revision, s->current->name);
    m.updated = revision && s->update && !strcmp(revision, s->update->name);
    int64_t since = m.ready ? ctl_json_time(obj_condition(pod, "Ready"), "lastTransitionTime") : 0;
    m.available = m.ready && since + s->min_ready_ns <= ctl_now(s->c);
    if (m.ready && !m.available && since + s->min_ready_ns < s->next) s->next = since + s->min_ready_ns;
    return m;
}

static cJSON *pod_json(struct set *s, int64_t ordinal, struct sim_obj *revision) {
    const cJSON *tmpl = json_at(sim_store_json(s->c->s, revision), "data/spec/template");
    const char *service = json_str_or(json_get(sim_store_json(s->c->s, s->o), "spec"), "serviceName", "");
    cleanup_free char *name = xasprintf("%.240s-%lld", s->o->name, (long long)ordinal),
                      *index = xasprintf("%lld", (long long)ordinal);
    cJSON *pod = cJSON_CreateObject(), *meta = ctl_json_make(pod, "metadata");
    ctl_json_set_str(pod, "apiVersion", "v1");
    ctl_json_set_str(pod, "kind", "Pod");
    ctl_json_set_str(meta, "name", name);
    ctl_json_set_str(meta, "generateName", s->o->name);
    ctl_json_set_str(meta, "namespace", s->o->ns);
    static const char *const copied[] = {"labels", "annotations", "finalizers"};
    for (size_t i = 0; i < ARRAY_LEN(copied); i++) {
        const cJSON *v = json_get(json_get(tmpl, "metadata"), copied[i]);
        if (v && v->child) ctl_json_set(meta, copied[i], cJSON_Duplicate(v, true));
    }
    cJSON *labels = ctl_json_make(meta, "labels");
    ctl_json_set_str(labels, LABEL_REVISION, revision->name);
    ctl_json_set_str(labels, "statefulset.kubernetes.io/pod-name", name);
    ctl_json_set_str(labels, "apps.kubernetes.io/pod-index", index);
    cJSON *refs = cJSON_CreateArray();
    cJSON_AddItemToArray(refs, ctl_owner_ref(s->o));
    ctl_json_set(meta, "ownerReferences", refs);
    ctl_json_set(pod, "spec", cJSON_Duplicate(json_get(tmpl, "spec"), true));
    cJSON *spec = ctl_json_make(pod, "spec");
    ctl_json_set_str(spec, "hostname", name);
    if (*service) ctl_json_set_str(spec, "subdomain", service);
    return pod;
}

static bool create_pod(struct set *s, int64_t ordinal, struct member *ret) {
    struct err err = {0};
    struct sim_obj *pod = NULL;
    struct sim_obj *revision = ordinal < s->partition ? s->current : s->update;
    cJSON *json = pod_json(s, ordinal, revision);
    int r = pod_admission(s->c, s->o->ns, json, &err);
    if (r < 0)
        cJSON_Delete(json);
    else
        r = sim_store_create(s->c->s, s->c->pods, s->o->ns, json, &pod, &err);
    if (r < 0 || !pod) {
        ctl_event(s->c, s->o, "statefulset-controller", "Warning", "FailedCreate",
                  "create Pod %s-%lld in StatefulSet %s failed error: %s", s->o->name, (long long)ordinal,
                  s->o->name, err.msg);
        s->next = ctl_now(s->c) + NS_PER_S;
        return false;
    }
    ctl_event(s->c, s->o, "statefulset-controller", "Normal", "SuccessfulCreate",
              "create Pod %s in StatefulSet %s successful", pod->name, s->o->name);
    *ret = member_of(s, pod);
    return true;
}

static void delete_pod(struct set *s, struct member *m) {
    cleanup_free char *name = xstrdup(m->o->name);
    if (sim_store_delete(s->c->s, m->o, NULL, -1, NULL) == 0)
        ctl_event(s->c, s->o, "statefulset-controller", "Normal", "SuccessfulDelete",
                  "delete Pod %s in StatefulSet %s successful", name, s->o->name);
}

/* ---- one look ---- */

/* A pod for each ordinal below replicas. True: go on. */
static bool keep_replicas(struct set *s) {
    for (int64_t i = 0; i < s->replicas; i++) {
        struct member *m = &s->pod[i];
        if (m->o && m->ended && !m->terminating) { /* made again when it is gone */
            delete_pod(s, m);
            return false;
        }
        bool made = !m->o;
        if (made && !create_pod(s, i, m)) return false;
        if (!s->ordered) continue;
        if (made || m->terminating || !m->ready || !m->available) return false;
    }
    return true;
}

/* From the highest ordinal down. True: none is left, or all were asked to go. */
static bool scale_down(struct set *s) {
    for (size_t i = s->nover; i > 0; i--) {
        struct member *m = &s->over[i - 1];
        if (m->terminating && s->ordered) return false;
        if (m->terminating) continue;
        delete_pod(s, m);
        if (s->ordered) return false;
    }
    return true;
}

static void roll(struct set *s) {
    for (int64_t i = s->replicas - 1; i >= s->partition && i >= 0; i--) {
        struct member *m = &s->pod[i];
        if (!m->o) return;
        if (!m->updated && !m->terminating) {
            delete_pod(s, m);
            return;
        }
        if (!m->ready || m->terminating) return;
    }
}

/* ---- status ---- */

struct counts {
    int64_t replicas, ready, available, current, updated;
};

static void count(const struct member *m, struct counts *n) {
    if (!m->o) return;
    n->replicas++;
    n->ready += m->ready;
    n->available += m->available;
    n->current += m->current && !m->terminating;
    n->updated += m->updated && !m->terminating;
}

/* All pods are of the update revision and ready: that is the current one from now on, whatever the partition is. */
static bool complete(const struct set *s, const struct counts *n) {
    return s->rolling && n->updated == s->replicas && n->ready == s->replicas && n->replicas == s->replicas;
}

static void write_status(struct set *s) {
    struct counts n = {0};
    for (int64_t i = 0; i < s->replicas; i++) count(&s->pod[i], &n);
    for (size_t i = 0; i < s->nover; i++) count(&s->over[i], &n);
    bool done = complete(s, &n);
    cJSON *json = ctl_copy_status(s->c, s->o), *status = ctl_json_make(json, "status");
    ctl_json_set_i64(status, "observedGeneration", s->generation);
    ctl_json_set_i64(status, "replicas", n.replicas);
    ctl_json_set_i64(status, "readyReplicas", n.ready);
    ctl_json_set_i64(status, "availableReplicas", n.available);
    ctl_json_set_i64(status, "currentReplicas", done ? n.updated : n.current);
    ctl_json_set_i64(status, "updatedReplicas", n.updated);
    ctl_json_set_str(status, "currentRevision", done ? s->update->name : s->current->name);
    ctl_json_set_str(status, "updateRevision", s->update->name);
    ctl_json_set_i64(status, "collisionCount", 0);
    (void)ctl_put(s->c, s->o, json, STORE_STATUS);
}

static int by_ordinal(const void *a, const void *b) {
    const struct member *x = a, *y = b;
    return x->ordinal < y->ordinal ? -1 : x->ordinal > y->ordinal;
}

static void place(struct set *s, struct sim_objs *pods) {
    s->pod = xcalloc((size_t)s->replicas + 1, sizeof *s->pod);
    s->over = xcalloc(pods->n + 1, sizeof *s->over);
    for (size_t i = 0; i < pods->n; i++) {
        struct member m = member_of(s, pods->v[i]);
        m.ordinal = statefulset_ordinal(s->o->name, pods->v[i]->name);
        if (m.ordinal >= 0 && m.ordinal < s->replicas)
            s->pod[m.ordinal] = m;
        else
            s->over[s->nover++] = m;
    }
    qsort(s->over, s->nover, sizeof *s->over, by_ordinal);
}

void statefulset_sync(struct ctl *c, struct ctl_obj *co) {
    struct set s;
    if (!co->sel || !statefulset_read(&s, c, co)) return;
    cleanup_sim_objs struct sim_objs pods = {0};
    adoption_claim(c, co, CK_POD, &pods);
    place(&s, &pods);
    write_status(&s); /* as it was found: what this look does brings the next one */
    bool deleting = obj_deleting(sim_store_json(c->s, co->o));
    if (!deleting && keep_replicas(&s) && scale_down(&s) && s.rolling) roll(&s);
    if (!deleting) statefulset_truncate_history(&s);
    if (s.next != TIME_NEVER) {
        co->mine = true;
        ctl_at(c, co, s.next);
    }
    free(s.pod);
    free(s.over);
}
