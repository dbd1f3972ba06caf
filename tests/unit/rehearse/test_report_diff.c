/* What counts as a change, where it is said to be, and what of its value is shown. */
#include "report_case.h"

/* Members of an object of a kind, without the braces; what is found, without the object's own line. */
static void diff_of(const char *group, const char *kind, const char *live, const char *rehearsed,
                    const char *want) {
    cleanup_report struct report *r = report_new(NULL);
    cleanup_free char *was = xasprintf("{%s}", live), *is = xasprintf("{%s}", rehearsed);
    add(r, group, kind, was, is);
    cleanup_free char *got = found(r), *text = quoted(xstrdup(want));
    const char *fields = strchr(got, '\n');
    assert_string_equal(fields ? fields + 1 : "", text);
}
#define diff(live, rehearsed, want) diff_of("example.com", "Thing", live, rehearsed, want)

CASE(what_a_write_changes_by_itself_is_no_change) {
    diff("'apiVersion':'v1','metadata':{'name':'a','resourceVersion':'1','generation':1,'managedFields':[1]}",
         "'metadata':{'selfLink':'/"
         "a','generation':2,'resourceVersion':'1000007','managedFields':[],'name':'a'}",
         "");
    diff("'spec':{'a':1,'b':'x'}", "'spec':{'b':'\\u0078','a':1.0,'c':null}", "");
    diff("'metadata':{'labels':{}}", "'metadata':{}", "");
    cleanup_report struct report *r = report_new(NULL);
    add(r, "", "ConfigMap", "{'data':{'a':'1'}}", "{'data':{'a':'1'}}");
    expect_line(r, "changes nothing");
    expect_found(r, "");
}

CASE(paths_are_read_by_a_person) {
    diff("'spec':{'replicas':1,'deep':{'er':{'x':true}}}", "'spec':{'replicas':2,'deep':{'er':{'x':false}}}",
         "  spec.deep.er.x: true -> false\n  spec.replicas: 1 -> 2\n");
    diff("'metadata':{'labels':{'app.kubernetes.io/name':'a'}}",
         "'metadata':{'labels':{'app.kubernetes.io/name':'b'}}",
         "  metadata.labels[app.kubernetes.io/name]: 'a' -> 'b'\n");
    diff("'spec':{}", "'spec':{'a]b\\\\':1}", "  spec[a\\]b\\\\]: - -> 1\n");
}

CASE(list_elements_have_a_key) {
    diff("'spec':{'containers':[{'name':'a','image':'x:1'},{'name':'b','image':'y:1'}]}",
         "'spec':{'containers':[{'name':'b','image':'y:2'},{'name':'a','image':'x:1'}]}",
         "  spec.containers[b].image: 'y:1' -> 'y:2'\n  spec.containers.(order): ['a','b'] -> ['b','a']\n");
    diff("'spec':{'ports':[{'containerPort':80},{'containerPort':53,'protocol':'UDP'}]}",
         "'spec':{'ports':[{'containerPort':53,'protocol':'UDP'},{'containerPort':80,'protocol':'TCP','name':"
         "'web'}]}",
         "  spec.ports[80/TCP].name: - -> 'web'\n  spec.ports[80/TCP].protocol: - -> 'TCP'\n"
         "  spec.ports.(order): ['80/TCP','53/UDP'] -> ['53/UDP','80/TCP']\n");
    diff("'spec':{'mounts':[{'name':'v','mountPath':'/a'},{'name':'v','mountPath':'/b'}]}",
         "'spec':{'mounts':[{'name':'v','mountPath':'/a'}]}",
         "  spec.mounts[/b]: {'mountPath':'/b','name':'v'} -> -\n");
    diff("'status':{'conditions':[{'type':'Ready','status':'True'},{'type':'Synced','status':'True'}]}",
         "'status':{'conditions':[{'type':'Synced','status':'True'},{'type':'Ready','status':'False'}]}",
         "  status.conditions[Ready].status: 'True' -> 'False'\n");
    diff("'metadata':{'ownerReferences':[{'kind':'A','name':'a','uid':'1'}]}",
         "'metadata':{'ownerReferences':[{'kind':'A','name':'a','uid':'2'},{'kind':'B','name':'b','uid':'3'}]"
         "}",
         "  metadata.ownerReferences[A/a].uid: '1' -> '2'\n"
         "  metadata.ownerReferences[B/b]: - -> {'kind':'B','name':'b','uid':'3'}\n");
    diff("'subjects':[{'kind':'User','name':'u'}]", "'subjects':[{'kind':'User','name':'u','namespace':'n'}]",
         "  subjects[User/n/u]: - -> {'kind':'User','name':'u','namespace':'n'}\n"
         "  subjects[User/u]: {'kind':'User','name':'u'} -> -\n");
    diff("'spec':{'claims':[{'metadata':{'name':'d'},'size':1}]}",
         "'spec':{'claims':[{'metadata':{'name':'d'},'size':2}]}", "  spec.claims[d].size: 1 -> 2\n");
    /* no key, or the same one twice: by place, without what both have in front and behind */
    diff("'args':['a','b','c']", "'args':['a','x','b','c']", "  args[1]: - -> 'x'\n");
    diff("'args':['a','b','c']", "'args':['a','B','c']", "  args[1]: 'b' -> 'B'\n");
    diff("'l':[{'name':'a','v':1},{'name':'a','v':2}]", "'l':[{'name':'a','v':1},{'name':'a','v':3}]",
         "  l[1].v: 2 -> 3\n");
    diff("'metadata':{'finalizers':['a','b']}", "'metadata':{'finalizers':['c','b']}",
         "  metadata.finalizers[a]: 'a' -> - (finalizer)\n  metadata.finalizers[c]: - -> 'c'\n");
}

