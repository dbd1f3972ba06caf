/* See kit.h. */
#include "kit.h"

static void on_guard(void *ctx) {
    struct kit *k = ctx;
    k->late = true;
    loop_stop(k->l);
}

struct kit *kit_new(void) {
    struct kit *k = xcalloc(1, sizeof *k);
    k->l = loop_new();
    k->w = loop_world(k->l);
    k->n = net_install(k->l);
    k->guard = timer_new(k->w, on_guard, k);
    return k;
}

void kit_free(struct kit *k) {
    if (k->server) http_listener_close(k->server);
    timer_free(k->guard);
    timer_free(k->timer);
    net_uninstall(k->n);
    loop_free(k->l);
    free(k);
}

void kit_run(struct kit *k) {
    timer_in(k->guard, 20 * NS_PER_S);
    loop_run(k->l);
    timer_stop(k->guard);
    assert_false(k->late);
}

void kit_stop(void *ctx) {
    struct kit *k = ctx;
    loop_stop(k->l);
}

void kit_turns(struct kit *k, int n) {
    for (int i = 0; i < n; i++) {
        world_defer(k->w, kit_stop, k);
        kit_run(k);
    }
}

const char *kit_at(struct kit *k, const char *path) {
    static char url[256];
    snprintf(url, sizeof url, "%s%s", k->url, path);
    return url;
}

void kit_serve(struct kit *k, http_handler fn, void *ctx, const struct http_limits *limits) {
    struct err err = {0};
    assert_int_equal(http_listen(k->w, "127.0.0.1:0", limits, fn, ctx, &k->server, &err), 0);
    k->port = http_listener_port(k->server);
    snprintf(k->url, sizeof k->url, "http://127.0.0.1:%d", k->port);
}

void call_init(struct call *c, struct kit *k) {
    *c = (struct call){.k = k};
    buf_init(&c->body, 512u << 20);
}

void call_failed(const struct call *c, enum err_kind kind, int errnum) {
    if (c->err.kind != kind) print_error("%s\n", c->err.msg);
    assert_int_equal(c->err.kind, kind);
    assert_int_equal(c->err.errnum, errnum);
}

void call_ok(const struct call *c, int status, const char *body) {
    call_failed(c, ERR_NONE, 0);
    assert_int_equal(c->status, status);
    assert_buf(c->body, body);
}

void call_free(struct call *c) {
    buf_free(&c->body);
}

static void on_head(void *ctx, int status, const struct http_headers *h) {
    struct call *c = ctx;
    assert_int_equal(c->heads, 0);
    assert_int_equal(c->body.n, 0);
    c->heads++;
    c->status = status;
    struct slice type = http_headers_get(h, "content-type");
    snprintf(c->type, sizeof c->type, "%.*s", SLF(type));
    if (c->on_head) c->on_head(c);
}

static enum http_pull on_body(void *ctx, struct slice data) {
    struct call *c = ctx;
    assert_int_equal(c->heads, 1);
    assert_int_equal(c->ends, 0);
    assert_false(c->held);
    buf_add(&c->body, data);
    if (c->on_body) c->on_body(c);
    c->held = c->hold_at && c->body.n >= c->hold_at;
    return c->held ? HTTP_HOLD : HTTP_MORE;
}

static void on_end(void *ctx, const struct err *err, int status) {
    struct call *c = ctx;
    assert_int_equal(c->ends, 0);
    c->ends++;
    c->r = NULL;
    assert_int_equal(status, c->status);
    if (err) c->err = *err;
    if (c->on_end) c->on_end(c);
    loop_stop(c->k->l);
}

int call_try(struct call *c, const struct http_spec *spec) {
    static const struct http_client_cb cb = {on_head, on_body, on_end};
    return http_start(c->k->w, spec, &cb, c, &c->r, &c->err);
}

void call_start(struct call *c, const struct http_spec *spec) {
    assert_int_equal(call_try(c, spec), 0);
    assert_int_equal(c->ends, 0);
}

void call_wait(struct call *c) {
    while (!c->ends) kit_run(c->k);
}

void call_do(struct call *c, const struct http_spec *spec) {
    call_start(c, spec);
    call_wait(c);
}

void call_open(struct call *c, enum http_lane lane, const char *url) {
    struct http_spec spec = {.lane = lane, .method = "GET", .url = url};
    call_start(c, &spec);
}

void call_get(struct call *c, enum http_lane lane, const char *url) {
    call_open(c, lane, url);
    call_wait(c);
}

/* ---- raw sockets ---- */
static void alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret) {
    (void)handle;
    *ret = uv_buf_init(xmalloc(suggested), (unsigned)suggested);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf) {
    struct raw *r = stream->data;
    if (n > 0) buf_add(&r->in, slice_make(buf->base, (size_t)n));
    free(buf->base);
    if (n > 0 && r->on_data) r->on_data(r);
    if (n < 0) {
        r->eof = true;
        r->reset = n != UV_EOF;
        uv_read_stop(stream);
    }
    loop_stop(r->k->l);
}

static void on_connect(uv_connect_t *req, int status) {
    struct raw *r = req->data;
    assert_int_equal(status, 0);
    r->connected = true;
    loop_stop(r->k->l);
}

