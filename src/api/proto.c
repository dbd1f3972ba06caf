/* Protobuf's wire format, and the envelope that Kubernetes puts around it. */
#include "api/proto.h"
#include <errno.h>

static bool read_varint(struct slice *s, uint64_t *ret) {
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64 && s->n; shift += 7) {
        unsigned char c = (unsigned char)*s->p;
        *s = slice_make(s->p + 1, s->n - 1);
        v |= (uint64_t)(c & 0x7f) << shift;
        if (c & 0x80) continue;
        *ret = v;
        return true;
    }
    return false;
}

static bool take(struct slice *s, uint64_t n, struct slice *ret) {
    if (n > s->n) return false;
    *ret = slice_make(s->p, (size_t)n);
    *s = slice_make(s->p + n, s->n - (size_t)n);
    return true;
}

static bool read_value(struct slice *s, struct proto_field *f) {
    uint64_t n = 0;
    switch (f->wire) {
    case PROTO_VARINT: return read_varint(s, &f->varint);
    case PROTO_64: return take(s, 8, &f->bytes);
    case PROTO_32: return take(s, 4, &f->bytes);
    case PROTO_BYTES: return read_varint(s, &n) && take(s, n, &f->bytes);
    default: return false;
    }
}

bool proto_next(struct slice *s, struct proto_field *ret) {
    struct slice rest = *s;
    uint64_t tag = 0;
    if (!read_varint(&rest, &tag) || tag >> 3 == 0 || tag >> 3 > UINT32_MAX) return false;
    struct proto_field f = {.number = (uint32_t)(tag >> 3), .wire = (enum proto_wire)(tag & 7)};
    if (!read_value(&rest, &f)) return false;
    f.whole = slice_make(s->p, s->n - rest.n);
    *s = rest;
    *ret = f;
    return true;
}

static int add_varint(struct buf *out, uint64_t v) {
    for (; v > 0x7f; v >>= 7) buf_addc(out, (char)((v & 0x7f) | 0x80));
    return buf_addc(out, (char)v);
}

int proto_add_bytes(struct buf *out, uint32_t number, struct slice v) {
    add_varint(out, (uint64_t)number << 3 | PROTO_BYTES);
    add_varint(out, v.n);
    return buf_add(out, v);
}

int proto_open(struct slice body, struct proto_envelope *ret) {
    struct proto_envelope e = {0};
    struct proto_field f;
    struct slice in, meta;
    if (!slice_starts(body, slice_make("k8s", 4))) return -EINVAL;
    e.fields = in = slice_make(body.p + 4, body.n - 4);
    while (in.n) {
        if (!proto_next(&in, &f)) return -EINVAL;
        if (f.number > 2) continue;
        if (f.wire != PROTO_BYTES) return -EINVAL;
        if (f.number == 2) e.raw = f.bytes;
        for (meta = f.number == 1 ? f.bytes : SL(""); meta.n;) {
            if (!proto_next(&meta, &f)) return -EINVAL;
            if (f.number <= 2 && f.wire != PROTO_BYTES) return -EINVAL;
            if (f.number == 1) e.api_version = f.bytes;
            if (f.number == 2) e.kind = f.bytes;
        }
    }
    *ret = e;
    return 0;
}