/* What is made anew begins without a status: whatever the one before had come to. */
CASE(the_status_of_what_is_made_anew) {
    cleanup_report struct report *r = report_new(NULL);
    add(r, "", "Thing", "{'metadata':{'uid':'1'},'spec':{'a':1,'status':1},'status':{'ready':3}}",
        "{'metadata':{'uid':'2'},'spec':{'a':2,'status':2}}");
    expect_found(r, "recreated Thing x\n  spec.a: 1 -> 2\n  spec.status: 1 -> 2\n");
    diff("'status':{'ready':3}", "'status':{'ready':2}", "  status.ready: 3 -> 2\n");
}

CASE(what_is_wholly_new_is_one_field) {
    diff("'spec':{}", "'spec':{'strategy':{'b':[1,2,{'c':3}],'a':{}}}",
         "  spec.strategy: - -> {'a':{},'b':[1,2,{'c':3}]}\n");
    diff("'spec':{'strategy':{'a':1}}", "'spec':{}", "  spec.strategy: {'a':1} -> -\n");
    diff("'spec':{'strategy':{'a':1}}", "'spec':{'strategy':[1]}", "  spec.strategy: {'a':1} -> [1]\n");
    /* but labels and their like one by one: they are many writers' */
    diff("'metadata':{}", "'metadata':{'annotations':{'a':'1','b':'2'}}",
         "  metadata.annotations.a: - -> '1'\n  metadata.annotations.b: - -> '2'\n");
    cleanup_report struct report *r = report_new(NULL);
    add(r, "apps", "Deployment", NULL,
        "{'kind':'Deployment','metadata':{'name':'web','uid':'1','labels':{'a':'b'}},'spec':{'replicas':2,'"
        "template':{'spec':{}}}}");
    expect_found(r, "created Deployment web\n  metadata.labels.a: - -> 'b'\n  spec.replicas: - -> 2\n"
                    "  spec.template: - -> {'spec':{}}\n");
}

