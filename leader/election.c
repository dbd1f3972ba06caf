/* Runs the lease machine on a real Lease: its effects, its callbacks, its watch, its timer. */
#include "election_impl.h"
#include <errno.h>

/* ---- callbacks ---- */

/* A notice is a bit: LEAD, LOST and OVER come once in a life, LATE_WORK and RENEWED say what holds at the
 * moment of the call. So none can be dropped, and their order is that of enum notice. */
void election_notify(struct election *e, enum notice what) {
    e->notices |= 1u << what;
    timer_in(e->turn, 0);
}

static void call_lead(struct election *e) {
    /* Else it was over before it began, and what the predecessor left stays as it is. */
    if (!lease_leading(e->lease) || e->stopping) return;
    if (e->reader && checkpoint_skipped(e->reader)) {
        LOG_EVENT(kube_log(e->kube), LOG_WARN, "CheckpointEntriesSkipped",
                  "the checkpoint has entries of a kind that this version does not know",
                  LF_INT("skipped", checkpoint_skipped(e->reader)));
    }
    checkpoint_io_feed(e, &(struct flow_event){.kind = FLOW_EV_REPORTED});
    e->led = true;
    e->cb.lead(e->ctx, lease_term(e->lease), e->lead_reason, e->reader);
}

static void call_late_work(struct election *e) {
    if (!lease_leading(e->lease)) return;
    checkpoint_io_feed(e, &(struct flow_event){.kind = FLOW_EV_REPORTED});
    if (e->cb.late_work) e->cb.late_work(e->ctx, e->reader);
}

static void call_orders(struct election *e) {
    if (!lease_leading(e->lease) || !e->orders.n) return;
    buf_clear(&e->carried);
    buf_add(&e->carried, buf_slice(&e->orders));
    e->cb.orders(e->ctx, buf_slice(&e->carried));
}

/* After each step: has somebody put orders on the Lease? Once they are gone, the same ones are others. */
static void look_for_orders(struct election *e) {
    if (!e->led || !e->cb.orders || !lease_leading(e->lease)) return;
    buf_clear(&e->orders);
    bool there = lease_annotation(lease_raw(e->lease), LEASE_ANNOTATION_ORDERS, &e->orders);
    if (!there || e->orders.full) buf_clear(&e->orders);
    if (!there)
        buf_clear(&e->carried);
    else if (e->orders.n && !slice_eq(buf_slice(&e->orders), buf_slice(&e->carried)))
        election_notify(e, NOTICE_ORDERS);
}

static void look_for_trial(struct election *e) {
    const struct lease_rec *rec = lease_last(e->lease);
    int64_t us = rec ? rec->trial_us : 0;
    if (us == e->told_trial_us || !e->cb.trial) return;
    e->told_trial_us = us;
    election_notify(e, NOTICE_TRIAL);
}

/* One callback in each turn: it may free us, so that nothing follows it. */
static void turn(void *ctx) {
    struct election *e = ctx;
    if (!e->notices) return;
    enum notice what = (enum notice)__builtin_ctz(e->notices);
    e->notices &= e->notices - 1;
    if (e->notices) timer_in(e->turn, 0);
    switch (what) {
    case NOTICE_LEAD: call_lead(e); break;
    case NOTICE_LATE_WORK: call_late_work(e); break;
    case NOTICE_RENEWED:
        if (e->cb.renewed) e->cb.renewed(e->ctx, e->renewed_ok);
        break;
    case NOTICE_ORDERS: call_orders(e); break;
    case NOTICE_TRIAL: e->cb.trial(e->ctx); break;
    case NOTICE_LOST: e->cb.lost(e->ctx, e->lost_reason); break;
    case NOTICE_OVER: e->cb.over(e->ctx, e->over_reason); break;
    }
}

void election_answer_renewal(struct election *e, bool ok) {
    if (!e->renew_sent) return;
    e->renew_sent = false;
    e->renewed_ok = ok;
    election_notify(e, NOTICE_RENEWED);
}

/* ---- events ---- */

struct lease_in election_input(struct election *e, enum lease_event ev) {
    struct world *w = kube_world(e->kube);
    return (struct lease_in){
        .ev = ev, .boot_ns = world_boot_ns(w), .wall_ns = world_wall_ns(w), .rnd = world_rand(w)};
}

