/* The state: through text and back, damaged, of a later version; its bounded lists. */
#include "../case.h"
#include "../each.h"
#include "plan/state.h"
#include "base/rand.h"
#include "base/time.h"

#define T0 (INT64_C(1795457793) * NS_PER_S)

static void sample(struct state *s) {
    state_init(s);
    s->target_uid = xstrdup("1234-uid");
    s->stable_name = xstrdup("op-abc");
    s->stable_uid = xstrdup("rs-uid");
    memcpy(s->stable_hash, "bcdfghjklm", 11);
    s->paused = true;
    s->deadline_s = 600;
    state_quarantine_add(s, "zzzz", T0, "3 of 3 failed \"\n\xe2\x82\xac");
    s->phase = PHASE_SOAKING;
    s->since_ns = T0 + 1000;
    s->hold = HOLD_NO_DATA;
    s->hold_ns = T0 + 5000;
    s->message = xstrdup("no metrics");
    memcpy(s->hash, "qrst", 5);
    s->canary = xstrdup("op-canary-qrst");
    s->image = xstrdup("op:v2");
    s->step = 1;
    s->percent = 20;
    s->began_ns = T0;
    s->soak_from_ns = T0 + 2000;
    s->shift_ns = 123456789012345;
    s->unready_ns = T0 + 3000;
    s->shrink_ns = T0 + 4000;
    s->was_ready = s->pause_asked = true;
    s->ending = ENDED_FAILED;
    s->reason = xstrdup("why");
    s->learned = true;
    s->learned_errors = 3;
    s->learned_total = 500;
    s->best_updated = 2;
    s->progress_ns = T0 + 6000;
    s->written_ns = T0 + 7000;
    judge_feed(&s->judge, &s->param, &(struct judge_counts){1, 3, 2, 20, 0, 0, 0});
    judge_feed_controller(&s->judge, &s->param, "widget", &(struct judge_counts){1, 2, 2, 10, 0, 1, 0});
    evidence_begin(&s->evidence, T0);
    struct pod_sample p = {
        .uid = SL("pod"), .track = TRACK_CANARY, .scraped = true, .present = true, .errors = 1, .total = 3};
    struct evidence_delta d;
    evidence_round(&s->evidence, T0, 60 * NS_PER_S, &p, 1, &d);
    s->rehearsal = (struct state_rehearsal){.key = "0123456789abcdef0123456789abcdef",
                                            .run = INT64_MAX,
                                            .from_ns = T0 + 1500,
                                            .digest = "fedcba9876543210",
                                            .line = xstrdup("2 objects \"created\""),
                                            .empty = true,
                                            .full = true,
                                            .alone = true,
                                            .over = true,
                                            .approved = "0"};
    s->rehearsal.count[REPORT_CREATES] = 2;
    s->reported = true;
    s->rehearsal.count[REPORT_HOT] = INT64_C(1) << 53;
    state_history_add(s, ENDED_PROMOTED, T0 + 8000);
    state_consume(s, ACTION_PAUSE, "qrst@1");
    state_consume(s, ACTION_RETRY, "zzzz");
    state_consume(s, ACTION_ABORT, "");
    state_consume(s, ACTION_APPROVE, "fedcba9876543210@1");
    s->consumed[0].removing = false;
}

/* Either may be NULL, and is written with ' for ". */
static cJSON *configmap(const char *facts, const char *state) {
    cJSON *cm = cJSON_CreateObject(), *data = cJSON_AddObjectToObject(cm, "data");
    cleanup_free char *f = quoted(xstrdup(facts ? facts : "")), *s = quoted(xstrdup(state ? state : ""));
    if (facts) cJSON_AddStringToObject(data, "facts", f);
    if (state) cJSON_AddStringToObject(data, "state", s);
    return cm;
}

static cJSON *as_configmap(const struct state *s) {
    cleanup_buf struct buf f = BUF(STATE_MAX_TEXT), t = BUF(STATE_MAX_TEXT);
    state_write_facts(s, &f);
    state_write(s, &t);
    return configmap(buf_str(&f), buf_str(&t));
}

