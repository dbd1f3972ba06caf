/* A bus of the test's own with the stand-in for logind (tests/host), and the inhibitors under test. */
#include "dbus_kit.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- the transcript ---- */

static bool has_line(const struct fixture *f, const char *line, size_t *ret_at, size_t *ret_n) {
    struct slice all = buf_slice(&f->transcript), rest = all, one;
    while (rest.n) {
        slice_cut(rest, '\n', &one, &rest);
        if (one.n < strlen(line) || memcmp(one.p, line, strlen(line)) != 0) continue;
        *ret_at = (size_t)(one.p - all.p);
        *ret_n = one.n + 1;
        return true;
    }
    return false;
}

void kit_noted(struct fixture *f) {
    size_t at, n;
    if (f->awaited && has_line(f, f->awaited, &at, &n)) loop_stop(f->l);
}

static void out_of_patience(void *ctx) {
    struct fixture *f = ctx;
    f->late = true;
    loop_stop(f->l);
}

void kit_expect(struct fixture *f, const char *line) {
    size_t at, n;
    f->awaited = line;
    timer_in(f->patience, 20 * NS_PER_S);
    if (!has_line(f, line, &at, &n)) loop_run(f->l);
    timer_stop(f->patience);
    f->awaited = NULL;
    if (f->late || !has_line(f, line, &at, &n))
        fail_msg("\"%s\" did not come; there was: %s", line, buf_str(&f->transcript));
    memmove(f->transcript.p + at, f->transcript.p + at + n, f->transcript.n - at - n);
    f->transcript.n -= n;
}

void kit_never_came(struct fixture *f, const char *line) {
    size_t at, n;
    if (has_line(f, line, &at, &n)) fail_msg("\"%s\" came: %s", line, buf_str(&f->transcript));
}

static void on_line(void *ctx, enum log_level level, int64_t wall_ns, const char *msg,
                    const struct log_field *fs, size_t n) {
    struct fixture *f = ctx;
    (void)wall_ns;
    buf_addf(&f->transcript, "log %d %s", (int)level, msg);
    for (size_t i = 0; i < n; i++)
        if (fs[i].type == LOG_T_STR && strcmp(fs[i].key, "event") != 0)
            buf_addf(&f->transcript, "; %.*s", SLF(fs[i].s));
    buf_addc(&f->transcript, '\n');
    kit_noted(f);
}

static void on_going(void *ctx, enum inhibit_what what, int64_t within_ns) {
    struct fixture *f = ctx;
    buf_addf(&f->transcript, "going %s %lld\n", what == INHIBIT_SLEEP ? "sleep" : "shutdown",
             (long long)(within_ns / NS_PER_MS));
    if (f->let_go_inside) inhibit_let_go(f->inhibit, what);
    kit_noted(f);
}

static void on_logind(void *ctx, unsigned ready) {
    struct fixture *f = ctx;
    char part[512];
    (void)ready;
    ssize_t n = read(f->from_logind, part, sizeof part);
    if (n > 0) {
        struct slice line, rest;
        buf_add(&f->partial, slice_make(part, (size_t)n));
        while (slice_cut(buf_slice(&f->partial), '\n', &line, &rest)) { /* whole lines only */
            buf_add(&f->transcript, slice_make(line.p, line.n + 1));
            buf_consume(&f->partial, line.n + 1);
        }
        kit_noted(f);
    } else if (n == 0) {
        fd_watch_want(f->watch, 0);
    }
}

/* ---- processes ---- */

static pid_t start(const char *const *argv, int in, int out) {
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid) return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (in >= 0) dup2(in, STDIN_FILENO);
    if (out >= 0) dup2(out, STDOUT_FILENO);
    execvp(argv[0], (char **)(uintptr_t)argv);
    _exit(127);
}

void kit_end(pid_t *pid) {
    if (*pid <= 0) return;
    kill(*pid, SIGKILL);
    waitpid(*pid, NULL, 0);
    *pid = 0;
}

static void start_bus(struct fixture *f) {
    char where[96];
    snprintf(where, sizeof where, "--address=unix:abstract=handover-test-bus-%d", (int)getpid());
    const char *argv[] = {"dbus-daemon", "--config-file=" BUS_CONF, where, "--nofork",
                          "--nopidfile", "--print-address=1",       NULL};
    int out[2];
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    f->daemon = start(argv, -1, out[1]);
    close(out[1]);
    ssize_t n = read(out[0], f->address, sizeof f->address - 1); /* one line, written when it listens */
    close(out[0]);
    assert_true(n > 0);
    f->address[strcspn(f->address, "\n")] = '\0';
    setenv("DBUS_SYSTEM_BUS_ADDRESS", f->address, 1);
}

void kit_start_logind(struct fixture *f, const char *delay_usec) {
    const char *argv[] = {LOGIND, delay_usec, NULL};
    int in[2], out[2];
    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    f->logind = start(argv, in[0], out[1]);
    close(in[0]);
    close(out[1]);
    f->to_logind = in[1];
    f->from_logind = out[0];
    assert_int_equal(world_watch_fd(f->w, f->from_logind, on_logind, f, &f->watch), 0);
    fd_watch_want(f->watch, FD_READ);
    kit_expect(f, "ready");
}

void kit_tell(struct fixture *f, const char *line) {
    assert_int_equal(dprintf(f->to_logind, "%s\n", line), (int)strlen(line) + 1);
    kit_expect(f, memcmp(line, "prepare", 7) == 0 ? "told" : "done");
}

void kit_start_inhibit(struct fixture *f) {
    f->inhibit = inhibit_start(f->w, &(struct inhibit_config){&f->log, LOG_DEBUG, on_going, f});
}

void kit_both_are_held(struct fixture *f) {
    kit_expect(f, "asked shutdown delay handover");
    kit_expect(f, "asked sleep delay handover");
    kit_expect(f, "log 0 inhibitor lock taken; shutdown");
    kit_expect(f, "log 0 inhibitor lock taken; sleep");
}

void kit_stop_inhibit(struct fixture *f) {
    inhibit_stop(f->inhibit);
    f->inhibit = NULL;
}

void kit_announce(struct fixture *f, const char *what, const char *ms) {
    char line[64];
    snprintf(line, sizeof line, "prepare %s yes", what);
    kit_tell(f, line);
    snprintf(line, sizeof line, "going %s %s", what, ms);
    kit_expect(f, line);
}

void kit_hold_both(struct fixture *f, const char *delay_usec) {
    kit_start_logind(f, delay_usec);
    kit_start_inhibit(f);
    kit_both_are_held(f);
}

struct fixture *kit_new(bool bus) {
    struct fixture *f = xcalloc(1, sizeof *f);
    f->l = loop_new();
    f->w = loop_world(f->l);
    f->to_logind = f->from_logind = -1;
    f->transcript = BUF(1 << 20);
    f->partial = BUF(1 << 20);
    f->log = (struct log){.sink = {on_line, f}, .min = LOG_DEBUG};
    f->patience = timer_new(f->w, out_of_patience, f);
    if (bus) start_bus(f);
    return f;
}

void kit_free(struct fixture *f) {
    inhibit_stop(f->inhibit);
    fd_watch_free(f->watch);
    timer_free(f->patience);
    kit_end(&f->logind);
    kit_end(&f->daemon);
    if (f->to_logind >= 0) close(f->to_logind);
    if (f->from_logind >= 0) close(f->from_logind);
    loop_free(f->l);
    buf_free(&f->transcript);
    buf_free(&f->partial);
    unsetenv("DBUS_SYSTEM_BUS_ADDRESS");
    free(f);
}
