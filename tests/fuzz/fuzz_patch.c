/* The three patch dialects: a document and a patch, with a line between. A patch that fails has changed
 * nothing. */
#include "fuzz.h"
#include "api/patch.h"

static const char *const kinds[] = {"Deployment", "Pod", "Service", "ConfigMap"};

static int apply(int dialect, cJSON **doc, const cJSON *patch, struct err *err) {
    if (dialect == 0) return patch_json(doc, patch, err);
    if (dialect == 1) return patch_merge(doc, patch, err);
    return patch_strategic(doc, patch, kinds[dialect - 2], err);
}

FUZZ(in) {
    struct slice text, patch_text;
    slice_cut(in, '\n', &text, &patch_text);
    cleanup_json cJSON *patch = json_parse(patch_text, NULL);
    for (int dialect = 0; patch && dialect < 6; dialect++) {
        cJSON *doc = json_parse(text, NULL);
        if (!doc) return;
        cleanup_free char *before = json_print(doc);
        struct err err = {0};
        int r = apply(dialect, &doc, patch, &err);
        cleanup_free char *after = json_print(doc);
        FUZZ_CHECK(r == 0 ? err.kind == ERR_NONE : err.msg[0] && strcmp(before, after) == 0);
        cleanup_json cJSON *valid = cJSON_Parse(after); /* nothing of it is broken, or nested too deep */
        FUZZ_CHECK(valid);
        if (r == 0 && dialect == 1) { /* a merge patch may be repeated */
            FUZZ_CHECK(patch_merge(&doc, patch, NULL) == 0);
            cleanup_free char *again = json_print(doc);
            FUZZ_CHECK(strcmp(after, again) == 0);
        }
        cJSON_Delete(doc);
    }
}