/* What the text lacks cannot differ in it. */
static void assert_rehearsal(const struct state_rehearsal *a, const struct state_rehearsal *b) {
    assert_true(a->run == b->run && a->from_ns / 1000 == b->from_ns / 1000 && a->over == b->over);
    assert_true(a->empty == b->empty && a->full == b->full && a->alone == b->alone);
    assert_string_equal(a->key, b->key);
    assert_string_equal(a->digest, b->digest);
    assert_string_equal(a->approved, b->approved);
    assert_memory_equal(a->count, b->count, sizeof a->count);
}

static void assert_round_trip(const struct state *s) {
    cleanup_json cJSON *cm = as_configmap(s);
    cleanup_state struct state back;
    struct err e = {0};
    state_init(&back);
    if (state_read(cm, &back, &e) < 0) fail_msg("%s in %s", e.msg, json_str(json_get(cm, "data"), "state"));
    assert_true(state_same(s, &back));
    assert_true(s->written_ns == back.written_ns);
    assert_memory_equal(&s->judge.all, &back.judge.all, sizeof s->judge.all);
    assert_int_equal(s->judge.n, back.judge.n);
    assert_rehearsal(&s->rehearsal, &back.rehearsal);
    cleanup_state struct state copy;
    state_copy(&back, &copy);
    assert_true(state_same(&copy, s));
}

CASE(round_trip) {
    cleanup_state struct state s;
    sample(&s);
    assert_round_trip(&s);
    cleanup_state struct state empty;
    state_init(&empty);
    empty.target_uid = xstrdup("u");
    assert_round_trip(&empty);
    assert_false(state_same(&s, &empty));
    cleanup_state struct state other;
    state_copy(&s, &other);
    other.written_ns = 1;
    assert_true(state_same(&s, &other));
    other.step = 0;
    assert_false(state_same(&s, &other));
}

CASE(every_phase_and_hold) {
    cleanup_state struct state s;
    sample(&s);
    for (int p = 0; p < PHASES; p++) {
        for (int h = 0; h < HOLDS; h++) {
            s.phase = (enum phase)p;
            s.hold = (enum hold)h;
            s.ending = (enum ended)(h % ENDEDS);
            assert_round_trip(&s);
        }
    }
}

/* what the first version wrote must be readable, and is written so, for ever */
CASE(facts_are_frozen) {
    static const char facts[] =
        "{'version':1,'targetUID':'1234-uid','stable':{'hash':'bcdfghjklm','name':'op-abc','uid':'rs-uid'},"
        "'paused':true,'progressDeadlineSeconds':600,'quarantine':[{'hash':'zzzz',"
        "'at':'2026-11-23T18:16:33.000000Z','reason':'3 of 3 failed \\'\\n\xe2\x82\xac'}]}";
    cleanup_state struct state s;
    sample(&s);
    cleanup_buf struct buf b = BUF(STATE_MAX_TEXT);
    state_write_facts(&s, &b);
    cleanup_free char *want = quoted(xstrdup(facts));
    assert_string_equal(buf_str(&b), want);
}

CASE(later_version) {
    cleanup_json cJSON *cm =
        configmap("{'version':2,'targetUID':'u','epoch':{'n':[1,2]},"
                  "'stable':{'name':'a','uid':'b','hash':'c','more':1}}",
                  "{'version':7,'phase':'Stable','slices':'x','consumed':[{'action':'abort'}]}");
    cleanup_state struct state s, copy;
    state_init(&s);
    assert_int_equal(state_read(cm, &s, NULL), 0);
    assert_string_equal(s.consumed[0].value, ""); /* an earlier version left an empty value out */
    state_copy(&s, &copy);
    cleanup_json cJSON *again = as_configmap(&copy);
    assert_non_null(strstr(json_str(json_get(again, "data"), "facts"), "\"epoch\":{\"n\":[1,2]}"));
    assert_non_null(strstr(json_str(json_get(again, "data"), "state"), "\"slices\":\"x\""));
}

