/* The doctor: what each answer says, which requests are asked, and how it goes on where some are refused. */
#include "answer.h"
#include "check.h"
#include "doctor.h"

#define NOW_NS (INT64_C(1795458000) * NS_PER_S)

static void text_of(const struct doctor_report *r, struct buf *out) {
    for (size_t i = 0; i < r->n; i++)
        buf_addf(out, "%s %s%s%s: %s\n", doctor_grade_name(r->v[i].grade), r->v[i].what,
                 r->v[i].about ? " " : "", r->v[i].about ? r->v[i].about : "", r->v[i].text);
}

static void assert_says(struct doctor_report *r, const char *text) {
    cleanup_buf struct buf out = BUF(1 << 16);
    text_of(r, &out);
    assert_buf(out, text);
    doctor_report_free(r);
}

static void versions(void **state) {
    (void)state;
    struct doctor_report r = {0};
    doctor_version(&r, SL("{\"major\":\"1\",\"minor\":\"37\",\"gitVersion\":\"v1.37.2\"}"));
    doctor_version(&r, SL("{\"major\":\"1\",\"minor\":\"20+\",\"gitVersion\":\"v1.20.5-x\"}"));
    doctor_version(&r, SL("{\"major\":\"1\",\"minor\":\"18\",\"gitVersion\":\"v1.18.0\"}"));
    doctor_version(&r, SL("<html>"));
    assert_says(&r, "ok server: Kubernetes v1.37.2\nok server: Kubernetes v1.20.5-x\n"
                    "warn server: Kubernetes v1.18.0: Handover is tried with 1.20 and later\n"
                    "warn server: it does not say which version of Kubernetes it is\n");
}

static void the_policy(void **state) {
    (void)state;
    struct doctor_report r = {0};
    struct err refused = {.kind = ERR_FORBIDDEN, .msg = "403"}, none = {.kind = ERR_NOTFOUND, .msg = "404"};
    doctor_policy(&r, NULL,
                  SL("{\"resources\":[{\"name\":\"x\"},{\"name\":\"mutatingadmissionpolicies\"}]}"));
    doctor_policy(&r, NULL, SL("{\"resources\":[{\"name\":\"mutatingwebhookconfigurations\"}]}"));
    doctor_policy(&r, &none, SL(""));
    doctor_policy(&r, &refused, SL(""));
#define NOT_SERVED                                                                                           \
    "ok policy: MutatingAdmissionPolicy v1 is not served (Kubernetes 1.36 and later): targets are held by "  \
    "spec.paused\n"
    assert_says(&r, "ok policy: MutatingAdmissionPolicy v1 is served\n" NOT_SERVED NOT_SERVED
                    "warn policy: whether MutatingAdmissionPolicy v1 is served is not known: 403\n");
}

static void the_lease(void **state) {
    (void)state;
    const struct status_spec spec = {.lease_ns = "handover-system", .lease_name = "handover"};
    struct doctor_report r = {0};
    struct status_report s = {0};
    doctor_lease(&r, &s, &spec, NOW_NS);
    s.has_lease = true;
    s.holder = (char[]){""};
    doctor_lease(&r, &s, &spec, NOW_NS);
    s.holder = (char[]){"a_1"};
    s.renewed_wall_ns = NOW_NS - NS_PER_S;
    doctor_lease(&r, &s, &spec, NOW_NS);
    s.renewed_wall_ns = NOW_NS - 60 * NS_PER_S;
    doctor_lease(&r, &s, &spec, NOW_NS);
    s.lease_err = (struct err){.kind = ERR_FORBIDDEN, .msg = "no"};
    doctor_lease(&r, &s, &spec, NOW_NS);
#define L "lease handover-system/handover: "
    assert_says(&r, "FAIL " L "it does not exist: Handover does not run, or with another --lease-namespace\n"
                    "FAIL " L "nobody leads: it was released, and nobody has taken it\n"
                    "ok " L "a_1 leads, and has renewed it 1s ago\n"
                    "FAIL " L "a_1 has not renewed it for 1m: is it dead, or cut off?\n"
                    "warn " L "it cannot be read: no\n");
}

