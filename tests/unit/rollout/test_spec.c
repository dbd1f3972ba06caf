/* Annotations: defaults, every value's limits, and words that name the annotation, what was read and what is
 * allowed. */
#include "../case.h"
#include "plan/spec.h"
#include "plan/spec_hint.h"
#include <math.h>

static cJSON *annotations(const char *pairs) { /* "canary-percent=10\nsoak=5s" */
    cJSON *a = cJSON_CreateObject();
    struct slice rest = slice_of(pairs), line, name, value;
    while (rest.n) {
        slice_cut(rest, '\n', &line, &rest);
        slice_cut(line, '=', &name, &value);
        char *key = xasprintf(HANDOVER_PREFIX "%.*s", SLF(name)), *text = slice_dup(value);
        cJSON_AddStringToObject(a, key, text);
        free(key);
        free(text);
    }
    return a;
}

static int parse(const char *pairs, struct spec *ret, struct err *err) {
    cleanup_json cJSON *a = annotations(pairs);
    return spec_parse(a, ret, err);
}

CASE(defaults) {
    cleanup_json cJSON *a = annotations("canary-percent=10");
    cleanup_spec struct spec s;
    assert_int_equal(spec_parse(a, &s, NULL), 0);
    assert_true(s.nsteps == 1 && s.step[0] == 10 && s.pause_after == 0 && s.mode == MODE_AUTO &&
                s.auto_rate && s.max_regression == 2);
    assert_true(s.soak_ns == 300 * NS_PER_S && s.quiet_ns == 10 * NS_PER_S &&
                s.deadline_ns == 3600 * NS_PER_S);
    assert_true(s.min_events == 10 && s.on_inconclusive == INCONCLUSIVE_PAUSE && s.metrics == METRICS_AUTO &&
                s.metrics_ok);
    assert_null(s.errors);
    assert_null(s.canary_args);
    assert_true(!s.lease && s.assist == ASSIST_ROLLOUT && s.rollback_window == 0);
    assert_true(obs_opted_in(a));
    assert_false(obs_opted_in(NULL));
}

CASE(steps_that_wait_for_a_person) {
    cleanup_spec struct spec s;
    assert_int_equal(parse("canary-percent=5,pause, 20,50 , pause", &s, NULL), 0);
    assert_true(s.nsteps == 3 && s.step[1] == 20 && s.step[2] == 50 && s.pause_after == 5);
    static const char *const bad[] = {"pause",     "pause,5", "5,pause,pause,50", "5,Pause", "5,,50",
                                      "5,pause,4", "5,"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        cleanup_spec struct spec none;
        cleanup_free char *text = xasprintf("canary-percent=%s", bad[i]);
        struct err e = {0};
        assert_true(parse(text, &none, &e) < 0);
        assert_non_null(strstr(e.msg, "with `pause` after those that wait for a person: 5,pause,50"));
        assert_int_equal(none.pause_after, 0);
    }
}