void raw_connect(struct raw *r, struct kit *k, int port) {
    *r = (struct raw){.k = k};
    buf_init(&r->in, 512u << 20);
    struct sockaddr_in sa;
    uv_ip4_addr("127.0.0.1", port, &sa);
    uv_tcp_init(loop_uv(k->l), &r->tcp);
    r->tcp.data = r->connect.data = r;
    assert_int_equal(uv_tcp_connect(&r->connect, &r->tcp, (struct sockaddr *)&sa, on_connect), 0);
    while (!r->connected) kit_run(k);
    uv_read_start((uv_stream_t *)&r->tcp, alloc, on_read);
}

struct raw_write {
    uv_write_t req;
    char *data;
};

static void on_written(uv_write_t *req, int status) {
    struct raw_write *w = container_of(req, struct raw_write, req);
    (void)status;
    free(w->data);
    free(w);
}

void raw_send(struct raw *r, struct slice data) {
    struct raw_write *w = xcalloc(1, sizeof *w);
    w->data = slice_dup(data);
    uv_buf_t b = uv_buf_init(w->data, (unsigned)data.n);
    assert_int_equal(uv_write(&w->req, (uv_stream_t *)&r->tcp, &b, 1, on_written), 0);
}

void raw_sends(struct raw *r, const char *text) {
    raw_send(r, slice_of(text));
}

static void on_shutdown(uv_shutdown_t *req, int status) {
    (void)status;
    free(req);
}

void raw_shutdown(struct raw *r) {
    uv_shutdown(xcalloc(1, sizeof(uv_shutdown_t)), (uv_stream_t *)&r->tcp, on_shutdown);
}

bool raw_until(struct raw *r, const char *text) {
    size_t seen = 0; /* looked through already */
    for (;;) {
        if (strstr(buf_str(&r->in) + seen, text)) return true;
        if (r->eof) return false;
        seen = r->in.n > strlen(text) ? r->in.n - strlen(text) : 0;
        kit_run(r->k);
    }
}

void raw_until_eof(struct raw *r) {
    while (!r->eof) kit_run(r->k);
}

void raw_says(struct raw *r, const char *text, const char *last) {
    raw_sends(r, text);
    if (last) assert_true(raw_until(r, last));
    if (!last) raw_until_eof(r);
}

void raw_stop(struct raw *r) {
    uv_read_stop((uv_stream_t *)&r->tcp);
}

void raw_go_on(struct raw *r) {
    uv_read_start((uv_stream_t *)&r->tcp, alloc, on_read);
}

static void on_closed(uv_handle_t *handle) {
    struct raw *r = handle->data;
    r->closed = true;
    loop_stop(r->k->l);
}

static void wait_closed(struct raw *r) {
    while (!r->closed) kit_run(r->k);
    buf_free(&r->in);
}

void raw_close(struct raw *r) {
    uv_close((uv_handle_t *)&r->tcp, on_closed);
    wait_closed(r);
}

void raw_reset(struct raw *r) {
    uv_tcp_close_reset(&r->tcp, on_closed);
    wait_closed(r);
}

static void on_connection(uv_stream_t *stream, int status) {
    struct raw_server *s = stream->data;
    assert_int_equal(status, 0);
    struct raw *r = xcalloc(1, sizeof *r);
    *r = (struct raw){.k = s->socket.k, .on_data = s->socket.on_data, .extra = s->socket.extra};
    buf_init(&r->in, 16u << 20);
    uv_tcp_init(loop_uv(r->k->l), &r->tcp);
    r->tcp.data = r;
    r->next = s->first;
    s->first = r;
    s->accepted++;
    assert_int_equal(uv_accept(stream, (uv_stream_t *)&r->tcp), 0);
    uv_read_start((uv_stream_t *)&r->tcp, alloc, on_read);
}

void raw_serve(struct raw_server *s, struct kit *k, void (*on_data)(struct raw *r), void *extra) {
    *s = (struct raw_server){.socket = {.k = k, .on_data = on_data, .extra = extra}};
    uv_tcp_t *tcp = &s->socket.tcp;
    struct sockaddr_storage sa;
    uv_ip4_addr("127.0.0.1", 0, (struct sockaddr_in *)&sa);
    uv_tcp_init(loop_uv(k->l), tcp);
    tcp->data = s;
    assert_int_equal(uv_tcp_bind(tcp, (struct sockaddr *)&sa, 0), 0);
    assert_int_equal(uv_listen((uv_stream_t *)tcp, 100, on_connection), 0);
    int len = sizeof sa;
    uv_tcp_getsockname(tcp, (struct sockaddr *)&sa, &len);
    s->port = ntohs(((struct sockaddr_in *)&sa)->sin_port);
    snprintf(s->url, sizeof s->url, "http://127.0.0.1:%d/x", s->port);
}

void raw_server_close(struct raw_server *s) {
    raw_close(&s->socket);
    while (s->first) {
        struct raw *r = s->first;
        s->first = r->next;
        if (!uv_is_closing((uv_handle_t *)&r->tcp)) uv_close((uv_handle_t *)&r->tcp, on_closed);
        wait_closed(r);
        free(r);
    }
}
