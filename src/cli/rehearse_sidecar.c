/* A rehearsal beside an operator in its pod; see rehearse.h. */
#include "rehearse.h"
#include "base/list.h"
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { REPORT_CAP = 64 << 20, KEY_MIN = 16, CONNECTIONS = 16 };

struct rehearse_sidecar {
    struct world *w;
    struct proxy *proxy;
    struct metrics *metrics;
    struct http_listener *listener;
    const char *key; /* NULL: nobody may read the report */
    int64_t from_wall_ns;
    struct list pending;
};
/* A last report, to be made when what was written has had the time to come about live. */
struct pending {
    struct list link;
    struct rehearse_sidecar *s;
    struct http_exchange *x;
    struct timer *timer;
};

/* In a time that says nothing of where they differ. */
static bool is_key(const struct rehearse_sidecar *s, struct slice given) {
    volatile unsigned char differs = 0;
    if (!s->key || given.n != strlen(s->key)) return false;
    for (size_t i = 0; i < given.n; i++)
        differs = (unsigned char)(differs | (unsigned char)(given.p[i] ^ s->key[i]));
    return differs == 0;
}

static void reply_report(struct rehearse_sidecar *s, struct http_exchange *x) {
    cleanup_buf struct buf out = BUF(REPORT_CAP);
    struct report *report = rehearse_report(s->w, s->proxy, s->from_wall_ns);
    int r = report_write(report, &out);
    report_free(report);
    if (r < 0)
        http_reply(x, 500, "text/plain", SL("the report does not fit in memory\n"));
    else
        http_reply(x, 200, "application/json", buf_slice(&out));
}

static void pending_free(struct pending *p) {
    proxy_release(p->s->proxy);
    list_remove(&p->link);
    timer_free(p->timer);
    free(p);
}

static void on_gone(void *ctx) {
    pending_free(ctx);
}

static void on_settled(void *ctx) {
    struct pending *p = ctx;
    reply_report(p->s, p->x);
    pending_free(p);
}

static void settle(struct rehearse_sidecar *s, struct http_exchange *x) {
    struct pending *p = xcalloc(1, sizeof *p);
    *p = (struct pending){.s = s, .x = x, .timer = timer_new(s->w, on_settled, p)};
    list_push(&s->pending, &p->link);
    proxy_hold(s->proxy);
    http_on_gone(x, on_gone, p);
    timer_in(p->timer, REHEARSE_SETTLE_NS);
}

static void serve(void *ctx, struct http_exchange *x) {
    struct rehearse_sidecar *s = ctx;
    struct slice path, query, key, how, target = http_x_target(x);
    cleanup_buf struct buf out = BUF(REPORT_CAP);
    slice_cut(target, '?', &path, &query);
    slice_cut(query, '&', &key, &how);
    if (!slice_eqs(http_x_method(x), "GET")) {
        http_reply(x, 405, "text/plain", SL("GET alone is understood\n"));
    } else if (slice_eqs(path, "/readyz")) {
        http_reply(x, 200, "text/plain", SL("ok\n"));
    } else if (slice_eqs(path, "/metrics")) {
        metrics_write(s->metrics, &out);
        http_reply(x, out.full ? 500 : 200, "text/plain; version=0.0.4; charset=utf-8",
                   out.full ? SL("the page is too large\n") : buf_slice(&out));
    } else if (!slice_eqs(path, "/report")) {
        http_reply(x, 404, "text/plain", SL("/readyz, /metrics and /report are here\n"));
    } else if (!slice_starts(query, SL("key=")) || !is_key(s, slice_make(key.p + 4, key.n - 4))) {
        http_reply(x, 403, "text/plain", SL("the report is for who knows its key\n"));
    } else if (slice_eqs(how, "settled=true")) {
        settle(s, x);
    } else if (how.n) {
        http_reply(x, 400, "text/plain", SL("behind the key, only &settled=true is understood\n"));
    } else {
        reply_report(s, x);
    }
}

/* For containers of another user: the folder is this pod's alone. */
static int put(struct world *w, const char *folder, const char *name, struct slice text, struct err *err) {
    cleanup_free char *path = xasprintf("%s/%s", folder, name);
    mode_t was = umask(022);
    int r = world_write_file(w, path, text, err);
    umask(was);
    return r;
}

int rehearse_sidecar_start(struct cli_world *w, const struct cli_session *session, struct proxy *p,
                           const struct rehearse_options *o, struct rehearse_sidecar **ret, struct err *err) {
    const char *key = getenv("HANDOVER_REHEARSAL_KEY");
    const struct http_limits limits = {.connections = CONNECTIONS, .body_cap = 1};
    struct rehearse_sidecar *s = xcalloc(1, sizeof *s);
    *s = (struct rehearse_sidecar){
        .w = w->world, .proxy = p, .metrics = session->metrics, .from_wall_ns = world_wall_ns(w->world)};
    list_init(&s->pending);
    if (key && strlen(key) >= KEY_MIN) s->key = key;
    int r = put(w->world, o->sidecar, "namespace", slice_of(session->ns), err);
    if (r == 0) r = put(w->world, o->sidecar, "ca.crt", proxy_ca(p), err);
    if (r == 0) r = put(w->world, o->sidecar, "token", slice_of(proxy_token(p)), err);
    if (r == 0 && o->report) r = http_listen(w->world, o->report, &limits, serve, s, &s->listener, err);
    if (r < 0) {
        free(s);
        return r;
    }
    fprintf(stderr, "https://127.0.0.1:%d rehearses; its credentials are in %s", proxy_port(p), o->sidecar);
    if (s->listener) fprintf(stderr, ", its report at port %d", http_listener_port(s->listener));
    fputc('\n', stderr);
    *ret = s;
    return 0;
}

void rehearse_sidecar_stop(struct rehearse_sidecar *s) {
    if (!s) return;
    http_listener_close(s->listener); /* with all that is pending */
    free(s);
}