static void annotations(void **state) {
    (void)state;
    static const char *const of[] = {
        "{'other':'x'}",
        "{'handover.dev/canary-percent':'10','handover.dev/soak':'1m'}",
        "{'handover.dev/canary-precent':'10'}",
        "{'handover.dev/canary-percent':'10','handover.dev/sok':'1m','handover.dev/zzz':''}",
        "{'handover.dev/canary-percent':'many'}",
        "{'handover.dev/status':'released soon'}"};
    struct doctor_report r = {0};
    for (size_t i = 0; i < ARRAY_LEN(of); i++) {
        cleanup_free char *text = xstrdup(of[i]);
        for (char *p = text; *p; p++)
            if (*p == '\'') *p = '"';
        cleanup_json cJSON *v = json_parse(slice_of(text), NULL);
        assert_non_null(v);
        doctor_annotations(&r, "a", "op", v);
    }
    assert_says(&r, "ok annotations a/op: each is known and allowed\n"
                    "warn annotations a/op: handover.dev/canary-precent is not known: is "
                    "handover.dev/canary-percent meant?\n"
                    "warn annotations a/op: not guarded: no annotation handover.dev/canary-percent\n"
                    "warn annotations a/op: handover.dev/sok is not known: is handover.dev/soak meant?; "
                    "handover.dev/zzz is not known\n"
                    "FAIL annotations a/op: handover.dev/canary-percent: \"many\" is not allowed; allowed: a "
                    "whole percentage 1..100, or "
                    "at most 20 ascending ones such as 5,20,50, with `pause` after those that wait for a "
                    "person: 5,pause,50\n");
}

/* ---- all of it, from a scripted API server ---- */

struct stage {
    struct fake *f;
    struct buf out;
    unsigned reviews, in_flight, most, done;
    const char *refuse; /* reviews with this in them are denied */
    bool down, no_reviews;
    const char *page; /* of the pod; NULL: it is not found */
};

static void on_gone(void *ctx) {
    ((struct stage *)ctx)->in_flight--;
}

#define OPERATOR                                                                                             \
    "{'metadata':{'resourceVersion':'9'},'items':[{'metadata':{'namespace':'a','name':'op','uid':'u','"      \
    "annotations':{'handover.dev/"                                                                           \
    "canary-percent':'10'}},"                                                                                \
    "'spec':{'selector':{'matchLabels':{'app':'op'}},'template':{}}}]}"
#define POD                                                                                                  \
    "{'metadata':{'resourceVersion':'9'},'items':[{'metadata':{'namespace':'a','name':'op-1','uid':'p'},'"   \
    "spec':{'containers':[{'name':'m','"                                                                     \
    "ports':[{'name':"                                                                                       \
    "'metrics','containerPort':8443,'protocol':'TCP'}]}]},'status':{'podIP':'10.0.0.9','phase':'Running','"  \
    "conditions':[{"                                                                                         \
    "'type':'Ready','status':'True'}]}}]}"

static void on_request(struct fake *f, struct fake_req *r) {
    struct stage *st = f->user;
    if (++st->in_flight > st->most) st->most = st->in_flight;
    r->on_gone = on_gone;
    r->gone_ctx = st;
    if (st->down) {
        fake_fail(r, ERR_TRANSPORT, "Connection refused");
    } else if (strstr(r->url, "/version")) {
        answer(r, 200, "{'major':'1','minor':'37','gitVersion':'v1.37.2'}");
    } else if (strstr(r->url, "selfsubjectaccessreviews")) {
        st->reviews++;
        if (st->no_reviews)
            answer(r, 404, "{'kind':'Status','code':404}");
        else if (st->refuse && strstr(buf_str(&r->body), st->refuse))
            answer(r, 201, "{'status':{'allowed':false,'reason':'no rule'}}");
        else
            answer(r, 201, "{'status':{'allowed':true}}");
    } else if (strstr(r->url, "/proxy/")) {
        if (st->page)
            fake_answer(r, 200, st->page);
        else
            answer(r, 503, "{'kind':'Status','code':503,'message':'connection refused'}");
    } else if (strstr(r->url, "/deployments")) {
        answer(r, 200, OPERATOR);
    } else if (strstr(r->url, "/pods?")) {
        assert_non_null(strstr(r->url, "labelSelector=app%3Dop"));
        answer(r, 200, POD);
    } else if (strstr(r->url, "/configmaps?")) {
        answer(r, 200, "{'metadata':{'resourceVersion':'9'},'items':[]}");
    } else {
        answer(r, 404, "{'kind':'Status','code':404,'message':'not found'}");
    }
}

