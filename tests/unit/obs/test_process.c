/* The process metrics tell the truth about this process. */
#include "../case.h"
#include "obs/obs.h"
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double value(struct metrics *m, const char *name) {
    cleanup_buf struct buf page = BUF(1 << 16);
    cleanup_free char *key = xasprintf("\n%s ", name);
    metrics_write(m, &page);
    const char *at = strstr(buf_str(&page), key);
    assert_non_null(at);
    return strtod(at + strlen(key), NULL);
}

CASE(truth) {
    struct metrics *m = metrics_new(10);
    process_metrics(m);
    time_t now = time(NULL);
    assert_true(value(m, "process_start_time_seconds") > (double)now - 600);
    assert_true(value(m, "process_start_time_seconds") < (double)now + 2);
    assert_true(value(m, "process_resident_memory_bytes") > 500000);
    assert_true(value(m, "process_virtual_memory_bytes") > value(m, "process_resident_memory_bytes"));
    double own = value(m, "handover_memory_anonymous_bytes"),
           pss = value(m, "handover_memory_proportional_bytes");
    assert_true(own > 100000 && own <= pss && pss <= 1.1 * value(m, "process_resident_memory_bytes"));
    assert_true(value(m, "process_max_fds") > 10);
    double cpu = value(m, "process_cpu_seconds_total"), fds = value(m, "process_open_fds");
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    for (volatile unsigned i = 0; i < 100000000; i++) continue;
    assert_true(value(m, "process_cpu_seconds_total") > cpu);
    assert_true(value(m, "process_open_fds") > fds && value(m, "process_open_fds") < fds + 2);
    close(fd);
    assert_true(value(m, "handover_build_info{version=\"" HANDOVER_VERSION "\"}") > 0.5);
    metrics_free(m);
}

static void count(void *ctx, enum log_level level, int64_t wall_ns, const char *msg,
                  const struct log_field *f, size_t n) {
    (void)wall_ns, (void)msg;
    if (level == LOG_ERROR && n == 3 && f[1].i < f[2].i) ++*(int *)ctx;
}

CASE(the_limit_of_open_files_is_raised) {
    static const struct {
        rlim_t soft, hard;
        int errors;
    } cases[] = {{24, 24, 1}, {24, 100, 1}, {24, 1000, 0}, {500, 500, 0}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        pid_t pid = fork(); /* the hard limit cannot be raised again */
        if (pid == 0) {
            int errors = 0;
            struct log log = {.sink = {count, &errors}};
            struct rlimit lim = {cases[i].soft, cases[i].hard}, after;
            bool right = setrlimit(RLIMIT_NOFILE, &lim) == 0;
            process_raise_files(&log);
            right = right && getrlimit(RLIMIT_NOFILE, &after) == 0 && after.rlim_cur == cases[i].hard;
            _exit(right && errors == cases[i].errors ? 0 : 1);
        }
        int status;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
    }
}

CASES("obs/process")
