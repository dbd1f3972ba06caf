/* The rollouts' metrics. */
#include "act/rollout_metrics.h"

static const double durations[] = {10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200};
static const struct known {
    const char *name, *label, *help;
    enum metric_type type;
} known[] = {
    {PM_ROLLOUTS, "result", "Total number of rollouts by result; \"started\" counts their starts",
     METRIC_COUNTER},
    {PM_HOLDS, "reason", "Total number of times that a rollout was held by reason", METRIC_COUNTER},
    {PM_QUIET, "outcome", "Total number of waits for an idle canary pod before it is stopped by outcome",
     METRIC_COUNTER},
    {PM_ASSISTS, "", "Total number of Leases that were released in the stead of dead pods", METRIC_COUNTER},
    {PM_SLICE_MOVES, "owner", "Total number of objects that got another owner by their label",
     METRIC_COUNTER},
    {PM_SECONDS, "result", "Duration of rollouts in seconds from their start by result", METRIC_HISTOGRAM},
};

static struct metric_family *family(struct metrics *m, const struct known *k) {
    bool histogram = k->type == METRIC_HISTOGRAM;
    return metrics_family(m, k->type, k->name, k->help, k->label, histogram ? durations : NULL,
                          histogram ? ARRAY_LEN(durations) : 0);
}

void rollout_metrics_register(struct metrics *m) {
    static const char *const quiet[] = {"quiet", "waited_out"},
                             *const owners[] = {"stable", "moving", "canary"}, *const started = "started",
                             *const held = "inconclusive_held";
    for (int i = 0; i < ENDEDS; i++) {
        const char *result = ended_name((enum ended)i);
        metric_with(family(m, &known[0]), &result);
        metric_with(family(m, &known[4]), &result);
    }
    metric_with(family(m, &known[0]), &started);
    metric_with(family(m, &known[0]), &held);
    for (int i = HOLD_NONE + 1; i < HOLDS; i++) {
        const char *reason = hold_name((enum hold)i);
        metric_with(family(m, &known[1]), &reason);
    }
    for (size_t i = 0; i < ARRAY_LEN(quiet); i++) metric_with(family(m, &known[2]), &quiet[i]);
    metric_plain(family(m, &known[3]));
    for (size_t i = 0; i < ARRAY_LEN(owners); i++) metric_with(family(m, &known[4]), &owners[i]);
}

void rollout_metrics_add(struct metrics *m, const struct plan_metric *what) {
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (strcmp(known[i].name, what->name) != 0 || !what->label != !*known[i].label) continue;
        struct metric_family *f = family(m, &known[i]);
        struct metric *series = what->label ? metric_with(f, &what->label) : metric_plain(f);
        if (known[i].type == METRIC_HISTOGRAM)
            metric_observe(series, what->value);
        else
            metric_add(series, what->value);
    }
}
