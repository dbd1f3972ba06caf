/* What `explain` says of a target: the very lines on 80 columns, what happens next in each phase, the JSON's shape. */
#include "../case.h"
#include "explain.h"
#include "base/json.h"
#include "base/time.h"

#define NOW_NS (INT64_C(1795458000) * NS_PER_S) /* 2026-11-23T18:20:00Z */

/* A rollout under way; what is not owned by anybody is set here and taken away in drop(). */
struct scene {
    struct status_row row;
    struct explain e;
};

#define TEMPLATE(v) "{\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"r.example/widget:" v "\"}]}}"
static char ns[] = "default", name[] = "widget", v1[] = "r.example/widget:v1", v2[] = "r.example/widget:v2",
            tmpl_v1[] = TEMPLATE("v1"), tmpl_v2[] = TEMPLATE("v2");

static void set(struct scene *x) {
    *x = (struct scene){.row = {.ns = ns,
                                .name = name,
                                .image = v2,
                                .stable_image = v1,
                                .stable_tmpl = tmpl_v1,
                                .replicas = 4,
                                .ready = 4,
                                .opted_in = true,
                                .managed = true,
                                .has_state = true,
                                .named = true,
                                .steps = 2,
                                .target = {.hash = "qrst", .tmpl = tmpl_v2}}};
    cleanup_json cJSON *notes = json_parse(SL("{\"handover.dev/canary-percent\":\"20,50\"}"), NULL);
    struct state *s = &x->row.state;
    assert_int_equal(spec_parse(notes, &x->row.spec, NULL), 0);
    state_init(s);
    s->phase = PHASE_SOAKING;
    s->step = 1;
    s->percent = 50;
    s->learned = true;
    s->learned_errors = 2;
    s->learned_total = 1874;
    (void)snprintf(s->hash, sizeof s->hash, "qrst");
    (void)snprintf(s->stable_hash, sizeof s->stable_hash, "bcdf");
    s->canary = xstrdup("widget-canary-qrst");
    s->message = xstrdup("writes: 600 writes in 800 reconciles; stable 0 in 800");
    s->since_ns = s->soak_from_ns = s->began_ns = NOW_NS - 90 * NS_PER_S;
    s->written_ns = NOW_NS - 20 * NS_PER_S;
    s->param.theta = 0.012;
    for (unsigned i = 0; i < 20; i++)
        judge_feed(&s->judge, &s->param, &(struct judge_counts){0, 1, 0, 9, 0, 0, 0});
    x->e.row = &x->row;
    x->e.pods[x->e.npods++] =
        (struct explain_pod){.name = xstrdup("widget-canary-qrst-1"), .node = xstrdup("n1"), .ready = true};
    x->e.pods[x->e.npods++] = (struct explain_pod){.name = xstrdup("widget-canary-qrst-2"),
                                                   .trouble = xstrdup("0/3 nodes are available"),
                                                   .restarts = 1};
}

static void drop(struct scene *x) {
    state_free(&x->row.state);
    spec_free(&x->row.spec);
    for (size_t i = 0; i < x->e.npods; i++) {
        free(x->e.pods[i].name);
        free(x->e.pods[i].node);
        free(x->e.pods[i].trouble);
    }
}
#define EXPLAINED(name) CASE_WITH(struct scene, x, set, drop, name)

static void signal_pair(struct signals *s, enum signal which, enum signal_pair pair, uint64_t x, uint64_t n) {
    struct signals_look l = {.pods = {1, 1}, .total = {n, n}};
    l.pair[pair][TRACK_CANARY] = (struct signals_counts){true, x, n};
    l.pair[pair][TRACK_STABLE] = (struct signals_counts){true, 0, n};
    for (int i = 0; i < 20; i++) signals_feed(s, &l);
    assert_true(s->present & UINT64_C(1) << which);
}

