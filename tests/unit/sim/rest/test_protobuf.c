/* Protobuf bodies: every kind of field, what is absent and what is zero, and bytes that are no message. */
#include "../../case.h"
#include "base/json.h"
#include "base/mem.h"
#include "rest/protobuf.h"

/* ---- writing ---- */
static void varint(struct buf *b, uint64_t v) {
    for (; v > 0x7f; v >>= 7) buf_addc(b, (char)((v & 0x7f) | 0x80));
    buf_addc(b, (char)v);
}

static void number(struct buf *b, unsigned field, uint64_t v) {
    varint(b, field << 3);
    varint(b, v);
}

static void bytes(struct buf *b, unsigned field, struct slice v) {
    varint(b, field << 3 | 2);
    varint(b, v.n);
    buf_add(b, v);
}

static void text(struct buf *b, unsigned field, const char *v) {
    bytes(b, field, slice_of(v));
}

static void below(struct buf *b, unsigned field, struct buf *v) { /* v is used up */
    bytes(b, field, buf_slice(v));
    buf_free(v);
}

static void pair(struct buf *b, unsigned field, const char *key, const char *value) {
    struct buf e = BUF(1024);
    text(&e, 1, key);
    text(&e, 2, value);
    below(b, field, &e);
}

static void wrap(struct buf *out, const char *version, const char *kind, struct slice raw) {
    struct buf meta = BUF(1024);
    text(&meta, 1, version);
    text(&meta, 2, kind);
    buf_add(out, slice_make("k8s", 4));
    below(out, 1, &meta);
    bytes(out, 2, raw);
}

/* ---- reading ---- */
static void reads(const char *version, const char *kind, struct buf *raw,
                  const char *want) { /* raw is used up */
    cleanup_api_status struct api_status f;
    api_status_init(&f);
    struct buf body = BUF(1 << 16), have = BUF(1 << 16);
    wrap(&body, version, kind, buf_slice(raw));
    cJSON *v = NULL;
    if (pb_parse(buf_slice(&body), &v, &f) < 0) fail_msg("%s", f.message);
    json_tree_print(v, &have);
    assert_string_equal(buf_str(&have), want);
    cJSON_Delete(v);
    buf_free(&have);
    buf_free(&body);
    buf_free(raw);
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

CASE(maps_and_bytes) {
    struct buf meta = BUF(4096), cm = BUF(4096);
    text(&meta, 1, "a");
    pair(&meta, 11, "l", "x");
    pair(&meta, 11, "m", "");
    text(&meta, 14, "f/1");
    text(&meta, 14, "f/2");
    below(&cm, 1, &meta);
    pair(&cm, 2, "k", "\xc3\xa4");
    struct buf e = BUF(64);
    text(&e, 1, "b");
    bytes(&e, 2, slice_make("\0\1\2", 3));
    below(&cm, 3, &e);
    number(&cm, 99, 7); /* of a later version: passed over */
    reads("v1", "ConfigMap", &cm,
          "{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"a\",\"labels\":{\"l\":"
          "\"x\",\"m\":\"\"},"
          "\"finalizers\":[\"f/1\",\"f/2\"]},\"data\":{\"k\":\"\xc3\xa4\"},\"binaryData\":{\"b\":\"AAEC\"}}");
}

/* A zero says something where Go has a pointer; elsewhere it is what an absent field would be. */
CASE(zeros) {
    struct buf meta = BUF(4096), cm = BUF(4096);
    text(&meta, 1, "a");
    text(&meta, 2, "");
    number(&meta, 7, 0);
    number(&meta, 10, 0);
    below(&cm, 1, &meta);
    number(&cm, 4, 0);
    reads("v1", "ConfigMap", &cm,
          "{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"a\",\"deletionGracePeriodSe"
          "conds\":0},\"immutable\":false}");
}

CASE(times) {
    struct buf spec = BUF(4096), lease = BUF(4096), t = BUF(64);
    text(&spec, 1, "me");
    number(&t, 1, 1600000000);
    number(&t, 2, 123456789);
    below(&spec, 3, &t);
    below(&lease, 2, &spec);
    reads("coordination.k8s.io/v1", "Lease", &lease,
          "{\"kind\":\"Lease\",\"apiVersion\":\"coordination.k8s.io/v1\",\"spec\":{\"holderIdentity\":\"me\","
          "\"acquireTime\":\"2020-09-13T12:26:40.123456Z\"}}");
    struct buf meta = BUF(4096), cm = BUF(4096);
    t = BUF(64);
    number(&t, 1, 1600000000);
    below(&meta, 8, &t);
    text(&meta, 9, ""); /* the zero time */
    below(&cm, 1, &meta);
    reads("v1", "ConfigMap", &cm,
          "{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",\"metadata\":{\"creationTimestamp\":\"2020-09-13T12:"
          "26:40Z\"}}");
}

CASE(quantities_and_ports) {
    struct buf pod = BUF(4096), spec = BUF(4096), c = BUF(4096), res = BUF(1024), e = BUF(256), q = BUF(64);
    text(&c, 1, "c");
    text(&q, 1, "64Mi");
    text(&e, 1, "memory");
    below(&e, 2, &q);
    below(&res, 1, &e);
    below(&c, 8, &res);
    struct buf probe = BUF(256), handler = BUF(256), get = BUF(256), port = BUF(64);
    number(&port, 1, 1);
    text(&port, 3, "web");
    text(&get, 1, "/");
    below(&get, 2, &port);
    below(&handler, 2, &get);
    below(&probe, 1, &handler);
    below(&c, 10, &probe);
    below(&spec, 2, &c);
    below(&pod, 2, &spec);
    reads("v1", "Pod", &pod,
          "{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"spec\":{\"containers\":[{\"name\":\"c\",\"resources\":{"
          "\"limits\":{"
          "\"memory\":\"64Mi\"}},\"livenessProbe\":{\"httpGet\":{\"path\":\"/\",\"port\":\"web\"}}}]}}");
}

/* What was read before the damage is given up again. */
CASE(damaged_quantity) {
    struct buf pod = BUF(4096), spec = BUF(4096), overhead = BUF(256), q = BUF(64), body = BUF(4096);
    text(&q, 1, "64Mi");
    buf_adds(&q, "\x0a\x09");
    text(&overhead, 1, "memory");
    below(&overhead, 2, &q);
    below(&spec, 32, &overhead);
    below(&pod, 2, &spec);
    wrap(&body, "v1", "Pod", buf_slice(&pod));
    assert_int_equal(code_of(buf_slice(&body)), 400);
    buf_free(&pod);
    buf_free(&body);
}

CASE(negative_numbers) {
    struct buf o = BUF(64);
    number(&o, 1, (uint64_t)-1);
    text(&o, 4, "Foreground");
    reads("v1", "DeleteOptions", &o,
          "{\"kind\":\"DeleteOptions\",\"apiVersion\":\"v1\",\"gracePeriodSeconds\":-1,\"propagationPolicy\":"
          "\"Foreground\"}");
}

CASE(wrong) {
    struct buf body = BUF(4096);
    assert_int_equal(code_of(SL("")), 400);
    assert_int_equal(code_of(SL("k8s")), 400);
    assert_int_equal(code_of(slice_make("k8s", 4)), 415); /* of no kind */
    assert_int_equal(code_of(SL("{\"kind\":\"ConfigMap\"}")), 400);
    wrap(&body, "v1", "Nothing", SL(""));
    assert_int_equal(code_of(buf_slice(&body)), 415);
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
        buf_clear(&body);
        wrap(&body, "v1", "ConfigMap", slice_make(raw[i].p, raw[i].n));
        print_message("%zu\n", i);
        assert_int_equal(code_of(buf_slice(&body)), raw[i].code);
    }
    buf_free(&body);
}

