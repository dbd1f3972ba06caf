/* The admin port: metrics, health, the page. But for what is private (page.c), an answer is made and sent in the call that
 * brings the request. */
#include "admin_impl.h"
#include "obs/gzip.h"
#include "page.h"
#include <errno.h>

enum { GZIP_MIN = 1024, REQUEST_BODY_CAP = 4096, CONNECTIONS = 64 };
/* Of all answers that clients have not read yet. */
#define UNSENT_CAP (2 * (size_t)ADMIN_PAGE_CAP)
static const char text_type[] = "text/plain; charset=utf-8";

void admin_count(struct admin *a, int status) {
    int hundreds = status / 100;
    if (hundreds >= 1 && hundreds <= 5) metric_inc(a->requests[hundreds]);
}

void admin_headers(struct http_headers *h, const char *cache_control) {
    static const char *const all[][2] = {
        {"X-Content-Type-Options", "nosniff"},
        {"X-Frame-Options", "DENY"},
        {"Referrer-Policy", "no-referrer"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
        {"Content-Security-Policy",
         "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
         "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
         "trusted-types 'none'"},
        {"Vary", "Accept-Encoding"},
    };
    http_headers_add(h, SL("Cache-Control"), slice_of(cache_control));
    for (size_t i = 0; i < ARRAY_LEN(all); i++) http_headers_add(h, slice_of(all[i][0]), slice_of(all[i][1]));
}

void admin_answer(struct admin *a, struct http_exchange *x, int status, const char *type,
                  const struct http_headers *extra, struct slice body) {
    struct http_headers h = {.n = 0};
    cleanup_buf struct buf packed = BUF(ADMIN_PAGE_CAP);
    admin_headers(&h, "no-store");
    for (size_t i = 0; extra && i < extra->n; i++) http_headers_add(&h, extra->v[i].name, extra->v[i].value);
    if (body.n >= GZIP_MIN && gzip_accepted(http_x_header(x, "Accept-Encoding")) &&
        gzip_add(&packed, body) == 0) {
        http_headers_add(&h, SL("Content-Encoding"), SL("gzip"));
        body = buf_slice(&packed);
    }
    admin_count(a, status);
    http_reply_begin(x, status, type, &h);
    http_reply_send(x, body);
    http_reply_end(x);
}

static void answer_text(struct admin *a, struct http_exchange *x, int status, struct slice body) {
    admin_answer(a, x, status, text_type, NULL, body);
}

/* A whole page, or 500: the first part of one would be taken for all of it. */
static void answer_page(struct admin *a, struct http_exchange *x, const char *type, const struct buf *page) {
    if (page->full)
        answer_text(a, x, 500, SL("the page is larger than 16 MiB\n"));
    else
        admin_answer(a, x, 200, type, NULL, buf_slice(page));
}

static void on_metrics(struct admin *a, struct http_exchange *x) {
    cleanup_buf struct buf out = BUF(ADMIN_PAGE_CAP);
    metrics_write(a->metrics, &out);
    answer_page(a, x, "text/plain; version=0.0.4; charset=utf-8", &out);
}

/* path: "/healthz" or "/healthz/NAME" (livez is the same); false: neither. */
static bool on_health(struct admin *a, struct http_exchange *x, struct slice path, struct slice query) {
    static const struct {
        const char *path;
        bool readyz;
    } probes[] = {{"/healthz", false}, {"/livez", false}, {"/readyz", true}};
    for (size_t i = 0; i < ARRAY_LEN(probes); i++) {
        struct slice p = slice_of(probes[i].path);
        if (!slice_starts(path, p) || (path.n > p.n && path.p[p.n] != '/')) continue;
        cleanup_buf struct buf out = BUF(ADMIN_PAGE_CAP);
        int status = path.n > p.n + 1 ? health_write_one(a, probes[i].readyz,
                                                         slice_make(path.p + p.n + 1, path.n - p.n - 1), &out)
                                      : health_write(a, probes[i].readyz, query, &out);
        answer_text(a, x, status, status == 404 ? SL("no such check\n") : buf_slice(&out));
        return true;
    }
    return false;
}

void admin_text_page(struct admin *a, struct http_exchange *x, const struct admin_page_entry *p) {
    cleanup_buf struct buf out = BUF(ADMIN_PAGE_CAP);
    p->fn(p->ctx, &out);
    answer_page(a, x, p->content_type, &out);
}

static void on_request(void *ctx, struct http_exchange *x) {
    struct admin *a = ctx;
    struct slice path, query;
    slice_cut(http_x_target(x), '?', &path, &query);
    if (!slice_eqs(http_x_method(x), "GET") && !slice_eqs(http_x_method(x), "HEAD")) {
        struct http_headers allow = {.n = 0};
        http_headers_add(&allow, SL("Allow"), SL("GET, HEAD"));
        admin_answer(a, x, 405, text_type, &allow, SL("only GET and HEAD\n"));
        return;
    }
    if (slice_eqs(path, "/metrics")) {
        on_metrics(a, x);
        return;
    }
    if (on_health(a, x, path, query)) return;
    for (size_t i = 0; i < a->npages && a->page; i++) {
        if (!slice_eqs(path, a->pages[i].path)) continue;
        page_guard(a->page, x, &a->pages[i]);
        return;
    }
    if (a->page && page_request(a->page, x, path)) return;
    answer_text(a, x, 404,
                a->page ? SL("not found; there are: / /metrics /healthz /readyz\n")
                        : SL("not found; there are: /metrics /healthz /readyz\n"));
}

static void admin_free(struct admin *a) {
    free(a->checks);
    free(a->pages);
    free(a);
}

int admin_start(struct world *w, const char *addr, struct metrics *m, struct log *log, struct admin **ret,
                struct err *err) {
    static const char *const codes[] = {"", "1xx", "2xx", "3xx", "4xx", "5xx"};
    /* Probes come first: a client that holds a connection without a request, with half of one, or with an answer that is
     * not read makes way for a new one. */
    const struct http_limits limits = {.body_cap = REQUEST_BODY_CAP,
                                       .connections = CONNECTIONS,
                                       .header_ns = 5 * NS_PER_S,
                                       .idle_ns = 15 * NS_PER_S,
                                       .send_cap = ADMIN_PAGE_CAP + 1024,
                                       .total_cap = UNSENT_CAP};
    struct admin *a = xcalloc(1, sizeof *a);
    *a = (struct admin){.world = w, .metrics = m, .log = log};
    int r = http_listen(w, addr, &limits, on_request, a, &a->listener, err);
    if (r < 0) {
        admin_free(a);
        return err_wrap(err, "the admin port for metrics and health");
    }
    struct metric_family *f =
        metrics_family(m, METRIC_COUNTER, "handover_admin_requests_total",
                       "Requests answered on the port for metrics and health", "code", NULL, 0);
    for (size_t i = 1; i < ARRAY_LEN(codes); i++) a->requests[i] = metric_with(f, &codes[i]);
    *ret = a;
    return 0;
}

void admin_stop(struct admin *a) {
    if (!a) return;
    http_listener_close(a->listener); /* the page's readers go with it */
    page_free(a->page);
    admin_free(a);
}

int admin_port(const struct admin *a) {
    return http_listener_port(a->listener);
}

void admin_check(struct admin *a, const char *name, bool readyz_only,
                 bool (*check)(void *ctx, struct buf *why), void *ctx) {
    a->checks = xgrow(a->checks, &a->checks_cap, a->nchecks + 1, sizeof *a->checks);
    a->checks[a->nchecks++] = (struct admin_check_entry){name, readyz_only, check, ctx};
}

void admin_page(struct admin *a, const char *path, const char *content_type,
                void (*fn)(void *ctx, struct buf *out), void *ctx) {
    a->pages = xgrow(a->pages, &a->pages_cap, a->npages + 1, sizeof *a->pages);
    a->pages[a->npages++] = (struct admin_page_entry){path, content_type, fn, ctx};
}

void admin_show(struct admin *a, enum page_mode mode, const struct page_source *src) {
    if (mode != PAGE_OFF) a->page = page_new(a, mode, src);
}
