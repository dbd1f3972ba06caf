/* Requests to the embedded API server. The first line is the method and the target, the second the content
 * type, the third what is accepted; the body follows. "hex " before the content type: the body is written in
 * hex digits, which keeps binary bodies readable. Whatever is asked, there is one answer with one status, in
 * JSON where it says so, and what the server holds afterwards is sound and survives being dumped and loaded.
 */
#include "fuzz.h"
#include "base/json.h"
#include "base/json_raw.h"
#include "base/mem.h"
#include "sim/sim.h"

#define WALL (INT64_C(1700000000) * NS_PER_S)

struct answer {
    int heads, status;
    bool ended, cut, json;
    struct buf body;
};

static void on_head(void *ctx, int status, const char *type, int retry_after_s) {
    struct answer *a = ctx;
    FUZZ_CHECK(!a->ended && a->heads++ == 0);
    FUZZ_CHECK(status >= 200 && status <= 599 && retry_after_s >= -1);
    a->status = status;
    a->json = strcmp(type, "application/json") == 0;
}

static void on_body(void *ctx, struct slice data) {
    struct answer *a = ctx;
    FUZZ_CHECK(!a->ended && a->heads == 1);
    FUZZ_CHECK(buf_add(&a->body, data) == 0);
}

static void on_end(void *ctx, bool cut) {
    struct answer *a = ctx;
    FUZZ_CHECK(!a->ended);
    a->ended = true;
    a->cut = cut;
}

/* True: something may have changed. */
static bool send(struct sim *s, const struct sim_request *r) {
    static const struct sim_cb cb = {.head = on_head, .body = on_body, .end = on_end};
    struct answer a = {.body = BUF((size_t)64 << 20)};
    struct sim_exchange *x = sim_handle(s, r, &cb, &a);
    FUZZ_CHECK((x == NULL) == a.ended);
    sim_advance(s, sim_now_ns(s) + 10 * NS_PER_MS);
    if (a.ended && !a.cut) {
        FUZZ_CHECK(a.heads == 1);
        FUZZ_CHECK(a.status != 500); /* a request is the client's fault, or none */
        if (a.json && slice_ends(buf_slice(&a.body), SL("}")))
            FUZZ_CHECK(json_raw_check(buf_slice(&a.body), NULL) == 0);
        if (a.json && a.status >= 400) {
            cleanup_json cJSON *v = json_parse(buf_slice(&a.body), NULL);
            FUZZ_CHECK(v && json_i64(v, "code", 0) == a.status && json_str(v, "reason"));
        }
    }
    if (x && !a.ended) sim_leave(x);
    buf_free(&a.body);
    return a.status < 300 && !slice_eqs(r->method, "GET");
}

static void collect(void *ctx, struct slice line) {
    FUZZ_CHECK(json_raw_check(slice_trim(line), NULL) == 0);
    FUZZ_CHECK(buf_add(ctx, line) == 0);
}

/* A server with what was dumped has the same to dump. */
static void reload(const struct sim *s) {
    struct buf first = BUF((size_t)64 << 20), again = BUF((size_t)64 << 20);
    sim_dump(s, collect, &first);
    struct sim *t =
        sim_new(&(struct sim_config){.seed = 2, .wall_ns = WALL, .trees = 1, .release = SIM_RELEASE_1_37});
    struct err err = {0};
    if (sim_load(t, buf_slice(&first), &err) < 0) {
        fprintf(stderr, "%s\n", err.msg);
        FUZZ_CHECK(false);
    }
    sim_dump(t, collect, &again);
    struct slice a = buf_slice(&first), b = buf_slice(&again), line;
    size_t lines[2] = {0};
    for (; a.n; lines[0]++) slice_cut(a, '\n', &line, &a);
    for (; b.n; lines[1]++) slice_cut(b, '\n', &line, &b);
    FUZZ_CHECK(lines[0] == lines[1]);
    sim_free(t);
    buf_free(&first);
    buf_free(&again);
}

