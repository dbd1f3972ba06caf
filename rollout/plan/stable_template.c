/* Stable's template, kept in the state while the Deployment controller would delete stable's ReplicaSet if it were at
 * zero with another template in the spec (revisionHistoryLimit), and the ReplicaSet made anew from it. */
#include "api/template.h"
#include "base/json_raw.h"
#include "plan/canary.h"
#include "plan/plan_ctx.h"
#include <errno.h>

/* The controller keeps the newest `history` of its old ReplicaSets at zero. Below the default limit the template is kept in
 * any case: a target at rest does not look at its ReplicaSets (plan_needs()). */
static bool at_risk(const struct plan_ctx *c) {
    int32_t newer = 0;
    if (c->t->history < PLAN_SAFE_HISTORY) return true;
    for (size_t i = 0; i < c->o->nrs; i++) {
        const struct obs_rs *r = &c->o->rs[i];
        newer += plan_is_own(c, r) && r != c->stable && r->created_ns >= c->stable->created_ns;
    }
    return newer >= c->t->history;
}

void plan_keep_stable_template(struct plan_ctx *c) {
    struct state *s = c->s;
    if (!c->o->known || !c->stable || !plan_same_hash(c->t->hash, s->stable_hash)) return;
    bool keep = at_risk(c) && strlen(c->t->tmpl) <= STATE_MAX_TEMPLATE;
    if (keep && s->stable_template && !strcmp(s->stable_template, c->t->tmpl)) return;
    free(s->stable_template);
    s->stable_template = keep ? xstrdup(c->t->tmpl) : NULL;
}

static void write_owner(const struct obs_target *t, struct buf *out) {
    buf_adds(out, "[{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"name\":");
    buf_add_json(out, slice_of(t->name));
    buf_adds(out, ",\"uid\":");
    buf_add_json(out, slice_of(t->uid));
    buf_adds(out, ",\"controller\":true,\"blockOwnerDeletion\":false}]");
}

/* As its controller makes them: NAME-HASH, where the hash is a label of the Pods, too. */
static int stable_manifest(const struct obs_target *t, const struct state *s, struct buf *out,
                           struct err *err) {
    const char *dash = strrchr(s->stable_name, '-'), *hash = dash && dash[1] ? dash + 1 : s->stable_hash;
    const char *pairs[] = {LABEL_POD_HASH, hash};
    cleanup_buf struct buf tmpl = BUF(1 << 20);
    struct slice labels = SL("{}");
    int rc = template_with_labels(slice_of(s->stable_template), pairs, 1, &tmpl, err);
    if (rc < 0) return rc;
    json_raw_at(buf_slice(&tmpl), "metadata/labels", &labels);
    cleanup_free char *ours = xasprintf("\"" LABEL_POD_HASH "\":\"%s\"", hash);
    buf_adds(out, "{\"apiVersion\":\"apps/v1\",\"kind\":\"ReplicaSet\",\"metadata\":{\"name\":");
    buf_add_json(out, slice_of(s->stable_name));
    buf_adds(out, ",\"namespace\":");
    buf_add_json(out, slice_of(t->ns));
    buf_adds(out, ",\"labels\":");
    buf_add(out, labels);
    buf_adds(out, ",\"ownerReferences\":");
    write_owner(t, out);
    buf_addf(out, "},\"spec\":{\"replicas\":%d,\"selector\":", t->replicas);
    canary_selector(t, ours, out);
    buf_adds(out, ",\"template\":");
    buf_add(out, buf_slice(&tmpl));
    buf_adds(out, "}}");
    return out->full
               ? err_set(err, ERR_CONFIG, -E2BIG, "stable's ReplicaSet is larger than %zu bytes", out->max)
               : 0;
}

bool plan_restore_stable(struct plan_ctx *c) {
    struct buf b = BUF(4 << 20);
    struct err e = {0};
    if (!c->s->stable_template || stable_manifest(c->t, c->s, &b, &e) < 0) {
        buf_free(&b);
        return false;
    }
    plan_event(
        c, EV_REPAIRING,
        "stable's ReplicaSet %s was deleted while it was at zero (revisionHistoryLimit %d); creating it "
        "again from the recorded template",
        c->s->stable_name, c->t->history);
    plan_unhold(c);
    struct step *s = plan_step_add(c, STEP_RS, VERB_CREATE, &gvr_replicasets, c->s->stable_name,
                                   "create stable's ReplicaSet again");
    if (s) {
        s->exists_ok = true;
        s->body = buf_take(&b);
    }
    buf_free(&b);
    return true;
}
