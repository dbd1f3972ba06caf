/* The report of a rehearsal as it is printed; see diff.h. */
#include "diff.h"
#include "target_ref.h"
#include "text.h"
#include "api/rfc3339.h"
#include "base/json_raw.h"
#include "cli/cli.h"
#include "base/time.h"
#include "rehearse/report.h"
#include <errno.h>
#include <stdio.h>

/* ---- why there is none ---- */

static bool is_rehearsing(const struct status_row *r) {
    return r->has_state && r->state.phase == PHASE_REHEARSING && !r->state.rehearsal.over;
}

/* "op:v2 is being rehearsed until 12:31:04Z (in 3m10s)" */
static void add_present(const struct status_row *r, int64_t now, struct buf *out) {
    char at[80];
    int64_t from = r->state.rehearsal.from_ns;
    status_version(out, r->image);
    buf_adds(out, " is being rehearsed");
    if (from) status_clock(from + r->spec.rehearse_ns, now, at);
    if (from) buf_addf(out, " until %s", at);
}

static int none(const struct diff *d, int64_t now, struct err *err) {
    const struct status_row *r = d->row;
    const struct target_ref ref = target_ref(r->name);
    cleanup_buf struct buf b = BUF(8192);
    if (is_rehearsing(r)) {
        add_present(r, now, &b);
        buf_addf(&b, ", and its report is there then: handover explain %s -n %s", ref.text, r->ns);
    } else if (!r->opted_in) {
        buf_adds(&b, "Handover leaves it alone: it has no annotation " HANDOVER_PREFIX "canary-percent");
    } else if (r->spec.rehearse_ns) {
        buf_adds(&b,
                 "no version of it has been rehearsed yet; the next one is, before its canary (annotation "
                 "rehearse)");
    } else {
        buf_addf(&b,
                 "no version of it was rehearsed. To have the next one rehearsed before its canary: kubectl "
                 "annotate %s -n %s " HANDOVER_PREFIX "rehearse=5m",
                 ref.text, r->ns);
    }
    err_set(err, ERR_NOTFOUND, -ENOENT, "%s: %s", ref.text, buf_str(&b));
    return CLI_FAILED;
}

/* ---- the report that there is ---- */

static int64_t moment(struct slice json, const char *path) {
    struct slice v;
    cleanup_buf struct buf text = BUF(64);
    int64_t ns = 0;
    bool there = json_raw_at(json, path, &v) && json_raw_unescape(v, &text) == 0;
    return there && rfc3339_parse(buf_slice(&text), &ns) == 0 ? ns : 0;
}

static uint64_t left_out(struct slice json) {
    struct slice v;
    int64_t n;
    return json_raw_get(json, SL("cut"), &v) && slice_i64(v, &n) == 0 && n > 0 ? (uint64_t)n : 0;
}

static void add_whose(const struct diff *d, int64_t now, struct buf *out) {
    const struct status_row *r = d->row;
    const struct state *s = &r->state;
    bool state = r->has_state;
    if (state && strcmp(s->hash, d->hash) == 0 && is_rehearsing(r)) {
        buf_adds(out, "of an earlier rehearsal; ");
        add_present(r, now, out);
    } else if (state && strcmp(s->hash, d->hash) == 0) {
        buf_addf(out, "of the present rollout, in phase %s%s%s", phase_name(s->phase),
                 s->hold ? ", held: " : "", s->hold ? hold_name(s->hold) : "");
    } else if (state && strcmp(s->stable_hash, d->hash) == 0) {
        buf_adds(out, "of the version in service");
    } else {
        buf_addf(out, "of an earlier version; the present template %s ", r->target.hash);
        buf_adds(out, is_rehearsing(r) ? "is being rehearsed" : "was not rehearsed");
    }
}

static void add_head(const struct diff *d, const struct table_style *style, int64_t now, struct buf *out) {
    cleanup_buf struct buf b = BUF(16 << 10);
    int64_t from = moment(slice_of(d->report), "run/from"), to = moment(slice_of(d->report), "run/to");
    char span[32], at[80];
    if (d->image) status_version(&b, d->image);
    buf_addf(&b, "%stemplate %s, was rehearsed", d->image ? ", " : "", d->hash);
    if (from && to) {
        status_span(to - from, span);
        status_clock(to, now, at);
        buf_addf(&b, " for %s until %s", span, at);
    }
    buf_addf(&b, ", report %s: ", d->digest);
    add_whose(d, now, &b);
    cleanup_free char *clean = text_cleaned(buf_str(&b), style->utf8);
    table_paragraph(style, slice_of(clean), out);
    buf_addc(out, '\n');
}

static void paragraph(const struct table_style *style, struct buf *out, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static void paragraph(const struct table_style *style, struct buf *out, const char *fmt, ...) {
    cleanup_buf struct buf b = BUF(4096);
    va_list ap;
    va_start(ap, fmt);
    buf_addv(&b, fmt, ap);
    va_end(ap);
    buf_addc(out, '\n');
    table_paragraph(style, buf_slice(&b), out);
}

/* Every writer of ConfigMaps may have changed it since. */
static void add_foot(const struct diff *d, const struct report *r, uint64_t cut,
                     const struct table_style *style, struct buf *out) {
    const struct status_row *row = d->row;
    const struct state *s = &row->state;
    bool present = row->has_state && strcmp(s->hash, d->hash) == 0 && s->rehearsal.over;
    char digest[17];
    report_digest(r, digest);
    if (cut)
        paragraph(style, out,
                  "%llu objects more, which would do less harm, are not kept: the report was larger than an "
                  "object of the API server can be.",
                  (unsigned long long)cut);
    else if (present && strcmp(s->rehearsal.digest, digest) != 0)
        paragraph(style, out,
                  "This is not what the rehearsal has found: its report is %s, this one %s, so ConfigMap %s "
                  "was changed since.",
                  s->rehearsal.digest, digest, d->map);
    if (present && s->phase == PHASE_REHEARSING && s->hold == HOLD_APPROVAL)
        paragraph(style, out, "To go on all the same: handover approve %s -n %s", target_ref(row->name).text,
                  row->ns);
}

static void add_report(const struct report *r, const struct table_style *style, struct buf *out) {
    if (style->utf8) {
        report_text(r, style->width, style->colour, SIZE_MAX, out);
        return;
    }
    cleanup_buf struct buf text = BUF(out->max);
    report_text(r, style->width, style->colour, SIZE_MAX, &text);
    text_ascii(out, buf_slice(&text));
}

DEFINE_CLEANUP(struct report *, report, report_free)

int diff_say(const struct diff *d, bool json, const struct table_style *style, int64_t now_wall_ns,
             struct buf *out, struct err *err) {
    CLEANUP(report) struct report *r = NULL;
    if (d->denied.kind) {
        *err = d->denied;
        return CLI_FAILED;
    }
    if (!d->there) return none(d, now_wall_ns, err);
    if (report_read(slice_of(d->report), &r, err) < 0) {
        err_wrap(err, "ConfigMap %s", d->map);
        return CLI_FAILED;
    }
    uint64_t cut = left_out(slice_of(d->report));
    if (json) {
        status_json_clean(slice_of(d->report), out);
        buf_addc(out, '\n');
    } else {
        add_head(d, style, now_wall_ns, out);
        add_report(r, style, out);
        add_foot(d, r, cut, style, out);
    }
    return cut || !report_empty(r) ? DIFF_CHANGES : CLI_OK;
}
