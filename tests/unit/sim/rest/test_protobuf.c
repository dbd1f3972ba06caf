/* Protobuf bodies: every kind of field, what is absent and what is zero, and bytes that are no message. */
#include "../../case.h"
#include "../../each.h"
#include "../../protobuf.h"
#include "base/json.h"
#include "rest/protobuf.h"

/* Bytes of a message: what is read, JSON with ' for ", kind and apiVersion before it. */
static void reads_raw(const char *version, const char *kind, struct slice raw, const char *want) {
    cleanup_api_status struct api_status f;
    api_status_init(&f);
    cleanup_buf struct buf body = BUF(1 << 16), have = BUF(1 << 16);
    protobuf_wrap(&body, version, kind, raw);
    cJSON *v = NULL;
    if (pb_parse(buf_slice(&body), &v, &f) < 0) fail_msg("%s", f.message);
    json_tree_print(v, &have);
    cleanup_free char *all = quoted(xasprintf("{'kind':'%s','apiVersion':'%s',%s}", kind, version, want));
    assert_string_equal(buf_str(&have), all);
    cJSON_Delete(v);
}

static void reads(const char *version, const char *kind, const char *text, const char *want) {
    cleanup_buf struct buf raw = BUF(4096);
    protobuf_message(&raw, text);
    reads_raw(version, kind, buf_slice(&raw), want);
}

static int code_of(struct slice body) {
    cleanup_api_status struct api_status f;
    api_status_init(&f);
    cJSON *v = NULL;
    int r = pb_parse(body, &v, &f);
    assert_true(r == 0 ? v && !f.code : !v && f.code && f.message);
    cJSON_Delete(v);
    return r == 0 ? 200 : f.code;
}

static int code_of_message(const char *kind, struct slice raw) {
    cleanup_buf struct buf body = BUF(4096);
    protobuf_wrap(&body, "v1", kind, raw);
    return code_of(buf_slice(&body));
}

CASE(fields_of_every_kind) {
    static const struct {
        const char *version, *kind, *text, *json;
    } t[] = {
        {"v1", "ConfigMap",
         "1{1'a' 11{1'l' 2'x'} 11{1'm' 2''} 14'f/1' 14'f/2'} 2{1'k' 2'\xc3\xa4'} 3{1'b' 2'xyz'} 99=7",
         /* of a later version, 99: passed over */
         "'metadata':{'name':'a','labels':{'l':'x','m':''},'finalizers':['f/1','f/2']},"
         "'data':{'k':'\xc3\xa4'},'binaryData':{'b':'eHl6'}"},
        /* A zero says something where Go has a pointer; elsewhere it is what an absent field would be. */
        {"v1", "ConfigMap", "1{1'a' 2'' 7=0 10=0} 4=0",
         "'metadata':{'name':'a','deletionGracePeriodSeconds':0},'immutable':false"},
        {"coordination.k8s.io/v1", "Lease", "2{1'me' 3{1=1600000000 2=123456789}}",
         "'spec':{'holderIdentity':'me','acquireTime':'2020-09-13T12:26:40.123456Z'}"},
        {"v1", "ConfigMap", "1{8{1=1600000000} 9''}", /* the zero time */
         "'metadata':{'creationTimestamp':'2020-09-13T12:26:40Z'}"},
        {"v1", "Pod", "2{2{1'c' 8{1{1'memory' 2{1'64Mi'}}} 10{1{2{1'/' 2{1=1 3'web'}}}}}}",
         "'spec':{'containers':[{'name':'c','resources':{'limits':{'memory':'64Mi'}},"
         "'livenessProbe':{'httpGet':{'path':'/','port':'web'}}}]}"},
        {"v1", "DeleteOptions", "1=-1 4'Foreground'",
         "'gracePeriodSeconds':-1,'propagationPolicy':'Foreground'"},
    };
    for (size_t i = 0; i < ARRAY_LEN(t); i++) reads(t[i].version, t[i].kind, t[i].text, t[i].json);
}

