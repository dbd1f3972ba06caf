/* The HTTP client over time: streams, holding and resuming, cancelling at every stage, going away. */
#include "../case.h"
#include "kit.h"

static void echo(void *ctx, struct http_exchange *x) {
    (void)ctx;
    http_reply(x, 200, "text/plain", http_x_target(x));
}

/* ---- streams ---- */
struct stream {
    struct http_exchange *x;
    int gone;
};

static void on_gone(void *ctx) {
    struct stream *s = ctx;
    s->x = NULL;
    s->gone++;
}

static void open_stream(void *ctx, struct http_exchange *x) {
    struct stream *s = ctx;
    s->x = x;
    http_on_gone(x, on_gone, s);
    http_reply_begin(x, 200, "application/json", NULL);
}
#define STREAM(s, k, limits)                                                                                 \
    struct stream s = {0};                                                                                   \
    kit_serve(k, open_stream, &s, limits)

NET_CASE(a_stream_arrives_as_it_is_sent) {
    STREAM(s, k, NULL);
    for (int aborted = 0; aborted < 2; aborted++) {
        CALL(c, k);
        s = (struct stream){0};
        call_open(&c, LANE_WATCH, kit_at(k, "/watch"));
        while (!s.x || !c.heads) kit_turns(k, 1);
        http_reply_send(s.x, SL("one"));
        while (c.body.n < 3) kit_turns(k, 1);
        http_reply_send(s.x, SL("two"));
        http_reply_send(s.x, SL(""));
        while (!aborted && c.body.n < 6) kit_turns(k, 1);
        assert_int_equal(c.ends, 0);
        (aborted ? http_reply_abort : http_reply_end)(s.x);
        call_wait(&c);
        assert_int_equal(c.err.kind, aborted ? ERR_TRANSPORT : ERR_NONE);
        assert_string_equal(buf_str(&c.body), "onetwo");
        assert_int_equal(s.gone, 0);
    }
}

/* Holds after every piece, resumes some turns later: nothing comes in between, nothing is lost, and the end
 * waits. */
NET_CASE(hold_and_resume) {
    STREAM(s, k, &(struct http_limits){.send_cap = 64 << 20});
    CALL(c, k);
    c.hold_at = 1;
    call_open(&c, LANE_WATCH, kit_at(k, "/list"));
    while (!s.x) kit_turns(k, 1);
    enum { BIG = 3 << 20 };
    cleanup_free char *big = xmalloc(BIG);
    for (size_t i = 0; i < BIG; i++) big[i] = (char)(i * 31 % 251);
    http_reply_send(s.x, slice_make(big, BIG));
    http_reply_end(s.x);
    size_t rounds = 0;
    while (!c.ends) {
        kit_turns(k, 5);
        if (!c.held) continue;
        size_t had = c.body.n;
        kit_turns(k, 5);
        assert_int_equal(c.body.n, had);
        assert_int_equal(c.ends, 0); /* even when all has arrived */
        rounds++;
        c.held = false;
        http_resume(c.r);
        assert_int_equal(c.body.n, had); /* not inside the call */
    }
    assert_int_equal(c.err.kind, ERR_NONE);
    assert_true(rounds > 10);
    assert_true(slice_eq(buf_slice(&c.body), slice_make(big, BIG)));
}

NET_CASE(the_deadline_does_not_wait_for_a_resume) {
    kit_serve(k, echo, NULL, NULL);
    CALL(c, k);
    c.hold_at = 1;
    call_do(&c, SPEC(LANE_WATCH, "GET", kit_at(k, "/x"), .total_ns = 100 * NS_PER_MS));
    assert_int_equal(c.err.kind, ERR_TIMEOUT);
}

NET_CASE(cancel_while_held) {
    STREAM(s, k, NULL);
    CALL(c, k);
    c.hold_at = 1;
    call_open(&c, LANE_WATCH, kit_at(k, "/x"));
    while (!s.x) kit_turns(k, 1);
    http_reply_send(s.x, SL("first"));
    while (!c.held) kit_turns(k, 1);
    http_reply_send(s.x, SL("second"));
    kit_turns(k, 5);
    http_cancel(c.r);
    while (!s.gone) kit_turns(k, 1); /* the server notices */
    assert_int_equal(c.ends, 0);
    assert_string_equal(buf_str(&c.body), "first");
}

