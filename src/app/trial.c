/* A new version of Handover itself on trial. By the marks on the Lease each process knows its part: the canary that leads leaves its own
 * Deployment alone, and the version in service guards that while it stands by. docs/design.md "Upgrading itself". */
#include "app_impl.h"
#include "base/log.h"
#include "plan/own.h"

#define SKEW_MAX_NS (86400 * NS_PER_S)
#define MARGIN_NS   (60 * NS_PER_S) /* for guardians on other nodes */

/* The guardian goes by its clock, and the canary by the same one: how far its own is ahead is what the Lease's last renewal by the
 * guardian has shown. Only when the guardian has stopped for certain it goes on alone. */
static int64_t until(const struct app *a) {
    const struct election *e = leadership_election(a->leadership);
    int64_t at = election_trial_until(e);
    if (!at || at > INT64_MAX / 2 || !a->canary || !leadership_leading(a->leadership)) return at;
    struct election_lead lead = election_lead(e);
    int64_t ahead = lead.before_wall_ns ? lead.since_wall_ns - lead.before_wall_ns : 0;
    if (ahead > SKEW_MAX_NS) ahead = SKEW_MAX_NS;
    if (ahead < -SKEW_MAX_NS) ahead = -SKEW_MAX_NS;
    return at + ahead + MARGIN_NS;
}

static bool under_way(const struct app *a) {
    return until(a) > world_wall_ns(a->world);
}

bool app_guards(const struct app *a) {
    return a->guards && a->leadership && under_way(a) && !leadership_leading(a->leadership);
}

void app_trial(void *ctx) {
    struct app *a = ctx;
    bool trial = under_way(a), leads = leadership_leading(a->leadership);
    bool warm = rollout_synced(a->rollout); /* what is not seen is not there, for the plan */
    bool guards = trial && warm && !leads && !a->canary && *a->pod_uid && !leadership_stopping(a->leadership);
    if (trial) timer_in(a->trial_end, until(a) - world_wall_ns(a->world));
    rollout_take_part(a->rollout,
                      guards                        ? ROLLOUT_OWN
                      : trial && leads && a->canary ? ROLLOUT_ALL_BUT_OWN
                                                    : ROLLOUT_ALL,
                      election_guardian(leadership_election(a->leadership)));
    if (guards == a->guards) return;
    a->guards = guards;
    leadership_guard(a->leadership, rollout_controller(a->rollout), guards);
    struct log_field holder = LF_STR("holder", election_holder(leadership_election(a->leadership)));
    if (guards)
        LOG_EVENT(a->log, LOG_INFO, "TrialGuarded",
                  "a new version leads on trial, and this process guards it", holder);
    else
        LOG_EVENT(a->log, LOG_INFO, "TrialGuardEnds", "this process guards no trial any more", holder);
}

void app_trial_over(struct app *a) {
    struct election_lead lead = election_lead(leadership_election(a->leadership));
    bool ended = lead.from_trial && !a->canary;
    const char *fault = NULL;
    if (ended && lead.reason == LEASE_R_DEAD)
        fault = "it has not given the Lease back: it was killed, or had ended before";
    if (ended && lead.reason == LEASE_R_EXPIRED) fault = "it has not given the Lease back, which has expired";
    if (ended && !fault && lead.unusable)
        fault = "it has left a checkpoint that the version in service cannot read";
    rollout_trial_fault(a->rollout, fault, lead.reason != LEASE_R_RELEASED);
    app_trial(a);
}

/* Not inside the reconcile that asks for it. */
static void on_yield(void *ctx) {
    struct app *a = ctx;
    if (leadership_stopping(a->leadership) || !leadership_leading(a->leadership)) return;
    a->yields = true;
    LOG_EVENT(a->log, LOG_INFO, "TrialBegins", "the lease goes to a new version, on trial",
              LF_STR("pod", a->yield_pod));
    leadership_yield(a->leadership, a->yield_pod, a->yield_uid, a->yield_until_ns);
}

void app_yield(void *ctx, const char *pod, const char *uid, int64_t until_wall_ns) {
    struct app *a = ctx;
    free(a->yield_pod);
    free(a->yield_uid);
    a->yield_pod = xstrdup(pod);
    a->yield_uid = xstrdup(uid);
    a->yield_until_ns = until_wall_ns;
    timer_in(a->yield_turn, 0);
}

void app_trial_make(struct app *a) {
    const char *track = world_getenv(a->world, OWN_TRACK);
    a->canary = track && strcmp(track, OWN_TRACK_CANARY) == 0;
    a->trial_end = timer_new(a->world, app_trial, a);
    a->yield_turn = timer_new(a->world, on_yield, a);
}

void app_trial_free(struct app *a) {
    timer_free(a->trial_end);
    timer_free(a->yield_turn);
    free(a->yield_pod);
    free(a->yield_uid);
}
