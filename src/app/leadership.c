/* See app/leadership.h: what becomes of the election's callbacks and of the drain's effects. */
#include "leadership_impl.h"

static struct log *log_of(const struct leadership *l) {
    return kube_log(l->kube);
}

static struct world *world_of(const struct leadership *l) {
    return kube_world(l->kube);
}

static void gates(struct leadership *l, bool open) {
    for (size_t i = 0; i < l->nmembers; i++) controller_gate(l->members[i].controller, open);
}

size_t leadership_inflight(const struct leadership *l) {
    size_t n = 0;
    for (size_t i = 0; i < l->nmembers; i++) n += controller_inflight(l->members[i].controller);
    return n;
}

static size_t pending(const struct leadership *l) {
    size_t n = 0;
    for (size_t i = 0; i < l->nmembers; i++) n += controller_pending(l->members[i].controller);
    return n;
}

/* ---- what a drain measures ---- */

static void observe(struct leadership *l, enum drain_phase p, double seconds) {
    const char *phase = drain_phase_name(p);
    metric_observe(metric_with(l->drain_seconds, &phase), seconds);
}

/* PHASE=SECONDS, by blanks: a scrape comes too late to see them where they were measured. */
static void tell_phases(void *ctx, struct buf *to) {
    struct leadership *l = ctx;
    for (int i = DRAIN_RUNNING + 1; i < DRAIN_PHASES; i++) {
        if (!l->spent_ns[i]) continue;
        buf_addf(to, "%s%s=%.6f", to->n ? " " : "", drain_phase_name((enum drain_phase)i),
                 (double)l->spent_ns[i] / (double)NS_PER_S);
    }
}

/* Those of the predecessor, as it told them. */
static void observe_predecessor(struct leadership *l) {
    struct slice left = election_last(l->election), word, name, value;
    while (left.n) {
        slice_cut(left, ' ', &word, &left);
        if (!slice_cut(word, '=', &name, &value)) continue;
        for (int i = DRAIN_RUNNING + 1; i < DRAIN_PHASES; i++) {
            double seconds;
            if (slice_eqs(name, drain_phase_name((enum drain_phase)i)) && slice_f64(value, &seconds) == 0 &&
                seconds >= 0 && seconds < 86400)
                observe(l, (enum drain_phase)i, seconds);
        }
    }
}

/* ---- leading ---- */

static void on_lead(void *ctx, int64_t term, enum lease_reason reason, struct checkpoint_reader *work) {
    struct leadership *l = ctx;
    if (l->stopping) return; /* the signal came in between: the intake stays shut, the drain releases */
    size_t n = leadership_restore(l, work, false);
    observe_predecessor(l);
    l->cb.leading(l->ctx);
    gates(l, true);
    LOG_EVENT(log_of(l), LOG_INFO, "LeaseAcquired", "lease acquired", LF_INT("term", term),
              LF_STR("reason", lease_reason_name(reason)), LF_INT("restored_keys", n));
}

/* While draining as well: what is restored then stands in the next checkpoint. */
static void on_late_work(void *ctx, struct checkpoint_reader *work) {
    struct leadership *l = ctx;
    LOG_EVENT(log_of(l), LOG_INFO, "CheckpointPartRestored", "a late part of the checkpoint is restored",
              LF_INT("restored_keys", leadership_restore(l, work, true)));
}

/* ---- draining ---- */

static void observe_phases(struct leadership *l, const struct drain_out *out) {
    for (int i = 0; i < DRAIN_PHASES; i++) {
        if (out->spent_ns[i] <= 0 || i == DRAIN_RUNNING) continue;
        l->spent_ns[i] += out->spent_ns[i];
        observe(l, (enum drain_phase)i, (double)out->spent_ns[i] / (double)NS_PER_S);
    }
}

static void log_drain(const struct leadership *l, const struct drain_out *out) {
    struct log *log = log_of(l);
    struct log_field phase = LF_STR("phase", drain_phase_name(out->phase)),
                     inflight = LF_INT("inflight", leadership_inflight(l));
    switch (out->log) {
    case DRAIN_LOG_HURRY:
    case DRAIN_LOG_CANCEL_LOST:
    case DRAIN_LOG_CANCEL_LATE: {
        const char *reason = out->log == DRAIN_LOG_HURRY         ? "SecondSignal"
                             : out->log == DRAIN_LOG_CANCEL_LOST ? "LeaseLost"
                                                                 : "GracePeriodOver";
        LOG_EVENT(log, LOG_INFO, "ReconcilesCancelled", "cancelling reconciles in flight",
                  LF_STR("reason", reason), phase, inflight);
        break;
    }
    case DRAIN_LOG_FORCED:
        LOG_EVENT(log, LOG_WARN, "DrainForced", "third signal, exiting at once", phase, inflight);
        break;
    case DRAIN_LOG_STUCK:
        LOG_EVENT(log, LOG_ERROR, "DrainStuck",
                  "cancelled reconciles do not end, exiting without releasing the lease", phase, inflight);
        break;
    case DRAIN_LOG_NO_TIME:
        LOG_EVENT(log, LOG_WARN, "ReleaseTimedOut", "no time left to release the lease", phase, inflight);
        break;
    case DRAIN_LOG_NOT_RELEASED:
        LOG_EVENT(log, LOG_WARN, "ReleaseFailed", "the lease could not be released", phase, inflight);
        break;
    case DRAIN_LOG_NONE: break;
    }
}

