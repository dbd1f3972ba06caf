/* PATCH: the dialects over REST, and server-side apply with its owners, conflicts and removals. */
#include "../client.h"

static cJSON *patch(struct sim *s, const char *target, const char *type, const char *body, int *status) {
    return ask_as(s, "PATCH", target, type, NULL, body, status);
}

static void expect_patch(struct sim *s, const char *target, const char *type, const char *body, int want) {
    int status = 0;
    cJSON *v = patch(s, target, type, body, &status);
    if (status != want) fail_msg("%s %s: %d: %s", type, body, status, json_print(v));
}

#define JSON_PATCH "application/json-patch+json"
#define MERGE      "application/merge-patch+json"
#define STRATEGIC  "application/strategic-merge-patch+json"
#define APPLY      "application/apply-patch+yaml"

SIM_TEST(dialects) {
    run(s, "POST", DEPLOYMENTS, DEPLOYMENT("d", "i:1"), 201);
    const char *d = DEPLOYMENTS "/d";
    expect_patch(s, d, JSON_PATCH,
                 "[{'op':'test','path':'/spec/replicas','value':2},{'op':'replace','path':'/spec/"
                 "replicas','value':3}]",
                 200);
    expect_patch(s, d, JSON_PATCH, "[{'op':'test','path':'/spec/replicas','value':2}]", 422);
    expect_patch(s, d, JSON_PATCH, "{}", 400);
    expect_patch(s, d, MERGE, "[]", 400);
    expect_patch(s, d, MERGE, "{'metadata':{'annotations':{'a':'1','b':'2'}}}", 200);
    expect_patch(s, d, MERGE, "{'metadata':{'annotations':{'a':null}}}", 200);
    expect_patch(s, d, STRATEGIC, "{'spec':{'template':{'spec':{'containers':[{'name':'c2','image':'j'}]}}}}",
                 200);
    expect_patch(s, d, MERGE, "{'metadata':{'name':'e'}}", 422);
    expect_patch(s, d, MERGE, "{'metadata':{'resourceVersion':'1'}}", 409);
    expect_patch(s, d, MERGE, "{'metadata':{'uid':'1'}}", 409);
    expect_patch(s, d, MERGE, "{'kind':'Chair'}", 400);
    expect_patch(s, DEPLOYMENTS "/none", MERGE, "{}", 404);
    cJSON *v = ask(s, "GET", d, NULL, NULL);
    assert_int_equal(json_i64(json_obj(v, "spec"), "replicas", 0), 3);
    assert_null(obj_annotation(v, "a"));
    assert_string_equal(obj_annotation(v, "b"), "2");
    assert_int_equal(cJSON_GetArraySize(json_at(v, "spec/template/spec/containers")), 2);
    run(s, "POST", "/sim/types", "{'group':'x.io','resource':'widgets','kind':'Widget'}", 200);
    run(s, "POST", "/apis/x.io/v1/namespaces/default/widgets",
        "{'apiVersion':'x.io/v1','kind':'Widget','metadata':{'name':'w'}}", 201);
    expect_patch(s, "/apis/x.io/v1/namespaces/default/widgets/w", STRATEGIC, "{}", 415);
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
static cJSON *apply(struct sim *s, const char *who, const char *options, const char *body, int *status) {
    cleanup_free char *target = xasprintf(DEPLOYMENTS "/d?fieldManager=%s%s", who, options);
    return patch(s, target, APPLY, body, status);
}

static void applied(struct sim *s, const char *who, const char *options, const char *body) {
    int status = 0;
    cJSON *v = apply(s, who, options, body, &status);
    if (status != 200 && status != 201) fail_msg("%s: %d %s", who, status, json_str_or(v, "message", ""));
}

#define HEAD "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: d\n"
#define SPEC                                                                                                 \
    "spec:\n  selector: {matchLabels: {app: d}}\n  template:\n    metadata: {labels: {app: d}}\n    "        \
    "spec:\n      containers:\n"

static const cJSON *container(const cJSON *d, const char *name) {
    const cJSON *list = json_at(d, "spec/template/spec/containers");
    for (const cJSON *c = list ? list->child : NULL; c; c = c->next) {
        if (!strcmp(json_str_or(c, "name", ""), name)) return c;
    }
    return NULL;
}

SIM_TEST(apply_merges_and_removes) {
    int status = 0;
    cJSON *v = apply(s, "a", "",
                     HEAD "  labels: {x: \"1\", y: \"1\"}\n" SPEC
                          "      - {name: c, image: i, env: [{name: A, value: a}, {name: B, value: b}]}\n    "
                          "  - {name: side, image: s}\n",
                     &status);
    assert_int_equal(status, 201);
    /* Another one adds a label, an env variable, replicas. */
    applied(s, "b", "",
            HEAD "  labels: {z: \"1\"}\nspec:\n  replicas: 4\n  selector: {matchLabels: {app: d}}\n  "
                 "template:\n    spec:\n      containers:\n      - {name: c, env: [{name: C, value: c}]}\n");
    /* The first leaves out what was its own; the rest stays. */
    applied(s, "a", "",
            HEAD "  labels: {x: \"2\"}\n" SPEC "      - {name: c, image: i2, env: [{name: A, value: a}]}\n");
    v = ask(s, "GET", DEPLOYMENTS "/d", NULL, NULL);
    assert_string_equal(obj_label(v, "x"), "2");
    assert_null(obj_label(v, "y"));
    assert_string_equal(obj_label(v, "z"), "1");
    assert_null(container(v, "side"));
    const cJSON *c = container(v, "c");
    assert_string_equal(json_str(c, "image"), "i2");
    assert_int_equal(cJSON_GetArraySize(json_arr(c, "env")), 2);
    assert_int_equal(json_i64(json_obj(v, "spec"), "replicas", 0), 4);
    cJSON *managed = cJSON_GetObjectItem(cJSON_GetObjectItem(v, "metadata"), "managedFields");
    assert_int_equal(cJSON_GetArraySize(managed), 2);
    cleanup_free char *rv = xstrdup(obj_rv(v));
    /* The same again is no change at all. */
    applied(s, "a", "",
            HEAD "  labels: {x: \"2\"}\n" SPEC "      - {name: c, image: i2, env: [{name: A, value: a}]}\n");
    v = ask(s, "GET", DEPLOYMENTS "/d", NULL, NULL);
    assert_string_equal(obj_rv(v), rv);
}

SIM_TEST(apply_conflicts) {
    int status = 0;
    applied(s, "a", "", HEAD SPEC "      - {name: c, image: i}\n");
    run(s, "PATCH", DEPLOYMENTS "/d?fieldManager=kubectl-set", "{'spec':{'replicas':7,'paused':true}}", 200);
    expect_patch(s, DEPLOYMENTS "/d?fieldManager=kubectl-set", STRATEGIC,
                 "{'spec':{'template':{'spec':{'containers':[{'name':'c','image':'j'}]}}}}", 200);
    cJSON *v = apply(s, "a", "", HEAD SPEC "      - {name: c, image: i}\n", &status);
    assert_int_equal(status, 409);
    assert_string_equal(json_str(v, "reason"), "Conflict");
    assert_non_null(strstr(json_str(v, "message"),
                           "Apply failed with 1 conflict: conflict with \"kubectl-set\" using apps/v1"));
    assert_non_null(strstr(json_str(v, "message"), ".spec.template.spec.containers[name=\"c\"].image"));
    const cJSON *cause = json_at(v, "details/causes")->child;
    assert_string_equal(json_str(cause, "reason"), "FieldManagerConflict");
    v = ask(s, "GET", DEPLOYMENTS "/d", NULL, NULL); /* nothing of it was done */
    assert_string_equal(json_str(container(v, "c"), "image"), "j");
    /* The value that is there already is no conflict: both own it then. */
    applied(s, "a", "", HEAD SPEC "      - {name: c, image: j}\n");
    applied(s, "a", "&force=true", HEAD SPEC "      - {name: c, image: k}\n");
    applied(s, "a", "", HEAD SPEC "      - {name: c, image: l}\n"); /* it is now its own */
    v = ask(s, "GET", DEPLOYMENTS "/d", NULL, NULL);
    assert_string_equal(json_str(container(v, "c"), "image"), "l");
    assert_int_equal(json_i64(json_obj(v, "spec"), "replicas", 0), 7); /* and what was not applied was kept */
    assert_true(json_bool(json_obj(v, "spec"), "paused", false));
}

SIM_TEST(apply_refuses) {
    int status = 0;
    cJSON *v = patch(s, DEPLOYMENTS "/d", APPLY, HEAD SPEC "      - {name: c, image: i}\n", &status);
    assert_int_equal(status, 422); /* who? */
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
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        v = apply(s, "a", "", bad[i].body, &status);
        if (status != bad[i].status)
            fail_msg("%s: %d %s", bad[i].body, status, json_str_or(v, "message", ""));
    }
    applied(s, "a", "&dryRun=All", HEAD SPEC "      - {name: c, image: i}\n");
    run(s, "GET", DEPLOYMENTS "/d", NULL, 404);
}

