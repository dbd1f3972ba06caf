/* Classifies IP address literals; see api/ip.h. */
#include "api/ip.h"
#include <arpa/inet.h>

static enum ip_kind kind_v4(const unsigned char ip[4]) {
    if (ip[0] == 0) return IP_UNSPECIFIED;
    if (ip[0] == 127) return IP_LOOPBACK;
    if (ip[0] == 169 && ip[1] == 254) return IP_LINK_LOCAL;
    if (ip[0] >= 240) return IP_RESERVED;
    return ip[0] >= 224 ? IP_MULTICAST : IP_HOST;
}

enum ip_kind ip_kind_of(struct slice literal) {
    static const unsigned char zeros[16], mapped[12] = {[10] = 0xff, [11] = 0xff};
    char text[INET6_ADDRSTRLEN];
    unsigned char ip[16];
    if (literal.n == 0 || literal.n >= sizeof text) return IP_NONE;
    memcpy(text, literal.p, literal.n);
    text[literal.n] = '\0';
    if (strlen(text) != literal.n) return IP_NONE;
    if (inet_pton(AF_INET, text, ip) == 1) return kind_v4(ip);
    if (inet_pton(AF_INET6, text, ip) != 1) return IP_NONE;
    if (memcmp(ip, mapped, sizeof mapped) == 0) return kind_v4(ip + 12);
    if (memcmp(ip, zeros, 16) == 0) return IP_UNSPECIFIED;
    if (memcmp(ip, zeros, 15) == 0 && ip[15] == 1) return IP_LOOPBACK;
    if (memcmp(ip, zeros, 12) == 0) return IP_EMBEDDED;
    if (ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80) return IP_LINK_LOCAL;
    return ip[0] == 0xff ? IP_MULTICAST : IP_HOST;
}

const char *ip_kind_text(enum ip_kind kind) {
    switch (kind) {
    case IP_NONE: return "no IP address";
    case IP_UNSPECIFIED: return "an unspecified address";
    case IP_LOOPBACK: return "a loopback address";
    case IP_LINK_LOCAL: return "a link-local address";
    case IP_MULTICAST: return "a multicast address";
    case IP_RESERVED: return "a reserved address";
    case IP_EMBEDDED: return "an embedded IPv4 address";
    case IP_HOST: break;
    }
    return "a host's address";
}
