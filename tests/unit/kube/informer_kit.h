/* What the tests of the informer share: a scripted server, and what the informer has told. */
#ifndef TEST_INFORMER_KIT_H
#define TEST_INFORMER_KIT_H
#include "../case.h"
#include "../each.h"
#include "fake.h"
#include "kube/informer.h"

struct run {
    struct fake *f;
    struct kube_config *c;
    struct kube *k;
    struct metrics *m;
    struct informer *inf;
    struct buf seen;
    struct err trouble;
    unsigned troubles, synced, changes, projected, most_in_a_turn, in_turn, turn;
    bool free_in_change, free_in_synced, free_in_trouble;
};

static inline void free_if(struct run *r, bool wanted) {
    if (!wanted) return;
    informer_free(r->inf);
    r->inf = NULL;
}

static inline void on_change(void *ctx, const struct store_rec *old, const struct store_rec *now,
                             bool initial) {
    struct run *r = ctx;
    const struct store_rec *rec = now ? now : old;
    const char *how = !old ? "+" : now ? "~" : "-";
    buf_addf(&r->seen, "%s%s%s/%s@%s ", initial ? "i" : "", how, rec->ns, rec->name, rec->rv);
    r->changes++;
    r->in_turn = r->turn == fake_turns(r->f) ? r->in_turn + 1 : 1;
    r->turn = fake_turns(r->f);
    if (r->in_turn > r->most_in_a_turn) r->most_in_a_turn = r->in_turn;
    free_if(r, r->free_in_change);
}

static inline void on_synced(void *ctx) {
    struct run *r = ctx;
    r->synced++;
    buf_adds(&r->seen, "synced ");
    free_if(r, r->free_in_synced);
}

static inline void on_trouble(void *ctx, const struct err *err) {
    struct run *r = ctx;
    r->troubles++;
    r->trouble = *err;
    free_if(r, r->free_in_trouble);
}

static inline void *project(void *ctx, struct slice raw, const cJSON *obj) {
    (void)raw, (void)obj;
    ++*(unsigned *)ctx;
    return NULL;
}

static inline struct run *setup_with(const struct informer_spec *more, const struct informer_cb *cb) {
    struct run *r = xcalloc(1, sizeof *r);
    r->f = fake_new();
    r->f->user = r;
    r->m = metrics_new(100);
    struct kube_config_spec s = {.server = "http://api"};
    struct err e = {0};
    if (kube_config_load(r->f->a.w, &r->f->log, &s, &r->c, &e) < 0) fail_msg("%s", e.msg);
    r->k = kube_new(r->f->a.w, r->c, &r->f->log, r->m);
    struct informer_spec spec = more ? *more : (struct informer_spec){0};
    if (!spec.gvr) spec.gvr = &gvr_pods;
    if (!spec.name) spec.name = "pods";
    spec.store.project = project;
    spec.store.ctx = &r->projected;
    buf_init(&r->seen, 16 << 20);
    assert_int_equal(informer_new(r->k, &spec, cb, r, &r->inf, &e), 0);
    informer_start(r->inf);
    informer_start(r->inf); /* once */
    fake_settle(r->f);
    return r;
}

static inline struct run *setup_streaming(const struct informer_spec *more) {
    return setup_with(more, &(struct informer_cb){on_change, on_synced, on_trouble});
}

/* Of a server that knows no streaming lists: its refusal is the first thing that happens. */
static inline struct run *refused_stream_list(struct run *r) {
    struct fake_req *q = fake_one(r->f);
    assert_has(q->url, "&sendInitialEvents=true&");
    fake_answer(q, 422,
                J("{'kind':'Status','status':'Failure','reason':'Invalid','message':'resourceVersionMatch is "
                  "forbidden "
                  "for watch','code':422}"));
    return r;
}

static inline struct run *setup(const struct informer_spec *more) {
    return refused_stream_list(setup_streaming(more));
}

static inline void teardown(struct run *r) {
    informer_free(r->inf);
    kube_free(r->k);
    kube_config_free(r->c);
    fake_free(r->f);
    metrics_free(r->m);
    buf_free(&r->seen);
    free(r);
}

