/* Elections on the embedded API server in a simulated world: whole processes but for what they lead. */
#include "leader/election.h"
#include "simworld/simworld.h"
#include "base/json.h"
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define S         NS_PER_S
#define MS        NS_PER_MS
#define API       "http://api.sim:8080"
#define LEASE_URL API "/apis/coordination.k8s.io/v1/namespaces/default/leases/l"
#define CM_URL    API "/api/v1/namespaces/default/configmaps"
#define POD_URL   API "/api/v1/namespaces/default/pods"

/* One candidate and what it was told. */
struct cand {
    struct simworld *sw;
    struct world *w;
    struct kube_config *cfg;
    struct metrics *metrics;
    struct kube *kube;
    struct election *e;
    struct identity id;
    int leads, losts, overs, renewed_ok, renewed_bad;
    int64_t term, led_at, stopped_at;
    enum lease_reason reason, lost_reason, over_reason;
    size_t keys; /* of work in hand, told as queued */
    size_t got[CHECKPOINT_KINDS];
    bool drains_itself; /* answers lost() at once */
};

struct field {
    struct simworld *sw;
    struct sim *api;
    struct cand c[3];
};

static void restored(void *ctx, const struct checkpoint_key *k) {
    struct cand *c = ctx;
    c->got[k->kind]++;
    c->keys += k->kind == CHECKPOINT_QUEUED;
}

static void on_lead(void *ctx, int64_t term, enum lease_reason reason, struct checkpoint_reader *work) {
    struct cand *c = ctx;
    assert_true(election_may_mutate(c->e));
    c->leads++;
    c->term = term;
    c->reason = reason;
    c->led_at = simworld_now(c->sw);
    if (work) checkpoint_each(work, restored, c);
}

static void on_lost(void *ctx, enum lease_reason reason, const char *why) {
    struct cand *c = ctx;
    assert_false(election_may_mutate(c->e));
    assert_true(why[0]);
    c->losts++;
    c->lost_reason = reason;
    if (c->drains_itself) election_drained(c->e);
}

static void on_over(void *ctx, enum lease_reason reason) {
    struct cand *c = ctx;
    c->overs++;
    c->over_reason = reason;
}

static void on_work(void *ctx, bool final, struct checkpoint *to) {
    struct cand *c = ctx;
    char key[80];
    checkpoint_add(to, &(struct checkpoint_key){.kind = final ? CHECKPOINT_INTERRUPTED : CHECKPOINT_INFLIGHT,
                                                .controller = SL("rollout"),
                                                .key = SL("a/first")});
    for (size_t i = 0; i < c->keys; i++) {
        int n = snprintf(key, sizeof(key), "team-%zu/%08zx%08zx-deployment", i % 97,
                         i * 2654435761u % 4294967291u, i);
        checkpoint_add(to, &(struct checkpoint_key){.kind = CHECKPOINT_QUEUED,
                                                    .controller = SL("rollout"),
                                                    .key = slice_make(key, (size_t)n)});
    }
}

static void on_renewed(void *ctx, bool ok) {
    struct cand *c = ctx;
    if (ok)
        c->renewed_ok++;
    else
        c->renewed_bad++;
}

static bool held(void *ctx) {
    return election_may_mutate(((struct cand *)ctx)->e);
}

static void cand_start(struct field *f, int i, const struct simhost *host) {
    static const struct election_cb cb = {on_lead, on_lost, on_over, on_work, on_renewed};
    struct cand *c = &f->c[i];
    char name[16];
    struct err err = {0};
    snprintf(name, sizeof(name), "pod-%d", i);
    *c = (struct cand){.sw = f->sw, .w = simworld_host(f->sw, name, host), .drains_itself = true};
    simworld_file(c->w, "/dev/termination-log", SL(""));
    if (kube_config_load(c->w, NULL, &(struct kube_config_spec){.server = API}, &c->cfg, &err) < 0)
        fail_msg("%s", err.msg);
    c->metrics = metrics_new(100);
    c->kube = kube_new(c->w, c->cfg, NULL, c->metrics);
    identity_make(name, "0f1e2d3c", world_rand(c->w), world_rand(c->w), &c->id);
    struct election_config cfg = {
        .ns = "default", .name = "l", .id = c->id, .termination_log = "/dev/termination-log"};
    if (election_new(c->kube, &cfg, &cb, c, &c->e, &err) < 0) fail_msg("%s", err.msg);
    kube_set_fence(c->kube, (struct kube_fence){held, c});
    election_start(c->e);
    election_ready(c->e, true);
}

