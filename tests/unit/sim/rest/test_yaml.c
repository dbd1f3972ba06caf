/* YAML as Kubernetes reads it: which plain scalars are what, anchors and merges, and what is refused. */
#include "../../check.h"
#include "base/json.h"
#include "base/mem.h"
#include "rest/rest.h"
#include <sys/resource.h>

static cJSON *parse(struct slice text, struct api_status *f) {
    cJSON *v = NULL;
    api_status_init(f);
    int r = yaml_parse(text, &v, f);
    assert_true(r == 0 ? v != NULL : v == NULL && f->code == 400);
    return v;
}

static void reads(const char *yaml, const char *json) {
    cleanup_api_status struct api_status f;
    cleanup_json cJSON *v = parse(slice_of(yaml), &f);
    struct buf b = BUF(1 << 16);
    if (v) json_tree_print(v, &b);
    if (strcmp(buf_str(&b), json) != 0)
        fail_msg("%s\nis %s\nnot %s (%s)", yaml, buf_str(&b), json, f.message);
    buf_free(&b);
}

static void refuses(struct slice yaml, const char *why) {
    cleanup_api_status struct api_status f;
    cleanup_json cJSON *v = parse(yaml, &f);
    if (v || !strstr(f.message, why)) fail_msg("%.*s: %s", SLF(yaml), v ? "taken" : f.message);
}

static void scalars(void **state) {
    (void)state;
    reads("[~, null, Null, NULL]", "[null,null,null,null]");
    reads("a:\nb: ''", "{\"a\":null,\"b\":\"\"}");
    reads("[true, True, yes, on, Y]", "[true,true,true,true,true]");
    reads("[false, no, Off, n]", "[false,false,false,false]");
    reads("[tRue, 'yes', \"no\"]", "[\"tRue\",\"yes\",\"no\"]");
    reads("[1, -1, +1, 0, 9007199254740993]", "[1,-1,1,0,9007199254740993]");
    reads("[0x1F, 0o17, 0b101, 0777, -0x10]", "[31,15,5,511,-16]");
    reads("[1.5, .5, 1e3, -2.5E-1]", "[1.5,0.5,1000,-0.25]");
    reads("[1.2.3, 1e, 0x, 08, '1', 1_000, 64Mi, -, 2020-01-01]",
          "[\"1.2.3\",\"1e\",\"0x\",8,\"1\",\"1_000\",\"64Mi\",\"-\",\"2020-01-01\"]");
    reads("a: |\n  two\n  lines\nb: >-\n  one\n  line\n", "{\"a\":\"two\\nlines\\n\",\"b\":\"one line\"}");
    reads("\"\\u00e4\\x41\": \xc3\xa4", "{\"\xc3\xa4"
                                        "A\":\"\xc3\xa4\"}");
    reads("1: a\ntrue: b", "{\"1\":\"a\",\"true\":\"b\"}");
}

static void anchors(void **state) {
    (void)state;
    reads("a: &x {k: 1}\nb: *x", "{\"a\":{\"k\":1},\"b\":{\"k\":1}}");
    reads("a: &x {k: 1, l: 2}\nb: {<<: *x, l: 3}", "{\"a\":{\"k\":1,\"l\":2},\"b\":{\"l\":3,\"k\":1}}");
    reads("- &x {k: 1}\n- &y {k: 2, m: 3}\n- {<<: [*x, *y]}",
          "[{\"k\":1},{\"k\":2,\"m\":3},{\"k\":1,\"m\":3}]");
    refuses(SL("a: *nobody"), "undefined alias");
    refuses(SL("&x [*x]"), "nested too deeply");
}

/* Nine levels of nine aliases each are 387 million nodes. */
static void bomb(void **state) {
    (void)state;
    struct buf b = BUF(1 << 16);
    buf_adds(&b, "a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
    for (int i = 1; i < 9; i++) {
        buf_addf(&b, "a%d: &a%d [", i, i);
        for (int k = 0; k < 9; k++) buf_addf(&b, "%s*a%d", k ? "," : "", i - 1);
        buf_adds(&b, "]\n");
    }
    refuses(buf_slice(&b), "excessive aliasing");
    buf_free(&b);
}

/* 3 s of processor time; were each key looked for among all before it, more than 74. */
static void many_keys(void **state) {
    (void)state;
    enum { KEYS = 100000, CPU_S = 60 };
    const struct rlimit limit = {CPU_S, CPU_S};
    assert_int_equal(setrlimit(RLIMIT_CPU, &limit), 0);
    struct buf b = BUF(8 << 20);
    buf_adds(&b, "a: &x\n");
    for (int i = 0; i < KEYS; i++) buf_addf(&b, " k%d: 1\n", i);
    buf_adds(&b, "b: {<<: *x, k0: 2}\n");
    cleanup_api_status struct api_status f;
    cleanup_json cJSON *v = parse(buf_slice(&b), &f);
    assert_int_equal(cJSON_GetArraySize(json_get(v, "a")), KEYS);
    assert_int_equal(cJSON_GetArraySize(json_get(v, "b")), KEYS);
    assert_int_equal(json_i64(json_get(v, "b"), "k0", 0), 2);
    buf_free(&b);
}

static void depth(void **state) {
    (void)state;
    struct buf b = BUF(1 << 16);
    for (int i = 0; i < 500; i++) buf_addc(&b, '[');
    for (int i = 0; i < 500; i++) buf_addc(&b, ']');
    refuses(buf_slice(&b), "nested too deeply");
    buf_free(&b);
}

static void wrong(void **state) {
    (void)state;
    refuses(SL(""), "the document is empty");
    refuses(SL("# only a comment\n"), "the document is empty");
    refuses(SL("a: [1"), "line 2");
    refuses(SL("a: b: c"), "line 1");
    refuses(SL("\ta: b"), "line 1");
    refuses(SL("a: 1\na: 2"), "key \"a\" already set in map");
    refuses(SL("{[a]: 1}"), "a key that is no scalar");
    refuses(SL("a: \"x\\0y\""), "control characters are not allowed");
    refuses(SL("\"x\\0y\": a"), "control characters are not allowed");
    refuses(SL("a: \xff\xfe"), "UTF-8");
    refuses(SL("a: x\0y"), "");
}

static int count(void *ctx, cJSON *doc, struct api_status *f) {
    cJSON_Delete(doc);
    return ++*(int *)ctx == 3 ? api_status_set(f, 422, "Invalid", "the third") : 0;
}

static void documents(void **state) {
    (void)state;
    cleanup_api_status struct api_status f;
    api_status_init(&f);
    int n = 0;
    assert_int_equal(yaml_each(SL("a: 1\n---\nb: 2\n"), count, &n, &f), 0);
    assert_int_equal(n, 2);
    n = 0;
    assert_true(yaml_each(SL("---\n1\n---\n2\n---\n3\n---\n4\n"), count, &n, &f) < 0);
    assert_int_equal(n, 3); /* the first that fails is the last */
    assert_int_equal(f.code, 422);
    reads("---\na: 1\n---\nb: 2\n", "{\"a\":1}");
}

RUN_TESTS(TEST(scalars), TEST(anchors), TEST(bomb), TEST(many_keys), TEST(depth), TEST(wrong),
          TEST(documents))
