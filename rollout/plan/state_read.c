/* The state's two documents from text: strict about what it knows, and carrying through what it does not. */
#include "api/meta.h"
#include "judge/json_time.h"
#include "judge/json_number.h"
#include "plan/state_json.h"
#include <errno.h>
#include <stdio.h>

struct reader {
    const char *doc;
    const cJSON *obj;
    const char *bad;    /* the first member that is not what it should be */
    const cJSON *found; /* and what stands there; NULL: nothing */
    bool fits_not;      /* it could be right, were it not for the rest */
};

static void wrong(struct reader *r, const cJSON *obj, const char *key) {
    if (r->bad) return;
    r->bad = key;
    r->found = json_get(obj, key);
}

static int complain(const struct reader *r, struct err *err) {
    if (!r->found) return err_set(err, ERR_CONFIG, -EINVAL, "data.%s: %s is missing", r->doc, r->bad);
    cleanup_free char *all = json_print(r->found), *text = slice_dup_text(slice_of(all), 80);
    return err_set(err, ERR_CONFIG, -EINVAL, "data.%s: %s: read %s, which %s", r->doc, r->bad, text,
                   r->fits_not ? "does not go with the rest" : "is not allowed there");
}

static void long_text(struct reader *r, const cJSON *obj, const char *key, size_t max, char **ret) {
    const cJSON *v = json_get(obj, key);
    if (cJSON_IsString(v) && strlen(v->valuestring) <= max) {
        free(*ret);
        *ret = xstrdup(v->valuestring);
    } else if (v) {
        wrong(r, obj, key);
    }
}

static void text(struct reader *r, const cJSON *obj, const char *key, char **ret) {
    long_text(r, obj, key, 4096, ret);
}

/* 1 to 10 letters and digits, as template_hash() makes them (any later one, too). */
static void hash(struct reader *r, const cJSON *obj, const char *key, char ret[11]) {
    const char *v = json_str(obj, key);
    if (!v && !json_get(obj, key)) return;
    size_t n = v ? strlen(v) : 0;
    if (n > 10 || !v || strspn(v, "abcdefghijklmnopqrstuvwxyz0123456789") != n) {
        wrong(r, obj, key);
        return;
    }
    memcpy(ret, v, n + 1);
}

static void flag(struct reader *r, const cJSON *obj, const char *key, bool *ret) {
    const cJSON *v = json_get(obj, key);
    if (cJSON_IsBool(v))
        *ret = cJSON_IsTrue(v);
    else if (v)
        wrong(r, obj, key);
}

static int64_t number(struct reader *r, const cJSON *obj, const char *key, int64_t min, int64_t max,
                      int64_t def) {
    if (!json_get(obj, key)) return def;
    int64_t v = json_i64(obj, key, INT64_MIN);
    if (v >= min && v <= max) return v;
    wrong(r, obj, key);
    return def;
}

static void moment(struct reader *r, const cJSON *obj, const char *key, int64_t *ret) {
    if (!json_time_get(obj, key, ret)) wrong(r, obj, key);
}

static size_t name(struct reader *r, const cJSON *obj, const char *key, const struct state_name *names,
                   size_t n, size_t def) {
    const cJSON *v = json_get(obj, key);
    if (!v) return def;
    for (size_t i = 0; i < n && cJSON_IsString(v); i++) {
        if (!strcmp(v->valuestring, names[i].name)) return i;
        if (names[i].was && !strcmp(v->valuestring, names[i].was)) return i;
    }
    wrong(r, obj, key);
    return def;
}

static const cJSON *list(struct reader *r, const char *key) {
    const cJSON *v = json_get(r->obj, key);
    if (v && !cJSON_IsArray(v)) wrong(r, r->obj, key);
    return v && cJSON_IsArray(v) ? v->child : NULL;
}

static cJSON *unknown(const cJSON *obj, const char *const *known) {
    cJSON *extra = NULL;
    for (const cJSON *m = obj->child; m; m = m->next) {
        const char *const *k = known;
        while (*k && strcmp(*k, m->string) != 0) k++;
        if (*k) continue;
        if (!extra) extra = cJSON_CreateObject();
        cJSON_AddItemToObject(extra, m->string, cJSON_Duplicate(m, true));
    }
    return extra;
}