static void cand_free(struct cand *c) {
    election_free(c->e);
    kube_free(c->kube);
    kube_config_free(c->cfg);
    metrics_free(c->metrics);
    c->e = NULL;
    c->kube = NULL;
    c->cfg = NULL;
    c->metrics = NULL;
}

static void cand_crash(struct cand *c) {
    simworld_kill(c->w);
    cand_free(c);
}

static void field_new(struct field *f, uint64_t seed) {
    *f = (struct field){.sw = simworld_new(seed)};
    f->api = sim_new(&(struct sim_config){.seed = seed, .wall_ns = simworld_now(f->sw)});
    simworld_server(f->sw, "api", API, f->api);
    simworld_net(f->sw, "*", "api", &(struct simnet){.latency_ns = MS, .jitter_ns = MS});
}

static void field_free(struct field *f) {
    for (size_t i = 0; i < ARRAY_LEN(f->c); i++) {
        if (f->c[i].e) cand_crash(&f->c[i]);
    }
    simworld_free(f->sw);
    sim_free(f->api);
}

static bool leads(void *ctx) {
    return ((struct cand *)ctx)->leads > 0;
}

static bool is_over(void *ctx) {
    return ((struct cand *)ctx)->overs > 0;
}

/* Candidate 0 leads, the others stand by. */
static void field_lead(struct field *f, int n) {
    field_new(f, 7);
    cand_start(f, 0, NULL);
    assert_true(simworld_run_until(f->sw, leads, &f->c[0], 2 * S));
    for (int i = 1; i < n; i++) cand_start(f, i, NULL);
    simworld_run(f->sw, 5 * S);
}

static void stop_cleanly(struct cand *c) {
    c->stopped_at = simworld_now(c->sw);
    election_stop(c->e);
    election_drained(c->e);
}

static void peek(struct field *f, const char *resource, const char *name, struct buf *b) {
    buf_clear(b);
    if (sim_peek(f->api, resource, "default", name, b) < 0) buf_adds(b, "(none)");
}

static void ask(struct field *f, const char *method, const char *url, const char *type, const char *body,
                int status) {
    cleanup_buf struct buf answer = BUF(1 << 20);
    int got = simworld_request(f->sw, method, url, type, slice_of(body), &answer);
    if (got != status) fail_msg("%s %s: %d %s", method, url, got, buf_str(&answer));
}

/* ---- ---- */

static void test_leads_renews_and_hands_over(void **state) {
    (void)state;
    struct field f;
    field_lead(&f, 3);
    struct cand *a = &f.c[0];
    assert_int_equal(a->reason, LEASE_R_ABSENT);
    assert_true(election_leading(a->e) && election_may_mutate(a->e));
    assert_string_equal(election_holder(f.c[1].e), election_identity(a->e));
    assert_true(slice_eqs(simworld_file_get(a->w, "/dev/termination-log"), election_identity(a->e)));
    cleanup_buf struct buf b = BUF(1 << 20);
    peek(&f, "leases", "l", &b);
    assert_non_null(strstr(buf_str(&b), "\"leaseDurationSeconds\":15"));
    assert_non_null(strstr(buf_str(&b), "handover.dev/checkpoint"));
    /* What others write in it stays. */
    ask(&f, "PATCH", LEASE_URL, "application/merge-patch+json",
        "{\"metadata\":{\"labels\":{\"team\":\"x\"},\"annotations\":{\"who\":\"y\"}}}", 200);
    uint64_t before = simworld_stats(f.sw).sent;
    simworld_run(f.sw, 60 * S);
    assert_in_range(simworld_stats(f.sw).sent - before, 25,
                    50); /* the renewals, and watches that are opened again */
    peek(&f, "leases", "l", &b);
    assert_non_null(strstr(buf_str(&b), "\"team\":\"x\""));
    assert_non_null(strstr(buf_str(&b), "\"who\":\"y\""));
    assert_int_equal(a->losts, 0);

    a->keys = 3;
    stop_cleanly(a);
    assert_true(simworld_run_until(f.sw, is_over, a, S));
    assert_int_equal(a->over_reason, LEASE_R_GIVEN_BACK);
    simworld_run(f.sw, S);
    struct cand *next = f.c[1].leads ? &f.c[1] : &f.c[2];
    assert_int_equal(f.c[1].leads + f.c[2].leads, 1);
    assert_int_equal(next->term, 1);
    assert_int_equal(next->reason, LEASE_R_RELEASED);
    assert_in_range(next->led_at - a->stopped_at, MS,
                    9 * MS); /* one write, one event, one write: of 1..2 ms a way */
    assert_int_equal(next->got[CHECKPOINT_INTERRUPTED], 1);
    assert_int_equal(next->got[CHECKPOINT_QUEUED], 3);
    const char *reason = "released";
    struct metric_family *m =
        metrics_family(next->metrics, METRIC_COUNTER, "handover_takeovers_total", "", "reason", NULL, 0);
    assert_int_equal((int)metric_value(metric_with(m, &reason)), 1);
    field_free(&f);
}

