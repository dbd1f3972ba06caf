/* The admin port on a real socket, asked by the real client. */
#include "../case.h"
#include "gunzip.h"
#include "net/net.h"
#include "obs/obs.h"
#include "world/http_client.h"
#include <arpa/inet.h>
#include <unistd.h>

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

CASE_IN(setup, teardown, a_scrape) {
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

CASE_IN(setup, teardown, head_and_errors) {
    struct fixture *f = *state;
    assert_int_equal(ask(f, "HEAD", "/metrics", "gzip"), 200);
    assert_int_equal(f->body.n, 0);
    assert_int_equal(ask(f, "POST", "/metrics", NULL), 405);
    assert_int_equal(ask(f, "GET", "/nothing", NULL), 404);
    assert_int_equal(ask(f, "GET", "/readyz?verbose", NULL), 200);
    assert_string_equal(buf_str(&f->body), "[+]ping ok\nreadyz check passed\n");
}

/* Those who hold connections and never ask, or never read, do not keep a probe from its answer. */
CASE_IN(setup, teardown, probes_are_answered_among_idle_connections) {
    struct fixture *f = *state;
    struct sockaddr_in sa = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)admin_port(f->a)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    static const char *const said[] = {"", "GET /metrics HTTP/1.1\r\nHo",
                                       "GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n"};
    int fd[150];
    for (size_t kind = 0; kind < ARRAY_LEN(said); kind++) {
        for (size_t i = 0; i < ARRAY_LEN(fd); i++) {
            fd[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
            assert_int_equal(connect(fd[i], (struct sockaddr *)&sa, sizeof sa), 0);
            assert_int_equal(send(fd[i], said[kind], strlen(said[kind]), MSG_NOSIGNAL), strlen(said[kind]));
        }
        for (int i = 0; i < 30; i++) assert_int_equal(ask(f, "GET", "/healthz", NULL), 200);
        for (size_t i = 0; i < ARRAY_LEN(fd); i++) close(fd[i]);
    }
}

CASE_IN(setup, teardown, the_same_port_twice) {
    struct fixture *f = *state;
    struct admin *second = NULL;
    struct err err = {0};
    cleanup_free char *addr = xasprintf("127.0.0.1:%d", admin_port(f->a));
    assert_true(admin_start(f->w, addr, f->m, NULL, &second, &err) < 0);
    assert_non_null(strstr(err.msg, "the admin port for metrics and health"));
    assert_non_null(strstr(err.msg, addr));
}

CASES("obs/admin_live")
