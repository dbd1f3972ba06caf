/* One request on its way and its answer on the way back: latency, loss, duplication, partitions. Nothing here
 * calls into a process; what a process has to hear is an event of its own. */
#include "internal.h"
#include <errno.h>
#include <stdio.h>

static void arrive(struct ev *e);
static void left(struct ev *e);
static void died(struct ev *e);
static void late_answer(struct ev *e);

/* ---- beginning and end ---- */

struct link *link_new(struct simworld *sw, struct host *from) {
    struct link *l = xcalloc(1, sizeof *l);
    l->sw = sw;
    l->from = from;
    l->cut_at = SIZE_MAX;
    l->late_body = BUF((size_t)64 << 20);
    list_init(&l->down);
    list_push(&sw->links, &l->all);
    ev_init(&l->up, NULL, "arrives", arrive);
    ev_init(&l->leave, NULL, "leaves", left);
    ev_init(&l->dead, NULL, "connection given up", died);
    ev_init(&l->late, NULL, "late answer", late_answer);
    sw->stats.open++;
    return l;
}

void msg_free(struct msg *m) {
    list_remove(&m->link);
    free(m->data);
    free(m);
}

static void drop_messages(struct link *l) {
    list_each_safe(it, tmp, &l->down) msg_free(container_of(it, struct msg, link));
    l->unread = 0;
}

void link_free(struct link *l) {
    struct ev *all[] = {&l->up, &l->leave, &l->dead, &l->late};
    for (size_t i = 0; i < ARRAY_LEN(all); i++) ev_cancel(l->sw, all[i]);
    drop_messages(l);
    struct sim_exchange *x = l->x;
    l->x = NULL;
    if (x) sim_leave(x);
    buf_free(&l->late_body);
    list_remove(&l->all);
    l->sw->stats.open--;
    free(l->method);
    free(l->target);
    free(l->body);
    free(l->head);
    free(l->address);
    free(l);
}

/* Is anybody left who could do something with it? */
static void tidy(struct link *l) {
    bool under_way = ev_pending(&l->up) || l->up_waits || ev_pending(&l->leave) || ev_pending(&l->late);
    if (!l->req && !l->x && !l->hx && !under_way) link_free(l);
}

/* ---- the request ---- */

static void lose(struct link *l) {
    enum simnet_loss how = l->loss;
    if (how == LOSS_ANY) how = (enum simnet_loss)rng_below(&l->sw->rng, LOSS_ANY);
    if (how == LOSS_RESET)
        ev_at(l->sw, &l->dead, l->sw->now + net_latency(l->sw, net_between(l->sw, l->from->name, l->to)),
              EV_ANY);
    else if (how == LOSS_SILENT)
        ev_at(l->sw, &l->dead, l->sw->now + l->sw->dead_after_ns, EV_ANY);
}

static char *dup_bytes(const char *p, size_t n) {
    return slice_dup(slice_make(p, n));
}

static void duplicate(struct link *l, int64_t at) {
    struct link *d = link_new(l->sw, l->from);
    d->to = l->to;
    d->kind = l->kind;
    d->server = l->server;
    d->peer = l->peer;
    d->port = l->port;
    d->address = xstrdup_null(l->address);
    d->method = xstrdup(l->method);
    d->target = xstrdup(l->target);
    d->body = dup_bytes(l->body, l->nbody);
    d->nbody = l->nbody;
    cleanup_buf struct buf text = BUF((size_t)1 << 20);
    for (size_t i = 0; i < l->headers.n; i++) {
        (void)buf_add(&text, l->headers.v[i].name);
        (void)buf_add(&text, l->headers.v[i].value);
    }
    d->head = buf_take(&text);
    const char *p = d->head;
    for (size_t i = 0; i < l->headers.n; i++) {
        size_t n = l->headers.v[i].name.n, v = l->headers.v[i].value.n;
        (void)http_headers_add(&d->headers, slice_make(p, n), slice_make(p + n, v));
        p += n + v;
    }
    d->mute = true;
    d->up.host = l->up.host;
    l->sw->stats.duplicated++;
    ev_at(d->sw, &d->up, at, EV_ANY);
}

static void tell(const struct link *l, bool arrived) {
    struct simrequest r = {l->from->name, l->to, l->method, l->target, slice_make(l->body, l->nbody),
                           arrived};
    if (l->sw->request_fn) l->sw->request_fn(l->sw->request_ctx, &r);
}