/* Text that is not UTF-8 has no place in JSON. */
CASE(no_text) {
    struct buf body = BUF(4096), cm = BUF(1024);
    pair(&cm, 2, "k", "\xff\xfe");
    wrap(&body, "v1", "ConfigMap", buf_slice(&cm));
    assert_int_equal(code_of(buf_slice(&body)), 400);
    buf_clear(&body);
    buf_clear(&cm);
    pair(&cm, 2, "\xc3", "v");
    wrap(&body, "v1", "ConfigMap", buf_slice(&cm));
    assert_int_equal(code_of(buf_slice(&body)), 400);
    buf_free(&cm);
    buf_free(&body);
}

/* Whatever is cut off, what is left is read or refused, and never read past. */
CASE(prefixes) {
    struct buf body = BUF(4096), cm = BUF(1024), meta = BUF(256);
    text(&meta, 1, "a");
    pair(&meta, 11, "l", "x");
    below(&cm, 1, &meta);
    pair(&cm, 2, "k", "v");
    wrap(&body, "v1", "ConfigMap", buf_slice(&cm));
    size_t object = body.n - cm.n - 2; /* without the object itself it is an empty one */
    for (size_t n = 0; n < body.n; n++) {
        cleanup_free char *exact = slice_dup(slice_make(body.p, n));
        assert_int_equal(code_of(slice_make(exact, n)), n == 4 ? 415 : n == object ? 200 : 400);
    }
    assert_int_equal(code_of(buf_slice(&body)), 200);
    buf_free(&cm);
    buf_free(&body);
}

CASES("sim/rest/protobuf")
