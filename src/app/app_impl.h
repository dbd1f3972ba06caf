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
};

/* lifecycle.c */
extern const struct leadership_cb app_leadership_cb;
void app_synced(void *ctx);
void app_settle(void *ctx);
/* page_items.c */
void app_page_unseen(void *ctx);
void app_page_items(void *ctx, struct page_items *to); /* of struct page_source */
void app_host_goes(void *ctx, enum inhibit_what what, int64_t within_ns);
#endif
