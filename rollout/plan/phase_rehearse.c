/* The rehearsal: before a canary touches anything, the new version runs for a while behind a proxy that writes nothing, and beside it
 * stable's version, whose doing is not the update's. What it would have done is held against max-changes. */
#include "plan/plan_ctx.h"
#include "plan/rehearsal.h"
#include <stdio.h>

/* ---- the pods ---- */

/* The new version's pod as a canary's and the control's as stable's, for the rules of canary_health.c. */
struct view {
    struct plan_ctx c;
    struct observed o;
    struct obs_target t;
    struct spec spec;
    struct obs_rs rs[2];
    struct obs_pod *pods;
};

static void view_open(struct plan_ctx *c, const struct rehearsal_pair *p, struct view *v) {
    *v = (struct view){.c = *c, .o = *c->o, .t = *c->t, .spec = *c->spec};
    v->spec.guard[GUARD_READINESS] = false; /* it may wait for what was not really written */
    v->pods = xcalloc(c->o->nrehearsal_pods + 1, sizeof *v->pods);
    v->o.npods = plan_rehearsal_tracks(c->o, v->pods, c->o->nrehearsal_pods);
    v->o.pods = v->pods;
    v->o.nrs = 0;
    for (int k = 0; k < 2; k++) {
        if (!p->rs[k]) continue;
        struct obs_rs *r = &v->rs[v->o.nrs++];
        *r = *p->rs[k];
        r->canary = k == 0;
        if (k) v->c.stable = r;
    }
    v->o.rs = v->rs;
    v->o.spec = v->c.spec = &v->spec;
    v->t.replicas = p->rs[1] ? 1 : 0;
    v->t.st_ready = p->pod[1] && p->pod[1]->ready ? 1 : 0;
    v->o.target = v->c.t = &v->t;
    v->c.o = &v->o;
    v->c.in_rehearsal = true;
}

static void view_close(struct view *v) {
    free(v->pods);
}

/* no_image: it does not exist, whatever stable's does. */
static bool bad(struct plan_ctx *c, const char *why, bool no_image) {
    if (!c->s->rehearsal.alone)
        return plan_roll_back(c, ENDED_FAILED,
                              "failed in its rehearsal: %s; stable's version beside it did not", why);
    if (no_image) return plan_roll_back(c, ENDED_FAILED, "failed in its rehearsal: %s", why);
    if (plan_past_deadline(c)) return plan_on_deadline(c, false, why);
    return plan_hold(
        c, HOLD_NOT_READY, TEXT_KEPT,
        "%s; stable's template is not there to be rehearsed beside it, so it is not known whether the "
        "rehearsal is the cause: %s, or without annotation rehearse: %s",
        why, plan_command(c, ACTION_ABORT).text, plan_command(c, ACTION_RETRY).text);
}

static bool not_ready(struct plan_ctx *c, const struct pods_cause *cause, int64_t since) {
    if (cause->hold != HOLD_NONE) {
        if (plan_cause_is_due(c, cause, since)) plan_hold(c, cause->hold, cause->follow, "%s", cause->text);
        return false;
    }
    if (plan_past_deadline(c)) return plan_on_deadline(c, false, cause->text);
    plan_revisit(c, since + PLAN_PATIENCE_NS + 1000);
    if (c->now - since <= PLAN_PATIENCE_NS) return false;
    return plan_hold(c, HOLD_NOT_READY, TEXT_KEPT, "%s", cause->text);
}

static const char *or_waits(struct pods_cause *cause, const char *who) {
    if (!*cause->text)
        snprintf(cause->text, sizeof cause->text, "the pod of %s is not ready in its rehearsal", who);
    return cause->text;
}

