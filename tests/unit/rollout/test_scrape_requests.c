/* The requests of a scrape: where they go, and with which token. */
#include "scrape_kit.h"

/* Plain http never gets a token. A page without the counters, or a failure: the next endpoint, in the same slot; the one that
 * had the counters is asked first from then on. */
SCRAPE(endpoints_in_turn, 1) {
    struct obs_port ports[] = {{9090, "metrics"}, {8443, "https"}};
    t->pods[0].ports = ports;
    t->pods[0].nports = 2;
    t->spec = (struct spec){.metrics = METRICS_AUTO};
    struct target *g = begin(t, 1);
    struct fake_req *q = asked_for(t, "http://10.0.0.0:9090/metrics");
    assert_null(strstr(buf_str(&q->headers), "Authorization"));
    fake_answer(q, 200, "up 1\n");
    q = asked_for(t, "https://10.0.0.0:8443/metrics");
    assert_true(fake_has_header(q, "Authorization: Bearer pod-token") && !q->insecure);
    fake_fail(q, ERR_TLS, "certificate");
    fake_answer(asked_for(t, "http://10.0.0.0:8080/metrics"), 200, good);
    assert_true(g->ended == 1 && g->round->result[0].page->v[PROM_TOTAL].present);
    start(g, 1);
    fake_settle(t->f);
    struct err refused = {0};
    err_set(&refused, ERR_TRANSPORT, -ECONNREFUSED, "refused");
    fake_end(asked_for(t, "http://10.0.0.0:8080/metrics"), &refused);
    fake_answer(fake_one(t->f), 200, "up 1\n");
    fake_fail(fake_one(t->f), ERR_TLS, "certificate");
    assert_true(g->ended == 2 && g->round->result[0].read &&
                !g->round->result[0].page->v[PROM_TOTAL].present);
}

/* Who annotates a Deployment chooses where the request goes: the token goes where a certificate was verified. */
CASE(whom_the_token_is_sent_to) {
#define REFUSED "metrics of pod p0 at https :8080/metrics: scrape https://10.0.0.0:8080/metrics: "
#define ALLOWED "handover run --metrics-token-insecure allows it"
    static const struct {
        const char *file;
        bool https, insecure, allowed, sent;
        int status;
        const char *why;
    } v[] = {
        {"/token", true, false, false, true, 403, REFUSED "403 Forbidden: no"},
        {"/token", true, true, false, false, 401,
         REFUSED "401 Unauthorized: no; no token was sent: the certificate is not verified "
                 "(https+insecure); " ALLOWED},
        {"/token", true, true, true, true, 401, REFUSED "401 Unauthorized: no"},
        {"/token", false, false, true, false, 200, NULL},
        {NULL, true, false, true, false, 401,
         REFUSED
         "401 Unauthorized: no; no token was sent: run with --metrics-account=NAME or --metrics-token=FILE"},
        {"/empty", true, false, true, false, 403,
         REFUSED "403 Forbidden: no; no token was sent: /empty is empty"},
    };
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        struct kit *t = setup(1);
        fake_file(t->f, "/empty", "\n");
        t->opt.token.file = v[i].file;
        t->opt.token_insecure = v[i].allowed;
        t->spec.https = v[i].https;
        t->spec.tls_insecure = v[i].insecure;
        struct target *g = begin(t, 1);
        struct fake_req *q = fake_one(t->f);
        assert_true(q->insecure == v[i].insecure);
        assert_true((strstr(buf_str(&q->headers), "Authorization") != NULL) == v[i].sent);
        fake_answer(q, v[i].status, v[i].why ? "no" : good);
        assert_int_equal(g->ended, 1);
        if (v[i].why) assert_string_equal(g->round->result[0].why, v[i].why);
        teardown(t);
    }
}

