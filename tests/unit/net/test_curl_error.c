/* From libcurl's words to ours: kinds, errnos, advice. Pure. */
#include "../case.h"
#include "net_impl.h"

CASE(kinds_and_words) {
    static const struct {
        CURLcode code;
        int os_errno;
        const char *text;
        bool sent;
        enum err_kind kind;
        int errnum;
        const char *words;
    } cases[] = {
        {CURLE_COULDNT_CONNECT, ECONNREFUSED, "Failed to connect", false, ERR_TRANSPORT, -ECONNREFUSED,
         ": Connection refused"},
        {CURLE_COULDNT_CONNECT, ETIMEDOUT, "", false, ERR_TRANSPORT, -EHOSTUNREACH, "Connection timed out"},
        {CURLE_COULDNT_CONNECT, ENETUNREACH, "", false, ERR_TRANSPORT, -ENETUNREACH,
         "Network is unreachable"},
        {CURLE_COULDNT_RESOLVE_HOST, 0, "Could not resolve host: h", false, ERR_TRANSPORT, -EHOSTUNREACH,
         "Could not resolve host: h"},
        {CURLE_COULDNT_RESOLVE_PROXY, 0, "Could not resolve proxy: p", false, ERR_TRANSPORT, -EHOSTUNREACH,
         "proxy: p"},
        {CURLE_RECV_ERROR, ECONNRESET, "Recv failure: Connection reset by peer", true, ERR_TRANSPORT,
         -ECONNRESET, "reset by peer"},
        {CURLE_RECV_ERROR, ETIMEDOUT, "Recv failure: Connection timed out", true, ERR_TRANSPORT, -ETIMEDOUT,
         "not answered for 8 s"},
        {CURLE_RECV_ERROR, 0, "CONNECT tunnel failed, response 407", false, ERR_TRANSPORT, -ECONNABORTED,
         "response 407"},
        {CURLE_SSL_CONNECT_ERROR, ECONNRESET, "Recv failure: Connection reset by peer", false, ERR_TRANSPORT,
         -ECONNABORTED, "reset by peer"},
        {CURLE_SSL_CONNECT_ERROR, 0, "OpenSSL SSL_connect: SSL_ERROR_SYSCALL in connection to h:1 ", false,
         ERR_TRANSPORT, -ECONNABORTED, "SSL_ERROR_SYSCALL"},
        {CURLE_GOT_NOTHING, 0, "Empty reply from server", true, ERR_TRANSPORT, -ECONNRESET, "Empty reply"},
        {CURLE_PARTIAL_FILE, 0, "transfer closed with 1 bytes remaining to read", true, ERR_TRANSPORT,
         -ECONNRESET, "closed with 1"},
        {CURLE_HTTP2_STREAM, 0, "HTTP/2 stream 1 was not closed cleanly", true, ERR_TRANSPORT, -ECONNRESET,
         "HTTP/2 stream"},
        {CURLE_SEND_ERROR, EPIPE, "", true, ERR_TRANSPORT, -ECONNRESET, "Broken pipe"},
        {CURLE_OPERATION_TIMEDOUT, 0, "x", false, ERR_TIMEOUT, -EHOSTUNREACH, "no connection within 10s"},
        {CURLE_WEIRD_SERVER_REPLY, 0, "Header without colon", true, ERR_PROTOCOL, -EPROTO,
         "Header without colon"},
        {CURLE_UNSUPPORTED_PROTOCOL, 0, "Received HTTP/0.9 when not allowed", true, ERR_PROTOCOL, -EPROTO,
         "HTTP/0.9"},
        {CURLE_RECV_ERROR, 0, "Malformed encoding found in chunked-encoding", true, ERR_PROTOCOL, -EPROTO,
         "chunked"},
        {CURLE_PEER_FAILED_VERIFICATION, 0, "SSL certificate problem: certificate has expired", false,
         ERR_TLS, -EPROTO, "clock"},
        {CURLE_PEER_FAILED_VERIFICATION, 0, "SSL certificate problem: unable to get local issuer certificate",
         false, ERR_TLS, -EPROTO, "certificate-authority"},
        {CURLE_PEER_FAILED_VERIFICATION, 0,
         "SSL: no alternative certificate subject name matches target host name 'h'", false, ERR_TLS, -EPROTO,
         "tls-server-name"},
        {CURLE_RECV_ERROR, 0,
         "OpenSSL SSL_read: error:0A000412:SSL routines::sslv3 alert bad certificate, errno 0", true, ERR_TLS,
         -EPROTO, "client certificate"},
        {CURLE_RECV_ERROR, 0,
         "OpenSSL SSL_read: error:0A00045C:SSL routines::tlsv13 alert certificate required, errno 0", true,
         ERR_TLS, -EPROTO, "wants a client certificate"},
        {CURLE_SSL_CONNECT_ERROR, 0, "error:0A00010B:SSL routines::wrong version number", false, ERR_TLS,
         -EPROTO, "http://"},
        {CURLE_SSL_CERTPROBLEM, 0, "", false, ERR_TLS, -EPROTO, "certificate"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = {0};
        const struct curl_error f = {cases[i].code, cases[i].os_errno, cases[i].text, "PUT", "https://h/p",
                                     "h",           cases[i].sent,     10 * NS_PER_S};
        curl_error_explain(&f, &e);
        if (e.kind != cases[i].kind || e.errnum != cases[i].errnum || !strstr(e.msg, cases[i].words))
            print_error("case %zu: %s\n", i, e.msg);
        assert_int_equal(e.kind, cases[i].kind);
        assert_int_equal(e.errnum, cases[i].errnum);
        assert_non_null(strstr(e.msg, cases[i].words));
        assert_true(slice_starts(slice_of(e.msg), SL("PUT https://h/p: ")));
    }
}

CASES("net/curl_error")
