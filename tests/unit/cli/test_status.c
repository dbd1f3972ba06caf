/* The status report from fixed objects: which requests are made, the very lines that are printed, what is made
 * of refusals and damage. */
#include "answer.h"
#include "check.h"
#include <locale.h>
#include "status_report.h"

#define NOW_NS (INT64_C(1795458000) * NS_PER_S)

/* ---- the API server ---- */

struct answer {
    const char *url; /* a part of it; the first that fits counts */
    int status;      /* 0: the connection is refused; -1: no answer comes */
    const char *body;
};
struct stage {
    struct fake *f;
    struct kube_config *cfg;
    struct kube *kube;
    const struct answer *answers;
    struct buf urls; /* of the requests, a line each, without the server */
    unsigned calls, in_flight, most;
    struct status_poll *poll;
    unsigned done;
    struct err err;
    struct buf text, json, templates; /* templates: of a target by name */
    struct table_style style;
};

static void on_gone(void *ctx) {
    ((struct stage *)ctx)->in_flight--;
}

static void on_request(struct fake *f, struct fake_req *r) {
    struct stage *st = f->user;
    st->calls++;
    if (++st->in_flight > st->most) st->most = st->in_flight;
    r->on_gone = on_gone;
    r->gone_ctx = st;
    buf_addf(&st->urls, "%s\n", r->url + strlen("http://api.example:80"));
    for (const struct answer *a = st->answers; a->url; a++) {
        if (!strstr(r->url, a->url)) continue;
        if (a->status > 0)
            answer(r, a->status, a->body);
        else if (a->status == 0)
            fake_fail(r, ERR_TRANSPORT, "Connection refused");
        return;
    }
    if (strstr(r->url, "/statefulsets?"))
        answer(r, 200, "{'kind':'List','apiVersion':'v1','metadata':{'resourceVersion':'7'},'items':[]}");
    else
        answer(r, 404, "{'kind':'Status','code':404,'message':'not found'}");
}

static void on_done(void *ctx, const struct err *err, struct status_report *r) {
    struct stage *st = ctx;
    st->done++;
    if (err) {
        st->err = *err;
        return;
    }
    status_text(r, &st->style, NOW_NS, &st->text);
    status_json(r, NOW_NS, &st->json);
    for (size_t i = 0; i < r->n && r->rows[i].stable_tmpl; i++)
        buf_addf(&st->templates, "%s %s\n", r->rows[i].stable_tmpl, r->rows[i].target.tmpl);
}

static struct stage poll_one(const struct answer *answers, const struct table_style *style, const char *ns,
                             const char *name) {
    struct stage st = {.f = fake_new(),
                       .answers = answers,
                       .urls = BUF(1 << 20),
                       .text = BUF(1 << 20),
                       .json = BUF(1 << 20),
                       .templates = BUF(1 << 20),
                       .style = *style};
    struct err err = {0};
    struct kube_config_spec config = {.server = "http://api.example:80"};
    assert_int_equal(kube_config_load(st.f->a.w, &st.f->log, &config, &st.cfg, &err), 0);
    st.kube = kube_new(st.f->a.w, st.cfg, &st.f->log, NULL);
    st.f->on_request = on_request;
    st.f->user = &st;
    struct status_spec spec = {
        .ns = ns, .name = name, .lease_ns = "handover-system", .lease_name = "handover"};
    st.poll = status_poll_start(st.kube, &spec, on_done, &st);
    assert_int_equal(st.done, 0); /* never inside the call */
    fake_settle(st.f);            /* no time passes: nothing is tried again, nothing is waited for */
    assert_int_equal(st.done, 1);
    status_poll_end(st.poll);
    kube_free(st.kube);
    kube_config_free(st.cfg);
    fake_free(st.f);
    return st;
}

static struct stage poll(const struct answer *answers, const struct table_style *style) {
    return poll_one(answers, style, NULL, NULL);
}