static void test_early_checkpoint(void **state) {
    (void)state;
    struct field f;
    field_lead(&f, 1);
    election_stop(f.c[0].e);
    election_renew_now(f.c[0].e);
    simworld_run(f.sw, 20 * MS);
    assert_int_equal(f.c[0].renewed_ok, 1);
    sim_fault(f.api, SL("{\"match\":{\"method\":\"PUT\"},\"count\":1,\"status\":503}"), NULL);
    election_renew_now(f.c[0].e);
    simworld_run(f.sw, 20 * MS);
    assert_int_equal(f.c[0].renewed_bad, 1);
    simworld_run(f.sw, 5 * S);
    assert_true(election_leading(f.c[0].e));
    field_free(&f);
}

/* 100,000 keys: written to ConfigMaps before the release, read before the successor leads, deleted once it
 * has written. */
static void test_large_checkpoint(void **state) {
    (void)state;
    struct field f;
    field_lead(&f, 2);
    f.c[0].keys = 100000;
    stop_cleanly(&f.c[0]);
    assert_true(simworld_run_until(f.sw, is_over, &f.c[0], 5 * S));
    cleanup_buf struct buf b = BUF(4 << 20);
    peek(&f, "configmaps", "l-checkpoint-0-1", &b);
    assert_non_null(strstr(buf_str(&b), "\"ownerReferences\""));
    assert_true(simworld_run_until(f.sw, leads, &f.c[1], S));
    assert_int_equal(f.c[1].got[CHECKPOINT_QUEUED], 100000);
    assert_int_equal(f.c[1].got[CHECKPOINT_INTERRUPTED], 1);
    print_message("100,000 keys: led %.1f ms after the stop\n",
                  (double)(f.c[1].led_at - f.c[0].stopped_at) / 1e6);
    f.c[1].keys = 5;
    simworld_run(f.sw, 5 * S);
    for (int i = 1; i < 9; i++) {
        char name[40];
        snprintf(name, sizeof(name), "l-checkpoint-0-%d", i);
        peek(&f, "configmaps", name, &b);
        assert_string_equal(buf_str(&b), "(none)");
    }
    field_free(&f);
}

/* The ConfigMaps cannot be written: what matters most goes with the Lease. */
static void test_large_checkpoint_refused(void **state) {
    (void)state;
    struct field f;
    field_lead(&f, 2);
    f.c[0].keys = 100000;
    sim_fault(f.api,
              SL("{\"match\":{\"method\":\"POST\",\"path\":\"*/configmaps\"},\"count\":-1,\"status\":403}"),
              NULL);
    stop_cleanly(&f.c[0]);
    assert_true(simworld_run_until(f.sw, leads, &f.c[1], 5 * S));
    assert_int_equal(f.c[0].over_reason, LEASE_R_GIVEN_BACK);
    assert_int_equal(f.c[1].got[CHECKPOINT_INTERRUPTED], 1);
    assert_in_range(f.c[1].got[CHECKPOINT_QUEUED], 1000, 99999);
    field_free(&f);
}