static const char page[] =
    "default/widget: Soaking since 18:18:30Z (1m30s ago)\n"
    "    widget:v1 -> widget:v2, template qrst, 4 of 4 pods ready\n"
    "Held: SignalRaised since 18:19:48Z (12s ago)\n"
    "    writes: 600 writes in 800 reconciles; stable 0 in 800\n"
    "Evidence, as of 18:19:40Z (20s ago)\n"
    "    step 2 of 2: wanted 50 %, got 50 % of 8 pods; watched for 1m30s of 5m, 3m30s\n"
    "      remain\n"
    "    canary 0 errors of 20 (0.0 %, at most 79.5 %)   stable 0 of 180 (0.0 %)\n"
    "      tolerated 1.2 %\n"
    "    the tolerated rate was learned: stable had 2 errors of 1874 reconciles\n"
    "      before\n"
    "    odds that it is bad: 1 to 3, rolled back at 100 to 1; 30 more clean\n"
    "      reconciles would pass it\n"
    "    watching: 0 of 20 reconciles failed so far\n"
    "Signals beside errors\n"
    "    work: quiet: a canary pod reconciles 1 times as often as a pod of stable\n"
    "      (800 reconciles, stable 800)\n"
    "    stuck: no metrics, so it does not count\n"
    "    writes: speaks against it, holds and asks: 600 writes in 800 reconciles;\n"
    "      stable 0 in 800\n"
    "    latency: off\n"
    "    panics: no metrics, so it does not count\n"
    "    webhooks: no metrics, so it does not count\n"
    "    api: no metrics, so it does not count\n"
    "    memory: no metrics, so it does not count\n"
    "    oom: quiet: 0 containers of the canary were OOM killed; 0 of stable\n"
    "    leadership: no metrics, so it does not count\n"
    "    guards that are off: crashes, readiness\n"
    "What happens next\n"
    "    goes on when the signal ends. If it is meant: handover promote\n"
    "      deployment/widget -n default\n"
    "    if it is not: handover abort deployment/widget -n default\n"
    "    19:18:30Z (in 58m30s): at the deadline, without a verdict: held, and a\n"
    "      person decides (on-inconclusive: pause)\n"
    "Canary pods, of ReplicaSet widget-canary-qrst\n"
    "    widget-canary-qrst-1 on n1: ready, 0 restarts\n"
    "    widget-canary-qrst-2 on no node: not ready, 1 restart; 0/3 nodes are\n"
    "      available\n"
    "Template, stable -> new\n"
    "    spec.containers[c].image: \"r.example/widget:v1\" -> \"r.example/widget:v2\"\n";

EXPLAINED(the_page_fits_80_columns) {
    cleanup_buf struct buf out = BUF(1 << 16);
    x->row.state.hold = HOLD_SIGNAL;
    x->row.state.hold_ns = NOW_NS - 12 * NS_PER_S;
    x->row.spec.signal[SIGNAL_LATENCY] = SIGNAL_OFF;
    x->row.spec.guard[GUARD_CRASHES] = x->row.spec.guard[GUARD_READINESS] = false;
    signal_pair(&x->row.state.signals, SIGNAL_WRITES, PAIR_WRITES, 30, 40);
    explain_text(&x->e, &(struct table_style){.width = 80}, NOW_NS, &out);
    assert_string_equal(buf_str(&out), page);
}

EXPLAINED(names_of_any_length_fit) {
    static char long_name[] = "a-very-long-name-of-an-operator-that-somebody-gave-it-once-and-nobody-changed";
    cleanup_buf struct buf out = BUF(1 << 16);
    x->row.name = long_name;
    explain_text(&x->e, &(struct table_style){.width = 80}, NOW_NS, &out);
    assert_has(buf_str(&out), "nobody-changed: Soaking since 18:18:30Z (1m30s ago)\n");
    for (const char *line = buf_str(&out); *line; line += strcspn(line, "\n") + 1) {
        size_t n = strcspn(line, "\n");
        if (n > 80) print_error("%.*s\n", (int)n, line);
        assert_true(n <= 80);
    }
}

static const struct {
    enum phase phase;
    enum hold hold;
    const char *says[3];
} nexts[] = {
    {PHASE_REHEARSING,
     HOLD_NONE,
     {"it is rehearsed for 300s when its pods are ready; then its canary", "held, and a person"}},
    {PHASE_REHEARSING,
     HOLD_APPROVAL,
     {"a person approves what it would change, then its canary starts: handover approve", "promote",
      "abort"}},
    {PHASE_REHEARSING, HOLD_NO_DATA, {"goes on by itself", "at the deadline, without a verdict"}},
    {PHASE_STARTING,
     HOLD_NONE,
     {"it is watched for 300s when all its pods are ready; then it is promoted",
      "held, and a person decides"}},
    {PHASE_SOAKING, HOLD_PAUSED_BY_USER, {"goes on when a person says so: ", NULL}},
    {PHASE_SOAKING, HOLD_UNSCHEDULABLE, {"when the cause is gone", "at the deadline, without a verdict"}},
    {PHASE_SOAKING, HOLD_INCONCLUSIVE, {"resume", "promote", "abort"}},
    {PHASE_SOAKING,
     HOLD_APPROVAL,
     {"lets it go on, then it is promoted: handover resume", "promote", "abort"}},
    {PHASE_SOAKING, HOLD_CHECK, {"at the deadline, without a verdict"}},
    {PHASE_PROMOTING, HOLD_NONE, {"rolled back if that stands still for 600 s"}},
    {PHASE_ROLLED_BACK, HOLD_NONE, {"retry", "promote"}},
    {PHASE_STABLE, HOLD_NONE, {"a rollout of spec.template begins"}},
    {PHASE_RELEASING, HOLD_NONE, {"given back"}},
};

