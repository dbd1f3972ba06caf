/* What is there: the target's ReplicaSets, its canaries, how far its controller is. */
#include "plan/canary.h"
#include "plan/plan_ctx.h"
#include <stdio.h>

bool plan_same_hash(const char *a, const char *b) {
    return a[0] && !strcmp(a, b);
}

static bool of_target(const struct plan_ctx *c, const struct obs_rs *r) {
    return r->owner_uid && !strcmp(r->owner_uid, c->t->uid);
}

bool plan_is_own(const struct plan_ctx *c, const struct obs_rs *r) {
    return !r->canary && !r->deleting && of_target(c, r);
}

bool plan_is_active(const struct plan_ctx *c, const struct obs_rs *r) {
    return plan_is_own(c, r) && r->replicas > 0;
}

/* The canary of a rollout: by what it is made of, not only by its labels. */
static bool is_canary(const struct obs_rs *r, const struct state *s, const char *hash) {
    bool same = !s->made[0] || !plan_same_hash(hash, s->hash) || !strcmp(r->made, s->made);
    return r->canary && !r->detached && !r->deleting && plan_same_hash(r->hash, hash) && same;
}

const struct obs_rs *plan_canary_of(const struct plan_ctx *c, const char *hash) {
    for (size_t i = 0; i < c->o->nrs; i++) {
        const struct obs_rs *r = &c->o->rs[i];
        if (of_target(c, r) && is_canary(r, c->s, hash)) return r;
    }
    return NULL;
}

bool plan_any_canary(const struct plan_ctx *c) {
    for (size_t i = 0; i < c->o->nrs; i++) {
        if (c->o->rs[i].canary) return true;
    }
    return false;
}

const struct obs_rs *plan_own_of(const struct plan_ctx *c, const char *hash) {
    const struct obs_rs *best = NULL;
    for (size_t i = 0; i < c->o->nrs; i++) {
        const struct obs_rs *r = &c->o->rs[i];
        if (!plan_is_own(c, r) || !plan_same_hash(r->hash, hash)) continue;
        bool better = !best || r->replicas > best->replicas ||
                      (r->replicas == best->replicas && r->created_ns > best->created_ns);
        if (better) best = r;
    }
    return best;
}

size_t plan_count_active(const struct plan_ctx *c, const struct obs_rs **ret_last) {
    size_t n = 0;
    for (size_t i = 0; i < c->o->nrs; i++) {
        const struct obs_rs *r = &c->o->rs[i];
        if (!plan_is_active(c, r)) continue;
        n++;
        if (ret_last) *ret_last = r;
    }
    return n;
}

bool plan_spec_observed(const struct plan_ctx *c) {
    return c->t->observed_generation >= c->t->generation;
}

bool plan_native_complete(const struct plan_ctx *c) {
    const struct obs_target *t = c->t;
    return plan_spec_observed(c) && plan_one_revision(t) && t->st_updated == t->replicas &&
           t->st_replicas == t->replicas && t->st_available == t->replicas;
}

bool plan_rollout_stands_still(const struct obs_target *t) {
    return t->progressing && !strcmp(t->progressing, "ProgressDeadlineExceeded");
}

int64_t plan_original_deadline(const struct state *s) {
    return s->deadline_s >= 0 && s->deadline_s < HELD_DEADLINE ? s->deadline_s : DEFAULT_DEADLINE_S;
}

struct claim_words plan_shared_claim(const struct plan_ctx *c) {
    struct claim_words r = {""};
    cleanup_buf struct buf claim = BUF(1024);
    if (c->spec && !c->spec->empty_volumes && template_shared_claim(slice_of(c->t->tmpl), &claim))
        snprintf(r.text, sizeof r.text,
                 "; the canary mounts stable's claim %.100s, too: annotation " HANDOVER_PREFIX
                 "canary-volumes: empty gives it an empty volume instead",
                 buf_str(&claim));
    return r;
}

const char *plan_config_error(const struct plan_ctx *c) {
    return c->o->spec_err && c->o->spec_err->msg[0] ? c->o->spec_err->msg : "the annotations are not valid";
}

void plan_take_stable(struct plan_ctx *c, const struct obs_rs *rs) {
    struct state *s = c->s;
    free(s->stable_name);
    free(s->stable_uid);
    s->stable_name = xstrdup(rs->name);
    s->stable_uid = xstrdup(rs->uid);
    if (!plan_same_hash(s->stable_hash, rs->hash)) {
        s->unjudged = false;
        free(s->stable_template);
        s->stable_template = NULL;
    }
    memcpy(s->stable_hash, rs->hash, sizeof s->stable_hash);
    c->stable = rs;
}

void plan_find_stable(struct plan_ctx *c) {
    c->stable = NULL;
    for (size_t i = 0; i < c->o->nrs && c->s->stable_uid; i++) {
        const struct obs_rs *r = &c->o->rs[i];
        if (plan_is_own(c, r) && !strcmp(r->uid, c->s->stable_uid)) c->stable = r;
    }
    if (c->stable && c->stable->hash[0])
        memcpy(c->s->stable_hash, c->stable->hash,
               sizeof c->s->stable_hash); /* a later version may hash otherwise */
    if (c->stable || !c->s->stable_hash[0]) return;
    /* Deleted and made anew (the same template): it is stable all the same. */
    const struct obs_rs *again = plan_own_of(c, c->s->stable_hash);
    if (again && again->replicas > 0) plan_take_stable(c, again);
}

/* Which ReplicaSet is it of? Its own labels prove nothing. */
static bool track_of(const struct observed *o, const struct obs_pod *p, enum track *ret) {
    for (size_t i = 0; i < o->nrs; i++) {
        const struct obs_rs *r = &o->rs[i];
        if (!p->rs_uid || strcmp(p->rs_uid, r->uid) != 0) continue;
        *ret = r->canary && !r->detached ? TRACK_CANARY : TRACK_STABLE;
        return *ret == TRACK_STABLE || !o->state || is_canary(r, o->state, r->hash);
    }
    return false;
}

size_t plan_own_pods(const struct observed *o, struct obs_pod *pods, size_t n) {
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        struct obs_pod p = pods[i];
        if (track_of(o, &p, &p.track)) pods[kept++] = p;
    }
    return kept;
}
