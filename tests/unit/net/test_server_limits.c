/* The HTTP server and clients that ask for too much, too slowly, or leave. */
#include "../case.h"
#include "server_kit.h"

/* Far more than is read ahead: reading stops meanwhile and goes on afterwards, nothing is lost. */
NET_CASE(a_flood_of_pipelined_requests) {
    DIAL(r, a, k, NULL);
    enum { N = 20000 };
    cleanup_buf struct buf b = BUF(64 << 20);
    buf_adds(&b, GET("/later"));
    for (int i = 0; i < N; i++) buf_adds(&b, GET("/x"));
    raw_send(&r, buf_slice(&b));
    raw_shutdown(&r);
    while (!a.nopen) kit_run(k);
    kit_turns(k, 20);
    http_reply(a.open[0], 200, NULL, SL(""));
    raw_until_eof(&r);
    assert_int_equal(a.requests, N + 1);
    assert_int_equal(r.in.n,
                     strlen("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") + N * strlen(OK("0", "")));
}

/* The refusal reaches a client that is still sending, instead of a reset. */
NET_CASE(too_large_bodies) {
    DIAL(length, a, k, &(struct http_limits){.body_cap = 1000});
    RAW(chunked, k, k->port);
    raw_sends(&length, "PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: 1000001\r\n\r\n");
    raw_sends(&chunked, "PUT /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n100000\r\n");
    struct raw *const both[] = {&length, &chunked};
    for (size_t i = 0; i < 2; i++) {
        static char junk[1 << 20];
        raw_send(both[i], slice_make(junk, sizeof junk));
        raw_until_eof(both[i]);
        assert_false(both[i]->reset);
        assert_true(slice_starts(buf_slice(&both[i]->in), SL("HTTP/1.1 413 Payload Too Large\r\n")));
        assert_has(buf_str(&both[i]->in), "Connection: close\r\n");
    }
    assert_int_equal(a.requests, 0);
}

NET_CASE(smuggling_is_refused) {
    DIAL(r, a, k, NULL);
    raw_says(&r,
             GET("/fine") "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: "
                          "chunked\r\n\r\n0\r\n\r\n" GET("/smuggled"),
             NULL);
    assert_true(slice_starts(buf_slice(&r.in), SL(OK("0", "") "HTTP/1.1 400 Bad Request\r\n")));
    assert_int_equal(a.requests, 1);
    assert_string_equal(a.seen, "/fine");
}

NET_CASE(late_requests) {
    DIAL(r, a, k, &(struct http_limits){.header_ns = 50 * NS_PER_MS});
    RAW(silent, k, k->port);
    raw_says(&r, "GET /x HTTP/1.1\r\nHost:", NULL);
    assert_true(slice_starts(buf_slice(&r.in), SL("HTTP/1.1 408 Request Timeout\r\n")));
    raw_until_eof(&silent);
    assert_int_equal(silent.in.n, 0); /* who asks for nothing gets nothing */
}

/* One more than there may be: which one goes? Four connections are open, each held in its way. */
NET_CASE(a_new_connection_takes_the_place_of_an_idle_one) {
    enum { N = 4 };
    static const struct {
        char held[N]; /* silent, kept alive, half a request, unread answer, busy */
        int goes;     /* -1: the new one */
    } cases[] = {{"ssss", 0}, {"hhhh", 0}, {"uuuu", 0}, {"bbbb", -1}, {"hshs", 1},
                 {"bhuk", 3}, {"kksh", 0}, {"bbub", 2}, {"bubh", 3}};
    static char junk[24 << 20];
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct app a = {.k = k};
        struct raw r[N + 1];
        kit_serve(k, app, &a, &(struct http_limits){.connections = N, .body_cap = sizeof junk});
        for (size_t n = 0; n < N; n++) {
            raw_connect(&r[n], k, k->port);
            char how = cases[i].held[n];
            if (how == 'k') raw_sends(&r[n], GET("/x"));
            if (how == 'k') assert_true(raw_until(&r[n], OK("0", "")));
            if (how == 'h') raw_sends(&r[n], "GET /x HTTP/1.1\r\nHo");
            if (how == 'b') raw_sends(&r[n], GET("/later"));
            if (how == 'u') {
                raw_stop(&r[n]);
                int before = a.requests;
                raw_sends(&r[n], "PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: 25165824\r\n\r\n");
                raw_send(&r[n], slice_make(junk, sizeof junk));
                for (int t = 0; a.requests == before && t < 100000; t++) kit_turns(k, 1);
            }
            kit_turns(k, 5);
        }
        raw_connect(&r[N], k, k->port);
        raw_sends(&r[N], GET("/x"));
        int goes = cases[i].goes;
        if (goes >= 0 && cases[i].held[goes] != 'u') raw_until_eof(&r[goes]);
        assert_int_equal(raw_until(&r[N], OK("0", "")), goes >= 0);
        for (int n = 0; n < N; n++) assert_int_equal(r[n].eof, n == goes && cases[i].held[n] != 'u');
        struct http_listener *l = k->server;
        k->server = NULL;
        for (int n = 0; n <= N; n++) raw_close(&r[n]);
        http_listener_close(l);
    }
}

