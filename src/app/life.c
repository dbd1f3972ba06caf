/* What happens to an instance: warm, leading, draining, over; and what the service manager is told of it. */
#include "app_impl.h"
#include "base/log.h"

enum { STOP_MARGIN_S = 5 }; /* what the service manager waits longer than the drain may take */

void app_synced(void *ctx) {
    struct app *a = ctx;
    LOG0(a->log, LOG_INFO, "the caches are warm");
    notify_ready("standing by");
    leadership_ready(a->leadership, true);
}

static void on_leading(void *ctx) {
    struct app *a = ctx;
    rollout_add_all(a->rollout);
    notify_status("leading");
}

static void on_draining(void *ctx, enum drain_phase phase, int64_t left_ns) {
    (void)ctx;
    (void)phase;
    notify_extend(left_ns + STOP_MARGIN_S * NS_PER_S);
}

static void on_over(void *ctx, int exit_code) {
    struct app *a = ctx;
    a->exit(a->exit_ctx, exit_code);
}

const struct leadership_cb app_leadership_cb = {on_leading, on_draining, on_over};

void app_stop(struct app *a, const char *why) {
    leadership_stop(a->leadership, why);
    grace_stopping(a->grace);
}

void app_watchdog(void *ctx) {
    struct app *a = ctx;
    notify_watchdog();
    timer_in(a->watchdog, notify_watchdog_ns() / 2);
}
