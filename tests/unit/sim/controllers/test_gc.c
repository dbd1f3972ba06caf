/* Garbage collection: background, foreground, orphans, owners that never were. */
#include "kit.h"

static char *uid_at(struct sim *s, const char *path) {
    cJSON *v = get(s, path);
    return xstrdup(v ? obj_uid(v) : "");
}

/* A ConfigMap; refs: a JSON array of owner references, or "[]". */
static void make(struct sim *s, const char *name, const char *refs) {
    cleanup_free char *body = xasprintf("{'metadata':{'name':'%s','ownerReferences':%s}}", name, refs);
    assert_int_equal(post(s, CORE "configmaps", body), 201);
}

static char *ref(struct sim *s, const char *owner, bool block) {
    cleanup_free char *path = xasprintf(CORE "configmaps/%s", owner), *uid = uid_at(s, path);
    return xasprintf("{'apiVersion':'v1','kind':'ConfigMap','name':'%s','uid':'%s','blockOwnerDeletion':%s}",
                     owner, uid, block ? "true" : "false");
}

static void make_child(struct sim *s, const char *name, const char *owner, bool block) {
    cleanup_free char *r = ref(s, owner, block), *refs = xasprintf("[%s]", r);
    make(s, name, refs);
}

static bool there(struct sim *s, const char *name) {
    cleanup_free char *path = xasprintf(CORE "configmaps/%s", name);
    cJSON *v = get(s, path);
    return v != NULL;
}

SIM_TEST(background) {
    make(s, "a", "[]");
    make_child(s, "b", "a", false);
    make_child(s, "c", "b", false);
    run_ms(s, 100);
    assert_int_equal(count(s, "configmaps"), 3);
    assert_int_equal(del(s, CORE "configmaps/a", "{'propagationPolicy':'Background'}"), 200);
    assert_false(there(s, "a"));
    assert_true(there(s, "b")); /* a moment later */
    run_ms(s, 100);
    assert_int_equal(count(s, "configmaps"), 0);
}

SIM_TEST(foreground_waits_for_blockers) {
    make(s, "a", "[]");
    make_child(s, "b", "a", true);
    make_child(s, "c", "b", true);
    make_child(s, "free", "a", false);
    run_ms(s, 100);
    assert_int_equal(merge(s, CORE "configmaps/c", "{'metadata':{'finalizers':['x.y/z']}}"), 200);
    assert_int_equal(del(s, CORE "configmaps/a", "{'propagationPolicy':'Foreground'}"), 200);
    run_ms(s, 1000);
    assert_true(there(s, "a")); /* as long as c is held */
    assert_true(there(s, "b"));
    assert_false(there(s, "free"));
    assert_int_equal(merge(s, CORE "configmaps/c", "{'metadata':{'finalizers':null}}"), 200);
    run_ms(s, 1000);
    assert_int_equal(count(s, "configmaps"), 0);
}

SIM_TEST(orphan) {
    make(s, "a", "[]");
    make_child(s, "b", "a", true);
    run_ms(s, 100);
    assert_int_equal(del(s, CORE "configmaps/a", "{'propagationPolicy':'Orphan'}"), 200);
    run_ms(s, 1000);
    assert_false(there(s, "a"));
    cJSON *b = get(s, CORE "configmaps/b");
    assert_non_null(b);
    assert_null(json_at(b, "metadata/ownerReferences"));
}

SIM_TEST(the_last_owner_decides) {
    make(s, "a", "[]");
    make(s, "b", "[]");
    cleanup_free char *ra = ref(s, "a", false), *rb = ref(s, "b", false),
                      *refs = xasprintf("[%s,%s]", ra, rb);
    make(s, "c", refs);
    run_ms(s, 100);
    assert_int_equal(del(s, CORE "configmaps/a", NULL), 200);
    run_ms(s, 1000);
    cJSON *c = get(s, CORE "configmaps/c");
    assert_non_null(c);
    assert_int_equal(cJSON_GetArraySize(json_at(c, "metadata/ownerReferences")), 1);
    assert_int_equal(del(s, CORE "configmaps/b", NULL), 200);
    run_ms(s, 1000);
    assert_false(there(s, "c"));
}

SIM_TEST(absent_owners) {
    make(s, "a", "[{'apiVersion':'v1','kind':'ConfigMap','name':'x','uid':'never-was'}]");
    run_ms(s, 1000);
    assert_false(there(s, "a"));
    /* An owner in another namespace is none. */
    assert_int_equal(post(s, "/api/v1/namespaces", "{'metadata':{'name':'far'}}"), 201);
    assert_int_equal(post(s, "/api/v1/namespaces/far/configmaps", "{'metadata':{'name':'o'}}"), 201);
    cleanup_free char *uid = uid_at(s, "/api/v1/namespaces/far/configmaps/o");
    cleanup_free char *refs =
        xasprintf("[{'apiVersion':'v1','kind':'ConfigMap','name':'o','uid':'%s'}]", uid);
    make(s, "b", refs);
    run_ms(s, 1000);
    assert_false(there(s, "b"));
}

/* A Deployment goes with everything below it; in the foreground it is the last to go. */
SIM_TEST(deployments_in_the_foreground) {
    script(s, "{'image':'*','terminateMs':2000}");
    start_op(s, 3, "");
    assert_int_equal(del(s, APPS "deployments/op", "{'propagationPolicy':'Foreground'}"), 200);
    run_ms(s, 1000);
    cJSON *d = deployment(s, "op");
    assert_true(obj_deleting(d));
    assert_int_equal(count(s, "pods"), 3);
    run_ms(s, 2000);
    assert_null(get(s, APPS "deployments/op"));
    assert_int_equal(count(s, "replicasets"), 0);
    assert_int_equal(count(s, "pods"), 0);
}

SIM_TEST(namespaces_go_whole) {
    assert_int_equal(post(s, "/api/v1/namespaces", "{'metadata':{'name':'n'}}"), 201);
    assert_int_equal(
        post(s, "/apis/apps/v1/namespaces/n/deployments",
             "{'metadata':{'name':'op'},'spec':{'replicas':2,'selector':{'matchLabels':{'a':'b'}},'template':"
             "{'metadata':{'labels':{'a':'b'}},'spec':{'containers':[{'name':'m','image':'i'}]}}}}"),
        201);
    run_ms(s, 2000);
    assert_int_equal(del(s, "/api/v1/namespaces/n", NULL), 200);
    run_ms(s, 5000);
    assert_null(get(s, "/api/v1/namespaces/n"));
    cJSON *pods = get(s, "/api/v1/pods");
    assert_int_equal(cJSON_GetArraySize(json_arr(pods, "items")), 0);
}
