/* Scripted operators: their metrics pages, counters that do not depend on who looks, and leader election on a
 * Lease. */
#include "kit.h"
#include <math.h>

static char *page(struct sim *s, const char *pod, int *ret_status) {
    cleanup_free char *path = xasprintf(CORE "pods/%s:8080/proxy/metrics", pod);
    cleanup_answer struct answer a = {0};
    send_as(s, "GET", path, NULL, NULL, SL(""), &a);
    if (ret_status) *ret_status = a.ended ? a.status : 0;
    return xstrdup(buf_str(&a.body));
}

/* The value of the series that begins so; -1: absent. */
static double value(const char *text, const char *series) {
    size_t n = strlen(series);
    for (const char *p = text; p && *p; p = strchr(p, '\n') ? strchr(p, '\n') + 1 : NULL)
        if (strncmp(p, series, n) == 0 && p[n] == ' ') return strtod(p + n + 1, NULL);
    return -1;
}

#define ERRORS  "controller_runtime_reconcile_total{controller=\"sim\",result=\"error\"}"
#define SUCCESS "controller_runtime_reconcile_total{controller=\"sim\",result=\"success\"}"

static double read_of(struct sim *s, const char *pod, const char *series) {
    cleanup_free char *text = page(s, pod, NULL);
    return value(text, series);
}

static void make_pod(struct sim *s, const char *name, const char *image) {
    cleanup_free char *body = xasprintf("{'metadata':{'name':'%s'}," POD_SPEC("%s") "}", name, image);
    post(s, CORE "pods", body);
}

SIM_TEST(page_has_the_usual_names) {
    make_pod(s, "p", "op:v1");
    run_ms(s, 10000);
    int status;
    cleanup_free char *text = page(s, "p", &status);
    assert_int_equal(status, 200);
    assert_true(value(text, SUCCESS) > 100);
    assert_true(value(text, ERRORS) == 0);
    assert_true(value(text, "controller_runtime_reconcile_errors_total{controller=\"sim\"}") == 0);
    assert_true(value(text, "controller_runtime_terminal_reconcile_errors_total{controller=\"sim\"}") == 0);
    assert_true(value(text, "workqueue_depth{name=\"sim\"}") == 0);
    assert_true(value(text, "controller_runtime_max_concurrent_reconciles{controller=\"sim\"}") == 1);
    assert_true(value(text, "controller_runtime_active_workers{controller=\"sim\"}") >= 0);
    assert_true(fabs(value(text, "process_start_time_seconds") - (double)(WALL / NS_PER_S) - 0.3) < 0.01);
    assert_true(value(text, "leader_election_master_status{name=\"op-lock\"}") < 0);
}

SIM_TEST(rates_are_as_scripted) {
    script(s, "{'image':'*:slow','reconcilesPerSecond':20,'errorRate':0.3}");
    script(s, "{'image':'*:fast','reconcilesPerSecond':2000,'errorRate':0.05}");
    script(s, "{'image':'*:later','errorRate':0.5,'errorRateAfterMs':60000}");
    script(s, "{'image':'*:idle','reconcilesPerSecond':0}");
    make_pod(s, "slow", "op:slow");
    make_pod(s, "fast", "op:fast");
    make_pod(s, "later", "op:later");
    make_pod(s, "idle", "op:idle");
    run_ms(s, 60200);
    assert_true(read_of(s, "later", ERRORS) == 0);
    run_ms(s, 940100); /* 1000 s of running */
    double e = read_of(s, "slow", ERRORS), n = e + read_of(s, "slow", SUCCESS);
    assert_true(fabs(n - 20000) < 5 * sqrt(20000));
    assert_true(fabs(e / n - 0.3) < 0.02);
    e = read_of(s, "fast", ERRORS);
    n = e + read_of(s, "fast", SUCCESS);
    assert_true(fabs(n - 2e6) < 5 * sqrt(2e6));
    assert_true(fabs(e / n - 0.05) < 0.005);
    assert_true(read_of(s, "later", ERRORS) > 5000);
    assert_true(read_of(s, "idle", SUCCESS) == 0);
}

/* The same seed and time give the same numbers, whether or not somebody looked in between. */
CASE(looking_changes_nothing) {
    double got[2];
    for (int run = 0; run < 2; run++) {
        struct sim *s = sim_seeded(3);
        script(s, "{'image':'*','errorRate':0.3}");
        make_pod(s, "p", "op:v1");
        double last = 0;
        for (int i = 0; i < 100; i++) {
            run_ms(s, 777);
            if (run == 0) continue;
            double now = read_of(s, "p", ERRORS);
            assert_true(now >= last);
            last = now;
        }
        got[run] = read_of(s, "p", ERRORS) * 1e6 + read_of(s, "p", SUCCESS);
        sim_free(s);
    }
    assert_true(got[0] == got[1]);
}

SIM_TEST(a_restart_begins_at_zero) {
    make_pod(s, "p", "op:v1");
    run_ms(s, 10000);
    double before = read_of(s, "p", SUCCESS), started = read_of(s, "p", "process_start_time_seconds");
    script(s, "{'image':'*','crashAfterMs':10000,'crashes':1}");
    run_ms(s, 1500); /* crashed at 10.3, running again since 10.8 */
    assert_true(read_of(s, "p", SUCCESS) < before / 2);
    assert_true(read_of(s, "p", "process_start_time_seconds") > started + 5);
}

