/* See app/leadership.h: what the election tells and what becomes of it. */
#include "app/leadership.h"
#include "base/log.h"
#include <stdio.h>

enum { EVENTS = 16 };
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
    enum drain_event events[EVENTS]; /* that came up while another was handled */
    size_t nevents;
    bool draining_now; /* inside drain_step's consequences */
    bool stopping;
    int exit_code;
    int64_t kill_ns; /* boot time at which we are killed, as far as we were told */
    struct timer *drain_tick, *exit_turn;
    struct metric_family *drain_seconds, *checkpoint_keys, *restored_keys;
};

static struct log *log_of(const struct leadership *l) {
    return kube_log(l->kube);
}

static struct world *world_of(const struct leadership *l) {
    return kube_world(l->kube);
}

static void gates(struct leadership *l, bool open) {
    for (size_t i = 0; i < l->nmembers; i++) controller_gate(l->members[i].controller, open);
}

size_t leadership_inflight(const struct leadership *l) {
    size_t n = 0;
    for (size_t i = 0; i < l->nmembers; i++) n += controller_inflight(l->members[i].controller);
    return n;
}

static size_t pending(const struct leadership *l) {
    size_t n = 0;
    for (size_t i = 0; i < l->nmembers; i++) n += controller_pending(l->members[i].controller);
    return n;
}

/* ---- the checkpoint: read on leading, written while leading ---- */

_Static_assert((int)KEY_INFLIGHT == (int)CHECKPOINT_INFLIGHT && (int)KEY_DELAYED == (int)CHECKPOINT_DELAYED &&
                   (int)KEY_DEAD == (int)CHECKPOINT_DEAD,
               "a controller's kinds of keys are a checkpoint's");

struct restore {
    struct leadership *l;
    size_t n, foreign; /* foreign: of controllers that this version does not have */
    char first[64];    /* the first of those controllers */
};

static struct controller *named(const struct leadership *l, struct slice name) {
    for (size_t i = 0; i < l->nmembers; i++)
        if (slice_eqs(name, l->members[i].name)) return l->members[i].controller;
    return NULL;
}

static void restore_key(void *ctx, const struct checkpoint_key *k) {
    struct restore *r = ctx;
    struct controller *c = named(r->l, k->controller);
    const char *kind = checkpoint_kind_name(k->kind);
    if (!c) {
        if (!r->foreign++) (void)snprintf(r->first, sizeof r->first, "%.*s", SLF(k->controller));
        return;
    }
    struct key_state state = {.key = k->key,
                              .kind = (enum key_kind)k->kind,
                              .prio = k->prio,
                              .at_wall_ns = k->at_wall_ns,
                              .failures = k->failures,
                              .reason = k->reason};
    controller_restore(c, &state);
    metric_inc(metric_with(r->l->restored_keys, &kind));
    r->n++;
}

struct gather {
    struct slice controller;
    struct checkpoint *to;
    double n[CHECKPOINT_KINDS];
};

static void gather_key(void *ctx, const struct key_state *k) {
    struct gather *g = ctx;
    struct checkpoint_key key = {.kind = (enum checkpoint_kind)k->kind,
                                 .controller = g->controller,
                                 .key = k->key,
                                 .prio = k->prio,
                                 .at_wall_ns = k->at_wall_ns,
                                 .failures = k->failures,
                                 .reason = k->reason};
    checkpoint_add(g->to, &key);
    g->n[key.kind]++;
}

static void on_work(void *ctx, bool final, struct checkpoint *to) {
    struct leadership *l = ctx;
    struct gather g = {.to = to};
    (void) final;
    for (size_t i = 0; i < l->nmembers; i++) {
        g.controller = slice_of(l->members[i].name);
        controller_snapshot(l->members[i].controller, gather_key, &g);
    }
    for (int i = 0; i < CHECKPOINT_KINDS; i++) {
        const char *kind = checkpoint_kind_name((enum checkpoint_kind)i);
        metric_set(metric_with(l->checkpoint_keys, &kind), g.n[i]);
    }
}

/* ---- leading ---- */

