/* A target explained to programs; see explain.h. The members are in docs/reference/cli.md. */
#include "explain.h"
#include "api/rfc3339.h"
#include "base/time.h"
#include "judge/json_number.h"
#include "template_diff.h"

enum { SHAPE = 1 };

static void counts(struct buf *out, const char *key, uint64_t errors, uint64_t total) {
    buf_addf(out, ",\"%s\":{\"errors\":%llu,\"total\":%llu}", key, (unsigned long long)errors,
             (unsigned long long)total);
}

static void number(struct buf *out, const char *key, double v) {
    buf_addf(out, ",\"%s\":", key);
    json_number_add(out, v);
}

static void moment(struct buf *out, const char *key, int64_t ns) {
    char at[32];
    if (ns) rfc3339_seconds(ns, at);
    status_json_field(out, key, ns ? at : NULL);
}

static void odds(struct buf *out, double log_e) {
    char text[40];
    judge_odds(log_e, text);
    status_json_field(out, "odds", text);
}

static void add_controllers(const struct state *s, struct buf *out) {
    const struct judge *j = &s->judge;
    buf_adds(out, ",\"controllers\":[");
    for (size_t i = 0; i < j->n; i++) {
        const struct judge_test *t = &j->controller[i];
        struct judge_values v;
        judge_test_values(t, &s->param, j->scrapes, &v);
        buf_adds(out, i ? ",{\"name\":" : "{\"name\":");
        buf_add_json(out, slice_of(t->name));
        counts(out, "canary", t->ec, t->nc);
        counts(out, "stable", t->es, t->ns);
        number(out, "tolerated", t->theta > 0 ? t->theta : s->param.theta);
        buf_addf(out, ",\"judged\":%s", t->theta >= 1 ? "false" : "true");
        odds(out, v.log_e);
        buf_addc(out, '}');
    }
    buf_addc(out, ']');
}

static void add_evidence(const struct status_row *r, int64_t now, struct buf *out) {
    const struct state *s = &r->state;
    const struct judge_test *all = &s->judge.all;
    struct judge_report rep;
    cleanup_buf struct buf words = BUF(1024);
    uint64_t clean;
    buf_adds(out, ",\"evidence\":");
    if (!status_evidence(s, now, &rep)) {
        buf_adds(out, "null");
        return;
    }
    judge_words(&rep, &words);
    buf_addf(out, "{\"verdict\":\"%s\"", verdict_name(rep.verdict));
    moment(out, "asOf", s->written_ns);
    status_json_field(out, "why", rep.why);
    status_json_field(out, "words", buf_str(&words));
    counts(out, "canary", all->ec, all->nc);
    counts(out, "stable", all->es, all->ns);
    number(out, "tolerated", s->param.theta);
    if (r->spec.auto_rate && s->learned_total)
        counts(out, "learnedFrom", s->learned_errors, s->learned_total);
    else
        buf_adds(out, ",\"learnedFrom\":null");
    if (judge_clean_to_pass(&s->judge, &s->param, &clean))
        buf_addf(out, ",\"cleanToPass\":%llu", (unsigned long long)clean);
    else
        buf_adds(out, ",\"cleanToPass\":null");
    odds(out, rep.v.log_e);
    add_controllers(s, out);
    buf_addc(out, '}');
}

static void add_signals(const struct status_row *r, struct buf *out) {
    const struct signals *s = &r->state.signals;
    struct signals_param p;
    buf_adds(out, ",\"signals\":[");
    bool good = plan_signals_param(&r->state, &r->spec, &p);
    for (int i = 0; i < SIGNALS && good; i++) {
        char words[240];
        double log_e;
        enum signal_state state = signals_state(s, &p, (enum signal)i, &log_e);
        bool has = state != SIGNAL_STATE_OFF && state != SIGNAL_STATE_ABSENT;
        signals_words(s, (enum signal)i, words);
        buf_addf(out, "%s{\"name\":\"%s\",\"does\":\"%s\",\"state\":\"%s\"", i ? "," : "",
                 signal_name((enum signal)i), signal_does_name(p.does[i]), explain_signal_state(state));
        status_json_field(out, "words", has ? words : NULL);
        if (has) odds(out, log_e);
        buf_addc(out, '}');
    }
    buf_addc(out, ']');
}

static void add_checks(const struct state *s, struct buf *out) {
    bool any = false;
    buf_adds(out, ",\"checks\":[");
    for (int k = 0; k < CHECKS; k++) {
        const struct state_check *c = &s->check[k];
        if (!c->of) continue;
        buf_addf(out, "%s{\"name\":\"%s\",\"answers\":%u", any ? "," : "",
                 state_check_name((enum check_kind)k), c->asked);
        any = true;
        status_json_field(out, "says", c->says == CHECK_NOTHING ? NULL : state_says_name(c->says));
        status_json_field(out, "message", c->message);
        moment(out, "at", c->at_ns);
        moment(out, "next", c->says == CHECK_PASS ? 0 : c->next_ns);
        buf_addc(out, '}');
    }
    buf_addc(out, ']');
}

