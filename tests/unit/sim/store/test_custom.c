/* CustomResourceDefinitions, and the objects of the types that they define. */
#include "../client.h"

#define CRDS    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
#define WIDGETS "/apis/example.com/v1/namespaces/default/widgets"

/* Of the group example.com, served and stored as v1, with these properties. */
static char *definition(const char *plural, const char *kind, const char *properties, const char *more) {
    return xasprintf(
        "{'apiVersion':'apiextensions.k8s.io/v1','kind':'CustomResourceDefinition',"
        "'metadata':{'name':'%s.example.com'},'spec':{'group':'example.com','scope':'Namespaced',"
        "'names':{'plural':'%s','kind':'%s','shortNames':['wd']},'versions':[{'name':'v1',"
        "'served':true,'storage':true,'schema':{'openAPIV3Schema':{'type':'object','properties':{%s}}}%s}]}}",
        plural, plural, kind, properties, more);
}

static void define(struct sim *s, const char *plural, const char *kind, const char *properties,
                   const char *more) {
    cleanup_free char *body = definition(plural, kind, properties, more);
    run(s, "POST", CRDS, body, 201);
}

static const char spec_of[] =
    "'spec':{'type':'object','required':['mode'],'properties':{'size':{'type':'integer','minimum':1,'default'"
    ":3},"
    "'mode':{'type':'string','enum':['a','b'],'maxLength':5},'any':{'type':'object',"
    "'x-kubernetes-preserve-unknown-fields':true},'port':{'x-kubernetes-int-or-string':true},"
    "'labels':{'type':'object','additionalProperties':{'type':'string'}},'maybe':{'type':'string','nullable':"
    "true},"
    "'tags':{'type':'array','maxItems':2,'items':{'type':'object','properties':{'name':{'type':'string'}}}}}}"
    ","
    "'status':{'type':'object','properties':{'by':{'type':'string'}}}";

static void widgets(struct sim *s) {
    define(s, "widgets", "Widget", spec_of, ",'subresources':{'status':{}}");
}

#define WIDGET(name, spec)                                                                                   \
    "{'apiVersion':'example.com/v1','kind':'Widget','metadata':{'name':'" name "'},'spec':{" spec "}}"

SIM_TEST(a_definition_is_served_at_once) {
    refused(s, "GET", WIDGETS, NULL, 404, "could not find");
    widgets(s);
    says(
        run(s, "GET", CRDS "/widgets.example.com", NULL, 200),
        "spec/names/singular=widget|spec/names/listKind=WidgetList|spec/conversion/strategy=None|"
        "status/acceptedNames/plural=widgets|status/storedVersions/0=v1|status/conditions/1/type=Established|"
        "status/conditions/1/status=True|metadata/finalizers/0=customresourcecleanup.apiextensions.k8s.io");
    says(run(s, "GET", "/apis/example.com/v1", NULL, 200),
         "resources/0/name=widgets|resources/0/shortNames/0=wd|resources/1/name=widgets/status");
    says(run(s, "GET", WIDGETS, NULL, 200), "kind=WidgetList|items=[0]");
    says(run(s, "POST", WIDGETS, WIDGET("w", "'mode':'a'"), 201), "spec/size=3|metadata/generation=1");
}

SIM_TEST(status_is_a_subresource_where_the_definition_says_so) {
    widgets(s);
    define(s, "plains", "Plain", spec_of, "");
    run(s, "POST", WIDGETS, WIDGET("w", "'mode':'a'"), 201);
    says(run(s, "PATCH", WIDGETS "/w/status", "{'spec':{'mode':'b'},'status':{'by':'me'}}", 200),
         "spec/mode=a|status/by=me|metadata/generation=1");
    says(run(s, "PATCH", WIDGETS "/w", "{'spec':{'mode':'b'},'status':{'by':'you'}}", 200),
         "spec/mode=b|status/by=me|metadata/generation=2");
    const char *plain = "/apis/example.com/v1/namespaces/default/plains";
    says(run(s, "POST", plain,
             "{'apiVersion':'example.com/v1','kind':'Plain','metadata':{'name':'p'},'spec':{'mode':'a'},"
             "'status':{'by':'x'}}",
             201),
         "status/by=x");
    refused(s, "GET", "/apis/example.com/v1/namespaces/default/plains/p/status", NULL, 404, "could not find");
}

