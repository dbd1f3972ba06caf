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
    {PM_REHEARSALS, "result",
     "Total number of rehearsals that have come to an end by what they found: nothing, changes, more than "
     "allowed, or a version that fails",
     METRIC_COUNTER},
    {PM_SECONDS, "result", "Duration of rollouts in seconds from their start by result", METRIC_HISTOGRAM},
};

static struct metric_family *family(struct metrics *m, const struct known *k) {
    bool histogram = k->type == METRIC_HISTOGRAM;
    return metrics_family(m, k->type, k->name, k->help, k->label, histogram ? durations : NULL,
                          histogram ? ARRAY_LEN(durations) : 0);
}

/* So that each series is there from the beginning. */
static void series(struct metrics *m, const char *name, const char *label) {
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (strcmp(known[i].name, name) == 0) metric_with(family(m, &known[i]), &label);
}

void rollout_metrics_register(struct metrics *m) {
    static const struct {
        const char *name, *label;
    } others[] = {{PM_ROLLOUTS, "started"},    {PM_ROLLOUTS, "inconclusive_held"}, {PM_QUIET, "quiet"},
                  {PM_QUIET, "waited_out"},    {PM_SLICE_MOVES, "stable"},         {PM_SLICE_MOVES, "moving"},
                  {PM_SLICE_MOVES, "canary"},  {PM_REHEARSALS, "empty"},           {PM_REHEARSALS, "changes"},
                  {PM_REHEARSALS, "exceeded"}, {PM_REHEARSALS, "failed"}};
    for (int i = 0; i < ENDEDS; i++) {
        series(m, PM_ROLLOUTS, ended_name((enum ended)i));
        series(m, PM_SECONDS, ended_name((enum ended)i));
    }
    for (int i = HOLD_NONE + 1; i < HOLDS; i++) series(m, PM_HOLDS, hold_name((enum hold)i));
    for (size_t i = 0; i < ARRAY_LEN(others); i++) series(m, others[i].name, others[i].label);
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (!*known[i].label) metric_plain(family(m, &known[i]));
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
