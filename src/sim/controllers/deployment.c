/* The Deployment controller: one step of a rolling update, a re-creation, or a scaling, as Kubernetes 1.20
 * takes them. */
#include "controllers/deployment.h"

static int64_t min64(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* ---- scaling: paused, or spec.replicas has changed ---- */

/* The only active ReplicaSet; with none the new one, else the youngest. NULL when several are active. */
static struct rs *active_or_latest(struct dep *d) {
    struct rs *active = NULL;
    size_t n = 0;
    for (size_t i = 0; i < d->n; i++) {
        if (d->v[i].spec == 0) continue;
        active = &d->v[i];
        n++;
    }
    if (n > 1) return NULL;
    if (n == 1) return active;
    if (d->new) return d->new;
    return d->n > 0 ? &d->v[d->n - 1] : NULL;
}

static bool saturated(const struct dep *d, const struct rs *r) {
    return r && r->spec == d->replicas && r->desired == d->replicas && r->available == d->replicas;
}

static void scale(struct dep *d) {
    struct rs *one = active_or_latest(d);
    if (one) {
        if (one->spec != d->replicas) (void)deployment_rs_scale(d, one, d->replicas);
        return;
    }
    if (saturated(d, d->new)) {
        for (size_t i = 0; i < d->n; i++)
            if (&d->v[i] != d->new && d->v[i].spec > 0) (void)deployment_rs_scale(d, &d->v[i], 0);
        return;
    }
    if (d->recreate || d->n == 0) return;
    int64_t *want = xcalloc(d->n, sizeof *want);
    deployment_proportional(d, want);
    for (size_t i = 0; i < d->n; i++)
        if (d->v[i].spec > 0) (void)deployment_rs_scale(d, &d->v[i], want[i]);
    free(want);
}

static bool scaling_event(const struct dep *d) {
    for (size_t i = 0; i < d->n; i++)
        if (d->v[i].spec > 0 && d->v[i].desired >= 0 && d->v[i].desired != d->replicas) return true;
    return false;
}

/* No new ReplicaSet is made here: that is what pausing means. */
static void sync_scale(struct dep *d) {
    if (!deployment_sync_revision(d, false)) return;
    scale(d);
    deployment_write_status(d, DEP_STATUS_ONLY);
    if (d->paused) deployment_cleanup(d);
}

/* ---- rolling update ---- */

static bool grow_new(struct dep *d) {
    struct rs *r = d->new;
    if (r->spec == d->replicas) return false;
    if (r->spec > d->replicas) return deployment_rs_scale(d, r, d->replicas);
    return deployment_rs_scale(d, r, deployment_new_rs_replicas(d, r->spec));
}

/* Old pods that are not available are deleted first: up to max of them. */
static int64_t drop_unhealthy(struct dep *d, int64_t max) {
    int64_t total = 0;
    for (size_t i = 0; i < d->n && total < max; i++) {
        struct rs *r = &d->v[i];
        int64_t sick = r->spec - r->available;
        if (r == d->new || r->spec == 0 || sick <= 0) continue;
        int64_t n = min64(max - total, sick);
        (void)deployment_rs_scale(d, r, r->spec - n);
        total += n;
    }
    return total;
}

static int64_t drop_old(struct dep *d) {
    int64_t available = 0, total = 0;
    for (size_t i = 0; i < d->n; i++) available += d->v[i].available;
    int64_t spare = available - (d->replicas - d->unavailable);
    for (size_t i = 0; i < d->n && total < spare; i++) {
        struct rs *r = &d->v[i];
        if (r == d->new || r->spec == 0) continue;
        int64_t n = min64(r->spec, spare - total);
        (void)deployment_rs_scale(d, r, r->spec - n);
        total += n;
    }
    return total;
}

static bool shrink_old(struct dep *d) {
    if (deployment_rs_sum_spec(d, true) == 0) return false;
    int64_t unready_new = d->new->spec - d->new->available;
    int64_t max = deployment_rs_sum_spec(d, false) - (d->replicas - d->unavailable) - unready_new;
    if (max <= 0) return false;
    int64_t dropped = drop_unhealthy(d, max);
    return dropped + drop_old(d) > 0;
}

static void finish(struct dep *d) {
    bool done = deployment_complete(d);
    deployment_write_status(d, DEP_STATUS_ROLLOUT);
    if (done) deployment_cleanup(d);
}

static void roll(struct dep *d) {
    if (!deployment_sync_revision(d, true)) return;
    if (grow_new(d) || shrink_old(d))
        deployment_write_status(d, DEP_STATUS_ROLLOUT);
    else
        finish(d);
}

/* ---- re-creation ---- */

static bool see_running(void *ctx, struct sim_obj *pod) {
    const char *phase = json_str_or(json_get(pod->json, "status"), "phase", "");
    bool *running = ctx;
    *running = strcmp(phase, "Failed") != 0 && strcmp(phase, "Succeeded") != 0;
    return !*running;
}

static bool old_pods_running(struct dep *d) {
    bool running = false;
    for (size_t i = 0; i < d->n && !running; i++)
        if (&d->v[i] != d->new)
            sim_store_owned(d->c->s, obj_uid(sim_store_json(d->c->s, d->v[i].o)), d->c->pods, see_running,
                            &running);
    return running;
}

static void recreate(struct dep *d) {
    if (!deployment_sync_revision(d, false)) return;
    bool scaled = false;
    for (size_t i = 0; i < d->n; i++)
        if (&d->v[i] != d->new && d->v[i].spec > 0 && deployment_rs_scale(d, &d->v[i], 0)) scaled = true;
    if (scaled || old_pods_running(d)) {
        deployment_write_status(d, DEP_STATUS_ROLLOUT);
        return;
    }
    if (!d->new && !deployment_sync_revision(d, true)) return;
    if (d->new->spec != d->replicas) (void)deployment_rs_scale(d, d->new, d->replicas);
    finish(d);
}

/* ---- one look ---- */

void deployment_sync(struct ctl *c, struct ctl_obj *co) {
    struct dep d;
    if (deployment_read(&d, c, co) < 0) return;
    if (d.deleting) {
        deployment_write_status(&d, DEP_STATUS_ONLY);
    } else {
        deployment_paused_condition(&d);
        if (d.paused)
            sync_scale(&d);
        else if (scaling_event(&d))
            sync_scale(&d);
        else if (d.recreate)
            recreate(&d);
        else
            roll(&d);
    }
    deployment_free(&d);
}
