/* The parts of a URL, and how one is shown. */
#include "../case.h"
#include "../each.h"
#include "api/url.h"

CASE(split) {
    struct url u;
    assert_int_equal(url_split(SL("https://api.x:6443/base?q"), &u), 0);
    assert_true(slice_eqs(u.scheme, "https") && slice_eqs(u.host, "api.x") && u.port == 6443 &&
                slice_eqs(u.path, "/base?q") && u.query);
    assert_int_equal(url_split(SL("HTTP://[fe80::1]"), &u), 0);
    assert_true(slice_eqs(u.host, "fe80::1") && u.ipv6 && u.port == 80 && !u.path.n && !u.query);
    assert_int_equal(url_split(SL("socks5://u:p@q@h:1"), &u), 0);
    assert_true(slice_eqs(u.host, "h") && slice_eqs(u.user, "u:p@q"));
    each_of(
        bad,
        "|x|://x|ftp://x|http://|http://:1|http://x:|http://x:0|http://x:65536|http://x:+1|http://x:1x|http:/"
        "/a b|http://[::1|http://[::1]x|http://x/a b|http://x/\n|http://a:b:c|http://[]") {
        assert_int_equal(url_split(bad, &u), -EINVAL);
    }
}

CASE(shown) {
    static const char *const cases[][2] = {
        {"https://u:s3cret@api.x/base?token=s3cret", "https://api.x:443/base"},
        {"http://[::1]:8080#x", "http://[::1]:8080"},
        {"/login?next=s3cret", "/login"},
        {"ftp://u:s3cret@x", ""},
        {"a\033[1mb\xff", "a?[1mb?"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        cleanup_buf struct buf b = BUF(400);
        url_shown(slice_of(cases[i][0]), &b);
        assert_string_equal(buf_str(&b), cases[i][1]);
    }
    char path[400];
    cleanup_buf struct buf b = BUF(400);
    memset(path, '/', sizeof path);
    url_shown(slice_make(path, sizeof path), &b);
    assert_int_equal(b.n, 203);
}

CASES("api/url")