/* Both run and are ready, or were once: what is asked now is only whether one fails. *ret_moved: the phase has changed. */
static bool pods_run(struct plan_ctx *c, const struct rehearsal_pair *p, bool *ret_moved) {
    struct view v;
    struct pods_cause cause = {0}, control = {0};
    view_open(c, p, &v);
    enum health h = plan_canary_health(&v.c, 1, &cause);
    int64_t since = c->s->unready_ns ? c->s->unready_ns : c->s->since_ns;
    if (p->rs[1]) plan_pods_cause(&v.c, p->rs[1], "pods of its control", 1, since, &control);
    bool alone = c->s->rehearsal.alone, ready = h == HEALTH_READY, begun = c->s->rehearsal.from_ns != 0;
    bool beside = alone || (p->pod[1] && p->pod[1]->ready);
    view_close(&v);
    control.own = cause.own = NULL; /* they were the view's */
    *ret_moved = false;
    if (h == HEALTH_BAD) {
        *ret_moved = bad(c, cause.text, p->pod[0] && p->pod[0]->no_image);
    } else if (h == HEALTH_SHARED) {
        plan_hold(
            c, HOLD_SHARED, TEXT_KEPT,
            "%s, and so does stable's version beside it: it cannot be rehearsed as it is; without annotation "
            "rehearse: %s",
            cause.text, plan_command(c, ACTION_RETRY).text);
    } else if (!begun && !ready) {
        or_waits(&cause, "the new version");
        *ret_moved = not_ready(c, &cause, since);
    } else if (!begun && !beside) {
        or_waits(&control, "stable's version");
        *ret_moved = not_ready(c, &control, since);
    } else {
        return true;
    }
    return false;
}

/* ---- its time, its report ---- */

static const struct rehearsal_report *last_report(const struct plan_ctx *c, int64_t until) {
    const struct rehearsal_seen *seen = c->o->rehearsal;
    const struct rehearsal_report *r = seen ? seen->report : NULL;
    return r && r->run == c->s->rehearsal.run && r->read_ns >= until ? r : NULL;
}

static bool no_report(struct plan_ctx *c, int64_t until, const char *why) {
    plan_revisit(c, until + PLAN_PATIENCE_NS + 1000);
    if (c->now - until <= PLAN_PATIENCE_NS) return false;
    cleanup_free char *text = xasprintf("no report of the rehearsal: %.300s", why);
    if (plan_past_deadline(c)) return plan_on_deadline(c, false, text);
    return plan_hold(c, HOLD_NO_DATA, TEXT_KEPT, "%s", text);
}

static bool without_report(struct plan_ctx *c, int64_t until) {
    const char *why = c->o->rehearsal ? c->o->rehearsal->report_trouble : NULL;
    return no_report(c, until, why ? why : "its pods have not answered");
}

static void note(struct plan_ctx *c, const struct rehearsal_report *r) {
    struct state_rehearsal *x = &c->s->rehearsal;
    memcpy(x->digest, r->digest, sizeof x->digest);
    plan_set_text(&x->line, "%.280s", r->line ? r->line : "");
    x->empty = r->empty;
    x->full = r->full;
    for (int k = 0; k < REPORT_KINDS; k++)
        x->count[k] = r->count[k] < (UINT64_C(1) << 53) ? r->count[k] : UINT64_C(1) << 53;
}

/* What another rehearsal has found may be the very same, and have the same digest. */
static bool is_kept(const struct rehearsal_seen *seen, const struct rehearsal_report *r) {
    return seen->map == MAP_OURS && seen->map_run == r->run && strcmp(seen->map_digest, r->digest) == 0;
}

/* The whole is kept before its pods go, who alone have it. */
static bool keep(struct plan_ctx *c, const struct rehearsal_report *r) {
    const struct rehearsal_seen *seen = c->o->rehearsal;
    struct state_rehearsal *x = &c->s->rehearsal;
    cleanup_buf struct buf over = BUF(1024);
    c->plan->rehearse.map = true;
    if (seen->map == MAP_UNKNOWN) {
        plan_revisit(c, c->now + POLL_NS);
        return seen->map_trouble &&
               plan_hold(c, HOLD_NO_DATA, TEXT_KEPT,
                         "there is a report of the rehearsal, and no place for it: %.300s",
                         seen->map_trouble);
    }
    if (seen->map == MAP_FOREIGN) {
        cleanup_free char *name = plan_report_map(c->t->id);
        plan_revisit(c, c->now + PLAN_PATIENCE_NS);
        return plan_hold(
            c, HOLD_NAME_CONFLICT, TEXT_KEPT,
            "ConfigMap %s is not Handover's, so there is no place for the rehearsal's report; it goes on "
            "when that is gone: kubectl delete configmap/%s -n %s",
            name, name, c->t->ns);
    }
    note(c, r);
    if (!is_kept(seen, r)) {
        plan_step_report(c, r);
        plan_revisit(c, c->now + POLL_NS);
        return false;
    }
    x->over = true;
    plan_unhold(c);
    plan_count(c, PM_REHEARSALS,
               x->empty                             ? "empty"
               : plan_exceeds(c->s, c->spec, &over) ? "exceeded"
                                                    : "changes",
               1);
    plan_event(c, EV_REHEARSED, "%s was rehearsed%s: %s (report %s)", c->s->image,
               x->alone ? ", without stable's version beside it" : "", x->line, x->digest);
    return true;
}

