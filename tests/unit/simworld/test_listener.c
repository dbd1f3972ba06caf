/* Hosts that listen: requests between processes, streams, clients that leave, listeners that close or die. */
#include "helper.h"

struct service {
    struct http_listener *l;
    struct http_exchange *open; /* the last one not answered */
    int asked, gone;
    char seen[256];
    bool answer;
};

static void on_gone(void *ctx) {
    struct service *s = ctx;
    s->gone++;
    s->open = NULL;
}

static void handle(void *ctx, struct http_exchange *x) {
    struct service *s = ctx;
    s->asked++;
    (void)snprintf(s->seen, sizeof s->seen, "%.*s %.*s %.*s %.*s", SLF(http_x_method(x)),
                   SLF(http_x_target(x)), SLF(http_x_header(x, "x-test")), SLF(http_x_body(x)));
    if (s->answer) {
        http_reply(x, 200, "text/plain", SL("hello"));
        return;
    }
    s->open = x;
    http_on_gone(x, on_gone, s);
}

static void listen_on(struct world *w, const char *addr, struct service *s,
                      const struct http_limits *limits) {
    struct err err = {0};
    if (http_listen(w, addr, limits, handle, s, &s->l, &err) < 0) fail_msg("%s", err.msg);
}

FIELD_CASE(1, requests_between_hosts) {
    struct service s = {.answer = true}, local = {.answer = true};
    listen_on(f->b, ":8080", &s, NULL);
    listen_on(f->b, "127.0.0.1:9090", &local, NULL);
    assert_int_equal(http_listener_port(s.l), 8080);
    struct http_headers h = {0};
    (void)http_headers_add(&h, SL("X-Test"), SL("yes"));
    cleanup_buf struct buf b = BUF(100);
    assert_int_equal(
        do_request(f->sw, f->a,
                   (struct http_spec){
                       .method = "PUT", .url = "http://b:8080/p?q", .headers = &h, .body = SL("data")},
                   &b),
        200);
    assert_string_equal(buf_str(&b), "hello");
    assert_string_equal(s.seen, "PUT /p?q yes data");
    cleanup_free char *by_ip = xasprintf("http://%s:8080/", simworld_ip(f->b));
    assert_int_equal(ASK(f, .url = by_ip), 200);
    assert_int_equal(ASK(f, .url = "http://b:9090/"), -ECONNREFUSED);
    assert_int_equal(do_request(f->sw, f->b, (struct http_spec){.url = "http://127.0.0.1:9090/"}, NULL), 200);
    assert_int_equal(simworld_get(f->sw, "http://b:8080/x", NULL), 200);
    struct http_listener *l;
    struct err err = {0};
    assert_int_equal(http_listen(f->b, ":8080", NULL, handle, &s, &l, &err), -EADDRINUSE);
    assert_int_equal(http_listen(f->b, "nonsense", NULL, handle, &s, &l, &err), -EINVAL);
    http_listener_close(s.l);
    assert_int_equal(ASK(f, .url = "http://b:8080/"), -ECONNREFUSED);
    listen_on(f->b, "[::]:0", &s, NULL);
    assert_true(http_listener_port(s.l) > 0);
    http_listener_close(s.l);
    http_listener_close(local.l);
}

FIELD_CASE(2, streams) {
    struct service s = {0};
    listen_on(f->b, ":80", &s, NULL);
    cleanup_got struct got g = GOT(f->sw);
    start(f->a, &g, (struct http_spec){.url = "http://b/stream"});
    simworld_run(f->sw, NS_PER_S);
    assert_non_null(s.open);
    assert_int_equal(g.heads, 0);
    http_reply_begin(s.open, 201, "text/x", NULL);
    http_reply_send(s.open, SL("one"));
    simworld_run(f->sw, NS_PER_S);
    assert_string_equal(buf_str(&g.body), "one");
    assert_string_equal(g.type, "text/x");
    http_reply_send(s.open, SL("two"));
    http_reply_end(s.open);
    simworld_run(f->sw, NS_PER_S);
    assert_string_equal(buf_str(&g.body), "onetwo");
    assert_true(g.ends == 1 && !g.failed && g.status == 201);
    got_again(&g);
    start(f->a, &g, (struct http_spec){.url = "http://b/stream"});
    simworld_run(f->sw, NS_PER_S);
    http_reply_begin(s.open, 200, "text/x", NULL);
    http_reply_send(s.open, SL("part"));
    http_reply_abort(s.open);
    simworld_run(f->sw, NS_PER_S);
    assert_true(g.ends == 1 && g.failed && g.err.kind == ERR_TRANSPORT);
    assert_string_equal(buf_str(&g.body), "part");
    assert_int_equal(s.gone, 0);
    http_listener_close(s.l);
}

FIELD_CASE(3, clients_that_leave) {
    struct service s = {0};
    listen_on(f->b, ":80", &s, NULL);
    cleanup_got struct got g = GOT(f->sw);
    start(f->a, &g, (struct http_spec){.url = "http://b/"});
    simworld_run(f->sw, NS_PER_S);
    http_cancel(g.req);
    assert_int_equal(s.gone, 0);
    simworld_run(f->sw, NS_PER_S);
    assert_int_equal(s.gone, 1);
    start(f->a, &g, (struct http_spec){.url = "http://b/"}); /* answered just before its callback */
    simworld_run(f->sw, NS_PER_S);
    http_cancel(g.req);
    http_reply(s.open, 200, "text/plain", SL("x"));
    simworld_run(f->sw, NS_PER_S);
    assert_int_equal(s.gone, 1);
    start(f->a, &g, (struct http_spec){.url = "http://b/"}); /* the client's crash */
    simworld_run(f->sw, NS_PER_S);
    simworld_kill(f->a);
    http_cancel(g.req);
    simworld_run(f->sw, NS_PER_S);
    assert_int_equal(s.gone, 2);
    http_listener_close(s.l);
}

