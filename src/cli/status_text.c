/* The status report as text: a line a target, a second line while one is on trial or needs attention. */
#include "base/time.h"
#include "status_report.h"
#include <stdio.h>

static const char *const plain = "\x1b[0m", *const bold = "\x1b[1m", *const dim = "\x1b[2m",
                         *const red = "\x1b[31m", *const green = "\x1b[32m", *const yellow = "\x1b[33m",
                         *const cyan = "\x1b[36m";

struct pen {
    struct buf *out;
    const struct table_style *style;
    int64_t now;
};

static void paint(struct pen *p, const char *colour) {
    if (p->style->colour) buf_adds(p->out, colour);
}

/* Text cut and padded to so many columns (of ASCII text). */
static void cell(struct pen *p, const char *text, int columns) {
    int n = (int)strlen(text);
    if (n > columns)
        buf_addf(p->out, "%.*s~ ", columns - 1, text);
    else
        buf_addf(p->out, "%-*s ", columns, text);
}

static void ago(int64_t ns, char ret[32]) {
    if (ns < 0) ns = 0;
    if (ns >= NS_PER_S)
        ns = ns / NS_PER_S * NS_PER_S;
    else
        ns = ns / NS_PER_MS * NS_PER_MS;
    duration_format(ns, ret);
}

/* What a person calls the version: what follows the last '/' of the image, or its tag alone when both images
 * share a name. */
static const char *short_image(const char *image) {
    const char *slash = strrchr(image, '/');
    return slash ? slash + 1 : image;
}

static const char *phase_colour(const struct status_row *r) {
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

static void bar(struct pen *p, double share) {
    enum { CELLS = 12 };
    int full = (int)(share < 0 ? 0 : share > 1 ? CELLS : share * CELLS + 0.5);
    buf_adds(p->out, p->style->utf8 ? "▕" : "[");
    for (int i = 0; i < CELLS; i++)
        buf_adds(p->out, p->style->utf8 ? (i < full ? "█" : "░") : (i < full ? "#" : "."));
    buf_adds(p->out, p->style->utf8 ? "▏" : "]");
}

static double rate(uint64_t errors, uint64_t total) {
    return total ? 100.0 * (double)errors / (double)total : 0;
}

static void draw_trial(struct pen *p, const struct status_row *r) {
    const struct state *s = &r->state;
    struct judge_report rep;
    char took[32], of[32];
    if (s->phase == PHASE_SOAKING) {
        int64_t watched = s->soak_from_ns ? p->now - s->soak_from_ns : 0;
        ago(watched, took);
        ago(judge_soak_ns(&s->judge, &s->param), of);
        buf_addf(p->out, "    step %u of %zu, %u %%  ", s->step + 1, r->steps ? r->steps : 1, s->percent);
        bar(p, s->param.soak_ns ? (double)watched / (double)judge_soak_ns(&s->judge, &s->param) : 0);
        buf_addf(p->out, "  %s of %s\n", took, of);
    }
    if (!plan_report(s, p->now, &rep)) return;
    buf_addf(p->out,
             "    canary %llu errors of %llu (%.1f %%, at most %.1f %%)   stable %llu of %llu (%.1f %%)   "
             "tolerated %.1f %%\n",
             (unsigned long long)s->judge.ec, (unsigned long long)s->judge.nc, rate(s->judge.ec, s->judge.nc),
             100 * rep.upper, (unsigned long long)s->judge.es, (unsigned long long)s->judge.ns,
             rate(s->judge.es, s->judge.ns), 100 * s->param.theta);
    buf_addf(p->out, "    evidence that it is bad %.1f of %.1f, that it is good %.1f of %.1f\n", rep.log_fail,
             rep.limit_fail, rep.log_pass, rep.limit_pass);
}

static void draw_row(struct pen *p, const struct status_row *r) {
    char version[96], ready[32], took[32] = "";
    if (r->stable_image)
        snprintf(version, sizeof version, "%s -> %s", short_image(r->stable_image), short_image(r->image));
    else
        snprintf(version, sizeof version, "%s", short_image(r->image));
    snprintf(ready, sizeof ready, "%d/%d", r->ready, r->replicas);
    if (r->has_state) ago(p->now - r->state.since_ns, took);
    cell(p, r->ns, 16);
    paint(p, bold);
    cell(p, r->name, 24);
    paint(p, plain);
    paint(p, phase_colour(r));
    cell(p, r->has_state ? phase_name(r->state.phase) : r->problem.kind ? "Invalid" : "Waiting", 12);
    paint(p, plain);
    cell(p, took, 8);
    cell(p, ready, 6);
    cell(p, version, 40);
    buf_addc(p->out, '\n');
    if (r->problem.kind) {
        paint(p, red);
        buf_addf(p->out, "    %s\n", r->problem.msg);
        paint(p, plain);
    }
    if (!r->has_state) return;
    if (r->state.message && (r->state.phase != PHASE_STABLE || r->state.hold != HOLD_NONE)) {
        paint(p, r->state.hold != HOLD_NONE ? yellow : dim);
        buf_addf(p->out, "    %s\n", r->state.message);
        paint(p, plain);
    }
    draw_trial(p, r);
}

void status_text(const struct status_report *b, const struct table_style *style, int64_t now_wall_ns,
                 struct buf *out) {
    struct pen p = {.out = out, .style = style, .now = now_wall_ns};
    char since[32];
    if (!b->has_lease) {
        buf_adds(out, b->no_lease_access ? "leader: not allowed to read the Lease\n"
                                         : "leader: none, the Lease does not exist\n");
    } else if (!*b->holder) {
        buf_addf(out, "leader: none at this moment (term %lld was released)\n", (long long)b->term);
    } else {
        ago(now_wall_ns - b->renewed_wall_ns, since);
        buf_addf(out, "leader: %.*s (term %lld, renewed %s ago)\n", (int)strcspn(b->holder, "_"), b->holder,
                 (long long)b->term, since);
    }
    if (!b->n) {
        buf_adds(out, "no Deployment carries the annotation " HANDOVER_PREFIX "canary-percent\n");
        return;
    }
    paint(&p, dim);
    buf_addf(out, "%-16s %-24s %-12s %-8s %-6s %s\n", "NAMESPACE", "TARGET", "PHASE", "SINCE", "READY",
             "VERSION");
    paint(&p, plain);
    for (size_t i = 0; i < b->n; i++) draw_row(&p, &b->rows[i]);
}

static void json_field(struct buf *out, const char *key, const char *value) {
    buf_addf(out, ",\"%s\":", key);
    if (value)
        buf_add_json(out, slice_of(value));
    else
        buf_adds(out, "null");
}

void status_json(const struct status_report *b, int64_t now_wall_ns, struct buf *out) {
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
        json_field(out, "name", r->name);
        json_field(out, "image", r->image);
        json_field(out, "stableImage", r->stable_image ? r->stable_image : r->image);
        json_field(out, "phase", r->has_state ? phase_name(r->state.phase) : NULL);
        json_field(out, "hold", r->has_state ? hold_name(r->state.hold) : NULL);
        json_field(out, "message", r->has_state ? r->state.message : NULL);
        json_field(out, "problem", r->problem.kind ? r->problem.msg : NULL);
        buf_addf(out, ",\"replicas\":%d,\"ready\":%d", r->replicas, r->ready);
        if (r->has_state && plan_report(&r->state, now_wall_ns, &rep)) {
            buf_addf(out, ",\"verdict\":\"%s\",\"logFail\":%.6g,\"logPass\":%.6g", verdict_name(rep.verdict),
                     rep.log_fail, rep.log_pass);
            json_field(out, "why", rep.why);
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
