/* Rounds of scrapes: who is asked, where, in whose turn; which result counts. */
#include "../case.h"
#include "../kube/fake.h"
#include "act/metrics_endpoint.h"
#include "act/scrape.h"
#include "act/scrape_evidence.h"
#include "act/scrape_slots.h"

enum { PODS = 8, TARGETS = 70 };

struct kit;
struct target {
    struct kit *t;
    struct scrape_target *s;
    unsigned ended;
    int64_t ended_ns;
    const struct scrape_round *round; /* the last */
};
struct kit {
    struct fake *f;
    struct kube_config *c;
    struct metrics *m;
    struct kube *k;
    struct scraper *scraper;
    struct scraper_options opt;
    struct obs_pod pods[PODS];
    struct spec spec;
    struct target target[TARGETS];
    size_t ntargets;
    const char *silent; /* URLs that begin with it are never answered */
    const char *page;   /* what the others give; NULL: the test answers */
    unsigned asked;
    const char *answer; /* to a TokenRequest, with this status; 0: the test answers */
    int status;
    char authorization[80]; /* the last one that a page got */
};

static const char good[] = "controller_runtime_reconcile_total{result=\"error\"} 2\n"
                           "controller_runtime_reconcile_total{result=\"success\"} 40\n";

static void on_request(struct fake *f, struct fake_req *r) {
    struct kit *t = f->user;
    if (strstr(r->url, "/token?")) {
        if (t->status) fake_answer(r, t->status, t->status == 201 ? t->answer : "");
        return;
    }
    const char *sent = strstr(buf_str(&r->headers), "Authorization:");
    snprintf(t->authorization, sizeof t->authorization, "%.*s", sent ? (int)strcspn(sent, "\n") : 0,
             sent ? sent : "");
    t->asked++;
    if (t->page && !(t->silent && strstr(r->url, t->silent))) fake_answer(r, 200, t->page);
}

static struct kit *setup(unsigned slots) {
    static char names[PODS][8], uids[PODS][8], ips[PODS][16], path[] = "/metrics", ns[] = "ns";
    struct kit *t = xcalloc(1, sizeof *t);
    struct err e = {0};
    t->f = fake_new();
    t->f->user = t;
    t->f->on_request = on_request;
    t->m = metrics_new(100);
    fake_file(t->f, "/k/config",
              "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n"
              "clusters: [{name: k, cluster: {server: 'https://api:6443'}}]\n"
              "users: [{name: u, user: {token: s3cret}}]\n");
    fake_file(t->f, "/token", "pod-token\n");
    struct kube_config_spec s = {.kubeconfig = "/k/config"};
    if (kube_config_load(t->f->a.w, &t->f->log, &s, &t->c, &e) < 0) fail_msg("%s", e.msg);
    t->k = kube_new(t->f->a.w, t->c, &t->f->log, t->m);
    for (int i = 0; i < PODS; i++) {
        snprintf(names[i], sizeof names[i], "p%d", i);
        snprintf(uids[i], sizeof uids[i], "u%d", i);
        snprintf(ips[i], sizeof ips[i], "10.0.0.%d", i);
        t->pods[i] = (struct obs_pod){.ns = ns, .name = names[i], .uid = uids[i], .ip = ips[i]};
    }
    t->spec = (struct spec){.metrics = METRICS_ENDPOINT, .port = 8080, .path = path};
    t->opt = (struct scraper_options){.slots = slots, .token.file = "/token"};
    return t;
}

static void on_ended(void *ctx) {
    struct target *g = ctx;
    g->ended++;
    g->ended_ns = world_boot_ns(g->t->f->a.w);
    g->round = scrape_target_round(g->s);
}

static struct target *target(struct kit *t, const char *ns) {
    if (!t->scraper) t->scraper = scraper_new(t->k, &t->opt);
    struct target *g = &t->target[t->ntargets++];
    *g = (struct target){.t = t};
    g->s = scrape_target_new(t->scraper, ns, on_ended, g);
    return g;
}

static int start(struct target *g, size_t n) {
    struct kit *t = g->t;
    unsigned ended = g->ended;
    struct scrape_what what = {.spec = &t->spec, .pods = t->pods, .n = n, .timeout_ns = 5 * NS_PER_S};
    int rc = scrape_target_start(g->s, &what);
    assert_int_equal(g->ended, ended); /* never inside */
    return rc;
}

