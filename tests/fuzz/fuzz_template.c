/* Pod templates: the hash does not depend on its own label, and labels change nothing but labels. The input is
 * one template, or two with a line between them. */
#include "fuzz.h"
#include "api/template.h"
#include "base/json_raw.h"

static void one(struct slice t) {
    static const char *const hash[] = {"pod-template-hash", "abc"}, *const track[] = {"handover.dev/track",
                                                                                      "canary"};
    struct err err = {0};
    char name[11], name2[11];
    if (template_hash(t, name, &err) < 0) {
        FUZZ_CHECK(err.msg[0]);
        return;
    }
    cleanup_buf struct buf out = BUF(1 << 20), image = BUF(1 << 20);
    FUZZ_CHECK(template_image(t, &image) == 0);
    if (template_with_labels(t, hash, 1, &out, &err) < 0) return; /* metadata or labels are something else */
    FUZZ_CHECK(json_raw_check(buf_slice(&out), NULL) == 0);
    FUZZ_CHECK(template_hash(buf_slice(&out), name2, NULL) == 0 && strcmp(name, name2) == 0);
    buf_clear(&out);
    FUZZ_CHECK(template_with_labels(t, track, 1, &out, &err) == 0 &&
               json_raw_check(buf_slice(&out), NULL) == 0);
    struct slice md, labels, value;
    FUZZ_CHECK(json_raw_get(buf_slice(&out), SL("metadata"), &md) && json_raw_get(md, SL("labels"), &labels));
    FUZZ_CHECK(json_raw_get(labels, SL("handover.dev/track"), &value) &&
               json_raw_string_is(value, SL("canary")));
}

FUZZ(in) {
    struct slice a, b;
    slice_cut(in, '\n', &a, &b);
    one(a);
    one(b);
}
