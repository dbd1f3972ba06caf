/* A rehearsal that goes on, asked what it has found by now; see explain.h. */
#include "explain.h"
#include "base/json_raw.h"
#include "base/time.h"
#include "plan/rehearsal.h"
#include "rehearse/report.h"
#include <errno.h>

enum { ANSWER_MAX = 4 << 20, LINE_MAX_BYTES = 300 };
#define TIMEOUT_NS (5 * NS_PER_S)

bool explain_rehearses(const struct status_row *r) {
    return r->has_state && r->state.phase == PHASE_REHEARSING && !r->state.rehearsal.over;
}

/* ---- what they say ---- */

DEFINE_CLEANUP(struct report *, report, report_free)

static uint64_t count_of(struct slice run, const char *name) {
    struct slice v;
    int64_t n;
    return json_raw_get(run, slice_of(name), &v) && slice_i64(v, &n) == 0 && n > 0 ? (uint64_t)n : 0;
}

static struct report *take_side(struct explain_side *side, struct slice body) {
    struct report *r = NULL;
    struct slice run = SL("{}");
    if (!body.n || side->err.kind || report_read(body, &r, &side->err) < 0) return NULL;
    (void)json_raw_get(body, SL("run"), &run);
    side->read = true;
    side->reads = count_of(run, "reads");
    side->writes = count_of(run, "writes");
    side->conflicts = count_of(run, "conflicts");
    side->refused = count_of(run, "refused");
    side->failed = count_of(run, "failed");
    return r;
}

/* What both sidecars have said, empty: nothing: to e's sides, and the line. */
static void take_sides(struct explain *e, struct slice body, struct slice control) {
    cleanup_buf struct buf line = BUF(64 << 10);
    CLEANUP(report) struct report *r = take_side(&e->side[0], body);
    CLEANUP(report) struct report *beside = take_side(&e->side[1], control);
    if (!r || (!beside && !e->row->state.rehearsal.alone)) return; /* the control's doing would be in it */
    report_subtract(r, beside);
    report_line(r, &line);
    e->so_far = slice_dup_text(buf_slice(&line), LINE_MAX_BYTES);
    for (int k = 0; k < REPORT_KINDS; k++) e->count[k] = report_count(r, (enum report_kind)k);
}

/* ---- asking them ---- */

struct asked {
    struct explain_sides *p;
    struct kube_op *op;
    struct buf got;
    struct explain_side *side;
};
struct explain_sides {
    struct kube *kube;
    struct explain *e;
    void (*done)(void *ctx);
    void *ctx;
    struct asked v[2];
    int open;
};

static void finish(struct explain_sides *p) {
    if (--p->open > 0) return;
    take_sides(p->e, buf_slice(&p->v[0].got), buf_slice(&p->v[1].got));
    p->done(p->ctx);
}

static int on_piece(void *ctx, struct slice piece, struct err *err) {
    struct asked *a = ctx;
    if (buf_add(&a->got, piece) == 0) return 0;
    return err_set(err, ERR_PROTOCOL, -EFBIG, "the report is larger than %d bytes", ANSWER_MAX);
}

static void on_read(void *ctx, const struct err *err, struct slice raw) {
    struct asked *a = ctx;
    (void)raw;
    a->op = NULL;
    if (err) a->side->err = *err;
    finish(a->p);
}

static const struct explain_pod *pod_of(const struct explain *e, bool control) {
    const struct explain_pod *best = NULL;
    for (size_t i = 0; i < e->npods; i++) {
        const struct explain_pod *p = &e->pods[i];
        if (p->control == control && !p->ending && (!best || (p->ready && !best->ready))) best = p;
    }
    return best;
}

static void ask(struct explain_sides *p, bool control) {
    static const struct kube_scrape_cb cb = {.chunk = on_piece, .done = on_read};
    struct asked *a = &p->v[control];
    const struct status_row *row = p->e->row;
    const struct explain_pod *pod = pod_of(p->e, control);
    *a = (struct asked){.p = p, .side = &p->e->side[control]};
    buf_init(&a->got, ANSWER_MAX);
    if (!pod) return;
    cleanup_free char *path = xasprintf("/api/v1/namespaces/%s/pods/%s:%d/proxy/report?key=%s", row->ns,
                                        pod->name, REHEARSAL_REPORT_PORT, row->state.rehearsal.key);
    const struct kube_scrape spec = {.path = path, .timeout_ns = TIMEOUT_NS};
    p->open++;
    a->op = kube_scrape(p->kube, &spec, &cb, a);
}

struct explain_sides *explain_sides_start(struct kube *k, struct explain *e, void (*done)(void *ctx),
                                          void *ctx) {
    struct explain_sides *p = xcalloc(1, sizeof *p);
    *p = (struct explain_sides){.kube = k, .e = e, .done = done, .ctx = ctx};
    ask(p, false);
    ask(p, true);
    if (p->open) return p;
    explain_sides_end(p);
    return NULL;
}

void explain_sides_end(struct explain_sides *p) {
    if (!p) return;
    for (int i = 0; i < 2; i++) {
        kube_cancel(p->v[i].op);
        buf_free(&p->v[i].got);
    }
    free(p);
}
