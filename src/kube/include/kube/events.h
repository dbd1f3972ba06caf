/* Kubernetes Events (events.k8s.io/v1): what a person sees in `kubectl describe`. Best effort: repeated ones are counted
 * up in the series of the same Event object, the rate is limited, failures are logged at debug level and forgotten. */
#ifndef KUBE_EVENTS_H
#define KUBE_EVENTS_H
#include "kube/client.h"

struct kube_events;
struct kube_events *kube_events_new(struct kube *k, const char *component, const char *instance);
void kube_events_free(struct kube_events *e);
struct event_ref {
    const char *api_version, *kind, *ns, *name, *uid;
};
struct event_report {
    const struct event_ref *regarding, *related; /* another object that has to do with it; NULL: none */
    const char *type;                            /* "Normal" or "Warning" */
    const char *reason,                          /* in CamelCase: what was seen */
        *action;                                 /* in CamelCase, not empty: what is done about it */
    const char *note;                            /* at most 1024 bytes (cut) */
};
/* The same regarding, type, reason and note are the same Event, whichever instance of the component reports them. */
void kube_event(struct kube_events *e, const struct event_report *what);
#endif
