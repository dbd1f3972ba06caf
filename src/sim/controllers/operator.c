/* What a scripted operator has reconciled. Time is cut into buckets of a second; how much happens in a
 * bucket, when, and what of it fails, comes from a hash of (seed, bucket), so that it does not depend on who
 * looks how often. */
#include "controllers/operator.h"
#include "controllers/pod.h"
#include <math.h>
#include <stdio.h>

#define BUCKET    NS_PER_S
#define BUSY_SLOT (200 * NS_PER_MS)
enum { EXACT_MAX = 256 }; /* more arrivals in a bucket than that are spread evenly */

static double unit(uint64_t seed, uint64_t a, uint64_t b) {
    struct rng r = {seed ^ (a * 0x9e3779b97f4a7c15ULL) ^ (b << 32)};
    (void)rng_next(&r);
    return rng_unit(&r);
}

/* A normal variable from twelve uniform ones: no tails beyond six sigma, which is fine for counts. */
static double normal(uint64_t seed, uint64_t a) {
    double sum = -6;
    for (uint64_t i = 0; i < 12; i++) sum += unit(seed, a, 1000 + i);
    return sum;
}

static int64_t poisson(uint64_t seed, uint64_t bucket, double mean) {
    if (mean <= 0) return 0;
    if (mean > 60) {
        double n = mean + sqrt(mean) * normal(seed, bucket);
        return n < 0 ? 0 : (int64_t)(n + 0.5);
    }
    double limit = exp(-mean), product = 1;
    int64_t n = -1;
    do {
        product *= unit(seed, bucket, (uint64_t)(2000 + ++n));
    } while (product > limit);
    return n;
}

static double failing(const struct container *k, int64_t at, int controller) {
    bool good = k->script.bad_controller && k->script.bad_controller != controller + 1;
    return good || at - k->op.started < k->script.error_after_ns ? 0 : k->script.error_rate;
}

/* Of the work of all. */
static double share_of(const struct script *s, int controller) {
    int64_t n = s->controllers;
    if (n < 2 || s->rare < 0) return 1 / (double)n;
    return controller == n - 1 ? s->rare : (1 - s->rare) / (double)(n - 1);
}

/* That of the reconcile at this point of all shares, one behind the other. */
static int controller_at(const struct script *s, double point) {
    int c = 0;
    while (c < s->controllers - 1 && point >= share_of(s, c)) point -= share_of(s, c++);
    return c;
}

struct tally {
    int64_t all[SCRIPT_CONTROLLERS], errors[SCRIPT_CONTROLLERS];
};

/* The part [from, to) of the n reconciles of a bucket that began at start: spread evenly. */
static void add_evenly(const struct container *k, int64_t start, int64_t from, int64_t to, int64_t n,
                       struct tally *t) {
    const struct oper *op = &k->op;
    double until = (double)(to - start) / (double)BUCKET, before = (double)(from - start) / (double)BUCKET;
    for (int c = 0; c < k->script.controllers; c++) {
        double its = (double)n * share_of(&k->script, c);
        int64_t all = (int64_t)(its * until) - (int64_t)(its * before);
        double p = failing(k, from, c), mean = (double)all * p;
        double errors = mean + sqrt(mean * (1 - p)) *
                                   normal(op->seed + 1 + ((uint64_t)c << 8), (uint64_t)(from / NS_PER_MS));
        t->all[c] = all;
        t->errors[c] = errors < 0 ? 0 : errors > (double)all ? all : (int64_t)(errors + 0.5);
    }
}

/* What arrives in the part [from, to) of bucket number b. */
static struct tally in_bucket(const struct container *k, int64_t b, int64_t from, int64_t to) {
    const struct oper *op = &k->op;
    struct tally t = {0};
    int64_t start = op->started + b * BUCKET, n = poisson(op->seed, (uint64_t)b, k->script.rate);
    if (n > EXACT_MAX) {
        add_evenly(k, start, from, to, n, &t);
        return t;
    }
    for (int64_t i = 0; i < n; i++) {
        int64_t at = start + (int64_t)(unit(op->seed + 2, (uint64_t)b, (uint64_t)i) * (double)BUCKET);
        if (at < from || at >= to) continue;
        int c = controller_at(&k->script, unit(op->seed + 5, (uint64_t)b, (uint64_t)i));
        t.all[c]++;
        t.errors[c] += unit(op->seed + 3, (uint64_t)b, (uint64_t)i) < failing(k, at, c);
    }
    return t;
}

/* Does it reconcile at all at the moment? */
static bool works(const struct container *k) {
    return k->state == RUN_RUNNING && (!k->script.elects || k->op.leads);
}

void operator_count(struct container *k, int64_t now) {
    struct oper *op = &k->op;
    if (k->state != RUN_RUNNING) return;
    if (!works(k) || k->script.rate <= 0) {
        op->counted_to = now;
        return;
    }
    while (op->counted_to < now) {
        int64_t b = (op->counted_to - op->started) / BUCKET, end = op->started + (b + 1) * BUCKET;
        if (end > now) end = now;
        struct tally t = in_bucket(k, b, op->counted_to, end);
        for (int c = 0; c < k->script.controllers; c++) {
            op->errors[c] += t.errors[c];
            op->success[c] += t.all[c] - t.errors[c];
        }
        op->counted_to = end;
    }
}

