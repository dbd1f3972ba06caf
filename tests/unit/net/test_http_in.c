/* The server's request parser: what is understood, what is refused and how, whatever the pieces in which it
 * arrives. */
#include "../case.h"
#include "../each.h"
#include "http_in.h"
#include "base/mem.h"

/* A parser with that cap, which is freed at the end of its scope. */
#define IN(in, cap)                                                                                          \
    __attribute__((cleanup(http_in_free))) struct http_in in;                                                \
    http_in_init(&in, cap)

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
        IN(in, 100);
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
    }
}

CASE(chunked_bodies) {
    static const char text[] = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
                               "Chunked\r\n\r\n3;ext=1\r\nabc\r\nA\r\n0123456789\r\n0\r\n"
                               "Trailer: ignored\r\n\r\n";
    for (size_t step = 1; step < sizeof text; step++) {
        IN(in, 13);
        assert_int_equal(feed(&in, slice_of(text), step), sizeof text - 1);
        assert_true(in.complete);
        assert_true(slice_eqs(buf_slice(&in.body), "abc0123456789"));
        assert_int_equal(in.n, 2);
    }
}

/* Refused with that status in whatever pieces it comes, and nothing is taken after it. */
static void refused(struct slice text, int status) {
    for (size_t step = 1; step < 300; step += 37) {
        IN(in, 10);
        feed(&in, text, step);
        if (in.refused != status)
            print_error("%.*s, step %zu: %d %s\n", SLF(text), step, in.refused, in.why ? in.why : "");
        assert_int_equal(in.refused, status);
        assert_false(in.complete);
        assert_non_null(in.why);
        assert_int_equal(http_in_feed(&in, SL("GET / HTTP/1.1\r\n\r\n")), 0);
    }
}

CASE(refusals) {
    /* What follows the request line and the host of a POST. */
    static const struct {
        int status;
        const char *rest;
    } posts[] = {
        {400, "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"},
        {400, "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n"},
        {400, "Content-Length: 3\r\nContent-Length: 3\r\n\r\n"},
        {400, "Content-Length: 3, 3\r\n\r\n|Content-Length: +3\r\n\r\n|Content-Length: -3\r\n\r\n"},
        {400, "Content-Length: 99999999999999999999999\r\n\r\n"},
        {400, "Content-Length : 3\r\n\r\nabc|Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"},
        {400, "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"},
        {501, "Transfer-Encoding: gzip, chunked\r\n\r\n|Transfer-Encoding: xchunked\r\n\r\n"},
        {501, "Transfer-Encoding: chunked, identity\r\n\r\n"},
        {400, "Transfer-Encoding: chunked\r\n\r\nzz\r\n"},
        {400, "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n"},
        {413, "Transfer-Encoding: chunked\r\n\r\nb\r\n01234567890\r\n|Content-Length: 11\r\n\r\n"},
        {400, "Host: g\r\n\r\n|a b: x\r\n\r\n|: x\r\n\r\n|x\r\n\r\n|x: a\001b\r\n\r\n"},
        {400, "Content-Length: 1\r\n 0\r\n\r\n0123456789"},
        {501, "Transfer-Encoding: chun\r\n ked\r\n\r\n0\r\n\r\n"},
        {417, "Expect: 200-ok\r\n\r\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(posts); i++) {
        each_of(rest, posts[i].rest) {
            cleanup_free char *text = xasprintf("POST / HTTP/1.1\r\nHost: h\r\n%.*s", SLF(rest));
            refused(slice_of(text), posts[i].status);
        }
    }
    each_of(line,
            "GET / HTTP/1.1.1|GET / SPDY/1|GET  HTTP/1.1|GET x HTTP/1.1|BREW / HTTP/1.1|get / HTTP/1.1") {
        cleanup_free char *text = xasprintf("%.*s\r\nHost: h\r\n\r\n", SLF(line));
        refused(slice_of(text), 400);
    }
    refused(SL("GET / HTTP/2.0\r\nHost: h\r\n\r\n"), 505);
    refused(SL("CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n"), 405);
    refused(SL("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
    each_of(text, "GET / HTTP/1.1\r\n\r\n|\026\003\001\002|PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") {
        refused(text, 400);
    }
}

CASE(heads_have_a_cap) {
    for (int kind = 0; kind < 3; kind++) {
        IN(in, 10);
        cleanup_buf struct buf b = BUF(1 << 20);
        buf_addf(&b, "GET /%0*d HTTP/1.1\r\nHost: h\r\n", kind == 0 ? 70000 : 1, 0);
        for (int i = 0; kind == 1 && i < 100; i++) buf_addf(&b, "X-%d: y\r\n", i);
        buf_addf(&b, "Long: %0*d\r\n\r\n", kind == 2 ? 70000 : 1, 0);
        feed(&in, buf_slice(&b), 1000);
        assert_int_equal(in.refused, 431);
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
        IN(in, 10);
        assert_int_equal(feed(&in, slice_of(cases[i].text), 7), strlen(cases[i].text));
        assert_true(in.complete);
        assert_true(slice_eqs(http_in_target(&in), cases[i].target));
        assert_int_equal(in.keep_alive, cases[i].keep_alive);
    }
}

CASE(expect_continue) {
    IN(in, 10);
    feed(&in, SL("PUT / HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\n"), 1000);
    assert_true(in.want_continue);
    feed(&in, SL("ab"), 1);
    assert_false(in.want_continue);
    assert_true(in.complete);
    http_in_reset(&in); /* an older client cannot mean it */
    feed(&in, SL("PUT / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"), 1000);
    assert_false(in.want_continue);
}

CASES("net/http_in")
