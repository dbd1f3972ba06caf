/* fieldValidation, and what typed objects lose. */
#include "../client.h"

static struct sim *sim_137(void) {
    return sim_new(&(struct sim_config){.seed = 7, .wall_ns = WALL, .trees = 1, .release = SIM_RELEASE_1_37});
}
#define TEST_137(name) CASE_OF(struct sim, s, sim_137(), sim_free, name)

static const char odd[] =
    "{'apiVersion':'apps/"
    "v1','kind':'Deployment','metadata':{'name':'d','foo':1},'spec':{'bar':1,'replicas':0,"
    "'replicas':1,'selector':{'matchLabels':{'app':'d'}},'template':{'metadata':{'labels':{'app':'d'}},'spec'"
    ":"
    "{'containers':[{'name':'c','image':'x','baz':1,'env':[{'name':'A','valu':'1'}]}],'volumes':[{'name':'v',"
    "'configMap':"
    "{'nam':'c'}}]}}}}";

static void post(struct sim *s, const char *query, int want, const char *warnings, const char *message) {
    cleanup_answer struct answer a = {0};
    cleanup_free char *target = xasprintf(DEPLOYMENTS "?dryRun=All%s", query);
    send_as(s, "POST", target, "application/json", NULL, slice_make(odd, sizeof odd - 1), &a);
    cJSON *v = keep(json_parse(buf_slice(&a.body), NULL));
    assert_int_equal(a.status, want);
    assert_string_equal(buf_str(&a.warnings), warnings);
    if (message) {
        assert_string_equal(json_str(v, "message"), message);
        return;
    }
    says(v, "metadata/foo=none|spec/bar=none|spec/replicas=1|spec/template/spec/containers/0/baz=none|"
            "spec/template/spec/containers/0/env/0/valu=none|spec/template/spec/containers/0/env/0/name=A");
}

static const char warned[] = "unknown field \"metadata.foo\"\nunknown field \"spec.bar\"\n"
                             "unknown field \"spec.template.spec.containers[0].baz\"\n"
                             "unknown field \"spec.template.spec.containers[0].env[0].valu\"\n"
                             "unknown field \"spec.template.spec.volumes[0].configMap.nam\"\n"
                             "duplicate field \"spec.replicas\"\n";

TEST_137(a_whole_object) {
    post(s, "", 201, warned, NULL);
    post(s, "&fieldValidation=Warn", 201, warned, NULL);
    post(s, "&fieldValidation=Ignore", 201, "", NULL);
    post(s, "&fieldValidation=Strict", 400, "",
         "Deployment in version \"v1\" cannot be handled as a Deployment: strict decoding error: unknown "
         "field "
         "\"metadata.foo\", unknown field \"spec.bar\", unknown field "
         "\"spec.template.spec.containers[0].baz\", unknown "
         "field \"spec.template.spec.containers[0].env[0].valu\", unknown field "
         "\"spec.template.spec.volumes[0].configMap.nam\", duplicate field \"spec.replicas\"");
    post(s, "&fieldValidation=Bad", 422, "",
         "CreateOptions.meta.k8s.io \"\" is invalid: fieldValidation: Unsupported value: \"Bad\": supported "
         "values: "
         "\"\", \"Ignore\", \"Strict\", \"Warn\"");
}

SIM_TEST(an_older_server_says_nothing) {
    post(s, "&fieldValidation=Strict", 201, "", NULL);
}

TEST_137(a_patch) {
    run(s, "POST", DEPLOYMENTS, DEPLOYMENT("d", "x"), 201);
    refused(s, "PATCH", DEPLOYMENTS "/d?fieldValidation=Strict", "{'spec':{'foo':1}}", 422,
            " \"\" is invalid: patch: Invalid value: \"{\"spec\":{\"foo\":1}}\": strict decoding error: "
            "unknown field \"spec.foo\"");
    says(run(s, "PATCH", DEPLOYMENTS "/d", "{'spec':{'foo':1,'replicas':4}}", 200),
         "spec/foo=none|spec/replicas=4");
    int status = 0;
    cJSON *v = ask_as(s, "PATCH", DEPLOYMENTS "/d?fieldManager=x", "application/apply-patch+yaml", NULL,
                      "{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"spec\":{\"foo\":1}}", &status);
    assert_int_equal(status, 400);
    assert_string_equal(json_str(v, "message"), "failed to create typed patch object (default/d; apps/v1, "
                                                "Kind=Deployment): .spec.foo: field not declared in schema");
}

TEST_137(types_of_which_little_is_known_keep_what_they_get) {
    says(run(s, "POST", "/api/v1/namespaces/default/events",
             "{'metadata':{'name':'e','foo':1},'involvedObject':{'namespace':'default','x':1},'y':{'z':1}}",
             201),
         "metadata/foo=none|involvedObject/x=1|y/z=1");
    says(run(s, "POST", CMS, "{'metadata':{'name':'c'},'data':{'a':'1','a':'2'},'more':{}}", 201),
         "data/a=2|more=none");
    says(run(s, "POST", LEASES, "{'metadata':{'name':'l'},'spec':{'holderIdentity':'me','holder':'you'}}",
             201),
         "spec/holder=none|spec/holderIdentity=me");
}

TEST_137(dry_runs_leave_nothing) {
    says(run(s, "POST", DEPLOYMENTS "?dryRun=All", DEPLOYMENT("d", "x"), 201), "metadata/name=d");
    assert_null(get(s, DEPLOYMENTS "/d"));
    run(s, "POST", DEPLOYMENTS, DEPLOYMENT("d", "x"), 201);
    says(run(s, "PATCH", DEPLOYMENTS "/d?dryRun=All", "{'spec':{'replicas':7}}", 200), "spec/replicas=7");
    run(s, "DELETE", DEPLOYMENTS "/d?dryRun=All", NULL, 200);
    says(get(s, DEPLOYMENTS "/d"), "spec/replicas=2");
    refused(s, "POST", DEPLOYMENTS "?dryRun=Some", DEPLOYMENT("e", "x"), 422, "supported values: \"All\"");
}
