/* The page of the admin port under simulated time: who is let in, what a reader gets and when, who is dropped. */
#include "../case.h"
#include "gunzip.h"
#include "obs/obs.h"
#include "simworld/alone.h"

enum { READERS = 20, ITEMS = 4 };
struct page_review { /* one at most is running in a test */
    page_answer fn;
    void *ctx;
    char token[64];
    bool cancelled;
};
struct fixture {
    struct alone alone;
    struct metrics *m;
    struct admin *a;
    struct alone_answer ans[READERS];
    size_t n, unsent;
    const char *key[ITEMS], *json[ITEMS]; /* key NULL: no item */
    unsigned looks, ends;
    struct page_review review;
};

static bool ready(void *ctx, struct buf *why) {
    (void)ctx;
    buf_adds(why, "not \"yet\"");
    return false;
}

static void write_items(void *ctx, struct page_items *to) {
    struct fixture *f = ctx;
    f->looks++;
    for (int i = 0; i < ITEMS; i++)
        if (f->key[i]) page_item(to, f->key[i], slice_of(f->json[i]));
}

static void unseen(void *ctx) {
    struct fixture *f = ctx;
    f->ends++;
}

static void write_text(void *ctx, struct buf *out) {
    (void)ctx;
    buf_adds(out, "{\"private\":true}");
}

static struct page_review *review(void *ctx, struct slice token, page_answer fn, void *fn_ctx) {
    struct fixture *f = ctx;
    f->review = (struct page_review){.fn = fn, .ctx = fn_ctx};
    snprintf(f->review.token, sizeof f->review.token, "%.*s", SLF(token));
    return &f->review;
}

static void cancel(struct page_review *r) {
    r->cancelled = true;
}

static void show(struct fixture *f, enum page_mode mode) {
    struct page_source src = {.items = write_items,
                              .unseen = unseen,
                              .ctx = f,
                              .review = review,
                              .cancel = cancel,
                              .review_ctx = f};
    admin_show(f->a, mode, &src);
    admin_page(f->a, "/status.json", "application/json", write_text, f);
}

static struct fixture *setup(void) {
    struct fixture *f = xcalloc(1, sizeof *f);
    alone_init(&f->alone, 1);
    f->m = metrics_new(100);
    assert_int_equal(admin_start(f->alone.w, ":8080", f->m, NULL, &f->a, NULL), 0);
    admin_check(f->a, "ready", false, ready, f);
    f->key[0] = "one";
    f->json[0] = "{\"v\":1}";
    return f;
}

static void teardown(struct fixture *f) {
    admin_stop(f->a);
    for (size_t i = 0; i < f->n; i++) alone_answer_free(&f->ans[i]);
    metrics_free(f->m);
    alone_free(&f->alone);
    free(f);
}
#define PAGE_CASE(name) CASE_OF(struct fixture, f, setup(), teardown, name)

/* header: "Name: value", NULL: none but Host. */
static struct alone_answer *ask(struct fixture *f, const char *method, const char *target,
                                const char *header) {
    struct http_headers h = {.n = 0};
    struct slice name, value;
    struct alone_answer *a = &f->ans[f->n++];
    slice_cut(slice_of(header), ':', &name, &value);
    if (header) http_headers_add(&h, name, slice_trim(value));
    http_headers_add(&h, SL("Host"), SL("[::1]:8080"));
    alone_request(&f->alone, a, method, target, &h);
    return a;
}

static struct alone_answer *stream(struct fixture *f) {
    return ask(f, "GET", "/page/events", NULL);
}

/* What has come within so many ms. */
static const char *heard(struct fixture *f, struct alone_answer *a, int64_t ms) {
    buf_clear(&a->body);
    simworld_run(f->alone.sw, ms * NS_PER_MS);
    return buf_str(&a->body);
}

static const char *without_time(const char *data) {
    const char *comma = strstr(data, ",\"");
    return comma ? comma : data;
}

static double counted(struct fixture *f, const char *reason) {
    return metric_value(metric_with(
        metrics_family(f->m, METRIC_COUNTER, "handover_page_refused_total", "", "reason", NULL, 0), &reason));
}

