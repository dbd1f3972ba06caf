/* What `status` and the demo show: every target with its state, and who leads. Read from the API server with
 * four requests (and one for every 500 objects more): lists of Deployments, StatefulSets and state ConfigMaps, the
 * Lease; and one for the canaries while there is one. Further GETs only for what these do not have: see
 * status_poll_start(). */
#ifndef CLI_STATUS_REPORT_H
#define CLI_STATUS_REPORT_H
#include "kube/list.h"
#include "plan/plan.h"
#include "table.h"

struct status_row {
    char *ns, *name /* the id: workload.h */, *uid, *image,
        *stable_image; /* stable_image NULL: the same, or not known */
    int32_t replicas, ready;
    int32_t canary_pods, canary_ready; /* of its ReplicaSet, as it wants them; -1: none, or not known */
    bool paused, opted_in;
    bool managed; /* bears the annotation handover.dev/status: a state has been written */
    bool has_state;
    struct state state;
    struct err problem; /* the annotations or the state cannot be used */
    char *hint;         /* an annotation that is not known, and which one may be meant; NULL: none */
    size_t steps;       /* of the spec */
    int64_t rehearse_ns;
    /* Of a target that was asked for by name: */
    bool named; /* what follows is filled */
    struct obs_target target;
    struct spec spec;  /* with defaults where an annotation is wrong */
    char *stable_tmpl; /* the text of stable's template; NULL: the same, or not known */
};
struct status_report {
    struct status_row *rows;
    size_t n;
    const char *ns; /* the one namespace that was looked at; NULL: all */
    bool has_lease;
    char *holder;          /* "" nobody */
    char *guardian;        /* of a trial of Handover itself: "POD_UID"; NULL: none */
    int64_t trial_wall_ns; /* it lasts until then at the latest; 0: there is none */
    int64_t term, renewed_wall_ns;
    struct err lease_err; /* the Lease cannot be read (it exists or not): no reason to fail */
};

struct status_spec {
    const char *ns; /* NULL: all */
    const char *
        name; /* NULL: all that are opted in or managed; else the target of that name (target_ref.h) in ns, in any case */
    const char *lease_ns, *lease_name;
};
struct status_poll;
typedef void (*status_done)(void *ctx, const struct err *err,
                            struct status_report *r); /* r is the poll's until status_poll_end() */
/* Exactly one callback, never inside this call; then status_poll_end(). Nothing is tried twice: a refused
 * connection is reported at once, and the caller decides. A state that the list does not have although its
 * target is managed (a ConfigMap whose label was taken away, or no right to list ConfigMaps) is read by name;
 * stable's ReplicaSet is read while another version is on trial, unless the history names its image. Of one
 * that is asked for by name: while spec.template is not stable's, always. */
struct status_poll *status_poll_start(struct kube *k, const struct status_spec *spec, status_done done,
                                      void *ctx);
void status_poll_end(struct status_poll *p);

/* The evidence of a rollout that is being judged, with the clean reconciles that would pass it; false: there is
 * none. */
bool status_evidence(const struct state *s, int64_t now_wall_ns, struct judge_report *ret);
/* "canary 0 errors of 414 (0.0 %, at most 6.3 %)   stable 2 of 874 (0.2 %)   tolerated 1.2 %" */
void status_counts(const struct judge_test *t, double upper, double tolerated, struct buf *out);
/* The end of an image's name, a digest by its first digits: what a person calls the version. */
void status_version(struct buf *out, const char *image);
const char *status_phase(const struct status_row *r); /* "Waiting" and "Invalid" without a state */
const char *status_colour(const struct status_row *r);
bool status_has_canary(const struct status_row *r); /* one that runs, or is about to */
/* The rows by how soon somebody has to look at them, then by name. free() */
const struct status_row **status_sorted(const struct status_report *r);
/* For people: whole seconds, or milliseconds below one. */
void status_span(int64_t ns, char ret[32]);
/* The same in six columns: the two largest units, "1h5m", "3d4h". */
void status_age(int64_t ns, char ret[32]);
/* "12:31:04Z (in 1m30s)", "... (1m30s ago)", with the date where it is not today's. */
void status_clock(int64_t at_ns, int64_t now_ns, char ret[80]);
/* JSON text with every control character escaped, DEL and U+0080..9f, too. */
void status_json_clean(struct slice json, struct buf *out);
/* {"x":1,  ,"KEY":"VALUE"  null for NULL. */
void status_json_field(struct buf *out, const char *key, const char *value);
/* The most urgent target first. One target: with its notes wrapped. Several: a line for each note, and with style->height as many
 * targets as fit there, and how many more there are. */
void status_text(const struct status_report *r, const struct table_style *style, int64_t now_wall_ns,
                 struct buf *out);
/* With more columns, whole images, and nothing cut. */
void status_wide(const struct status_report *r, const struct table_style *style, int64_t now_wall_ns,
                 struct buf *out);
/* "deployment.apps/NAME" a line, for kubectl */
void status_names(const struct status_report *r, struct buf *out);
void status_json(const struct status_report *r, int64_t now_wall_ns, struct buf *out);
#endif
