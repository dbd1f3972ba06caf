/* The inside of an instance, shared by app.c (what there is) and life.c (what happens to it). */
#ifndef APP_IMPL_H
#define APP_IMPL_H
#include "app/app.h"
#include "base/metrics.h"
#include "kube/client.h"
#include "leader/drain.h"
#include "leader/election.h"
#include "obs/obs.h"
#include "rollout/rollout.h"

enum { APP_EVENTS = 16 };
struct app {
    struct world *world;
    struct log *log;
    struct app_options opt;
    void (*exit)(void *ctx, int code);
    void *exit_ctx;

    struct kube_config *config;
    struct metrics *metrics;
    struct kube *kube;
    struct rollout *rollout;
    struct election *election;
    struct admin *admin;
    char *lease_namespace, *instance;

    struct drain drain;
    struct drain_config drain_cfg;
    enum drain_event events[APP_EVENTS]; /* that came up while another was handled */
    size_t nevents;
    bool draining_now; /* inside drain_step's consequences */
    bool stopping, exited;
    int exit_code;
    struct timer *drain_tick, *exit_turn, *watchdog;
    struct metric_family *drain_seconds, *checkpoint_keys, *restored_keys;
};

/* life.c */
extern const struct election_cb app_election_cb;
void app_synced(void *ctx);
void app_idle(void *ctx);
void app_drain_tick(void *ctx);
void app_exit_turn(void *ctx);
void app_watchdog(void *ctx);
void app_drain_event(struct app *a, enum drain_event ev);
#endif