static void stage_free(struct stage *st) {
    buf_free(&st->urls);
    buf_free(&st->text);
    buf_free(&st->json);
    buf_free(&st->templates);
}

/* ---- objects ---- */

#define POD_OF(image) "{'template':{'spec':{'containers':[{'name':'c','image':'" image "'}]}}"
#define DEPLOYMENT(ns, name, image, notes)                                                                   \
    "{'metadata':{'namespace':'" ns "','name':'" name "','uid':'uid-" name "','annotations':{" notes "}},"   \
    "'spec':" POD_OF(image) ",'replicas':2,'paused':true},'status':{'readyReplicas':2}}"
#define OPTED_IN "'handover.dev/canary-percent':'20,50','handover.dev/status':'x'"
#define NEW      "'handover.dev/canary-percent':'20,50'"
#define CONFIGMAP(ns, name, state)                                                                           \
    "{'metadata':{'namespace':'" ns "','name':'" name "-handover','ownerReferences':[{'uid':'uid-" name      \
    "'}]},'data':{'facts':'{`version`:1,`targetUID`:`uid-" name "`,`stable`:{`hash`:`bcdfghjklm`,"           \
    "`name`:`" name "-abc`,`uid`:`rs`},`paused`:true}','state':'{`version`:1," state "}'}}"
#define STABLE "`phase`:`Stable`,`since`:`2026-11-23T17:15:00Z`"
#define STARTING                                                                                             \
    "`phase`:`Starting`,`since`:`2026-11-23T18:19:20Z`,`hash`:`qrst`,`canary`:`one-canary-qrst`,"            \
    "`image`:`w:v2`,`startedAt`:`2026-11-23T18:19:20Z`,`message`:`canary of w:v2 starts`"
#define ROLLED_BACK                                                                                          \
    "`phase`:`RolledBack`,`since`:`2026-11-23T18:10:00Z`,`hash`:`qrst`,"                                     \
    "`message`:`w:v2 was rolled back: 21 of 65 reconciles failed`,"                                          \
    "`history`:[{`result`:`failed`,`hash`:`qrst`,`image`:`w:v2`},"                                           \
    "{`result`:`promoted`,`hash`:`bcdfghjklm`,`image`:`r.example/w:v1`}]"
#define LIST(...) "{'kind':'List','metadata':{'resourceVersion':'9'},'items':[" __VA_ARGS__ "]}"
#define TARGETS(...)                                                                                         \
    { "/apis/apps/v1/deployments", 200, LIST(__VA_ARGS__) }
#define STATES(...)                                                                                          \
    { "/api/v1/configmaps?", 200, LIST(__VA_ARGS__) }
#define LEASE(holder)                                                                                        \
    {                                                                                                        \
        "/leases/handover", 200,                                                                             \
            "{'spec':{'holderIdentity':'" holder "','leaseTransitions':7,"                                   \
            "'renewTime':'2026-11-23T18:19:59.250000Z'}}"                                                    \
    }
#define REPLICASET(image)                                                                                    \
    { "/replicasets/", 200, "{'spec':" POD_OF(image) "}}" }
#define FORBIDDEN "{'kind':'Status','code':403,'message':'configmaps is forbidden: User u cannot'}"
#define LIST_STATES                                                                                          \
    "/api/v1/configmaps?labelSelector=app.kubernetes.io%2Fmanaged-by%3Dhandover%2C%21handover.dev%2F"        \
    "checkpoint&limit=500\n"
#define THREE                                                                                                \
    "/apis/apps/v1/deployments?limit=500\n" LIST_STATES                                                      \
    "/apis/coordination.k8s.io/v1/namespaces/handover-system/leases/handover\n"                              \
    "/apis/apps/v1/statefulsets?limit=500\n"

#define LIST_CANARY                                                                                          \
    "/apis/apps/v1/namespaces/a/replicasets?labelSelector=app.kubernetes.io%2Fmanaged-by%3Dhandover&"        \
    "fieldSelector=metadata.name%3Done-canary-qrst&limit=500\n"

