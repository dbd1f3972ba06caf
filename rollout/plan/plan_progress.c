/* Moving from phase to phase: each move leaves a message, an Event, a number. */
#include "plan/plan_ctx.h"
#include "api/rfc3339.h"
#include <stdio.h>

char *plan_text(const char *fmt, va_list ap) {
    char text[1200];
    int n = vsnprintf(text, sizeof text, fmt, ap);
    return slice_dup_text(slice_make(text, n < 0 ? 0 : strlen(text)), 600);
}

void plan_set_text(char **to, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    char *text = plan_text(fmt, ap);
    va_end(ap);
    free(*to);
    *to = text;
}

static void set_hold(struct state *s, enum hold h, int64_t now) {
    s->hold = h;
    s->hold_ns = h == HOLD_NONE ? 0 : now;
}

/* A phase that is entered again is no change. */
static void note_change(struct state *s, enum phase phase, int64_t now) {
    if (s->phase == phase && s->nchanges) return;
    if (s->nchanges < STATE_CHANGES) s->nchanges++;
    memmove(s->change + 1, s->change, (s->nchanges - 1) * sizeof *s->change);
    s->change[0] = (struct state_change){.phase = phase, .at_ns = now};
    memcpy(s->change[0].hash, s->hash, sizeof s->hash);
}

bool plan_enter(struct plan_ctx *c, enum phase phase, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    char *text = plan_text(fmt, ap);
    va_end(ap);
    struct state *s = c->s;
    free(s->message);
    s->message = text;
    note_change(s, phase, c->now);
    s->phase = phase;
    s->since_ns = c->now;
    s->shrink_ns = 0;
    set_hold(s, HOLD_NONE, c->now);
    return true;
}

bool plan_hold(struct plan_ctx *c, enum hold why, enum hold_text follow, const char *fmt, ...) {
    struct state *s = c->s;
    va_list ap;
    va_start(ap, fmt);
    char *text = plan_text(fmt, ap);
    va_end(ap);
    if (s->hold != why) set_hold(s, why, c->now);
    free(s->message);
    s->message = text;
    c->hold_text = follow;
    return false;
}

static bool digit(char c) {
    return c >= '0' && c <= '9';
}

/* Behind a number: "7", "7.1". */
static const char *after_number(const char *p) {
    while (digit(*p) || (*p == '.' && digit(p[1]))) p++;
    return p;
}

/* "0/3 nodes are available: 3 Insufficient memory" and the same of four nodes are one cause. */
static bool same_but_numbers(const char *a, const char *b) {
    while (*a && *b) {
        if (digit(*a) && digit(*b)) {
            a = after_number(a);
            b = after_number(b);
        } else if (*a++ != *b++) {
            return false;
        }
    }
    return !*a && !*b;
}

static bool is_news(enum hold_text follow, const char *was, const char *now) {
    switch (follow) {
    case TEXT_NEWS: return strcmp(was, now) != 0;
    case TEXT_CAUSE: return !same_but_numbers(was, now);
    case TEXT_KEPT:
    case TEXT_FOLLOWS: break;
    }
    return false;
}

/* Once for each plan: what a phase held for on the way to another hold is no news. */
void plan_report_hold(struct plan_ctx *c) {
    struct state *s = c->s;
    const struct state *was = c->o->state;
    if (s->hold == HOLD_NONE) return;
    bool outside = was && plan_hold_is_outside(was->hold) && plan_hold_is_outside(s->hold);
    bool same = was && was->hold == s->hold && was->phase == s->phase && was->message;
    if (!same) plan_count(c, PM_HOLDS, hold_name(s->hold), 1);
    if (same)
        s->hold_ns = was->hold_ns;
    else if (outside && was->began_ns == s->began_ns)
        s->hold_ns = was->hold_ns; /* another cause, the same wait */
    if (same && c->hold_text == TEXT_KEPT) plan_set_text(&s->message, "%s", was->message);
    if (!same || is_news(c->hold_text, was->message, s->message))
        plan_event(c, EV_HELD + s->hold, "%s", s->message);
}

static void describe_trial(const struct state *s, const char *image, size_t steps, char ret[300]) {
    static const char *const what[TRIAL_STEPS] = {
        [TRIAL_STANDBY] = "the canary stands by",
        [TRIAL_GIVING] = "stable gives the Lease up for the canary",
        [TRIAL_LEADS] = "the canary leads",
        [TRIAL_RETURNING] = "the canary gives the Lease back",
    };
    snprintf(ret, 300, "%.140s, step %u of %zu, trial %u: %s (Lease %.60s)", image, s->step + 1, steps,
             s->trial.step == TRIAL_STANDBY || s->trial.step == TRIAL_GIVING ? s->trial.n + 1 : s->trial.n,
             what[s->trial.step], s->trial.lease);
}

