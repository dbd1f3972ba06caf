/* The workloads whose pods would restart or stop, each once, whatever tells so: its own template or size, its pods, its ReplicaSets. And the counts. */
#include "base/hash.h"
#include "report_impl.h"

/* What is said of one workload: by itself, and by its pods. */
struct said_of {
    struct workload w;
    int64_t template_pods, deleted_pods;
    bool gone; /* deleted itself */
};

static int by_workload(const void *a, const void *b) {
    const struct workload *x = &((const struct said_of *)a)->w, *y = &((const struct said_of *)b)->w;
    int c = strcmp(x->kind, y->kind);
    if (c == 0) c = strcmp(x->group, y->group);
    if (c == 0) c = strcmp(x->ns, y->ns);
    return c ? c : strcmp(x->name, y->name);
}

static struct said_of entry(const struct row *row) {
    const struct restart *re = &row->restart;
    bool own = !re->kind, pod = strcmp(row->kind, "Pod") == 0;
    struct said_of s = {.w = {.group = own ? row->group : re->group,
                              .kind = own ? row->kind : re->kind,
                              .ns = row->ns,
                              .name = own ? row->name : re->name},
                        .gone = own && row->change == ROW_DELETED};
    if (row->kinds & 1U << REPORT_STOPS) {
        s.w.stopping = row->stop.pods;
        s.w.left = row->stop.left;
    }
    if (!(row->kinds & 1U << REPORT_RESTARTS)) return s;
    s.w.held = re->held;
    s.w.restarts = !pod;
    if (pod)
        s.deleted_pods = re->pods;
    else
        s.template_pods = re->pods;
    return s;
}

static void add(struct said_of *to, const struct said_of *more) {
    to->template_pods += more->template_pods;
    to->deleted_pods += more->deleted_pods;
    to->w.stopping += more->w.stopping;
    to->w.left += more->w.left;
    to->w.restarts = to->w.restarts || more->w.restarts;
    if (more->w.held) to->w.held = more->w.held;
    to->gone = to->gone || more->gone;
}

static int64_t most(int64_t a, int64_t b) {
    return a > b ? a : b;
}

/* Of one workload more is said: the same pods by its size, by its template and by themselves are counted once. */
static struct workload sum(const struct said_of *s) {
    struct workload w = s->w;
    if (s->gone) { /* its pods do not come back, whatever deletes them */
        w.restarts = false;
        w.held = HELD_NOT;
        w.stopping = most(w.stopping, most(s->template_pods, s->deleted_pods));
    } else {
        int64_t deleted = most(s->deleted_pods - w.stopping, 0);
        w.restarts = w.restarts || deleted > 0;
        w.restarting = most(s->template_pods, deleted);
    }
    w.stops = w.stopping > 0;
    return w;
}

size_t report_workloads(const struct report *r, struct workload **ret) {
    struct said_of *v = xcalloc(r->n + 1, sizeof *v);
    size_t n = 0, merged = 0, kept = 0;
    for (size_t i = 0; i < r->n; i++) {
        const struct row *row = r->row[i];
        bool disturbs = row->kinds & (1U << REPORT_RESTARTS | 1U << REPORT_STOPS);
        if (disturbs || (row->change == ROW_DELETED && !row->restart.kind)) v[n++] = entry(row);
    }
    if (n > 1) qsort(v, n, sizeof *v, by_workload);
    for (size_t i = 0; i < n; i++) {
        if (merged && by_workload(&v[merged - 1], &v[i]) == 0)
            add(&v[merged - 1], &v[i]);
        else
            v[merged++] = v[i];
    }
    struct workload *found = xcalloc(merged + 1, sizeof *found);
    for (size_t i = 0; i < merged; i++) {
        found[kept] = sum(&v[i]);
        kept += found[kept].restarts || found[kept].stops;
    }
    free(v);
    *ret = found;
    return kept;
}

static uint64_t count_of(const struct workload *w, enum report_kind k) {
    if (k == REPORT_RESTARTS) return w->restarts;
    if (k == REPORT_STOPS) return w->stops;
    return (uint64_t)w->restarting + (uint64_t)w->stopping;
}

uint64_t report_count(const struct report *r, enum report_kind k) {
    if (k >= REPORT_KINDS) return 0;
    if (k == REPORT_REFUSED) return r->refusals.n;
    if (k == REPORT_FAILED) return r->failures.n + (r->run.unnamed > 0);
    uint64_t n = r->unlisted.counts[k];
    if (k == REPORT_RESTARTS || k == REPORT_STOPS || k == REPORT_PODS) {
        struct workload *v;
        size_t workloads = report_workloads(r, &v);
        for (size_t i = 0; i < workloads; i++) n += count_of(&v[i], k);
        free(v);
        return n;
    }
    for (size_t i = 0; i < r->n; i++) n += r->row[i]->kinds >> k & 1;
    return n;
}

struct report_pods report_pods(const struct report *r) {
    struct workload *v;
    size_t n = report_workloads(r, &v), shrink = 0;
    const uint64_t *more = r->unlisted.counts;
    struct report_pods all = {.restarts = more[REPORT_RESTARTS], .stops = more[REPORT_STOPS]};
    for (size_t i = 0; i < n; i++) {
        all.restarts += v[i].restarts;
        all.stops += v[i].stops;
        all.restarting += (uint64_t)v[i].restarting;
        all.stopping += (uint64_t)v[i].stopping;
        shrink += v[i].stops && v[i].left;
    }
    /* Of those that are not listed it is not known which pods do which: that they are pods is enough. */
    *(more[REPORT_RESTARTS] ? &all.restarting : &all.stopping) += more[REPORT_PODS];
    all.how = shrink == 0 && !more[REPORT_STOPS] ? "stop" : shrink == all.stops ? "shrink" : "stop or shrink";
    free(v);
    return all;
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