static void read_facts(struct reader *r, struct state *s) {
    const cJSON *stable = json_get(r->obj, "stable");
    if (number(r, r->obj, "version", 1, INT32_MAX, 0) == 0) wrong(r, r->obj, "version");
    text(r, r->obj, "targetUID", &s->target_uid);
    if (!s->target_uid || !*s->target_uid) wrong(r, r->obj, "targetUID");
    if (stable) {
        text(r, stable, "name", &s->stable_name);
        text(r, stable, "uid", &s->stable_uid);
        hash(r, stable, "hash", s->stable_hash);
        flag(r, stable, "unjudged", &s->unjudged);
        long_text(r, stable, "template", STATE_MAX_TEMPLATE, &s->stable_template);
        bool named = s->stable_name && *s->stable_name && s->stable_uid && *s->stable_uid;
        if (!named || !s->stable_hash[0]) wrong(r, r->obj, "stable");
    }
    flag(r, r->obj, "paused", &s->paused);
    text(r, r->obj, "policy", &s->policy);
    if (s->policy && !*s->policy) wrong(r, r->obj, "policy");
    s->deadline_s = number(r, r->obj, "progressDeadlineSeconds", 0, INT32_MAX, -1);
    s->partition = (int32_t)number(r, r->obj, "partition", 0, HELD_PARTITION - 1, -1);
    s->replicas = (int32_t)number(r, r->obj, "replicas", 0, INT32_MAX, -1);
    for (const cJSON *q = list(r, "quarantine"); q; q = q->next) {
        char h[11] = "";
        int64_t at = 0;
        cleanup_free char *reason = NULL;
        hash(r, q, "hash", h);
        moment(r, q, "at", &at);
        text(r, q, "reason", &reason);
        if (!h[0])
            wrong(r, r->obj, "quarantine");
        else
            state_quarantine_add(s, h, at, reason);
    }
    s->extra_facts = unknown(r->obj, facts_members);
}

static void read_history(struct reader *r, struct state *s) {
    for (const cJSON *v = list(r, "history"); v && s->nhistory < STATE_MAX_HISTORY; v = v->next) {
        s->history = xrealloc(s->history, (s->nhistory + 1) * sizeof *s->history);
        struct state_history *h = &s->history[s->nhistory++];
        *h = (struct state_history){
            .ended = (enum ended)name(r, v, "result", state_endeds, ENDEDS, ENDED_CANCELLED)};
        hash(r, v, "hash", h->hash);
        moment(r, v, "startedAt", &h->began_ns);
        moment(r, v, "endedAt", &h->ended_ns);
        h->errors = (uint64_t)number(r, v, "errors", 0, INT64_C(1) << 53, 0);
        h->total = (uint64_t)number(r, v, "total", 0, INT64_C(1) << 53, 0);
        text(r, v, "image", &h->image);
        text(r, v, "reason", &h->reason);
    }
}

static void read_changes(struct reader *r, struct state *s) {
    for (const cJSON *v = list(r, "changes"); v && s->nchanges < STATE_CHANGES; v = v->next) {
        struct state_change *to = &s->change[s->nchanges++];
        to->phase = (enum phase)name(r, v, "to", state_phases, PHASES, PHASE_IDLE);
        moment(r, v, "at", &to->at_ns);
        hash(r, v, "hash", to->hash);
    }
}

static void read_consumed(struct reader *r, struct state *s) {
    struct state_name actions[ACTION_N] = {{NULL, NULL}};
    for (int a = 0; a < ACTION_N; a++) actions[a].name = spec_action_name((enum spec_action)a);
    for (const cJSON *v = list(r, "consumed"); v; v = v->next) {
        cleanup_free char *value = xstrdup(""); /* earlier versions left an empty one out */
        size_t a = name(r, v, "action", actions, ACTION_N, ACTION_N);
        text(r, v, "value", &value);
        if (a == ACTION_N) {
            wrong(r, r->obj, "consumed");
            return;
        }
        state_consume(s, (enum spec_action)a, value)->removing = json_bool(v, "removing", false);
    }
    for (const cJSON *v = list(r, "approvals"); v; v = v->next) {
        const char *value = json_str_or(v, "value", "");
        if (strlen(value) > SPEC_ACTION_MAX) wrong(r, r->obj, "approvals");
        state_consume(s, ACTION_APPROVE, value)->removing = json_bool(v, "removing", false);
    }
}

