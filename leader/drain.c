/* The drain: an event is taken in, then the phase moves on as far as it can at this moment. */
#include "leader/drain.h"
#include <errno.h>

enum { EARLY_MS = 1000 }; /* how long the early checkpoint may keep the other phases from being named */

int drain_config_check(struct drain_config *cfg, struct err *err) {
    struct drain_config c = *cfg;
    if (c.grace_ns == 0) c.grace_ns = 30 * NS_PER_S;
    if (c.grace_ns < 0 || c.reserve_ns < 0)
        return err_set(err, ERR_CONFIG, -EINVAL, "a duration for the drain is negative");
    if (c.grace_ns < 10 * NS_PER_MS) {
        return err_set(err, ERR_CONFIG, -EINVAL, "the grace period for the drain must be 10ms or more");
    }
    if (c.reserve_ns == 0) {
        c.reserve_ns = c.grace_ns / 6;
        if (c.reserve_ns < NS_PER_S) c.reserve_ns = NS_PER_S;
        if (c.reserve_ns > 5 * NS_PER_S) c.reserve_ns = 5 * NS_PER_S;
        if (c.reserve_ns > c.grace_ns / 2) c.reserve_ns = c.grace_ns / 2;
    }
    if (c.reserve_ns >= c.grace_ns) {
        char grace[32], reserve[32];
        duration_format(c.grace_ns, grace);
        duration_format(c.reserve_ns, reserve);
        return err_set(err, ERR_CONFIG, -EINVAL,
                       "the drain's reserve %s must be shorter than the grace period %s", reserve, grace);
    }
    *cfg = c;
    return 0;
}

const char *drain_phase_name(enum drain_phase p) {
    static const char *const names[] = {"running",    "checkpoint-early", "intake-closed", "finishing",
                                        "cancelling", "releasing",        "done"};
    return (unsigned)p < DRAIN_PHASES ? names[p] : "unknown";
}

void drain_init(struct drain *d, const struct drain_config *checked) {
    *d = (struct drain){.cfg = *checked,
                        .cancel_ns = TIME_NEVER,
                        .stuck_ns = TIME_NEVER,
                        .end_ns = TIME_NEVER,
                        .kill_ns = TIME_NEVER,
                        .phase_ns = INT64_MIN};
}

void drain_config_set(struct drain *d, const struct drain_config *checked) {
    if (d->phase == DRAIN_RUNNING) d->cfg = *checked;
}

int64_t drain_left_ns(const struct drain *d, int64_t boot_ns) {
    if (d->phase == DRAIN_RUNNING) return TIME_NEVER;
    return d->kill_ns > boot_ns ? d->kill_ns - boot_ns : 0;
}

