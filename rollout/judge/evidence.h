/* From cumulative counters of pods to "so many errors of so many reconciles since the last time", by track.
 * Rules: judge.md, "What is counted". Plain data; nothing here knows a clock. Pure. */
#ifndef ROLLOUT_EVIDENCE_H
#define ROLLOUT_EVIDENCE_H
#include "base/err.h"
#include "base/json.h"
#include "judge/counter.h"
#include "observe/objects.h"

enum { EVIDENCE_MAX_PODS = 256 };

struct evidence_pod {
    char uid[64];
    uint32_t restarts; /* of all its containers */
    double started_s;  /* when the process that counts began, as it says itself; 0: it does not */
    enum track track;
    struct counter count; /* errors of reconciles */
    bool started;         /* it has given numbers since it was first seen */
    int64_t young_ns;     /* the process gave its first numbers then, wall clock; 0: long ago */
    uint32_t
        unseen; /* rounds in a row in which the pod was not listed; the longest unseen makes room first */
};
struct evidence {
    struct evidence_pod *pod;
    size_t n, cap;
    uint64_t carry[TRACKS]; /* errors beyond the number of reconciles, to be counted in a later round */
    uint64_t errors[TRACKS], total[TRACKS]; /* counted since the beginning */
    int64_t began_ns;                       /* when the rollout began, wall clock */
    uint64_t rounds;
    uint32_t dry[TRACKS]; /* rounds in a row in which no pod of the track gave a number; this process's, not
                             written */
    /* While the canary gives numbers and they stand still: rounds so far, and what stable did meanwhile. */
    uint64_t still_rounds, still_stable;
    uint64_t refused; /* pods left out because of EVIDENCE_MAX_PODS, in the last round */
};

struct prom_page;
/* One pod in one round. List every live pod of both tracks, also those whose scrape failed. */
struct pod_sample {
    struct slice uid;
    uint32_t restarts;
    double started_s; /* process_start_time_seconds of the page; 0: not given */
    enum track track;
    int64_t created_ns; /* metadata.creationTimestamp */
    bool terminating;   /* its delta is ignored: controller-runtime counts the cancellations at shutdown as
                           errors */
    bool scraped;       /* the page was read */
    bool present;       /* and the series are there; false: a standby, no evidence */
    uint64_t errors, total;
    const struct prom_page *page; /* what else it has; borrowed. NULL: not read */
    uint32_t oom;                 /* its containers were OOM killed so often */
};
struct evidence_delta {
    uint64_t errors[TRACKS], total[TRACKS];             /* errors <= total */
    uint64_t retried[TRACKS];                           /* errors that are left out, see evidence_round() */
    uint64_t start_errors[TRACKS], start_total[TRACKS]; /* of processes that begin; not in the others */
    uint32_t pods[TRACKS];                              /* that gave a number in this round */
};

void evidence_begin(struct evidence *e, int64_t began_wall_ns); /* empties it */
void evidence_free(struct evidence *e);
void evidence_copy(const struct evidence *from, struct evidence *ret);
/* start_ns: how long a process begins (0: not at all). A fresh one retries each object that is permanently bad ten
 * times in five seconds, and then once in each doubling of its age: what it does in that time is counted apart, and as
 * many errors as its second half saw are left out again in each doubling after it. */
void evidence_round(struct evidence *e, int64_t now_wall_ns, int64_t start_ns, const struct pod_sample *s,
                    size_t n, struct evidence_delta *ret);
/* Where the pod of this uid is in e->pod; e->n: not known. */
size_t evidence_place(const struct evidence *e, struct slice uid);
/* Sum of the cumulative counters as they stand, for `max-error-rate: auto`: since those pods started. */
void evidence_history(const struct pod_sample *s, size_t n, enum track track, uint64_t *ret_errors,
                      uint64_t *ret_total);
/* A counter as pages print it (a double) to a count: not finite or negative is 0, past 2^53 it stays there. */
uint64_t evidence_count(double v);

void evidence_write(const struct evidence *e, struct buf *out); /* a JSON object */
int evidence_read(const cJSON *obj, struct evidence *ret, struct err *err);
#endif
