/* How long this process has to stop, by its own pod: terminationGracePeriodSeconds, or less when the pod is
 * deleted with a shorter grace period, force deleted or evicted. Outside of a pod, or where the pod cannot be
 * read, the configured time holds. docs/reference/drain.md has the table. */
#ifndef APP_TERMINATION_GRACE_H
#define APP_TERMINATION_GRACE_H
#include "app/leadership.h"

struct termination_grace;
/* ns, name, uid: of our pod; NULL is returned unless all are given. learn: the pod's grace period becomes the
 * drain's (false: --grace was given). Reads the pod once. */
struct termination_grace *termination_grace_new(struct kube *k, struct leadership *l, const char *ns,
                                                const char *name, const char *uid, bool learn);
void termination_grace_free(struct termination_grace *g); /* NULL is fine */
/* SIGTERM has come: reads the pod once more for what is left of the time, if reconciles are in flight. NULL
 * is fine. */
void termination_grace_stopping(struct termination_grace *g);
#endif