void election_event(struct election *e, enum lease_event ev) {
    struct lease_in in = election_input(e, ev);
    election_step(e, &in);
}

/* ---- the machine ---- */

static void log_line(const struct election *e, enum lease_log what) {
    struct log *log = kube_log(e->kube);
    switch (what) {
    case LEASE_LOG_CONTEST:
        LOG_EVENT(log, LOG_INFO, "LeaseContested", "contesting the lease", LF_STR("lease", e->name),
                  LF_STR("identity", e->id));
        break;
    case LEASE_LOG_RECREATE:
        LOG_EVENT(log, LOG_WARN, "LeaseRecreated", "the lease was deleted, creating it again",
                  LF_STR("lease", e->name), LF_INT("term", lease_term(e->lease)));
        break;
    case LEASE_LOG_GIVE_UP:
        LOG_EVENT(log, LOG_WARN, "LeaseNotReleased", "exiting while the lease may still name this process",
                  LF_STR("lease", e->name), LF_INT("term", lease_term(e->lease)));
        break;
    case LEASE_LOG_NONE: break;
    }
}

static void count_lead(struct election *e, const struct lease_out *out) {
    const char *reason = lease_reason_name(out->reason);
    metric_inc(metric_with(e->takeovers, &reason));
    if (out->gap_ns >= 0) metric_observe(e->gap, (double)out->gap_ns / (double)NS_PER_S);
}

static void carry_out(struct election *e, enum lease_effect effect, const struct lease_out *out) {
    switch (effect) {
    case LEASE_RENEWED: election_answer_renewal(e, true); break;
    case LEASE_LEAD:
        e->lead_reason = out->reason;
        e->lead_gap_ns = out->gap_ns;
        e->before_wall_ns = out->before_us * 1000;
        e->from_trial = out->from_trial;
        e->lead_wall_ns = world_wall_ns(kube_world(e->kube));
        count_lead(e, out);
        checkpoint_io_acquired(e);
        break;
    case LEASE_STOP_WORK:
        e->lost_reason = out->reason;
        election_notify(e, NOTICE_LOST);
        checkpoint_io_feed(e, &(struct flow_event){.kind = FLOW_EV_LOST});
        break;
    case LEASE_EXIT:
        e->over_reason = out->reason;
        election_notify(e, NOTICE_OVER);
        break;
    case LEASE_GET:
        if (lease_leading(e->lease)) metric_inc(e->slowpath);
        election_get(e, out->timeout_ns);
        break;
    case LEASE_WRITE: election_write(e, out); break;
    }
}

static void step_once(struct election *e, const struct lease_in *in) {
    struct lease_out out = {0};
    lease_step(e->lease, in, &out);
    metric_set(e->status, lease_leading(e->lease) ? 1 : 0);
    log_line(e, out.log);
    timer_at(e->tick, out.wake_ns);
    for (size_t i = 0; i < out.neffects; i++) carry_out(e, out.effects[i], &out);
    election_holder_look(e);
    election_access_look(e);
    look_for_orders(e);
    look_for_trial(e);
}

/* Two events can come of an effect, both of them states that are reached once at a time: they are flags, and
 * are taken one after the other, never inside each other. */
void election_run(struct election *e) {
    if (e->running) return;
    e->running = true;
    while (e->write_failed || e->drained) {
        struct lease_in in = election_input(e, e->write_failed ? LEASE_EV_FAILED : LEASE_EV_DRAINED);
        if (e->write_failed)
            e->write_failed = false;
        else
            e->drained = false;
        step_once(e, &in);
    }
    e->running = false;
}

void election_step(struct election *e, const struct lease_in *in) {
    e->running = true;
    step_once(e, in);
    e->running = false;
    election_run(e);
}

void election_dead(struct election *e, struct slice holder) {
    struct lease_in in = election_input(e, LEASE_EV_DEAD);
    in.holder = holder;
    election_step(e, &in);
}

static void on_tick(void *ctx) {
    election_event(ctx, LEASE_EV_TICK);
}

/* ---- the watch ---- */

static void tell_watch(struct election *e, bool on) {
    if (e->watching == on) return;
    e->watching = on;
    struct lease_in in = election_input(e, LEASE_EV_WATCH);
    in.on = on;
    election_step(e, &in);
}

