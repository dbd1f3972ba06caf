/* The status report as text: a line a target, a second line while one is on trial or needs attention. */
#include "base/time.h"
#include "status_report.h"
#include "text.h"
#include <stdio.h>

static const char *const bold = "\x1b[1m", *const dim = "\x1b[2m", *const red = "\x1b[31m",
                         *const green = "\x1b[32m", *const yellow = "\x1b[33m", *const cyan = "\x1b[36m";

/* The version's end says more than its start: both tags, rather than a registry. */
static const struct table_column columns[] = {
    {"NAMESPACE", TABLE_CUT_END}, {"TARGET", TABLE_CUT_END}, {"PHASE", TABLE_WHOLE},
    {"SINCE", TABLE_WHOLE},       {"READY", TABLE_WHOLE},    {"VERSION", TABLE_CUT_START},
};

void status_span(int64_t ns, char ret[32]) {
    if (ns < 0) ns = 0;
    if (ns >= NS_PER_S)
        ns = ns / NS_PER_S * NS_PER_S;
    else
        ns = ns / NS_PER_MS * NS_PER_MS;
    duration_format(ns, ret);
}

void status_version(struct buf *out, const char *image) {
    enum { DIGITS = 12 };
    const char *slash = strrchr(image, '/'), *from = slash ? slash + 1 : image;
    const char *digest = strstr(from, "@sha256:");
    size_t n = strlen(from), shown = digest ? (size_t)(digest - from) + sizeof "@sha256:" - 1 + DIGITS : n;
    buf_add(out, slice_make(from, shown < n ? shown : n));
}

const char *status_colour(const struct status_row *r) {
    if (!r->has_state) return r->problem.kind ? red : dim;
    switch (r->state.phase) {
    case PHASE_STABLE: return green;
    case PHASE_ROLLING_BACK:
    case PHASE_ROLLED_BACK: return red;
    case PHASE_SOAKING:
    case PHASE_STARTING:
    case PHASE_PROMOTING:
    case PHASE_FINISHING: return cyan;
    default: return yellow;
    }
}

static void bar(const struct table_style *style, double share, struct buf *out) {
    enum { CELLS = 12 };
    int full = (int)(share < 0 ? 0 : share > 1 ? CELLS : share * CELLS + 0.5);
    buf_adds(out, style->utf8 ? "▕" : "[");
    for (int i = 0; i < CELLS; i++)
        buf_adds(out, style->utf8 ? (i < full ? "█" : "░") : (i < full ? "#" : "."));
    buf_adds(out, style->utf8 ? "▏" : "]");
}

static double rate(uint64_t errors, uint64_t total) {
    return total ? 100.0 * (double)errors / (double)total : 0;
}

static void add_step(struct table *t, const struct table_style *style, const struct status_row *r,
                     int64_t now) {
    const struct state *s = &r->state;
    cleanup_buf struct buf b = BUF(1024);
    char took[32], of[32];
    int64_t watched = state_watched_ns(s, now), whole = s->param.soak_ns;
    status_span(watched, took);
    status_span(whole, of);
    buf_addf(&b, "step %u of %zu, %u %%  ", s->step + 1, r->steps ? r->steps : 1, s->percent);
    bar(style, whole > 0 ? (double)watched / (double)whole : 0, &b);
    buf_addf(&b, "  %s of %s", took, of);
    table_note(t, NULL, buf_str(&b));
}

bool status_evidence(const struct state *s, int64_t now_wall_ns, struct judge_report *ret) {
    if (!plan_report(s, now_wall_ns, ret)) return false;
    if (!judge_clean_to_pass(&s->judge, &s->param, &ret->more)) ret->more = 0;
    return true;
}

void status_counts(const struct judge_test *t, double upper, double tolerated, struct buf *out) {
    buf_addf(out, "canary %llu errors of %llu (%.1f %%", (unsigned long long)t->ec, (unsigned long long)t->nc,
             rate(t->ec, t->nc));
    if (upper < 1) buf_addf(out, ", at most %.1f %%", 100 * upper);
    buf_addf(out, ")   stable %llu of %llu (%.1f %%)   tolerated %.1f %%", (unsigned long long)t->es,
             (unsigned long long)t->ns, rate(t->es, t->ns), 100 * tolerated);
}

static void add_trial(struct table *table, const struct table_style *style, const struct status_row *r,
                      int64_t now) {
    const struct state *s = &r->state;
    struct judge_report rep;
    if (s->phase == PHASE_SOAKING) add_step(table, style, r, now);
    if (!status_evidence(s, now, &rep)) return;
    cleanup_buf struct buf b = BUF(1024);
    status_counts(&s->judge.all, rep.upper, s->param.theta, &b);
    table_note(table, NULL, buf_str(&b));
    buf_clear(&b);
    judge_words(&rep, &b);
    table_note(table, NULL, buf_str(&b));
}

const char *status_phase(const struct status_row *r) {
    return r->has_state ? phase_name(r->state.phase) : r->problem.kind ? "Invalid" : "Waiting";
}

