/* Carries out the steps of a plan. */
#include "act/apply.h"
#include "base/json_raw.h"
#include "base/log.h"
#include "observe/policy_watch.h"
#include <errno.h>

struct applying {
    struct kube *kube;
    const char *ns;
    const struct plan *plan;
    struct apply_cb cb;
    void *ctx;
    size_t at;
    struct kube_op *op;
    bool existed, stopping, urgent;
};

static void next(struct applying *a);

static bool as_good_as_done(const struct step *s, const struct err *err) {
    return (s->gone_ok && err->kind == ERR_NOTFOUND) ||
           (s->exists_ok && s->verb == VERB_CREATE && err->kind == ERR_CONFLICT);
}

/* An optional step that the server has refused: the others go on. */
static bool left_out(const struct applying *a, const struct step *s, const struct err *err) {
    bool answered = err->kind == ERR_CONFLICT || err->kind == ERR_NOTFOUND || err->kind == ERR_FORBIDDEN ||
                    err->kind == ERR_REJECTED;
    if (!s->optional || !answered) return false;
    LOG_EVENT(kube_log(a->kube), err->kind == ERR_FORBIDDEN ? LOG_WARN : LOG_INFO, "StepRefused",
              "an optional step was refused", LF_STR("step", s->why), LF_STR("namespace", a->ns),
              LF_STR("message", err->msg));
    return true;
}

static void proceed(struct applying *a) {
    a->at++;
    if (a->stopping) {
        struct err e = {0};
        err_set(&e, ERR_CANCELLED, -ECANCELED, "interrupted");
        a->cb.done(a->ctx, &e, NULL, a->existed);
        return;
    }
    next(a);
}

/* Something in the API server has put it back. */
static bool still_paused(const struct step *s, struct slice raw, struct err *ret) {
    struct slice paused;
    if (!s->unpauses || !json_raw_at(raw, "spec/paused", &paused) || !slice_eqs(paused, "true")) return false;
    err_set(ret, ERR_REJECTED, -EPERM,
            "%s: the answer is still paused: a MutatingAdmissionPolicy or a webhook puts spec.paused "
            "back; " POLICY_NAME " lets the account of its matchConditions alone, which has to be Handover's",
            s->why);
    return true;
}

static void on_answer(void *ctx, const struct err *err, struct slice raw) {
    struct applying *a = ctx;
    const struct step *s = &a->plan->step[a->at];
    a->op = NULL;
    if (err && left_out(a, s, err)) {
        proceed(a);
        return;
    }
    if (err && !as_good_as_done(s, err)) {
        struct err e = *err;
        if (s->verb == VERB_PATCH_MERGE && e.kind == ERR_NOTFOUND)
            e.kind = ERR_CONFLICT; /* deleted since we looked: look again */
        err_wrap(&e, "%s", s->why);
        a->cb.done(a->ctx, &e, s, a->existed);
        return;
    }
    struct err kept = {0};
    if (!err && still_paused(s, raw, &kept)) {
        a->cb.done(a->ctx, &kept, s, a->existed);
        return;
    }
    a->existed = a->existed || (err && err->kind == ERR_CONFLICT);
    LOG_EVENT(kube_log(a->kube), LOG_INFO, "StepDone", "step carried out", LF_STR("step", s->why),
              LF_STR("namespace", a->ns), LF_STR("kind", s->gvr->kind), LF_STR("name", s->name));
    bool object = !err && (s->verb != VERB_DELETE || s->kind == STEP_POD_DELETE);
    if (!err || err->kind == ERR_NOTFOUND) a->cb.written(a->ctx, s, object ? raw : (struct slice){0});
    proceed(a);
}

static void next(struct applying *a) {
    static const enum kube_verb verbs[] = {
        [VERB_CREATE] = KUBE_CREATE, [VERB_PATCH_MERGE] = KUBE_PATCH_MERGE, [VERB_DELETE] = KUBE_DELETE};
    if (a->at == a->plan->nsteps) {
        a->cb.done(a->ctx, NULL, NULL, a->existed);
        return;
    }
    const struct step *s = &a->plan->step[a->at];
    struct kube_spec spec = {
        .verb = verbs[s->verb],
        .ref = {.gvr = s->gvr,
                .ns = slice_of(s->ns ? s->ns : a->ns),
                .name = s->verb == VERB_CREATE ? (struct slice){0} : slice_of(s->name)},
        .body = slice_of(s->body),
        .lane = LANE_CALL,
        .urgent = a->urgent,
    };
    a->op = kube_call(a->kube, &spec, on_answer, a);
}

struct applying *apply_start(struct kube *k, const char *ns, const struct plan *plan,
                             const struct apply_cb *cb, void *ctx) {
    struct applying *a = xcalloc(1, sizeof *a);
    *a = (struct applying){
        .kube = k, .ns = ns, .plan = plan, .cb = *cb, .ctx = ctx, .urgent = plan_stops_harm(plan)};
    next(a);
    return a;
}

bool apply_stop(struct applying *a) {
    a->stopping = true;
    return a->op && kube_in_the_air(a->op);
}

void apply_end(struct applying *a) {
    if (!a) return;
    kube_cancel(a->op);
    free(a);
}
