/* The state's two documents as text. Members that say nothing are left out, so that a quiet target's state is
 * short. */
#include "judge/json_time.h"
#include "plan/state_json.h"

const char *const facts_members[] = {
    "version",  "targetUID",  "stable", "paused",    "progressDeadlineSeconds",
    "replicas", "quarantine", "policy", "partition", NULL};
const char *const state_members[] = {"version",        "phase",        "since",       "hold",
                                     "holdSince",      "message",      "hash",        "canary",
                                     "canaryTemplate", "image",        "step",        "percent",
                                     "startedAt",      "soakFrom",     "shiftNs",     "unreadySince",
                                     "readySince",     "shrinkSince",  "pauseAsked",  "pausedAt",
                                     "wasReady",       "ending",       "reason",      "learned",
                                     "learnedErrors",  "learnedTotal", "bestUpdated", "bestAvailable",
                                     "leastOld",       "progressAt",   "repair",      "param",
                                     "judge",          "evidence",     "signals",     "deadlineRestored",
                                     "trial",          "withinWindow", "slice",       "consumed",
                                     "history",        "unpaused",     "unpausedAt",  "generation",
                                     "writtenAt",      "changes",      "passedAt",    "letOn",
                                     "checksFrom",     "checked",      "checks",      "rehearsal",
                                     "approvals",      "reported",     NULL};

static void text(struct buf *out, const char *key, const char *v) {
    if (!v || !*v) return;
    buf_addf(out, ",\"%s\":", key);
    buf_add_json(out, slice_of(v));
}

static void flag(struct buf *out, const char *key, bool v) {
    if (v) buf_addf(out, ",\"%s\":true", key);
}

static void number(struct buf *out, const char *key, int64_t v, int64_t def) {
    if (v != def) buf_addf(out, ",\"%s\":%lld", key, (long long)v);
}

/* Longer than a double is exact: as a string. */
static void span(struct buf *out, const char *key, int64_t v) {
    if (v) buf_addf(out, ",\"%s\":\"%lld\"", key, (long long)v);
}

static void extras(struct buf *out, const cJSON *extra) {
    for (const cJSON *m = extra ? extra->child : NULL; m; m = m->next) {
        cleanup_free char *v = json_print(m);
        /* what this version does not know must not keep it from writing what it does know */
        if (out->n + 2 * strlen(m->string) + strlen(v) + 8 > STATE_MAX_TEXT) continue;
        buf_addc(out, ',');
        buf_add_json(out, slice_of(m->string));
        buf_addc(out, ':');
        buf_adds(out, v);
    }
}

void state_write_facts(const struct state *s, struct buf *out) {
    buf_addf(out, "{\"version\":%d", STATE_VERSION);
    text(out, "targetUID", s->target_uid);
    if (s->stable_uid) {
        buf_addf(out, ",\"stable\":{\"hash\":\"%s\"", s->stable_hash);
        text(out, "name", s->stable_name);
        text(out, "uid", s->stable_uid);
        flag(out, "unjudged", s->unjudged);
        text(out, "template", s->stable_template);
        buf_addc(out, '}');
    }
    flag(out, "paused", s->paused);
    text(out, "policy", s->policy);
    number(out, "progressDeadlineSeconds", s->deadline_s, -1);
    number(out, "partition", s->partition, -1);
    number(out, "replicas", s->replicas, -1);
    if (s->nquarantine) buf_adds(out, ",\"quarantine\":[");
    for (size_t i = 0; i < s->nquarantine; i++) {
        const struct state_quarantine *q = &s->quarantine[i];
        buf_addf(out, "%s{\"hash\":\"%s\"", i ? "," : "", q->hash);
        json_time_add(out, "at", q->at_ns);
        text(out, "reason", q->reason);
        buf_addc(out, '}');
    }
    if (s->nquarantine) buf_addc(out, ']');
    extras(out, s->extra_facts);
    buf_addc(out, '}');
}

static void write_history(const struct state *s, struct buf *out) {
    if (s->nhistory) buf_adds(out, ",\"history\":[");
    for (size_t i = 0; i < s->nhistory; i++) {
        const struct state_history *h = &s->history[i];
        buf_addf(out, "%s{\"result\":\"%s\",\"hash\":\"%s\"", i ? "," : "", ended_name(h->ended), h->hash);
        json_time_add(out, "startedAt", h->began_ns);
        json_time_add(out, "endedAt", h->ended_ns);
        number(out, "errors", (int64_t)h->errors, 0);
        number(out, "total", (int64_t)h->total, 0);
        text(out, "image", h->image);
        text(out, "reason", h->reason);
        buf_addc(out, '}');
    }
    if (s->nhistory) buf_addc(out, ']');
}

/* Approvals are a member of their own: an earlier version finds no action that it does not know. */
static void write_consumed(const struct state *s, bool approvals, struct buf *out) {
    for (size_t i = 0, n = 0; i < s->nconsumed; i++) {
        const struct state_consumed *x = &s->consumed[i];
        bool last = i + 1 == s->nconsumed;
        if ((x->action == ACTION_APPROVE) == approvals) {
            buf_addf(out, n++ ? ",{" : ",\"%s\":[{", approvals ? "approvals" : "consumed");
            if (!approvals) buf_addf(out, "\"action\":\"%s\",", spec_action_name(x->action));
            buf_adds(out, "\"value\":");
            buf_add_json(out, slice_of(x->value));
            flag(out, "removing", x->removing);
            buf_addc(out, '}');
        }
        if (last && n) buf_addc(out, ']');
    }
}

