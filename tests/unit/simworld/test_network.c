/* Requests over the simulated network: the client's contract, and each fault. */
#include "helper.h"

FIELD_CASE(1, a_request_is_answered) {
    cleanup_got struct got g = GOT(f->sw);
    start(f->a, &g, (struct http_spec){.url = API "/api/v1/namespaces/default?x=y"});
    assert_true(simworld_run_until(f->sw, got_ended, &g, NS_PER_S));
    assert_int_equal(g.status, 200);
    assert_int_equal(g.heads, 1);
    assert_string_equal(g.type, "application/json");
    cleanup_json cJSON *v = json_parse(buf_slice(&g.body), NULL);
    assert_string_equal(json_str(v, "kind"), "Namespace");
    assert_true(simworld_now(f->sw) > sim_now_ns(f->api) - NS_PER_S);
    assert_int_equal(do_request(f->sw, f->a, CM("x"), NULL), 201);
    assert_true(cm_there(f, "x"));
    assert_int_equal(ASK(f, .url = API "/nowhere"), 404);
    struct err err = {0};
    struct http_req *r;
    struct http_headers none = {0};
    struct http_spec bad = {.method = "GET", .url = "ftp://x/", .headers = &none};
    assert_int_equal(http_start(f->a, &bad, &got_cb, &g, &r, &err), -EINVAL);
    assert_int_equal(ASK(f, .url = "http://no.such.name/"), -ENOENT);
    assert_int_equal(ASK(f, .url = "http://b:99/"), -ECONNREFUSED);
    assert_int_equal(ASK(f, .url = API "/", .proxy = "http://p:1"), -ENOENT);
    simworld_proxy(f->sw, "http://p:1");
    assert_true(ASK(f, .url = API "/version", .proxy = "http://p:1") > 0);
}

FIELD_CASE(2, connections_are_kept) {
    simworld_net(f->sw, "*", "*", &(struct simnet){.latency_ns = 10 * MS});
    static const struct {
        bool fresh;
        enum http_lane lane;
        int64_t ms;
    } t[] = {
        {false, LANE_CALL, 60}, /* TCP, TLS, then there and back */
        {false, LANE_CALL, 20},
        {true, LANE_CALL, 60},
        {false, LANE_WATCH, 60}, /* a lane of its own */
    };
    for (size_t i = 0; i < ARRAY_LEN(t); i++) {
        int64_t began = simworld_now(f->sw);
        ASK(f, .url = API "/version", .fresh = t[i].fresh, .lane = t[i].lane);
        assert_true(simworld_now(f->sw) - began == t[i].ms * MS);
    }
}

/* ---- the client's contract ---- */

static bool yes(void *ctx) {
    ++*(int *)ctx;
    return true;
}
static bool no(void *ctx) {
    ++*(int *)ctx;
    return false;
}

FIELD_CASE(3, the_fence_is_asked_when_it_leaves) {
    int asked = 0;
    struct http_spec s = CM("x");
    s.may_send = no;
    s.may_send_ctx = &asked;
    cleanup_got struct got g = GOT(f->sw);
    start(f->a, &g, s);
    assert_int_equal(asked, 0);
    simworld_freeze(f->a); /* connected meanwhile, but nothing is sent before it goes on */
    simworld_run(f->sw, 20 * NS_PER_S);
    assert_int_equal(asked, 0);
    simworld_thaw(f->a);
    simworld_run(f->sw, NS_PER_S);
    assert_int_equal(asked, 1);
    assert_true(g.ends == 1 && g.failed && g.err.kind == ERR_FENCED);
    assert_false(cm_there(f, "x"));
    assert_int_equal(simworld_stats(f->sw).fenced, 1);
    s.may_send = yes;
    assert_int_equal(do_request(f->sw, f->a, s, NULL), 201);
    assert_int_equal(do_request(f->sw, f->a, s, NULL), 409); /* on a kept connection too */
    assert_int_equal(asked, 3);
}

