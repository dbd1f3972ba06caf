/* Requests that a test makes itself, from outside of all processes, run to their end. */
#include "internal.h"
#include <errno.h>

struct asking {
    struct buf *body;
    bool done;
    int result;
};

static enum http_pull on_body(void *ctx, struct slice data) {
    struct asking *a = ctx;
    if (a->body) (void)buf_add(a->body, data);
    return HTTP_MORE;
}

static void on_end(void *ctx, const struct err *err, int status) {
    struct asking *a = ctx;
    a->result = err ? err->errnum : status;
    a->done = true;
}

static bool is_done(void *ctx) {
    return ((struct asking *)ctx)->done;
}

int simworld_request(struct simworld *sw, const char *method, const char *url, const char *content_type,
                     struct slice body, struct buf *ret_body) {
    static const struct http_client_cb cb = {.body = on_body, .end = on_end};
    struct http_headers headers = {0};
    if (content_type) (void)http_headers_add(&headers, SL("Content-Type"), slice_of(content_type));
    (void)http_headers_add(&headers, SL("Accept"), SL("application/json"));
    (void)http_headers_add(&headers, SL("User-Agent"), SL("outside"));
    struct http_spec spec = {.lane = LANE_CALL,
                             .method = method,
                             .url = url,
                             .headers = &headers,
                             .body = body,
                             .total_ns = 60 * NS_PER_S};
    struct asking a = {.body = ret_body};
    struct http_req *r;
    int e = http_start(&sw->outside->world, &spec, &cb, &a, &r, NULL);
    if (e < 0) return e;
    return simworld_run_until(sw, is_done, &a, 120 * NS_PER_S) ? a.result : -ETIMEDOUT;
}

int simworld_get(struct simworld *sw, const char *url, struct buf *body) {
    return simworld_request(sw, "GET", url, NULL, (struct slice){0}, body);
}
