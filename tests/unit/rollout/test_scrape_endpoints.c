/* Hostile and broken endpoints on real sockets, through the whole path of a scrape: HTTP client, page, round. Each ends
 * with its reason or with the right counts, in time. */
#include "../case.h"
#include "../net/kit.h"
#include "act/metrics_endpoint.h"
#include "act/scrape.h"

#define OK_ "HTTP/1.1 200 OK\r\n"
#define GOOD                                                                                                 \
    "controller_runtime_reconcile_total{result=\"error\"} 2\ncontroller_runtime_reconcile_total 40\n" /* 91 bytes */
#define LEN     "Content-Length: 91\r\n\r\n"
#define CHUNKS  "Transfer-Encoding: chunked\r\n\r\n"
#define PLAIN   OK_ "\r\n" /* until the connection closes */
#define TOTAL   "controller_runtime_reconcile_total"
#define OM      OK_ "Content-Type: application/openmetrics-text; version=1.0.0\r\n\r\n"
#define SCRAPE  "scrape http://127.0.0.1"
#define EMPTY   "Content-Length: 0\r\n\r\n"
#define FRAMING "status lines, headers, trailers and chunk framing"

enum end {
    CLOSE,
    RESET,
    STAY,
    DRIP /* byte by byte, then closed */,
    FLOOD /* the last 8 bytes again and again */
};
static const struct endpoint {
    const char *name, *answer;
    enum end end;
    double total;    /* with why NULL */
    const char *why; /* in the reason; "": whichever comes first, the cap or the time-out */
} endpoints[] = {
    {"length", OK_ LEN GOOD, STAY, 42, NULL},
    {"chunks", OK_ CHUNKS "5b\r\n" GOOD "\r\n0\r\n\r\n", STAY, 42, NULL},
    {"until close", PLAIN GOOD, CLOSE, 42, NULL},
    {"HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\n" GOOD, CLOSE, 42, NULL},
    {"slow bytes", OK_ LEN GOOD, DRIP, 42, NULL},
    {"interim answers first",
     "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" OK_ LEN GOOD, STAY, 42, NULL},
    {"more than the length", OK_ LEN GOOD TOTAL " 1000\n", CLOSE, 42, NULL},
    {"length and chunks", OK_ "Content-Length: 3\r\n" CHUNKS "5b\r\n" GOOD "\r\n0\r\n\r\n", STAY, 42, NULL},
    {"chunk extensions and trailers", OK_ CHUNKS "5b;a=\"b\"\r\n" GOOD "\r\n0\r\nT: t\r\n\r\n", STAY, 42,
     NULL},
    {"no last line feed, by length", OK_ "Content-Length: 90\r\n\r\n" GOOD, STAY, 42, NULL},

    {"closed at once", "", CLOSE, 0, SCRAPE},
    {"reset at once", "", RESET, 0, SCRAPE},
    {"no answer", "", STAY, 0, "no answer within"},
    {"half a head", OK_ "Content-", STAY, 0, "no answer within"},
    {"half a page", OK_ LEN TOTAL " 4", STAY, 0, "did not end within"},
    {"reset in the page", OK_ LEN TOTAL " 4", RESET, 0, SCRAPE},
    {"cut by length", OK_ LEN TOTAL " 4", CLOSE, 0, SCRAPE},
    {"cut by chunk", OK_ CHUNKS "5b\r\n" TOTAL " 4", CLOSE, 0, SCRAPE},
    {"no last chunk", OK_ CHUNKS "5b\r\n" GOOD "\r\n", CLOSE, 0, SCRAPE},
    {"cut inside a number", PLAIN TOTAL " 4", CLOSE, 0, "the page ends inside line 1"},
    {"OpenMetrics cut", OM GOOD, CLOSE, 0, "does not end with # EOF"},

    {"no HTTP", "SSH-2.0-OpenSSH_9.2\r\n", CLOSE, 0, SCRAPE},
    {"HTTP/0.9", GOOD, CLOSE, 0, SCRAPE},
    {"no status", "HTTP/1.1 OK\r\n\r\n" GOOD, CLOSE, 0, SCRAPE},
    {"other protocol", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
     CLOSE, 0, SCRAPE},
    {"204", "HTTP/1.1 204 No Content\r\n\r\n", STAY, 0, "an empty metrics page"},
    {"redirect", "HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\n" EMPTY, STAY, 0,
     "redirected (302), which is not followed"},
    {"401", "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=x\r\n" EMPTY, STAY, 0,
     "401 Unauthorized"},
    {"404", "HTTP/1.1 404 Not Found\r\n" LEN GOOD, STAY, 0, "404 NotFound"},
    {"503 for a year", "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 31536000\r\n" EMPTY, STAY, 0, "503"},
    {"two lengths", OK_ "Content-Length: 7\r\n" LEN GOOD, CLOSE, 42, NULL},
    {"negative length", OK_ "Content-Length: -1\r\n\r\n" GOOD, CLOSE, 0, SCRAPE},
    {"huge length", OK_ "Content-Length: 9223372036854775807\r\n\r\n" GOOD, CLOSE, 0, SCRAPE},
    {"gzip", OK_ "Content-Encoding: gzip\r\n" LEN GOOD, STAY, 0, "encoded (gzip)"},
    {"gzip on the way", OK_ "Transfer-Encoding: gzip, chunked\r\n\r\n" GOOD, CLOSE, 0, SCRAPE},
    {"bad chunk size", OK_ CHUNKS "zz\r\n" GOOD, CLOSE, 0, SCRAPE},
    {"huge chunk size", OK_ CHUNKS "fffffffffffffffff\r\n" GOOD, CLOSE, 0, SCRAPE},
    {"negative chunk size", OK_ CHUNKS "-5b\r\n" GOOD "\r\n0\r\n\r\n", CLOSE, 0, SCRAPE},

    {"endless status line", "HTTP/1.1 200 aaaaaaaa", FLOOD, 0, SCRAPE},
    {"endless header", OK_ "A: aaaaaaaa", FLOOD, 0, SCRAPE},
    {"endless headers", OK_ "AAAA: b\r\nAAAA:b\r\n", FLOOD, 0, FRAMING},
    {"endless interim answers", "HTTP/1.1 103 A\r\nA: b\r\n\r\nHTTP/1.1 103 A\r\nA:bcde\r\n", FLOOD, 0,
     FRAMING},
    {"endless trailers", OK_ CHUNKS "0\r\nAAAA:b\r\n", FLOOD, 0, FRAMING},
    {"endless line", PLAIN "aaaaaaaa", FLOOD, 0, "longer than 65536 bytes"},
    {"endless samples", PLAIN "\nabcd 1\n", FLOOD, 0, "more than 500000 samples"},
    {"endless comment", PLAIN "########", FLOOD, 0, ""},
    {"endless empty lines", PLAIN "\n\n\n\n\n\n\n\n", FLOOD, 0, ""},

    {"HTML", PLAIN "<html>\n", CLOSE, 0, "expected a metric's name, found '<'"},
    {"binary", PLAIN "\x08\x01\x12\x04\n", CLOSE, 0, "byte 0x08"},
    {"byte order mark", PLAIN "\xef\xbb\xbf" GOOD, CLOSE, 0, "byte 0xef"},
    {"empty", OK_ "" EMPTY, STAY, 0, "an empty metrics page"},
    {"NaN", PLAIN TOTAL " NaN\n", CLOSE, 0, "expected a count"},
    {"infinite", PLAIN TOTAL " +Inf\n", CLOSE, 0, "expected a count"},
    {"negative", PLAIN TOTAL " -1\n", CLOSE, 0, "expected a count"},
    {"out of range", PLAIN TOTAL " 1e999\n", CLOSE, 0, "expected a number"},
    {"hexadecimal", PLAIN TOTAL " 0x10\n", CLOSE, 0, "expected a number"},
    {"sum out of range", PLAIN TOTAL " 1e308\n" TOTAL "{a=\"b\"} 1e308\n", CLOSE, 0, "expected a count"},
    {"huge", PLAIN TOTAL " 1e300\n", CLOSE, 1e300, NULL}, /* evidence_count() stays at 2^53 */
    {"the same series twice", PLAIN TOTAL " 20\n" TOTAL " 22\n", CLOSE, 42, NULL},
    {"wrong and repeated metadata",
     PLAIN "# TYPE " TOTAL " histogram\n# TYPE " TOTAL " nonsense\n# HELP\n#\n" TOTAL " 42\n# TYPE " TOTAL
           " gauge\n",
     CLOSE, 42, NULL},
    {"timestamps, tabs, carriage returns", PLAIN "\t" TOTAL "\t42\t-9223372036854775808\r\n", CLOSE, 42,
     NULL},
    {"exemplars", OM TOTAL " 42 # {trace_id=\"a\"} 1e400\n# EOF\n", CLOSE, 42, NULL},
    {"odd exemplars", OM TOTAL " 42 1.5 # {trace_id=\"} 7 #\"} 1 1.5\n# EOF\n", CLOSE, 42, NULL},
    {"native histogram", OM TOTAL " {count:4,sum:2,schema:0,zero_threshold:0}\n# EOF\n", CLOSE, 0,
     "expected"},
    {"more after the end", OM "# EOF\n" GOOD, CLOSE, 0, "expected nothing after # EOF"},
    {"a name in quotes", PLAIN "{\"" TOTAL "\",a=\"\\\\\\\"\\n\"} 42\n", CLOSE, 42, NULL},
    {"unknown escape", PLAIN TOTAL "{a=\"\\x\"} 42\n", CLOSE, 0, "after a backslash"},
    {"no closing quote", PLAIN TOTAL "{a=\"b} 42\n", CLOSE, 0, "closing quote"},
};

