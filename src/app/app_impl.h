/* The inside of an instance, shared by app.c (what there is) and lifecycle.c (what happens to it). */
#ifndef APP_IMPL_H
#define APP_IMPL_H
#include "app/app.h"
#include "app/leadership.h"
#include "base/metrics.h"
#include "app/termination_grace.h"
#include "kube/client.h"
#include "obs/inhibit.h"
#include "obs/obs.h"
#include "notifier.h"
#include "page_review.h"
#include "rollout/rollout.h"
#include "service.h"

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
    struct leadership *leadership;
    struct termination_grace *grace;
    struct admin *admin;
    struct notifier *notifier;    /* NULL: nobody is notified */
    struct page_reviews *reviews; /* NULL: the page asks nobody */
    char *lease_namespace, *instance, *pod_uid;
    struct service *service; /* NULL: no service manager */
    struct inhibit *inhibit; /* NULL: logind is not asked */
    struct timer *settle;
    /* trial.c */
    bool canary, guards, yields;
    char *yield_pod, *yield_uid;
    int64_t yield_until_ns;
    struct timer *trial_end, *yield_turn;
};

/* trial.c: a new version of Handover itself on trial */
void app_trial_make(struct app *a);
void app_trial_free(struct app *a);
void app_trial(void *ctx); /* whose part is what, as things are now */
bool app_guards(
    const struct app *a);           /* at this moment: may change what belongs to Handover's own Deployment */
void app_trial_over(struct app *a); /* this process leads: how the trial before it has ended */
void app_yield(void *ctx, const char *pod, const char *uid, int64_t until_wall_ns); /* of rollout_options */

/* lifecycle.c */
extern const struct leadership_cb app_leadership_cb;
void app_synced(void *ctx);
void app_settle(void *ctx);
/* page_items.c */
void app_page_unseen(void *ctx);
void app_page_items(void *ctx, struct page_items *to); /* of struct page_source */
void app_host_goes(void *ctx, enum inhibit_what what, int64_t within_ns);
#endif
