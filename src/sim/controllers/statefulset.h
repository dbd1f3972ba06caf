/* What the files of the StatefulSet controller share: one look at one set. Private to the controllers. */
#ifndef SIM_STATEFULSET_H
#define SIM_STATEFULSET_H
#include "controllers/ctl.h"

#define LABEL_REVISION "controller-revision-hash" /* of a pod: the name of its ControllerRevision */

struct member {
    struct sim_obj *o; /* NULL: there is no such pod */
    int64_t ordinal;
    bool ended, terminating, ready, available, current, updated;
};
struct set {
    struct ctl *c;
    struct sim_obj *o;
    int64_t generation, replicas, partition, history, min_ready_ns;
    bool rolling, ordered;            /* updateStrategy RollingUpdate; podManagementPolicy OrderedReady */
    struct sim_obj *current, *update; /* ControllerRevisions */
    struct member *pod;               /* by ordinal, as many as replicas */
    struct member *over;              /* those beyond, by ordinal */
    size_t nover;
    int64_t next; /* when it has to be looked at again; TIME_NEVER */
};
/* Reads the set, makes the ControllerRevision of its template, or takes one of the same template that is there. False: it could not. */
bool statefulset_read(struct set *ret, struct ctl *c, struct ctl_obj *co);
void statefulset_truncate_history(struct set *s);
/* Of NAME-3: 3; -1 where pod is no name of that set's pods. */
int64_t statefulset_ordinal(const char *set, const char *pod);
#endif