FIELD_CASE(4, time_outs) {
    struct err err = {0};
    assert_int_equal(
        sim_fault(f->api, SL("{\"match\":{\"method\":\"POST\"},\"latencyMs\":5000,\"count\":1}"), &err), 0);
    struct http_spec s = CM("x");
    s.total_ns = 2 * NS_PER_S;
    cleanup_got struct got g = GOT(f->sw);
    int64_t t = simworld_now(f->sw);
    start(f->a, &g, s);
    fails(&g, 10 * NS_PER_S, ERR_TIMEOUT);
    assert_true(simworld_now(f->sw) - t == 2 * NS_PER_S);
    simworld_partition(f->sw, "a", "api"); /* connecting */
    s.fresh = true;
    s.total_ns = 0;
    s.connect_ns = 3 * NS_PER_S;
    got_again(&g);
    t = simworld_now(f->sw);
    start(f->a, &g, s);
    fails(&g, 10 * NS_PER_S, ERR_TIMEOUT);
    assert_true(simworld_now(f->sw) - t == 3 * NS_PER_S);
}

FIELD_CASE(5, large_answers_are_refused) {
    cleanup_got struct got g = GOT(f->sw);
    start(f->a, &g, (struct http_spec){.url = API "/api/v1/namespaces", .body_cap = 50});
    assert_true(simworld_run_until(f->sw, got_ended, &g, NS_PER_S));
    assert_true(g.failed && g.err.kind == ERR_PROTOCOL && g.err.errnum == -EFBIG);
}

FIELD_CASE(6, cancelling) {
    for (int where = 0; where <= 2; where++) {
        cleanup_got struct got g = GOT(f->sw);
        g.cancel_at = where;
        start(f->a, &g, (struct http_spec){.url = API "/api/v1/namespaces"});
        if (where == 0) {
            simworld_run(f->sw, 100 * NS_PER_US);
            http_cancel(g.req);
        }
        simworld_run(f->sw, NS_PER_S);
        assert_int_equal(g.ends, 0);
        assert_int_equal(g.heads, where == 0 ? 0 : 1);
    }
    /* Cancelled after it left: carried out all the same. */
    simworld_net(f->sw, "*", "*", &(struct simnet){.latency_ns = 50 * MS});
    ASK(f, .url = API "/version", .lane = LANE_CALL);
    cleanup_got struct got g = GOT(f->sw);
    start(f->a, &g, CM("late"));
    simworld_run(f->sw, 10 * MS);
    http_cancel(g.req);
    simworld_run(f->sw, NS_PER_S);
    assert_true(cm_there(f, "late"));
    assert_int_equal(g.heads + g.ends, 0);
}

/* ---- watches ---- */

FIELD_CASE(7, watches_hold_and_resume) {
    cleanup_got struct got g = GOT(f->sw);
    g.hold_after = 1;
    start(f->a, &g, WATCH("/api/v1/namespaces/default/configmaps"));
    simworld_run(f->sw, NS_PER_S);
    assert_int_equal(g.heads, 1);
    for (int i = 0; i < 3; i++) {
        char body[64];
        (void)snprintf(body, sizeof body, "{\"metadata\":{\"name\":\"c%d\"}}", i);
        assert_int_equal(do_request(f->sw, f->b, create_cm(body), NULL), 201);
    }
    simworld_run(f->sw, NS_PER_S);
    assert_int_equal(g.pieces, 1);
    g.hold_after = 0;
    http_resume(g.req);
    assert_int_equal(g.pieces, 1); /* not inside */
    simworld_run(f->sw, NS_PER_S);
    assert_int_equal(g.pieces, 3);
    assert_true(strstr(buf_str(&g.body), "\"c0\"") < strstr(buf_str(&g.body), "\"c2\""));
    http_cancel(g.req);
    simworld_run(f->sw, NS_PER_S);
    assert_int_equal(g.ends, 0);
    assert_int_equal(simworld_stats(f->sw).open, 0); /* the server has noticed */
}

