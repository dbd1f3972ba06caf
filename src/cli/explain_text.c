/* A target explained to a person; see explain.h. */
#include "explain.h"
#include "base/time.h"
#include "target_ref.h"
#include "template_diff.h"

static const char *const bold = "\x1b[1m", *const dim = "\x1b[2m", *const yellow = "\x1b[33m",
                         *const red = "\x1b[31m";
static const struct table_column headings[] = {{NULL, TABLE_CUT_START}};

struct page {
    const struct explain *e;
    const struct status_row *r;
    const struct state *s;
    struct table *t;
    int64_t now;
};

static void note(struct page *p, const char *colour, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static void note(struct page *p, const char *colour, const char *fmt, ...) {
    cleanup_buf struct buf b = BUF(64 << 10);
    va_list ap;
    va_start(ap, fmt);
    buf_addv(&b, fmt, ap);
    va_end(ap);
    table_note(p->t, colour, buf_str(&b));
}

static void section(struct page *p, const char *title) {
    table_cell(p->t, bold, title);
}

/* "TITLE, 12:31:04Z (1m30s ago)" */
static void heading(struct page *p, const char *colour, const char *title, int64_t at_ns) {
    char at[80] = "";
    if (at_ns) status_clock(at_ns, p->now, at);
    cleanup_free char *text = xasprintf("%s%s%s", title, at_ns ? " " : "", at);
    table_cell(p->t, colour, text);
}

static void add_head(struct page *p) {
    const struct status_row *r = p->r;
    int64_t since = r->has_state ? p->s->since_ns : 0;
    cleanup_free char *who = xasprintf("%s/%s: %s%s", r->ns, r->name, status_phase(r), since ? " since" : "");
    heading(p, status_colour(r), who, since);
    cleanup_buf struct buf version = BUF(16 << 10);
    if (r->stable_image) {
        status_version(&version, r->stable_image);
        buf_adds(&version, " -> ");
    }
    status_version(&version, r->image);
    note(p, NULL, "%s, template %s, %d of %d pods ready", buf_str(&version), r->target.hash, r->ready,
         r->replicas);
    if (r->problem.kind) note(p, red, "%s", r->problem.msg);
    if (r->hint) note(p, yellow, "%s", r->hint);
    bool elsewhere = !r->has_state || p->s->hold != HOLD_NONE || p->s->phase == PHASE_SOAKING;
    if (!elsewhere && p->s->message) note(p, dim, "%s", p->s->message);
}

static void add_hold(struct page *p) {
    if (!p->r->has_state || p->s->hold == HOLD_NONE) return;
    cleanup_free char *title = xasprintf("Held: %s%s", hold_name(p->s->hold), p->s->hold_ns ? " since" : "");
    heading(p, yellow, title, p->s->hold_ns);
    note(p, NULL, "%s", p->s->message ? p->s->message : "");
}

static void add_turns(struct page *p) {
    static const char *const what[TRIAL_STEPS] = {[TRIAL_STANDBY] = "stable leads, the canary stands by",
                                                  [TRIAL_GIVING] = "stable gives the Lease up for the canary",
                                                  [TRIAL_LEADS] = "the canary leads, stable stands by",
                                                  [TRIAL_RETURNING] = "the canary gives the Lease back"};
    const struct state *s = p->s;
    char led[32], whole[32];
    status_span(state_watched_ns(s, p->now), led);
    status_span(s->param.soak_ns, whole);
    note(p, NULL, "step %u of %zu, %u %% of the time: they lead by turns, by Lease %s", s->step + 1,
         p->r->steps ? p->r->steps : 1, s->percent, s->trial.lease);
    note(p, NULL, "%s; in %u trial%s the canary has led for %s of %s", what[s->trial.step], s->trial.n,
         s->trial.n == 1 ? "" : "s", led, whole);
}

static void add_slice(struct page *p) {
    static const char *const what[SLICE_STAGES] = {[SLICE_NONE] = "none is labelled yet",
                                                   [SLICE_TAKING] = "objects are being taken from stable",
                                                   [SLICE_SETTLING] =
                                                       "stable is to be quiet before they pass to the canary",
                                                   [SLICE_PASSING] = "objects pass to the canary",
                                                   [SLICE_HELD] = "the canary has its objects",
                                                   [SLICE_RETURNING] = "objects become stable's again"};
    const struct state_slice *l = &p->s->slice;
    note(p, NULL, "%u of %u objects of %s are the canary's%s%s%s%s; %s", l->canary, l->total, l->resource,
         l->ns ? ", namespace " : "", l->ns ? l->ns : "", l->selector ? ", selector " : "",
         l->selector ? l->selector : "", what[l->stage]);
}

/* Of pods, or of objects. */
static void add_share(const struct page *p, struct buf *b) {
    const struct state *s = p->s;
    int32_t canary = plan_canary_replicas(p->r->replicas, s->percent), all = canary + p->r->replicas;
    if (s->slice.resource)
        buf_addf(b, "got %u of %u objects; ", s->slice.canary, s->slice.total);
    else
        buf_addf(b, "got %d %% of %d pods; ", all ? (100 * canary + all / 2) / all : 0, all);
}

static void add_step(struct page *p) {
    const struct state *s = p->s;
    char took[32], whole[32], rest[32];
    if (s->trial.step != TRIAL_NONE) {
        add_turns(p);
        return;
    }
    size_t steps = p->r->steps ? p->r->steps : 1;
    cleanup_buf struct buf b = BUF(400);
    buf_addf(&b, "step %u of %zu: wanted %u %%, ", s->step + 1, steps, s->percent);
    add_share(p, &b);
    status_span(s->param.soak_ns, whole);
    if (!s->soak_from_ns) {
        buf_addf(&b, "not watched yet, then for %s", whole);
    } else {
        int64_t watched = p->now > s->soak_from_ns ? p->now - s->soak_from_ns : 0;
        status_span(watched, took);
        status_span(s->param.soak_ns - watched, rest);
        buf_addf(&b, "watched for %s of %s, %s remain", took, whole, rest);
    }
    note(p, NULL, "%s", buf_str(&b));
    if (s->slice.resource) add_slice(p);
}

static void add_learned(struct page *p) {
    const struct state *s = p->s;
    if (!p->r->spec.auto_rate)
        note(p, NULL, "the tolerated rate is that of the annotation max-error-rate");
    else if (s->learned_total)
        note(p, NULL, "the tolerated rate was learned: stable had %llu errors of %llu reconciles before",
             (unsigned long long)s->learned_errors, (unsigned long long)s->learned_total);
    else
        note(p, NULL, "the tolerated rate is the default: stable's counters were not known");
}

static void add_controllers(struct page *p) {
    const struct judge *j = &p->s->judge;
    for (size_t i = 0; i < j->n; i++) {
        const struct judge_test *t = &j->controller[i];
        struct judge_values v;
        char odds[40];
        cleanup_buf struct buf b = BUF(400);
        status_counts(t, 1, t->theta > 0 ? t->theta : p->s->param.theta, &b);
        judge_test_values(t, &p->s->param, j->scrapes, &v);
        judge_odds(v.log_e, odds);
        if (t->theta >= 1)
            note(p, NULL, "%s: %s; not judged by itself, stable fails in it too often", t->name, buf_str(&b));
        else
            note(p, NULL, "%s: %s; odds that it is bad: %s", t->name, buf_str(&b), odds);
    }
}

#define SOME(n) (unsigned long long)(n), (n) == 1 ? "" : "s"
static void add_side(struct page *p, const char *who, const struct explain_side *side) {
    if (side->read)
        note(p, NULL,
             "%s: %llu read%s, %llu write%s as %s; %llu conflict%s, %llu request%s refused, %llu failed", who,
             SOME(side->reads), SOME(side->writes), side->writes == 1 ? "a dry run" : "dry runs",
             SOME(side->conflicts), SOME(side->refused), (unsigned long long)side->failed);
    else if (side->err.kind)
        note(p, dim, "%s: what it has done so far cannot be read: %s", who, side->err.msg);
}

static void add_limits(struct page *p, const uint64_t count[REPORT_KINDS], bool known) {
    const struct spec *spec = &p->r->spec;
    cleanup_buf struct buf b = BUF(4096);
    bool over = false;
    for (int k = 0; k < REPORT_KINDS; k++) {
        if (spec->max_changes[k] == SPEC_ANY) continue;
        buf_addf(&b, "%s%s ", b.n ? ", " : "", report_kind_name((enum report_kind)k));
        if (known) buf_addf(&b, "%llu of ", (unsigned long long)count[k]);
        buf_addf(&b, "%llu", (unsigned long long)spec->max_changes[k]);
        over = over || (known && count[k] > spec->max_changes[k]);
    }
    if (b.n)
        note(p, over ? yellow : NULL, "max-changes: %s%s", buf_str(&b), over ? ": exceeded" : "");
    else
        note(p, dim, "max-changes is not given: nobody is asked, whatever it finds");
}

static void add_time(struct page *p) {
    const struct state_rehearsal *x = &p->s->rehearsal;
    int64_t whole = p->r->spec.rehearse_ns, done = p->now - x->from_ns;
    char took[32], of[32], at[80];
    status_span(whole, of);
    if (!x->from_ns) {
        note(p, NULL, "its pods are starting; then it is rehearsed for %s", of);
        return;
    }
    status_span(done < whole ? done : whole, took);
    status_clock(x->from_ns + whole, p->now, at);
    note(p, NULL, "%s of %s, until %s", took, of, at);
}

static void add_going_on(struct page *p) {
    const struct explain *e = p->e;
    add_time(p);
    add_side(p, "the new version", &e->side[0]);
    if (p->s->rehearsal.alone)
        note(p, dim, "stable's template is not there to be rehearsed beside it");
    else
        add_side(p, "stable's version beside it", &e->side[1]);
    if (e->so_far) note(p, NULL, "found so far: %s", e->so_far);
    add_limits(p, e->count, e->so_far != NULL);
}

/* What the rehearsal of this rollout does, and what it has found: the whole is in a ConfigMap. */
static void add_rehearsal(struct page *p) {
    const struct state_rehearsal *x = &p->s->rehearsal;
    if (!p->r->has_state || !x->key[0]) return;
    heading(p, bold, x->from_ns ? "Rehearsal, since" : "Rehearsal", x->from_ns);
    if (explain_rehearses(p->r)) {
        add_going_on(p);
    } else if (!x->over) {
        note(p, dim, "it has not come to an end, and there is no report");
    } else {
        note(p, NULL, "found: %s%s", x->line ? x->line : "",
             x->alone ? " (without stable's version beside it)" : "");
        add_limits(p, x->count, true);
        note(p, NULL, "report %s%s: handover diff %s -n %s", x->digest, x->approved[0] ? ", approved" : "",
             target_ref(p->r->name).text, p->r->ns);
    }
}

static void add_evidence(struct page *p) {
    struct judge_report r;
    cleanup_buf struct buf b = BUF(1024);
    if (!p->r->has_state || !state_on_trial(p->s)) return;
    heading(p, bold, p->s->written_ns ? "Evidence, as of" : "Evidence", p->s->written_ns);
    if (p->s->phase == PHASE_REHEARSING)
        note(p, NULL,
             "of the rehearsal: \"canary\" is the new version in it, \"stable\" the version in service "
             "beside it");
    else
        add_step(p);
    if (!status_evidence(p->s, p->now, &r)) {
        note(p, NULL, "none yet: stable's error rate is being learned");
        return;
    }
    status_counts(&p->s->judge.all, r.upper, p->s->param.theta, &b);
    note(p, NULL, "%s", buf_str(&b));
    add_learned(p);
    buf_clear(&b);
    judge_words(&r, &b);
    note(p, NULL, "%s", buf_str(&b));
    note(p, NULL, "%s: %s", verdict_name(r.verdict), r.why);
    add_controllers(p);
}

const char *explain_signal_state(enum signal_state s) {
    static const char *const names[SIGNAL_STATES] = {"off", "absent", "quiet", "doubt", "speaks"};
    return (size_t)s < SIGNAL_STATES ? names[s] : "?";
}

static void add_signal(struct page *p, const struct signals_param *param, enum signal which) {
    static const char *const does[SIGNAL_DOES] = {"nothing", "holds and asks",
                                                  "holds, rolls back at the deadline", "rolls back"};
    char words[240], odds[40];
    double log_e;
    enum signal_state state = signals_state(&p->s->signals, param, which, &log_e);
    const char *name = signal_name(which), *then = does[param->does[which]];
    signals_words(&p->s->signals, which, words);
    judge_odds(log_e, odds);
    switch (state) {
    case SIGNAL_STATE_OFF: note(p, dim, "%s: off", name); break;
    case SIGNAL_STATE_ABSENT: note(p, dim, "%s: no metrics, so it does not count", name); break;
    case SIGNAL_STATE_QUIET: note(p, NULL, "%s: quiet: %s", name, words); break;
    case SIGNAL_STATE_DOUBT:
        note(p, yellow, "%s: in doubt, odds %s, no pass while it is so: %s", name, odds, words);
        break;
    case SIGNAL_STATE_SPEAKS: note(p, red, "%s: speaks against it, %s: %s", name, then, words); break;
    case SIGNAL_STATES: break;
    }
}

static void add_guards(struct page *p) {
    cleanup_buf struct buf off = BUF(400);
    for (int i = 0; i < GUARDS; i++)
        if (!p->r->spec.guard[i])
            buf_addf(&off, "%s%s", off.n ? ", " : "", spec_guard_name((enum spec_guard)i));
    if (off.n) note(p, dim, "guards that are off: %s", buf_str(&off));
}

static void add_signals(struct page *p) {
    struct signals_param param;
    if (!p->r->has_state || !state_on_trial(p->s)) return;
    section(p, "Signals beside errors");
    if (!plan_signals_param(p->s, &p->r->spec, &param))
        note(p, red, "none counts while the annotation signals is wrong");
    else if (!p->s->signals.looks)
        note(p, NULL, "not looked at yet%s",
             p->s->phase == PHASE_REHEARSING ? "" : ": the canary is starting");
    else
        for (int i = 0; i < SIGNALS; i++) add_signal(p, &param, (enum signal)i);
    add_guards(p);
}

/* What they said last, in this step. */
static void add_checks(struct page *p) {
    bool any = false;
    for (int k = 0; k < CHECKS && p->r->has_state && state_on_trial(p->s); k++) {
        const struct state_check *c = &p->s->check[k];
        char at[80];
        if (c->says == CHECK_NOTHING) continue;
        if (!any) section(p, "Checks");
        any = true;
        status_clock(c->at_ns, p->now, at);
        note(p, c->says == CHECK_PASS ? NULL : yellow, "%s: %s at %s, answer %u%s%s",
             state_check_name((enum check_kind)k), state_says_name(c->says), at, c->asked,
             c->message ? ": " : "", c->message ? c->message : "");
    }
}

static void add_next(struct page *p) {
    struct explain_next next[EXPLAIN_NEXT];
    char at[80];
    size_t n = explain_next(p->r, p->now, next);
    section(p, "What happens next");
    for (size_t i = 0; i < n; i++) {
        if (next[i].at_ns) status_clock(next[i].at_ns, p->now, at);
        note(p, NULL, "%s%s%s", next[i].at_ns ? at : "", next[i].at_ns ? ": " : "", next[i].text);
    }
}

static void add_pods(struct page *p) {
    const struct explain *e = p->e;
    if (!p->r->has_state || !p->s->canary) return;
    bool rehearses = explain_rehearses(p->r);
    if (!rehearses && p->s->phase == PHASE_REHEARSING) return; /* there are none of either kind */
    cleanup_free char *title = xasprintf("Canary pods, of ReplicaSet %s", p->s->canary);
    section(p, rehearses ? "Pods of the rehearsal" : title);
    if (e->pods_err.kind) note(p, red, "they cannot be read: %s", e->pods_err.msg);
    if (!e->pods_err.kind && !e->npods) note(p, NULL, "none");
    for (size_t i = 0; i < e->npods; i++) {
        const struct explain_pod *pod = &e->pods[i];
        note(p, pod->ready ? NULL : yellow, "%s%s on %s: %s, %u restart%s%s%s", pod->name,
             pod->control ? " (stable's version)" : "", pod->node ? pod->node : "no node",
             pod->ready ? "ready" : "not ready", pod->restarts, pod->restarts == 1 ? "" : "s",
             pod->trouble ? "; " : "", pod->trouble ? pod->trouble : "");
    }
    if (e->more_pods) note(p, dim, "and %zu more", e->more_pods);
}

static void add_diff(struct page *p) {
    struct template_diff d;
    if (!p->r->stable_tmpl) return;
    template_diff(slice_of(p->r->stable_tmpl), slice_of(p->r->target.tmpl), &d);
    section(p, "Template, stable -> new");
    for (size_t i = 0; i < d.n; i++)
        note(p, NULL, "%s: %s -> %s", d.change[i].path, d.change[i].from ? d.change[i].from : "(none)",
             d.change[i].to ? d.change[i].to : "(none)");
    if (d.more) note(p, dim, "and %zu more", d.more);
    template_diff_free(&d);
}

void explain_text(const struct explain *e, const struct table_style *style, int64_t now_wall_ns,
                  struct buf *out) {
    cleanup_table struct table *t = table_new(style, headings, ARRAY_LEN(headings));
    struct page p = {.e = e, .r = e->row, .s = &e->row->state, .t = t, .now = now_wall_ns};
    add_head(&p);
    add_hold(&p);
    add_rehearsal(&p);
    add_evidence(&p);
    add_signals(&p);
    add_checks(&p);
    add_next(&p);
    add_pods(&p);
    add_diff(&p);
    table_print(t, out);
}
