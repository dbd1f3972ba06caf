/* What `handover explain` says about one target: its rehearsal, the evidence in words, each signal, what happens next and when, the
 * canary's pods, what differs between the templates. Read with the requests of the status report and one more, the
 * canary's pods; of a rehearsal that goes on its pods, and what their sidecars say, through the API server. */
#ifndef CLI_EXPLAIN_H
#define CLI_EXPLAIN_H
#include "status_report.h"

enum { EXPLAIN_PODS = 50, EXPLAIN_NEXT = 4, EXPLAIN_TEXT = 1024 };

struct explain_pod {
    char *name, *node; /* node NULL: none yet */
    char *trouble;     /* in words; NULL: none */
    bool ready, ending;
    bool control; /* of a rehearsal: of stable's version */
    uint32_t restarts;
};
/* What a version has done in its rehearsal so far. */
struct explain_side {
    bool read;
    struct err err; /* why not; ERR_NONE: there is no pod to be asked */
    uint64_t reads, writes, conflicts, refused, failed;
};
struct explain {
    const struct status_row *row;
    struct explain_pod
        pods[EXPLAIN_PODS]; /* of the canary's ReplicaSet; while it is rehearsed, of those of the rehearsal */
    size_t npods, more_pods; /* more_pods: counted only */
    struct err pods_err;     /* they cannot be read */
    /* A rehearsal that goes on: the new version's side and its control's, and what the report says by now. */
    struct explain_side side[2];
    char *so_far; /* in a line; NULL: not known */
    uint64_t count[REPORT_KINDS];
};
bool explain_rehearses(const struct status_row *r); /* it goes on: there are pods that can be asked */

/* The target of that name in spec->ns. done: e and what it borrows are valid until explain_end(); err: neither. */
struct explain_poll;
typedef void (*explain_done)(void *ctx, const struct err *err, const struct explain *e);
/* Exactly one callback, never inside this call; then explain_end(). Nothing is tried twice. */
struct explain_poll *explain_start(struct kube *k, const struct status_spec *spec, explain_done done,
                                   void *ctx);
void explain_end(struct explain_poll *p);

/* Asks them, pods of e; then done, never inside this call. NULL: there is nobody to be asked, and no callback comes. */
struct explain_sides;
struct explain_sides *explain_sides_start(struct kube *k, struct explain *e, void (*done)(void *ctx),
                                          void *ctx);
void explain_sides_end(struct explain_sides *p);

/* What happens next: the soonest first. Pure. */
struct explain_next {
    int64_t at_ns; /* wall clock; 0: when something else happens, as the text says */
    char text[EXPLAIN_TEXT];
};
size_t explain_next(const struct status_row *r, int64_t now_wall_ns, struct explain_next ret[EXPLAIN_NEXT]);

void explain_text(const struct explain *e, const struct table_style *style, int64_t now_wall_ns,
                  struct buf *out);
/* One object; its members: docs/reference/cli.md. */
void explain_json(const struct explain *e, int64_t now_wall_ns, struct buf *out);
/* "off", "absent", "quiet", "doubt", "speaks" */
const char *explain_signal_state(enum signal_state s);
#endif