SIM_TEST(apply_of_status_and_maps) {
    applied(s, "a", "", HEAD SPEC "      - {name: c, image: i}\n");
    int status = 0;
    cJSON *v = patch(s, DEPLOYMENTS "/d/status?fieldManager=s", APPLY,
                     HEAD "status: {replicas: 5}\nspec: {replicas: 9}\n", &status);
    assert_int_equal(status, 200);
    assert_int_equal(json_i64(json_obj(v, "status"), "replicas", 0), 5);
    assert_int_not_equal(json_i64(json_obj(v, "spec"), "replicas", 0), 9);
    /* A ConfigMap's data, key by key. */
    expect_patch(s, CMS "/m?fieldManager=a", APPLY,
                 "{'apiVersion':'v1','kind':'ConfigMap','data':{'a':'1','b':'1'}}", 201);
    expect_patch(s, CMS "/m?fieldManager=b", APPLY,
                 "{'apiVersion':'v1','kind':'ConfigMap','data':{'b':'1','c':'1'}}", 200);
    expect_patch(s, CMS "/m?fieldManager=a", APPLY, "{'apiVersion':'v1','kind':'ConfigMap','data':{}}", 200);
    v = ask(s, "GET", CMS "/m", NULL, NULL);
    const cJSON *data = json_obj(v, "data");
    assert_null(json_get(data, "a"));
    assert_string_equal(json_str(data, "b"), "1"); /* the other one wants it */
    assert_string_equal(json_str(data, "c"), "1");
}

/* What an update changes changes hands. */
SIM_TEST(owners_of_updates) {
    make_cm(s, "m", "x", "1");
    run(s, "PATCH", CMS "/m?fieldManager=other", "{'data':{'k':'2','n':'1'}}", 200);
    cJSON *v = ask(s, "GET", CMS "/m", NULL, NULL);
    const cJSON *list = json_at(v, "metadata/managedFields");
    assert_int_equal(cJSON_GetArraySize(list), 2);
    const cJSON *first = list->child, *second = first->next;
    says(first, "manager=tester|operation=Update");
    assert_non_null(json_at(first, "fieldsV1/f:metadata"));
    assert_null(json_at(first, "fieldsV1/f:data"));
    assert_string_equal(json_str(second, "manager"), "other");
    assert_non_null(json_at(second, "fieldsV1/f:data/f:k"));
    assert_non_null(json_at(second, "fieldsV1/f:data/f:n"));
    run(s, "PATCH", CMS "/m?fieldManager=third", "{'data':null}", 200);
    v = ask(s, "GET", CMS "/m", NULL, NULL);
    /* who owns nothing is not listed */
    assert_int_equal(cJSON_GetArraySize(json_at(v, "metadata/managedFields")), 1);
}
