/* What happens to an instance: leading, losing, draining. leader and rollout meet here. */
#include "app_impl.h"
#include "base/log.h"

/* ---- leading ---- */

static struct controller *controller(struct app *a) {
    return rollout_controller(a->rollout);
}

void app_synced(void *ctx) {
    struct app *a = ctx;
    LOG0(a->log, LOG_INFO, "the caches are warm");
    notify_ready("standing by");
    election_ready(a->election, true);
}

struct restore {
    struct app *app;
    size_t n;
};

static void restore_key(void *ctx, const struct checkpoint_key *k) {
    struct restore *r = ctx;
    const char *kind = checkpoint_kind_name(k->kind);
    if (!slice_eqs(k->controller, "rollout")) return; /* of a controller that this version does not have */
    struct key_state state = {.key = k->key,
                              .kind = (enum key_kind)k->kind,
                              .prio = k->prio,
                              .at_wall_ns = k->at_wall_ns,
                              .failures = k->failures,
                              .reason = k->reason};
    controller_restore(controller(r->app), &state);
    metric_inc(metric_with(r->app->restored_keys, &kind));
    r->n++;
}

static void on_lead(void *ctx, int64_t term, enum lease_reason reason, struct checkpoint_reader *work) {
    struct app *a = ctx;
    struct restore r = {.app = a};
    if (a->stopping) return; /* the signal came in between: the intake stays shut, the drain releases */
    if (work) checkpoint_each(work, restore_key, &r);
    rollout_add_all(a->rollout);
    controller_gate(controller(a), true);
    notify_status("leading");
    LOG(a->log, LOG_INFO, "leading", LF_INT("term", term), LF_STR("reason", lease_reason_name(reason)),
        LF_INT("restored_keys", r.n));
}

/* ---- the checkpoint ---- */

struct gather {
    struct app *app;
    struct checkpoint *to;
    double n[CHECKPOINT_KINDS];
};

static void gather_key(void *ctx, const struct key_state *k) {
    struct gather *g = ctx;
    struct checkpoint_key key = {.kind = (enum checkpoint_kind)k->kind,
                                 .controller = SL("rollout"),
                                 .key = k->key,
                                 .prio = k->prio,
                                 .at_wall_ns = k->at_wall_ns,
                                 .failures = k->failures,
                                 .reason = k->reason};
    checkpoint_add(g->to, &key);
    g->n[key.kind]++;
}

static void on_work(void *ctx, bool final, struct checkpoint *to) {
    struct app *a = ctx;
    struct gather g = {.app = a, .to = to};
    (void) final;
    controller_snapshot(controller(a), gather_key, &g);
    for (int i = 0; i < CHECKPOINT_KINDS; i++) {
        const char *kind = checkpoint_kind_name((enum checkpoint_kind)i);
        metric_set(metric_with(a->checkpoint_keys, &kind), g.n[i]);
    }
}

/* ---- draining ---- */

static void observe_phases(struct app *a, const struct drain_out *out) {
    for (int i = 0; i < DRAIN_PHASES; i++) {
        if (out->spent_ns[i] <= 0 || i == DRAIN_RUNNING) continue;
        const char *phase = drain_phase_name((enum drain_phase)i);
        metric_observe(metric_with(a->drain_seconds, &phase), (double)out->spent_ns[i] / (double)NS_PER_S);
    }
}

static void carry_out(struct app *a, const struct drain_out *out) {
    if (out->why)
        LOG(a->log, LOG_INFO, out->why, LF_STR("phase", drain_phase_name(out->phase)),
            LF_INT("inflight", controller_inflight(controller(a))));
    timer_at(a->drain_tick, out->wake_ns);
    observe_phases(a, out);
    if (out->act & DRAIN_NOT_READY) {
        a->stopping = true;
        election_stop(a->election);
    }
    if (out->act & DRAIN_CLOSE_INTAKE) {
        controller_stop_intake(controller(a));
        app_drain_event(a, DRAIN_EV_CLOSED);
    }
    if (out->act & DRAIN_CHECKPOINT) election_renew_now(a->election);
    if (out->act & DRAIN_CANCEL) controller_cancel(controller(a));
    if (out->act & DRAIN_RELEASE) election_drained(a->election);
    if (out->act & DRAIN_ABANDON) election_give_up(a->election);
    if (out->act & DRAIN_EXIT) {
        a->exit_code = out->exit_code;
        timer_in(a->exit_turn, 0);
    }
}

/* Consequences of an event can be events: one after the other, never inside each other. */
void app_drain_event(struct app *a, enum drain_event ev) {
    if (a->nevents < APP_EVENTS) a->events[a->nevents++] = ev;
    if (a->draining_now) return;
    a->draining_now = true;
    while (a->nevents) {
        struct drain_in in = {.ev = a->events[0],
                              .boot_ns = world_boot_ns(a->world),
                              .leading = election_leading(a->election),
                              .inflight = controller_inflight(controller(a))};
        struct drain_out out = {0};
        memmove(a->events, a->events + 1, --a->nevents * sizeof a->events[0]);
        drain_step(&a->drain, &in, &out);
        carry_out(a, &out);
    }
    a->draining_now = false;
}

void app_drain_tick(void *ctx) {
    struct app *a = ctx;
    notify_extend(10 * NS_PER_S);
    app_drain_event(a, DRAIN_EV_TICK);
}

void app_idle(void *ctx) {
    app_drain_event(ctx, DRAIN_EV_IDLE);
}

static void on_renewed(void *ctx, bool ok) {
    struct app *a = ctx;
    if (!ok) LOG0(a->log, LOG_WARN, "the early checkpoint could not be written; the release carries one");
    app_drain_event(a, DRAIN_EV_CHECKPOINTED);
}

static void on_lost(void *ctx, enum lease_reason reason, const char *why) {
    struct app *a = ctx;
    LOG(a->log, LOG_ERROR, "the lease is lost: nothing is changed any more",
        LF_STR("reason", lease_reason_name(reason)), LF_STR("why", why));
    controller_gate(controller(a), false);
    app_drain_event(a, DRAIN_EV_LOST);
}

static void on_over(void *ctx, enum lease_reason reason) {
    bool free_ = reason == LEASE_R_GIVEN_BACK || reason == LEASE_R_NOT_HELD || reason == LEASE_R_TAKEN;
    app_drain_event(ctx, free_ ? DRAIN_EV_RELEASED : DRAIN_EV_NOT_RELEASED);
}

const struct election_cb app_election_cb = {on_lead, on_lost, on_over, on_work, on_renewed};

void app_stop(struct app *a, const char *why) {
    LOG(a->log, LOG_INFO, "stopping", LF_STR("why", why),
        LF_INT("inflight", controller_inflight(controller(a))),
        LF_INT("pending", controller_pending(controller(a))));
    notify_extend(10 * NS_PER_S);
    app_drain_event(a, DRAIN_EV_SIGNAL);
}

void app_exit_turn(void *ctx) {
    struct app *a = ctx;
    if (a->exited) return;
    a->exited = true;
    a->exit(a->exit_ctx, a->exit_code);
}

void app_watchdog(void *ctx) {
    struct app *a = ctx;
    notify_watchdog();
    timer_in(a->watchdog, notify_watchdog_ns() / 2);
}
