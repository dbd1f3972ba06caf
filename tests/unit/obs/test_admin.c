/* The admin port through the world's server interface: what it answers, and to what it does not fall. */
#include "../case.h"
#include "../each.h"
#include "simworld/alone.h"
#include "gunzip.h"
#include "obs/obs.h"

struct lines {
    size_t n;
    char last[512];
};

static void count_line(void *ctx, enum log_level level, int64_t wall_ns, const char *msg,
                       const struct log_field *f, size_t n) {
    struct lines *l = ctx;
    cleanup_buf struct buf out = BUF(4096);
    log_format_text(&out, level, wall_ns, msg, f, n);
    snprintf(l->last, sizeof l->last, "%s", buf_str(&out));
    l->n++;
}

struct fixture {
    struct alone alone;
    struct metrics *m;
    struct admin *a;
    struct alone_answer ans;
    struct lines lines;
    struct log log;
    bool leader_well, cache_well;
};

static bool check_leader(void *ctx, struct buf *why) {
    struct fixture *f = ctx;
    buf_adds(why, "lease\nexpired"); /* also when well: not shown then */
    return f->leader_well;
}

static bool check_cache(void *ctx, struct buf *why) {
    struct fixture *f = ctx;
    (void)why;
    return f->cache_well;
}

static struct fixture *setup(void) {
    struct fixture *f = xcalloc(1, sizeof *f);
    alone_init(&f->alone, 1);
    f->m = metrics_new(100);
    f->log = (struct log){.sink = {count_line, &f->lines}, .min = LOG_INFO};
    assert_int_equal(admin_start(f->alone.w, ":8080", f->m, &f->log, &f->a, NULL), 0);
    f->leader_well = f->cache_well = true;
    admin_check(f->a, "leader", false, check_leader, f);
    admin_check(f->a, "cache", true, check_cache, f);
    return f;
}

static void teardown(struct fixture *f) {
    alone_answer_free(&f->ans);
    admin_stop(f->a);
    assert_false(f->alone.listening);
    metrics_free(f->m);
    alone_free(&f->alone);
    free(f);
}
#define ADMIN_CASE(name) CASE_OF(struct fixture, f, setup(), teardown, name)

static const char *get_as(struct fixture *f, const char *method, const char *target, const char *accept) {
    struct http_headers h = {.n = 0};
    if (accept) http_headers_add(&h, SL("accept-encoding"), slice_of(accept));
    http_headers_add(&h, SL("Host"), SL("127.0.0.1:8080"));
    alone_answer_free(&f->ans);
    alone_request(&f->alone, &f->ans, method, target, &h);
    assert_true(f->ans.ended);
    return buf_str(&f->ans.body);
}

static const char *get(struct fixture *f, const char *target) {
    return get_as(f, "GET", target, NULL);
}

ADMIN_CASE(healthy) {
    assert_string_equal(get(f, "/healthz"), "ok");
    assert_int_equal(f->ans.status, 200);
    assert_string_equal(f->ans.content_type, "text/plain; charset=utf-8");
    assert_non_null(strstr(buf_str(&f->ans.raw), "X-Content-Type-Options: nosniff\n"));
    assert_non_null(strstr(buf_str(&f->ans.raw), "Cache-Control: no-store\n"));
    assert_string_equal(get(f, "/livez"), "ok");
    assert_string_equal(get(f, "/readyz"), "ok");
    assert_string_equal(get(f, "/healthz/"), "ok");
    assert_string_equal(get(f, "/healthz?verbose"), "[+]ping ok\n[+]leader ok\nhealthz check passed\n");
    assert_string_equal(get(f, "/readyz?verbose=true"),
                        "[+]ping ok\n[+]leader ok\n[+]cache ok\nreadyz check passed\n");
    assert_int_equal(f->lines.n, 0);
}

ADMIN_CASE(failing) {
    f->leader_well = f->cache_well = false;
    assert_string_equal(get(f, "/healthz"),
                        "[+]ping ok\n[-]leader failed: lease\\nexpired\nhealthz check failed\n");
    assert_int_equal(f->ans.status, 500);
    assert_string_equal(get(f, "/readyz"),
                        "[+]ping ok\n[-]leader failed: lease\\nexpired\n[-]cache failed: no "
                        "reason given\nreadyz check failed\n");
    assert_int_equal(f->ans.status, 500);
    assert_int_equal(f->lines.n, 3); /* each check of each probe */
    get(f, "/readyz");
    get(f, "/healthz");
    assert_int_equal(f->lines.n, 3); /* but not each probe */
    f->leader_well = true;
    assert_string_equal(get(f, "/healthz"), "ok");
    f->leader_well = false;
    get(f, "/healthz");
    assert_int_equal(f->lines.n, 4);
    assert_non_null(strstr(f->lines.last, "check=leader"));
}

ADMIN_CASE(excluded_checks) {
    f->leader_well = false;
    assert_string_equal(get(f, "/readyz?exclude=leader"), "ok");
    assert_string_equal(
        get(f, "/readyz?verbose&exclude=leader&exclude=ping&exclude=no%22ne"),
        "[+]ping excluded: ok\n[+]leader excluded: ok\n[+]cache ok\n"
        "warn: some health checks cannot be excluded: no matches for \"no%22ne\"\nreadyz check passed\n");
    get(f, "/healthz?exclude=cache&verbose");
    assert_non_null(strstr(buf_str(&f->ans.body), "no matches for \"cache\""));
}