EXPLAINED(checks_and_what_they_said_last) {
    static char url[] = "https://ok/", words[] = "not before noon";
    struct state *s = &x->row.state;
    struct explain_next next[EXPLAIN_NEXT];
    x->row.spec.check = url;
    s->hold = HOLD_NONE;
    assert_true(explain_next(&x->row, NOW_NS, next) > 0);
    assert_has(next[0].text, "then its checks are asked (check, check-query)");
    s->check_ns = NOW_NS - NS_PER_S;
    s->check[CHECK_URL] = (struct state_check){.of = 7};
    assert_int_equal(explain_next(&x->row, NOW_NS, next), 2);
    assert_string_equal(next[0].text, "check is being asked; then it is promoted");
    s->hold = HOLD_CHECK;
    s->check[CHECK_URL] = (struct state_check){.of = 7,
                                               .says = CHECK_WAIT,
                                               .message = words,
                                               .at_ns = NOW_NS,
                                               .next_ns = NOW_NS + 9 * NS_PER_S,
                                               .asked = 2};
    x->row.spec.on_inconclusive = INCONCLUSIVE_PROMOTE;
    assert_int_equal(explain_next(&x->row, NOW_NS, next), 2);
    assert_string_equal(next[0].text, "check is asked again; then it is promoted");
    assert_int_equal(next[0].at_ns, NOW_NS + 9 * NS_PER_S);
    assert_has(next[1].text, "held, and a person decides");
    cleanup_buf struct buf text = BUF(1 << 16), json = BUF(1 << 16);
    explain_text(&x->e, &(struct table_style){.width = 120}, NOW_NS, &text);
    assert_has(buf_str(&text), "Checks\n    check: wait at ");
    assert_has(buf_str(&text), ", answer 2: not before noon\n");
    explain_json(&x->e, NOW_NS, &json);
    assert_has(
        buf_str(&json),
        "\"checks\":[{\"name\":\"check\",\"answers\":2,\"says\":\"wait\",\"message\":\"not before noon\"");
    s->check[CHECK_URL].message = NULL;
    x->row.spec.check = NULL;
}

EXPLAINED(what_happens_next_in_each_phase) {
    struct state *s = &x->row.state;
    x->row.spec.rehearse_ns = 300 * NS_PER_S;
    for (size_t i = 0; i < ARRAY_LEN(nexts); i++) {
        struct explain_next next[EXPLAIN_NEXT];
        s->phase = nexts[i].phase;
        x->row.spec.rehearse_ns = 300 * NS_PER_S;
        s->hold = nexts[i].hold;
        s->soak_from_ns = s->phase == PHASE_STARTING ? 0 : s->began_ns;
        size_t n = explain_next(&x->row, NOW_NS, next);
        for (size_t k = 0; k < ARRAY_LEN(nexts[i].says) && nexts[i].says[k]; k++) {
            assert_true(k < n);
            assert_has(next[k].text, nexts[i].says[k]);
        }
        if (s->hold == HOLD_PAUSED_BY_USER) assert_int_equal(n, 1); /* no deadline runs */
    }
    s->phase = PHASE_STABLE;
    s->hold = HOLD_NONE;
    (void)snprintf(s->stable_hash, sizeof s->stable_hash, "qrst");
    struct explain_next next[EXPLAIN_NEXT];
    assert_int_equal(explain_next(&x->row, NOW_NS, next), 1);
    assert_has(next[0].text, "nothing, until spec.template changes");
}

