/* What kind of address a literal names. */
#include "../case.h"
#include "../each.h"
#include "api/ip.h"

CASE(kinds) {
    static const struct {
        enum ip_kind kind;
        const char *literals;
    } cases[] = {
        {IP_HOST,
         "10.0.0.7|192.168.1.1|100.64.0.1|169.253.1.1|126.255.255.255|128.0.0.1|223.255.255.255|fd00::1|"
         "2001:db8::1|fe7f::1|fec0::1|::ffff:10.0.0.7"},
        {IP_UNSPECIFIED, "0.0.0.0|0.1.2.3|::|::ffff:0.0.0.0"},
        {IP_LOOPBACK, "127.0.0.1|127.255.0.9|::1|0:0:0:0:0:0:0:1|::ffff:127.0.0.1|::FFFF:7f00:1"},
        {IP_LINK_LOCAL, "169.254.169.254|fe80::1|febf::1|::ffff:169.254.1.1"},
        {IP_MULTICAST, "224.0.0.1|239.1.1.1|ff02::1"},
        {IP_RESERVED, "240.0.0.1|255.255.255.255"},
        {IP_EMBEDDED, "::127.0.0.1|::2"},
        {IP_NONE,
         "|localhost|127.1|2130706433|0x7f.0.0.1|127.0.0.1 |127.0.0.1:80|[::1]|fe80::1%eth0|1.2.3.4.5|"
         "256.0.0.1|1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        each_of(literal, cases[i].literals) {
            enum ip_kind kind = ip_kind_of(literal);
            if (kind != cases[i].kind) print_error("%.*s is %s\n", SLF(literal), ip_kind_text(kind));
            assert_int_equal(kind, cases[i].kind);
        }
    }
    assert_int_equal(ip_kind_of((struct slice){0}), IP_NONE);
    assert_int_equal(ip_kind_of(SL("10.0.0.1\0.evil")), IP_NONE);
    assert_string_equal(ip_kind_text(IP_LINK_LOCAL), "a link-local address");
}

CASES("api/ip")
