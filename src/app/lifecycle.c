/* What happens to an instance: warm, leading, draining, over; and the host that is about to go. */
#include "app_impl.h"
#include "base/log.h"

enum { SETTLE_S = 30, NOTIFY_AGAIN_S = 60 };

/* What a list or a rollout took goes back to the system once there is nothing to do. */
void app_settle(void *ctx) {
    struct app *a = ctx;
    if (!leadership_inflight(a->leadership)) memory_give_back();
    timer_in(a->settle, SETTLE_S * NS_PER_S);
}

void app_synced(void *ctx) {
    struct app *a = ctx;
    LOG_EVENT(a->log, LOG_INFO, "CachesSynced", "the caches are warm");
    service_ready(a->service);
    leadership_ready(a->leadership, true);
    app_trial(a);
}

static void on_leading(void *ctx) {
    struct app *a = ctx;
    struct election_lead lead = election_lead(leadership_election(a->leadership));
    /* What a predecessor that did not release had not handed on with its last renewals. */
    if (lead.reason != LEASE_R_RELEASED && lead.before_wall_ns)
        rollout_changes_since(a->rollout, lead.before_wall_ns - NOTIFY_AGAIN_S * NS_PER_S);
    app_trial_over(a);
    rollout_add_all(a->rollout);
    service_leading(a->service);
}

static void on_draining(void *ctx, enum drain_phase phase, int64_t left_ns) {
    struct app *a = ctx;
    rollout_stopping(a->rollout);
    /* a receiver that is slow must not hold up the successor, which sends it again */
    if (a->notifier) controller_cancel(notifier_controller(a->notifier));
    service_draining(a->service, phase, left_ns);
}

static void on_over(void *ctx, int exit_code) {
    struct app *a = ctx;
    a->exit(a->exit_ctx, a->yields ? APP_AGAIN : exit_code);
}

const struct leadership_cb app_leadership_cb = {on_leading, on_draining, app_trial, on_over};

void app_stop(struct app *a, const char *why) {
    a->yields = false; /* asked to end, for good */
    leadership_stop(a->leadership, why);
    termination_grace_stopping(a->grace);
}

/* Drained as on SIGTERM, in the time that the host waits; its end lets the host go. A drain that has begun
 * only gets less time: this is no second signal. What leads nothing loses nothing while the host sleeps. */
void app_host_goes(void *ctx, enum inhibit_what what, int64_t within_ns) {
    struct app *a = ctx;
    a->yields = a->yields && what == INHIBIT_SLEEP; /* else it is to end, for good */
    if (!leadership_stopping(a->leadership)) {
        if (what == INHIBIT_SLEEP && !leadership_leading(a->leadership)) {
            inhibit_let_go(a->inhibit, what);
            return;
        }
        app_stop(a, what == INHIBIT_SLEEP ? "the host is about to sleep" : "the host is shutting down");
    }
    leadership_killed_in(a->leadership, within_ns);
}
