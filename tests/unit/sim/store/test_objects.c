/* Creating, replacing and deleting objects: what a client sees of versions, uids, finalizers, namespaces. */
#include "../client.h"

SIM_TEST(create_and_get) {
    cleanup_free char *body = config_map("a", "x", "1");
    cJSON *made = run(s, "POST", CMS, body, 201);
    says(made, "metadata/namespace=default|metadata/creationTimestamp=2023-11-14T22:13:20Z|metadata/"
               "generation=none");
    assert_int_equal(strlen(obj_uid(made)), 36);
    cJSON *got = run(s, "GET", CMS "/a", NULL, 200);
    assert_true(cJSON_Compare(made, got, true));
    says(got, "kind=ConfigMap|apiVersion=v1");
    refused(s, "GET", CMS "/b", NULL, 404, "configmaps \"b\" not found");
    refused(s, "POST", "/api/v1/namespaces/nowhere/configmaps", "{'metadata':{'name':'a'}}", 404,
            "namespaces \"nowhere\" not found");
    refused(s, "POST", CMS, "{'metadata':{'name':'a'}}", 409, "configmaps \"a\" already exists");
    refused(s, "POST", CMS, "{'metadata':{'name':'b','namespace':'other'}}", 400,
            "does not match the namespace");
    refused(s, "POST", CMS, "{'metadata':{'name':'b','resourceVersion':'3'}}", 400,
            "resourceVersion should not be set");
    refused(s, "POST", CMS, "{'kind':'Secret','apiVersion':'v1','metadata':{'name':'b'}}", 400, "ConfigMap");
    refused(s, "POST", CMS, "{'kind':'ConfigMap','apiVersion':'v2','metadata':{'name':'b'}}", 400,
            "does not match the expected API version (v1)");
    refused(s, "POST", CMS, "{", 400, "");
    refused(s, "POST", CMS, "[]", 400, "");
    refused(s, "POST", CMS, "", 400, "");
    refused(s, "PUT", CMS, "{}", 405, "does not allow this method");
    refused(s, "GET", "/api/v1/nothings", NULL, 404, "could not find the requested resource");
    refused(s, "GET", "/apis/apps/v2/deployments", NULL, 404, "could not find the requested resource");
}

/* Bytes that are no text never come into an object, by whatever way. */
SIM_TEST(no_text) {
    refused(s, "POST", CMS "?fieldManager=a%ff", "{'metadata':{'name':'a'}}", 400, "cannot be understood");
    refused(s, "POST", CMS "?fieldManager=a\xff", "{'metadata':{'name':'a'}}", 400, "cannot be understood");
    refused(s, "GET", CMS "/a%c3", NULL, 400, "cannot be understood");
    cleanup_answer struct answer a = {.body = BUF(1 << 20)};
    struct sim_request r = {.method = SL("POST"),
                            .target = SL(CMS),
                            .content_type = SL("application/json"),
                            .body = SL("{\"metadata\":{\"name\":\"a\"},\"data\":{\"k\":\"v\"}}"),
                            .user_agent = SL("b\xff!/1")};
    assert_null(sim_handle(s, &r, &client_cb, &a));
    assert_int_equal(a.status, 201);
    assert_non_null(strstr(buf_str(&a.body), "\"manager\":\"b?!\""));
}

SIM_TEST(generate_name) {
    char last[64] = "";
    for (int i = 0; i < 20; i++) {
        cJSON *v = ask(s, "POST", CMS, "{'metadata':{'generateName':'job-'}}", NULL);
        const char *name = obj_name(v);
        assert_int_equal(strlen(name), 9);
        assert_memory_equal(name, "job-", 4);
        assert_string_not_equal(name, last);
        strcpy(last, name);
    }
    refused(s, "POST", CMS, "{'metadata':{}}", 422, "name or generateName is required");
}

