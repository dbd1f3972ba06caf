/* Signals beside errors: what a bad version does while its reconciles succeed. It reconciles without end or not at all, hangs,
 * writes more, is slower, panics, fails its webhooks, overloads the API server, eats memory, loses its lease. Each signal is a
 * test that is valid at every look, or a guard; docs/judge.md has the table. Natural logarithms. Pure; the state is plain
 * data that goes through JSON without losing a bit. */
#ifndef ROLLOUT_SIGNALS_H
#define ROLLOUT_SIGNALS_H
#include "judge/judge.h"
#include "observe/objects.h"

enum signal {
    SIGNAL_WORK,       /* reconciles, in comparison with a pod of stable */
    SIGNAL_STUCK,      /* a reconcile that does not end, keys that nobody takes */
    SIGNAL_WRITES,     /* writes to the API server for each reconcile */
    SIGNAL_LATENCY,    /* reconciles that take longer than nearly all of stable's did */
    SIGNAL_PANICS,     /* recovered ones */
    SIGNAL_WEBHOOKS,   /* answered with a 5xx */
    SIGNAL_API,        /* requests answered with 429 or 5xx */
    SIGNAL_MEMORY,     /* it grows and stable's does not */
    SIGNAL_OOM,        /* a container that was OOM killed */
    SIGNAL_LEADERSHIP, /* lost, twice */
    SIGNALS
};
enum signal_does {
    SIGNAL_OFF,
    SIGNAL_HOLD,     /* holds, and asks a person */
    SIGNAL_DEADLINE, /* holds, and rolls back at the deadline */
    SIGNAL_ROLLBACK, /* rolls back at once */
    SIGNAL_DOES
};
const char *signal_name(enum signal s);           /* "writes" */
const char *signal_does_name(enum signal_does d); /* "hold" */
enum signal_does signal_default(enum signal s);

/* ---- one look ---- */
/* x of n, since the last look, by track */
enum signal_pair {
    PAIR_WRITES,   /* writes, reconciles */
    PAIR_SLOW,     /* reconciles over the bound, reconciles that were timed */
    PAIR_PANICS,   /* panics, reconciles */
    PAIR_WEBHOOKS, /* failed requests, requests */
    PAIR_API,      /* requests answered with 429 or 5xx, requests */
    SIGNAL_PAIRS
};
struct signals_counts {
    bool present; /* the metrics are there; false: x and n say nothing */
    uint64_t x, n;
};
struct signals_gauge {
    bool present;
    double value;
};
struct signals_look {
    uint32_t pods[TRACKS];  /* that work: those with counters, of processes that do not just begin */
    uint64_t total[TRACKS]; /* their reconciles */
    bool less;              /* the canary has less to do, and that is nothing against it */
    uint64_t canary_all;    /* the canary's, with those of processes that begin */
    struct signals_counts pair[SIGNAL_PAIRS][TRACKS];
    struct signals_gauge
        longest[TRACKS]; /* seconds for which a reconcile has been running: the largest of the track's */
    struct signals_gauge depth[TRACKS];  /* keys that wait, of all pods */
    struct signals_gauge memory[TRACKS]; /* bytes, of one pod: the mean of those that do not just begin */
    uint64_t oom[TRACKS];                /* containers that were OOM killed in this rollout */
    bool elects;                         /* the canary tells whether it leads */
    uint64_t lost[TRACKS];               /* leaderships that were lost since the last look */
};

/* ---- the state ---- */
/* A bet that x of n are more than their share: by looks, and by counts with a learned discount. */
struct signals_share {
    struct judge_dc look, count;
    struct judge_spread spread;
};
/* x of n against stable's, and against a rate below which nobody minds. */
struct signals_test {
    struct signals_share versus;
    struct judge_dc over;
    uint64_t x[TRACKS], n[TRACKS];
    uint64_t gap_x[TRACKS], gap_n[TRACKS]; /* since the last comparison: one of both had done nothing */
};
enum { SIGNALS_REPORT_LOOKS = 3 }; /* after so many it is known which metrics there are */
struct signals_memory {
    double low[TRACKS];   /* of the window that is being looked at, bytes; 0: nothing yet */
    double last[TRACKS];  /* of the one before */
    double first[TRACKS]; /* of the first one */
    uint32_t looks;       /* in this window */
    struct judge_dc grows;
};
struct signals {
    uint64_t looks;                  /* in which the canary worked, after its start */
    uint64_t present;                /* bits of enum signal: there were metrics for it */
    bool reported;                   /* which have none was reported */
    struct signals_share more, less; /* work */
    uint64_t total[TRACKS], podlooks[TRACKS];
    double longest[TRACKS]; /* seconds: stable's largest so far, the canary's in the last look */
    uint64_t waits;         /* looks in a row with keys that wait and no reconcile */
    uint64_t waits_stable;  /* what stable did meanwhile */
    double depth;           /* the canary's, in the last look */
    struct signals_test pair[SIGNAL_PAIRS];
    double bound; /* seconds; 0: not chosen yet, or stable's history is over all bounds */
    struct signals_memory memory;
    uint64_t oom[TRACKS], lost[TRACKS];
};
void signals_init(struct signals *s);
void signals_feed(struct signals *s, const struct signals_look *l);

/* The bound of a histogram that holds 95 % of what was counted: le ascending, count cumulative; the last may be infinite.
 * 0: fewer than 50 were counted, or only the infinite one does. */
double signals_bound(const double *le, const uint64_t *count, size_t n);

/* ---- what they say ---- */
#define SIGNALS_DOUBT 5 /* to one: no pass yet */
struct signals_param {
    enum signal_does does[SIGNALS];
    double alpha;        /* of all of them together */
    uint64_t soak_looks; /* scrapes in a soak */
};
void signals_param_default(struct signals_param *p); /* alpha 1 % */
struct signals_report {
    enum signal_does does; /* what is to be done; SIGNAL_OFF: nothing speaks */
    enum signal which;
    bool doubt;   /* something may be wrong, and is not proven: no pass yet. which says what */
    double log_e; /* of which; a guard that speaks is infinite */
    double limit;
    char why[240]; /* one sentence with its figures; "" without either */
};
void signals_verdict(const struct signals *s, const struct signals_param *p, struct signals_report *ret);
/* What one of them has to say by itself. */
enum signal_state {
    SIGNAL_STATE_OFF,    /* switched off */
    SIGNAL_STATE_ABSENT, /* the pods have no metrics for it, so far */
    SIGNAL_STATE_QUIET,
    SIGNAL_STATE_DOUBT,  /* no pass while it is so */
    SIGNAL_STATE_SPEAKS, /* against the canary: what it does is done */
    SIGNAL_STATES
};
/* *ret_log_e: ln of the odds, 0 where it is off or absent. */
enum signal_state signals_state(const struct signals *s, const struct signals_param *p, enum signal which,
                                double *ret_log_e);
double signals_log(const struct signals *s, enum signal which,
                   uint64_t soak_looks); /* ln of the odds against the canary */
/* The sentence of a signal with its figures. */
void signals_words(const struct signals *s, enum signal which, char ret[240]);
/* Signals that are on and have no metrics, as a list: "latency, webhooks". False: none. */
bool signals_absent(const struct signals *s, const struct signals_param *p, struct buf *out);

void signals_write(const struct signals *s, struct buf *out); /* a JSON object; exact */
int signals_read(const cJSON *obj, struct signals *ret, struct err *err);
#endif
