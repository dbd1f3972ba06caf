/* Discovery in both forms, and the reviews that it lists. */
#include "../client.h"

static struct sim *sim_137(void) {
    return sim_new(&(struct sim_config){.seed = 7, .wall_ns = WALL, .trees = 1, .release = SIM_RELEASE_1_37});
}
#define TEST_137(name) CASE_OF(struct sim, s, sim_137(), sim_free, name)

static const char v2[] =
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

static cJSON *discover(struct sim *s, const char *path, const char *accept, const char *type) {
    cleanup_answer struct answer a = {0};
    send_as(s, "GET", path, NULL, accept, (struct slice){0}, &a);
    assert_int_equal(a.status, 200);
    assert_string_equal(a.type, type);
    return keep(json_parse(buf_slice(&a.body), NULL));
}

static const cJSON *group_of(const cJSON *v, const char *name) {
    for (const cJSON *g = json_arr(v, "items")->child; g; g = g->next) {
        if (!strcmp(json_str_or(json_obj(g, "metadata"), "name", ""), name)) return g;
    }
    return NULL;
}

TEST_137(aggregated) {
    static const char type[] = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
    cJSON *core = discover(s, "/api", v2, type);
    says(core, "kind=APIGroupDiscoveryList|apiVersion=apidiscovery.k8s.io/v2|items=[1]|items/0/versions/0/"
               "version=v1|"
               "items/0/versions/0/freshness=Current|items/0/versions/0/resources/0/resource=namespaces|"
               "items/0/versions/0/resources/0/scope=Cluster|items/0/versions/0/resources/0/responseKind/"
               "kind=Namespace");
    run(s, "POST", "/sim/types", "{'group':'example.com','resource':'widgets','kind':'Widget','scale':true}",
        200);
    cJSON *all = discover(s, "/apis", v2, type);
    says(group_of(all, "apps"),
         "versions/0/resources/0/resource=deployments|versions/0/resources/0/shortNames/0=deploy|"
         "versions/0/resources/0/categories/0=all|versions/0/resources/0/verbs=[8]|"
         "versions/0/resources/0/subresources/1/subresource=scale|"
         "versions/0/resources/0/subresources/1/responseKind/group=autoscaling");
    says(group_of(all, "example.com"), "versions/0/resources/0/responseKind/group=example.com|"
                                       "versions/0/resources/0/subresources=[2]");
    says(group_of(all, "authorization.k8s.io"),
         "versions/0/resources=[4]|versions/0/resources/0/verbs/0=create");
    says(group_of(all, "authentication.k8s.io"), "versions/0/resources=[2]");
    for (const cJSON *g = json_arr(all, "items")->child; g; g = g->next)
        says(g, "versions=[1]"); /* each once, and no group twice */
}

TEST_137(who_does_not_ask_gets_the_old_form) {
    says(discover(s, "/apis", NULL, "application/json"), "kind=APIGroupList");
    says(discover(s, "/apis", "application/json", "application/json"), "kind=APIGroupList");
    says(discover(s, "/api", "application/json;g=apidiscovery.k8s.io;v=v9;as=APIGroupDiscoveryList,*/*",
                  "application/json"),
         "kind=APIVersions");
    says(discover(s, "/apis/authentication.k8s.io/v1", NULL, "application/json"),
         "resources=[2]|resources/1/kind=TokenReview");
}

SIM_TEST(an_older_server_has_the_old_form) {
    says(discover(s, "/apis", v2, "application/json"), "kind=APIGroupList");
}

TEST_137(reviews) {
    says(run(s, "POST", "/apis/authentication.k8s.io/v1/tokenreviews",
             "{'kind':'TokenReview','spec':{'token':'t'}}", 201),
         "status/authenticated=true|status/user/username=sim|spec/token=t");
    refused(s, "POST", "/apis/authentication.k8s.io/v1/tokenreviews", "{'spec':{}}", 422,
            "spec.token: Required value");
    says(run(s, "POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", "{}", 201),
         "status/userInfo/username=sim");
    const char *subject = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
    says(run(s, "POST", subject,
             "{'spec':{'user':'u','nonResourceAttributes':{'path':'/metrics','verb':'get'}}}", 201),
         "status/allowed=true");
    refused(s, "POST", subject, "{'spec':{'user':'u'}}", 422,
            "exactly one of nonResourceAttributes or resourceAttributes");
    refused(s, "POST", subject, "{'spec':{'resourceAttributes':{}}}", 422, "at least one of user or group");
    says(run(s, "POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
             "{'spec':{'resourceAttributes':{'verb':'get'}}}", 201),
         "status/allowed=true");
    run(s, "POST", "/apis/authorization.k8s.io/v1/namespaces/default/localsubjectaccessreviews",
        "{'spec':{'user':'u','resourceAttributes':{'namespace':'default'}}}", 201);
    refused(s, "POST", "/apis/authorization.k8s.io/v1/localsubjectaccessreviews", "{}", 404,
            "could not find");
    refused(s, "GET", subject, NULL, 405, "does not allow this method");
    /* Another answer, for tests of a refusal. */
    fault(s, "{'match':{'path':'*/tokenreviews'},'count':1,'status':201,'body':'{}'}");
    says(run(s, "POST", "/apis/authentication.k8s.io/v1/tokenreviews", "{'spec':{'token':'t'}}", 201),
         "status=none");
}
