/* One reconcile of one target: read, scrape if it is time, plan, carry out. */
#include "act/reconcile.h"
#include "act/apply.h"
#include "base/log.h"
#include "act/rollout_metrics.h"
#include "observe/snapshot.h"
#include <errno.h>

struct reconcile {
    struct rollout *r;
    struct target *t;
    struct task *task;
    struct reading *reading;
    struct reads *reads;
    struct scraping *scraping;
    struct applying *applying;
    struct target_snapshot view;
    struct spec spec;
    bool has_spec; /* opted in */
    struct err spec_err;
    struct err state_err;
    enum known_state known;
    const char *state_rv;
    struct plan plan;
    bool planned;
};

enum {
    PROBE_NS = 250 * 1000000,
    BREATH_NS = 50 * 1000000 /* however soon: no busy loop */,
    POLL_NS = 2000000000,
    TOKEN_CAP = 16384
};

static void end(struct reconcile *p, enum outcome out, int64_t after_ns, const struct err *err) {
    struct task *task = p->task;
    struct target *t = p->t;
    struct rollout *r = p->r;
    bool forget = p->planned && p->plan.forget && !err;
    struct err copy = err ? *err : (struct err){0};
    t->pass = NULL;
    scrape_end(p->scraping);
    apply_end(p->applying);
    target_snapshot_free(&p->view);
    if (p->has_spec) spec_free(&p->spec);
    reads_end(p->reading);
    if (p->planned) plan_free(&p->plan);
    free(p);
    if (forget) target_forget(&r->targets, t);
    task_finish(task, out, after_ns, err ? &copy : NULL);
}

/* A failure is told once, not at every retry. Conflicts are everyday life: somebody wrote in between. */
static void fail(struct reconcile *p, const struct err *err) {
    struct target *t = p->t;
    bool everyday = err->kind == ERR_CONFLICT || err->kind == ERR_FENCED || err->kind == ERR_CANCELLED;
    if (!everyday && (!t->last_error || strcmp(t->last_error, err->msg) != 0)) {
        free(t->last_error);
        t->last_error = xstrdup(err->msg);
        rollout_tell(p->r, t, p->view.has_target ? &p->view.target : NULL, EV_RECONCILE_FAILED, err->msg);
    }
    t->given_up = !everyday && !err_retryable(err);
    end(p, OUT_RETRY, 0, err);
}

/* ---- the state: what we hold if it is the one on the server, else what is there ---- */

static void take_state(struct reconcile *p) {
    struct target *t = p->t;
    p->known = STATE_ABSENT;
    p->state_rv = NULL;
    if (!p->reads->has_state) {
        target_drop_state(t);
        return;
    }
    p->state_rv = obj_rv(p->reads->configmap_json);
    p->known = STATE_READ;
    if (t->state_rv && p->state_rv && strcmp(t->state_rv, p->state_rv) == 0) return;
    target_drop_state(t);
    struct state s;
    if (state_read(p->reads->configmap_json, &s, &p->state_err)) {
        p->known = STATE_DAMAGED;
        return;
    }
    target_hold_state(t, &s, p->state_rv ? p->state_rv : "");
    state_free(&s);
}

/* Rounds of scrapes belong to one rollout. */
static void match_rounds(struct target *t) {
    if (!t->state_rv || t->state.began_ns != t->round_began_ns || strcmp(t->state.hash, t->round_hash) != 0)
        target_rounds_reset(t);
}

/* ---- planning and carrying out ---- */

/* The plan speaks of wall time; rounds and probes go by the boot clock, which nobody sets back. */
static int64_t soonest(const struct reconcile *p) {
    struct world *w = kube_world(p->r->kube);
    int64_t wall = world_wall_ns(w), boot = world_boot_ns(w);
    int64_t in = p->plan.look_again_ns == TIME_NEVER ? TIME_NEVER
                 : p->plan.look_again_ns > wall      ? p->plan.look_again_ns - wall
                                                     : 0;
    if (p->t->scrape_every_ns > 0) {
        int64_t round = p->t->round_ns ? p->t->round_ns + p->t->scrape_every_ns - boot : 0;
        if (round < in) in = round;
    }
    if (p->t->probe && PROBE_NS < in) in = PROBE_NS;
    return in < BREATH_NS ? BREATH_NS : in;
}

static void finish(struct reconcile *p, bool changed, bool existed) {
    int64_t in = soonest(p);
    free(p->t->last_error);
    p->t->last_error = NULL;
    p->t->given_up = false;
    if (existed)
        end(p, OUT_AFTER, POLL_NS,
            NULL); /* what we would make is there, and not ours yet or no more: wait for it to go */
    else if (changed && !p->plan.forget)
        end(p, OUT_AFTER, 0, NULL); /* observe what it did */
    else if (in == TIME_NEVER)
        end(p, OUT_DONE, 0, NULL);
    else
        end(p, OUT_AFTER, in, NULL);
}

