/* The log on a pipe: the formats, and a reader that is slow, gone or back again. */
#include "../log_line.h"
#include "../case.h"
#include "obs/obs.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

struct ends {
    int r, w;
};

static void make_pipe(struct ends *p) {
    int fd[2];
    assert_int_equal(pipe2(fd, O_CLOEXEC), 0);
    assert_true(fcntl(fd[1], F_SETPIPE_SZ, 16384) >= 0);
    assert_true(fcntl(fd[0], F_SETFL, O_NONBLOCK) >= 0);
    *p = (struct ends){fd[0], fd[1]};
}

static void close_pipe(struct ends *p) {
    if (p->r >= 0) close(p->r);
    if (p->w >= 0) close(p->w);
}
#define PIPE_CASE(name) CASE_WITH(struct ends, t, make_pipe, close_pipe, name)

static void drain(int fd, struct buf *out) {
    char chunk[4096];
    for (ssize_t n; (n = read(fd, chunk, sizeof chunk)) > 0;) buf_add(out, slice_make(chunk, (size_t)n));
}

static int64_t epoch(void *ctx) {
    (void)ctx;
    return 0;
}

static struct log log_to(int fd, enum log_style style) {
    return (struct log){.sink = log_sink_fd(fd, style), .min = LOG_DEBUG, .wall_ns = epoch};
}

PIPE_CASE(both_styles) {
    struct log text = log_to(t->w, LOG_STYLE_TEXT), json = log_to(t->w, LOG_STYLE_JSON);
    LOG(&text, LOG_INFO, "lease acquired", LF_STR("holder", "a b"), LF_INT("term", 3));
    LOG(&json, LOG_WARN, "lease lost", LF_DUR("after", 1500 * NS_PER_MS));
    cleanup_buf struct buf out = BUF(10000);
    drain(t->r, &out);
    assert_string_equal(
        buf_str(&out),
        "1970-01-01T00:00:00.000000Z INFO  lease acquired holder=\"a b\" term=3\n"
        "{\"ts\":\"1970-01-01T00:00:00.000000Z\",\"level\":\"warn\",\"msg\":\"lease lost\",\"after\":1.5}\n");
}

/* The number after ` name=` in a line, -1 if it has none. */
static int64_t number(struct slice line, const char *name) {
    const char *at = memmem(line.p, line.n, name, strlen(name));
    if (!at) return -1;
    return strtoll(at + strlen(name), NULL, 10); /* ends at the blank or newline that follows */
}

/* Every line is whole and in its place, but for those that were dropped, and those are counted. */
static void check_lines(const struct buf *out, int64_t logged) {
    struct slice rest = buf_slice(out), line;
    int64_t next = 0, dropped = 0;
    while (rest.n) {
        assert_true(slice_cut(rest, '\n', &line, &rest));
        if (!line.n) continue;
        if (number(line, " lines=") >= 0) {
            dropped += number(line, " lines=");
            next += number(line, " lines=");
        } else if (slice_ends(line, SL("x"))) { /* not torn */
            assert_int_equal(number(line, " n="), next);
            next++;
        }
    }
    assert_int_equal(next, logged);
    assert_true(dropped > 0);
}

static void outlive(struct ends *p, int64_t lines) {
    struct log log = log_to(p->w, LOG_STYLE_TEXT);
    cleanup_buf struct buf out = BUF(1 << 22);
    alarm(60); /* a write that blocks ends the test */
    for (int64_t n = 0; n < lines + 50; n++) {
        if (n == lines) drain(p->r, &out);
        LOG(&log, LOG_INFO, "line", LF_INT("n", n), LF_STR("pad", n < lines ? "xxxxxxxxxxxxxxxxxxxx" : "x"));
    }
    drain(p->r, &out);
    alarm(0);
    check_lines(&out, lines + 50);
}

PIPE_CASE(a_reader_that_stops_does_not_stop_us) {
    outlive(t, 5000);
}

PIPE_CASE(a_nonblocking_descriptor_is_fine) {
    assert_true(fcntl(t->w, F_SETFL, O_NONBLOCK) >= 0);
    outlive(t, 3000);
}

PIPE_CASE(a_long_line_that_is_torn_ends_before_the_next) {
    struct log log = log_to(t->w, LOG_STYLE_JSON);
    static char pad[4000];
    struct log_field f[5];
    memset(pad, 'y', sizeof pad);
    for (size_t i = 0; i < ARRAY_LEN(f); i++) f[i] = LF_SLICE("k", slice_make(pad, sizeof pad));
    alarm(60);
    for (int i = 0; i < 3; i++) log_write(&log, LOG_INFO, "long", f, ARRAY_LEN(f));
    cleanup_buf struct buf out = BUF(1 << 20);
    drain(t->r, &out);
    size_t torn = out.n;
    assert_true(torn && out.p[torn - 1] != '\n');
    LOG0(&log, LOG_INFO, "after");
    drain(t->r, &out);
    alarm(0);
    const char *rest = buf_str(&out) + torn;
    assert_memory_equal(rest, "\n{", 2); /* on a line of its own */
    assert_non_null(strstr(rest, "\"lines\":3}\n"));
    assert_non_null(strstr(rest, "\"msg\":\"after\"}\n"));
}

CASE(an_enormous_line_loses_its_fields) {
    int fd[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
    assert_true(fcntl(fd[0], F_SETFL, O_NONBLOCK) >= 0);
    struct log log = log_to(fd[1], LOG_STYLE_TEXT);
    static char pad[4096];
    memset(pad, '\x01', sizeof pad);
    struct log_field f[64];
    for (size_t i = 0; i < ARRAY_LEN(f); i++) f[i] = LF_SLICE("k", slice_make(pad, sizeof pad));
    log_write(&log, LOG_ERROR, "kept", f, ARRAY_LEN(f));
    cleanup_buf struct buf out = BUF(1 << 20);
    drain(fd[0], &out);
    assert_string_equal(buf_str(&out), "1970-01-01T00:00:00.000000Z ERROR kept\n");
    close(fd[0]);
    close(fd[1]);
}

PIPE_CASE(a_reader_that_is_gone_or_never_was) {
    struct log log = log_to(t->w, LOG_STYLE_TEXT);
    signal(SIGPIPE, SIG_IGN); /* as src/loop does */
    close(t->r);
    t->r = -1;
    errno = 1234;
    LOG0(&log, LOG_INFO, "nobody");
    assert_int_equal(errno, 1234);
    close(t->w);
    t->w = -1;
    LOG0(&log, LOG_INFO, "closed");
    struct log none = log_to(-1, LOG_STYLE_TEXT);
    LOG0(&none, LOG_INFO, "no descriptor");
}

CASES("obs/log_fd")
