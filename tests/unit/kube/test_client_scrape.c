/* Metrics pages through the client: streamed, stopped, through the API server. */
#include "../case.h"
#include "client_kit.h"

/* The pieces of a page, in "piece|piece|". */
static int on_piece(void *ctx, struct slice piece, struct err *err) {
    struct call *c = ctx;
    if (slice_has(piece, '!')) return err_set(err, ERR_PROTOCOL, -EINVAL, "not this one");
    buf_addf(&c->pieces, "%.*s|", SLF(piece));
    return 0;
}

static struct fake_req *scrape(struct call *c, const char *url, const char *token, bool insecure) {
    static const struct kube_scrape_cb cb = {.chunk = on_piece, .done = done};
    struct kube_scrape s = {.token = slice_of(token), .tls_insecure = insecure, .timeout_ns = 5 * NS_PER_S};
    *(url && url[0] == '/' ? &s.path : &s.url) = url;
    buf_clear(&c->pieces);
    c->n = 0;
    c->op = kube_scrape(c->k, &s, &cb, c);
    assert_int_equal(c->n, 0);
    return fake_open(c->f) ? fake_one(c->f) : NULL;
}

#define PAGE "http://10.0.0.7/metrics"
/* A page that begins so. */
static struct fake_req *begins(struct call *c, const char *name, const char *value, const char *body) {
    struct fake_req *r = scrape(c, PAGE, "", false);
    fake_settle(c->f);
    fake_head(r, 200, name, value);
    fake_body(r, body);
    return r;
}

static void scraped(struct call *c, enum err_kind kind, const char *pieces) {
    assert_int_equal(c->n, 1);
    assert_int_equal(c->err.kind, kind);
    assert_string_equal(buf_str(&c->pieces), pieces);
}

SECRET_CASE(scrapes) {
    struct fake_req *r = scrape(c, "https://10.0.0.7:8443/metrics?x=y", " pod-token\n", true);
    assert_string_equal(r->url, "https://10.0.0.7:8443/metrics?x=y");
    assert_int_equal(r->lane, LANE_SCRAPE);
    assert_true(r->insecure && r->total_ns == 5 * NS_PER_S && r->body_cap == 32 << 20);
    assert_true(fake_has_header(r, "Authorization: Bearer pod-token"));
    assert_true(fake_has_header(r, "Accept-Encoding: identity"));
    assert_lacks(buf_str(&r->headers), "s3cret");
    fake_settle(c->f);
    fake_head(r, 200, NULL, NULL);
    fake_body(r, "up ");
    fake_body(r, "1\n");
    assert_true(c->n == 0 && !strcmp(buf_str(&c->pieces), "up |1\n|"));
    fake_end(r, NULL);
    assert_true(c->n == 1 && c->err.kind == ERR_NONE && c->raw.n == 0); /* nothing was kept */
    r = scrape(c, PAGE, "", false);
    assert_lacks(buf_str(&r->headers), "Authorization");
    assert_false(r->insecure);
    fake_settle(c->f);
    fake_answer(r, 401, "who are you");
    scraped(c, ERR_AUTH, ""); /* of a failure nothing is a page */
    assert_string_equal(c->err.msg, "scrape http://10.0.0.7:80/metrics: 401 Unauthorized: who are you");
    scrape(c, PAGE, "bad\r\nX: y", false);
    kube_cancel(c->op);
    scrape(c, "no url", "", false);
    fake_settle(c->f);
    assert_int_equal(c->err.kind, ERR_CONFIG);
    assert_null(scrape(c, NULL, "", false));
    fake_settle(c->f);
    assert_string_equal(c->err.msg, "scrape: needs a url or a path");
    assert_true(metric_of(c, "200", "GET") == 0);
}

/* Who reads says that it has seen enough: the rest is not fetched. */
SECRET_CASE(a_scrape_is_stopped) {
    struct fake_req *r = begins(c, NULL, NULL, "a 1\n");
    fake_body(r, "!");
    assert_int_equal(fake_open(c->f), 0);
    scraped(c, ERR_PROTOCOL, "a 1\n|");
    assert_string_equal(c->err.msg, "not this one");
    r = begins(c, NULL, NULL, "a 1\n");
    fake_fail(r, ERR_TRANSPORT, "reset"); /* one attempt, and half a page is no page */
    fake_run(c->f, 20 * NS_PER_S);
    scraped(c, ERR_TRANSPORT, "a 1\n|");
}

SECRET_CASE(an_encoded_answer_is_refused) {
    fake_end(begins(c, "Content-Encoding", "gzip", "\x1f\x8b"), NULL);
    scraped(c, ERR_PROTOCOL, "");
    assert_string_equal(c->err.msg, "scrape http://10.0.0.7:80/metrics: the answer is encoded (gzip), which "
                                    "was not asked for");
    fake_end(begins(c, "Content-Encoding", "Identity", "a 1\n"), NULL);
    scraped(c, ERR_NONE, "a 1\n|");
}

/* Through the API server: with our credentials, as any call, on a path of its own. */
SECRET_CASE(scrapes_through_the_proxy) {
    struct fake_req *r = scrape(c, "/api/v1/namespaces/ns/pods/p:8080/proxy/metrics", "pod-token", false);
    fake_settle(c->f);
    assert_string_equal(r->url, "https://api:6443/base/api/v1/namespaces/ns/pods/p:8080/proxy/metrics");
    assert_true(r->lane == LANE_SCRAPE && fake_has_header(r, "Authorization: Bearer s3cret"));
    assert_lacks(buf_str(&r->headers), "pod-token");
    fake_answer(r, 200, "a 1\n");
    scraped(c, ERR_NONE, "a 1\n|");
}

/* A question to another server: a form, in one attempt, with that server's own certificates and token. */
SECRET_CASE(asks_a_question) {
    static const struct kube_scrape_cb cb = {.chunk = on_piece, .done = done};
    struct kube_scrape s = {.url = "https://prometheus:9090/api/v1/query",
                            .token = SL("asked"),
                            .ca = SL("-----BEGIN CERTIFICATE-----"),
                            .form = SL("query=up"),
                            .timeout_ns = 5 * NS_PER_S};
    c->op = kube_scrape(c->k, &s, &cb, c);
    struct fake_req *r = fake_one(c->f);
    assert_string_equal(r->method, "POST");
    assert_string_equal(buf_str(&r->body), "query=up");
    assert_true(fake_has_header(r, "Content-Type: application/x-www-form-urlencoded"));
    assert_true(fake_has_header(r, "Authorization: Bearer asked") &&
                fake_has_header(r, "Accept: application/json"));
    assert_lacks(buf_str(&r->headers), "s3cret");
    fake_settle(c->f);
    fake_answer(r, 200, "{}");
    scraped(c, ERR_NONE, "{}|");
    c->n = 0;
    c->op = kube_scrape(c->k, &s, &cb, c);
    fake_fail(fake_one(c->f), ERR_TRANSPORT, "reset");
    fake_run(c->f, 20 * NS_PER_S);
    assert_true(c->n == 1 && fake_open(c->f) == 0);
}

CASES("kube/client_scrape")
