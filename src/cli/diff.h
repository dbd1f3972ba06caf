/* What `handover diff` shows: the report of a target's last rehearsal, of which version it is, and whether that is what is being
 * rolled out. Read with the requests of the status report and one more, the ConfigMap that keeps the report. */
#ifndef CLI_DIFF_H
#define CLI_DIFF_H
#include "status_report.h"

enum { DIFF_CHANGES = 3 }; /* exit code: something would be changed */

struct diff {
    const struct status_row *row;
    bool there;        /* the ConfigMap, and it is Handover's; what follows is of it */
    char *map;         /* its name */
    char *report;      /* JSON text as it is kept; "" none */
    char *image;       /* that was rehearsed; NULL: not said */
    char hash[11];     /* of its template */
    char digest[17];   /* of the report */
    struct err denied; /* it cannot be read */
};
/* The target of that name in spec->ns. done: d and what it borrows are valid until diff_end(); err: neither. */
struct diff_poll;
typedef void (*diff_done)(void *ctx, const struct err *err, const struct diff *d);
/* Exactly one callback, never inside this call; then diff_end(). Nothing is tried twice. */
struct diff_poll *diff_start(struct kube *k, const struct status_spec *spec, diff_done done, void *ctx);
void diff_end(struct diff_poll *p);

/* To out what is printed; returns the exit code, with err when that is CLI_FAILED. json: the report as it is kept. Pure. */
int diff_say(const struct diff *d, bool json, const struct table_style *style, int64_t now_wall_ns,
             struct buf *out, struct err *err);
#endif
