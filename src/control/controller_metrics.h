/* A controller's metrics, by the names of client-go and controller-runtime. Private. */
#ifndef CONTROL_CONTROLLER_METRICS_H
#define CONTROL_CONTROLLER_METRICS_H
#include "base/metrics.h"
#include "control/queue.h"

enum result { RESULT_SUCCESS, RESULT_ERROR, RESULT_REQUEUE, RESULT_REQUEUE_AFTER, RESULT_COUNT };
struct controller_metrics {
    struct metrics *m;
    char *name;
    struct metric *depth, *active; /* from the beginning */
    /* The others are NULL until the gate opens for the first time: controller-runtime makes its series on
     * starting, and a standby that showed zeros would be taken for a leader without work. */
    struct metric *adds, *retries, *refused, *queue_s, *work_s, *unfinished_s, *longest_s;
    struct metric *total[RESULT_COUNT], *errors, *terminal, *time_s, *max, *interrupted, *dead, *dead_dropped;
    struct queue_stats published;
    uint64_t dropped, dropped_published;
};
void controller_metrics_init(struct controller_metrics *cm, struct metrics *m, const char *name);
void controller_metrics_free(struct controller_metrics *cm); /* the series stay */
void controller_metrics_open(struct controller_metrics *cm); /* makes the other series; may be repeated */
void controller_metrics_started(struct controller_metrics *cm, int64_t waited_ns);
void controller_metrics_ended(struct controller_metrics *cm, int64_t took_ns);
void controller_metrics_result(struct controller_metrics *cm, enum result r, bool terminal);

struct controller_gauges { /* what is computed when somebody looks */
    size_t depth, dead;
    unsigned limit;
    int64_t unfinished_ns, longest_ns;
    struct queue_stats queue;
};
void controller_metrics_collect(struct controller_metrics *cm, const struct controller_gauges *g);
#endif
