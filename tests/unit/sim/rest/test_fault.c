/* Faults on demand: what each kind does to a request, whom it strikes, how often, and what a wrong one is
 * told. */
#include "../client.h"

static void send_get(struct sim *s, const char *target, struct answer *a) {
    send_as(s, "GET", target, NULL, NULL, SL(""), a);
}

static int status_of(struct sim *s, const char *method, const char *target, const char *agent) {
    cleanup_answer struct answer a = {.body = BUF(1 << 20)};
    struct sim_request r = {
        .method = slice_of(method), .target = slice_of(target), .user_agent = slice_of(agent)};
    assert_null(sim_handle(s, &r, &client_cb, &a));
    return a.status;
}

SIM_TEST(a_status) {
    make_cm(s, "a", "x", "1");
    fault(s, "{'status':429,'retryAfter':7}");
    cleanup_answer struct answer a = {0};
    send_as(s, "DELETE", CMS "/a", NULL, NULL, SL(""), &a);
    assert_true(a.ended);
    assert_int_equal(a.status, 429);
    assert_int_equal(a.retry_after_s, 7);
    says(keep(json_parse(buf_slice(&a.body), NULL)), "kind=Status|reason=TooManyRequests|code=429");
    run(s, "GET", CMS "/a", NULL, 200); /* once only, and what it struck was not carried out */
    fault(s, "{'status':503,'body':'<html>'}");
    send_get(s, CMS "/a", &a);
    assert_int_equal(a.status, 503);
    assert_int_equal(a.retry_after_s, -1);
    assert_string_equal(buf_str(&a.body), "<html>");
}

SIM_TEST(latency) {
    fault(s, "{'latencyMs':200}");
    cleanup_answer struct answer late = {0};
    cleanup_free char *body = config_map("a", "x", "1");
    send_as(s, "POST", CMS, "application/json", NULL, slice_of(body), &late);
    run(s, "GET", CMS "/a", NULL, 404);
    run_ms(s, 199);
    assert_int_equal(late.heads, 0);
    run(s, "GET", CMS "/a", NULL, 404);
    run_ms(s, 1);
    assert_true(late.ended);
    assert_int_equal(late.status, 201);
    run(s, "GET", CMS "/a", NULL, 200);
}

SIM_TEST(latency_of_the_answer) {
    make_cm(s, "a", "x", "1");
    fault(s, "{'answerLatencyMs':200}");
    cleanup_answer struct answer late = {0};
    send_as(s, "DELETE", CMS "/a", NULL, NULL, SL(""), &late);
    run(s, "GET", CMS "/a", NULL, 404); /* done already */
    run_ms(s, 199);
    assert_int_equal(late.heads, 0);
    run_ms(s, 1);
    assert_true(late.ended);
    assert_false(late.cut);
    assert_int_equal(late.status, 200);
    /* Who leaves while it waits hears nothing any more. */
    fault(s, "{'answerLatencyMs':200}");
    send_get(s, CMS, &late);
    answer_free(&late);
    run_ms(s, 1000);
    assert_int_equal(late.heads, 0);
}

SIM_TEST(cut) {
    make_cm(s, "a", "x", "1");
    cleanup_answer struct answer whole = {0}, a = {0};
    send_get(s, CMS "/a", &whole);
    for (size_t at = 0; at < whole.body.n; at += 20) {
        char json[64];
        snprintf(json, sizeof json, "{'cutAfterBytes':%zu}", at);
        fault(s, json);
        send_get(s, CMS "/a", &a);
        assert_true(a.ended && a.cut);
        assert_int_equal(a.status, 200);
        assert_int_equal(a.body.n, at);
        assert_memory_equal(buf_str(&a.body), buf_str(&whole.body), at);
    }
    /* A watch is cut in the middle of an event, and nobody writes to it any more. */
    fault(s, "{'match':{'query':'watch='},'cutAfterBytes':30}");
    send_get(s, CMS "?watch=1", &a);
    assert_true(a.ended && a.cut);
    assert_int_equal(a.body.n, 30);
    make_cm(s, "b", "x", "1");
}

SIM_TEST(dropped) { /* before it is carried out, or after it */
    for (int after = 0; after < 2; after++) {
        cleanup_answer struct answer a = {0};
        make_cm(s, "a", "x", "1");
        fault(s, after ? "{'dropAfter':true}" : "{'dropBefore':true}");
        send_as(s, "DELETE", CMS "/a", NULL, NULL, SL(""), &a);
        assert_true(a.ended && a.cut);
        assert_int_equal(a.heads, 0);
        run(s, after ? "GET" : "DELETE", CMS "/a", NULL, after ? 404 : 200);
    }
}

