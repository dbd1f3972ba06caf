/* The metrics registry and its Prometheus text format (version 0.0.4). Series of a family are found by hash,
 * written in the order in which they were made. */
#include "base/metrics.h"
#include "base/list.h"
#include "base/utf8.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>

struct metric {
    struct list order;
    struct metric *next; /* of the same hash bucket */
    struct metric_family *family;
    char **values;
    uint64_t hash;
    double value;    /* of a histogram: the sum */
    uint64_t count;  /* histogram: observations */
    uint64_t *below; /* histogram: per bucket, not cumulated; NULL otherwise */
};

struct metric_family {
    struct metrics *owner;
    enum metric_type type;
    char *name, *help, *labels;
    char *label_v[METRIC_MAX_LABELS]; /* into label_text */
    char *label_text;
    size_t nlabels, nbuckets, n, nslots;
    double *buckets;
    struct metric **slots;
    struct list series;
};

struct collector {
    void (*fn)(void *ctx);
    void *ctx;
};

struct metrics {
    struct metric_family **families;
    size_t n, cap, max_series;
    struct collector *collectors;
    size_t ncollectors, collectors_cap;
    struct metric *dropped;
};

const double metrics_seconds[12] = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 15, 60};

static _Noreturn void misuse(const char *name, const char *what) {
    (void)fprintf(stderr, "handover: metric %s: %s\n", name, what);
    abort();
}

struct metrics *metrics_new(size_t max_series_per_family) {
    struct metrics *m = xcalloc(1, sizeof *m);
    m->max_series = max_series_per_family ? max_series_per_family : 1;
    m->dropped = metric_plain(metrics_family(
        m, METRIC_COUNTER, "handover_metrics_series_dropped_total",
        "Look-ups of series past the cap of their family, counted as \"other\".", "", NULL, 0));
    return m;
}

static void series_free(struct metric *s) {
    for (size_t i = 0; i < s->family->nlabels; i++) free(s->values[i]);
    free(s->values);
    free(s->below);
    free(s);
}

static void family_free(struct metric_family *f) {
    list_each_safe(it, next, &f->series) series_free(container_of(it, struct metric, order));
    free(f->name);
    free(f->help);
    free(f->labels);
    free(f->label_text);
    free(f->buckets);
    free(f->slots);
    free(f);
}

void metrics_free(struct metrics *m) {
    if (!m) return;
    for (size_t i = 0; i < m->n; i++) family_free(m->families[i]);
    free(m->families);
    free(m->collectors);
    free(m);
}

static bool same_shape(const struct metric_family *f, enum metric_type type, const char *labels,
                       const double *buckets, size_t nbuckets) {
    if (f->type != type || strcmp(f->labels, labels) != 0 || f->nbuckets != nbuckets) return false;
    for (size_t i = 0; i < nbuckets; i++) {
        if (f->buckets[i] < buckets[i] || f->buckets[i] > buckets[i]) return false;
    }
    return true;
}

struct metric_family *metrics_family(struct metrics *m, enum metric_type type, const char *name,
                                     const char *help, const char *labels, const double *buckets,
                                     size_t nbuckets) {
    if (type != METRIC_HISTOGRAM) nbuckets = 0;
    for (size_t i = 0; i < m->n; i++) {
        if (strcmp(m->families[i]->name, name) != 0) continue;
        if (!same_shape(m->families[i], type, labels, buckets, nbuckets))
            misuse(name, "registered twice, differently");
        return m->families[i];
    }
    struct metric_family *f = xcalloc(1, sizeof *f);
    f->owner = m;
    f->type = type;
    f->name = xstrdup(name);
    f->help = xstrdup(help);
    f->labels = xstrdup(labels);
    f->label_text = xstrdup(labels);
    char *save = NULL;
    for (char *l = strtok_r(f->label_text, ",", &save); l; l = strtok_r(NULL, ",", &save)) {
        if (f->nlabels == METRIC_MAX_LABELS) misuse(name, "too many labels");
        f->label_v[f->nlabels++] = l;
    }
    f->nbuckets = nbuckets;
    f->buckets = xcalloc(nbuckets, sizeof *f->buckets);
    for (size_t i = 0; i < nbuckets; i++) {
        f->buckets[i] = buckets[i];
        if (i && !(buckets[i - 1] < buckets[i])) misuse(name, "buckets are not ascending");
    }
    f->nslots = 8;
    f->slots = xcalloc(f->nslots, sizeof(struct metric *));
    list_init(&f->series);
    m->families = xgrow(m->families, &m->cap, m->n + 1, sizeof(struct metric_family *));
    m->families[m->n++] = f;
    return f;
}