static void read_span(struct reader *r, const cJSON *obj, const char *key, int64_t *ret) {
    const cJSON *v = json_get(obj, key);
    int64_t ns;
    if (!v) return;
    if (slice_i64(slice_of(cJSON_GetStringValue(v)), &ns) < 0 || ns < 0)
        wrong(r, obj, key);
    else
        *ret = ns;
}

#define LONGEST_NS (3600 * NS_PER_S) /* objects_lease.c has no longer ones */

static void read_trial(struct reader *r, struct trial *t) {
    const cJSON *o = json_get(r->obj, "trial");
    if (!o) return;
    t->step = (enum trial_step)name(r, o, "step", state_trials, TRIAL_STEPS, TRIAL_NONE);
    text(r, o, "lease", &t->lease);
    read_span(r, o, "leaseNs", &t->lease_ns);
    moment(r, o, "since", &t->since_ns);
    read_span(r, o, "ledNs", &t->led_ns);
    t->n = (uint32_t)number(r, o, "number", 0, INT32_MAX, 0);
    t->disturbed = (uint32_t)number(r, o, "disturbed", 0, INT32_MAX, 0);
    bool spans = t->lease_ns > 0 && t->lease_ns <= LONGEST_NS && t->led_ns <= INT64_MAX / 4;
    if (t->step == TRIAL_NONE || !t->lease || !t->since_ns || !spans) wrong(r, r->obj, "trial");
}

static void read_checks(struct reader *r, struct state *s) {
    moment(r, r->obj, "checksFrom", &s->check_ns);
    s->checked = (uint32_t)number(r, r->obj, "checked", 0, SPEC_MAX_STEPS, 0);
    for (int k = 0; k < CHECKS; k++) {
        struct state_check *c = &s->check[k];
        int64_t of = 0;
        const cJSON *o = json_get(json_get(r->obj, "checks"), state_check_name((enum check_kind)k));
        if (!o) continue;
        c->says = (enum check_says)name(r, o, "says", state_says, CHECK_SAYS, CHECK_NOTHING);
        text(r, o, "message", &c->message);
        read_span(r, o, "of", &of);
        c->of = (uint64_t)of;
        moment(r, o, "at", &c->at_ns);
        moment(r, o, "next", &c->next_ns);
        c->asked = (uint32_t)number(r, o, "asked", 0, INT32_MAX, 0);
        if (!c->of) wrong(r, r->obj, "checks");
    }
}

/* It says which objects are patched: only what the annotation could have said. */
static void read_slice(struct reader *r, struct state_slice *l) {
    const cJSON *o = json_get(r->obj, "slice");
    struct slice resource, version, group;
    if (!o) return;
    text(r, o, "resource", &l->resource);
    text(r, o, "namespace", &l->ns);
    text(r, o, "selector", &l->selector);
    l->stage = (enum slice_stage)name(r, o, "stage", state_slices, SLICE_STAGES, SLICE_NONE);
    moment(r, o, "since", &l->since_ns);
    l->total = (uint32_t)number(r, o, "total", 0, INT32_MAX, 0);
    l->canary = (uint32_t)number(r, o, "canary", 0, INT32_MAX, 0);
    if (!l->resource || !spec_resource(slice_of(l->resource), &resource, &version, &group) ||
        (l->stage != SLICE_NONE && !l->since_ns))
        wrong(r, r->obj, "slice");
}

