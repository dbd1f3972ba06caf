/* Elections are carried out in memory: the rehearsal leads, and nobody else. */
#include "overlay_script.h"
#include "../protobuf.h"

static struct overlay *make(void) {
    return overlay_new(NULL, 1);
}
#define TEST_CASE(name) CASE_OF(struct overlay, o, make(), overlay_free, name)

static struct gate_request lease(enum gate_kind kind, const char *name) {
    struct gate_request r = ask(kind, "leases", name);
    r.group = SL("coordination.k8s.io");
    return r;
}
static struct gate_request config_map(enum gate_kind kind, const char *name) {
    struct gate_request r = ask(kind, "configmaps", name);
    r.group = SL("");
    return r;
}
/* {status, version} of a GET that asks nobody. */
static const char *read_lease(struct overlay *o, const char *name) {
    struct gate_request r = lease(GATE_GET, name);
    assert_true(overlay_is_private(&r));
    return got(o, r, 200, SL("{\"metadata\":{\"resourceVersion\":\"77\"}}")); /* whatever is live */
}

TEST_CASE(a_lease_is_not_there_until_the_operator_makes_it) {
    assert_string_equal(read_lease(o, "lock"), "404 NotFound");
    assert_carried(
        o,
        with_body(lease(GATE_CREATE, ""), GATE_JSON,
                  "{'metadata':{'name':'lock'},'spec':{'holderIdentity':'me'}}"),
        "=>201 "
        "{'metadata':{'resourceVersion':'1000001','name':'lock','namespace':'ns','uid':'910a2dec-8902-4cc1-"
        "8eeb-"
        "8da1658eec67','creationTimestamp':'1970-01-01T00:00:50Z'},'spec':{'holderIdentity':'me'}}");
    assert_string_equal(read_lease(o, "lock"), "200 1000001");
    assert_carried_has(o, with_body(lease(GATE_CREATE, ""), GATE_JSON, "{'metadata':{'name':'lock'}}"),
                       "'AlreadyExists'");
    assert_carried_has(o,
                       with_body(lease(GATE_UPDATE, "lock"), GATE_JSON,
                                 "{'metadata':{'name':'lock','resourceVersion':'1000001'},'spec':{}}"),
                       "'resourceVersion':'1000002'");
    assert_carried_has(o,
                       with_body(lease(GATE_UPDATE, "lock"), GATE_JSON,
                                 "{'metadata':{'name':'lock','resourceVersion':'1000001'}}"),
                       "'Conflict'");
    assert_carried_has(
        o, with_body(lease(GATE_PATCH, "lock"), GATE_PATCH_MERGE, "{'spec':{'holderIdentity':'you'}}"),
        "'holderIdentity':'you'");
    assert_carried_has(o, with_body(lease(GATE_UPDATE, "none"), GATE_JSON, "{'metadata':{'name':'none'}}"),
                       "=>404");
    assert_carried_has(o, lease(GATE_DELETE, "lock"), "=>200");
    assert_string_equal(read_lease(o, "lock"), "404 NotFound");
    assert_carried_has(o, with_body(lease(GATE_PATCH, "lock"), GATE_APPLY, "{'metadata':{'name':'lock'}}"),
                       "=>201");
    assert_rows(o, 0, ""); /* nothing to report */
}

/* What has no version is nothing that an API server gives. */
TEST_CASE(a_leader_without_a_version_is_not_kept) {
    struct slice lock =
        JS("{'metadata':{'name':'lock','annotations':{'control-plane.alpha.kubernetes.io/leader':'{}'}}}");
    assert_string_equal(got(o, config_map(GATE_GET, "lock"), 200, lock), "200");
    assert_int_equal(overlay_counts(o)->entries, 0);
}

TEST_CASE(a_lease_may_be_written_in_protobuf) {
    struct buf raw = BUF(4096), body = BUF(4096);
    protobuf_message(&raw, "1{1'lock' 3'ns'} 2{1'me' 2=15 4{1=100 2=5000}}");
    protobuf_wrap(&body, "coordination.k8s.io/v1", "Lease", buf_slice(&raw));
    struct gate_request r = lease(GATE_CREATE, "");
    r.form = GATE_PROTOBUF;
    r.body = buf_slice(&body);
    assert_carried_has(
        o, r,
        "'spec':{'holderIdentity':'me','leaseDurationSeconds':15,'renewTime':'1970-01-01T00:01:40.000005Z'}");
    buf_clear(&raw);
    buf_clear(&body);
    protobuf_message(&raw, "1{1'lock' 3'ns' 6'1000001'} 2{1'me' 2=15 4{1=102}}");
    protobuf_wrap(&body, "coordination.k8s.io/v1", "Lease", buf_slice(&raw));
    r = lease(GATE_UPDATE, "lock");
    r.form = GATE_PROTOBUF;
    r.body = buf_slice(&body);
    assert_carried_has(o, r, "=>200 ");
    assert_carried_has(o, r, "=>409 ");
    buf_free(&raw);
    buf_free(&body);
}

