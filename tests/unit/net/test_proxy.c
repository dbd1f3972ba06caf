/* Through a proxy: plain requests with a whole URL, https in a tunnel, refusals in the proxy's words. */
#include "../case.h"
#include "../each.h"
#include "kit.h"
#include "tls_server.h"

/* A proxy of one connection at a time: relays between the client and the port that CONNECT names. */
struct proxy {
    struct raw_server server;
    struct raw up;    /* to the target */
    struct raw *down; /* from the client */
    bool open, refuse;
    char first[256]; /* the request line that it got */
    char url[64];
};

static void relay(struct proxy *p) {
    if (p->down->in.n) raw_send(&p->up, buf_slice(&p->down->in));
    buf_clear(&p->down->in);
    if (p->up.in.n) raw_send(p->down, buf_slice(&p->up.in));
    buf_clear(&p->up.in);
}

static void on_data(struct raw *r) {
    struct proxy *p = r->extra;
    if (p->open || !strstr(buf_str(&r->in), "\r\n\r\n")) return;
    snprintf(p->first, sizeof p->first, "%.*s", (int)strcspn(r->in.p, "\r"), r->in.p);
    p->down = r;
    if (p->refuse) {
        raw_sends(r, "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    } else if (!slice_starts(buf_slice(&r->in), SL("CONNECT "))) {
        raw_sends(r, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nvia proxy");
        buf_clear(&r->in);
    } else {
        loop_stop(r->k->l); /* the test connects upwards: see tunnel() */
    }
}

static void proxy_start(struct proxy *p, struct kit *k, const char *scheme, void (*on)(struct raw *r)) {
    *p = (struct proxy){.open = false};
    raw_serve(&p->server, k, on, p);
    snprintf(p->url, sizeof p->url, "%s://127.0.0.1:%d/", scheme, p->server.port);
}

static void proxy_stop(struct proxy *p) {
    raw_server_close(&p->server);
}
#define PROXY(p, k, scheme, on)                                                                              \
    __attribute__((cleanup(proxy_stop))) struct proxy p;                                                     \
    proxy_start(&p, k, scheme, on)

NET_CASE(https_goes_through_a_tunnel) {
    struct pem ca, id;
    pem_make(&ca, "CA", NULL, NULL, PEM_CA);
    pem_make(&id, "server", "DNS:target.invalid", &ca, 0);
    struct tls_server *s = tls_server_start(&(struct tls_server_spec){.id = &id});
    PROXY(p, k, "http", on_data);
    struct http_tls tls = {.ca = slice_of(ca.cert)};
    CALL(c, k);
    call_start(&c, SPEC(LANE_LEASE, "PUT", "https://target.invalid/x", .proxy = p.url, .tls = &tls,
                        .body = SL("b")));
    while (!p.down) kit_run(k);
    assert_string_equal(p.first,
                        "CONNECT target.invalid:443 HTTP/1.1"); /* the name is the proxy's to resolve */
    buf_clear(&p.down->in);
    raw_connect(&p.up, k, s->port);
    p.open = true;
    raw_sends(p.down, "HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n");
    while (!c.ends) {
        relay(&p);
        kit_turns(k, 1);
    }
    assert_int_equal(c.heads, 1); /* the proxy's head is not the answer's */
    call_ok(&c, 200, "h1 nobody target.invalid");
    raw_close(&p.up);
    tls_server_stop(s);
    pem_free(&ca);
    pem_free(&id);
}

/* A SOCKS5 proxy that answers itself: no authentication, then the name that it is to resolve, then the request. */
static void on_socks(struct raw *r) {
    struct proxy *p = r->extra;
    static const char hello[] = {5, 0}, connected[] = {5, 0, 0, 1, 0, 0, 0, 0, 0, 0};
    struct slice in = buf_slice(&r->in);
    if (!p->open && !p->first[0] && in.n >= 3) {
        raw_send(r, slice_make(hello, sizeof hello));
        buf_clear(&r->in);
        p->first[0] = '?';
    } else if (!p->open && in.n > 6 && in.p[3] == 3 && in.n == 7 + (size_t)in.p[4]) {
        snprintf(p->first, sizeof p->first, "%.*s", in.p[4], in.p + 5);
        p->open = true;
        raw_send(r, slice_make(connected, sizeof connected));
        buf_clear(&r->in);
    } else if (p->open && strstr(buf_str(&r->in), "\r\n\r\n")) {
        raw_sends(r, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nvia socks");
        buf_clear(&r->in);
    }
}

NET_CASE(requests_through_a_proxy) {
    static const struct {
        const char *scheme;
        void (*on)(struct raw *r);
        const char *url, *first, *body;
        bool refuse;
    } cases[] = {
        /* a whole URL; a refusal, of which the target knows nothing; socks5h: the name is the proxy's to resolve */
        {"http", on_data, "http://target.invalid:81/x?y", "GET http://target.invalid:81/x?y HTTP/1.1",
         "via proxy", false},
        {"http", on_data, "https://target.invalid/x", "CONNECT target.invalid:443 HTTP/1.1", "", true},
        {"socks5h", on_socks, "http://target.invalid:81/x", "target.invalid", "via socks", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        PROXY(p, k, cases[i].scheme, cases[i].on);
        p.refuse = cases[i].refuse;
        CALL(c, k);
        call_do(&c, SPEC(LANE_CALL, "GET", cases[i].url, .proxy = p.url));
        call_failed(&c, p.refuse ? ERR_TRANSPORT : ERR_NONE,
                    p.refuse ? -ECONNABORTED : 0); /* nothing was sent on */
        if (p.refuse) assert_has(c.err.msg, "403");
        assert_string_equal(buf_str(&c.body), cases[i].body);
        assert_string_equal(p.first, cases[i].first);
    }
}

/* Whether to use one is the caller's business. */
NET_CASE(the_environment_is_not_asked) {
    each_of(name, "http_proxy|HTTPS_PROXY|ALL_PROXY") {
        cleanup_free char *variable = slice_dup(name);
        setenv(variable, "http://127.0.0.1:1", 1);
    }
    PROXY(p, k, "http", on_data); /* here simply a server */
    CALL(c, k);
    call_get(&c, LANE_CALL, p.url);
    call_ok(&c, 200, "via proxy");
    assert_string_equal(p.first, "GET / HTTP/1.1");
}

CASES("net/proxy")