static int64_t sooner(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* Of a reserve that begins at from: two fifths for the work to end, the rest but a tenth for the release.
 * Deadlines only come forward. */
static void set_deadlines(struct drain *d, int64_t from, int64_t reserve) {
    d->cancel_ns = sooner(d->cancel_ns, from);
    d->stuck_ns = sooner(d->stuck_ns, from + reserve / 5 * 2);
    d->end_ns = sooner(d->end_ns, from + reserve - reserve / 10);
    d->kill_ns = sooner(d->kill_ns, from + reserve);
}

static void cancel_by(struct drain *d, int64_t cancel_ns) {
    set_deadlines(d, cancel_ns, d->cfg.reserve_ns);
}

/* Less time than was thought: half of it at most is the reserve. */
static void killed_in(struct drain *d, int64_t now, int64_t left_ns) {
    if (d->phase == DRAIN_RUNNING || left_ns < 0) return;
    int64_t reserve = sooner(d->cfg.reserve_ns, left_ns / 2);
    if (d->phase >= DRAIN_CANCELLING) reserve = left_ns; /* all that is left is for what the reserve is for */
    set_deadlines(d, now + left_ns - reserve, reserve);
}

static void enter(struct drain *d, enum drain_phase phase, int64_t now, struct drain_out *out) {
    if (d->phase == phase) return;
    out->spent_ns[d->phase] += d->phase == DRAIN_RUNNING || now < d->phase_ns ? 0 : now - d->phase_ns;
    d->phase = phase;
    d->phase_ns = now;
}

static void begin(struct drain *d, int64_t now, int64_t cancel_ns, struct drain_out *out) {
    d->began_ns = now;
    cancel_by(d, cancel_ns);
    d->effects |= DRAIN_NOT_READY | DRAIN_CLOSE_INTAKE;
    enter(d, DRAIN_CHECKPOINT_EARLY, now, out);
    /* With nothing in flight the release itself, at once, carries the checkpoint. */
    if (d->leading && d->inflight && !d->lost)
        d->effects |= DRAIN_CHECKPOINT;
    else
        d->checkpointed = true;
}

static void finish(struct drain *d, int code, int64_t now, struct drain_out *out) {
    enter(d, DRAIN_DONE, now, out);
    d->exited = true;
    d->effects |= DRAIN_EXIT;
    out->exit_code = code;
}

static int code_of(const struct drain *d) {
    if (d->stuck) return DRAIN_X_STUCK;
    if (d->lost) return DRAIN_X_LOST;
    if (!d->released) return DRAIN_X_NOT_RELEASED;
    return d->cut ? DRAIN_X_CUT : DRAIN_X_CLEAN;
}

static void signalled(struct drain *d, int64_t now, struct drain_out *out) {
    d->signals++;
    if (d->phase == DRAIN_RUNNING) {
        begin(d, now, now + d->cfg.grace_ns - d->cfg.reserve_ns, out);
    } else if (d->signals == 2) {
        cancel_by(d, now);
        out->log = DRAIN_LOG_HURRY;
    } else if (d->signals > 2) {
        d->effects |= DRAIN_ABANDON;
        d->released = d->released || !d->leading;
        d->stuck = d->stuck || d->inflight;
        out->log = DRAIN_LOG_FORCED;
        finish(d, code_of(d), now, out);
    }
}

static void take(struct drain *d, const struct drain_in *in, struct drain_out *out) {
    d->leading = d->leading || in->leading;
    d->inflight = in->inflight;
    switch (in->ev) {
    case DRAIN_EV_TICK:
    case DRAIN_EV_IDLE: break;
    case DRAIN_EV_SIGNAL: signalled(d, in->boot_ns, out); break;
    case DRAIN_EV_LOST:
        d->lost = true;
        if (d->phase == DRAIN_RUNNING) begin(d, in->boot_ns, in->boot_ns, out);
        cancel_by(d, in->boot_ns);
        break;
    case DRAIN_EV_DEADLINE: killed_in(d, in->boot_ns, in->left_ns); break;
    case DRAIN_EV_CHECKPOINTED: d->checkpointed = true; break;
    case DRAIN_EV_CLOSED: d->closed = true; break;
    case DRAIN_EV_RELEASED:
    case DRAIN_EV_NOT_RELEASED:
        if (d->phase != DRAIN_RELEASING) break;
        d->released = in->ev == DRAIN_EV_RELEASED;
        if (!d->released) out->log = DRAIN_LOG_NOT_RELEASED;
        finish(d, code_of(d), in->boot_ns, out);
        break;
    }
}

static void release(struct drain *d, int64_t now, struct drain_out *out) {
    enter(d, DRAIN_RELEASING, now, out);
    d->effects |= DRAIN_RELEASE;
}

/* Work that does not end although it was cancelled: what it does after the release would be done twice. So no
 * release. */
static void stuck(struct drain *d, int64_t now, struct drain_out *out) {
    d->stuck = true;
    d->effects |= DRAIN_ABANDON;
    out->log = DRAIN_LOG_STUCK;
    finish(d, code_of(d), now, out);
}

/* One step of the phases; false when the present one has to be waited out. */
static bool advance(struct drain *d, int64_t now, struct drain_out *out) {
    bool idle = d->inflight == 0 && d->closed;
    switch (d->phase) {
    case DRAIN_CHECKPOINT_EARLY:
        if (!d->checkpointed && !idle && now < d->began_ns + EARLY_MS * NS_PER_MS && now < d->cancel_ns)
            return false;
        enter(d, DRAIN_INTAKE_CLOSED, now, out);
        return true;
    case DRAIN_INTAKE_CLOSED:
        if (!d->closed && now < d->cancel_ns) return false;
        enter(d, DRAIN_FINISHING, now, out);
        return true;
    case DRAIN_FINISHING:
        if (idle) {
            release(d, now, out);
            return false;
        }
        if (now < d->cancel_ns) return false;
        d->cut = d->inflight > 0;
        d->effects |= DRAIN_CANCEL;
        if (out->log == DRAIN_LOG_NONE) out->log = d->lost ? DRAIN_LOG_CANCEL_LOST : DRAIN_LOG_CANCEL_LATE;
        enter(d, DRAIN_CANCELLING, now, out);
        return true;
    case DRAIN_CANCELLING:
        if (d->inflight == 0)
            release(d, now, out);
        else if (now >= d->stuck_ns)
            stuck(d, now, out);
        return false;
    case DRAIN_RELEASING:
        if (now < d->end_ns) return false;
        d->effects |= DRAIN_ABANDON;
        out->log = DRAIN_LOG_NO_TIME;
        finish(d, code_of(d), now, out);
        return false;
    case DRAIN_RUNNING:
    case DRAIN_DONE: break;
    }
    return false;
}

static int64_t wake(const struct drain *d) {
    int64_t early = d->began_ns + EARLY_MS * NS_PER_MS;
    switch (d->phase) {
    case DRAIN_CHECKPOINT_EARLY: return early < d->cancel_ns ? early : d->cancel_ns;
    case DRAIN_INTAKE_CLOSED:
    case DRAIN_FINISHING: return d->cancel_ns;
    case DRAIN_CANCELLING: return d->stuck_ns;
    case DRAIN_RELEASING: return d->end_ns;
    case DRAIN_RUNNING:
    case DRAIN_DONE: break;
    }
    return TIME_NEVER;
}

void drain_step(struct drain *d, const struct drain_in *in, struct drain_out *ret) {
    struct drain_out out = {0};
    d->effects = 0;
    if (!d->exited) {
        take(d, in, &out);
        while (!d->exited && advance(d, in->boot_ns, &out)) {
        }
    }
    out.phase = d->phase;
    out.wake_ns = wake(d);
    for (unsigned effect = DRAIN_NOT_READY; effect <= DRAIN_EXIT; effect *= 2)
        if (d->effects & effect) out.effects[out.neffects++] = (enum drain_effect)effect;
    *ret = out;
}