SIM_TEST(optimistic_lock) {
    make_cm(s, "a", "x", "1");
    cJSON *first = get(s, CMS "/a");
    cleanup_free char *versioned = json_print(first);
    run(s, "PATCH", CMS "/a", "{'data':{'k':'2'}}", 200);
    refused(s, "PUT", CMS "/a", versioned, 409,
            "Operation cannot be fulfilled on configmaps \"a\": the object has been modified; please apply "
            "your changes to the latest version and try again");
    /* Without a version it is unconditional, and what does not change anything is no change. */
    cJSON_DeleteItemFromObject(cJSON_GetObjectItem(first, "metadata"), "resourceVersion");
    cleanup_free char *text = json_print(first);
    cJSON *one = run(s, "PUT", CMS "/a", text, 200), *two = run(s, "PUT", CMS "/a", text, 200);
    says(one, "data/k=1");
    assert_string_equal(obj_rv(one), obj_rv(two));
    /* Another object of the same name */
    run(s, "DELETE", CMS "/a", NULL, 200);
    make_cm(s, "a", "x", "1");
    refused(s, "PUT", CMS "/a", text, 409, "UID in precondition");
    refused(s, "PUT", CMS "/a", "{'metadata':{'name':'b'}}", 400, "does not match the name on the URL");
    refused(s, "PUT", CMS "/b", "{'metadata':{'name':'b'}}", 404, "not found");
}

SIM_TEST(leases_by_put) {
    const char *body =
        "{'apiVersion':'coordination.k8s.io/v1','kind':'Lease','metadata':{'name':'l'},'spec':{"
        "'holderIdentity':'me','leaseDurationSeconds':15,'renewTime':'2023-11-14T23:13:20.000001+01:00'}}";
    run(s, "PUT", LEASES "/l", body, 201); /* a PUT makes a Lease, */
    refused(s, "PUT", LEASES "/l", body, 422,
            "metadata.resourceVersion: Invalid value: 0x0: must be specified for an update");
    says(get(s, LEASES "/l"), "spec/renewTime=2023-11-14T22:13:20.000001Z");
    refused(s, "PATCH", LEASES "/l", "{'spec':{'renewTime':'2023-11-14T22:13:20Z'}}", 400, "parsing time");
    refused(s, "PATCH", LEASES "/l", "{'spec':{'leaseDurationSeconds':0}}", 422, "must be greater than 0");
    refused(s, "PATCH", LEASES "/l", "{'spec':{'leaseTransitions':-1}}", 422,
            "must be greater than or equal to 0");
    refused(s, "PATCH", LEASES "/l", "{'spec':{'leaseDurationSeconds':'15'}}", 400,
            "cannot be handled as a Lease");
}

SIM_TEST(generation_and_status) {
    static const struct {
        const char *path, *patch, *says;
    } t[] = {
        {DEPLOYMENTS "/d", "{'metadata':{'labels':{'a':'b'}}}", "metadata/generation=1"},
        /* annotations count, of Deployments; a status does not come by this door */
        {DEPLOYMENTS "/d", "{'metadata':{'annotations':{'a':'b'}}}", "metadata/generation=2"},
        {DEPLOYMENTS "/d", "{'spec':{'replicas':5},'status':{'replicas':9}}",
         "metadata/generation=3|status/replicas=0"},
        {DEPLOYMENTS "/d/status", "{'spec':{'replicas':7},'status':{'replicas':9}}",
         "metadata/generation=3|status/replicas=9|spec/replicas=5"},
    };
    run(s, "POST", DEPLOYMENTS, DEPLOYMENT("d", "i:1"), 201);
    for (size_t i = 0; i < ARRAY_LEN(t); i++) says(run(s, "PATCH", t[i].path, t[i].patch, 200), t[i].says);
    refused(s, "GET", CMS "/a/status", NULL, 404, "could not find the requested resource");
}

