/* What systemd receives of this service. Without NOTIFY_SOCKET libsystemd does nothing. */
#include "obs/obs.h"
#include "socket_writable.h"
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <systemd/sd-daemon.h>

enum { STATUS_MAX = 512, WAIT_MS = 50 /* for what is said once only */ };

/* A status is one line: what follows a newline would be taken for another assignment. */
static void one_line(const char *in, char out[STATUS_MAX]) {
    size_t i = 0;
    for (; in && in[i] && i < STATUS_MAX - 1; i++) out[i] = (unsigned char)in[i] < ' ' ? ' ' : in[i];
    out[i] = '\0';
}

/* A service manager that hangs must not make us hang. What it would not take is not said: the watchdog is fed
 * again and a status is sent anew when it changes. */
static bool manager_takes(int wait_ms) {
    const char *name = getenv("NOTIFY_SOCKET"); /* NOLINT(concurrency-mt-unsafe): nothing of ours sets it */
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    size_t n = name ? strlen(name) : 0;
    if (n < 2 || n >= sizeof addr.sun_path) return false;
    if (*name != '/' && *name != '@') return true; /* of another family: sd_notify(3) knows */
    memcpy(addr.sun_path, name, n + 1);
    if (*name == '@') addr.sun_path[0] = '\0';
    return socket_writable(&addr, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (*name == '/')),
                           wait_ms);
}

static void tell(const char *states, int64_t extend_ns, const char *status) {
    char line[STATUS_MAX], extend[64] = "";
    if (!manager_takes(*states ? WAIT_MS : 0)) return;
    one_line(status, line);
    if (extend_ns > 0)
        (void)snprintf(extend, sizeof extend, "EXTEND_TIMEOUT_USEC=%" PRId64 "\n",
                       extend_ns / NS_PER_US + (extend_ns % NS_PER_US != 0));
    (void)sd_notifyf(0, "%s%sSTATUS=%s", states, extend, line);
}

bool notify_wanted(void) {
    return getenv("NOTIFY_SOCKET") != NULL; /* NOLINT(concurrency-mt-unsafe) */
}

void notify_starting(const char *status, int64_t extend_ns) {
    tell("", extend_ns, status);
}

void notify_ready(const char *status) {
    tell("READY=1\n", 0, status);
}

void notify_status(const char *status) {
    tell("", 0, status);
}

void notify_stopping(const char *status, int64_t extend_ns) {
    tell("STOPPING=1\n", extend_ns, status);
}

void notify_watchdog(void) {
    if (manager_takes(0)) (void)sd_notify(0, "WATCHDOG=1");
}

int64_t notify_watchdog_ns(void) {
    uint64_t usec = 0;
    if (sd_watchdog_enabled(0, &usec) <= 0) return 0;
    return usec > (uint64_t)(INT64_MAX / NS_PER_US) ? INT64_MAX : (int64_t)usec * NS_PER_US;
}
