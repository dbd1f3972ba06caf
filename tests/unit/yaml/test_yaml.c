/* YAML as Kubernetes reads it: which plain scalars are what, anchors and merges, and what is refused. */
#include "../case.h"
#include "base/mem.h"
#include "yaml/yaml.h"
#include <sys/resource.h>

struct first {
    struct buf json;
    unsigned n;
};
static int keep_first(void *ctx, const struct yaml_value *doc, struct err *err) {
    struct first *f = ctx;
    (void)err;
    f->n++;
    return yaml_json(doc, &f->json) < 0 ? -ENOBUFS : 1;
}

static void reads(const char *yaml, const char *json) {
    struct first f = {.json = BUF(1 << 20)};
    struct err e = {0};
    int r = yaml_each(slice_of(yaml), YAML_UNIQUE_KEYS, keep_first, &f, &e);
    if (r != 1 || strcmp(buf_str(&f.json), json) != 0)
        fail_msg("%s\nis %s\nnot %s (%s)", yaml, buf_str(&f.json), json, e.msg);
    buf_free(&f.json);
}

static void refuses(struct slice yaml, const char *why) {
    struct first f = {.json = BUF(1 << 20)};
    struct err e = {0};
    int r = yaml_each(yaml, YAML_UNIQUE_KEYS, keep_first, &f, &e);
    if (r != -EINVAL || e.kind != ERR_CONFIG || f.n || !strstr(e.msg, why) || strncmp(e.msg, "line ", 5) != 0)
        fail_msg("%.*s: %d %s", SLF(yaml), r, r < 0 ? e.msg : "taken");
    assert_int_equal(yaml_each(yaml, YAML_UNIQUE_KEYS, keep_first, &f, NULL), -EINVAL);
    buf_free(&f.json);
}

CASE(scalars) {
    reads("[~, null, Null, NULL]", "[null,null,null,null]");
    reads("a:\nb: ''", "{\"a\":null,\"b\":\"\"}");
    reads("[true, True, yes, on, Y]", "[true,true,true,true,true]");
    reads("[false, no, Off, n]", "[false,false,false,false]");
    reads("[tRue, 'yes', \"no\"]", "[\"tRue\",\"yes\",\"no\"]");
    reads("[1, -1, +1, 0, -0, 9007199254740993]", "[1,-1,1,0,-0,9007199254740993]");
    reads("[18446744073709551615, 18446744073709551616]", "[18446744073709551615,18446744073709551616]");
    reads("[-0x8000000000000000, -0x8000000000000001, 0xffffffffffffffff0, 1__000]",
          "[-9223372036854775808,\"-0x8000000000000001\",\"0xffffffffffffffff0\",1000]");
    reads("[1e999, 1., +1.5, 1e, 1e+, .e1, ., +, 1.5.6, 0b2, 0o8, 09.5]",
          "[\"1e999\",1,1.5,\"1e\",\"1e+\",\".e1\",\".\",\"+\",\"1.5.6\",\"0b2\",\"0o8\",9.5]");
    reads("[!!str 1, !!int '1', !!float 2, !!bool 'yes', !!null '', !mine 1, ! 1]",
          "[\"1\",1,2,true,null,\"1\",\"1\"]");
    reads("[0x1F, 0o17, 0b101, 0777, -0x10]", "[31,15,5,511,-16]");
    reads("[1.5, .5, 1e3, -2.5E-1]", "[1.5,0.5,1e3,-2.5E-1]");
    reads("[1.2.3, 0x, 08, '1', 1_000, _1, 64Mi, -, 2020-01-01, 12:30:45]",
          "[\"1.2.3\",\"0x\",8,\"1\",1000,\"_1\",\"64Mi\",\"-\",\"2020-01-01\",\"12:30:45\"]");
    reads("a: |\n  two\n  lines\nb: >-\n  one\n  line\n", "{\"a\":\"two\\nlines\\n\",\"b\":\"one line\"}");
    reads("\"\\u00e4\\x41\": \xc3\xa4", "{\"\xc3\xa4"
                                        "A\":\"\xc3\xa4\"}");
    reads("1: a\non: b\n'on': c\n0x10: d", "{\"1\":\"a\",\"true\":\"b\",\"on\":\"c\",\"16\":\"d\"}");
    reads("{}", "{}");
    reads("'a\"b\\c\td'", "\"a\\\"b\\\\c\\td\"");
}