#define LED_BY_H "leader: h (term 7, renewed 750ms ago)\nNAMESPACE  TARGET  PHASE    SINCE  READY  VERSION\n"

static const struct {
    const char *name;
    struct answer answers[8];
    const char *urls, *text; /* the requests, the lines; urls NULL: not looked at */
} cases[] = {
    {"nothing is managed",
     {TARGETS(DEPLOYMENT("a", "plain", "x:1", "")), STATES()},
     THREE,
     "leader: none, the Lease does not exist\n"
     "no Deployment or StatefulSet carries the annotation handover.dev/canary-percent\n"},
    {"three requests whatever the number of targets; the history names stable's image",
     {TARGETS(DEPLOYMENT("a", "one", "r.example/w:v1", OPTED_IN) "," DEPLOYMENT(
          "a", "two", "w:v2", OPTED_IN) "," DEPLOYMENT("b", "new", "w:v1", NEW)),
      STATES(CONFIGMAP("a", "two", ROLLED_BACK) "," CONFIGMAP("a", "one", STABLE)), LEASE("handover-a_123")},
     THREE,
     "leader: handover-a (term 7, renewed 750ms ago)\n"
     "NAMESPACE  TARGET  PHASE       SINCE  READY  VERSION\n"
     "a          two     RolledBack  10m    2/2    w:v1 -> w:v2\n"
     "    w:v2 was rolled back: 21 of 65 reconciles failed\n"
     "b          new     Waiting            2/2    w:v1\n"
     "a          one     Stable      1h5m   2/2    w:v1\n"},
    {"a new version of Handover on trial",
     {TARGETS(DEPLOYMENT("a", "one", "w:v1", OPTED_IN)),
      STATES(CONFIGMAP("a", "one", STABLE)),
      {"/leases/handover", 200,
       "{'metadata':{'annotations':{'handover.dev/trial-until':'2026-11-23T18:30:00Z',"
       "'handover.dev/guardian':'handover-a_uid'}},'spec':{'holderIdentity':'handover-canary-x_uid_1',"
       "'leaseTransitions':7,'renewTime':'2026-11-23T18:19:59.250000Z'}}"}},
     NULL,
     "leader: handover-canary-x (term 7, renewed 750ms ago)\n"
     "on trial, guarded by handover-a, until 2026-11-23T18:30:00Z at the latest\n"
     "NAMESPACE  TARGET  PHASE   SINCE  READY  VERSION\n"
     "a          one     Stable  1h5m   2/2    w:v1\n"},
    {"a first rollout: stable's image is its ReplicaSet's; a digest is shortened",
     {TARGETS(DEPLOYMENT(
          "a", "one", "r.example/w@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
          OPTED_IN)),
      STATES(CONFIGMAP("a", "one", STARTING)), LEASE(""), REPLICASET("w:v1")},
     THREE "/apis/apps/v1/namespaces/a/replicasets/one-abc\n" LIST_CANARY,
     "leader: none at this moment (term 7 was released)\n"
     "NAMESPACE  TARGET  PHASE     SINCE  READY  VERSION\n"
     "a          one     Starting  40s    2/2    w:v1 -> w@sha256:0123456789ab\n"
     "    canary of w:v2 starts\n"},
    {"the canary's readiness; more digits where the first of two digests are the same",
     {TARGETS(DEPLOYMENT("a", "one", "w@sha256:0123456789abcdefffff", OPTED_IN)),
      STATES(CONFIGMAP("a", "one", STARTING)),
      LEASE("h"),
      {"/replicasets/", 200, "{'spec':" POD_OF("w@sha256:0123456789abcdef0000") "}}"},
      {"/replicasets?", 200,
       LIST("{'metadata':{'namespace':'a','name':'one-canary-qrst'},'spec':{'replicas':2},'status':{"
            "'readyReplicas':1}}")}},
     NULL,
     "leader: h (term 7, renewed 750ms ago)\n"
     "NAMESPACE  TARGET  PHASE     SINCE  READY  CANARY  VERSION\n"
     "a          one     Starting  40s    2/2    1/2     w@sha256:0123456789abcdef0000 -> "
     "w@sha256:0123456789abcdefffff\n"
     "    canary of w:v2 starts\n"},
    {"a state without the label is read by name",
     {TARGETS(DEPLOYMENT("a", "old", "w:v1", OPTED_IN)),
      STATES(),
      {"/a/configmaps/old-handover", 200, CONFIGMAP("a", "old", STABLE)},
      LEASE("h")},
     THREE "/api/v1/namespaces/a/configmaps/old-handover\n",
     "leader: h (term 7, renewed 750ms ago)\n"
     "NAMESPACE  TARGET  PHASE   SINCE  READY  VERSION\n"
     "a          old     Stable  1h5m   2/2    w:v1\n"},
    {"somebody else's ConfigMap is not a state",
     {TARGETS(DEPLOYMENT("a", "old", "w:v1", OPTED_IN)),
      STATES(),
      {"/a/configmaps/old-handover", 200, CONFIGMAP("a", "other", STABLE)},
      LEASE("h")},
     NULL,
     LED_BY_H
     "a          old     Invalid         2/2    w:v1\n"
     "    ConfigMap other-handover is not Handover's: no label app.kubernetes.io/managed-by=handover and no "
     "owner "
     "reference to this Deployment\n"},
    {"the state of an earlier Deployment of that name is not this one's",
     {TARGETS("{'metadata':{'namespace':'a','name':'one','uid':'reborn','annotations':{" OPTED_IN
              "}},'spec':{'template':{'spec':{'containers':[{'name':'c','image':'w:v1'}]}}}}"),
      STATES(CONFIGMAP("a", "one", STABLE)), LEASE("h")},
     THREE,
     LED_BY_H "a          one     Waiting         0/1    w:v1\n"},
    {"not allowed to list ConfigMaps: by name; the Lease may not be read",
     {TARGETS(DEPLOYMENT("a", "one", "w:v1", OPTED_IN)),
      {"/api/v1/configmaps?", 403, FORBIDDEN},
      {"/a/configmaps/one-handover", 200, CONFIGMAP("a", "one", STABLE)},
      {"/leases/", 403, FORBIDDEN}},
     THREE "/api/v1/namespaces/a/configmaps/one-handover\n",
     "leader: not allowed to read the Lease\n"
     "NAMESPACE  TARGET  PHASE   SINCE  READY  VERSION\n"
     "a          one     Stable  1h5m   2/2    w:v1\n"},
    {"not allowed to read ConfigMaps at all",
     {TARGETS(DEPLOYMENT("a", "one", "w:v1", OPTED_IN)), {"configmaps", 403, FORBIDDEN}, LEASE("h")},
     NULL,
     LED_BY_H "a          one     Invalid         2/2    w:v1\n"
              "    get configmaps a/one-handover: 403 Forbidden: configmaps is forbidden: User u cannot\n"},
    {"a damaged state, a wrong annotation",
     {TARGETS(DEPLOYMENT("a", "hurt", "w:v1", OPTED_IN) "," DEPLOYMENT(
          "a", "typo", "w:v1", "\"handover.dev/canary-percent\":\"many\"")),
      STATES(CONFIGMAP("a", "hurt", "`phase`:`Sleeping`")), LEASE("h")},
     THREE,
     LED_BY_H "a          hurt    Invalid         2/2    w:v1\n"
              "    data.state: phase: read \"Sleeping\", which is not allowed there\n"
              "a          typo    Invalid         2/2    w:v1\n"
              "    handover.dev/canary-percent: \"many\" is not allowed; allowed: a whole percentage 1..100, "
              "or at most 20 ascending ones such as 5,20,50, with `pause` after those that wait for a "
              "person: 5,pause,50\n"},
    {"a list whose continue token has expired is read anew",
     {{"continue=", 410, "{'kind':'Status','code':410,'message':'expired'}"},
      {"/deployments?limit=", 200,
       "{'metadata':{'resourceVersion':'8','continue':'t'},'items':[" DEPLOYMENT("a", "one", "w:v1",
                                                                                 NEW) "]}"},
      TARGETS(DEPLOYMENT("a", "one", "w:v2", NEW)),
      STATES(),
      LEASE("h")},
     NULL,
     LED_BY_H "a          one     Waiting         2/2    w:v2\n"},
    {"hostile names, images, identities",
     {TARGETS(DEPLOYMENT("a", "one", "w:\\u001b[2J\\u009b1m\\u202e", OPTED_IN)), STATES(),
      LEASE("\\u001b]0;owned\\u0007")},
     NULL,
     "leader: \\x1b]0;owned\\x07 (term 7, renewed 750ms ago)\n"
     "NAMESPACE  TARGET  PHASE    SINCE  READY  VERSION\n"
     "a          one     Waiting         2/2    w:\\x1b[2J\\u009b1m\\u202e\n"},
};