CASE(everything) {
    cleanup_spec struct spec s;
    struct err e = {0};
    int rc =
        parse("canary-percent= 5, 20,50 \nmode=replicas\nmax-error-rate=2.5%\nmax-regression=1.5\nsoak=90s\n"
              "min-events=3\nquiet=0s\ndeadline=2h\non-inconclusive=rollback\n"
              "metrics=https+insecure://:8443/some/metrics?x=1\nerrors=a{b=\"c\"}\ntotal=a\n"
              "canary-args=--x=1  --y\ncanary-env=A=1 "
              "B_C==2\nrollback-window=3\ncanary-volumes=empty\ncanary-nodes=pool=canary, "
              "a/zone=\nlease=name\nlease-assist=always\npromote=abc@1\nretry=abc\n"
              "status=whatever\nunknown=x",
              &s, &e);
    if (rc < 0) fail_msg("%s", e.msg);
    assert_true(s.nsteps == 3 && s.step[0] == 5 && s.step[1] == 20 && s.step[2] == 50);
    assert_true(!s.auto_rate && fabs(s.max_error_rate - .025) < 1e-12 && s.max_regression == 1.5 &&
                s.soak_ns == 90 * NS_PER_S);
    assert_true(s.min_events == 3 && s.quiet_ns == 0 && s.deadline_ns == 7200 * NS_PER_S &&
                s.on_inconclusive == INCONCLUSIVE_ROLLBACK);
    assert_true(s.metrics == METRICS_ENDPOINT && s.https && s.tls_insecure && s.port == 8443);
    assert_string_equal(s.path, "/some/metrics?x=1");
    assert_string_equal(s.errors, "a{b=\"c\"}");
    assert_string_equal(s.canary_args[1], "--y");
    assert_null(s.canary_args[2]);
    assert_string_equal(s.canary_env[1], "B_C==2");
    assert_int_equal(s.rollback_window, 3);
    assert_string_equal(s.canary_nodes[0], "pool=canary");
    assert_string_equal(s.canary_nodes[1], "a/zone=");
    assert_null(s.canary_nodes[2]);
    assert_true(s.empty_volumes);
    assert_string_equal(s.lease, "name");
    assert_int_equal(s.assist, ASSIST_ALWAYS);
    assert_true(slice_eqs(spec_action_hash("abc@1"), "abc") && slice_eqs(spec_action_hash(" abc"), "abc"));
}

CASE(rehearsals) {
    cleanup_spec struct spec s, none;
    struct err e = {0};
    if (parse("canary-percent=1\nrehearse=5m\nmax-changes=restarts=0, crds = 12 ,hot=3", &s, &e) < 0)
        fail_msg("%s", e.msg);
    assert_true(s.rehearse_ns == 300 * NS_PER_S && s.max_changes[REPORT_RESTARTS] == 0 &&
                s.max_changes[REPORT_CRDS] == 12 && s.max_changes[REPORT_HOT] == 3 &&
                s.max_changes[REPORT_DELETES] == SPEC_ANY && spec_has_limits(&s));
    assert_int_equal(parse("canary-percent=1", &none, NULL), 0);
    assert_true(none.rehearse_ns == 0 && !spec_has_limits(&none));
    /* each kind is named where what is allowed is said */
    for (int k = 0; k < REPORT_KINDS; k++) {
        cleanup_spec struct spec one;
        const char *name = report_kind_name((enum report_kind)k);
        cleanup_free char *text = xasprintf("canary-percent=1\nrehearse=1h\nmax-changes=%s=1", name);
        assert_int_equal(parse(text, &one, NULL), 0);
        assert_true(one.max_changes[k] == 1);
        cleanup_spec struct spec bad;
        assert_true(parse("canary-percent=1\nmax-changes=x", &bad, &e) < 0);
        assert_non_null(strstr(e.msg, name));
    }
}

CASE(limits_that_are_refused) {
    static const struct {
        const char *text, *why;
    } v[] = {
        {"restart=0", "\"restart=0\" is not allowed: read \"restart=0\": is restarts meant?; allowed: "},
        {"deletes=0,creats=1", "read \"creats=1\": is creates meant?; "},
        {"restarts", "read \"restarts\"; "},
        {"restarts=-1", "read \"restarts=-1\"; "},
        {"restarts=0,,deletes=1", "read \"\"; "},
        {"restarts=0,restarts=1", "restarts is there twice; "},
        {"everything=0", "read \"everything=0\"; "},
    };
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        cleanup_spec struct spec s;
        cleanup_free char *text = xasprintf("canary-percent=1\nrehearse=1m\nmax-changes=%s", v[i].text);
        struct err e = {0};
        assert_true(parse(text, &s, &e) < 0);
        if (!strstr(e.msg, v[i].why)) fail_msg("%s", e.msg);
        assert_false(spec_has_limits(&s));
    }
}

CASE(endpoints) {
    static const struct {
        const char *text;
        bool https;
        int port;
        const char *path;
    } v[] = {{":8080/metrics", false, 8080, "/metrics"},
             {"http://:1/", false, 1, "/"},
             {"https://:65535/m", true, 65535, "/m"}};
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        cleanup_free char *text = xasprintf("canary-percent=1\nmetrics=%s", v[i].text);
        cleanup_spec struct spec s;
        assert_int_equal(parse(text, &s, NULL), 0);
        assert_true(s.https == v[i].https && s.port == v[i].port && !s.tls_insecure);
        assert_string_equal(s.path, v[i].path);
    }
}