/* In mode leader it is the canary's turns that are watched. */
EXPLAINED(turns_are_shown_and_counted) {
    struct state *s = &x->row.state;
    struct explain_next next[EXPLAIN_NEXT];
    cleanup_buf struct buf out = BUF(1 << 16), json = BUF(1 << 16);
    s->param.soak_ns = 150 * NS_PER_S;
    s->param.min_soak_ns = 75 * NS_PER_S;
    s->trial = (struct trial){.step = TRIAL_LEADS,
                              .lease = xstrdup("widget"),
                              .lease_ns = 15 * NS_PER_S,
                              .n = 2,
                              .led_ns = 70 * NS_PER_S,
                              .since_ns = NOW_NS - 20 * NS_PER_S};
    explain_text(&x->e, &(struct table_style){.width = 80}, NOW_NS, &out);
    assert_has(buf_str(&out), "50 % of the time: they lead by turns, by Lease widget\n");
    assert_has(buf_str(&out), "the canary leads, stable stands by; in 2 trials the canary has led for");
    explain_next(&x->row, NOW_NS, next);
    assert_true(next[0].at_ns == NOW_NS + 60 * NS_PER_S); /* 90 of 150 s */
    s->trial.step = TRIAL_STANDBY;
    explain_next(&x->row, NOW_NS, next);
    assert_has(next[0].text,
               "the canary leads after stable's turn; it passes when it has led for 150s altogether");
    explain_json(&x->e, NOW_NS, &json);
    cleanup_json cJSON *v = json_parse(buf_slice(&json), NULL);
    assert_int_equal(json_i64(json_at(v, "rollout/step"), "watchedSeconds", 0), 70);
    assert_string_equal(json_str_or(json_at(v, "rollout/trial"), "step", ""), "Standby");
}

/* ---- a rehearsal ---- */

static void rehearse(struct scene *x) {
    struct state *s = &x->row.state;
    x->row.spec.rehearse_ns = 300 * NS_PER_S;
    x->row.spec.max_changes[REPORT_RESTARTS] = 0;
    x->row.spec.max_changes[REPORT_DELETES] = 5;
    s->phase = PHASE_REHEARSING;
    (void)snprintf(s->rehearsal.key, sizeof s->rehearsal.key, "0a");
    s->rehearsal.from_ns = NOW_NS - 90 * NS_PER_S;
    x->e.side[0] = (struct explain_side){.read = true, .reads = 812, .writes = 14, .refused = 2};
    x->e.side[1].err.kind = ERR_FORBIDDEN;
    (void)snprintf(x->e.side[1].err.msg, sizeof x->e.side[1].err.msg, "no right");
    x->e.pods[1].control = true;
}

static void rehearsed(struct scene *x) {
    struct state *s = &x->row.state;
    rehearse(x);
    memset(x->e.side, 0, sizeof x->e.side);
    s->hold = HOLD_APPROVAL;
    s->rehearsal.over = true;
    s->rehearsal.line = xstrdup("2 workloads would restart (7 pods)");
    s->rehearsal.count[REPORT_RESTARTS] = 2;
    s->rehearsal.count[REPORT_PODS] = 7;
    (void)snprintf(s->rehearsal.digest, sizeof s->rehearsal.digest, "00000000000000aa");
}

static const char rehearsal_page[] =
    "Rehearsal, since 18:18:30Z (1m30s ago)\n"
    "    1m30s of 5m, until 18:23:30Z (in 3m30s)\n"
    "    the new version: 812 reads, 14 writes as dry runs; 0 conflicts, 2 requests\n"
    "      refused, 0 failed\n"
    "    stable's version beside it: what it has done so far cannot be read: no right\n"
    "    max-changes: deletes 5, restarts 0\n"
    "Evidence, as of 18:19:40Z (20s ago)\n"
    "    of the rehearsal: \"canary\" is the new version in it, \"stable\" the version in\n"
    "      service beside it\n";

