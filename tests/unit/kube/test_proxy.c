/* The rules of HTTPS_PROXY and NO_PROXY. The private header is what is tested. */
#include "../case.h"
#include "../each.h"
#include "base/mem.h"
#include "../../../src/kube/proxy.h"

static const char *no_proxy;
static const char *env(void *ctx, const char *name) {
    (void)ctx;
    if (slice_eqs(SL("https_proxy"), name)) return "http://p:1";
    if (slice_eqs(SL("NO_PROXY"), name)) return no_proxy;
    return NULL;
}
/* Rows "list>url", with '|' between; no list: NO_PROXY is not set. */
static void all_are(bool proxied, const char *rows) {
    each_of(row, rows) {
        struct slice list, target;
        struct url u;
        char *got = NULL;
        slice_cut(row, '>', &list, &target);
        cleanup_free char *text = list.n ? slice_dup(list) : NULL;
        no_proxy = text;
        assert_int_equal(url_split(target, &u), 0);
        assert_int_equal(proxy_from_env(env, NULL, &u, &got, NULL), 0);
        assert_int_equal(got != NULL, proxied);
        free(got);
    }
}

CASE(no_proxy_rules) {
    all_are(true, ">https://api|example.com>https://notexample.com|.example.com>https://example.com|"
                  "api:443>https://api:6443|api:x>https://api:6443|10.0.0.0/8>https://11.96.0.1|"
                  "10.0.0.0/99>https://10.96.0.1|10.0.0.0/8>https://api|[fd12::1]:443>https://[fd12::1]:6443|"
                  ",, ,[,:,/,.,*.>https://api");
    all_are(
        false,
        ">http://api|" /* no HTTP_PROXY */
        ">https://localhost:6443|>https://127.3.2.1|>https://[::1]:6443|*>https://api|x.org,api>https://api|"
        " Example.COM >https://API.example.com|example.com>https://example.com|"
        ".example.com>https://a.example.com|*.example.com>https://a.example.com|"
        "api:6443>https://api:6443|10.0.0.0/8>https://10.96.0.1|fd00::/8>https://[fd12::1]|"
        "fd12::1>https://[fd12:0::1]|[fd12::1]:443>https://[fd12::1]|10.0.0.1>https://10.0.0.1:6443");
}

CASES("kube/proxy")
