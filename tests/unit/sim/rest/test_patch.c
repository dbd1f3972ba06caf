/* PATCH: the dialects over REST, and server-side apply with its owners, conflicts and removals. */
#include "../client.h"

static cJSON *patch(struct sim *s, const char *target, const char *type, const char *body, int want) {
    int status = 0;
    cJSON *v = ask_as(s, "PATCH", target, type, NULL, body, &status);
    if (status != want) fail_msg("%s %s: %d: %s", type, body, status, json_print(v));
    return v;
}

#define JSON_PATCH "application/json-patch+json"
#define MERGE      "application/merge-patch+json"
#define STRATEGIC  "application/strategic-merge-patch+json"
#define APPLY      "application/apply-patch+yaml"

SIM_TEST(dialects) {
    run(s, "POST", DEPLOYMENTS, DEPLOYMENT("d", "i:1"), 201);
    const char *d = DEPLOYMENTS "/d";
    patch(s, d, JSON_PATCH,
          "[{'op':'test','path':'/spec/replicas','value':2},{'op':'replace','path':'/spec/"
          "replicas','value':3}]",
          200);
    patch(s, d, JSON_PATCH, "[{'op':'test','path':'/spec/replicas','value':2}]", 422);
    patch(s, d, JSON_PATCH, "{}", 400);
    patch(s, d, MERGE, "[]", 400);
    patch(s, d, MERGE, "{'metadata':{'annotations':{'a':'1','b':'2'}}}", 200);
    patch(s, d, MERGE, "{'metadata':{'annotations':{'a':null}}}", 200);
    patch(s, d, STRATEGIC, "{'spec':{'template':{'spec':{'containers':[{'name':'c2','image':'j'}]}}}}", 200);
    patch(s, d, MERGE, "{'metadata':{'name':'e'}}", 422);
    patch(s, d, MERGE, "{'metadata':{'resourceVersion':'1'}}", 409);
    patch(s, d, MERGE, "{'metadata':{'uid':'1'}}", 409);
    patch(s, d, MERGE, "{'kind':'Chair'}", 400);
    patch(s, DEPLOYMENTS "/none", MERGE, "{}", 404);
    says(get(s, d), "spec/replicas=3|metadata/annotations/a=none|metadata/annotations/b=2|"
                    "spec/template/spec/containers=[2]");
    run(s, "POST", "/sim/types", "{'group':'x.io','resource':'widgets','kind':'Widget'}", 200);
    run(s, "POST", "/apis/x.io/v1/namespaces/default/widgets",
        "{'apiVersion':'x.io/v1','kind':'Widget','metadata':{'name':'w'}}", 201);
    patch(s, "/apis/x.io/v1/namespaces/default/widgets/w", STRATEGIC, "{}", 415);
}

/* What the body is of is decided before it is read. */
SIM_TEST(unknown_media_types) {
    run(s, "POST", DEPLOYMENTS, DEPLOYMENT("d", "i:1"), 201);
    static const struct {
        const char *method, *target, *type, *says;
    } cases[] = {
        {"PATCH", DEPLOYMENTS "/d", "text/plain", "application/merge-patch+json"},
        {"PATCH", DEPLOYMENTS "/d", "", "application/strategic-merge-patch+json"},
        {"PATCH", DEPLOYMENTS "/none", "application/x-www-form-urlencoded", "application/apply-patch+yaml"},
        {"PATCH", DEPLOYMENTS "/d/scale", APPLY, "application/json-patch+json"},
        {"PATCH", DEPLOYMENTS "/d/status", "application/json", "application/merge-patch+json"},
        {"PUT", DEPLOYMENTS "/d", "text/plain", "application/vnd.kubernetes.protobuf"},
        {"PUT", DEPLOYMENTS "/d/scale", MERGE, "application/json, "},
        {"POST", DEPLOYMENTS, "application/xml; charset=utf-8", "application/yaml"},
        {"DELETE", DEPLOYMENTS "/d", "text/plain", "application/json, "},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int status = 0;
        cJSON *v = ask_as(s, cases[i].method, cases[i].target, cases[i].type, NULL, "no=JSON", &status);
        const char *said = json_str_or(v, "message", "");
        if (status != 415 || !strstr(said, cases[i].says) ||
            strcmp(json_str_or(v, "reason", ""), "UnsupportedMediaType") != 0)
            fail_msg("%s %s %s: %d %s", cases[i].method, cases[i].target, cases[i].type, status, said);
    }
}

/* Applies as a manager; returns the object or Status. */
static cJSON *apply(struct sim *s, const char *who, const char *options, const char *body, int want) {
    cleanup_free char *target = xasprintf(DEPLOYMENTS "/d?fieldManager=%s%s", who, options);
    return patch(s, target, APPLY, body, want);
}

#define HEAD "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: d\n"
#define SPEC                                                                                                 \
    "spec:\n  selector: {matchLabels: {app: d}}\n  template:\n    metadata: {labels: {app: d}}\n    "        \
    "spec:\n      containers:\n"

#define ONE(image) HEAD SPEC "      - {name: c, image: " image "}\n"
#define CONTAINERS "spec/template/spec/containers"