static struct target *begin(struct kit *t, size_t n) {
    struct target *g = target(t, "ns");
    assert_int_equal(start(g, n), 0);
    fake_settle(t->f);
    return g;
}

static void teardown(struct kit *t) {
    for (size_t i = 0; i < t->ntargets; i++) scrape_target_free(t->target[i].s);
    scraper_free(t->scraper);
    fake_settle(t->f);
    kube_free(t->k);
    kube_config_free(t->c);
    fake_free(t->f);
    metrics_free(t->m);
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

CASE(four_of_a_target_at_once) {
    struct kit *t = setup(100);
    t->pods[2].finished = t->pods[7].terminating = true; /* nobody is there, or soon */
    t->pods[3].ip = NULL;
    struct target *g = begin(t, PODS);
    assert_int_equal(start(g, PODS), -EBUSY);
    assert_int_equal(fake_open(t->f), 4);
    assert_true(of(t, 0, "8080/metrics") && of(t, 5, "8080/metrics") && !of(t, 6, "8080/metrics"));
    answer(t, 1, good);
    assert_true(of(t, 6, "8080/metrics") && fake_open(t->f) == 4 && g->ended == 0);
    answer(t, 0, "<html>");
    answer(t, 4, good);
    answer(t, 5, good);
    answer(t, 6, good);
    assert_true(g->ended == 1 && g->round->n == PODS && g->round->number == 1 && !scrape_target_busy(g->s));
    for (int i = 0; i < PODS; i++) {
        bool asked = i != 2 && i != 3 && i != 7;
        assert_true(g->round->result[i].read == (asked && i != 0));
        assert_true((g->round->result[i].why != NULL) == (i == 0));
    }
    assert_string_equal(g->round->result[0].why,
                        "metrics of pod p0 at :8080/metrics: line 1: expected a metric's name, found '<'");
    assert_true(g->round->result[6].page.v[PROM_ERRORS].value == 2);
    assert_true(g->round->result[6].page.v[PROM_TOTAL].value == 42);
    teardown(t);
}

/* A round that is given up hands its slots on; one that stands in line leaves it. */
CASE(given_up) {
    struct kit *t = setup(2);
    struct target *a = begin(t, 3), *b = begin(t, 1), *c = begin(t, 1);
    assert_int_equal(fake_open(t->f), 2);
    scrape_target_reset(b->s);
    scrape_target_reset(a->s);
    fake_settle(t->f);
    assert_int_equal(fake_open(t->f), 1);
    answer(t, 0, good);
    assert_true(c->ended == 1 && a->ended == 0 && b->ended == 0 && !scrape_target_round(a->s));
    t->pods[0].finished = true; /* nobody to ask */
    assert_true(begin(t, 1)->ended == 1 && begin(t, 0)->ended == 1);
    teardown(t);
}

/* 60 targets of 8 pods whose pages never answer, in one namespace or in many: a neighbour's rounds take two quanta at
 * most, and hardly anything once it is known who does not answer. */
CASE(silent_pages_hold_no_slot) {
    for (int spread = 0; spread < 3; spread++) {
        struct kit *t = setup(32);
        char ns[16];
        t->page = good;
        t->silent = "10.0.0";
        for (int i = 0; i < 60; i++) {
            snprintf(ns, sizeof ns, "bad%d", spread == 2 ? i : 0);
            assert_int_equal(start(target(t, ns), 8), 0);
        }
        fake_run(t->f, 100 * NS_PER_MS);
        assert_int_equal(fake_open(t->f), 32);
        struct target *g = target(t, spread ? "good" : "bad0");
        struct obs_pod mute[PODS];
        memcpy(mute, t->pods, sizeof mute);
        static char ips[4][16];
        for (int i = 0; i < 4; i++) {
            snprintf(ips[i], sizeof ips[i], "10.9.9.%d", i);
            t->pods[i].ip = ips[i];
        }
        int64_t worst = 0, late = 0, end = world_boot_ns(t->f->a.w) + 120 * NS_PER_S;
        while (world_boot_ns(t->f->a.w) < end) {
            int64_t from = world_boot_ns(t->f->a.w);
            assert_int_equal(start(g, 4), 0);
            while (scrape_target_busy(g->s)) fake_run(t->f, 10 * NS_PER_MS);
            int64_t took = g->ended_ns - from;
            if (took > worst) worst = took;
            if (from > end - 60 * NS_PER_S && took > late) late = took;
            for (int i = 0; i < 4; i++) assert_true(g->round->result[i].read);
            for (size_t i = 0; i < 60; i++)
                if (!scrape_target_busy(t->target[i].s)) {
                    struct scrape_what what = {&t->spec, mute, PODS, 5 * NS_PER_S, false};
                    scrape_target_start(t->target[i].s, &what);
                }
            fake_run(t->f, 200 * NS_PER_MS);
        }
        if (worst > 2 * SCRAPE_QUANTUM_NS || late > 100 * NS_PER_MS)
            fail_msg("spread %d: %lld ms, later %lld ms", spread, (long long)(worst / NS_PER_MS),
                     (long long)(late / NS_PER_MS));
        teardown(t);
    }
}

/* A pod whose page timed out is asked less and less often, and at once again when it answers. */
CASE(a_timeout_backs_off) {
    struct kit *t = setup(4);
    t->page = good;
    t->silent = "10.0.0.0";
    struct target *g = begin(t, 2);
    unsigned before = 0;
    for (int round = 0; round < 300; round++) {
        while (scrape_target_busy(g->s)) fake_run(t->f, NS_PER_S);
        assert_true(!g->round->result[0].read && g->round->result[1].read);
        if (round == 1)
            assert_string_equal(g->round->result[0].why,
                                "metrics of pod p0: timed out 1 times in a row, asked again in 4s");
        fake_run(t->f, NS_PER_S);
        if (round == 299) t->silent = NULL;
        if (round == 200) before = t->asked;
        start(g, 2);
    }
    assert_in_range(t->asked - before, 100, 104); /* pod 1 each time, pod 0 once a minute */
    fake_run(t->f, 61 * NS_PER_S);
    start(g, 2);
    fake_run(t->f, NS_PER_S);
    assert_true(g->round->result[0].read);
    teardown(t);
}

/* A round ends after a while, whatever its pods do; the next one begins with those that were not asked. */
CASE(a_round_does_not_last) {
    struct kit *t = setup(1);
    t->page = good;
    t->silent = "10.0.0";
    struct target *g = begin(t, 4);
    int64_t from = world_boot_ns(t->f->a.w);
    while (!g->ended) fake_run(t->f, NS_PER_S);
    assert_true(g->ended_ns - from <= 15 * NS_PER_S);
    assert_string_equal(g->round->result[3].why, "pod p3 was not asked: the round has taken more than 10s");
    t->silent = "10.0.0.0";
    start(g, 4);
    fake_run(t->f, 6 * NS_PER_S);
    assert_true(g->ended == 2 && g->round->result[3].read);
    teardown(t);
}

CASE(pods_that_go_away) {
    struct kit *t = setup(1);
    struct target *g = begin(t, 3);
    assert_true(of(t, 0, "8080/metrics") && fake_open(t->f) == 1);
    t->pods[0].terminating = true;
    scrape_target_update(g->s, t->pods, 2); /* pod 2 is gone altogether */
    fake_settle(t->f);
    answer(t, 1, good);
    assert_true(g->ended == 1 && fake_open(t->f) == 0 && g->round->result[1].read);
    assert_string_equal(g->round->result[0].why,
                        "metrics of pod p0 at :8080/metrics: no answer within 0s, the pod is going away");
    assert_string_equal(g->round->result[2].why, "pod p2 is going away");
    teardown(t);
}

/* Pods that timed out get half of the slots, the others all that are left; the stop ends both. */
CASE(the_stop_ends_what_is_read) {
    struct kit *t = setup(4);
    struct target *a = begin(t, 4);
    fake_run(t->f, 16 * NS_PER_S);
    start(a, 4);
    fake_settle(t->f);
    assert_int_equal(fake_open(t->f), 2);
    struct target *b = begin(t, 4);
    assert_int_equal(fake_open(t->f), 4);
    scraper_stop(t->scraper);
    fake_settle(t->f);
    assert_true(fake_open(t->f) == 0 && a->ended == 1 && b->ended == 0);
    assert_int_equal(start(a, 1), -ECANCELED);
    teardown(t);
}

/* More pods than a round asks: always the same ones, half of them canaries where both tracks have many. */
CASE(so_many_pods_and_no_more) {
    enum { MANY = 1000 };
    static struct obs_pod many[MANY];
    static char uid[MANY][8];
    struct kit *t = setup(32);
    t->page = good;
    for (int canaries = 10; canaries <= 990; canaries += 490) {
        for (int i = 0; i < MANY; i++) {
            snprintf(uid[i], sizeof uid[i], "%d", i);
            many[i] = t->pods[0];
            many[i].uid = uid[i];
            many[i].created_ns = MANY - i;
            many[i].track = i < canaries ? TRACK_CANARY : TRACK_STABLE;
        }
        struct target *g = target(t, "ns");
        struct scrape_what what = {&t->spec, many, MANY, 5 * NS_PER_S, false};
        assert_int_equal(scrape_target_start(g->s, &what), 0);
        fake_run(t->f, NS_PER_S);
        assert_true(g->ended == 1 && g->round->n == SCRAPE_MAX_PODS &&
                    g->round->left_out == MANY - SCRAPE_MAX_PODS);
        int seen[TRACKS] = {0};
        for (size_t i = 0; i < g->round->n; i++) seen[g->round->result[i].pod.track]++;
        assert_int_equal(seen[TRACK_CANARY], canaries == 10 ? 10 : canaries == 500 ? 128 : 246);
        assert_string_equal(g->round->result[g->round->n - 1].pod.uid, canaries == 10    ? "754"
                                                                       : canaries == 500 ? "872"
                                                                                         : "990");
    }
    teardown(t);
}

/* Broken in its second line: the rest of a page of any length is not fetched. */
CASE(a_broken_page) {
    struct kit *t = setup(2);
    struct target *g = begin(t, 1);
    fake_head(of(t, 0, "8080/metrics"), 200, NULL, NULL);
    fake_body(container_of(t->f->reqs.next, struct fake_req, node), "a 1\n{\n");
    fake_settle(t->f);
    assert_true(g->ended == 1 && fake_open(t->f) == 0);
    assert_non_null(strstr(g->round->result[0].why, ": line 2: expected a label's name or }, found the end"));
    teardown(t);
}

/* Each page may be 32 MiB; those of a target's round together may be twice that. */
CASE(a_cap_over_the_pages_of_a_round) {
    struct kit *t = setup(4);
    struct target *g = begin(t, 3);
    size_t n = 24 << 20;
    char *big = xmalloc(n + 1);
    memset(big, '#', n);
    big[n] = '\0';
    memcpy(big, good, sizeof good - 1);
    for (size_t i = 1023; i < n; i += 1024) big[i] = '\n';
    for (int i = 0; i < 3; i++) answer(t, i, big);
    free(big);
    assert_true(g->ended == 1 && g->round->result[0].read && g->round->result[1].read);
    assert_string_equal(
        g->round->result[2].why,
        "metrics of pod p2 at :8080/metrics: the pages of one round of this target are more than "
        "67108864 bytes or 1000000 samples");
    teardown(t);
}

CASE(endpoints_in_turn) {
    struct kit *t = setup(1);
    struct obs_port ports[] = {{9090, "metrics"}, {8443, "https"}};
    t->pods[0].ports = ports;
    t->pods[0].nports = 2;
    t->spec = (struct spec){.metrics = METRICS_AUTO};
    struct target *g = begin(t, 1);
    struct fake_req *q = fake_one(t->f);
    assert_string_equal(q->url, "http://10.0.0.0:9090/metrics");
    assert_null(strstr(buf_str(&q->headers), "Authorization")); /* plain http never gets a token */
    fake_answer(q, 200, "up 1\n"); /* a page, without the counters: the next endpoint, in the same slot */
    fake_settle(t->f);
    q = fake_one(t->f);
    assert_string_equal(q->url, "https://10.0.0.0:8443/metrics");
    assert_true(fake_has_header(q, "Authorization: Bearer pod-token") && !q->insecure);
    fake_fail(q, ERR_TLS, "certificate");
    fake_settle(t->f);
    q = fake_one(t->f);
    assert_string_equal(q->url, "http://10.0.0.0:8080/metrics");
    fake_answer(q, 200, good);
    fake_settle(t->f);
    assert_true(g->ended == 1 && g->round->result[0].page.v[PROM_TOTAL].present);
    start(g, 1); /* the one that had the counters is asked first from now on */
    fake_settle(t->f);
    q = fake_one(t->f);
    assert_string_equal(q->url, "http://10.0.0.0:8080/metrics");
    struct err refused = {0};
    err_set(&refused, ERR_TRANSPORT, -ECONNREFUSED, "refused");
    fake_end(q, &refused);
    fake_settle(t->f);
    fake_answer(fake_one(t->f), 200, "up 1\n");
    fake_settle(t->f);
    fake_fail(fake_one(t->f), ERR_TLS, "certificate");
    fake_settle(t->f);
    assert_true(g->ended == 2 && g->round->result[0].read && !g->round->result[0].page.v[PROM_TOTAL].present);
    teardown(t);
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
        fake_settle(t->f);
        assert_int_equal(g->ended, 1);
        if (v[i].why) assert_string_equal(g->round->result[0].why, v[i].why);
        teardown(t);
    }
}

