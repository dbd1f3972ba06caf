/* What the files of the plan share: one look at the world, the state that is being made of it, the steps
 * collected. */
#ifndef ROLLOUT_PLAN_IMPL_H
#define ROLLOUT_PLAN_IMPL_H
#include "plan/events.h"
#include "plan/plan.h"

#define HELD_DEADLINE                                                                                        \
    INT64_C(2147483647) /* progressDeadlineSeconds while we hold: the controller then reports no stall */
enum { DEFAULT_DEADLINE_S = 600 };
/* A manifest may put progressDeadlineSeconds back again and again: it is cosmetic, and after so often it stays. */
enum { PLAN_MAX_RESTORED = 3 };
/* The default revisionHistoryLimit: so many ReplicaSets newer than stable's are not expected. */
enum { PLAN_SAFE_HISTORY = 10 };
/* Not being ready is reported after this: starting takes its time. Facts and answers are, too, since a pod that terminates fills
 * a quota for a moment. */
#define PLAN_PROMPT_NS   (5 * NS_PER_S)
#define PLAN_PATIENCE_NS (30 * NS_PER_S)
#define POLL_NS          (NS_PER_S) /* while pods are waited for: nothing of theirs shows on the Deployment */

/* The one merge patch of the Deployment that a plan may hold. */
struct target_patch {
    bool any, checked; /* checked: with the resourceVersion that was read */
    enum { PAUSED_KEEP, PAUSED_SET, PAUSED_DROP } paused;
    enum { MARK_KEEP, MARK_SET, MARK_DROP } mark; /* ANNOTATION_HELD */
    int64_t deadline_s;                           /* -1: kept */
    int32_t replicas;                             /* -1: kept */
    bool drop_status;
    bool drop_replicas; /* ANNOTATION_REPLICAS */
    bool drop_action[ACTION_N];
    const char *why;
};
/* What becomes of the message while the reason to hold stays the same. */
enum hold_text {
    TEXT_KEPT, /* as it was first: for texts that change all the time (back-off times) */
    TEXT_FOLLOWS /* the present one, without another Event: counts */,
    TEXT_NEWS,  /* the present one, and each another Event */
    TEXT_CAUSE, /* the present one, and another Event where more than its numbers is another */
};
struct plan_ctx {
    const struct observed *o;
    const struct obs_target *t;
    const struct spec *spec; /* only when it is good */
    int64_t now;
    struct plan *plan;
    struct state *s; /* becomes plan->next */
    struct target_patch patch;
    const struct obs_rs *stable; /* state's, if it is there; NULL */
    bool leaving;                /* not opted in any more, or released */
    bool no_manifest;            /* the canary cannot be made: held */
    bool own_passes;             /* the canary of Handover's own has passed, but for how its trial ends */
    bool giving; /* this plan looks after stable's giving the Lease up; else stable is brought back */
    bool keeps_rehearsal; /* this plan looks after a rehearsal's ReplicaSets; else they are deleted */
    bool in_rehearsal;    /* a look at a rehearsal's pods as if they were a canary's and stable's */
    bool keeps_slice;     /* this plan looks after objects on their way to the canary; else they go back */
    enum hold_text hold_text; /* of the hold, as it was last set */
};

static inline bool plan_is_set(const struct plan_ctx *c) { /* a StatefulSet */
    return obs_is_set(c->t);
}
static inline const char *plan_kind(const struct plan_ctx *c) { /* "Deployment" */
    return c->t->kind->gvr->kind;
}

/* ---- plan_steps.c: steps, Events, metrics ---- */
struct step *plan_step_add(struct plan_ctx *c, enum step_kind kind, enum step_verb verb,
                           const struct gvr *gvr, const char *name, const char *why);
void plan_step_scale(struct plan_ctx *c, const struct obs_rs *rs, int32_t replicas, const char *why);
/* With the ReplicaSet's resourceVersion: for the target's own ReplicaSets, where a stale number would stop the only one
 * that serves. replicas as they are: refused if anything has changed since, else without effect. */
void plan_step_scale_checked(struct plan_ctx *c, const struct obs_rs *rs, int32_t replicas, const char *why);
void plan_step_quarantine(struct plan_ctx *c, const struct obs_rs *rs,
                          const char *why); /* to zero, with the reason on it */
/* Out of the Deployment, with its pods: its controller then neither scales it nor counts it as saturated, which
 * would bring all others to zero. It becomes a canary's kind of ReplicaSet, and goes as these do. */
