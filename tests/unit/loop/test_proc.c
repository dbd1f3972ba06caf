/* Processes: exit codes, output, caps, deadlines, environment, cancelling, what cannot be run. */
#include "loop_kit.h"
#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <unistd.h>

struct fixture {
    struct loop *l;
    struct world *w;
    int calls, code;
    struct err err;
    struct buf out, errout;
    struct timer *timer;
    struct proc *proc;
};

static void setup(struct fixture *f) {
    *f = (struct fixture){.l = loop_new()};
    f->w = loop_world(f->l);
    buf_init(&f->out, 1 << 20);
    buf_init(&f->errout, 1 << 20);
}

static void teardown(struct fixture *f) {
    timer_free(f->timer);
    loop_free(f->l);
    buf_free(&f->out);
    buf_free(&f->errout);
}

static void done(void *ctx, const struct err *err, int code, struct slice out, struct slice errout) {
    struct fixture *f = ctx;
    f->calls++;
    f->code = code;
    if (err) f->err = *err;
    buf_add(&f->out, out);
    buf_add(&f->errout, errout);
    loop_stop(f->l);
}

static int try(struct fixture *f, const char *const *argv, const char *const *env, size_t cap,
               int64_t timeout) {
    struct spawn s = {.argv = argv, .env = env, .cap = cap, .timeout_ns = timeout, .done = done, .ctx = f};
    return world_spawn(f->w, &s, &f->proc, &f->err);
}

#define SH(script) ((const char *const[]){"sh", "-c", script, NULL})

static void run(struct fixture *f, const char *const *argv, const char *const *env, size_t cap,
                int64_t timeout) {
    assert_int_equal(try(f, argv, env, cap, timeout), 0);
    assert_int_equal(f->calls, 0); /* never inside the call */
    loop_run(f->l);
    assert_int_equal(f->calls, 1);
}

CASE(outputs_and_exit_codes) {
    static const char *const env[] = {"HANDOVER_B=theirs", "HANDOVER_C=x=y", NULL};
    static const struct {
        const char *argv[6];
        size_t cap;
        enum err_kind kind;
        int errnum, code;
        const char *out, *errout; /* NULL: so many bytes as the cap; whatever it is */
    } cases[] = {
#define SCRIPT(text) {"sh", "-c", text}
        {SCRIPT("echo out; echo err >&2; exit 7"), 100, 0, 0, 7, "out\n", "err\n"},
        {{"printf", "%s|", "$HOME `id`", "a b", ""},
         100,
         0,
         0,
         0,
         "$HOME `id`|a b||",
         ""},                            /* not interpreted */
        {{"cat"}, 100, 0, 0, 0, "", ""}, /* stdin is empty */
        {SCRIPT("echo hi > /dev/stdout"), 100, 0, 0, 0, "hi\n", ""},
        /* the environment is added to ours */
        {SCRIPT("echo $HANDOVER_A $HANDOVER_B $HANDOVER_C"), 100, 0, 0, 0, "ours theirs x=y\n", ""},
        {SCRIPT("while :; do echo 0123456789; done"), 1000, ERR_PROTOCOL, -EFBIG, 128 + SIGKILL, NULL, NULL},
        {SCRIPT("printf 12345"), 5, 0, 0, 0, "12345", ""},                    /* exactly the cap is fine */
        {SCRIPT("echo 0123456789 >&2; echo ok"), 4, 0, 0, 0, "ok\n", "0123"}, /* too much of it is cut */
        {SCRIPT("kill -TERM $$"), 100, 0, 0, 128 + SIGTERM, "", ""},
        /* The pipe is kept open by a process of another session, which nobody waits for. */
        {SCRIPT("setsid sleep 3 & echo left"), 100, 0, 0, 0, "left\n", ""},
    };
    setenv("HANDOVER_A", "ours", 1);
    setenv("HANDOVER_B", "ours", 1);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fixture f;
        setup(&f);
        print_message("%s %s\n", cases[i].argv[0], cases[i].argv[2] ? cases[i].argv[2] : "");
        run(&f, cases[i].argv, env, cases[i].cap, 30 * NS_PER_S);
        assert_int_equal(f.err.kind, cases[i].kind);
        assert_int_equal(f.err.errnum, cases[i].errnum);
        assert_int_equal(f.code, cases[i].code);
        if (cases[i].out) assert_string_equal(buf_str(&f.out), cases[i].out);
        if (!cases[i].out) assert_int_equal(f.out.n, cases[i].cap);
        if (cases[i].errout) assert_string_equal(buf_str(&f.errout), cases[i].errout);
        teardown(&f);
    }
}

/* Gone, or dead and not yet reaped by its new parent; a signal that was sent may take a moment to act.
 */
static bool dies(int pid) {
    int fd = pidfd_open(pid, 0);
    if (fd < 0) return errno == ESRCH;
    struct pollfd end = {.fd = fd, .events = POLLIN};
    bool dead = poll(&end, 1, 10000) == 1;
    close(fd);
    return dead;
}

LOOP_CASE(the_deadline_kills_the_whole_group) {
    run(f, SH("sleep 1000 & echo $!; sleep 1000; echo never"), NULL, 100, 200 * NS_PER_MS);
    int64_t pid = 0;
    assert_int_equal(slice_i64(slice_trim(buf_slice(&f->out)), &pid), 0);
    assert_true(dies((int)pid));
    assert_int_equal(f->err.kind, ERR_TIMEOUT);
    assert_int_equal(f->err.errnum, -ETIMEDOUT);
    assert_has(f->err.msg, "200ms");
    assert_int_equal(f->code, 128 + SIGKILL);
}

LOOP_CASE(what_cannot_be_run) {
    assert_int_equal(try(f, (const char *const[]){"no-such-program-here", NULL}, NULL, 10, NS_PER_S),
                     -ENOENT);
    assert_has(f->err.msg, "no-such-program-here");
    assert_int_equal(try(f, (const char *const[]){"/", NULL}, NULL, 10, NS_PER_S), -EACCES);
    assert_int_equal(try(f, (const char *const[]){NULL}, NULL, 10, NS_PER_S), -EINVAL);
    assert_null(f->proc);
    assert_int_equal(f->calls, 0);
}

static void cancel_now(void *ctx) {
    struct fixture *f = ctx;
    proc_cancel(f->proc);
    world_defer(f->w, stop, f);
}

LOOP_CASE(cancel_means_no_callback) {
    assert_int_equal(try(f, SH("exit 0"), NULL, 10, NS_PER_S), 0);
    proc_cancel(f->proc);
    assert_int_equal(try(f, SH("sleep 1000"), NULL, 10, NS_PER_S), 0);
    world_defer(f->w, cancel_now, f);
    loop_run(f->l);
    assert_int_equal(f->calls, 0);
    /* the rest is reaped by this run or by loop_free() */
    f->timer = timer_new(f->w, stop, f);
    timer_in(f->timer, 20 * NS_PER_MS);
    loop_run(f->l);
    assert_int_equal(f->calls, 0);
}

LOOP_CASE(loop_free_kills_what_runs) {
    assert_int_equal(try(f, SH("sleep 1000"), NULL, 10, 0), 0);
    assert_int_equal(try(f, SH("sleep 1000 & sleep 1000"), NULL, 10, NS_PER_S), 0);
}

CASES("loop/proc")