PAGE_CASE(a_reader_gets_all_then_what_changes) {
    show(f, PAGE_OPEN);
    struct alone_answer *a = stream(f);
    assert_int_equal(a->status, 200);
    assert_string_equal(a->content_type, "text/event-stream");
    assert_non_null(strstr(buf_str(&a->raw), "Cache-Control: no-store\n"));
    const char *first = heard(f, a, 100);
    assert_memory_equal(first, "data: {\"now\":", 13);
    assert_string_equal(
        without_time(first),
        ",\"all\":true,\"items\":{\"checks\":[{\"name\":\"ready\",\"ok\":false,\"why\":\"not \\\"yet\\\"\"}],"
        "\"one\":{\"v\":1}},\"gone\":[]}\n\n");
    assert_string_equal(heard(f, a, 3000), ""); /* nothing new: nothing is said */
    f->json[0] = "{\"v\":2}";
    f->key[1] = "two";
    f->json[1] = "[]";
    assert_string_equal(without_time(heard(f, a, 1000)),
                        ",\"items\":{\"one\":{\"v\":2},\"two\":[]},\"gone\":[]}\n\n");
    f->key[0] = NULL;
    assert_string_equal(without_time(heard(f, a, 1000)), ",\"items\":{},\"gone\":[\"one\"]}\n\n");
    struct alone_answer *b = stream(f); /* it knows nothing of what is gone */
    assert_null(strstr(heard(f, b, 1000), "\"one\""));
    f->key[0] = "one"; /* and comes again */
    assert_string_equal(without_time(heard(f, a, 1000)), ",\"items\":{\"one\":{\"v\":2}},\"gone\":[]}\n\n");
    assert_string_equal(heard(f, a, 5000),
                        ": nothing new\n\n"); /* silence would say that the server is lost */
}

PAGE_CASE(nobody_looks_nothing_is_done) {
    show(f, PAGE_OPEN);
    simworld_run(f->alone.sw, 60 * NS_PER_S);
    assert_int_equal(f->looks, 0);
    struct alone_answer *a = stream(f);
    heard(f, a, 100);
    unsigned before = f->looks;
    a->gone(a->gone_ctx);
    simworld_run(f->alone.sw, 60 * NS_PER_S);
    assert_true(f->looks <= before + 1);
    assert_int_equal(f->ends, 1);
    for (int i = 0; i < 15; i++) { /* who comes and goes makes no look each time */
        struct alone_answer *b = stream(f);
        b->gone(b->gone_ctx);
        simworld_run(f->alone.sw, NS_PER_MS);
    }
    assert_true(f->looks <= before + 3);
}

static size_t some_unsent(const struct http_exchange *x) {
    (void)x;
    return 100;
}

PAGE_CASE(a_slow_reader_gets_the_newest_or_is_dropped) {
    show(f, PAGE_OPEN);
    struct alone_answer *a = stream(f), *b = stream(f);
    heard(f, a, 100);
    a->x.unsent = b->x.unsent = some_unsent;
    f->json[0] = "{\"v\":2}";
    assert_string_equal(heard(f, a, 1000), ""); /* nothing on top of what it has not read */
    f->json[0] = "{\"v\":3}";
    assert_string_equal(heard(f, a, 5000), "");
    a->x.unsent = NULL;
    assert_string_equal(without_time(heard(f, a, 1000)), ",\"items\":{\"one\":{\"v\":3}},\"gone\":[]}\n\n");
    assert_false(b->aborted);
    heard(f, b, 6000);
    assert_true(b->aborted);
    assert_false(a->aborted);
    assert_true(counted(f, "slow") == 1);
}

PAGE_CASE(a_stream_ends_so_that_its_token_is_reviewed_again) {
    show(f, PAGE_OPEN);
    struct alone_answer *a = stream(f);
    heard(f, a, 290000);
    assert_false(a->ended);
    heard(f, a, 15000);
    assert_true(a->ended);
}

PAGE_CASE(as_many_readers_as_may) {
    show(f, PAGE_OPEN);
    for (int i = 0; i < 16; i++) assert_int_equal(stream(f)->status, 200);
    struct alone_answer *a = stream(f);
    assert_int_equal(a->status, 503);
    assert_non_null(strstr(buf_str(&a->raw), "Retry-After: 5\n"));
    assert_true(counted(f, "full") == 1);
    f->ans[3].gone(f->ans[3].gone_ctx);
    assert_int_equal(stream(f)->status, 200);
}

PAGE_CASE(an_open_page_is_asked_by_address) {
    static const char *const good[] = {"Host: 127.0.0.1:80", "Host: localhost:8080", "Host: [::1]",
                                       "Host: 10.0.0.1"};
    static const char *const bad[] = {"Host: evil.example:8080", "Host: localhost.evil.example",
                                      "Host: 127.0.0.1.evil.example", "Host:"};
    show(f, PAGE_OPEN);
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_int_equal(ask(f, "GET", "/status.json", good[i])->status, 200);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(ask(f, "GET", "/status.json", bad[i])->status, 403);
    assert_int_equal(ask(f, "GET", "/page/events", bad[0])->status, 403);
    assert_int_equal((int)counted(f, "host"), ARRAY_LEN(bad) + 1);
}

