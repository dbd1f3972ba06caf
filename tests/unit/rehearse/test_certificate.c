/* The certificate of a rehearsal's server: whom it is good for, and for how long. */
#include "../case.h"
#include "base/time.h"
#include "certificate.h"
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <time.h>

static X509 *read_cert(const struct buf *pem) {
    BIO *b = BIO_new_mem_buf(pem->p, (int)pem->n);
    X509 *x = PEM_read_bio_X509(b, NULL, NULL, NULL);
    BIO_free(b);
    assert_non_null(x);
    return x;
}

/* What a client says that trusts ca alone. */
static int verify(X509 *ca, X509 *cert, const char *name, const char *ip, time_t at) {
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    X509_STORE_add_cert(store, ca);
    X509_STORE_CTX_init(ctx, store, cert, NULL);
    X509_VERIFY_PARAM *p = X509_STORE_CTX_get0_param(ctx);
    X509_VERIFY_PARAM_set_purpose(p, X509_PURPOSE_SSL_SERVER);
    X509_VERIFY_PARAM_set_flags(p, X509_V_FLAG_X509_STRICT);
    X509_VERIFY_PARAM_set_time(p, at);
    if (name) X509_VERIFY_PARAM_set1_host(p, name, 0);
    if (ip) X509_VERIFY_PARAM_set1_ip_asc(p, ip);
    int r = X509_verify_cert(ctx) == 1 ? 0 : X509_STORE_CTX_get_error(ctx);
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    return r;
}

CASE(who_trusts_the_authority_trusts_the_server) {
    enum { NOW = 1800000000 };
    struct certificate c, other;
    certificate_make(NOW * NS_PER_S, "10.1.2.3", &c);
    certificate_make(NOW * NS_PER_S, NULL, &other);
    X509 *ca = read_cert(&c.ca), *cert = read_cert(&c.cert), *foreign = read_cert(&other.ca),
         *bare = read_cert(&other.cert);
    static const char *const names[] = {"localhost", "kubernetes", "kubernetes.default",
                                        "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"};
    static const char *const ips[] = {"127.0.0.1", "::1", "10.1.2.3"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) assert_int_equal(verify(ca, cert, names[i], NULL, NOW), 0);
    for (size_t i = 0; i < ARRAY_LEN(ips); i++) assert_int_equal(verify(ca, cert, NULL, ips[i], NOW), 0);
    assert_int_equal(verify(ca, cert, "example.com", NULL, NOW), X509_V_ERR_HOSTNAME_MISMATCH);
    assert_int_equal(verify(foreign, bare, NULL, "10.1.2.3", NOW), X509_V_ERR_IP_ADDRESS_MISMATCH);
    assert_int_not_equal(verify(foreign, cert, "localhost", NULL, NOW), 0);
    assert_int_equal(verify(ca, cert, "localhost", NULL, NOW - 3000), 0); /* a client whose clock is behind */
    assert_int_equal(verify(ca, cert, "localhost", NULL, NOW + 300 * 86400), 0);
    assert_int_equal(verify(ca, cert, "localhost", NULL, NOW + 366 * 86400), X509_V_ERR_CERT_HAS_EXPIRED);
    BIO *b = BIO_new_mem_buf(c.key.p, (int)c.key.n);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(b, NULL, NULL, NULL);
    assert_int_equal(X509_check_private_key(cert, key), 1);
    assert_int_not_equal(X509_check_private_key(ca, key), 1); /* who has the server's key is no authority */
    EVP_PKEY_free(key);
    BIO_free(b);
    X509 *const all[] = {ca, cert, foreign, bare};
    for (size_t i = 0; i < ARRAY_LEN(all); i++) X509_free(all[i]);
    certificate_free(&c);
    certificate_free(&other);
}

CASES("rehearse/certificate")