SIM_TEST(scale) {
    run(s, "POST", DEPLOYMENTS, DEPLOYMENT("d", "i:1"), 201);
    says(get(s, DEPLOYMENTS "/d/scale"), "kind=Scale|spec/replicas=2|status/selector=app=d");
    run(s, "PATCH", DEPLOYMENTS "/d/scale", "{'spec':{'replicas':4}}", 200);
    refused(s, "PATCH", DEPLOYMENTS "/d/scale", "{'spec':{'replicas':-4}}", 422,
            "must be greater than or equal to 0");
    refused(s, "PUT", DEPLOYMENTS "/d/scale", "{'metadata':{'resourceVersion':'1'},'spec':{'replicas':1}}",
            409, "has been modified");
    run(s, "PUT", DEPLOYMENTS "/d/scale", "{'metadata':{'name':'d'}}", 200); /* absent: zero */
    says(get(s, DEPLOYMENTS "/d"), "spec/replicas=0|metadata/generation=3");
}

/* Only a delete begins one, and nobody ends it but by finalizers. */
SIM_TEST(deletion) {
#define SINCE "'deletionTimestamp':'2026-11-23T18:16:33Z'"
    run(s, "POST", CMS, "{'metadata':{'name':'a','finalizers':['x.io/f']," SINCE "}}", 201);
    assert_false(obj_deleting(get(s, CMS "/a")));
    refused(s, "PATCH", CMS "/a", "{'metadata':{" SINCE "}}", 422,
            "metadata.deletionTimestamp: Invalid value");
    refused(s, "PUT", CMS "/a", "{'metadata':{'name':'a','deletionGracePeriodSeconds':5}}", 422,
            "field is immutable");
    run(s, "DELETE", CMS "/a", NULL, 200);
    run(s, "PATCH", CMS "/a", "{'metadata':{" SINCE "},'data':{'a':'b'}}", 200); /* another time: none */
    run(s, "PATCH", CMS "/a", "{'metadata':{'deletionTimestamp':null}}", 200);
    assert_true(obj_deleting(get(s, CMS "/a")));
}

SIM_TEST(finalizers) {
    run(s, "POST", CMS, "{'metadata':{'name':'a','finalizers':['x.io/f']}}", 201);
    cJSON *v = run(s, "DELETE", CMS "/a", NULL, 200);
    says(v, "kind=ConfigMap");
    assert_true(obj_deleting(v));
    refused(s, "PATCH", CMS "/a", "{'metadata':{'finalizers':['x.io/f','x.io/g']}}", 422,
            "no new finalizers can be added if the object is being deleted");
    run(s, "PATCH", CMS "/a", "{'data':{'a':'b'}}", 200);
    run(s, "PATCH", CMS "/a", "{'metadata':{'finalizers':null}}", 200);
    run(s, "GET", CMS "/a", NULL, 404);
    make_cm(s, "b", "x", "1");
    says(run(s, "DELETE", CMS "/b", NULL, 200), "kind=Status|status=Success");
}

SIM_TEST(delete_options) {
    make_cm(s, "a", "x", "1");
    refused(s, "DELETE", CMS "/a", "{'preconditions':{'uid':'no'}}", 409,
            "Precondition failed: UID in precondition: no");
    refused(s, "DELETE", CMS "/a", "{'preconditions':{'resourceVersion':'1'}}", 409,
            "ResourceVersion in precondition");
    refused(s, "DELETE", CMS "/a?propagationPolicy=Sideways", NULL, 422, "Unsupported value");
    refused(s, "DELETE", CMS "/a", "{'dryRun':['Some']}", 422, "dryRun");
    run(s, "DELETE", CMS "/a?dryRun=All", NULL, 200);
    cJSON *v = run(s, "GET", CMS "/a", NULL, 200);
    cleanup_free char *body =
        xasprintf("{'preconditions':{'uid':'%s','resourceVersion':'%s'}}", obj_uid(v), obj_rv(v));
    run(s, "DELETE", CMS "/a", body, 200);
    run(s, "GET", CMS "/a", NULL, 404);
    refused(s, "DELETE", CMS "/a", NULL, 404, "not found");
    make_cm(s, "o", "x", "1");
    assert_true(obj_deleting(run(s, "DELETE", CMS "/o", "{'propagationPolicy':'Foreground'}", 200)));
}