static void the_report_is_these_lines(void **state) {
    (void)state;
    int bad = 0;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct stage st = poll(cases[i].answers, &(struct table_style){.utf8 = true});
        bool good = !st.err.kind && strcmp(buf_str(&st.text), cases[i].text) == 0 &&
                    (!cases[i].urls || strcmp(buf_str(&st.urls), cases[i].urls) == 0);
        if (!good)
            print_error("%s: %s\n%s%swant\n%s%s", cases[i].name, st.err.msg, buf_str(&st.urls),
                        buf_str(&st.text), cases[i].urls ? cases[i].urls : "", cases[i].text);
        bad += !good;
        stage_free(&st);
    }
    assert_int_equal(bad, 0);
}

/* A rollout under way, on a terminal of 80 columns without UTF-8. */
static void a_trial_fits_80_columns(void **unused) {
    (void)unused;
    struct status_row row = {.ns = (char[]){"billing-production"},
                             .name = (char[]){"invoice-operator-controller-manager"},
                             .image = (char[]){"registry.example/team/invoice-operator:2.5.0-rc.1"},
                             .stable_image = (char[]){"registry.example/team/invoice-operator:2.4.11"},
                             .replicas = 12,
                             .ready = 11,
                             .canary_pods = 12,
                             .canary_ready = 3,
                             .has_state = true,
                             .steps = 2};
    struct status_report report = {
        .rows = &row, .n = 1, .has_lease = true, .holder = (char[]){"handover-a_1"}};
    struct state *s = &row.state;
    state_init(s); /* nothing in it is owned below */
    s->phase = PHASE_SOAKING;
    s->percent = 50;
    s->step = 1;
    s->learned = true;
    s->since_ns = s->soak_from_ns = s->began_ns = NOW_NS - 90 * NS_PER_S;
    s->param.soak_ns = 300 * NS_PER_S;
    s->param.theta = 0.012;
    for (unsigned i = 0; i < 46; i++)
        judge_feed(&s->judge, &s->param, &(struct judge_counts){0, 9, i < 2, 19, 0, 0, 0});
    report.renewed_wall_ns = NOW_NS - NS_PER_S;
    cleanup_buf struct buf out = BUF(1 << 16);
    status_text(&report, &(struct table_style){.width = 80}, NOW_NS, &out);
    assert_buf(out, "leader: handover-a (term 0, renewed 1s ago)\n"
                    "NAMESPACE      TARGET        PHASE    SINCE  READY  CANARY  VERSION\n"
                    "billing-prod~  invoice-ope~  Soaking  1m30s  11/12  3/12    2.4.11 -> 2.5.0-rc.1\n"
                    "    step 2 of 2, 50 %  [####........]  1m30s of 5m\n"
                    "    canary 0 errors of 414 (0.0 %, at most 6.3 %)   stable 2 of 874 (0.2 %)\n"
                    "      tolerated 1.2 %\n"
                    "    odds that it is bad: 1 to 5, rolled back at 100 to 1\n");
    state_free(s);
}

