/* See ledger.h. */
#include "ledger.h"
#include "base/buf.h"
#include "base/time.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 1024, KEPT_MAX_BYTES = 1 << 20 };
static int fd = STDOUT_FILENO;
static const char *me = "?";
static struct buf kept = {.max = KEPT_MAX_BYTES};

int ledger_open(const char *who) {
    const char *path = getenv("LEDGER");
    me = who;
    if (!path) return 0;
    fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    return fd < 0 ? -errno : 0;
}

__attribute__((format(printf, 2, 0))) static void line(struct buf *to, const char *fmt, va_list ap) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    int64_t us = (int64_t)t.tv_sec * 1000000 + t.tv_nsec / NS_PER_US;
    buf_addf(to, "%" PRId64 " %s ", us, me);
    buf_addv(to, fmt, ap);
    buf_addc(to, '\n');
}

/* A ledger that nobody reads, or that has lost a line, proves nothing: no bench then. */
static void put(struct slice s) {
    if (write(fd, s.p, s.n) != (ssize_t)s.n) abort();
}

void ledger(const char *fmt, ...) {
    cleanup_buf struct buf b = BUF(LINE_MAX_BYTES);
    va_list ap;
    va_start(ap, fmt);
    line(&b, fmt, ap);
    va_end(ap);
    put(buf_slice(&b));
}

void ledger_keep(const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    line(&kept, fmt, ap);
    va_end(ap);
}

void ledger_flush(void) {
    struct slice rest = buf_slice(&kept), one;
    while (rest.n && slice_cut(rest, '\n', &one, &rest)) put(slice_make(one.p, one.n + 1));
    buf_clear(&kept);
}