static void on_lead(void *ctx, int64_t term, enum lease_reason reason, struct checkpoint_reader *work) {
    struct leadership *l = ctx;
    struct restore r = {.l = l};
    if (l->stopping) return; /* the signal came in between: the intake stays shut, the drain releases */
    if (work) checkpoint_each(work, restore_key, &r);
    if (r.foreign) {
        LOG(log_of(l), LOG_WARN,
            "the predecessor's checkpoint has keys of a controller that this version does not have",
            LF_STR("controller", r.first), LF_INT("keys", r.foreign));
    }
    l->cb.leading(l->ctx);
    gates(l, true);
    LOG(log_of(l), LOG_INFO, "leading", LF_INT("term", term), LF_STR("reason", lease_reason_name(reason)),
        LF_INT("restored_keys", r.n));
}

/* ---- draining ---- */

static void observe_phases(struct leadership *l, const struct drain_out *out) {
    for (int i = 0; i < DRAIN_PHASES; i++) {
        if (out->spent_ns[i] <= 0 || i == DRAIN_RUNNING) continue;
        const char *phase = drain_phase_name((enum drain_phase)i);
        metric_observe(metric_with(l->drain_seconds, &phase), (double)out->spent_ns[i] / (double)NS_PER_S);
    }
}

static void event(struct leadership *l, enum drain_event ev);

static void close_intake(struct leadership *l) {
    for (size_t i = 0; i < l->nmembers; i++) controller_stop_intake(l->members[i].controller);
    event(l, DRAIN_EV_CLOSED);
}

/* A large checkpoint may take half of what is left at most: the release has to come through after it. */
static void release(struct leadership *l, int64_t until_ns) {
    int64_t left = until_ns - world_boot_ns(world_of(l));
    election_drained(l->election, left > 2 ? left / 2 : 1);
}

static void carry_out(struct leadership *l, const struct drain_out *out) {
    if (out->why) {
        LOG(log_of(l), LOG_INFO, out->why, LF_STR("phase", drain_phase_name(out->phase)),
            LF_INT("inflight", leadership_inflight(l)));
    }
    timer_at(l->drain_tick, out->wake_ns);
    observe_phases(l, out);
    if (out->act & DRAIN_NOT_READY) {
        l->stopping = true;
        election_stop(l->election);
    }
    if (out->act & DRAIN_CLOSE_INTAKE) close_intake(l);
    if (out->act & DRAIN_CHECKPOINT) election_renew_now(l->election);
    if (out->act & DRAIN_CANCEL)
        for (size_t i = 0; i < l->nmembers; i++) controller_cancel(l->members[i].controller);
    if (out->act & DRAIN_RELEASE) release(l, out->wake_ns);
    if (out->act & DRAIN_ABANDON) election_give_up(l->election);
    if (out->act & DRAIN_EXIT) {
        l->exit_code = out->exit_code;
        timer_in(l->exit_turn, 0);
    }
}

/* Consequences of an event can be events: one after the other, never inside each other. */
static void event(struct leadership *l, enum drain_event ev) {
    enum drain_phase before = l->drain.phase;
    if (l->nevents < EVENTS) l->events[l->nevents++] = ev;
    if (l->draining_now) return;
    l->draining_now = true;
    while (l->nevents) {
        int64_t now = world_boot_ns(world_of(l));
        struct drain_in in = {.ev = l->events[0],
                              .boot_ns = now,
                              .leading = election_leading(l->election),
                              .inflight = leadership_inflight(l),
                              .left_ns = l->kill_ns > now ? l->kill_ns - now : 0};
        struct drain_out out = {0};
        memmove(l->events, l->events + 1, --l->nevents * sizeof(l->events[0]));
        drain_step(&l->drain, &in, &out);
        carry_out(l, &out);
    }
    l->draining_now = false;
    if (l->drain.phase != before && l->cb.draining)
        l->cb.draining(l->ctx, l->drain.phase, leadership_drain_left_ns(l));
}

static void on_drain_tick(void *ctx) {
    event(ctx, DRAIN_EV_TICK);
}

static void on_idle(void *ctx) {
    event(ctx, DRAIN_EV_IDLE);
}

static void on_renewed(void *ctx, bool ok) {
    struct leadership *l = ctx;
    if (!ok) LOG0(log_of(l), LOG_WARN, "the early checkpoint could not be written; the release carries one");
    event(l, DRAIN_EV_CHECKPOINTED);
}