static void on_change(void *ctx, const struct store_rec *old, const struct store_rec *now, bool initial) {
    struct election *e = ctx;
    struct lease_rec rec;
    (void)old;
    (void)initial;
    tell_watch(e, true);
    struct lease_in in = election_input(e, now ? LEASE_EV_SEEN : LEASE_EV_ABSENT);
    in.watched = true;
    if (now) {
        if (lease_parse(now->raw, &rec, NULL)) return; /* the next poll says what is wrong with it */
        in.rec = &rec;
        in.raw = now->raw;
    }
    election_step(e, &in);
}

static void on_synced(void *ctx) {
    tell_watch(ctx, true);
}

static void on_trouble(void *ctx, const struct err *err) {
    (void)err;
    tell_watch(ctx, false);
}

static int make_watch(struct election *e, struct err *err) {
    static const struct informer_cb cb = {on_change, on_synced, on_trouble};
    cleanup_free char *field = xasprintf("metadata.name=%s", e->name);
    struct informer_spec spec = {.gvr = &gvr_leases,
                                 .ns = slice_of(e->ns),
                                 .fields = slice_of(field),
                                 .store = {.keep_raw = true},
                                 .name = "lease"};
    return informer_new(e->kube, &spec, &cb, e, &e->watch, err);
}

static void make_metrics(struct election *e) {
    static const double gaps[] = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                  0.5,   1,      2.5,   5,    10,    15,   30};
    struct metrics *m = kube_metrics(e->kube);
    const char *name = e->name;
    election_access_metrics(e, m);
    e->status = metric_with(metrics_family(m, METRIC_GAUGE, "leader_election_master_status",
                                           "1 while this process leads, else 0", "name", NULL, 0),
                            &name);
    e->takeovers = metrics_family(m, METRIC_COUNTER, "handover_takeovers_total",
                                  "How this process came to lead", "reason", NULL, 0);
    for (int i = LEASE_R_ABSENT; i <= LEASE_R_DEAD; i++) { /* at zero: a rate must see the first one */
        const char *reason = lease_reason_name((enum lease_reason)i);
        metric_with(e->takeovers, &reason);
    }
    e->slowpath =
        metric_with(metrics_family(m, METRIC_COUNTER, "leader_election_slowpath_total",
                                   "Reads of the lease that a leader needed to renew it", "name", NULL, 0),
                    &name);
    e->gap = metric_plain(metrics_family(m, METRIC_HISTOGRAM, "handover_leader_gap_seconds",
                                         "From the last sign of the predecessor to our term", "", gaps,
                                         ARRAY_LEN(gaps)));
}

int election_new(struct kube *k, const struct election_config *cfg, const struct election_cb *cb, void *ctx,
                 struct election **ret, struct err *err) {
    struct election *e = xcalloc(1, sizeof(*e));
    *e = (struct election){.kube = k,
                           .cb = *cb,
                           .ctx = ctx,
                           .ns = xstrdup(cfg->ns),
                           .name = xstrdup(cfg->name),
                           .termination_log = xstrdup_null(cfg->termination_log),
                           .taken = BUF(NOTE_MAX),
                           .final = BUF(NOTE_MAX),
                           .leftover = BUF(LEFTOVER_MAX),
                           .last = BUF(ELECTION_LAST_MAX),
                           .orders = BUF(ORDERS_MAX),
                           .carried = BUF(ORDERS_MAX),
                           .taken_term = -1};
    struct lease_config lc = {.identity = e->id,
                              .lease_ns = cfg->lease_ns,
                              .renew_ns = cfg->renew_ns,
                              .retry_ns = cfg->retry_ns,
                              .canary = cfg->canary,
                              .orphan_ns = cfg->orphan_ns};
    int rc = identity_format(&cfg->id, e->id);
    if (rc) err_set(err, ERR_CONFIG, rc, "the identity \"%s\" cannot be used", cfg->id.pod);
    if (rc == 0) rc = lease_config_check(&lc, err);
    if (rc == 0) rc = make_watch(e, err);
    if (rc) {
        election_free(e);
        return rc;
    }
    e->lease = lease_new(&lc);
    e->tick = timer_new(kube_world(k), on_tick, e);
    e->turn = timer_new(kube_world(k), turn, e);
    e->pod_turn = timer_new(kube_world(k), election_holder_turn, e);
    e->dry_run_tick = timer_new(kube_world(k), election_access_tick, e);
    e->flow_tick = timer_new(kube_world(k), checkpoint_io_tick, e);
    make_metrics(e);
    *ret = e;
    return 0;
}

