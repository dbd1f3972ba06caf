/* Protobuf bodies: opened, with another version, and as JSON. */
#include "../case.h"
#include "../each.h"
#include "../protobuf.h"
#include "rehearse/wire.h"

static void opens(const char *text, const char *name, const char *generate, const char *ns, const char *uid,
                  const char *rv) {
    struct buf raw = BUF(4096), body = BUF(4096);
    struct wire_type t;
    struct wire_meta m;
    struct slice got;
    protobuf_message(&raw, text);
    protobuf_wrap(&body, "v1", "Thing", buf_slice(&raw));
    assert_int_equal(wire_open(buf_slice(&body), &t, &got, NULL), 0);
    assert_slice(t.api_version, "v1");
    assert_slice(t.kind, "Thing");
    assert_int_equal(wire_meta(got, &m, NULL), 0);
    assert_slice(m.name, name);
    assert_slice(m.generate_name, generate);
    assert_slice(m.ns, ns);
    assert_slice(m.uid, uid);
    assert_slice(m.rv, rv);
    buf_free(&raw);
    buf_free(&body);
}

CASE(metadata_is_that_of_the_first_field) {
    opens("1{1'a' 2'a-' 3'ns' 5'u' 6'12' 11{1'k' 2'v'}} 2{1'x'}", "a", "a-", "ns", "u", "12");
    opens("2{1'x'}", "", "", "", "", "");
    opens("1{1'a' 6'1'} 2{} 1{6'2'}", "a", "", "", "", "2"); /* merged, as Go does */
}

typedef int changes(struct slice body, struct slice value, struct buf *out, struct err *err);

/* What it makes of `text` is what `want` says. */
static void changed(changes *change, const char *text, const char *value, const char *want) {
    struct buf raw = BUF(4096), body = BUF(4096), out = BUF(4096), want_raw = BUF(4096),
               want_body = BUF(4096);
    protobuf_message(&raw, text);
    protobuf_wrap(&body, "v1", "Thing", buf_slice(&raw));
    protobuf_message(&want_raw, want);
    protobuf_wrap(&want_body, "v1", "Thing", buf_slice(&want_raw));
    assert_int_equal(change(buf_slice(&body), slice_of(value), &out, NULL), 0);
    assert_true(slice_eq(buf_slice(&out), buf_slice(&want_body)));
    struct buf *const all[] = {&raw, &body, &out, &want_raw, &want_body};
    for (size_t i = 0; i < ARRAY_LEN(all); i++) buf_free(all[i]);
}

#define sets(...) changed(wire_set_rv, __VA_ARGS__)

CASE(a_version_is_exchanged_and_nothing_else) {
    sets("1{1'a' 6'12000001' 11{1'k' 2'v'} 99=7} 2{1'x' 6'12000001'} 77'later'", "12",
         "1{1'a' 11{1'k' 2'v'} 99=7 6'12'} 2{1'x' 6'12000001'} 77'later'");
    sets("1{1'a'}", "12", "1{1'a' 6'12'}");
    sets("1{1'a' 6'12'}", "", "1{1'a'}");
    sets("2{1'x'}", "12", "1{6'12'} 2{1'x'}");
    sets("1{1'a' 6'12'} 2{1'x'} 1{6'13' 3'ns'}", "14", "1{1'a' 3'ns' 6'14'} 2{1'x'}");
}

CASE(a_name_becomes_one_that_is_made) {
    changed(wire_rename, "1{1'a' 2'b-' 3'ns' 6'12'} 2{1'x'}", "made-", "1{3'ns' 6'12' 2'made-'} 2{1'x'}");
    changed(wire_rename, "2{1'x'}", "made-", "1{2'made-'} 2{1'x'}");
}

CASE(lengths_grow_over_a_byte) {
    struct buf long_name = BUF(4096);
    buf_adds(&long_name, "1{1'");
    for (int i = 0; i < 125; i++) buf_addc(&long_name, 'n');
    buf_adds(&long_name, "'");
    struct buf with = BUF(4096);
    buf_addf(&with, "%s 6'12345'}", buf_str(&long_name));
    buf_adds(&long_name, "}");
    sets(buf_str(&long_name), "12345", buf_str(&with));
    buf_free(&long_name);
    buf_free(&with);
}

/* JSON with ' for ". */
static void json(const char *version, const char *kind, const char *text, const char *want) {
    struct buf raw = BUF(4096), body = BUF(4096), out = BUF(4096);
    protobuf_message(&raw, text);
    protobuf_wrap(&body, version, kind, buf_slice(&raw));
    int e = wire_to_json(buf_slice(&body), &out, NULL);
    if (want) {
        cleanup_free char *all = quoted(xasprintf("{'kind':'%s','apiVersion':'%s'%s}", kind, version, want));
        assert_int_equal(e, 0);
        assert_buf(out, all);
    } else {
        assert_true(e < 0 && !out.n);
    }
    buf_free(&raw);
    buf_free(&body);
    buf_free(&out);
}

