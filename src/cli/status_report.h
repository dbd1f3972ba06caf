/* What `status` and the demo show: every target with its state, and who leads. Read from the API server with
 * three requests (and one for every 500 objects more): a list of Deployments, a list of state ConfigMaps, the
 * Lease. Further GETs only for what these do not have: see status_poll_start(). */
#ifndef CLI_STATUS_REPORT_H
#define CLI_STATUS_REPORT_H
#include "kube/list.h"
#include "plan/plan.h"
#include "table.h"

struct status_row {
    char *ns, *name, *uid, *image, *stable_image; /* stable_image NULL: the same, or not known */
    int32_t replicas, ready;
    bool paused, opted_in;
    bool managed; /* bears the annotation handover.dev/status: a state has been written */
    bool has_state;
    struct state state;
    struct err problem; /* the annotations or the state cannot be used */
    size_t steps;       /* of the spec */
};
struct status_report {
    struct status_row *rows;
    size_t n;
    bool has_lease;
    char *holder; /* "" nobody */
    int64_t term, renewed_wall_ns;
    struct err lease_err; /* the Lease cannot be read (it exists or not): no reason to fail */
};

struct status_spec {
    const char *ns; /* NULL: all */
    const char *lease_ns, *lease_name;
};
struct status_poll;
typedef void (*status_done)(void *ctx, const struct err *err,
                            struct status_report *r); /* r is the poll's until status_poll_end() */
/* Exactly one callback, never inside this call; then status_poll_end(). Nothing is tried twice: a refused
 * connection is reported at once, and the caller decides. A state that the list does not have although its
 * target is managed (a ConfigMap whose label was taken away, or no right to list ConfigMaps) is read by name;
 * stable's ReplicaSet is read while another version is on trial, unless the history names its image. */
struct status_poll *status_poll_start(struct kube *k, const struct status_spec *spec, status_done done,
                                      void *ctx);
void status_poll_end(struct status_poll *p);

void status_text(const struct status_report *r, const struct table_style *style, int64_t now_wall_ns,
                 struct buf *out);
void status_json(const struct status_report *r, int64_t now_wall_ns, struct buf *out);
#endif
