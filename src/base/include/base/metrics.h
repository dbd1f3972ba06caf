/* A metrics registry written as Prometheus text. The number of series of a family is capped: past the cap,
 * values go to one series whose labels are all "other", and `handover_metrics_series_dropped_total` says so.
 * Handles stay valid until metrics_free(), or until their family is cleared.
 * Pure: no clock, no I/O. */
#ifndef BASE_METRICS_H
#define BASE_METRICS_H
#include "base/buf.h"

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };
enum { METRIC_MAX_LABELS = 6 };
struct metrics;
struct metric_family;
struct metric;

struct metrics *metrics_new(size_t max_series_per_family);
void metrics_free(struct metrics *m);
/* The same name again gives the same family (type and labels must be the same: else abort, it is a
 * programming error). labels: names separated by ',' or "". buckets: upper limits in ascending order, without
 * +Inf; NULL but for histograms. */
struct metric_family *metrics_family(struct metrics *m, enum metric_type type, const char *name,
                                     const char *help, const char *labels, const double *buckets,
                                     size_t nbuckets);
/* The series with these label values (as many as names), made at zero on first use. Never NULL. */
struct metric *metric_with(struct metric_family *f, const char *const *values);
struct metric *metric_plain(struct metric_family *f); /* of a family without labels */
void metrics_family_clear(struct metric_family *f);   /* all its series go, with their handles */
void metric_add(struct metric *m, double by);
static inline void metric_inc(struct metric *m) {
    metric_add(m, 1);
}
void metric_set(struct metric *m, double value);
void metric_observe(struct metric *m, double value);
double metric_value(const struct metric *m); /* histograms: the count */
/* Gauges that are computed on demand: called before each metrics_write(). */
void metrics_on_collect(struct metrics *m, void (*fn)(void *ctx), void *ctx);
void metrics_off_collect(struct metrics *m, void (*fn)(void *ctx),
                         void *ctx);                   /* for what does not live as long */
int metrics_write(struct metrics *m, struct buf *out); /* families in order of registration */
extern const double metrics_seconds[12];               /* buckets from 1 ms to 60 s */
#endif
