/* Requests of an operator to the proxy of a rehearsal, in front of the embedded API server: each is a line with its method, target and
 * Content-Type, then a body up to a line "--". Whatever is asked, nothing is written, and each has its answer. */
#include "fuzz.h"
#include "base/mem.h"
#include "rehearse/proxy.h"
#include "simworld/simworld.h"

#define API "https://api.sim:6443"
#define PLACES                                                                                               \
    "/api/v1/namespaces/default/configmaps", "/apis/apps/v1/namespaces/default/deployments",                 \
        "/api/v1/namespaces"

struct answer {
    int status;
    bool ended;
};

static void on_ready(void *ctx, const struct err *err) {
    FUZZ_CHECK(!err);
    *(bool *)ctx = true;
}

static bool is_true(void *ctx) {
    return *(bool *)ctx;
}

static void on_request(void *ctx, const struct simrequest *r) {
    (void)ctx;
    if (!r->arrived || strcmp(r->to, "api") != 0 || strcmp(r->from, "op") != 0 ||
        strcmp(r->method, "GET") == 0)
        return;
    size_t n = strlen(r->target);
    bool dry = n > 10 && strcmp(r->target + n - 10, "dryRun=All") == 0;
    FUZZ_CHECK(dry || strstr(r->target, "reviews"));
}

static void on_head(void *ctx, int status, const struct http_headers *h) {
    struct answer *a = ctx;
    (void)h;
    FUZZ_CHECK(!a->status && status >= 200 && status <= 599);
    a->status = status;
}

static void on_end(void *ctx, const struct err *err, int status) {
    struct answer *a = ctx;
    (void)status;
    FUZZ_CHECK(!a->ended && (err || a->status));
    a->ended = true;
}

static void ask(struct simworld *sw, struct world *w, const struct proxy *p, struct slice line,
                struct slice body) {
    static const struct http_client_cb cb = {on_head, NULL, on_end};
    struct slice method, target, type;
    struct http_headers h = {0};
    struct answer a = {0};
    struct http_req *req = NULL;
    slice_cut(line, ' ', &method, &target);
    slice_cut(target, ' ', &target, &type);
    if (!method.n || !target.n || target.p[0] != '/') return;
    cleanup_free char *m = slice_dup(method), *t = slice_dup(target),
                      *bearer = xasprintf("Bearer %s", proxy_token(p)),
                      *url = xasprintf("https://127.0.0.1:%d%s", proxy_port(p), t);
    http_headers_add(&h, SL("Authorization"), slice_of(bearer));
    http_headers_add(&h, SL("Accept"), SL("application/json"));
    if (type.n) http_headers_add(&h, SL("Content-Type"), type);
    struct http_spec s = {.lane = LANE_WATCH, .method = m, .url = url, .headers = &h, .body = body};
    if (http_start(w, &s, &cb, &a, &req, NULL) < 0) return;
    simworld_run_until(sw, is_true, &a.ended, 2 * NS_PER_S);
    if (!a.ended) http_cancel(req); /* a watch */
}

static void dump(struct simworld *sw, struct buf *out) {
    static const char *const places[] = {PLACES};
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        cleanup_free char *url = xasprintf(API "%s", places[i]);
        FUZZ_CHECK(simworld_get(sw, url, out) == 200);
    }
}

FUZZ(in) {
    struct simworld *sw = simworld_new(1);
    struct sim *api = sim_new(&(struct sim_config){.seed = 1, .wall_ns = simworld_now(sw)});
    simworld_server(sw, "api", API, api);
    simworld_on_request(sw, on_request, NULL);
    struct world *w = simworld_host(sw, "op", NULL);
    struct kube_config *c = NULL;
    struct proxy *p = NULL;
    bool ready = false;
    FUZZ_CHECK(kube_config_load(w, NULL, &(struct kube_config_spec){.server = API}, &c, NULL) == 0);
    FUZZ_CHECK(proxy_start(w, NULL, NULL, &(struct proxy_options){.config = c}, on_ready, &ready, &p, NULL) ==
               0);
    FUZZ_CHECK(simworld_run_until(sw, is_true, &ready, 60 * NS_PER_S));
    FUZZ_CHECK(simworld_request(sw, "POST", API "/api/v1/namespaces/default/configmaps", "application/json",
                                SL("{\"metadata\":{\"name\":\"a\"},\"data\":{\"k\":\"v\"}}"), NULL) == 201);
    cleanup_buf struct buf before = BUF(16 << 20), after = BUF(16 << 20);
    dump(sw, &before);
    for (int i = 0; i < 8 && in.n; i++) {
        struct slice line, body = {0};
        slice_cut(in, '\n', &line, &in);
        const char *end = in.n ? memmem(in.p, in.n, "\n--\n", 4) : NULL;
        body = slice_make(in.p, end ? (size_t)(end - in.p) : in.n);
        in = end ? slice_make(end + 4, in.n - body.n - 4) : (struct slice){0};
        ask(sw, w, p, line, body);
    }
    dump(sw, &after);
    FUZZ_CHECK(slice_eq(buf_slice(&before), buf_slice(&after)));
    proxy_stop(p);
    kube_config_free(c);
    simworld_free(sw);
    sim_free(api);
}
