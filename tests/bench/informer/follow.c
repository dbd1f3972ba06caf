/* What the informer bench runs beside client-go: one informer of OBJECTS objects, with the same lines on stdout as
 * tests/bench/informer_peer. Usage: bench_informer_follow configmaps|deployments; KUBECONFIG. ConfigMaps are kept whole (the
 * object's text), of Deployments the metadata alone. From the environment: STARTED (ns since 1970, when the process was started),
 * BURST (a line "burst N SECONDS CPU_SECONDS" each time that the handler was called so often after the sync: from the first of
 * these calls to the last, and the process' CPU time since the line before). Runs until SIGTERM. */
#include "../side.h"
#include "kube/informer.h"
#include <signal.h>
#include <time.h>

struct follow {
    struct side side;
    struct informer *inf;
    int64_t started_ns, burst, seen, first_ns;
    double cpu;
};

static double cpu_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void on_synced(void *ctx) {
    struct follow *f = ctx;
    printf("synced %zu %.3f %.3f\n", store_len(informer_store(f->inf)),
           (double)(world_wall_ns(f->side.world) - f->started_ns) / 1e9, cpu_s());
    fflush(stdout);
    f->cpu = cpu_s();
}

static void on_change(void *ctx, const struct store_rec *old, const struct store_rec *now, bool initial) {
    struct follow *f = ctx;
    (void)old, (void)now;
    if (initial && !informer_synced(f->inf)) return;
    if (f->seen++ == 0) f->first_ns = world_mono_ns(f->side.world);
    if (f->seen != f->burst) return;
    double cpu = cpu_s();
    printf("burst %lld %.3f %.3f\n", (long long)f->seen,
           (double)(world_mono_ns(f->side.world) - f->first_ns) / 1e9, cpu - f->cpu);
    fflush(stdout);
    f->cpu = cpu;
    f->seen = 0;
}

static void on_trouble(void *ctx, const struct err *err) {
    (void)ctx;
    fprintf(stderr, "trouble: %s\n", err->msg);
}

static void on_term(void *ctx) {
    loop_stop(ctx);
}

int main(int argc, char **argv) {
    static const struct informer_cb cb = {on_change, on_synced, on_trouble};
    struct follow f = {0};
    struct err err = {0};
    bool whole = argc == 2 && strcmp(argv[1], "configmaps") == 0;
    if (!whole && !(argc == 2 && strcmp(argv[1], "deployments") == 0)) {
        fprintf(stderr, "usage: %s configmaps|deployments\n", argv[0]);
        return 2;
    }
    slice_i64(slice_of(getenv("STARTED")), &f.started_ns);
    slice_i64(slice_of(getenv("BURST")), &f.burst);
    side_open(&f.side, &(struct kube_config_spec){0}, NULL);
    const struct informer_spec spec = {.gvr = whole ? &gvr_configmaps : &gvr_deployments,
                                       .ns = slice_of(getenv("WHERE")),
                                       .metadata_only = !whole,
                                       .name = "bench",
                                       .store = {.keep_raw = whole}};
    if (informer_new(f.side.kube, &spec, &cb, &f, &f.inf, &err) < 0) side_die(&err);
    world_on_signal(f.side.world, SIGTERM, on_term, f.side.loop);
    informer_start(f.inf);
    loop_run(f.side.loop);
    informer_free(f.inf);
    side_close(&f.side);
    return 0;
}
