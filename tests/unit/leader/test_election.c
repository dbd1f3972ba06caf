/* The election: leading, handing over, death, partitions, bad configuration. */
#include "election_kit.h"
#include "base/log.h"

#define POD_URL API "/api/v1/namespaces/default/pods"

/* ---- ---- */

FIELD_CASE(3, leads_renews_and_hands_over) {
    struct cand *a = &f->c[0];
    assert_int_equal(a->reason, LEASE_R_ABSENT);
    assert_true(election_leading(a->e) && election_may_mutate(a->e));
    assert_string_equal(election_holder(f->c[1].e), election_identity(a->e));
    assert_true(slice_eqs(simworld_file_get(a->w, "/dev/termination-log"), election_identity(a->e)));
    cleanup_buf struct buf b = BUF(1 << 20);
    peek(f, "leases", "l", &b);
    assert_non_null(strstr(buf_str(&b), "\"leaseDurationSeconds\":15"));
    assert_non_null(strstr(buf_str(&b), "handover.dev/checkpoint"));
    /* What others write in it stays. */
    ask(f, "PATCH", LEASE_URL, "application/merge-patch+json",
        "{'metadata':{'labels':{'team':'x'},'annotations':{'who':'y'}}}", 200);
    uint64_t before = simworld_stats(f->sw).sent;
    simworld_run(f->sw, 60 * S);
    assert_in_range(simworld_stats(f->sw).sent - before, 25,
                    50); /* the renewals, and watches that are opened again */
    peek(f, "leases", "l", &b);
    assert_non_null(strstr(buf_str(&b), "\"team\":\"x\""));
    assert_non_null(strstr(buf_str(&b), "\"who\":\"y\""));
    assert_int_equal(a->losts, 0);

    a->keys = 3;
    stop_cleanly(a);
    assert_true(simworld_run_until(f->sw, is_over, a, S));
    assert_int_equal(a->over_reason, LEASE_R_GIVEN_BACK);
    simworld_run(f->sw, S);
    struct cand *next = f->c[1].leads ? &f->c[1] : &f->c[2];
    assert_int_equal(f->c[1].leads + f->c[2].leads, 1);
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
}

static void order(struct field *f, const char *text) {
    cleanup_free char *body = xasprintf("{'metadata':{'annotations':{'handover.dev/orders':%s}}}", text);
    ask(f, "PATCH", LEASE_URL, "application/merge-patch+json", body, 200);
}

static bool orders_stand(struct field *f) {
    cleanup_buf struct buf b = BUF(1 << 20);
    peek(f, "leases", "l", &b);
    return strstr(buf_str(&b), "handover.dev/orders");
}

/* Orders are carried out once, and taken away by the next renewal. The same ones again are others; those that nobody has taken up
 * are the next leader's. */
FIELD_CASE(2, orders_are_carried_out_once) {
    struct cand *a = &f->c[0], *b = &f->c[1];
    order(f, "'first'");
    simworld_run(f->sw, 5 * S);
    assert_int_equal(a->orders, 1);
    assert_string_equal(a->ordered, "first");
    assert_false(orders_stand(f));
    simworld_run(f->sw, 10 * S);
    assert_int_equal(a->orders, 1);
    order(f, "'first'");
    simworld_run(f->sw, 5 * S);
    assert_int_equal(a->orders, 2);
    assert_int_equal(b->orders, 0); /* a standby sees them, and leaves them alone */
    order(f, "''");                 /* nothing is ordered */
    simworld_run(f->sw, 5 * S);
    assert_int_equal(a->orders, 2);
    assert_int_equal(a->losts, 0);
    cand_crash(a);
    order(f, "'second'");
    assert_true(simworld_run_until(f->sw, leads, b, 60 * S));
    simworld_run(f->sw, 5 * S);
    assert_int_equal(b->orders, 1);
    assert_string_equal(b->ordered, "second");
    assert_false(orders_stand(f));
}

/* One that comes while the answer to a renewal is lost is neither lost nor left. */
FIELD_CASE(1, orders_survive_lost_answers) {
    struct cand *a = &f->c[0];
    for (int i = 1; i <= 5; i++) {
        cleanup_free char *text = xasprintf("'order %d'", i);
        fault(f, "{'match':{'method':'PUT','path':'*/leases/l'},'count':1,'dropAfter':true}");
        order(f, text);
        simworld_run(f->sw, 8 * S);
        assert_true(a->orders >= i);
        assert_false(orders_stand(f));
    }
    assert_int_equal(a->losts, 0);
}

static bool holds(void *ctx) {
    return election_leading(((struct cand *)ctx)->e);
}