void link_send(struct link *l) {
    struct simworld *sw = l->sw;
    const struct simnet *net = net_between(sw, l->from->name, l->to);
    sw->stats.sent++;
    trace(sw, l->from, "sends %s %s to %s", l->method, l->target, l->to);
    trace_bytes(sw, slice_make(l->body, l->nbody));
    tell(l, false);
    l->up.host = l->kind == TO_HOST ? l->peer : NULL;
    l->loss = net->loss;
    if (net_blocked(sw, l->from->name, l->to)) { /* on a connection that it thinks is alive */
        link_stall(l);
        l->up_waits = true;
        return;
    }
    int64_t at = sw->now + net_latency(sw, net);
    if (net_chance(sw, net->duplicate))
        duplicate(l,
                  at + (int64_t)rng_below(&sw->rng, (uint64_t)(net->slow_ns > 0 ? net->slow_ns : NS_PER_S)));
    if (net_chance(sw, net->lose_request)) {
        sw->stats.lost_requests++;
        lose(l);
        return;
    }
    if (net_chance(sw, net->lose_answer)) {
        sw->stats.lost_answers++;
        l->mute = true;
    }
    if (net_chance(sw, net->cut))
        l->cut_at = (size_t)rng_below(&sw->rng, net->cut_bytes ? net->cut_bytes : 4096);
    ev_at(sw, &l->up, at, EV_ANY);
}

/* ---- at the far end: the embedded API server ---- */

static void on_head(void *ctx, int status, const char *content_type, int retry_after_s) {
    link_head(ctx, status, content_type, retry_after_s, NULL);
}

static void on_body(void *ctx, struct slice data) {
    link_body(ctx, data);
}

static void on_end(void *ctx, bool cut) {
    struct link *l = ctx;
    l->x = NULL;
    l->sim_done = true;
    link_end(l, cut);
}

static size_t on_unsent(void *ctx) {
    return ((struct link *)ctx)->unread;
}

static void ask_sim(struct link *l) {
    static const struct sim_cb cb = {.head = on_head, .body = on_body, .end = on_end, .unsent = on_unsent};
    struct sim *sim = l->server->sim;
    sim_advance(sim, l->sw->now + l->server->offset_ns);
    struct sim_request rq = {
        .method = slice_of(l->method),
        .target = slice_of(l->target),
        .content_type = http_headers_get(&l->headers, "content-type"),
        .accept = http_headers_get(&l->headers, "accept"),
        .authorization = http_headers_get(&l->headers, "authorization"),
        .user_agent = http_headers_get(&l->headers, "user-agent"),
        .body = slice_make(l->body, l->nbody),
    };
    struct sim_exchange *x = sim_handle(sim, &rq, &cb, l);
    if (!l->sim_done) l->x = x;
    if (l->x && !l->req) /* nobody listens; slow work is still done */
        ev_at(l->sw, &l->leave, l->sw->now + NS_PER_S, EV_ANY);
}

static void ask_pod(struct link *l) {
    struct sim *sim = l->server->sim;
    int64_t delay = 0;
    sim_advance(sim, l->sw->now + l->server->offset_ns);
    int r = sim_pod_get(sim, slice_of(l->address), l->port, slice_of(l->target), &l->late_status,
                        &l->late_type, &delay, &l->late_body);
    if (r < 0) {
        link_break(l, r, r == -ECONNREFUSED ? "connection refused" : "no route to host");
        return;
    }
    ev_at(l->sw, &l->late, l->sw->now + delay, EV_ANY);
}

static void late_answer(struct ev *e) {
    struct link *l = container_of(e, struct link, late);
    link_head(l, l->late_status, l->late_type, -1, NULL);
    link_body(l, buf_slice(&l->late_body));
    link_end(l, false);
    tidy(l);
}

static void arrive(struct ev *e) {
    struct link *l = container_of(e, struct link, up);
    if (net_blocked(l->sw, l->from->name, l->to)) {
        l->up_waits = true;
        return;
    }
    l->arrived = true;
    l->sw->stats.executed++;
    tell(l, true);
    trace(l->sw, NULL, "%s takes %s %s", l->to, l->method, l->target);
    if (l->kind == TO_SIM)
        ask_sim(l);
    else if (l->kind == TO_POD)
        ask_pod(l);
    else
        listener_arrive(l);
    tidy(l);
}

/* ---- leaving, breaking, stalling ---- */

static void left(struct ev *e) {
    struct link *l = container_of(e, struct link, leave);
    struct sim_exchange *x = l->x;
    l->x = NULL;
    if (x) sim_leave(x);
    if (l->hx) listener_left(l);
    tidy(l);
}

void link_abandon(struct link *l) {
    l->req = NULL;
    drop_messages(l);
    ev_cancel(l->sw, &l->dead);
    bool blocked = l->stalled || net_blocked(l->sw, l->from->name, l->to);
    int64_t at =
        blocked ? l->sw->dead_after_ns : net_latency(l->sw, net_between(l->sw, l->from->name, l->to));
    if (ev_pending(&l->up) && l->up.at > l->sw->now + at)
        at = l->up.at - l->sw->now; /* not before the request itself */
    if (l->up_waits) { /* the bytes are still in its machine, which drops them with the connection */
        l->up_waits = false;
        ev_cancel(l->sw, &l->up);
    }
    ev_at(l->sw, &l->leave, l->sw->now + at, EV_ANY);
}

