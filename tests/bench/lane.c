/* The lane bench: does a long list delay the lease? A PUT on LANE_LEASE every 50 ms, timed from the instant
 * at which it was due to its answer, first with nothing else going on, then during a list of 100,000
 * Deployments on LANE_WATCH. Usage: bench_lane [ITEMS]. Exits with 1 when p99 during the list is 20 ms or
 * more. */
#include "lane_list.h"
#include "lane_server.h"
#include "net/net.h"
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

enum { EVERY_MS = 50, QUIET_PUTS = 40, LIMIT_MS = 20 };

struct bench {
    struct loop *l;
    struct world *w;
    struct timer *timer;
    struct lane_list *list;
    char *lease_url, *list_server;
    int64_t due, began;
    double *ms;
    size_t n, cap;
    int64_t items; /* that the list has to bring */
    bool in_flight, failed;
};

static void put(void *ctx);

static void put_done(void *ctx, const struct err *err, int status) {
    struct bench *b = ctx;
    int64_t now = world_boot_ns(b->w);
    b->in_flight = false;
    if (err || status != 200) {
        fprintf(stderr, "PUT failed: %s (%d)\n", err ? err->msg : "", status);
        b->failed = true;
        loop_stop(b->l);
        return;
    }
    b->ms = xgrow(b->ms, &b->cap, b->n + 1, sizeof *b->ms);
    b->ms[b->n++] = (double)(now - b->due) / 1e6;
    b->due += EVERY_MS * NS_PER_MS;
    if (b->due < now) b->due = now; /* one that took longer than the interval is not counted twice */
    timer_at(b->timer, b->due);
    if (!b->list && b->n == QUIET_PUTS) loop_stop(b->l);
}

static void put(void *ctx) {
    static const struct http_client_cb cb = {.end = put_done};
    struct bench *b = ctx;
    struct http_req *r;
    struct err err = {0};
    const struct http_spec spec = {.lane = LANE_LEASE,
                                   .method = "PUT",
                                   .url = b->lease_url,
                                   .body = SL("{\"kind\":\"Lease\",\"spec\":{\"holderIdentity\":\"bench\"}}"),
                                   .total_ns = 10 * NS_PER_S};
    b->in_flight = http_start(b->w, &spec, &cb, b, &r, &err) == 0;
}

static int ascending(const void *x, const void *y) {
    double a = *(const double *)x, b = *(const double *)y;
    return (a > b) - (a < b);
}

static double report(struct bench *b, const char *name) {
    if (b->n == 0) return 0;
    qsort(b->ms, b->n, sizeof *b->ms, ascending);
    double p99 = b->ms[(b->n - 1) * 99 / 100];
    printf("%s_p50 %.2f ms\n%s_p99 %.2f ms\n%s_max %.2f ms\n%s_count %zu requests\n", name, b->ms[b->n / 2],
           name, p99, name, b->ms[b->n - 1], name, b->n);
    return p99;
}

static void list_done(void *ctx, const struct err *err, size_t objects) {
    struct bench *b = ctx;
    double s = (double)(world_boot_ns(b->w) - b->began) / 1e9;
    printf("lane_list_objects %zu objects\nlane_list_size %.0f MiB\nlane_list_time %.2f s\n", objects,
           (double)lane_server_bytes(objects) / (1 << 20), s);
    if (err) {
        fprintf(stderr, "list failed: %s\n", err->msg);
        b->failed = true;
    } else if ((int64_t)objects != b->items) {
        fprintf(stderr, "%zu objects are in the store, wanted are %lld\n", objects, (long long)b->items);
        b->failed = true;
    }
    loop_stop(b->l);
}

static long resident_kib(void) {
    long kib = 0;
    char line[128];
    FILE *f = fopen("/proc/self/status", "re");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "VmHWM: %ld", &kib) == 1) break;
    if (f) fclose(f);
    return kib;
}

static void run(struct bench *b) {
    b->n = 0;
    b->due = world_boot_ns(b->w) + EVERY_MS * NS_PER_MS;
    timer_at(b->timer, b->due);
    loop_run(b->l);
    timer_stop(b->timer);
}

int main(int argc, char **argv) {
    int64_t items = 100000;
    if (argc > 1 && slice_i64(slice_of(argv[1]), &items) < 0) return 2;
    int list_port, lease_port;
    pid_t list_pid = lane_server_start((size_t)items, &list_port),
          lease_pid = lane_server_start(0, &lease_port);
    struct bench b = {.l = loop_new(), .items = items};
    struct net *net = net_install(b.l);
    b.w = loop_world(b.l);
    b.timer = timer_new(b.w, put, &b);
    b.lease_url =
        xasprintf("http://127.0.0.1:%d/apis/coordination.k8s.io/v1/namespaces/x/leases/y", lease_port);
    b.list_server = xasprintf("http://127.0.0.1:%d", list_port);
    run(&b);
    report(&b, "lane_quiet_put");
    b.began = world_boot_ns(b.w);
    b.list = lane_list_start(b.w, b.list_server, list_done, &b);
    if (!b.failed) run(&b);
    double p99 = report(&b, "lane_put");
    if (b.n == 0) {
        fprintf(stderr, "not one PUT fell into the list: nothing was measured\n");
        b.failed = true;
    }
    printf("lane_peak_rss %.1f MiB\n", (double)resident_kib() / 1024);
    lane_list_free(b.list);
    timer_free(b.timer);
    net_uninstall(net);
    loop_free(b.l);
    free(b.lease_url);
    free(b.list_server);
    free(b.ms);
    kill(list_pid, SIGKILL);
    kill(lease_pid, SIGKILL);
    while (wait(NULL) > 0) {
    }
    if (p99 >= LIMIT_MS) fprintf(stderr, "p99 is %.2f ms, and must be below %d ms\n", p99, LIMIT_MS);
    return b.failed || p99 >= LIMIT_MS;
}
