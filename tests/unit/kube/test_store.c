/* The informer's cache: records, indexes, relists; and a random run beside a naive model. */
#include "../case.h"
#include "../each.h"
#include "base/rand.h"
#include "kube/store.h"

/* A store s, and b, what it has told; both go with their scope. */
static void store_end(struct store **s) {
    store_free(*s);
}
#define STORE(s, b, ...)                                                                                     \
    __attribute__((cleanup(store_end))) struct store *s = store_new(&(struct store_spec){__VA_ARGS__});      \
    cleanup_buf struct buf b = BUF(4096)
#define TOLD(b, text) (assert_string_equal(buf_str(&b), text), buf_clear(&b))

static cJSON *parse(const char *text) {
    cJSON *o = json_parse(slice_of(text), NULL);
    assert_non_null(o);
    return o;
}

static void log_change(void *ctx, const struct store_rec *old, const struct store_rec *now) {
    struct buf *b = ctx;
    if (!old) buf_addf(b, "+%s/%s@%s ", now->ns, now->name, now->rv);
    if (old && now) buf_addf(b, "%s/%s@%s>%s ", now->ns, now->name, old->rv, now->rv);
    if (!now) buf_addf(b, "-%s/%s@%s ", old->ns, old->name, old->rv);
}

/* Objects are written with ' for ". */
static void put(struct store *s, const char *text, struct buf *changes) {
    cleanup_free char *json = quoted(xstrdup(text));
    cleanup_json cJSON *o = parse(json);
    assert_int_equal(store_put(s, slice_of(json), o, log_change, changes, NULL), 0);
}

static void gone(struct store *s, const char *text, struct buf *changes) { /* a DELETED event */
    cleanup_free char *json = quoted(xstrdup(text));
    cleanup_json cJSON *o = parse(json);
    store_delete(s, o, log_change, changes);
}

#define OBJ(ns, name, uid, rv)                                                                               \
    "{'metadata':{'namespace':'" ns "','name':'" name "','uid':'" uid "','resourceVersion':'" rv             \
    "','generation':3}}"

CASE(records) {
    STORE(s, b, 0);
    put(s, OBJ("a", "x", "u2", "3"), &b);
    put(s, OBJ("", "x", "u3", "4"), &b);
    assert_int_equal(store_len(s), 2);
    const struct store_rec *r = store_get(s, SL("a"), SL("x"));
    assert_string_equal(r->uid, "u2");
    assert_int_equal(r->generation, 3);
    assert_null(r->data);
    assert_int_equal(r->raw.n, 0);
    assert_null(store_get(s, SL("a/x"), SL("")));
    gone(s, OBJ("a", "x", "u2", "5"), &b);
    TOLD(b, "+a/x@3 +/x@4 -a/x@3 ");
    assert_null(store_get(s, SL("a"), SL("x")));
    cleanup_json cJSON *nameless = parse(J("{'metadata':{}}")), *none = parse("{}");
    struct err e = {0};
    assert_int_equal(store_put(s, SL("{}"), nameless, log_change, &b, &e), -EINVAL);
    assert_int_equal(store_put(s, SL("{}"), none, NULL, NULL, &e), -EINVAL);
    store_free(NULL);
}

/* ---- projection, keep, index: a label "keep", labels "i0" and "i1" (comma-separated values) ---- */

static void *project(void *ctx, struct slice raw, const cJSON *obj) {
    assert_true(raw.n > 0);
    ++*(int *)ctx;
    return xasprintf("data of %s", obj_name(obj));
}
static void unproject(void *ctx, void *data) {
    --*(int *)ctx;
    free(data);
}
static bool keep(void *ctx, const cJSON *obj) {
    (void)ctx;
    return !obj_label(obj, "drop");
}
static void index_fn(void *ctx, unsigned index, const cJSON *obj, void (*add)(void *, struct slice),
                     void *to) {
    (void)ctx;
    struct slice rest = slice_of(obj_label(obj, index ? "i1" : "i0")), v;
    while (rest.n) {
        slice_cut(rest, ',', &v, &rest);
        add(to, v);
    }
}
static bool collect(void *ctx, const struct store_rec *r) {
    buf_addf(ctx, "%s ", r->name);
    return true;
}
static bool first(void *ctx, const struct store_rec *r) {
    collect(ctx, r);
    return false;
}

