/* What rehearsals need of the cluster that no cache has: which Kubernetes it is, and the image of Handover itself. Asked once, when the
 * first rehearsal begins. rehearsal_work.c uses this for one target. */
#ifndef ROLLOUT_ACT_REHEARSAL_H
#define ROLLOUT_ACT_REHEARSAL_H
#include "kube/client.h"

struct rehearsals_options {        /* borrowed as long as they live */
    const char *image;             /* NULL: that of this process's own Pod */
    const char *pod_ns, *pod_name; /* NULL: it is in none */
};
struct rehearsals;
/* changed: something is known that was not; never inside a call of this header. */
struct rehearsals *rehearsals_new(struct kube *k, const struct rehearsals_options *opt, world_fn changed,
                                  void *ctx);
void rehearsals_free(struct rehearsals *r); /* NULL is fine */
void rehearsals_stop(struct rehearsals *r); /* cancels what is open, and asks nothing any more */
void rehearsals_want(struct rehearsals *r); /* a rehearsal is about to begin */
const char *rehearsals_image(const struct rehearsals *r); /* NULL: not known (yet) */
/* API groups, one a line, that the API server itself serves (no APIService of theirs has a Service), but Kubernetes' own: those of
 * CustomResourceDefinitions. "": none, or it may not be read. NULL: not known, or by now too old. */
const char *rehearsals_groups(const struct rehearsals *r);
/* Of a list of APIServices; free(). */
char *rehearsals_groups_of(struct slice services);
int rehearsals_minor(const struct rehearsals *r);           /* Kubernetes 1.MINOR; -1: not known yet */
const char *rehearsals_trouble(const struct rehearsals *r); /* why the image is not known; NULL: it will be */

/* Of a Pod: the container named "handover", else the one that is meant when none is named, else the first; free(). NULL: it has none. */
char *rehearsals_image_of(struct slice pod);
#endif