FIELD_CASE(2, stop_before_lead_is_reported) {
    f->c[0].keys = 5;
    stop_cleanly(&f->c[0]);
    assert_true(simworld_run_until(f->sw, holds, &f->c[1], S));
    assert_int_equal(f->c[1].leads, 0);
    stop_cleanly(&f->c[1]);
    assert_true(simworld_run_until(f->sw, is_over, &f->c[1], S));
    assert_int_equal(f->c[1].leads, 0);
    cand_start(f, 2, NULL);
    assert_true(simworld_run_until(f->sw, leads, &f->c[2], S));
    assert_int_equal(f->c[2].got[CHECKPOINT_QUEUED], 5);
}

/* ---- death certificates ---- */

static void holder_pod(struct field *f, const struct cand *c, int exit_code) {
    char body[2048];
    snprintf(body, sizeof(body),
             "{'status':{'phase':'Running','containerStatuses':[{'name':'c','image':'handover','imageID':'','"
             "ready':false,'restartCount':0,'state':{'terminated':{'exitCode':%d,'reason':'Error','message':'"
             "%s'}}}]}}",
             exit_code, election_identity(c->e));
    ask(f, "PATCH", POD_URL "/pod-0/status", "application/merge-patch+json", body, 200);
}

CASE(death_certificate) {
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
        cand_start_as(&f, 0, NULL, json_str(json_get(pod, "metadata"), "uid"), NULL, NULL);
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

static void count_lines(void *ctx, enum log_level level, int64_t wall_ns, const char *msg,
                        const struct log_field *f, size_t n) {
    (void)level, (void)wall_ns, (void)f, (void)n;
    *(int *)ctx += strstr(msg, "no death certificate can be given") != NULL;
}

static int64_t no_clock(void *ctx) {
    (void)ctx;
    return 0;
}

/* A pod that does not know its UID, or cannot write its termination log, says that nothing will prove its
 * death. */
CASE(a_death_that_cannot_be_proved_is_reported) {
    static const struct {
        const char *uid, *log;
        int told;
    } cases[] = {{"0f1e", "/dev/termination-log", 0}, {"", "/dev/termination-log", 1}, {"", NULL, 0}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct field f;
        field_new(&f, 7);
        int told = 0;
        struct log log = {.sink = {count_lines, &told}, .min = LOG_DEBUG, .wall_ns = no_clock};
        cand_start_as(&f, 0, NULL, cases[i].uid, cases[i].log, &log);
        assert_int_equal(told, cases[i].told);
        field_free(&f);
    }
}

/* ---- losing ---- */

FIELD_CASE(2, partition) {
    int64_t cut_at = simworld_now(f->sw);
    simworld_partition(f->sw, "pod-0", "api");
    simworld_run(f->sw, 11 * S);
    assert_int_equal(f->c[0].losts, 1);
    assert_int_equal(f->c[0].lost_reason, LEASE_R_DEADLINE);
    assert_int_equal(f->c[1].leads, 0);
    assert_true(simworld_run_until(f->sw, leads, &f->c[1], 10 * S));
    assert_in_range(f->c[1].led_at - cut_at, 13 * S, 18 * S);
    /* healed: it sees that the lease is another's, and leaves it alone */
    simworld_heal(f->sw, NULL, NULL);
    assert_true(simworld_run_until(f->sw, is_over, &f->c[0], 20 * S));
    assert_int_equal(f->c[0].over_reason, LEASE_R_TAKEN);
    simworld_run(f->sw, 30 * S);
    assert_true(election_leading(f->c[1].e));
    assert_int_equal(f->c[1].losts, 0);
}

FIELD_CASE(1, unreachable_while_releasing) {
    f->c[0].keys = 100000; /* in the middle of writing the parts, too */
    simworld_partition(f->sw, "pod-0", "api");
    stop_cleanly(&f->c[0]);
    simworld_run(f->sw, 4 * S);
    assert_int_equal(f->c[0].overs, 0);
    election_give_up(f->c[0].e);
    simworld_run(f->sw, MS);
    assert_int_equal(f->c[0].overs, 1);
    assert_int_equal(f->c[0].over_reason, LEASE_R_NOT_RELEASED);
}

CASE(bad_configuration) {
    struct field f;
    struct err err = {0};
    struct election *e = NULL;
    field_lead(&f, 1);
    struct election_config cfg = {.ns = "default", .name = "l", .id = f.c[0].id, .lease_ns = 10 * S};
    assert_int_equal(election_new(f.c[0].kube, &cfg, &cand_cb, NULL, &e, &err), -EINVAL);
    assert_int_equal(err.kind, ERR_CONFIG);
    cfg = (struct election_config){.ns = "default", .name = "l"};
    assert_int_equal(election_new(f.c[0].kube, &cfg, &cand_cb, NULL, &e, &err), -EINVAL);
    assert_null(e);
    field_free(&f);
}

CASES("leader/election")
