/* Rounds whose source is a Prometheus server: what it is asked, which of its samples count, and whose they are. */
#include "scrape_kit.h"

static struct kit *with_server(void) {
    struct kit *t = setup(4);
    fake_file(t->f, "/prometheus/token", "asks\n");
    fake_file(t->f, "/prometheus/ca", "-----BEGIN CERTIFICATE-----\n");
    t->opt.prometheus = (struct prometheus_options){.url = "https://prom:9090/x", .own_queries = true};
    t->spec = (struct spec){.metrics = METRICS_PROMETHEUS};
    return t;
}
#define PROMETHEUS(name) CASE_OF(struct kit, t, with_server(), teardown, name)

static double now_s(const struct kit *t) {
    return (double)world_wall_ns(t->f->a.w) / NS_PER_S;
}

/* Two samples of a place: the last one so old, the other one by interval_s before it. */
static void add_place(const struct kit *t, struct buf *b, const char *job, double age_s, double interval_s,
                      int total, double started_s) {
    double at = now_s(t) - age_s;
    const char *names[] = {"controller_runtime_reconcile_total", "controller_runtime_active_workers",
                           "process_start_time_seconds"};
    for (int i = 0; i < 3; i++) {
        if (i < 2 && total < 0) continue; /* a standby */
        double value = i == 0 ? total : i == 1 ? 0 : started_s;
        buf_addf(b, "%s{\"metric\":{\"__name__\":\"%s\",\"job\":\"%s\",\"result\":\"success\"},\"values\":[",
                 b->n ? "," : "", names[i], job);
        if (interval_s > 0) buf_addf(b, "[%.3f,\"0\"],", at - interval_s);
        buf_addf(b, "[%.3f,\"%.0f\"]]}", at, value);
    }
}

static void answer_with(struct kit *t, struct buf *series) {
    cleanup_free char *body = xasprintf(
        "{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[%s]}}", buf_str(series));
    fake_answer(fake_one(t->f), 200, body);
    buf_free(series);
}

static const struct scrape_result *result(const struct target *g) {
    return &g->round->result[0];
}

/* A round of pod 0 with one place. */
static const struct scrape_result *round_of(struct target *g, double age_s, double interval_s, int total) {
    struct buf b = BUF(65536);
    start(g, 1);
    fake_settle(g->t->f);
    add_place(g->t, &b, "a", age_s, interval_s, total, 1000);
    answer_with(g->t, &b);
    return result(g);
}

PROMETHEUS(what_it_is_asked) {
    t->opt.prometheus.token = "/prometheus/token";
    t->opt.prometheus.ca = "/prometheus/ca";
    t->pods[0].ip = NULL; /* it knows the pod by its name */
    struct target *g = begin(t, 1);
    struct fake_req *q = asked_for(t, "https://prom:9090/x/api/v1/query");
    assert_string_equal(q->method, "POST");
    assert_true(fake_has_header(q, "Authorization: Bearer asks") && !q->insecure);
    assert_non_null(strstr(buf_str(&q->body), "namespace%3D%22ns%22%2Cpod%3D%22p0%22%7D%5B300s%5D&time="));
    assert_non_null(strstr(buf_str(&q->body), "&timeout=5000ms"));
    struct buf b = BUF(65536);
    add_place(t, &b, "a", 4, 15, 42, 1000);
    answer_with(t, &b);
    const struct scrape_result *r = result(g);
    assert_true(g->ended == 1 && r->read && !r->repeated && r->page->v[PROM_TOTAL].value == 42);
    assert_true(r->page->v[PROM_START].value == 1000 && r->page->v[PROM_ACTIVE].present);
    assert_int_equal(scrape_interval(g->round) / NS_PER_MS, 15000);
    int64_t at; /* of its scrape, four seconds ago */
    t->pods[0].track = TRACK_CANARY;
    round_of(g, 2, 15, 43);
    assert_true(scrape_quiet(g->round, TRACK_CANARY, &at) == QUIET_NOW);
    assert_int_equal((world_boot_ns(t->f->a.w) - at + NS_PER_S / 2) / NS_PER_S, 2);
}

