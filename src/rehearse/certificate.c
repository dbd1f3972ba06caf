/* See certificate.h. An authority and one server: some clients take no certificate that is both. */
#include "certificate.h"
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <string.h>

enum { CERTIFICATE_CAP = 16 << 10, DAY_S = 86400, YEAR_S = 365 * DAY_S };

/* What cannot fail but for want of memory, or of randomness. */
static void sure(bool ok) {
    if (!ok) abort();
}

void certificate_random(unsigned char *to, size_t n) {
    sure(RAND_bytes(to, (int)n) == 1);
}

static void extension(X509 *x, X509 *issuer, int nid, const char *value) {
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    sure(e && X509_add_ext(x, e, -1) == 1);
    X509_EXTENSION_free(e);
}

static X509 *begin(int64_t wall_ns, const char *cn, EVP_PKEY *key, X509 *issuer) {
    X509 *x = X509_new();
    uint64_t serial = 0;
    time_t now = (time_t)(wall_ns / 1000000000);
    certificate_random((unsigned char *)&serial, sizeof serial);
    sure(x && X509_set_version(x, 2) == 1 &&
         ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), serial >> 1) == 1);
    sure(X509_time_adj_ex(X509_getm_notBefore(x), 0, -3600, &now) != NULL);
    sure(X509_time_adj_ex(X509_getm_notAfter(x), 0, YEAR_S, &now) != NULL);
    X509_NAME *name = X509_get_subject_name(x);
    sure(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)cn, -1, -1, 0) == 1);
    sure(X509_set_issuer_name(x, issuer ? X509_get_subject_name(issuer) : name) == 1);
    sure(X509_set_pubkey(x, key) == 1);
    extension(x, issuer ? issuer : x, NID_subject_key_identifier, "hash");
    if (issuer) extension(x, issuer, NID_authority_key_identifier, "keyid");
    return x;
}

static void take(BIO *b, struct buf *out) {
    char *p;
    long n = BIO_get_mem_data(b, &p);
    sure(n > 0 && buf_add(out, slice_make(p, (size_t)n)) == 0);
    explicit_bzero(p, (size_t)n);
    BIO_free(b);
}

static void print(X509 *x, struct buf *out) {
    BIO *b = BIO_new(BIO_s_mem());
    sure(b && PEM_write_bio_X509(b, x) == 1);
    take(b, out);
}

void certificate_make(int64_t wall_ns, const char *host, struct certificate *ret) {
    *ret = (struct certificate){BUF(CERTIFICATE_CAP), BUF(CERTIFICATE_CAP), BUF(CERTIFICATE_CAP)};
    struct buf names = BUF(1024);
    buf_adds(&names, "IP:127.0.0.1,IP:::1,DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,"
                     "DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local");
    if (host) buf_addf(&names, ",IP:%s", host);
    EVP_PKEY *above = EVP_EC_gen("P-256"), *key = EVP_EC_gen("P-256");
    sure(above && key);
    X509 *ca = begin(wall_ns, "handover-rehearsal-ca", above, NULL);
    extension(ca, ca, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
    extension(ca, ca, NID_key_usage, "critical,keyCertSign");
    X509 *cert = begin(wall_ns, "handover-rehearsal", key, ca);
    extension(cert, ca, NID_basic_constraints, "critical,CA:FALSE");
    extension(cert, ca, NID_key_usage, "critical,digitalSignature");
    extension(cert, ca, NID_ext_key_usage, "serverAuth");
    extension(cert, ca, NID_subject_alt_name, buf_str(&names));
    sure(X509_sign(ca, above, EVP_sha256()) > 0 && X509_sign(cert, above, EVP_sha256()) > 0);
    print(ca, &ret->ca);
    print(cert, &ret->cert);
    BIO *b = BIO_new(BIO_s_secmem());
    sure(b && PEM_write_bio_PrivateKey(b, key, NULL, NULL, 0, NULL, NULL) == 1);
    take(b, &ret->key);
    X509_free(cert);
    X509_free(ca);
    EVP_PKEY_free(key);
    EVP_PKEY_free(above);
    buf_free(&names);
    ERR_clear_error();
}

void certificate_free(struct certificate *c) {
    if (c->key.p) explicit_bzero(c->key.p, c->key.cap);
    buf_free(&c->ca);
    buf_free(&c->cert);
    buf_free(&c->key);
}
