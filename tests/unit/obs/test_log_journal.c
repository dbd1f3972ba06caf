/* The journal's native protocol, against a socket of our own at journald's place, in a mount namespace of our
 * own. Skipped where no such namespace is to be had. */
#include "../log_line.h"
#include "../case.h"
#include "simworld/alone.h"
#include "obs/obs.h"
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int fd; /* of the socket; < 0: none is to be had */

static int bind_journal(void) {
    struct sockaddr_un addr = {.sun_family = AF_UNIX, .sun_path = "/run/systemd/journal/socket"};
    if (unshare(CLONE_NEWNS) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0) return -1;
    if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("tmpfs", "/run", "tmpfs", 0, NULL) < 0)
        return -1;
    if (mkdir("/run/systemd", 0755) < 0 || mkdir("/run/systemd/journal", 0755) < 0) return -1;
    int s = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return s < 0 || bind(s, (struct sockaddr *)&addr, sizeof addr) < 0 ? -1 : s;
}

/* The value of a field in a datagram of the native protocol: NAME=value\n, or NAME\n, 64 bits of length,
 * value, \n. */
static bool field(struct slice entry, const char *name, struct buf *ret) {
    buf_clear(ret);
    while (entry.n) {
        struct slice line, rest, key, value;
        slice_cut(entry, '\n', &line, &rest);
        if (!slice_cut(line, '=', &key, &value)) {
            uint64_t n;
            assert_true(rest.n >= sizeof n);
            memcpy(&n, rest.p, sizeof n); /* little-endian, as this machine is */
            assert_true(n + sizeof n < rest.n);
            value = slice_make(rest.p + sizeof n, n);
            rest = slice_make(rest.p + sizeof n + n + 1, rest.n - sizeof n - n - 1);
        }
        if (slice_eqs(key, name)) {
            buf_add(ret, value);
            return true;
        }
        entry = rest;
    }
    return false;
}

static void expect_field(struct slice entry, const char *name, const char *want) {
    cleanup_buf struct buf v = BUF(65536);
    assert_true(field(entry, name, &v));
    assert_string_equal(buf_str(&v), want);
}

/* The next datagram, valid until another; empty: there is none. */
static struct slice next_entry(void) {
    static char text[65536];
    ssize_t n = recv(fd, text, sizeof text, 0);
    return slice_make(text, n > 0 ? (size_t)n : 0);
}

CASE(entries_with_fields) {
    if (fd < 0) skip();
    struct log log = {.sink = log_sink_journal(), .min = LOG_DEBUG};
    char big[5000];
    memset(big, 'z', sizeof big);
    LOG(&log, LOG_WARN, "lease lost", LF_STR("lease.name", "handover"), LF_INT("term", -3),
        LF_DUR("after", 1500 * NS_PER_MS), LF_NUM("rate", 0.5), LF_STR("two", "a\nMESSAGE=forged"),
        LF_STR("a-very-long-name-that-journald-would-refuse-because-it-has-more-than-64-letters", "x"),
        LF_SLICE("big", slice_make(big, sizeof big)));
    struct slice entry = next_entry();
    cleanup_buf struct buf v = BUF(65536);
    assert_true(field(entry, "MESSAGE", &v));
    assert_non_null(
        strstr(buf_str(&v),
               "lease lost lease.name=handover term=-3 after=1.5s rate=0.5 two=\"a\\nMESSAGE=forged\""));
    assert_memory_equal(buf_str(&v), "lease lost ", 11);
    expect_field(entry, "PRIORITY", "4");
    expect_field(entry, "SYSLOG_IDENTIFIER", "handover");
    expect_field(entry, "HANDOVER_LEASE_NAME", "handover");
    expect_field(entry, "HANDOVER_TERM", "-3");
    expect_field(entry, "HANDOVER_AFTER", "1.500000000");
    expect_field(entry, "HANDOVER_TWO", "a\nMESSAGE=forged"); /* whole, and no field of its own */
    assert_true(field(entry, "HANDOVER_A_VERY_LONG_NAME_THAT_JOURNALD_WOULD_REFUSE_BECAUSE_IT_", &v) ||
                field(entry, "HANDOVER_A_VERY_LONG_NAME_THAT_JOURNALD_WOULD_REFUSE_BECAUSE_IT", &v));
    assert_true(field(entry, "HANDOVER_BIG", &v));
    assert_int_equal(v.n, 5000);
    assert_false(field(entry, "CODE_FILE", &v)); /* it would be this sink's own, always */
    LOG0(&log, LOG_ERROR, "short");
    expect_field(next_entry(), "MESSAGE", "short");
}

CASE(a_journal_that_takes_nothing_does_not_stop_us) {
    if (fd < 0) skip();
    struct log log = {.sink = log_sink_journal(), .min = LOG_DEBUG};
    alarm(60); /* a write that blocks ends the test */
    for (int i = 0; i < 30; i++) LOG(&log, LOG_INFO, "line", LF_INT("n", i));
    alarm(0);
    int got = 0;
    while (next_entry().n) got++;
    assert_in_range(got, 1, 29); /* the queue of a datagram socket is short */
    LOG0(&log, LOG_INFO, "back");
    cleanup_free char *missing = xasprintf("%d", 30 - got);
    expect_field(next_entry(), "HANDOVER_ENTRIES", missing); /* none is missing without a word */
    expect_field(next_entry(), "MESSAGE", "back");
}

CASE(without_a_journal) {
    struct log log = {.sink = log_sink_journal(), .min = LOG_DEBUG};
    unlink("/run/systemd/journal/socket");
    errno = 1234;
    LOG0(&log, LOG_INFO, "nobody");
    assert_int_equal(errno, 1234);
}

CASE(under_the_journal) {
    struct alone alone;
    struct stat st;
    char stream[64];
    int ends[2];
    alone_init(&alone, 1);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(fstat(ends[1], &st), 0);
    assert_false(log_under_journal(alone.w, ends[1]));
    snprintf(stream, sizeof stream, "%llu:%llu", (unsigned long long)st.st_dev,
             (unsigned long long)st.st_ino);
    simworld_setenv(alone.w, "JOURNAL_STREAM", stream);
    assert_true(log_under_journal(alone.w, ends[1]));
    assert_false(log_under_journal(alone.w, STDIN_FILENO)); /* redirected since */
    static const char *const bad[] = {"", ":", "1", "1:", ":1", "x:y", "1:2:3", "99999999999999999999:1"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        simworld_setenv(alone.w, "JOURNAL_STREAM", bad[i]);
        assert_false(log_under_journal(alone.w, ends[1]));
    }
    close(ends[0]);
    close(ends[1]);
    simworld_setenv(alone.w, "JOURNAL_STREAM", stream);
    assert_false(log_under_journal(alone.w, ends[1]));
    alone_free(&alone);
}

static int setup(__attribute__((unused)) void **state) {
    fd = bind_journal();
    return 0;
}

static int teardown(__attribute__((unused)) void **state) {
    return fd >= 0 ? close(fd) : 0;
}

int main(void) {
    return _cmocka_run_group_tests("obs/log_journal", case_list, case_count, setup, teardown);
}