CASE(anchors) {
    reads("a: &x {k: 1}\nb: *x", "{\"a\":{\"k\":1},\"b\":{\"k\":1}}");
    reads("a: &x {k: 1, l: 2}\nb: {<<: *x, l: 3}", "{\"a\":{\"k\":1,\"l\":2},\"b\":{\"l\":3,\"k\":1}}");
    reads("- &x {k: 1}\n- &y {k: 2, m: 3}\n- {<<: [*x, *y]}",
          "[{\"k\":1},{\"k\":2,\"m\":3},{\"k\":1,\"m\":3}]");
    refuses(SL("a: *nobody"), "undefined alias");
    refuses(SL("&x [*x]"), "contains itself");
    refuses(SL("a: &x {b: {c: *x}}"), "contains itself");
    refuses(SL("a: &x 1\nb: &x [*x]"), "contains itself");
    reads("a: &x 1\nb: &x 2\nc: *x", "{\"a\":1,\"b\":2,\"c\":2}");
    reads("<<: {a: 1, b: 2}\na: 3\n<<: {b: 4, c: 5}", "{\"a\":3,\"b\":2,\"c\":5}");
    refuses(SL("<<: 1"), "map merge requires map or sequence of maps");
    refuses(SL("<<: [[{a: 1}]]"), "map merge requires map or sequence of maps");
}

/* Each line holds the one before it nine times; nine of them are 387 million values. */
static void bomb(const char *first, bool map) {
    struct buf b = BUF(16 << 20);
    buf_addf(&b, "a0: &a0 %s\n", first);
    for (int i = 1; i < 9; i++) {
        buf_addf(&b, "a%d: &a%d %s", i, i, map ? "{" : "[");
        for (int k = 0; k < 9; k++) {
            if (map) buf_addf(&b, "k%d: ", k);
            buf_addf(&b, "*a%d ,", i - 1);
        }
        buf_adds(&b, map ? "}\n" : "]\n");
    }
    refuses(buf_slice(&b), "excessive aliasing");
    buf_free(&b);
}

CASE(bombs) {
    bomb("[x,x,x,x,x,x,x,x,x]", false);
    bomb("{x: x}", true);
    /* few values, but long ones */
    struct buf b = BUF(16 << 20);
    buf_addf(&b, "- &a %0*d\n", 1 << 20, 0);
    for (int i = 0; i < 100; i++) buf_adds(&b, "- *a\n");
    refuses(buf_slice(&b), "excessive aliasing");
    buf_free(&b);
}

CASE(depth) {
    struct buf b = BUF(1 << 16);
    for (int i = 0; i < 500; i++) buf_addc(&b, '[');
    for (int i = 0; i < 500; i++) buf_addc(&b, ']');
    refuses(buf_slice(&b), "nested too deeply");
    buf_clear(&b); /* by aliases */
    buf_adds(&b, "- &a0 []\n");
    for (int i = 1; i < 300; i++) buf_addf(&b, "- &a%d [*a%d]\n", i, i - 1);
    refuses(buf_slice(&b), "nested too deeply");
    buf_free(&b);
}

CASE(wrong) {
    refuses(SL("a: [1"), "line 2");
    refuses(SL("a: b: c"), "line 1");
    refuses(SL("\ta: b"), "line 1");
    refuses(SL("{{a: 1}: 1}"), "a key that is no scalar");
    refuses(SL(".inf"), "a number that JSON does not have");
    refuses(SL("a: -.INF"), "a number that JSON does not have");
    refuses(SL("!!int x"), "a value that its tag does not allow");
    refuses(SL("!!binary aGk="), "not supported");
    refuses(SL("{[a]: 1}"), "a key that is no scalar");
    refuses(SL("a: \"x\\0y\""), "control characters are not allowed");
    refuses(SL("\"x\\0y\": a"), "control characters are not allowed");
    refuses(SL("a: \xff\xfe"), "UTF-8");
    refuses(SL("a: x\0y"), "");
}