static void write_changes(const struct state *s, struct buf *out) {
    if (s->nchanges) buf_adds(out, ",\"changes\":[");
    for (size_t i = 0; i < s->nchanges; i++) {
        const struct state_change *v = &s->change[i];
        buf_addf(out, "%s{\"to\":\"%s\"", i ? "," : "", phase_name(v->phase));
        json_time_add(out, "at", v->at_ns);
        text(out, "hash", v->hash);
        buf_addc(out, '}');
    }
    if (s->nchanges) buf_addc(out, ']');
}

static void write_trial(const struct trial *t, struct buf *out) {
    if (t->step == TRIAL_NONE) return;
    buf_addf(out, ",\"trial\":{\"step\":\"%s\"", state_trial_name(t->step));
    text(out, "lease", t->lease);
    span(out, "leaseNs", t->lease_ns);
    json_time_add(out, "since", t->since_ns);
    span(out, "ledNs", t->led_ns);
    number(out, "number", t->n, 0);
    number(out, "disturbed", t->disturbed, 0);
    buf_addc(out, '}');
}

static void write_checks(const struct state *s, struct buf *out) {
    bool any = false;
    json_time_add(out, "checksFrom", s->check_ns);
    number(out, "checked", s->checked, 0);
    for (int k = 0; k < CHECKS; k++) {
        const struct state_check *c = &s->check[k];
        if (!c->of) continue;
        buf_addf(out, "%s\"%s\":{\"asked\":%u", any ? "," : ",\"checks\":{",
                 state_check_name((enum check_kind)k), c->asked);
        any = true;
        span(out, "of", (int64_t)c->of);
        text(out, "says", state_says_name(c->says));
        text(out, "message", c->message);
        json_time_add(out, "at", c->at_ns);
        json_time_add(out, "next", c->next_ns);
        buf_addc(out, '}');
    }
    if (any) buf_addc(out, '}');
}

static void write_slice(const struct state_slice *l, struct buf *out) {
    if (!l->resource) return;
    buf_adds(out, ",\"slice\":{\"resource\":");
    buf_add_json(out, slice_of(l->resource));
    text(out, "namespace", l->ns);
    text(out, "selector", l->selector);
    text(out, "stage", state_slice_name(l->stage));
    json_time_add(out, "since", l->since_ns);
    number(out, "total", l->total, 0);
    number(out, "canary", l->canary, 0);
    buf_addc(out, '}');
}

static void write_rollout(const struct state *s, struct buf *out) {
    text(out, "hash", s->hash);
    text(out, "canary", s->canary);
    text(out, "canaryTemplate", s->made);
    text(out, "image", s->image);
    number(out, "step", s->step, 0);
    number(out, "percent", s->percent, 0);
    json_time_add(out, "startedAt", s->began_ns);
    json_time_add(out, "soakFrom", s->soak_from_ns);
    span(out, "shiftNs", s->shift_ns);
    json_time_add(out, "unreadySince", s->unready_ns);
    json_time_add(out, "readySince", s->ready_ns);
    json_time_add(out, "shrinkSince", s->shrink_ns);
    flag(out, "pauseAsked", s->pause_asked);
    json_time_add(out, "pausedAt", s->pause_ns);
    json_time_add(out, "passedAt", s->gate_ns);
    number(out, "letOn", s->opened, 0);
    write_checks(s, out);
    flag(out, "wasReady", s->was_ready);
    buf_addf(out, ",\"ending\":\"%s\"", ended_name(s->ending));
    text(out, "reason", s->reason);
    number(out, "bestUpdated", s->best_updated, 0);
    number(out, "bestAvailable", s->best_available, 0);
    number(out, "leastOld", s->least_old, 0);
    json_time_add(out, "progressAt", s->progress_ns);
    flag(out, "repair", s->repair);
    flag(out, "withinWindow", s->window);
    write_trial(&s->trial, out);
    state_rehearsal_write(&s->rehearsal, out);
    if (!s->learned) return;
    flag(out, "learned", true);
    number(out, "learnedErrors", (int64_t)s->learned_errors, 0);
    number(out, "learnedTotal", (int64_t)s->learned_total, 0);
    buf_adds(out, ",\"param\":");
    judge_param_write(&s->param, out);
    buf_adds(out, ",\"judge\":");
    judge_write(&s->judge, out);
    buf_adds(out, ",\"evidence\":");
    evidence_write(&s->evidence, out);
    buf_adds(out, ",\"signals\":");
    signals_write(&s->signals, out);
}

void state_write(const struct state *s, struct buf *out) {
    buf_addf(out, "{\"version\":%d,\"phase\":\"%s\"", STATE_VERSION, phase_name(s->phase));
    json_time_add(out, "since", s->since_ns);
    text(out, "hold", hold_name(s->hold));
    json_time_add(out, "holdSince", s->hold_ns);
    text(out, "message", s->message);
    number(out, "deadlineRestored", s->pds_restored, 0);
    number(out, "unpaused", s->unpaused, 0);
    json_time_add(out, "unpausedAt", s->unpaused_ns);
    if (s->hash[0] || s->began_ns || s->repair) write_rollout(s, out);
    write_slice(&s->slice, out);
    flag(out, "reported", s->reported);
    write_consumed(s, false, out);
    write_consumed(s, true, out);
    write_history(s, out);
    write_changes(s, out);
    number(out, "generation", s->generation, 0);
    json_time_add(out, "writtenAt", s->written_ns);
    extras(out, s->extra_state);
    buf_addc(out, '}');
}