/* As an earlier version named phases, holds and ends. */
CASE(earlier_names) {
    static const struct {
        const char *phase, *hold, *ended;
        enum phase want_phase;
        enum hold want_hold;
        enum ended want_ended;
    } v[] = {{"Withdrawing", "ForeignChange", "withdrawn", PHASE_CANCELLING, HOLD_UNMANAGED, ENDED_CANCELLED},
             {"Leaving", "LeavingRefused", "foreign", PHASE_RELEASING, HOLD_REFUSED, ENDED_UNMANAGED},
             {"Stable", "Disagreement", "stuck", PHASE_STABLE, HOLD_CONFLICT, ENDED_STUCK},
             {"Soaking", "OutsideTrouble", "failed", PHASE_SOAKING, HOLD_UNSCHEDULABLE, ENDED_FAILED},
             {"Soaking", "PausedByPerson", "failed", PHASE_SOAKING, HOLD_PAUSED_BY_USER, ENDED_FAILED},
             {"Stable", "NativeRollout", "failed", PHASE_STABLE, HOLD_ROLLOUT, ENDED_FAILED}};
    cleanup_state struct state s;
    sample(&s);
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        cleanup_json cJSON *cm = as_configmap(&s);
        cJSON *data = cJSON_GetObjectItemCaseSensitive(cm, "data");
        cleanup_json cJSON *doc = json_parse(slice_of(json_str(data, "state")), NULL);
        cJSON_ReplaceItemInObjectCaseSensitive(doc, "phase", cJSON_CreateString(v[i].phase));
        cJSON_ReplaceItemInObjectCaseSensitive(doc, "hold", cJSON_CreateString(v[i].hold));
        cJSON_ReplaceItemInObjectCaseSensitive(doc, "ending", cJSON_CreateString(v[i].ended));
        cleanup_free char *text = json_print(doc);
        cJSON_ReplaceItemInObjectCaseSensitive(data, "state", cJSON_CreateString(text));
        cleanup_state struct state got;
        state_init(&got);
        assert_int_equal(state_read(cm, &got, NULL), 0);
        assert_true(got.phase == v[i].want_phase && got.hold == v[i].want_hold &&
                    got.ending == v[i].want_ended);
    }
}

