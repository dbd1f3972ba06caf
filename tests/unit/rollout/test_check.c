/* Checks are asked: whom, with what, how many at once; and whatever comes back that is no answer says nothing. */
#include "scrape_kit.h"
#include "act/check.h"

struct place {
    struct kit *t;
    struct checks *c;
    struct check_target *g[40];
    size_t n;
    unsigned answered;
};

static void on_answered(void *ctx) {
    struct place *p = ctx;
    p->answered++;
}

static struct place *make(void) {
    struct place *p = xcalloc(1, sizeof *p);
    p->t = setup(4);
    fake_file(p->t->f, "/ca", "-----BEGIN CERTIFICATE-----\n");
    fake_file(p->t->f, "/prometheus/token", "asks\n");
    struct checks_options opt = {
        .hosts = "ok.example.com,http://plain:8080,*.wild",
        .ca = "/ca",
        .prometheus = {.url = "https://prom:9090/x", .own_queries = true, .token = "/prometheus/token"}};
    p->c = checks_new(p->t->k, &opt);
    return p;
}

static void leave(struct place *p) {
    for (size_t i = 0; i < p->n; i++) check_target_free(p->g[i]);
    fake_settle(p->t->f);
    checks_free(p->c);
    teardown(p->t);
    free(p);
}
#define CHECK(name) CASE_OF(struct place, p, make(), leave, name)

static struct check_target *in(struct place *p, const char *ns) {
    return p->g[p->n++] = check_target_new(p->c, ns, on_answered, p);
}

static void ask(struct place *p, struct check_target *g, enum check_kind kind, const char *text) {
    unsigned before = p->answered;
    check_target_ask(g, kind, 7, slice_of(text), SL("{\"version\":1}"));
    assert_int_equal(p->answered, before); /* never inside */
    fake_settle(p->t->f);
}

static const struct check_answer *said(struct place *p, struct check_target *g, enum check_says says) {
    const struct check_answer *a = check_target_answer(g, CHECK_URL);
    assert_non_null(a);
    if (a->says != says) fail_msg("%s: %s", state_says_name(a->says), a->message ? a->message : "");
    assert_true(a->of == 7 && a->at_ns % NS_PER_US == 0);
    (void)p;
    return a;
}

CHECK(what_a_url_is_asked) {
    struct check_target *g = in(p, "ns");
    ask(p, g, CHECK_URL, "HTTPS://OK.example.com/a?b");
    struct fake_req *r = fake_one(p->t->f);
    assert_string_equal(r->url, "https://ok.example.com:443/a?b");
    assert_string_equal(r->method, "POST");
    assert_string_equal(buf_str(&r->body), "{\"version\":1}");
    assert_true(r->lane == LANE_CHECK && !r->insecure && r->tls_id && r->body_cap == CHECK_MAX_ANSWER);
    assert_true(fake_has_header(r, "Content-Type: application/json") &&
                !strstr(buf_str(&r->headers), "uthorization"));
    check_target_ask(g, CHECK_URL, 7, SL("https://ok.example.com/a?b"), SL("{}")); /* it is being asked */
    fake_settle(p->t->f);
    fake_answer(fake_one(p->t->f), 200, "{\"verdict\":\"pass\",\"message\":\"fine\"}");
    assert_string_equal(said(p, g, CHECK_PASS)->message, "fine");
    assert_int_equal(p->answered, 1);
    check_target_taken(g);
    assert_null(check_target_answer(g, CHECK_URL));
}

CHECK(what_is_no_answer_says_nothing) {
    static const struct {
        int status;
        const char *body, *says;
    } v[] = {
        {302, "{\"verdict\":\"pass\"}", "it answers 302, and redirects are not followed"},
        {301, "", "redirects are not followed"},
        {201, "{\"verdict\":\"pass\"}", "it answers 201"},
        {204, "", "it answers 204"},
        {404, "{\"verdict\":\"fail\"}", "it answers 404"},
        {500, "{\"verdict\":\"fail\"}", "it answers 500"},
        {503, "", "it answers 503"},
        {200, "", "expected {\"verdict\":\"pass\"}"},
        {200, "\xff\xfe\x01 garbage", "expected {"},
        {200, "{\"verdict\":false}", "expected {"},
        {200, "{\"verdict\":\"pass\",\"message\":[]}", "its message is no string"},
    };
    struct check_target *g = in(p, "ns");
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        ask(p, g, CHECK_URL, "https://ok.example.com/");
        struct fake_req *r = fake_one(p->t->f);
        fake_head(r, v[i].status, "Location", "https://evil/");
        fake_body(r, v[i].body);
        fake_end(r, NULL);
        if (!strstr(said(p, g, CHECK_SILENT)->message, v[i].says))
            fail_msg("%s", said(p, g, CHECK_SILENT)->message);
        assert_int_equal(fake_open(p->t->f), 0); /* nobody is asked instead */
    }
    ask(p, g, CHECK_URL, "https://ok.example.com/");
    fake_fail(fake_one(p->t->f), ERR_TLS, "the certificate is \x1b[1m not verified");
    assert_string_equal(said(p, g, CHECK_SILENT)->message, "the certificate is \\x1b[1m not verified");
}

