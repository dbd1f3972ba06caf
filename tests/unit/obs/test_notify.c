/* What arrives at NOTIFY_SOCKET. */
#include "../case.h"
#include "base/mem.h"
#include "loop/loop.h"
#include "obs/obs.h"
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* The socket of a service manager, at NOTIFY_SOCKET. */
static void setup(int *ret_fd) {
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    int on = 1, fd = *ret_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    cleanup_free char *name = xasprintf("@handover-test-%d", (int)getpid()); /* abstract */
    memcpy(addr.sun_path + 1, name + 1, strlen(name + 1));
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
    assert_int_equal(bind(fd, (struct sockaddr *)&addr, len), 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on), 0);
    setenv("NOTIFY_SOCKET", name, 1);
}

static void teardown(int *fd) {
    close(*fd);
    unsetenv("NOTIFY_SOCKET");
}
#define MANAGED_CASE(name) CASE_WITH(int, t, setup, teardown, name)

static void arrives(int fd, const char *want) {
    char text[2048];
    ssize_t n = recv(fd, text, sizeof text - 1, 0);
    assert_true(n >= 0);
    text[n] = '\0';
    assert_string_equal(text, want);
}

MANAGED_CASE(states) {
    char text[8], status[2000];
    notify_ready("leading\nREADY=0");
    arrives(*t, "READY=1\nSTATUS=leading READY=0");
    notify_status("standing by");
    arrives(*t, "STATUS=standing by");
    notify_status(NULL);
    arrives(*t, "STATUS=");
    notify_starting("waiting for the API server", 10 * NS_PER_S);
    arrives(*t, "EXTEND_TIMEOUT_USEC=10000000\nSTATUS=waiting for the API server");
    notify_stopping("draining", 1);
    arrives(*t, "STOPPING=1\nEXTEND_TIMEOUT_USEC=1\nSTATUS=draining"); /* never less than asked for */
    notify_stopping("draining", 0);
    arrives(*t, "STOPPING=1\nSTATUS=draining");
    notify_watchdog();
    arrives(*t, "WATCHDOG=1");
    assert_int_equal(recv(*t, text, sizeof text, 0), -1);
    snprintf(status, sizeof status, "%01999d", 0); /* a long status is cut */
    notify_status(status);
    assert_int_equal(recv(*t, text, sizeof text, MSG_TRUNC), (int)strlen("STATUS=") + 511);
}

CASE(watchdog) {
    char own[32];
    snprintf(own, sizeof own, "%d", (int)getpid());
    const struct {
        const char *usec, *pid;
        int64_t least_ns, most_ns;
    } cases[] = {{NULL, NULL, 0, 0},
                 {"30000000", own, 30 * NS_PER_S, 30 * NS_PER_S},
                 {"30000000", "1", 0, 0}, /* meant for another process */
                 {"18000000000000000000", NULL, 1, INT64_MAX},
                 {"soon", NULL, 0, 0}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (cases[i].usec) setenv("WATCHDOG_USEC", cases[i].usec, 1);
        if (cases[i].pid) setenv("WATCHDOG_PID", cases[i].pid, 1);
        assert_true(notify_watchdog_ns() >= cases[i].least_ns && notify_watchdog_ns() <= cases[i].most_ns);
        unsetenv("WATCHDOG_USEC");
        unsetenv("WATCHDOG_PID");
    }
}

MANAGED_CASE(a_manager_that_takes_nothing_does_not_stop_us) {
    int fd = *t, got = 0;
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

MANAGED_CASE(watchdog_is_fed_by_the_loop) {
    struct hang h = {.fd = *t, .l = loop_new()};
    h.w = loop_world(h.l);
    assert_null(watchdog_start(h.w)); /* not wanted */
    watchdog_stop(NULL);
    setenv("WATCHDOG_USEC", "40000", 1);
    struct watchdog *d = watchdog_start(h.w);
    assert_int_equal(fed(h.fd), 1); /* at once: the clock is running */
    struct timer *late = timer_new(h.w, hang, &h);
    timer_in(late, 100 * NS_PER_MS);
    loop_run(h.l);
    assert_true(h.fed_before >= 2); /* 10 on a machine with nothing else to do */
    assert_int_equal(h.fed_in_it, 0);
    watchdog_stop(d);
    timer_free(late);
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