CASE(refused) {
    static const struct {
        const char *pairs, *name, *read, *allowed;
    } v[] = {
        {"canary-percent=lots", "canary-percent", "\"lots\"", "1..100"},
        {"canary-percent=", "canary-percent", "\"\"", "1..100"},
        {"canary-percent=0", "canary-percent", "\"0\"", "1..100"},
        {"canary-percent=1\nrehearse=9s", "rehearse", "\"9s\"", "from 10s to 1h"},
        {"canary-percent=1\nrehearse=2h", "rehearse", "\"2h\"", "from 10s to 1h"},
        {"canary-percent=1\nrehearse=on", "rehearse", "\"on\"", "from 10s to 1h"},
        {"canary-percent=101", "canary-percent", "\"101\"", "1..100"},
        {"canary-percent=10%", "canary-percent", "\"10%\"", "1..100"},
        {"canary-percent=5,5", "canary-percent", "\"5,5\"", "ascending"},
        {"canary-percent=20,5", "canary-percent", "\"20,5\"", "ascending"},
        {"canary-percent=5,", "canary-percent", "\"5,\"", "ascending"},
        {"canary-percent=+5", "canary-percent", "\"+5\"", "ascending"},
        {"canary-percent=1.5", "canary-percent", "\"1.5\"", "whole"},
        {"canary-percent=1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21", "canary-percent", "21\"",
         "at most 20"},
        {"mode=objects\nobjects=widgets", "objects", "\"widgets\"", "RESOURCE.VERSION.GROUP"},
        {"mode=objects\nobjects=widgets.example.com", "objects", "widgets.example.com",
         "such as widgets.v1.example.com"},
        {"mode=objects\nobjects=widgets.v1.example", "objects", "widgets.v1.example",
         "such as widgets.v1.example.com"},
        {"mode=objects\nobjects=Widgets.v1.example.com", "objects", "Widgets", "such as"},
        {"mode=objects\nobjects=widgets.v1gamma1.example.com", "objects", "v1gamma1", "such as"},
        {"mode=objects\nobjects=pods.v1", "objects", "pods.v1", "a meaning of its own for labels of pods"},
        {"mode=objects\nobjects=replicasets.v1.apps", "objects", "replicasets", "a meaning of its own"},
        {"mode=objects\nobjects=a.v1 namespace=A", "objects", "\"namespace=A\"",
         "neither namespace=NAMESPACE nor selector=LABELS"},
        {"mode=objects\nobjects=a.v1 namespace=a namespace=b", "objects", "\"namespace=b\"", "neither"},
        {"mode=objects\nobjects=a.v1 x", "objects", "\"x\"", "neither"},
        {"mode=objects\nobjects=a.v1 selector=a in (", "objects", "selector: ", "selector=LABELS"},
        {"mode=Replicas", "mode", "\"Replicas\"", "allowed: auto, replicas, leader or objects"},
        {"max-error-rate=2", "max-error-rate", "\"2\"", "such as 2%"},
        {"max-error-rate=0%", "max-error-rate", "\"0%\"", "above 0"},
        {"max-error-rate=100%", "max-error-rate", "\"100%\"", "below 100"},
        {"max-error-rate=-1%", "max-error-rate", "\"-1%\"", "above 0"},
        {"max-error-rate=nan%", "max-error-rate", "\"nan%\"", "above 0"},
        {"max-error-rate=1e1%", "max-error-rate", "\"1e1%\"", "above 0"},
        {"max-error-rate=%", "max-error-rate", "\"%\"", "above 0"},
        {"max-regression=0.5", "max-regression", "\"0.5\"", "1 to 100"},
        {"max-regression=inf", "max-regression", "\"inf\"", "1 to 100"},
        {"max-regression=2x", "max-regression", "\"2x\"", "1 to 100"},
        {"soak=5", "soak", "\"5\"", "duration"},
        {"soak=500ms", "soak", "\"500ms\"", "at least 1s"},
        {"soak=-5m", "soak", "\"-5m\"", "duration"},
        {"soak=9999999h", "soak", "\"9999999h\"", "duration"},
        {"min-events=0", "min-events", "\"0\"", "at least 1"},
        {"min-events=ten", "min-events", "\"ten\"", "whole number"},
        {"min-events=99999999999999999999", "min-events", "\"99999999999999999999\"", "whole number"},
        {"quiet=11m", "quiet", "\"11m\"", "10m"},
        {"deadline=x", "deadline", "\"x\"", "duration"},
        {"on-inconclusive=abort", "on-inconclusive", "\"abort\"", "pause, rollback or promote"},
        {"metrics=prometheus\nerrors=sum(a{n=\"$namespace\",p=\"$pod\"})\n"
         "total=sum(increase(a{n=\"$namespace\",p=~\"$track\"}[$range]))",
         "total", "sum(increase(",
         "errors and total are both of a pod ($pod) or both of a track ($track and $range)"},
        {"metrics=prometheus\nerrors=a{b=\"c\"}\ntotal=a", "errors", "\"a{b=\"c\"}\"",
         "a query without $namespace is of every namespace"},
        {"errors=a{b=\"$pod\"}+1\ntotal=a", "errors", "\"a{b=\"$pod\"}+1\"", "expected a metric's name"},
        {"metrics=8080/metrics", "metrics", "\"8080/metrics\"", ":8080/metrics"},
        {"metrics=:8080", "metrics", "\":8080\"", ":8080/metrics"},
        {"metrics=:0/metrics", "metrics", "\":0/metrics\"", ":8080/metrics"},
        {"metrics=:65536/metrics", "metrics", "65536", ":8080/metrics"},
        {"metrics=http://evil:80/metrics", "metrics", "evil", ":8080/metrics"},
        {"metrics=:80/a b", "metrics", "a b", ":8080/metrics"},
        {"metrics=:80/a\rHost: x", "metrics", "a?Host", ":8080/metrics"},
        {"errors=a{\ntotal=b", "errors", "at its end: expected a label's name", "metric selector"},
        {"errors=a\ntotal=rate(b)", "total", "expected + or the end, found '('", "metric selector"},
        {"canary-args=", "canary-args", "\"\"", "words"},
        {"canary-env=A", "canary-env", "\"A\" is no NAME=value", "words"},
        {"canary-env=1A=2", "canary-env", "\"1A=2\" is no NAME=value", "words"},
        {"rollback-window=11", "rollback-window", "\"11\"", "0 to 10"},
        {"rollback-window=-1", "rollback-window", "\"-1\"", "0 to 10"},
        {"rollback-window=", "rollback-window", "\"\"", "0 to 10"},
        {"canary-nodes=", "canary-nodes", "\"\" is no KEY=VALUE", "pool=canary,zone=a"},
        {"canary-nodes=pool", "canary-nodes", "\"pool\" is no KEY=VALUE", "pool=canary,zone=a"},
        {"canary-nodes=pool=a,", "canary-nodes", "\"\" is no KEY=VALUE", "pool=canary,zone=a"},
        {"canary-nodes=a b=c", "canary-nodes", "\"a b=c\" is no label of a node", "pool=canary,zone=a"},
        {"canary-nodes=a=-c", "canary-nodes", "\"a=-c\" is no label of a node", "pool=canary,zone=a"},
        {"canary-nodes=a=b,a=c", "canary-nodes", "\"a=c\" has a key that is there already", "pool=canary"},
        {"canary-volumes=", "canary-volumes", "\"\"", "allowed: empty"},
        {"canary-volumes=shared", "canary-volumes", "\"shared\"", "allowed: empty"},
        {"lease=A", "lease", "\"A\"", "the name of a Lease in the target's namespace"},
        {"lease=other/", "lease", "\"other/\"", "or NAMESPACE/NAME"},
        {"lease=/b", "lease", "\"/b\"", "or NAMESPACE/NAME"},
        {"lease=a.b/c", "lease", "\"a.b/c\"", "or NAMESPACE/NAME"},
        {"lease=a/b/c", "lease", "\"a/b/c\"", "or NAMESPACE/NAME"},
        {"lease-assist=on", "lease-assist", "\"on\"", "rollout, always or off"},
    };
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        bool percent = !strncmp(v[i].pairs, "canary-percent", 14);
        cleanup_free char *text = xasprintf("%s%s", percent ? "" : "canary-percent=10\n", v[i].pairs);
        cleanup_spec struct spec s;
        struct err e = {0};
        if (parse(text, &s, &e) == 0) fail_msg("%s was taken", text);
        cleanup_free char *begin = xasprintf("handover.dev/%s: \"", v[i].name);
        if (e.kind != ERR_CONFIG || strncmp(e.msg, begin, strlen(begin)) != 0 || !strstr(e.msg, v[i].read) ||
            !strstr(e.msg, v[i].allowed)) {
            fail_msg("%s: %s", text, e.msg);
        }
    }
}

