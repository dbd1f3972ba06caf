#include "leader/lease_object.h"
#include "leader/certificate.h"
#include "leader/checkpoint.h"
#include "leader/drain.h"
#include "../case.h"
#include "../each.h"

/* As client-go writes it; JSON with ' for ". */
#define LEASE(head, annotations, meta, holder, renewed)                                                      \
    "{'apiVersion':'coordination.k8s.io/v1','kind':'Lease','metadata':{'name':'l','namespace':'n',"          \
    "'uid':'u-1','resourceVersion':'77'," head "'annotations':{" annotations "}," meta "},"                  \
    "'spec':{'holderIdentity':'" holder "','leaseDurationSeconds':15,"                                       \
    "'acquireTime':'2026-01-01T00:00:00.000001Z','renewTime':'" renewed "','leaseTransitions':3,"            \
    "'strategy':'Oldest'},'more':[1e15]}"
#define MADE "'creationTimestamp':'2026-01-01T00:00:00Z','labels':{'app':'x'}"
static const char seen[] = LEASE(
    MADE ",", "'handover.dev/successor':'s','who/knows':'\\u003ca\\u003e','handover.dev/checkpoint':'old'",
    "'managedFields':[{'manager':'m','operation':'Update'}]", "a\\u005f1",
    "2026-01-01T01:00:00.500000+01:00");

static int parse(const char *text, struct lease_rec *ret, struct err *err) {
    cleanup_free char *json = quoted(xstrdup(text));
    return lease_parse(slice_of(json), ret, err);
}

CASE(parse) {
    struct lease_rec r;
    struct err err;
    assert_int_equal(parse(seen, &r, &err), 0);
    assert_string_equal(r.uid, "u-1");
    assert_string_equal(r.rv, "77");
    assert_string_equal(r.holder, "a_1");
    assert_int_equal(r.duration_ns, 15 * NS_PER_S);
    assert_int_equal(r.transitions, 3);
    assert_int_equal(r.acquire_us, INT64_C(1767225600000001));
    assert_int_equal(r.renew_us, INT64_C(1767225600500000));
    /* a Lease without anything in it: never held */
    assert_int_equal(
        parse("{'kind':'Lease','metadata':{'resourceVersion':'1'},'spec':{'holderIdentity':null}}", &r, &err),
        0);
    assert_string_equal(r.holder, "");
    assert_int_equal(r.transitions, 0);
    assert_int_equal(parse("{'metadata':{'resourceVersion':'1'},'spec':null}", &r, &err), 0);
}

static void refuses(struct slice text) {
    struct lease_rec r = {.transitions = 42};
    struct err err = {0};
    cleanup_free char *json = slice_dup(text);
    if (parse(json, &r, &err) >= 0) fail_msg("%s", json);
    assert_true(err.msg[0]);
    assert_int_equal(r.transitions, 42);
}

CASE(bad) {
    each_of(bad, "|7|[]|{}|{'kind':'Pod','metadata':{}}|{'metadata':7}|{'metadata':{},'spec':[]}|"
                 "{'metadata':{'resourceVersion':7}}|{'metadata':{'resourceVersion':'"
                 "0123456789012345678901234567890123456789012345678901234567890123'}}") { /* too long */
        refuses(bad);
    }
    each_of(bad, "'holderIdentity':7|'holderIdentity':'a\\u0000b'|'leaseDurationSeconds':-1|"
                 "'leaseDurationSeconds':1.5|'leaseTransitions':2147483648|'leaseTransitions':'3'|"
                 "'renewTime':'yesterday'|'renewTime':7") {
        cleanup_free char *text = xasprintf("{'metadata':{},'spec':{%.*s}}", SLF(bad));
        refuses(slice_of(text));
    }
}

CASE(render_keeps_what_others_wrote) {
    struct lease_rec r;
    struct err err;
    assert_int_equal(parse(seen, &r, &err), 0);
    strcpy(r.holder, "me");
    r.renew_us += 2000000;
    struct lease_change notes[] = {{LEASE_ANNOTATION_CHECKPOINT, SL("new \"one\"")},
                                   {LEASE_ANNOTATION_SUCCESSOR, {0}}};
    assert_string_equal(r.successor, "s"); /* the mark that is taken away */
    r.successor[0] = '\0';
    memset(r.successor, 0, sizeof r.successor);
    cleanup_buf struct buf b = BUF(1 << 20);
    cleanup_free char *old = quoted(xstrdup(seen));
    assert_int_equal(lease_render(slice_of(old), SL("n"), SL("l"), &r, notes, 2, &b, &err), 0);
    assert_string_equal(buf_str(&b),
                        J(LEASE("", "'who/knows':'\\u003ca\\u003e','handover.dev/checkpoint':'new \\'one\\''",
                                MADE, "me", "2026-01-01T00:00:02.500000Z")));
    struct lease_rec back;
    assert_int_equal(lease_parse(buf_slice(&b), &back, &err), 0);
    assert_memory_equal(&back, &r, sizeof(r));
    cleanup_buf struct buf note = BUF(100);
    assert_true(lease_annotation(buf_slice(&b), LEASE_ANNOTATION_CHECKPOINT, &note));
    assert_string_equal(buf_str(&note), "new \"one\"");
    assert_false(lease_annotation(buf_slice(&b), LEASE_ANNOTATION_SUCCESSOR, &note));
    cleanup_buf struct buf tiny = BUF(3);
    assert_false(lease_annotation(buf_slice(&b), LEASE_ANNOTATION_CHECKPOINT, &tiny));
}

