/* The lane bench: does a long list delay the lease? A PUT on LANE_LEASE every 50 ms, timed from the instant
 * at which it was due to its answer, first with nothing else going on, then during a list of 100,000
 * Deployments on LANE_WATCH. Usage: bench_lane [ITEMS [pages]]; pages: of a
 * server without streaming lists. Exits with 1 when p99 during the list is 20 ms or
 * more. */
#include "kube/informer.h"
#include "lane_server.h"
#include "renewals.h"
#include "side.h"
#include <signal.h>
#include <sys/wait.h>

enum { QUIET_PUTS = 40, LIMIT_MS = 20 };

struct bench {
    struct renewals r;
    struct informer *list; /* of Deployments: every object is parsed and put into the store */
    int64_t began, items;  /* that the list has to bring */
    bool over, failed;
};

static void list_done(struct bench *b, const struct err *err) {
    if (b->over) return;
    b->over = true;
    size_t objects = store_len(informer_store(b->list));
    double s = (double)(world_boot_ns(b->r.w) - b->began) / 1e9;
    printf("lane_list_objects %zu objects\nlane_list_size %.0f MiB\nlane_list_time %.2f s\n", objects,
           (double)lane_server_bytes(objects) / (1 << 20), s);
    b->failed = err || (int64_t)objects != b->items;
    if (err) fprintf(stderr, "list failed: %s\n", err->msg);
    if (!err && b->failed)
        fprintf(stderr, "%zu objects are in the store, wanted are %lld\n", objects, (long long)b->items);
    loop_stop(b->r.l);
}

static void on_change(void *ctx, const struct store_rec *old, const struct store_rec *now, bool initial) {
    (void)ctx, (void)old, (void)now, (void)initial;
}

static void on_synced(void *ctx) {
    list_done(ctx, NULL);
}

static void on_trouble(void *ctx, const struct err *err) {
    list_done(ctx, err);
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

int main(int argc, char **argv) {
    int64_t items = 100000;
    if (argc > 1 && slice_i64(slice_of(argv[1]), &items) < 0) return 2;
    int list_port;
    pid_t list_pid = lane_server_start((size_t)items, argc < 3, &list_port);
    struct bench b = {.items = items};
    struct side side;
    cleanup_free char *server = xasprintf("http://127.0.0.1:%d", list_port);
    side_open(&side, &(struct kube_config_spec){.server = server}, NULL);
    renewals_init(&b.r, side.loop);
    renewals_run(&b.r, QUIET_PUTS);
    renewals_report(&b.r, "lane_quiet_put");
    b.began = world_boot_ns(b.r.w);
    static const struct informer_cb cb = {on_change, on_synced, on_trouble};
    struct err err = {0};
    const struct informer_spec spec = {.gvr = &gvr_deployments, .name = "bench"};
    if (informer_new(side.kube, &spec, &cb, &b, &b.list, &err) < 0) side_die(&err);
    informer_start(b.list);
    if (!b.r.failed) renewals_run(&b.r, 0);
    double p99 = renewals_report(&b.r, "lane_put");
    if (b.r.n == 0) {
        fprintf(stderr, "not one PUT fell into the list: nothing was measured\n");
        b.failed = true;
    }
    printf("lane_peak_rss %.1f MiB\n", (double)resident_kib() / 1024);
    informer_free(b.list);
    b.failed = b.failed || b.r.failed;
    renewals_free(&b.r);
    side_close(&side);
    kill(list_pid, SIGKILL);
    waitpid(list_pid, NULL, 0);
    if (p99 >= LIMIT_MS) fprintf(stderr, "p99 is %.2f ms, and must be below %d ms\n", p99, LIMIT_MS);
    return b.failed || p99 >= LIMIT_MS;
}
