/* SHA-256, names, base64. */
#include "../case.h"
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
    static const char *const rfc[][2] = {{"", ""},
                                         {"f", "Zg=="},
                                         {"fo", "Zm8="},
                                         {"foo", "Zm9v"},
                                         {"foob", "Zm9vYg=="},
                                         {"fooba", "Zm9vYmE="},
                                         {"foobar", "Zm9vYmFy"}};
    cleanup_buf struct buf b = BUF(100);
    for (size_t i = 0; i < ARRAY_LEN(rfc); i++) { /* RFC 4648, 10 */
        buf_clear(&b);
        assert_int_equal(base64_encode(slice_of(rfc[i][0]), &b), 0);
        assert_buf(b, rfc[i][1]);
        buf_clear(&b);
        assert_int_equal(base64_decode(slice_of(rfc[i][1]), &b), 0);
        assert_buf(b, rfc[i][0]);
    }
    buf_clear(&b);
    assert_int_equal(base64_decode(SL("Zm 9v\n Ym E"), &b), 0); /* blanks, no padding */
    assert_buf(b, "fooba");
    static const char *const bad[] = {
        "Z", "Zg=", "Zg===", "Zh==", "Zm9=", "Z*==", "=", "Zg==Zg==", "Zm9v=", "====", "Zg-_"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        print_message("%s\n", bad[i]);
        assert_int_equal(base64_decode(slice_of(bad[i]), &b), -EINVAL);
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
