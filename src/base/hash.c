/* SHA-256 (libcrypto), names out of it, and base64. */
#include "base/hash.h"
#include <errno.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

static void sha256(struct slice in, unsigned char ret[32]) {
    SHA256((const unsigned char *)(in.p ? in.p : ""), in.n, ret);
}

static void add_hex(const unsigned char d[32], char ret[65]) {
    static const char hex[] = "0123456789abcdef";
    for (size_t i = 0; i < 32; i++) {
        ret[2 * i] = hex[d[i] >> 4];
        ret[2 * i + 1] = hex[d[i] & 15];
    }
    ret[64] = '\0';
}

void sha256_hex(struct slice in, char ret[65]) {
    unsigned char d[32];
    sha256(in, d);
    add_hex(d, ret);
}

void hash_hmac_hex(struct slice key, struct slice in, char ret[65]) {
    unsigned char d[32];
    HMAC(EVP_sha256(), key.p ? key.p : "", (int)key.n, (const unsigned char *)(in.p ? in.p : ""), in.n, d,
         NULL);
    add_hex(d, ret);
}

/* The alphabet of k8s.io/apimachinery/pkg/util/rand: no vowels and none of 0, 1, 3, so that no words come
 * out. */
void hash_name(struct slice in, char ret[11]) {
    static const char safe[] = "bcdfghjklmnpqrstvwxz2456789";
    unsigned char d[32];
    sha256(in, d);
    for (size_t i = 0; i < 10; i++) {
        unsigned v = (unsigned)d[2 * i] << 8 | d[2 * i + 1]; /* two bytes a letter: next to no bias */
        ret[i] = safe[v % (sizeof safe - 1)];
    }
    ret[10] = '\0';
}

static int sextet(char c) {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    if (c == '+') return 62;
    return c == '/' ? 63 : -1;
}

int base64_decode(struct slice in, struct buf *out) {
    uint32_t acc = 0;
    unsigned bits = 0;
    size_t letters = 0, pads = 0;
    struct buf got = BUF(in.n); /* nothing of a bad text reaches out */
    for (size_t i = 0; i < in.n; i++) {
        char c = in.p[i];
        if (c == ' ' || (c >= '\t' && c <= '\r')) continue;
        if (c == '=') {
            pads++;
            continue;
        }
        int v = sextet(c);
        if (v < 0 || pads) goto bad;
        letters++;
        acc = acc << 6 | (uint32_t)v;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            buf_addc(&got, (char)(acc >> bits & 0xff));
        }
    }
    /* A last group has 2..4 letters, its left-over bits are zero, and padding, where there is any, completes
     * it. */
    if (letters % 4 == 1 || (bits && (acc & ((1U << bits) - 1))) ||
        (pads && (pads > 2 || (letters + pads) % 4)))
        goto bad;
    int r = buf_add(out, buf_slice(&got));
    buf_free(&got);
    return r;
bad:
    buf_free(&got);
    return -EINVAL;
}

int base64_encode(struct slice in, struct buf *out) {
    static const char abc[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if (in.n / 3 * 4 + 4 > out->max - out->n && (in.n + 2) / 3 * 4 > out->max - out->n) out->full = true;
    for (size_t i = 0; i < in.n && !out->full; i += 3) {
        size_t left = in.n - i;
        uint32_t v = (uint32_t)(unsigned char)in.p[i] << 16;
        if (left > 1) v |= (uint32_t)(unsigned char)in.p[i + 1] << 8;
        if (left > 2) v |= (unsigned char)in.p[i + 2];
        char q[4] = {abc[v >> 18], abc[v >> 12 & 63], left > 1 ? abc[v >> 6 & 63] : '=',
                     left > 2 ? abc[v & 63] : '='};
        buf_add(out, slice_make(q, 4));
    }
    return out->full ? -ENOBUFS : 0;
}