/* As old as two and a half of its intervals, at least 30 s, at most 300 s; 90 s where only one sample was seen. */
PROMETHEUS(old_samples_do_not_count) {
    static const struct {
        double age, interval, most;
    } v[] = {{29, 1, 30},    {31, 1, 30}, {37, 15, 37.5}, {38, 15, 37.5}, {149, 60, 150},
             {151, 60, 150}, {89, 0, 90}, {91, 0, 90},    {299, 200, 300}};
    struct target *g = target(t, "ns");
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        fake_run(t->f, 1000 * NS_PER_S);
        const struct scrape_result *r = round_of(g, v[i].age, v[i].interval, 42);
        if (r->read != (v[i].age <= v[i].most)) fail_msg("%zu: %s", i, r->why ? r->why : "read");
    }
    fake_run(t->f, 1000 * NS_PER_S);
    assert_string_equal(
        round_of(g, 38, 15, 42)->why,
        "metrics of pod p0 from Prometheus: its last scrape (job=\"a\") is 38 s old, and 38 s is the "
        "most that counts");
}

/* The same scrape again is no evidence that the canary stands still. */
PROMETHEUS(a_scrape_counts_once) {
    struct target *g = target(t, "ns");
    struct pod_sample s;
    assert_false(round_of(g, 5, 15, 42)->repeated);
    fake_run(t->f, 2 * NS_PER_S);
    const struct scrape_result *r = round_of(g, 7, 15, 42);
    assert_true(r->read && r->repeated && !scrape_trouble(g->round));
    scrape_samples(g->round, t->pods, 1, &s);
    assert_true(!s.scraped && !s.present);
    r = round_of(g, 1, 15, 42);
    scrape_samples(g->round, t->pods, 1, &s);
    assert_true(!r->repeated && s.scraped && s.present && s.total == 42);
}

/* Two jobs that scrape one pod: the first with counters, and that one only from then on. */
PROMETHEUS(one_place_of_several) {
    struct target *g = begin(t, 1);
    struct buf b = BUF(65536);
    add_place(t, &b, "a", 5, 15, -1, 900);
    add_place(t, &b, "b", 5, 15, 42, 1000);
    add_place(t, &b, "c", 5, 15, 41, 1000);
    answer_with(t, &b);
    assert_true(result(g)->read && result(g)->page->v[PROM_TOTAL].value == 42);
    fake_run(t->f, 15 * NS_PER_S);
    start(g, 1);
    fake_settle(t->f);
    add_place(t, &b, "a", 5, 15, 7, 900);
    add_place(t, &b, "b", 60, 15, 42, 1000);
    add_place(t, &b, "c", 5, 15, 43, 1000);
    answer_with(t, &b);
    assert_false(result(g)->read);
    assert_non_null(strstr(result(g)->why, "its last scrape (job=\"b\") is 60 s old"));
    start(g, 1);
    fake_settle(t->f);
    add_place(t, &b, "c", 2, 15, 44, 1000);
    answer_with(t, &b);
    assert_non_null(
        strstr(result(g)->why, "the series that were read before are gone, and job=\"c\" is another place"));
}

/* A standby is read, and has no counters. */
PROMETHEUS(a_standby) {
    struct target *g = target(t, "ns");
    const struct scrape_result *r = round_of(g, 5, 15, -1);
    assert_true(r->read && !r->page->v[PROM_TOTAL].present && r->page->v[PROM_START].present);
}

/* What was scraped before a restart is the count of another process. */
PROMETHEUS(scrapes_of_before_a_restart) {
    struct target *g = target(t, "ns");
    assert_true(round_of(g, 5, 15, 42)->read);
    fake_run(t->f, 3 * NS_PER_S);
    t->pods[0].restarts = 1;
    assert_string_equal(
        round_of(g, 2, 15, 43)->why,
        "metrics of pod p0 from Prometheus: its last scrape (job=\"a\") is of before the restart of "
        "a container");
    fake_run(t->f, 10 * NS_PER_S);
    assert_true(round_of(g, 1, 15, 3)->read);
    t->pods[0].crashed_ns = world_wall_ns(t->f->a.w) + 20 * NS_PER_S;
    fake_run(t->f, 21 * NS_PER_S);
    assert_false(round_of(g, 5, 15, 5)->read);
    assert_true(round_of(g, 1, 15, 5)->read);
}

