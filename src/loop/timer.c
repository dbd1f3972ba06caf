/* Timers: one timerfd on CLOCK_BOOTTIME for all of them, the next instant from a heap. libuv's own timers
 * count CLOCK_MONOTONIC, which stands still while the machine is suspended; a lease does not. */
#include "loop_impl.h"
#include <sys/timerfd.h>
#include <unistd.h>

struct loop_timer {
    struct timer base;
    struct heap_node node; /* in loop.timers while it waits */
    struct list due;       /* in loop.due from the moment it is due until its call */
    int64_t at;
    uint64_t seq;
    world_fn fn;
    void *ctx;
};

static bool before(const struct heap_node *a, const struct heap_node *b) {
    const struct loop_timer *x = container_of(a, struct loop_timer, node),
                            *y = container_of(b, struct loop_timer, node);
    return x->at != y->at ? x->at < y->at : x->seq < y->seq;
}

static struct loop *loop_of_timer(const struct loop_timer *t) {
    return loop_from(t->base.world);
}

static void timer_set(struct timer *base, int64_t at) {
    struct loop_timer *t = container_of(base, struct loop_timer, base);
    struct loop *l = loop_of_timer(t);
    list_remove(&t->due);
    heap_remove(&l->timers, &t->node);
    if (at == TIME_NEVER) return;
    t->at = at;
    t->seq = l->timer_seq++;
    heap_insert(&l->timers, &t->node);
}

static void timer_destroy(struct timer *base) {
    timer_set(base, TIME_NEVER);
    free(container_of(base, struct loop_timer, base));
}

static bool timer_is_active(const struct timer *base) {
    const struct loop_timer *t = container_of(base, struct loop_timer, base);
    return t->node.pos != 0 || !list_empty(&t->due);
}

struct timer *loop_timer_new(struct world *w, world_fn fn, void *ctx) {
    static const struct timer_ops ops = {timer_set, timer_destroy, timer_is_active};
    struct loop_timer *t = xcalloc(1, sizeof *t);
    t->base = (struct timer){&ops, w};
    list_init(&t->due);
    t->fn = fn;
    t->ctx = ctx;
    return &t->base;
}

/* All that is due moves to a list first: a timer that is set again to a past instant in a callback waits for
 * the next round, after the I/O of this one, and one that is moved or freed by an earlier callback leaves the
 * list. */
static void fire(uv_poll_t *handle, int status, int events) {
    struct loop *l = handle->data;
    uint64_t expirations;
    (void)status, (void)events;
    if (read(l->timer_fd, &expirations, sizeof expirations) == (ssize_t)sizeof expirations)
        l->armed = TIME_NEVER;
    int64_t now = world_boot_ns(&l->world);
    for (struct heap_node *n = heap_min(&l->timers); n; n = heap_min(&l->timers)) {
        struct loop_timer *t = container_of(n, struct loop_timer, node);
        if (t->at > now) break;
        heap_remove(&l->timers, n);
        list_push(&l->due, &t->due);
    }
    while (!list_empty(&l->due)) {
        struct loop_timer *t = container_of(l->due.next, struct loop_timer, due);
        list_remove(&t->due);
        t->fn(t->ctx); /* may free t */
    }
}

/* Before the loop sleeps. An instant later than the armed one is left alone: waking once for nothing is
 * cheaper than a system call each time that a deadline is pushed back. */
static void arm(uv_prepare_t *handle) {
    struct loop *l = handle->data;
    struct heap_node *n = heap_min(&l->timers);
    if (!n) return;
    int64_t at = container_of(n, struct loop_timer, node)->at;
    if (at >= l->armed) return;
    int64_t when = at < 1 ? 1 : at; /* zero would disarm it */
    struct itimerspec spec = {.it_value = {.tv_sec = when / NS_PER_S, .tv_nsec = when % NS_PER_S}};
    if (timerfd_settime(l->timer_fd, TFD_TIMER_ABSTIME, &spec, NULL) < 0) abort();
    l->armed = at;
}

void loop_timers_init(struct loop *l) {
    heap_init(&l->timers, before);
    list_init(&l->due);
    l->armed = TIME_NEVER;
    l->timer_fd = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
    if (l->timer_fd < 0) abort();
    if (uv_poll_init(&l->uv, &l->timer_poll, l->timer_fd) < 0) abort();
    l->timer_poll.data = l;
    uv_poll_start(&l->timer_poll, UV_READABLE, fire);
    uv_prepare_init(&l->uv, &l->prepare);
    l->prepare.data = l;
    uv_prepare_start(&l->prepare, arm);
}

static void close_fd(uv_handle_t *handle) {
    struct loop *l = handle->data;
    close(l->timer_fd);
}

void loop_timers_close(struct loop *l) {
    uv_close((uv_handle_t *)&l->prepare, NULL);
    uv_close((uv_handle_t *)&l->timer_poll, close_fd);
    heap_free(&l->timers);
}
