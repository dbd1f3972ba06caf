/* A round of scrapes: how many pages at once, what is asked and where, which result counts. */
#include "../kube/fake.h"
#include "act/metrics_endpoint.h"
#include "act/scrape.h"
#include <errno.h>
#include <stdio.h>

enum { PODS = 7, ROUNDS = 4 };

struct round {
    struct scraping *s;
    unsigned ended;
    struct scrape_result res[PODS];
    size_t n;
};
struct kit {
    struct fake *f;
    struct kube_config *c;
    struct metrics *m;
    struct kube *k;
    struct scrape_slots slots;
    struct obs_pod pods[PODS];
    cJSON *item;
    struct spec spec;
    struct scrape_options opt;
    struct round round[ROUNDS];
};

static struct kit *setup(unsigned slots) {
    static char names[PODS][8], ips[PODS][16];
    static char path[] = "/metrics";
    struct kit *t = xcalloc(1, sizeof *t);
    struct err e = {0};
    t->f = fake_new();
    t->f->user = t;
    t->m = metrics_new(100);
    fake_file(t->f, "/k/config",
              "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n"
              "clusters: [{name: k, cluster: {server: 'https://api:6443'}}]\n"
              "users: [{name: u, user: {token: s3cret}}]\n");
    struct kube_config_spec s = {.kubeconfig = "/k/config"};
    if (kube_config_load(&t->f->w, &t->f->log, &s, &t->c, &e) < 0) fail_msg("%s", e.msg);
    t->k = kube_new(&t->f->w, t->c, &t->f->log, t->m);
    scrape_slots_init(&t->slots, slots);
    t->item = cJSON_CreateObject();
    for (int i = 0; i < PODS; i++) {
        snprintf(names[i], sizeof names[i], "p%d", i);
        snprintf(ips[i], sizeof ips[i], "10.0.0.%d", i);
        t->pods[i] = (struct obs_pod){.ns = (char *)(uintptr_t) "ns", .name = names[i], .ip = ips[i]};
        t->pods[i].scrape_hints = t->item;
    }
    t->spec = (struct spec){.metrics = METRICS_ENDPOINT, .port = 8080, .path = path};
    t->opt = (struct scrape_options){.slots = &t->slots, .timeout_ns = 5 * NS_PER_S};
    return t;
}

static void on_round(void *ctx, const struct scrape_result *res, size_t n) {
    struct round *r = ctx;
    r->ended++;
    r->n = n;
    memcpy(r->res, res, n * sizeof *res);
}

static struct round *begin(struct kit *t, size_t n) {
    struct round *r = t->round;
    while (r->s) r++;
    *r = (struct round){0};
    char *token = xstrdup("pod-token"); /* nobody keeps it for the round's time */
    struct scrape_options opt = t->opt;
    if (!opt.no_token) opt.token = slice_of(token);
    r->s = scrape_start(t->k, &opt, &t->spec, t->pods, n, on_round, r);
    free(token);
    assert_int_equal(r->ended, 0);
    return r;
}

static void end(struct round *r) {
    scrape_end(r->s);
    r->s = NULL;
}

static void teardown(struct kit *t) {
    for (int i = 0; i < ROUNDS; i++) end(&t->round[i]);
    assert_true(t->slots.used == 0 && list_empty(&t->slots.waiting));
    kube_free(t->k);
    kube_config_free(t->c);
    fake_free(t->f);
    metrics_free(t->m);
    cJSON_Delete(t->item);
    free(t);
}

/* The open request of this pod; NULL if there is none. */
static struct fake_req *of(struct kit *t, int pod, const char *rest) {
    cleanup_free char *url = xasprintf("http://10.0.0.%d:%s", pod, rest);
    list_each(it, &t->f->reqs) {
        struct fake_req *r = container_of(it, struct fake_req, node);
        if (!r->ended && !r->status && !strcmp(r->url, url)) return r;
    }
    return NULL;
}

static void answer(struct kit *t, int pod, const char *page) {
    struct fake_req *r = of(t, pod, "8080/metrics");
    assert_non_null(r);
    fake_answer(r, 200, page);
    fake_settle(t->f);
}

static const char good[] = "controller_runtime_reconcile_total{result=\"error\"} 2\n"
                           "controller_runtime_reconcile_total{result=\"success\"} 40\n";