/* Steps against a store; each line is what change() has been told, or what store_touch() answers. */
CASE(a_record_never_goes_back) {
    enum what { PUT, WROTE, GONE, DELETED, BEGIN, END, REPLACE, TOUCH };
#define HELD(rv)                                                                                             \
    "{'metadata':{'namespace':'a','name':'x','uid':'u1','resourceVersion':'" rv                              \
    "','deletionTimestamp':'2026-01-01T00:00:00Z'}}"
    static const struct {
        enum what what;
        const char *arg, *told;
    } steps[] = {
        {WROTE, OBJ("a", "x", "u1", "9"), "+a/x@9 "},
        {PUT, OBJ("a", "x", "u1", "8"), ""}, /* an event from before the write */
        {PUT, OBJ("a", "x", "u1", "9"), ""},
        {PUT, OBJ("a", "x", "u1", "10"), "a/x@9>10 "}, /* as numbers, not as texts */
        {WROTE, OBJ("a", "x", "u1", "9"), ""},
        {PUT, OBJ("a", "x", "u0", "7"), ""}, /* an earlier object of this name */
        {GONE, OBJ("a", "x", "u0", "8"), ""},
        {PUT, OBJ("a", "x", "u1", "odd"), "a/x@10>odd "}, /* not comparable: accepted */
        {PUT, OBJ("a", "x", "u1", "99999999999999999999999"), "a/x@odd>99999999999999999999999 "},
        {PUT, OBJ("a", "x", "u1", "99999999999999999999998"), ""},
        {GONE, OBJ("a", "x", "u1", ""), "-a/x@99999999999999999999999 "},
        /* our delete: no earlier version comes back, one that a finalizer holds does */
        {PUT, OBJ("a", "x", "u1", "20"), "+a/x@20 "},
        {DELETED, "u2", ""},
        {DELETED, "u1", "-a/x@20 "},
        {PUT, OBJ("a", "x", "u1", "20"), ""},
        {PUT, OBJ("a", "x", "u1", "21"), ""}, /* somebody's write before our delete */
        {WROTE, OBJ("a", "x", "u1", "19"), ""},
        {PUT, HELD("22"), "+a/x@22 "},
        {DELETED, "u1", ""},                                  /* held: its end is an event */
        {PUT, OBJ("a", "x", "u2", "24"), "-a/x@22 +a/x@24 "}, /* another object of this name */
        {GONE, OBJ("a", "x", "u1", "23"), ""},
        /* a list from before the writes: they stay; from after them: they go */
        {WROTE, OBJ("a", "y", "u3", "30"), "+a/y@30 "},
        {BEGIN, NULL, ""},
        {WROTE, OBJ("a", "z", "u4", "31"), "+a/z@31 "},
        {PUT, OBJ("a", "x", "u2", "24"), ""},
        {END, "29", ""},
        {BEGIN, NULL, ""},
        {WROTE, OBJ("a", "x", "u2", "33"), "a/x@24>33 "},
        {END, "31", "-a/y@30 -a/z@31 "},
        {BEGIN, NULL, ""},
        {PUT, OBJ("a", "x", "u2", "33"), ""},
        {WROTE, OBJ("a", "w", "u5", "36"), "+a/w@36 "}, /* gone again before the list was made */
        {END, "38", "-a/w@36 "},
        {DELETED, "u2", "-a/x@33 "},
        {BEGIN, NULL, ""},
        {PUT, OBJ("a", "x", "u2", "32"), ""}, /* listed before our delete */
        {END, "32", ""},
        {PUT, OBJ("a", "x", "u2", "33"), ""},
        {BEGIN, NULL, ""},
        {END, "34", ""}, /* the delete is in the list: nothing earlier can come */
        {PUT, OBJ("a", "x", "u2", "35"), "+a/x@35 "},
        /* restored from a backup: the store becomes the list, whatever it held */
        {WROTE, OBJ("a", "y", "u3", "40"), "+a/y@40 "},
        {REPLACE, NULL, ""},
        {PUT, OBJ("a", "x", "u2", "5"), "a/x@35>5 "},
        {END, "6", "-a/y@40 "},
        {PUT, OBJ("a", "x", "u2", "4"), ""},
        {GONE, OBJ("a", "x", "u2", "6"), "-a/x@5 "},
        {GONE, OBJ("a", "x", "u2", "6"), ""},
        /* unchanged, changed, another object of this name */
        {PUT, OBJ("a", "x", "u3", "51"), "+a/x@51 "},
        {PUT, OBJ("a", "x", "u3", "51"), ""},
        {PUT, OBJ("a", "x", "u3", "52"), "a/x@51>52 "},
        {PUT, OBJ("a", "x", "u4", "53"), "-a/x@52 +a/x@53 "},
        /* a list that is given up keeps what it put; one that ends, what it touched */
        {PUT, OBJ("a", "y", "u5", "54"), "+a/y@54 "},
        {PUT, OBJ("a", "z", "u6", "55"), "+a/z@55 "},
        {BEGIN, NULL, ""},
        {PUT, OBJ("a", "z", "u6", "59"), "a/z@55>59 "},
        {BEGIN, NULL, ""},
        {TOUCH, "x 53", "here"},
        {TOUCH, "y 80", "not"},
        {TOUCH, "y ", "not"},
        {TOUCH, "q 53", "not"},
        {PUT, OBJ("a", "y", "u5", "56"), "a/y@54>56 "},
        {END, "59", "-a/z@59 "},
        /* without a version nothing is known to be the same: each time it is taken for a change */
        {PUT, OBJ("a", "n", "u7", ""), "+a/n@ "},
        {PUT, OBJ("a", "n", "u7", ""), "a/n@> "},
        {BEGIN, NULL, ""},
        {TOUCH, "n ", "not"},
        {TOUCH, "x 53", "here"},
        {TOUCH, "y 56", "here"},
        {END, "60", "-a/n@ "},
    };
    STORE(s, b, 0);
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        cleanup_free char *arg = quoted(xstrdup(steps[i].arg ? steps[i].arg : ""));
        cleanup_json cJSON *o = arg[0] == '{' ? parse(arg) : NULL;
        struct slice name, rv;
        buf_clear(&b);
        switch (steps[i].what) {
        case PUT: store_put(s, slice_of(arg), o, log_change, &b, NULL); break;
        case WROTE: store_wrote(s, slice_of(arg), o, log_change, &b, NULL); break;
        case GONE: store_delete(s, o, log_change, &b); break;
        case DELETED: store_deleted(s, SL("a"), SL("x"), slice_of(arg), log_change, &b); break;
        case BEGIN: store_relist_begin(s, false); break;
        case REPLACE: store_relist_begin(s, true); break;
        case END: store_relist_end(s, arg, log_change, &b); break;
        case TOUCH:
            slice_cut(slice_of(arg), ' ', &name, &rv);
            buf_adds(&b, store_touch(s, SL("a"), name, rv) ? "here" : "not");
            break;
        }
        if (strcmp(buf_str(&b), steps[i].told) != 0) fail_msg("step %zu: %s", i, buf_str(&b));
    }
}

