/* The inside of a leadership, shared by leadership.c (election and drain) and leadership_keys.c
 * (checkpoint). */
#ifndef APP_LEADERSHIP_IMPL_H
#define APP_LEADERSHIP_IMPL_H
#include "app/leadership.h"
#include "base/log.h"

struct member {
    const char *name;
    struct controller *controller;
};
struct leadership {
    struct kube *kube;
    struct leadership_cb cb;
    void *ctx;
    struct member members[LEADERSHIP_CONTROLLERS];
    size_t nmembers;
    struct election *election;
    struct drain drain;
    unsigned pending; /* a bit for each enum drain_event that came up and was not taken yet */
    unsigned signals; /* how often DRAIN_EV_SIGNAL among them */
    bool draining_now;
    bool stopping;
    int exit_code;
    int64_t kill_ns; /* boot time at which the process is killed, as far as is known */
    struct timer *drain_tick, *exit_turn;
    int64_t spent_ns[DRAIN_PHASES]; /* of the drain, so far */
    struct metric_family *drain_seconds, *checkpoint_keys, *restored_keys;
};

/* The predecessor's keys go to the controllers. late: they are at work already. Returns how many. */
size_t leadership_restore(struct leadership *l, struct checkpoint_reader *work, bool late);
/* struct election_cb.work */
void leadership_gather(void *ctx, bool final, struct checkpoint *to);
/* struct election_cb.orders: dead letters that a person has retried or dropped. */
void leadership_orders(void *ctx, struct slice text);
void leadership_keys_metrics(struct leadership *l);
#endif
