/* What client, informer and exchange share. */
#ifndef KUBE_IMPL_H
#define KUBE_IMPL_H
#include "base/list.h"
#include "config_priv.h"
#include "kube/client.h"
#include "kube/reflector.h"

struct kube {
    struct world *w;
    struct kube_config *cfg;
    struct log *log;
    struct metrics *metrics;
    struct kube_fence fence;
    const char *manager, *agent;
    struct list ops, lists;
    unsigned calls;           /* of ops, those on LANE_CALL */
    bool suspect[LANE_COUNT]; /* the last request timed out: the next ones take new connections */
    struct metric_family *requests, *durations;
    struct reflector_peers reflectors;
    struct { /* an outage of the server itself: which informer has reported it last, and when */
        enum err_kind kind;
        int64_t at_ns;
        const void *by;
    } outage;
};
bool kube_may_mutate(const struct kube *k);
void kube_lists_cancel(struct kube *k);

/* "get leases.coordination.k8s.io default/handover", "list pods in all namespaces": for messages. */
void kube_what(struct buf *out, const char *verb, const struct kube_ref *ref);
/* The path of a collection with its selectors; for url_query() to go on. */
void kube_collection(struct buf *out, bool *first, const struct gvr *gvr, struct slice ns,
                     struct slice labels, struct slice fields);
/* The values of Accept. */
extern const char kube_accept_json[], kube_accept_meta[], kube_accept_meta_list[];
#endif
