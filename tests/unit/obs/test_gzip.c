/* Who wants gzip, and what they get. */
#include "../case.h"
#include "../each.h"
#include "gunzip.h"
#include "obs/gzip.h"
#include "base/rand.h"

CASE(accept_encoding) {
    each_of(yes, "gzip|GZIP|deflate, gzip;q=1.0, *;q=0.5|gzip ; q = "
                 "0.1|*|x-gzip|gzip;level=9|,,,gzip,,,") {
        assert_true(gzip_accepted(yes));
    }
    each_of(
        no,
        "|gzip;q=0|gzip;q=0.000|gzip;q=0, *|*, gzip;q=0|*;q=0|identity|deflate,br|gzip;q=bad|gzip;q=|gzipped|"
        ";;;=,=;") {
        assert_false(gzip_accepted(no));
    }
}

CASE(round_trip) {
    struct rng r = {3};
    for (size_t n = 0; n < 300000; n = n * 3 + 1) {
        cleanup_buf struct buf in = BUF(1 << 20), packed = BUF(1 << 20), out = BUF(1 << 20);
        for (size_t i = 0; i < n; i++) buf_addc(&in, (char)(n % 2 ? rng_next(&r) : 'x'));
        assert_int_equal(gzip_add(&packed, buf_slice(&in)), 0);
        assert_true(gunzip(buf_slice(&packed), &out));
        assert_true(slice_eq(buf_slice(&in), buf_slice(&out)));
        buf_clear(&out);
        assert_int_equal(gzip_undo(&out, buf_slice(&packed)), 0);
        assert_true(slice_eq(buf_slice(&in), buf_slice(&out)));
        if (packed.n > 8) assert_true(gzip_undo(&out, slice_make(packed.p, packed.n - 8)) < 0);
    }
}

CASE(a_full_buffer_is_an_error) {
    struct rng r = {3};
    cleanup_buf struct buf in = BUF(1 << 20), packed = BUF(1000);
    for (size_t i = 0; i < 100000; i++) buf_addc(&in, (char)rng_next(&r));
    assert_int_equal(gzip_add(&packed, buf_slice(&in)), -ENOBUFS);
}

CASES("obs/gzip")