EXPLAINED(a_rehearsal_that_goes_on) {
    cleanup_buf struct buf out = BUF(1 << 16), json = BUF(1 << 16);
    rehearse(x);
    explain_text(&x->e, &(struct table_style){.width = 80}, NOW_NS, &out);
    assert_has(buf_str(&out), rehearsal_page);
    assert_has(buf_str(&out), "18:23:30Z (in 3m30s): the rehearsal ends; then its canary");
    assert_has(buf_str(&out), "Pods of the rehearsal\n    widget-canary-qrst-1 on n1: ready, 0 restarts\n"
                              "    widget-canary-qrst-2 (stable's version) on no node: not ready");
    explain_json(&x->e, NOW_NS, &json);
    cleanup_json cJSON *v = json_parse(buf_slice(&json), NULL);
    const cJSON *r = json_obj(v, "rehearsal");
    assert_true(cJSON_IsNull(json_get(v, "rollout")) && cJSON_IsNull(json_get(r, "counts")));
    assert_string_equal(json_str_or(r, "from", ""), "2026-11-23T18:18:30Z");
    assert_string_equal(json_str_or(r, "until", ""), "2026-11-23T18:23:30Z");
    assert_int_equal(json_i64(json_obj(r, "new"), "writes", 0), 14);
    assert_string_equal(json_str_or(json_obj(r, "control"), "problem", ""), "no right");
    assert_int_equal(json_i64(json_obj(r, "limits"), "deletes", 0), 5);
    assert_int_equal(cJSON_GetArraySize(json_obj(r, "limits")), 2);
    assert_true(json_get(json_obj(r, "evidence"), "verdict"));
    assert_int_equal(cJSON_GetArraySize(json_arr(r, "pods")), 2);
    assert_int_equal(cJSON_GetArraySize(json_arr(json_obj(v, "canaryPods"), "pods")), 0);
}

EXPLAINED(what_a_rehearsal_has_found_so_far) {
    cleanup_buf struct buf out = BUF(1 << 16);
    rehearse(x);
    x->e.so_far = (char[]){"3 workloads would restart (9 pods)"};
    x->e.count[REPORT_RESTARTS] = 3;
    x->e.side[0] = (struct explain_side){
        .read = true, .reads = 1, .writes = 1, .conflicts = 1, .refused = 1, .failed = 1};
    explain_text(&x->e, &(struct table_style){.width = 80}, NOW_NS, &out);
    assert_has(buf_str(&out), "    found so far: 3 workloads would restart (9 pods)\n"
                              "    max-changes: deletes 0 of 5, restarts 3 of 0: exceeded\n");
    assert_has(buf_str(&out), "    the new version: 1 read, 1 write as a dry run; 1 conflict, 1 request\n    "
                              "  refused, 1 failed\n");
}

EXPLAINED(a_rehearsal_that_is_over) {
    cleanup_buf struct buf out = BUF(1 << 16), json = BUF(1 << 16);
    rehearsed(x);
    explain_text(&x->e, &(struct table_style){.width = 80}, NOW_NS, &out);
    assert_has(buf_str(&out), "Rehearsal, since 18:18:30Z (1m30s ago)\n"
                              "    found: 2 workloads would restart (7 pods)\n"
                              "    max-changes: deletes 0 of 5, restarts 2 of 0: exceeded\n"
                              "    report 00000000000000aa: handover diff deployment/widget -n default\n");
    assert_lacks(buf_str(&out), "ods of "); /* neither kind is there */
    explain_json(&x->e, NOW_NS, &json);
    cleanup_json cJSON *v = json_parse(buf_slice(&json), NULL);
    const cJSON *r = json_obj(v, "rehearsal");
    assert_true(json_bool(r, "over", false) && cJSON_IsNull(json_get(r, "new")) &&
                cJSON_IsNull(json_get(r, "approved")));
    assert_string_equal(json_str_or(r, "line", ""), "2 workloads would restart (7 pods)");
    assert_string_equal(json_str_or(r, "digest", ""), "00000000000000aa");
    assert_int_equal(json_i64(json_obj(r, "counts"), "pods", 0), 7);
    buf_clear(&out); /* and in the soak after it */
    x->row.state.phase = PHASE_SOAKING;
    x->row.state.hold = HOLD_NONE;
    memcpy(x->row.state.rehearsal.approved, "00000000000000aa", 17);
    explain_text(&x->e, &(struct table_style){.width = 80}, NOW_NS, &out);
    assert_has(buf_str(&out),
               "    report 00000000000000aa, approved: handover diff deployment/widget -n\n      default\n");
    assert_has(buf_str(&out), "    step 2 of 2: wanted 50 %");
}