#define WITH_SELECTOR(image, notes)                                                                          \
    "{'metadata':{'namespace':'a','name':'one','uid':'uid-one','resourceVersion':'7','annotations':{" notes  \
    "}},'spec':{'selector':{'matchLabels':{'a':'b'}},'template':{'spec':{'containers':[{'name':'c',"         \
    "'image':'" image "'}]}}}}"

/* Whatever it is: opted in or not. Its template and stable's are kept. */
static void a_target_by_name(void **state) {
    (void)state;
    static const struct answer answers[] = {{"/deployments?", 200, LIST(WITH_SELECTOR("w:v2", OPTED_IN))},
                                            {"/configmaps?", 200, LIST(CONFIGMAP("a", "one", STABLE))},
                                            LEASE("h"),
                                            REPLICASET("w:v1"),
                                            {.url = NULL}};
    static const struct answer plain[] = {{"/deployments?", 200, LIST(WITH_SELECTOR("w:v2", ""))},
                                          {"/configmaps?", 200, LIST()},
                                          LEASE("h"),
                                          {.url = NULL}};
    struct stage st = poll_one(answers, &(struct table_style){0}, "a", "one");
    assert_string_equal(
        buf_str(&st.urls),
        "/apis/apps/v1/namespaces/a/deployments?fieldSelector=metadata.name%3Done&limit=500\n"
        "/api/v1/namespaces/a/configmaps?labelSelector=app.kubernetes.io%2Fmanaged-by%3Dhandover%2C"
        "%21handover.dev%2Fcheckpoint&fieldSelector=metadata.name%3Done-handover&limit=500\n"
        "/apis/coordination.k8s.io/v1/namespaces/handover-system/leases/handover\n"
        "/apis/apps/v1/namespaces/a/replicasets/one-abc\n");
    assert_has(buf_str(&st.text), "w:v1 -> w:v2\n");
    assert_has(buf_str(&st.templates), "w:v1");
    assert_has(buf_str(&st.templates), "w:v2");
    stage_free(&st);
    st = poll_one(plain, &(struct table_style){0}, "a", "one");
    assert_has(buf_str(&st.text), "Waiting");
    stage_free(&st);
}

