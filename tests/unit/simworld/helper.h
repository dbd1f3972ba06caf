/* Callbacks that record their arguments, for the tests of the simulated world. */
#ifndef TEST_SIMWORLD_HELPER_H
#define TEST_SIMWORLD_HELPER_H
#include "../case.h"
#include "../each.h"
#include "base/json.h"
#include "simworld/simworld.h"
#include "world/http_client.h"
#include "world/http_server.h"

#define UNUSED __attribute__((unused))
#define API    "https://api.sim:6443"
#define MS     NS_PER_MS

static UNUSED void bump(void *ctx) {
    ++*(int *)ctx;
}

/* What became of a request. */
struct got {
    struct http_req *req;
    int heads, ends, status;
    struct err err;
    bool failed;
    struct buf body;
    char type[128], retry_after[16];
    int hold_after; /* HTTP_HOLD at the n-th piece of body; 0: never */
    int cancel_at;  /* http_cancel() from within: 1 at the head, 2 at the body */
    int pieces;
    int64_t ended_at;
    struct simworld *sw;
};

static UNUSED void got_head(void *ctx, int status, const struct http_headers *h) {
    struct got *g = ctx;
    g->heads++;
    g->status = status;
    (void)snprintf(g->type, sizeof g->type, "%.*s", SLF(http_headers_get(h, "content-type")));
    (void)snprintf(g->retry_after, sizeof g->retry_after, "%.*s", SLF(http_headers_get(h, "Retry-After")));
    if (g->cancel_at == 1) http_cancel(g->req);
}
static UNUSED enum http_pull got_body(void *ctx, struct slice data) {
    struct got *g = ctx;
    assert_int_equal(g->heads, 1);
    assert_int_equal(g->ends, 0);
    (void)buf_add(&g->body, data);
    g->pieces++;
    if (g->cancel_at == 2) http_cancel(g->req);
    return g->hold_after && g->pieces >= g->hold_after ? HTTP_HOLD : HTTP_MORE;
}
static UNUSED void got_end(void *ctx, const struct err *err, int status) {
    struct got *g = ctx;
    g->ends++;
    g->failed = err != NULL;
    if (err)
        g->err = *err;
    else
        g->status = status;
    g->ended_at = simworld_now(g->sw);
}
static UNUSED const struct http_client_cb got_cb = {got_head, got_body, got_end};

#define GOT(sw_)                                                                                             \
    (struct got) {                                                                                           \
        .body = BUF((size_t)16 << 20), .sw = (sw_)                                                           \
    }
static UNUSED void got_free(struct got *g) {
    buf_free(&g->body);
}
#define cleanup_got __attribute__((cleanup(got_free)))
static UNUSED void got_again(struct got *g) {
    got_free(g);
    *g = GOT(g->sw);
}

static UNUSED void start(struct world *w, struct got *g, struct http_spec spec) {
    struct err err = {0};
    if (!spec.method) spec.method = "GET";
    if (!spec.headers) {
        static struct http_headers none;
        spec.headers = &none;
    }
    if (http_start(w, &spec, &got_cb, g, &g->req, &err) < 0) fail_msg("%s", err.msg);
    assert_int_equal(g->heads + g->ends, 0); /* no callback inside */
}

static UNUSED bool got_ended(void *ctx) {
    return ((struct got *)ctx)->ends > 0;
}

/* It ends within that time, with such an error. */
static UNUSED void fails(struct got *g, int64_t within_ns, enum err_kind kind) {
    assert_true(simworld_run_until(g->sw, got_ended, g, within_ns));
    assert_true(g->ends == 1 && g->failed);
    assert_int_equal(g->err.kind, kind);
}

/* Runs one request to its end and returns the status, or the negative errno. */
static UNUSED int do_request(struct simworld *sw, struct world *w, struct http_spec spec,
                             struct buf *ret_body) {
    cleanup_got struct got g = GOT(sw);
    start(w, &g, spec);
    assert_true(simworld_run_until(sw, got_ended, &g, 1000 * NS_PER_S));
    if (ret_body) (void)buf_add(ret_body, buf_slice(&g.body));
    return g.failed ? g.err.errnum : g.status;
}

struct field {
    struct simworld *sw;
    struct sim *api;
    struct world *a, *b;
};

static UNUSED struct field field_new(uint64_t seed) {
    struct field f = {.sw = simworld_new(seed)};
    f.api = sim_new(&(struct sim_config){.seed = seed, .wall_ns = simworld_now(f.sw)});
    simworld_server(f.sw, "api", API, f.api);
    f.a = simworld_host(f.sw, "a", NULL);
    f.b = simworld_host(f.sw, "b", NULL);
    return f;
}
static UNUSED void field_free(struct field *f) {
    simworld_free(f->sw);
    sim_free(f->api);
}

/* In a field f. */
static UNUSED struct field *field_of(uint64_t seed) {
    struct field *f = xcalloc(1, sizeof *f);
    *f = field_new(seed);
    return f;
}
static UNUSED void field_end(struct field *f) {
    field_free(f);
    free(f);
}
#define FIELD_CASE(seed, name) CASE_OF(struct field, f, field_of(seed), field_end, name)

/* A request of host a in the field f, to its end. */
#define ASK(f, ...) do_request((f)->sw, (f)->a, (struct http_spec){__VA_ARGS__}, NULL)
#define WATCH(path)                                                                                          \
    (struct http_spec) {                                                                                     \
        .lane = LANE_WATCH, .url = API path "?watch=1"                                                       \
    }

/* From outside; JSON with ' for ". */
static UNUSED void create(struct simworld *sw, const char *path, const char *json) {
    cleanup_free char *url = xasprintf(API "%s", path), *body = quoted(xstrdup(json));
    assert_int_equal(simworld_request(sw, "POST", url, "application/json", slice_of(body), NULL), 201);
}
static UNUSED void scripted(struct sim *api, const char *json) {
    cleanup_free char *text = quoted(xstrdup(json));
    struct err err = {0};
    if (sim_script(api, slice_of(text), &err) < 0) fail_msg("%s", err.msg);
}

#define CM(name) create_cm("{\"metadata\":{\"name\":\"" name "\"}}")
static UNUSED struct http_spec create_cm(const char *body) {
    static struct http_headers h;
    h.n = 0;
    (void)http_headers_add(&h, SL("Content-Type"), SL("application/json"));
    return (struct http_spec){.lane = LANE_CALL,
                              .method = "POST",
                              .url = API "/api/v1/namespaces/default/configmaps",
                              .headers = &h,
                              .body = slice_of(body)};
}
static UNUSED bool cm_there(struct field *f, const char *name) {
    cleanup_buf struct buf b = BUF(1 << 20);
    return sim_peek(f->api, "configmaps", "default", name, &b) == 0;
}

/* What stands at a path of the API server; NULL: nothing. */
static UNUSED cJSON *object_at(struct simworld *sw, const char *path) {
    cleanup_free char *url = xasprintf(API "%s", path);
    cleanup_buf struct buf b = BUF(1 << 22);
    if (simworld_get(sw, url, &b) != 200) return NULL;
    return json_parse(buf_slice(&b), NULL);
}

/* Is the state in this ConfigMap in the phase? */
static UNUSED bool state_in_phase(struct sim *api, const char *configmap, const char *phase) {
    cleanup_buf struct buf b = BUF(1 << 20);
    if (sim_peek(api, "configmaps", "default", configmap, &b) < 0) return false;
    cleanup_free char *want = xasprintf("\\\"phase\\\":\\\"%s\\\"", phase);
    return strstr(buf_str(&b), want) != NULL;
}
#endif
