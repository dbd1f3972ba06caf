/* Metrics pages and selectors: any bytes, any cut of them, the same answer; what is added up is finite. The
 * first byte says how the page is cut: into even pieces, and at random; what stands before a byte 0x01 is a
 * selector for both sums. */
#include "fuzz.h"
#include "base/err.h"
#include "base/rand.h"
#include "judge/promtext.h"
#include <math.h>

/* cut: of even pieces; 0: of random ones, from none at all to a few lines. Every piece is a copy of its own,
 * so that the sanitizer sees a read past it, and a use of one that has gone. */
static int read_page(struct slice text, size_t cut, const struct prom_sum *sum, struct prom_page *ret,
                     struct err *err) {
    struct promtext *p = promtext_new(sum, sum);
    struct rng rng = {text.n};
    int rc = 0;
    while (text.n && rc == 0) {
        size_t n = cut ? cut : (size_t)rng_below(&rng, rng_below(&rng, 2) ? 4 : 200);
        if (n > text.n) n = text.n;
        char *piece = slice_dup(slice_make(text.p, n));
        rc = promtext_feed(p, slice_make(piece, n), err);
        free(piece);
        text = slice_make(text.p + n, text.n - n);
    }
    if (rc == 0) rc = promtext_end(p, ret, err);
    promtext_free(p);
    return rc;
}

FUZZ(text) {
    struct slice selector;
    if (!text.n) return;
    size_t cut = 1 + (unsigned char)text.p[0] % 60;
    text = slice_make(text.p + 1, text.n - 1);
    struct prom_sum *sum = NULL;
    struct err e = {0}, f = {0}, g = {0};
    if (slice_has(text, 1)) {
        slice_cut(text, 1, &selector, &text);
        if (prom_sum_parse(selector, &sum, &e) < 0) FUZZ_CHECK(e.kind == ERR_CONFIG && e.msg[0]);
        e = (struct err){0};
    }
    struct prom_page a = {0}, b = {0}, c = {0};
    int x = read_page(text, text.n + 1, sum, &a, &e), y = read_page(text, cut, sum, &b, &f);
    int z = read_page(text, 0, sum, &c, &g);
    FUZZ_CHECK(x == z && !strcmp(e.msg, g.msg) && !memcmp(&a, &c, sizeof a));
    FUZZ_CHECK(x == y && !strcmp(e.msg, f.msg) && !memcmp(&a, &b, sizeof a));
    FUZZ_CHECK(x == 0 || (e.kind == ERR_PROTOCOL && e.msg[0]));
    for (int w = 0; w < PROM_WHATS && x == 0; w++)
        FUZZ_CHECK(isfinite(a.v[w].value) && (a.v[w].present || a.v[w].value == 0));
    for (size_t i = 0; i < a.controllers; i++)
        FUZZ_CHECK(isfinite(a.controller[i].errors) && a.controller[i].total <= a.v[PROM_TOTAL].value);
    FUZZ_CHECK(a.controllers <= PROM_CONTROLLERS);
    FUZZ_CHECK(x || (a.v[PROM_ERRORS].value >= 0 && a.v[PROM_TOTAL].value >= 0));
    prom_sum_free(sum);
}
