/* Items out of lists and watches, in chunks of every size, and what does not belong there. */
#include "../case.h"
#include "base/json_raw.h"
#include "base/rand.h"
#include "kube/splitter.h"

struct got {
    struct buf items; /* one behind the other with '|' */
    unsigned n, broken, ends;
    size_t most; /* held */
};

static void got_free(struct got *g) {
    buf_free(&g->items);
}
/* A splitter and what comes out of it; both go with their scope. */
#define SPLITTER(s, g, mode, max)                                                                            \
    __attribute__((cleanup(splitter_free))) struct splitter s;                                               \
    __attribute__((cleanup(got_free))) struct got g = {.items = BUF(1 << 20)};                               \
    splitter_init(&s, mode, max)

static void feed(struct splitter *s, struct slice text, size_t chunk, struct got *g) {
    while (text.n) {
        size_t n = chunk < text.n ? chunk : text.n;
        char *copy = xmalloc(n); /* so that ASan sees a read behind the chunk, or of an old one */
        memcpy(copy, text.p, n);
        struct slice in = slice_make(copy, n), item;
        enum split_event ev;
        while ((ev = splitter_next(s, &in, &item)) != SPLIT_MORE) {
            if (ev == SPLIT_ITEM) {
                buf_add(&g->items, item);
                buf_addc(&g->items, '|');
                g->n++;
            }
            g->broken += ev == SPLIT_BROKEN;
            g->ends += ev == SPLIT_END;
        }
        assert_int_equal(in.n, 0);
        if (s->item.cap + s->replay.cap > g->most) g->most = s->item.cap + s->replay.cap;
        free(copy);
        text = slice_make(text.p + n, text.n - n);
    }
}

/* The same in chunks of 1, 2, 3, .. bytes and at once. */
static void expect(enum split_mode mode, const char *text, const char *items, unsigned broken, int finish) {
    for (size_t chunk = 1; chunk <= strlen(text) + 1; chunk++) {
        SPLITTER(s, g, mode, 200);
        feed(&s, slice_of(text), chunk, &g);
        assert_string_equal(buf_str(&g.items), items);
        assert_int_equal(g.broken, broken);
        struct err e = {0};
        assert_int_equal(splitter_finish(&s, &e), finish);
    }
}

#define lists(...)   expect(SPLIT_LIST, __VA_ARGS__)
#define watches(...) expect(SPLIT_WATCH, __VA_ARGS__)

CASE(lists) {
    lists("{\"kind\":\"PodList\",\"metadata\":{\"resourceVersion\":\"7\"},\"items\":[{\"a\":1},{\"b\":[{}]}]"
          "}\n",
          "{\"a\":1}|{\"b\":[{}]}|", 0, 0);
    lists(" { \"items\" : [ ] , \"x\" : {\"items\":[{}]} }", "", 0, 0);
    lists("{\"items\":null}", "", 0, 0);
    lists("{\"it\\u0065ms\":[{}],\"n\":-1.5e+3,\"t\":true}", "{}|", 0, 0);
    lists("{\"items\":[{\"s\":\"a\\\"]}\\\\\"}, {\"t\":\"\\u00e9\"}]}",
          "{\"s\":\"a\\\"]}\\\\\"}|{\"t\":\"\\u00e9\"}|", 0, 0);
}

CASE(lists_that_are_none) {
    lists("<html>no</html>", "", 1, -EPROTO);
    lists("", "", 0, -EPROTO);
    lists("{\"items\":[{\"a\":1}", "{\"a\":1}|", 0, -EPROTO);
    lists("{\"items\":[{\"a\":1}{", "{\"a\":1}|", 1, -EPROTO);
    lists("{\"items\":[1]}", "", 1, -EPROTO);
    lists("{\"items\":{}}", "", 1, -EPROTO);
    lists("{\"items\":[],\"items\":[{}]}", "", 1, -EPROTO);
    lists("{\"items\":[]}{", "", 1, -EPROTO);
    lists("{\"items\":[{]}", "", 1, -EPROTO);
    lists("[{}]", "", 1, -EPROTO);
    lists("{\"items\" [{}]}", "", 1, -EPROTO);
}

static int list_of(const char *text, struct split_list *ret, struct err *err) {
    SPLITTER(s, g, SPLIT_LIST, 0);
    feed(&s, slice_of(text), 5, &g);
    return splitter_list(&s, ret, err);
}

