/* A target's state in memory: names, copies, its small bounded lists. */
#include "plan/state_json.h"
#include <errno.h>
#include <stdio.h>

const struct state_name state_phases[PHASES] = {
    [PHASE_IDLE] = {"Idle", NULL},
    [PHASE_ADOPTING] = {"Adopting", NULL},
    [PHASE_STABLE] = {"Stable", NULL},
    [PHASE_REHEARSING] = {"Rehearsing", NULL},
    [PHASE_STARTING] = {"Starting", NULL},
    [PHASE_SOAKING] = {"Soaking", NULL},
    [PHASE_PROMOTING] = {"Promoting", NULL},
    [PHASE_FINISHING] = {"Finishing", NULL},
    [PHASE_ROLLING_BACK] = {"RollingBack", NULL},
    [PHASE_ROLLED_BACK] = {"RolledBack", NULL},
    [PHASE_CANCELLING] = {"Cancelling", "Withdrawing"},
    [PHASE_RELEASING] = {"Releasing", "Leaving"},
};
const struct state_name state_holds[HOLDS] = {
    [HOLD_NONE] = {"", NULL},
    [HOLD_CONFIG] = {"InvalidConfig", NULL},
    [HOLD_NAME_CONFLICT] = {"NameConflict", NULL},
    [HOLD_USER_PAUSED] = {"UserPaused", NULL},
    [HOLD_ROLLOUT] = {"WaitingForRollout", "NativeRollout"},
    [HOLD_CONFLICT] = {"ObservedStateConflict", "Disagreement"},
    [HOLD_ZERO] = {"ScaledToZero", NULL},
    [HOLD_NO_ACTIVE] = {"NoActiveReplicaSet", NULL},
    [HOLD_UNMANAGED] = {"UnmanagedChange", "ForeignChange"},
    [HOLD_NOT_READY] = {"NotReady", NULL},
    [HOLD_UNSCHEDULABLE] = {"PodsUnschedulable", "OutsideTrouble"},
    [HOLD_NOT_CREATED] = {"PodsNotCreated", NULL},
    [HOLD_IMAGE] = {"ImagePullFailed", NULL},
    [HOLD_NOT_STARTED] = {"PodsNotStarted", NULL},
    [HOLD_DISRUPTED] = {"PodsDisrupted", NULL},
    [HOLD_WRITE_REFUSED] = {"WriteRefused", NULL},
    [HOLD_NO_DATA] = {"NoData", NULL},
    [HOLD_STALLED] = {"CanaryStalled", NULL},
    [HOLD_SIGNAL] = {"SignalRaised", NULL},
    [HOLD_SHARED] = {"SharedOutage", NULL},
    [HOLD_PAUSED_BY_USER] = {"PausedByUser", "PausedByPerson"},
    [HOLD_APPROVAL] = {"AwaitingApproval", NULL},
    [HOLD_CHECK] = {"AwaitingCheck", NULL},
    [HOLD_NO_ANSWER] = {"CheckUnanswered", NULL},
    [HOLD_INCONCLUSIVE] = {"Inconclusive", NULL},
    [HOLD_REFUSED] = {"ReleaseRefused", "LeavingRefused"},
    [HOLD_STUCK] = {"PromotionStuck", NULL},
};
const struct state_name state_endeds[ENDEDS] = {
    [ENDED_PROMOTED] = {"promoted", NULL},
    [ENDED_FAILED] = {"failed", NULL},
    [ENDED_ABORTED] = {"aborted", NULL},
    [ENDED_INCONCLUSIVE] = {"inconclusive", NULL},
    [ENDED_STUCK] = {"stuck", NULL},
    [ENDED_CANCELLED] = {"cancelled", "withdrawn"},
    [ENDED_UNMANAGED] = {"unmanaged", "foreign"},
};