/* The tests' servers listen on loopback, which no pod has. */
int __wrap_metrics_endpoint_check(const struct metrics_endpoint *p, const struct obs_pod *pod, bool proxy,
                                  struct err *err);
int __wrap_metrics_endpoint_check(const struct metrics_endpoint *p, const struct obs_pod *pod, bool proxy,
                                  struct err *err) {
    (void)p, (void)pod, (void)proxy, (void)err;
    return 0;
}

struct serving {
    const struct endpoint *e;
    struct raw *raw;
    struct timer *drip;
    size_t sent;
    uv_write_t write;
    struct buf block;
};

static void on_drip(void *ctx) {
    struct serving *s = ctx;
    if (!s->e->answer[s->sent]) return;
    raw_send(s->raw, slice_make(s->e->answer + s->sent++, 1));
    timer_in(s->drip, NS_PER_MS / 2);
}

static void on_written(uv_write_t *req, int status) {
    struct serving *s = req->data;
    if (status < 0 || uv_is_closing((uv_handle_t *)&s->raw->tcp)) return;
    uv_buf_t b = uv_buf_init(s->block.p, (unsigned)s->block.n);
    uv_write(req, (uv_stream_t *)&s->raw->tcp, &b, 1, on_written);
}

static void on_request(struct raw *r) {
    struct serving *s = r->extra;
    if (!strstr(buf_str(&r->in), "\r\n\r\n")) return;
    buf_clear(&r->in);
    s->raw = r;
    if (s->e->end == DRIP) {
        on_drip(s);
        return;
    }
    raw_sends(r, s->e->answer);
    if (s->e->end == CLOSE) raw_shutdown(r);
    if (s->e->end == RESET) raw_reset(r);
    if (s->e->end != FLOOD) return;
    const char *again = s->e->answer + strlen(s->e->answer) - 8;
    while (s->block.n + 8 <= 65536) buf_adds(&s->block, again);
    s->write.data = s;
    on_written(&s->write, 0);
}