PROMETHEUS(what_it_answers_instead) {
    static const struct {
        int status;
        const char *body, *why;
    } v[] = {
        {400, "{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"parse error\"}",
         "bad_data: parse error"},
        {503, "{\"status\":\"error\",\"errorType\":\"timeout\",\"error\":\"query timed out\"}",
         "timeout: query timed out"},
        {401, "who",
         "query https://prom:9090/x/api/v1/query: 401 Unauthorized: who; no token was sent: run with "
         "--prometheus-token=FILE"},
        {302, "", "query https://prom:9090/x/api/v1/query: redirected (302), which is not followed"},
        {200, "<html>", "expected an answer of Prometheus's API, found "},
        {200, "{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[]}}",
         "no series of the last 300 s with namespace=\"ns\", pod=\"p0\": is the pod scraped, and do its "
         "series have "
         "these labels?"},
    };
    struct target *g = target(t, "ns");
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        start(g, 1);
        fake_settle(t->f);
        fake_answer(fake_one(t->f), v[i].status, v[i].body);
        assert_true(g->ended == i + 1 && !result(g)->read);
        cleanup_free char *want = xasprintf("metrics of pod p0 from Prometheus: %s", v[i].why);
        if (!slice_starts(slice_of(result(g)->why), slice_of(want))) fail_msg("%s", result(g)->why);
    }
}

/* What was configured and cannot be read is not left out. */
PROMETHEUS(no_question_without_its_files) {
    t->opt.prometheus.token = "/prometheus/none";
    struct target *g = begin(t, 1);
    assert_true(fake_open(t->f) == 0 && g->ended == 1 && !result(g)->read);
    assert_non_null(strstr(result(g)->why, "from Prometheus: not asked: "));
    fake_file(t->f, "/prometheus/none", "late\n");
    start(g, 1);
    fake_settle(t->f);
    assert_true(fake_has_header(fake_one(t->f), "Authorization: Bearer late"));
}

PROMETHEUS(an_answer_without_an_end) {
    struct target *g = begin(t, 1);
    size_t n = (4 << 20) + 1;
    char *big = xmalloc(n + 1);
    memset(big, ' ', n);
    big[n] = '\0';
    fake_answer(fake_one(t->f), 200, big);
    free(big);
    assert_string_equal(result(g)->why,
                        "metrics of pod p0 from Prometheus: an answer of more than 4194304 bytes");
    start(g, 1);
    fake_run(t->f, 6 * NS_PER_S);
    assert_true(g->ended == 2 && !result(g)->read);
    start(g, 1);
    fake_settle(t->f);
    assert_string_equal(result(g)->why, "metrics of pod p0: timed out 1 times in a row, asked again in 4s");
}

static void number(struct kit *t, const char *has, const char *value) {
    struct fake_req *q = fake_one(t->f);
    assert_non_null(strstr(buf_str(&q->body), has));
    cleanup_free char *body =
        xasprintf("{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[%s%s%s]}}",
                  *value ? "{\"metric\":{},\"value\":[1,\"" : "", value, *value ? "\"]}" : "");
    fake_answer(q, 200, body);
}

/* Where an administrator says how often, that is how often. */
PROMETHEUS(own_queries_as_often_as_asked_for) {
    static char query[] = "sum(a{namespace=\"$namespace\",pod=\"$pod\"})";
    t->spec.errors = t->spec.total = query;
    t->opt.prometheus.own_interval_ns = 7 * NS_PER_S;
    struct target *g = begin(t, 1);
    number(t, "query=sum", "4");
    number(t, "query=sum", "2");
    assert_true(scrape_interval(g->round) == 7 * NS_PER_S);
}

PROMETHEUS(own_queries) {
    static char errors[] = "sum(e{namespace=\"$namespace\",pod=\"$pod\"})",
                total[] = "sum(t{namespace=\"$namespace\",pod=\"$pod\"})";
    t->spec.errors = errors;
    t->spec.total = total;
    struct target *g = begin(t, 1);
    number(t, "query=sum%28t%7Bnamespace%3D%22ns%22%2Cpod%3D%22p0%22%7D%29&", "42.9");
    number(t, "query=sum%28e%7B", "2");
    assert_true(result(g)->read && result(g)->page->v[PROM_TOTAL].value == 42.9 &&
                result(g)->page->v[PROM_ERRORS].value == 2);
    assert_true(scrape_interval(g->round) == 30 * NS_PER_S);
    static const struct {
        const char *total, *errors;
        bool present;
    } v[] = {{"40", "", true}, {"", "3", false}, {"", "", false}};
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        start(g, 1);
        fake_settle(t->f);
        number(t, "query=sum%28t", v[i].total);
        number(t, "query=sum%28e", v[i].errors);
        assert_true(result(g)->read && result(g)->page->v[PROM_TOTAL].present == v[i].present &&
                    result(g)->page->v[PROM_ERRORS].value == 0);
    }
    start(g, 1);
    fake_settle(t->f);
    number(t, "query=sum%28t", "NaN");
    assert_string_equal(result(g)->why,
                        "metrics of pod p0 from Prometheus: annotation total: expected a count, found NaN");
    start(g, 1);
    fake_settle(t->f);
    number(t, "query=sum%28t", "1");
    fake_answer(fake_one(t->f), 422,
                "{\"status\":\"error\",\"errorType\":\"execution\",\"error\":\"many-to-many\"}");
    assert_string_equal(result(g)->why,
                        "metrics of pod p0 from Prometheus: annotation errors: execution: many-to-many");
    assert_true(scrape_interval(g->round) == 0);
    t->pods[0].restarts = 1; /* a number has no time: for a while it may be of before */
    for (int i = 0; i < 2; i++) {
        start(g, 1);
        fake_settle(t->f);
        number(t, "query=sum%28t", "1");
        number(t, "query=sum%28e", "1");
        assert_true(result(g)->read == (i == 1));
        fake_run(t->f, 91 * NS_PER_S);
    }
}