CASE(list_metadata) {
    struct split_list l;
    struct err e = {0};
    assert_int_equal(list_of("{\"metadata\":{\"resourceVersion\":\"12\",\"continue\":\"a\\/"
                             "b\",\"remainingItemCount\":42},\"items\":[],"
                             "\"kind\":\"DeploymentList\"}",
                             &l, &e),
                     0);
    assert_string_equal(l.rv, "12");
    assert_string_equal(l.token, "a/b");
    assert_int_equal(l.remaining, 42);
    split_list_free(&l);
    assert_int_equal(list_of("{\"items\":[]}", &l, &e), 0);
    assert_string_equal(l.rv, "");
    assert_string_equal(l.token, "");
    assert_int_equal(l.remaining, -1);
    split_list_free(&l);
    assert_int_equal(list_of("{\"kind\":\"Status\",\"metadata\":{},\"code\":500}", &l, &e), -EPROTO);
    assert_has(e.msg, "\"Status\"");
    assert_int_equal(list_of("{\"kind\":\"PodList\",\"metadata\":{}}", &l, &e), -EPROTO);
    assert_int_equal(list_of("{\"kind\":\"Pod\",\"items\":[]}", &l, &e), -EPROTO);
    assert_int_equal(list_of("{\"items\":[],\"metadata\":{\"resourceVersion\":7}}", &l, &e), -EPROTO);
    assert_int_equal(list_of("{\"items\":[],\"metadata\":[]}", &l, &e), -EPROTO);
}