SIM_TEST(what_the_schema_lacks_is_dropped) {
    widgets(s);
    says(run(s, "POST", WIDGETS,
             WIDGET("w",
                    "'mode':'a','foo':1,'any':{'x':{'y':1}},'labels':{'a':'b'},'tags':[{'name':'n','z':1}]"),
             201),
         "spec/foo=none|spec/any/x/y=1|spec/labels/a=b|spec/tags/0/name=n|spec/tags/0/z=none");
}

SIM_TEST(values_that_the_schema_refuses) {
    widgets(s);
    static const struct {
        const char *spec, *text;
    } bad[] = {
        {"'size':1", "spec.mode: Required value"},
        {"'mode':'x'", "spec.mode: Unsupported value: \"x\": supported values: \"a\", \"b\""},
        {"'mode':'a','size':0",
         "spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1"},
        {"'mode':'a','size':1.5",
         "spec.size: Invalid value: \"number\": spec.size in body must be of type integer"},
        {"'mode':1", "spec.mode in body must be of type string: \"integer\""},
        {"'mode':'a','port':true", "spec.port in body must be of type integer,string: \"boolean\""},
        {"'mode':'a','labels':{'k':1}", "spec.labels.k in body must be of type string"},
        {"'mode':'a','tags':[{},{},{}]", "spec.tags: Too many: 3: must have at most 2 items"},
        {"'mode':'a','tags':[{'name':1}]", "spec.tags[0].name in body must be of type string"},
        {"'mode':null", "spec.mode in body must be of type string: \"null\""},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        cleanup_free char *body =
            xasprintf("{'apiVersion':'example.com/v1','kind':'Widget','metadata':{'name':'w'},'spec':{%s}}",
                      bad[i].spec);
        refused(s, "POST", WIDGETS, body, 422, bad[i].text);
    }
    run(s, "POST", WIDGETS, WIDGET("w", "'mode':'b','maybe':null,'port':'http','size':1"), 201);
    refused(s, "PATCH", WIDGETS "/w", "{'spec':{'mode':'c'}}", 422, "Unsupported value");
}

SIM_TEST(definitions_that_are_refused) {
    static const struct {
        const char *body, *text;
    } bad[] = {
        {"{'metadata':{'name':'x.example.com'},'spec':{'group':'example.com','scope':'Some','names':{'plural'"
         ":'ws','kind':'W'},"
         "'versions':[{'name':'v1','served':true,'storage':false}]}}",
         "[metadata.name: Invalid value: \"x.example.com\": must be spec.names.plural+\".\"+spec.group, "
         "spec.scope: "
         "Unsupported value: \"Some\": supported values: \"Cluster\", \"Namespaced\", "
         "spec.versions[0].schema.openAPIV3Schema: Required value, spec.versions: Invalid value: 0: must "
         "have exactly one "
         "version marked as storage version]"},
        {"{'metadata':{'name':'x'}}", "spec: Required value"},
        {"{'metadata':{'name':'leases.coordination.k8s.io'},'spec':{'group':'coordination.k8s.io','scope':'"
         "Namespaced',"
         "'names':{'plural':'leases','kind':'Lease'},'versions':[{'name':'v1','served':true,'storage':true,'"
         "schema':"
         "{'openAPIV3Schema':{'type':'object'}}}]}}",
         "the server has that type itself"},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) refused(s, "POST", CRDS, bad[i].body, 422, bad[i].text);
    widgets(s);
    refused(s, "PATCH", CRDS "/widgets.example.com", "{'spec':{'scope':'Cluster'}}", 422,
            "spec.scope: Invalid value");
}

SIM_TEST(a_new_schema_holds_from_then_on) {
    widgets(s);
    run(s, "POST", WIDGETS, WIDGET("w", "'mode':'a'"), 201);
    says(run(s, "PATCH", CRDS "/widgets.example.com",
             "{'spec':{'versions':[{'name':'v2','served':true,'storage':true,'schema':{'openAPIV3Schema':{'"
             "type':'object',"
             "'x-kubernetes-preserve-unknown-fields':true}}}]}}",
             200),
         "status/storedVersions=[2]");
    refused(s, "GET", WIDGETS, NULL, 404, "could not find");
    const char *now = "/apis/example.com/v2/namespaces/default/widgets";
    says(run(s, "GET", now, NULL, 200), "items/0/apiVersion=example.com/v2|items=[1]");
    says(run(s, "POST", now,
             "{'apiVersion':'example.com/v2','kind':'Widget','metadata':{'name':'x'},'spec':{'free':[1]}}",
             201),
         "spec/free=[1]");
}

