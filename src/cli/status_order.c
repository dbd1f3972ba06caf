/* Which target somebody has to look at first. */
#include "status_report.h"
#include "status_wait.h"

enum urgency {
    URGENT_INVALID, /* an annotation, or the state: nothing goes on */
    URGENT_PERSON,  /* held until somebody decides or mends something */
    URGENT_ROLLS_BACK,
    URGENT_ROLLED_BACK, /* the version that is wanted is not in service */
    URGENT_HELD,        /* it waits for something that may end by itself */
    URGENT_TRIAL,
    URGENT_WAITS,
    URGENT_NOT, /* in service */
};

static enum urgency urgency(const struct status_row *r) {
    const struct state *s = &r->state;
    if (r->problem.kind) return URGENT_INVALID;
    if (!r->has_state) return URGENT_WAITS;
    if (s->hold == HOLD_SIGNAL || status_wait_held(r)) return URGENT_PERSON;
    if (s->phase == PHASE_ROLLING_BACK) return URGENT_ROLLS_BACK;
    if (s->phase == PHASE_ROLLED_BACK) return URGENT_ROLLED_BACK;
    if (s->hold != HOLD_NONE && plan_reason_warning((enum plan_reason)(EV_HELD + (int)s->hold)))
        return URGENT_HELD;
    if (s->phase == PHASE_IDLE || s->phase == PHASE_ADOPTING) return URGENT_WAITS;
    return s->phase == PHASE_STABLE ? URGENT_NOT : URGENT_TRIAL;
}

static int by_urgency(const void *a, const void *b) {
    const struct status_row *x = *(const struct status_row *const *)a,
                            *y = *(const struct status_row *const *)b;
    int d = (int)urgency(x) - (int)urgency(y);
    if (!d) d = strcmp(x->ns, y->ns);
    return d ? d : strcmp(x->name, y->name);
}

const struct status_row **status_sorted(const struct status_report *r) {
    const struct status_row **row = xcalloc(r->n + 1, sizeof *row);
    for (size_t i = 0; i < r->n; i++) row[i] = &r->rows[i];
    qsort(row, r->n, sizeof *row, by_urgency);
    return row;
}

bool status_has_canary(const struct status_row *r) {
    if (!r->has_state || !r->state.canary) return false;
    switch (r->state.phase) {
    case PHASE_IDLE:
    case PHASE_ADOPTING:
    case PHASE_STABLE:
    case PHASE_REHEARSING:
    case PHASE_ROLLED_BACK: return false;
    default: return true;
    }
}
