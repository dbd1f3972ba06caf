/* A bounded series of a rollout's evidence; see evidence_points.h. */
#include "act/evidence_points.h"
#include "base/mem.h"
#include "base/time.h"

enum { MOST = 2000, WHOLE = 1000 };
struct point {
    int64_t at_ns;
    uint16_t fail, pass; /* per mille of the limits */
};
struct evidence_points {
    size_t n;
    int64_t apart_ns; /* between two that are kept; 0: all are */
    struct point v[EVIDENCE_POINTS];
    struct point last; /* the newest, kept or not */
};

static uint16_t share(double log_e, double limit) {
    double v = limit > 0 ? WHOLE * log_e / limit : 0;
    return v >= MOST ? MOST : v > 0 ? (uint16_t)v : 0;
}

static void thin_out(struct evidence_points *p) {
    size_t kept = 0;
    for (size_t i = 0; i < p->n; i += 2) p->v[kept++] = p->v[i];
    p->n = kept;
    p->apart_ns = (p->v[kept - 1].at_ns - p->v[0].at_ns) / (int64_t)(kept - 1);
}

void evidence_points_add(struct evidence_points **ref, int64_t wall_ns, const struct judge_report *rep) {
    if (!*ref) *ref = xcalloc(1, sizeof **ref);
    struct evidence_points *p = *ref;
    p->last =
        (struct point){wall_ns, share(rep->v.log_e, rep->limit_fail), share(rep->log_pass, rep->limit_pass)};
    if (p->n && wall_ns - p->v[p->n - 1].at_ns < p->apart_ns) return;
    if (p->n == EVIDENCE_POINTS) thin_out(p);
    p->v[p->n++] = p->last;
}

void evidence_points_free(struct evidence_points **p) {
    free(*p);
    *p = NULL;
}

static void write(const struct point *v, struct buf *out) {
    buf_addf(out, "[%.1f,%u,%u]", (double)v->at_ns / (double)NS_PER_S, v->fail, v->pass);
}

void evidence_points_write(const struct evidence_points *p, struct buf *out) {
    buf_addc(out, '[');
    for (size_t i = 0; p && i < p->n; i++) {
        if (i) buf_addc(out, ',');
        write(&p->v[i], out);
    }
    if (p && p->last.at_ns != p->v[p->n - 1].at_ns) {
        buf_addc(out, ',');
        write(&p->last, out);
    }
    buf_addc(out, ']');
}