static void tell_all(struct reconcile *p) {
    for (size_t i = 0; i < p->plan.nevents; i++) {
        const struct plan_event *e = &p->plan.event[i];
        rollout_tell(p->r, p->t, p->view.has_target ? &p->view.target : NULL, e->reason, e->message);
    }
    for (size_t i = 0; i < p->plan.nmetrics; i++)
        rollout_metrics_add(kube_metrics(p->r->kube), &p->plan.metric[i]);
}

static void on_state_written(void *ctx, const char *rv) {
    struct reconcile *p = ctx;
    if (p->plan.next) target_hold_state(p->t, p->plan.next, rv);
    tell_all(p);
}

static void on_applied(void *ctx, const struct err *err, bool existed) {
    struct reconcile *p = ctx;
    if (err) {
        fail(p, err);
        return;
    }
    if (!p->plan.next) tell_all(p);
    finish(p, true, existed);
}

static void make_plan(struct reconcile *p) {
    struct target *t = p->t;
    int64_t boot = world_boot_ns(kube_world(p->r->kube));
    struct observed o = {
        .name = t->name,
        .target = p->view.has_target ? &p->view.target : NULL,
        .known = true,
        .rs = p->view.rs,
        .nrs = p->view.nrs,
        .pods = p->view.pods,
        .npods = p->view.npods,
        .spec = p->has_spec ? &p->spec : NULL,
        .spec_err = &p->spec_err,
        .state_known = p->known,
        .state = p->known == STATE_READ ? &t->state : NULL,
        .state_rv = p->state_rv,
        .state_err = &p->state_err,
        .scraped_ns = t->scraped_ns,
        .scrape_trouble = t->trouble,
        .history_known = t->history_known,
        .history_errors = t->history_errors,
        .history_total = t->history_total,
        .quiet = boot - t->quiet_ns < NS_PER_S ? t->quiet : QUIET_UNKNOWN,
    };
    plan_make(&o, world_wall_ns(kube_world(p->r->kube)), &p->plan);
    p->planned = true;
    t->scrape_every_ns =
        p->plan.scrape_ns > 0 && p->r->opt.scrape_ns > 0 ? p->r->opt.scrape_ns : p->plan.scrape_ns;
    t->probe = p->plan.probe_quiet;
    if (p->plan.nsteps == 0) {
        finish(p, false, false);
        return;
    }
    static const struct apply_cb cb = {on_state_written, on_applied};
    p->applying = apply_start(p->r->kube, t->ns, &p->plan, &cb, p);
}

/* ---- scraping ---- */

/* A page that was read and tells of no reconcile. */
static const char *no_counters(enum track track, const struct prom_page *page) {
    bool stands_by = page->v[PROM_LEADER].present && page->v[PROM_LEADER].value == 0;
    if (stands_by && track == TRACK_CANARY)
        return "it stands by for a lease that it shares with stable; annotations canary-args or canary-env "
               "give "
               "it one of its own, then: retry";
    if (stands_by) return "no pod of it holds its lease";
    return "the metrics page has no reconcile counters: a standby (canary-args or canary-env give a canary a "
           "lease of its own), or a program that counts otherwise (annotations errors and total)";
}

static void keep_trouble(struct target *t, const struct obs_pod *pods, const struct scrape_result *res,
                         size_t n) {
    free(t->trouble);
    t->trouble = NULL;
    for (int track = TRACK_CANARY; track >= TRACK_STABLE && !t->trouble;
         track--) { /* the canary's matters more */
        const char *why = NULL;
        bool any = false, gave = false;
        for (size_t i = 0; i < n; i++) {
            if ((int)pods[i].track != track || pods[i].terminating) continue;
            any = true;
            if (res[i].read && res[i].page.v[PROM_TOTAL].present)
                gave = true;
            else if (!why || !*why) /* who was not asked has nothing to say */
                why = res[i].read ? no_counters((enum track)track, &res[i].page) : res[i].err.msg;
        }
        if (any && !gave && why && *why)
            t->trouble = xasprintf("%s: %s", track == TRACK_CANARY ? "canary" : "stable", why);
    }
}

static enum quiet quiet_of(const struct obs_pod *pods, const struct scrape_result *res, size_t n) {
    bool any = false;
    for (size_t i = 0; i < n; i++) {
        if (pods[i].track != TRACK_CANARY || pods[i].terminating || pods[i].finished) continue;
        const struct prom_value *active = &res[i].page.v[PROM_ACTIVE], *depth = &res[i].page.v[PROM_DEPTH];
        if (!res[i].read || !active->present) return QUIET_UNKNOWN;
        if (active->value > 0 || (depth->present && depth->value > 0)) return QUIET_BUSY;
        any = true;
    }
    return any ? QUIET_NOW : QUIET_UNKNOWN;
}