/* A token of ten minutes, renewed before they are over; without the right to request it the file's is used. */
CASE(a_token_by_request) {
    struct kit *t = setup(1);
    t->opt.token = (struct metrics_token_config){"sys", "handover-metrics", "pages", "/token"};
    t->spec.https = true;
    struct target *g = begin(t, 1);
    struct fake_req *q = fake_one(t->f);
    assert_string_equal(q->url, "https://api:6443/api/v1/namespaces/sys/serviceaccounts/handover-metrics/"
                                "token?fieldManager=handover");
    assert_string_equal(buf_str(&q->body),
                        "{\"apiVersion\":\"authentication.k8s.io/v1\",\"kind\":\"TokenRequest\",\"spec\":{"
                        "\"audiences\":[\"pages\"],\"expirationSeconds\":600}}");
    fake_answer(q, 201, "{\"spec\":{\"expirationSeconds\":600},\"status\":{\"token\":\"short\"}}");
    t->page = good;
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
        if (strcmp(t->authorization, want)) fail_msg("%zu: %s", i, t->authorization);
    }
    teardown(t);
}

CASE(through_the_proxy) {
    struct kit *t = setup(1);
    t->opt.proxy = true;
    t->pods[0].ip = NULL; /* the API server knows it */
    struct target *g = begin(t, 1);
    struct fake_req *q = fake_one(t->f);
    assert_string_equal(q->url, "https://api:6443/api/v1/namespaces/ns/pods/p0:8080/proxy/metrics");
    fake_answer(q, 200, good);
    fake_settle(t->f);
    assert_true(g->ended == 1 && g->round->result[0].page.v[PROM_TOTAL].value == 42);
    teardown(t);
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
    struct kit *t = setup(1); /* and it is what happens */
    static char ip[] = "127.0.0.1";
    t->pods[0].ip = ip;
    struct target *g = begin(t, 1);
    assert_true(t->asked == 0 && g->ended == 1);
    assert_non_null(strstr(g->round->result[0].why, "pod IP 127.0.0.1 is a loopback address"));
    teardown(t);
}

