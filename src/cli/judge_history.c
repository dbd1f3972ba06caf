/* A matrix of Prometheus, replayed through plan_feed() as if it had been scraped; see judge_history.h. */
#include "judge_history.h"
#include "base/mem.h"
#include "judge/promapi.h"
#include "judge/promtext.h"
#include "plan/plan.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct point {
    double at_s, value;
};
struct judge_history_series {
    char *pod, *controller; /* controller: "" without */
    bool total, error;      /* what it counts among */
    struct point *v;
    size_t n;
};

static bool value_of(const cJSON *pair, struct point *ret) {
    const cJSON *at = cJSON_GetArrayItem(pair, 0), *text = cJSON_GetArrayItem(pair, 1);
    if (!cJSON_IsNumber(at) || !cJSON_IsString(text)) return false;
    ret->at_s = at->valuedouble;
    return slice_f64(slice_of(text->valuestring), &ret->value) == 0 && isfinite(ret->value) &&
           ret->value >= 0;
}

static int read_points(const cJSON *values, struct judge_history_series *s, struct err *err) {
    const cJSON *pair;
    size_t cap = 0;
    cJSON_ArrayForEach(pair, values) {
        s->v = xgrow(s->v, &cap, s->n + 1, sizeof *s->v);
        if (!value_of(pair, &s->v[s->n]) || (s->n && s->v[s->n].at_s <= s->v[s->n - 1].at_s)) {
            cleanup_free char *shown = json_print(pair);
            return err_set(err, ERR_PROTOCOL, -EPROTO,
                           "pod %s: expected a time and a count, as in [1700000000,\"42\"], found %.80s",
                           s->pod, shown ? shown : "nothing");
        }
        s->n++;
    }
    return 0;
}

static int add_series(struct judge_history *h, enum judge_history_kind kind, const cJSON *series,
                      struct err *err) {
    const cJSON *labels = json_obj(series, "metric"), *values = json_arr(series, "values");
    const char *pod = json_str(labels, "pod");
    if (!pod || !*pod || !values) {
        cleanup_free char *shown = json_print(labels);
        return err_set(err, ERR_PROTOCOL, -EPROTO, "expected series with a label pod, found %.200s",
                       shown ? shown : "none");
    }
    h->v = xgrow(h->v, &h->cap, h->n + 1, sizeof *h->v);
    struct judge_history_series *s = &h->v[h->n++];
    bool error = strcmp(json_str_or(labels, "result", ""), "error") == 0;
    *s = (struct judge_history_series){
        .pod = xstrdup(pod),
        .controller = xstrdup(json_str_or(labels, "controller", json_str_or(labels, "controller_name", ""))),
        .total = kind != HISTORY_ERRORS,
        .error = kind == HISTORY_ERRORS || (kind == HISTORY_BY_RESULT && error)};
    return read_points(values, s, err);
}

int judge_history_add(struct judge_history *h, enum judge_history_kind kind, struct slice answer,
                      struct err *err) {
    char words[400];
    struct err bad = {0};
    cleanup_json cJSON *doc = json_parse(answer, &bad);
    const cJSON *data = json_obj(doc, "data"), *series;
    if (strcmp(json_str_or(doc, "status", ""), "error") == 0 && promapi_explain(answer, words))
        return err_set(err, ERR_REJECTED, -EINVAL, "%s", words);
    if (strcmp(json_str_or(data, "resultType", ""), "matrix") != 0 || !json_arr(data, "result"))
        return err_set(err, ERR_PROTOCOL, -EPROTO, "expected a matrix of Prometheus's API, found %s",
                       doc ? "another answer" : bad.msg);
    cJSON_ArrayForEach(series, json_arr(data, "result")) {
        int rc = add_series(h, kind, series, err);
        if (rc < 0) return rc;
    }
    return 0;
}

void judge_history_free(struct judge_history *h) {
    for (size_t i = 0; i < h->n; i++) {
        free(h->v[i].pod);
        free(h->v[i].controller);
        free(h->v[i].v);
    }
    free(h->v);
    *h = (struct judge_history){0};
}

/* ---- the replay ---- */

struct moment { /* the pods of one step */
    struct pod_sample *pod;
    struct prom_page *page;
    size_t n, cap, cap_pages;
};
struct replay {
    const struct judge_history *h;
    const struct judge_history_spec *spec;
    size_t *next; /* of each series */
    struct moment now;
    struct state s;
};

static bool is_canary(const char *pod, const char *prefix) {
    size_t n = strlen(prefix);
    return strncmp(pod, prefix, n) == 0 && (!pod[n] || pod[n] == '-');
}

/* It was there before the first step: for how long is not known. */
static int64_t created_ns(const struct judge_history_spec *spec, const struct judge_history_series *s) {
    int64_t first = (int64_t)(s->v[0].at_s * 1e3) * NS_PER_MS;
    return first <= spec->start_ns ? 0 : first;
}

