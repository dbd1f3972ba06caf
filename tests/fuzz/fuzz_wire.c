/* A protobuf body: what is read of it is inside of it, and what is changed is all that changes. */
#include "fuzz.h"
#include "base/json_raw.h"
#include "rehearse/version.h"
#include "rehearse/wire.h"

static void versions(struct slice in) {
    struct buf out = BUF((size_t)1 << 20);
    struct slice v, live;
    unsigned change;
    if (version_rewrite(&out, in, SL("77"), 5) == 0 && json_raw_check(in, NULL) == 0) {
        FUZZ_CHECK(json_raw_check(buf_slice(&out), NULL) == 0);
        FUZZ_CHECK(version_find(buf_slice(&out), &v) && version_in(v, &live, &change) == 0);
        FUZZ_CHECK(slice_eqs(live, "77") && change == 5);
    }
    buf_free(&out);
}

FUZZ(in) {
    struct wire_type type, type2;
    struct wire_meta meta, meta2;
    struct slice raw, raw2;
    struct buf out = BUF((size_t)1 << 20);
    versions(in);
    if (wire_to_json(in, &out, NULL) == 0) FUZZ_CHECK(json_raw_check(buf_slice(&out), NULL) == 0);
    buf_clear(&out);
    if (wire_open(in, &type, &raw, NULL) == 0 && wire_meta(raw, &meta, NULL) == 0 &&
        wire_set_rv(in, SL("77"), &out, NULL) == 0) {
        FUZZ_CHECK(wire_open(buf_slice(&out), &type2, &raw2, NULL) == 0 &&
                   wire_meta(raw2, &meta2, NULL) == 0);
        FUZZ_CHECK(slice_eq(type.kind, type2.kind) && slice_eq(type.api_version, type2.api_version));
        FUZZ_CHECK(slice_eqs(meta2.rv, "77") && slice_eq(meta.name, meta2.name) &&
                   slice_eq(meta.ns, meta2.ns));
        FUZZ_CHECK(slice_eq(meta.uid, meta2.uid) && slice_eq(meta.generate_name, meta2.generate_name));
        struct buf again = BUF((size_t)1 << 20);
        FUZZ_CHECK(wire_set_rv(buf_slice(&out), SL("77"), &again, NULL) == 0);
        FUZZ_CHECK(slice_eq(buf_slice(&again), buf_slice(&out)));
        buf_free(&again);
    }
    buf_free(&out);
}
