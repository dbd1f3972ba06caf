/* Garbage collection: background, foreground, orphans, owners that never were. */
#include "kit.h"

/* An owner reference, to be freed. */
static char *ref(struct sim *s, const char *path, bool block) {
    const cJSON *owner = get(s, path);
    return xasprintf("{'apiVersion':'v1','kind':'ConfigMap','name':'%s','uid':'%s','blockOwnerDeletion':%s}",
                     obj_name(owner), obj_uid(owner), block ? "true" : "false");
}

/* A ConfigMap; refs: owner references in JSON, separated by commas, or "". */
static void make(struct sim *s, const char *name, const char *refs) {
    cleanup_free char *body = xasprintf("{'metadata':{'name':'%s','ownerReferences':[%s]}}", name, refs);
    post(s, CMS, body);
}

static void make_child(struct sim *s, const char *name, const char *owner, bool block) {
    cleanup_free char *path = path_of("configmaps", owner), *r = ref(s, path, block);
    make(s, name, r);
}

/* ms later these ConfigMaps are left, named in the order of their names, each with a blank behind it. */
static void left(struct sim *s, int64_t ms, const char *want) {
    cleanup_buf struct buf b = BUF(1 << 10);
    run_ms(s, ms);
    for (const cJSON *c = first_of(s, "configmaps"); c; c = c->next) buf_addf(&b, "%s ", obj_name(c));
    assert_string_equal(buf_str(&b), want);
}

SIM_TEST(background) {
    make(s, "a", "");
    make_child(s, "b", "a", false);
    make_child(s, "c", "b", false);
    left(s, 100, "a b c ");
    del(s, "configmaps", "a", "{'propagationPolicy':'Background'}");
    left(s, 0, "b c ");
    left(s, 100, ""); /* a moment later */
}

SIM_TEST(foreground_waits_for_blockers) {
    make(s, "a", "");
    make_child(s, "b", "a", true);
    make_child(s, "c", "b", true);
    make_child(s, "free", "a", false);
    run_ms(s, 100);
    merge(s, CMS "/c", "{'metadata':{'finalizers':['x.y/z']}}");
    del(s, "configmaps", "a", "{'propagationPolicy':'Foreground'}");
    left(s, 1000, "a b c "); /* as long as c is held */
    merge(s, CMS "/c", "{'metadata':{'finalizers':null}}");
    left(s, 1000, "");
}

SIM_TEST(orphan) {
    make(s, "a", "");
    make_child(s, "b", "a", true);
    run_ms(s, 100);
    del(s, "configmaps", "a", "{'propagationPolicy':'Orphan'}");
    left(s, 1000, "b ");
    says(get(s, CMS "/b"), "metadata/ownerReferences=none");
}

SIM_TEST(the_last_owner_decides) {
    make(s, "a", "");
    make(s, "b", "");
    cleanup_free char *ra = ref(s, CMS "/a", false), *rb = ref(s, CMS "/b", false),
                      *refs = xasprintf("%s,%s", ra, rb);
    make(s, "c", refs);
    run_ms(s, 100);
    del(s, "configmaps", "a", NULL);
    left(s, 1000, "b c ");
    says(get(s, CMS "/c"), "metadata/ownerReferences=[1]");
    del(s, "configmaps", "b", NULL);
    left(s, 1000, "");
}

SIM_TEST(absent_owners) {
    make(s, "a", "{'apiVersion':'v1','kind':'ConfigMap','name':'x','uid':'never-was'}");
    left(s, 1000, "");
    /* An owner in another namespace is none. */
    post(s, "/api/v1/namespaces", "{'metadata':{'name':'far'}}");
    post(s, "/api/v1/namespaces/far/configmaps", "{'metadata':{'name':'o'}}");
    cleanup_free char *far = ref(s, "/api/v1/namespaces/far/configmaps/o", false);
    make(s, "b", far);
    left(s, 1000, "");
}

/* A Deployment goes with everything below it; in the foreground it is the last to go. */
SIM_TEST(deployments_in_the_foreground) {
    script(s, "{'image':'*','terminateMs':2000}");
    start_op(s, 3, "");
    del(s, "deployments", "op", "{'propagationPolicy':'Foreground'}");
    later(s, 1000, "pods=3");
    assert_true(obj_deleting(deployment(s, "op")));
    later(s, 2000, "op=none|replicasets=0|pods=0");
}

SIM_TEST(namespaces_go_whole) {
    post(s, "/api/v1/namespaces", "{'metadata':{'name':'n'}}");
    post(s, "/apis/apps/v1/namespaces/n/deployments",
         "{'metadata':{'name':'op'},'spec':{'replicas':2," SPEC("'a':'b'", "i") "}}");
    run_ms(s, 2000);
    run(s, "DELETE", "/api/v1/namespaces/n", NULL, 200);
    run_ms(s, 5000);
    assert_null(get(s, "/api/v1/namespaces/n"));
    says(get(s, "/api/v1/pods"), "items=[0]");
}
