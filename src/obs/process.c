/* The process as its kernel sees it, under the names of Prometheus' client libraries. */
#include "obs/obs.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* Connections of the client's lanes (2 for the lease, 16 each for watches and calls, 40 for scrapes), 64 of the admin
 * port, and what the loop, the log and a credential plugin have open. */
enum { FILES_NEEDED = 192 };

static struct metric *gauge(struct metrics *m, const char *name, const char *help) {
    return metric_plain(metrics_family(m, METRIC_GAUGE, name, help, "", NULL, 0));
}

static bool read_text(const char *path, char *out, size_t size) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    ssize_t n = read(fd, out, size - 1);
    close(fd);
    if (n < 0) return false;
    out[n] = '\0';
    return true;
}

/* The field of /proc/self/stat with this number (man proc: from 1), which stands after the name in
 * parentheses from 3. */
static double stat_field(const char *stat, int field) {
    const char *p = strrchr(stat, ')');
    for (int i = 2; p && i < field; i++) p = strchr(p + 1, ' ');
    double v = 0;
    if (!p) return 0;
    struct slice rest = slice_of(p + 1), word, after;
    slice_cut(rest, ' ', &word, &after);
    return slice_f64(word, &v) == 0 ? v : 0;
}

/* A line "Pss:   123 kB" of /proc/self/smaps_rollup, in bytes. */
static double smaps_field(const char *text, const char *name) {
    const char *at = strstr(text, name);
    return at ? strtod(at + strlen(name), NULL) * 1024 : 0;
}

static double open_fds(void) {
    DIR *d = opendir("/proc/self/fd");
    double n = 0;
    if (!d) return 0;
    while (readdir(d)) n++;
    closedir(d);
    return n > 3 ? n - 3 : 0; /* ".", ".." and the directory itself */
}

/* Seconds since 1970 at which this process was started: when the machine was, and how long after that. */
static double start_time(const char *stat) {
    struct timespec wall, boot;
    if (clock_gettime(CLOCK_REALTIME, &wall) < 0 || clock_gettime(CLOCK_BOOTTIME, &boot) < 0) return 0;
    double started = (double)(wall.tv_sec - boot.tv_sec) + (double)(wall.tv_nsec - boot.tv_nsec) * 1e-9;
    return started + stat_field(stat, 22) / (double)sysconf(_SC_CLK_TCK);
}

static void collect(void *ctx) {
    struct metrics *m = ctx;
    char stat[2048];
    struct rusage u;
    struct rlimit lim;
    struct metric *cpu =
        metric_plain(metrics_family(m, METRIC_COUNTER, "process_cpu_seconds_total",
                                    "Total user and system CPU time spent in seconds.", "", NULL, 0));
    if (getrusage(RUSAGE_SELF, &u) == 0) {
        double now = (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
                     (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1e-6;
        metric_add(cpu, now - metric_value(cpu));
    }
    if (read_text("/proc/self/stat", stat, sizeof stat)) {
        metric_set(gauge(m, "process_virtual_memory_bytes", "Virtual memory size in bytes."),
                   stat_field(stat, 23));
        metric_set(gauge(m, "process_resident_memory_bytes", "Resident memory size in bytes."),
                   stat_field(stat, 24) * (double)sysconf(_SC_PAGESIZE));
        struct metric *start =
            gauge(m, "process_start_time_seconds", "Start time of the process since unix epoch in seconds.");
        if (!(metric_value(start) > 0))
            metric_set(start, start_time(stat)); /* once: the wall clock may be set */
    }
    if (read_text("/proc/self/smaps_rollup", stat, sizeof stat)) {
        metric_set(gauge(m, "handover_memory_anonymous_bytes",
                         "Resident memory that is no file's: heap, stacks, data."),
                   smaps_field(stat, "\nAnonymous:"));
        metric_set(gauge(m, "handover_memory_proportional_bytes",
                         "Resident memory, pages shared with other processes in equal parts (Pss)."),
                   smaps_field(stat, "\nPss:"));
    }
    metric_set(gauge(m, "process_open_fds", "Number of open file descriptors."), open_fds());
    if (getrlimit(RLIMIT_NOFILE, &lim) == 0)
        metric_set(gauge(m, "process_max_fds", "Maximum number of open file descriptors."),
                   (double)lim.rlim_cur);
}

void process_raise_files(struct log *log) {
    struct rlimit lim;
    if (getrlimit(RLIMIT_NOFILE, &lim) < 0) return;
    rlim_t had = lim.rlim_cur;
    lim.rlim_cur = lim.rlim_max;
    if (had < lim.rlim_max && setrlimit(RLIMIT_NOFILE, &lim) < 0) lim.rlim_cur = had;
    if (lim.rlim_cur >= FILES_NEEDED) return;
    LOG_EVENT(log, LOG_ERROR, "TooFewFileDescriptors",
              "too few file descriptors: requests and probes will fail; raise the hard limit (LimitNOFILE=, "
              "ulimit -n)",
              LF_INT("limit", (int64_t)lim.rlim_cur), LF_INT("needed", FILES_NEEDED));
}

void process_metrics(struct metrics *m) {
    struct metric_family *info =
        metrics_family(m, METRIC_GAUGE, "handover_build_info", "1, labelled by the version of this program",
                       "version", NULL, 0);
    metric_set(metric_with(info, (const char *const[]){HANDOVER_VERSION}), 1);
    collect(m);
    metrics_on_collect(m, collect, m);
}
