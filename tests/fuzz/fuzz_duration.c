/* Durations and numbers: what is read and written again is the same. */
#include "fuzz.h"
#include "base/hash.h"
#include "base/time.h"

FUZZ(s) {
    int64_t ns = -1, again = -1;
    char text[32];
    if (duration_parse(s, &ns) == 0) {
        FUZZ_CHECK(ns >= 0);
        duration_format(ns, text);
        FUZZ_CHECK(duration_parse(slice_of(text), &again) == 0 && again == ns);
    } else {
        FUZZ_CHECK(ns == -1);
    }
    if (slice_i64(s, &ns) == 0) {
        snprintf(text, sizeof text, "%lld", (long long)ns);
        FUZZ_CHECK(slice_i64(slice_of(text), &again) == 0 && again == ns);
    }
    double d;
    (void)slice_f64(s, &d);
    cleanup_buf struct buf bytes = BUF(1 << 20), letters = BUF(1 << 21), back = BUF(1 << 20);
    if (base64_decode(s, &bytes) == 0) {
        FUZZ_CHECK(base64_encode(buf_slice(&bytes), &letters) == 0);
        FUZZ_CHECK(base64_decode(buf_slice(&letters), &back) == 0 &&
                   slice_eq(buf_slice(&back), buf_slice(&bytes)));
    }
}