/* A large checkpoint may take half of what is left at most: the release has to come through after it. */
static void release(struct leadership *l, int64_t until_ns) {
    int64_t left = until_ns - world_boot_ns(world_of(l));
    election_drained(l->election, left > 2 ? left / 2 : 1);
}

static void post(struct leadership *l, enum drain_event ev) {
    l->pending |= 1u << ev;
    l->signals += ev == DRAIN_EV_SIGNAL;
}

static void carry_out(struct leadership *l, enum drain_effect effect, const struct drain_out *out) {
    switch (effect) {
    case DRAIN_NOT_READY:
        l->stopping = true;
        election_stop(l->election);
        break;
    case DRAIN_CLOSE_INTAKE:
        for (size_t i = 0; i < l->nmembers; i++) controller_stop_intake(l->members[i].controller);
        post(l, DRAIN_EV_CLOSED);
        break;
    case DRAIN_CHECKPOINT: election_renew_now(l->election); break;
    case DRAIN_CANCEL:
        for (size_t i = 0; i < l->nmembers; i++) controller_cancel(l->members[i].controller);
        break;
    case DRAIN_RELEASE: release(l, out->wake_ns); break;
    case DRAIN_ABANDON: election_give_up(l->election); break;
    case DRAIN_EXIT:
        l->exit_code = out->exit_code;
        timer_in(l->exit_turn, 0);
        break;
    }
}

/* The next event that came up. Each but the signal says that a state was reached, so that a second one before
 * the first was taken adds nothing: a bit for each kind holds them all. Signals are counted. */
static bool take_event(struct leadership *l, enum drain_event *ret) {
    if (!l->pending) return false;
    *ret = (enum drain_event)__builtin_ctz(l->pending);
    if (*ret != DRAIN_EV_SIGNAL || --l->signals == 0) l->pending &= l->pending - 1;
    return true;
}

/* Effects can bring up further events: one after the other, never inside each other. */
static void event(struct leadership *l, enum drain_event ev) {
    post(l, ev);
    if (l->draining_now) return;
    enum drain_phase before = l->drain.phase;
    l->draining_now = true;
    while (take_event(l, &ev)) {
        int64_t now = world_boot_ns(world_of(l));
        struct drain_in in = {.ev = ev,
                              .boot_ns = now,
                              .leading = election_leading(l->election),
                              .inflight = leadership_inflight(l),
                              .left_ns = l->kill_ns > now ? l->kill_ns - now : 0};
        struct drain_out out = {0};
        drain_step(&l->drain, &in, &out);
        log_drain(l, &out);
        timer_at(l->drain_tick, out.wake_ns);
        observe_phases(l, &out);
        for (size_t i = 0; i < out.neffects; i++) carry_out(l, out.effects[i], &out);
    }
    l->draining_now = false;
    if (l->drain.phase != before && l->cb.draining)
        l->cb.draining(l->ctx, l->drain.phase, leadership_drain_left_ns(l));
}

static void on_drain_tick(void *ctx) {
    event(ctx, DRAIN_EV_TICK);
}

static void on_idle(void *ctx) {
    event(ctx, DRAIN_EV_IDLE);
}

static void on_renewed(void *ctx, bool ok) {
    struct leadership *l = ctx;
    if (!ok)
        LOG_EVENT(log_of(l), LOG_WARN, "EarlyCheckpointFailed",
                  "the early checkpoint could not be written, the release carries one");
    event(l, DRAIN_EV_CHECKPOINTED);
}

static void on_lost(void *ctx, enum lease_reason reason) {
    struct leadership *l = ctx;
    LOG_EVENT(log_of(l), LOG_ERROR, "LeaseLost", "the lease is lost, no further changes are made",
              LF_STR("reason", lease_reason_name(reason)), LF_INT("term", election_term(l->election)));
    gates(l, false);
    event(l, DRAIN_EV_LOST);
}

