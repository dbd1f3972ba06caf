/* One case of a patch: applies, compares, and looks that a failure has changed nothing. */
#ifndef PATCH_CHECK_H
#define PATCH_CHECK_H
#include "../check.h"
#include "../each.h"
#include "api/patch.h"

enum dialect { JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH };

static inline int patch_any(enum dialect d, cJSON **doc, const cJSON *patch, const char *kind,
                            struct err *err) {
    if (d == JSON_PATCH) return patch_json(doc, patch, err);
    return d == MERGE_PATCH ? patch_merge(doc, patch, err) : patch_strategic(doc, patch, kind, err);
}

static inline cJSON *patch_data(const char *text) {
    cleanup_free char *json = quoted(xstrdup(text));
    struct err err = {0};
    cJSON *v = json_parse(slice_of(json), &err);
    if (!v) fail_msg("test data: %s: %s", text, err.msg);
    return v;
}

/* All JSON with ' for ". want: the document afterwards, text for text as cJSON prints it. */
static inline void patch_gives(enum dialect d, const char *kind, const char *doc_text, const char *patch_text,
                               const char *want) {
    struct err err = {0};
    cJSON *doc = patch_data(doc_text);
    cleanup_json cJSON *patch = patch_data(patch_text), *expected = patch_data(want);
    cleanup_free char *patch_before = json_print(patch);
    if (patch_any(d, &doc, patch, kind, &err) < 0) fail_msg("%s\n%s: %s", doc_text, patch_text, err.msg);
    cleanup_free char *got = json_print(doc), *exp = json_print(expected), *patch_after = json_print(patch);
    assert_string_equal(got, exp);
    assert_string_equal(patch_before, patch_after);
    cJSON_Delete(doc);
}

/* The reason must hold why. */
static inline void patch_fails(enum dialect d, const char *kind, const char *doc_text, const char *patch_text,
                               const char *why) {
    struct err err = {0};
    cJSON *doc = patch_data(doc_text);
    cleanup_json cJSON *patch = patch_data(patch_text);
    cleanup_free char *before = json_print(doc);
    if (patch_any(d, &doc, patch, kind, &err) >= 0) fail_msg("%s\n%s: accepted", doc_text, patch_text);
    cleanup_free char *after = json_print(doc);
    assert_string_equal(before, after);
    assert_int_equal(err.kind, ERR_REJECTED);
    if (!strstr(err.msg, why)) fail_msg("%s: %s", patch_text, err.msg);
    cJSON_Delete(doc);
}
#endif
