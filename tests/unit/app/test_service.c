/* A whole instance as a service: what its manager hears from the start to the end, at a socket of the
 * test. */
#include "app_kit.h"
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int manager(void) {
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;
    int n = snprintf(addr.sun_path + 1, sizeof addr.sun_path - 1, "handover-service-%d", (int)getpid());
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
    assert_int_equal(bind(fd, (struct sockaddr *)&addr, len), 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on), 0);
    cleanup_free char *name = xasprintf("@%s", addr.sun_path + 1);
    setenv("NOTIFY_SOCKET", name, 1);
    return fd;
}

/* What has arrived since: a line for each notification, its assignments separated by blanks. */
static const char *heard(int fd, struct buf *out) {
    char text[2048];
    ssize_t n;
    buf_clear(out);
    while ((n = recv(fd, text, sizeof text - 1, 0)) > 0) {
        for (ssize_t i = 0; i < n; i++) text[i] = text[i] == '\n' ? ' ' : text[i];
        buf_add(out, slice_make(text, (size_t)n));
        buf_addc(out, '\n');
    }
    return buf_str(out);
}

CASE(from_the_start_to_the_end) {
    cleanup_buf struct buf b = BUF(1 << 16), log = BUF(1 << 20);
    int fd = manager();
    struct stage *st = cluster(1);
    fault(st, "{\"match\":{\"path\":\"*/deployments\"},\"count\":-1,\"status\":500}");
    launch(st, 0, &log);
    run_s(st, 6); /* why it is not ready, and how long that may take */
    assert_non_null(strstr(heard(fd, &b), "EXTEND_TIMEOUT_USEC=30000000 STATUS=starting: "));
    fault(st, "{\"clear\":true}");
    run_s(st, 60);
    const char *ready = strstr(heard(fd, &b), "READY=1 STATUS="),
               *leading = strstr(buf_str(&b), "STATUS=leading since 20");
    assert_true(ready && leading && ready < leading);
    assert_null(strstr(ready + 1, "READY=1"));
    assert_non_null(strstr(leading, ", term 0\n"));
    run_s(st, 30); /* nothing has changed: nothing is said */
    assert_string_equal(heard(fd, &b), "");
    launch(st, 1, &log);
    run_s(st, 10);
    assert_non_null(strstr(heard(fd, &b), "STATUS=standing by; a leads\n"));
    app_stop(st->in[0].app, "SIGTERM");
    run_s(st, 10);
    const char *stopping = strstr(heard(fd, &b), "STOPPING=1 EXTEND_TIMEOUT_USEC=");
    assert_non_null(stopping);
    assert_non_null(strstr(stopping, "STATUS=draining (releasing): 0 in flight, at most 30s left\n"));
    assert_non_null(strstr(stopping, ", term 1\n")); /* the other one */
    assert_true(st->in[0].ended && st->in[0].code == 0);
    stage_free(st);
    unsetenv("NOTIFY_SOCKET");
    close(fd);
}

CASES("app/service")