CASE(a_few_kinds_become_json) {
    json("coordination.k8s.io/v1", "Lease",
         "1{1'l' 3'ns' 6'12000000'} 2{1'me' 2=15 3{1=1600000000} 4{1=1600000001 2=5000} 5=0}",
         ",'metadata':{'name':'l','namespace':'ns','resourceVersion':'12000000'},'spec':{'holderIdentity':'"
         "me','leaseDurationSeconds':15,"
         "'acquireTime':'2020-09-13T12:26:40.000000Z','renewTime':'2020-09-13T12:26:41.000005Z','"
         "leaseTransitions':0}");
    json("v1", "Event", "1{1'e'} 2{1'Pod' 3'p'} 3'Why' 4'text' 8=3 9'Warning'",
         ",'metadata':{'name':'e'},'involvedObject':{'kind':'Pod','name':'p'},'reason':'Why','message':'text'"
         ",'count':3,'type':'Warning'");
    json("events.k8s.io/v1", "Event", "1{1'e'} 4'ctl' 7'Why' 8{1'Pod' 3'p'} 10'text' 11'Normal' 3{1=2}",
         ",'metadata':{'name':'e'},'reportingController':'ctl','reason':'Why','regarding':{'kind':'Pod','"
         "name':'p'},'note':'text',"
         "'type':'Normal','series':{'count':2}");
    json("v1", "DeleteOptions", "1=0 2{1'u' 2'12000001'} 3=0 4'Orphan' 5'All'",
         ",'gracePeriodSeconds':0,'preconditions':{'uid':'u','resourceVersion':'12000001'},'orphanDependents'"
         ":false,"
         "'propagationPolicy':'Orphan','dryRun':['All']");
    json("policy/v1", "Eviction", "1{1'p' 3'ns'} 2{1=5}",
         ",'metadata':{'name':'p','namespace':'ns'},'deleteOptions':{'gracePeriodSeconds':5}");
    json("autoscaling/v1", "Scale", "1{1'd'} 2{1=3} 3{1=2 2'a=b'}",
         ",'metadata':{'name':'d'},'spec':{'replicas':3},'status':{'replicas':2,'selector':'a=b'}");
    json("v1", "Binding", "1{1'p'} 2{1'Node' 3'n'}",
         ",'metadata':{'name':'p'},'target':{'kind':'Node','name':'n'}");
}

CASE(what_is_not_understood_is_refused) {
    json("v1", "Pod", "1{1'a'}", NULL);
    json("v1", "ObjectMeta", "1'a'", NULL);
    json("v1", "", "", NULL);
    json("v1", "Binding", "1=7", NULL);
    json("v1", "Binding", "1{1'\xff'}", NULL);
    struct wire_type t;
    struct wire_meta m;
    struct slice raw;
    struct err err = {0};
    assert_int_equal(wire_open(SL("{\"kind\":\"Pod\"}"), &t, &raw, &err), -EINVAL);
    assert_true(err.msg[0]);
    assert_int_equal(wire_open(slice_make("k8s\0\x0a\x05", 6), &t, &raw, NULL), -EINVAL);
    assert_int_equal(wire_meta(SL("\x08\x01"), &m, NULL), -EINVAL);         /* a number */
    assert_int_equal(wire_meta(SL("\x0a\x02\x0a\x07"), &m, NULL), -EINVAL); /* cut */
    assert_int_equal(wire_meta(slice_make("\x0a\x04\x0a\x02"
                                          "a\0",
                                          6),
                               &m, NULL),
                     -EINVAL);
}

CASE(the_status_of_a_workload_is_read) {
    static const struct {
        const char *api_version, *kind, *text, *want;
    } cases[] = {
        {"apps/v1", "ReplicaSet", "1{1'a'} 2{1=3} 3{1=0 2=0 3=4 6{1'Ready' 2'True' 3{1=100}}}",
         "{\"status\":{\"replicas\":0,\"observedGeneration\":4,\"conditions\":[{\"type\":\"Ready\","
         "\"status\":\"True\","
         "\"lastTransitionTime\":\"1970-01-01T00:01:40Z\"}]}}"},
        {"batch/v1", "Job", "3{4=2 8{1'u' 1'v'} 9=0}",
         "{\"status\":{\"active\":2,\"uncountedTerminatedPods\":{\"succeeded\":[\"u\",\"v\"]},\"ready\":0}}"},
        {"v1", "Pod", "3{1'Running'}", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        cleanup_buf struct buf raw = BUF(4096), body = BUF(4096), out = BUF(4096);
        protobuf_message(&raw, cases[i].text);
        protobuf_wrap(&body, cases[i].api_version, cases[i].kind, buf_slice(&raw));
        assert_int_equal(wire_status(buf_slice(&body), &out, NULL), cases[i].want ? 0 : -ENOTSUP);
        if (cases[i].want) assert_buf(out, cases[i].want);
    }
}

CASES("rehearse/wire")