static void read_rollout(struct reader *r, struct state *s) {
    const cJSON *o = r->obj;
    hash(r, o, "hash", s->hash);
    text(r, o, "canary", &s->canary);
    hash(r, o, "canaryTemplate", s->made);
    text(r, o, "image", &s->image);
    s->step = (uint32_t)number(r, o, "step", 0, SPEC_MAX_STEPS, 0);
    s->percent = (uint8_t)number(r, o, "percent", 0, 100, 0);
    moment(r, o, "startedAt", &s->began_ns);
    moment(r, o, "soakFrom", &s->soak_from_ns);
    read_span(r, o, "shiftNs", &s->shift_ns);
    moment(r, o, "unreadySince", &s->unready_ns);
    moment(r, o, "readySince", &s->ready_ns);
    moment(r, o, "shrinkSince", &s->shrink_ns);
    flag(r, o, "pauseAsked", &s->pause_asked);
    moment(r, o, "pausedAt", &s->pause_ns);
    moment(r, o, "passedAt", &s->gate_ns);
    s->opened = (uint32_t)number(r, o, "letOn", 0, SPEC_MAX_STEPS, 0);
    read_checks(r, s);
    flag(r, o, "wasReady", &s->was_ready);
    s->ending = (enum ended)name(r, o, "ending", state_endeds, ENDEDS, ENDED_PROMOTED);
    text(r, o, "reason", &s->reason);
    s->best_updated = (int32_t)number(r, o, "bestUpdated", 0, INT32_MAX, 0);
    s->best_available = (int32_t)number(r, o, "bestAvailable", 0, INT32_MAX, 0);
    s->least_old = (int32_t)number(r, o, "leastOld", 0, INT32_MAX, 0);
    moment(r, o, "progressAt", &s->progress_ns);
    flag(r, o, "repair", &s->repair);
    flag(r, o, "withinWindow", &s->window);
    read_trial(r, &s->trial);
    if (!state_rehearsal_read(json_get(o, "rehearsal"), &s->rehearsal)) wrong(r, o, "rehearsal");
    flag(r, o, "learned", &s->learned);
    s->learned_errors = (uint64_t)number(r, o, "learnedErrors", 0, INT64_C(1) << 53, 0);
    s->learned_total = (uint64_t)number(r, o, "learnedTotal", 0, INT64_C(1) << 53, 0);
    if (!s->learned) return;
    if (judge_param_read(json_get(o, "param"), &s->param, NULL) < 0) wrong(r, o, "param");
    if (judge_read(json_get(o, "judge"), &s->judge, NULL) < 0) wrong(r, o, "judge");
    if (evidence_read(json_get(o, "evidence"), &s->evidence, NULL) < 0) wrong(r, o, "evidence");
    const cJSON *signals = json_get(o, "signals"); /* none in an earlier version */
    if (signals && signals_read(signals, &s->signals, NULL) < 0) wrong(r, o, "signals");
}

static void read_state(struct reader *r, struct state *s) {
    const cJSON *o = r->obj;
    if (number(r, o, "version", 1, INT32_MAX, 0) == 0) wrong(r, r->obj, "version");
    if (!json_get(o, "phase")) wrong(r, o, "phase");
    s->phase = (enum phase)name(r, o, "phase", state_phases, PHASES, PHASE_IDLE);
    moment(r, o, "since", &s->since_ns);
    s->hold = (enum hold)name(r, o, "hold", state_holds, HOLDS, HOLD_NONE);
    moment(r, o, "holdSince", &s->hold_ns);
    text(r, o, "message", &s->message);
    s->pds_restored = (uint32_t)number(r, o, "deadlineRestored", 0, INT32_MAX, 0);
    s->unpaused = (uint32_t)number(r, o, "unpaused", 0, STATE_UNPAUSED_OFTEN, 0);
    moment(r, o, "unpausedAt", &s->unpaused_ns);
    read_rollout(r, s);
    read_slice(r, &s->slice);
    flag(r, o, "reported", &s->reported);
    read_consumed(r, s);
    read_history(r, s);
    read_changes(r, s);
    s->generation = number(r, o, "generation", 0, INT64_C(1) << 53, 0);
    moment(r, o, "writtenAt", &s->written_ns);
    s->extra_state = unknown(o, state_members);
}