TEST_CASE(a_lease_by_its_name_is_listed_and_watched_from_memory) {
    struct gate_request all = lease(GATE_LIST, ""), one = all;
    one.fields = SL("metadata.name=lock");
    assert_false(overlay_is_private(&all));
    assert_true(overlay_is_private(&one));
    assert_page(o, one, "", true, "@1000000");
    cleanup_heard struct heard h;
    heard_open(&h, o, one, "1000000");
    assert_carried_has(
        o, with_body(lease(GATE_CREATE, ""), GATE_JSON, "{'metadata':{'name':'lock','labels':{'l':'x'}}}"),
        "=>201");
    assert_carried_has(o, with_body(lease(GATE_CREATE, ""), GATE_JSON, "{'metadata':{'name':'other'}}"),
                       "=>201");
    assert_heard(h, "ADDED lock 1000001 x");
    assert_page(o, one, "", true, "lock 1000001 x|@1000002");
    heard_free(&h);
    one.initial_events = true;
    heard_open(&h, o, one, "");
    assert_heard(h, "ADDED lock 1000001 x|BOOKMARK 1000002");
    assert_has(buf_str(&h.last), "initial-events-end");
    /* In the list of all it takes the live one's place. */
    assert_page(o, all, "90", true, "lock 1000001 x|other 1000002 @90000002", object("lock", "80", "live"));
}

TEST_CASE(a_config_map_that_elects_has_no_leader_and_stays_in_memory) {
    const char *live =
        "{\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"lock\",\"namespace\":\"ns\",\"resourceVersion\":"
        "\"50\",\"labels\":{"
        "\"l\":\"x\"},\"annotations\":{\"control-plane.alpha.kubernetes.io/leader\":\"them\",\"a\":\"b\"}}}";
    struct gate_request r = config_map(GATE_GET, "lock");
    struct buf out = BUF(4096);
    assert_int_equal(overlay_get(o, &r, 0, 200, slice_of(live), &out), 200);
    assert_lacks(buf_str(&out), "leader");
    assert_has(buf_str(&out), "\"a\":\"b\"");
    assert_carried_has(o,
                       with_body(config_map(GATE_UPDATE, "lock"), GATE_JSON,
                                 "{'kind':'ConfigMap','metadata':{'name':'lock','resourceVersion':'50000001',"
                                 "'labels':{'l':'mine'}}}"),
                       "=>200");
    /* Its live leader goes on. */
    assert_string_equal(got(o, r, 200, object("lock", "60", "theirs")), "200 50000002 mine");
    struct gate_request all = config_map(GATE_LIST, "");
    assert_page(o, all, "70", true, "lock 50000002 mine|@70000002", object("lock", "65", "theirs"));
    cleanup_heard struct heard h;
    heard_open(&h, o, all, "70000002");
    overlay_watch_event(h.w, 0, event("MODIFIED", object("lock", "75", "theirs")));
    assert_heard(h, "");
    assert_rows(o, 0, "");
    buf_free(&out);
}

TEST_CASE(one_that_gets_its_leader_by_a_write_is_kept_in_memory_from_then_on) {
    assert_carried_has(
        o, with_body(config_map(GATE_CREATE, ""), GATE_JSON, "{'metadata':{'name':'lock'}}"), "POST",
        "201 {'kind':'ConfigMap','metadata':{'name':'lock','namespace':'ns','uid':'u','annotations':{"
        "'control-plane.alpha.kubernetes.io/leader':'me'}}}");
    assert_carried_has(
        o,
        with_body(config_map(GATE_PATCH, "lock"), GATE_PATCH_MERGE, "{'metadata':{'annotations':{'a':'b'}}}"),
        "=>200");
}

CASES("rehearse/overlay_election")
