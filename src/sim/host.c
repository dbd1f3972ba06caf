/* The sim behind HTTP: requests go in, answers come out, short ones whole and long ones as a stream. */
#include "sim/host.h"
#include "world/http_server.h"
#include <stdio.h>

enum { WHOLE_MAX = 256 << 10, CONNECTIONS = 4096, BODY_MAX = (3 << 20) + 1, ROUNDS = 16, WARNINGS = 32 };
#define SEND_CAP                                                                                             \
    ((size_t)1 << 30) /* a list waits for its reader by itself; this is for watches that begin with a lot */

struct sim_host {
    struct world *w;
    struct sim *sim;
    struct http_listener *listener;
    struct timer *timer;
    int64_t wall0, boot0;
};

struct hosted { /* one exchange of both sides */
    struct sim_host *host;
    struct http_exchange *x; /* NULL once answered or gone */
    struct sim_exchange *sx;
    bool inside; /* sim_handle() is still running: it frees */
    bool begun, headed;
    int status, retry_after_s;
    char type[128];
    char *warning[WARNINGS]; /* the values of these headers */
    size_t nwarnings;
    struct buf whole; /* of an answer that is not (yet) a stream */
};

/* A little at a time: while thousands of Deployments are being looked after, requests are answered in
 * between. */
static void advance(struct sim_host *h) {
    sim_advance_some(h->sim, h->wall0 + (world_boot_ns(h->w) - h->boot0), ROUNDS);
}

static void arm(void *ctx) {
    struct sim_host *h = ctx;
    int64_t next = sim_next_ns(h->sim);
    timer_at(h->timer, next == TIME_NEVER ? TIME_NEVER : h->boot0 + (next - h->wall0));
}

static void on_timer(void *ctx) {
    struct sim_host *h = ctx;
    advance(h);
    arm(h);
}

/* ---- answers ---- */
static void drop(struct hosted *x) {
    if (x->inside) return;
    buf_free(&x->whole);
    for (size_t i = 0; i < x->nwarnings; i++) free(x->warning[i]);
    free(x);
}

static void begin(struct hosted *x) {
    if (x->begun || !x->x || !x->headed) return;
    struct http_headers extra = {0};
    char seconds[16];
    snprintf(seconds, sizeof seconds, "%d", x->retry_after_s);
    if (x->retry_after_s >= 0) http_headers_add(&extra, SL("Retry-After"), slice_of(seconds));
    for (size_t i = 0; i < x->nwarnings; i++)
        http_headers_add(&extra, SL("Warning"), slice_of(x->warning[i]));
    x->begun = true;
    http_reply_begin(x->x, x->status, x->type, &extra);
    http_reply_send(x->x, buf_slice(&x->whole));
    buf_free(&x->whole);
}

static void on_head(void *ctx, int status, const char *content_type, int retry_after_s) {
    struct hosted *x = ctx;
    x->headed = true;
    x->status = status;
    x->retry_after_s = retry_after_s;
    snprintf(x->type, sizeof x->type, "%s", content_type);
}

/* 299 - "TEXT", RFC 9111; what has no place in a header becomes a question mark. */
static void on_warning(void *ctx, struct slice text) {
    struct hosted *x = ctx;
    if (x->nwarnings == WARNINGS) return;
    struct buf b = BUF(1024);
    buf_adds(&b, "299 - \"");
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c == '"' || c == '\\') buf_addc(&b, '\\');
        buf_addc(&b, c < 0x20 || c == 0x7f ? '?' : (char)c);
    }
    buf_addc(&b, '"');
    if (b.full) {
        buf_free(&b);
    } else {
        x->warning[x->nwarnings++] = buf_take(&b);
    }
}

static void on_body(void *ctx, struct slice data) {
    struct hosted *x = ctx;
    if (!x->x) return;
    if (!x->begun && (!x->inside || data.n > WHOLE_MAX - x->whole.n)) begin(x);
    if (x->begun) {
        http_reply_send(x->x, data);
    } else {
        buf_add(&x->whole, data);
    }
}

static void on_end(void *ctx, bool cut) {
    struct hosted *x = ctx;
    struct http_exchange *hx = x->x;
    x->x = NULL;
    x->sx = NULL;
    if (!hx) {
        drop(x);
        return;
    }
    x->x = hx;
    if (!x->begun && (cut || x->retry_after_s >= 0 || x->nwarnings))
        begin(x); /* nothing to begin where not even a head came */
    x->x = NULL;
    if (cut) {
        http_reply_abort(hx);
    } else if (x->begun) {
        http_reply_end(hx);
    } else {
        http_reply(hx, x->status, x->type, buf_slice(&x->whole));
    }
    drop(x);
}

static size_t on_unsent(void *ctx) {
    struct hosted *x = ctx;
    begin(x); /* asked for before a long answer */
    return x->x ? http_reply_unsent(x->x) : 0;
}

static void on_gone(void *ctx) {
    struct hosted *x = ctx;
    x->x = NULL;
    if (x->sx) sim_leave(x->sx);
    drop(x);
}

/* ---- requests ---- */
static void on_request(void *ctx, struct http_exchange *hx) {
    struct sim_host *h = ctx;
    static const struct sim_cb cb = {on_head, on_body, on_end, on_unsent, on_warning};
    struct hosted *x = xcalloc(1, sizeof *x);
    *x = (struct hosted){.host = h, .x = hx, .inside = true, .whole = BUF(WHOLE_MAX)};
    http_on_gone(hx, on_gone, x);
    struct sim_request r = {.method = http_x_method(hx),
                            .target = http_x_target(hx),
                            .content_type = http_x_header(hx, "Content-Type"),
                            .accept = http_x_header(hx, "Accept"),
                            .authorization = http_x_header(hx, "Authorization"),
                            .user_agent = http_x_header(hx, "User-Agent"),
                            .body = http_x_body(hx)};
    advance(h);
    x->sx = sim_handle(h->sim, &r, &cb, x);
    x->inside = false;
    if (!x->sx) {
        drop(x); /* answered */
    } else {
        begin(x); /* a watch: its head goes out now */
    }
    arm(h);
}

/* ---- start and stop ---- */
int sim_host_start(struct world *w, const char *addr, const struct sim_config *cfg, struct sim_host **ret,
                   struct err *err) {
    struct sim_host *h = xcalloc(1, sizeof *h);
    *h = (struct sim_host){.w = w, .wall0 = cfg->wall_ns, .boot0 = world_boot_ns(w)};
    const struct http_limits limits = {
        .body_cap = BODY_MAX, .connections = CONNECTIONS, .send_cap = SEND_CAP};
    int r = http_listen(w, addr, &limits, on_request, h, &h->listener, err);
    if (r < 0) {
        free(h);
        return r;
    }
    h->sim = sim_new(cfg);
    h->timer = timer_new(w, on_timer, h);
    sim_on_change(h->sim, arm, h);
    arm(h);
    *ret = h;
    return 0;
}

void sim_host_stop(struct sim_host *h) {
    if (!h) return;
    sim_on_change(h->sim, NULL, NULL);
    http_listener_close(h->listener); /* each exchange leaves the sim */
    timer_free(h->timer);
    sim_free(h->sim);
    free(h);
}

int sim_host_port(const struct sim_host *h) {
    return http_listener_port(h->listener);
}

struct sim *sim_host_sim(struct sim_host *h) {
    return h->sim;
}

int sim_host_load(struct sim_host *h, struct slice text, struct err *err) {
    advance(h);
    return sim_load(h->sim, text, err);
}
