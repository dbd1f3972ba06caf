/* For tests only: certificates made on the spot, and a server that speaks TLS with HTTP/1.1 or a little
 * HTTP/2, in threads of its own with blocking sockets. */
#ifndef TLS_SERVER_H
#define TLS_SERVER_H
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct pem {
    char *cert, *key;
};
enum { PEM_CA = 1, PEM_EXPIRED = 2, PEM_NOT_YET = 4 };
/* san: as in openssl's configuration ("DNS:localhost,IP:127.0.0.1"), NULL for none; issuer NULL: self-signed.
 */
void pem_make(struct pem *ret, const char *cn, const char *san, const struct pem *issuer, int flags);
void pem_free(struct pem *p);

struct tls_server;
struct tls_server_spec {
    const struct pem *id;
    const char *client_ca; /* PEM: clients must have a certificate signed by it */
    bool http2;            /* offers h2 */
    bool tls11;            /* nothing newer than TLS 1.1 */
    bool tls12;            /* nothing newer than TLS 1.2 */
};
struct tls_server *tls_server_start(const struct tls_server_spec *spec);
int tls_server_port(const struct tls_server *s);
void tls_server_stop(struct tls_server *s);             /* closes all connections, joins its threads */
int tls_server_connections(const struct tls_server *s); /* handshakes that succeeded */
int tls_server_resumed(const struct tls_server *s);     /* of these, with a TLS session of before */
int tls_server_requests(const struct tls_server *s);
#endif