static bool rehearse(struct plan_ctx *c) {
    struct state_rehearsal *x = &c->s->rehearsal;
    struct rehearsal_pair p;
    bool moved;
    c->keeps_rehearsal = true;
    plan_rehearsal_pair(c->o, &p);
    if (!plan_make_rehearsal(c, &p)) return false;
    uint64_t run = plan_rehearsal_run(&p);
    if (x->run && run && x->run != run) x->from_ns = 0; /* what the former ones remembered is lost */
    if (run && x->run != run && x->from_ns == 0) x->run = run;
    if (!pods_run(c, &p, &moved)) return moved;
    bool waited = c->s->hold != HOLD_NONE && c->s->hold != HOLD_NO_DATA;
    if (waited) plan_unhold(c);
    if (!x->from_ns) x->from_ns = c->now;
    int64_t until = x->from_ns + c->spec->rehearse_ns;
    c->plan->rehearse.run = x->run;
    c->plan->rehearse.until_ns = until;
    /* What its control does as well is the rehearsal's doing: nothing speaks against the new version before that was looked at. */
    bool compared = x->alone || c->s->judge.all.ns + c->s->evidence.total[TRACK_STABLE] > 0;
    if (compared && plan_judge(c, false)) return true;
    plan_revisit(c, until);
    if (c->now < until) return false;
    const struct rehearsal_report *r = last_report(c, until);
    if (!r) return without_report(c, until);
    if (r->idle)
        return no_report(c, until,
                         "the new version has asked the API server for nothing there, so it has another way "
                         "to it than its account, or works later than that");
    return keep(c, r);
}

/* ---- what becomes of it ---- */

static bool decide(struct plan_ctx *c) {
    struct state_rehearsal *x = &c->s->rehearsal;
    cleanup_buf struct buf over = BUF(4096);
    if (plan_has_rehearsal(c)) { /* they go first */
        plan_revisit(c, c->now + POLL_NS);
        return false;
    }
    if (plan_exceeds(c->s, c->spec, &over) && strcmp(x->approved, x->digest) != 0)
        return plan_hold(c, HOLD_APPROVAL, TEXT_NEWS,
                         "its rehearsal exceeds max-changes: %.120s; %.120s. To go on all the same: %s; to "
                         "see it: handover "
                         "diff %s -n %s",
                         buf_str(&over), x->line, plan_command(c, ACTION_APPROVE).text, c->t->id, c->t->ns);
    plan_begin_canary(c);
    return true;
}

static bool without_rehearsal(struct plan_ctx *c) {
    plan_unhold(c);
    if (!plan_has_rehearsal(c)) {
        plan_begin_canary(c);
        return true;
    }
    plan_revisit(c, c->now + POLL_NS);
    return false;
}

bool plan_phase_rehearsing(struct plan_ctx *c) {
    struct state *s = c->s;
    if (plan_template_moved(c) || plan_mode_changed(c)) return true;
    c->keeps_rehearsal = !s->rehearsal.over;
    enum held_back back = plan_enforce_paused(c);
    if (back == BACK_MOVED) return true;
    if (!c->o->known) return false;
    plan_remove_other_canaries(c);
    if (!c->spec) return plan_hold(c, HOLD_CONFIG, TEXT_NEWS, "%s", plan_config_error(c));
    if (s->pause_asked) return plan_hold_for_user(c);
    if (back == BACK_BUSY) return false;
    if (!c->spec->rehearse_ns) { /* the annotation has gone */
        c->keeps_rehearsal = false;
        return without_rehearsal(c);
    }
    if (s->rehearsal.over) {
        if (s->hold != HOLD_APPROVAL) plan_unhold(c);
        return decide(c);
    }
    c->plan->scrape_ns = plan_scrape_interval(c->spec->rehearse_ns);
    if (s->hold == HOLD_INCONCLUSIVE && c->now >= plan_deadline_at(c))
        return false; /* reported: a user decides */
    if (s->hold == HOLD_PAUSED_BY_USER || s->hold == HOLD_INCONCLUSIVE) plan_unhold(c);
    (void)plan_learn(c);
    return rehearse(c);
}
