/* A target as kubectl names it. */
#ifndef CLI_TARGET_REF_H
#define CLI_TARGET_REF_H
#include "kube/client.h"
#include "observe/workload.h"

struct target_ref {
    const struct workload
        *kind;        /* NULL: NAME alone, a Deployment's, or a StatefulSet's if there is only that */
    const char *name; /* a part of what was given; NULL: of no such kind */
    char text[280];   /* "deployment/NAME" */
};
/* NAME, or KIND/NAME with the kind's short, long and plural names; a target's id as well. */
struct target_ref target_ref(const char *given);
/* The object that a target's id (workload.h) stands for, in the API; parts of what was given. */
struct kube_ref target_object(const char *ns, const char *id);
#endif
