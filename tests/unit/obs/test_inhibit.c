/* The inhibitors on a real bus, with the stand-in for logind (tests/host). All that happens ends up as
 * lines in one transcript: what logind saw, what we are told, what is logged. Skipped where there is no
 * dbus-daemon. */
#include "../check.h"
#include "base/mem.h"
#include "loop/loop.h"
#include "obs/inhibit.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

struct fixture {
    struct loop *l;
    struct world *w;
    char address[128];
    pid_t daemon, logind;
    int to_logind, from_logind;
    struct fd_watch *watch;
    struct timer *patience;
    struct log log;
    struct inhibit *inhibit;
    bool let_go_inside, late;
    const char *awaited;
    struct buf transcript;
};

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

static void noted(struct fixture *f) {
    size_t at, n;
    if (f->awaited && has_line(f, f->awaited, &at, &n)) loop_stop(f->l);
}

static void out_of_patience(void *ctx) {
    struct fixture *f = ctx;
    f->late = true;
    loop_stop(f->l);
}

/* Runs the loop until there is a line that begins so, and takes it out; the others stay. */
static void expect(struct fixture *f, const char *line) {
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

static void never_came(struct fixture *f, const char *line) {
    size_t at, n;
    if (has_line(f, line, &at, &n)) fail_msg("\"%s\" came: %s", line, buf_str(&f->transcript));
}

static void on_line(void *ctx, enum log_level level, int64_t wall_ns, const char *msg,
                    const struct log_field *fs, size_t n) {
    struct fixture *f = ctx;
    (void)wall_ns;
    buf_addf(&f->transcript, "log %d %s", (int)level, msg);
    for (size_t i = 0; i < n; i++)
        if (fs[i].type == LOG_T_STR) buf_addf(&f->transcript, "; %.*s", SLF(fs[i].s));
    buf_addc(&f->transcript, '\n');
    noted(f);
}

static void on_going(void *ctx, enum inhibit_what what, int64_t within_ns) {
    struct fixture *f = ctx;
    buf_addf(&f->transcript, "going %s %lld\n", what == INHIBIT_SLEEP ? "sleep" : "shutdown",
             (long long)(within_ns / NS_PER_MS));
    if (f->let_go_inside) inhibit_let_go(f->inhibit, what);
    noted(f);
}

static void on_logind(void *ctx, unsigned ready) {
    struct fixture *f = ctx;
    char part[512];
    (void)ready;
    ssize_t n = read(f->from_logind, part, sizeof part);
    if (n > 0) {
        buf_add(&f->transcript, slice_make(part, (size_t)n));
        noted(f);
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

static void end(pid_t *pid) {
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

static void start_logind(struct fixture *f, const char *delay_usec) {
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
    expect(f, "ready");
}

static void tell(struct fixture *f, const char *line) {
    assert_int_equal(dprintf(f->to_logind, "%s\n", line), (int)strlen(line) + 1);
    expect(f, memcmp(line, "prepare", 7) == 0 ? "told" : "done");
}

static void start_inhibit(struct fixture *f) {
    f->inhibit = inhibit_start(f->w, &(struct inhibit_config){&f->log, LOG_DEBUG, on_going, f});
}

static void both_are_held(struct fixture *f) {
    expect(f, "asked shutdown delay handover");
    expect(f, "asked sleep delay handover");
    expect(f, "log 0 logind waits for a drain; shutdown");
    expect(f, "log 0 logind waits for a drain; sleep");
}

static void hold_both(struct fixture *f) {
    start_inhibit(f);
    both_are_held(f);
}

static int setup(void **state) {
    struct fixture *f = xcalloc(1, sizeof *f);
    f->l = loop_new();
    f->w = loop_world(f->l);
    f->to_logind = f->from_logind = -1;
    f->transcript = BUF(1 << 20);
    f->log = (struct log){.sink = {on_line, f}, .min = LOG_DEBUG};
    f->patience = timer_new(f->w, out_of_patience, f);
    *state = f;
    return 0;
}

static int setup_bus(void **state) {
    setup(state);
    start_bus(*state);
    return 0;
}

static int teardown(void **state) {
    struct fixture *f = *state;
    inhibit_stop(f->inhibit);
    fd_watch_free(f->watch);
    timer_free(f->patience);
    end(&f->logind);
    end(&f->daemon);
    if (f->to_logind >= 0) close(f->to_logind);
    if (f->from_logind >= 0) close(f->from_logind);
    loop_free(f->l);
    buf_free(&f->transcript);
    unsetenv("DBUS_SYSTEM_BUS_ADDRESS");
    free(f);
    return 0;
}

/* ---- tests ---- */

static void the_host_waits_until_let_go(void **state) {
    struct fixture *f = *state;
    start_logind(f, "3000000");
    hold_both(f);
    tell(f, "prepare shutdown yes");
    expect(f, "going shutdown 3000");
    tell(f, "prepare shutdown yes"); /* said again */
    tell(f, "prepare sleep yes");
    expect(f, "going sleep 3000");
    never_came(f, "going");
    never_came(f, "closed");
    inhibit_let_go(f->inhibit, INHIBIT_SHUTDOWN);
    expect(f, "closed shutdown");
    never_came(f, "closed");
    inhibit_stop(f->inhibit);
    f->inhibit = NULL;
    expect(f, "closed sleep");
}

static void taken_again_when_the_host_stays(void **state) {
    struct fixture *f = *state;
    start_logind(f, "5000000");
    hold_both(f);
    f->let_go_inside = true;
    tell(f, "prepare sleep yes");
    expect(f, "going sleep 5000");
    expect(f, "closed sleep");
    tell(f, "prepare sleep no");
    expect(f, "asked sleep delay handover");
    expect(f, "log 0 logind waits for a drain; sleep");
    tell(f, "prepare sleep yes");
    expect(f, "going sleep 5000");
    expect(f, "closed sleep");
    f->let_go_inside = false;
    tell(f, "prepare shutdown yes");
    expect(f, "going shutdown 5000");
    tell(f, "prepare shutdown no"); /* still held: not asked again */
    tell(f, "prepare shutdown yes");
    expect(f, "going shutdown 5000");
    never_came(f, "asked");
}

/* To every connection of the bus, ours among them; the bus has handed them out when this returns. */
static void claim_that_the_host_goes(void) {
    sd_bus *bus = NULL;
    char **names = NULL;
    assert_true(sd_bus_open_system(&bus) >= 0);
    assert_true(sd_bus_list_names(bus, &names, NULL) >= 0);
    for (char **n = names; *n; free(*n++)) {
        sd_bus_message *m = NULL;
        if (**n != ':') continue;
        assert_true(sd_bus_message_new_signal(bus, &m, "/org/freedesktop/login1",
                                              "org.freedesktop.login1.Manager", "PrepareForShutdown") >= 0);
        assert_true(sd_bus_message_append(m, "b", 1) >= 0);
        assert_true(sd_bus_send_to(bus, m, *n, NULL) >= 0);
        sd_bus_message_unref(m);
    }
    free(names);
    assert_true(sd_bus_call_method(bus, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                   "org.freedesktop.DBus", "GetId", NULL, NULL, "") >= 0);
    sd_bus_flush_close_unref(bus);
}

static void who_is_not_logind_is_not_believed(void **state) {
    struct fixture *f = *state;
    start_logind(f, "5000000");
    hold_both(f);
    claim_that_the_host_goes();
    tell(f, "prepare sleep yes");
    expect(f, "going sleep");
    never_came(f, "going shutdown");
}

static void taken_again_when_logind_comes_back(void **state) {
    struct fixture *f = *state;
    start_logind(f, "5000000");
    hold_both(f);
    tell(f, "restart");
    both_are_held(f);
    tell(f, "prepare shutdown yes");
    expect(f, "going shutdown 5000");
    tell(f, "away"); /* it may come back with the inhibitors that it gave */
    never_came(f, "closed");
    tell(f, "back");
    expect(f, "closed shutdown"); /* the old one, when the new one is there */
    both_are_held(f);
    tell(f, "prepare shutdown yes"); /* by the new one */
    expect(f, "going shutdown 5000");
}

#define DOES_NOT_WAIT "log 0 the host's shutdown does not wait for a drain; "

static void logind_comes_later(void **state) {
    struct fixture *f = *state;
    start_inhibit(f);
    expect(f, DOES_NOT_WAIT "logind");
    start_logind(f, "5000000");
    both_are_held(f);
}

static void refused(void **state) {
    struct fixture *f = *state;
    start_logind(f, "5000000");
    tell(f, "answer refuse");
    start_inhibit(f);
    expect(f, DOES_NOT_WAIT "shutdown; Permission denied");
    tell(f, "prepare shutdown yes"); /* it would not wait: the signal that follows is the one to act on */
    expect(f, "asked shutdown");
    expect(f, "asked sleep");
    tell(f, "answer grant");
    tell(f, "restart");
    both_are_held(f);
    never_came(f, "going");
    never_came(f, DOES_NOT_WAIT); /* once was enough */
}

static void an_answer_that_never_comes(void **state) {
    struct fixture *f = *state;
    start_logind(f, "5000000");
    tell(f, "answer hang");
    start_inhibit(f);
    expect(f, "asked shutdown");
    expect(f, "asked sleep");
    inhibit_let_go(f->inhibit, INHIBIT_SLEEP);
    inhibit_stop(f->inhibit);
    f->inhibit = NULL;
}

static void a_delay_that_is_none_is_not_asked_for(void **state) {
    struct fixture *f = *state;
    start_logind(f, "999999");
    start_inhibit(f);
    expect(f, DOES_NOT_WAIT "InhibitDelayMaxSec");
    never_came(f, "asked");
}

static void the_bus_goes(void **state) {
    struct fixture *f = *state;
    start_logind(f, "5000000");
    hold_both(f);
    end(&f->daemon);
    expect(f, DOES_NOT_WAIT "bus");
}

static void no_bus(void **state) {
    struct fixture *f = *state;
    setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus", 1);
    start_inhibit(f);
    expect(f, DOES_NOT_WAIT "bus; No such file or directory");
    inhibit_stop(f->inhibit);
    setenv("DBUS_SYSTEM_BUS_ADDRESS", "nonsense", 1);
    start_inhibit(f);
    expect(f, DOES_NOT_WAIT "bus; ");
}

static void on_tick(void *ctx) {
    struct fixture *f = ctx;
    buf_adds(&f->transcript, "tick\n");
    noted(f);
}

/* A bus that takes the connection and says nothing, and one that does not even take it. */
static void a_silent_bus_does_not_stop_the_loop(void **state) {
    struct fixture *f = *state;
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), full[8];
    snprintf(addr.sun_path + 1, sizeof addr.sun_path - 1, "handover-silent-bus-%d", (int)getpid());
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(addr.sun_path + 1));
    assert_int_equal(bind(fd, (struct sockaddr *)&addr, len), 0);
    assert_int_equal(listen(fd, 1), 0);
    char address[160];
    snprintf(address, sizeof address, "unix:abstract=%s", addr.sun_path + 1);
    setenv("DBUS_SYSTEM_BUS_ADDRESS", address, 1);
    struct timer *t = timer_new(f->w, on_tick, f);
    start_inhibit(f);
    timer_in(t, 5 * NS_PER_MS);
    expect(f, "tick");
    never_came(f, "log");
    inhibit_stop(f->inhibit);
    for (size_t i = 0; i < 8; i++) {
        full[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        (void)connect(full[i], (struct sockaddr *)&addr, len);
    }
    start_inhibit(f);
    timer_in(t, 5 * NS_PER_MS);
    expect(f, "tick");
    expect(f, DOES_NOT_WAIT "bus; Resource temporarily unavailable");
    timer_free(t);
    for (size_t i = 0; i < 8; i++) close(full[i]);
    close(fd);
}

static void stopped_before_anything(void **state) {
    struct fixture *f = *state;
    start_inhibit(f);
    inhibit_let_go(f->inhibit, INHIBIT_SHUTDOWN);
    inhibit_stop(f->inhibit);
    f->inhibit = NULL;
    inhibit_stop(NULL);
    assert_int_equal(f->transcript.n, 0);
}

#define ON_BUS(name) cmocka_unit_test_setup_teardown(name, setup_bus, teardown)
#define NO_BUS(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void) {
    const struct CMUnitTest tests[] = {
        ON_BUS(the_host_waits_until_let_go),
        ON_BUS(taken_again_when_the_host_stays),
        ON_BUS(who_is_not_logind_is_not_believed),
        ON_BUS(taken_again_when_logind_comes_back),
        ON_BUS(logind_comes_later),
        ON_BUS(refused),
        ON_BUS(an_answer_that_never_comes),
        ON_BUS(a_delay_that_is_none_is_not_asked_for),
        ON_BUS(the_bus_goes),
        NO_BUS(no_bus),
        NO_BUS(a_silent_bus_does_not_stop_the_loop),
        ON_BUS(stopped_before_anything),
    };
    if (system("command -v dbus-daemon >/dev/null") != 0) {
        puts("SKIPPED: dbus-daemon is not installed");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
