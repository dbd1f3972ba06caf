/* From libcurl's words to ours: kinds, errnos, advice: what no test of this folder brings about on a socket. Pure. */
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
        {CURLE_COULDNT_CONNECT, ETIMEDOUT, "", false, ERR_TRANSPORT, -EHOSTUNREACH, "Connection timed out"},
        {CURLE_COULDNT_CONNECT, ENETUNREACH, "", false, ERR_TRANSPORT, -ENETUNREACH,
         "Network is unreachable"},
        {CURLE_COULDNT_RESOLVE_PROXY, 0, "Could not resolve proxy: p", false, ERR_TRANSPORT, -EHOSTUNREACH,
         "proxy: p"},
        {CURLE_RECV_ERROR, ETIMEDOUT, "Recv failure: Connection timed out", true, ERR_TRANSPORT, -ETIMEDOUT,
         "not answered for 8 s"},
        {CURLE_SSL_CONNECT_ERROR, ECONNRESET, "Recv failure: Connection reset by peer", false, ERR_TRANSPORT,
         -ECONNABORTED, "reset by peer"},
        {CURLE_HTTP2_STREAM, 0, "HTTP/2 stream 1 was not closed cleanly", true, ERR_TRANSPORT, -ECONNRESET,
         "HTTP/2 stream"},
        {CURLE_SEND_ERROR, EPIPE, "", true, ERR_TRANSPORT, -ECONNRESET, "Broken pipe"},
        {CURLE_WEIRD_SERVER_REPLY, 0, "Header without colon", true, ERR_PROTOCOL, -EPROTO,
         "Header without colon"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = {0};
        const struct curl_error f = {cases[i].code, cases[i].os_errno, cases[i].text, "PUT", "https://h/p",
                                     "h",           cases[i].sent,     10 * NS_PER_S};
        curl_error_explain(&f, &e);
        print_message("case %zu: %s\n", i, e.msg);
        assert_int_equal(e.kind, cases[i].kind);
        assert_int_equal(e.errnum, cases[i].errnum);
        assert_has(e.msg, cases[i].words);
        assert_true(slice_starts(slice_of(e.msg), SL("PUT https://h/p: ")));
    }
}

CASES("net/curl_error")
