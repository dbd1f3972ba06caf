/* A rehearsal in the simulated world: an operator, the proxy on its machine, and the embedded API server behind a network that loses
 * what it is given. Whatever happens, nothing is written. */
#include "../simworld/helper.h"
#include "rehearse/proxy.h"

#define CMS "/api/v1/namespaces/default/configmaps"

struct scene {
    struct simworld *sw;
    struct sim *api;
    struct world *w;
    struct log log;
    struct kube_config *c;
    struct proxy *p;
    char url[64], bearer[200];
    struct http_headers headers;
    unsigned ready, writes;
    bool failed;
};

static void on_ready(void *ctx, const struct err *err) {
    struct scene *s = ctx;
    s->ready++;
    s->failed = err != NULL;
}

static bool is_ready(void *ctx) {
    return ((struct scene *)ctx)->ready > 0;
}

/* What arrives at the API server is a read or a dry run. */
static void on_request(void *ctx, const struct simrequest *r) {
    struct scene *s = ctx;
    if (!r->arrived || strcmp(r->to, "api") != 0 || strcmp(r->from, "op") != 0 ||
        strcmp(r->method, "GET") == 0)
        return;
    s->writes++;
    if (!strstr(r->target, "dryRun=All")) fail_msg("%s %s", r->method, r->target);
}

static void scene_init(struct scene *s, uint64_t seed) {
    struct err e = {0};
    *s = (struct scene){.sw = simworld_new(seed)};
    s->api = sim_new(&(struct sim_config){.seed = seed, .wall_ns = simworld_now(s->sw)});
    simworld_server(s->sw, "api", API, s->api);
    s->w = simworld_host(s->sw, "op", NULL);
    s->log = simworld_log(s->w);
    simworld_on_request(s->sw, on_request, s);
    if (kube_config_load(s->w, &s->log, &(struct kube_config_spec){.server = API}, &s->c, &e) < 0)
        fail_msg("%s", e.msg);
    assert_int_equal(
        proxy_start(s->w, &s->log, NULL, &(struct proxy_options){.config = s->c}, on_ready, s, &s->p, &e), 0);
    assert_true(simworld_run_until(s->sw, is_ready, s, 60 * NS_PER_S));
    assert_false(s->failed);
    snprintf(s->url, sizeof s->url, "https://127.0.0.1:%d", proxy_port(s->p));
    snprintf(s->bearer, sizeof s->bearer, "Bearer %s", proxy_token(s->p));
    http_headers_add(&s->headers, SL("Authorization"), slice_of(s->bearer));
    http_headers_add(&s->headers, SL("Content-Type"), SL("application/json"));
}

static void scene_end(struct scene *s) {
    proxy_stop(s->p);
    kube_config_free(s->c);
    simworld_free(s->sw);
    sim_free(s->api);
}

static struct http_spec spec(struct scene *s, const char *method, const char *url, const char *body) {
    return (struct http_spec){.lane = strstr(url, "watch=true") ? LANE_WATCH : LANE_CALL,
                              .method = method,
                              .url = url,
                              .headers = &s->headers,
                              .body = slice_of(body)};
}

/* One request of the operator, to its end; its status, or a negative errno. */
static int asks(struct scene *s, const char *method, const char *path, const char *body, struct buf *ret) {
    cleanup_free char *url = xasprintf("%s%s", s->url, path);
    if (ret) buf_clear(ret);
    return do_request(s->sw, s->w, spec(s, method, url, body), ret);
}

static void dump(struct scene *s, struct buf *out) {
    buf_clear(out);
    assert_int_equal(simworld_get(s->sw, API CMS, out), 200);
}

static void live(struct scene *s, const char *method, const char *path, const char *body) {
    cleanup_free char *url = xasprintf(API "%s", path);
    assert_in_range(simworld_request(s->sw, method, url, "application/json", slice_of(body), NULL), 200, 201);
}