/* A write of ours that keep() refuses: versions from before it do not bring the object back. */
CASE(a_write_that_is_not_kept) {
    STORE(s, b, .keep = keep);
    const char *dropped =
        J("{'metadata':{'namespace':'a','name':'x','uid':'u1','resourceVersion':'9','labels':{'drop':'1'}}}");
    cleanup_json cJSON *o = parse(dropped);
    put(s, OBJ("a", "x", "u1", "7"), &b);
    store_wrote(s, slice_of(dropped), o, log_change, &b, NULL);
    put(s, OBJ("a", "x", "u1", "8"), &b);
    put(s, dropped, &b);
    assert_string_equal(buf_str(&b), "+a/x@7 -a/x@7 ");
    put(s, OBJ("a", "x", "u1", "10"), &b);
    assert_int_equal(store_len(s), 1);
    /* past the cap the oldest tombstones go */
    for (int i = 0; i < 1000; i++) {
        cleanup_free char *t = xasprintf("{'metadata':{'namespace':'a','name':'n%d','uid':'%d'}}", i, i),
                          *name = xasprintf("n%d", i), *uid = xasprintf("%d", i);
        put(s, t, &b);
        store_deleted(s, SL("a"), slice_of(name), slice_of(uid), NULL, NULL);
    }
    put(s, "{'metadata':{'namespace':'a','name':'n999','uid':'999'}}", &b);
    assert_int_equal(store_len(s), 1);
    put(s, "{'metadata':{'namespace':'a','name':'n0','uid':'0'}}", &b);
    assert_int_equal(store_len(s), 2);
}