const struct state_name state_trials[TRIAL_STEPS] = {
    [TRIAL_NONE] = {"", NULL},
    [TRIAL_STANDBY] = {"Standby", NULL},
    [TRIAL_GIVING] = {"Giving", NULL},
    [TRIAL_LEADS] = {"Leads", NULL},
    [TRIAL_RETURNING] = {"Returning", NULL},
};

const struct state_name state_slices[SLICE_STAGES] = {
    [SLICE_NONE] = {"", NULL},
    [SLICE_TAKING] = {"Taking", NULL},
    [SLICE_SETTLING] = {"Settling", NULL},
    [SLICE_PASSING] = {"Passing", NULL},
    [SLICE_HELD] = {"Held", NULL},
    [SLICE_RETURNING] = {"Returning", NULL},
};

const struct state_name state_says[CHECK_SAYS] = {
    [CHECK_NOTHING] = {"", NULL},  [CHECK_PASS] = {"pass", NULL},     [CHECK_FAIL] = {"fail", NULL},
    [CHECK_WAIT] = {"wait", NULL}, [CHECK_SILENT] = {"silent", NULL},
};

const char *phase_name(enum phase p) {
    return (size_t)p < PHASES ? state_phases[p].name : "?";
}
const char *hold_name(enum hold h) {
    return (size_t)h < HOLDS ? state_holds[h].name : "?";
}
const char *ended_name(enum ended e) {
    return (size_t)e < ENDEDS ? state_endeds[e].name : "?";
}
const char *state_trial_name(enum trial_step t) {
    return (size_t)t < TRIAL_STEPS ? state_trials[t].name : "?";
}

const char *state_slice_name(enum slice_stage s) {
    return (size_t)s < SLICE_STAGES ? state_slices[s].name : "?";
}

const char *state_check_name(enum check_kind k) {
    return k == CHECK_URL ? "check" : "check-query";
}

const char *state_says_name(enum check_says s) {
    return (size_t)s < CHECK_SAYS ? state_says[s].name : "?";
}

void state_check_clear(struct state_check *c) {
    free(c->message);
    *c = (struct state_check){.says = CHECK_NOTHING};
}

void state_slice_clear(struct state *s) {
    free(s->slice.resource);
    free(s->slice.ns);
    free(s->slice.selector);
    s->slice = (struct state_slice){.stage = SLICE_NONE};
}

bool state_on_trial(const struct state *s) {
    return s->phase == PHASE_REHEARSING || s->phase == PHASE_STARTING || s->phase == PHASE_SOAKING;
}

int64_t state_watched_ns(const struct state *s, int64_t now_wall_ns) {
    bool turns = s->trial.step != TRIAL_NONE;
    int64_t from = turns ? s->trial.since_ns : s->soak_from_ns,
            seen = from && now_wall_ns > from ? now_wall_ns - from : 0;
    if (!turns) return seen;
    return s->trial.led_ns + (s->trial.step == TRIAL_LEADS ? seen : 0);
}

void state_init(struct state *s) {
    *s = (struct state){.deadline_s = -1, .partition = -1, .replicas = -1};
    judge_param_default(&s->param);
    judge_init(&s->judge);
    signals_init(&s->signals);
}

static void free_lists(struct state *s) {
    for (size_t i = 0; i < s->nquarantine; i++) free(s->quarantine[i].reason);
    for (size_t i = 0; i < s->nhistory; i++) {
        free(s->history[i].image);
        free(s->history[i].reason);
    }
    for (size_t i = 0; i < s->nconsumed; i++) free(s->consumed[i].value);
    free(s->quarantine);
    free(s->history);
    free(s->consumed);
}

