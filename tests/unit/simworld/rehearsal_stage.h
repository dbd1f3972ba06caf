/* A cluster whose target is rehearsed: for the tests of what only shows when all of it runs. */
#ifndef TEST_SIMWORLD_REHEARSAL_STAGE_H
#define TEST_SIMWORLD_REHEARSAL_STAGE_H
#include "../each.h"
#include "stage.h"

enum { SEED = 7 }; /* of a server that has sidecars */
#define MAP "/api/v1/namespaces/default/configmaps/op-handover-rehearsal"

/* A Deployment whose pod template would change, as the sidecars report it. */
#define CHANGES(value)                                                                                       \
    "{'apiVersion':'handover.dev/"                                                                           \
    "v1','kind':'RehearsalReport','objects':[{'change':'changed','group':'apps',"                            \
    "'version':'v1','resource':'deployments','kind':'Deployment','namespace':'default','name':'app',"        \
    "'writes':1,'restart':{'group':'apps','kind':'Deployment','name':'app','pods':3},'fields':[{"            \
    "'path':'spec.template.spec.containers[m].image','old':'a','new':'" value "','effect':'restart'}]}]}"

static UNUSED void annotate(struct stage *st, const char *members) {
    cleanup_free char *body = quoted(xasprintf("{'metadata':{'annotations':{%s}}}", members));
    patch(st, DEPLOYMENT, body);
}

static UNUSED struct stage *rehearsing(int instances, const char *members) {
    struct stage *st = begun(SEED, instances);
    annotate(st, members);
    return st;
}
#endif