static void test_parts_missing_or_foreign(void **state) {
    (void)state;
    struct field f;
    field_lead(&f, 1);
    f.c[0].keys = 100000;
    stop_cleanly(&f.c[0]);
    assert_true(simworld_run_until(f.sw, is_over, &f.c[0], 5 * S));
    ask(&f, "DELETE", CM_URL "/l-checkpoint-0-2", NULL, "", 200);
    ask(&f, "PATCH", CM_URL "/l-checkpoint-0-3", "application/merge-patch+json",
        "{\"data\":{\"checkpoint\":\"#x !q 0a \"}}", 200);
    cand_start(&f, 1, NULL);
    assert_true(simworld_run_until(f.sw, leads, &f.c[1], 5 * S));
    assert_int_equal(f.c[1].got[CHECKPOINT_INTERRUPTED], 1);
    assert_in_range(f.c[1].got[CHECKPOINT_QUEUED], 10000, 90000);
    field_free(&f);
}

/* A successor dies before it has written a checkpoint of its own: the next one gets the same work. */
static void test_work_is_passed_on(void **state) {
    (void)state;
    for (int large = 0; large < 2; large++) {
        struct field f;
        field_lead(&f, 2);
        f.c[0].keys = large ? 60000 : 5;
        stop_cleanly(&f.c[0]);
        assert_true(simworld_run_until(f.sw, leads, &f.c[1], 5 * S));
        cand_crash(&f.c[1]);
        cand_start(&f, 2, NULL);
        assert_true(simworld_run_until(f.sw, leads, &f.c[2], 20 * S));
        assert_int_equal(f.c[2].term, 2);
        assert_int_equal(f.c[2].reason, LEASE_R_EXPIRED);
        assert_int_equal(f.c[2].got[CHECKPOINT_QUEUED], large ? 60000 : 5);
        field_free(&f);
    }
}

/* Told to stop between the acquisition and the end of reading the parts: what is there stays there. */
static void test_stop_before_the_work_is_read(void **state) {
    (void)state;
    struct field f;
    field_lead(&f, 1);
    f.c[0].keys = 60000;
    stop_cleanly(&f.c[0]);
    assert_true(simworld_run_until(f.sw, is_over, &f.c[0], 5 * S));
    sim_fault(
        f.api,
        SL("{\"match\":{\"method\":\"GET\",\"path\":\"*/l-checkpoint-0-1\"},\"count\":1,\"latencyMs\":500}"),
        NULL);
    cand_start(&f, 1, NULL);
    simworld_run(f.sw, 100 * MS);
    assert_true(election_leading(f.c[1].e));
    assert_int_equal(f.c[1].leads, 0);
    stop_cleanly(&f.c[1]);
    assert_true(simworld_run_until(f.sw, is_over, &f.c[1], 5 * S));
    assert_int_equal(f.c[1].leads, 0);
    cand_start(&f, 2, NULL);
    assert_true(simworld_run_until(f.sw, leads, &f.c[2], 5 * S));
    assert_int_equal(f.c[2].got[CHECKPOINT_QUEUED], 60000);
    field_free(&f);
}

static bool holds(void *ctx) {
    return election_leading(((struct cand *)ctx)->e);
}

static void test_stop_before_lead_is_told(void **state) {
    (void)state;
    struct field f;
    field_lead(&f, 2);
    f.c[0].keys = 5;
    stop_cleanly(&f.c[0]);
    assert_true(simworld_run_until(f.sw, holds, &f.c[1], S));
    assert_int_equal(f.c[1].leads, 0);
    stop_cleanly(&f.c[1]);
    assert_true(simworld_run_until(f.sw, is_over, &f.c[1], S));
    assert_int_equal(f.c[1].leads, 0);
    cand_start(&f, 2, NULL);
    assert_true(simworld_run_until(f.sw, leads, &f.c[2], S));
    assert_int_equal(f.c[2].got[CHECKPOINT_QUEUED], 5);
    field_free(&f);
}

/* A client-go elector in between leaves our annotation as it is: its term is over, and so is the work in it.
 */
static void test_stale_checkpoint(void **state) {
    (void)state;
    struct field f;
    field_lead(&f, 1);
    f.c[0].keys = 5;
    stop_cleanly(&f.c[0]);
    assert_true(simworld_run_until(f.sw, is_over, &f.c[0], 5 * S));
    ask(&f, "PATCH", LEASE_URL, "application/merge-patch+json",
        "{\"spec\":{\"holderIdentity\":\"go_1\",\"leaseTransitions\":1,\"leaseDurationSeconds\":3,"
        "\"renewTime\":\"2030-01-01T00:00:00.000000Z\"}}",
        200);
    cand_start(&f, 1, NULL);
    assert_true(simworld_run_until(f.sw, leads, &f.c[1], 5 * S));
    assert_int_equal(f.c[1].term, 2);
    assert_int_equal(f.c[1].reason, LEASE_R_EXPIRED);
    assert_int_equal(f.c[1].got[CHECKPOINT_QUEUED], 0);
    field_free(&f);
}