#define MAP(name, value) "{\"metadata\":{\"name\":\"" name "\"},\"data\":{\"k\":\"" value "\"}}"

CASE(an_operator_believes_what_it_did) {
    struct scene s;
    cleanup_buf struct buf before = BUF(1 << 20), after = BUF(1 << 20), b = BUF(1 << 20);
    scene_init(&s, 1);
    live(&s, "POST", CMS, MAP("old", "1"));
    live(&s, "POST", CMS, MAP("gone", "1"));
    dump(&s, &before);
    cleanup_got struct got watch = GOT(s.sw);
    cleanup_free char *url = xasprintf("%s" CMS "?watch=true", s.url);
    start(s.w, &watch, spec(&s, "GET", url, ""));
    simworld_run(s.sw, NS_PER_S);
    assert_int_equal(watch.status, 200);
    assert_int_equal(asks(&s, "POST", CMS, MAP("new", "2"), &b), 201);
    assert_has(buf_str(&b), "\"uid\":\"");
    assert_int_equal(asks(&s, "POST", CMS, MAP("new", "2"), &b), 409);
    assert_int_equal(asks(&s, "PUT", CMS "/old", MAP("old", "3"), &b), 200);
    assert_int_equal(asks(&s, "DELETE", CMS "/gone", "", &b), 200);
    assert_int_equal(asks(&s, "GET", CMS "/new", "", &b), 200);
    assert_int_equal(asks(&s, "GET", CMS "/old", "", &b), 200);
    assert_has(buf_str(&b), "\"k\":\"3\"");
    assert_int_equal(asks(&s, "GET", CMS "/gone", "", &b), 404);
    assert_int_equal(asks(&s, "GET", CMS, "", &b), 200);
    assert_has(buf_str(&b), "\"name\":\"new\"");
    assert_lacks(buf_str(&b), "\"name\":\"gone\"");
    simworld_run(s.sw, NS_PER_S);
    assert_has(buf_str(&watch.body), "\"type\":\"MODIFIED\"");
    assert_has(buf_str(&watch.body), "\"type\":\"DELETED\"");
    live(&s, "POST", CMS, MAP("theirs", "9"));
    simworld_run(s.sw, NS_PER_S);
    assert_has(buf_str(&watch.body), "\"name\":\"theirs\"");
    live(&s, "DELETE", CMS "/theirs", "");
    http_cancel(watch.req);
    dump(&s, &after);
    const char *a = strstr(buf_str(&before), "\"items\""), *z = strstr(buf_str(&after), "\"items\"");
    assert_string_equal(a, z); /* all but the list's version */
    scene_end(&s);
}

/* Mutations wait; reads do not, nor what came before; a client may leave. Two who hold both have to let go. */
CASE(what_is_held_is_carried_out_later) {
    struct scene s;
    cleanup_buf struct buf b = BUF(1 << 20);
    scene_init(&s, 1);
    cleanup_free char *url = xasprintf("%s" CMS, s.url), *one = xasprintf("%s" CMS "/a", s.url);
    cleanup_got struct got before = GOT(s.sw), post = GOT(s.sw), put = GOT(s.sw), gone = GOT(s.sw);
    start(s.w, &before, spec(&s, "POST", url, MAP("b", "1")));
    simworld_run(s.sw, 20 * NS_PER_MS); /* it has come */
    proxy_hold(s.p);
    proxy_hold(s.p);
    start(s.w, &post, spec(&s, "POST", url, MAP("a", "1")));
    start(s.w, &put, spec(&s, "PUT", one, MAP("a", "2")));
    start(s.w, &gone, spec(&s, "POST", url, MAP("c", "1")));
    simworld_run(s.sw, NS_PER_S);
    assert_int_equal(before.status, 201);
    assert_int_equal(asks(&s, "GET", CMS "/a", "", &b), 404);
    http_cancel(gone.req);
    simworld_run(s.sw, NS_PER_S);
    proxy_release(s.p);
    simworld_run(s.sw, NS_PER_S);
    assert_int_equal(post.status, 0);
    proxy_release(s.p);
    simworld_run(s.sw, NS_PER_S);
    assert_int_equal(post.status, 201);
    assert_true(put.status == 200 || put.status == 404); /* both at once */
    assert_int_equal(asks(&s, "GET", CMS "/a", "", &b), 200);
    assert_int_equal(asks(&s, "GET", CMS "/c", "", &b), 404);
    scene_end(&s);
}