CHECK(a_slow_one_ends_after_ten_seconds) {
    struct check_target *g = in(p, "ns");
    ask(p, g, CHECK_URL, "https://ok.example.com/");
    fake_head(fake_one(p->t->f), 200, NULL, NULL);
    fake_run(p->t->f, 9 * NS_PER_S);
    fake_body(fake_one(p->t->f), "{\"verdict\":");
    assert_null(check_target_answer(g, CHECK_URL));
    fake_run(p->t->f, 2 * NS_PER_S);
    said(p, g, CHECK_SILENT);
    assert_int_equal(fake_open(p->t->f), 0);
}

CHECK(an_endless_one_is_cut) {
    struct check_target *g = in(p, "ns");
    ask(p, g, CHECK_URL, "https://ok.example.com/");
    struct fake_req *r = fake_one(p->t->f);
    char much[1001] = "";
    memset(much, ' ', sizeof much - 1);
    fake_head(r, 200, NULL, NULL);
    for (int i = 0; i < 1000 && fake_open(p->t->f); i++) fake_body(r, much);
    assert_int_equal(fake_open(p->t->f), 0);
    said(p, g, CHECK_SILENT);
}

/* Looked at again where it is sent, whatever was looked at before. */
CHECK(others_are_not_asked) {
    static const char *const v[] = {"https://evil/",
                                    "https://ok.example.com@evil/",
                                    "http://ok.example.com/",
                                    "https://ok.example.com:1/",
                                    "https://wild/",
                                    "https://plain:8080/",
                                    "nonsense"};
    struct check_target *g = in(p, "ns");
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        ask(p, g, CHECK_URL, v[i]);
        assert_int_equal(fake_open(p->t->f), 0);
        said(p, g, CHECK_SILENT);
    }
    ask(p, g, CHECK_URL, "http://plain:8080/x");
    assert_string_equal(fake_one(p->t->f)->url, "http://plain:8080/x");
    fake_file(p->t->f, "/ca", NULL);
    ask(p, in(p, "other"), CHECK_URL, "https://a.wild/");
    assert_int_equal(fake_open(p->t->f), 1); /* without its CA nobody is asked */
    assert_int_equal(p->answered, ARRAY_LEN(v) + 1);
}

CHECK(what_a_target_may_ask_for) {
    char url[] = "https://Evil.example/x", ok[] = "https://ok.example.com/", query[] = "a < 1";
    struct err e = {0};
    struct spec spec = {.check = ok, .check_query = query};
    assert_int_equal(checks_allow(p->c, &spec, &e), 0);
    spec.check = url;
    assert_true(checks_allow(p->c, &spec, &e) < 0 && e.kind == ERR_CONFIG);
    assert_string_equal(
        e.msg,
        "handover.dev/check: \"https://Evil.example:443/x\" is not allowed: its host is none of those that "
        "handover run --check-hosts=LIST names; allowed: ok.example.com,http://plain:8080,*.wild");
    for (int i = 0; i < 3; i++) {
        struct checks *c =
            checks_new(p->t->k, &(struct checks_options){.prometheus = {.url = i == 1 ? "https://prom" : NULL,
                                                                        .own_queries = i == 2}});
        spec = (struct spec){.check_query = query};
        assert_true(checks_allow(c, &spec, &e) < 0 && strstr(e.msg, "--prometheus-own-queries=on"));
        spec = (struct spec){.check = ok};
        assert_true(checks_allow(c, &spec, &e) < 0 && strstr(e.msg, "allowed: none"));
        checks_free(c);
    }
}

