/* Lease objects: what is read can be written back, and reads the same. */
#include "fuzz.h"
#include "leader/lease_object.h"

FUZZ(in) {
    struct lease_rec r, again;
    struct err err = {0};
    if (lease_parse(in, &r, &err) < 0) {
        FUZZ_CHECK(err.msg[0]);
        return;
    }
    FUZZ_CHECK(r.transitions >= 0 && r.duration_ns >= 0 && r.acquire_us >= 0 && r.renew_us >= 0);
    cleanup_buf struct buf out = BUF(16 << 20), note = BUF(1 << 20);
    struct lease_change notes[] = {{LEASE_ANNOTATION_CHECKPOINT, in}, {"gone", {0}}};
    FUZZ_CHECK(lease_render(in, SL("n"), SL("l"), &r, notes, ARRAY_LEN(notes), &out, &err) == 0);
    FUZZ_CHECK(lease_parse(buf_slice(&out), &again, &err) == 0);
    FUZZ_CHECK(memcmp(&r, &again, sizeof(r)) == 0);
    FUZZ_CHECK(!lease_annotation(buf_slice(&out), "gone", &note));
    FUZZ_CHECK(lease_annotation(buf_slice(&out), LEASE_ANNOTATION_CHECKPOINT, &note) &&
               slice_eq(buf_slice(&note), in));
}
