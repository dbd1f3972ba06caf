/* One reconcile of one target: look at the caches, plan, carry out. Only what the caches cannot answer is read. */
#include "act/reconcile.h"
#include "act/check_work.h"
#include "act/leases.h"
#include "act/own_part.h"
#include "act/rehearsal_work.h"
#include "act/reconcile_impl.h"
#include "act/rollout_metrics.h"
#include "act/round.h"
#include "act/slice_work.h"
#include "base/log.h"
#include "observe/snapshot.h"
#include <errno.h>

enum {
    BREATH_NS = 50 * 1000000, /* however soon: no busy loop */
    SOON_NS = 1000000000,
    POLL_NS = 2000000000,
};
enum { REFUSED_TWICE = 2 }; /* once may be a blip: an API server that is starting, a webhook that is rolled */
#define TAKEN_NS (30 * NS_PER_S) /* between tries to create a canary whose name is taken */

static void end(struct reconcile *p, enum outcome out, int64_t after_ns, const struct err *err) {
    struct task *task = p->task;
    struct target *t = p->t;
    struct rollout *r = p->r;
    bool forget = p->planned && p->plan.forget && !err;
    struct err copy = err ? *err : (struct err){0};
    t->reconcile = NULL;
    kube_cancel(p->read);
    apply_end(p->applying);
    relabel_end(p->relabel);
    if (p->has_read_target) obs_target_free(&p->read_target);
    cJSON_Delete(p->read_state);
    if (p->planned) plan_free(&p->plan);
    free(p->target_uid);
    free(p);
    if (forget)
        rollout_forget(r, t);
    else
        target_rest(t);
    task_finish(task, out, after_ns, err ? &copy : NULL);
}

/* The server has read it and will not do it. */
static bool is_refusal(const struct err *err) {
    return err->kind == ERR_FORBIDDEN || err->kind == ERR_REJECTED ||
           (err->kind == ERR_SERVER && err->http == 500);
}

/* A failure is reported once, not at every retry. Conflicts are expected: another client wrote in between. refused: the
 * write that it is about. */
void reconcile_fail(struct reconcile *p, const struct err *err, const struct step *refused) {
    struct target *t = p->t;
    bool expected = err->kind == ERR_CONFLICT || err->kind == ERR_FENCED || err->kind == ERR_CANCELLED;
    if (refused) target_refused(t, refused->kind, err->msg);
    if (!expected && (!t->last_error || strcmp(t->last_error, err->msg) != 0)) {
        free(t->last_error);
        t->last_error = xstrdup(err->msg);
        rollout_report(p->r, t, p->target_uid, NULL, EV_RECONCILE_FAILED, err->msg);
    }
    t->given_up = !expected && !err_retryable(err);
    if (refused && t->given_up && t->refused_times <= REFUSED_TWICE)
        end(p, OUT_AFTER, SOON_NS, NULL); /* tried again, and then held for */
    else
        end(p, OUT_RETRY, 0, err);
}

/* ---- planning and carrying out ---- */

/* The plan's times are wall time; rounds and probes go by the boot clock, which is never set back. */
static int64_t soonest(const struct reconcile *p) {
    struct world *w = kube_world(p->r->kube);
    int64_t wall = world_wall_ns(w);
    int64_t in = p->plan.look_again_ns == TIME_NEVER ? TIME_NEVER
                 : p->plan.look_again_ns > wall      ? p->plan.look_again_ns - wall
                                                     : 0;
    int64_t round = round_due_in(p->r, p->t), report = rehearsal_work_due_in(p->r, p->t);
    if (round < in) in = round;
    if (report < in) in = report;
    return in < BREATH_NS ? BREATH_NS : in;
}

/* The state says that the canary is to lead; from here on this process only drains. */
static bool yields(struct reconcile *p) {
    struct rollout *r = p->r;
    if (!p->plan.yield.pod[0] || !r->opt.yield || r->part != ROLLOUT_ALL) return false;
    char pod[sizeof p->plan.yield.pod], uid[sizeof p->plan.yield.uid];
    memcpy(pod, p->plan.yield.pod, sizeof pod);
    memcpy(uid, p->plan.yield.uid, sizeof uid);
    int64_t until = p->plan.yield.until_ns;
    end(p, OUT_AFTER, POLL_NS, NULL);
    r->opt.yield(r->opt.yield_ctx, pod, uid, until);
    return true;
}

static void finish(struct reconcile *p, bool changed, bool existed) {
    int64_t in = soonest(p);
    free(p->t->last_error);
    p->t->last_error = NULL;
    p->t->given_up = false;
    if (yields(p)) return;
    if (existed) /* what we would make is there and is not ours, or not any more: wait for it to go */
        end(p, OUT_AFTER, POLL_NS, NULL);
    else if (changed && !p->plan.forget)
        end(p, OUT_AFTER, 0, NULL); /* plan again from what it did */
    else if (in == TIME_NEVER)
        end(p, OUT_DONE, 0, NULL);
    else
        end(p, OUT_AFTER, in, NULL);
}