static void unhex(struct slice text, struct buf *out) {
    int high = -1;
    for (size_t i = 0; i < text.n; i++) {
        const char *digits = "0123456789abcdef", *at = text.p[i] ? strchr(digits, text.p[i]) : NULL;
        if (!at) continue;
        int v = (int)(at - digits);
        if (high >= 0) buf_addc(out, (char)(high << 4 | v));
        high = high < 0 ? v : -1;
    }
}

static const char world[] =
    "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"a\",\"labels\":{\"l\":\"x\"}},"
    "\"data\":{\"k\":\"1\"}}\n"
    "{\"apiVersion\":\"apps/"
    "v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"d\"},\"spec\":{\"replicas\":1,"
    "\"selector\":{\"matchLabels\":{\"app\":\"d\"}},\"template\":{\"metadata\":{\"labels\":{\"app\":\"d\"}},"
    "\"spec\":{"
    "\"containers\":[{\"name\":\"c\",\"image\":\"i:1\"}]}}}}\n"
    "{\"apiVersion\":\"apiextensions.k8s.io/"
    "v1\",\"kind\":\"CustomResourceDefinition\",\"metadata\":{\"name\":"
    "\"ws.e.x\"},\"spec\":{\"group\":\"e.x\",\"scope\":\"Namespaced\",\"names\":{\"plural\":\"ws\",\"kind\":"
    "\"W\"},"
    "\"versions\":[{\"name\":\"v1\",\"served\":true,\"storage\":true,\"subresources\":{\"status\":{}},"
    "\"schema\":"
    "{\"openAPIV3Schema\":{\"type\":\"object\",\"properties\":{\"spec\":{\"type\":\"object\",\"properties\":{"
    "\"n\":{\"type\":"
    "\"integer\",\"minimum\":1,\"default\":3},\"e\":{\"type\":\"string\",\"enum\":[\"a\",\"b\"]},\"l\":{"
    "\"type\":\"array\","
    "\"x-kubernetes-list-type\":\"map\",\"x-kubernetes-list-map-keys\":[\"k\"],\"items\":{\"type\":"
    "\"object\",\"properties\":"
    "{\"k\":{\"type\":\"string\",\"maxLength\":3}}}},\"m\":{\"type\":\"object\",\"additionalProperties\":{"
    "\"type\":\"number\"}},"
    "\"any\":{\"x-kubernetes-preserve-unknown-fields\":true}}},\"status\":{\"type\":\"object\"}}}}}]}}\n"
    "{\"apiVersion\":\"e.x/v1\",\"kind\":\"W\",\"metadata\":{\"name\":\"w\"},\"spec\":{\"n\":4}}\n";

FUZZ(rest) {
    struct slice line, type, accept, method, target;
    slice_cut(rest, '\n', &line, &rest);
    slice_cut(rest, '\n', &type, &rest);
    slice_cut(rest, '\n', &accept, &rest);
    slice_cut(line, ' ', &method, &target);
    struct buf body = BUF((size_t)1 << 20);
    if (slice_starts(type, SL("hex "))) {
        type = slice_make(type.p + 4, type.n - 4);
        unhex(rest, &body);
        rest = buf_slice(&body);
    }
    struct sim *s =
        sim_new(&(struct sim_config){.seed = 1, .wall_ns = WALL, .trees = 1, .release = SIM_RELEASE_1_37});
    FUZZ_CHECK(sim_script(s, SL("{\"controllers\":{\"stopped\":true}}"), NULL) ==
               0); /* they have their own tests */
    FUZZ_CHECK(sim_load(s, slice_make(world, sizeof world - 1), NULL) == 0);
    struct sim_request r = {.method = method,
                            .target = target,
                            .content_type = type,
                            .accept = accept,
                            .body = rest,
                            .user_agent = SL("fuzz/1")};
    bool changed = send(s, &r);
    if (changed) send(s, &r); /* what the first has left behind is there for the second */
    if (changed) reload(s);
    sim_free(s);
    buf_free(&body);
}