/* ---- death certificates ---- */

static void holder_pod(struct field *f, const struct cand *c, int exit_code) {
    char body[2048];
    snprintf(body, sizeof(body),
             "{\"status\":{\"phase\":\"Running\",\"containerStatuses\":[{\"name\":\"c\",\"image\":"
             "\"handover\",\"imageID\":\"\",\"ready\":false,"
             "\"restartCount\":0,\"state\":{\"terminated\":{\"exitCode\":%d,\"reason\":\"Error\",\"message\":"
             "\"%s\"}}}]}}",
             exit_code, election_identity(c->e));
    ask(f, "PATCH", POD_URL "/pod-0/status", "application/merge-patch+json", body, 200);
}

static void test_death_certificate(void **state) {
    (void)state;
    for (int code = 137; code <= 255; code += 118) {
        struct field f;
        field_new(&f, 7);
        /* A pod whose container somebody else runs, so that its status is ours to write. Its UID is the
         * server's. */
        sim_script(f.api, SL("{\"image\":\"handover\",\"external\":true}"), NULL);
        cleanup_buf struct buf b = BUF(1 << 16);
        int got =
            simworld_request(f.sw, "POST", POD_URL, "application/json",
                             SL("{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"pod-0\"},"
                                "\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"handover\"}]}}"),
                             &b);
        assert_int_equal(got, 201);
        cleanup_json cJSON *pod = json_parse(buf_slice(&b), NULL);
        cand_start(&f, 0, NULL);
        /* The identity has to name the pod's UID, so once more with it. */
        struct identity id = f.c[0].id;
        snprintf(id.uid, sizeof(id.uid), "%s", json_str(json_get(pod, "metadata"), "uid"));
        election_free(f.c[0].e);
        static const struct election_cb cb = {on_lead, on_lost, on_over, on_work, on_renewed};
        struct election_config cfg = {.ns = "default", .name = "l", .id = id};
        assert_int_equal(election_new(f.c[0].kube, &cfg, &cb, &f.c[0], &f.c[0].e, NULL), 0);
        election_start(f.c[0].e);
        election_ready(f.c[0].e, true);
        assert_true(simworld_run_until(f.sw, leads, &f.c[0], 30 * S));
        cand_start(&f, 1, NULL);
        simworld_run(f.sw, 5 * S);
        simworld_freeze(f.c[0].w);
        int64_t dead_at = simworld_now(f.sw);
        holder_pod(&f, &f.c[0], code);
        assert_true(simworld_run_until(f.sw, leads, &f.c[1], 30 * S));
        if (code == 137) {
            assert_int_equal(f.c[1].reason, LEASE_R_DEAD);
            assert_in_range(f.c[1].led_at - dead_at, 0, 100 * MS);
        } else {
            assert_int_equal(f.c[1].reason, LEASE_R_EXPIRED); /* 255 proves nothing */
            assert_in_range(f.c[1].led_at - dead_at, 12 * S, 17 * S);
        }
        field_free(&f);
    }
}

/* ---- losing ---- */

static void test_partition(void **state) {
    (void)state;
    struct field f;
    field_lead(&f, 2);
    int64_t cut_at = simworld_now(f.sw);
    simworld_partition(f.sw, "pod-0", "api");
    simworld_run(f.sw, 11 * S);
    assert_int_equal(f.c[0].losts, 1);
    assert_int_equal(f.c[0].lost_reason, LEASE_R_DEADLINE);
    assert_int_equal(f.c[1].leads, 0);
    assert_true(simworld_run_until(f.sw, leads, &f.c[1], 10 * S));
    assert_in_range(f.c[1].led_at - cut_at, 13 * S, 18 * S);
    /* healed: it sees that the lease is another's, and leaves it alone */
    simworld_heal(f.sw, NULL, NULL);
    assert_true(simworld_run_until(f.sw, is_over, &f.c[0], 20 * S));
    assert_int_equal(f.c[0].over_reason, LEASE_R_TAKEN);
    simworld_run(f.sw, 30 * S);
    assert_true(election_leading(f.c[1].e));
    assert_int_equal(f.c[1].losts, 0);
    field_free(&f);
}