static void on_labelled(void *ctx, struct slice raw) {
    struct reconcile *p = ctx;
    slice_work_wrote(p->r, p->t, raw);
}

/* any false: others write all of them, too; a moment later. */
static void on_all_labelled(void *ctx, const struct err *err, bool any) {
    static const struct step objects = {.kind = STEP_OBJECTS};
    struct reconcile *p = ctx;
    if (!err) target_refused_no_more(p->t, STEP_OBJECTS);
    if (err)
        reconcile_fail(p, err, is_refusal(err) ? &objects : NULL);
    else
        finish(p, any, false);
}

static void on_verified(void *ctx, const struct err *err, struct slice raw) {
    struct reconcile *p = ctx;
    p->read = NULL;
    if (!err) slice_work_verified(p->t, raw);
    if (err)
        reconcile_fail(p, err, NULL);
    else
        finish(p, p->t->none_labelled, false);
}

/* The state that announces the labels is written. */
static void label(struct reconcile *p, bool changed, bool existed) {
    static const struct relabel_cb cb = {on_labelled, on_all_labelled};
    if (!existed) p->relabel = slice_work_batch(p->r, p->t, &p->plan, &cb, p);
    if (!existed) p->read = slice_work_verify(p->r, p->t, &p->plan, on_verified, p);
    if (p->relabel)
        relabel_start(p->relabel);
    else if (!p->read)
        finish(p, changed, existed);
}

static void on_rs(void *ctx, const struct obs_rs *rs) {
    struct event_ref *canary = ctx;
    if (strcmp(rs->name, canary->name) == 0) canary->uid = rs->uid;
}

/* The ReplicaSet of the canary that the state names, also of one that was rolled back, as long as it is there. */
static bool find_canary(const struct reconcile *p, struct event_ref *ret) {
    const struct state *s = p->plan.next ? p->plan.next : p->t->state;
    if (!s || !s->canary || !p->target_uid) return false;
    *ret = (struct event_ref){"apps/v1", gvr_replicasets.kind, p->t->ns, s->canary, NULL};
    caches_each_rs(p->r->caches, p->t->ns, p->target_uid, on_rs, ret);
    return ret->uid != NULL;
}

static void report_all(struct reconcile *p) {
    if (p->reported) return;
    p->reported = true;
    struct event_ref canary;
    bool related = p->plan.nevents && find_canary(p, &canary);
    for (size_t i = 0; i < p->plan.nevents; i++) {
        const struct plan_event *e = &p->plan.event[i];
        rollout_report(p->r, p->t, p->target_uid, related ? &canary : NULL, e->reason, e->message);
    }
    for (size_t i = 0; i < p->plan.nmetrics; i++)
        rollout_metrics_add(kube_metrics(p->r->kube), &p->plan.metric[i]);
}

static void on_written(void *ctx, const struct step *s, struct slice raw) {
    struct reconcile *p = ctx;
    struct target *t = p->t;
    target_refused_no_more(t, s->kind);
    if (s->kind == STEP_REPORT) { /* of no cache */
        rehearsal_work_wrote(t, raw);
        return;
    }
    if (s->kind == STEP_POD_DELETE) { /* it is there until it has ended */
        if (raw.n) caches_wrote(p->r->caches, s->gvr, raw);
        return;
    }
    if (s->verb == VERB_DELETE) {
        const struct store_rec *rec =
            s->kind == STEP_STATE_DELETE ? caches_state(p->r->caches, t->ns, t->name) : NULL;
        cleanup_free char *uid = xstrdup_null(rec ? rec->uid : s->uid);
        caches_deleted(p->r->caches, s->gvr, t->ns, s->name, uid);
        return;
    }
    struct meta m;
    if (s->kind == STEP_STATE && p->plan.next && meta_from_raw(raw, &m, NULL) == 0) {
        rollout_tell_changes(p->r, t, p->plan.next);
        target_hold_state(t, p->plan.next, m.rv);
        t->confirmed = true;
        meta_free(&m);
    }
    if (s->kind == STEP_STATE) report_all(p);
    if (s->kind == STEP_LEASE) {
        static const struct plan_metric one = {PM_ASSISTS, NULL, 1};
        const struct event_ref lease = {"coordination.k8s.io/v1", gvr_leases.kind, s->ns ? s->ns : t->ns,
                                        s->name, NULL};
        rollout_report(p->r, t, p->target_uid, &lease, EV_LEASE_RELEASED, s->why);
        rollout_metrics_add(kube_metrics(p->r->kube), &one);
    }
    if (raw.n && s->ns)
        foreign_lease_wrote(t->lease, raw);
    else if (raw.n)
        caches_wrote(p->r->caches, s->gvr, raw);
}