/* ---- faults ---- */

FIELD_CASE(8, lost_requests) {
    static const enum simnet_loss how[] = {LOSS_RESET, LOSS_SILENT, LOSS_HANG};
    for (size_t i = 0; i < ARRAY_LEN(how); i++) {
        simworld_net(f->sw, "a", "api",
                     &(struct simnet){.latency_ns = MS, .lose_request = 1, .loss = how[i]});
        struct http_spec s = CM("x");
        s.total_ns = 30 * NS_PER_S;
        cleanup_got struct got g = GOT(f->sw);
        int64_t t = simworld_now(f->sw);
        start(f->a, &g, s);
        assert_true(simworld_run_until(f->sw, got_ended, &g, 60 * NS_PER_S));
        int64_t took = simworld_now(f->sw) - t;
        assert_true(g.failed && g.err.kind == (how[i] == LOSS_HANG ? ERR_TIMEOUT : ERR_TRANSPORT));
        assert_true(how[i] == LOSS_RESET    ? took < 10 * MS
                    : how[i] == LOSS_SILENT ? took / NS_PER_S == 8
                                            : took == s.total_ns);
        assert_false(cm_there(f, "x"));
    }
}

FIELD_CASE(9, lost_answers) {
    static const enum simnet_loss how[] = {LOSS_RESET, LOSS_SILENT, LOSS_HANG, LOSS_ANY};
    for (size_t i = 0; i < ARRAY_LEN(how); i++) {
        simworld_net(f->sw, "a", "api", &(struct simnet){.latency_ns = MS, .lose_answer = 1, .loss = how[i]});
        char name[8], body[64];
        (void)snprintf(name, sizeof name, "x%zu", i);
        (void)snprintf(body, sizeof body, "{\"metadata\":{\"name\":\"%s\"}}", name);
        struct http_spec s = create_cm(body);
        s.total_ns = 30 * NS_PER_S;
        assert_true(do_request(f->sw, f->a, s, NULL) < 0);
        assert_true(cm_there(f, name));
    }
    simworld_net(f->sw, "a", "api", NULL);
    assert_int_equal(do_request(f->sw, f->a, CM("fine"), NULL), 201);
    simworld_run(f->sw, 60 * NS_PER_S);
    assert_int_equal(simworld_stats(f->sw).open, 0);
}

FIELD_CASE(10, duplicates) {
    simworld_net(f->sw, "a", "api", &(struct simnet){.latency_ns = MS, .duplicate = 1});
    assert_int_equal(ASK(f, .url = API "/version"), 200);
    simworld_run(f->sw, 10 * NS_PER_S);
    assert_int_equal(sim_requests(f->api), 2);
    assert_int_equal(simworld_stats(f->sw).duplicated, 1);
    cleanup_got struct got g = GOT(f->sw); /* a watch, twice: the second one does not stay */
    start(f->a, &g, WATCH("/api/v1/namespaces"));
    simworld_run(f->sw, 10 * NS_PER_S);
    assert_int_equal(sim_requests(f->api), 4);
    assert_int_equal(simworld_stats(f->sw).open, 1);
    http_cancel(g.req);
}

FIELD_CASE(11, late_execution) {
    int late = 0;
    for (int i = 0; i < 20; i++) {
        simworld_net(f->sw, "a", "api",
                     &(struct simnet){.latency_ns = MS, .slow = 1, .slow_ns = 10 * NS_PER_S});
        char name[8], body[64];
        (void)snprintf(name, sizeof name, "x%d", i);
        (void)snprintf(body, sizeof body, "{\"metadata\":{\"name\":\"%s\"}}", name);
        struct http_spec s = create_cm(body);
        s.total_ns = NS_PER_S;
        s.fresh = false;
        if (do_request(f->sw, f->a, s, NULL) != -ETIMEDOUT) continue;
        bool before = cm_there(f, name);
        simworld_run(f->sw, 30 * NS_PER_S);
        late += !before && cm_there(f, name);
    }
    assert_true(late > 3); /* given up on, and carried out later */
}