static void add_rollout(const struct status_row *r, int64_t now, struct buf *out) {
    const struct state *s = &r->state;
    bool trial = r->has_state && state_on_trial(s) && s->phase != PHASE_REHEARSING;
    buf_adds(out, ",\"rollout\":");
    if (!trial) {
        buf_adds(out, "null");
        return;
    }
    bool turns = s->trial.step != TRIAL_NONE, objects = s->slice.resource != NULL;
    int32_t canary = turns || objects ? 1 : plan_canary_replicas(r->replicas, s->percent),
            all = canary + r->replicas;
    int64_t watched = state_watched_ns(s, now);
    buf_adds(out, "{\"template\":");
    buf_add_json(out, slice_of(s->hash));
    status_json_field(out, "canary", s->canary);
    moment(out, "startedAt", s->began_ns);
    moment(out, "deadline", plan_deadline(s, &r->spec, now));
    buf_addf(out,
             ",\"step\":{\"index\":%u,\"of\":%zu,\"wantedPercent\":%u,\"gotPercent\":%d,\"canaryPods\":%d",
             s->step + 1, r->steps, s->percent, all ? (100 * canary + all / 2) / all : 0, canary);
    moment(out, "watchedSince", s->soak_from_ns);
    buf_addf(out, ",\"watchedSeconds\":%lld,\"soakSeconds\":%lld}", (long long)(watched / NS_PER_S),
             (long long)(s->param.soak_ns / NS_PER_S));
    if (objects) {
        buf_adds(out, ",\"slice\":{\"resource\":");
        buf_add_json(out, slice_of(s->slice.resource));
        status_json_field(out, "namespace", s->slice.ns);
        status_json_field(out, "selector", s->slice.selector);
        status_json_field(out, "stage", state_slice_name(s->slice.stage));
        buf_addf(out, ",\"objects\":%u,\"canaryObjects\":%u}", s->slice.total, s->slice.canary);
    }
    if (turns) {
        buf_addf(out, ",\"trial\":{\"number\":%u,\"step\":\"%s\",\"lease\":", s->trial.n,
                 state_trial_name(s->trial.step));
        buf_add_json(out, slice_of(s->trial.lease));
        moment(out, "since", s->trial.since_ns);
        buf_addc(out, '}');
    }
    add_evidence(r, now, out);
    add_signals(r, out);
    add_checks(s, out);
    buf_addc(out, '}');
}

static void add_numbers(struct buf *out, const char *key, const uint64_t v[REPORT_KINDS], uint64_t none) {
    bool any = false;
    buf_addf(out, ",\"%s\":{", key);
    for (int k = 0; k < REPORT_KINDS; k++) {
        if (v[k] == none) continue;
        buf_addf(out, "%s\"%s\":%llu", any ? "," : "", report_kind_name((enum report_kind)k),
                 (unsigned long long)v[k]);
        any = true;
    }
    buf_addc(out, '}');
}

static void add_side(struct buf *out, const char *key, const struct explain_side *side) {
    buf_addf(out, ",\"%s\":", key);
    if (!side->read && !side->err.kind) {
        buf_adds(out, "null");
        return;
    }
    buf_addf(out, "{\"reads\":%llu,\"writes\":%llu,\"conflicts\":%llu,\"refused\":%llu,\"failed\":%llu",
             (unsigned long long)side->reads, (unsigned long long)side->writes,
             (unsigned long long)side->conflicts, (unsigned long long)side->refused,
             (unsigned long long)side->failed);
    status_json_field(out, "problem", side->err.kind ? side->err.msg : NULL);
    buf_addc(out, '}');
}

/* Those of the rehearsal, or the canary's: at most one of them has pods. */
static void add_pod_list(const struct explain *e, bool rehearses, struct buf *out) {
    size_t n = rehearses == explain_rehearses(e->row) ? e->npods : 0;
    buf_adds(out, rehearses ? ",\"pods\":[" : ",\"canaryPods\":{\"pods\":[");
    for (size_t i = 0; i < n; i++) {
        const struct explain_pod *p = &e->pods[i];
        buf_adds(out, i ? ",{\"name\":" : "{\"name\":");
        buf_add_json(out, slice_of(p->name));
        if (rehearses) buf_addf(out, ",\"control\":%s", p->control ? "true" : "false");
        status_json_field(out, "node", p->node);
        buf_addf(out, ",\"ready\":%s,\"restarts\":%u", p->ready ? "true" : "false", p->restarts);
        status_json_field(out, "trouble", p->trouble);
        buf_addc(out, '}');
    }
    buf_addc(out, ']');
}

