/* Log lines on a file descriptor. The program must not stop because its log is not read: a line waits for its reader
 * 50 ms at most, and once one was dropped no line waits until the reader is back. Then a line says how many it missed. */
#include "obs/obs.h"
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

enum { WAIT_MS = 50, LINE_CAP = 256 << 10 };

/* A descriptor's reader is one for the whole process, whatever the number of instances in it, and so is what
 * we know of it: this is the one exception to "no globals with state". */
static struct reader {
    uint64_t dropped; /* lines since the last one that went out */
    bool torn;        /* a line broke off in the middle */
} readers[16];

static struct reader *reader_of(int fd) {
    return fd >= 0 && (size_t)fd < ARRAY_LEN(readers) ? &readers[fd] : NULL;
}

/* A pipe or terminal that polls writable takes PIPE_BUF bytes without blocking. Returns the bytes written. */
static size_t put(int fd, struct slice line, int wait_ms) {
    size_t done = 0;
    while (done < line.n) {
        struct pollfd p = {.fd = fd, .events = POLLOUT};
        int r = poll(&p, 1, wait_ms);
        if (r < 0 && errno == EINTR) continue;
        if (r <= 0) break;
        size_t n = line.n - done < PIPE_BUF ? line.n - done : PIPE_BUF;
        ssize_t w = write(fd, line.p + done, n);
        if (w < 0 && errno != EINTR) break;
        if (w > 0) done += (size_t)w;
    }
    return done;
}

static void format(struct buf *out, enum log_style style, enum log_level level, int64_t wall_ns,
                   const char *msg, const struct log_field *f, size_t n) {
    if (style == LOG_STYLE_JSON) {
        log_format_json(out, level, wall_ns, msg, f, n);
    } else {
        log_format_text(out, level, wall_ns, msg, f, n);
    }
}

/* ctx: fd and style, so that there is nothing to free. */
static void write_line(void *ctx, enum log_level level, int64_t wall_ns, const char *msg,
                       const struct log_field *f, size_t n) {
    int fd = (int)((uintptr_t)ctx >> 1);
    enum log_style style = (uintptr_t)ctx & 1 ? LOG_STYLE_JSON : LOG_STYLE_TEXT;
    struct reader *r = reader_of(fd);
    cleanup_buf struct buf line = BUF(LINE_CAP);
    int saved = errno;
    if (r && r->torn) buf_addc(&line, '\n');
    if (r && r->dropped)
        format(&line, style, LOG_WARN, wall_ns, "log lines dropped",
               (const struct log_field[]){LF_STR("event", "LogLinesDropped"), LF_INT("lines", r->dropped)},
               2);
    size_t before = line.n;
    format(&line, style, level, wall_ns, msg, f, n);
    if (line.n == before) { /* larger than any line may be */
        line.full = false;
        format(&line, style, level, wall_ns, msg, NULL, 0);
    }
    size_t done = put(fd, buf_slice(&line), r && r->dropped ? 0 : WAIT_MS);
    errno = saved;
    if (!r) return;
    if (done == line.n) {
        *r = (struct reader){0};
    } else {
        r->dropped++;
        if (done) r->torn = line.p[done - 1] != '\n';
    }
}

struct log_sink log_sink_fd(int fd, enum log_style style) {
    uintptr_t ctx = (uintptr_t)(unsigned)fd << 1 | (style == LOG_STYLE_JSON);
    return (struct log_sink){write_line, (void *)ctx};
}
