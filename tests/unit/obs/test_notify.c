/* What arrives at NOTIFY_SOCKET. */
#include "obs/obs.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

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

static void states(void **state) {
    int fd = *(int *)*state;
    char text[8];
    notify_ready("leading\nREADY=0");
    arrives(fd, "READY=1\nSTATUS=leading READY=0");
    notify_status("standing by");
    arrives(fd, "STATUS=standing by");
    notify_status(NULL);
    arrives(fd, "STATUS=");
    notify_stopping();
    arrives(fd, "STOPPING=1");
    notify_extend(10 * NS_PER_S);
    arrives(fd, "EXTEND_TIMEOUT_USEC=10000000");
    notify_extend(1);
    arrives(fd, "EXTEND_TIMEOUT_USEC=1"); /* never less than asked for */
    notify_extend(0);
    notify_extend(-5);
    notify_watchdog();
    arrives(fd, "WATCHDOG=1");
    assert_int_equal(recv(fd, text, sizeof text, 0), -1);
}

static void a_long_status_is_cut(void **state) {
    int fd = *(int *)*state;
    char status[2000], text[4096];
    memset(status, 's', sizeof status - 1);
    status[sizeof status - 1] = '\0';
    notify_status(status);
    assert_int_equal(recv(fd, text, sizeof text, 0), (int)strlen("STATUS=") + 511);
}

static void watchdog(void **state) {
    (void)state;
    char pid[32];
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    assert_int_equal(notify_watchdog_ns(), 0);
    setenv("WATCHDOG_USEC", "30000000", 1);
    setenv("WATCHDOG_PID", pid, 1);
    assert_int_equal(notify_watchdog_ns(), 15 * NS_PER_S);
    setenv("WATCHDOG_PID", "1", 1); /* meant for another process */
    assert_int_equal(notify_watchdog_ns(), 0);
    unsetenv("WATCHDOG_PID");
    setenv("WATCHDOG_USEC", "18000000000000000000", 1);
    assert_true(notify_watchdog_ns() > 0);
    setenv("WATCHDOG_USEC", "soon", 1);
    assert_int_equal(notify_watchdog_ns(), 0);
    unsetenv("WATCHDOG_USEC");
}

static void without_a_service_manager(void **state) {
    (void)state;
    unsetenv("NOTIFY_SOCKET");
    notify_ready("x");
    notify_status("x");
    notify_stopping();
    notify_extend(NS_PER_S);
    notify_watchdog();
    setenv("NOTIFY_SOCKET", "/nowhere/at/all", 1);
    notify_ready("x");
    setenv("NOTIFY_SOCKET", "nonsense", 1);
    notify_watchdog();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(states, setup, teardown),
        cmocka_unit_test_setup_teardown(a_long_status_is_cut, setup, teardown),
        cmocka_unit_test(watchdog),
        cmocka_unit_test(without_a_service_manager),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