static int count(void *ctx, const struct yaml_value *doc, struct err *err) {
    assert_int_equal(doc->line, 1 + 2 * *(size_t *)ctx);
    return ++*(size_t *)ctx == 3 ? err_set(err, ERR_REJECTED, -EPERM, "the third") : 0;
}

CASE(documents) {
    struct err e = {0};
    size_t n = 0;
    assert_int_equal(yaml_each(SL(""), YAML_UNIQUE_KEYS, count, &n, &e), 0);
    assert_int_equal(yaml_each(SL("# only a comment\n"), YAML_UNIQUE_KEYS, count, &n, &e), 0);
    assert_int_equal(n, 0);
    assert_int_equal(yaml_each(SL("a: &x 1\n---\nb: 2\n"), YAML_UNIQUE_KEYS, count, &n, &e), 0);
    assert_int_equal(n, 2);
    n = 0;
    assert_int_equal(yaml_each(SL("1\n---\n2\n---\n3\n---\n4\n"), YAML_UNIQUE_KEYS, count, &n, &e), -EPERM);
    assert_int_equal(n, 3); /* the first that fails is the last */
    assert_int_equal(e.kind, ERR_REJECTED);
    n = 0; /* an anchor ends with its document */
    assert_int_equal(yaml_each(SL("&x 1\n---\n*x\n"), YAML_UNIQUE_KEYS, count, &n, &e), -EINVAL);
    assert_int_equal(n, 1);
}

static int member(void *ctx, const struct yaml_value *doc, struct err *err) {
    (void)err;
    *(char **)ctx = slice_dup(yaml_get(doc, "a")->text);
    assert_null(yaml_get(doc, "b"));
    assert_null(yaml_get(yaml_get(doc, "a"), "a"));
    assert_null(yaml_get(NULL, "a"));
    return 0;
}

CASE(repeated_keys) {
    char *a = NULL;
    refuses(SL("a: 1\na: 2"), "line 2: key \"a\" already set in map");
    refuses(SL("yes: 1\ntrue: 2"), "key \"true\" already set in map");
    assert_int_equal(yaml_each(SL("a: 1\na: 2"), YAML_LAST_KEY_WINS, member, &a, NULL), 0);
    assert_string_equal(a, "2");
    free(a);
}

/* 120,000 members, half as many anchors and aliases, and all of it merged: 2 s of processor time; were each name
 * looked for among all before it, minutes. */
CASE(large_maps) {
    const struct rlimit limit = {60, 60};
    assert_int_equal(setrlimit(RLIMIT_CPU, &limit), 0);
    struct first f = {.json = BUF(64 << 20)};
    struct buf b = BUF(64 << 20);
    buf_adds(&b, "a: &all\n");
    for (int i = 0; i < 60000; i++) buf_addf(&b, " k%d: &a%d x\n l%d: *a%d\n", i, i, i, i);
    buf_adds(&b, "b: {<<: *all, k0: w, z: 1}\n");
    struct err e = {0};
    if (yaml_each(buf_slice(&b), YAML_UNIQUE_KEYS, keep_first, &f, &e) != 1) fail_msg("%s", e.msg);
    assert_non_null(strstr(buf_str(&f.json), "\"l59999\":\"x\"},\"b\":{\"k0\":\"w\",\"z\":1,\"l0\":\"x\","));
    buf_clear(&b);
    for (int i = 0; i <= YAML_VALUES; i++) buf_adds(&b, "-\n");
    refuses(buf_slice(&b), "more values than are read");
    buf_free(&b);
    buf_free(&f.json);
}

CASES("yaml/yaml")