static void test_paused(void **state) {
    (void)state;
    struct field f;
    field_lead(&f, 2);
    simworld_freeze(f.c[0].w);
    assert_true(simworld_run_until(f.sw, leads, &f.c[1], 20 * S));
    simworld_thaw(f.c[0].w);
    assert_false(election_may_mutate(f.c[0].e)); /* before it has looked at anything */
    assert_true(simworld_run_until(f.sw, is_over, &f.c[0], 20 * S));
    assert_int_equal(f.c[0].losts, 1);
    simworld_run(f.sw, 20 * S);
    assert_int_equal(f.c[1].losts, 0);
    field_free(&f);
}

static void test_unreachable_while_releasing(void **state) {
    (void)state;
    struct field f;
    field_lead(&f, 1);
    f.c[0].keys = 100000; /* in the middle of writing the parts, too */
    simworld_partition(f.sw, "pod-0", "api");
    stop_cleanly(&f.c[0]);
    simworld_run(f.sw, 4 * S);
    assert_int_equal(f.c[0].overs, 0);
    election_give_up(f.c[0].e);
    simworld_run(f.sw, MS);
    assert_int_equal(f.c[0].overs, 1);
    assert_int_equal(f.c[0].over_reason, LEASE_R_NOT_RELEASED);
    field_free(&f);
}

static void test_lost_while_saving(void **state) {
    (void)state;
    struct field f;
    field_lead(&f, 1);
    f.c[0].keys = 100000;
    sim_fault(f.api,
              SL("{\"match\":{\"method\":\"POST\",\"path\":\"*/configmaps\"},\"count\":-1,\"silent\":true}"),
              NULL);
    stop_cleanly(&f.c[0]);
    simworld_run(f.sw, 100 * MS);
    assert_int_equal(f.c[0].overs, 0);
    ask(&f, "PATCH", LEASE_URL, "application/merge-patch+json",
        "{\"spec\":{\"holderIdentity\":\"go_1\",\"leaseTransitions\":9}}", 200);
    assert_true(simworld_run_until(f.sw, is_over, &f.c[0], S));
    assert_int_equal(f.c[0].over_reason, LEASE_R_TAKEN);
    field_free(&f);
}

static void test_bad_configuration(void **state) {
    (void)state;
    struct field f;
    struct err err = {0};
    struct election *e = NULL;
    static const struct election_cb cb = {on_lead, on_lost, on_over, NULL, NULL};
    field_lead(&f, 1);
    struct election_config cfg = {.ns = "default", .name = "l", .id = f.c[0].id, .lease_ns = 10 * S};
    assert_int_equal(election_new(f.c[0].kube, &cfg, &cb, NULL, &e, &err), -EINVAL);
    assert_int_equal(err.kind, ERR_CONFIG);
    cfg = (struct election_config){.ns = "default", .name = "l"};
    assert_int_equal(election_new(f.c[0].kube, &cfg, &cb, NULL, &e, &err), -EINVAL);
    assert_null(e);
    field_free(&f);
}

/* ---- everything at once: seeds with faults; never two that may mutate ---- */

static void never_two(struct field *f, uint64_t seed) {
    int n = 0;
    for (size_t i = 0; i < ARRAY_LEN(f->c); i++)
        n += f->c[i].e && simworld_alive(f->c[i].w) && election_may_mutate(f->c[i].e);
    if (n > 1) fail_msg("seed %lu: two may mutate", (unsigned long)seed);
}

static void misbehave(struct field *f, struct rng *r) {
    struct cand *c = &f->c[rng_below(r, 3)];
    if (!c->e) return;
    switch (rng_below(r, 6)) {
    case 0: simworld_freeze(c->w); break;
    case 1: simworld_suspend(c->w); break;
    case 2: simworld_partition(f->sw, simworld_name(c->w), "api"); break;
    case 3:
        if (election_leading(c->e)) stop_cleanly(c);
        break;
    case 4: simworld_set_wall(c->w, (int64_t)rng_below(r, 7200) * S - 3600 * S); break;
    default: cand_crash(c); break;
    }
}

struct sum {
    int leads, losts, restarts;
    size_t restored;
};

