/* The users of the leadership bench's operator: makes its ConfigMaps and wants something new of them all the
 * time, until SIGTERM. Usage: bench_leadership_feeder WHO NAMESPACE PLAIN FAIL POLL RATE: so many ConfigMaps
 * of each mode (see chores.h) and so many wants a second. Ledger: "made", "want KEY N" before it is sent,
 * "wanted KEY N" when the server has it, "exit"; and what ends.h says. */
#include "../side.h"
#include "ends.h"
#include "ledger.h"
#include <signal.h>

struct feeder {
    struct side side;
    struct timer *timer;
    struct slice ns;
    int64_t plain, fail, poll, rate;
    int64_t made, wants;
    size_t open;
    bool stopping;
};
struct ask {
    struct feeder *f;
    char name[32];
    int64_t want;
};

static void end_if_quiet(struct feeder *f) {
    if (f->stopping && f->open == 0) loop_stop(f->side.loop);
}

static void trouble(struct feeder *f, const struct err *err) {
    fprintf(stderr, "feeder: %s\n", err->msg);
    (void)f;
    abort(); /* what was wanted would not be known any more */
}

/* ---- making ---- */

static void make_next(struct feeder *f);

static void on_made(void *ctx, const struct err *err, struct slice raw) {
    struct feeder *f = ctx;
    (void)raw;
    if (err && err->kind != ERR_CONFLICT) trouble(f, err);
    f->made++;
    make_next(f);
}

static void make_next(struct feeder *f) {
    if (f->made == f->plain + f->fail + f->poll) {
        ledger("made");
        if (f->rate > 0)
            timer_in(f->timer, 0);
        else
            loop_stop(f->side.loop);
        return;
    }
    const char *mode = f->made < f->plain ? "plain" : f->made < f->plain + f->poll ? "poll" : "fail";
    cleanup_buf struct buf body = BUF(512);
    buf_addf(&body,
             "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"w-%04lld\",\"labels\":{"
             "\"bench\":\"work\"}},\"data\":{\"want\":\"0\",\"done\":\"0\",\"mode\":\"%s\"}}",
             (long long)f->made, mode);
    const struct kube_spec spec = {.verb = KUBE_CREATE,
                                   .ref = {.gvr = &gvr_configmaps, .ns = f->ns},
                                   .body = buf_slice(&body),
                                   .lane = LANE_CALL};
    kube_call(f->side.kube, &spec, on_made, f);
}

/* ---- wanting ---- */

static void on_wanted(void *ctx, const struct err *err, struct slice raw) {
    struct ask *a = ctx;
    struct feeder *f = a->f;
    (void)raw;
    if (err) trouble(f, err);
    ledger("wanted %.*s/%s %lld", SLF(f->ns), a->name, (long long)a->want);
    free(a);
    f->open--;
    end_if_quiet(f);
}

static void want(void *ctx) {
    struct feeder *f = ctx;
    struct ask *a = xmalloc(sizeof *a);
    cleanup_buf struct buf body = BUF(128);
    timer_in(f->timer, NS_PER_S / f->rate);
    *a = (struct ask){.f = f, .want = ++f->wants};
    snprintf(a->name, sizeof a->name, "w-%04d",
             (int)(world_rand(f->side.world) % (uint64_t)(f->plain + f->poll)));
    ledger("want %.*s/%s %lld", SLF(f->ns), a->name, (long long)a->want);
    buf_addf(&body, "{\"data\":{\"want\":\"%lld\"}}", (long long)a->want);
    const struct kube_spec spec = {.verb = KUBE_PATCH_MERGE,
                                   .ref = {.gvr = &gvr_configmaps, .ns = f->ns, .name = slice_of(a->name)},
                                   .body = buf_slice(&body),
                                   .lane = LANE_CALL};
    f->open++;
    kube_call(f->side.kube, &spec, on_wanted, a);
}

static void on_term(void *ctx) {
    struct feeder *f = ctx;
    f->stopping = true;
    timer_stop(f->timer);
    end_if_quiet(f);
}

int main(int argc, char **argv) {
    struct feeder f = {0};
    if (argc != 7 || slice_i64(slice_of(argv[3]), &f.plain) < 0 ||
        slice_i64(slice_of(argv[4]), &f.fail) < 0 || slice_i64(slice_of(argv[5]), &f.poll) < 0 ||
        slice_i64(slice_of(argv[6]), &f.rate) < 0 || ledger_open(argv[1]) < 0) {
        fprintf(stderr, "usage: %s WHO NAMESPACE PLAIN FAIL POLL RATE\n", argv[0]);
        return 2;
    }
    struct err err = {0};
    side_open(&f.side, &(struct kube_config_spec){0}, NULL);
    f.ns = slice_of(argv[2]);
    struct ends *ends = ends_new(f.side.kube, f.ns, &err);
    if (!ends) side_die(&err);
    f.timer = timer_new(f.side.world, want, &f);
    world_on_signal(f.side.world, SIGTERM, on_term, &f);
    make_next(&f);
    loop_run(f.side.loop);
    ledger("exit 0");
    timer_free(f.timer);
    ends_free(ends);
    side_close(&f.side);
    return 0;
}