SIM_TEST(kinds_of_pages) {
    static const struct {
        const char *kind;
        int status;
    } t[] = {{"none", 503}, {"garbage", 200}, {"http500", 500}, {"slow", 0}};
    for (size_t i = 0; i < ARRAY_LEN(t); i++) {
        cleanup_free char *json = xasprintf("{'image':'*:%s','metrics':'%s'}", t[i].kind, t[i].kind);
        cleanup_free char *image = xasprintf("op:%s", t[i].kind);
        script(s, json);
        make_pod(s, t[i].kind, image);
        run_ms(s, 1000);
        int status;
        cleanup_free char *text = page(s, t[i].kind, &status);
        assert_int_equal(status, t[i].status);
        assert_true(value(text, SUCCESS) < 0);
    }
    int status;
    make_pod(s, "young", "op:v1");
    free(page(s, "young", &status));
    assert_int_equal(status, 503);
}

SIM_TEST(pods_at_their_address) {
    script(s, "{'image':'*','metricsPort':8080}");
    make_pod(s, "p", "op:v1");
    run_ms(s, 1000);
    struct slice ip = slice_of(json_str(json_get(object(s, "pods", "p"), "status"), "podIP"));
    int status;
    int64_t delay;
    const char *type;
    cleanup_buf struct buf body = BUF(1 << 20);
    assert_int_equal(sim_pod_get(s, ip, 8080, SL("/metrics"), &status, &type, &delay, &body), 0);
    assert_int_equal(status, 200);
    assert_true(value(buf_str(&body), SUCCESS) >= 0);
    assert_int_equal(sim_pod_get(s, ip, 9090, SL("/metrics"), &status, &type, &delay, &body), -ECONNREFUSED);
    assert_int_equal(sim_pod_get(s, SL("10.9.9.9"), 8080, SL("/metrics"), &status, &type, &delay, &body),
                     -EHOSTUNREACH);
    buf_clear(&body);
    assert_int_equal(sim_pod_get(s, ip, 8080, SL("/healthz"), &status, &type, &delay, &body), 0);
    assert_string_equal(buf_str(&body), "ok");
}

/* ---- leader election ---- */

#define LEASE  LEASES "/op-lock"
#define MASTER "leader_election_master_status{name=\"op-lock\"}"

static char *holder(struct sim *s) { /* the pod's name, "" for nobody */
    struct slice name, rest;
    slice_cut(slice_of(json_str_or(json_get(get(s, LEASE), "spec"), "holderIdentity", "")), '_', &name,
              &rest);
    return slice_dup(name);
}

SIM_TEST(one_leads_and_another_follows) {
    script(s, "{'image':'*','leaderElection':true,'terminateMs':100}");
    make_pod(s, "a", "reg/op:v1");
    run_ms(s, 2000);
    make_pod(s, "b", "reg/op:v2"); /* another version: the same Lease */
    run_ms(s, 10000);
    cleanup_free char *first = holder(s);
    assert_string_equal(first, "a");
    assert_true(read_of(s, "a", SUCCESS) > 0);
    assert_true(read_of(s, "a", MASTER) == 1);
    assert_true(read_of(s, "b", MASTER) == 0);
    assert_true(read_of(s, "b", SUCCESS) < 0); /* a standby has no series */
    del(s, "pods", "a", NULL);
    run_ms(s, 12000); /* controller-runtime does not release: expiry has to be waited for */
    assert_true(read_of(s, "b", MASTER) == 0);
    run_ms(s, 8000);
    assert_true(read_of(s, "b", MASTER) == 1);
    assert_true(read_of(s, "b", SUCCESS) >= 0);
    says(get(s, LEASE), "spec/leaseTransitions=1");
}

/* Somebody releases the Lease on behalf of the dead: a standby takes it at its next poll. */
SIM_TEST(a_released_lease_is_taken_soon) {
    script(s, "{'image':'*','leaderElection':true,'lease':'op-lock'}");
    make_pod(s, "a", "x:v1");
    run_ms(s, 2000);
    make_pod(s, "b", "y:v2");
    run_ms(s, 5000);
    del(s, "pods", "a", NULL);
    run_ms(s, 200);
    merge(s, LEASE, "{'spec':{'holderIdentity':''}}");
    run_ms(s, 4500);
    assert_true(read_of(s, "b", MASTER) == 1);

    script(s, "{'image':'*','leaderElection':true,'lease':'op-lock','releaseOnExit':true}");
    make_pod(s, "c", "z:v3");
    run_ms(s, 5000);
    del(s, "pods", "b", NULL);
    run_ms(s, 4600);
    assert_true(read_of(s, "c", MASTER) == 1);
}

/* Who loses the Lease that it held exits, as controller-runtime does. */
SIM_TEST(losing_the_lease_ends_the_process) {
    script(s, "{'image':'*','leaderElection':true}");
    make_pod(s, "a", "op:v1");
    run_ms(s, 3000);
    merge(s, LEASE, "{'spec':{'holderIdentity':'somebody'}}");
    run_ms(s, 3000);
    says(json_at(object(s, "pods", "a"), "status/containerStatuses")->child,
         "restartCount=1|lastState/terminated/message=leader election lost");
}

SIM_TEST(the_lease_may_be_an_argument) {
    script(s, "{'image':'*','leaderElection':true}");
    post(s, CORE "pods",
         "{'metadata':{'name':'a'},'spec':{'containers':[{'name':'m','image':'op:v2','args':"
         "['--leader-election-id=op-canary']}]}}");
    run_ms(s, 3000);
    assert_non_null(get(s, LEASES "/op-canary"));
}