/* A round's results meanwhile: of pods 0..2, 0 goes on, 1 restarted, 2 is gone. */
CASE(from_a_round_to_samples) {
    struct kit *t = setup(4);
    struct scrape_result res[3] = {
        {.read = true, .read_ns = 5}, {.read = true, .read_ns = 9}, {.read = true, .read_ns = 7}};
    struct scrape_round r = {.number = 1, .result = res, .n = 3};
    struct pod_sample s[3];
    int64_t at;
    for (int i = 0; i < 3; i++) {
        res[i].pod = t->pods[i];
        res[i].pod.track = TRACK_CANARY;
        res[i].page.v[PROM_TOTAL] = res[i].page.v[PROM_ACTIVE] = (struct prom_value){.present = true};
    }
    t->pods[1].restarts = 1;
    scrape_samples(&r, t->pods, 2, s);
    assert_true(s[0].scraped && s[0].present && !s[1].scraped && !s[1].present);
    assert_true(!s[0].terminating && !s[1].terminating && s[2].terminating);
    assert_true(scrape_quiet(&r, &at) == QUIET_NOW && at == 5);
    res[1].page.v[PROM_ACTIVE].value = 1;
    assert_true(scrape_quiet(&r, &at) == QUIET_BUSY && !scrape_trouble(&r));
    teardown(t);
}

CASES("rollout/scrape")
