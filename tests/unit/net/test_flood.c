/* Peers that never stop: every byte of an answer counts, whatever it is part of. */
#include "../case.h"
#include "kit.h"

#define HEAD    "HTTP/1.1 200 OK\r\n"
#define CHUNKED HEAD "Transfer-Encoding: chunked\r\n\r\n"

struct flood {
    const char *name, *head, *again;
    int status;
    const char *message;
    bool proxy;
};
struct flooding {
    const struct flood *f;
    uv_write_t write;
    struct buf block;
    size_t sent;
};

static void on_written(uv_write_t *req, int status) {
    struct raw *r = req->data;
    struct flooding *f = r->extra;
    f->sent += f->block.n;
    if (status < 0 || uv_is_closing((uv_handle_t *)&r->tcp)) return;
    uv_buf_t b = uv_buf_init(f->block.p, (unsigned)f->block.n);
    uv_write(&f->write, (uv_stream_t *)&r->tcp, &b, 1, on_written);
}

static void on_request(struct raw *r) {
    struct flooding *f = r->extra;
    if (!strstr(buf_str(&r->in), "\r\n\r\n")) return;
    buf_clear(&r->in);
    raw_sends(r, f->f->head);
    f->write.data = r;
    on_written(&f->write, 0);
}

NET_CASE(every_byte_of_an_answer_counts) {
    static const char around[] = "status lines, headers, trailers and chunk framing",
                      whole[] = "larger than the 65536 bytes";
    static const struct flood floods[] = {
        {"trailers", CHUNKED "2\r\nab\r\n0\r\n", "T: trailer\r\n", 200, around, false},
        {"short trailers", CHUNKED "0\r\n", "a:\r\n", 200, around, false},
        {"one trailer", CHUNKED "0\r\nT: ", "t", 200, "", false},
        {"headers", HEAD, "H: h\r\n", 0, around, false},
        {"one header", HEAD "H: ", "h", 0, "", false},
        {"interim answers", "", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", 0, around, false},
        {"status line", "HTTP/1.1 200 ", "O", 0, "", false},
        {"chunk extension", CHUNKED "2;", "x", 200, around, false},
        {"zeros of a chunk size", CHUNKED, "0", 200, "", false},
        {"body", HEAD "\r\n", "b", 200, whole, false},
        {"chunks", CHUNKED, "8\r\n12345678\r\n", 200, whole, false},
        {"tiny chunks", CHUNKED, "1\r\n\n\r\n", 200, "", false},
        {"a proxy's headers", HEAD, "H: h\r\n", 0, around, true},
    };
    for (size_t i = 0; i < 2 * ARRAY_LEN(floods); i++) {
        const struct flood *f = &floods[i / 2];
        bool watch = i % 2;
        if (watch && f->message == whole) continue; /* bounded by its receiver */
        struct raw_server srv;
        struct flooding now = {.f = f, .block = BUF(16384)};
        raw_serve(&srv, k, on_request, &now);
        while (now.block.n + strlen(f->again) <= 16384) buf_adds(&now.block, f->again);
        CALL(c, k);
        call_do(&c,
                SPEC(watch ? LANE_WATCH : LANE_SCRAPE, "GET", f->proxy ? "https://target.invalid/x" : srv.url,
                     .proxy = f->proxy ? srv.url : NULL, .body_cap = watch ? 0 : 65536));
        bool right = c.err.kind == ERR_PROTOCOL && c.status == f->status && strstr(c.err.msg, f->message) &&
                     c.body.n <= 65536;
        if (!right) print_error("%s: %d: %s, %zu bytes sent\n", f->name, c.status, c.err.msg, now.sent);
        assert_true(right);
        raw_server_close(&srv);
        buf_free(&now.block);
    }
}

static size_t delivered;

static void count(struct call *c) {
    delivered += c->body.n;
    buf_clear(&c->body);
    c->extra = c; /* had a turn */
}

static void small_page(void *ctx, struct http_exchange *x) {
    (void)ctx;
    http_reply(x, 200, "text/plain", SL("up 1\n"));
}

/* However much is there, a turn of the loop handles little of it, each flood gets its turns, and so does a page that
 * comes to its end. */
NET_CASE(a_turn_of_the_scrapes_is_short) {
    enum { FLOODS = 8, TURNS = 400, TURN_MAX = 32 << 10 };
    static const struct flood kinds[] = {{"lines", HEAD "\r\n", "\n", 200, "", false},
                                         {"chunks", CHUNKED, "8\r\n\n\n\n\n\n\n\n\n\r\n", 200, "", false}};
    struct flooding now[FLOODS] = {0};
    struct raw_server srv[FLOODS];
    struct call c[FLOODS], page;
    kit_serve(k, small_page, NULL, NULL);
    for (size_t i = 0; i < FLOODS; i++) {
        now[i] = (struct flooding){.f = &kinds[i % 2], .block = BUF(256 << 10)};
        while (now[i].block.n + 16 <= 256 << 10) buf_adds(&now[i].block, kinds[i % 2].again);
        raw_serve(&srv[i], k, on_request, &now[i]);
        call_init(&c[i], k);
        c[i].on_body = count;
        call_open(&c[i], LANE_SCRAPE, srv[i].url);
    }
    size_t most = 0, sum = 0;
    for (int turn = 0; turn < TURNS; turn++) {
        if (turn == TURNS / 2) {
            call_init(&page, k);
            call_open(&page, LANE_SCRAPE, k->url);
        }
        delivered = 0;
        uv_run(loop_uv(k->l), UV_RUN_NOWAIT);
        sum += delivered;
        most = most > delivered ? most : delivered;
    }
    assert_in_range(most, 1, TURN_MAX);
    assert_true(sum > FLOODS * TURN_MAX);
    assert_true(page.ends == 1 && page.status == 200);
    call_free(&page);
    for (size_t i = 0; i < FLOODS; i++) {
        assert_non_null(c[i].extra);
        http_cancel(c[i].r);
        call_free(&c[i]);
        raw_server_close(&srv[i]);
        buf_free(&now[i].block);
    }
}

CASES("net/flood")