CASE(silent) {
    struct sim *s = sim_test();
    make_cm(s, "a", "x", "1");
    cleanup_answer struct answer a = {0}, b = {0}, watch = {0};
    fault(s, "{'match':{'method':'DELETE'},'silent':true}");
    send_as(s, "DELETE", CMS "/a", NULL, NULL, SL(""), &a);
    /* silent, but carried out */
    fault(s, "{'match':{'method':'DELETE'},'silent':true,'dropAfter':true}");
    run_ms(s, 3600 * 1000);
    assert_false(a.ended);
    assert_int_equal(a.heads, 0);
    run(s, "GET", CMS "/a", NULL, 200);
    send_as(s, "DELETE", CMS "/a", NULL, NULL, SL(""), &b);
    run_ms(s, 3600 * 1000);
    assert_false(b.ended);
    run(s, "GET", CMS "/a", NULL, 404);
    /* A watch that is open falls silent, unless the fault is for requests to come only. */
    send_get(s, CMS "?watch=1", &watch);
    fault(s, "{'match':{'query':'watch='},'silent':true,'open':false}");
    make_cm(s, "b", "x", "1");
    expect_event(&watch, "ADDED", "b");
    fault(s, "{'clear':true}");
    fault(s, "{'match':{'query':'watch='},'silent':true}");
    make_cm(s, "c", "x", "1");
    expect_no_event(&watch);
    run_ms(s, 3 * 3600 * 1000);
    assert_false(watch.ended); /* not even by its own timeout */
    sim_free(s);               /* the end of the server is the end of the silence */
    assert_true(b.ended && b.cut);
}

SIM_TEST(open_watches_are_cut) {
    cleanup_answer struct answer a = {0}, b = {0};
    send_get(s, CMS "?watch=1", &a);
    send_get(s, LEASES "?watch=1", &b);
    fault(s, "{'match':{'path':'*/configmaps'},'dropBefore':true,'open':true}");
    assert_true(a.ended && a.cut);
    assert_false(b.ended);
    run(s, "GET", CMS, NULL, 200);                                  /* it has struck once */
    fault(s, "{'match':{'method':'P*'},'status':500,'open':true}"); /* a watch is a GET */
    assert_false(b.ended);
}

SIM_TEST(so_many_times) {
    fault(s, "{'status':500,'count':3}");
    for (int i = 0; i < 3; i++) run(s, "GET", CMS, NULL, 500);
    run(s, "GET", CMS, NULL, 200);
    fault(s, "{'status':500,'count':0}");
    run(s, "GET", CMS, NULL, 200);
    fault(s, "{'status':500,'count':-1}");
    fault(s, "{'status':503,'count':-1}"); /* the first that fits strikes */
    for (int i = 0; i < 100; i++) run(s, "GET", CMS, NULL, 500);
    fault(s, "{'clear':true}");
    run(s, "GET", CMS, NULL, 200);
    /* Those that are used up make room for others. */
    for (int i = 0; i < 1000; i++) {
        fault(s, "{'status':500}");
        run(s, "GET", CMS, NULL, 500);
    }
    run(s, "GET", CMS, NULL, 200);
}

SIM_TEST(probability) {
    fault(s, "{'status':500,'count':-1,'probability':0.25}");
    int struck = 0;
    for (int i = 0; i < 2000; i++) struck += status_of(s, "GET", CMS, "t") == 500;
    assert_in_range(struck, 400, 600); /* five standard deviations, and the seed is fixed */
    fault(s, "{'clear':true}");
    fault(s, "{'status':500,'count':-1,'probability':0}");
    for (int i = 0; i < 100; i++) run(s, "GET", CMS, NULL, 200);
    /* What does not strike does not count. */
    fault(s, "{'clear':true}");
    fault(s, "{'status':500,'count':5,'probability':0.5}");
    struck = 0;
    for (int i = 0; i < 200; i++) struck += status_of(s, "GET", CMS, "t") == 500;
    assert_int_equal(struck, 5);
}

SIM_TEST(match) {
    fault(s, "{'match':{'method':'GET','path':'*/"
             "configmaps*','query':'limit=','userAgent':'bot*'},'status':500,'count':-1}");
    assert_int_equal(status_of(s, "GET", CMS "?a=b&limit=1", "bot/1"), 500);
    assert_int_equal(status_of(s, "GET", CMS "?limit=1", "man/1"), 200);
    assert_int_equal(status_of(s, "GET", CMS, "bot/1"), 200);
    assert_int_equal(status_of(s, "GET", LEASES "?limit=1", "bot/1"), 200);
    assert_int_equal(status_of(s, "DELETE", CMS "?limit=1", "bot/1"), 200);
    fault(s, "{'clear':true}");
    /* The way to take faults back stays open. */
    fault(s, "{'status':500,'count':-1}");
    run(s, "GET", CMS, NULL, 500);
    run(s, "POST", "/sim/fault", "{'clear':true}", 200);
    run(s, "GET", CMS, NULL, 200);
}

CASE(wrong) {
    static const struct {
        const char *json, *text;
    } cases[] = {
        {"[]", "an object is expected"},
        {"{", ""},
        {"{'stats':500}", "unknown member \"stats\""},
        {"{'status':199}", "status is 200..599"},
        {"{'status':600}", "status is 200..599"},
        {"{'probability':1.5}", "probability is 0..1"},
        {"{'latencyMs':-1}", "a latency is 0 ms to a day"},
        {"{'answerLatencyMs':86400001}", "a latency is 0 ms to a day"},
    };
    struct sim *s = sim_test();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err = {0};
        print_message("%s\n", cases[i].json);
        assert_true(fault_err(s, cases[i].json, &err) < 0);
        assert_non_null(strstr(err.msg, cases[i].text));
        refused(s, "POST", "/sim/fault", cases[i].json, 400, cases[i].text);
    }
    run(s, "GET", CMS, NULL, 200);
    struct err err = {0};
    int n = 0;
    while (n < 1000 && fault_err(s, "{'status':500,'match':{'path':'/none'}}", &err) == 0) n++;
    assert_int_equal(n, 256);
    assert_non_null(strstr(err.msg, "too many"));
    sim_free(s);
}