/* What the phases rely on. */
static void check(struct reader *r, const struct state *s) {
    r->fits_not = true;
    bool adopted = s->phase != PHASE_IDLE, trial = state_on_trial(s);
    if (adopted && s->phase != PHASE_RELEASING && !s->stable_uid) wrong(r, r->obj, "phase");
    bool promotes = s->phase == PHASE_PROMOTING && !s->repair,
         back = s->phase == PHASE_ROLLED_BACK || s->phase == PHASE_ROLLING_BACK;
    if ((trial || promotes || back) && !s->hash[0]) wrong(r, r->obj, "hash");
    if (trial && (!s->began_ns || !s->canary)) wrong(r, r->obj, "canary");
    if (s->phase == PHASE_REHEARSING && !s->rehearsal.key[0]) wrong(r, r->obj, "rehearsal");
    if (s->phase == PHASE_SOAKING && !s->learned) wrong(r, r->obj, "learned");
}

static int document(const cJSON *cm, const char *key, cJSON **ret, struct err *err) {
    const char *raw = json_str(json_get(cm, "data"), key);
    if (!raw) return err_set(err, ERR_CONFIG, -EINVAL, "data.%s is missing", key);
    if (strlen(raw) > STATE_MAX_TEXT)
        return err_set(err, ERR_CONFIG, -E2BIG, "data.%s is longer than %d bytes", key, STATE_MAX_TEXT);
    struct err e = {0};
    cJSON *v = json_parse(slice_of(raw), &e);
    if (!v) return err_set(err, ERR_CONFIG, -EINVAL, "data.%s: %s", key, e.msg);
    if (!cJSON_IsObject(v)) {
        cJSON_Delete(v);
        return err_set(err, ERR_CONFIG, -EINVAL, "data.%s is no JSON object", key);
    }
    *ret = v;
    return 0;
}

int state_read(const cJSON *cm, struct state *ret, struct err *err) {
    cleanup_json cJSON *facts = NULL, *doc = NULL;
    cleanup_state struct state s;
    state_init(&s);
    int rc = document(cm, "facts", &facts, err);
    if (rc == 0) rc = document(cm, "state", &doc, err);
    if (rc < 0) return rc;
    struct reader r = {.doc = "facts", .obj = facts};
    read_facts(&r, &s);
    if (!r.bad) {
        r = (struct reader){.doc = "state", .obj = doc};
        read_state(&r, &s);
        if (!r.bad) check(&r, &s);
    }
    if (r.bad) return complain(&r, err);
    *ret = s;
    state_init(&s); /* given away */
    return 0;
}

static const char *owner_uid(const cJSON *cm, const char *id) {
    const cJSON *ref, *refs = json_arr(json_get(cm, "metadata"), "ownerReferences");
    cJSON_ArrayForEach(ref, refs) {
        if (!strcmp(json_str_or(ref, "kind", ""), workload_of(id)->gvr->kind) &&
            !strcmp(json_str_or(ref, "name", ""), workload_name(id)))
            return json_str(ref, "uid");
    }
    return NULL;
}

enum known_state state_take(const cJSON *cm, const char *id, struct state *ret, struct err *err) {
    const char *by = obj_label(cm, "app.kubernetes.io/managed-by"), *uid = owner_uid(cm, id);
    if (!by || strcmp(by, "handover") != 0 || !uid) {
        if (uid)
            err_set(err, ERR_CONFIG, -EEXIST, "it has no label app.kubernetes.io/managed-by=handover");
        else
            err_set(err, ERR_CONFIG, -EEXIST, "it has no owner that is this %s", workload_of(id)->gvr->kind);
        return STATE_FOREIGN;
    }
    struct state s = {0};
    if (state_read(cm, &s, err) < 0) return STATE_DAMAGED;
    if (!s.target_uid || strcmp(s.target_uid, uid) != 0) {
        err_set(err, ERR_CONFIG, -EINVAL, "data.facts: targetUID: read %.80s, but the owner is %.80s",
                s.target_uid ? s.target_uid : "nothing", uid);
        state_free(&s);
        return STATE_DAMAGED;
    }
    *ret = s;
    return STATE_READ;
}
