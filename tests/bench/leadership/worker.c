/* An operator of the smallest kind on the real libraries, with a ledger: what the leadership bench runs
 * several of. Usage: bench_leadership_worker WHO NAMESPACE LEASE. From the environment: WORK_MS (20), WORKERS
 * (8), LEASE_MS RENEW_MS RETRY_MS (as the product), TERMINATION_LOG, POD_NAME, POD_UID, LEDGER; LOG=1: the
 * runtime's own log to stderr. */
#include "app/leadership.h"
#include "ledger.h"
#include "net/net.h"
#include "obs/obs.h"
#include "chores.h"
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

struct worker {
    struct loop *loop;
    struct world *world;
    struct metrics *metrics;
    struct kube *kube;
    struct chores *work;
    struct leadership *leadership;
    int code;
};

static const char *env(const char *name, const char *def) {
    const char *v = getenv(name);
    return v && *v ? v : def;
}

static int64_t env_number(const char *name, int64_t def) {
    int64_t n = def;
    slice_i64(slice_of(getenv(name)), &n);
    return n;
}

static void on_synced(void *ctx) {
    struct worker *w = ctx;
    ledger("warm");
    leadership_ready(w->leadership, true);
}

static void flush(void *ctx) {
    (void)ctx;
    ledger_flush();
}

/* Before the gate opens: this is what was taken over, beside what the watch has queued. The lines must not
 * delay the first reconcile, which is what is measured. */
static void on_leading(void *ctx) {
    struct worker *w = ctx;
    ledger_keep("leading %lld", (long long)election_term(leadership_election(w->leadership)));
    chores_tell(w->work, "took");
    world_defer(w->world, flush, w);
}

/* Requests by method: every write of the lease is a PUT or a POST, the work's are PATCHes, what is read or
 * watched is a GET. */
static void tell_requests(struct worker *w, int code) {
    static const char *const methods[] = {"PUT", "POST", "PATCH", "GET"};
    double n[ARRAY_LEN(methods)] = {0};
    cleanup_buf struct buf page = BUF(4 << 20);
    struct slice rest, line;
    metrics_write(w->metrics, &page);
    rest = buf_slice(&page);
    while (slice_cut(rest, '\n', &line, &rest)) {
        if (!slice_starts(line, SL("rest_client_requests_total{"))) continue;
        cleanup_free char *text = slice_dup(line);
        for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
            char label[32];
            snprintf(label, sizeof label, "method=\"%s\"", methods[i]);
            if (strstr(text, label)) n[i] += strtod(strrchr(text, ' '), NULL);
        }
    }
    ledger("exit %d put=%.0f post=%.0f patch=%.0f get=%.0f", code, n[0], n[1], n[2], n[3]);
}

static void on_over(void *ctx, int code) {
    struct worker *w = ctx;
    if (code == DRAIN_X_CLEAN || code == DRAIN_X_CUT) chores_tell(w->work, "left");
    ledger_flush();
    tell_requests(w, code);
    w->code = code;
    loop_stop(w->loop);
}

static const struct leadership_cb callbacks = {.leading = on_leading, .over = on_over};

static void on_term(void *ctx) {
    struct worker *w = ctx;
    ledger("signal");
    leadership_stop(w->leadership, "SIGTERM");
}

static bool fence(void *ctx) {
    struct worker *w = ctx;
    return leadership_may_mutate(w->leadership);
}

static int64_t wall_ns(void *ctx) {
    return world_wall_ns(ctx);
}

static int make(struct worker *w, char **argv, struct kube_config *config, struct log *log, struct err *err) {
    char host[256] = "bench";
    gethostname(host, sizeof host - 1);
    struct leadership_config cfg = {.election = {.ns = argv[2],
                                                 .name = argv[3],
                                                 .lease_ns = env_number("LEASE_MS", 0) * NS_PER_MS,
                                                 .renew_ns = env_number("RENEW_MS", 0) * NS_PER_MS,
                                                 .retry_ns = env_number("RETRY_MS", 0) * NS_PER_MS,
                                                 .termination_log = getenv("TERMINATION_LOG")}};
    const struct chores_options opt = {.ns = slice_of(argv[2]),
                                       .work_ns = env_number("WORK_MS", 20) * NS_PER_MS,
                                       .workers = (unsigned)env_number("WORKERS", 8)};
    identity_make(env("POD_NAME", host), env("POD_UID", ""), world_rand(w->world), world_rand(w->world),
                  &cfg.election.id);
    w->kube = kube_new(w->world, config, log, w->metrics);
    kube_set_fence(w->kube, (struct kube_fence){fence, w});
    int rc = chores_new(w->kube, &opt, on_synced, w, &w->work, err);
    if (rc == 0) rc = leadership_new(w->kube, &cfg, &callbacks, w, &w->leadership, err);
    if (rc == 0) leadership_add(w->leadership, "work", chores_controller(w->work));
    return rc;
}

int main(int argc, char **argv) {
    if (argc != 4 || ledger_open(argv[1]) < 0) {
        fprintf(stderr, "usage: %s WHO NAMESPACE LEASE, and LEDGER must be a file that can be written\n",
                argv[0]);
        return 2;
    }
    struct worker w = {.loop = loop_new(), .metrics = metrics_new(500)};
    struct net *net = net_install(w.loop);
    w.world = loop_world(w.loop);
    struct log log = {.sink = log_sink_fd(STDERR_FILENO, LOG_STYLE_TEXT),
                      .min = LOG_INFO,
                      .wall_ns = wall_ns,
                      .clock_ctx = w.world};
    struct log *to = getenv("LOG") ? &log : NULL;
    struct kube_config *config = NULL;
    struct err err = {0};
    const struct kube_config_spec spec = {0};
    int rc = kube_config_load(w.world, to, &spec, &config, &err);
    if (rc == 0) rc = make(&w, argv, config, to, &err);
    if (rc == 0) {
        world_on_signal(w.world, SIGTERM, on_term, &w);
        leadership_start(w.leadership);
        chores_start(w.work);
        loop_run(w.loop);
    } else {
        fprintf(stderr, "%s: %s\n", argv[0], err.msg);
        w.code = 1;
    }
    leadership_free(w.leadership);
    w.leadership = NULL;
    chores_free(w.work);
    kube_free(w.kube);
    kube_config_free(config);
    metrics_free(w.metrics);
    net_uninstall(net);
    loop_free(w.loop);
    return w.code;
}
