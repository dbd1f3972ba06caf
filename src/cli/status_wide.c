/* The status report with everything that fits a line of its own, and as names alone. */
#include "status_report.h"
#include "text.h"
#include <stdio.h>

static const struct table_column columns[] = {
    {"NAMESPACE", TABLE_WHOLE}, {"TARGET", TABLE_WHOLE}, {"PHASE", TABLE_WHOLE},       {"HOLD", TABLE_WHOLE},
    {"SINCE", TABLE_WHOLE},     {"READY", TABLE_WHOLE},  {"CANARY", TABLE_WHOLE},      {"STEP", TABLE_WHOLE},
    {"SHARE", TABLE_WHOLE},     {"IMAGE", TABLE_WHOLE},  {"STABLE-IMAGE", TABLE_WHOLE}};

static const char *or_none(const char *text) {
    return text && *text ? text : "-";
}

static void add_row(struct table *t, const struct status_row *r, int64_t now) {
    const struct state *s = &r->state;
    char ready[32], since[32] = "", canary[32] = "", step[32] = "", share[16] = "";
    bool trial = r->has_state && state_on_trial(s) && s->phase != PHASE_REHEARSING;
    snprintf(ready, sizeof ready, "%d/%d", r->ready, r->replicas);
    if (r->has_state) status_age(now - s->since_ns, since);
    if (r->canary_pods >= 0) snprintf(canary, sizeof canary, "%d/%d", r->canary_ready, r->canary_pods);
    if (trial) snprintf(step, sizeof step, "%u/%zu", s->step + 1, r->steps ? r->steps : 1);
    if (trial) snprintf(share, sizeof share, "%u%%", s->percent);
    table_cell(t, NULL, r->ns);
    table_cell(t, NULL, r->name);
    table_cell(t, status_colour(r), status_phase(r));
    table_cell(t, NULL, or_none(r->has_state ? hold_name(s->hold) : ""));
    table_cell(t, NULL, or_none(since));
    table_cell(t, NULL, ready);
    table_cell(t, NULL, or_none(canary));
    table_cell(t, NULL, or_none(step));
    table_cell(t, NULL, or_none(share));
    table_cell(t, NULL, or_none(r->image));
    table_cell(t, NULL, or_none(r->stable_image ? r->stable_image : r->image));
}

void status_wide(const struct status_report *r, const struct table_style *style, int64_t now_wall_ns,
                 struct buf *out) {
    struct table_style whole = {.colour = style->colour, .utf8 = style->utf8};
    cleanup_table struct table *t = table_new(&whole, columns, ARRAY_LEN(columns));
    cleanup_free const struct status_row **row = status_sorted(r);
    for (size_t i = 0; i < r->n; i++) add_row(t, row[i], now_wall_ns);
    table_print(t, out);
}

void status_names(const struct status_report *r, struct buf *out) {
    for (size_t i = 0; i < r->n; i++) {
        buf_addf(out, "%s.apps/", workload_of(r->rows[i].name)->word);
        text_clean(out, slice_of(workload_name(r->rows[i].name)), true);
        buf_addc(out, '\n');
    }
}
