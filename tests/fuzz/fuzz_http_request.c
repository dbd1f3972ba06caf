/* Requests as hostile clients send them. The bytes are read as one connection's stream: what is understood
 * must not depend on the pieces in which it arrives, and a request that was understood has one host, one
 * length and clean names. */
#include "fuzz.h"
#include "base/buf.h"
#include "http_in.h"

enum { BODY_CAP = 512 };

/* What a stream of requests comes to, in pieces of at most step bytes. */
static void run(struct slice text, size_t step, struct buf *out) {
    struct http_in in;
    http_in_init(&in, BODY_CAP);
    for (size_t at = 0; at < text.n && !in.refused;) {
        size_t n = text.n - at < step ? text.n - at : step;
        size_t used = http_in_feed(&in, slice_make(text.p + at, n));
        FUZZ_CHECK(used <= n);
        FUZZ_CHECK(used > 0 || in.refused);
        at += used;
        if (!in.complete) continue;
        struct http_headers h;
        size_t hosts = 0, lengths = 0, encodings = 0;
        http_in_headers(&in, &h);
        for (size_t i = 0; i < h.n; i++) {
            FUZZ_CHECK(http_is_token(h.v[i].name));
            hosts += http_name_eq(h.v[i].name, SL("host"));
            lengths += http_name_eq(h.v[i].name, SL("content-length"));
            encodings += http_name_eq(h.v[i].name, SL("transfer-encoding"));
            buf_addf(out, "%.*s=%.*s\n", SLF(h.v[i].name), SLF(h.v[i].value));
        }
        FUZZ_CHECK(hosts <= 1 && lengths + encodings <= 1);
        FUZZ_CHECK(in.body.n <= BODY_CAP);
        FUZZ_CHECK(lengths + encodings == 1 || in.body.n == 0);
        struct slice target = http_in_target(&in);
        FUZZ_CHECK(target.n > 0 && (target.p[0] == '/' || slice_eqs(target, "*")));
        buf_addf(out, "%.*s %.*s %d\n", SLF(http_in_method(&in)), SLF(target), in.keep_alive);
        buf_add(out, buf_slice(&in.body));
        http_in_reset(&in);
    }
    /* Which of two faults is found first may depend on the pieces, whether there is one may not. */
    buf_addf(out, "end %d %d", in.refused != 0, in.begun);
    http_in_free(&in);
}

FUZZ(text) {
    cleanup_buf struct buf whole = BUF(1 << 20);
    cleanup_buf struct buf pieces = BUF(1 << 20);
    run(text, text.n + 1, &whole);
    run(text, 1, &pieces);
    FUZZ_CHECK(slice_eq(buf_slice(&whole), buf_slice(&pieces)));
    buf_clear(&pieces);
    run(text, 7, &pieces);
    FUZZ_CHECK(slice_eq(buf_slice(&whole), buf_slice(&pieces)));
}