void election_free(struct election *e) {
    if (!e) return;
    kube_cancel(e->get_op);
    kube_cancel(e->write_op);
    checkpoint_io_free(e);
    election_access_free(e);
    informer_free(e->watch);
    informer_free(e->pod_watch);
    timer_free(e->tick);
    timer_free(e->turn);
    timer_free(e->pod_turn);
    lease_free(e->lease);
    buf_free(&e->last);
    buf_free(&e->orders);
    buf_free(&e->carried);
    free(e->termination_log);
    free(e->ns);
    free(e->name);
    free(e);
}

/* Before we contest: what cannot be laid down, or names no pod, proves nothing when we are dead. */
static void lay_down_identity(struct election *e) {
    struct err err = {0};
    struct identity id;
    if (!e->termination_log) return;
    int rc = world_write_file(kube_world(e->kube), e->termination_log, slice_of(e->id), &err);
    if (rc == 0 && identity_parse(slice_of(e->id), &id, NULL) == 0 && !id.uid[0])
        rc = err_set(&err, ERR_CONFIG, -ENODATA, "the pod's UID is not known (POD_UID)");
    if (rc)
        LOG_EVENT(kube_log(e->kube), LOG_WARN, "CertificateUnavailable",
                  "no death certificate can be given, a successor has to wait for the lease to expire",
                  LF_ERR(&err));
}

void election_start(struct election *e) {
    lay_down_identity(e);
    informer_start(e->watch);
    election_event(e, LEASE_EV_TICK);
}

void election_ready(struct election *e, bool ready) {
    struct lease_in in = election_input(e, LEASE_EV_READY);
    in.on = ready;
    election_step(e, &in);
}

void election_renew_now(struct election *e) {
    e->renew_wanted = true;
    election_event(e, LEASE_EV_RENEW);
}

void election_stop(struct election *e) {
    e->stopping = true;
    election_event(e, LEASE_EV_STOP);
}

void election_yield(struct election *e, const char *pod, const char *uid, int64_t until_wall_ns) {
    cleanup_free char *successor = xasprintf("%s_%s", pod, uid);
    struct lease_in in = election_input(e, LEASE_EV_YIELD);
    in.holder = slice_of(successor);
    in.until_us = until_wall_ns / NS_PER_US;
    election_step(e, &in);
}

int64_t election_trial_until(const struct election *e) {
    const struct lease_rec *rec = lease_last(e->lease);
    return rec ? rec->trial_us * NS_PER_US : 0;
}

struct slice election_last(const struct election *e) {
    return buf_slice(&e->last);
}

const char *election_guardian(const struct election *e) {
    const struct lease_rec *rec = lease_last(e->lease);
    return rec ? rec->guardian : "";
}

void election_drained(struct election *e, int64_t parts_ns) {
    bool save = election_may_mutate(e) && e->cb.work && !e->final_ready;
    checkpoint_io_feed(e, &(struct flow_event){.kind = FLOW_EV_DRAINED, .save = save, .for_ns = parts_ns});
}

void election_give_up(struct election *e) {
    checkpoint_io_feed(e, &(struct flow_event){.kind = FLOW_EV_GIVE_UP});
    election_event(e, LEASE_EV_GIVE_UP);
}

bool election_may_mutate(const struct election *e) {
    return lease_may_mutate(e->lease, world_boot_ns(kube_world(e->kube)));
}

struct election_lead election_lead(const struct election *e) {
    return (struct election_lead){e->lead_reason,    e->lead_wall_ns, e->lead_gap_ns,
                                  e->before_wall_ns, e->from_trial,   e->unusable};
}

bool election_leading(const struct election *e) {
    return lease_leading(e->lease);
}

int64_t election_term(const struct election *e) {
    return lease_term(e->lease);
}

const char *election_identity(const struct election *e) {
    return e->id;
}

const char *election_holder(const struct election *e) {
    const struct lease_rec *rec = lease_last(e->lease);
    return rec ? rec->holder : "";
}
