/* Events in events.k8s.io/v1 and core/v1: the same objects, in each other's words. */
#include "../client.h"

#define VIEW "/apis/events.k8s.io/v1/namespaces/default/events"
#define CORE "/api/v1/namespaces/default/events"
#define BODY                                                                                                 \
    "'metadata':{'name':'e'},'regarding':{'kind':'Deployment','namespace':'default','name':'web'},"          \
    "'eventTime':'2026-11-23T18:16:33.000001Z','type':'Normal','reason':'Promoted','action':'Promote',"      \
    "'reportingController':'handover','reportingInstance':'pod-1','note':'v2 is in service'"

SIM_TEST(one_object_two_views) {
    run(s, "POST", VIEW, "{'apiVersion':'events.k8s.io/v1','kind':'Event'," BODY "}", 201);
    says(run(s, "GET", CORE "/e", "", 200),
         "apiVersion=v1|kind=Event|involvedObject/name=web|message=v2 is in service|"
         "reportingComponent=handover|reportingInstance=pod-1|regarding=none|note=none");
    says(run(s, "GET", VIEW "/e", "", 200),
         "apiVersion=events.k8s.io/v1|kind=Event|regarding/name=web|note=v2 is in service|"
         "reportingController=handover|involvedObject=none|message=none");
    says(run(s, "GET", "/apis/events.k8s.io/v1/events", "", 200),
         "apiVersion=events.k8s.io/v1|kind=EventList|items/0/regarding/name=web");
    says(
        run(s, "GET",
            "/apis/events.k8s.io/v1/events?fieldSelector=regarding.name%3Dweb,reportingController%3Dhandover,"
            "reason%3DPromoted",
            "", 200),
        "items=[1]|items/0/metadata/name=e");
    says(run(s, "GET", VIEW "?fieldSelector=regarding.name%3Dother", "", 200), "items=[0]");
    /* a series */
    run(s, "PATCH", VIEW "/e", "{'series':{'count':2,'lastObservedTime':'2026-11-23T18:17:33.000000Z'}}",
        200);
    says(run(s, "GET", CORE "/e", "", 200), "series/count=2|message=v2 is in service");
    /* one of core/v1 has its old fields under their new names */
    run(s, "POST", CORE,
        "{'metadata':{'name':'old'},'involvedObject':{'namespace':'default'},'count':3,"
        "'firstTimestamp':'2026-11-23T18:16:33Z','source':{'component':'me'}}",
        201);
    says(run(s, "GET", VIEW "/old", "", 200),
         "deprecatedCount=3|deprecatedFirstTimestamp=2026-11-23T18:16:33Z|deprecatedSource/component=me");
    run(s, "DELETE", VIEW "/old", "", 200);
    run(s, "GET", CORE "/old", "", 404);
}

SIM_TEST(what_the_new_version_refuses) {
    static const char *const bodies[] = {
        BODY ",'deprecatedCount':1",
        BODY ",'deprecatedFirstTimestamp':'2026-11-23T18:16:33Z'",
        BODY ",'deprecatedLastTimestamp':'2026-11-23T18:16:33Z'",
        BODY ",'deprecatedSource':{'component':'handover'}",
        BODY ",'series':{'count':1,'lastObservedTime':'2026-11-23T18:16:33.000000Z'}",
        BODY ",'series':{'count':2}",
        BODY ",'type':'Odd'",
        BODY ",'action':''",
        BODY ",'reportingInstance':''",
        BODY ",'eventTime':null",
    };
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        cleanup_free char *body = xasprintf("{%s}", bodies[i]);
        run(s, "POST", VIEW, body, 422);
    }
    run(s, "POST", VIEW, "{'apiVersion':'v1','kind':'Event'," BODY "}", 400);
    run(s, "POST", VIEW, "{" BODY "}", 201);
    run(s, "PATCH", VIEW "/e", "{'note':'other'}", 422);
    run(s, "PATCH", VIEW "/e", "{'deprecatedCount':2}", 422);
}
