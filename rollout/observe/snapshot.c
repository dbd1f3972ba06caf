/* What the caches have of one target at one moment; see snapshot.h. */
#include "observe/snapshot.h"
#include "observe/dead_pods.h"

static void add_rs(void *ctx, const struct obs_rs *r) {
    struct target_snapshot *s = ctx;
    if (r->rehearsed != REHEARSED_NONE) {
        s->rehearsals = xrealloc(s->rehearsals, (s->nrehearsals + 1) * sizeof *s->rehearsals);
        s->rehearsals[s->nrehearsals++] = *r;
        return;
    }
    s->rs = xrealloc(s->rs, (s->nrs + 1) * sizeof *s->rs);
    s->rs[s->nrs++] = *r;
}

static void add_pod(void *ctx, const struct obs_pod *p) {
    struct target_snapshot *s = ctx;
    s->pods = xrealloc(s->pods, (s->npods + 1) * sizeof *s->pods);
    s->pods[s->npods++] = *p;
}

static void add_rehearsal_pod(void *ctx, const struct obs_pod *p) {
    struct target_snapshot *s = ctx;
    s->rehearsal_pods = xrealloc(s->rehearsal_pods, (s->nrehearsal_pods + 1) * sizeof *s->rehearsal_pods);
    s->rehearsal_pods[s->nrehearsal_pods++] = *p;
}

static void add_lease(void *ctx, const struct obs_lease *l) {
    struct target_snapshot *s = ctx;
    if (s->nleases == SNAPSHOT_LEASES) return;
    for (size_t i = 0; i < s->nleases; i++)
        if (strcmp(s->leases[i].name, l->name) == 0) return;
    s->leases = xrealloc(s->leases, (s->nleases + 1) * sizeof *s->leases);
    s->leases[s->nleases++] = *l;
}

void target_snapshot_lease(const struct obs_lease *l, struct target_snapshot *s) {
    add_lease(s, l);
}

static bool has_rs(const struct target_snapshot *s, const char *uid) {
    for (size_t i = 0; i < s->nrs; i++)
        if (strcmp(s->rs[i].uid, uid) == 0) return true;
    return false;
}

void target_snapshot_leases(const struct caches *c, const char *ns, const char *lease,
                            struct target_snapshot *s) {
    const struct dead_pods *dead = caches_dead_pods(c);
    const struct obs_lease *named = lease ? caches_lease(c, ns, lease) : NULL;
    if (named) add_lease(s, named);
    for (size_t i = 0; i < s->npods; i++) caches_each_lease(c, ns, s->pods[i].name, add_lease, s);
    for (size_t i = 0; i < DEAD_PODS_MAX; i++) {
        const struct dead_pod *p = &dead->pod[i];
        if (p->name && !strcmp(p->ns, ns) && has_rs(s, p->rs_uid))
            caches_each_lease(c, ns, p->name, add_lease, s);
    }
}

void target_snapshot_begin(const struct caches *c, const char *ns, const char *name,
                           struct target_snapshot *ret) {
    *ret = (struct target_snapshot){.target = caches_target(c, ns, name), .state = caches_state(c, ns, name)};
}

/* Its pods are its own, and its revisions take the place of ReplicaSets. */
static void add_set(const struct caches *c, const struct obs_target *t, const char *stable, const char *hash,
                    struct target_snapshot *s) {
    struct obs_rs found[OBS_REVISIONS];
    caches_each_pod(c, t->ns, t->uid, add_pod, s);
    s->nrevisions = obs_revisions(t, stable, hash, s->pods, s->npods, found);
    for (size_t i = 0; i < s->nrevisions; i++) add_rs(s, &found[i]);
}

void target_snapshot_add(const struct caches *c, const char *ns, const char *uid, const char *stable,
                         const char *hash, struct target_snapshot *s) {
    caches_each_rs(c, ns, uid, add_rs, s);
    for (size_t i = 0; i < s->nrs; i++) caches_each_pod(c, ns, s->rs[i].uid, add_pod, s);
    for (size_t i = 0; i < s->nrehearsals; i++)
        caches_each_pod(c, ns, s->rehearsals[i].uid, add_rehearsal_pod, s);
    if (s->target && obs_is_set(s->target)) add_set(c, s->target, stable, hash, s);
}

void target_snapshot_free(struct target_snapshot *s) {
    for (size_t i = s->nrs - s->nrevisions; i < s->nrs; i++) obs_rs_free(&s->rs[i]);
    free(s->rs);
    free(s->rehearsals);
    free(s->rehearsal_pods);
    free(s->pods);
    free(s->leases);
    *s = (struct target_snapshot){0};
}
