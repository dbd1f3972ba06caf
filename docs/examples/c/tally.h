/* tally: for each ConfigMap with the label tally.example.com/count it keeps a ConfigMap NAME-tally that says how many keys and
 * bytes it has, and which version counted them. */
#ifndef TALLY_H
#define TALLY_H
#include <handover.h>

#define TALLY_LABEL "tally.example.com/count" /* of what is counted */
#define TALLY_MADE  "tally.example.com/of"    /* label of what is made */
#define TALLY_BEFORE                                                                                         \
    "tally.example.com/not-before" /* annotation of what is counted: RFC 3339, not until then */

struct tally {
    struct loop *loop;
    struct world *world;
    struct log log;
    struct metrics *metrics;
    struct kube_config *config;
    struct kube *kube;
    struct controller *controller;
    struct informer *sources, *tallies;
    struct leadership *leadership;
    struct termination_grace *grace;
    struct admin *admin;
    struct metric *written;
    int code;
};

/* reconcile.c */
extern const struct reconciler tally_reconciler; /* its self is a struct tally */
/* What is kept in memory of each ConfigMap that was made. */
struct counted {
    unsigned long keys, bytes;
};
void *tally_project(void *ctx, struct slice raw, const cJSON *obj);
#endif