NET_CASE(clients_that_leave_are_noticed) {
    struct app a = {.k = k};
    kit_serve(k, app, &a, NULL);
    for (int how = 0; how < 4; how++) {
        struct raw r;
        raw_connect(&r, k, k->port);
        struct http_exchange *x = later(&a, &r);
        if (how & 1) {
            http_reply_begin(x, 200, NULL, NULL);
            http_reply_send(x, SL("data"));
            assert_true(raw_until(&r, "data"));
        }
        (how & 2 ? raw_reset : raw_close)(&r);
        while (a.gone <= how) kit_run(k);
    }
}

NET_CASE(an_unwatched_exchange_may_be_answered_into_the_void) {
    struct app a = {.k = k};
    kit_serve(k, app, &a, NULL);
    for (int how = 0; how < 3; how++) {
        struct raw r;
        raw_connect(&r, k, k->port);
        raw_sends(&r, GET("/unwatched"));
        while (a.nopen <= how) kit_run(k);
        raw_close(&r);
        kit_turns(k, 5);
        struct http_exchange *x = a.open[how];
        assert_true(slice_eqs(http_x_target(x), "/unwatched"));
        if (how == 0) http_reply(x, 200, NULL, SL("x"));
        if (how > 0) http_reply_begin(x, 200, NULL, NULL);
        if (how > 0) http_reply_send(x, SL("x"));
        if (how == 1) http_reply_end(x);
        if (how == 2) http_reply_abort(x);
    }
}

NET_CASE(a_slow_reader_is_dropped) {
    DIAL(r, a, k, &(struct http_limits){.send_cap = 100000});
    struct http_exchange *x = later(&a, &r);
    static char junk[50000];
    raw_stop(&r);
    http_reply_begin(x, 200, NULL, NULL);
    for (int i = 0; i < 1000 && !a.gone; i++) {
        http_reply_send(x, slice_make(junk, sizeof junk));
        assert_int_equal(a.gone, 0); /* never inside the call */
        kit_turns(k, 2);
    }
    assert_int_equal(a.gone, 1);
}

/* Answers that nobody reads are bounded together: the one with the most unsent goes. */
NET_CASE(slow_readers_are_bounded_together) {
    enum { CAP = 24 << 20, PART = 1 << 20 };
    struct app a;
    struct raw r[2];
    struct http_limits limits = {.total_cap = CAP, .send_cap = 2 * CAP};
    static char junk[2 * PART];
    dial(&r[0], &a, k, &limits);
    raw_connect(&r[1], k, k->port);
    for (int i = 0; i < 2; i++) {
        http_reply_begin(later(&a, &r[i]), 200, NULL, NULL);
        raw_stop(&r[i]);
    }
    while (!a.gone) {
        size_t sum = 0;
        for (size_t i = 0; i < 2; i++) {
            http_reply_send(a.open[i], slice_make(junk, (i + 1) * PART));
            assert_int_equal(a.gone, 0); /* never inside the call */
            sum += http_reply_unsent(a.open[i]);
        }
        assert_in_range(sum, 0, CAP + 3 * PART);
        kit_turns(k, 2);
    }
    assert_in_range(http_reply_unsent(a.open[0]), 1, CAP / 2);
    http_reply_end(a.open[0]);
    for (int i = 0; i < 2; i++) raw_close(&r[i]);
}

static void on_room(void *ctx) {
    struct app *a = ctx;
    a->rooms++;
    if (a->nopen == 1) assert_in_range(http_reply_unsent(a->open[0]), 0, (1 << 20) - 1);
    loop_stop(a->k->l);
}

/* Who has much to say hears when it may go on: once, and never inside its call. */
NET_CASE(room_is_reported) {
    enum { MUCH = 30 << 20, BELOW = 1 << 20 };
    DIAL(r, a, k, &(struct http_limits){.send_cap = 2 * MUCH});
    struct http_exchange *x = later(&a, &r);
    http_reply_begin(x, 200, NULL, NULL);
    http_on_room(x, BELOW, on_room, &a);
    assert_int_equal(a.rooms, 0);
    while (!a.rooms) kit_run(k); /* there was room all the time */
    raw_stop(&r);
    for (int i = 0; i < MUCH; i += BELOW) {
        static char junk[BELOW];
        http_reply_send(x, slice_make(junk, sizeof junk));
    }
    http_on_room(x, BELOW, on_room, &a);
    kit_turns(k, 20);
    assert_int_equal(a.rooms, 1);
    assert_true(http_reply_unsent(x) >= BELOW);
    raw_go_on(&r);
    while (a.rooms < 2) kit_run(k);
    kit_turns(k, 20);
    assert_int_equal(a.rooms, 2);
    http_reply_end(x);
    struct http_exchange *left = later(&a, &r);
    http_on_room(left, 0, on_room, &a); /* never */
    raw_reset(&r);
    while (!a.gone) kit_run(k);
    assert_int_equal(a.rooms, 2);
    raw_connect(&r, k, k->port);
}

CASES("net/server_limits")
