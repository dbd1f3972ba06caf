/* Objects from a file and into one: which texts are taken, what is kept, what a wrong document leaves
 * behind. */
#include "../client.h"

static int load_err(struct sim *s, const char *text, struct err *err) {
    cleanup_free char *json = quoted(xstrdup(text));
    return sim_load(s, slice_of(json), err);
}

static void load(struct sim *s, const char *text) {
    struct err err = {0};
    if (load_err(s, text, &err) < 0) fail_msg("%s", err.msg);
}

static void load_fails(struct sim *s, const char *text, const char *why) {
    struct err err = {0};
    assert_true(load_err(s, text, &err) < 0);
    if (!strstr(err.msg, why)) fail_msg("\"%s\" instead of \"%s\"", err.msg, why);
}

static cJSON *peek(struct sim *s, const char *resource, const char *name) {
    cleanup_buf struct buf b = BUF(1 << 20);
    return sim_peek(s, resource, "default", name, &b) == 0 ? keep(json_parse(buf_slice(&b), NULL)) : NULL;
}

static void expect_data(struct sim *s, const char *name, const char *want) { /* NULL: there is none */
    cleanup_free char *said = xasprintf("data/k=%s", want ? want : "none");
    const cJSON *v = peek(s, "configmaps", name);
    says(v, said);
    assert_int_equal(v != NULL, want != NULL);
}

static char *dump(struct sim *s) {
    cleanup_answer struct answer a = {0};
    send_as(s, "GET", "/sim/dump", NULL, NULL, SL(""), &a);
    assert_true(a.ended && a.status == 200);
    return buf_take(&a.body);
}

#define CM(name, value)                                                                                      \
    "{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'" name "'},'data':{'k':'" value "'}}"

SIM_TEST(forms) {
    load(s, "");
    load(s, " \n\n");
    load(s, CM("a", "1"));
    load(s, CM("b", "1") "\n\n  " CM("c", "1") "\n"); /* one per line */
    load(s, "---\n# nothing\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: d}\ndata: {k: 'one'}\n"
            "---\n---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: e\ndata:\n  k: two\n...\n");
    load(s, "{apiVersion: v1, kind: ConfigMap, metadata: {name: f}, data: {k: flow}}"); /* YAML, not JSON */
    load(s, "{'apiVersion':'v1','kind':'List','items':[" CM("g", "1") "," CM("h", "1") "]}");
    load(s, "{'apiVersion':'v1','kind':'ConfigMapList','items':[{'metadata':{'name':'i'},'data':{'k':'typed'}"
            "}]}");
    static const char *const want[][2] = {{"a", "1"},    {"b", "1"}, {"c", "1"}, {"d", "one"},  {"e", "two"},
                                          {"f", "flow"}, {"g", "1"}, {"h", "1"}, {"i", "typed"}};
    for (size_t i = 0; i < ARRAY_LEN(want); i++) expect_data(s, want[i][0], want[i][1]);
}

/* What exists is replaced and keeps its identity; the name outlives the text that it came with. */
SIM_TEST(replaced) {
    load(s, CM("a", "1"));
    cJSON *before = peek(s, "configmaps", "a");
    load(s, CM("a", "2") "\n" CM("a", "3"));
    cJSON *after = peek(s, "configmaps", "a");
    assert_string_equal(obj_uid(before), obj_uid(after));
    assert_string_not_equal(obj_rv(before), obj_rv(after));
    expect_data(s, "a", "3");
}

SIM_TEST(namespaces_are_made) {
    load(s, "{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'a','namespace':'new'}}");
    run(s, "GET", "/api/v1/namespaces/new", NULL, 200);
    run(s, "GET", "/api/v1/namespaces/new/configmaps/a", NULL, 200);
}

/* A dump brings everything back: identities, owners, status. */
CASE(there_and_back) {
    struct sim *s = sim_test(), *t = sim_test();
    const char *custom = "{'group':'example.com','resource':'widgets','kind':'Widget'}";
    run(s, "POST", "/sim/types", custom, 200);
    run(t, "POST", "/sim/types", custom, 200);
    run(s, "POST", "/apis/example.com/v1/namespaces/default/widgets",
        "{'apiVersion':'example.com/v1','kind':'Widget','metadata':{'name':'w'},"
        "'spec':{'big':9007199254740993,'text':'\\u00e4\\n'}}",
        201);
    run(s, "POST", DEPLOYMENTS, DEPLOYMENT("op", "i:1"), 201);
    sim_advance(s, sim_now_ns(s) + 10 * NS_PER_S);
    cleanup_free char *first = dump(s);
    assert_non_null(strstr(first, "9007199254740993"));
    load(t, first);
    struct {
        const char *resource, *name;
    } same[] = {{"widgets", "w"}, {"deployments", "op"}};
    for (size_t i = 0; i < ARRAY_LEN(same); i++) {
        cJSON *a = peek(s, same[i].resource, same[i].name), *b = peek(t, same[i].resource, same[i].name);
        assert_non_null(a);
        cleanup_free char *want = xasprintf("metadata/uid=%s|metadata/creationTimestamp=%s", obj_uid(a),
                                            json_str(json_obj(a, "metadata"), "creationTimestamp"));
        says(b, want);
        assert_true(cJSON_Compare(json_get(a, "spec"), json_get(b, "spec"), true));
        if (i > 0) assert_true(cJSON_Compare(json_get(a, "status"), json_get(b, "status"), true));
    }
    /* The pods have found their owners again: nothing is made or taken away. */
    sim_advance(t, sim_now_ns(t) + 60 * NS_PER_S);
    cJSON *v = get(t, "/api/v1/namespaces/default/pods");
    says(v, "items=[2]");
    for (const cJSON *p = json_arr(v, "items")->child; p; p = p->next)
        assert_non_null(strstr(first, obj_uid(p)));
    sim_free(s);
    sim_free(t);
}

/* The document that is wrong is named by how many came before it; those are there. */
SIM_TEST(wrong) {
    load_fails(s,
               CM("a", "1") "\n{'apiVersion':'v1','kind':'Nothing','metadata':{'name':'b'}}\n" CM("c", "1"),
               "after 1 objects: no matches for kind \"Nothing\" in version \"v1\"");
    expect_data(s, "a", "1");
    expect_data(s, "c", NULL);
    load_fails(s, "[]", "an object is expected");
    load_fails(s, "text", "an object is expected");
    load_fails(s, "{'kind':'List','items':[7]}", "an item of a List is an object");
    load_fails(s, "a: [", "yaml: line");
    load_fails(s, CM("d", "1") "\n{\"apiVersion\":", "after 1 objects");
    load_fails(s, "{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'UPPER'}}", "UPPER");
    load_fails(s, "{'apiVersion':'v1','kind':'ConfigMap','metadata':{}}", "name or generateName is required");
    expect_data(s, "d", "1");
}