static void endpoint(struct kit *k, struct scraper *scraper, const struct endpoint *e) {
    struct raw_server srv;
    struct serving s = {.e = e, .block = BUF(65536), .drip = NULL};
    s.drip = timer_new(k->w, on_drip, &s);
    raw_serve(&srv, k, on_request, &s);
    static char name[] = "p", ip[] = "127.0.0.1", path[] = "/metrics";
    struct obs_pod pod = {.ns = name, .name = name, .uid = name, .ip = ip};
    struct spec spec = {.metrics = METRICS_ENDPOINT, .port = (uint16_t)srv.port, .path = path};
    bool waits = e->why && (!e->why[0] || (e->end == STAY && strstr(e->why, "within")));
    struct scrape_what what = {
        .spec = &spec, .pods = &pod, .n = 1, .timeout_ns = (waits ? 1 : 50) * NS_PER_S / 5};
    struct scrape_target *t = scrape_target_new(scraper, "ns", kit_stop, k);
    assert_int_equal(scrape_target_start(t, &what), 0);
    while (scrape_target_busy(t)) kit_run(k); /* sockets stop the loop, too */
    const struct scrape_result *r = &scrape_target_round(t)->result[0];
    bool right = e->why ? !r->read && r->why && strstr(r->why, e->why)
                        : r->read && r->page->v[PROM_TOTAL].value == e->total;
    if (!right)
        fail_msg("%s: %s, %g", e->name, r->why ? r->why : "read",
                 r->page ? r->page->v[PROM_TOTAL].value : -1);
    scrape_target_free(t);
    timer_free(s.drip);
    raw_server_close(&srv);
    buf_free(&s.block);
}

NET_CASE(each_endpoint_ends_right) {
    const struct kube_config_spec spec = {.kubeconfig = "/dev/null", .server = "http://127.0.0.1:1"};
    struct kube_config *cfg = NULL;
    struct err err = {0};
    if (kube_config_load(k->w, NULL, &spec, &cfg, &err) < 0) fail_msg("%s", err.msg);
    struct metrics *m = metrics_new(100);
    struct kube *kube = kube_new(k->w, cfg, NULL, m);
    struct scraper *s = scraper_new(kube, &(struct scraper_options){.slots = 4});
    for (size_t i = 0; i < ARRAY_LEN(endpoints); i++) endpoint(k, s, &endpoints[i]);
    scraper_free(s);
    kube_free(kube);
    kube_config_free(cfg);
    metrics_free(m);
}

CASES("rollout/scrape_endpoints")
