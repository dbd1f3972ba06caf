/* A lane: one libcurl multi handle with connections of its own, driven by libuv through the multi-socket
 * interface.
 *
 * Two rules keep it simple. libcurl is never called inside one of its callbacks: what a callback wants to
 * change goes to todo and is done in the next turn. And a timeout of 0 ms is an idle handle, not a timer:
 * uv_timer_start(0) inside a timer callback runs again in the same iteration and starves I/O, and 1 ms
 * instead costs each request a millisecond. */
#include "net_impl.h"

struct sock {
    uv_poll_t poll;
    struct lane *lane;
    curl_socket_t fd;
    int events;
    int flags;         /* as of curl_multi_socket_action(), while in ready */
    struct list ready; /* in lane.ready */
};

/* One turn of a lane whose peers are not trusted. What is parsed in libcurl's callbacks costs up to 0.1 us a
 * byte, so this keeps a turn near a millisecond. An action counts for ACTION bytes more than it brings. */
enum { SCRAPE_BUDGET = 16 * 1024, ACTION = 512 };

static void turn(uv_idle_t *handle);
static void on_ready(uv_poll_t *handle, int status, int events);

static void want_turn(struct lane *l) {
    if (!uv_is_active((uv_handle_t *)&l->idle)) uv_idle_start(&l->idle, turn);
}

void lane_todo(struct request *r) {
    list_remove(&r->todo);
    list_push(&r->lane->todo, &r->todo);
    want_turn(r->lane);
}

bool lane_http2(const struct lane *l) {
    return l->id == LANE_CALL || l->id == LANE_URGENT;
}

bool lane_spent(const struct lane *l) {
    return l->budget && l->handled >= l->budget;
}

/* After each action: a message that is left in the queue would be a request that never ends. */
static void drain(struct lane *l) {
    CURLMsg *m;
    int left;
    while ((m = curl_multi_info_read(l->multi, &left))) {
        if (m->msg != CURLMSG_DONE) continue;
        struct request *r = NULL;
        CURLcode rc = m->data.result; /* m is gone once the handle is removed */
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &r);
        request_finished(r, rc);
    }
}

static void act(struct lane *l, curl_socket_t fd, int flags) {
    int running;
    l->handled += ACTION;
    curl_multi_socket_action(l->multi, fd, flags, &running);
    drain(l);
}

/* Watches the socket as libcurl wants it, unless it waits for its turn or is gone. */
static void watch(struct sock *s) {
    if (!uv_is_closing((uv_handle_t *)&s->poll) && list_empty(&s->ready))
        uv_poll_start(&s->poll, s->events, on_ready);
}

/* Sockets in the order in which they became ready, up to the budget. What is not read stays in the kernel, and its
 * sender waits. */
static void serve_ready(struct lane *l) {
    while (!list_empty(&l->ready) && !lane_spent(l)) {
        struct sock *s = container_of(l->ready.next, struct sock, ready);
        list_remove(&s->ready);
        act(l, s->fd, s->flags);
        watch(s); /* closed by now, it is freed in a later iteration of the loop */
    }
}

/* As many as there are now: what they ask for in turn is for the next turn. */
static void work_todo(struct lane *l) {
    size_t n = 0;
    list_each(it, &l->todo) n++;
    while (n-- > 0 && !list_empty(&l->todo) && !lane_spent(l)) {
        struct request *r = container_of(l->todo.next, struct request, todo);
        list_remove(&r->todo);
        request_work(r);
    }
}

static void turn(uv_idle_t *handle) {
    struct lane *l = handle->data;
    l->handled = 0;
    l->ready_first = !l->ready_first; /* either may use up the turn, so they take the first place in turns */
    if (l->ready_first) serve_ready(l);

    work_todo(l);
    if (l->expired) {
        l->expired = false;
        act(l, CURL_SOCKET_TIMEOUT, 0);
    } else {
        drain(l);
    }
    serve_ready(l);
    if (!l->expired && list_empty(&l->todo) && list_empty(&l->ready)) uv_idle_stop(&l->idle);
}

static void on_timer(void *ctx) {
    act(ctx, CURL_SOCKET_TIMEOUT, 0);
}

static int on_curl_timer(CURLM *multi, long ms, void *ctx) {
    struct lane *l = ctx;
    (void)multi;
    l->expired = ms == 0;
    if (ms > 0) {
        timer_in(l->timer, ms * NS_PER_MS);
    } else {
        timer_stop(l->timer);
    }
    if (l->expired) want_turn(l);
    return 0;
}