SIM_TEST(delete_collection) {
    for (int i = 0; i < 10; i++) {
        char name[] = {'c', (char)('0' + i), '\0'};
        make_cm(s, name, i % 2 ? "odd" : "even", "1");
    }
    says(run(s, "DELETE", CMS "?labelSelector=l%3Dodd", NULL, 200), "items=[5]");
    says(get(s, CMS), "items=[5]");
}

SIM_TEST(dry_run) {
    run(s, "POST", CMS "?dryRun=All", "{'metadata':{'name':'a'}}", 201);
    run(s, "GET", CMS "/a", NULL, 404);
    make_cm(s, "a", "x", "1");
    says(run(s, "PATCH", CMS "/a?dryRun=All", "{'data':{'k':'2'}}", 200), "data/k=2");
    says(get(s, CMS "/a"), "data/k=1");
}

SIM_TEST(namespaces) {
    run(s, "POST", "/api/v1/namespaces", "{'metadata':{'name':'n'}}", 201);
    run(s, "POST", "/api/v1/namespaces/n/configmaps", "{'metadata':{'name':'a'}}", 201);
    run(s, "POST", "/api/v1/namespaces/n/configmaps", "{'metadata':{'name':'b','finalizers':['x.io/f']}}",
        201);
    refused(s, "DELETE", "/api/v1/namespaces/default", NULL, 403, "this namespace may not be deleted");
    says(run(s, "DELETE", "/api/v1/namespaces/n", NULL, 200), "status/phase=Terminating");
    refused(s, "POST", "/api/v1/namespaces/n/configmaps", "{'metadata':{'name':'c'}}", 403,
            "because it is being terminated");
    sim_advance(s, WALL + NS_PER_S);
    run(s, "GET", "/api/v1/namespaces/n/configmaps/a", NULL, 404);
    run(s, "GET", "/api/v1/namespaces/n", NULL, 200); /* waits for the finalizer */
    run(s, "PATCH", "/api/v1/namespaces/n/configmaps/b", "{'metadata':{'finalizers':[]}}", 200);
    sim_advance(s, WALL + 2 * NS_PER_S);
    run(s, "GET", "/api/v1/namespaces/n", NULL, 404);
}

SIM_TEST(exact_numbers) {
    run(s, "POST", "/sim/types", "{'group':'x.io','resource':'widgets','kind':'Widget'}", 200);
    run(s, "POST", "/apis/x.io/v1/namespaces/default/widgets",
        "{'apiVersion':'x.io/"
        "v1','kind':'Widget','metadata':{'name':'w'},'spec':{'a':9007199254740993,'b':1e15,"
        "'c':0.1,'d':1000000000000000,'e':null}}",
        201);
    run(s, "PATCH", "/apis/x.io/v1/namespaces/default/widgets/w", "{'spec':{'f':1}}", 200);
    cleanup_answer struct answer a = {0};
    send_as(s, "GET", "/apis/x.io/v1/namespaces/default/widgets/w", NULL, NULL, SL(""), &a);
    assert_non_null(strstr(buf_str(&a.body), "\"a\":9007199254740993,"));
    assert_non_null(strstr(buf_str(&a.body), "\"d\":1000000000000000,"));
    assert_non_null(strstr(buf_str(&a.body), "\"c\":0.1,"));
}

SIM_TEST(too_much) {
    size_t n = (size_t)(3 << 20) + 1;
    cleanup_free char *big = xmalloc(n + 1);
    memset(big, ' ', n);
    big[n] = '\0';
    refused(s, "POST", CMS, big, 413, "limit is 3145728");
    cleanup_free char *target = xmalloc(20000);
    memset(target, 'a', 19999);
    target[0] = '/';
    target[19999] = '\0';
    refused(s, "GET", target, NULL, 414, "too long");
}