void link_break(struct link *l, int neg_errno, const char *why) {
    struct req *r = l->req;
    l->req = NULL;
    drop_messages(l);
    ev_cancel(l->sw, &l->dead);
    ev_cancel(l->sw, &l->late);
    if (ev_pending(&l->up) && net_chance(l->sw, 0.5)) ev_cancel(l->sw, &l->up);
    l->up_waits = false;
    if (r) client_broken(r, neg_errno, why);
    ev_at(l->sw, &l->leave, ev_pending(&l->up) ? l->up.at : l->sw->now, EV_ANY);
}

static void died(struct ev *e) {
    struct link *l = container_of(e, struct link, dead);
    bool silent = l->stalled || l->loss != LOSS_RESET;
    link_break(l, silent ? -ETIMEDOUT : -ECONNRESET,
               silent ? "connection timed out" : "connection reset by peer");
}

void link_stall(struct link *l) {
    if (l->stalled) return;
    l->stalled = true;
    if (!ev_pending(&l->dead)) ev_at(l->sw, &l->dead, l->sw->now + l->sw->dead_after_ns, EV_ANY);
}

void link_resume(struct link *l) {
    if (!l->stalled) return;
    l->stalled = false;
    if (!l->mute || l->arrived) ev_cancel(l->sw, &l->dead);
    if (l->up_waits) { /* sent again */
        l->up_waits = false;
        ev_at(l->sw, &l->up, l->sw->now + net_latency(l->sw, net_between(l->sw, l->from->name, l->to)),
              EV_ANY);
    }
    if (l->req) client_ready(l->req);
}

/* ---- the answer ---- */

static struct msg *push(struct link *l, enum msg_type type) {
    struct msg *m = xcalloc(1, sizeof *m);
    m->type = type;
    int64_t at = l->sw->now + net_latency(l->sw, net_between(l->sw, l->from->name, l->to));
    m->at = l->last_at = at > l->last_at ? at : l->last_at; /* one stream: in order */
    list_push(&l->down, &m->link);
    if (l->down.next == &m->link) client_ready(l->req);
    return m;
}

static bool deaf(const struct link *l) {
    return !l->req || l->mute || l->answered;
}

void link_head(struct link *l, int status, const char *content_type, int retry_after_s,
               const struct http_headers *extra) {
    if (l->mute && l->req && !ev_pending(&l->dead)) lose(l);
    if (deaf(l)) return;
    struct msg *m = push(l, MSG_HEAD);
    m->status = status;
    cleanup_buf struct buf text = BUF((size_t)1 << 20);
    char retry[16] = "";
    if (retry_after_s >= 0) (void)snprintf(retry, sizeof retry, "%d", retry_after_s);
    (void)buf_addf(&text, "%s%s", content_type ? content_type : "", retry);
    for (size_t i = 0; extra && i < extra->n; i++) {
        (void)buf_add(&text, extra->v[i].name);
        (void)buf_add(&text, extra->v[i].value);
    }
    (void)buf_addc(&text, ' '); /* never NULL */
    m->data = buf_take(&text);
    const char *p = m->data;
    size_t n = content_type ? strlen(content_type) : 0;
    if (n > 0) (void)http_headers_add(&m->headers, SL("Content-Type"), slice_make(p, n));
    p += n;
    if (*retry) (void)http_headers_add(&m->headers, SL("Retry-After"), slice_make(p, strlen(retry)));
    p += strlen(retry);
    for (size_t i = 0; extra && i < extra->n; i++) {
        size_t a = extra->v[i].name.n, b = extra->v[i].value.n;
        (void)http_headers_add(&m->headers, slice_make(p, a), slice_make(p + a, b));
        p += a + b;
    }
}

static void finish(struct link *l, bool cut) {
    if (!deaf(l)) (void)push(l, cut ? MSG_CUT : MSG_END);
    l->answered = true;
}

void link_body(struct link *l, struct slice data) {
    if (deaf(l) || data.n == 0) return;
    bool cut = data.n > l->cut_at || l->sent > l->cut_at - data.n;
    if (cut) data.n = l->cut_at - l->sent;
    if (data.n > 0) {
        struct msg *m = push(l, MSG_BODY);
        m->data = dup_bytes(data.p, data.n);
        m->n = data.n;
        l->sent += data.n;
        l->unread += data.n;
    }
    if (!cut) return;
    l->sw->stats.cut++;
    finish(l, true);
    ev_at(l->sw, &l->leave, l->sw->now, EV_ANY); /* the far end sees it too */
}

void link_end(struct link *l, bool cut) {
    finish(l, cut);
}

int64_t link_next(const struct link *l) {
    if (l->stalled || list_empty(&l->down)) return TIME_NEVER;
    return container_of(l->down.next, struct msg, link)->at;
}

struct msg *link_take(struct link *l) {
    if (list_empty(&l->down)) return NULL;
    struct msg *m = container_of(l->down.next, struct msg, link);
    list_remove(&m->link);
    l->unread -= m->n;
    if (l->hx) listener_read(l);
    return m;
}
