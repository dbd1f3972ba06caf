/* Everything that a decision about one target rests on, read from the API server at this moment: the
 * Deployment, its state's ConfigMap, its ReplicaSets, the canary's, and the pods. Not from a cache: a
 * decision never rests on a stale view. */
#ifndef ROLLOUT_READS_H
#define ROLLOUT_READS_H
#include "kube/client.h"

struct reads {
    bool gone;             /* the Deployment does not exist; the rest is then empty, but for the ConfigMap */
    struct buf deployment; /* text of the object */
    cJSON *deployment_json;
    bool has_state;
    struct buf configmap;
    cJSON *configmap_json;
    cJSON *replicasets;         /* the list's "items" that the selector finds */
    struct buf replicasets_raw; /* the list's text: templates are compared as text */
    cJSON *canaries; /* bare ReplicaSets that bear the target's uid in a label (of any target, when it is
                        gone) */
    struct buf canaries_raw;
    cJSON *pods; /* of both tracks */
};

struct reading;
typedef void (*reads_done)(void *ctx, const struct err *err,
                           struct reads *r); /* r is the reading's, until reads_end() */
/* Exactly one callback, never inside this call. A Deployment that has neither the annotation nor a state is
 * not read further. */
struct reading *reads_start(struct kube *k, struct slice ns, struct slice name, reads_done done, void *ctx);
void reads_end(struct reading *r); /* frees it; cancels what is open, then no callback */
#endif