static void on_applied(void *ctx, const struct err *err, const struct step *failed, bool existed) {
    struct reconcile *p = ctx;
    if (err) {
        /* Our caches do not have it and it is there: behind, or not ours. */
        p->t->clash =
            failed && failed->kind == STEP_STATE && failed->verb == VERB_CREATE && err->kind == ERR_CONFLICT;
        if (failed && failed->kind == STEP_REPORT) rehearsal_work_failed(p->t);
        reconcile_fail(p, err, failed && is_refusal(err) ? failed : NULL);
        return;
    }
    report_all(p); /* of a plan that writes no state */
    if (existed) p->t->taken_ns = world_boot_ns(kube_world(p->r->kube));
    label(p, true, existed);
}

/* What is held of the namespace's caches follows what the plan has to see. Leases that cannot be read are no reason to wait. */
static bool see(struct reconcile *p, enum obs_need need) {
    struct target *t = p->t;
    enum obs_need had = t->holds;
    t->holds = need;
    if (need != had) {
        caches_hold(p->r->caches, t->ns, need);
        caches_release(p->r->caches, t->ns, had);
    }
    return need != NEED_TARGET && caches_complete(p->r->caches, t->ns, need < NEED_PODS ? need : NEED_PODS);
}

/* Another process's part, by now; this one is to see when that changes. */
static void leave_alone(struct reconcile *p) {
    p->plan = (struct plan){.look_again_ns = world_wall_ns(kube_world(p->r->kube)) + POLL_NS, .watch = true};
    p->planned = true;
    p->t->scrape_every_ns = 0;
    p->t->probe = false;
    round_drop(p->t);
}

/* The pods whose metrics count in the phase of this state. */
struct scraped {
    const struct obs_pod *v;
    size_t n;
    struct obs_pod *own; /* free() */
};
static struct scraped scraped_pods(const struct observed *o, const struct state *s) {
    if (!s || s->phase != PHASE_REHEARSING) return (struct scraped){o->pods, o->npods, NULL};
    struct obs_pod *own = xcalloc(o->nrehearsal_pods + 1, sizeof *own);
    size_t n = plan_rehearsal_tracks(o, own, o->nrehearsal_pods);
    return (struct scraped){own, n, own};
}

static void plan_from(struct reconcile *p, struct observed *o, struct target_snapshot *snap,
                      const char *uid) {
    struct target *t = p->t;
    struct rollout *r = p->r;
    struct world *w = kube_world(r->kube);
    const struct state *s = o->state;
    if (uid)
        target_snapshot_add(r->caches, t->ns, uid, s ? s->stable_name : NULL, s ? s->stable_hash : NULL,
                            snap);
    o->rs = snap->rs;
    o->nrs = snap->nrs;
    snap->npods = plan_own_pods(o, snap->pods, snap->npods);
    o->canary_taken = t->taken_ns && world_boot_ns(kube_world(p->r->kube)) - t->taken_ns < TAKEN_NS;
    o->known = see(p, own_part_needs(r, t, plan_needs(o)));
    o->pods = snap->pods;
    o->npods = snap->npods;
    o->rehearsals = snap->rehearsals;
    o->nrehearsals = snap->nrehearsals;
    o->rehearsal_pods = snap->rehearsal_pods;
    o->nrehearsal_pods = snap->nrehearsal_pods;
    if (!own_part_is_ours(r, t, o)) {
        leave_alone(p);
        return;
    }
    leases_see(r, t, o, snap);
    o->dead = caches_dead_pods(r->caches);
    struct slice_seen slice;
    o->slice = slice_work_look(r, t, o->state, &slice) ? &slice : NULL;
    struct scraped pods = scraped_pods(o, o->state);
    if (o->known) round_take(r, t, pods.v, pods.n);
    o->scraped_ns = t->scraped_ns;
    o->scrape_trouble = t->trouble;
    o->history_known = t->history_known;
    o->history_errors = t->history_errors;
    o->history_total = t->history_total;
    for (int k = 0; k < TRACKS; k++)
        o->quiet[k] = quiet_now(&t->quiet[k], world_boot_ns(w), o->spec ? o->spec->quiet_ns : 0);
    bool held = o->state && o->state->hold == HOLD_WRITE_REFUSED; /* then once more is news enough */
    o->refused = t->refused_times >= (held ? 1 : REFUSED_TWICE) ? &t->refused : NULL;
    check_work_offer(t, o);
    rehearsal_work_offer(r, t, o);
    plan_make(o, world_wall_ns(w), &p->plan);
    check_work_ask(r, t, o, &p->plan);
    rehearsal_work_ask(r, t, o, &p->plan);
    p->planned = true;
    if (p->plan.policy_failed) t->policy.settled = false;
    if (!plan_has_step(&p->plan, t->refused.kind)) target_refused_no_more(t, t->refused.kind);
    t->scrape_every_ns = p->plan.scrape_ns > 0 && r->opt.scrape_ns > 0 ? r->opt.scrape_ns : p->plan.scrape_ns;
    /* Prometheus's last scrape says nothing of this moment. */
    t->probe_track = p->plan.probe_track;
    t->probe = p->plan.probe_quiet && !(o->spec && o->spec->metrics == METRICS_PROMETHEUS);
    if (t->scrape_every_ns <= 0 && !t->probe)
        round_drop(t); /* nothing is measured: what was read of its pods goes, too */
    else if (o->known && o->state && o->spec && (!o->spec_err->kind || o->spec->metrics_ok)) {
        free(pods.own);
        pods = scraped_pods(o, p->plan.next);
        round_start(r, t, o->spec, pods.v, pods.n);
    }
    free(pods.own);
}