/* ---- cancelling ---- */
static void cancel_self(struct call *c) {
    http_cancel(c->r);
    c->r = NULL;
}

static void cancel_other(struct call *c) {
    cancel_self(c->extra);
}

NET_CASE(cancel_after_n_turns) {
    STREAM(s, k, NULL);
    for (int n = 0; n < 12; n++) {
        CALL(c, k);
        call_start(&c, SPEC(LANE_LEASE, "PUT", kit_at(k, "/x"), .body = SL("x")));
        kit_turns(k, n);
        http_cancel(c.r);
        kit_turns(k, 20);
        assert_int_equal(c.ends, 0);
        if (n == 0) assert_null(s.x); /* nothing was sent */
    }
}

NET_CASE(cancel_in_head_and_body) {
    STREAM(s, k, NULL);
    for (int in_body = 0; in_body < 2; in_body++) {
        s = (struct stream){0};
        CALL(c, k);
        *(in_body ? &c.on_body : &c.on_head) = cancel_self;
        call_open(&c, LANE_WATCH, kit_at(k, "/x"));
        while (!s.x) kit_turns(k, 1);
        http_reply_send(s.x, SL("data"));
        while (!s.gone) kit_turns(k, 1);
        assert_null(c.r);
        assert_int_equal(c.heads, 1);
        assert_int_equal(c.body.n, in_body ? 4 : 0);
        assert_int_equal(c.ends, 0);
    }
}

NET_CASE(cancel_another_in_its_end) {
    kit_serve(k, echo, NULL, NULL);
    for (int same_lane = 0; same_lane < 2; same_lane++) {
        CALL(a, k);
        CALL(b, k);
        a.on_end = b.on_end = cancel_other; /* whichever is first */
        a.extra = &b;
        b.extra = &a;
        call_open(&a, LANE_CALL, kit_at(k, "/x"));
        call_open(&b, same_lane ? LANE_CALL : LANE_SCRAPE, kit_at(k, "/x"));
        while (a.ends + b.ends == 0) kit_run(k);
        kit_turns(k, 20);
        assert_int_equal(a.ends + b.ends, 1);
    }
}

struct chain {
    struct call calls[5];
    size_t n;
};

static void start_next(struct call *c) {
    struct chain *chain = c->extra;
    if (chain->n == ARRAY_LEN(chain->calls)) return;
    struct call *next = &chain->calls[chain->n++];
    call_init(next, c->k);
    next->extra = chain;
    next->on_end = start_next;
    call_open(next, LANE_CALL, kit_at(c->k, "/x"));
}

NET_CASE(start_another_in_the_end) {
    kit_serve(k, echo, NULL, NULL);
    struct chain chain = {.n = 0};
    struct call first = {.k = k, .extra = &chain};
    start_next(&first);
    while (chain.n < ARRAY_LEN(chain.calls) || !chain.calls[chain.n - 1].ends) kit_run(k);
    for (size_t i = 0; i < chain.n; i++) {
        assert_int_equal(chain.calls[i].err.kind, ERR_NONE);
        call_free(&chain.calls[i]);
    }
}

NET_CASE(uninstall_with_everything_open) {
    STREAM(s, k, NULL);
    struct call c[4];
    for (int i = 0; i < 4; i++) {
        call_init(&c[i], k);
        call_open(&c[i], (enum http_lane)i, kit_at(k, "/x"));
        if (i < 3) kit_turns(k, 4 * i);
    }
    /* kit_teardown() closes the server first; here the client goes first */
    net_uninstall(k->n);
    k->n = NULL;
    k->server = NULL;
    for (int i = 0; i < 4; i++) {
        assert_int_equal(c[i].ends, 0);
        call_free(&c[i]);
    }
}

CASES("net/stream")