CASE(damaged) {
#define GOOD   "{'version':1,'targetUID':'u','stable':{'name':'a','uid':'b','hash':'c'}}"
#define ABOUT  "{'version':1,'targetUID':'u'"
#define STABLE "{'version':1,'phase':'Stable'"
    static const struct {
        const char *facts, *state, *why;
    } v[] = {
        {NULL, "{}", "data.facts is missing"},
        {GOOD, NULL, "data.state is missing"},
        {"", "{}", "data.facts: "},
        {GOOD, "{'version':1,", "data.state: "},
        {GOOD, "[]", "data.state is no JSON object"},
        {"{}", "{}", "data.facts: version is missing"},
        {"{'version':1}", "{}", "data.facts: targetUID is missing"},
        {ABOUT ",'stable':{}}", "{}", "data.facts: stable: read {}, which is not allowed there"},
        {ABOUT ",'stable':{'name':'a','uid':'b','hash':'UPPER'}}", "{}",
         "data.facts: hash: read 'UPPER', which is not allowed there"},
        {ABOUT ",'quarantine':{}}", "{}", "data.facts: quarantine: read {}"},
        {ABOUT ",'quarantine':[7]}", "{}", "data.facts: quarantine"},
        {ABOUT ",'paused':1}", "{}", "data.facts: paused"},
        {GOOD, "{'version':1}", "data.state: phase is missing"},
        {GOOD, "{'version':1,'phase':'Dancing'}", "data.state: phase: read 'Dancing'"},
        {GOOD, STABLE ",'hold':'Tea'}", "data.state: hold"},
        {GOOD, STABLE ",'since':'yesterday'}", "data.state: since"},
        {GOOD,
         "{'version':1,'phase':'Soaking','hash':'h','startedAt':'2026-11-23T18:16:33Z',"
         "'canary':'c'}",
         "data.state: learned"},
        {GOOD, "{'version':1,'phase':'Starting','hash':'h'}", "data.state: canary"},
        {GOOD, "{'version':1,'phase':'RolledBack'}", "data.state: hash"},
        {GOOD, "{'version':1,'phase':'Promoting'}", "data.state: hash"},
        {GOOD, STABLE ",'learned':true}", "data.state: param"},
        {GOOD, STABLE ",'consumed':[{'action':'dance'}]}", "data.state: action"},
        {GOOD, STABLE ",'shiftNs':'-1'}", "data.state: shiftNs"},
        {GOOD, STABLE ",'step':1e9}", "data.state: step"},
        {GOOD, STABLE ",'slice':{'stage':'Held'}}", "data.state: slice"},
        {GOOD, STABLE ",'hash':'h','rehearsal':{}}", "data.state: rehearsal"},
        {GOOD, STABLE ",'hash':'h','rehearsal':{'key':'no hex'}}", "data.state: rehearsal"},
        {GOOD, STABLE ",'hash':'h','rehearsal':{'key':'a','run':'-1'}}", "data.state: rehearsal"},
        {GOOD, STABLE ",'hash':'h','rehearsal':{'key':'a','counts':{'pods':-1}}}", "data.state: rehearsal"},
        {GOOD, STABLE ",'hash':'h','rehearsal':{'key':'a','over':true}}", "data.state: rehearsal"},
        {GOOD,
         "{'version':1,'phase':'Rehearsing','hash':'h','startedAt':'2026-11-23T18:16:33Z','canary':'c'}",
         "data.state: rehearsal is missing"},
        {GOOD, STABLE ",'approvals':7}", "data.state: approvals"},
        {GOOD, STABLE ",'slice':{'resource':'../pods'}}", "data.state: slice"},
        {GOOD, STABLE ",'slice':{'resource':'a.v1','stage':'Tea'}}", "data.state: stage"},
        {ABOUT "}", STABLE "}", "data.state: phase: read 'Stable', which does not go with the rest"},
    };
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        cleanup_free char *why = quoted(xstrdup(v[i].why));
        cleanup_json cJSON *cm = configmap(v[i].facts, v[i].state);
        struct state s = {.step = 77};
        struct err e = {0};
        assert_int_not_equal(state_read(cm, &s, &e), 0);
        assert_int_equal(e.kind, ERR_CONFIG);
        if (strncmp(e.msg, why, strlen(why))) fail_msg("%s is not %s", e.msg, why);
        assert_int_equal(s.step, 77);
    }
    struct state s;
    assert_int_not_equal(state_read(NULL, &s, NULL), 0);
}

/* A version that knows nothing of rehearsals finds no action that it does not know, and no member that it cannot carry through. A
 * rehearsal that goes on it does not touch: no phase has that name. */
CASE(what_an_earlier_version_reads) {
    cleanup_state struct state s;
    sample(&s);
    cleanup_json cJSON *cm = as_configmap(&s);
    cleanup_json cJSON *doc = json_parse(slice_of(json_str(json_get(cm, "data"), "state")), NULL);
    const cJSON *c;
    cJSON_ArrayForEach(c, json_arr(doc, "consumed"))
        assert_string_not_equal(json_str(c, "action"), "approve");
    assert_int_equal(cJSON_GetArraySize(json_arr(doc, "approvals")), 1);
    assert_non_null(state_consumed(&s, ACTION_APPROVE, "fedcba9876543210@1"));
}