static void feed_round(struct reconcile *p, const struct scrape_result *res, size_t n) {
    struct target *t = p->t;
    struct pod_sample *s = xcalloc(n ? n : 1, sizeof *s);
    for (size_t i = 0; i < n; i++) {
        const struct obs_pod *pod = &p->view.pods[i];
        const struct prom_page *page = &res[i].page;
        s[i] = (struct pod_sample){.uid = slice_of(pod->uid),
                                   .restarts = pod->restarts,
                                   .started_s = page->v[PROM_START].value,
                                   .track = pod->track,
                                   .created_ns = pod->created_ns,
                                   .terminating = pod->terminating,
                                   .scraped = res[i].read,
                                   .present = res[i].read && page->v[PROM_TOTAL].present,
                                   .errors = evidence_count(page->v[PROM_ERRORS].value),
                                   .total = evidence_count(page->v[PROM_TOTAL].value)};
        const char *label = res[i].read ? "ok" : "failed";
        if (res[i].read || res[i].err.kind != ERR_NONE) metric_inc(metric_with(p->r->scrapes, &label));
    }
    if (!t->history_known) {
        evidence_history(s, n, TRACK_STABLE, &t->history_errors, &t->history_total);
        for (size_t i = 0; i < n; i++)
            if (s[i].track == TRACK_STABLE && s[i].present)
                t->history_known = true; /* a standby's page teaches nothing */
    }
    plan_feed(&t->state, s, n);
    free(s);
    if (t->state.evidence.refused && !t->crowd_told) {
        t->crowd_told = true;
        LOG(kube_log(p->r->kube), LOG_WARN,
            "more pods than are counted: the rest is left out of the evidence", LF_STR("target", t->key),
            LF_INT("counted", EVIDENCE_MAX_PODS), LF_INT("left out", (int64_t)t->state.evidence.refused));
    }
}

static void on_scraped(void *ctx, const struct scrape_result *res, size_t n) {
    struct reconcile *p = ctx;
    struct target *t = p->t;
    int64_t boot = world_boot_ns(kube_world(p->r->kube));
    t->quiet = quiet_of(p->view.pods, res, n);
    t->quiet_ns = boot;
    if (t->round_ns == 0 || (t->scrape_every_ns > 0 && boot >= t->round_ns + t->scrape_every_ns)) {
        keep_trouble(t, p->view.pods, res, n);
        feed_round(p, res, n);
        t->round_ns = boot;
        t->scraped_ns = world_wall_ns(kube_world(p->r->kube));
    }
    make_plan(p);
}

static bool scrape_is_due(const struct reconcile *p) {
    const struct target *t = p->t;
    int64_t boot = world_boot_ns(kube_world(p->r->kube));
    if (p->known != STATE_READ || !p->has_spec || (p->spec_err.kind && !p->spec.metrics_ok)) return false;
    return t->probe ||
           (t->scrape_every_ns > 0 && (t->round_ns == 0 || boot >= t->round_ns + t->scrape_every_ns));
}

static void start_scrape(struct reconcile *p) {
    struct rollout *r = p->r;
    struct err none = {0};
    cleanup_buf struct buf token = BUF(TOKEN_CAP);
    if (r->token_file) /* each time: it is renewed, and may come later than we do */
        world_read_file(kube_world(r->kube), r->token_file, TOKEN_CAP, &token, &none);
    else
        err_set(&none, ERR_CONFIG, -ENOENT, "run with --metrics-token=FILE");
    int64_t timeout = p->t->scrape_every_ns > 0 && p->t->scrape_every_ns < 5 * NS_PER_S
                          ? p->t->scrape_every_ns
                          : 5 * NS_PER_S;
    struct scrape_options opt = {.slots = &r->slots,
                                 .proxy = r->opt.proxy,
                                 .token = slice_trim(buf_slice(&token)),
                                 .no_token = none.kind ? none.msg : NULL,
                                 .timeout_ns = timeout < NS_PER_S ? NS_PER_S : timeout};
    p->scraping =
        scrape_start(r->kube, &opt, &p->spec, p->view.pods, p->view.pod_items, p->view.npods, on_scraped, p);
}

/* ---- reading ---- */

static void on_reads(void *ctx, const struct err *err, struct reads *reads) {
    struct reconcile *p = ctx;
    struct err bad = {0};
    p->reads = reads;
    if (err) {
        fail(p, err);
        return;
    }
    take_state(p);
    match_rounds(p->t);
    const char *uid = p->known == STATE_READ ? p->t->state.target_uid : NULL;
    if (target_snapshot_make(reads, uid, &p->view, &bad)) {
        fail(p, &bad);
        return;
    }
    if (p->view.has_target && obs_opted_in(p->view.target.annotations)) {
        p->has_spec = true;
        spec_parse(p->view.target.annotations, &p->spec, &p->spec_err);
    }
    if (scrape_is_due(p))
        start_scrape(p);
    else
        make_plan(p);
}

void reconcile_start(struct rollout *r, struct target *t, struct task *task) {
    struct reconcile *p = xcalloc(1, sizeof *p);
    *p = (struct reconcile){.r = r, .t = t, .task = task};
    t->pass = p;
    task_set_data(task, p);
    p->reading = reads_start(r->kube, slice_of(t->ns), slice_of(t->name), on_reads, p);
}

void reconcile_drop(struct reconcile *p) {
    struct err err = {0};
    err_set(&err, ERR_CANCELLED, -ECANCELED, "interrupted");
    end(p, OUT_INTERRUPTED, 0, &err);
}

void reconcile_cancel(struct reconcile *p) {
    if (!p->applying || !apply_stop(p->applying)) reconcile_drop(p);
}
