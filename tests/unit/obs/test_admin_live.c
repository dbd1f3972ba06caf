/* The admin port on a real socket, asked by the real client. */
#include "gunzip.h"
#include "net/net.h"
#include "obs/obs.h"
#include "world/http_client.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

struct fixture {
    struct loop *loop;
    struct net *net;
    struct world *w;
    struct metrics *m;
    struct admin *a;
    struct buf body;
    int status;
    char encoding[32];
    bool failed;
};

static void on_head(void *ctx, int status, const struct http_headers *h) {
    struct fixture *f = ctx;
    (void)status;
    snprintf(f->encoding, sizeof f->encoding, "%.*s", SLF(http_headers_get(h, "Content-Encoding")));
}

static enum http_pull on_body(void *ctx, struct slice data) {
    struct fixture *f = ctx;
    buf_add(&f->body, data);
    return HTTP_MORE;
}

static void on_end(void *ctx, const struct err *err, int status) {
    struct fixture *f = ctx;
    f->failed = err;
    f->status = status;
    loop_stop(f->loop);
}

static int ask(struct fixture *f, const char *method, const char *path, const char *accept) {
    static const struct http_client_cb cb = {on_head, on_body, on_end};
    struct http_headers h = {.n = 0};
    struct http_req *req;
    cleanup_free char *url = xasprintf("http://127.0.0.1:%d%s", admin_port(f->a), path);
    if (accept) http_headers_add(&h, SL("Accept-Encoding"), slice_of(accept));
    struct http_spec spec = {
        .lane = LANE_SCRAPE, .method = method, .url = url, .headers = &h, .total_ns = 20 * NS_PER_S};
    buf_clear(&f->body);
    assert_int_equal(http_start(f->w, &spec, &cb, f, &req, NULL), 0);
    loop_run(f->loop);
    assert_false(f->failed);
    return f->status;
}

static int setup(void **state) {
    struct fixture *f = xcalloc(1, sizeof *f);
    f->loop = loop_new();
    f->net = net_install(f->loop);
    f->w = loop_world(f->loop);
    f->m = metrics_new(100);
    f->body = BUF(1 << 20);
    process_metrics(f->m);
    assert_int_equal(admin_start(f->w, "127.0.0.1:0", f->m, NULL, &f->a, NULL), 0);
    *state = f;
    return 0;
}

static int teardown(void **state) {
    struct fixture *f = *state;
    admin_stop(f->a);
    metrics_free(f->m);
    net_uninstall(f->net);
    loop_free(f->loop);
    buf_free(&f->body);
    free(f);
    return 0;
}

static void a_scrape(void **state) {
    struct fixture *f = *state;
    assert_int_equal(ask(f, "GET", "/metrics", NULL), 200);
    assert_string_equal(f->encoding, "");
    assert_non_null(strstr(buf_str(&f->body), "\nprocess_resident_memory_bytes "));
    assert_int_equal(ask(f, "GET", "/metrics", "gzip"), 200);
    assert_string_equal(f->encoding, "gzip");
    cleanup_buf struct buf page = BUF(1 << 20);
    assert_true(gunzip(buf_slice(&f->body), &page));
    assert_non_null(strstr(buf_str(&page), "\nprocess_resident_memory_bytes "));
}

static void head_and_errors(void **state) {
    struct fixture *f = *state;
    assert_int_equal(ask(f, "HEAD", "/metrics", "gzip"), 200);
    assert_int_equal(f->body.n, 0);
    assert_int_equal(ask(f, "POST", "/metrics", NULL), 405);
    assert_int_equal(ask(f, "GET", "/nothing", NULL), 404);
    assert_int_equal(ask(f, "GET", "/readyz?verbose", NULL), 200);
    assert_string_equal(buf_str(&f->body), "[+]ping ok\nreadyz check passed\n");
}

static void the_same_port_twice(void **state) {
    struct fixture *f = *state;
    struct admin *second = NULL;
    struct err err = {0};
    cleanup_free char *addr = xasprintf("127.0.0.1:%d", admin_port(f->a));
    assert_true(admin_start(f->w, addr, f->m, NULL, &second, &err) < 0);
    assert_non_null(strstr(err.msg, "the admin port for metrics and health"));
    assert_non_null(strstr(err.msg, addr));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_scrape, setup, teardown),
        cmocka_unit_test_setup_teardown(head_and_errors, setup, teardown),
        cmocka_unit_test_setup_teardown(the_same_port_twice, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