static size_t place_of(struct replay *r, const struct judge_history_series *s) {
    struct moment *m = &r->now;
    int64_t created = created_ns(r->spec, s);
    for (size_t i = 0; i < m->n; i++) {
        if (strcmp(m->pod[i].uid.p, s->pod) != 0) continue;
        if (created < m->pod[i].created_ns) m->pod[i].created_ns = created;
        return i;
    }
    m->pod = xgrow(m->pod, &m->cap, m->n + 1, sizeof *m->pod);
    m->page = xgrow(m->page, &m->cap_pages, m->n + 1, sizeof *m->page);
    m->page[m->n] = (struct prom_page){0};
    m->pod[m->n] =
        (struct pod_sample){.uid = slice_of(s->pod),
                            .track = is_canary(s->pod, r->spec->canary) ? TRACK_CANARY : TRACK_STABLE,
                            .created_ns = created,
                            .scraped = true};
    return m->n++;
}

static void count(struct prom_page *page, const struct judge_history_series *s, double value) {
    struct prom_value *total = &page->v[PROM_TOTAL], *errors = &page->v[PROM_ERRORS];
    if (s->total) {
        total->present = true;
        total->value += value;
    }
    if (s->error) errors->value += value;
    if (!*s->controller) return;
    struct prom_controller *c = NULL;
    for (size_t i = 0; i < page->controllers && !c; i++)
        if (strcmp(page->controller[i].name, s->controller) == 0) c = &page->controller[i];
    if (!c && page->controllers == PROM_CONTROLLERS) return; /* in the sum of all alone */
    if (!c) {
        c = &page->controller[page->controllers++];
        *c = (struct prom_controller){0};
        snprintf(c->name, sizeof c->name, "%s", s->controller);
    }
    if (s->total) c->total += value;
    if (s->error) c->errors += value;
}

/* What a round of scrapes at that time would have read. */
static void look(struct replay *r, int64_t at_ns) {
    double at = (double)at_ns / NS_PER_S; /* to a microsecond */
    r->now.n = 0;
    for (size_t i = 0; i < r->h->n; i++) {
        const struct judge_history_series *s = &r->h->v[i];
        size_t *k = &r->next[i];
        while (*k < s->n && s->v[*k].at_s < at - 0.0005) ++*k;
        if (*k == s->n || s->v[*k].at_s > at + 0.0005) continue;
        size_t pod = place_of(r, s); /* may move the pages */
        count(&r->now.page[pod], s, s->v[*k].value);
    }
    for (size_t i = 0; i < r->now.n; i++) { /* after the last one was added, so that no page moves any more */
        struct pod_sample *p = &r->now.pod[i];
        const struct prom_page *page = p->page = &r->now.page[i];
        p->present = page->v[PROM_TOTAL].present;
        p->errors = evidence_count(page->v[PROM_ERRORS].value);
        p->total = evidence_count(page->v[PROM_TOTAL].value);
    }
}

static bool has_canary(const struct replay *r) {
    for (size_t i = 0; i < r->now.n; i++)
        if (r->now.pod[i].track == TRACK_CANARY) return true;
    return false;
}

/* The step that the rollout begins at: stable's baseline. */
static int64_t begin_of(struct replay *r) {
    const struct judge_history_spec *spec = r->spec;
    for (int64_t at = spec->start_ns; at <= spec->end_ns; at += spec->step_ns) {
        look(r, at);
        if (!has_canary(r)) continue;
        memset(r->next, 0, r->h->n * sizeof *r->next);
        return at > spec->start_ns ? at - spec->step_ns : at;
    }
    return -1;
}

static void begin(struct replay *r, int64_t at_ns) {
    struct state *s = &r->s;
    uint64_t errors = 0, total = 0;
    s->phase = PHASE_SOAKING;
    s->param = r->spec->p;
    s->soak_from_ns = at_ns;
    evidence_begin(&s->evidence, at_ns);
    look(r, at_ns);
    plan_feed(s, NULL, at_ns, r->now.pod, r->now.n); /* baselines */
    evidence_history(r->now.pod, r->now.n, TRACK_STABLE, &errors, &total);
    if (r->spec->learn) s->param.theta = judge_auto_theta(errors, total);
    s->learned = true;
}

int judge_history_replay(const struct judge_history *h, const struct judge_history_spec *spec,
                         judge_history_verdict on_verdict, void *ctx, struct err *err) {
    struct replay r = {.h = h, .spec = spec};
    if (!h->n) return err_set(err, ERR_CONFIG, -ENOENT, "the query has no series in this time");
    r.next = xcalloc(h->n, sizeof *r.next);
    state_init(&r.s);
    int64_t from = begin_of(&r);
    int rc = from < 0 ? err_set(err, ERR_CONFIG, -ENOENT,
                                "none of the pods is %s or begins with %s-; the first is %s", spec->canary,
                                spec->canary, h->v[0].pod)
                      : 0;
    if (rc == 0) {
        struct judge_report report;
        uint64_t scrape = 0;
        begin(&r, from);
        for (int64_t at = from + spec->step_ns; at <= spec->end_ns; at += spec->step_ns) {
            look(&r, at);
            plan_feed(&r.s, NULL, at, r.now.pod, r.now.n);
            if (!plan_report(&r.s, at, &report) || !on_verdict(ctx, ++scrape, at, &report)) break;
        }
    }
    state_free(&r.s);
    free(r.now.pod);
    free(r.now.page);
    free(r.next);
    return rc;
}