static void four_of_a_target_at_once(void **state) {
    (void)state;
    struct kit *t = setup(100);
    t->pods[2].finished = true; /* nobody is there */
    t->pods[3].ip = NULL;
    struct round *r = begin(t, PODS);
    fake_settle(t->f);
    assert_int_equal(fake_open(t->f), 4);
    assert_true(of(t, 0, "8080/metrics") && of(t, 5, "8080/metrics") && !of(t, 6, "8080/metrics"));
    answer(t, 1, good);
    assert_true(of(t, 6, "8080/metrics") && fake_open(t->f) == 4 && r->ended == 0);
    answer(t, 0, "<html>");
    answer(t, 4, good);
    answer(t, 5, good);
    answer(t, 6, good);
    assert_true(r->ended == 1 && r->n == PODS);
    for (int i = 0; i < PODS; i++) {
        bool asked = i != 2 && i != 3;
        assert_true(r->res[i].read == (asked && i != 0));
        assert_true((r->res[i].err.kind != ERR_NONE) == (i == 0));
    }
    assert_string_equal(r->res[0].err.msg,
                        "metrics of pod p0 at :8080/metrics: line 1: expected a metric's name, found '<'");
    assert_true(r->res[6].page.v[PROM_ERRORS].value == 2 && r->res[6].page.v[PROM_TOTAL].value == 42);
    teardown(t);
}

/* Over all targets there are so many slots and no more; who comes late stands in line, and each in the line
 * gets its turn. */
static void a_bound_over_all_targets(void **state) {
    (void)state;
    struct kit *t = setup(3);
    struct round *a = begin(t, PODS), *b = begin(t, 2), *c = begin(t, 1);
    fake_settle(t->f);
    assert_int_equal(fake_open(t->f), 3);
    for (int i = 0; i < PODS + 3; i++) {
        struct fake_req *r = container_of(t->f->reqs.next, struct fake_req, node);
        fake_answer(r, 200, good);
        fake_settle(t->f);
        assert_true(t->slots.used <= 3 && fake_open(t->f) == t->slots.used);
        if (i == 6) assert_true(b->ended && c->ended && !a->ended); /* not starved by the long round */
    }
    assert_true(a->ended == 1 && b->ended == 1 && c->ended == 1);
    assert_int_equal(fake_open(t->f), 0);
    teardown(t);
}

/* A round that is given up leaves the line, or hands its slots on. */
static void given_up(void **state) {
    (void)state;
    struct kit *t = setup(2);
    struct round *a = begin(t, 3), *b = begin(t, 1), *c = begin(t, 1);
    fake_settle(t->f);
    end(b);
    assert_int_equal(fake_open(t->f), 2);
    end(a);
    fake_settle(t->f);
    assert_true(fake_open(t->f) == 1 && t->slots.used == 1);
    answer(t, 0, good);
    assert_int_equal(c->ended, 1);
    teardown(t);
}

/* Broken in its first line: the rest of a page of any length is not fetched. */
static void a_broken_page_is_not_read_on(void **state) {
    (void)state;
    struct kit *t = setup(2);
    struct round *r = begin(t, 1);
    fake_settle(t->f);
    struct fake_req *q = of(t, 0, "8080/metrics");
    fake_head(q, 200, NULL, NULL);
    fake_body(q, "a 1\n{\n");
    fake_settle(t->f);
    assert_true(r->ended == 1 && fake_open(t->f) == 0);
    assert_string_equal(r->res[0].err.msg, "metrics of pod p0 at :8080/metrics: line 2: expected a label's "
                                           "name or }, found the end of the line");
    teardown(t);
}

/* In pieces, with a loss in the middle: half a page counts for nothing. */
static void half_a_page(void **state) {
    (void)state;
    struct kit *t = setup(2);
    struct round *r = begin(t, 1);
    fake_settle(t->f);
    struct fake_req *q = of(t, 0, "8080/metrics");
    fake_head(q, 200, NULL, NULL);
    fake_body(q, good);
    fake_settle(t->f);
    fake_fail(q, ERR_TRANSPORT, "connection reset");
    fake_settle(t->f);
    assert_true(r->ended == 1 && !r->res[0].read && r->res[0].page.v[PROM_TOTAL].value == 0);
    assert_non_null(strstr(r->res[0].err.msg, "connection reset"));
    teardown(t);
}