static inline void run_end(struct run **r) {
    teardown(*r);
}
/* One that ends with its scope. */
#define RUN(r, ...)                                                                                          \
    __attribute__((cleanup(run_end))) struct run *r = setup(&(struct informer_spec){__VA_ARGS__})
/* With an informer of pods that has asked for its first list, in pages. */
#define INFORMER_CASE(name) CASE_OF(struct run, r, setup(NULL), teardown, name)

static inline void expect_seen(struct run *r, const char *want) {
    assert_string_equal(buf_str(&r->seen), want);
    buf_clear(&r->seen);
}

/* The request that is open ends in query; returns it. */
static inline struct fake_req *asked(struct run *r, const char *query) {
    struct fake_req *q = fake_one(r->f);
    cleanup_free char *url = xasprintf("http://api/api/v1/pods?%s", query);
    const char *at = strstr(q->url, "timeoutSeconds=");
    if (at) {
        int s = atoi(at + 15);
        assert_true(s >= 300 && s <= 600);
        assert_true(q->total_ns > s * NS_PER_S && q->total_ns <= (s + 60) * NS_PER_S);
        cleanup_free char *cut = xasprintf("%.*s", (int)(at - q->url - 1), q->url);
        assert_string_equal(cut, url);
    } else {
        assert_string_equal(q->url, url);
    }
    return q;
}

/* Lines of the metrics page, with '|' between and ' for ". */
static inline void metrics_are(struct run *r, const char *lines) {
    cleanup_buf struct buf page = BUF(1 << 20);
    metrics_write(r->m, &page);
    each_of(line, lines) {
        cleanup_free char *want = xasprintf("\n%.*s\n", SLF(line));
        assert_has(buf_str(&page), quoted(want));
    }
}

#define FIRST     "limit=500&resourceVersion=0"
#define SINCE(rv) "limit=500&resourceVersion=" rv "&resourceVersionMatch=NotOlderThan"
#define POD(name, rv)                                                                                        \
    "{\"metadata\":{\"namespace\":\"n\",\"name\":\"" name "\",\"uid\":\"u-" name                             \
    "\",\"resourceVersion\":\"" rv "\"}}"

#define LIST(rv, items)                                                                                      \
    "{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":\"" rv                    \
    "\"},\"items\":[" items "]}"

#define EV(type, obj) "{\"type\":\"" type "\",\"object\":" obj "}\n"
#define WATCH(rv)     "resourceVersion=" rv "&watch=true&allowWatchBookmarks=true"
#define STREAM_LIST(rv)                                                                                      \
    "resourceVersion=" rv "&resourceVersionMatch=NotOlderThan&watch=true&allowWatchBookmarks=true&"          \
    "sendInitialEvents=true"

#define GONE                                                                                                 \
    "{\"kind\":\"Status\",\"status\":\"Failure\",\"reason\":\"Expired\",\"message\":\"too old resource "     \
    "version\",\"code\":410}"

static inline void answer(struct run *r, const char *query, int code, const char *body) {
    fake_answer(asked(r, query), code, body);
}

/* How often it was logged. */
static inline unsigned lines_with(const struct run *r, const char *what) {
    unsigned n = 0;
    for (const char *p = buf_str(&r->f->lines); (p = strstr(p, what)); p++) n++;
    return n;
}

/* So many so far, the last of this kind and with this in its message. */
static inline void trouble_is(const struct run *r, unsigned n, enum err_kind kind, const char *part) {
    assert_int_equal(r->troubles, n);
    assert_int_equal(r->trouble.kind, kind);
    assert_has(r->trouble.msg, part);
}

static inline void logged(const struct run *r, const char *what) {
    assert_has(buf_str(&r->f->lines), what);
}

static inline struct fake_req *stream(struct run *r, const char *query) {
    struct fake_req *q = asked(r, query);
    fake_head(q, 200, NULL, NULL);
    return q;
}
#endif
