/* Queries for Prometheus: Handover's own, and those of a target with their variables. Pure. */
#ifndef ROLLOUT_PROMQL_H
#define ROLLOUT_PROMQL_H
#include "base/buf.h"
#include "base/err.h"
#include "base/time.h"

/* How far back raw samples are asked for: as far as Prometheus itself looks by default. */
enum { PROMQL_RANGE_S = 300, PROMQL_MAX = 64 << 10 /* bytes of a query */ };

/* `{__name__=~"a|b",namespace="NS",pod="POD"}[5m]`, of the metrics that promtext.h looks for. */
int promql_of_pod(const char *ns, const char *pod, struct buf *out, struct err *err);

enum promql_kind {
    PROMQL_POD,  /* with $pod: a cumulative count of one pod */
    PROMQL_TRACK /* with $track and $range: a count of a whole track within a time */
};
/* A query of a target's annotation: `sum(jobs_total{namespace="$namespace",pod="$pod"})`. Variables stand for text that is
 * escaped for where they stand; where that is not possible they are refused. $namespace, $pod and $track in "..." or
 * '...', $track in a =~ or !~ matcher only (it becomes an alternation of pod names), $range right behind a [. Each query has
 * $namespace and either $pod, or $track and $range. ERR_CONFIG: "at character 7: ...". */
int promql_check(struct slice query, enum promql_kind *ret, struct err *err);

/* A condition of a target's annotation, which holds where its answer is not empty: `sum(rate(x{namespace="$namespace",
 * pod=~"$track"}[5m])) < 0.1`. It has $namespace, and $track and $range if it wants to, a comparison, and no `bool`, with which an answer
 * is never empty. */
int promql_check_condition(struct slice query, struct err *err);

struct promql_values {
    const char *ns, *pod;
    const char *const *track; /* names of its pods */
    size_t ntrack;
    int64_t range_ms;
};
/* Of a query that promql_check() or promql_check_condition() accepts. */
int promql_fill(struct slice query, const struct promql_values *v, struct buf *out, struct err *err);

/* `&KEY=1700000000.123`, a member of such a form: wall clock. */
void promql_time(const char *key, int64_t wall_ns, struct buf *out);
/* `query=...&time=...&timeout=...`, a form for /api/v1/query. time: wall clock. */
void promql_form(struct slice query, int64_t wall_ns, int64_t timeout_ns, struct buf *out);
#endif
