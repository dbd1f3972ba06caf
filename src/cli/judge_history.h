/* What a Prometheus server remembers of an update, replayed as a rollout. Pure. */
#ifndef CLI_JUDGE_HISTORY_H
#define CLI_JUDGE_HISTORY_H
#include "judge/judge.h"

enum {
    HISTORY_MAX_ANSWER = 32 << 20, /* bytes of an answer: the caller reads no more */
    HISTORY_MAX_STEPS = 10000,     /* Prometheus itself refuses more than 11,000 points of a series */
};

/* Which series an answer has. */
enum judge_history_kind {
    HISTORY_BY_RESULT, /* all reconciles; those with result="error" are the errors */
    HISTORY_ALL,
    HISTORY_ERRORS
};
struct judge_history_series;
struct judge_history { /* zero: empty */
    struct judge_history_series *v;
    size_t n, cap;
};
/* Adds the series of an answer to /api/v1/query_range: counters, each with a label `pod`; its label `controller` (or
 * `controller_name`) is optional. ERR_PROTOCOL: no such answer, or a series without `pod`, a number that is no count; ERR_REJECTED: the
 * API's own error, in its words. */
int judge_history_add(struct judge_history *h, enum judge_history_kind kind, struct slice answer,
                      struct err *err);
void judge_history_free(struct judge_history *h); /* leaves it empty */

struct judge_history_spec {
    int64_t start_ns, end_ns, step_ns; /* wall clock; points are at start + k * step */
    const char *canary;                /* pods whose names begin with it and a '-', or are it: the canary's */
    struct judge_param p;              /* soak_ns, min_soak_ns in real time */
    bool learn;                        /* theta from stable, as with `max-error-rate: auto` */
};
/* Called for each step from the canary's first moment on; false: no more. */
typedef bool (*judge_history_verdict)(void *ctx, uint64_t scrape, int64_t wall_ns,
                                      const struct judge_report *r);
/* The rollout begins at the step before the first one that has canary pods. ERR_CONFIG: there is no canary in it. */
int judge_history_replay(const struct judge_history *h, const struct judge_history_spec *spec,
                         judge_history_verdict on_verdict, void *ctx, struct err *err);
#endif
