/* The report in one line. */
#include "report_impl.h"

void report_some(struct buf *out, uint64_t n, const char *one, const char *many) {
    buf_addf(out, "%llu %s", (unsigned long long)n, n == 1 ? one : many);
}

/* What the parts have in common: a comma between, and "object" said once. */
struct line {
    struct buf *out;
    size_t start;
    bool said;
};

static void next(struct line *l) {
    if (l->out->n > l->start) buf_adds(l->out, ", ");
}

static void objects(struct line *l, uint64_t n, const char *what) {
    if (!n) return;
    next(l);
    if (l->said)
        buf_addf(l->out, "%llu %s", (unsigned long long)n, what);
    else
        buf_addf(l->out, "%llu object%s %s", (unsigned long long)n, n == 1 ? "" : "s", what);
    l->said = true;
}

/* Of what is deleted, what hurts; in brackets. */
static void lost(const struct report *r, struct buf *out) {
    static const struct {
        enum report_kind kind;
        const char *one, *many;
    } words[] = {{REPORT_VOLUMES, "PersistentVolumeClaim", "PersistentVolumeClaims"},
                 {REPORT_NAMESPACES, "Namespace", "Namespaces"},
                 {REPORT_CUSTOM, "custom resource", "custom resources"}};
    bool open = false;
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        uint64_t n = report_count(r, words[i].kind);
        if (!n) continue;
        buf_adds(out, open ? ", " : " (");
        open = true;
        report_some(out, n, words[i].one, words[i].many);
    }
    if (open) buf_addc(out, ')');
}

/* Those whose own restart or stop is said already. */
static uint64_t said_by_change(const struct report *r) {
    unsigned said = 1U << REPORT_RESTARTS | 1U << REPORT_STOPS;
    uint64_t n = 0;
    for (size_t i = 0; i < r->n; i++)
        n += (r->row[i]->kinds & 1U << REPORT_CHANGES) && (r->row[i]->kinds & said);
    return n;
}

static void workloads(struct line *l, uint64_t n, const char *what, uint64_t pods) {
    if (!n) return;
    next(l);
    report_some(l->out, n, "workload", "workloads");
    buf_addf(l->out, " would %s (", what);
    report_some(l->out, pods, "pod", "pods");
    buf_addc(l->out, ')');
}

/* The commonest of all failures: a right that is not there. In brackets. */
static void forbidden(const struct report *r, uint64_t failed, struct buf *out) {
    uint64_t n = 0;
    for (size_t i = 0; i < r->failures.n; i++) n += slice_starts(slice_of(r->failures.v[i].why), SL("403 "));
    if (n && n == failed)
        buf_adds(out, " (forbidden)");
    else if (n)
        buf_addf(out, " (%llu forbidden)", (unsigned long long)n);
}

void report_line(const struct report *r, struct buf *out) {
    struct line l = {out, out->n, false};
    struct report_pods all = report_pods(r);
    uint64_t crds = report_count(r, REPORT_CRDS), finalizers = report_count(r, REPORT_FINALIZERS),
             hot = report_count(r, REPORT_HOT), failed = report_count(r, REPORT_FAILED),
             deletes = report_count(r, REPORT_DELETES);
    workloads(&l, all.restarts, "restart", all.restarting);
    workloads(&l, all.stops, all.how, all.stopping);
    objects(&l, report_count(r, REPORT_CREATES), "created");
    objects(&l, report_count(r, REPORT_CHANGES) - said_by_change(r), "changed");
    objects(&l, deletes, "deleted");
    if (deletes) lost(r, out);
    if (report_empty(r)) buf_adds(out, "changes nothing");
    if (crds) {
        next(&l);
        report_some(out, crds, "CustomResourceDefinition", "CustomResourceDefinitions");
        buf_adds(out, " deleted or not served any more");
    }
    if (finalizers) {
        next(&l);
        report_some(out, finalizers, "object loses", "objects lose");
        buf_adds(out, " a finalizer");
    }
    if (hot) {
        next(&l);
        report_some(out, hot, "object is", "objects are");
        buf_adds(out, " written again and again");
    }
    if (failed) {
        next(&l);
        report_some(out, failed, "kind of request", "kinds of requests");
        buf_adds(out, " failed");
        forbidden(r, failed, out);
    }
    if (r->refusals.n) {
        next(&l);
        report_some(out, r->refusals.n, "kind of request", "kinds of requests");
        buf_adds(out, " could not be rehearsed");
    }
    if (r->has_run && r->run.full) {
        next(&l);
        buf_adds(out, "not whole: a limit was reached");
    }
}
