/* Lease assist. An operator that does not release its Lease when it ends, as controller-runtime's default is, leaves its
 * successor waiting until the Lease expires, 15 s and more. Where the kubelet says that the process which holds it is dead, the
 * Lease is released in its stead: the standby takes it at its next look, within 2 s.
 *
 * That a process is dead is never concluded from a Pod's phase, its deletion or a time-out. Each of its containers has ended, with
 * an exit code that a process left, after the Lease was acquired: both by the clock of the same node. A process that is started
 * again in the same Pod goes on with the Lease, acquireTime and all, if it has the same identity (the Pod's name): then it has
 * renewed it since. */
#include "api/rfc3339.h"
#include "plan/plan_ctx.h"
#include <stdio.h>

enum { UNIQUE = 32 }; /* bytes behind the Pod's name: a UUID, as client-go's users add it */

bool plan_assists(const struct observed *o) {
    if (!o->spec || (o->spec_err && o->spec_err->kind != ERR_NONE) || o->state_known != STATE_READ)
        return false;
    if (o->spec->assist != ASSIST_ROLLOUT) return o->spec->assist == ASSIST_ALWAYS;
    switch (o->state->phase) {
    case PHASE_STARTING:
    case PHASE_SOAKING:
    case PHASE_PROMOTING:
    case PHASE_FINISHING:
    case PHASE_ROLLING_BACK:
    case PHASE_CANCELLING: return true;
    default: return false;
    }
}

/* Pods of the target's own ReplicaSets and of its canaries, and no others. */
static bool owned(const struct plan_ctx *c, const struct dead_pod *p) {
    for (size_t i = 0; i < c->o->nrs; i++)
        if (!strcmp(c->o->rs[i].uid, p->rs_uid)) return true;
    return false;
}

/* Not renewed since its process has died. The kubelet tells whole seconds, so within that one it is not known which process it was;
 * it does not matter where each has an identity of its own. */
static bool is_stale(const struct obs_lease *l, const struct dead_pod *p) {
    bool unique = strlen(l->holder) > strlen(p->name) + UNIQUE;
    return l->renewed_ns && l->renewed_ns < p->died_ns + (unique ? NS_PER_S : 0);
}

static const struct dead_pod *dead_holder(const struct plan_ctx *c, const struct obs_lease *l) {
    for (size_t i = 0; i < DEAD_PODS_MAX; i++) {
        const struct dead_pod *p = &c->o->dead->pod[i];
        if (!p->name || strcmp(p->ns, c->t->ns) != 0 || !obs_lease_held_by(l, p->name)) continue;
        bool its = l->acquired_ns && l->acquired_ns < p->died_ns && (p->over || is_stale(l, p));
        return its && owned(c, p) ? p : NULL;
    }
    return NULL;
}

/* As client-go's own release writes it: a second later nobody doubts that it is free. */
static void release(struct plan_ctx *c, const struct obs_lease *l, const struct dead_pod *p) {
    struct buf b = BUF(1024);
    char now[40], why[200];
    rfc3339_micro(c->now, now);
    snprintf(why, sizeof why, "release Lease %.50s, which the dead pod %.63s held", l->name, p->name);
    bool foreign = strcmp(l->ns, c->t->ns) != 0;
    const char *name = foreign ? l->name + strlen(l->ns) + 1 : l->name;
    struct step *s = plan_step_add(c, STEP_LEASE, VERB_PATCH_MERGE, &gvr_leases, name, why);
    if (!s) return;
    if (foreign) s->ns = xstrdup(l->ns);
    buf_addf(&b,
             "{\"spec\":{\"holderIdentity\":\"\",\"leaseDurationSeconds\":1,\"acquireTime\":\"%s\","
             "\"renewTime\":\"%s\"},\"metadata\":{\"resourceVersion\":",
             now, now);
    buf_add_json(&b, slice_of(l->rv));
    buf_adds(&b, "}}");
    s->body = buf_take(&b);
    s->optional = true;
}

void plan_lease_assist(struct plan_ctx *c) {
    const struct observed *o = c->o;
    if (!c->spec || !o->dead || !plan_assists(o)) return;
    if (plan_is_own_target(c))
        return; /* a successor has the certificate, and is to know that it was not released */
    for (size_t i = 0; i < o->nleases; i++) {
        const struct obs_lease *l = &o->leases[i];
        bool other = c->spec->lease && strcmp(c->spec->lease, l->name) != 0;
        if (other || l->coordinated || !plan_may_lease(c, l)) continue;
        const struct dead_pod *p = dead_holder(c, l);
        if (p) release(c, l, p);
    }
}
