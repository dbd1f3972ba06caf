/* How a rollout ended, for a pipeline that waits for it. Pure. */
#ifndef CLI_STATUS_WAIT_H
#define CLI_STATUS_WAIT_H
#include "status_report.h"

enum wait_outcome {
    WAIT_GOES_ON,
    WAIT_PROMOTED,    /* the template is in service: by this rollout, or since before */
    WAIT_ROLLED_BACK, /* it is in quarantine */
    WAIT_HELD,        /* a person has to decide or to mend something, or another template has superseded it */
    WAIT_FAILED,      /* nothing to wait for: no such Deployment, not guarded, not allowed to be read */
};
/* report: of one target by name. hash: of the template that is waited for; "" at first, and filled then: what is in the
 * Deployment is compared with what the state is about, so that a rollout that has not begun yet is waited for. *ret_why: one line
 * for users; free(). */
enum wait_outcome status_wait(const struct status_report *report, const struct status_spec *spec,
                              char hash[11], char **ret_why);
/* Is it held by what does not end by itself, or by the deadline? Somebody has to decide or to mend something. */
bool status_wait_held(const struct status_row *r);
#endif
