/* The status report for programs. The members are in docs/reference/cli.md. */
#include "api/rfc3339.h"
#include "status_report.h"

enum { SHAPE = 1 };

void status_json_field(struct buf *out, const char *key, const char *value) {
    buf_addf(out, ",\"%s\":", key);
    if (value)
        buf_add_json(out, slice_of(value));
    else
        buf_adds(out, "null");
}

static void add_moment(struct buf *out, const char *key, int64_t ns) {
    char at[32];
    if (ns) rfc3339_seconds(ns, at);
    status_json_field(out, key, ns ? at : NULL);
}

static void add_canary(const struct status_row *r, struct buf *out) {
    if (r->canary_pods >= 0)
        buf_addf(out, ",\"canaryPods\":%d,\"canaryReady\":%d", r->canary_pods, r->canary_ready);
    else
        buf_adds(out, ",\"canaryPods\":null,\"canaryReady\":null");
}

static void write_json(const struct status_report *b, int64_t now_wall_ns, struct buf *out) {
    buf_addf(out, "{\"version\":%d,\"leader\":", SHAPE);
    if (b->holder)
        buf_add_json(out, slice_of(b->holder));
    else
        buf_adds(out, "null");
    buf_addf(out, ",\"term\":%lld", (long long)b->term);
    if (b->trial_wall_ns) {
        char until[32];
        rfc3339_seconds(b->trial_wall_ns, until);
        buf_addf(out, ",\"trial\":{\"until\":\"%s\",\"guardian\":", until);
        buf_add_json(out, slice_of(b->guardian ? b->guardian : ""));
        buf_addc(out, '}');
    }
    buf_adds(out, ",\"targets\":[");
    for (size_t i = 0; i < b->n; i++) {
        const struct status_row *r = &b->rows[i];
        struct judge_report rep;
        buf_adds(out, i ? ",{\"namespace\":" : "{\"namespace\":");
        buf_add_json(out, slice_of(r->ns));
        status_json_field(out, "name", workload_name(r->name));
        status_json_field(out, "kind", workload_of(r->name)->gvr->kind);
        status_json_field(out, "image", r->image);
        status_json_field(out, "stableImage", r->stable_image ? r->stable_image : r->image);
        status_json_field(out, "phase", r->has_state ? phase_name(r->state.phase) : NULL);
        status_json_field(out, "hold", r->has_state ? hold_name(r->state.hold) : NULL);
        status_json_field(out, "message", r->has_state ? r->state.message : NULL);
        status_json_field(out, "problem", r->problem.kind ? r->problem.msg : NULL);
        buf_addf(out, ",\"replicas\":%d,\"ready\":%d", r->replicas, r->ready);
        status_json_field(out, "hint", r->hint);
        add_canary(r, out);
        add_moment(out, "since", r->has_state ? r->state.since_ns : 0);
        add_moment(out, "holdSince", r->has_state && r->state.hold ? r->state.hold_ns : 0);
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
