/* A test operator: it reconciles nothing, but counts as if it did, and exports the counts under
 * controller-runtime's metric names. What it does is said by /operator.conf in its image (so that an image
 * update changes the behaviour), or by the environment (OPERATOR_ERROR_RATE ...), one `key=value` a line:
 *   rate=20          reconciles per second
 *   error-rate=0     share of them that fail, 0..1
 *   errors-after=0   seconds from the start until they begin to fail
 *   crash-after=0    seconds until the process exits with 1; 0: never
 *   end-after=0      seconds until the process exits with 0; 0: never
 *   hang-at=0        reconciles after which it is stuck in the next one; 0: never
 *   ready-after=0    seconds until /readyz says yes
 *   port=8080        where it listens
 *   metrics=page     page | garbage | error | silent
 * POST /set?error-rate=0.5 changes one of them while it runs. GET /metrics, /healthz, /readyz.
 * Static, libc only. */
#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static struct setting {
    const char *key;
    double value;
} settings[] = {{"rate", 20},     {"error-rate", 0}, {"errors-after", 0}, {"crash-after", 0},
                {"end-after", 0}, {"hang-at", 0},    {"ready-after", 0},  {"port", 8080}};
enum { RATE, ERROR_RATE, ERRORS_AFTER, CRASH_AFTER, END_AFTER, HANG_AT, READY_AFTER, PORT, SETTINGS };
static char metrics_mode[16] = "page";
static double done_total, error_total, started, counted;
static volatile sig_atomic_t stopping;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void set(const char *key, const char *value) {
    for (int i = 0; i < SETTINGS; i++)
        if (strcmp(settings[i].key, key) == 0) settings[i].value = atof(value);
    if (strcmp(key, "metrics") == 0) snprintf(metrics_mode, sizeof metrics_mode, "%.15s", value);
}

static void configure(void) {
    char line[256];
    FILE *f = fopen("/operator.conf", "r");
    while (f && fgets(line, sizeof line, f)) {
        line[strcspn(line, "\r\n")] = 0;
        char *eq = strchr(line, '=');
        if (!eq) continue;
        *eq = 0;
        set(line, eq + 1);
    }
    if (f) fclose(f);
    for (int i = 0; i < SETTINGS; i++) {
        char name[64] = "OPERATOR_";
        size_t n = strlen(name);
        for (const char *k = settings[i].key; *k && n + 1 < sizeof name; k++)
            name[n++] = (char)(*k == '-' ? '_' : (*k >= 'a' && *k <= 'z') ? *k - 32 : *k);
        name[n] = 0;
        if (getenv(name)) set(settings[i].key, getenv(name));
    }
    if (getenv("OPERATOR_METRICS")) set("metrics", getenv("OPERATOR_METRICS"));
}

/* Work is counted when somebody looks: what has happened since the last look, errors spread evenly. */
static void count(void) {
    double t = now(), work = floor((t - counted) * settings[RATE].value);
    if (work < 1) return;
    counted += work / settings[RATE].value;
    if (settings[HANG_AT].value > 0) work = fmax(0, fmin(work, settings[HANG_AT].value - done_total));
    done_total += work;
    if (t - started >= settings[ERRORS_AFTER].value) {
        static double owed;
        owed += work * settings[ERROR_RATE].value;
        error_total += floor(owed);
        owed -= floor(owed);
    }
}

static size_t metrics_page(char *out, size_t cap) {
    if (strcmp(metrics_mode, "garbage") == 0)
        return (size_t)snprintf(out, cap, "<html>{{{ this is no metrics page\n\x01\x02 }}}\n");
    count();
    return (size_t)snprintf(
        out, cap,
        "# HELP controller_runtime_reconcile_total Total number of reconciliations per controller\n"
        "# TYPE controller_runtime_reconcile_total counter\n"
        "controller_runtime_reconcile_total{controller=\"widget\",result=\"error\"} %.0f\n"
        "controller_runtime_reconcile_total{controller=\"widget\",result=\"requeue\"} 0\n"
        "controller_runtime_reconcile_total{controller=\"widget\",result=\"requeue_after\"} 0\n"
        "controller_runtime_reconcile_total{controller=\"widget\",result=\"success\"} %.0f\n"
        "# TYPE controller_runtime_reconcile_errors_total counter\n"
        "controller_runtime_reconcile_errors_total{controller=\"widget\"} %.0f\n"
        "# TYPE controller_runtime_active_workers gauge\n"
        "controller_runtime_active_workers{controller=\"widget\"} 0\n"
        "# TYPE workqueue_depth gauge\n"
        "workqueue_depth{name=\"widget\"} 0\n"
        "# TYPE process_start_time_seconds gauge\n"
        "process_start_time_seconds %.3f\n",
        error_total, done_total - error_total, error_total, started);
}

static void answer(int fd, const char *status, const char *body, size_t n) {
    char head[256];
    int h = snprintf(head, sizeof head,
                     "HTTP/1.1 %s\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: "
                     "%zu\r\nConnection: close\r\n\r\n",
                     status, n);
    if (send(fd, head, (size_t)h, MSG_NOSIGNAL) < 0 || send(fd, body, n, MSG_NOSIGNAL) < 0) return;
}

static void serve(int fd) {
    char req[4096], page[4096];
    struct timeval limit = {.tv_sec = 2};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ssize_t n = recv(fd, req, sizeof req - 1, 0);
    if (n <= 0) return;
    req[n] = 0;
    if (strncmp(req, "GET /metrics", 12) == 0) {
        if (strcmp(metrics_mode, "silent") == 0) return;
        if (strcmp(metrics_mode, "error") == 0)
            answer(fd, "500 Internal Server Error", "broken\n", 7);
        else
            answer(fd, "200 OK", page, metrics_page(page, sizeof page));
    } else if (strncmp(req, "POST /set?", 10) == 0) {
        char *key = req + 10, *eq = strchr(key, '='), *end = strchr(key, ' ');
        if (eq && end && eq < end) {
            count();
            *eq = *end = 0;
            set(key, eq + 1);
        }
        answer(fd, "200 OK", "ok\n", 3);
    } else if (strncmp(req, "GET /readyz", 11) == 0 && now() - started < settings[READY_AFTER].value) {
        answer(fd, "503 Service Unavailable", "not yet\n", 8);
    } else {
        answer(fd, "200 OK", "ok\n", 3);
    }
}

static void on_term(int sig) {
    (void)sig;
    stopping = 1;
}

int main(void) {
    struct sigaction sa = {.sa_handler = on_term};
    sigaction(SIGTERM, &sa, NULL);
    sigaction(SIGINT, &sa, NULL);
    started = counted = now();
    configure();
    int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)settings[PORT].value)};
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&at, sizeof at) || listen(fd, 64)) {
        perror("listen");
        return 1;
    }
    while (!stopping) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int r = poll(&p, 1, 200);
        if (r < 0 && errno != EINTR) return 1;
        if (settings[END_AFTER].value > 0 && now() - started >= settings[END_AFTER].value) return 0;
        if (settings[CRASH_AFTER].value > 0 && now() - started >= settings[CRASH_AFTER].value) return 1;
        if (r <= 0) continue;
        int c = accept(fd, NULL, NULL);
        if (c < 0) continue;
        serve(c);
        close(c);
    }
    return 0;
}
