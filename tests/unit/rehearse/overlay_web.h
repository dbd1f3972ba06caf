/* The Deployment "web" of the tests of writes: as the server has it, and what an operator asks of it. */
#ifndef OVERLAY_WEB_H
#define OVERLAY_WEB_H
#include "overlay_script.h"

#define NOT_FOUND "404 {'kind':'Status','reason':'NotFound','code':404}"
#define FORBIDDEN "403 {'kind':'Status','reason':'Forbidden','code':403}"
#define CONFLICT  "409 {'kind':'Status','reason':'Conflict','code':409}"
#define SUCCESS   "200 {'kind':'Status','status':'Success'}"
/* A live Deployment "web" of version 100 with that label, those replicas, that status. */
#define LIVE(l, n, s)                                                                                        \
    "200 "                                                                                                   \
    "{'kind':'Deployment','metadata':{'name':'web','namespace':'ns','uid':'u','resourceVersion':'100','"     \
    "generation':1,'labels':{"                                                                               \
    "'l':'" l "'}},'spec':{'replicas':" #n "},'status':{'s':" #s "}}"

#define TEST_CASE(name) CASE_OF(struct overlay, o, overlay_new(NULL, 1), overlay_free, name)
#define PATCH(body)     with_body(ask(GATE_PATCH, "deployments", "web"), GATE_PATCH_MERGE, body)
#define PUT(body)       with_body(ask(GATE_UPDATE, "deployments", "web"), GATE_JSON, body)
#define CREATE(body)    with_body(ask(GATE_CREATE, "deployments", ""), GATE_JSON, body)
#define DELETE()        ask(GATE_DELETE, "deployments", "web")

static inline struct gate_request sub(struct gate_request r, const char *name) {
    r.sub = slice_of(name);
    return r;
}
#endif