/* libuv stops watching a socket with an error on it. libcurl gets it as ready, so that it reads the
 * error itself: with an error flag it would only know that there is one. */
static void on_ready(uv_poll_t *handle, int status, int events) {
    struct sock *s = handle->data;
    int flags = status < 0 ? CURL_CSELECT_IN | CURL_CSELECT_OUT : 0;
    if (events & UV_READABLE) flags |= CURL_CSELECT_IN;
    if (events & UV_WRITABLE) flags |= CURL_CSELECT_OUT;
    if (s->lane->budget) {
        uv_poll_stop(handle);
        s->flags = flags;
        list_push(&s->lane->ready, &s->ready);
        want_turn(s->lane);
        return;
    }
    act(s->lane, s->fd, flags);
    if (!uv_is_active((uv_handle_t *)handle)) watch(s);
}

static void free_sock(uv_handle_t *handle) {
    free(handle->data);
}

static int on_curl_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *socket_ctx) {
    struct lane *l = ctx;
    struct sock *s = socket_ctx;
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (s) list_remove(&s->ready);
        if (s) uv_close((uv_handle_t *)&s->poll, free_sock);
        curl_multi_assign(l->multi, fd, NULL);
        return 0;
    }
    if (!s) {
        s = xcalloc(1, sizeof *s);
        s->lane = l;
        s->fd = fd;
        list_init(&s->ready);
        s->poll.data = s;
        if (uv_poll_init(loop_uv(l->net->loop), &s->poll, fd) < 0)
            abort(); /* an open socket that epoll does not know yet */
        curl_multi_assign(l->multi, fd, s);
    }
    s->events = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
    watch(s);
    return 0;
}

void lane_init(struct net *n, struct lane *l, enum http_lane id) {
    /* kept: connections in the cache, idle ones closed first. per_host, total: open at once, further requests
     * wait. */
    static const struct {
        long kept, per_host, total;
        size_t budget;
    } limits[LANE_COUNT] = {
        [LANE_LEASE] = {.kept = 2},                 /* nothing may ever wait here */
        [LANE_WATCH] = {.kept = 16},                /* a connection for each watch */
        [LANE_CALL] = {.kept = 8, .per_host = 16},  /* HTTP/2: 100 streams each; above, curl opens more */
        [LANE_URGENT] = {.kept = 8, .per_host = 8}, /* a new connection costs as much as the request */
        [LANE_SCRAPE] = {.kept = 8,
                         .total = 32,
                         .budget = SCRAPE_BUDGET}, /* hundreds of pods, each asked now and then */
        [LANE_CHECK] = {.kept = 4, .total = 16, .budget = SCRAPE_BUDGET},
    };
    *l = (struct lane){.net = n, .id = id, .budget = limits[id].budget};
    list_init(&l->ready);
    list_init(&l->todo);
    list_init(&l->requests);
    l->timer = timer_new(n->world, on_timer, l);
    uv_idle_init(loop_uv(n->loop), &l->idle);
    l->idle.data = l;
    n->handles++;
    l->multi = curl_multi_init();
    if (!l->multi) abort();
    curl_multi_setopt(l->multi, CURLMOPT_SOCKETFUNCTION, on_curl_socket);
    curl_multi_setopt(l->multi, CURLMOPT_SOCKETDATA, l);
    curl_multi_setopt(l->multi, CURLMOPT_TIMERFUNCTION, on_curl_timer);
    curl_multi_setopt(l->multi, CURLMOPT_TIMERDATA, l);
    curl_multi_setopt(l->multi, CURLMOPT_MAXCONNECTS, limits[id].kept);
    curl_multi_setopt(l->multi, CURLMOPT_MAX_HOST_CONNECTIONS, limits[id].per_host);
    curl_multi_setopt(l->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, limits[id].total);
    curl_multi_setopt(l->multi, CURLMOPT_PIPELINING, lane_http2(l) ? CURLPIPE_MULTIPLEX : CURLPIPE_NOTHING);
}

void lane_close(struct lane *l) {
    list_each_safe(it, tmp, &l->requests) request_free(container_of(it, struct request, node));
    curl_multi_cleanup(l->multi); /* closes the connections, and with them the sockets' handles */
    timer_free(l->timer);
    l->idle.data = l->net;
}