CASE(random_damage) {
    cleanup_state struct state s;
    sample(&s);
    cleanup_json cJSON *cm = as_configmap(&s);
    const char *facts = json_str(json_get(cm, "data"), "facts"),
               *text = json_str(json_get(cm, "data"), "state");
    for (uint64_t seed = 1; seed <= 3000; seed++) {
        struct rng rng = {seed};
        char *f = xstrdup(facts), *t = xstrdup(text);
        if (rng_below(&rng, 2)) f[rng_below(&rng, strlen(f))] = "{}[]\",:0-xe9"[rng_below(&rng, 12)];
        for (uint64_t k = 1 + rng_below(&rng, 3); k > 0; k--)
            t[rng_below(&rng, strlen(t))] = "{}[]\",:0-xe9"[rng_below(&rng, 12)];
        cleanup_json cJSON *bad = configmap(f, t);
        cleanup_state struct state got;
        state_init(&got);
        if (state_read(bad, &got, NULL) == 0) assert_round_trip(&got);
        free(f);
        free(t);
    }
}

CASE(bounded_lists) {
    cleanup_state struct state s;
    sample(&s);
    for (int i = 0; i < 50; i++) {
        char text[16];
        snprintf(text, sizeof text, "h%d", i);
        state_quarantine_add(&s, text, T0 + i * 1000, text);
        state_quarantine_add(&s, text, T0 + i * 1000, "again");
        memcpy(s.hash, text, 11);
        state_history_add(&s, ENDED_FAILED, T0 + i * 1000);
        state_consume(&s, ACTION_ABORT, text);
        state_consume(&s, ACTION_ABORT, text);
    }
    assert_true(s.nquarantine == STATE_MAX_QUARANTINE && s.nhistory == STATE_MAX_HISTORY &&
                s.nconsumed == STATE_MAX_CONSUMED);
    const struct state_quarantine *q;
    assert_true(state_quarantined(&s, "h49", &q) && !strcmp(q->reason, "again"));
    assert_true(state_quarantined(&s, "h30", NULL) && !state_quarantined(&s, "h29", NULL));
    assert_string_equal(s.history[0].hash, "h49");
    assert_true(state_consumed(&s, ACTION_ABORT, "h49") && !state_consumed(&s, ACTION_ABORT, "h1") &&
                !state_consumed(&s, ACTION_PAUSE, "h49"));
    state_quarantine_remove(&s, "h40");
    assert_false(state_quarantined(&s, "h40", NULL));
    assert_round_trip(&s);
}

/* Whose ConfigMap is it? */
CASE(taken_only_if_ours) {
#define OWNER "\"ownerReferences\":[{\"kind\":\"Deployment\",\"name\":\"%s\",\"uid\":\"%s\"}]"
    static const struct {
        const char *label, *owner, *uid;
        enum known_state want;
    } v[] = {{"handover", "op", "1234-uid", STATE_READ},
             {"Helm", "op", "1234-uid", STATE_FOREIGN},
             {"handover", "other", "1234-uid", STATE_FOREIGN},
             {"handover", "op", "another",
              STATE_DAMAGED}}; /* facts.targetUID is of another object than the owner */
    cleanup_state struct state s;
    sample(&s);
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        cleanup_json cJSON *cm = as_configmap(&s);
        cleanup_free char *meta =
            xasprintf("{\"labels\":{\"app.kubernetes.io/managed-by\":\"%s\"}," OWNER "}", v[i].label,
                      v[i].owner, v[i].uid);
        cJSON_AddItemToObject(cm, "metadata", json_parse(slice_of(meta), NULL));
        cleanup_state struct state got;
        struct err e = {0};
        state_init(&got);
        assert_int_equal(state_take(cm, "op", &got, &e), v[i].want);
        assert_int_equal(e.kind == ERR_NONE, v[i].want == STATE_READ);
    }
}

CASE(names) {
    cleanup_free char *a = obs_state_name("op");
    assert_string_equal(a, "op-handover");
    char longest[254];
    memset(longest, 'a', 253);
    longest[253] = '\0';
    longest[243] = '.';
    cleanup_free char *b = obs_state_name(longest);
    assert_true(strlen(b) == 253 && !strcmp(b + 244, "-handover"));
    longest[250] = 'b'; /* beyond the cut */
    cleanup_free char *other = obs_state_name(longest), *again = obs_state_name(longest);
    assert_string_not_equal(b, other);
    assert_string_equal(other, again);
}

CASES("rollout/state")