/* Two of a namespace hang, and its third waits; another namespace does not. */
CHECK(one_that_hangs_delays_its_namespace_alone) {
    struct check_target *own[4];
    for (int i = 0; i < 4; i++) {
        own[i] = in(p, "hangs");
        ask(p, own[i], CHECK_URL, "https://ok.example.com/hangs");
    }
    assert_int_equal(fake_open(p->t->f), 2);
    struct check_target *g = in(p, "other");
    ask(p, g, CHECK_URL, "https://ok.example.com/other");
    fake_answer(fake_last(p->t->f), 200, "{\"verdict\":\"pass\"}");
    said(p, g, CHECK_PASS);
    fake_run(p->t->f, 10 * NS_PER_S + NS_PER_MS);
    said(p, own[0], CHECK_SILENT);
    said(p, own[1], CHECK_SILENT);
    assert_true(!check_target_answer(own[2], CHECK_URL) && fake_open(p->t->f) == 2);
    check_target_free(own[2]); /* its place is free */
    p->g[2] = NULL;
    fake_settle(p->t->f);
    assert_int_equal(fake_open(p->t->f), 1);
}

CHECK(at_most_sixteen_at_once) {
    char ns[16];
    for (int i = 0; i < 20; i++) {
        snprintf(ns, sizeof ns, "ns-%d", i);
        ask(p, in(p, ns), CHECK_URL, "https://ok.example.com/");
    }
    assert_int_equal(fake_open(p->t->f), 16);
    fake_answer(fake_last(p->t->f), 200, "{\"verdict\":\"wait\"}");
    assert_int_equal(fake_open(p->t->f), 16);
    checks_stop(p->c);
    assert_int_equal(fake_open(p->t->f), 0);
    ask(p, p->g[0], CHECK_URL, "https://ok.example.com/");
    assert_true(fake_open(p->t->f) == 0 && p->answered == 1);
}

CHECK(a_condition_is_asked_of_prometheus) {
    struct check_target *g = in(p, "ns");
    ask(p, g, CHECK_QUERY, "a < 1");
    struct fake_req *r = fake_one(p->t->f);
    assert_string_equal(r->url, "https://prom:9090/x/api/v1/query");
    assert_true(fake_has_header(r, "Authorization: Bearer asks") &&
                strstr(buf_str(&r->body), "query=a%20%3C%201&time="));
    static const struct {
        int status;
        const char *body;
        enum check_says says;
        const char *message;
    } v[] = {
        {200,
         "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[{\"metric\":{},\"value\":["
         "1,\"0\"]}]}}",
         CHECK_PASS, NULL},
        {200, "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[]}}", CHECK_WAIT,
         NULL},
        {200, "{\"status\":\"success\",\"data\":{\"resultType\":\"scalar\",\"result\":[1,\"1\"]}}",
         CHECK_SILENT, "expected a vector, found a \"scalar\""},
        {400, "{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"parse error\"}", CHECK_SILENT,
         "bad_data: parse error"},
        {302, "", CHECK_SILENT, "redirects are not followed"},
        {200, "{\"verdict\":\"pass\"}", CHECK_SILENT, "expected an answer of Prometheus's API"},
    };
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        if (i) ask(p, g, CHECK_QUERY, "a < 1");
        fake_answer(fake_one(p->t->f), v[i].status, v[i].body);
        const struct check_answer *a = check_target_answer(g, CHECK_QUERY);
        if (a->says != v[i].says || (v[i].message && !strstr(a->message, v[i].message)))
            fail_msg("%s: %s %s", v[i].body, state_says_name(a->says), a->message ? a->message : "");
    }
    struct err e = {0};
    err_set(&e, ERR_PROTOCOL, -1, "the canary has no pods");
    check_target_fail(g, CHECK_QUERY, 9, &e);
    assert_null(check_target_answer(g, CHECK_QUERY));
    fake_settle(p->t->f);
    assert_true(check_target_answer(g, CHECK_QUERY)->says == CHECK_SILENT && fake_open(p->t->f) == 0);
    fake_file(p->t->f, "/prometheus/token", "\n");
    ask(p, g, CHECK_QUERY, "a < 1");
    assert_string_equal(check_target_answer(g, CHECK_QUERY)->message, "/prometheus/token is empty");
}

/* Another question takes the place of one that is open. */
CHECK(another_question) {
    struct check_target *g = in(p, "ns");
    ask(p, g, CHECK_URL, "https://ok.example.com/1");
    check_target_ask(g, CHECK_URL, 8, SL("https://ok.example.com/2"), SL("{}"));
    fake_settle(p->t->f);
    assert_string_equal(fake_one(p->t->f)->url, "https://ok.example.com:443/2");
    fake_answer(fake_one(p->t->f), 200, "{\"verdict\":\"pass\"}");
    assert_true(check_target_answer(g, CHECK_URL)->of == 8 && p->answered == 1);
}

CASES("rollout/check")
