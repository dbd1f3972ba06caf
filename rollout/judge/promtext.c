/* A metrics page in pieces: cuts it into lines, bounds it, adds up the series that were asked for. */
#include "judge/promline.h"
#include "base/buf.h"
#include "base/utf8.h"
#include <errno.h>
#include <math.h>

enum { MAX_WANTED = 20 };
#define TIMES "controller_runtime_reconcile_time_seconds_bucket"

/* Who counts: the first of these that is on the page gives ERRORS and TOTAL. */
static const struct {
    const char *source, *errors, *total;
} runtimes[] = {
    {"controller-runtime", "controller_runtime_reconcile_total{result=\"error\"}",
     "controller_runtime_reconcile_total"},
    /* before the SDK's own count of failures, which leaves out each one that is not tried again */
    {"java-operator-sdk",
     "operator_sdk_controllers_execution_reconcile_failure_total + "
     "operator_sdk_controllers_execution_cleanup_failure_total",
     "operator_sdk_controllers_execution_reconcile_success_total + "
     "operator_sdk_controllers_execution_reconcile_failure_total + "
     "operator_sdk_controllers_execution_cleanup_success_total + "
     "operator_sdk_controllers_execution_cleanup_failure_total"},
    {"java-operator-sdk", "operator_sdk_reconciliations_failed_total",
     "operator_sdk_reconciliations_success_total + operator_sdk_reconciliations_failed_total"},
    {"java-operator-sdk", "reconciliations_failure_total",
     "reconciliations_success_total + reconciliations_failure_total"},
};
static const struct {
    enum prom_what what;
    const char *sum;
} gauges[] = {
    {PROM_ACTIVE, "controller_runtime_active_workers + reconciliations_active + "
                  "operator_sdk_reconciliations_executions_*"},
    {PROM_DEPTH, "workqueue_depth + reconciliations_queue + operator_sdk_reconciliations_queue_size_*"},
    {PROM_START, "process_start_time_seconds"},
    {PROM_LEADER, "leader_election_master_status"},
    {PROM_REQUESTS, "rest_client_requests_total"},
    {PROM_WRITES, "rest_client_requests_total{method=~\"POST|PUT|PATCH|DELETE\"}"},
    {PROM_REFUSED, "rest_client_requests_total{code=~\"429|5..\"}"},
    {PROM_PANICS, "controller_runtime_reconcile_panics_total"},
    {PROM_WEBHOOKS, "controller_runtime_webhook_requests_total"},
    {PROM_WEBHOOK_FAILURES, "controller_runtime_webhook_requests_total{code=~\"5..\"}"},
    {PROM_LONGEST, "workqueue_longest_running_processor_seconds"},
    {PROM_MEMORY, "process_resident_memory_bytes"},
};

struct controllers {
    struct prom_controller c[PROM_CONTROLLERS];
    size_t n;
};
struct wanted {
    enum prom_what what;
    const char *source;
    const struct prom_sum *sum;
    struct prom_sum *own; /* the same, when it is ours to free */
    struct prom_value v;
    struct controllers *by; /* of a total, with its errors; NULL: none yet */
};
struct promtext {
    struct wanted w[MAX_WANTED];
    size_t n;
    struct prom_times *times; /* NULL: no histogram yet */
    bool crowded;             /* more bounds than there is room for */
    struct buf line;
    char *scratch; /* grows to the longest line with an escape in it */
    size_t scratch_cap;
    uint64_t lineno, bytes, samples;
    bool comment; /* in the middle of a comment that is not kept */
    bool eof;
    bool openmetrics, framed; /* see promtext_head() */
    struct err failed;
};

static void want(struct promtext *p, enum prom_what what, const char *source, const struct prom_sum *sum,
                 const char *text) {
    struct wanted *w = &p->w[p->n++];
    *w = (struct wanted){.what = what, .source = source, .sum = sum};
    if (sum || prom_sum_parse(slice_of(text), &w->own, NULL) < 0) return; /* our own texts are right */
    w->sum = w->own;
}