static uint64_t hash_values(const struct metric_family *f, const char *const *values) {
    uint64_t h = 0;
    for (size_t i = 0; i < f->nlabels; i++) h = slice_hash(slice_of(values[i]), h * 31 + 1);
    return h;
}

/* The link that points to the series, or to NULL where it would be. */
static struct metric **find(struct metric_family *f, uint64_t hash, const char *const *values) {
    struct metric **at = &f->slots[hash % f->nslots];
    for (; *at; at = &(*at)->next) {
        size_t i = 0;
        while ((*at)->hash == hash && i < f->nlabels && strcmp((*at)->values[i], values[i]) == 0) i++;
        if ((*at)->hash == hash && i == f->nlabels) break;
    }
    return at;
}

static void grow(struct metric_family *f) {
    size_t nslots = f->nslots * 2;
    struct metric **slots = xcalloc(nslots, sizeof(struct metric *));
    list_each(it, &f->series) {
        struct metric *s = container_of(it, struct metric, order);
        s->next = slots[s->hash % nslots];
        slots[s->hash % nslots] = s;
    }
    free(f->slots);
    f->slots = slots;
    f->nslots = nslots;
}

struct metric *metric_with(struct metric_family *f, const char *const *values) {
    static const char *const other[METRIC_MAX_LABELS] = {"other", "other", "other",
                                                         "other", "other", "other"};
    uint64_t hash = hash_values(f, values);
    struct metric **at = find(f, hash, values);
    if (*at) return *at;
    if (f->n >= f->owner->max_series && f->nlabels) {
        metric_inc(f->owner->dropped);
        values = other;
        hash = hash_values(f, values);
        at = find(f, hash, values);
        if (*at) return *at;
    }
    if (f->n >= f->nslots) {
        grow(f);
        at = find(f, hash, values);
    }
    struct metric *s = xcalloc(1, sizeof *s);
    s->family = f;
    s->hash = hash;
    s->values = xcalloc(f->nlabels, sizeof *s->values);
    for (size_t i = 0; i < f->nlabels; i++) s->values[i] = xstrdup(values[i]);
    if (f->type == METRIC_HISTOGRAM) s->below = xcalloc(f->nbuckets, sizeof *s->below);
    *at = s;
    list_push(&f->series, &s->order);
    f->n++;
    return s;
}

struct metric *metric_plain(struct metric_family *f) {
    if (f->nlabels) misuse(f->name, "has labels");
    static const char *const none[1];
    return metric_with(f, none);
}

void metrics_family_clear(struct metric_family *f) {
    list_each_safe(it, next, &f->series) series_free(container_of(it, struct metric, order));
    list_init(&f->series);
    memset(f->slots, 0, f->nslots * sizeof(struct metric *));
    f->n = 0;
}

void metric_add(struct metric *m, double by) {
    if (!m) return;
    if (m->family->type == METRIC_HISTOGRAM) misuse(m->family->name, "add on a histogram");
    if (m->family->type == METRIC_COUNTER && !(by >= 0)) return; /* a counter never goes back */
    m->value += by;
}

void metric_set(struct metric *m, double value) {
    if (!m) return;
    if (m->family->type != METRIC_GAUGE) misuse(m->family->name, "set on what is no gauge");
    m->value = value;
}

void metric_observe(struct metric *m, double value) {
    if (!m) return;
    const struct metric_family *f = m->family;
    if (f->type != METRIC_HISTOGRAM) misuse(f->name, "observe on what is no histogram");
    size_t i = 0;
    while (i < f->nbuckets && !(value <= f->buckets[i])) i++;
    if (i < f->nbuckets) m->below[i]++;
    m->count++;
    m->value += value;
}

double metric_value(const struct metric *m) {
    if (!m) return 0;
    return m->family->type == METRIC_HISTOGRAM ? (double)m->count : m->value;
}

void metrics_on_collect(struct metrics *m, void (*fn)(void *ctx), void *ctx) {
    m->collectors = xgrow(m->collectors, &m->collectors_cap, m->ncollectors + 1, sizeof *m->collectors);
    m->collectors[m->ncollectors++] = (struct collector){fn, ctx};
}

