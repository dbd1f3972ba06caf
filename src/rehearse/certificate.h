/* Certificates for a server that only those trust who are handed its authority: both made anew, on P-256. */
#ifndef REHEARSE_CERTIFICATE_H
#define REHEARSE_CERTIFICATE_H
#include "base/buf.h"

struct certificate {
    struct buf ca, cert, key; /* PEM; key: of cert. That of ca is forgotten */
};
/* For loopback, localhost and the names that the API server has inside a cluster, and for the address host (NULL: no
 * other). Valid from an hour before wall_ns on. */
void certificate_make(int64_t wall_ns, const char *host, struct certificate *ret);
void certificate_random(unsigned char *to, size_t n); /* fit for secrets */
void certificate_free(struct certificate *c);
#endif