/* Who passes a list on says again what it is, wherever that stood. */
CASE(list_kinds) {
    static const struct {
        const char *text, *kind, *api;
    } cases[] = {
        {"{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"metadata\":{},\"items\":[{\"kind\":\"Pod\","
         "\"apiVersion\":\"x\"}]}",
         "\"PodList\"", "\"v1\""},
        {"{\"apiVersion\":\"x.io\\/v1\",\"items\":[],\"kind\":\"XList\",\"metadata\":{}}", "\"XList\"",
         "\"x.io\\/v1\""},
        {"{\"items\":[],\"apiVersion\":7}", "", ""},
        {"{\"items\":[],\"apiVersion\":\"\\x\"}", "", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct split_list l;
        SPLITTER(s, g, SPLIT_LIST, 0);
        feed(&s, slice_of(cases[i].text), 3, &g);
        assert_int_equal(splitter_list(&s, &l, NULL), 0);
        assert_slice(l.kind, cases[i].kind);
        assert_slice(l.api_version, cases[i].api);
        split_list_free(&l);
    }
}

CASE(watches) {
    watches("{\"type\":\"ADDED\",\"object\":{}}\n{\"type\":\"MODIFIED\",\"object\":{\"a\":\"}{\"}}\n",
            "{\"type\":\"ADDED\",\"object\":{}}|{\"type\":\"MODIFIED\",\"object\":{\"a\":\"}{\"}}|", 0, 0);
    watches("{\"a\":1}{\"b\":2} \r\n\n{\n \"c\": 3\n}", "{\"a\":1}|{\"b\":2}|{\n \"c\": 3\n}|", 0, 0);
    watches("", "", 0, 0);
    watches("{\"a\":1}\n{\"b\":", "{\"a\":1}|", 0, -EPROTO);
}

/* Whatever is wrong in a line, the next one is read. */
CASE(broken_lines) {
    watches("{\"a\":1}\nnonsense\n{\"b\":2}\n", "{\"a\":1}|{\"b\":2}|", 1, 0);
    watches("{\"a\":1,}\n{\"b\":2}\n", "{\"b\":2}|", 1, 0);
    watches("{\"a\":{\n{\"b\":2}\n", "{\"b\":2}|", 1, 0);
    watches("{\"a\":{\"x\":\"cut\n{\"b\":2}\n", "{\"b\":2}|", 1, 0);
    watches("{\"a\":{\"x\":1\n{\"b\":2}\n", "{\"b\":2}|", 1, 0);
    watches("{\"a\":\n{\"swallowed\":2}\n{\"c\":3}\n", "{\"c\":3}|", 1, 0);
    watches("{\"a\":[\n{\"swallowed\":2}\n{\"c\":3}\n", "{\"c\":3}|", 1, 0);
    watches("[1]\n42\n{\"c\":3}\n", "{\"c\":3}|", 2, 0);
    watches("{\"a\\\n{\"c\":3}\n", "{\"c\":3}|", 1, 0);
    watches("{\"a\":1]\n}\n{\"c\":3}", "{\"c\":3}|", 2, 0);
    watches("{\"a\":1} trailing\n{\"c\":3}", "{\"a\":1}|{\"c\":3}|", 1, 0);
    watches("garbage without end", "", 1, -EPROTO);
}

static char *text_of(const char *head, size_t fill, char c, const char *tail) {
    struct buf b = BUF(64 << 20);
    buf_adds(&b, head);
    for (size_t i = 0; i < fill; i++) buf_addc(&b, c);
    buf_adds(&b, tail);
    return buf_take(&b);
}

CASE(limits) {
    cleanup_free char *big = text_of("{\"a\":\"", 300, 'x', "\"}\n{\"b\":2}\n");
    watches(big, "{\"b\":2}|", 1, 0);
    cleanup_free char *big_cut = text_of("{\"a\":\"", 300, 'x', "\n{\"b\":2}\n");
    watches(big_cut, "{\"b\":2}|", 1, 0);
    cleanup_free char *big_list = text_of("{\"items\":[{},{\"a\":\"", 300, 'x', "\"},{}]}");
    lists(big_list, "{}|", 1, -EPROTO);
    cleanup_free char *exact = text_of("{\"a\":\"", 200 - 8, 'x', "\"}"), *item = text_of(exact, 1, '|', "");
    watches(exact, item, 0, 0);

    SPLITTER(s, g, SPLIT_WATCH, 0);
    cleanup_free char *deep = text_of("{\"a\":", 1000, '[', "\n{\"b\":2}\n");
    feed(&s, slice_of(deep), 7, &g);
    assert_int_equal(g.broken, 1);
    assert_string_equal(buf_str(&g.items), "{\"b\":2}|");
    assert_has(splitter_why(&s), "1000");
    buf_clear(&g.items);
    cleanup_free char *open = text_of("{\"a\":", 999, '[', ""), *ok = text_of(open, 999, ']', "}");
    feed(&s, slice_of(ok), 7, &g);
    assert_int_equal(g.n, 2);
}

/* A hundred thousand items of 3 KiB pass through a few KiB. */
CASE(lean) {
    SPLITTER(s, g, SPLIT_LIST, 0);
    feed(&s, SL("{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":["), 16384, &g);
    cleanup_free char *item = text_of("{\"metadata\":{\"name\":\"x\"},\"pad\":\"", 3000, 'p', "\"}"),
                      *more = text_of(",", 0, 0, item);
    for (int i = 0; i < 20000; i++, buf_clear(&g.items)) feed(&s, slice_of(i ? more : item), 2000, &g);
    feed(&s, SL("]}"), 16384, &g);
    assert_int_equal(g.n, 20000);
    assert_int_equal(g.ends, 1);
    assert_true(g.most < 16 << 10);
    struct split_list l;
    assert_int_equal(splitter_list(&s, &l, NULL), 0);
    assert_string_equal(l.rv, "1");
    split_list_free(&l);
}

static void value(struct rng *r, struct buf *b, int depth) {
    static const char *const scalars[] = {"1",    "-0.5e9",    "true",          "null",
                                          "\"\"", "\"a\\\\\"", "\"\\\"}{\\n\"", "\"\xc3\xa9\""};
    uint64_t pick = rng_below(r, depth > 4 ? 2 : 4);
    if (pick < 2) {
        buf_adds(b, scalars[rng_below(r, ARRAY_LEN(scalars))]);
        return;
    }
    buf_addc(b, pick == 2 ? '{' : '[');
    for (uint64_t i = 0, n = rng_below(r, 4); i < n; i++) {
        if (i) buf_adds(b, rng_below(r, 3) ? "," : " ,\n");
        if (pick == 2) buf_addf(b, "\"k%d\":", (int)i);
        value(r, b, depth + 1);
    }
    buf_addc(b, pick == 2 ? '}' : ']');
}

/* Random events, some of them damaged by one byte, in random chunks: the whole ones in front of the first
 * damage come out as they are, what comes out is always a run of the input that begins with '{', and good
 * lines behind damage are found. */
SEEDS_CASE(3000, random_streams) {
    struct rng r = {seed};
    cleanup_buf struct buf text = BUF(1 << 20), want = BUF(1 << 20);
    for (uint64_t i = 0, n = 1 + rng_below(&r, 5); i < n; i++) {
        size_t at = text.n;
        buf_addf(&text, "{\"o%d\":", (int)i);
        value(&r, &text, 0);
        buf_addc(&text, '}');
        buf_add(&want, slice_make(text.p + at, text.n - at));
        buf_addc(&want, '|');
        if (rng_below(&r, 2)) buf_addc(&text, '\n');
    }
    size_t limit = want.n;
    if (rng_below(&r, 2)) {
        size_t at = rng_below(&r, text.n);
        text.p[at] = "{}[]\",:\n\\x0"[rng_below(&r, 11)];
        limit = 0;
    }
    buf_adds(&text, "\n\n{\"last\":1}\n{\"z\":2}\n");
    SPLITTER(s, g, SPLIT_WATCH, 0);
    feed(&s, buf_slice(&text), 1 + rng_below(&r, 40), &g);
    if (limit) {
        if (g.items.n < limit || memcmp(g.items.p, want.p, limit) != 0 || g.broken)
            fail_seed(seed, "%s", buf_str(&g.items));
    }
    if (!slice_ends(buf_slice(&g.items), SL("{\"z\":2}|"))) fail_seed(seed, "stalled");
}

CASES("kube/splitter")