static void add_rehearsal(const struct explain *e, int64_t now, struct buf *out) {
    const struct status_row *r = e->row;
    const struct state_rehearsal *x = &r->state.rehearsal;
    bool goes_on = explain_rehearses(r), known = x->over || e->so_far;
    buf_adds(out, ",\"rehearsal\":");
    if (!r->has_state || !x->key[0]) {
        buf_adds(out, "null");
        return;
    }
    buf_addf(out, "{\"over\":%s,\"alone\":%s", x->over ? "true" : "false", x->alone ? "true" : "false");
    moment(out, "from", x->from_ns);
    moment(out, "until", x->from_ns ? x->from_ns + r->spec.rehearse_ns : 0);
    status_json_field(out, "line", goes_on ? e->so_far : x->line);
    status_json_field(out, "digest", x->over ? x->digest : NULL);
    status_json_field(out, "approved", x->approved[0] ? x->approved : NULL);
    if (known)
        add_numbers(out, "counts", goes_on ? e->count : x->count, 0);
    else
        buf_adds(out, ",\"counts\":null");
    add_numbers(out, "limits", r->spec.max_changes, SPEC_ANY);
    add_side(out, "new", &e->side[0]);
    add_side(out, "control", &e->side[1]);
    if (r->state.phase == PHASE_REHEARSING)
        add_evidence(r, now, out);
    else
        buf_adds(out, ",\"evidence\":null");
    add_pod_list(e, true, out);
    buf_addc(out, '}');
}

static void add_next(const struct status_row *r, int64_t now, struct buf *out) {
    struct explain_next next[EXPLAIN_NEXT];
    size_t n = explain_next(r, now, next);
    buf_adds(out, ",\"next\":[");
    for (size_t i = 0; i < n; i++) {
        buf_adds(out, i ? ",{\"text\":" : "{\"text\":");
        buf_add_json(out, slice_of(next[i].text));
        moment(out, "at", next[i].at_ns);
        buf_addc(out, '}');
    }
    buf_addc(out, ']');
}

static void add_pods(const struct explain *e, struct buf *out) {
    add_pod_list(e, false, out);
    buf_addf(out, ",\"more\":%zu", e->more_pods);
    status_json_field(out, "problem", e->pods_err.kind ? e->pods_err.msg : NULL);
    buf_addc(out, '}');
}

static void add_diff(const struct status_row *r, struct buf *out) {
    struct template_diff d = {.n = 0};
    if (r->stable_tmpl) template_diff(slice_of(r->stable_tmpl), slice_of(r->target.tmpl), &d);
    buf_adds(out, ",\"templateDiff\":{\"changes\":[");
    for (size_t i = 0; i < d.n; i++) {
        buf_adds(out, i ? ",{\"path\":" : "{\"path\":");
        buf_add_json(out, slice_of(d.change[i].path));
        status_json_field(out, "from", d.change[i].from);
        status_json_field(out, "to", d.change[i].to);
        buf_addc(out, '}');
    }
    buf_addf(out, "],\"more\":%zu}", d.more);
    template_diff_free(&d);
}

void explain_json(const struct explain *e, int64_t now_wall_ns, struct buf *out) {
    const struct status_row *r = e->row;
    const struct state *s = r->has_state ? &r->state : NULL;
    cleanup_buf struct buf raw = BUF(out->max);
    buf_addf(&raw, "{\"version\":%d", SHAPE);
    status_json_field(&raw, "namespace", r->ns);
    status_json_field(&raw, "name", workload_name(r->name));
    status_json_field(&raw, "kind", workload_of(r->name)->gvr->kind);
    status_json_field(&raw, "phase", s ? phase_name(s->phase) : NULL);
    moment(&raw, "since", s ? s->since_ns : 0);
    status_json_field(&raw, "hold", s && s->hold != HOLD_NONE ? hold_name(s->hold) : NULL);
    moment(&raw, "holdSince", s ? s->hold_ns : 0);
    status_json_field(&raw, "message", s ? s->message : NULL);
    status_json_field(&raw, "problem", r->problem.kind ? r->problem.msg : NULL);
    status_json_field(&raw, "hint", r->hint);
    status_json_field(&raw, "image", r->image);
    status_json_field(&raw, "stableImage", r->stable_image ? r->stable_image : r->image);
    status_json_field(&raw, "template", r->target.hash);
    status_json_field(&raw, "stableTemplate", s && s->stable_hash[0] ? s->stable_hash : NULL);
    buf_addf(&raw, ",\"replicas\":%d,\"ready\":%d", r->replicas, r->ready);
    add_rehearsal(e, now_wall_ns, &raw);
    add_rollout(r, now_wall_ns, &raw);
    add_next(r, now_wall_ns, &raw);
    add_pods(e, &raw);
    add_diff(r, &raw);
    buf_adds(&raw, "}\n");
    status_json_clean(buf_slice(&raw), out);
}
