/* What `explain` reads: one target with the pods of its canary, and what it makes of refusals. */
#include "../check.h"
#include "answer.h"
#include "explain.h"

#define TARGET                                                                                               \
    "{'metadata':{'namespace':'a','name':'one','uid':'u','resourceVersion':'7','annotations':"               \
    "{'handover.dev/canary-percent':'50'}},'spec':{'selector':{'matchLabels':{'a':'b'}},"                    \
    "'template':{'spec':{'containers':[{'name':'c','image':'w:v2'}]}}}}"
#define STATE                                                                                                \
    "{'metadata':{'namespace':'a','name':'one-handover'},'data':{'facts':'{`version`:1,`targetUID`:`u`,"     \
    "`stable`:{`hash`:`bcdf`,`name`:`one-abc`,`uid`:`rs`}}','state':'{`version`:1,`phase`:`Starting`,"       \
    "`hash`:`qrst`,`canary`:`one-canary-qrst`,`startedAt`:`2026-11-23T18:19:20Z`}'}}"
#define REHEARSING                                                                                           \
    "{'metadata':{'namespace':'a','name':'one-handover'},'data':{'facts':'{`version`:1,`targetUID`:`u`,"     \
    "`stable`:{`hash`:`bcdf`,`name`:`one-abc`,`uid`:`rs`}}','state':'{`version`:1,`phase`:`Rehearsing`,"     \
    "`hash`:`qrst`,`canary`:`one-canary-qrst`,`startedAt`:`2026-11-23T18:19:20Z`,`rehearsal`:{`key`:`0a`,"   \
    "`from`:`2026-11-23T18:19:20Z`}}'}}"
#define WEB                                                                                                  \
    "'group':'apps','version':'v1','resource':'deployments','kind':'Deployment','namespace':'shop','name':"
#define REPORT(reads, rows)                                                                                  \
    "{'apiVersion':'handover.dev/v1','kind':'RehearsalReport','run':{'reads':" reads                         \
    ",'writes':2},'objects':[" rows "]}"
#define POD(name, rs, ready)                                                                                 \
    "{'metadata':{'namespace':'a','name':'" name "','uid':'" name                                            \
    "','ownerReferences':[{'kind':'ReplicaSet','name':'" rs "','uid':'x','controller':true}]},"              \
    "'spec':{'nodeName':'n1'},'status':{'phase':'Running','conditions':[{'type':'Ready','status':'" ready    \
    "'}],'containerStatuses':[{'name':'c','restartCount':2}]}}"
#define LIST(items) "{'kind':'List','metadata':{'resourceVersion':'9'},'items':[" items "]}"

struct stage {
    const char *targets, *pods, *state; /* state NULL: STATE */
    const char *report[2];              /* of the sidecars; NULL: refused */
    int pods_status;
    unsigned asked;
    char *pods_url, line[80];
    struct explain_side side[2];
    unsigned done, npods, restarts;
    bool ready, has_state;
    struct err err, pods_err;
};

static void on_request(struct fake *f, struct fake_req *r) {
    struct stage *st = f->user;
    if (strstr(r->url, "/deployments?")) {
        answer(r, 200, st->targets);
    } else if (strstr(r->url, "/statefulsets?")) {
        answer(r, 200, LIST());
    } else if (strstr(r->url, "/configmaps?")) {
        cleanup_free char *text = xasprintf(LIST("%s"), st->state ? st->state : STATE);
        answer(r, 200, text);
    } else if (strstr(r->url, "/proxy/")) {
        bool control = strstr(r->url, "/pods/one-rehearsal-control-qrst-1:26444/proxy/report?key=0a");
        assert_true(control || strstr(r->url, "/pods/one-rehearsal-qrst-1:26444/proxy/report?key=0a"));
        const char *report = st->report[control];
        st->asked++;
        answer(r, report ? 200 : 403, report ? report : "{'kind':'Status','code':403,'message':'no'}");
    } else if (strstr(r->url, "/pods?")) {
        st->pods_url = xstrdup(r->url);
        answer(r, st->pods_status, st->pods);
    } else {
        answer(r, 404, "{'kind':'Status','code':404,'message':'not found'}");
    }
}

static void on_done(void *ctx, const struct err *err, const struct explain *e) {
    struct stage *st = ctx;
    st->done++;
    if (err) {
        st->err = *err;
        return;
    }
    st->has_state = e->row->has_state;
    st->npods = (unsigned)e->npods;
    st->pods_err = e->pods_err;
    memcpy(st->side, e->side, sizeof st->side);
    (void)snprintf(st->line, sizeof st->line, "%s", e->so_far ? e->so_far : "");
    if (!e->npods) return;
    st->ready = e->pods[0].ready;
    st->restarts = e->pods[0].restarts;
    assert_string_equal(e->pods[0].node, "n1");
}

