/* The rules of HTTPS_PROXY and NO_PROXY. The private header is what is tested. */
#include "../case.h"
#include "../../../src/kube/proxy.h"

static const char *no_proxy;
static const char *env(void *ctx, const char *name) {
    (void)ctx;
    if (slice_eqs(SL("https_proxy"), name)) return "http://p:1";
    if (slice_eqs(SL("NO_PROXY"), name)) return no_proxy;
    return NULL;
}
static bool proxied(const char *list, const char *url) {
    struct url u;
    char *got = NULL;
    no_proxy = list;
    assert_int_equal(url_split(slice_of(url), &u), 0);
    assert_int_equal(proxy_from_env(env, NULL, &u, &got, NULL), 0);
    bool yes = got != NULL;
    free(got);
    return yes;
}

CASE(no_proxy_rules) {
    assert_true(proxied(NULL, "https://api"));
    assert_false(proxied(NULL, "http://api")); /* no HTTP_PROXY */
    assert_false(proxied(NULL, "https://localhost:6443"));
    assert_false(proxied(NULL, "https://127.3.2.1"));
    assert_false(proxied(NULL, "https://[::1]:6443"));
    assert_false(proxied("*", "https://api"));
    assert_false(proxied("x.org,api", "https://api"));
    assert_false(proxied(" Example.COM ", "https://API.example.com"));
    assert_false(proxied("example.com", "https://example.com"));
    assert_true(proxied("example.com", "https://notexample.com"));
    assert_true(proxied(".example.com", "https://example.com"));
    assert_false(proxied(".example.com", "https://a.example.com"));
    assert_false(proxied("*.example.com", "https://a.example.com"));
    assert_true(proxied("api:443", "https://api:6443"));
    assert_false(proxied("api:6443", "https://api:6443"));
    assert_true(proxied("api:x", "https://api:6443"));
    assert_false(proxied("10.0.0.0/8", "https://10.96.0.1"));
    assert_true(proxied("10.0.0.0/8", "https://11.96.0.1"));
    assert_true(proxied("10.0.0.0/99", "https://10.96.0.1"));
    assert_true(proxied("10.0.0.0/8", "https://api"));
    assert_false(proxied("fd00::/8", "https://[fd12::1]"));
    assert_false(proxied("fd12::1", "https://[fd12:0::1]"));
    assert_false(proxied("[fd12::1]:443", "https://[fd12::1]"));
    assert_true(proxied("[fd12::1]:443", "https://[fd12::1]:6443"));
    assert_true(proxied(",, ,[,:,/,.,*.", "https://api"));
    assert_false(proxied("10.0.0.1", "https://10.0.0.1:6443"));
}

CASES("kube/proxy")