void metrics_off_collect(struct metrics *m, void (*fn)(void *ctx), void *ctx) {
    for (size_t i = 0; i < m->ncollectors; i++) {
        if (m->collectors[i].fn != fn || m->collectors[i].ctx != ctx) continue;
        memmove(&m->collectors[i], &m->collectors[i + 1], (m->ncollectors - i - 1) * sizeof *m->collectors);
        m->ncollectors--;
        return;
    }
}

/* ---- the text format ---- */

/* One byte of invalid UTF-8 makes Prometheus refuse the whole page. */
static void add_escaped(struct buf *out, const char *text, bool in_quotes) {
    for (size_t i = 0, n = strlen(text); i < n;) {
        size_t len = utf8_len(slice_make(text + i, n - i));
        if (text[i] == '\\') {
            buf_adds(out, "\\\\");
        } else if (text[i] == '\n') {
            buf_adds(out, "\\n");
        } else if (text[i] == '"' && in_quotes) {
            buf_adds(out, "\\\"");
        } else if (!len) {
            buf_adds(out, "\xef\xbf\xbd");
        } else {
            buf_add(out, slice_make(text + i, len));
        }
        i += len ? len : 1;
    }
}

static void add_number(struct buf *out, double v) {
    char text[40];
    if (isnan(v)) {
        buf_adds(out, "NaN");
    } else if (isinf(v)) {
        buf_adds(out, v > 0 ? "+Inf" : "-Inf");
    } else if (fabs(v) < 1e15 && v == trunc(v)) {
        buf_addf(out, "%lld", (long long)v);
    } else {
        for (int prec = 6; prec <= 17; prec++) { /* the shortest that reads back the same */
            if (snprintf(text, sizeof text, "%.*g", prec, v) > 0 && strtod(text, NULL) == v) break;
        }
        buf_adds(out, text);
    }
}

/* name_suffix{labels...,le="limit"} ; le NULL for none, +Inf where *le is infinite */
static void add_head(struct buf *out, const struct metric *s, const char *suffix, const double *le) {
    const struct metric_family *f = s->family;
    buf_addf(out, "%s%s", f->name, suffix);
    if (f->nlabels || le) buf_addc(out, '{');
    for (size_t i = 0; i < f->nlabels; i++) {
        buf_addf(out, "%s%s=\"", i ? "," : "", f->label_v[i]);
        add_escaped(out, s->values[i], true);
        buf_addc(out, '"');
    }
    if (le) {
        buf_addf(out, "%sle=\"", f->nlabels ? "," : "");
        add_number(out, *le);
        buf_addc(out, '"');
    }
    if (f->nlabels || le) buf_addc(out, '}');
    buf_addc(out, ' ');
}

static void add_series(struct buf *out, const struct metric *s) {
    const struct metric_family *f = s->family;
    if (f->type != METRIC_HISTOGRAM) {
        add_head(out, s, "", NULL);
        add_number(out, s->value);
        buf_addc(out, '\n');
        return;
    }
    uint64_t sum = 0;
    for (size_t i = 0; i <= f->nbuckets; i++) {
        double le = i < f->nbuckets ? f->buckets[i] : (double)INFINITY;
        sum = i < f->nbuckets ? sum + s->below[i] : s->count;
        add_head(out, s, "_bucket", &le);
        buf_addf(out, "%llu\n", (unsigned long long)sum);
    }
    add_head(out, s, "_sum", NULL);
    add_number(out, s->value);
    buf_addc(out, '\n');
    add_head(out, s, "_count", NULL);
    buf_addf(out, "%llu\n", (unsigned long long)s->count);
}

int metrics_write(struct metrics *m, struct buf *out) {
    static const char *const types[] = {"counter", "gauge", "histogram"};
    for (size_t i = 0; i < m->ncollectors; i++) m->collectors[i].fn(m->collectors[i].ctx);
    for (size_t i = 0; i < m->n && !out->full; i++) {
        const struct metric_family *f = m->families[i];
        if (list_empty(&f->series)) continue;
        buf_addf(out, "# HELP %s ", f->name);
        add_escaped(out, f->help, false);
        buf_addf(out, "\n# TYPE %s %s\n", f->name, types[f->type]);
        list_each(it, &f->series) add_series(out, container_of(it, struct metric, order));
    }
    return out->full ? -ENOBUFS : 0;
}
