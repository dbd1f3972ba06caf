/* The Deployment controller's arithmetic: how many pods may be too many or too few, and how many each
 * ReplicaSet gets. Pure. */
#include "controllers/deployment.h"
#include <math.h>

static int64_t min64(int64_t a, int64_t b) {
    return a < b ? a : b;
}

void deployment_limits(const cJSON *spec, struct dep *d) {
    d->replicas = json_i64(spec, "replicas", 1);
    const cJSON *rolling = json_at(spec, "strategy/rollingUpdate");
    d->recreate = strcmp(json_str_or(json_get(spec, "strategy"), "type", "RollingUpdate"), "Recreate") == 0;
    d->surge = d->unavailable = 0;
    if (d->recreate) return;
    d->surge = ctl_int_or_percent(json_get(rolling, "maxSurge"), d->replicas, true, 0);
    d->unavailable = ctl_int_or_percent(json_get(rolling, "maxUnavailable"), d->replicas, false, 0);
    /* Percentages may round to nothing on both sides, and then nothing could ever move. */
    if (d->surge == 0 && d->unavailable == 0) d->unavailable = 1;
    d->unavailable = min64(d->unavailable, d->replicas);
}

int64_t deployment_new_rs_replicas(const struct dep *d, int64_t current) {
    if (d->recreate) return d->replicas;
    int64_t total = deployment_rs_sum_spec(d, false), room = d->replicas + d->surge - total;
    if (room <= 0) return current;
    return current + min64(room, d->replicas - current);
}

/* What r gains or loses when the whole changes from its `max` annotation's total to the present one. */
static int64_t fraction(const struct dep *d, const struct rs *r) {
    if (d->replicas == 0) return -r->spec;
    int64_t before = r->max > 0 ? r->max : json_i64(json_get(d->o->json, "status"), "replicas", 0);
    if (before <= 0) return 0;
    return (int64_t)floor((double)(r->spec * (d->replicas + d->surge)) / (double)before + 0.5) - r->spec;
}

void deployment_proportional(const struct dep *d, int64_t *want) {
    int64_t total = 0;
    for (size_t i = 0; i < d->n; i++) {
        want[i] = d->v[i].spec;
        total += d->v[i].spec;
    }
    int64_t add = (d->replicas > 0 ? d->replicas + d->surge : 0) - total, added = 0;
    if (add == 0) return;
    /* Largest first; among equals the newest when growing, the oldest when shrinking (v is oldest first). */
    size_t *order = xcalloc(d->n + 1, sizeof *order), n = 0;
    for (size_t i = 0; i < d->n; i++) {
        size_t at = n, me = add > 0 ? d->n - 1 - i : i;
        if (d->v[me].spec == 0) continue;
        while (at > 0 && d->v[order[at - 1]].spec < d->v[me].spec) {
            order[at] = order[at - 1];
            at--;
        }
        order[at] = me;
        n++;
    }
    for (size_t i = 0; i < n; i++) {
        int64_t share = fraction(d, &d->v[order[i]]), left = add - added;
        share = add > 0 ? min64(share, left) : (share > left ? share : left);
        want[order[i]] += share;
        added += share;
    }
    if (n > 0) { /* what rounding left goes to the largest */
        want[order[0]] += add - added;
        if (want[order[0]] < 0) want[order[0]] = 0;
    }
    free(order);
}
