/* From libcurl's words to ours: kinds, errnos, advice. Pure. */
#include "../check.h"
#include "net_impl.h"

static void kinds_and_words(void **state) {
    (void)state;
    static const struct {
        struct curl_error f;
        enum err_kind kind;
        int errnum;
        const char *words;
    } cases[] = {
        {{.code = CURLE_COULDNT_CONNECT, .os_errno = ECONNREFUSED, .text = "Failed to connect"},
         ERR_TRANSPORT,
         -ECONNREFUSED,
         ": Connection refused"},
        {{.code = CURLE_COULDNT_CONNECT, .os_errno = ETIMEDOUT, .text = ""},
         ERR_TRANSPORT,
         -EHOSTUNREACH,
         "Connection timed out"},
        {{.code = CURLE_COULDNT_CONNECT, .os_errno = ENETUNREACH, .text = ""},
         ERR_TRANSPORT,
         -ENETUNREACH,
         "Network is unreachable"},
        {{.code = CURLE_COULDNT_RESOLVE_HOST, .text = "Could not resolve host: h"},
         ERR_TRANSPORT,
         -EHOSTUNREACH,
         "Could not resolve host: h"},
        {{.code = CURLE_COULDNT_RESOLVE_PROXY, .text = "Could not resolve proxy: p"},
         ERR_TRANSPORT,
         -EHOSTUNREACH,
         "proxy: p"},
        {{.code = CURLE_RECV_ERROR,
          .os_errno = ECONNRESET,
          .text = "Recv failure: Connection reset by peer",
          .sent = true},
         ERR_TRANSPORT,
         -ECONNRESET,
         "reset by peer"},
        {{.code = CURLE_RECV_ERROR,
          .os_errno = ETIMEDOUT,
          .text = "Recv failure: Connection timed out",
          .sent = true},
         ERR_TRANSPORT,
         -ETIMEDOUT,
         "not answered for 8 s"},
        {{.code = CURLE_RECV_ERROR, .text = "CONNECT tunnel failed, response 407"},
         ERR_TRANSPORT,
         -ECONNABORTED,
         "response 407"},
        {{.code = CURLE_SSL_CONNECT_ERROR,
          .os_errno = ECONNRESET,
          .text = "Recv failure: Connection reset by peer"},
         ERR_TRANSPORT,
         -ECONNABORTED,
         "reset by peer"},
        {{.code = CURLE_SSL_CONNECT_ERROR,
          .text = "OpenSSL SSL_connect: SSL_ERROR_SYSCALL in connection to h:1 "},
         ERR_TRANSPORT,
         -ECONNABORTED,
         "SSL_ERROR_SYSCALL"},
        {{.code = CURLE_GOT_NOTHING, .text = "Empty reply from server", .sent = true},
         ERR_TRANSPORT,
         -ECONNRESET,
         "Empty reply"},
        {{.code = CURLE_PARTIAL_FILE, .text = "transfer closed with 1 bytes remaining to read", .sent = true},
         ERR_TRANSPORT,
         -ECONNRESET,
         "closed with 1"},
        {{.code = CURLE_HTTP2_STREAM, .text = "HTTP/2 stream 1 was not closed cleanly", .sent = true},
         ERR_TRANSPORT,
         -ECONNRESET,
         "HTTP/2 stream"},
        {{.code = CURLE_SEND_ERROR, .os_errno = EPIPE, .text = "", .sent = true},
         ERR_TRANSPORT,
         -ECONNRESET,
         "Broken pipe"},
        {{.code = CURLE_OPERATION_TIMEDOUT, .text = "x"},
         ERR_TIMEOUT,
         -EHOSTUNREACH,
         "no connection within 10s"},
        {{.code = CURLE_WEIRD_SERVER_REPLY, .text = "Header without colon", .sent = true},
         ERR_PROTOCOL,
         -EPROTO,
         "Header without colon"},
        {{.code = CURLE_UNSUPPORTED_PROTOCOL, .text = "Received HTTP/0.9 when not allowed", .sent = true},
         ERR_PROTOCOL,
         -EPROTO,
         "HTTP/0.9"},
        {{.code = CURLE_RECV_ERROR, .text = "Malformed encoding found in chunked-encoding", .sent = true},
         ERR_PROTOCOL,
         -EPROTO,
         "chunked"},
        {{.code = CURLE_PEER_FAILED_VERIFICATION, .text = "SSL certificate problem: certificate has expired"},
         ERR_TLS,
         -EPROTO,
         "clock"},
        {{.code = CURLE_PEER_FAILED_VERIFICATION,
          .text = "SSL certificate problem: unable to get local issuer certificate"},
         ERR_TLS,
         -EPROTO,
         "certificate-authority"},
        {{.code = CURLE_PEER_FAILED_VERIFICATION,
          .text = "SSL: no alternative certificate subject name matches target host name 'h'"},
         ERR_TLS,
         -EPROTO,
         "tls-server-name"},
        {{.code = CURLE_RECV_ERROR,
          .text = "OpenSSL SSL_read: error:0A000412:SSL routines::sslv3 alert bad certificate, errno 0",
          .sent = true},
         ERR_TLS,
         -EPROTO,
         "client certificate"},
        {{.code = CURLE_RECV_ERROR,
          .text = "OpenSSL SSL_read: error:0A00045C:SSL routines::tlsv13 alert certificate required, errno 0",
          .sent = true},
         ERR_TLS,
         -EPROTO,
         "wants a client certificate"},
        {{.code = CURLE_SSL_CONNECT_ERROR, .text = "error:0A00010B:SSL routines::wrong version number"},
         ERR_TLS,
         -EPROTO,
         "http://"},
        {{.code = CURLE_SSL_CERTPROBLEM, .text = ""}, ERR_TLS, -EPROTO, "certificate"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct curl_error f = cases[i].f;
        struct err e = {0};
        f.method = "PUT";
        f.url = "https://h/p";
        f.host = "h";
        f.connect_ns = 10 * NS_PER_S;
        curl_error_explain(&f, &e);
        if (e.kind != cases[i].kind || e.errnum != cases[i].errnum || !strstr(e.msg, cases[i].words))
            print_error("case %zu: %s\n", i, e.msg);
        assert_int_equal(e.kind, cases[i].kind);
        assert_int_equal(e.errnum, cases[i].errnum);
        assert_non_null(strstr(e.msg, cases[i].words));
        assert_true(slice_starts(slice_of(e.msg), SL("PUT https://h/p: ")));
    }
}

RUN_TESTS(TEST(kinds_and_words))
