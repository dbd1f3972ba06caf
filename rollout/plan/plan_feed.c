/* From a round of scrapes to the judge: all reconciles, and those of each controller; and to the signals. */
#include "judge/counts.h"
#include "plan/plan.h"

/* How long a process begins: a minute, or less of a short soak. */
static int64_t start_ns(const struct state *s) {
    int64_t fifth = s->param.soak_ns / 5;
    return fifth < 60 * NS_PER_S ? fifth : 60 * NS_PER_S;
}

/* There are more controllers than are counted one by one, so that one of them may be in the sum of one version alone. */
static bool crowded(const struct counts_delta *d, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (!strcmp(d[i].name, JUDGE_OTHERS)) return true;
    return false;
}

static bool judged(const struct judge *j, const char *name) {
    for (size_t i = 0; i < j->n; i++)
        if (!strcmp(j->controller[i].name, name)) return true;
    return false;
}

static void feed_controllers(struct state *s, const struct counts_delta *d, size_t n) {
    if (n < 2 && !s->judge.n) return; /* it is all there is */
    for (size_t i = 0; i < n; i++) {
        const struct counter_news *canary = &d[i].d[TRACK_CANARY], *stable = &d[i].d[TRACK_STABLE];
        bool known = judged(&s->judge, d[i].name);
        if (!d[i].pods[TRACK_CANARY] && crowded(d, n) && !known) continue;
        const struct judge_counts c = {canary->x,       canary->n,       stable->x,      stable->n,
                                       canary->start_x, canary->start_n, canary->retried};
        if (!known) {
            uint64_t errors, all;
            counts_history(&s->controllers, &s->evidence, d[i].name, TRACK_STABLE, &errors, &all);
            judge_controller_history(&s->judge, &s->param, d[i].name, errors, all);
        }
        judge_feed_controller(&s->judge, &s->param, d[i].name, &c);
    }
}

static bool canary_leads(const struct state *s) {
    return s->trial.step == TRIAL_LEADS;
}

/* Stable stands by while the canary leads, and the canary while stable does: neither has stopped then. What the canary does is held
 * against a look of stable's turn. */
static bool by_turns(struct state *s, struct switchback *turns, const struct evidence *was,
                     struct evidence_delta *d, struct counts_delta *by, size_t names) {
    struct evidence *e = &s->evidence;
    bool judged = switchback_take(turns, canary_leads(s), d, by, names);
    bool still = judged && e->still_rounds > was->still_rounds;
    if (!judged) e->still_rounds = was->still_rounds;
    if (!judged || still) e->still_stable = was->still_stable;
    if (still) e->still_stable = counter_add(e->still_stable, d->total[TRACK_STABLE]);
    return judged;
}

void plan_feed(struct state *s, struct switchback *turns, int64_t now_wall_ns,
               const struct pod_sample *samples, size_t n) {
    struct evidence_delta d;
    struct counts_delta by[COUNTS_NAMES];
    if (!state_on_trial(s)) return;
    const struct evidence was = s->evidence; /* its numbers */
    evidence_round(&s->evidence, now_wall_ns, start_ns(s), samples, n, &d);
    size_t names = counts_round(&s->controllers, &s->evidence, now_wall_ns, start_ns(s), samples, n,
                                counts_of_controllers, by);
    if (!s->learned) return; /* before the canary: stable's baselines */
    if (s->trial.step != TRIAL_NONE && !by_turns(s, turns, &was, &d, by, names)) return;
    const struct judge_counts c = {d.errors[TRACK_CANARY],       d.total[TRACK_CANARY],
                                   d.errors[TRACK_STABLE],       d.total[TRACK_STABLE],
                                   d.start_errors[TRACK_CANARY], d.start_total[TRACK_CANARY],
                                   d.retried[TRACK_CANARY]};
    judge_feed(&s->judge, &s->param, &c);
    feed_controllers(s, by, names);
}

void plan_feed_signals(struct state *s, struct signals_pods *pods, struct switchback *turns, int64_t now_ns,
                       const struct pod_sample *samples, size_t n, bool own) {
    struct signals_look l;
    if (!state_on_trial(s)) return;
    if (!(s->signals.bound > 0)) s->signals.bound = signals_pods_bound(samples, n);
    signals_pods_look(pods, now_ns, start_ns(s), s->signals.bound, samples, n, &l);
    l.less = own;
    /* Most of stable's reconciles are looks at its own Deployment, which write nothing: each of the canary's writes more. */
    if (own) l.pair[PAIR_WRITES][TRACK_CANARY].present = false;
    for (int t = 0; own && t < TRACKS;
         t++) /* the one that leads works; what the others' counters have is of the past */
        if (l.pods[t] > 1) l.pods[t] = 1;
    bool between = s->trial.step == TRIAL_GIVING || s->trial.step == TRIAL_RETURNING;
    if (!s->learned || (own && between)) return; /* stable is there, and does not lead */
    if (s->trial.step == TRIAL_NONE || switchback_take_signals(turns, canary_leads(s), &l))
        signals_feed(&s->signals, &l);
}

bool plan_report(const struct state *s, int64_t now_wall_ns, struct judge_report *ret) {
    if (!state_on_trial(s) || !s->learned) return false;
    judge_verdict(&s->judge, &s->param, state_watched_ns(s, now_wall_ns), ret);
    return true;
}
