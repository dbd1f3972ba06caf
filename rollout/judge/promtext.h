/* A streaming reader of a metrics page, Prometheus text format 0.0.4 or OpenMetrics 1.0, that keeps only the
 * few sums asked for. Memory does not grow with the page. Pure. */
#ifndef ROLLOUT_PROMTEXT_H
#define ROLLOUT_PROMTEXT_H
#include "base/buf.h"
#include "base/err.h"

enum {
    PROM_MAX_LINE = 64 * 1024, /* of a sample; comments may be longer, they are skipped */
    PROM_MAX_PAGE = 32 << 20,  /* bytes */
    PROM_MAX_SERIES = 500000,  /* samples on a page */
    PROM_MAX_SELECTORS = 8,    /* in one sum */
    PROM_MAX_MATCHERS = 8,     /* in one selector */
    PROM_CONTROLLERS = 16,     /* counted one by one, the last of them being the sum of the rest */
    PROM_CONTROLLER = 64,      /* bytes of a controller's name, with its end */
    PROM_MAX_BOUNDS = 64,      /* of the one histogram that is read */
};

/* A sum of selectors: `name{label="v",other!="w",third=~"a|b.*",fourth!~"x.+"} + another_name{...}`;
 * `name*` stands for every metric whose name begins so.
 * =~ and !~ match the whole value by a subset of regular expressions: plain characters, `.`, `.*`, `.+`, `\`
 * before a special character, and `|` between alternatives; anything else special is refused with its
 * position (no backtracking surprises). An absent label is the empty value, as in Prometheus. */
struct prom_sum;
int prom_sum_parse(struct slice text, struct prom_sum **ret, struct err *err); /* ERR_CONFIG */
void prom_sum_free(struct prom_sum *s);

enum prom_what {
    PROM_ERRORS, /* failed reconciles so far */
    PROM_TOTAL,  /* all reconciles so far */
    PROM_ACTIVE, /* reconciles running now, over all controllers */
    PROM_DEPTH,  /* keys waiting in queues now */
    PROM_START,  /* process_start_time_seconds (the largest) */
    PROM_LEADER, /* leader_election_master_status (the largest) */
    /* For the signals beside errors (signals.h). */
    PROM_REQUESTS,         /* requests to the API server so far; of these: */
    PROM_WRITES,           /* POST, PUT, PATCH, DELETE */
    PROM_REFUSED,          /* answered with 429 or 5xx */
    PROM_PANICS,           /* recovered ones so far */
    PROM_WEBHOOKS,         /* webhook requests so far; of these: */
    PROM_WEBHOOK_FAILURES, /* answered with 5xx */
    PROM_LONGEST,          /* for how long a reconcile has been running, seconds (the largest) */
    PROM_MEMORY,           /* resident, bytes (the largest) */
    PROM_WHATS
};
struct prom_value {
    bool present; /* at least one series: present and 0 is idle; absent is a standby, not started, or another
                     program */
    uint32_t series;
    double value; /* the sum (PROM_START, PROM_LEADER: the largest); finite, counters >= 0 */
};
/* How long reconciles took: a histogram, summed over all controllers. */
struct prom_times {
    size_t n;                      /* 0: there is none, or it has more than PROM_MAX_BOUNDS bounds */
    double le[PROM_MAX_BOUNDS];    /* seconds, ascending; the last is infinite */
    double count[PROM_MAX_BOUNDS]; /* so many took at most that long */
};
struct prom_controller {
    char name[PROM_CONTROLLER]; /* as one line of safe text, cut; "": the sum of the rest */
    double errors, total;
    uint64_t of; /* a hash of the names in the sum of the rest; 0: a single controller */
};
struct prom_page {
    struct prom_value v[PROM_WHATS];
    /* ERRORS and TOTAL by label `controller` (or `controller_name`), in the page's order; series without are in none. */
    struct prom_controller controller[PROM_CONTROLLERS];
    size_t controllers;
    struct prom_times times;
    const char *source; /* where ERRORS and TOTAL are from: "controller-runtime", "java-operator-sdk",
                           "annotations"; NULL: none */
    uint64_t samples;   /* on the page */
};

struct promtext;
/* errors, total: the target's own selectors (annotations `errors` and `total`), NULL for the known runtimes:
 * controller_runtime_reconcile_total (all results; result="error"), else (Java operator SDK through
 * Micrometer) operator_sdk_controllers_execution_{reconcile,cleanup}_{success,failure}_total, or
 * operator_sdk_reconciliations_{success,failed}_total, or reconciliations_{success,failure}_total.
 * The sums are borrowed until promtext_free(). */
struct promtext *promtext_new(const struct prom_sum *errors, const struct prom_sum *total);
void promtext_free(struct promtext *p);
/* The names of all metrics that are looked for without own selectors, as an alternation of a regular expression:
 * "a|b|prefix.*". */
void promtext_names(struct buf *out);
/* What came before the page: its Content-Type, and whether the transport knows where the page ends. Not called: text of
 * which the transport does not know the end. */
void promtext_head(struct promtext *p, struct slice content_type, bool framed);
/* Any cut of the page. -EINVAL (ERR_PROTOCOL: "line 3: expected a metric name, found '<'"), -E2BIG. After an
 * error every later call returns the same one. A NaN, an infinity or a negative number in a counter that was
 * asked for is an error; in a gauge that series is left out. */
int promtext_feed(struct promtext *p, struct slice bytes, struct err *err);
/* The end of the page, as far as anybody can tell. As in Prometheus, OpenMetrics (by its Content-Type) has to end with
 * "# EOF", and the last line of a text page may lack its line feed, but here only where the transport says that the
 * page is whole: a cut inside a number would be another number. An empty page is an error. ERRORS and TOTAL are
 * present together or not at all as far as TOTAL goes: without it there is no source; with it, absent errors
 * are 0 (some runtimes make that series at the first error). */
int promtext_end(struct promtext *p, struct prom_page *ret, struct err *err);
#endif
