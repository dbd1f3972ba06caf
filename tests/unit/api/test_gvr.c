/* URL paths and names. */
#include "../case.h"
#include "api/gvr.h"
#include "api/url.h"

CASE(paths) {
    static const struct slice no = {NULL, 0};
    cleanup_buf struct buf b = BUF(1000);
    assert_int_equal(gvr_path(&b, &gvr_deployments, SL("ns"), SL("a"), SL("scale")), 0);
    assert_buf(b, "/apis/apps/v1/namespaces/ns/deployments/a/scale");
    buf_clear(&b);
    gvr_path(&b, &gvr_pods, no, no, no);
    assert_buf(b, "/api/v1/pods");
    buf_clear(&b);
    gvr_path(&b, &gvr_pods, SL("n"), SL("p"), SL("proxy/metrics"));
    assert_buf(b, "/api/v1/namespaces/n/pods/p/proxy/metrics");
    buf_clear(&b);
    gvr_path(&b, &gvr_namespaces, SL("ignored"), SL("n"), no); /* cluster-scoped */
    assert_buf(b, "/api/v1/namespaces/n");
    buf_clear(&b);
    gvr_path(&b, &gvr_leases, SL("../x"), SL("a/b?c#d%"), no); /* no segment can become another */
    assert_buf(b, "/apis/coordination.k8s.io/v1/namespaces/..%2Fx/leases/a%2Fb%3Fc%23d%25");
    struct buf small = BUF(10);
    assert_int_equal(gvr_path(&small, &gvr_pods, SL("n"), SL("p"), no), -ENOBUFS);
    buf_free(&small);
}

CASE(queries) {
    cleanup_buf struct buf b = BUF(1000);
    bool first = true;
    buf_adds(&b, "/x");
    assert_int_equal(url_query(&b, &first, "labelSelector", SL("a in (b,c)&d=\xc3\xa9+")), 0);
    assert_int_equal(url_query(&b, &first, "watch", SL("1")), 0);
    assert_buf(b, "/x?labelSelector=a%20in%20%28b%2Cc%29%26d%3D%C3%A9%2B&watch=1");
}

CASE(escapes) {
    cleanup_buf struct buf b = BUF(2000), back = BUF(2000);
    char all[256];
    for (int i = 0; i < 256; i++) all[i] = (char)i;
    assert_int_equal(url_escape(&b, slice_make(all, sizeof all)), 0);
    assert_int_equal(url_unescape(&back, buf_slice(&b)), 0);
    assert_true(slice_eq(buf_slice(&back), slice_make(all, sizeof all)));
    buf_clear(&back);
    assert_int_equal(url_unescape(&back, SL("a%2fB%2F+%")), -EINVAL);
    assert_int_equal(url_unescape(&back, SL("%4")), -EINVAL);
    assert_int_equal(url_unescape(&back, SL("%zz")), -EINVAL);
    assert_int_equal(url_unescape(&back, SL("x%-1")), -EINVAL);
    assert_buf(back, "");
    assert_int_equal(url_unescape(&back, SL("a%2fB%2F+%41")), 0);
    assert_buf(back, "a/B/+A");
}

CASE(names) {
    char big[300];
    memset(big, 'a', sizeof big);
    assert_true(name_is_dns_label(SL("a")) && name_is_dns_label(SL("0-9z")) &&
                name_is_dns_label(slice_make(big, 63)));
    static const char *const bad[] = {"", "-a", "a-", "A", "a_b", "a b", "\xc3\xa9"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_false(name_is_dns_label(slice_of(bad[i])));
        assert_false(name_is_dns_subdomain(slice_of(bad[i])));
    }
    assert_false(name_is_dns_label(slice_make(big, 64)));
    assert_false(name_is_dns_label(SL("a.b")));
    assert_true(name_is_dns_subdomain(SL("handover.dev")) && name_is_dns_subdomain(slice_make(big, 253)));
    assert_false(name_is_dns_subdomain(slice_make(big, 254)));
    assert_false(name_is_dns_subdomain(SL("a..b")));
    assert_false(name_is_dns_subdomain(SL(".a")));
    assert_false(name_is_dns_subdomain(SL("a.")));
    assert_false(name_is_dns_subdomain(SL("a.-b")));
    assert_false(name_is_dns_subdomain(SL("a\0b")));
}

CASES("api/gvr")