/* Of a whole track: its first pod stands for it, each answer is what was counted since the one before, and they add up. */
PROMETHEUS(queries_of_a_track) {
    static char errors[] = "sum(increase(e{namespace=\"$namespace\",pod=~\"$track\"}[$range]))",
                total[] = "sum(increase(t{namespace=\"$namespace\",pod=~\"$track\"}[$range]))";
    t->spec.errors = errors;
    t->spec.total = total;
    t->spec.by_track = true;
    struct target *g = begin(t, 2);
    number(t, "query=sum%28increase%28t%7Bnamespace%3D%22ns%22%2Cpod%3D~%22p0%7Cp1%22%7D%5B30000ms%5D%29%29&",
           "10.5");
    number(t, "%5B30000ms%5D", "1");
    assert_true(result(g)->read && result(g)->page->v[PROM_TOTAL].value == 10.5);
    assert_true(!g->round->result[1].read && !g->round->result[1].why && !scrape_trouble(g->round));
    fake_run(t->f, 20 * NS_PER_S);
    start(g, 2);
    fake_settle(t->f);
    number(t, "%5B20000ms%5D",
           ""); /* no element: no evidence, and the next range reaches back to the last one */
    number(t, "%5B20000ms%5D", "");
    assert_true(result(g)->read && !result(g)->page->v[PROM_TOTAL].present);
    fake_run(t->f, 20 * NS_PER_S);
    t->pods[0].restarts = 1; /* increase() knows of it */
    start(g, 2);
    fake_settle(t->f);
    number(t, "%5B40000ms%5D", "4");
    number(t, "%5B40000ms%5D", "2");
    assert_true(result(g)->page->v[PROM_TOTAL].value == 14.5 && result(g)->page->v[PROM_ERRORS].value == 3);
    t->pods[0].terminating = true; /* the other one stands for it from now on, and nothing counts twice */
    start(g, 2);
    fake_run(t->f, NS_PER_S);
    number(t, "query=sum%28increase%28t", "6");
    number(t, "query=sum%28increase%28e", "0");
    assert_true(g->round->result[1].read && g->round->result[1].page->v[PROM_TOTAL].value == 6);
}

CASE(what_needs_an_option) {
    static const struct {
        enum spec_metrics metrics;
        bool server, allowed, own;
        const char *why; /* NULL: allowed */
    } v[] = {
        {METRICS_AUTO, false, false, true, NULL},
        {METRICS_PROMETHEUS, true, false, false, NULL},
        {METRICS_PROMETHEUS, true, true, true, NULL},
        {METRICS_PROMETHEUS, true, false, true, "handover run --prometheus-own-queries=on allows them"},
        {METRICS_PROMETHEUS, false, true, false,
         "handover.dev/metrics: \"prometheus\" is not allowed: this Handover knows no Prometheus server"},
    };
    static char query[] = "x";
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        struct kit *t = with_server();
        struct err e = {0};
        t->opt.prometheus.own_queries = v[i].allowed;
        if (!v[i].server) t->opt.prometheus.url = NULL;
        t->spec.metrics = v[i].metrics;
        if (v[i].own) t->spec.errors = t->spec.total = query;
        struct target *g = target(t, "ns");
        assert_int_equal(scraper_allows(t->scraper, &t->spec, &e) < 0, v[i].why != NULL);
        assert_true(!v[i].why || (e.kind == ERR_CONFIG && strstr(e.msg, v[i].why)));
        if (!v[i].server && v[i].metrics == METRICS_PROMETHEUS) { /* and nothing is asked */
            start(g, 1);
            fake_settle(t->f);
            assert_true(fake_open(t->f) == 0 && g->ended == 1 && !result(g)->read);
        }
        teardown(t);
    }
}

CASES("rollout/scrape_prometheus")
