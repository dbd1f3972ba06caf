/* For tests only: certificates made on the spot, and a server that speaks TLS with HTTP/1.1 or a little
 * HTTP/2, in threads of its own with blocking sockets. */
#ifndef TLS_SERVER_H
#define TLS_SERVER_H
#include <openssl/ssl.h>
#include <pthread.h>
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

struct tls_server_spec {
    const struct pem *id;
    const char *client_ca; /* PEM: clients must have a certificate signed by it */
    bool http2;            /* offers h2 */
    bool tls11;            /* nothing newer than TLS 1.1 */
    bool tls12;            /* nothing newer than TLS 1.2 */
};
enum { TLS_SERVER_CONNS = 64 };
struct tls_server {
    int port;
    atomic_int connections, resumed,
        requests; /* handshakes that succeeded; of these, with a TLS session of before */
    /* private */
    struct tls_server_spec spec;
    SSL_CTX *ctx;
    int fd;
    pthread_t acceptor,
        *threads; /* all are joined: OpenSSL's clean-up at exit must not meet a thread that still ends */
    size_t nthreads, cthreads;
    pthread_mutex_t lock;
    int open[TLS_SERVER_CONNS], nopen;
};
struct tls_server *tls_server_start(const struct tls_server_spec *spec);
void tls_server_stop(struct tls_server *s); /* closes all connections, joins its threads */
#endif
