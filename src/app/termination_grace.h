/* How long this process has to stop, by its own pod: terminationGracePeriodSeconds as long as nobody says
 * otherwise, less when the pod is deleted with a shorter grace period, by force, or evicted. Outside of a
 * pod, or where the pod cannot be read, the configured time holds. */
#ifndef APP_TERMINATION_GRACE_H
#define APP_TERMINATION_GRACE_H
#include "app/leadership.h"

struct termination_grace;
/* ns, name, uid: of our pod; NULL is returned unless all are given. learn: take the pod's grace period for
 * the drain's (false: the user gave one). Reads the pod once. */
struct termination_grace *termination_grace_new(struct kube *k, struct leadership *l, const char *ns,
                                                const char *name, const char *uid, bool learn);
void termination_grace_free(struct termination_grace *g);
/* SIGTERM has come: how much of the time is left? Reads the pod again, if a drain takes time at all. NULL is
 * fine. */
void termination_grace_stopping(struct termination_grace *g);
#endif
