/* Reports in tests: objects are JSON with ' for ", what was found is text with a line for each field. */
#ifndef UNIT_REHEARSE_REPORT_CASE_H
#define UNIT_REHEARSE_REPORT_CASE_H
#include "../case.h"
#include "../each.h"
#include "base/json.h"
#include "rehearse/report.h"

DEFINE_CLEANUP(struct report *, report, report_free)
#define cleanup_report CLEANUP(report)

/* group and kind are given, namespace and name are the object's own. NULL: there is none. */
static inline void add_full(struct report *r, const char *group, const char *kind, const char *live,
                            const char *rehearsed, unsigned writes, int64_t took_ns, bool met, bool orphans) {
    cleanup_free char *was = quoted(xstrdup(live ? live : "")),
                      *is = quoted(xstrdup(rehearsed ? rehearsed : ""));
    struct err e = {0};
    cleanup_json cJSON *obj = json_parse(slice_of(is[0] ? is : was), &e);
    if (!obj) fail_msg("%s", e.msg);
    const cJSON *meta = json_obj(obj, "metadata");
    struct report_object o = {.group = slice_of(group),
                              .version = SL("v1"),
                              .resource = SL("things"),
                              .kind = slice_of(kind),
                              .ns = slice_of(json_str_or(meta, "namespace", "")),
                              .name = slice_of(json_str_or(meta, "name", "x")),
                              .live = slice_of(was),
                              .rehearsed = slice_of(is),
                              .orphans = orphans,
                              .writes = writes,
                              .first_ns = INT64_C(1795457893000000000),
                              .last_ns = INT64_C(1795457893000000000) + took_ns,
                              .met = met};
    if (report_add(r, &o, &e) < 0) fail_msg("%s", e.msg);
}
static inline void add_row(struct report *r, const char *group, const char *kind, const char *live,
                           const char *rehearsed, unsigned writes, int64_t took_ns, bool met) {
    add_full(r, group, kind, live, rehearsed, writes, took_ns, met, false);
}
static inline void add_as(struct report *r, const char *group, const char *kind, const char *live,
                          const char *rehearsed, unsigned writes, int64_t took_ns, bool orphans) {
    add_full(r, group, kind, live, rehearsed, writes, took_ns, false, orphans);
}
static inline void add_written(struct report *r, const char *group, const char *kind, const char *live,
                               const char *rehearsed, unsigned writes, int64_t took_ns) {
    add_full(r, group, kind, live, rehearsed, writes, took_ns, false, false);
}
static inline void add(struct report *r, const char *group, const char *kind, const char *live,
                       const char *rehearsed) {
    add_written(r, group, kind, live, rehearsed, 1, 0);
}

static inline char *json_of(const struct report *r) {
    struct buf b = BUF(64 << 20);
    assert_int_equal(report_write(r, &b), 0);
    return buf_take(&b);
}
static inline char *text_of(const struct report *r, unsigned width) {
    struct buf b = BUF(64 << 20);
    assert_int_equal(report_text(r, width, false, 100, &b), 0);
    return buf_take(&b);
}
static inline char *line_of(const struct report *r) {
    struct buf b = BUF(4096);
    report_line(r, &b);
    return buf_take(&b);
}
static inline char *digest_of(const struct report *r) {
    char *s = xmalloc(17);
    report_digest(r, s);
    return s;
}

/* "change kind name" of each object, and "  path: old -> new (volatile) (effect)" of each of its fields. */
static inline char *found(const struct report *r) {
    cleanup_free char *text = json_of(r);
    cleanup_json cJSON *doc = json_parse(slice_of(text), NULL);
    assert_non_null(doc);
    struct buf b = BUF(1 << 20);
    const cJSON *o, *f;
    cJSON_ArrayForEach(o, json_arr(doc, "objects")) {
        buf_addf(&b, "%s %s %s\n", json_str(o, "change"), json_str(o, "kind"), json_str(o, "name"));
        cJSON_ArrayForEach(f, json_arr(o, "fields")) {
            buf_addf(&b, "  %s: %s -> %s", json_str(f, "path"), json_str_or(f, "old", "-"),
                     json_str_or(f, "new", "-"));
            if (json_bool(f, "volatile", false)) buf_adds(&b, " (volatile)");
            if (json_str(f, "effect")) buf_addf(&b, " (%s)", json_str(f, "effect"));
            buf_addc(&b, '\n');
        }
        const cJSON *more = json_obj(o, "more");
        if (more) buf_addf(&b, "  and %d\n", (int)json_i64(more, "fields", 0));
    }
    char *s = buf_take(&b);
    return s ? s : xstrdup("");
}
/* found(), in a row of tests: what differs is printed. */
static inline void expect_found(const struct report *r, const char *want) {
    cleanup_free char *got = found(r), *text = quoted(xstrdup(want));
    assert_string_equal(got, text);
}
static inline void expect_line(const struct report *r, const char *want) {
    cleanup_free char *got = line_of(r);
    assert_string_equal(got, want);
}
#endif
