/* URL paths and names. */
#include "../case.h"
#include "../each.h"
#include "api/gvr.h"
#include "api/url.h"

CASE(paths) {
    static const struct slice no = {NULL, 0};
    const struct {
        const struct gvr *gvr;
        struct slice ns, name, sub;
        const char *path;
    } cases[] = {
        {&gvr_deployments, SL("ns"), SL("a"), SL("scale"), "/apis/apps/v1/namespaces/ns/deployments/a/scale"},
        {&gvr_pods, no, no, no, "/api/v1/pods"},
        {&gvr_pods, SL("n"), SL("p"), SL("proxy/metrics"), "/api/v1/namespaces/n/pods/p/proxy/metrics"},
        {&gvr_namespaces, SL("ignored"), SL("n"), no, "/api/v1/namespaces/n"}, /* cluster-scoped */
        {&gvr_leases, SL("../x"), SL("a/b?c#d%"), no, /* no segment can become another */
         "/apis/coordination.k8s.io/v1/namespaces/..%2Fx/leases/a%2Fb%3Fc%23d%25"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        cleanup_buf struct buf b = BUF(1000), small = BUF(10);
        assert_int_equal(gvr_path(&b, cases[i].gvr, cases[i].ns, cases[i].name, cases[i].sub), 0);
        assert_buf(b, cases[i].path);
        assert_int_equal(gvr_path(&small, cases[i].gvr, cases[i].ns, cases[i].name, cases[i].sub), -ENOBUFS);
    }
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
    each_of(bad, "a%2fB%2F+%|%4|%zz|x%-1") {
        assert_int_equal(url_unescape(&back, bad), -EINVAL);
    }
    assert_buf(back, "");
    assert_int_equal(url_unescape(&back, SL("a%2fB%2F+%41")), 0);
    assert_buf(back, "a/B/+A");
}

CASE(names) {
    char big[300];
    memset(big, 'a', sizeof big);
    assert_true(name_is_dns_label(SL("a")) && name_is_dns_label(SL("0-9z")) &&
                name_is_dns_label(slice_make(big, 63)));
    each_of(bad, "|-a|a-|A|a_b|a b|\xc3\xa9|a..b|.a|a.|a.-b") {
        assert_false(name_is_dns_label(bad) || name_is_dns_subdomain(bad));
    }
    assert_false(name_is_dns_label(slice_make(big, 64)));
    assert_false(name_is_dns_label(SL("a.b")));
    assert_true(name_is_dns_subdomain(SL("handover.dev")) && name_is_dns_subdomain(slice_make(big, 253)));
    assert_false(name_is_dns_subdomain(slice_make(big, 254)));
    assert_false(name_is_dns_subdomain(SL("a\0b")));
}

CASES("api/gvr")
