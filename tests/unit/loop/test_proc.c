/* Processes: exit codes, output, caps, deadlines, environment, cancelling, what cannot be run. */
#include "../case.h"
#include "loop/loop.h"
#include "base/mem.h"
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

static int setup(void **state) {
    struct fixture *f = xcalloc(1, sizeof *f);
    f->l = loop_new();
    f->w = loop_world(f->l);
    buf_init(&f->out, 1 << 20);
    buf_init(&f->errout, 1 << 20);
    *state = f;
    return 0;
}

static int teardown(void **state) {
    struct fixture *f = *state;
    timer_free(f->timer);
    loop_free(f->l);
    buf_free(&f->out);
    buf_free(&f->errout);
    free(f);
    return 0;
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

static void run(struct fixture *f, const char *const *argv, const char *const *env, size_t cap,
                int64_t timeout) {
    assert_int_equal(try(f, argv, env, cap, timeout), 0);
    assert_int_equal(f->calls, 0); /* never inside the call */
    loop_run(f->l);
    assert_int_equal(f->calls, 1);
}
#define SH(script) ((const char *const[]){"sh", "-c", script, NULL})

CASE_IN(setup, teardown, both_outputs_and_the_exit_code) {
    struct fixture *f = *state;
    run(f, SH("echo out; echo err >&2; exit 7"), NULL, 100, 10 * NS_PER_S);
    assert_int_equal(f->err.kind, ERR_NONE);
    assert_int_equal(f->code, 7);
    assert_string_equal(buf_str(&f->out), "out\n");
    assert_string_equal(buf_str(&f->errout), "err\n");
}

CASE_IN(setup, teardown, arguments_are_not_interpreted) {
    struct fixture *f = *state;
    run(f, (const char *const[]){"printf", "%s|", "$HOME `id`", "a b", "", NULL}, NULL, 100, 10 * NS_PER_S);
    assert_string_equal(buf_str(&f->out), "$HOME `id`|a b||");
}

CASE_IN(setup, teardown, stdin_is_empty) {
    struct fixture *f = *state;
    run(f, (const char *const[]){"cat", NULL}, NULL, 100, 10 * NS_PER_S);
    assert_int_equal(f->code, 0);
    assert_int_equal(f->out.n, 0);
}

CASE_IN(setup, teardown, stdout_can_be_opened_by_name) {
    struct fixture *f = *state;
    run(f, SH("echo hi > /dev/stdout"), NULL, 100, 10 * NS_PER_S);
    assert_string_equal(buf_str(&f->out), "hi\n");
}

CASE_IN(setup, teardown, environment_is_added_to_ours) {
    struct fixture *f = *state;
    setenv("HANDOVER_A", "ours", 1);
    setenv("HANDOVER_B", "ours", 1);
    run(f, SH("echo $HANDOVER_A $HANDOVER_B $HANDOVER_C"),
        (const char *const[]){"HANDOVER_B=theirs", "HANDOVER_C=x=y", NULL}, 100, 10 * NS_PER_S);
    assert_string_equal(buf_str(&f->out), "ours theirs x=y\n");
}

CASE_IN(setup, teardown, too_much_output_is_an_error) {
    struct fixture *f = *state;
    run(f, SH("while :; do echo 0123456789; done"), NULL, 1000, 30 * NS_PER_S);
    assert_int_equal(f->err.kind, ERR_PROTOCOL);
    assert_int_equal(f->err.errnum, -EFBIG);
    assert_int_equal(f->out.n, 1000);
    assert_int_equal(f->code, 128 + SIGKILL);
}

CASE_IN(setup, teardown, exactly_the_cap_is_fine) {
    struct fixture *f = *state;
    run(f, SH("printf 12345"), NULL, 5, 10 * NS_PER_S);
    assert_int_equal(f->err.kind, ERR_NONE);
    assert_string_equal(buf_str(&f->out), "12345");
}

CASE_IN(setup, teardown, too_much_stderr_is_cut) {
    struct fixture *f = *state;
    run(f, SH("echo 0123456789 >&2; echo ok"), NULL, 4, 10 * NS_PER_S);
    assert_int_equal(f->err.kind, ERR_NONE);
    assert_string_equal(buf_str(&f->errout), "0123");
    assert_string_equal(buf_str(&f->out), "ok\n");
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

CASE_IN(setup, teardown, the_deadline_kills_the_whole_group) {
    struct fixture *f = *state;
    run(f, SH("sleep 1000 & echo $!; sleep 1000; echo never"), NULL, 100, 200 * NS_PER_MS);
    int64_t pid = 0;
    assert_int_equal(slice_i64(slice_trim(buf_slice(&f->out)), &pid), 0);
    assert_true(dies((int)pid));
    assert_int_equal(f->err.kind, ERR_TIMEOUT);
    assert_int_equal(f->err.errnum, -ETIMEDOUT);
    assert_non_null(strstr(f->err.msg, "200ms"));
    assert_int_equal(f->code, 128 + SIGKILL);
}

CASE_IN(setup, teardown, killed_by_a_signal) {
    struct fixture *f = *state;
    run(f, SH("kill -TERM $$"), NULL, 100, 10 * NS_PER_S);
    assert_int_equal(f->err.kind, ERR_NONE);
    assert_int_equal(f->code, 128 + SIGTERM);
}

/* The pipe is kept open by a process of another session, which nobody waits for. */
CASE_IN(setup, teardown, a_daemon_does_not_keep_it_open) {
    struct fixture *f = *state;
    run(f, SH("setsid sleep 3 & echo left"), NULL, 100, 30 * NS_PER_S);
    assert_int_equal(f->err.kind, ERR_NONE);
    assert_string_equal(buf_str(&f->out), "left\n");
}

CASE_IN(setup, teardown, what_cannot_be_run) {
    struct fixture *f = *state;
    assert_int_equal(try(f, (const char *const[]){"no-such-program-here", NULL}, NULL, 10, NS_PER_S),
                     -ENOENT);
    assert_non_null(strstr(f->err.msg, "no-such-program-here"));
    assert_int_equal(try(f, (const char *const[]){"/", NULL}, NULL, 10, NS_PER_S), -EACCES);
    assert_int_equal(try(f, (const char *const[]){NULL}, NULL, 10, NS_PER_S), -EINVAL);
    assert_null(f->proc);
    assert_int_equal(f->calls, 0);
}

static void stop(void *ctx) {
    struct fixture *f = ctx;
    loop_stop(f->l);
}

static void cancel_now(void *ctx) {
    struct fixture *f = ctx;
    proc_cancel(f->proc);
    world_defer(f->w, stop, f);
}

CASE_IN(setup, teardown, cancel_means_no_callback) {
    struct fixture *f = *state;
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

CASE_IN(setup, teardown, loop_free_kills_what_runs) {
    struct fixture *f = *state;
    assert_int_equal(try(f, SH("sleep 1000"), NULL, 10, 0), 0);
    assert_int_equal(try(f, SH("sleep 1000 & sleep 1000"), NULL, 10, NS_PER_S), 0);
}

CASES("loop/proc")
