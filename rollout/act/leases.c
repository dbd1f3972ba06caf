/* Which Leases a plan sees; see leases.h. */
#include "act/leases.h"

void leases_see(struct rollout *r, struct target *t, struct observed *o, struct target_snapshot *snap) {
    const char *name = t->holds == NEED_LEASES ? plan_lease_name(o) : NULL;
    const char *foreign = name && strchr(name, '/') ? name : NULL;
    const struct obs_lease *l = NULL;
    if (t->lease && (!foreign || !foreign_lease_is(t->lease, foreign))) {
        foreign_lease_release(t->lease);
        t->lease = NULL;
    }
    if (foreign && !t->lease) t->lease = foreign_lease_hold(r->leases, foreign);
    if (foreign)
        o->known = foreign_lease_look(t->lease, &l, &o->lease_trouble) && o->known;
    else if (t->holds == NEED_LEASES)
        target_snapshot_leases(r->caches, t->ns, name, snap);
    if (l) target_snapshot_lease(l, snap);
    o->leases = snap->leases;
    o->nleases = snap->nleases;
}