CASE(projection_and_index) {
    int alive = 0;
    struct store_spec spec = {.project = project,
                              .unproject = unproject,
                              .keep = keep,
                              .index = index_fn,
                              .nindexes = 2,
                              .keep_raw = true,
                              .ctx = &alive};
    struct store *s = store_new(&spec);
    size_t empty = store_bytes(s);
    cleanup_buf struct buf b = BUF(4096), seen = BUF(4096);
    put(s, "{'metadata':{'name':'x','resourceVersion':'1','labels':{'i0':'a,b,a','i1':'q'}}}", &b);
    put(s, "{'metadata':{'name':'y','resourceVersion':'2','labels':{'i0':'b'}}}", &b);
    assert_int_equal(alive, 2);
    assert_string_equal(store_get(s, SL(""), SL("y"))->data, "data of y");
    assert_true(slice_starts(store_get(s, SL(""), SL("y"))->raw, JS("{'metadata':{'name':'y'")));
    store_each_indexed(s, 0, SL("a"), collect, &seen);
    TOLD(seen, "x ");
    store_each_indexed(s, 0, SL("b"), collect, &seen);
    TOLD(seen, "x y ");
    store_each_indexed(s, 0, SL("b"), first, &seen);
    store_each_indexed(s, 1, SL("b"), collect, &seen);
    store_each_indexed(s, 7, SL("b"), collect, &seen);
    TOLD(seen, "x ");
    /* index values vanish with the change that drops them, and with the object */
    put(s, "{'metadata':{'name':'x','resourceVersion':'3','labels':{'i0':'c'}}}", &b);
    store_each_indexed(s, 0, SL("a"), collect, &seen);
    store_each_indexed(s, 1, SL("q"), collect, &seen);
    store_each_indexed(s, 0, SL("b"), collect, &seen);
    store_each_indexed(s, 0, SL("c"), collect, &seen);
    TOLD(seen, "y x ");
    /* no longer kept counts as deleted */
    put(s, "{'metadata':{'name':'x','resourceVersion':'4','labels':{'i0':'c','drop':'1'}}}", &b);
    put(s, "{'metadata':{'name':'n','resourceVersion':'5','labels':{'drop':'1'}}}", &b);
    TOLD(b, "+/x@1 +/y@2 /x@1>3 -/x@3 ");
    gone(s, "{'metadata':{'name':'y'}}", &b);
    TOLD(b, "-/y@2 ");
    store_each_indexed(s, 0, SL("b"), collect, &seen);
    store_each(s, collect, &seen);
    assert_string_equal(buf_str(&seen), "");
    assert_int_equal(alive, 0);
    assert_int_equal(store_len(s), 0);
    assert_true(store_bytes(s) - empty < 2048); /* what is left are empty tables */
    put(s, "{'metadata':{'name':'z'}}", &b);
    store_free(s);
    assert_int_equal(alive, 0);
}

