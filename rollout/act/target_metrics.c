/* Gauges of the targets. What is gone, or not so any more, has no series: an alert on it ends. */
#include "act/target_metrics.h"

struct gauges {
    struct metric_family *phase, *held, *info;
};

static struct metric_family *gauge(struct metrics *m, const char *name, const char *help,
                                   const char *labels) {
    struct metric_family *f = metrics_family(m, METRIC_GAUGE, name, help, labels, NULL, 0);
    metrics_family_clear(f);
    return f;
}

static void count(struct metrics *m, const struct target *all) {
    double in[PHASES] = {0};
    for (const struct target *t = all; t; t = t->hh.next)
        if (t->state_rv) in[t->face.phase]++;
    struct metric_family *f = metrics_family(m, METRIC_GAUGE, "handover_targets",
                                             "Number of managed Deployments by phase", "phase", NULL, 0);
    for (int i = 0; i < PHASES; i++) {
        const char *label = phase_name((enum phase)i);
        metric_set(metric_with(f, &label), in[i]);
    }
}

/* What holds a new template back, of those that are adopted. */
static void count_ways(struct metrics *m, const struct target *all) {
    static const char *const ways[] = {"pause", "policy"};
    double by[ARRAY_LEN(ways)] = {0};
    for (const struct target *t = all; t; t = t->hh.next)
        if (t->state_rv && t->face.adopted) by[t->face.policy != NULL]++;
    struct metric_family *f = metrics_family(
        m, METRIC_GAUGE, "handover_held_targets",
        "Number of managed Deployments by what holds a new template back: spec.paused at all times, or the "
        "API server's policy",
        "by", NULL, 0);
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) metric_set(metric_with(f, &ways[i]), by[i]);
}

static void show(const struct gauges *g, const struct target *t) {
    const struct target_face *f = &t->face;
    const char *phase[] = {t->ns, t->name, phase_name(f->phase)};
    const char *info[] = {t->ns, t->name, f->stable ? f->stable : "", f->image ? f->image : ""};
    metric_set(metric_with(g->phase, phase), 1);
    metric_set(metric_with(g->info, info), 1);
    if (f->hold == HOLD_NONE) return;
    const char *held[] = {t->ns, t->name, hold_name(f->hold)};
    metric_set(metric_with(g->held, held), (double)f->hold_ns / (double)NS_PER_S);
}

static bool runs(const struct target *t) { /* and nothing else is to be said of it */
    return t->face.phase == PHASE_STABLE && t->face.hold == HOLD_NONE;
}

void target_metrics_collect(struct metrics *m, const struct target *all, size_t max) {
    count(m, all);
    count_ways(m, all);
    if (!max) return;
    if (max > TARGET_METRICS_MAX) max = TARGET_METRICS_MAX;
    struct gauges g = {
        .phase = gauge(m, "handover_target_phase", "1 for the phase that a managed Deployment is in",
                       "namespace,name,phase"),
        .held = gauge(m, "handover_target_held_since_seconds",
                      "Unix time since when a managed Deployment is held, by reason; none while it is not",
                      "namespace,name,reason"),
        .info = gauge(m, "handover_target_info",
                      "1; stable: the ReplicaSet in service, image: of the version on trial or rolled back",
                      "namespace,name,stable,image")};
    for (int urgent = 1; urgent >= 0; urgent--) {
        for (const struct target *t = all; t && max; t = t->hh.next) {
            if (!t->state_rv || runs(t) == (urgent == 1)) continue;
            show(&g, t);
            max--;
        }
    }
}
