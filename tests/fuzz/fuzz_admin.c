/* Requests to the admin port (three lines: target, Accept-Encoding, method): each has one answer, which can
 * be unpacked. */
#include "fuzz.h"
#include "simworld/alone.h"
#include "gunzip.h"
#include "obs/obs.h"

static bool check(void *ctx, struct buf *why) {
    (void)ctx;
    buf_adds(why, "because");
    return false;
}

static void page(void *ctx, struct buf *out) {
    (void)ctx;
    for (int i = 0; i < 100; i++) buf_adds(out, "<all & \"everything\">\n");
}

FUZZ(in) {
    struct alone alone;
    struct alone_answer a;
    struct admin *admin = NULL;
    struct http_headers h = {.n = 0};
    struct slice target, accept, method, rest;
    slice_cut(in, '\n', &target, &rest);
    slice_cut(rest, '\n', &accept, &rest);
    slice_cut(rest, '\n', &method, &rest);
    cleanup_free char *target_text = slice_dup(target), *method_text = slice_dup(method);
    http_headers_add(&h, SL("Accept-Encoding"), accept);

    struct metrics *m = metrics_new(100);
    alone_init(&alone, 1);
    FUZZ_CHECK(admin_start(alone.w, ":0", m, NULL, &admin, NULL) == 0);
    admin_check(admin, "leader", false, check, NULL);
    admin_page(admin, "/page", "text/plain", page, NULL);
    alone_request(&alone, &a, method_text, target_text, &h);
    FUZZ_CHECK(a.ended && a.status >= 200 && a.status <= 500);
    if (a.encoding[0]) {
        cleanup_buf struct buf out = BUF(1 << 20);
        FUZZ_CHECK(gunzip(buf_slice(&a.body), &out));
    }
    alone_answer_free(&a);
    admin_stop(admin);
    metrics_free(m);
    alone_free(&alone);
}