FIELD_CASE(12, cut_answers) {
    simworld_net(f->sw, "a", "api", &(struct simnet){.latency_ns = MS, .cut = 1, .cut_bytes = 300});
    cleanup_got struct got g = GOT(f->sw);
    start(f->a, &g, WATCH("/api/v1/namespaces"));
    assert_true(simworld_run_until(f->sw, got_ended, &g, 60 * NS_PER_S));
    assert_true(g.failed && g.err.kind == ERR_TRANSPORT && g.err.errnum == -ECONNRESET);
    assert_true(g.body.n < 300);
    simworld_run(f->sw, NS_PER_S);
    assert_int_equal(simworld_stats(f->sw).open, 0);
}

/* ---- partitions ---- */

FIELD_CASE(13, a_short_partition_delays) {
    cleanup_got struct got g = GOT(f->sw);
    start(f->a, &g, WATCH("/api/v1/namespaces/default/configmaps"));
    simworld_run(f->sw, NS_PER_S);
    simworld_partition(f->sw, "a", "api");
    assert_int_equal(do_request(f->sw, f->b, CM("x"), NULL), 201); /* b is fine */
    simworld_run(f->sw, 3 * NS_PER_S);
    assert_int_equal(g.pieces, 0);
    simworld_heal(f->sw, "a", "api");
    simworld_run(f->sw, NS_PER_S);
    assert_int_equal(g.pieces, 1);
    assert_int_equal(g.ends, 0);
    http_cancel(g.req);
}

FIELD_CASE(14, a_long_partition_kills_connections) {
    cleanup_got struct got g = GOT(f->sw), h = GOT(f->sw);
    start(f->a, &g, WATCH("/api/v1/namespaces"));
    ASK(f, .url = API "/version", .lane = LANE_CALL);
    simworld_run(f->sw, NS_PER_S);
    simworld_partition(f->sw, "a", "*");
    start(f->a, &h, CM("x")); /* into a kept connection that leads nowhere */
    simworld_run(f->sw, 7 * NS_PER_S);
    assert_int_equal(g.ends + h.ends, 0);
    simworld_run(f->sw, 2 * NS_PER_S);
    assert_true(g.ends == 1 && g.failed && g.err.kind == ERR_TRANSPORT);
    assert_true(h.ends == 1 && h.failed && h.err.kind == ERR_TRANSPORT);
    simworld_run(f->sw, 10 * NS_PER_S);
    simworld_heal(f->sw, NULL, NULL);
    simworld_run(f->sw, 10 * NS_PER_S);
    assert_false(cm_there(f, "x"));
    assert_int_equal(simworld_stats(f->sw).open, 0);
    assert_int_equal(do_request(f->sw, f->a, CM("x"), NULL), 201);
}

FIELD_CASE(15, refused_and_reset) {
    cleanup_got struct got g = GOT(f->sw);
    start(f->a, &g, WATCH("/api/v1/namespaces"));
    simworld_run(f->sw, NS_PER_S);
    simworld_net(f->sw, "*", "api", &(struct simnet){.refuse = true});
    assert_int_equal(ASK(f, .url = API "/version"), -ECONNREFUSED);
    assert_int_equal(g.ends, 0);
    simworld_reset(f->sw, "*", "api");
    assert_int_equal(g.ends, 0); /* not inside */
    simworld_run(f->sw, NS_PER_S);
    assert_true(g.ends == 1 && g.failed && g.err.errnum == -ECONNRESET);
    assert_int_equal(simworld_get(f->sw, API "/version", NULL), 200); /* from outside: never cut off */
}