static void add_row(struct table *t, const struct table_style *style, const struct status_row *r,
                    int64_t now) {
    cleanup_buf struct buf version = BUF(16384);
    char ready[32], took[32] = "";
    if (r->stable_image) {
        status_version(&version, r->stable_image);
        buf_adds(&version, " -> ");
    }
    status_version(&version, r->image);
    snprintf(ready, sizeof ready, "%d/%d", r->ready, r->replicas);
    if (r->has_state) status_span(now - r->state.since_ns, took);
    table_cell(t, NULL, r->ns);
    table_cell(t, bold, r->name);
    table_cell(t, status_colour(r), status_phase(r));
    table_cell(t, NULL, took);
    table_cell(t, NULL, ready);
    table_cell(t, NULL, buf_str(&version));
    if (r->problem.kind) table_note(t, red, r->problem.msg);
    if (!r->has_state) return;
    bool held = r->state.hold != HOLD_NONE;
    if (r->state.message && (r->state.phase != PHASE_STABLE || held))
        table_note(t, held ? yellow : dim, r->state.message);
    add_trial(t, style, r, now);
}

static void add_leader(const struct status_report *r, bool utf8, int64_t now, struct buf *out) {
    char since[32];
    buf_adds(out, "leader: ");
    if (r->lease_err.kind == ERR_FORBIDDEN) {
        buf_adds(out, "not allowed to read the Lease\n");
    } else if (r->lease_err.kind && r->lease_err.kind != ERR_NOTFOUND) {
        buf_adds(out, "unknown: ");
        text_clean(out, slice_of(r->lease_err.msg), utf8);
        buf_addc(out, '\n');
    } else if (!r->has_lease) {
        buf_adds(out, "none, the Lease does not exist\n");
    } else if (!*r->holder) {
        buf_addf(out, "none at this moment (term %lld was released)\n", (long long)r->term);
    } else {
        status_span(now - r->renewed_wall_ns, since);
        text_clean(out, slice_make(r->holder, strcspn(r->holder, "_")), utf8);
        buf_addf(out, " (term %lld, renewed %s ago)\n", (long long)r->term, since);
    }
}

void status_text(const struct status_report *r, const struct table_style *style, int64_t now_wall_ns,
                 struct buf *out) {
    add_leader(r, style->utf8, now_wall_ns, out);
    if (!r->n) {
        buf_adds(out, "no Deployment carries the annotation " HANDOVER_PREFIX "canary-percent\n");
        return;
    }
    cleanup_table struct table *t = table_new(style, columns, ARRAY_LEN(columns));
    for (size_t i = 0; i < r->n; i++) add_row(t, style, &r->rows[i], now_wall_ns);
    table_print(t, out);
}

/* ---- for programs ---- */

void status_json_field(struct buf *out, const char *key, const char *value) {
    buf_addf(out, ",\"%s\":", key);
    if (value)
        buf_add_json(out, slice_of(value));
    else
        buf_adds(out, "null");
}

static void write_json(const struct status_report *b, int64_t now_wall_ns, struct buf *out) {
    buf_adds(out, "{\"leader\":");
    if (b->holder)
        buf_add_json(out, slice_of(b->holder));
    else
        buf_adds(out, "null");
    buf_addf(out, ",\"term\":%lld,\"targets\":[", (long long)b->term);
    for (size_t i = 0; i < b->n; i++) {
        const struct status_row *r = &b->rows[i];
        struct judge_report rep;
        buf_adds(out, i ? ",{\"namespace\":" : "{\"namespace\":");
        buf_add_json(out, slice_of(r->ns));
        status_json_field(out, "name", r->name);
        status_json_field(out, "image", r->image);
        status_json_field(out, "stableImage", r->stable_image ? r->stable_image : r->image);
        status_json_field(out, "phase", r->has_state ? phase_name(r->state.phase) : NULL);
        status_json_field(out, "hold", r->has_state ? hold_name(r->state.hold) : NULL);
        status_json_field(out, "message", r->has_state ? r->state.message : NULL);
        status_json_field(out, "problem", r->problem.kind ? r->problem.msg : NULL);
        buf_addf(out, ",\"replicas\":%d,\"ready\":%d", r->replicas, r->ready);
        if (r->has_state && plan_report(&r->state, now_wall_ns, &rep)) {
            buf_addf(out, ",\"verdict\":\"%s\",\"logFail\":%.6g,\"logPass\":%.6g", verdict_name(rep.verdict),
                     rep.v.log_e, rep.log_pass);
            status_json_field(out, "why", rep.why);
        }
        if (r->has_state) {
            buf_adds(out, ",\"facts\":");
            state_write_facts(&r->state, out);
            buf_adds(out, ",\"state\":");
            state_write(&r->state, out);
        }
        buf_addc(out, '}');
    }
    buf_adds(out, "]}\n");
}

void status_json_clean(struct slice json, struct buf *out) {
    /* DEL and U+0080..9f are allowed in JSON text, and commands to some terminals: they stand in strings only,
     * and are escaped there like the other control characters. */
    for (size_t i = 0; i < json.n; i++) {
        unsigned char c = (unsigned char)json.p[i], next = i + 1 < json.n ? (unsigned char)json.p[i + 1] : 0;
        if (c == 0x7f) {
            buf_adds(out, "\\u007f");
        } else if (c == 0xc2 && next < 0xa0) {
            buf_addf(out, "\\u00%02x", next);
            i++;
        } else {
            buf_addc(out, (char)c);
        }
    }
}

void status_json(const struct status_report *r, int64_t now_wall_ns, struct buf *out) {
    cleanup_buf struct buf raw = BUF(out->max);
    write_json(r, now_wall_ns, &raw);
    status_json_clean(buf_slice(&raw), out);
}
