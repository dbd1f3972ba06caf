/* What arrives at NOTIFY_SOCKET. */
#include "../case.h"
#include "loop/loop.h"
#include "obs/obs.h"
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int setup(void **state) {
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    int *fd = xmalloc(sizeof *fd), on = 1;
    *fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int n = snprintf(addr.sun_path + 1, sizeof addr.sun_path - 1, "handover-test-%d",
                     (int)getpid()); /* abstract */
    assert_int_equal(bind(*fd, (struct sockaddr *)&addr,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n)),
                     0);
    assert_int_equal(setsockopt(*fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on), 0);
    char name[128];
    snprintf(name, sizeof name, "@%s", addr.sun_path + 1);
    setenv("NOTIFY_SOCKET", name, 1);
    *state = fd;
    return 0;
}

static int teardown(void **state) {
    int *fd = *state;
    close(*fd);
    free(fd);
    unsetenv("NOTIFY_SOCKET");
    return 0;
}

static void arrives(int fd, const char *want) {
    char text[2048];
    ssize_t n = recv(fd, text, sizeof text - 1, 0);
    assert_true(n >= 0);
    text[n] = '\0';
    assert_string_equal(text, want);
}

CASE_IN(setup, teardown, states) {
    int fd = *(int *)*state;
    char text[8];
    notify_ready("leading\nREADY=0");
    arrives(fd, "READY=1\nSTATUS=leading READY=0");
    notify_status("standing by");
    arrives(fd, "STATUS=standing by");
    notify_status(NULL);
    arrives(fd, "STATUS=");
    notify_starting("waiting for the API server", 10 * NS_PER_S);
    arrives(fd, "EXTEND_TIMEOUT_USEC=10000000\nSTATUS=waiting for the API server");
    notify_stopping("draining", 1);
    arrives(fd, "STOPPING=1\nEXTEND_TIMEOUT_USEC=1\nSTATUS=draining"); /* never less than asked for */
    notify_stopping("draining", 0);
    arrives(fd, "STOPPING=1\nSTATUS=draining");
    notify_watchdog();
    arrives(fd, "WATCHDOG=1");
    assert_int_equal(recv(fd, text, sizeof text, 0), -1);
}

CASE_IN(setup, teardown, a_long_status_is_cut) {
    int fd = *(int *)*state;
    char status[2000], text[4096];
    memset(status, 's', sizeof status - 1);
    status[sizeof status - 1] = '\0';
    notify_status(status);
    assert_int_equal(recv(fd, text, sizeof text, 0), (int)strlen("STATUS=") + 511);
}

CASE(watchdog) {
    char pid[32];
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    assert_int_equal(notify_watchdog_ns(), 0);
    setenv("WATCHDOG_USEC", "30000000", 1);
    setenv("WATCHDOG_PID", pid, 1);
    assert_int_equal(notify_watchdog_ns(), 30 * NS_PER_S);
    setenv("WATCHDOG_PID", "1", 1); /* meant for another process */
    assert_int_equal(notify_watchdog_ns(), 0);
    unsetenv("WATCHDOG_PID");
    setenv("WATCHDOG_USEC", "18000000000000000000", 1);
    assert_true(notify_watchdog_ns() > 0);
    setenv("WATCHDOG_USEC", "soon", 1);
    assert_int_equal(notify_watchdog_ns(), 0);
    unsetenv("WATCHDOG_USEC");
}

CASE_IN(setup, teardown, a_manager_that_takes_nothing_does_not_stop_us) {
    int fd = *(int *)*state, got = 0;
    char text[256];
    alarm(60); /* a call that blocks ends the test */
    for (int i = 0; i < 2000; i++) notify_status("said to nobody");
    alarm(0);
    while (recv(fd, text, sizeof text, 0) > 0) got++;
    assert_in_range(got, 1, 1999);
    notify_status("back");
    arrives(fd, "STATUS=back");
}

/* A callback that takes longer than WatchdogSec: nothing arrives while it lasts. */
struct hang {
    struct world *w;
    struct loop *l;
    int fd, fed_before, fed_in_it;
};

static int fed(int fd) {
    char text[64];
    int n = 0;
    while (recv(fd, text, sizeof text, 0) == (ssize_t)strlen("WATCHDOG=1")) n++;
    return n;
}

static void hang(void *ctx) {
    struct hang *h = ctx;
    h->fed_before = fed(h->fd);
    int64_t until = world_mono_ns(h->w) + 100 * NS_PER_MS;
    while (world_mono_ns(h->w) < until) continue;
    h->fed_in_it = fed(h->fd);
    loop_stop(h->l);
}

CASE_IN(setup, teardown, watchdog_is_fed_by_the_loop) {
    struct hang h = {.fd = *(int *)*state, .l = loop_new()};
    h.w = loop_world(h.l);
    assert_null(watchdog_start(h.w)); /* not wanted */
    watchdog_stop(NULL);
    setenv("WATCHDOG_USEC", "40000", 1);
    struct watchdog *d = watchdog_start(h.w);
    assert_int_equal(fed(h.fd), 1); /* at once: the clock is running */
    struct timer *t = timer_new(h.w, hang, &h);
    timer_in(t, 100 * NS_PER_MS);
    loop_run(h.l);
    assert_true(h.fed_before >= 2); /* 10 on a machine with nothing else to do */
    assert_int_equal(h.fed_in_it, 0);
    watchdog_stop(d);
    timer_free(t);
    loop_free(h.l);
    unsetenv("WATCHDOG_USEC");
}

CASE(without_a_service_manager) {
    unsetenv("NOTIFY_SOCKET");
    assert_false(notify_wanted());
    notify_ready("x");
    notify_status("x");
    notify_stopping("x", NS_PER_S);
    notify_watchdog();
    setenv("NOTIFY_SOCKET", "/nowhere/at/all", 1);
    notify_ready("x");
    setenv("NOTIFY_SOCKET", "nonsense", 1);
    notify_watchdog();
}

CASES("obs/notify")
