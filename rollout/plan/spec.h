/* What a user asked for: the annotations handover.dev/... of a target, checked. Pure. See docs for the
 * table. */
#ifndef ROLLOUT_SPEC_H
#define ROLLOUT_SPEC_H
#include "base/err.h"
#include "base/json.h"
#include "base/time.h"
#include "judge/signals.h"
#include "observe/objects.h"
#include "rehearse/report.h"

#define SPEC_ANY UINT64_MAX
enum { SPEC_MAX_STEPS = 20, SPEC_VALUE_MAX = 1024, SPEC_ACTION_MAX = 253, SPEC_MAX_WINDOW = 10 };

/* How the canary's share of the work is cut. */
enum spec_mode {
    MODE_AUTO,     /* MODE_LEADER when canary and stable are seen to share a Lease, else MODE_REPLICAS */
    MODE_REPLICAS, /* by pods */
    MODE_LEADER,   /* by time: the canary leads for its share of the soak */
    MODE_OBJECTS,  /* by objects, which are labelled: for operators that take a label selector */
};
/* When the Lease of a Pod that is certainly dead is released in its stead. */
enum spec_assist { ASSIST_ROLLOUT, ASSIST_ALWAYS, ASSIST_OFF };
enum spec_inconclusive { INCONCLUSIVE_PAUSE, INCONCLUSIVE_ROLLBACK, INCONCLUSIVE_PROMOTE };
enum spec_metrics { METRICS_AUTO, METRICS_ENDPOINT, METRICS_PROMETHEUS /* read from a Prometheus server */ };
/* What the canary's pods themselves say against it, without metrics. */
enum spec_guard {
    GUARD_CRASHES,   /* containers that crash, pods that end for good */
    GUARD_IMAGE,     /* an image that does not exist */
    GUARD_READINESS, /* pods that run and do not become ready */
    GUARDS
};
/* User commands. RELEASE forces a release: ship what spec says and let go. */
enum spec_action {
    ACTION_PROMOTE,
    ACTION_PAUSE,
    ACTION_RESUME,
    ACTION_ABORT,
    ACTION_RETRY,
    ACTION_APPROVE, /* its value begins with the digest of a rehearsal's report instead of a hash */
    ACTION_RELEASE,
    ACTION_N
};

struct spec {
    enum spec_mode mode;
    uint8_t step[SPEC_MAX_STEPS]; /* percent, ascending, 1..100 */
    size_t nsteps;
    uint32_t pause_after;  /* bit i: after step i a person lets the rollout go on */
    bool auto_rate;        /* max-error-rate: auto; else max_error_rate counts */
    double max_error_rate; /* 0 < rate < 1 */
    double max_regression; /* >= 1 */
    int64_t soak_ns, quiet_ns, deadline_ns;
    int64_t min_soak_ns; /* <= soak_ns; -1: not given */
    uint64_t min_events;
    unsigned rollback_window; /* so many versions back go into service without a trial; 0: none */
    enum spec_inconclusive on_inconclusive;
    enum spec_metrics metrics;
    /* METRICS_ENDPOINT: where on the pod's IP. METRICS_AUTO: the edge tries the usual places. */
    bool https,
        tls_insecure; /* "https+insecure://" is the explicit opt-out of TLS verification for this target */
    uint16_t port;
    char *path; /* begins with '/' */
    char *errors,
        *total;    /* metric selectors (promtext.h), with METRICS_PROMETHEUS queries (promql.h); both or
                             neither (NULL: found by itself) */
    bool by_track; /* the queries are of a whole track ($track, $range), not of a pod */
    enum signal_does signal[SIGNALS]; /* signals beside errors: what each does */
    bool guard[GUARDS];               /* does it roll back? With a wrong annotation none does */
    bool signals_ok;                  /* even with an error elsewhere: the annotation signals is good */
    char **canary_args; /* words, NULL-terminated; NULL if none. Flags "--x=y" replace the same flag, else are
                           appended */
    char **canary_env;  /* "NAME=value", NULL-terminated; NULL if none */
    char **
        canary_nodes; /* "key=value": labels of the nodes for the canary's pods, NULL-terminated; NULL: any */
    bool empty_volumes; /* the canary's pods have empty volumes instead of claims */
    char *
        lease; /* the Lease by which the target elects, NAMESPACE/NAME for one of another namespace; NULL: those that its Pods hold */
    enum spec_assist assist;
    /* The new version is rehearsed for so long before its canary, without writing anything; 0: it is not. max_changes: more of a kind than
     * that, and a person is asked; SPEC_ANY: of any number. */
    int64_t rehearse_ns;
    uint64_t max_changes[REPORT_KINDS];
    char *check;       /* a URL that is asked before a step that has passed goes on (check.h); NULL: none */
    char *check_query; /* a condition for the same, a query for Prometheus (promql.h); NULL: none */
    /* mode objects: "widgets.v1.example.com" (core: "configmaps.v1"), a namespace, a label selector; NULL: not given */
    char *objects, *objects_ns, *objects_selector;
    bool metrics_ok; /* even with an error elsewhere: the metrics, errors and total annotations are good,
                        scraping may go on */
};

/* The i-th annotation that is read, without its prefix, user commands included; NULL: there are no more. */
const char *spec_known(size_t i);
/* annotations: metadata.annotations, NULL for none. On error (ERR_CONFIG: which annotation, what was read,
 * what is allowed; the first one in the table's order) *ret is filled all the same, with the default in the
 * place of each bad value: the caller may go on scraping (metrics_ok), and nothing else.
 * spec_free() in either case. */
int spec_parse(const cJSON *annotations, struct spec *ret, struct err *err);
void spec_free(struct spec *s);
#define cleanup_spec __attribute__((cleanup(spec_free)))

/* An action's value is HASH or HASH@anything: the part before '@' must be the hash of spec.template
 * (api/template.h); what follows makes a repeated request another one. */
struct slice spec_action_hash(const char *value);
/* RESOURCE.VERSION[.GROUP] to its parts, which are parts of it; false: it is none. */
bool spec_resource(struct slice name, struct slice *ret_resource, struct slice *ret_version,
                   struct slice *ret_group);
/* Of a Deployment in this namespace: its own is not named in `lease` any more. */
void spec_lease_of(struct spec *s, const char *ns);
const char *spec_action_name(enum spec_action a); /* "promote", ... */
const char *spec_guard_name(enum spec_guard g);   /* "crashes", ... */
bool spec_has_limits(const struct spec *s);       /* max-changes names a kind */
#endif
