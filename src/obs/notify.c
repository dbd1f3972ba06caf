/* What systemd is told of this service. Without NOTIFY_SOCKET libsystemd does nothing. */
#include "obs/obs.h"
#include <inttypes.h>
#include <stdio.h>
#include <systemd/sd-daemon.h>

enum { STATUS_MAX = 512 };

/* A status is one line: what follows a newline would be taken for another assignment. */
static void one_line(const char *in, char out[STATUS_MAX]) {
    size_t i = 0;
    for (; in && in[i] && i < STATUS_MAX - 1; i++) out[i] = (unsigned char)in[i] < ' ' ? ' ' : in[i];
    out[i] = '\0';
}

void notify_ready(const char *status) {
    char line[STATUS_MAX];
    one_line(status, line);
    (void)sd_notifyf(0, "READY=1\nSTATUS=%s", line);
}

void notify_status(const char *status) {
    char line[STATUS_MAX];
    one_line(status, line);
    (void)sd_notifyf(0, "STATUS=%s", line);
}

void notify_stopping(void) {
    (void)sd_notify(0, "STOPPING=1");
}

void notify_extend(int64_t ns) {
    if (ns <= 0) return;
    (void)sd_notifyf(0, "EXTEND_TIMEOUT_USEC=%" PRId64, ns / NS_PER_US + (ns % NS_PER_US != 0));
}

void notify_watchdog(void) {
    (void)sd_notify(0, "WATCHDOG=1");
}

int64_t notify_watchdog_ns(void) {
    uint64_t usec = 0;
    if (sd_watchdog_enabled(0, &usec) <= 0) return 0;
    return usec > (uint64_t)(INT64_MAX / NS_PER_US)
               ? INT64_MAX / 2
               : (int64_t)usec * NS_PER_US / 2; /* half of it, as systemd advises */
}
