/* A scraper in the scripted world of tests/unit/kube: pods p0 to p7 at 10.0.0.0 to 10.0.0.7, targets, and what they ask for. */
#ifndef TEST_ROLLOUT_SCRAPE_KIT_H
#define TEST_ROLLOUT_SCRAPE_KIT_H
#include "../case.h"
#include "../kube/fake.h"
#include "act/metrics_endpoint.h"
#include "act/scrape.h"
#include "act/scrape_evidence.h"
#include "act/scrape_slots.h"

#define UNUSED __attribute__((unused))

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

static UNUSED const char good[] = "controller_runtime_reconcile_total{result=\"error\"} 2\n"
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

static UNUSED struct target *begin(struct kit *t, size_t n) {
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
static UNUSED struct fake_req *of(struct kit *t, int pod, const char *rest) {
    cleanup_free char *url = xasprintf("http://10.0.0.%d:%s", pod, rest);
    list_each(it, &t->f->reqs) {
        struct fake_req *r = container_of(it, struct fake_req, node);
        if (!r->ended && !r->status && !strcmp(r->url, url)) return r;
    }
    return NULL;
}

/* The one open request, of this URL. */
static UNUSED struct fake_req *asked_for(struct kit *t, const char *url) {
    struct fake_req *q = fake_one(t->f);
    assert_string_equal(q->url, url);
    return q;
}

static UNUSED void answer(struct kit *t, int pod, const char *page) {
    struct fake_req *r = of(t, pod, "8080/metrics");
    assert_non_null(r);
    fake_answer(r, 200, page);
}

/* A case with a kit t that has so many slots. */
#define SCRAPE(name, slots) CASE_OF(struct kit, t, setup(slots), teardown, name)
#endif
