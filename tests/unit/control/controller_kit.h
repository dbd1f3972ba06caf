/* What the tests of the controller share: a controller in a fake world, whose reconciles end when a test says
 * so. */
#ifndef TEST_CONTROLLER_KIT_H
#define TEST_CONTROLLER_KIT_H
#include "../case.h"
#include "control/controller.h"
#include "simworld/alone.h"

#define MS(n) ((n)*NS_PER_MS)

/* A reconciler that leaves its tasks open until the test ends them, or ends them inside start() as it is
 * told. */
struct fixture {
    struct alone alone;
    struct metrics *m;
    struct controller *c;
    struct task *open[128];
    size_t nopen, started, cancelled, idle;
    bool at_once, cancel_ends;
    enum outcome outcome;
    struct err err;
    char last[64];
};

static inline void on_start(void *self, struct slice key, struct task *t) {
    struct fixture *f = self;
    assert_true(slice_eq(key, task_key(t)));
    snprintf(f->last, sizeof f->last, "%.*s", SLF(key));
    f->started++;
    if (f->at_once) {
        task_finish(t, f->outcome, 0, f->err.kind ? &f->err : NULL);
        return;
    }
    assert_true(f->nopen < ARRAY_LEN(f->open));
    task_set_data(t, f);
    f->open[f->nopen++] = t;
}

static inline void end(struct fixture *f, size_t i, enum outcome out, int64_t after_ns,
                       const struct err *err) {
    struct task *t = f->open[i];
    assert_ptr_equal(task_data(t), f);
    memmove(&f->open[i], &f->open[i + 1], (f->nopen - i - 1) * sizeof(struct task *));
    f->nopen--;
    task_finish(t, out, after_ns, err);
}

static inline void on_cancel(void *self, struct task *t) {
    struct fixture *f = self;
    f->cancelled++;
    assert_true(task_cancelled(t));
    for (size_t i = 0; i < f->nopen && f->cancel_ends; i++) {
        if (f->open[i] != t) continue;
        end(f, i, OUT_INTERRUPTED, 0, NULL);
        return;
    }
}

static const struct reconciler reconciler = {on_start, on_cancel};

static const struct controller_limits limits = {.queue = {.base_ns = NS_PER_MS, .jitter = -1, .rate = -1},
                                                .workers = 2};

static inline int setup_with(void **state, const struct controller_limits *lim) {
    struct fixture *f = xcalloc(1, sizeof *f);
    alone_init(&f->alone, 1);
    f->m = metrics_new(100);
    f->c = controller_new(f->alone.w, NULL, f->m, "target", &reconciler, f, lim);
    *state = f;
    return 0;
}

static inline int setup(void **state) {
    return setup_with(state, &limits);
}

static inline int teardown(void **state) {
    struct fixture *f = *state;
    controller_free(f->c);
    metrics_free(f->m);
    alone_free(&f->alone);
    free(f);
    return 0;
}

static inline void add(struct fixture *f, const char *key) {
    controller_add(f->c, slice_of(key), PRIO_NORMAL, 0);
}

static inline void run_ms(struct fixture *f, int64_t ms) {
    simworld_run(f->alone.sw, MS(ms));
}

static inline bool has_line(struct fixture *f, const char *line) {
    cleanup_buf struct buf page = BUF(1 << 20);
    assert_int_equal(metrics_write(f->m, &page), 0);
    cleanup_free char *want = xasprintf("\n%s\n", line);
    bool found = strstr(buf_str(&page), want);
    return found;
}

static inline void metric_is(struct fixture *f, const char *line) {
    if (has_line(f, line)) return;
    cleanup_buf struct buf page = BUF(1 << 20);
    metrics_write(f->m, &page);
    print_error("no line \"%s\" in\n%s", line, buf_str(&page));
    fail();
}

static inline bool is_open(void *ctx) {
    return ((struct fixture *)ctx)->nopen > 0;
}

/* Fails "a" once; ms until it is started again, -1 if it is not within ten minutes. */
static inline int64_t fail_with(struct fixture *f, enum err_kind kind, int64_t retry_after_ms) {
    struct err e = {.kind = kind, .errnum = -EIO, .retry_after_ms = retry_after_ms, .msg = "broken"};
    if (!f->nopen) {
        add(f, "a");
        run_ms(f, 0);
    }
    int64_t from = world_boot_ns(f->alone.w);
    end(f, 0, OUT_RETRY, 0, kind == ERR_NONE ? NULL : &e);
    simworld_run_until(f->alone.sw, is_open, f, 600 * NS_PER_S);
    return f->nopen ? (world_boot_ns(f->alone.w) - from) / NS_PER_MS : -1;
}

/* With a fixture f of its own, made by setup(). */
#define FIXTURE_CASE(name)                                                                                   \
    static void with_##name(struct fixture *f);                                                              \
    CASE(name) {                                                                                             \
        void *f;                                                                                             \
        setup(&f);                                                                                           \
        with_##name(f);                                                                                      \
        teardown(&f);                                                                                        \
    }                                                                                                        \
    static void with_##name(struct fixture *f)
#endif