static struct lease_rec marked(const char *annotations) {
    struct lease_rec r;
    struct err err;
    cleanup_free char *text = xasprintf("{'metadata':{'annotations':{%s}}}", annotations);
    assert_int_equal(parse(text, &r, &err), 0);
    return r;
}

/* Anybody may write there: what makes no sense is no mark, and the Lease is read all the same. */
CASE(the_marks_of_a_trial) {
    struct lease_rec r =
        marked("'handover.dev/successor':'p_u','handover.dev/trial-until':'1970-01-01T00:00:02.5Z'");
    assert_string_equal(r.successor, "p_u");
    assert_int_equal(r.trial_us, 2500000);
    cleanup_free char *long_one = xasprintf("'handover.dev/successor':'%0*d'", LEASE_ID_MAX, 0);
    assert_string_equal(marked(long_one).successor, "");
    assert_string_equal(marked("'handover.dev/successor':'a\\u0000b'").successor, "");
    assert_string_equal(marked("'handover.dev/successor':7").successor, "");
    each_of(bad, "7|'soon'|'1969-01-01T00:00:00Z'|{}|''|"
                 "'2026-01-01T00:00:00.0000000000000000000000000000000000000000000000000000000000000000Z'") {
        cleanup_free char *text = xasprintf("'handover.dev/trial-until':%.*s", SLF(bad));
        assert_int_equal(marked(text).trial_us, 0);
    }
}

CASE(render_anew) {
    struct lease_rec r = {.holder = "me", .duration_ns = 15 * NS_PER_S, .acquire_us = 1, .renew_us = 1};
    struct err err;
    cleanup_buf struct buf b = BUF(1 << 20);
    assert_int_equal(lease_render((struct slice){0}, SL("n"), SL("l"), &r, NULL, 0, &b, &err), 0);
    assert_string_equal(
        buf_str(&b),
        J("{'apiVersion':'coordination.k8s.io/v1','kind':'Lease','metadata':{'name':'l','namespace':'n'},"
          "'spec':{'holderIdentity':'me','leaseDurationSeconds':15,'acquireTime':"
          "'1970-01-01T00:00:00.000001Z','renewTime':'1970-01-01T00:00:00.000001Z','leaseTransitions':0}}"));
    cleanup_buf struct buf tiny = BUF(30);
    assert_int_equal(lease_render((struct slice){0}, SL("n"), SL("l"), &r, NULL, 0, &tiny, &err), -ENOBUFS);
    buf_clear(&b);
    assert_int_equal(lease_render(SL("{\"metadata\":[]}"), SL("n"), SL("l"), &r, NULL, 0, &b, &err), -EINVAL);
    assert_int_equal(lease_render(SL("{"), SL("n"), SL("l"), &r, NULL, 0, &b, &err), -EINVAL);
}

/* Every optional argument of the library, left out where the call fails and would fill it. */
CASE(optional_arguments_may_be_null) {
    struct lease_rec r;
    struct identity id;
    struct checkpoint_reader *reader = NULL;
    cleanup_buf struct buf b = BUF(100);
    assert_true(lease_parse(SL("[]"), &r, NULL) < 0);
    assert_true(lease_parse(SL("{\"kind\":\"Pod\"}"), &r, NULL) < 0);
    assert_true(lease_parse(SL("{\"metadata\":{\"uid\":7}}"), &r, NULL) < 0);
    assert_true(lease_render(SL("{"), SL("n"), SL("l"), &(struct lease_rec){0}, NULL, 0, &b, NULL) < 0);
    assert_true(lease_config_check(&(struct lease_config){0}, NULL) < 0);
    assert_true(drain_config_check(&(struct drain_config){.grace_ns = -1}, NULL) < 0);
    assert_true(identity_parse(SL("a"), &id, NULL) < 0);
    assert_false(certificate_proves_dead(SL("{}"), SL("a_b_c"), NULL));
    assert_int_equal(checkpoint_open(SL(""), -1, &reader, NULL), CHECKPOINT_EMPTY);
    assert_int_equal(checkpoint_open(SL("handover/2"), -1, &reader, NULL), CHECKPOINT_FOREIGN);
    assert_int_equal(checkpoint_open(SL("handover/1 term=1"), -1, &reader, NULL), CHECKPOINT_DAMAGED);
    assert_null(reader);
    lease_free(NULL);
    checkpoint_free(NULL);
    checkpoint_close(NULL);
}

CASES("leader/lease_object")
