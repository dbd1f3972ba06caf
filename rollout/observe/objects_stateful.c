/* What is a StatefulSet's own: its revisions, as if they were ReplicaSets, and what keeps it from being a target. */
#include "observe/objects_impl.h"
#include "api/meta.h"
#include "api/template.h"
#include "base/json_raw.h"
#include <errno.h>

/* A pod of a ReplicaSet has no ordinal: the labels that name it say whether a container reads its own. */
static const char *identity_read(struct slice tmpl) {
    static const char *const labels[] = {"statefulset.kubernetes.io/pod-name",
                                         "apps.kubernetes.io/pod-index"};
    for (size_t i = 0; i < ARRAY_LEN(labels); i++)
        if (memmem(tmpl.p, tmpl.n, labels[i], strlen(labels[i]))) return labels[i];
    return NULL;
}

/* Their names are those of the volumes that its pods get. */
static char *claims_of(const cJSON *spec) {
    const cJSON *claim, *all = json_arr(spec, "volumeClaimTemplates");
    if (!all || !all->child) return NULL;
    struct buf names = BUF(1 << 20);
    cJSON_ArrayForEach(claim, all) {
        buf_addc(&names, names.n ? ',' : '[');
        buf_add_json(&names, slice_of(json_str_or(json_get(claim, "metadata"), "name", "?")));
    }
    buf_addc(&names, ']');
    return buf_take(&names);
}

static char *unfit(const char *strategy, struct slice tmpl) {
    const char *label = identity_read(tmpl);
    if (label)
        return xasprintf("spec.template: read label %s; a template that tells its containers their ordinal "
                         "is not allowed: "
                         "a canary has none",
                         label);
    if (strcmp(strategy, "RollingUpdate") != 0)
        return xasprintf(
            "spec.updateStrategy.type: read %.40s; allowed is RollingUpdate, by whose partition a new "
            "template is held",
            strategy);
    return NULL;
}

void observe_stateful(const cJSON *obj, struct slice tmpl, struct obs_target *t) {
    const cJSON *spec = json_get(obj, "spec"), *status = json_get(obj, "status");
    const cJSON *strategy = json_get(spec, "updateStrategy");
    int64_t partition = json_i64(json_get(strategy, "rollingUpdate"), "partition", 0);
    t->partition = (int32_t)(partition < 0 ? 0 : partition > HELD_PARTITION ? HELD_PARTITION : partition);
    t->paused = t->partition == HELD_PARTITION;
    t->held = t->recreate = false;
    t->deadline_s = -1;
    t->history = 10; /* no revision in use is ever deleted */
    t->current = xstrdup_null(json_str(status, "currentRevision"));
    t->update = xstrdup_null(json_str(status, "updateRevision"));
    if (!json_get(status, "availableReplicas")) t->st_available = t->st_ready; /* before 1.22 */
    t->claims = claims_of(spec);
    t->unfit = unfit(json_str_or(strategy, "type", "RollingUpdate"), tmpl);
}

static bool same(const char *a, const char *b) {
    return a && b && strcmp(a, b) == 0;
}

static bool moved(const struct obs_target *t) { /* one revision, or not known of two */
    return !t->update || same(t->current, t->update);
}

bool obs_revision_unknown(const struct obs_target *t, const char *stable) {
    return obs_is_set(t) && t->current && !moved(t) && !t->current_hash[0] && !same(t->current, stable);
}

int obs_revision_read(struct slice raw, char ret_hash[11], struct slice *ret_tmpl, struct err *err) {
    if (!json_raw_at(raw, "data/spec/template", ret_tmpl))
        return err_set(err, ERR_PROTOCOL, -EINVAL, "ControllerRevision without data.spec.template");
    return template_hash(*ret_tmpl, ret_hash, err);
}

static struct obs_rs *revision(const struct obs_target *t, const char *name, struct obs_rs *ret, size_t *n) {
    for (size_t i = 0; i < *n; i++)
        if (same(ret[i].name, name)) return &ret[i];
    if (*n == OBS_REVISIONS) return NULL;
    struct obs_rs *r = &ret[(*n)++];
    *r = (struct obs_rs){.name = xstrdup(name), .uid = xstrdup(name), .rv = xstrdup(t->rv), .observed = true};
    r->owner_uid = xstrdup(t->uid);
    return r;
}

/* Pods that are asked to end do not count: what follows them is of another revision, perhaps. */
static void count_pods(const struct obs_target *t, const struct obs_pod *pods, size_t npods,
                       struct obs_rs *ret, size_t *n) {
    for (size_t i = 0; i < npods; i++) {
        const struct obs_pod *p = &pods[i];
        struct obs_rs *r =
            same(p->rs_name, t->id) && p->rs_uid && !p->terminating ? revision(t, p->rs_uid, ret, n) : NULL;
        if (!r) continue;
        r->st_replicas++;
        r->st_ready += p->ready;
        r->st_available += p->ready;
    }
}

size_t obs_revisions(const struct obs_target *t, const char *stable, const char *hash,
                     const struct obs_pod *pods, size_t npods, struct obs_rs ret[OBS_REVISIONS]) {
    size_t n = 0;
    if (!obs_is_set(t) || !t->current) return 0;
    struct obs_rs *current = revision(t, t->current, ret, &n);
    bool observed = t->observed_generation >= t->generation;
    if (same(t->current, stable) && hash) memcpy(current->hash, hash, strlen(hash) + 1);
    if (t->current_hash[0]) memcpy(current->hash, t->current_hash, sizeof current->hash);
    if (!moved(t)) {
        struct obs_rs *update = revision(t, t->update, ret, &n);
        if (observed) memcpy(update->hash, t->hash, sizeof update->hash);
    } else if (observed) {
        memcpy(current->hash, t->hash, sizeof current->hash);
    }
    count_pods(t, pods, npods, ret, &n);
    int32_t others = 0;
    for (size_t i = 1; i < n; i++) {
        struct obs_rs *r = &ret[i];
        if (!npods && same(r->name, t->update)) r->st_replicas = t->st_updated;
        r->replicas = r->st_replicas;
        others += r->replicas;
    }
    current->replicas = t->replicas > others ? t->replicas - others : 0;
    if (n == 1 || !npods) {
        current->st_replicas = t->st_replicas - others < 0 ? 0 : t->st_replicas - others;
        current->st_ready = t->st_ready;
        current->st_available = t->st_available;
    }
    return n;
}
