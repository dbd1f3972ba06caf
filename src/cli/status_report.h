/* What `status` and the demo show: every target with its state, and who leads; read in one go from the API
 * server. */
#ifndef CLI_STATUS_REPORT_H
#define CLI_STATUS_REPORT_H
#include "kube/client.h"
#include "plan/plan.h"

struct status_row {
    char *ns, *name, *image, *stable_image; /* stable_image NULL while it is the same */
    int32_t replicas, ready;
    bool paused, opted_in;
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
    bool no_lease_access; /* not allowed to look: no reason to fail */
};
void status_report_free(struct status_report *b);

struct status_spec {
    const char *ns; /* NULL: all */
    const char *lease_ns, *lease_name;
};
struct status_poll;
typedef void (*status_done)(void *ctx, const struct err *err,
                            struct status_report *b); /* b is the poll's until status_poll_end() */
/* Exactly one callback, never inside this call; then status_poll_end(). */
struct status_poll *status_poll_start(struct kube *k, const struct status_spec *spec, status_done done,
                                      void *ctx);
void status_poll_end(struct status_poll *p);

/* ---- as text ---- */
struct table_style {
    bool colour, utf8;
    unsigned width; /* columns; 0: no limit */
};
void status_text(const struct status_report *b, const struct table_style *style, int64_t now_wall_ns,
                 struct buf *out);
void status_json(const struct status_report *b, int64_t now_wall_ns, struct buf *out);
#endif