CASE(bytes_with_zeros) {
    cleanup_buf struct buf entry = BUF(64), cm = BUF(64);
    protobuf_message(&entry, "1'b'");
    protobuf_bytes(&entry, 2, slice_make("\0\1\2", 3));
    protobuf_bytes(&cm, 3, buf_slice(&entry));
    reads_raw("v1", "ConfigMap", buf_slice(&cm), "'binaryData':{'b':'AAEC'}");
}

/* What was read before the damage is given up again; and text that is not UTF-8 has no place in JSON. */
CASE(damaged_messages) {
    static const char *const damaged[][2] = {
        {"Pod", "2{32{1'memory' 2'\x0a\x04"
                "64Mi\x0a\x09'}}"},
        {"ConfigMap", "2{1'k' 2'\xff\xfe'}"},
        {"ConfigMap", "2{1'\xc3' 2'v'}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(damaged); i++) {
        cleanup_buf struct buf raw = BUF(4096);
        protobuf_message(&raw, damaged[i][1]);
        assert_int_equal(code_of_message(damaged[i][0], buf_slice(&raw)), 400);
    }
}

CASE(wrong) {
    assert_int_equal(code_of(SL("")), 400);
    assert_int_equal(code_of(SL("k8s")), 400);
    assert_int_equal(code_of(slice_make("k8s", 4)), 415); /* of no kind */
    assert_int_equal(code_of(SL("{\"kind\":\"ConfigMap\"}")), 400);
    assert_int_equal(code_of_message("Nothing", SL("")), 415);
    static const struct {
        const char *p;
        size_t n;
        int code;
    } raw[] = {
#define RAW(text, code) {text, sizeof(text) - 1, code}
        RAW("", 200),
        RAW("\x0a\x00", 200),
        RAW("\x0a\x05", 400), /* longer than what there is */
        RAW("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 400),
        RAW("\x08\x01", 400),         /* metadata as a number */
        RAW("\x0a\x02\x0a\x07", 400), /* the same one level down */
        RAW("\x0b\x0c", 400),         /* groups are not spoken any more */
        RAW("\x00", 400),             /* field 0 */
        RAW("\x80", 400),             /* a number that does not end */
        RAW("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 400),
        RAW("\x22\x01x", 400),                /* a flag as text */
        RAW("\x12\x02\x0a\x05", 400),         /* in an entry of a map */
        RAW("\x9d\x06\x01\x02\x03\x04", 200), /* 4 and 8 bytes that nobody asked for */
        RAW("\x99\x06\x01\x02\x03\x04\x05\x06\x07\x08", 200),
        RAW("\x9d\x06\x01\x02\x03", 400),
#undef RAW
    };
    for (size_t i = 0; i < ARRAY_LEN(raw); i++) {
        print_message("%zu\n", i);
        assert_int_equal(code_of_message("ConfigMap", slice_make(raw[i].p, raw[i].n)), raw[i].code);
    }
}

/* Whatever is cut off, what is left is read or refused, and never read past. */
CASE(prefixes) {
    cleanup_buf struct buf body = BUF(4096), cm = BUF(1024);
    protobuf_message(&cm, "1{1'a' 11{1'l' 2'x'}} 2{1'k' 2'v'}");
    protobuf_wrap(&body, "v1", "ConfigMap", buf_slice(&cm));
    size_t object = body.n - cm.n - 2; /* without the object itself it is an empty one */
    for (size_t n = 0; n < body.n; n++) {
        cleanup_free char *exact = slice_dup(slice_make(body.p, n));
        assert_int_equal(code_of(slice_make(exact, n)), n == 4 ? 415 : n == object ? 200 : 400);
    }
    assert_int_equal(code_of(buf_slice(&body)), 200);
}

CASES("sim/rest/protobuf")
