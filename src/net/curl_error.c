/* From libcurl's error codes to ours, with words that say what to do. Pure. */
#include "net_impl.h"
#include <errno.h>

static bool has(const char *text, const char *part) {
    return strstr(text, part) != NULL;
}

static bool is_tls_code(CURLcode code) {
    switch ((int)code) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CRL_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_CLIENTCERT:
    case CURLE_SSL_ENGINE_NOTFOUND:
    case CURLE_SSL_ENGINE_SETFAILED:
    case CURLE_SSL_ENGINE_INITFAILED:
    case CURLE_USE_SSL_FAILED: return true;
    default: return false;
    }
}

/* A handshake that was cut is a lost connection; with TLS 1.3 a refused client certificate arrives after the
 * handshake, as an alert in the first read. */
static bool is_tls(const struct curl_error *f) {
    if (has(f->text, "alert ") && !has(f->text, "alert internal error") &&
        !has(f->text, "alert close notify"))
        return true;
    if (f->code == CURLE_SSL_CONNECT_ERROR)
        return !has(f->text, "SSL_ERROR_SYSCALL") && !has(f->text, "reset by peer") &&
               !has(f->text, "unexpected eof") && !has(f->text, "Broken pipe");
    return is_tls_code(f->code);
}

static const char *tls_advice(const char *text) {
    static const struct {
        const char *part, *advice;
    } known[] = {
        {"subject name", "the certificate is for other names: use one of them, or set tls-server-name"},
        {"has expired", "renew the server's certificate, or correct this machine's clock"},
        {"not yet valid", "correct this machine's clock, or the server's certificate"},
        {"issuer certificate",
         "it was not signed by the configured certificate authority: check certificate-authority(-data)"},
        {"self-signed",
         "it was not signed by the configured certificate authority: check certificate-authority(-data)"},
        {"signature",
         "it was not signed by the configured certificate authority: check certificate-authority(-data)"},
        {"wrong version number", "the server does not speak TLS on this port: is it http://?"},
        {"alert protocol version", "the server offers nothing newer than TLS 1.1"},
        {"alert certificate required",
         "the server wants a client certificate: set client-certificate and client-key"},
        {"alert",
         "the server refuses our client certificate: check client-certificate(-data), has it expired?"},
        {"client certificate", "check client-certificate(-data) and client-key(-data)"},
        {"private key", "check client-certificate(-data) and client-key(-data): they must belong together"},
        {"CA", "check certificate-authority(-data): it must be PEM"},
    };
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (has(text, known[i].part)) return known[i].advice;
    return "check the certificates of both sides";
}

static bool is_protocol(const struct curl_error *f) {
    switch ((int)f->code) {
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_OUT_OF_MEMORY: /* libcurl's word for a header of more than 100 KiB */
    case CURLE_TOO_MANY_REDIRECTS:
    case CURLE_FILESIZE_EXCEEDED: return true;
    default: return has(f->text, "chunked-encoding") || has(f->text, "HTTP/0.9");
    }
}

static const char *cause(const struct curl_error *f) {
    if (f->os_errno && f->code == CURLE_COULDNT_CONNECT) return strerror(f->os_errno);
    if (f->sent && f->os_errno == ETIMEDOUT) return "connection lost: the peer has not answered for 8 s";
    if (has(f->text, "getpeername") || has(f->text, "getsockname"))
        return "connection lost as soon as it was made";
    if (f->text[0]) return f->text;
    return f->os_errno ? strerror(f->os_errno) : curl_easy_strerror(f->code);
}

/* Callers tell by errnum whether a request may have been carried out: -ECONNRESET and -ETIMEDOUT say that it
 * was sent. */
static int transport_errno(const struct curl_error *f) {
    if (f->sent) return f->os_errno == ETIMEDOUT ? -ETIMEDOUT : -ECONNRESET;
    if (f->code == CURLE_COULDNT_RESOLVE_HOST || f->code == CURLE_COULDNT_RESOLVE_PROXY) return -EHOSTUNREACH;
    switch (f->os_errno) {
    case 0:
    case EPIPE:
    case ECONNRESET: return -ECONNABORTED;
    case ETIMEDOUT:
    case EINPROGRESS: return -EHOSTUNREACH;
    default: return -f->os_errno;
    }
}

void curl_error_explain(const struct curl_error *f, struct err *ret) {
    if (is_tls(f)) {
        const char *text = f->text[0] ? f->text : curl_easy_strerror(f->code);
        err_set(ret, ERR_TLS, -EPROTO, "%s %s: TLS with %s failed: %s; %s", f->method, f->url, f->host, text,
                tls_advice(text));
    } else if (f->code == CURLE_OPERATION_TIMEDOUT) {
        char limit[32];
        duration_format(f->connect_ns, limit);
        err_set(ret, ERR_TIMEOUT, f->sent ? -ETIMEDOUT : -EHOSTUNREACH, "%s %s: no connection within %s",
                f->method, f->url, limit);
    } else if (is_protocol(f)) {
        err_set(ret, ERR_PROTOCOL, -EPROTO, "%s %s: not a proper answer: %s", f->method, f->url,
                f->text[0] ? f->text : curl_easy_strerror(f->code));
    } else {
        err_set(ret, ERR_TRANSPORT, transport_errno(f), "%s %s: %s", f->method, f->url, cause(f));
    }
}