PAGE_CASE(a_reviewed_page_wants_a_token) {
    show(f, PAGE_REVIEW);
    struct alone_answer *a = stream(f);
    assert_int_equal(a->status, 401);
    assert_non_null(strstr(buf_str(&a->raw), "WWW-Authenticate: Bearer"));
    assert_int_equal(ask(f, "GET", "/status.json", "Authorization: Basic eDp5")->status, 401);
    assert_int_equal(ask(f, "GET", "/status.json", "Authorization: Bearer ")->status, 401);
    assert_int_equal(f->looks, 0);
    a = ask(f, "GET", "/page/events", "Authorization: bearer  tok ");
    assert_int_equal(a->status, 0); /* not before the answer */
    assert_string_equal(f->review.token, "tok");
    f->review.fn(f->review.ctx, PAGE_ALLOWED, "");
    assert_int_equal(a->status, 200);
    assert_non_null(strstr(heard(f, a, 1000), "\"one\""));
    a = ask(f, "GET", "/status.json", "X-Handover-Token: own");
    assert_string_equal(f->review.token, "own");
    f->review.fn(f->review.ctx, PAGE_ALLOWED, "");
    assert_string_equal(buf_str(&a->body), "{\"private\":true}");
}

PAGE_CASE(a_review_that_refuses) {
    static const struct {
        enum page_verdict verdict;
        int status;
    } cases[] = {{PAGE_UNKNOWN, 401}, {PAGE_FORBIDDEN, 403}, {PAGE_BUSY, 429}, {PAGE_FAILED, 503}};
    show(f, PAGE_REVIEW);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct alone_answer *a = ask(f, "GET", "/page/events", "X-Handover-Token: t");
        f->review.fn(f->review.ctx, cases[i].verdict, "because");
        assert_int_equal(a->status, cases[i].status);
        assert_string_equal(buf_str(&a->body), "because\n");
    }
    struct alone_answer *gone = ask(f, "GET", "/page/events", "X-Handover-Token: t");
    gone->gone(gone->gone_ctx);
    assert_true(f->review.cancelled);
    for (int i = 0; i < 15; i++) (void)ask(f, "GET", "/status.json", "X-Handover-Token: t");
    assert_int_equal(f->ans[f->n - 1].status, 0); /* no place was lost */
}

PAGE_CASE(the_files_say_nothing_and_are_open) {
    static const char *const files[][2] = {{"/", "text/html; charset=utf-8"},
                                           {"/page.js", "text/javascript; charset=utf-8"},
                                           {"/page.css", "text/css; charset=utf-8"}};
    show(f, PAGE_REVIEW);
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        struct alone_answer *plain = ask(f, "GET", files[i][0], "Host: any.example");
        struct alone_answer *packed = ask(f, "GET", files[i][0], "Accept-Encoding: gzip");
        cleanup_buf struct buf out = BUF(1 << 20);
        assert_int_equal(plain->status, 200);
        assert_string_equal(plain->content_type, files[i][1]);
        assert_string_equal(plain->encoding, "");
        assert_string_equal(packed->encoding, "gzip");
        assert_true(gunzip(buf_slice(&packed->body), &out));
        assert_true(slice_eq(buf_slice(&out), buf_slice(&plain->body)));
        assert_null(strstr(buf_str(&plain->body), "https://"));
        char tag[64] = "If-None-Match: \"other\", ";
        const char *etag = strstr(buf_str(&plain->raw), "ETag: ");
        assert_non_null(etag);
        strncat(tag, etag + 6, strcspn(etag + 6, "\n"));
        struct alone_answer *same = ask(f, "GET", files[i][0], tag);
        assert_int_equal(same->status, 304);
        assert_int_equal(same->body.n, 0);
        static const char *const headers[] = {"script-src 'self'",           "frame-ancestors 'none'",
                                              "default-src 'none'",          "Referrer-Policy: no-refer",
                                              "X-Content-Type-Options: nos", "Cache-Control: no-cache"};
        for (size_t k = 0; k < ARRAY_LEN(headers); k++)
            assert_non_null(strstr(buf_str(&plain->raw), headers[k]));
        for (size_t k = f->n; k > 0; k--) alone_answer_free(&f->ans[k - 1]);
        f->n = 0;
    }
}

PAGE_CASE(off_there_is_none) {
    show(f, PAGE_OFF);
    assert_int_equal(ask(f, "GET", "/", NULL)->status, 404);
    assert_int_equal(ask(f, "GET", "/page.js", NULL)->status, 404);
    assert_int_equal(stream(f)->status, 404);
    assert_int_equal(ask(f, "GET", "/status.json", NULL)->status, 404);
}

PAGE_CASE(it_can_only_be_read) {
    show(f, PAGE_OPEN);
    assert_int_equal(ask(f, "POST", "/page/events", NULL)->status, 405);
    struct alone_answer *a = ask(f, "HEAD", "/page/events", NULL);
    assert_int_equal(a->status, 200);
    assert_true(a->ended);
}

CASES("obs/page")