static void on_done(void *ctx, const struct doctor_report *r) {
    struct stage *st = ctx;
    st->done++;
    text_of(r, &st->out);
}

static void examine(struct stage *st, const char *ns) {
    struct err err = {0};
    struct kube_config *cfg;
    struct kube_config_spec config = {.server = "http://api.example:80"};
    struct doctor_spec spec = {.status = {.ns = ns, .lease_ns = "handover-system", .lease_name = "handover"}};
    st->f = fake_new();
    st->out = BUF(1 << 20);
    assert_int_equal(kube_config_load(st->f->a.w, &st->f->log, &config, &cfg, &err), 0);
    struct kube *k = kube_new(st->f->a.w, cfg, &st->f->log, NULL);
    st->f->on_request = on_request;
    st->f->user = st;
    struct doctor *d = doctor_start(k, &spec, on_done, st);
    assert_int_equal(st->done, 0);
    fake_settle(st->f);
    assert_int_equal(st->done, 1);
    doctor_end(d);
    kube_free(k);
    kube_config_free(cfg);
    fake_free(st->f);
}

static void everything_is_asked(void **state) {
    (void)state;
    struct stage st = {.page =
                           "# TYPE controller_runtime_reconcile_total counter\n"
                           "controller_runtime_reconcile_total{controller=\"x\",result=\"error\"} 2\n"
                           "controller_runtime_reconcile_total{controller=\"x\",result=\"success\"} 40\n"};
    examine(&st, NULL);
    assert_has(buf_str(&st.out), "ok server: Kubernetes v1.37.2\n");
    assert_has(buf_str(&st.out), "ok rights deployments.apps, all namespaces: get, list, watch, patch\n");
    assert_has(buf_str(&st.out), "ok rights leases.coordination.k8s.io/handover, namespace handover-system: "
                                 "get, list, watch, update\n");
    assert_has(buf_str(&st.out), "FAIL lease handover-system/handover: it does not exist");
    assert_has(buf_str(&st.out), "ok annotations a/op: each is known and allowed\n");
    assert_has(buf_str(&st.out),
               "ok metrics a/op: :8443/metrics of op-1: 42 reconciles, 2 failed (controller-runtime)\n");
    assert_int_equal(st.reviews, 47);
    assert_true(st.most <= 8);
    buf_free(&st.out);
}

static void what_is_missing_fails(void **state) {
    (void)state;
    struct stage st = {.refuse = "\"resource\":\"replicasets\",\"verb\":\"delete\",\"namespace\":\"a\"",
                       .page = "up 1\n"};
    examine(&st, "a");
    assert_has(buf_str(&st.out), "FAIL rights replicasets.apps, namespace a: this user may not delete\n");
    assert_has(buf_str(&st.out),
               "warn metrics a/op: :8443/metrics of op-1 has 1 series, and none of the reconcile counters");
    buf_free(&st.out);
    struct stage silent = {.no_reviews = true};
    examine(&silent, "a");
    assert_has(buf_str(&silent.out), "warn rights pods, namespace a: it is not known who may do what: ");
    assert_has(buf_str(&silent.out),
               "FAIL metrics a/op: no metrics page of op-1 answers through the API server: ");
    buf_free(&silent.out);
    struct stage down = {.down = true};
    examine(&down, NULL);
    assert_has(buf_str(&down.out), "FAIL server: get /version: ");
    assert_null(strstr(buf_str(&down.out), "rights"));
    buf_free(&down.out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(versions),    TEST(the_policy),          TEST(the_lease),
        TEST(annotations), TEST(everything_is_asked), TEST(what_is_missing_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
