/* The page of the admin port: its files, and who may read what there is to see. See page.h. */
#include "page.h"
#include "obs/gzip.h"
#include <arpa/inet.h>
#include <strings.h>

static const char plain[] = "text/plain; charset=utf-8";

static void refuse(struct page *p, struct http_exchange *x, int status, const char *reason, const char *why) {
    struct http_headers h = {.n = 0};
    cleanup_free char *line = xasprintf("%s\n", why);
    metric_inc(metric_with(p->refused, &reason));
    if (status == 401) http_headers_add(&h, SL("WWW-Authenticate"), SL("Bearer realm=\"handover\""));
    if (status == 429 || status == 503) http_headers_add(&h, SL("Retry-After"), SL("5"));
    admin_answer(p->admin, x, status, plain, &h, slice_of(line));
}

/* ---- the files ---- */

static bool same_etag(struct slice if_none_match, const char *etag) {
    while (if_none_match.n) {
        struct slice one;
        slice_cut(if_none_match, ',', &one, &if_none_match);
        one = slice_trim(one);
        if (slice_starts(one, SL("W/"))) one = slice_make(one.p + 2, one.n - 2);
        if (slice_eqs(one, etag) || slice_eqs(one, "*")) return true;
    }
    return false;
}

static void answer_asset(struct page *p, struct http_exchange *x, const struct page_asset *f) {
    struct http_headers h = {.n = 0};
    cleanup_buf struct buf whole = BUF(1 << 20);
    struct slice body = slice_make((const char *)f->gz, f->n);
    bool same = same_etag(http_x_header(x, "If-None-Match"), f->etag);
    bool packed = gzip_accepted(http_x_header(x, "Accept-Encoding"));
    admin_headers(&h, "no-cache");
    cleanup_free char *weak = xasprintf("W/%s", f->etag); /* packed or not, it is the same file */
    http_headers_add(&h, SL("ETag"), slice_of(weak));
    if (packed && !same) http_headers_add(&h, SL("Content-Encoding"), SL("gzip"));
    if (!packed && gzip_undo(&whole, body) == 0) body = buf_slice(&whole);
    admin_count(p->admin, same ? 304 : 200);
    http_reply_begin(x, same ? 304 : 200, f->type, &h);
    if (!same) http_reply_send(x, body);
    http_reply_end(x);
}

/* ---- who may read ---- */

/* "127.0.0.1:8080", "[::1]:8080", "localhost": what a name of somebody else's domain is not. */
static bool host_is_address(struct slice host) {
    struct in6_addr six;
    struct in_addr four;
    struct slice name, port;
    if (host.n && host.p[0] == '[') {
        slice_cut(slice_make(host.p + 1, host.n - 1), ']', &name, &port);
    } else {
        slice_cut(host, ':', &name, &port);
    }
    cleanup_free char *text = slice_dup(name);
    return strcasecmp(text, "localhost") == 0 || inet_pton(AF_INET, text, &four) == 1 ||
           inet_pton(AF_INET6, text, &six) == 1;
}

/* An API server's proxy takes Authorization for itself and passes this one. */
static struct slice token_of(const struct http_exchange *x) {
    struct slice own = http_x_header(x, "X-Handover-Token"), auth = http_x_header(x, "Authorization");
    if (own.n) return slice_trim(own);
    if (auth.n < 7 || strncasecmp(auth.p, "Bearer ", 7) != 0) return (struct slice){NULL, 0};
    return slice_trim(slice_make(auth.p + 7, auth.n - 7));
}

static void leave(void *ctx) {
    struct page_visitor *v = ctx;
    if (v->review) v->page->src.cancel(v->review);
    *v = (struct page_visitor){.page = v->page};
}

static void let_in(struct page_visitor *v) {
    struct http_exchange *x = v->x;
    const struct admin_page_entry *text = v->text;
    if (!text) {
        page_stream_begin(v);
        return;
    }
    leave(v);
    admin_text_page(v->page->admin, x, text);
}

static void on_review(void *ctx, enum page_verdict verdict, const char *why) {
    static const struct {
        int status;
        const char *reason;
    } as[] = {[PAGE_UNKNOWN] = {401, "unauthenticated"},
              [PAGE_FORBIDDEN] = {403, "forbidden"},
              [PAGE_BUSY] = {429, "busy"},
              [PAGE_FAILED] = {503, "error"}};
    struct page_visitor *v = ctx;
    struct http_exchange *x = v->x;
    v->review = NULL;
    if (verdict == PAGE_ALLOWED) {
        let_in(v);
        return;
    }
    leave(v);
    refuse(v->page, x, as[verdict].status, as[verdict].reason, why);
}

static void ask(struct page *p, struct http_exchange *x, const struct admin_page_entry *text) {
    struct page_visitor *v = NULL;
    struct slice token = token_of(x);
    if (p->mode == PAGE_OPEN && !host_is_address(http_x_header(x, "Host"))) {
        refuse(p, x, 403, "host", "ask by an IP address or as localhost: a name may be anybody's");
        return;
    }
    if (p->mode == PAGE_REVIEW && !token.n) {
        refuse(p, x, 401, "unauthenticated",
               "a token is needed: Authorization: Bearer TOKEN, or X-Handover-Token: TOKEN");
        return;
    }
    for (size_t i = 0; i < PAGE_VISITORS && !v; i++)
        if (!p->visitor[i].x) v = &p->visitor[i];
    if (!v) {
        refuse(p, x, 503, "full", "as many as may are looking at it already");
        return;
    }
    *v = (struct page_visitor){.page = p, .x = x, .text = text};
    if (p->mode == PAGE_OPEN) {
        let_in(v);
        return;
    }
    http_on_gone(x, leave, v);
    v->review = p->src.review(p->src.review_ctx, token, on_review, v);
}

void page_guard(struct page *p, struct http_exchange *x, const struct admin_page_entry *text) {
    ask(p, x, text);
}

bool page_request(struct page *p, struct http_exchange *x, struct slice path) {
    for (size_t i = 0; i < ARRAY_LEN(page_assets); i++) {
        if (!slice_eqs(path, page_assets[i].path)) continue;
        answer_asset(p, x, &page_assets[i]);
        return true;
    }
    if (!slice_eqs(path, "/page/events")) return false;
    ask(p, x, NULL);
    return true;
}

struct page *page_new(struct admin *a, enum page_mode mode, const struct page_source *src) {
    static const char *const reasons[] = {"unauthenticated", "forbidden", "host", "busy", "full", "slow",
                                          "error",           "large"};
    struct page *p = xcalloc(1, sizeof *p);
    p->admin = a;
    p->mode = mode;
    p->src = *src;
    p->tick = timer_new(a->world, page_stream_tick, p);
    p->readers = metric_plain(metrics_family(a->metrics, METRIC_GAUGE, "handover_page_readers",
                                             "Streams of the page that are open", "", NULL, 0));
    p->refused =
        metrics_family(a->metrics, METRIC_COUNTER, "handover_page_refused_total",
                       "Readers of the page that were not let in or were dropped", "reason", NULL, 0);
    for (size_t i = 0; i < ARRAY_LEN(reasons); i++) metric_with(p->refused, &reasons[i]);
    for (size_t i = 0; i < PAGE_VISITORS; i++) p->visitor[i].page = p;
    p->items.version = 1; /* 0: what a reader has that has nothing */
    p->looked_ns = -NS_PER_S;
    buf_init(&p->items.text, PAGE_BYTES);
    return p;
}

void page_free(struct page *p) {
    if (!p) return;
    timer_free(p->tick);
    page_items_free(&p->items);
    free(p);
}
