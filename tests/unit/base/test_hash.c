/* SHA-256, names, base64. */
#include "../case.h"
#include "../each.h"
#include "base/hash.h"
#include "base/rand.h"

CASE(sha_vectors) {
    char hex[65];
    sha256_hex(slice_make(NULL, 0), hex);
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    sha256_hex(SL("abc"), hex); /* FIPS 180-2 */
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

CASE(names) {
    char a[11], b[11];
    hash_name(SL("abc"), a);
    hash_name(SL("abc"), b);
    assert_string_equal(a, b);
    assert_int_equal(strlen(a), 10);
    assert_int_equal(strspn(a, "bcdfghjklmnpqrstvwxz2456789"), 10);
    hash_name(SL("abd"), b);
    assert_string_not_equal(a, b);
    hash_name(SL("abc"), a);
    /* Names of ReplicaSets that exist must not change with a new version. */
    assert_string_equal(a, "bx7mzcjx62");
}

CASE(base64) {
    cleanup_buf struct buf b = BUF(100);
    each_of(pair,
            ":|f:Zg==|fo:Zm8=|foo:Zm9v|foob:Zm9vYg==|fooba:Zm9vYmE=|foobar:Zm9vYmFy") { /* RFC 4648, 10 */
        struct slice plain, text;
        slice_cut(pair, ':', &plain, &text);
        buf_clear(&b);
        assert_int_equal(base64_encode(plain, &b), 0);
        assert_true(slice_eq(buf_slice(&b), text));
        buf_clear(&b);
        assert_int_equal(base64_decode(text, &b), 0);
        assert_true(slice_eq(buf_slice(&b), plain));
    }
    buf_clear(&b);
    assert_int_equal(base64_decode(SL("Zm 9v\n Ym E"), &b), 0); /* blanks, no padding */
    assert_buf(b, "fooba");
    each_of(bad, "Z|Zg=|Zg===|Zh==|Zm9=|Z*==|=|Zg==Zg==|Zm9v=|====|Zg-_") {
        assert_int_equal(base64_decode(bad, &b), -EINVAL);
        assert_buf(b, "fooba"); /* nothing of it */
    }
    struct buf small = BUF(3);
    assert_int_equal(base64_encode(SL("f"), &small), -ENOBUFS);
    assert_int_equal(base64_decode(SL("Zm9vYg=="), &small), -ENOBUFS);
    assert_int_equal(small.n, 0);
    buf_free(&small);
}

CASE(base64_round_trips) {
    struct rng r = {7};
    for (int i = 0; i < 500; i++) {
        char bytes[64];
        size_t n = rng_below(&r, sizeof bytes);
        for (size_t k = 0; k < n; k++) bytes[k] = (char)rng_next(&r);
        cleanup_buf struct buf text = BUF(200), back = BUF(200);
        assert_int_equal(base64_encode(slice_make(bytes, n), &text), 0);
        assert_int_equal(base64_decode(buf_slice(&text), &back), 0);
        assert_true(slice_eq(buf_slice(&back), slice_make(bytes, n)));
    }
}

CASES("base/hash")
