/* The client: what is sent, how errors are classified and retried, deadlines, the fence. */
#include "../case.h"
#include "client_kit.h"

SECRET_CASE(requests) {
    static const struct {
        enum kube_verb verb;
        const char *method, *url, *type;
    } want[] = {
#define LEASES "/apis/coordination.k8s.io/v1/namespaces/default/leases"
#define LEASE  LEASES "/handover"
#define OURS   "?fieldManager=handover"
        {KUBE_GET, "GET", LEASE, NULL},
        {KUBE_UPDATE, "PUT", LEASE OURS, "application/json"},
        {KUBE_PATCH_MERGE, "PATCH", LEASE OURS, "application/merge-patch+json"},
        {KUBE_PATCH_JSON, "PATCH", LEASE OURS, "application/json-patch+json"},
        {KUBE_PATCH_STRATEGIC, "PATCH", LEASE OURS, "application/strategic-merge-patch+json"},
        {KUBE_DELETE, "DELETE", LEASE, "application/json"},
        {KUBE_CREATE, "POST", LEASES OURS, "application/json"},
        {KUBE_LIST, "GET", LEASES "?labelSelector=a%3Db&fieldSelector=c%3Dd", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        struct kube_spec s = lease(want[i].verb);
        if (want[i].verb == KUBE_CREATE) s.ref.name = (struct slice){0};
        if (want[i].verb == KUBE_LIST) s.labels = SL("a=b"), s.fields = SL("c=d");
        if (want[i].type) s.body = SL("{\"a\":1}");
        ask(c, &s);
        struct fake_req *r = fake_one(c->f);
        cleanup_free char *url = xasprintf("https://api:6443/base%s", want[i].url);
        assert_string_equal(r->method, want[i].method);
        assert_string_equal(r->url, url);
        assert_string_equal(buf_str(&r->body), want[i].type ? "{\"a\":1}" : "");
        assert_true(fake_has_header(r, "Authorization: Bearer s3cret"));
        assert_true(fake_has_header(r, "User-Agent: handover/" HANDOVER_VERSION));
        assert_true(fake_has_header(r, "Accept: application/json"));
        assert_lacks(buf_str(&r->headers), "Accept-Encoding");
        cleanup_free char *type = xasprintf("Content-Type: %s", want[i].type ? want[i].type : "");
        assert_int_equal(fake_has_header(r, type), want[i].type != NULL);
        assert_int_equal(r->lane, LANE_CALL);
        assert_false(r->fresh);
        answer(c, 200, "{\"x\":1}");
        ended(c, ERR_NONE, (unsigned)i + 1);
        assert_string_equal(buf_str(&c->raw), "{\"x\":1}");
    }
    assert_true(metric_of(c, "200", "PATCH") == 3);
    struct kube_spec s = {
        .verb = KUBE_LIST, .ref = {.gvr = &gvr_pods}, .metadata_only = true, .lane = LANE_CALL};
    ask(c, &s);
    assert_string_equal(fake_one(c->f)->url, "https://api:6443/base/api/v1/pods");
    assert_has(buf_str(&fake_one(c->f)->headers),
               "Accept: application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1");
    kube_cancel(c->op);
    assert_int_equal(fake_open(c->f), 0);
    /* whatever it is, through a proxy of the server */
    s = (struct kube_spec){
        .ref = {.gvr = &gvr_pods, .ns = SL("n"), .name = SL("p:8080"), .sub = SL("proxy/metrics")},
        .lane = LANE_CALL};
    ask(c, &s);
    assert_string_equal(fake_one(c->f)->url,
                        "https://api:6443/base/api/v1/namespaces/n/pods/p%3A8080/proxy/metrics");
    answer(c, 200, "up 1\n");
    assert_string_equal(buf_str(&c->raw), "up 1\n");
    s = (struct kube_spec){.path = "/version", .lane = LANE_CALL};
    ask(c, &s);
    assert_string_equal(fake_one(c->f)->url,
                        "https://api:6443/base/version"); /* freed while open: no callback */
}

CLIENT_CASE(wrong_specs) {
    struct kube_spec s = lease(KUBE_GET);
    s.ref.name = (struct slice){0};
    ask(c, &s);
    assert_true(c->n == 1 && c->err.kind == ERR_CONFIG && strstr(c->err.msg, "needs a name"));
    s = lease(KUBE_DELETE);
    s.ref.ns = (struct slice){0};
    ask(c, &s);
    assert_true(c->n == 1 && c->err.kind == ERR_CONFIG && strstr(c->err.msg, "needs a namespace"));
    start(c, &s);
    kube_cancel(c->op);
    kube_cancel(NULL);
    fake_settle(c->f);
    assert_true(c->n == 0 && c->f->started == 0);
}

/* How a call ends that is answered so, and what its error says. */
static void one_answer(struct call *c, enum kube_verb verb, int code, const char *body, enum err_kind kind,
                       const char *words) {
    struct kube_spec s = lease(verb);
    s.no_retry = true;
    ask(c, &s);
    answer(c, code, body);
    assert_int_equal(c->n, 1);
    if (c->err.kind != kind) fail_msg("%d: %s: %s", code, err_kind_name(c->err.kind), c->err.msg);
    assert_has(c->err.msg, words);
}

SECRET_CASE(errors) {
    one_answer(
        c, KUBE_GET, 403,
        STATUS(
            403, "Forbidden",
            "leases.coordination.k8s.io \\\"handover\\\" is forbidden: User \\\"u\\\" cannot get resource"),
        ERR_FORBIDDEN, "");
    assert_true(
        slice_starts(slice_of(c->err.msg),
                     SL("get leases.coordination.k8s.io default/handover: 403 Forbidden: leases.coord")));
    assert_int_equal(c->err.http, 403);
    assert_has(buf_str(&c->raw), "\"Status\"");
    one_answer(c, KUBE_UPDATE, 403, "", ERR_FORBIDDEN, "update leases.coordination.k8s.io default/handover");
    one_answer(c, KUBE_GET, 404, STATUS(404, "NotFound", "not found"), ERR_NOTFOUND, "");
    one_answer(c, KUBE_UPDATE, 409, STATUS(409, "Conflict", "modified"), ERR_CONFLICT, "");
    one_answer(c, KUBE_GET, 410, STATUS(410, "Expired", "old"), ERR_GONE, "");
    one_answer(c, KUBE_PATCH_JSON, 422, STATUS(422, "Invalid", "no"), ERR_REJECTED, "");
    one_answer(c, KUBE_GET, 500, "boom", ERR_SERVER, "");
    one_answer(c, KUBE_GET, 503, "", ERR_SERVER, "");
    one_answer(c, KUBE_GET, 302, "", ERR_PROTOCOL, "302");
    one_answer(c, KUBE_GET, 200, "<html>sign in</html>", ERR_PROTOCOL, "no JSON object");
    one_answer(c, KUBE_GET, 200, "{\"a\":", ERR_PROTOCOL, "");
    one_answer(c, KUBE_GET, 200, "", ERR_PROTOCOL, "");
    struct kube_spec get = lease(KUBE_GET);
    ask(c, &get);
    fake_head(fake_one(c->f), 302, "Location", "https://u:s3cret@login.x/in?state=s3cret");
    fake_end(fake_one(c->f), NULL);
    assert_has(c->err.msg, "redirected (302) to \"https://login.x:443/in\": no API server answers so");
    struct kube_spec s = {
        .verb = KUBE_LIST, .ref = {.gvr = &gvr_deployments}, .lane = LANE_CALL, .no_retry = true};
    ask(c, &s);
    fake_fail(fake_one(c->f), ERR_TLS, "the certificate is for other names");
    assert_int_equal(c->err.kind, ERR_TLS);
    assert_string_equal(c->err.msg,
                        "list deployments.apps in all namespaces: the certificate is for other names");
    assert_true(metric_of(c, "<error>", "GET") == 1);
    s.ref.ns = SL("n");
    s.body_cap = 10;
    ask(c, &s);
    answer(c, 200, "{\"long\":\"answer\"}");
    assert_int_equal(c->err.errnum, -EFBIG);
    assert_has(c->err.msg, "list deployments.apps in namespace n");
    assert_lacks(buf_str(&c->f->lines), "s3cret");
}

/* Whose failure it is: of plain http a proxy answers itself, of https it refuses the tunnel. */
CASE(proxies) {
    struct call *c = setup_cluster("server: 'http://api', proxy-url: 'http://u:s3cret@p:3128'", "token: t");
    one_answer(
        c, KUBE_GET, 403, "<html>blocked by policy</html>", ERR_TRANSPORT,
        "403 Forbidden: <html>blocked by policy</html> (from the proxy http://p:3128, not from the API "
        "server)");
    assert_int_equal(c->err.http, 403);
    one_answer(c, KUBE_GET, 407, "", ERR_TRANSPORT, "");
    one_answer(c, KUBE_UPDATE, 504, "", ERR_TRANSPORT, ""); /* it may have been carried out */
    assert_int_equal(c->err.errnum, -ECONNRESET);
    one_answer(c, KUBE_GET, 403, STATUS(403, "Forbidden", "no"), ERR_FORBIDDEN, "");
    assert_lacks(c->err.msg, "proxy");
    teardown(c);
    c = setup_cluster("server: 'https://api', proxy-url: 'http://u:s3cret@p:3128'", "token: t");
    struct kube_spec s = lease(KUBE_GET);
    s.no_retry = true;
    ask(c, &s);
    fake_fail(fake_one(c->f), ERR_TRANSPORT, "CONNECT tunnel failed, response 403");
    assert_string_equal(c->err.msg, "get leases.coordination.k8s.io default/handover: through the proxy "
                                    "http://p:3128: CONNECT tunnel failed, response 403");
    one_answer(c, KUBE_GET, 403, "plain", ERR_FORBIDDEN, ""); /* from inside the tunnel */
    assert_lacks(c->err.msg, "proxy");
    teardown(c);
}

/* ---- retries: the server fails so many times, then answers ---- */

static struct {
    int times, code;
    enum err_kind kind;
    bool before_sent;
    const char *after;
    int64_t at[16];
    unsigned n;
} flaky;

static void answer_flaky(struct fake *f, struct fake_req *r) {
    if (flaky.n < ARRAY_LEN(flaky.at)) flaky.at[flaky.n] = fake_now(f);
    flaky.n++;
    if (flaky.times-- <= 0) {
        fake_answer(r, 200, "{\"ok\":1}");
    } else if (flaky.kind) {
        fake_fail(r, flaky.kind, "injected");
    } else {
        fake_head(r, flaky.code, flaky.after ? "retry-after" : NULL, flaky.after);
        fake_end(r, NULL);
    }
}

/* How the call ends, after how many requests. */
static void flaky_ends(struct call *c, const struct kube_spec *s, int times, int code, enum err_kind kind,
                       const char *after, enum err_kind want, unsigned requests) {
    flaky.times = times;
    flaky.code = code;
    flaky.kind = kind;
    flaky.after = after;
    flaky.n = 0;
    c->f->on_request = answer_flaky;
    start(c, s);
    fake_run(c->f, 40 * NS_PER_S);
    assert_int_equal(c->n, 1);
    if (c->err.kind != want || flaky.n != requests)
        fail_msg("%d: %s, %u requests", code, c->err.msg, flaky.n);
}

CLIENT_CASE(retries) {
    struct kube_spec get = lease(KUBE_GET), put = lease(KUBE_UPDATE), once = lease(KUBE_GET);
    once.no_retry = true;
    flaky_ends(c, &get, 3, 500, 0, NULL, ERR_NONE, 4);
    flaky_ends(c, &get, 2, 0, ERR_TRANSPORT, NULL, ERR_NONE, 3);
    flaky_ends(c, &get, 100, 503, 0, NULL, ERR_SERVER, 8);
    /* growing waits, all within the deadline */
    for (unsigned i = 2; i < flaky.n; i++)
        assert_true(flaky.at[i] - flaky.at[i - 1] > (flaky.at[i - 1] - flaky.at[i - 2]) / 2);
    assert_true(flaky.at[flaky.n - 1] - flaky.at[0] < 30 * NS_PER_S);
    flaky_ends(c, &once, 1, 500, 0, NULL, ERR_SERVER, 1);
    /* a mutation that may have been carried out is not repeated */
    flaky_ends(c, &put, 1, 500, 0, NULL, ERR_SERVER, 1);
    flaky_ends(c, &put, 1, 0, ERR_TRANSPORT, NULL, ERR_TRANSPORT, 1);
    flaky_ends(c, &put, 1, 409, 0, NULL, ERR_CONFLICT, 1);
    /* throttled: it was not carried out, as late as it says */
    flaky_ends(c, &put, 2, 429, 0, "3", ERR_NONE, 3);
    assert_true(flaky.at[1] - flaky.at[0] >= 3 * NS_PER_S && flaky.at[1] - flaky.at[0] < 4 * NS_PER_S);
    flaky_ends(c, &put, 1, 503, 0, "1", ERR_NONE, 2);
    /* later than the deadline: says so at once, with the delay */
    flaky_ends(c, &put, 1, 429, 0, "3600", ERR_THROTTLED, 1);
    assert_true(c->err.retry_after_ms == 30000);
    assert_has(c->err.msg, "(Retry-After: 3600 s, of which 30 s are waited)");
    flaky_ends(c, &get, 1, 403, 0, NULL, ERR_FORBIDDEN, 1);
    flaky_ends(c, &get, 1, 0, ERR_TLS, NULL, ERR_TLS, 1);
}

static void refuse_unsent(struct fake *f, struct fake_req *r) {
    (void)f;
    r->sent = true;
}

/* A refused connection: the bytes never left, so that any request may be tried again. */
CLIENT_CASE(nothing_was_sent) {
    struct kube_spec put = lease(KUBE_UPDATE);
    c->f->on_request = refuse_unsent;
    start(c, &put);
    struct fake_req *first = fake_one(c->f);
    assert_non_null(first->may_send);
    first->may_send = NULL; /* never asked */
    fake_fail(first, ERR_TRANSPORT, "connection refused");
    assert_int_equal(c->n, 0);
    c->f->on_request = answer_flaky;
    flaky.times = 0;
    fake_run(c->f, NS_PER_S);
    ended(c, ERR_NONE, 2);
}

CLIENT_CASE(deadline) {
    struct kube_spec get = lease(KUBE_GET);
    get.timeout_ns = 9 * NS_PER_S;
    start(c, &get);
    fake_run(c->f, 2 * NS_PER_S);
    assert_false(fake_one(c->f)->fresh);
    assert_true(fake_one(c->f)->total_ns == 3 * NS_PER_S);
    fake_run(c->f, 2 * NS_PER_S); /* the first attempt hangs: another connection */
    assert_true(fake_one(c->f)->fresh);
    fake_run(c->f, 6 * NS_PER_S);
    assert_true(c->n == 1 && c->err.kind == ERR_TIMEOUT);
    assert_true(fake_now(c->f) <= 1011 * NS_PER_S);
    /* the next call goes on a connection of its own too, until one works */
    struct kube_spec put = lease(KUBE_UPDATE);
    start(c, &put);
    assert_true(fake_one(c->f)->fresh);
    assert_true(fake_one(c->f)->total_ns == 30 * NS_PER_S);
    fake_settle(c->f);
    answer(c, 200, "{}");
    start(c, &put);
    assert_false(fake_one(c->f)->fresh);
    kube_cancel(c->op);
}

static bool held(void *ctx) {
    int *left = ctx;
    return (*left)-- > 0;
}

CLIENT_CASE(fence) {
    int answers = 0;
    kube_set_fence(c->k, (struct kube_fence){held, &answers});
    struct kube_spec put = lease(KUBE_UPDATE), get = lease(KUBE_GET);
    ask(c, &put); /* not even started */
    ended(c, ERR_FENCED, 0);
    assert_has(c->err.msg, "update leases.coordination.k8s.io default/handover");
    answers = 1;
    ask(c, &put); /* lost between the call and its bytes */
    ended(c, ERR_FENCED, 1);
    answers = 0;
    c->f->on_request = answer_flaky;
    flaky.times = 0;
    ask(c, &get);
    assert_int_equal(c->err.kind, ERR_NONE);
    put.unfenced = true;
    ask(c, &put);
    assert_int_equal(c->err.kind, ERR_NONE);
    /* asked again before a retry */
    put.unfenced = false;
    answers = 2;
    flaky_ends(c, &put, 5, 429, 0, "1", ERR_FENCED, 1);
}

static void start_another(struct call *c) {
    struct kube_spec get = lease(KUBE_GET);
    c->then = NULL;
    c->op = kube_call(c->k, &get, done, c);
}

CLIENT_CASE(calls_in_callbacks) {
    struct kube_spec get = lease(KUBE_GET);
    c->then = start_another;
    c->f->on_request = answer_flaky;
    flaky.times = 0;
    ask(c, &get);
    assert_int_equal(c->n, 2);
}

/* What is urgent does not wait behind a crowd; where there is none it takes the connections that are warm. */
CLIENT_CASE(urgent_ones_pass_a_crowd) {
    struct kube_op *crowd[KUBE_CROWD];
    struct kube_spec s = lease(KUBE_GET);
    s.urgent = true;
    for (int i = 0; i < KUBE_CROWD; i++) {
        ask(c, &s);
        assert_int_equal(fake_last(c->f)->lane, LANE_CALL);
        crowd[i] = c->op;
    }
    ask(c, &s);
    assert_int_equal(fake_last(c->f)->lane, LANE_URGENT);
    kube_cancel(c->op);
    s.urgent = false;
    ask(c, &s);
    assert_int_equal(fake_last(c->f)->lane, LANE_CALL);
    kube_cancel(c->op);
    for (int i = 0; i < KUBE_CROWD; i++) kube_cancel(crowd[i]);
    s.urgent = true;
    ask(c, &s);
    assert_int_equal(fake_last(c->f)->lane, LANE_CALL);
    answer(c, 200, "{}");
    assert_int_equal(c->n, 1);
}

CLIENT_CASE(program_is_known_by_its_own_name) {
    struct kube_spec s = lease(KUBE_PATCH_MERGE);
    kube_identify(c->k, "tally", "tally/2");
    ask(c, &s);
    assert_string_equal(fake_one(c->f)->url, "https://api:6443/base" LEASE "?fieldManager=tally");
    assert_true(fake_has_header(fake_one(c->f), "User-Agent: tally/2"));
    answer(c, 200, "{}");
    s.manager = "someone";
    ask(c, &s);
    assert_string_equal(fake_one(c->f)->url, "https://api:6443/base" LEASE "?fieldManager=someone");
    answer(c, 200, "{}");
}

CASES("kube/client")
