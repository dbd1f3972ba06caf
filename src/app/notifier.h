/* Tells a receiver by HTTP of each change of phase, at least once: the notifications are the keys of a controller, so that they are
 * retried with a backoff, drained, and handed on in the checkpoint like all other work. docs/notifications.md */
#ifndef APP_NOTIFIER_H
#define APP_NOTIFIER_H
#include "control/controller.h"
#include "kube/client.h"
#include "rollout/rollout.h"

enum { NOTIFIER_KEYS = 1000, NOTIFIER_AT_ONCE = 4, NOTIFIER_TIMEOUT_S = 10 };
struct notifier_options {                    /* borrowed, as long as the notifier lives */
    const char *url, *secret_file, *ca_file; /* the files may be NULL; they are read for each notification */
    const char *lease_ns, *lease_name;       /* whose leader tells it */
};
struct notifier;
struct notifier *notifier_new(struct kube *k, const struct notifier_options *opt);
void notifier_source(struct notifier *n, const struct rollout *r); /* where its words are from */
void notifier_free(struct notifier *n);                            /* NULL is fine */
struct controller *notifier_controller(struct notifier *n);
/* struct rollout_options.changed; ctx: the notifier */
void notifier_changed(void *ctx, const char *key, const char *uid, const char *phase, int64_t at_wall_ns,
                      const char *hash);
#endif
