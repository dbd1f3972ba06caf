/* The admin port on a real socket, asked by the real client. */
#include "../case.h"
#include "../net/kit.h"
#include "gunzip.h"
#include "obs/obs.h"
#include <arpa/inet.h>
#include <unistd.h>

struct fixture {
    struct kit *k;
    struct metrics *m;
    struct admin *a;
    struct call c; /* the last one */
};

static int ask(struct fixture *f, const char *method, const char *path, const char *accept) {
    struct http_headers h = {.n = 0};
    cleanup_free char *url = xasprintf("http://127.0.0.1:%d%s", admin_port(f->a), path);
    if (accept) http_headers_add(&h, SL("Accept-Encoding"), slice_of(accept));
    call_free(&f->c);
    call_init(&f->c, f->k);
    call_do(&f->c, &(struct http_spec){.lane = LANE_SCRAPE, .method = method, .url = url, .headers = &h});
    assert_int_equal(f->c.err.kind, ERR_NONE);
    return f->c.status;
}

static void setup(struct fixture *f) {
    *f = (struct fixture){.k = kit_new(), .m = metrics_new(100)};
    process_metrics(f->m);
    assert_int_equal(admin_start(f->k->w, "127.0.0.1:0", f->m, NULL, &f->a, NULL), 0);
}

static void teardown(struct fixture *f) {
    admin_stop(f->a);
    metrics_free(f->m);
    call_free(&f->c);
    kit_free(f->k);
}
#define LIVE_CASE(name) CASE_WITH(struct fixture, t, setup, teardown, name)

LIVE_CASE(a_scrape) {
    assert_int_equal(ask(t, "GET", "/metrics", NULL), 200);
    assert_non_null(strstr(buf_str(&t->c.body), "\nprocess_resident_memory_bytes "));
    assert_int_equal(ask(t, "HEAD", "/metrics", "gzip"), 200);
    assert_int_equal(t->c.body.n, 0);
    assert_int_equal(ask(t, "GET", "/metrics", "gzip"), 200);
    cleanup_buf struct buf page = BUF(1 << 20);
    assert_true(gunzip(buf_slice(&t->c.body), &page));
    assert_non_null(strstr(buf_str(&page), "\nprocess_resident_memory_bytes "));
}

/* Those who hold connections and never ask, or never read, do not keep a probe from its answer. */
LIVE_CASE(probes_are_answered_among_idle_connections) {
    struct sockaddr_in sa = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)admin_port(t->a)),
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
        for (int i = 0; i < 30; i++) assert_int_equal(ask(t, "GET", "/healthz", NULL), 200);
        for (size_t i = 0; i < ARRAY_LEN(fd); i++) close(fd[i]);
    }
}

CASES("obs/admin_live")