void operator_start(struct ctl *c, struct pod_proc *p, struct container *k) {
    int64_t now = ctl_now(c);
    cleanup_free char *text =
        xasprintf("%s/%s/%lld", obj_uid(p->co->o->json), k->name, (long long)k->restarts);
    k->op = (struct oper){.seed = slice_hash(slice_of(text), 7), .started = now, .counted_to = now};
    elector_start(c, p, k);
}

static int64_t active_workers(const struct container *k, int64_t now) {
    if (!works(k) || k->script.rate <= 0) return 0;
    return unit(k->op.seed + 4, (uint64_t)((now - k->op.started) / BUSY_SLOT), 0) < k->script.busy;
}

/* ---- the page ---- */

void operator_family(struct buf *out, const char *name, const char *type, const char *help) {
    (void)buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void total(struct buf *out, const char *controller, const char *result, int64_t n) {
    (void)buf_addf(out, "controller_runtime_reconcile_total{controller=\"%s\",result=\"%s\"} %lld\n",
                   controller, result, (long long)n);
}

void operator_one(struct buf *out, const char *name, const char *label, const char *value, int64_t n) {
    (void)buf_addf(out, "%s{%s=\"%s\"} %lld\n", name, label, value, (long long)n);
}

static const char *name_of(const struct script *s, int controller, char ret[80]) {
    if (s->controllers == 1) return s->controller;
    snprintf(ret, 80, "%s-%d", s->controller, controller + 1);
    return ret;
}

/* A gauge or counter with a number for each controller. */
struct series {
    const char *name, *type, *help, *label;
    int64_t n[SCRIPT_CONTROLLERS];
};
static void each(const struct script *s, const struct series *v, struct buf *out) {
    char name[80];
    operator_family(out, v->name, v->type, v->help);
    for (int c = 0; c < s->controllers; c++)
        operator_one(out, v->name, v->label, name_of(s, c, name), v->n[c]);
}

static void controller_series(const struct container *k, int64_t now, struct buf *out) {
    const struct oper *op = &k->op;
    const struct script *s = &k->script;
    char name[80];
    struct series workers = {"controller_runtime_active_workers",
                             "gauge",
                             "Number of currently used workers per controller",
                             "controller",
                             {0}},
                  most = {"controller_runtime_max_concurrent_reconciles",
                          "gauge",
                          "Maximum number of concurrent reconciles per controller",
                          "controller",
                          {0}},
                  errors = {"controller_runtime_reconcile_errors_total",
                            "counter",
                            "Total number of reconciliation errors per controller",
                            "controller",
                            {0}},
                  terminal = {"controller_runtime_terminal_reconcile_errors_total",
                              "counter",
                              "Total number of terminal reconciliation errors per controller",
                              "controller",
                              {0}},
                  adds = {"workqueue_adds_total",
                          "counter",
                          "Total number of adds handled by workqueue",
                          "name",
                          {0}},
                  depth = {"workqueue_depth", "gauge", "Current depth of workqueue", "name", {0}};
    workers.n[0] = active_workers(k, now);
    depth.n[0] = s->depth;
    for (int c = 0; c < s->controllers; c++) {
        most.n[c] = 1;
        errors.n[c] = op->errors[c];
        adds.n[c] = op->success[c] + op->errors[c];
    }
    each(s, &workers, out);
    each(s, &most, out);
    each(s, &errors, out);
    operator_family(out, "controller_runtime_reconcile_total", "counter",
                    "Total number of reconciliations per controller");
    for (int c = 0; c < s->controllers; c++) {
        const char *its = name_of(s, c, name);
        total(out, its, "error", op->errors[c]);
        total(out, its, "requeue", 0);
        total(out, its, "requeue_after", 0);
        total(out, its, "success", op->success[c]);
    }
    each(s, &terminal, out);
    each(s, &adds, out);
    each(s, &depth, out);
}

void operator_page(const struct container *k, int64_t now, struct buf *out) {
    /* controller-runtime registers a controller's series when it starts it: a standby has none. */
    if (!k->script.elects || k->op.leads) controller_series(k, now, out);
    if (k->script.elects) {
        operator_family(
            out, "leader_election_master_status", "gauge",
            "Gauge of if the reporting system is master of the relevant lease, 0 indicates backup, 1 "
            "indicates master.");
        operator_one(out, "leader_election_master_status", "name", k->op.lease, k->op.leads);
    }
    operator_signals(k, now, out);
    operator_family(out, "go_goroutines", "gauge", "Number of goroutines that currently exist.");
    (void)buf_adds(out, "go_goroutines 42\n");
    operator_family(out, "process_start_time_seconds", "gauge",
                    "Start time of the process since unix epoch in seconds.");
    (void)buf_addf(out, "process_start_time_seconds %.3f\n", (double)k->op.started / (double)NS_PER_S);
}