ADMIN_CASE(single_checks) {
    assert_string_equal(get(f, "/readyz/cache"), "ok");
    assert_string_equal(get(f, "/healthz/ping"), "ok");
    get(f, "/healthz/cache"); /* readiness only */
    assert_int_equal(f->ans.status, 404);
    get(f, "/healthz/none");
    assert_int_equal(f->ans.status, 404);
    f->leader_well = false;
    assert_string_equal(get(f, "/livez/leader"), "internal server error: lease\\nexpired\n");
    assert_int_equal(f->ans.status, 500);
}

ADMIN_CASE(metrics_plain_and_packed) {
    struct metric_family *fam =
        metrics_family(f->m, METRIC_COUNTER, "things_total", "Things", "kind", NULL, 0);
    for (int i = 0; i < 90; i++) {
        char kind[16];
        snprintf(kind, sizeof kind, "k%d", i);
        metric_inc(metric_with(fam, (const char *const[]){kind}));
    }
    cleanup_free char *plain = xstrdup(get(f, "/metrics"));
    assert_string_equal(f->ans.content_type, "text/plain; version=0.0.4; charset=utf-8");
    assert_non_null(strstr(plain, "things_total{kind=\"k89\"} 1\n"));
    assert_string_equal(f->ans.encoding, "");
    assert_string_equal(f->ans.vary, "Accept-Encoding");
    assert_non_null(strstr(get(f, "/metrics?name[]=x"), "handover_admin_requests_total{code=\"2xx\"} 1\n"));
    get_as(f, "GET", "/metrics", "gzip");
    assert_string_equal(f->ans.encoding, "gzip");
    assert_true(f->ans.body.n < strlen(plain));
    cleanup_buf struct buf out = BUF(1 << 20);
    assert_true(gunzip(buf_slice(&f->ans.body), &out));
    assert_non_null(strstr(buf_str(&out), "things_total{kind=\"k89\"} 1\n"));
    get_as(f, "GET", "/healthz", "gzip"); /* not worth it */
    assert_string_equal(f->ans.encoding, "");
}

static void no_items(void *ctx, struct page_items *to) {
    (void)ctx, (void)to;
}

static void no_more(void *ctx) {
    (void)ctx;
}

static void show(struct fixture *f) {
    admin_show(f->a, PAGE_OPEN, &(struct page_source){.items = no_items, .unseen = no_more});
}

static void write_endless(void *ctx, struct buf *out) {
    (void)ctx;
    while (!out->full) buf_adds(out, "0123456789abcdef0123456789abcdef\n");
}

/* Half a page would be taken for all of it, and what did not leave is not counted as answered. */
ADMIN_CASE(a_page_that_is_too_large) {
    show(f);
    admin_page(f->a, "/endless", "text/plain; charset=utf-8", write_endless, f);
    assert_string_equal(get(f, "/endless"), "the page is larger than 16 MiB\n");
    assert_int_equal(f->ans.status, 500);
    assert_non_null(strstr(get(f, "/metrics"), "handover_admin_requests_total{code=\"5xx\"} 1\n"));
}

ADMIN_CASE(odd_requests) {
    show(f);
    static const struct {
        int status;
        const char *method, *targets;
    } cases[] = {
        {405, "POST", "/metrics"},
        {405, "DELETE", "/"},
        {405, "get", "/metrics"},
        {405, "", "/metrics"},
        {200, "HEAD", "/metrics"},
        {404, "HEAD", "/none"},
        {404, "GET",
         "|*|metrics|//metrics|/metrics/|/../metrics|/metrics%00|/healthzz|/healthz/leader/more|?verbose|"
         "http://host/metrics|/\x01\xff"},
        {200, "GET", "/readyz?&&=&exclude&exclude=&verbose|/?"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        each_of(one, cases[i].targets) {
            cleanup_free char *target = slice_dup(one);
            get_as(f, cases[i].method, target, ";;;q=,,\x80");
            if (f->ans.status != cases[i].status)
                fail_msg("%s %s: %d", cases[i].method, target, f->ans.status);
            if (f->ans.status == 405) assert_non_null(strstr(buf_str(&f->ans.raw), "Allow: GET, HEAD\n"));
        }
    }
    assert_non_null(strstr(get(f, "/metrics"), "handover_admin_requests_total{code=\"4xx\"} 17\n"));
}

ADMIN_CASE(a_port_that_is_taken) {
    struct admin *a = NULL;
    struct err err = {0};
    f->alone.listen_error = -EADDRINUSE;
    assert_int_equal(admin_start(f->alone.w, ":8080", f->m, NULL, &a, &err), -EADDRINUSE);
    assert_null(a);
    assert_string_equal(err.msg, "the admin port for metrics and health: cannot listen on :8080");
    assert_int_equal(admin_port(f->a), 8080);
    admin_stop(NULL);
}

CASES("obs/admin")