CASE(across) {
    static const struct {
        const char *pairs, *why;
    } v[] = {
        {"soak=5m", "handover.dev/canary-percent: missing; allowed: a whole percentage 1..100, or at most 20 "
                    "ascending ones such as 5,20,50, with `pause` after those that wait for a person: "
                    "5,pause,50"},
        {"canary-percent=5\nerrors=a",
         "handover.dev/errors: given without handover.dev/total; allowed: both or neither"},
        {"canary-percent=5\ntotal=a",
         "handover.dev/total: given without handover.dev/errors; allowed: both or neither"},
        {"canary-percent=5\nmode=objects",
         "handover.dev/objects: missing, which handover.dev/mode: objects needs; allowed: "
         "RESOURCE.VERSION.GROUP such as widgets.v1.example.com"},
        {"canary-percent=5\nobjects=widgets.v1.example.com",
         "handover.dev/objects: given without handover.dev/mode: objects; allowed: in this mode only"},
        {"canary-percent=5\nmax-changes=pods=1",
         "handover.dev/max-changes: given without handover.dev/rehearse, "
         "which finds the changes out; allowed: with it only"},
        {"canary-percent=5,20,50\nsoak=20m", "handover.dev/deadline: \"1h\" leaves no time for 3 steps of "
                                             "handover.dev/soak 20m; allowed: more than 1h"},
    };
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        cleanup_spec struct spec s;
        struct err e = {0};
        assert_int_not_equal(parse(v[i].pairs, &s, &e), 0);
        assert_string_equal(e.msg, v[i].why);
    }
}