SIM_TEST(apply_merges_and_removes) {
    apply(s, "a", "",
          HEAD "  labels: {x: \"1\", y: \"1\"}\n" SPEC
               "      - {name: c, image: i, env: [{name: A, value: a}, {name: B, value: b}]}\n    "
               "  - {name: side, image: s}\n",
          201);
    /* Another one adds a label, an env variable, replicas. */
    apply(s, "b", "",
          HEAD "  labels: {z: \"1\"}\nspec:\n  replicas: 4\n  selector: {matchLabels: {app: d}}\n  "
               "template:\n    spec:\n      containers:\n      - {name: c, env: [{name: C, value: c}]}\n",
          200);
    /* The first leaves out what was its own; the rest stays. The same again is no change at all. */
    char rv[2][24];
    for (int i = 0; i < 2; i++) {
        apply(s, "a", "",
              HEAD "  labels: {x: \"2\"}\n" SPEC "      - {name: c, image: i2, env: [{name: A, value: a}]}\n",
              200);
        cJSON *v = get(s, DEPLOYMENTS "/d");
        says(v, "metadata/labels/x=2|metadata/labels/y=none|metadata/labels/z=1|spec/replicas=4|" CONTAINERS
                "=[1]|" CONTAINERS "/0/name=c|" CONTAINERS "/0/image=i2|" CONTAINERS
                "/0/env=[2]|metadata/managedFields=[2]");
        snprintf(rv[i], sizeof rv[i], "%s", obj_rv(v));
    }
    assert_string_equal(rv[0], rv[1]);
}

SIM_TEST(apply_conflicts) {
    apply(s, "a", "", ONE("i"), 201);
    run(s, "PATCH", DEPLOYMENTS "/d?fieldManager=kubectl-set", "{'spec':{'replicas':7,'paused':true}}", 200);
    patch(s, DEPLOYMENTS "/d?fieldManager=kubectl-set", STRATEGIC,
          "{'spec':{'template':{'spec':{'containers':[{'name':'c','image':'j'}]}}}}", 200);
    cJSON *v = apply(s, "a", "", ONE("i"), 409);
    says(v, "reason=Conflict|details/causes/0/reason=FieldManagerConflict");
    assert_non_null(strstr(json_str(v, "message"),
                           "Apply failed with 1 conflict: conflict with \"kubectl-set\" using apps/v1"));
    assert_non_null(strstr(json_str(v, "message"), ".spec.template.spec.containers[name=\"c\"].image"));
    says(get(s, DEPLOYMENTS "/d"), CONTAINERS "/0/image=j"); /* nothing of it was done */
    /* The value that is there already is no conflict: both own it then. */
    apply(s, "a", "", ONE("j"), 200);
    apply(s, "a", "&force=true", ONE("k"), 200);
    apply(s, "a", "", ONE("l"), 200); /* it is now its own, and what was not applied was kept */
    says(get(s, DEPLOYMENTS "/d"), CONTAINERS "/0/image=l|spec/replicas=7|spec/paused=true");
}

SIM_TEST(apply_refuses) {
    patch(s, DEPLOYMENTS "/d", APPLY, ONE("i"), 422); /* who? */
    static const struct {
        const char *body;
        int status;
    } bad[] = {{"a: [", 400},
               {"just text", 400},
               {"", 400},
               {"apiVersion: apps/v1\nkind: Pod\n", 400},
               {"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: other}\n", 400},
               {"apiVersion: apps/v1\nkind: Deployment\nmetadata: {managedFields: []}\n", 400},
               {"apiVersion: apps/v1\nkind: Deployment\nspec: {replicas: many}\n", 400},
               {"apiVersion: apps/v1\nkind: Deployment\n", 422},
               {"a: &a [x]\nb: *c\n", 400}};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) apply(s, "a", "", bad[i].body, bad[i].status);
    apply(s, "a", "&dryRun=All", ONE("i"), 201);
    run(s, "GET", DEPLOYMENTS "/d", NULL, 404);
}

SIM_TEST(apply_of_status_and_maps) {
    apply(s, "a", "", ONE("i"), 201);
    cJSON *v = patch(s, DEPLOYMENTS "/d/status?fieldManager=s", APPLY,
                     HEAD "status: {replicas: 5}\nspec: {replicas: 9}\n", 200);
    says(v, "status/replicas=5");
    assert_int_not_equal(json_i64(json_obj(v, "spec"), "replicas", 0), 9);
    /* A ConfigMap's data, key by key. */
    patch(s, CMS "/m?fieldManager=a", APPLY,
          "{'apiVersion':'v1','kind':'ConfigMap','data':{'a':'1','b':'1'}}", 201);
    patch(s, CMS "/m?fieldManager=b", APPLY,
          "{'apiVersion':'v1','kind':'ConfigMap','data':{'b':'1','c':'1'}}", 200);
    patch(s, CMS "/m?fieldManager=a", APPLY, "{'apiVersion':'v1','kind':'ConfigMap','data':{}}", 200);
    says(get(s, CMS "/m"), "data/a=none|data/b=1|data/c=1"); /* the other one wants b */
}

/* What an update changes changes hands. */
SIM_TEST(owners_of_updates) {
    make_cm(s, "m", "x", "1");
    run(s, "PATCH", CMS "/m?fieldManager=other", "{'data':{'k':'2','n':'1'}}", 200);
    says(get(s, CMS "/m"), "metadata/managedFields=[2]|"
                           "metadata/managedFields/0/manager=tester|"
                           "metadata/managedFields/0/operation=Update|"
                           "metadata/managedFields/0/fieldsV1/f:metadata=(other)|"
                           "metadata/managedFields/0/fieldsV1/f:data=none|"
                           "metadata/managedFields/1/manager=other|"
                           "metadata/managedFields/1/fieldsV1/f:data/f:k=(other)|"
                           "metadata/managedFields/1/fieldsV1/f:data/f:n=(other)");
    run(s, "PATCH", CMS "/m?fieldManager=third", "{'data':null}", 200);
    says(get(s, CMS "/m"), "metadata/managedFields=[1]"); /* who owns nothing is not listed */
}
