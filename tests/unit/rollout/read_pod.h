/* A Pod out of JSON with ' for ", as the plan sees it. */
#ifndef TEST_READ_POD_H
#define TEST_READ_POD_H
#include "../case.h"
#include "../each.h"
#include "observe/objects.h"

/* meta follows the Pod's name, namespace and uid ("" or ",'labels':{...}"); spec and status are members. The caller frees it. */
static inline struct obs_pod pod(const char *meta, const char *spec, const char *status) {
    struct obs_pod p = {0};
    struct err e = {0};
    cleanup_free char *text =
        quoted(xasprintf("{'metadata':{'name':'p','namespace':'ns','uid':'u'%s},'spec':{%s},'status':{%s}}",
                         meta, spec, status));
    cleanup_json cJSON *obj = json_parse(slice_of(text), &e);
    if (!obj || obs_pod_read(obj, &p, &e) < 0) fail_msg("%s in %s", e.msg, text);
    return p;
}
#endif