CASE(amounts_and_numbers_are_compared_by_value) {
    diff("'r':{'limits':{'cpu':'1000m','memory':'1Gi','x':1}}",
         "'r':{'limits':{'cpu':'1','memory':'1024Mi','x':'1000m'}}", "");
    diff("'r':{'limits':{'cpu':'1000m'}}", "'r':{'limits':{'cpu':'1001m'}}",
         "  r.limits.cpu: '1000m' -> '1001m'\n");
    diff("'sizeLimit':'1Gi'", "'sizeLimit':'1024Mi'", "");
    /* a version is no amount */
    diff("'spec':{'version':'1.20','env':[{'name':'a','value':'1k'}]}",
         "'spec':{'version':'1.2','env':[{'name':'a','value':'1000'}]}",
         "  spec.env[a].value: '1k' -> '1000'\n  spec.version: '1.20' -> '1.2'\n");
    diff("'a':1e3,'b':100000000000000000001", "'a':1000,'b':100000000000000000002",
         "  b: 100000000000000000001 -> 100000000000000000002\n");
}

CASE(times_move) {
    cleanup_report struct report *r = report_new(NULL);
    add(r, "", "Thing", "{'status':{'at':'2026-11-23T18:16:33Z','observedGeneration':1}}",
        "{'status':{'at':'2026-11-28T09:00:00.5+01:00','observedGeneration':2}}");
    expect_found(
        r, "times Thing x\n  status.at: '2026-11-23T18:16:33Z' -> '2026-11-28T09:00:00.5+01:00' (volatile)\n"
           "  status.observedGeneration: 1 -> 2 (volatile)\n");
    expect_line(r, "changes nothing");
    assert_true(report_empty(r));
    diff("'spec':{'observedGeneration':1,'at':'2026-11-23T18:16:33Z'}",
         "'spec':{'observedGeneration':2,'at':'soon'}",
         "  spec.at: '2026-11-23T18:16:33Z' -> 'soon'\n  spec.observedGeneration: 1 -> 2\n");
    diff("'status':{}", "'status':{'at':'2026-11-23T18:16:33Z'}",
         "  status.at: - -> '2026-11-23T18:16:33Z'\n");
}

CASE(long_values_are_cut_between_characters_and_kept_apart) {
    cleanup_report struct report *r = report_new(&(struct report_limits){.value = 8, .fields = 2});
    add(r, "", "Thing", "{'a':'x'}", "{'a':'1234567\xc3\xa9zz'}");
    expect_found(r, "changed Thing x\n  a: 'x' -> '1234567...\n");
    cleanup_report struct report *other = report_new(&(struct report_limits){.value = 8, .fields = 2});
    add(other, "", "Thing", "{'a':'x'}", "{'a':'1234567\xc3\xa9zy'}");
    cleanup_free char *one = digest_of(r), *two = digest_of(other);
    assert_string_not_equal(one, two);
    cleanup_report struct report *many = report_new(&(struct report_limits){.value = 8, .fields = 2});
    add(many, "", "Thing", "{}", "{'a':1,'b':2,'c':3,'d':4}");
    expect_found(many, "changed Thing x\n  a: - -> 1\n  b: - -> 2\n  and 2\n");
    cleanup_report struct report *differs = report_new(&(struct report_limits){.value = 8, .fields = 2});
    add(differs, "", "Thing", "{}", "{'a':1,'b':2,'c':3,'d':5}");
    cleanup_free char *three = digest_of(many), *four = digest_of(differs);
    assert_string_not_equal(three, four);
}

CASE(what_is_no_object_is_refused) {
    cleanup_report struct report *r = report_new(NULL);
    static const struct {
        const char *live, *rehearsed;
        int rc;
        const char *says;
    } rows[] = {{"", "", -EINVAL, "neither"},
                {"{", "{}", -EINVAL, "the live Pod"},
                {"{}", "[]", -EINVAL, "the rehearsed Pod is no object"},
                {"{}", "{\"a\":\"\xff\"}", -EINVAL, "UTF-8"}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e = {0};
        struct report_object o = {.kind = SL("Pod"),
                                  .name = SL("a"),
                                  .live = slice_of(rows[i].live),
                                  .rehearsed = slice_of(rows[i].rehearsed)};
        assert_int_equal(report_add(r, &o, &e), rows[i].rc);
        assert_has(e.msg, rows[i].says);
    }
    struct report_object nameless = {.kind = SL("Pod"), .live = SL("{}")};
    assert_int_equal(report_add(r, &nameless, NULL), -EINVAL);
    assert_true(report_empty(r));
}

CASES("rehearse/report_diff")
