/* Leading, from the contest to the exit: election, drain and checkpoint of a set of controllers, wired
 * together. It knows nothing of what the controllers do, so that it serves any operator.
 * docs/reference/drain.md has the table of signals and exit codes. */
#ifndef APP_LEADERSHIP_H
#define APP_LEADERSHIP_H
#include "control/controller.h"
#include "leader/drain.h"
#include "leader/election.h"

enum { LEADERSHIP_CONTROLLERS = 16 };
struct leadership_config {
    struct election_config election;
    struct drain_config drain;
};
/* Never called inside a call of this header. */
struct leadership_cb {
    /* Leading; the predecessor's keys are in the queues. Adds what else there is to look at; the gates open
     * when it returns. */
    void (*leading)(void *ctx);
    /* The drain has come to a phase; left_ns: until the process has ended at the latest. May be NULL. */
    void (*draining)(void *ctx, enum drain_phase phase, int64_t left_ns);
    void (*trial)(void *ctx);               /* election_trial_until() has changed. May be NULL */
    void (*over)(void *ctx, int exit_code); /* once, last; enum drain_exit. May free the leadership */
};
struct leadership;
/* cfg is checked (ERR_CONFIG). k's metrics get those of a leader. */
int leadership_new(struct kube *k, const struct leadership_config *cfg, const struct leadership_cb *cb,
                   void *ctx, struct leadership **ret, struct err *err);
/* As a crash: nothing is sent, nothing called back. Before the controllers are freed. */
void leadership_free(struct leadership *l);
/* Before leadership_start(). name: a literal, what its keys are called in a checkpoint. Takes its
 * controller_on_idle(). */
void leadership_add(struct leadership *l, const char *name, struct controller *c);
void leadership_start(struct leadership *l);
void leadership_ready(struct leadership *l, bool ready); /* may contest: the caches are warm */
/* SIGTERM: drains; a second time: what is in flight is cancelled; a third: exits at once. why: for the
 * log. */
void leadership_stop(struct leadership *l, const char *why);
/* As leadership_stop(), and the release names the processes of this pod, for a trial until then. */
void leadership_yield(struct leadership *l, const char *pod, const char *uid, int64_t until_wall_ns);
/* Not leading: this controller may work all the same, or not any more. */
void leadership_guard(struct leadership *l, struct controller *c, bool on);
/* The grace period, as learnt later; no-op once stopping. checked: by drain_config_check(). */
void leadership_grace(struct leadership *l, const struct drain_config *checked);
/* The process is killed so long from now: a drain makes do with it (DRAIN_EV_DEADLINE). */
void leadership_killed_in(struct leadership *l, int64_t left_ns);

bool leadership_may_mutate(const struct leadership *l); /* the fence, at this moment; NULL: no */
bool leadership_leading(const struct leadership *l);
bool leadership_stopping(const struct leadership *l);
size_t leadership_inflight(const struct leadership *l);                 /* reconciles that have not ended */
int64_t leadership_drain_left_ns(const struct leadership *l);           /* TIME_NEVER while not draining */
const struct election *leadership_election(const struct leadership *l); /* identity, holder, term */
#endif