struct promtext *promtext_new(const struct prom_sum *errors, const struct prom_sum *total) {
    struct promtext *p = xcalloc(1, sizeof *p);
    buf_init(&p->line, PROM_MAX_LINE);
    for (size_t i = 0; i < ARRAY_LEN(gauges); i++) want(p, gauges[i].what, NULL, NULL, gauges[i].sum);
    if (errors && total) {
        want(p, PROM_ERRORS, "annotations", errors, NULL);
        want(p, PROM_TOTAL, "annotations", total, NULL);
        return p;
    }
    for (size_t i = 0; i < ARRAY_LEN(runtimes); i++) {
        want(p, PROM_ERRORS, runtimes[i].source, NULL, runtimes[i].errors);
        want(p, PROM_TOTAL, runtimes[i].source, NULL, runtimes[i].total);
    }
    return p;
}

void promtext_free(struct promtext *p) {
    if (!p) return;
    for (size_t i = 0; i < p->n; i++) {
        prom_sum_free(p->w[i].own);
        free(p->w[i].by);
    }
    buf_free(&p->line);
    free(p->times);
    free(p->scratch);
    free(p);
}

static bool named_before(const struct promtext *p, size_t i, size_t k) {
    const struct prom_selector *s = &p->w[i].sum->s[k];
    for (size_t a = 0; a <= i; a++)
        for (size_t b = 0; b < (a < i ? p->w[a].sum->n : k); b++)
            if (strcmp(p->w[a].sum->s[b].name, s->name) == 0) return true;
    return false;
}

void promtext_names(struct buf *out) {
    struct promtext *p = promtext_new(NULL, NULL);
    const char *before = "";
    for (size_t i = 0; i < p->n; i++)
        for (size_t k = 0; k < p->w[i].sum->n; k++) {
            const struct prom_selector *s = &p->w[i].sum->s[k];
            if (named_before(p, i, k)) continue;
            buf_addf(out, "%s%s%s", before, s->name, s->prefix ? ".*" : "");
            before = "|";
        }
    buf_addf(out, "|" TIMES);
    promtext_free(p);
}

void promtext_head(struct promtext *p, struct slice content_type, bool framed) {
    p->openmetrics = slice_starts(content_type, SL("application/openmetrics-text"));
    p->framed = framed;
}

static bool is_counter(enum prom_what w) {
    return w == PROM_ERRORS || w == PROM_TOTAL;
}

static int count(struct wanted *w, const struct prom_line *l, struct err *err) {
    if (is_counter(w->what)) {
        if (!isfinite(l->value) || l->value < 0 || !isfinite(w->v.value + l->value)) {
            return err_set(err, ERR_PROTOCOL, -EINVAL, "expected a count in %.*s, found %g", SLF(l->metric),
                           l->value);
        }
    } else if (!isfinite(l->value)) {
        return 0;
    }
    bool largest =
        w->what == PROM_START || w->what == PROM_LEADER || w->what == PROM_LONGEST || w->what == PROM_MEMORY;
    double sum = largest && w->v.present ? fmax(w->v.value, l->value) : w->v.value + l->value;
    if (isfinite(sum)) w->v.value = sum;
    w->v.present = true;
    w->v.series++;
    return 0;
}

static const struct prom_label *controller_of(const struct prom_line *l) {
    static const char *const names[] = {"controller", "controller_name"};
    for (size_t k = 0; k < ARRAY_LEN(names); k++)
        for (size_t i = 0; i < l->n; i++)
            if (slice_eqs(l->label[i].name, names[k]) && l->label[i].value.n) return &l->label[i];
    return NULL;
}

