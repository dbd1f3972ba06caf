/* Kubernetes Events: what a person sees in `kubectl describe`. Best effort: repeated ones are counted up on
 * the same Event object, the rate is limited, failures are logged at debug level and forgotten. */
#ifndef KUBE_EVENTS_H
#define KUBE_EVENTS_H
#include "kube/client.h"

struct kube_events;
struct kube_events *kube_events_new(struct kube *k, const char *component, const char *instance);
void kube_events_free(struct kube_events *e);
struct event_ref {
    const char *api_version, *kind, *ns, *name, *uid;
};
/* type "Normal" or "Warning"; reason in CamelCase; message at most 1024 bytes (cut). */
void kube_event(struct kube_events *e, const struct event_ref *about, const char *type, const char *reason,
                const char *message);
#endif