/* The times are those at which the plan looks. */
EXPLAINED(times_of_a_soak) {
    struct explain_next next[EXPLAIN_NEXT];
    struct state *s = &x->row.state;
    s->param.soak_ns = 300 * NS_PER_S;
    s->param.min_soak_ns = 120 * NS_PER_S;
    s->shift_ns = 10 * NS_PER_S;
    assert_int_equal(explain_next(&x->row, NOW_NS, next), 3);
    assert_true(next[0].at_ns == s->soak_from_ns + s->param.min_soak_ns);
    assert_true(next[1].at_ns == s->soak_from_ns + s->param.soak_ns);
    assert_true(next[2].at_ns == s->began_ns + s->shift_ns + x->row.spec.deadline_ns);
    assert_has(next[0].text, "then it is promoted");
    s->step = 0;
    assert_int_equal(explain_next(&x->row, NOW_NS + 200 * NS_PER_S, next), 2);
    assert_has(next[0].text, "then step 2 of 2, 50 %");
    assert_int_equal(explain_next(&x->row, NOW_NS + 400 * NS_PER_S, next), 2);
    assert_int_equal(next[0].at_ns, 0);
    assert_has(next[0].text, "more clean reconciles");
}

EXPLAINED(a_signal_decides_at_the_deadline) {
    struct explain_next next[EXPLAIN_NEXT];
    signal_pair(&x->row.state.signals, SIGNAL_LATENCY, PAIR_SLOW, 30, 40);
    size_t n = explain_next(&x->row, NOW_NS, next);
    assert_has(next[n - 1].text, "at the deadline: rolled back, unless signal latency has ended");
}

EXPLAINED(without_a_state) {
    struct explain_next next[EXPLAIN_NEXT];
    x->row.has_state = false;
    assert_int_equal(explain_next(&x->row, NOW_NS, next), 1);
    assert_has(next[0].text, "Handover adopts it");
    x->row.opted_in = false;
    assert_int_equal(explain_next(&x->row, NOW_NS, next), 1);
    assert_has(next[0].text, "leaves this Deployment alone");
    cleanup_buf struct buf out = BUF(1 << 16);
    explain_text(&x->e, &(struct table_style){.width = 80}, NOW_NS, &out);
    assert_has(buf_str(&out), "default/widget: Waiting\n");
    buf_clear(&out);
    explain_json(&x->e, NOW_NS, &out);
    cleanup_json cJSON *v = json_parse(buf_slice(&out), NULL);
    assert_true(v && cJSON_IsNull(json_get(v, "phase")) && cJSON_IsNull(json_get(v, "rollout")) &&
                cJSON_IsNull(json_get(v, "rehearsal")));
}

EXPLAINED(json_has_the_documented_shape) {
    cleanup_buf struct buf out = BUF(1 << 16);
    judge_feed_controller(&x->row.state.judge, &x->row.state.param, "a",
                          &(struct judge_counts){.nc = 4, .ns = 9});
    signal_pair(&x->row.state.signals, SIGNAL_WRITES, PAIR_WRITES, 30, 40);
    explain_json(&x->e, NOW_NS, &out);
    cleanup_json cJSON *v = json_parse(buf_slice(&out), NULL);
    assert_non_null(v);
    assert_int_equal(json_i64(v, "version", 0), 1);
    assert_string_equal(json_str_or(v, "phase", ""), "Soaking");
    assert_string_equal(json_str_or(v, "since", ""), "2026-11-23T18:18:30Z");
    const cJSON *evidence = json_at(v, "rollout/evidence"),
                *signals = json_arr(json_obj(v, "rollout"), "signals");
    assert_string_equal(json_str_or(evidence, "asOf", ""), "2026-11-23T18:19:40Z");
    assert_true(json_i64(evidence, "cleanToPass", 0) > 0);
    assert_int_equal(json_i64(json_obj(evidence, "canary"), "total", 0), 20);
    assert_int_equal(json_i64(json_obj(evidence, "learnedFrom"), "total", 0), 1874);
    assert_string_equal(json_str_or(json_arr(evidence, "controllers")->child, "name", ""), "a");
    assert_string_equal(json_str_or(cJSON_GetArrayItem(signals, SIGNAL_WRITES), "state", ""), "speaks");
    assert_string_equal(json_str_or(cJSON_GetArrayItem(signals, SIGNAL_API), "state", ""), "absent");
    assert_string_equal(json_str_or(json_at(v, "rollout/step"), "watchedSince", ""), "2026-11-23T18:18:30Z");
    assert_string_equal(json_str_or(json_arr(json_obj(v, "canaryPods"), "pods")->child, "node", ""), "n1");
    assert_string_equal(json_str_or(json_arr(json_obj(v, "templateDiff"), "changes")->child, "path", ""),
                        "spec.containers[c].image");
    assert_true(cJSON_GetArraySize(json_arr(v, "next")) >= 2);
}

CASES("cli/explain")