static struct prom_controller *controller_at(struct controllers *all, struct slice value) {
    char name[PROM_CONTROLLER] = "";
    cleanup_buf struct buf safe = BUF((size_t)8 * PROM_CONTROLLER);
    utf8_add_safe(&safe, utf8_cut(value, PROM_CONTROLLER));
    struct slice cut = utf8_cut(buf_slice(&safe), sizeof name - 1);
    memcpy(name, cut.p, cut.n);
    for (size_t i = 0; i < all->n; i++)
        if (!strcmp(all->c[i].name, name)) return &all->c[i];
    if (all->n < PROM_CONTROLLERS) {
        struct prom_controller *c = &all->c[all->n++];
        if (all->n < PROM_CONTROLLERS) memcpy(c->name, name, sizeof name);
    }
    return &all->c[all->n - 1];
}

/* In the table errors stand right before their total. */
static void count_controller(struct wanted *w, const struct prom_line *l) {
    struct wanted *whole = w->what == PROM_TOTAL ? w : w + 1;
    const struct prom_label *label = controller_of(l);
    if (!label) return;
    if (!whole->by) whole->by = xcalloc(1, sizeof *whole->by);
    struct prom_controller *c = controller_at(whole->by, label->value);
    if (w->what == PROM_ERRORS) c->errors += l->value;
    if (w->what == PROM_TOTAL) c->total += l->value;
    if (w->what == PROM_TOTAL && !c->name[0]) c->of += slice_hash(label->value, 1);
}

/* A bucket of the histogram: in its place, in the order of the bounds. */
static void count_time(struct promtext *p, const struct prom_line *l) {
    double le = NAN;
    for (size_t i = 0; i < l->n; i++)
        if (slice_eqs(l->label[i].name, "le") && slice_f64(l->label[i].value, &le) < 0) le = NAN;
    if (isnan(le) || !isfinite(l->value) || l->value < 0) return;
    if (!p->times) p->times = xcalloc(1, sizeof *p->times);
    struct prom_times *t = p->times;
    size_t i = t->n;
    while (i && t->le[i - 1] > le) i--;
    if (i && t->le[i - 1] >= le) {
        t->count[i - 1] += l->value;
        return;
    }
    p->crowded = p->crowded || t->n == PROM_MAX_BOUNDS;
    if (p->crowded) return;
    memmove(&t->le[i + 1], &t->le[i], (t->n - i) * sizeof t->le[0]);
    memmove(&t->count[i + 1], &t->count[i], (t->n - i) * sizeof t->count[0]);
    t->n++;
    t->le[i] = le;
    t->count[i] = l->value;
}

static char *scratch_for(struct promtext *p, struct slice text) {
    if (slice_has(text, '\\')) p->scratch = xgrow(p->scratch, &p->scratch_cap, text.n, 1);
    return p->scratch;
}

static int take_line(struct promtext *p, struct slice text, struct err *err) {
    struct prom_line l;
    l.metric = (struct slice){0};
    l.eof = false;
    p->lineno++;
    int rc = 0;
    if (p->eof && slice_trim(text).n)
        rc = err_set(err, ERR_PROTOCOL, -EINVAL, "expected nothing after # EOF");
    else if (text.n <= PROM_MAX_LINE)
        rc = prom_line_read(text, scratch_for(p, text), &l, err);
    else if (text.p[0] != '#')
        rc = err_set(err, ERR_PROTOCOL, -E2BIG, "longer than %d bytes", PROM_MAX_LINE);
    p->eof = p->eof || l.eof;
    if (rc == 0 && l.metric.n && ++p->samples > PROM_MAX_SERIES) {
        rc = err_set(err, ERR_PROTOCOL, -E2BIG, "more than %d samples", PROM_MAX_SERIES);
    }
    for (size_t i = 0; i < p->n && rc == 0 && l.metric.n; i++) {
        if (!prom_sum_match(p->w[i].sum, l.metric, l.label, l.n)) continue;
        rc = count(&p->w[i], &l, err);
        if (rc == 0 && is_counter(p->w[i].what)) count_controller(&p->w[i], &l);
    }
    if (rc == 0 && slice_eqs(l.metric, TIMES)) count_time(p, &l);
    if (rc < 0) err_wrap(err, "line %llu", (unsigned long long)p->lineno);
    return rc;
}