void plan_describe_phase(const struct plan_ctx *c, char ret[300]) {
    const struct state *s = c->s;
    const char *image = s->image ? s->image : s->hash;
    size_t steps = c->spec ? c->spec->nsteps : s->step + 1;
    int32_t canary = plan_canary_wanted(c), all = canary + plan_replicas(c);
    switch (s->phase) {
    case PHASE_STABLE:
        snprintf(ret, 300, "%.200s is in service%s", c->t->image, s->unjudged ? " without a verdict" : "");
        break;
    case PHASE_REHEARSING:
        if (s->rehearsal.over)
            snprintf(ret, 300, "%.100s was rehearsed: %.180s", image, s->rehearsal.line);
        else
            snprintf(ret, 300, "%.200s is being rehearsed: it runs without writing anything", image);
        break;
    case PHASE_STARTING:
        snprintf(ret, 300, "%sthe canary of %.200s%s",
                 s->slice.stage == SLICE_NONE ? "" : "objects are being passed to ", image,
                 s->slice.stage == SLICE_NONE ? " is starting" : "");
        break;
    case PHASE_SOAKING:
        if (plan_by_turns(s)) {
            describe_trial(s, image, steps, ret);
            break;
        }
        if (plan_by_objects(s)) {
            snprintf(ret, 300, "%.140s, step %u of %zu: wanted %u %%, got %u of %u objects", image,
                     s->step + 1, steps, s->percent, s->slice.canary, s->slice.total);
            break;
        }
        snprintf(ret, 300, "%.140s, step %u of %zu: wanted %u %%, got %d %% of %d pods", image, s->step + 1,
                 steps, s->percent, all ? (100 * canary + all / 2) / all : 0, all);
        break;
    case PHASE_PROMOTING: snprintf(ret, 300, "%.200s is being rolled out", image); break;
    case PHASE_FINISHING:
        snprintf(ret, 300, "%.200s is in service; the canary is being removed", image);
        break;
    case PHASE_ROLLED_BACK:
        snprintf(ret, 300, "%.100s was rolled back: %.160s", image, s->reason ? s->reason : "");
        break;
    default: snprintf(ret, 300, "%s", phase_name(s->phase)); break;
    }
}

struct command plan_command(const struct plan_ctx *c, enum spec_action a) {
    struct command r;
    const char *more = a == ACTION_RELEASE ? " --force" : "";
    snprintf(r.text, sizeof r.text, "handover %s %s -n %s%s", spec_action_name(a), c->t->id, c->t->ns, more);
    return r;
}

bool plan_hold_for_user(struct plan_ctx *c) {
    return plan_hold(c, HOLD_PAUSED_BY_USER, TEXT_KEPT, "paused by %s; to go on: %s",
                     plan_who(c, ACTION_PAUSE).text, plan_command(c, ACTION_RESUME).text);
}

bool plan_enter_described(struct plan_ctx *c, enum phase phase) {
    char text[300];
    note_change(c->s, phase, c->now);
    c->s->phase = phase;
    plan_describe_phase(c, text);
    return plan_enter(c, phase, "%s", text);
}

void plan_unhold(struct plan_ctx *c) {
    if (c->s->hold == HOLD_NONE) return;
    char text[300];
    plan_describe_phase(c, text);
    plan_set_text(&c->s->message, "%s", text);
    set_hold(c->s, HOLD_NONE, c->now);
}

static void clear_evidence(struct state *s) {
    judge_param_default(&s->param);
    judge_free(&s->judge);
    evidence_free(&s->evidence);
    counts_free(&s->controllers);
    signals_init(&s->signals);
}

void plan_clear_rollout(struct state *s) {
    s->hash[0] = s->made[0] = '\0';
    free(s->canary);
    free(s->image);
    free(s->reason);
    s->canary = s->image = s->reason = NULL;
    s->step = 0;
    s->percent = 0;
    s->began_ns = s->soak_from_ns = s->shift_ns = s->unready_ns = s->ready_ns = s->shrink_ns = s->pause_ns =
        s->gate_ns = s->progress_ns = 0;
    s->opened = s->checked = 0;
    plan_forget_checks(s);
    s->pause_asked = s->was_ready = s->learned = s->repair = s->window = false;
    s->learned_errors = s->learned_total = 0;
    s->best_updated = s->best_available = s->least_old = 0;
    s->ending = ENDED_PROMOTED;
    free(s->trial.lease);
    s->trial = (struct trial){.step = TRIAL_NONE};
    state_rehearsal_clear(&s->rehearsal);
    clear_evidence(s);
}

/* What a rehearsal has shown is nothing that the canary has done: its judge and its deadline begin anew. */
void plan_begin_canary(struct plan_ctx *c) {
    struct state *s = c->s;
    clear_evidence(s);
    evidence_begin(&s->evidence, c->now);
    s->learned = false;
    s->learned_errors = s->learned_total = 0;
    s->began_ns = c->now;
    s->shift_ns = s->unready_ns = s->ready_ns = s->pause_ns = 0;
    plan_enter_described(c, PHASE_STARTING);
}

void plan_begin_rollout(struct plan_ctx *c) {
    struct state *s = c->s;
    plan_clear_rollout(s);
    memcpy(s->hash, c->t->hash, sizeof s->hash);
    s->canary = canary_name(c->t->id, c->t->hash);
    s->image = xstrdup(c->t->image);
    s->began_ns = c->now;
    s->percent = c->spec->step[0];
    evidence_begin(&s->evidence, c->now);
    plan_begin_slice(c);
    plan_count(c, PM_ROLLOUTS, "started", 1);
    plan_event(c, EV_ROLLOUT_STARTED, "rollout of %s started; stable is %s (template %s)%s", c->t->image,
               s->stable_name, s->hash, plan_shared_claim(c).text);
    if (c->spec->rehearse_ns) memcpy(s->rehearsal.key, c->o->rehearsal_key, sizeof s->rehearsal.key);
    plan_enter_described(c, c->spec->rehearse_ns ? PHASE_REHEARSING : PHASE_STARTING);
}

void plan_end_rollout(struct plan_ctx *c, enum ended how, const char *fmt, ...) {
    struct state *s = c->s;
    va_list ap;
    va_start(ap, fmt);
    free(s->reason);
    s->reason = plan_text(fmt, ap);
    va_end(ap);
    s->ending = how;
    state_history_add(s, how, c->now);
    plan_count(c, PM_ROLLOUTS, ended_name(how), 1);
    if (s->began_ns && c->now > s->began_ns)
        plan_count(c, PM_SECONDS, ended_name(how), (double)(c->now - s->began_ns) / (double)NS_PER_S);
}
