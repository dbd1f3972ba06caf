/* From what the sidecars answer to what the plan looks at; see rehearsal_report.h. */
#include "act/rehearsal_report.h"
#include "base/json_raw.h"
#include <errno.h>
#include <stdio.h>

void rehearsal_report_free(struct rehearsal_report *r) {
    free(r->line);
    buf_free(&r->text);
    *r = (struct rehearsal_report){.line = NULL};
}

static bool is_objects(struct slice key) {
    return json_raw_string_is(key, SL("objects"));
}

void rehearsal_report_cut(struct slice report, size_t max, struct buf *out) {
    struct slice objects = SL("[]");
    size_t others = 64, left = 0, n = 0;
    bool first = true;
    json_raw_get(report, SL("objects"), &objects);
    struct json_raw_it it = json_raw_each(report);
    while (json_raw_next(&it))
        if (!is_objects(it.key)) others += it.key.n + it.value.n + 2;
    buf_addc(out, '{');
    it = json_raw_each(report);
    while (json_raw_next(&it)) {
        if (is_objects(it.key)) continue;
        buf_addf(out, "%s%.*s:", first ? "" : ",", SLF(it.key));
        buf_add(out, it.value);
        first = false;
    }
    buf_adds(out, first ? "\"objects\":[" : ",\"objects\":[");
    it = json_raw_each(objects);
    while (json_raw_next(&it)) {
        if (left || others + it.value.n + 1 > max) {
            left++;
            continue;
        }
        if (n++) buf_addc(out, ',');
        buf_add(out, it.value);
        others += it.value.n + 1;
    }
    buf_addf(out, "],\"cut\":%zu}", left);
}

DEFINE_CLEANUP(struct report *, report, report_free)

/* What the run says of itself; a report without one says nothing of it. */
static void note_run(struct slice whole, struct rehearsal_report *ret) {
    static const char *const asked[] = {"reads", "writes", "conflicts", "refused", "failed"};
    struct slice run, v;
    if (!json_raw_get(whole, SL("run"), &run) || json_raw_type(run) != JR_OBJECT) return;
    ret->full = json_raw_get(run, SL("full"), &v) && json_raw_type(v) == JR_TRUE;
    ret->idle = true;
    for (size_t i = 0; i < ARRAY_LEN(asked); i++)
        if (json_raw_get(run, slice_of(asked[i]), &v) && !slice_eqs(v, "0")) ret->idle = false;
}

static int read_one(struct slice body, const char *whose, struct report **ret, struct err *err) {
    int rc = report_read(body, ret, err);
    if (rc < 0) err_wrap(err, "the report of %s", whose);
    return rc;
}

int rehearsal_report_read(struct slice body, struct slice control, struct rehearsal_report *ret,
                          struct err *err) {
    CLEANUP(report) struct report *r = NULL, *beside = NULL;
    cleanup_buf struct buf line = BUF(64 << 10), whole = BUF((size_t)4 * REPORT_CAP);
    int rc = read_one(body, "the new version", &r, err);
    if (rc == 0 && control.n) rc = read_one(control, "stable's version", &beside, err);
    if (rc < 0) return rc;
    report_subtract(r, beside);
    *ret = (struct rehearsal_report){.empty = report_empty(r), .text = BUF(REPORT_KEPT)};
    report_digest(r, ret->digest);
    report_line(r, &line);
    ret->line = slice_dup_text(buf_slice(&line), 280);
    for (int k = 0; k < REPORT_KINDS; k++) ret->count[k] = report_count(r, (enum report_kind)k);
    if (report_write(r, &whole) < 0 || whole.full) {
        rehearsal_report_free(ret);
        return err_set(err, ERR_PROTOCOL, -EFBIG, "the report is larger than %d bytes", 4 * REPORT_CAP);
    }
    note_run(buf_slice(&whole), ret);
    if (whole.n <= REPORT_KEPT)
        buf_add(&ret->text, buf_slice(&whole));
    else
        rehearsal_report_cut(buf_slice(&whole), REPORT_KEPT, &ret->text);
    return 0;
}