/* A failure is final at once, after one attempt; the callback comes once, although other requests are open. */
static void a_failure_is_reported_at_once(void **state) {
    (void)state;
    static const struct {
        struct answer answers[4];
        enum err_kind kind;
        const char *says;
    } failures[] = {
        {{{"", 0, NULL}}, ERR_TRANSPORT, "Connection refused"},
        {{{"/deployments", 503, "{}"}, STATES(), {"/leases/", -1, NULL}}, ERR_SERVER, "503"},
        {{{"/deployments", 403, FORBIDDEN}, STATES()}, ERR_FORBIDDEN, "forbidden"},
        {{TARGETS(), {"/configmaps", 500, "{}"}}, ERR_SERVER, "list configmaps"},
        {{TARGETS(), {"/configmaps", 200, "{'kind':'Status'}"}}, ERR_PROTOCOL, "without items"},
        {{{"/deployments", 200, "{'items':[}"}, STATES()}, ERR_PROTOCOL, "not a list"},
    };
    for (size_t i = 0; i < ARRAY_LEN(failures); i++) {
        struct stage st = poll(failures[i].answers, &(struct table_style){0});
        if (!strstr(st.err.msg, failures[i].says)) print_error("%zu: %s\n", i, st.err.msg);
        assert_int_equal(st.err.kind, failures[i].kind);
        assert_non_null(strstr(st.err.msg, failures[i].says));
        assert_true(st.calls <= 3);
        stage_free(&st);
    }
}

