/* What the tests of the controller share: a controller in a fake world, whose reconciles end when a test says
 * so. */
#ifndef TEST_CONTROLLER_KIT_H
#define TEST_CONTROLLER_KIT_H
#include "../case.h"
#include "../each.h"
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
    struct buf names; /* of those started, "a b " */
};

static inline void on_start(void *self, struct slice key, struct task *t) {
    struct fixture *f = self;
    assert_true(slice_eq(key, task_key(t)));
    buf_addf(&f->names, "%.*s ", SLF(key));
    f->started++;
    if (f->at_once) {
        task_finish(t, f->outcome, 0, NULL);
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

static inline void setup(struct fixture *f, const struct controller_limits *lim, struct log *log) {
    *f = (struct fixture){.m = metrics_new(100), .names = BUF(1 << 20)};
    alone_init(&f->alone, 1);
    f->c = controller_new(f->alone.w, log, f->m, "target", &reconciler, f, lim);
}

static inline void teardown(struct fixture *f) {
    controller_free(f->c);
    metrics_free(f->m);
    alone_free(&f->alone);
    buf_free(&f->names);
}

/* Keys, with a blank between. */
static inline void add(struct fixture *f, const char *keys) {
    for (struct slice key, rest = slice_of(keys); rest.n;) {
        slice_cut(rest, ' ', &key, &rest);
        controller_add(f->c, key, PRIO_NORMAL, 0);
    }
}

static inline void run_ms(struct fixture *f, int64_t ms) {
    simworld_run(f->alone.sw, MS(ms));
}

/* The gate opens for these keys; what can start has. */
static inline void work_on(struct fixture *f, const char *keys) {
    controller_gate(f->c, true);
    add(f, keys);
    run_ms(f, 0);
}

/* The first of the open ones ends well; so many are open on the next turn. */
static inline void finish(struct fixture *f, size_t open) {
    end(f, 0, OUT_DONE, 0, NULL);
    run_ms(f, 0);
    assert_int_equal(f->nopen, open);
}

/* Lines of the metrics page, with '|' between: {} or {more} are the controller's label and more. */
static inline void metrics_are(struct fixture *f, const char *lines) {
    cleanup_buf struct buf page = BUF(1 << 20);
    assert_int_equal(metrics_write(f->m, &page), 0);
    each_of(line, lines) {
        struct slice name, rest;
        slice_cut(line, '{', &name, &rest);
        cleanup_free char *want = xasprintf("\n%.*s{%s='target'%s%.*s\n", SLF(name),
                                            memmem(name.p, name.n, "workqueue", 9) ? "name" : "controller",
                                            rest.p[0] == '}' ? "" : ",", SLF(rest));
        if (!strstr(buf_str(&page), quoted(want))) fail_msg("no line \"%s\" in\n%s", want, buf_str(&page));
    }
}

static inline bool is_open(void *ctx) {
    return ((struct fixture *)ctx)->nopen > 0;
}

/* Fails "a" once; ms until it is started again, -1 if it is not within ten minutes. */
static inline int64_t fail_with(struct fixture *f, enum err_kind kind, int64_t retry_after_ms) {
    struct err e = {.kind = kind, .errnum = -EIO, .retry_after_ms = retry_after_ms, .msg = "broken"};
    if (!f->nopen) work_on(f, "a");
    int64_t from = world_boot_ns(f->alone.w);
    end(f, 0, OUT_RETRY, 0, kind == ERR_NONE ? NULL : &e);
    simworld_run_until(f->alone.sw, is_open, f, 600 * NS_PER_S);
    return f->nopen ? (world_boot_ns(f->alone.w) - from) / NS_PER_MS : -1;
}

/* With a fixture f of its own, under these limits. */
#define LIMITED_CASE(name, ...)                                                                              \
    static void with_##name(struct fixture *f);                                                              \
    CASE(name) {                                                                                             \
        struct fixture f;                                                                                    \
        setup(&f, &(struct controller_limits){__VA_ARGS__}, NULL);                                           \
        with_##name(&f);                                                                                     \
        teardown(&f);                                                                                        \
    }                                                                                                        \
    static void with_##name(struct fixture *f)
#define PLAIN                                                                                                \
    { .base_ns = NS_PER_MS, .jitter = -1, .rate = -1 }
#define FIXTURE_CASE(name) LIMITED_CASE(name, .queue = PLAIN, .workers = 2)
#endif
