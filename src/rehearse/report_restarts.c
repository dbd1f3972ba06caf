/* The workloads that would restart, each once, whatever tells so: its own template, its pods, its ReplicaSets. And the counts. */
#include "base/hash.h"
#include "report_impl.h"

static int by_workload(const void *a, const void *b) {
    const struct restarting *x = a, *y = b;
    int c = strcmp(x->kind, y->kind);
    if (c == 0) c = strcmp(x->group, y->group);
    if (c == 0) c = strcmp(x->ns, y->ns);
    return c ? c : strcmp(x->name, y->name);
}

static struct restarting entry(const struct row *row) {
    if (row->change == ROW_DELETED && !row->restart.kind)
        return (struct restarting){
            .group = row->group, .kind = row->kind, .ns = row->ns, .name = row->name, .gone = true};
    bool pod = strcmp(row->kind, "Pod") == 0;
    const struct restart *re = &row->restart;
    return (struct restarting){.group = re->group,
                               .kind = re->kind,
                               .ns = row->ns,
                               .name = re->name,
                               .template_pods = pod ? 0 : re->pods,
                               .deleted_pods = pod ? re->pods : 0,
                               .held = re->held};
}

/* Of one workload more is said: the same pods by its template and by themselves are counted once. */
static void add(struct restarting *to, const struct restarting *more) {
    to->template_pods += more->template_pods;
    to->deleted_pods += more->deleted_pods;
    if (more->held) to->held = more->held;
    to->gone = to->gone || more->gone;
}

/* What is deleted with its pods does not restart. */
size_t report_restarting(const struct report *r, struct restarting **ret) {
    struct restarting *v = xcalloc(r->n + 1, sizeof *v);
    size_t n = 0, merged = 0, kept = 0;
    for (size_t i = 0; i < r->n; i++) {
        const struct row *row = r->row[i];
        bool restarts = row->kinds & 1U << REPORT_RESTARTS;
        if (restarts || (row->change == ROW_DELETED && !row->restart.kind)) v[n++] = entry(row);
    }
    if (n > 1) qsort(v, n, sizeof *v, by_workload);
    for (size_t i = 0; i < n; i++) {
        if (merged && by_workload(&v[merged - 1], &v[i]) == 0)
            add(&v[merged - 1], &v[i]);
        else
            v[merged++] = v[i];
    }
    for (size_t i = 0; i < merged; i++)
        if (!v[i].gone) v[kept++] = v[i];
    *ret = v;
    return kept;
}

int64_t report_restarting_pods(const struct restarting *w) {
    return w->template_pods > w->deleted_pods ? w->template_pods : w->deleted_pods;
}

uint64_t report_count(const struct report *r, enum report_kind k) {
    if (k >= REPORT_KINDS) return 0;
    if (k == REPORT_REFUSED) return r->refusals.n;
    if (k == REPORT_FAILED) return r->failures.n + (r->run.unnamed > 0);
    uint64_t n = r->unlisted.counts[k];
    if (k == REPORT_RESTARTS || k == REPORT_PODS) {
        struct restarting *v;
        size_t workloads = report_restarting(r, &v);
        for (size_t i = 0; i < workloads; i++)
            n += k == REPORT_PODS ? (uint64_t)report_restarting_pods(&v[i]) : 1;
        free(v);
        return n;
    }
    for (size_t i = 0; i < r->n; i++) n += r->row[i]->kinds >> k & 1;
    return n;
}

uint64_t report_times(const struct report *r) {
    uint64_t n = r->unlisted.times;
    for (size_t i = 0; i < r->n; i++) n += report_row_moves_only(r->row[i]);
    return n;
}

bool report_empty(const struct report *r) {
    return !report_count(r, REPORT_CREATES) && !report_count(r, REPORT_CHANGES) &&
           !report_count(r, REPORT_DELETES);
}

void report_digest(const struct report *r, char ret[17]) {
    uint64_t sum[2] = {r->unlisted.sum[0], r->unlisted.sum[1]};
    for (size_t i = 0; i < r->n; i++)
        for (int k = 0; k < 2; k++) sum[k] += r->row[i]->sum[k];
    struct buf text = BUF(64);
    buf_addf(&text, "%016llx%016llx", (unsigned long long)sum[0], (unsigned long long)sum[1]);
    report_id(buf_slice(&text), ret);
    buf_free(&text);
}