static void places_in_turn(void **state) {
    (void)state;
    struct kit *t = setup(1);
    cJSON_Delete(t->item);
    t->item =
        cJSON_Parse("{\"spec\":{\"containers\":[{\"ports\":[{\"name\":\"metrics\",\"containerPort\":9090}]}"
                    ",{\"ports\":[{\"name\":\"https\",\"containerPort\":8443}]}]}}");
    t->pods[0].scrape_hints = t->item;
    t->spec = (struct spec){.metrics = METRICS_AUTO};
    struct round *r = begin(t, 1);
    fake_settle(t->f);
    struct fake_req *q = fake_one(t->f);
    assert_string_equal(q->url, "http://10.0.0.0:9090/metrics");
    assert_null(strstr(buf_str(&q->headers), "Authorization")); /* plain http never gets a token */
    fake_answer(q, 200,
                "up 1\n"); /* a page, without the counters: the next place is asked, in the same slot */
    fake_settle(t->f);
    q = fake_one(t->f);
    assert_string_equal(q->url, "https://10.0.0.0:8443/metrics");
    assert_true(fake_has_header(q, "Authorization: Bearer pod-token") && !q->insecure);
    fake_fail(q, ERR_TLS, "certificate");
    fake_settle(t->f);
    q = fake_one(t->f);
    assert_string_equal(q->url, "http://10.0.0.0:8080/metrics");
    struct err refused = {0};
    err_set(&refused, ERR_TRANSPORT, -ECONNREFUSED, "refused");
    fake_end(q, &refused);
    fake_settle(t->f);
    assert_true(r->ended == 1 && r->res[0].read && !r->res[0].page.v[PROM_TOTAL].present);
    teardown(t);
}

static void without_a_token(void **state) {
    (void)state;
    struct kit *t = setup(1);
    t->opt.no_token = "/var/run/token: No such file or directory";
    t->spec.https = true;
    struct round *r = begin(t, 1);
    fake_settle(t->f);
    struct fake_req *q = fake_one(t->f);
    assert_null(strstr(buf_str(&q->headers), "Authorization"));
    fake_answer(q, 401, "");
    fake_settle(t->f);
    assert_string_equal(r->res[0].err.msg,
                        "metrics of pod p0 at https :8080/metrics: scrape https://10.0.0.0:8080/metrics: 401 "
                        "Unauthorized; no token was sent: /var/run/token: No such file or directory");
    end(r);
    t->opt.no_token = NULL; /* with one, the page's own words are all there is to say */
    r = begin(t, 1);
    fake_settle(t->f);
    fake_answer(fake_one(t->f), 403, "no");
    fake_settle(t->f);
    assert_string_equal(r->res[0].err.msg, "metrics of pod p0 at https :8080/metrics: scrape "
                                           "https://10.0.0.0:8080/metrics: 403 Forbidden: no");
    teardown(t);
}

static void through_the_proxy(void **state) {
    (void)state;
    struct kit *t = setup(1);
    t->opt.proxy = true;
    t->pods[0].ip = NULL; /* the API server knows it */
    struct round *r = begin(t, 1);
    fake_settle(t->f);
    struct fake_req *q = fake_one(t->f);
    assert_string_equal(q->url, "https://api:6443/api/v1/namespaces/ns/pods/p0:8080/proxy/metrics");
    fake_answer(q, 200, good);
    fake_settle(t->f);
    assert_true(r->ended == 1 && r->res[0].page.v[PROM_TOTAL].value == 42);
    teardown(t);
}

static void nobody_to_ask(void **state) {
    (void)state;
    struct kit *t = setup(1);
    t->pods[0].finished = true;
    struct round *a = begin(t, 1), *b = begin(t, 0);
    fake_settle(t->f);
    assert_true(a->ended == 1 && b->ended == 1 && a->res[0].err.kind == ERR_NONE);
    teardown(t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(four_of_a_target_at_once),
        cmocka_unit_test(a_bound_over_all_targets),
        cmocka_unit_test(given_up),
        cmocka_unit_test(a_broken_page_is_not_read_on),
        cmocka_unit_test(half_a_page),
        cmocka_unit_test(places_in_turn),
        cmocka_unit_test(without_a_token),
        cmocka_unit_test(through_the_proxy),
        cmocka_unit_test(nobody_to_ask),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
