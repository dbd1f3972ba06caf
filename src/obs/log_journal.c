/* Log entries with fields of their own, by journald's native protocol. The message repeats the fields as
 * text, because journalctl shows only the message. */
#define SD_JOURNAL_SUPPRESS_LOCATION
#include "obs/obs.h"
#include "socket_writable.h"
#include "world/world.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <systemd/sd-journal.h>

enum { FIELDS_MAX = 32, NAME_MAX_LEN = 64, ENTRY_CAP = 256 << 10, WAIT_MS = 50 };
/* Entries since the last one that journald took. There is one journald for the whole process; see log_fd.c.
 */
static uint64_t dropped;

static const struct sockaddr_un journal_addr = {.sun_family = AF_UNIX,
                                                .sun_path = "/run/systemd/journal/socket"};

bool log_under_journal(struct world *w, int fd) {
    const char *stream =
        world_getenv(w, "JOURNAL_STREAM"); /* "device:inode" of what stdout or stderr was at the start */
    struct slice dev, ino;
    int64_t d, i;
    struct stat st;
    if (!stream || !slice_cut(slice_of(stream), ':', &dev, &ino)) return false;
    if (slice_i64(dev, &d) < 0 || slice_i64(ino, &i) < 0 || fstat(fd, &st) < 0) return false;
    return (uint64_t)d == (uint64_t)st.st_dev && (uint64_t)i == (uint64_t)st.st_ino;
}

/* Asked before each entry: it is worth those four calls. */
static bool journal_takes(void) {
    return socket_writable(&journal_addr, sizeof journal_addr, dropped ? 0 : WAIT_MS);
}

static void add_name(struct buf *out, const char *key) {
    char name[NAME_MAX_LEN + 1];
    int n = snprintf(name, sizeof name, "HANDOVER_%s", key);
    size_t len = n < 0 ? 0 : (size_t)n < sizeof name ? (size_t)n : sizeof name - 1;
    for (size_t i = 0; i < len; i++) {
        char c = name[i];
        if (c >= 'a' && c <= 'z') {
            name[i] = (char)(c - 'a' + 'A');
        } else if (!(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9')) {
            name[i] = '_';
        }
    }
    buf_add(out, slice_make(name, len));
    buf_addc(out, '=');
}

static void add_value(struct buf *out, const struct log_field *f) {
    switch (f->type) {
    case LOG_T_STR: buf_add(out, f->s); break;
    case LOG_T_INT: buf_addf(out, "%" PRId64, f->i); break;
    case LOG_T_NUM: buf_addf(out, "%.17g", f->d); break;
    case LOG_T_DUR: buf_addf(out, "%.9f", (double)f->i / (double)NS_PER_S); break;
    }
}

/* The text line without its time and level, which the journal has of its own. */
static void add_message(struct buf *out, enum log_level level, const char *msg, const struct log_field *f,
                        size_t n) {
    cleanup_buf struct buf line = BUF(ENTRY_CAP);
    log_format_text(&line, level, 0, msg, f, n);
    struct slice time, rest;
    slice_cut(buf_slice(&line), ' ', &time, &rest);
    const size_t level_len = strlen("INFO  ");
    rest =
        rest.n > level_len ? slice_trim(slice_make(rest.p + level_len, rest.n - level_len)) : slice_of(msg);
    buf_adds(out, "MESSAGE=");
    buf_add(out, rest);
}

static void send_entry(enum log_level level, const char *msg, const struct log_field *f, size_t n) {
    static const int priorities[] = {7, 6, 4, 3};
    cleanup_buf struct buf text = BUF(ENTRY_CAP);
    size_t ends[FIELDS_MAX + 3], count = 0;
    add_message(&text, level, msg, f, n);
    ends[count++] = text.n;
    buf_addf(&text, "PRIORITY=%d", priorities[level]);
    ends[count++] = text.n;
    buf_adds(&text, "SYSLOG_IDENTIFIER=handover");
    ends[count++] = text.n;
    for (size_t i = 0; i < n && i < FIELDS_MAX; i++) {
        size_t before = text.n;
        add_name(&text, f[i].key);
        add_value(&text, &f[i]);
        if (text.full) {
            text.n = before;
            break;
        }
        ends[count++] = text.n;
    }
    struct iovec iov[FIELDS_MAX + 3];
    for (size_t i = 0, from = 0; i < count; from = ends[i++])
        iov[i] = (struct iovec){.iov_base = text.p + from, .iov_len = ends[i] - from};
    if (!journal_takes() || sd_journal_sendv(iov, (int)count) < 0) dropped++;
}

static void write_entry(void *ctx, enum log_level level, int64_t wall_ns, const char *msg,
                        const struct log_field *f, size_t n) {
    int saved = errno;
    (void)ctx, (void)wall_ns;
    uint64_t missing = dropped;
    if (missing && journal_takes()) {
        dropped = 0;
        send_entry(LOG_WARN, "log entries were dropped, journald did not take them",
                   &LF_INT("entries", missing), 1);
        if (dropped) dropped = missing;
    }
    send_entry(level, msg, f, n);
    errno = saved;
}

struct log_sink log_sink_journal(void) {
    return (struct log_sink){write_entry, NULL};
}