SIM_TEST(objects_go_before_their_definition) {
    widgets(s);
    run(s, "POST", WIDGETS,
        "{'apiVersion':'example.com/v1','kind':'Widget','metadata':{'name':'w','finalizers':['a.b/"
        "c']},'spec':{'mode':'a'}}",
        201);
    run(s, "POST", WIDGETS, WIDGET("v", "'mode':'a'"), 201);
    cleanup_answer struct answer watch = {0};
    send_as(s, "GET", WIDGETS "?watch=1&resourceVersion=0", NULL, NULL, (struct slice){0}, &watch);
    expect_event(&watch, "ADDED", "v");
    expect_event(&watch, "ADDED", "w");
    says(run(s, "DELETE", CRDS "/widgets.example.com", NULL, 200), "kind=CustomResourceDefinition");
    run_ms(s, 1000);
    expect_event(&watch, "DELETED", "v");
    expect_event(&watch, "MODIFIED", "w");
    assert_non_null(get(s, CRDS "/widgets.example.com")); /* waits for w */
    run(s, "PATCH", WIDGETS "/w", "{'metadata':{'finalizers':null}}", 200);
    run_ms(s, 1000);
    expect_event(&watch, "MODIFIED", "w");
    expect_event(&watch, "DELETED", "w");
    assert_true(watch.ended);
    assert_null(get(s, CRDS "/widgets.example.com"));
    refused(s, "GET", WIDGETS, NULL, 404, "could not find");
    widgets(s); /* and again, with another watch */
    says(run(s, "GET", WIDGETS, NULL, 200), "items=[0]");
    run(s, "POST", WIDGETS, WIDGET("w", "'mode':'b'"), 201);
}

SIM_TEST(what_was_dumped_comes_back) {
    widgets(s);
    run(s, "POST", WIDGETS, WIDGET("w", "'mode':'a'"), 201);
    cleanup_answer struct answer dump = {0};
    send_as(s, "GET", "/sim/dump", NULL, NULL, (struct slice){0}, &dump);
    struct sim *again = sim_test();
    struct err err = {0};
    if (sim_load(again, buf_slice(&dump.body), &err) < 0) fail_msg("%s", err.msg);
    says(run(again, "GET", WIDGETS "/w", NULL, 200), "spec/mode=a|spec/size=3");
    sim_free(again);
}

static cJSON *apply(struct sim *s, const char *manager, const char *name, const char *spec, int want) {
    cleanup_free char *target = xasprintf(WIDGETS "/%s?fieldManager=%s", name, manager);
    cleanup_free char *body =
        xasprintf("{\"apiVersion\":\"example.com/v1\",\"kind\":\"Widget\",\"spec\":{%s}}", spec);
    int status = 0;
    cJSON *v = ask_as(s, "PATCH", target, "application/apply-patch+yaml", NULL, body, &status);
    if (status != want) fail_msg("%s: %d %s", spec, status, json_str_or(v, "message", ""));
    return v;
}

SIM_TEST(appliers_share_lists_by_their_keys) {
    define(s, "widgets", "Widget",
           "'spec':{'type':'object','properties':{'ports':{'type':'array','x-kubernetes-list-type':'map',"
           "'x-kubernetes-list-map-keys':['name'],'items':{'type':'object','required':['name'],'properties':"
           "{'name':{'type':'string'},'port':{'type':'integer'}}}},'tags':{'type':'array','x-kubernetes-list-"
           "type':'set',"
           "'items':{'type':'string'}},'plain':{'type':'array','items':{'type':'string'}}}}",
           "");
    apply(s, "one", "w", "\"ports\":[{\"name\":\"a\",\"port\":1}],\"tags\":[\"x\"],\"plain\":[\"p\"]", 201);
    says(apply(s, "two", "w", "\"ports\":[{\"name\":\"b\",\"port\":2}],\"tags\":[\"y\"]", 200),
         "spec/ports=[2]|spec/ports/0/port=1|spec/ports/1/port=2|spec/tags=[2]");
    says(apply(s, "two", "w", "\"ports\":[{\"name\":\"a\",\"port\":3}]", 409),
         "reason=Conflict|details/causes/0/field=.spec.ports[name=\"a\"].port");
    says(apply(s, "two", "w", "\"plain\":[\"q\"]", 409), "details/causes/0/field=.spec.plain");
    says(apply(s, "one", "w", "\"tags\":[\"x\"]", 200), "spec/ports=[1]|spec/ports/0/name=b|spec/plain=none");
    says(apply(s, "one", "w", "\"foo\":1", 400),
         "message=failed to create typed patch object (default/w; example.com/v1, Kind=Widget): .spec.foo: "
         "field not declared in schema");
}
