/* What the caches have of one target at one moment; see snapshot.h. */
#include "observe/snapshot.h"

static void add_rs(void *ctx, const struct obs_rs *r) {
    struct target_snapshot *s = ctx;
    s->rs = xrealloc(s->rs, (s->nrs + 1) * sizeof *s->rs);
    s->rs[s->nrs++] = *r;
}

static void add_pod(void *ctx, const struct obs_pod *p) {
    struct target_snapshot *s = ctx;
    s->pods = xrealloc(s->pods, (s->npods + 1) * sizeof *s->pods);
    s->pods[s->npods++] = *p;
}

static void add_lease(void *ctx, const struct obs_lease *l) {
    struct target_snapshot *s = ctx;
    if (!obs_lease_pod(l).n) return;
    s->leases = xrealloc(s->leases, (s->nleases + 1) * sizeof *s->leases);
    s->leases[s->nleases++] = *l;
}

void target_snapshot_leases(const struct caches *c, const char *ns, struct target_snapshot *s) {
    caches_each_lease(c, ns, add_lease, s);
}

void target_snapshot_begin(const struct caches *c, const char *ns, const char *name,
                           struct target_snapshot *ret) {
    *ret = (struct target_snapshot){.target = caches_target(c, ns, name), .state = caches_state(c, ns, name)};
}

void target_snapshot_add(const struct caches *c, const char *ns, const char *uid, struct target_snapshot *s) {
    caches_each_rs(c, ns, uid, add_rs, s);
    for (size_t i = 0; i < s->nrs; i++) caches_each_pod(c, ns, s->rs[i].uid, add_pod, s);
}

void target_snapshot_free(struct target_snapshot *s) {
    free(s->rs);
    free(s->pods);
    free(s->leases);
    *s = (struct target_snapshot){0};
}
