/* IP addresses that others name: what kind of place is it? Pure. */
#ifndef API_IP_H
#define API_IP_H
#include "base/slice.h"

enum ip_kind {
    IP_NONE, /* no IPv4 or IPv6 literal (no brackets, no port, no zone) */
    IP_UNSPECIFIED,
    IP_LOOPBACK,
    IP_LINK_LOCAL,
    IP_MULTICAST,
    IP_RESERVED, /* 240/4 with the broadcast address */
    IP_EMBEDDED, /* IPv4 within ::/96, deprecated, and no mapped address */
    IP_HOST      /* one that a pod or a node may have */
};
/* A mapped address (::ffff:a.b.c.d) is of the IPv4 address's kind. */
enum ip_kind ip_kind_of(struct slice literal);
const char *ip_kind_text(enum ip_kind kind); /* "a loopback address" */
#endif