FIELD_CASE(16, certificates) {
    simworld_server_ca(f->sw, "api", "CA-1");
    struct http_tls wrong = {.id = 1, .ca = SL("CA-2")}, right = {.id = 2, .ca = SL("CA-2 CA-1")},
                    blind = {.id = 3, .insecure = true};
    cleanup_got struct got g = GOT(f->sw);
    start(f->a, &g, (struct http_spec){.url = API "/version", .tls = &wrong});
    fails(&g, NS_PER_S, ERR_TLS);
    assert_int_equal(ASK(f, .url = API "/version", .tls = &right), 200);
    assert_int_equal(ASK(f, .url = API "/version", .tls = &blind), 200);
}

/* ---- death ---- */

FIELD_CASE(17, a_crash_cuts_what_is_open) {
    simworld_net(f->sw, "*", "*", &(struct simnet){.latency_ns = 20 * MS});
    ASK(f, .url = API "/version", .lane = LANE_CALL);
    cleanup_got struct got g = GOT(f->sw), h = GOT(f->sw), i = GOT(f->sw);
    start(f->a, &g, WATCH("/api/v1/namespaces"));
    simworld_run(f->sw, NS_PER_S);
    start(f->a, &h, CM("sent"));
    simworld_run(f->sw, 5 * MS);
    start(f->a, &i, CM("unsent"));
    simworld_kill(f->a);
    http_cancel(g.req);
    http_cancel(h.req);
    http_cancel(i.req);
    cleanup_got struct got j = GOT(f->sw);
    start(f->a, &j, CM("ghost"));
    simworld_run(f->sw, 20 * NS_PER_S);
    http_cancel(j.req);
    assert_int_equal(g.ends + h.ends + i.ends + j.ends, 0);
    assert_true(cm_there(f, "sent")); /* it was on the wire */
    assert_false(cm_there(f, "unsent"));
    assert_false(cm_there(f, "ghost"));
    assert_int_equal(simworld_stats(f->sw).open, 0);
}

FIELD_CASE(18, frozen_clients_get_it_later) {
    cleanup_got struct got g = GOT(f->sw);
    struct http_spec s = {.url = API "/version", .total_ns = 5 * NS_PER_S};
    start(f->a, &g, s);
    while (simworld_stats(f->sw).executed == 0) simworld_step(f->sw);
    simworld_freeze(f->a);
    simworld_run(f->sw, 3 * NS_PER_S);
    assert_int_equal(g.heads, 0);
    simworld_thaw(f->a);
    simworld_run(f->sw, 0);
    simworld_run(f->sw, NS_PER_S);
    assert_true(g.ends == 1 && !g.failed);
}

/* ---- pods ---- */

FIELD_CASE(19, pods_answer_at_their_address) {
    simworld_pod_network(f->sw, "api");
    create(f->sw, "/api/v1/namespaces/default/pods",
           "{'metadata':{'name':'p'},'spec':{'containers':[{'name':'m','image':'i'}]}}");
    simworld_run(f->sw, NS_PER_S);
    cleanup_buf struct buf b = BUF(1 << 20);
    assert_int_equal(do_request(f->sw, f->a, (struct http_spec){.url = "http://10.244.0.2:8080/metrics"}, &b),
                     200);
    assert_non_null(strstr(buf_str(&b), "controller_runtime_reconcile_total"));
    assert_int_equal(ASK(f, .url = "http://10.244.0.9:8080/metrics"), -EHOSTUNREACH);
    scripted(f->api, "{'image':'i','metrics':'slow','slowMs':4000}");
    int64_t t = simworld_now(f->sw);
    assert_int_equal(ASK(f, .url = "http://10.244.0.2:8080/metrics"), 200);
    assert_true(simworld_now(f->sw) - t >= 4 * NS_PER_S);
    simworld_partition(f->sw, "*", "pods");
    assert_int_equal(ASK(f, .url = "http://10.244.0.2:8080/metrics", .total_ns = NS_PER_S), -ETIMEDOUT);
}

CASES("simworld/network")