static void on_trial(void *ctx) {
    struct leadership *l = ctx;
    if (l->cb.trial) l->cb.trial(l->ctx);
}

static void on_over(void *ctx, enum lease_reason reason) {
    bool free_now = reason == LEASE_R_GIVEN_BACK || reason == LEASE_R_NOT_HELD || reason == LEASE_R_TAKEN;
    event(ctx, free_now ? DRAIN_EV_RELEASED : DRAIN_EV_NOT_RELEASED);
}

static void on_exit_turn(void *ctx) {
    struct leadership *l = ctx;
    l->cb.over(l->ctx, l->exit_code); /* it may have freed us */
}

/* ---- coming and going ---- */

static void make_metrics(struct leadership *l) {
    struct metrics *m = kube_metrics(l->kube);
    l->drain_seconds =
        metrics_family(m, METRIC_HISTOGRAM, "handover_drain_seconds", "Time spent in each phase of a drain",
                       "phase", metrics_seconds, ARRAY_LEN(metrics_seconds));
    leadership_keys_metrics(l);
}

int leadership_new(struct kube *k, const struct leadership_config *cfg, const struct leadership_cb *cb,
                   void *ctx, struct leadership **ret, struct err *err) {
    static const struct election_cb election_cb = {.lead = on_lead,
                                                   .late_work = on_late_work,
                                                   .lost = on_lost,
                                                   .over = on_over,
                                                   .work = leadership_gather,
                                                   .renewed = on_renewed,
                                                   .orders = leadership_orders,
                                                   .last = tell_phases,
                                                   .trial = on_trial};
    struct drain_config drain = cfg->drain;
    int rc = drain_config_check(&drain, err);
    if (rc) return rc;
    struct leadership *l = xcalloc(1, sizeof *l);
    *l = (struct leadership){.kube = k, .cb = *cb, .ctx = ctx};
    rc = election_new(k, &cfg->election, &election_cb, l, &l->election, err);
    if (rc) {
        free(l);
        return rc;
    }
    drain_init(&l->drain, &drain);
    l->drain_tick = timer_new(world_of(l), on_drain_tick, l);
    l->exit_turn = timer_new(world_of(l), on_exit_turn, l);
    make_metrics(l);
    *ret = l;
    return 0;
}

void leadership_free(struct leadership *l) {
    if (!l) return;
    timer_free(l->drain_tick);
    timer_free(l->exit_turn);
    election_free(l->election);
    free(l);
}

void leadership_add(struct leadership *l, const char *name, struct controller *c) {
    if (l->nmembers == LEADERSHIP_CONTROLLERS) return; /* the number is the program's own, not the user's */
    l->members[l->nmembers++] = (struct member){name, c};
    controller_on_idle(c, on_idle, l);
}

void leadership_start(struct leadership *l) {
    election_start(l->election);
}

void leadership_ready(struct leadership *l, bool ready) {
    election_ready(l->election, ready);
}

void leadership_stop(struct leadership *l, const char *why) {
    bool first = !l->stopping;
    event(l, DRAIN_EV_SIGNAL);
    if (first)
        LOG_EVENT(log_of(l), LOG_INFO, "DrainStarted", "drain started", LF_STR("reason", why),
                  LF_STR("phase", drain_phase_name(l->drain.phase)),
                  LF_INT("inflight", leadership_inflight(l)), LF_INT("pending", pending(l)));
}

void leadership_yield(struct leadership *l, const char *pod, const char *uid, int64_t until_wall_ns) {
    if (l->stopping || !election_leading(l->election)) return;
    election_yield(l->election, pod, uid, until_wall_ns);
    leadership_stop(l, "a new version is tried");
}

void leadership_guard(struct leadership *l, struct controller *c, bool on) {
    if (!election_leading(l->election) && !l->stopping) controller_gate(c, on);
}

void leadership_grace(struct leadership *l, const struct drain_config *checked) {
    drain_config_set(&l->drain, checked);
}

void leadership_killed_in(struct leadership *l, int64_t left_ns) {
    int64_t now = world_boot_ns(world_of(l));
    l->kill_ns = left_ns < TIME_NEVER - now ? now + left_ns : TIME_NEVER;
    event(l, DRAIN_EV_DEADLINE);
}

bool leadership_may_mutate(const struct leadership *l) {
    return l && election_may_mutate(l->election);
}

bool leadership_leading(const struct leadership *l) {
    return election_leading(l->election);
}

bool leadership_stopping(const struct leadership *l) {
    return l->stopping;
}

int64_t leadership_drain_left_ns(const struct leadership *l) {
    return drain_left_ns(&l->drain, world_boot_ns(world_of(l)));
}

const struct election *leadership_election(const struct leadership *l) {
    return l->election;
}