CASE(text_without_field_managers) {
    STORE(s, b, .keep_raw = true, .no_managers = true);
    static const struct {
        const char *put, *kept;
    } t[] = {
        {"{'metadata':{'name':'x','managedFields':[{'manager':'a','fieldsV1':{'f:data':{}}}],'uid':'u'},'"
         "data':{'k':'v'}}",
         "{'metadata':{'name':'x','managedFields':[],'uid':'u'},'data':{'k':'v'}}"},
        {"{'metadata':{'name':'x','managedFields':[]}}", "{'metadata':{'name':'x','managedFields':[]}}"},
        {"{'metadata':{'name':'x','managedFields':null}}", "{'metadata':{'name':'x','managedFields':null}}"},
        {"{'metadata':{'name':'x'},'managedFields':[1]}", "{'metadata':{'name':'x'},'managedFields':[1]}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(t); i++) {
        put(s, t[i].put, &b);
        cleanup_free char *kept = slice_dup(store_get(s, SL(""), SL("x"))->raw);
        for (char *p = kept; *p; p++)
            if (*p == '"') *p = '\'';
        assert_string_equal(kept, t[i].kept);
        assert_int_equal(strlen(kept), store_get(s, SL(""), SL("x"))->raw.n);
    }
}

CASE(memory) {
    STORE(s, b, .index = index_fn, .nindexes = 1);
    enum { N = 10000 };
    for (int i = 0; i < N; i++) {
        cleanup_free char *t = xasprintf(
            "{'metadata':{'namespace':'some-namespace-%d','name':'an-operator-of-some-kind-%d','uid':'"
            "8a9c2f4e-8f9d-4a49-9e0a-0123456789ab','resourceVersion':'%d','labels':{'i0':'u%d'}}}",
            i % 100, i, 1000000 + i, i);
        put(s, t, &b);
        buf_clear(&b);
    }
    assert_int_equal(store_len(s), N);
    assert_true(store_bytes(s) / N < 512);
}

/* ---- random run beside a naive model ---- */

enum { NAMES = 12, STEPS = 400 };
struct model {
    struct {
        bool here, seen;
        int uid, rv, label; /* label: index value 0..3, or 4: dropped by keep */
    } o[NAMES];
    struct buf want;
};

static void model_tell(struct model *m, int i, bool had, bool has, int old_rv, int rv) {
    if (!had && has) buf_addf(&m->want, "+n/o%d@%d ", i, rv);
    if (had && has) buf_addf(&m->want, "n/o%d@%d>%d ", i, old_rv, rv);
    if (had && !has) buf_addf(&m->want, "-n/o%d@%d ", i, old_rv);
}

static void model_put(struct model *m, int i, int uid, int rv, int label) {
    bool had = m->o[i].here, kept = label < 4;
    int old_rv = m->o[i].rv;
    m->o[i].seen = true;
    if (had && m->o[i].uid == uid && old_rv == rv) return;
    if (had && kept && m->o[i].uid != uid) {
        model_tell(m, i, true, false, old_rv, 0);
        had = false;
    }
    model_tell(m, i, had, kept, old_rv, rv);
    m->o[i].here = kept;
    m->o[i].uid = uid;
    m->o[i].rv = rv;
    m->o[i].label = label;
}

static bool count_one(void *ctx, const struct store_rec *r) {
    (void)r;
    ++*(int *)ctx;
    return true;
}

static void check(struct store *s, struct model *m, uint64_t seed) {
    int total = 0, per[4] = {0};
    for (int i = 0; i < NAMES; i++) {
        char name[16], rv[16];
        snprintf(name, sizeof name, "o%d", i);
        snprintf(rv, sizeof rv, "%d", m->o[i].rv);
        const struct store_rec *r = store_get(s, SL("n"), slice_of(name));
        if ((r != NULL) != m->o[i].here || (r && strcmp(r->rv, rv) != 0)) fail_seed(seed, "%s", name);
        if (r) total++, per[m->o[i].label]++;
    }
    if (store_len(s) != (size_t)total) fail_seed(seed, "length");
    for (int v = 0; v < 4; v++) {
        char text[8];
        int n = 0;
        snprintf(text, sizeof text, "v%d", v);
        store_each_indexed(s, 0, slice_of(text), count_one, &n);
        if (n != per[v]) fail_seed(seed, "index %s has %d, not %d", text, n, per[v]);
    }
}

SEEDS_CASE(200, random_runs) {
    struct rng r = {seed};
    struct model m = {.want = BUF(1 << 20)};
    struct buf got = BUF(1 << 20);
    int rv = 0;
    struct store *s = store_new(&(struct store_spec){.keep = keep, .index = index_fn, .nindexes = 1});
    for (int step = 0; step < STEPS; step++) {
        int i = (int)rng_below(&r, NAMES), uid = (int)rng_below(&r, 2), label = (int)rng_below(&r, 5);
        uint64_t what = rng_below(&r, 20);
        char name[16];
        snprintf(name, sizeof name, "o%d", i);
        if (what < 14) {
            bool same = m.o[i].here && rng_below(&r, 3) == 0;
            if (!same) rv++;
            int use_rv = same ? m.o[i].rv : rv, use_uid = same ? m.o[i].uid : uid,
                use = same ? m.o[i].label : label;
            cleanup_free char *t = xasprintf("{'metadata':{'namespace':'n','name':'%s','uid':'%d','"
                                             "resourceVersion':'%d','labels':{'%s':'v%d'}}}",
                                             name, use_uid, use_rv, use < 4 ? "i0" : "drop", use);
            put(s, t, &got);
            model_put(&m, i, use_uid, use_rv, use);
        } else if (what < 18) {
            cleanup_free char *t = xasprintf("{'metadata':{'namespace':'n','name':'%s'}}", name);
            gone(s, t, &got);
            model_tell(&m, i, m.o[i].here, false, m.o[i].rv, 0);
            m.o[i].here = false;
        } else if (what < 19) {
            store_relist_begin(s, false);
            for (int k = 0; k < NAMES; k++) m.o[k].seen = false;
        } else {
            size_t before = got.n, n = 0; /* deletions come in no order */
            store_relist_end(s, "99999999", log_change, &got);
            for (int k = 0; k < NAMES; k++) {
                if (!m.o[k].here || m.o[k].seen) continue;
                cleanup_free char *line = xasprintf("-n/o%d@%d ", k, m.o[k].rv);
                if (!strstr(buf_str(&got) + before, line)) fail_seed(seed, "%s missing", line);
                n += strlen(line);
                m.o[k].here = false;
            }
            assert_int_equal(got.n - before, n);
            if (n) {
                buf_clear(&got);
                buf_clear(&m.want);
            }
        }
        check(s, &m, seed);
        if (!slice_eq(buf_slice(&got), buf_slice(&m.want)) && (got.n || m.want.n)) {
            fail_seed(seed, "\n%s\n%s", buf_str(&got), buf_str(&m.want));
        }
    }
    store_free(s);
    buf_free(&got);
    buf_free(&m.want);
}

CASES("kube/store")