/* The part of a line that is not complete yet. */
static int keep(struct promtext *p, struct slice part, struct err *err) {
    if (p->comment || !part.n || buf_add(&p->line, part) == 0) return 0;
    if ((p->line.n ? p->line.p : part.p)[0] == '#') {
        p->comment = true; /* a HELP text may be long, nobody reads it here */
        return 0;
    }
    return err_set(err, ERR_PROTOCOL, -E2BIG, "line %llu: longer than %d bytes",
                   (unsigned long long)p->lineno + 1, PROM_MAX_LINE);
}

static int kept_line(struct promtext *p, struct err *err) {
    int rc = p->comment ? (p->lineno++, 0) : take_line(p, buf_slice(&p->line), err);
    p->comment = false;
    buf_clear(&p->line);
    return rc;
}

static int feed(struct promtext *p, struct slice bytes, struct err *err) {
    if (bytes.n > PROM_MAX_PAGE - p->bytes) {
        return err_set(err, ERR_PROTOCOL, -E2BIG, "a metrics page of more than %d bytes", PROM_MAX_PAGE);
    }
    p->bytes += bytes.n;
    while (bytes.n) {
        struct slice line, after;
        int rc;
        bool whole = slice_cut(bytes, '\n', &line, &after);
        if (whole && !p->line.n && !p->comment) {
            rc = take_line(p, line, err); /* nothing of it was kept: no copy */
        } else {
            rc = keep(p, line, err);
            if (rc == 0 && whole) rc = kept_line(p, err);
        }
        if (rc < 0) return rc;
        bytes = after;
    }
    return 0;
}

static int fail(struct promtext *p, struct err *err) {
    if (err) *err = p->failed;
    return p->failed.errnum;
}

int promtext_feed(struct promtext *p, struct slice bytes, struct err *err) {
    if (p->failed.kind != ERR_NONE) return fail(p, err);
    return feed(p, bytes, &p->failed) < 0 ? fail(p, err) : 0;
}

static void pick(struct promtext *p, struct prom_page *ret) {
    for (size_t i = 0; i < p->n; i++) {
        const struct wanted *w = &p->w[i];
        if (!is_counter(w->what)) ret->v[w->what] = w->v;
        if (w->what != PROM_TOTAL || !w->v.present || ret->source) continue;
        ret->source = w->source;
        ret->v[PROM_TOTAL] = w->v;
        ret->v[PROM_ERRORS] = w[-1].v;
        if (!w->by) continue;
        memcpy(ret->controller, w->by->c, sizeof ret->controller);
        ret->controllers = w->by->n;
    }
}

int promtext_end(struct promtext *p, struct prom_page *ret, struct err *err) {
    bool cut = p->line.n || p->comment;
    if (p->failed.kind == ERR_NONE && cut && kept_line(p, &p->failed) == 0 && !p->framed && !p->eof) {
        err_set(&p->failed, ERR_PROTOCOL, -EPIPE,
                "the page ends inside line %llu, and the server gave no length by which it would be whole",
                (unsigned long long)p->lineno);
    }
    if (p->failed.kind == ERR_NONE && p->openmetrics && !p->eof)
        err_set(&p->failed, ERR_PROTOCOL, -EPIPE, "OpenMetrics that does not end with # EOF: it was cut off");
    if (p->failed.kind == ERR_NONE && !p->samples && !p->eof) {
        err_set(&p->failed, ERR_PROTOCOL, -EINVAL,
                p->bytes ? "a metrics page without a sample" : "an empty metrics page");
    }
    if (p->failed.kind != ERR_NONE) return fail(p, err);
    *ret = (struct prom_page){.samples = p->samples};
    const struct prom_times *t = p->times;
    if (t && !p->crowded && isinf(t->le[t->n - 1])) ret->times = *t;
    pick(p, ret);
    return 0;
}