void reconcile_look(struct reconcile *p) {
    struct target *t = p->t;
    struct target_snapshot snap;
    struct err state_err = {0}, spec_err = {0};
    cleanup_spec struct spec spec = {0};
    if (own_part_excludes(p->r, t)) {
        end(p, OUT_DONE, 0, NULL);
        return;
    }
    target_snapshot_begin(p->r->caches, t->ns, t->name, &snap);
    if (reconcile_reads_objects(p, &snap)) return;
    if (p->has_read_target || p->target_is_gone) snap.target = p->has_read_target ? &p->read_target : NULL;
    struct observed o = {
        .name = t->name, .target = snap.target, .state_err = &state_err, .spec_err = &spec_err};
    o.state_known = target_take_state(t, p->read_state, snap.state, &o.state_rv, &state_err);
    if (o.state_known == STATE_READ && snap.target && !p->has_read_target &&
        state_is_ahead(t->state, snap.target)) {
        reconcile_read_target(p);
        return;
    }
    o.state = o.state_known == STATE_READ ? t->state : NULL;
    if (reconcile_reads_revision(p, &o, &snap)) return;
    o.target = snap.target;
    /* Of a Deployment that is gone, and whose objects may be labelled still: first things first. */
    if (o.state && o.state->slice.resource && snap.target &&
        strcmp(o.state->target_uid, snap.target->uid) != 0)
        o.target = snap.target = NULL;
    cleanup_free char *rv = xstrdup_null(o.state_rv); /* the record goes when it is written over */
    o.state_rv = rv;
    o.state_confirmed = o.state_known != STATE_READ || t->confirmed;
    target_match_rounds(t);
    if (o.state) rollout_tell_changes(p->r, t, o.state); /* also if the answer to its write was lost */
    if (o.state_known == STATE_ABSENT) t->told_known = true;
    if (snap.target && obs_opted_in(snap.target->annotations)) {
        spec_parse(snap.target->annotations, &spec, &spec_err);
        spec_lease_of(&spec, t->ns);
        if (!spec_err.kind) (void)plan_target_fits(snap.target, &spec, &spec_err);
        if (!spec_err.kind && scraper_allows(p->r->scraper, &spec, &spec_err)) spec.metrics_ok = false;
        if (!spec_err.kind) (void)checks_allow(p->r->checks, &spec, &spec_err);
        o.spec = &spec;
    }
    if (reconcile_asks_policy(p, &o)) return;
    const char *uid = snap.target ? snap.target->uid : o.state ? o.state->target_uid : NULL;
    free(p->target_uid);
    p->target_uid = snap.target ? xstrdup(snap.target->uid) : NULL;
    plan_from(p, &o, &snap, uid);
    target_snapshot_free(&snap);
    if (p->plan.nsteps == 0) {
        label(p, false, false);
        return;
    }
    static const struct apply_cb cb = {on_written, on_applied};
    p->applying = apply_start(p->r->kube, t->ns, &p->plan, &cb, p);
}

void reconcile_start(struct rollout *r, struct target *t, struct task *task) {
    struct reconcile *p = xcalloc(1, sizeof *p);
    *p = (struct reconcile){.r = r, .t = t, .task = task};
    t->reconcile = p;
    task_set_data(task, p);
    reconcile_look(p);
}

void reconcile_drop(struct reconcile *p) {
    struct err err = {0};
    err_set(&err, ERR_CANCELLED, -ECANCELED, "interrupted");
    end(p, OUT_INTERRUPTED, 0, &err);
}

void reconcile_cancel(struct reconcile *p) {
    bool air = p->relabel ? relabel_stop(p->relabel) : p->applying && apply_stop(p->applying);
    if (!air) reconcile_drop(p);
}
