/* A test operator: it reconciles nothing, but counts as if it did, and exports the counts under
 * controller-runtime's metric names. What it does is said by /operator.conf in its image (so that an image
 * update changes the behaviour), or by the environment (OPERATOR_ERROR_RATE ...), one `key=value` a line:
 *   rate=20          reconciles per second
 *   error-rate=0     share of them that fail, 0..1
 *   controllers=1    how many there are, at most 20: widget, or widget-1, widget-2, ...
 *   last-share=0     the share of the work that the last of them does; 0: as much as the others
 *   bad-controller=0 the only one that fails, from 1; 0: all alike
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
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static struct setting {
    const char *key;
    double value;
} settings[] = {{"rate", 20},       {"error-rate", 0}, {"errors-after", 0},  {"crash-after", 0},
                {"end-after", 0},   {"hang-at", 0},    {"ready-after", 0},   {"port", 8080},
                {"controllers", 1}, {"last-share", 0}, {"bad-controller", 0}};
enum {
    RATE,
    ERROR_RATE,
    ERRORS_AFTER,
    CRASH_AFTER,
    END_AFTER,
    HANG_AT,
    READY_AFTER,
    PORT,
    CONTROLLERS,
    LAST_SHARE,
    BAD,
    SETTINGS
};
enum { MOST = 20 };
static char metrics_mode[16] = "page";
static double done_total, started, counted;
static struct {
    double done, failed, work_owed,
        owed; /* parts of a reconcile, of an error, that are still to be counted */
} controller[MOST];
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

static int controllers(void) {
    return (int)fmax(1, fmin(MOST, settings[CONTROLLERS].value));
}

/* Of the work of all. */
static double share_of(int i) {
    double n = controllers(), last = settings[LAST_SHARE].value;
    if (n < 2 || last <= 0) return 1 / n;
    return i == (int)n - 1 ? last : (1 - last) / (n - 1);
}

/* Work is counted when somebody looks: what has happened since the last look, errors spread evenly. */
static void count(void) {
    double t = now(), work = floor((t - counted) * settings[RATE].value);
    if (work < 1) return;
    counted += work / settings[RATE].value;
    if (settings[HANG_AT].value > 0) work = fmax(0, fmin(work, settings[HANG_AT].value - done_total));
    done_total += work;
    for (int i = 0; i < controllers(); i++) {
        double its = controller[i].work_owed + work * share_of(i) + 1e-9, bad = settings[BAD].value;
        controller[i].work_owed = its - floor(its);
        controller[i].done += floor(its);
        if (t - started < settings[ERRORS_AFTER].value || (bad > 0 && (int)bad != i + 1)) continue;
        double failed = controller[i].owed + floor(its) * settings[ERROR_RATE].value;
        controller[i].owed = failed - floor(failed);
        controller[i].failed += floor(failed);
    }
}

struct text {
    char *at;
    size_t n, cap;
};
__attribute__((format(printf, 2, 3))) static void say(struct text *t, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(t->at + t->n, t->cap - t->n, fmt, ap);
    va_end(ap);
    t->n = n > 0 && (size_t)n < t->cap - t->n ? t->n + (size_t)n : t->cap - 1;
}

static const char *name_of(int i) {
    static char name[24];
    if (controllers() == 1) return "widget";
    snprintf(name, sizeof name, "widget-%d", i + 1);
    return name;
}

static size_t metrics_page(char *out, size_t cap) {
    struct text t = {out, 0, cap};
    if (strcmp(metrics_mode, "garbage") == 0) {
        say(&t, "<html>{{{ this is no metrics page\n\x01\x02 }}}\n");
        return t.n;
    }
    count();
    say(&t, "# HELP controller_runtime_reconcile_total Total number of reconciliations per controller\n"
            "# TYPE controller_runtime_reconcile_total counter\n");
    for (int i = 0; i < controllers(); i++)
        say(&t,
            "controller_runtime_reconcile_total{controller=\"%1$s\",result=\"error\"} %2$.0f\n"
            "controller_runtime_reconcile_total{controller=\"%1$s\",result=\"requeue\"} 0\n"
            "controller_runtime_reconcile_total{controller=\"%1$s\",result=\"requeue_after\"} 0\n"
            "controller_runtime_reconcile_total{controller=\"%1$s\",result=\"success\"} %3$.0f\n",
            name_of(i), controller[i].failed, controller[i].done - controller[i].failed);
    say(&t, "# TYPE controller_runtime_reconcile_errors_total counter\n");
    for (int i = 0; i < controllers(); i++)
        say(&t, "controller_runtime_reconcile_errors_total{controller=\"%s\"} %.0f\n", name_of(i),
            controller[i].failed);
    say(&t, "# TYPE controller_runtime_active_workers gauge\n");
    for (int i = 0; i < controllers(); i++)
        say(&t, "controller_runtime_active_workers{controller=\"%s\"} 0\n", name_of(i));
    say(&t, "# TYPE workqueue_depth gauge\n");
    for (int i = 0; i < controllers(); i++) say(&t, "workqueue_depth{name=\"%s\"} 0\n", name_of(i));
    say(&t, "# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds %.3f\n", started);
    return t.n;
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
    static char page[16384];
    char req[4096];
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
