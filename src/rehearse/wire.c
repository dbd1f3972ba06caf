/* Kubernetes' protobuf envelope: what is in it, another resourceVersion, and a few kinds as JSON. */
#include "rehearse/wire.h"
#include "api/proto.h"
#include <errno.h>

enum {
    META = 1,
    META_NAME = 1,
    META_GENERATE_NAME = 2,
    META_NS = 3,
    META_UID = 5,
    META_RV = 6,
    META_DELETED = 9,
    META_GRACE = 10,
    OBJECT = 2
};

static int damaged(struct err *err) {
    return err_set(err, ERR_REJECTED, -EINVAL, "the body is not Kubernetes' protobuf, or is cut");
}

int wire_open(struct slice body, struct wire_type *ret, struct slice *ret_raw, struct err *err) {
    struct proto_envelope o;
    if (proto_open(body, &o) < 0) return damaged(err);
    *ret = (struct wire_type){.api_version = o.api_version, .kind = o.kind};
    *ret_raw = o.raw;
    return 0;
}

static int one_field(struct wire_meta *m, const struct proto_field *f) {
    struct slice *to = f->number == META_NAME            ? &m->name
                       : f->number == META_GENERATE_NAME ? &m->generate_name
                       : f->number == META_NS            ? &m->ns
                       : f->number == META_UID           ? &m->uid
                       : f->number == META_RV            ? &m->rv
                                                         : NULL;
    if (!to) return 0;
    if (f->wire != PROTO_BYTES || !slice_is_text(f->bytes) || slice_has(f->bytes, '\0')) return -EINVAL;
    *to = f->bytes;
    return 0;
}

int wire_meta(struct slice raw, struct wire_meta *ret, struct err *err) {
    struct wire_meta m = {0};
    struct proto_field f;
    while (raw.n) {
        if (!proto_next(&raw, &f)) return damaged(err);
        if (f.number != META) continue;
        if (f.wire != PROTO_BYTES) return damaged(err);
        for (struct slice meta = f.bytes;
             meta.n;) { /* what is given again counts, as protobuf merges messages */
            if (!proto_next(&meta, &f) || one_field(&m, &f) < 0) return damaged(err);
        }
    }
    *ret = m;
    return 0;
}

/* A change of the metadata: fields that go, and one that comes. */
struct change {
    uint32_t without[2];
    uint32_t with;
    struct slice value; /* empty: none comes */
};

static bool goes(const struct change *c, uint32_t number) {
    return number == c->without[0] || number == c->without[1];
}

/* The object with its metadata first, in one message. */
static int change_object(struct slice raw, const struct change *c, struct buf *out) {
    struct buf meta = BUF(out->max), rest = BUF(out->max);
    struct proto_field f, m;
    int e = 0;
    while (raw.n && e == 0) {
        if (!proto_next(&raw, &f)) {
            e = -EINVAL;
        } else if (f.number != META) {
            e = buf_add(&rest, f.whole);
        } else {
            if (f.wire != PROTO_BYTES) e = -EINVAL;
            for (struct slice in = f.bytes; in.n && e == 0;) {
                e = !proto_next(&in, &m) ? -EINVAL : goes(c, m.number) ? 0 : buf_add(&meta, m.whole);
            }
        }
    }
    if (e == 0 && c->value.n) e = proto_add_bytes(&meta, c->with, c->value);
    if (e == 0) e = proto_add_bytes(out, META, buf_slice(&meta));
    if (e == 0) e = buf_add(out, buf_slice(&rest));
    buf_free(&meta);
    buf_free(&rest);
    return e;
}

static int change_body(struct slice body, const struct change *c, struct buf *out, struct err *err) {
    struct proto_envelope o;
    struct proto_field f;
    if (proto_open(body, &o) < 0) return damaged(err);
    struct buf object = BUF(out->max);
    int e = change_object(o.raw, c, &object);
    if (e == 0) buf_add(out, slice_make(body.p, 4));
    for (struct slice in = o.fields; e == 0 && proto_next(&in, &f);) {
        if (f.number != OBJECT) e = buf_add(out, f.whole);
    }
    if (e == 0) e = proto_add_bytes(out, OBJECT, buf_slice(&object));
    buf_free(&object);
    return e == -EINVAL ? damaged(err) : e;
}

int wire_set_rv(struct slice body, struct slice rv, struct buf *out, struct err *err) {
    return change_body(body, &(struct change){{META_RV}, META_RV, rv}, out, err);
}

int wire_undelete(struct slice body, struct buf *out, struct err *err) {
    return change_body(body, &(struct change){.without = {META_DELETED, META_GRACE}}, out, err);
}

int wire_rename(struct slice body, struct slice generate_name, struct buf *out, struct err *err) {
    return change_body(
        body, &(struct change){{META_NAME, META_GENERATE_NAME}, META_GENERATE_NAME, generate_name}, out, err);
}

static bool served(struct slice kind) {
    static const char *const kinds[] = {"Lease", "Event", "DeleteOptions", "Eviction", "Scale", "Binding"};
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (slice_eqs(kind, kinds[i])) return true;
    }
    return false;
}

int wire_to_json(struct slice body, struct buf *out, struct err *err) {
    struct proto_envelope o;
    if (proto_open(body, &o) < 0) return damaged(err);
    if (!served(o.kind) || !slice_is_text(o.api_version) || slice_has(o.api_version, '\0'))
        return err_set(err, ERR_REJECTED, -ENOTSUP,
                       "objects of this kind are not understood as protobuf here");
    cleanup_json cJSON *v = cJSON_CreateObject();
    cleanup_free char *version = slice_dup(o.api_version), *kind = slice_dup(o.kind);
    if (!cJSON_AddStringToObject(v, "kind", kind) || !cJSON_AddStringToObject(v, "apiVersion", version))
        abort();
    if (proto_to_json(proto_message_find, o.api_version, o.kind, o.raw, v) < 0) return damaged(err);
    cleanup_free char *text = json_print(v);
    return buf_adds(out, text);
}