void state_free(struct state *s) {
    if (!s) return;
    free(s->target_uid);
    free(s->stable_name);
    free(s->stable_uid);
    free(s->stable_template);
    free(s->policy);
    free(s->message);
    free(s->canary);
    free(s->image);
    free(s->reason);
    free(s->trial.lease);
    state_rehearsal_clear(&s->rehearsal);
    for (int k = 0; k < CHECKS; k++) state_check_clear(&s->check[k]);
    state_slice_clear(s);
    judge_free(&s->judge);
    evidence_free(&s->evidence);
    counts_free(&s->controllers);
    free_lists(s);
    cJSON_Delete(s->extra_facts);
    cJSON_Delete(s->extra_state);
    state_init(s);
}

static void *copy_list(const void *from, size_t n, size_t size) {
    return n ? memcpy(xcalloc(n, size), from, n * size) : NULL;
}

void state_copy(const struct state *from, struct state *ret) {
    *ret = *from;
    ret->target_uid = xstrdup_null(from->target_uid);
    ret->stable_name = xstrdup_null(from->stable_name);
    ret->stable_uid = xstrdup_null(from->stable_uid);
    ret->stable_template = xstrdup_null(from->stable_template);
    ret->policy = xstrdup_null(from->policy);
    ret->message = xstrdup_null(from->message);
    ret->canary = xstrdup_null(from->canary);
    ret->image = xstrdup_null(from->image);
    ret->reason = xstrdup_null(from->reason);
    ret->trial.lease = xstrdup_null(from->trial.lease);
    ret->rehearsal.line = xstrdup_null(from->rehearsal.line);
    for (int k = 0; k < CHECKS; k++) ret->check[k].message = xstrdup_null(from->check[k].message);
    ret->slice.resource = xstrdup_null(from->slice.resource);
    ret->slice.ns = xstrdup_null(from->slice.ns);
    ret->slice.selector = xstrdup_null(from->slice.selector);
    judge_copy(&from->judge, &ret->judge);
    evidence_copy(&from->evidence, &ret->evidence);
    counts_copy(&from->controllers, &ret->controllers);
    ret->quarantine = copy_list(from->quarantine, from->nquarantine, sizeof *from->quarantine);
    for (size_t i = 0; i < from->nquarantine; i++)
        ret->quarantine[i].reason = xstrdup_null(from->quarantine[i].reason);
    ret->history = copy_list(from->history, from->nhistory, sizeof *from->history);
    for (size_t i = 0; i < from->nhistory; i++) {
        ret->history[i].image = xstrdup_null(from->history[i].image);
        ret->history[i].reason = xstrdup_null(from->history[i].reason);
    }
    ret->consumed = copy_list(from->consumed, from->nconsumed, sizeof *from->consumed);
    for (size_t i = 0; i < from->nconsumed; i++)
        ret->consumed[i].value = xstrdup_null(from->consumed[i].value);
    ret->extra_facts = from->extra_facts ? cJSON_Duplicate(from->extra_facts, true) : NULL;
    ret->extra_state = from->extra_state ? cJSON_Duplicate(from->extra_state, true) : NULL;
}

bool state_is_ahead(const struct state *s, const struct obs_target *t) {
    return s->target_uid && strcmp(s->target_uid, t->uid) == 0 && t->generation < s->generation;
}

static bool same_bits(const void *a, const void *b, size_t n) {
    return memcmp(a, b, n) == 0;
}

/* What is the same bit by bit has the same text, and need not be written to compare it. */
static void leave_out_what_is_equal(struct state *p, struct state *q) {
    if (same_bits(&p->judge.all, &q->judge.all, sizeof p->judge.all)) {
        judge_test_init(&p->judge.all);
        judge_test_init(&q->judge.all);
    }
    if (same_bits(&p->signals, &q->signals, sizeof p->signals)) {
        signals_init(&p->signals);
        signals_init(&q->signals);
    }
}