static void explained(struct stage *st) {
    struct fake *f = fake_new();
    struct kube_config_spec config = {.server = "http://api.example:80"};
    struct kube_config *cfg;
    struct err err = {0};
    assert_int_equal(kube_config_load(f->a.w, &f->log, &config, &cfg, &err), 0);
    struct kube *k = kube_new(f->a.w, cfg, &f->log, NULL);
    f->on_request = on_request;
    f->user = st;
    const struct status_spec spec = {.ns = "a", .name = "one", .lease_ns = "l", .lease_name = "l"};
    struct explain_poll *p = explain_start(k, &spec, on_done, st);
    assert_int_equal(st->done, 0);
    fake_settle(f);
    assert_int_equal(st->done, 1);
    explain_end(p);
    kube_free(k);
    kube_config_free(cfg);
    fake_free(f);
}

static void the_canarys_pods_and_no_others(void **state) {
    (void)state;
    struct stage st = {
        .targets = LIST(TARGET),
        .pods_status = 200,
        .pods = LIST(POD("one-canary-qrst-1", "one-canary-qrst", "True") "," POD(
            "other-1", "two-canary-qrst", "True") "," POD("one-canary-qrst-2", "one-canary-qrst", "False"))};
    explained(&st);
    assert_true(st.has_state && st.npods == 2 && st.ready && st.restarts == 2);
    assert_has(st.pods_url, "/api/v1/namespaces/a/pods?labelSelector=handover.dev%2Ftrack%3Dcanary%2C"
                            "handover.dev%2Ftemplate%3Dqrst");
    free(st.pods_url);
}

static void without_a_right_on_pods_the_rest_is_said(void **state) {
    (void)state;
    struct stage st = {
        .targets = LIST(TARGET), .pods_status = 403, .pods = "{'kind':'Status','code':403,'message':'no'}"};
    explained(&st);
    assert_true(!st.err.kind && st.has_state && st.npods == 0);
    assert_int_equal(st.pods_err.kind, ERR_FORBIDDEN);
    free(st.pods_url);
}

#define REHEARSAL_PODS                                                                                       \
    LIST(POD("one-rehearsal-qrst-1", "one-rehearsal-qrst",                                                   \
             "True") "," POD("one-rehearsal-control-qrst-1", "one-rehearsal-control-qrst",                   \
                             "True") "," POD("other", "two", "True"))

/* What both would do is not the update's doing. */
static void a_rehearsal_is_asked_what_it_has_found_so_far(void **state) {
    (void)state;
    struct stage st = {
        .targets = LIST(TARGET),
        .pods_status = 200,
        .state = REHEARSING,
        .pods = REHEARSAL_PODS,
        .report = {REPORT("7", "{'change':'deleted'," WEB "'x'},{'change':'deleted'," WEB "'y'}"),
                   REPORT("5", "{'change':'deleted'," WEB "'x'}")}};
    explained(&st);
    assert_string_equal(st.err.msg, "");
    assert_true(st.npods == 2 && st.asked == 2);
    assert_has(st.pods_url, "labelSelector=handover.dev%2Frehearsal%20in%20%28qrst%2Cqrst-control%29");
    assert_true(st.side[0].read && st.side[0].reads == 7 && st.side[0].writes == 2 && st.side[1].reads == 5);
    assert_string_equal(st.line, "1 object deleted");
    free(st.pods_url);
}

static void without_a_right_on_the_sidecars_the_rest_is_said(void **state) {
    (void)state;
    struct stage st = {.targets = LIST(TARGET),
                       .pods_status = 200,
                       .state = REHEARSING,
                       .pods = REHEARSAL_PODS,
                       .report = {REPORT("7", "{'change':'deleted'," WEB "'x'}"), NULL}};
    explained(&st);
    assert_true(!st.err.kind && st.side[0].read && st.side[1].err.kind == ERR_FORBIDDEN);
    assert_string_equal(st.line, ""); /* the control's doing would be in it */
    free(st.pods_url);
}

static void a_target_that_does_not_exist(void **state) {
    (void)state;
    struct stage st = {.targets = LIST("")};
    explained(&st);
    assert_string_equal(st.err.msg, "there is no deployment/one in namespace a");
}

RUN_TESTS(TEST(the_canarys_pods_and_no_others), TEST(without_a_right_on_pods_the_rest_is_said),
          TEST(a_rehearsal_is_asked_what_it_has_found_so_far),
          TEST(without_a_right_on_the_sidecars_the_rest_is_said), TEST(a_target_that_does_not_exist))