FIELD_CASE(4, closing_and_crashing) {
    struct service s = {0};
    listen_on(f->b, ":80", &s, NULL);
    cleanup_got struct got g = GOT(f->sw), h = GOT(f->sw);
    start(f->a, &g, (struct http_spec){.url = "http://b/"});
    simworld_run(f->sw, NS_PER_S);
    http_listener_close(s.l);
    assert_int_equal(s.gone, 1); /* before it returns */
    simworld_run(f->sw, NS_PER_S);
    assert_true(g.ends == 1 && g.failed);

    listen_on(f->b, ":80", &s, NULL);
    got_again(&g);
    start(f->a, &g, (struct http_spec){.url = "http://b/"});
    simworld_run(f->sw, NS_PER_S);
    start(f->a, &h, (struct http_spec){.url = "http://b/"}); /* under way when it dies */
    while (simworld_stats(f->sw).sent < 3) simworld_step(f->sw);
    simworld_kill(f->b);
    simworld_run(f->sw, NS_PER_S);
    assert_int_equal(s.gone, 1);
    assert_true(g.ends == 1 && g.failed && h.ends == 1 && h.failed);
    http_listener_close(s.l); /* its owner frees it */
    assert_int_equal(s.gone, 2);
    assert_int_equal(ASK(f, .url = "http://b/"), -ECONNREFUSED);
    simworld_restart(f->b);
    s.answer = true;
    listen_on(f->b, ":80", &s, NULL);
    assert_int_equal(ASK(f, .url = "http://b/"), 200);
    simworld_freeze(f->b); /* connected by its machine, answered when it goes on */
    got_again(&g);
    start(f->a, &g, (struct http_spec){.url = "http://b/"});
    simworld_run(f->sw, 5 * NS_PER_S);
    assert_int_equal(g.heads, 0);
    simworld_thaw(f->b);
    simworld_run(f->sw, NS_PER_S);
    assert_int_equal(g.ends, 1);
    http_listener_close(s.l);
}

FIELD_CASE(5, limits) {
    struct service s = {.answer = true};
    listen_on(f->b, ":80", &s, &(struct http_limits){.body_cap = 4, .connections = 2, .send_cap = 1000});
    assert_int_equal(ASK(f, .method = "POST", .url = "http://b/", .body = SL("12345")), 413);
    assert_int_equal(s.asked, 0);
    s.answer = false;
    struct got g[3] = {GOT(f->sw), GOT(f->sw), GOT(f->sw)};
    for (int i = 0; i < 3; i++) {
        start(f->a, &g[i], (struct http_spec){.url = "http://b/"});
    }
    simworld_run(f->sw, NS_PER_S);
    assert_int_equal(g[0].ends + g[1].ends + g[2].ends, 1); /* one too many */
    assert_int_equal(s.asked, 2);
    struct http_exchange *x = s.open;
    for (int i = 0; i < 3; i++) g[i].hold_after = 1;
    http_reply_begin(x, 200, "text/plain", NULL);
    for (int i = 0; i < 20 && s.gone == 0; i++) { /* the reader takes the first piece only */
        char piece[101];
        memset(piece, 'x', 100);
        http_reply_send(x, slice_make(piece, 100));
        simworld_run(f->sw, 100 * MS);
    }
    assert_int_equal(s.gone, 1);
    http_listener_close(s.l);
    simworld_run(f->sw, NS_PER_S);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(g[i].ends, 1);
        got_free(&g[i]);
    }
}

struct talker {
    struct service s;
    int rooms;
};

static void on_room(void *ctx) {
    struct talker *t = ctx;
    t->rooms++;
    assert_in_range(http_reply_unsent(t->s.open), 0, 99);
}

FIELD_CASE(6, room_is_reported) {
    struct talker t = {0};
    listen_on(f->b, ":80", &t.s, NULL);
    cleanup_got struct got g = GOT(f->sw);
    g.hold_after = 1;
    start(f->a, &g, (struct http_spec){.lane = LANE_WATCH, .url = "http://b/"});
    simworld_run(f->sw, NS_PER_S);
    http_reply_begin(t.s.open, 200, "text/plain", NULL);
    http_on_room(t.s.open, 100, on_room, &t);
    assert_int_equal(t.rooms, 0);
    simworld_run(f->sw, NS_PER_S);
    assert_int_equal(t.rooms, 1); /* there was some all the time */
    for (int i = 0; i < 20; i++) http_reply_send(t.s.open, SL("0123456789"));
    assert_int_equal(http_reply_unsent(t.s.open), 200);
    http_on_room(t.s.open, 100, on_room, &t);
    simworld_run(f->sw, NS_PER_S);
    assert_int_equal(t.rooms, 1); /* the reader took one piece and holds */
    g.hold_after = 0;
    http_resume(g.req);
    simworld_run(f->sw, NS_PER_S);
    assert_int_equal(t.rooms, 2);
    assert_int_equal(g.body.n, 200);
    http_listener_close(t.s.l);
}

CASES("simworld/listener")