bool state_same(const struct state *a, const struct state *b) {
    if (a->phase != b->phase || a->hold != b->hold || a->judge.scrapes != b->judge.scrapes) return false;
    cleanup_buf struct buf x = BUF((size_t)2 * STATE_MAX_TEXT), y = BUF((size_t)2 * STATE_MAX_TEXT);
    struct state p = *a, q = *b; /* borrowed */
    p.written_ns = q.written_ns = p.generation = q.generation = 0;
    leave_out_what_is_equal(&p, &q);
    state_write_facts(&p, &x);
    state_write(&p, &x);
    state_write_facts(&q, &y);
    state_write(&q, &y);
    return slice_eq(buf_slice(&x), buf_slice(&y));
}

bool state_quarantined(const struct state *s, const char *hash, const struct state_quarantine **ret) {
    for (size_t i = 0; i < s->nquarantine; i++) {
        if (strcmp(s->quarantine[i].hash, hash) != 0) continue;
        if (ret) *ret = &s->quarantine[i];
        return true;
    }
    return false;
}

void state_quarantine_remove(struct state *s, const char *hash) {
    size_t n = 0;
    for (size_t i = 0; i < s->nquarantine; i++) {
        if (strcmp(s->quarantine[i].hash, hash) != 0)
            s->quarantine[n++] = s->quarantine[i];
        else
            free(s->quarantine[i].reason);
    }
    s->nquarantine = n;
}

/* It may come from an annotation that anybody writes: what is longer could not be read back. */
enum { QUARANTINE_TEXT = 600 };

void state_quarantine_add(struct state *s, const char *hash, int64_t at_ns, const char *reason) {
    state_quarantine_remove(s, hash);
    if (s->nquarantine == STATE_MAX_QUARANTINE) {
        free(s->quarantine[0].reason);
        memmove(s->quarantine, s->quarantine + 1, --s->nquarantine * sizeof *s->quarantine);
    }
    s->quarantine = xrealloc(s->quarantine, (s->nquarantine + 1) * sizeof *s->quarantine);
    struct state_quarantine *q = &s->quarantine[s->nquarantine++];
    *q = (struct state_quarantine){.at_ns = at_ns,
                                   .reason = slice_dup_text(slice_of(reason ? reason : ""), QUARANTINE_TEXT)};
    snprintf(q->hash, sizeof q->hash, "%s", hash);
}

void state_history_add(struct state *s, enum ended ended, int64_t now_ns) {
    if (s->nhistory == STATE_MAX_HISTORY) {
        s->nhistory--;
        free(s->history[s->nhistory].image);
        free(s->history[s->nhistory].reason);
    }
    s->history = xrealloc(s->history, (s->nhistory + 1) * sizeof *s->history);
    memmove(s->history + 1, s->history, s->nhistory++ * sizeof *s->history);
    struct state_history *h = &s->history[0];
    *h = (struct state_history){.ended = ended,
                                .began_ns = s->began_ns,
                                .ended_ns = now_ns,
                                .errors = s->judge.all.ec,
                                .total = s->judge.all.nc,
                                .image = xstrdup_null(s->image),
                                .reason = xstrdup_null(s->reason)};
    memcpy(h->hash, s->hash, sizeof h->hash);
}

struct state_consumed *state_consumed(const struct state *s, enum spec_action a, const char *value) {
    for (size_t i = 0; i < s->nconsumed; i++)
        if (s->consumed[i].action == a && !strcmp(s->consumed[i].value, value)) return &s->consumed[i];
    return NULL;
}

struct state_consumed *state_consume(struct state *s, enum spec_action a, const char *value) {
    struct state_consumed *known = state_consumed(s, a, value);
    if (known) return known;
    if (s->nconsumed == STATE_MAX_CONSUMED) {
        free(s->consumed[0].value);
        memmove(s->consumed, s->consumed + 1, --s->nconsumed * sizeof *s->consumed);
    }
    s->consumed = xrealloc(s->consumed, (s->nconsumed + 1) * sizeof *s->consumed);
    s->consumed[s->nconsumed] = (struct state_consumed){a, xstrdup(value), true};
    return &s->consumed[s->nconsumed++];
}
