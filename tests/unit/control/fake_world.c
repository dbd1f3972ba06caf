/* The world for unit tests. */
#include "fake_world.h"
#include "base/list.h"
#include <stdio.h>

struct fake_timer {
    struct timer base;
    struct list link; /* in fake_world.timers */
    int64_t at;
    uint64_t seq;
    world_fn fn;
    void *ctx;
    bool once; /* a deferred call */
};

static struct fake_world *of(struct world *w) {
    return container_of(w, struct fake_world, base);
}

static int64_t now(struct world *w) {
    return of(w)->now_ns;
}

static int64_t wall(struct world *w) {
    return of(w)->now_ns + of(w)->wall_off_ns;
}

static uint64_t next_rand(struct world *w) {
    return rng_next(&of(w)->rng);
}

static const char *env(struct world *w, const char *name) {
    return of(w)->env_name && strcmp(of(w)->env_name, name) == 0 ? of(w)->env_value : NULL;
}

static void fake_at(struct timer *t, int64_t at) {
    struct fake_timer *f = container_of(t, struct fake_timer, base);
    f->at = at;
    f->seq = of(t->world)->seq++;
}

static void fake_free(struct timer *t) {
    struct fake_timer *f = container_of(t, struct fake_timer, base);
    list_remove(&f->link);
    free(f);
}

static bool fake_active(const struct timer *t) {
    return container_of(t, struct fake_timer, base)->at != TIME_NEVER;
}

static struct timer *fake_timer_new(struct world *w, world_fn fn, void *ctx) {
    static const struct timer_ops ops = {fake_at, fake_free, fake_active};
    struct fake_timer *f = xcalloc(1, sizeof *f);
    *f = (struct fake_timer){.base = {&ops, w}, .at = TIME_NEVER, .fn = fn, .ctx = ctx};
    list_push(&of(w)->timers, &f->link);
    return &f->base;
}

static void fake_defer(struct world *w, world_fn fn, void *ctx) {
    struct timer *t = fake_timer_new(w, fn, ctx);
    container_of(t, struct fake_timer, base)->once = true;
    timer_at(t, of(w)->now_ns);
}

struct fake_listener {
    struct http_listener base;
    struct fake_world *fw;
};

static int fake_port(const struct http_listener *l) {
    (void)l;
    return 8080;
}

static void fake_close(struct http_listener *l) {
    struct fake_listener *f = container_of(l, struct fake_listener, base);
    f->fw->listening = false;
    free(f);
}

static int fake_listen(struct world *w, const char *addr, const struct http_limits *lim, http_handler fn,
                       void *ctx, struct http_listener **ret, struct err *err) {
    struct fake_world *fw = of(w);
    (void)lim;
    if (fw->listen_error) return err_set(err, ERR_CONFIG, fw->listen_error, "cannot listen on %s", addr);
    struct fake_listener *l = xcalloc(1, sizeof *l);
    *l = (struct fake_listener){.base = {fake_port, fake_close}, .fw = fw};
    fw->handler = fn;
    fw->handler_ctx = ctx;
    fw->listening = true;
    *ret = &l->base;
    return 0;
}

void fake_world_init(struct fake_world *fw, uint64_t seed) {
    static const struct world_ops ops = {
        .mono = now,
        .boot = now,
        .wall = wall,
        .rand = next_rand,
        .getenv = env,
        .defer = fake_defer,
        .timer_new = fake_timer_new,
        .http_listen = fake_listen,
    };
    *fw = (struct fake_world){
        .base = {&ops}, .now_ns = 1000 * NS_PER_S, .wall_off_ns = 1700000000 * NS_PER_S, .rng = {seed}};
    list_init(&fw->timers);
}

void fake_world_check(struct fake_world *fw) {
    if (list_empty(&fw->timers)) return;
    fprintf(stderr, "a timer was not freed\n");
    abort();
}

bool fake_world_step(struct fake_world *fw, int64_t until_ns) {
    struct fake_timer *first = NULL;
    list_each(it, &fw->timers) {
        struct fake_timer *f = container_of(it, struct fake_timer, link);
        if (f->at == TIME_NEVER || f->at > until_ns) continue;
        if (!first || f->at < first->at || (f->at == first->at && f->seq < first->seq)) first = f;
    }
    if (!first) return false;
    if (first->at > fw->now_ns) fw->now_ns = first->at;
    first->at = TIME_NEVER;
    world_fn fn = first->fn;
    void *ctx = first->ctx;
    if (first->once) timer_free(&first->base);
    fn(ctx);
    return true;
}

void fake_world_run(struct fake_world *fw, int64_t until_ns) {
    while (fake_world_step(fw, until_ns)) continue;
    fw->now_ns = until_ns;
}

/* ---- HTTP ---- */

static struct fake_answer *answer_of(struct http_exchange *x) {
    return container_of(x, struct fake_answer, x);
}

static void note_header(struct fake_answer *a, const struct http_header *h) {
    buf_addf(&a->raw, "%.*s: %.*s\n", SLF(h->name), SLF(h->value));
    char *into = http_name_eq(h->name, SL("Content-Encoding")) ? a->encoding
                 : http_name_eq(h->name, SL("Vary"))           ? a->vary
                                                               : NULL;
    if (into) snprintf(into, sizeof a->vary, "%.*s", SLF(h->value));
}

static void x_begin(struct http_exchange *x, int status, const char *type, const struct http_headers *extra) {
    struct fake_answer *a = answer_of(x);
    if (a->begun) abort(); /* answered twice */
    a->begun = true;
    a->status = status;
    snprintf(a->content_type, sizeof a->content_type, "%s", type ? type : "");
    for (size_t i = 0; extra && i < extra->n; i++) note_header(a, &extra->v[i]);
}

static void x_send(struct http_exchange *x, struct slice data) {
    struct fake_answer *a = answer_of(x);
    if (!a->begun || a->ended || a->aborted) abort();
    buf_add(&a->body, data);
}

static void x_end(struct http_exchange *x) {
    struct fake_answer *a = answer_of(x);
    if (!a->begun || a->ended || a->aborted) abort();
    a->ended = true;
}

static void x_reply(struct http_exchange *x, int status, const char *type, struct slice body) {
    x_begin(x, status, type, NULL);
    x_send(x, body);
    x_end(x);
}

static void x_abort(struct http_exchange *x) {
    answer_of(x)->aborted = true;
}

static void x_on_gone(struct http_exchange *x, world_fn fn, void *ctx) {
    (void)x, (void)fn, (void)ctx;
}

void fake_request(struct fake_world *fw, struct fake_answer *a, const char *method, const char *target,
                  const struct http_headers *h) {
    static const struct http_x_ops ops = {x_reply, x_begin, x_send, x_end, x_abort, x_on_gone};
    *a = (struct fake_answer){.body = BUF(64 << 20), .raw = BUF(65536)};
    a->x.ops = &ops;
    a->x.method = slice_of(method);
    a->x.target = slice_of(target);
    if (h) a->x.headers = *h;
    fw->handler(fw->handler_ctx, &a->x);
}

void fake_answer_free(struct fake_answer *a) {
    buf_free(&a->body);
    buf_free(&a->raw);
}
