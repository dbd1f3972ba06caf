/* The answers of a rehearsal's sidecars: from two bodies to what the plan looks at. Pure. */
#ifndef ROLLOUT_REHEARSAL_REPORT_H
#define ROLLOUT_REHEARSAL_REPORT_H
#include "plan/plan.h"

enum {
    REPORT_CAP = 4 << 20,    /* of an answer */
    REPORT_KEPT = 900 << 10, /* of what is kept: an object of the API server has 1 MiB and more */
};
/* control: empty where there is none. ret: run and read_ns are the caller's; rehearsal_report_free(). ERR_PROTOCOL: what is wrong. */
int rehearsal_report_read(struct slice body, struct slice control, struct rehearsal_report *ret,
                          struct err *err);
void rehearsal_report_free(struct rehearsal_report *r);
/* The report with so many of its objects, from the first one on, that it has at most max bytes, and "cut" with the number of those that were
 * left out. It has passed json_raw_check(). */
void rehearsal_report_cut(struct slice report, size_t max, struct buf *out);
#endif
