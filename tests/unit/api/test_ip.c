/* What kind of address a literal names. */
#include "../case.h"
#include "api/ip.h"

CASE(kinds) {
    static const struct {
        const char *literal;
        enum ip_kind kind;
    } cases[] = {
        {"10.0.0.7", IP_HOST},
        {"192.168.1.1", IP_HOST},
        {"100.64.0.1", IP_HOST},
        {"169.253.1.1", IP_HOST},
        {"126.255.255.255", IP_HOST},
        {"128.0.0.1", IP_HOST},
        {"223.255.255.255", IP_HOST},
        {"fd00::1", IP_HOST},
        {"2001:db8::1", IP_HOST},
        {"fe7f::1", IP_HOST},
        {"fec0::1", IP_HOST},
        {"::ffff:10.0.0.7", IP_HOST},
        {"0.0.0.0", IP_UNSPECIFIED},
        {"0.1.2.3", IP_UNSPECIFIED},
        {"::", IP_UNSPECIFIED},
        {"::ffff:0.0.0.0", IP_UNSPECIFIED},
        {"127.0.0.1", IP_LOOPBACK},
        {"127.255.0.9", IP_LOOPBACK},
        {"::1", IP_LOOPBACK},
        {"0:0:0:0:0:0:0:1", IP_LOOPBACK},
        {"::ffff:127.0.0.1", IP_LOOPBACK},
        {"::FFFF:7f00:1", IP_LOOPBACK},
        {"169.254.169.254", IP_LINK_LOCAL},
        {"fe80::1", IP_LINK_LOCAL},
        {"febf::1", IP_LINK_LOCAL},
        {"::ffff:169.254.1.1", IP_LINK_LOCAL},
        {"224.0.0.1", IP_MULTICAST},
        {"239.1.1.1", IP_MULTICAST},
        {"ff02::1", IP_MULTICAST},
        {"240.0.0.1", IP_RESERVED},
        {"255.255.255.255", IP_RESERVED},
        {"::127.0.0.1", IP_EMBEDDED},
        {"::2", IP_EMBEDDED},
        {"", IP_NONE},
        {NULL, IP_NONE},
        {"localhost", IP_NONE},
        {"127.1", IP_NONE},
        {"2130706433", IP_NONE},
        {"0x7f.0.0.1", IP_NONE},
        {"127.0.0.1 ", IP_NONE},
        {"127.0.0.1:80", IP_NONE},
        {"[::1]", IP_NONE},
        {"fe80::1%eth0", IP_NONE},
        {"1.2.3.4.5", IP_NONE},
        {"256.0.0.1", IP_NONE},
        {"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb", IP_NONE},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        enum ip_kind kind = ip_kind_of(slice_of(cases[i].literal));
        if (kind != cases[i].kind) print_error("%s is %s\n", cases[i].literal, ip_kind_text(kind));
        assert_int_equal(kind, cases[i].kind);
    }
    assert_int_equal(ip_kind_of(SL("10.0.0.1\0.evil")), IP_NONE);
    assert_string_equal(ip_kind_text(IP_LINK_LOCAL), "a link-local address");
}

CASES("api/ip")