/* ---- whatever happens on the way ---- */

struct client {
    struct got g;
    char *url, *body;
    bool holds;
};

static void ask_at_random(struct scene *s, struct client *c, struct rng *rng) {
    static const char *const targets[] = {CMS,
                                          CMS "/a",
                                          CMS "/b",
                                          CMS "?watch=true&timeoutSeconds=3",
                                          "/version",
                                          CMS "?limit=2",
                                          "/apis/coordination.k8s.io/v1/namespaces/default/leases/l",
                                          CMS "/a?x",
                                          "/nothing"};
    static const char *const methods[] = {"GET", "GET", "POST", "PUT", "DELETE", "PATCH"};
    c->g = GOT(s->sw);
    c->g.hold_after = rng_below(rng, 4) ? 0 : 1;
    c->url = xasprintf("%s%s", s->url, targets[rng_below(rng, ARRAY_LEN(targets))]);
    c->body = xasprintf(MAP("%c", "%d"), 'a' + (char)rng_below(rng, 3), (int)rng_below(rng, 100));
    struct http_spec h = spec(s, methods[rng_below(rng, ARRAY_LEN(methods))], c->url, c->body);
    h.lane = LANE_WATCH;
    h.total_ns = 20 * NS_PER_S;
    start(s->w, &c->g, h);
}

static void client_end(struct client *c, bool cancel) {
    if (cancel && !c->g.ends) http_cancel(c->g.req);
    got_free(&c->g);
    free(c->url);
    free(c->body);
    *c = (struct client){0};
}

SEEDS_CASE(60, nothing_is_written_whatever_happens) {
    enum { CLIENTS = 8, STEPS = 150 };
    struct scene s;
    struct client c[CLIENTS] = {0};
    struct rng rng = {seed};
    cleanup_buf struct buf before = BUF(1 << 20), after = BUF(1 << 20);
    scene_init(&s, seed);
    live(&s, "POST", CMS, MAP("a", "1"));
    live(&s, "POST", CMS, MAP("c", "1"));
    dump(&s, &before);
    simworld_net(s.sw, "op", "api",
                 &(struct simnet){.latency_ns = NS_PER_MS,
                                  .jitter_ns = 20 * NS_PER_MS,
                                  .lose_request = 0.05,
                                  .lose_answer = 0.05,
                                  .duplicate = 0.05,
                                  .cut = 0.1,
                                  .cut_bytes = 2000,
                                  .loss = LOSS_ANY});
    for (int i = 0; i < STEPS; i++) {
        struct client *one = &c[rng_below(&rng, CLIENTS)];
        if (one->url && (one->g.ends || rng_below(&rng, 3) == 0)) {
            client_end(one, true);
        } else if (one->url && one->g.hold_after) {
            one->g.hold_after = 0;
            http_resume(one->g.req);
        } else if (!one->url) {
            ask_at_random(&s, one, &rng);
        }
        simworld_run(s.sw, (int64_t)rng_below(&rng, 200) * NS_PER_MS);
    }
    for (int i = 0; i < CLIENTS; i++)
        if (c[i].url) client_end(&c[i], true);
    simworld_run(s.sw, 30 * NS_PER_S);
    dump(&s, &after);
    assert_string_equal(buf_str(&before), buf_str(&after));
    scene_end(&s);
}

CASES("rehearse/proxy_sim")
