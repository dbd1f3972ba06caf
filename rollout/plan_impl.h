/* What the files of the plan share: one look at the world, the state that is being made of it, the steps
 * collected. */
#ifndef ROLLOUT_PLAN_IMPL_H
#define ROLLOUT_PLAN_IMPL_H
#include "rollout/plan.h"

#define HELD_DEADLINE                                                                                        \
    INT64_C(2147483647) /* progressDeadlineSeconds while we hold: the controller then reports no stall */
enum { DEFAULT_DEADLINE_S = 600 };
#define POLL_NS (NS_PER_S) /* while pods are waited for: nothing of theirs shows on the Deployment */

/* The one merge patch of the Deployment that a plan may hold. */
struct target_patch {
    bool any, checked; /* checked: with the resourceVersion that was read */
    enum { PAUSED_KEEP, PAUSED_SET, PAUSED_DROP } paused;
    int64_t deadline_s; /* -1: kept */
    bool drop_status;
    bool drop_action[ACTION_N];
    const char *why;
};
struct ctx {
    const struct observed *o;
    const struct obs_target *t;
    const struct spec *spec; /* only when it is good */
    int64_t now;
    struct plan *plan;
    struct state *s; /* becomes plan->next */
    struct target_patch patch;
    const struct obs_rs *stable; /* state's, if it is there; NULL */
    bool leaving;                /* not opted in any more, or released */
    bool no_manifest;            /* the canary cannot be made: held, it was said */
};

/* ---- plan_out.c: steps, Events, metrics ---- */
struct step *step_add(struct ctx *c, enum step_kind kind, enum step_verb verb, const struct gvr *gvr,
                      const char *name, const char *why);
void step_scale(struct ctx *c, const struct obs_rs *rs, int32_t replicas, const char *why);
void step_quarantine(struct ctx *c, const struct obs_rs *rs,
                     const char *why); /* to zero, with the reason on it */
void step_rs_delete(struct ctx *c, const struct obs_rs *rs, const char *why);
void step_state(struct ctx *c);        /* writes c->s */
void step_state_delete(struct ctx *c); /* with the resourceVersion that was read */
void step_target(struct ctx *c);       /* the collected patch, if any, with the status line */
void note(struct ctx *c, bool warning, const char *reason, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void count(struct ctx *c, const char *name, const char *label, double value);
void look_at(struct ctx *c, int64_t wall_ns);
char *status_line(const struct state *s); /* free() */

/* ---- plan_state.c: moving on ---- */
/* A line for a person, of a sane length, as the server keeps it; free(). */
char *formatted(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));
void set_text(char **to, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Another phase: not held, with a line for a person. Always true: "evaluate the new phase". */
bool go(struct ctx *c, enum phase phase, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
bool go_described(struct ctx *c, enum phase phase); /* with describe_phase() as that line */
/* Held for a reason. While the reason stays the message stays, unless follow: so that texts which change all
 * the time (back-off times) are not written again and again. Always false: "nothing more to do now". */
bool hold(struct ctx *c, enum hold why, bool follow, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
bool hold_for_person(struct ctx *c); /* who said pause */
void unhold(struct ctx *c);
void begin_rollout(struct ctx *c);
void end_rollout(struct ctx *c, enum ended how, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void clear_rollout(struct state *s);
void describe_phase(const struct ctx *c, char ret[300]);

/* ---- plan_look.c: what is there ---- */
bool is_own(const struct obs_rs *r); /* one of the target's ReplicaSets, not a canary, not on its way out */
bool is_active(const struct obs_rs *r); /* and wanted to run */
const struct obs_rs *canary_of(const struct ctx *c, const char *hash);
bool any_canary(const struct ctx *c);
const struct obs_rs *own_of(const struct ctx *c, const char *hash); /* the newest with this template */
size_t count_active(const struct ctx *c, const struct obs_rs **ret_last);
bool observed_now(const struct ctx *c);    /* the controller has seen spec as it is */
bool native_complete(const struct ctx *c); /* its rollout is through */
bool same_hash(const char *a, const char *b);
void find_stable(struct ctx *c);
void take_stable(struct ctx *c, const struct obs_rs *rs);
int64_t original_deadline(const struct state *s);
const char *config_error(const struct ctx *c); /* what is wrong with the annotations */

/* ---- the pieces of plans. Those that return bool: true when the phase has changed, so look again ---- */
enum held_back {
    BACK_OK,    /* paused, and only stable runs */
    BACK_BUSY,  /* being restored: nothing may go forward */
    BACK_MOVED, /* the phase has changed */
};
enum held_back hold_back(struct ctx *c);
void take_actions(struct ctx *c);
bool is_forced(const struct ctx *c); /* leave, whatever the spec is */
bool phase_idle(struct ctx *c), phase_adopting(struct ctx *c), phase_stable(struct ctx *c);
bool phase_trial(struct ctx *c); /* STARTING and SOAKING */
bool phase_promoting(struct ctx *c), phase_finishing(struct ctx *c);
bool phase_rolling_back(struct ctx *c), phase_rolled_back(struct ctx *c), phase_withdrawing(struct ctx *c);
bool phase_leaving(struct ctx *c);
void plan_without_target(struct ctx *c);

bool roll_back(struct ctx *c, enum ended how, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
bool withdraw(struct ctx *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool promote(struct ctx *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* May a healthy canary be made smaller now? Waits for a quiet moment, for `quiet` at most. */
bool quiet_enough(struct ctx *c);
/* All canaries of the target to zero and away; true when none is left. */
bool wind_down(struct ctx *c, bool gracefully);
void remove_other_canaries(struct ctx *c);

/* ---- plan_guard.c: the health of the canary's pods ---- */
enum health { HEALTH_READY, HEALTH_WAITING, HEALTH_OUTSIDE, HEALTH_SHARED, HEALTH_BAD };
/* want: how many pods there should be. why: what is wrong, for a person. */
enum health canary_health(struct ctx *c, int32_t want, char why[300]);
#endif