/* Where all states have to be read by name, a few are under way at a time. */
static void reads_by_name_are_bounded(void **state) {
    (void)state;
    cleanup_buf struct buf list = BUF(1 << 20);
    buf_adds(&list, "{'metadata':{'resourceVersion':'9'},'items':[");
    for (int i = 0; i < 100; i++)
        buf_addf(&list,
                 "%s{\"metadata\":{\"namespace\":\"a\",\"name\":\"t%d\",\"annotations\":{" OPTED_IN "}}}",
                 i ? "," : "", i);
    buf_adds(&list, "]}");
    struct answer answers[] = {{"/deployments", 200, buf_str(&list)}, STATES(), {.url = NULL}};
    struct stage st = poll(answers, &(struct table_style){0});
    assert_int_equal(st.calls, 104);
    assert_true(st.most <= 16);
    stage_free(&st);
}

static void json_has_everything_and_no_control_characters(void **state) {
    (void)state;
    static const struct answer answers[] = {
        TARGETS(DEPLOYMENT("a", "one", "w:v2\\u007f\\u009b\\u001b\xc2\xa0", OPTED_IN)),
        STATES(CONFIGMAP("a", "one", STARTING ",`rehearsal`:{`key`:`5ec2e7`}")),
        LEASE("h"),
        REPLICASET("w:v1"),
        {.url = NULL}};
    struct stage st = poll(answers, &(struct table_style){0});
    assert_null(strstr(buf_str(&st.json), "5ec2e7"));
    for (size_t i = 0; i + 1 < st.json.n; i++) {
        unsigned char c = (unsigned char)st.json.p[i], next = (unsigned char)st.json.p[i + 1];
        assert_true(c >= 0x20 && c != 0x7f && !(c == 0xc2 && next < 0xa0));
    }
    cleanup_json cJSON *v = json_parse(buf_slice(&st.json), NULL);
    assert_non_null(v);
    const cJSON *target = cJSON_GetArrayItem(json_arr(v, "targets"), 0);
    assert_string_equal(json_str_or(v, "leader", ""), "h");
    assert_int_equal(json_i64(v, "term", 0), 7);
    assert_int_equal(json_i64(v, "version", 0), 1);
    assert_string_equal(json_str_or(target, "since", ""), "2026-11-23T18:19:20Z");
    assert_true(cJSON_IsNull(json_get(target, "canaryPods")) && cJSON_IsNull(json_get(target, "holdSince")));
    assert_string_equal(json_str_or(target, "namespace", ""), "a");
    assert_string_equal(json_str_or(target, "name", ""), "one");
    assert_string_equal(json_str_or(target, "image", ""), "w:v2\x7f\xc2\x9b\x1b\xc2\xa0");
    assert_string_equal(json_str_or(target, "stableImage", ""), "w:v1");
    assert_string_equal(json_str_or(target, "phase", ""), "Starting");
    assert_string_equal(json_str_or(target, "hold", "?"), "");
    assert_string_equal(json_str_or(json_obj(target, "state"), "hash", ""), "qrst");
    assert_true(cJSON_IsNull(json_get(json_obj(json_obj(target, "state"), "rehearsal"), "key")));
    assert_string_equal(json_str_or(json_obj(target, "facts"), "targetUID", ""), "uid-one");
    assert_true(json_get(target, "problem") && cJSON_IsNull(json_get(target, "problem")));
    stage_free(&st);
}

int main(void) {
    if (!setlocale(LC_CTYPE, "C.UTF-8")) return 77;
    const struct CMUnitTest tests[] = {
        TEST(the_report_is_these_lines), TEST(a_trial_fits_80_columns),

        TEST(a_target_by_name),          TEST(a_failure_is_reported_at_once),
        TEST(reads_by_name_are_bounded), TEST(json_has_everything_and_no_control_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
