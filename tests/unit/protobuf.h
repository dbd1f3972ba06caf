/* Protobuf bodies as a test writes them. */
#ifndef UNIT_PROTOBUF_H
#define UNIT_PROTOBUF_H
#include "check.h"
#include "base/buf.h"

static inline void protobuf_varint(struct buf *b, uint64_t v) {
    for (; v > 0x7f; v >>= 7) buf_addc(b, (char)((v & 0x7f) | 0x80));
    buf_addc(b, (char)v);
}

static inline void protobuf_bytes(struct buf *b, unsigned field, struct slice v) {
    protobuf_varint(b, field << 3 | 2);
    protobuf_varint(b, v.n);
    buf_add(b, v);
}

/* A message as text: fields one after the other, "1'text' 4=7 2{...}". Returns what is behind it. */
static inline const char *protobuf_message(struct buf *b, const char *text) {
    while (*text && *text != '}') {
        char *at;
        unsigned field = (unsigned)strtoul(text, &at, 10);
        char kind = *at++;
        if (kind == '=') {
            protobuf_varint(b, field << 3);
            protobuf_varint(b, (uint64_t)strtoll(at, &at, 10));
        } else if (kind == '{') {
            cleanup_buf struct buf below = BUF(4096);
            at = (char *)(uintptr_t)protobuf_message(&below, at) + 1;
            protobuf_bytes(b, field, buf_slice(&below));
        } else {
            size_t n = strcspn(at, "'");
            protobuf_bytes(b, field, slice_make(at, n));
            at += n + 1;
        }
        text = at + strspn(at, " ");
    }
    return text;
}

static inline void protobuf_wrap(struct buf *out, const char *version, const char *kind, struct slice raw) {
    cleanup_buf struct buf meta = BUF(1024);
    protobuf_bytes(&meta, 1, slice_of(version));
    protobuf_bytes(&meta, 2, slice_of(kind));
    buf_add(out, slice_make("k8s", 4));
    protobuf_bytes(out, 1, buf_slice(&meta));
    protobuf_bytes(out, 2, raw);
}
#endif