static void add_up(struct sum *sum, const struct cand *c) {
    sum->leads += c->leads;
    sum->losts += c->losts;
    sum->restored += c->got[CHECKPOINT_QUEUED];
}

static void random_run(uint64_t seed, struct sum *sum) {
    struct field f;
    struct rng r = {seed};
    field_new(&f, seed);
    simworld_net(f.sw, "*", "api",
                 &(struct simnet){.latency_ns = MS,
                                  .jitter_ns = 4 * MS,
                                  .slow = 0.02,
                                  .slow_ns = 20 * S,
                                  .lose_request = 0.02,
                                  .lose_answer = 0.02,
                                  .duplicate = 0.02,
                                  .cut = 0.01,
                                  .loss = LOSS_ANY});
    for (int i = 0; i < 3; i++) {
        cand_start(&f, i, &(struct simhost){.drift_ppb = (int64_t)rng_below(&r, 100000000) - 50000000});
        f.c[i].keys = rng_below(&r, 8) ? 4 : 4000;
    }
    for (int64_t end = simworld_now(f.sw) + 120 * S, fault = 0; simworld_now(f.sw) < end;) {
        if (!simworld_step(f.sw)) break;
        never_two(&f, seed);
        if (simworld_now(f.sw) < fault) continue;
        fault = simworld_now(f.sw) + (int64_t)rng_below(&r, 8) * S;
        if (rng_below(&r, 2)) {
            simworld_heal(f.sw, NULL, NULL);
            for (size_t i = 0; i < 3; i++) {
                if (f.c[i].e) simworld_thaw(f.c[i].w);
            }
        } else {
            misbehave(&f, &r);
        }
        for (size_t i = 0; i < 3; i++) { /* whoever has come to his end comes back as a new process */
            if (f.c[i].e && f.c[i].overs) cand_crash(&f.c[i]);
            if (!f.c[i].e && rng_below(&r, 2)) {
                add_up(sum, &f.c[i]);
                cand_start(&f, (int)i, NULL);
                sum->restarts++;
            }
        }
        never_two(&f, seed);
    }
    simworld_heal(f.sw, NULL, NULL);
    simworld_net(f.sw, "*", "api", &(struct simnet){.latency_ns = MS});
    for (int i = 0; i < 3; i++) {
        if (f.c[i].e && f.c[i].overs) cand_crash(&f.c[i]);
        if (f.c[i].e)
            simworld_thaw(f.c[i].w);
        else
            cand_start(&f, i, NULL);
    }
    simworld_run(f.sw, 40 * S);
    int n = 0;
    for (int i = 0; i < 3; i++) n += f.c[i].e && election_may_mutate(f.c[i].e);
    if (n != 1) fail_msg("seed %lu: %d lead in the end", (unsigned long)seed, n);
    for (int i = 0; i < 3; i++) add_up(sum, &f.c[i]);
    field_free(&f);
}

static void test_random_worlds(void **state) {
    (void)state;
    const char *one = getenv("ELECTION_SEED");
    uint64_t from = one ? strtoull(one, NULL, 10) : 1, n = one ? 1 : 25;
    struct sum sum = {0};
    for (uint64_t seed = from; seed < from + n; seed++) random_run(seed, &sum);
    print_message("%lu worlds: %d leads, %d lost, %d restarts, %zu keys restored\n", (unsigned long)n,
                  sum.leads, sum.losts, sum.restarts, sum.restored);
    if (!one) assert_true(sum.leads > 2 * (int)n && sum.losts > (int)n / 3 && sum.restored > 50);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_leads_renews_and_hands_over),
        cmocka_unit_test(test_early_checkpoint),
        cmocka_unit_test(test_large_checkpoint),
        cmocka_unit_test(test_large_checkpoint_refused),
        cmocka_unit_test(test_parts_missing_or_foreign),
        cmocka_unit_test(test_work_is_passed_on),
        cmocka_unit_test(test_stop_before_the_work_is_read),
        cmocka_unit_test(test_stop_before_lead_is_told),
        cmocka_unit_test(test_stale_checkpoint),
        cmocka_unit_test(test_death_certificate),
        cmocka_unit_test(test_partition),
        cmocka_unit_test(test_paused),
        cmocka_unit_test(test_unreachable_while_releasing),
        cmocka_unit_test(test_lost_while_saving),
        cmocka_unit_test(test_bad_configuration),
        cmocka_unit_test(test_random_worlds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