CASE(objects_of_all_kinds) {
    static const struct {
        const char *value, *objects, *ns, *selector;
    } v[] = {
        {"widgets.v1.example.com", "widgets.v1.example.com", NULL, NULL},
        {"configmaps.v1", "configmaps.v1", NULL, NULL},
        {"deployments.v1.apps  namespace=a", "deployments.v1.apps", "a", NULL},
        {"a.v1beta2.b.c selector=x in (y, z),!w", "a.v1beta2.b.c", NULL, "x in (y, z),!w"},
        {"a.v10alpha1.b.c namespace=n selector=", "a.v10alpha1.b.c", "n", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        cleanup_free char *text = xasprintf("canary-percent=5\nmode=objects\nobjects=%s", v[i].value);
        cleanup_spec struct spec s;
        struct err e = {0};
        if (parse(text, &s, &e)) fail_msg("%s: %s", v[i].value, e.msg);
        assert_int_equal(s.mode, MODE_OBJECTS);
        assert_string_equal(s.objects, v[i].objects);
        assert_string_equal(s.objects_ns ? s.objects_ns : "", v[i].ns ? v[i].ns : "");
        assert_string_equal(s.objects_selector ? s.objects_selector : "", v[i].selector ? v[i].selector : "");
    }
}

CASE(good_parts_of_a_bad_one) {
    cleanup_spec struct spec s, t;
    assert_int_not_equal(parse("canary-percent=x\nmetrics=:1/m\nsoak=7s\nabort=h", &s, NULL), 0);
    assert_true(s.metrics_ok && s.port == 1 && s.soak_ns == 7 * NS_PER_S);
    assert_int_not_equal(parse("canary-percent=1\nmetrics=nowhere", &t, NULL), 0);
    assert_false(t.metrics_ok);
}

CASE(strange_json) {
    static const char *const text[] = {"{\"handover.dev/canary-percent\":10}",
                                       "{\"handover.dev/canary-percent\":null}",
                                       "{\"handover.dev/canary-percent\":{\"a\":1}}",
                                       "[]",
                                       "\"x\"",
                                       "{\"handover.dev/canary-percent\":\"10\",\"handover.dev/promote\":7}"};
    for (size_t i = 0; i < ARRAY_LEN(text); i++) {
        cleanup_json cJSON *a = json_parse(slice_of(text[i]), NULL);
        cleanup_spec struct spec s;
        assert_int_equal(spec_parse(a, &s, NULL) == 0, i == 5);
    }
    cleanup_json cJSON *a = annotations("canary-percent=10");
    char huge[3000];
    memset(huge, '\xc3', sizeof huge);
    huge[sizeof huge - 1] = '\0';
    cJSON_AddStringToObject(a, "handover.dev/soak", huge);
    cleanup_spec struct spec s;
    struct err e = {0};
    assert_int_not_equal(spec_parse(a, &s, &e), 0);
    assert_non_null(strstr(e.msg, "longer than 1024 bytes"));
    assert_true(strlen(e.msg) < 300);
}

CASE(signals_are_a_list_from_left_to_right) {
    static const struct {
        const char *text;
        enum signal_does writes, latency, panics;
    } good[] = {
        {"-writes, latency=rollback", SIGNAL_OFF, SIGNAL_ROLLBACK, SIGNAL_ROLLBACK},
        {"-all,writes", SIGNAL_HOLD, SIGNAL_OFF, SIGNAL_OFF},
        {"all=hold,panics=deadline", SIGNAL_HOLD, SIGNAL_HOLD, SIGNAL_DEADLINE},
        {"-all , all", SIGNAL_HOLD, SIGNAL_DEADLINE, SIGNAL_ROLLBACK},
        {"writes=off", SIGNAL_OFF, SIGNAL_DEADLINE, SIGNAL_ROLLBACK},
    };
    static const char *const bad[] = {"",        "write",    "-writes=hold", "writes=yes",
                                      "writes,", "latency=", "writes hold"};
    for (size_t i = 0; i < ARRAY_LEN(good) + ARRAY_LEN(bad); i++) {
        bool is_bad = i >= ARRAY_LEN(good);
        const char *text = is_bad ? bad[i - ARRAY_LEN(good)] : good[i].text;
        cleanup_json cJSON *a = cJSON_CreateObject();
        cleanup_spec struct spec s;
        struct err e = {0};
        cJSON_AddStringToObject(a, "handover.dev/canary-percent", "10");
        cJSON_AddStringToObject(a, "handover.dev/signals", text);
        int rc = spec_parse(a, &s, &e);
        assert_int_equal(rc < 0, is_bad);
        assert_int_equal(s.signals_ok, !is_bad);
        if (is_bad) {
            assert_non_null(strstr(e.msg, "handover.dev/signals: "));
            assert_non_null(strstr(e.msg, "; allowed: a list of work, stuck, writes"));
        }
        assert_int_equal(s.signal[SIGNAL_WRITES], is_bad ? SIGNAL_HOLD : good[i].writes);
        assert_int_equal(s.signal[SIGNAL_LATENCY], is_bad ? SIGNAL_DEADLINE : good[i].latency);
        assert_int_equal(s.signal[SIGNAL_PANICS], is_bad ? SIGNAL_ROLLBACK : good[i].panics);
    }
}

CASE(guards_are_a_list_from_left_to_right) {
    static const struct {
        const char *text;
        bool good, crashes, image, readiness;
    } lists[] = {
        {"-readiness", true, true, true, false},         {"-all,image", true, false, true, false},
        {"-crashes , -image", true, false, false, true}, {"all", true, true, true, true},
        {"-readyness", false, false, false, false},      {"crashes,", false, false, false, false},
        {"crashes=off", false, false, false, false},     {"", false, false, false, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        cleanup_json cJSON *a = cJSON_CreateObject();
        cleanup_spec struct spec s;
        struct err e = {0};
        cJSON_AddStringToObject(a, "handover.dev/canary-percent", "10");
        cJSON_AddStringToObject(a, "handover.dev/guards", lists[i].text);
        assert_int_equal(spec_parse(a, &s, &e) == 0, lists[i].good);
        if (!lists[i].good)
            assert_non_null(strstr(e.msg, "; allowed: a list of crashes, image, readiness or all"));
        assert_int_equal(s.guard[GUARD_CRASHES], lists[i].crashes);
        assert_int_equal(s.guard[GUARD_IMAGE], lists[i].image);
        assert_int_equal(s.guard[GUARD_READINESS], lists[i].readiness);
    }
}

/* What is known is meant by nothing else; what is nearly known is; another word is not. */
CASE(misspelt_names) {
    static const struct {
        const char *name, *meant;
    } names[] = {
        {"canary-precent", "canary-percent"},
        {"sok", "soak"},
        {"soaks", "soak"},
        {"mim-soak", "min-soak"},
        {"on-inconclusve", "on-inconclusive"},
        {"abrot", "abort"},
        {"stauts", "status"},
        {"Soak", "soak"},
        {"max-error-rates", "max-error-rate"},
        {"canary_percent", "canary-percent"},
        {"soak", NULL},
        {"status", NULL},
        {"team", NULL},
        {"", NULL},
        {"zz", NULL},
        {"canary-something-else-altogether-and-more", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        cleanup_free char *pair = xasprintf("%s=x", names[i].name), *says = NULL;
        cJSON *one = annotations(pair);
        cleanup_buf struct buf hint = BUF(1000);
        assert_int_equal(spec_hint_add(one, false, &hint), names[i].meant != NULL);
        if (names[i].meant)
            says = xasprintf("handover.dev/%s is not known: is handover.dev/%s meant?", names[i].name,
                             names[i].meant);
        assert_string_equal(buf_str(&hint), says ? says : "");
        cJSON_Delete(one);
    }
    for (size_t i = 0; spec_known(i); i++) {
        cleanup_free char *pair = xasprintf("%s=x", spec_known(i));
        cJSON *one = annotations(pair);
        cleanup_buf struct buf hint = BUF(1000);
        assert_false(spec_hint_add(one, true, &hint));
        cJSON_Delete(one);
    }
    cJSON *a = annotations("canary-percent=10\nsok=1m\nzzzzzz=1\nsigals=x");
    cleanup_buf struct buf out = BUF(1000), all = BUF(1000);
    assert_true(spec_hint_add(a, false, &out));
    assert_string_equal(buf_str(&out), "handover.dev/sok is not known: is handover.dev/soak meant?; "
                                       "handover.dev/sigals is not known: is handover.dev/signals meant?");
    assert_true(spec_hint_add(a, true, &all));
    assert_non_null(strstr(buf_str(&all), "handover.dev/zzzzzz is not known;"));
    cJSON_Delete(a);
    assert_false(spec_hint_add(NULL, true, &all));
}

/* Its own namespace need not be named, and others are left as they are. */
CASE(the_lease_of_a_namespace) {
    static const struct {
        const char *given, *is;
    } v[] = {
        {"lock", "lock"}, {"shop/lock", "lock"}, {"shop-2/lock", "shop-2/lock"}, {"sho/lock", "sho/lock"}};
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        cleanup_spec struct spec s = {.lease = xstrdup(v[i].given)};
        spec_lease_of(&s, "shop");
        assert_string_equal(s.lease, v[i].is);
    }
    struct spec none = {0};
    spec_lease_of(&none, "shop");
    assert_null(none.lease);
}

CASES("rollout/spec")
