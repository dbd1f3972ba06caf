/* StatefulSets. One is held by a partition that no ordinal reaches: its controller then makes every pod from the current revision. The
 * user's own partition is put back for a promotion. As long as the current revision has not moved, a promotion is undone by the
 * same partition and by deleting the pods of other revisions; the controller moves it when all pods are of the new one and ready,
 * and when there is none: then nothing is left to go back to. */
#include "plan/plan_ctx.h"
#include "base/json_raw.h"
#include <errno.h>

bool plan_one_revision(const struct obs_target *t) {
    return !obs_is_set(t) || (t->current && t->update && !strcmp(t->current, t->update));
}

/* A canary is a pod beside the set's: which claim would be its own? */
static int no_claims(const struct obs_target *t, struct err *err) {
    struct json_raw_it it = json_raw_each(slice_of(t->claims));
    struct slice first = {0};
    int n = 0;
    for (; json_raw_next(&it); n++)
        if (!n) first = slice_make(it.value.p + 1, it.value.n - 2);
    return err_set(
        err, ERR_CONFIG, -EINVAL,
        "spec.volumeClaimTemplates: read %d (%.*s); allowed are none, or any with annotation " HANDOVER_PREFIX
        "canary-volumes: empty, for an operator that can begin with empty ones: "
        "a canary is a pod beside the set's, and has no claim of its own",
        n, first.n < 60 ? (int)first.n : 60, first.p);
}

int plan_target_fits(const struct obs_target *t, const struct spec *spec, struct err *err) {
    if (t->claims && !spec->empty_volumes) return no_claims(t, err);
    if (t->unfit) return err_set(err, ERR_CONFIG, -EINVAL, "%s", t->unfit);
    if (!obs_is_set(t) || spec->mode == MODE_AUTO || spec->mode == MODE_REPLICAS) return 0;
    bool leader = spec->mode == MODE_LEADER;
    return err_set(
        err, ERR_CONFIG, -EINVAL,
        "annotation " HANDOVER_PREFIX "mode: read \"%s\"; allowed for a StatefulSet is auto or replicas: %s",
        leader ? "leader" : "objects",
        leader ? "one at zero replicas takes its new template into service"
               : "whether stable leaves objects to the canary is not looked up in its revision yet");
}

bool plan_hold_for_partition(struct plan_ctx *c, const char *what) {
    return plan_hold(c, HOLD_USER_PAUSED, TEXT_FOLLOWS,
                     "spec.updateStrategy.rollingUpdate.partition is %d by another client; it is %s when "
                     "that is 0: kubectl "
                     "patch statefulset/%s -n %s -p "
                     "'{\"spec\":{\"updateStrategy\":{\"rollingUpdate\":{\"partition\":0}}}}'",
                     c->t->partition, what, c->t->name, c->t->ns);
}

bool plan_at_partition(const struct plan_ctx *c) {
    const struct obs_target *t = c->t;
    if (t->partition <= 0 || t->paused) return false;
    int32_t above = t->replicas > t->partition ? t->replicas - t->partition : 0;
    return t->st_updated >= above && t->st_available >= t->replicas;
}

void plan_set_partition(const struct plan_ctx *c, struct buf *out) {
    int32_t own = c->s && c->s->partition > 0 ? c->s->partition : 0;
    buf_addf(out, "{\"type\":\"RollingUpdate\",\"rollingUpdate\":{\"partition\":%d}}",
             c->patch.paused == PAUSED_SET ? HELD_PARTITION : own);
}

static const struct obs_rs *current(const struct plan_ctx *c) {
    for (size_t i = 0; i < c->o->nrs; i++)
        if (plan_is_own(c, &c->o->rs[i]) && !strcmp(c->o->rs[i].uid, c->t->current)) return &c->o->rs[i];
    return NULL;
}

bool plan_other_revision(const struct plan_ctx *c) {
    const struct obs_rs *now = c->t->current ? current(c) : NULL;
    for (size_t i = 0; i < c->o->nrs; i++)
        if (plan_is_active(c, &c->o->rs[i]) && &c->o->rs[i] != now) return true;
    return now && now != c->stable;
}

/* In phases of ours it was our own promotion that ended a moment before it was to be undone. */
static const char *how_it_moved(const struct plan_ctx *c) {
    enum phase p = c->s->phase;
    bool ours = p == PHASE_CANCELLING || p == PHASE_ROLLING_BACK || p == PHASE_FINISHING;
    if (c->t->replicas == 0)
        return "the StatefulSet is scaled to zero, and its controller takes what waits as current then";
    return ours ? "the StatefulSet controller had replaced all pods"
                : "another client lowered the StatefulSet's partition";
}

static void delete_pod(struct plan_ctx *c, const struct obs_pod *p) {
    struct step *s =
        plan_step_add(c, STEP_POD_DELETE, VERB_DELETE, &gvr_pods, p->name,
                      "delete a pod of another version; its controller makes it from stable's revision");
    if (!s) return;
    struct buf b = BUF(1024);
    buf_adds(&b, "{\"apiVersion\":\"v1\",\"kind\":\"DeleteOptions\",\"preconditions\":{\"uid\":");
    buf_add_json(&b, slice_of(p->uid));
    buf_adds(&b, "}}");
    s->gone_ok = true;
    s->uid = xstrdup(p->uid);
    s->body = buf_take(&b);
    buf_free(&b);
}

enum held_back plan_undo_revision(struct plan_ctx *c) {
    const struct obs_rs *now = current(c);
    plan_revisit(c, c->now + POLL_NS);
    if (!now || !plan_spec_observed(c)) return BACK_BUSY;
    if (now != c->stable) return now->hash[0] ? plan_accept(c, now, how_it_moved(c)) : BACK_BUSY;
    if (!c->t->paused) return BACK_BUSY;
    for (size_t i = 0; i < c->o->npods; i++) {
        const struct obs_pod *p = &c->o->pods[i];
        bool of_set = p->rs_name && !strcmp(p->rs_name, c->t->id) && p->rs_uid;
        if (of_set && !p->terminating && strcmp(p->rs_uid, c->t->current) != 0) delete_pod(c, p);
    }
    return BACK_BUSY;
}
