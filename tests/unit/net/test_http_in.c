/* The server's request parser: what is understood, what is refused and how, whatever the pieces in which it
 * arrives. */
#include "../case.h"
#include "http_in.h"
#include "base/mem.h"

/* Feeds text in pieces of at most step bytes; how many were taken. */
static size_t feed(struct http_in *in, struct slice text, size_t step) {
    size_t at = 0;
    while (at < text.n && !in->complete && !in->refused) {
        size_t n = text.n - at < step ? text.n - at : step;
        at += http_in_feed(in, slice_make(text.p + at, n));
    }
    return at;
}

CASE(understands_a_request) {
    static const char text[] = "\r\nPATCH /apis/x?a=b HTTP/1.1\r\nHost: h\r\nX-Empty:\r\nx-test:  a value "
                               "\r\nContent-Length: 3\r\n\r\nabcGET";
    for (size_t step = 1; step < sizeof text; step++) {
        struct http_in in;
        http_in_init(&in, 100);
        assert_int_equal(feed(&in, SL("\r\n"), step), 2);
        assert_false(in.begun);
        assert_int_equal(feed(&in, slice_of(text), step), sizeof text - 1 - 3);
        assert_true(in.complete);
        assert_true(in.keep_alive);
        assert_true(slice_eqs(http_in_method(&in), "PATCH"));
        assert_true(slice_eqs(http_in_target(&in), "/apis/x?a=b"));
        assert_true(slice_eqs(buf_slice(&in.body), "abc"));
        struct http_headers h;
        http_in_headers(&in, &h);
        assert_int_equal(h.n, 4);
        assert_true(slice_eqs(http_headers_get(&h, "X-Test"), "a value"));
        assert_int_equal(http_headers_get(&h, "X-Empty").n, 0);
        http_in_reset(&in);
        feed(&in, SL("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"), step);
        assert_true(in.complete);
        assert_false(in.keep_alive);
        http_in_free(&in);
    }
}

CASE(chunked_bodies) {
    static const char text[] = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
                               "Chunked\r\n\r\n3;ext=1\r\nabc\r\nA\r\n0123456789\r\n0\r\n"
                               "Trailer: ignored\r\n\r\n";
    for (size_t step = 1; step < sizeof text; step++) {
        struct http_in in;
        http_in_init(&in, 13);
        assert_int_equal(feed(&in, slice_of(text), step), sizeof text - 1);
        assert_true(in.complete);
        assert_true(slice_eqs(buf_slice(&in.body), "abc0123456789"));
        assert_int_equal(in.n, 2);
        http_in_free(&in);
    }
}

CASE(refusals) {
#define H "GET / HTTP/1.1\r\nHost: h\r\n"
    static const struct {
        const char *text;
        int status;
    } cases[] = {
        {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3, 3\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +3\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -3\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999999\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length : 3\r\n\r\nabc", 400},
        {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
         400},
        {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501},
        {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n", 501},
        {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, identity\r\n\r\n", 501},
        {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400},
        {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n", 400},
        {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n01234567890\r\n", 413},
        {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n", 413},
        {"GET / HTTP/1.1\r\n\r\n", 400},
        {H "Host: g\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n 0\r\n\r\n0123456789", 400},
        {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chun\r\n ked\r\n\r\n0\r\n\r\n", 501},
        {H "a b: x\r\n\r\n", 400},
        {H ": x\r\n\r\n", 400},
        {H "x\r\n\r\n", 400},
        {H "x: a\001b\r\n\r\n", 400},
        {H "Expect: 200-ok\r\n\r\n", 417},
        {"GET / HTTP/2.0\r\nHost: h\r\n\r\n", 505},
        {"GET / HTTP/1.1.1\r\nHost: h\r\n\r\n", 400},
        {"GET / SPDY/1\r\nHost: h\r\n\r\n", 400},
        {"GET  HTTP/1.1\r\nHost: h\r\n\r\n", 400},
        {"GET x HTTP/1.1\r\nHost: h\r\n\r\n", 400},
        {"BREW / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
        {"get / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
        {"CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n", 405},
        {"\026\003\001\002", 400},
        {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (size_t step = 1; step < 300; step += 37) {
            struct http_in in;
            http_in_init(&in, 10);
            feed(&in, slice_of(cases[i].text), step);
            if (in.refused != cases[i].status)
                print_error("case %zu, step %zu: %d %s\n", i, step, in.refused, in.why ? in.why : "");
            assert_int_equal(in.refused, cases[i].status);
            assert_false(in.complete);
            assert_non_null(in.why);
            assert_int_equal(http_in_feed(&in, SL("GET / HTTP/1.1\r\n\r\n")),
                             0); /* and nothing is taken after it */
            http_in_free(&in);
        }
    }
}

CASE(heads_have_a_cap) {
    for (int kind = 0; kind < 3; kind++) {
        struct http_in in;
        http_in_init(&in, 10);
        struct buf b = BUF(1 << 20);
        buf_adds(&b, "GET /");
        for (int i = 0; kind == 0 && i < 70000; i++) buf_addc(&b, 'x');
        buf_adds(&b, " HTTP/1.1\r\nHost: h\r\n");
        for (int i = 0; kind == 1 && i < 100; i++) buf_addf(&b, "X-%d: y\r\n", i);
        buf_adds(&b, "Long: ");
        for (int i = 0; kind == 2 && i < 70000; i++) buf_addc(&b, 'x');
        buf_adds(&b, "\r\n\r\n");
        feed(&in, buf_slice(&b), 1000);
        assert_int_equal(in.refused, 431);
        buf_free(&b);
        http_in_free(&in);
    }
}

CASE(other_versions_and_forms) {
    static const struct {
        const char *text, *target;
        bool keep_alive;
    } cases[] = {
        {"GET /a HTTP/1.0\r\n\r\n", "/a", false},
        {"GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "/a", true},
        {"GET http://h:80/a?b HTTP/1.1\r\nHost: h\r\n\r\n", "/a?b", true},
        {"GET https://h HTTP/1.1\r\nHost: h\r\n\r\n", "/", true},
        {"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", "*", true},
        {"GET /a HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n", "/a",
         true},
        {"GET /a HTTP/1.1\nHost: h\n\n", "/a", true},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct http_in in;
        http_in_init(&in, 10);
        assert_int_equal(feed(&in, slice_of(cases[i].text), 7), strlen(cases[i].text));
        assert_true(in.complete);
        assert_true(slice_eqs(http_in_target(&in), cases[i].target));
        assert_int_equal(in.keep_alive, cases[i].keep_alive);
        http_in_free(&in);
    }
}

CASE(expect_continue) {
    struct http_in in;
    http_in_init(&in, 10);
    feed(&in, SL("PUT / HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\n"), 1000);
    assert_true(in.want_continue);
    feed(&in, SL("ab"), 1);
    assert_false(in.want_continue);
    assert_true(in.complete);
    http_in_reset(&in); /* an older client cannot mean it */
    feed(&in, SL("PUT / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"), 1000);
    assert_false(in.want_continue);
    http_in_free(&in);
}

CASES("net/http_in")