void plan_step_detach(struct plan_ctx *c, const struct obs_rs *rs, const char *why);
void plan_step_rs_delete(struct plan_ctx *c, const struct obs_rs *rs, const char *why);
void plan_step_state(struct plan_ctx *c);        /* writes c->s */
void plan_step_state_delete(struct plan_ctx *c); /* with the resourceVersion that was read */
void plan_step_target(struct plan_ctx *c);       /* the collected patch, if any, with the status line */
void plan_event(struct plan_ctx *c, enum plan_reason reason, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void plan_count(struct plan_ctx *c, const char *name, const char *label, double value);
void plan_revisit(struct plan_ctx *c, int64_t wall_ns);

/* ---- plan_progress.c: moving on ---- */
/* A line for users, of a sane length, as the server keeps it; free(). */
char *plan_text(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));
void plan_set_text(char **to, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Another phase: not held, with a line for users. Always true: "evaluate the new phase". */
bool plan_enter(struct plan_ctx *c, enum phase phase, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
bool plan_enter_described(struct plan_ctx *c, enum phase phase); /* with plan_describe_phase() as that line */
/* Held for a reason, which is reported when the plan is complete. Always false: "nothing more to do now". */
bool plan_hold(struct plan_ctx *c, enum hold why, enum hold_text text, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
bool plan_hold_for_user(struct plan_ctx *c); /* annotation pause */

/* ---- gate.c: a step that has passed and waits for a person's word ---- */
bool plan_stop_at_gate(struct plan_ctx *c);  /* it has passed just now; true: it waits */
bool plan_waits_at_gate(struct plan_ctx *c); /* it has passed and still waits */
void plan_leave_gate(struct plan_ctx *c);    /* the time at it does not count against the deadline */

/* ---- checks.c: a step that has passed and waits for checks of the target's own ---- */
bool plan_begin_checks(struct plan_ctx *c); /* it has passed just now; false: they are being asked */
bool plan_take_answers(struct plan_ctx *c); /* true: one says fail, and it is rolled back */
/* They have not all passed; ret: what is waited for, in words. False: the step goes on. */
bool plan_waits_for_checks(struct plan_ctx *c, char ret[400]);
void plan_forget_checks(struct state *s); /* another step */
void plan_report_hold(struct plan_ctx *c);
/* The command that gives an action's annotation for the template that the Deployment has, for messages. */
struct command {
    char text[400];
};
struct command plan_command(const struct plan_ctx *c, enum spec_action a);
void plan_unhold(struct plan_ctx *c);
void plan_begin_rollout(struct plan_ctx *c);
void plan_end_rollout(struct plan_ctx *c, enum ended how, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void plan_clear_rollout(struct state *s);
void plan_describe_phase(const struct plan_ctx *c, char ret[300]);

/* ---- plan_query.c: what is there ---- */
/* One of the target's ReplicaSets, controlled by it, not a canary, not on its way out; and wanted to run. */
bool plan_is_own(const struct plan_ctx *c, const struct obs_rs *r);
bool plan_is_active(const struct plan_ctx *c, const struct obs_rs *r);
const struct obs_rs *plan_canary_of(const struct plan_ctx *c, const char *hash);
bool plan_any_canary(const struct plan_ctx *c);
const struct obs_rs *plan_own_of(const struct plan_ctx *c,
                                 const char *hash); /* the newest with this template */
size_t plan_count_active(const struct plan_ctx *c, const struct obs_rs **ret_last);
bool plan_spec_observed(const struct plan_ctx *c);   /* the controller has seen spec as it is */
bool plan_native_complete(const struct plan_ctx *c); /* its rollout is through */
/* Its own rollout is past its progress deadline. */
bool plan_rollout_stands_still(const struct obs_target *t);
bool plan_same_hash(const char *a, const char *b);
void plan_find_stable(struct plan_ctx *c);
void plan_take_stable(struct plan_ctx *c, const struct obs_rs *rs);
/* stable_template.c */
void plan_keep_stable_template(struct plan_ctx *c);
bool plan_restore_stable(struct plan_ctx *c); /* false: nothing is recorded to make it from */
int64_t plan_original_deadline(const struct state *s);
/* Which claim the canary's pods have together with stable's, and what to do, to be added to a message; "": none. */
struct claim_words {
    char text[320];
};
struct claim_words plan_shared_claim(const struct plan_ctx *c);
const char *plan_config_error(const struct plan_ctx *c); /* what is wrong with the annotations */

/* ---- hold_way.c: by spec.paused, or by the API server's policy ---- */
bool plan_way_is_policy(const struct observed *o, const struct state *s);
bool plan_by_policy(const struct plan_ctx *c);
/* Held by the policy, and the template is stable's: there is nothing to be paused for. */
bool plan_rests(const struct plan_ctx *c);
bool plan_is_held_back(const struct plan_ctx *c); /* paused, or it rests */
/* Paused, and not by another client: what tells a target of ours where its state is lost. */
bool plan_bears_mark(const struct obs_target *t);
bool plan_never_adopted(const struct plan_ctx *c); /* though it bears the mark: by the policy */
void plan_note_way(struct plan_ctx *c);            /* into the state, with an Event when it is another one */
void plan_keep_mark(struct plan_ctx *c);           /* of what is paused by us or the policy */
/* In PHASE_STABLE, where all agree that nothing is to be held: not paused and not marked any more. */
void plan_lift(struct plan_ctx *c);
void plan_follow_deadline(struct plan_ctx *c);
void plan_unpause(struct plan_ctx *c, const char *why); /* of the template that was looked at */

enum held_back {
    BACK_OK,    /* held back, and only stable runs */
    BACK_BUSY,  /* being restored: nothing may go forward */
    BACK_MOVED, /* the phase has changed */
};

/* ---- stateful.c: StatefulSets ---- */
bool plan_one_revision(const struct obs_target *t); /* of another kind: true */
/* Its user's own partition stands in the way of being what is said; false, as plan_hold(). */
bool plan_hold_for_partition(struct plan_ctx *c, const char *what);
bool plan_at_partition(const struct plan_ctx *c); /* promoted as far as that lets its controller */
void plan_set_partition(const struct plan_ctx *c,
                        struct buf *out); /* spec.updateStrategy for c->patch.paused */
bool plan_other_revision(
    const struct plan_ctx *c); /* pods of another than stable's, or that one is current */
enum held_back plan_undo_revision(struct plan_ctx *c);

/* ---- the pieces of plans. Those that return bool: true when the phase has changed, so look again ---- */
enum held_back plan_enforce_paused(struct plan_ctx *c);
/* What runs of that version is in service: undoing it would stop pods that serve. why: how that came. */
enum held_back plan_accept(struct plan_ctx *c, const struct obs_rs *rs, const char *why);
void plan_pause(struct plan_ctx *c, bool checked); /* checked: with the resourceVersion that was looked at */
void plan_user_commands(struct plan_ctx *c);
/* Who has given an action's annotation, for messages: the name that `handover` was used under, else "a user", with the field manager
 * where it is another program's. */
struct who {
    char text[128];
};
struct who plan_who(const struct plan_ctx *c, enum spec_action a);
bool plan_is_forced(const struct plan_ctx *c); /* leave, whatever the spec is */
bool plan_phase_idle(struct plan_ctx *c), plan_phase_adopting(struct plan_ctx *c),
    plan_phase_stable(struct plan_ctx *c);
bool plan_phase_rehearsing(struct plan_ctx *c);
bool plan_phase_canary(struct plan_ctx *c); /* STARTING and SOAKING */
bool plan_phase_promoting(struct plan_ctx *c), plan_phase_finishing(struct plan_ctx *c);
bool plan_phase_rolling_back(struct plan_ctx *c), plan_phase_rolled_back(struct plan_ctx *c),
    plan_phase_cancelling(struct plan_ctx *c);
bool plan_phase_unmanage(struct plan_ctx *c);
void plan_without_target(struct plan_ctx *c);

bool plan_roll_back(struct plan_ctx *c, enum ended how, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
bool plan_cancel_rollout(struct plan_ctx *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool plan_promote(struct plan_ctx *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The template that waits in STABLE, without a canary. */
bool plan_promote_waiting(struct plan_ctx *c, const char *why);
/* rollback_window.c */
bool plan_take_back(
    struct plan_ctx *c); /* the template that waits is within the rollback window: promotes it */
/* May a healthy canary be made smaller now? Waits for a quiet moment, for `quiet` at most. */
bool plan_quiet_enough(struct plan_ctx *c, enum track track);
/* All canaries of the target to zero and away; true when none is left. */
bool plan_canary_teardown(struct plan_ctx *c, bool gracefully);
void plan_remove_other_canaries(struct plan_ctx *c);
bool plan_canary_dies(struct plan_ctx *c,
                      const struct obs_rs *rs); /* mode leader: its pods are on their way out */

/* ---- pods_cause.c: what keeps pods away that is not their version's doing ---- */
enum { PLAN_CAUSE_TEXT = 480 };
struct pods_cause {
    enum hold hold; /* HOLD_NONE: nothing from outside does */
    enum hold_text follow;
    bool at_once;               /* an answer or a fact: reported soon, not only when it has lasted */
    int32_t there, ready;       /* pods */
    int32_t missing;            /* pods that lack room: refused, or without a node */
    const struct obs_pod *own;  /* runs, and is not ready by itself: then nothing comes from outside; NULL */
    char text[PLAN_CAUSE_TEXT]; /* in words: of the cause, or of what else is wrong */
};
/* rs NULL: not made yet. who: "canary pods". want: how many there should be. since_ns: when they were first missed. */
void plan_pods_cause(const struct plan_ctx *c, const struct obs_rs *rs, const char *who, int32_t want,
                     int64_t since_ns, struct pods_cause *ret);
/* Does this guard roll back? One that a user has switched off holds. */
bool plan_guards(const struct plan_ctx *c, enum spec_guard g);
/* To be reported, when pods have been missed since then? Else the plan comes back for it. */
bool plan_cause_is_due(struct plan_ctx *c, const struct pods_cause *cause, int64_t since_ns);
bool plan_hold_is_outside(enum hold h); /* what it waits for is nobody's verdict */
/* Pods were held for like that, in this phase, before this plan. */
bool plan_was_outside(const struct plan_ctx *c);
int64_t plan_outside_ns(const struct plan_ctx *c); /* for how long by now; 0: it was not */
void plan_name_stables_cause(struct plan_ctx *c);

/* ---- canary_signals.c: signals beside errors ---- */
void plan_signals(const struct plan_ctx *c, struct signals_report *ret);
/* Held, with the figures and what a person can do; false, as plan_hold(). */
bool plan_hold_for_signal(struct plan_ctx *c, const struct signals_report *r);
/* SIGNAL_DEADLINE: rolls back. stalled: the canary does nothing any more, and the reason says so first. */
bool plan_signal_at_deadline(struct plan_ctx *c, const struct signals_report *r, bool stalled);
void plan_report_absent_signals(struct plan_ctx *c); /* once in a rollout */

/* ---- leader_mode.c: mode leader, what it comes to for the rest ---- */
static inline bool plan_by_turns(const struct state *s) { /* mode leader has been chosen */
    return s->trial.step != TRIAL_NONE;
}
const struct obs_lease *plan_lease(const struct plan_ctx *c); /* of the trial; NULL: not seen */
/* Whose Pod holds it, by its track; false: none of the target's. */
bool plan_holder(const struct plan_ctx *c, const struct obs_lease *l, enum track *ret);
const char *plan_holder_name(const struct plan_ctx *c, const struct obs_lease *l);
/* Is it of the target's namespace, or does it say itself that this target may have it? Who may annotate a Deployment names any. */
bool plan_may_lease(const struct plan_ctx *c, const struct obs_lease *l);
/* Mode leader, if the annotation says so, or stable's Lease is what the canary waits for. Held where it cannot be: false; true: the mode
 * is settled. */
bool plan_choose_mode(struct plan_ctx *c);
int32_t plan_replicas(const struct plan_ctx *c); /* as users want them, while we have them at zero, too */
int32_t plan_canary_wanted(const struct plan_ctx *c);
/* For how long the canary has to be watched in this step; how long it has been. */
int64_t plan_soak_ns(const struct plan_ctx *c, int64_t *ret_least_ns);
int64_t plan_soaked_ns(const struct plan_ctx *c);
/* How long the next trial is, or the present one; and stable's turn before it. */
int64_t plan_lead_ns(const struct state *s, int64_t soak_ns);
int64_t plan_turn_ns(const struct state *s, int64_t soak_ns);
/* Mode leader was chosen, and the canary has a Lease of its own: mode replicas. True: it was so. */
bool plan_leave_turns(struct plan_ctx *c);
/* The number that is to be given back, as it stands on the target beside our zero; 0: none. */
int32_t plan_replicas_marked(const struct plan_ctx *c);
/* Deletes the idle ReplicaSets that would be started instead of stable's, when it is scaled up from zero; true: there is none. */
bool plan_way_back_is_clear(struct plan_ctx *c);
/* spec.replicas to zero while stable gives its Lease up, and back in every other case: whatever the phase, and whichever process leads. */
void plan_keep_replicas(struct plan_ctx *c);

/* ---- own.c: Handover's own Deployment ---- */
bool plan_is_own_target(const struct plan_ctx *c);
bool plan_own_mode(struct plan_ctx *c);        /* the mode is one for it; false: held */
char **plan_own_env(const struct plan_ctx *c); /* of its canary's containers; free() */
void plan_own_yield(struct plan_ctx *c);       /* names a canary that is ready as the next leader */
bool plan_own_takes(struct plan_ctx *c, const struct obs_lease *l); /* TRIAL_GIVING */
/* How the last trial ended. BAD: it is rolled back; CUT: it is to be tried once more before any verdict. UNSEEN: the leader knows. */
enum own_end { OWN_END_GOOD, OWN_END_CUT, OWN_END_BAD, OWN_END_UNSEEN };
enum own_end plan_own_end(struct plan_ctx *c);
bool plan_own_orphan(struct plan_ctx *c); /* TRIAL_LEADS: promoted, true, since stable cannot lead */

/* ---- rehearsal.c: the ReplicaSets of a rehearsal, its report ---- */
/* Both sides exist as they were made, with a pod each; false: not yet, or held. */
bool plan_make_rehearsal(struct plan_ctx *c, const struct rehearsal_pair *p);
bool plan_has_rehearsal(const struct plan_ctx *c); /* something of one is left */
void plan_sweep_rehearsals(struct plan_ctx *c);    /* in every plan: those that nobody looks after go */
void plan_step_report(struct plan_ctx *c, const struct rehearsal_report *r);
/* The report's ConfigMap is to go with the target; true: it is gone. */
bool plan_report_is_gone(struct plan_ctx *c);
/* The state of this rollout as if it began now: with a canary, whose judge knows nothing yet. */
void plan_begin_canary(struct plan_ctx *c);

/* ---- phase_leader.c: the trials ---- */
bool plan_take_turns(struct plan_ctx *c);
void plan_trial_next(struct plan_ctx *c, enum trial_step step);
void plan_end_trial(struct plan_ctx *c); /* stable is to lead while a user is asked */
/* phase_canary.c, for it */
bool plan_judge(struct plan_ctx *c, bool may_advance);
bool plan_learn(struct plan_ctx *c); /* the judge's parameters; false: stable's rate is not known yet */
int64_t plan_scrape_interval(int64_t soak_ns);
bool plan_template_moved(struct plan_ctx *c); /* away from the one on trial: it is cancelled */
bool plan_past_deadline(struct plan_ctx *c);
int64_t plan_deadline_at(const struct plan_ctx *c);
bool plan_on_deadline(struct plan_ctx *c, bool healthy, const char *why);

/* ---- objects_mode.c: mode objects ---- */
static inline bool plan_by_objects(const struct state *s) {
    return s->slice.resource != NULL;
}
void plan_begin_slice(struct plan_ctx *c); /* with a rollout: written down before anything is labelled */
/* The annotation mode asks for another one than this rollout was begun in; true: it is cancelled. */
bool plan_mode_changed(struct plan_ctx *c);
/* May a canary start? Not as long as objects are labelled for one that is dead. rs: the canary's, or NULL. */
bool plan_slice_lets_start(struct plan_ctx *c, const struct obs_rs *rs);
/* The canary is ready: has it got its objects? They are passed to it, step by step; false: not yet. */
bool plan_take_slice(struct plan_ctx *c);
/* It has got objects and does nothing with them: rolled back, true. */
bool plan_slice_is_idle(struct plan_ctx *c);
bool plan_slice_is_back(struct plan_ctx *c); /* nothing is labelled any more */
/* In every plan: what is to be done with labels; back they go when the canary is dead. */
void plan_keep_slice(struct plan_ctx *c);

/* ---- lease_assist.c: Leases that dead Pods hold ---- */
bool plan_assists(const struct observed *o); /* at this moment: then Leases and Pods have to be seen */
void plan_lease_assist(struct plan_ctx *c);

/* ---- canary_health.c: the health of the canary's pods ---- */
enum health { HEALTH_READY, HEALTH_WAITING, HEALTH_OUTSIDE, HEALTH_SHARED, HEALTH_BAD };
/* want: how many pods there should be. ret: what is wrong, in words, and what comes from outside. */
enum health plan_canary_health(struct plan_ctx *c, int32_t want, struct pods_cause *ret);
#endif