/* A token of ten minutes, renewed before they are over; without the right to request it the file's is used. */
SCRAPE(a_token_by_request, 1) {
    t->opt.token = (struct metrics_token_config){"sys", "handover-metrics", "pages", "/token"};
    t->spec.https = true;
    struct target *g = begin(t, 1);
    struct fake_req *q =
        asked_for(t, "https://api:6443/api/v1/namespaces/sys/serviceaccounts/handover-metrics/"
                     "token?fieldManager=handover");
    assert_string_equal(buf_str(&q->body),
                        "{\"apiVersion\":\"authentication.k8s.io/v1\",\"kind\":\"TokenRequest\",\"spec\":{"
                        "\"audiences\":[\"pages\"],\"expirationSeconds\":600}}");
    t->page = good;
    fake_answer(q, 201, "{\"spec\":{\"expirationSeconds\":600},\"status\":{\"token\":\"short\"}}");
    static const struct {
        int after_s, status;
        const char *sent;
    } v[] = {{0, 0, "short"},      {479, 0, "short"},      {2, 403, "short"}, {120, 403, "pod-token"},
             {30, 0, "pod-token"}, {31, 201, "pod-token"}, {0, 0, "longer"}};
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        fake_run(t->f, v[i].after_s * NS_PER_S);
        if (i) start(g, 1);
        t->status = v[i].status;
        t->answer = "{\"status\":{\"token\":\"longer\"}}";
        fake_settle(t->f);
        fake_run(t->f, NS_PER_S);
        cleanup_free char *want = xasprintf("Authorization: Bearer %s", v[i].sent);
        assert_true(g->ended == i + 1 && g->round->result[0].read);
        if (strcmp(t->authorization, want) != 0) fail_msg("%zu: %s", i, t->authorization);
    }
}

SCRAPE(through_the_proxy, 1) {
    t->opt.proxy = true;
    t->pods[0].ip = NULL; /* the API server knows it */
    struct target *g = begin(t, 1);
    fake_answer(asked_for(t, "https://api:6443/api/v1/namespaces/ns/pods/p0:8080/proxy/metrics"), 200, good);
    assert_true(g->ended == 1 && g->round->result[0].page->v[PROM_TOTAL].value == 42);
}

/* A pod's IP (its kinds: test_ip.c), its ports and its annotations are what a tenant says. */
CASE(where_no_request_goes) {
#define PORT "port 10250 of a hostNetwork pod is not scraped unless one of its containers declares it"
#define PATH                                                                                                 \
    "expected a path of at most 255 printable ASCII characters, without % and segments that begin with a "   \
    "dot"
    static const struct {
        const char *ip, *path;
        bool host, proxy;
        const char *why; /* NULL: allowed */
    } v[] = {
        {"10.1.2.3", "/metrics?name[]=a%20b", false, false, NULL},
        {"fd00::7", "/", false, false, NULL},
        {"::1", "/", false, false, "pod IP ::1 is a loopback address, which is not scraped"},
        {"10.0.0.1@evil", "/", false, false, "pod IP 10.0.0.1@evil is no IP address, which is not scraped"},
        {"10.1.2.3", "/", true, false, PORT},
        {"", "/", true, true, PORT},
        {"", "/../../../../../../api/v1/secrets", false, true, PATH},
        {"", "/%2e%2e/secrets", false, true, PATH},
        {"10.1.2.3", "/a\r\nHost:x", false, false, PATH},
        {"10.1.2.3", "metrics", false, false, PATH},
    };
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        struct obs_port port = {10250, ""};
        struct obs_pod pod = {.ip = (char *)(uintptr_t)v[i].ip, .host_network = v[i].host};
        struct metrics_endpoint at = {.port = 10250, .path = v[i].path};
        struct err e = {0};
        assert_int_equal(metrics_endpoint_check(&at, &pod, v[i].proxy, &e) < 0, v[i].why != NULL);
        assert_string_equal(e.msg, v[i].why ? v[i].why : "");
        pod.ports = &port;
        pod.nports = 1;
        if (v[i].host) assert_int_equal(metrics_endpoint_check(&at, &pod, v[i].proxy, &e), 0);
    }
}

/* And it is what happens. */
SCRAPE(a_loopback_address_is_not_asked, 1) {
    static char ip[] = "127.0.0.1";
    t->pods[0].ip = ip;
    struct target *g = begin(t, 1);
    assert_true(t->asked == 0 && g->ended == 1);
    assert_non_null(strstr(g->round->result[0].why, "pod IP 127.0.0.1 is a loopback address"));
}

CASES("rollout/scrape_requests")