static void on_lost(void *ctx, enum lease_reason reason) {
    struct leadership *l = ctx;
    LOG_EVENT(log_of(l), LOG_ERROR, "LeaseLost", "the lease is lost, no further changes are made",
              LF_STR("reason", lease_reason_name(reason)), LF_INT("term", election_term(l->election)));
    gates(l, false);
    event(l, DRAIN_EV_LOST);
}

static void on_over(void *ctx, enum lease_reason reason) {
    bool free_now = reason == LEASE_R_GIVEN_BACK || reason == LEASE_R_NOT_HELD || reason == LEASE_R_TAKEN;
    event(ctx, free_now ? DRAIN_EV_RELEASED : DRAIN_EV_NOT_RELEASED);
}

static void on_exit_turn(void *ctx) {
    struct leadership *l = ctx;
    l->cb.over(l->ctx, l->exit_code); /* it may have freed us */
}

/* ---- coming and going ---- */

static void make_metrics(struct leadership *l) {
    struct metrics *m = kube_metrics(l->kube);
    l->drain_seconds =
        metrics_family(m, METRIC_HISTOGRAM, "handover_drain_seconds", "Time spent in each phase of a drain",
                       "phase", metrics_seconds, ARRAY_LEN(metrics_seconds));
    l->checkpoint_keys = metrics_family(m, METRIC_GAUGE, "handover_checkpoint_keys",
                                        "Keys in the last checkpoint, by state", "state", NULL, 0);
    l->restored_keys = metrics_family(m, METRIC_COUNTER, "handover_restored_keys",
                                      "Keys taken over from a predecessor, by state", "state", NULL, 0);
}

int leadership_new(struct kube *k, const struct leadership_config *cfg, const struct leadership_cb *cb,
                   void *ctx, struct leadership **ret, struct err *err) {
    static const struct election_cb election_cb = {on_lead, on_lost, on_over, on_work, on_renewed};
    struct drain_config drain = cfg->drain;
    int rc = drain_config_check(&drain, err);
    if (rc) return rc;
    struct leadership *l = xcalloc(1, sizeof *l);
    *l = (struct leadership){.kube = k, .cb = *cb, .ctx = ctx};
    rc = election_new(k, &cfg->election, &election_cb, l, &l->election, err);
    if (rc) {
        free(l);
        return rc;
    }
    drain_init(&l->drain, &drain);
    l->drain_tick = timer_new(world_of(l), on_drain_tick, l);
    l->exit_turn = timer_new(world_of(l), on_exit_turn, l);
    make_metrics(l);
    *ret = l;
    return 0;
}

void leadership_free(struct leadership *l) {
    if (!l) return;
    timer_free(l->drain_tick);
    timer_free(l->exit_turn);
    election_free(l->election);
    free(l);
}

void leadership_add(struct leadership *l, const char *name, struct controller *c) {
    if (l->nmembers == LEADERSHIP_CONTROLLERS) return; /* the number is the program's own, not the user's */
    l->members[l->nmembers++] = (struct member){name, c};
    controller_on_idle(c, on_idle, l);
}

void leadership_start(struct leadership *l) {
    election_start(l->election);
}

void leadership_ready(struct leadership *l, bool ready) {
    election_ready(l->election, ready);
}

void leadership_stop(struct leadership *l, const char *why) {
    LOG(log_of(l), LOG_INFO, "stopping", LF_STR("why", why), LF_INT("inflight", leadership_inflight(l)),
        LF_INT("pending", pending(l)));
    event(l, DRAIN_EV_SIGNAL);
}

void leadership_grace(struct leadership *l, const struct drain_config *checked) {
    drain_config_set(&l->drain, checked);
}

void leadership_killed_in(struct leadership *l, int64_t left_ns) {
    int64_t now = world_boot_ns(world_of(l));
    l->kill_ns = left_ns < TIME_NEVER - now ? now + left_ns : TIME_NEVER;
    event(l, DRAIN_EV_DEADLINE);
}

bool leadership_may_mutate(const struct leadership *l) {
    return l && election_may_mutate(l->election);
}

bool leadership_leading(const struct leadership *l) {
    return election_leading(l->election);
}

bool leadership_stopping(const struct leadership *l) {
    return l->stopping;
}

int64_t leadership_drain_left_ns(const struct leadership *l) {
    return drain_left_ns(&l->drain, world_boot_ns(world_of(l)));
}

const struct election *leadership_election(const struct leadership *l) {
    return l->election;
}
