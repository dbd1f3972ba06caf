/* One pod as a Prometheus server saw it: raw samples of its known counters, or two queries of the target's own. */
#include "act/scrape_impl.h"
#include "judge/promapi.h"
#include "judge/promql.h"
#include <errno.h>
#include <math.h>

enum { TOKEN_CAP = 16384, CA_CAP = 1 << 20 };
/* How old Prometheus's last scrape of a pod may be: two and a half times as long as between two of them, within these
 * bounds; where only one was seen, UNKNOWN. */
static const double age_least_s = 30, age_unknown_s = 90, age_most_s = PROMQL_RANGE_S;
static const double age_intervals = 2.5;
/* A query of a target's own ends in a number without a time: as often as this it is a new one. */
static const int64_t own_interval_ns = 30 * NS_PER_S;

void prometheus_begin(struct running *run, struct scraper *s) {
    const struct prometheus_options *p = &s->opt.prometheus;
    cleanup_buf struct buf token = BUF(TOKEN_CAP);
    struct err err = {0};
    free(run->token);
    free(run->no_token);
    run->token = run->no_token = NULL;
    buf_init(&run->ca, CA_CAP);
    if (p->ca && world_read_file(s->world, p->ca, CA_CAP, &run->ca, &err)) buf_clear(&run->ca);
    if (p->token && !err.kind && world_read_file(s->world, p->token, TOKEN_CAP, &token, &err) == 0) {
        struct slice text = slice_trim(buf_slice(&token));
        if (text.n)
            run->token = slice_dup(text);
        else
            err_set(&err, ERR_CONFIG, -ENOENT, "%s is empty", p->token);
    }
    if (err.kind)
        run->no_token = xstrdup(err.msg); /* asked without what was configured it would only refuse */
}

static int64_t own_interval(const struct scraper *s) {
    int64_t asked_for = s->opt.prometheus.own_interval_ns;
    return asked_for > 0 ? asked_for : own_interval_ns;
}

/* ---- asking ---- */

static int on_piece(void *ctx, struct slice piece, struct err *err) {
    struct page_read *r = ctx;
    struct running *run = r->t->run;
    if ((run->bytes += piece.n) > SCRAPE_MAX_BYTES)
        return err_set(err, ERR_PROTOCOL, -E2BIG,
                       "the answers of one round of this target are more than %d bytes", SCRAPE_MAX_BYTES);
    if (buf_add(&r->answer, piece) < 0)
        return err_set(err, ERR_PROTOCOL, -E2BIG, "an answer of more than %d bytes", PROMAPI_MAX_ANSWER);
    return 0;
}

/* Of the whole track, since it was last asked. */
static int query_of_track(struct page_read *r, const char *query, struct buf *out, struct err *err) {
    const struct running *run = r->t->run;
    enum track track = r->result->pod.track;
    const char *name[SCRAPE_MAX_PODS];
    struct promql_values v = {.ns = r->result->pod.ns, .pod = r->result->pod.name, .track = name};
    for (size_t i = 0; i < run->round.n && v.ntrack < SCRAPE_MAX_PODS; i++)
        if (run->round.result[i].pod.track == track) name[v.ntrack++] = run->round.result[i].pod.name;
    if (!r->tried) {
        const int64_t most_ms = INT64_C(1000) * PROMQL_RANGE_S;
        int64_t since = r->t->track_asked_ns[track], every = own_interval(r->t->scraper);
        int64_t ms = (since && r->asked_ns > since ? r->asked_ns - since : every) / 1000000;
        r->range_ms = ms < 1 ? 1 : ms > most_ms ? most_ms : ms;
    }
    v.range_ms = r->range_ms;
    return promql_fill(slice_of(query), &v, out, err);
}

static int query_of(struct page_read *r, struct buf *out, struct err *err) {
    const struct running *run = r->t->run;
    const struct obs_pod *pod = &r->result->pod;
    if (!run->total_query) return promql_of_pod(pod->ns, pod->name, out, err);
    const char *query = r->tried ? run->errors_query : run->total_query;
    if (run->by_track) return query_of_track(r, query, out, err);
    struct promql_values v = {.ns = pod->ns, .pod = pod->name};
    return promql_fill(slice_of(query), &v, out, err);
}

static void on_answer(void *ctx, const struct err *err, struct slice raw);

bool prometheus_ask(struct page_read *r) {
    static const struct kube_scrape_cb cb = {.chunk = on_piece, .done = on_answer};
    struct scraper *s = r->t->scraper;
    struct running *run = r->t->run;
    cleanup_buf struct buf query = BUF(PROMQL_MAX), form = BUF((size_t)4 * PROMQL_MAX);
    struct err err = {0};
    int64_t left = r->deadline_ns - world_boot_ns(s->world);
    if (!run->by_track || !r->tried)
        r->asked_ns = world_wall_ns(s->world); /* of one moment are both of a track */
    if (!s->opt.prometheus.url)                /* scraper_allows() has told the user */
        err_set(&err, ERR_CONFIG, -EINVAL, "run with --prometheus=URL");
    else if (run->no_token)
        err_set(&err, ERR_CONFIG, -ENOENT, "not asked: %s", run->no_token);
    else if (left <= 0)
        err_set(&err, ERR_TIMEOUT, -ETIMEDOUT, "no time left for another query");
    else
        query_of(r, &query, &err);
    if (err.kind) {
        page_read_failed(r, &err);
        return false;
    }
    promql_form(buf_slice(&query), r->asked_ns, left, &form);
    cleanup_free char *url = xasprintf("%s/api/v1/query", s->opt.prometheus.url);
    struct kube_scrape spec = {.url = url,
                               .token = slice_of(run->token),
                               .ca = buf_slice(&run->ca),
                               .form = buf_slice(&form),
                               .timeout_ns = left};
    buf_free(&r->answer);
    buf_init(&r->answer, PROMAPI_MAX_ANSWER);
    r->op = kube_scrape(s->kube, &spec, &cb, r);
    return true;
}

/* ---- raw samples ---- */

static struct pod_memory *memory_of(struct page_read *r) {
    struct pod_memory *m = scrape_memory(r->t, r->result->pod.uid, true);
    const struct obs_pod *pod = &r->result->pod;
    if (m->restarts != pod->restarts) {
        m->restarts = pod->restarts;
        m->restarted_s = (double)r->asked_ns / NS_PER_S;
    }
    m->timeouts = 0;
    m->not_before_ns = 0;
    return m;
}

static double most_age(const struct promapi_page *p) {
    if (!(p->interval_s > 0)) return age_unknown_s;
    return fmax(age_least_s, fmin(age_most_s, age_intervals * p->interval_s));
}

/* 0, or why this scrape says nothing of the pod's process as it is now. */
static int usable(const struct page_read *r, const struct pod_memory *m, const struct promapi_page *p,
                  struct err *err) {
    const struct obs_pod *pod = &r->result->pod;
    double age = (double)r->asked_ns / NS_PER_S - p->newest_s;
    if (age > most_age(p))
        return err_set(err, ERR_PROTOCOL, -ESTALE,
                       "its last scrape (%s) is %.0f s old, and %.0f s is the most that counts", p->place,
                       age, most_age(p));
    /* The API server tells of whole seconds. */
    if (p->newest_s + 1 < (double)pod->crashed_ns / NS_PER_S || p->newest_s < m->restarted_s ||
        p->newest_s + 1 < (double)pod->created_ns / NS_PER_S)
        return err_set(err, ERR_PROTOCOL, -ESTALE,
                       "its last scrape (%s) is of before the restart of a container", p->place);
    return 0;
}

static int read_page(const struct promapi_page *p, struct prom_page *ret, struct err *err) {
    struct promtext *text = promtext_new(NULL, NULL);
    promtext_head(text, (struct slice){0}, true);
    int rc = promtext_feed(text, buf_slice(&p->text), err);
    if (rc == 0) rc = promtext_end(text, ret, err);
    promtext_free(text);
    if (rc < 0) err_wrap(err, "%s", p->place);
    return rc;
}

static void take(struct page_read *r, struct pod_memory *m, const struct promapi_page *from,
                 const struct prom_page *page) {
    struct scrape_result *res = r->result;
    double age_s = fmax(0, (double)r->asked_ns / NS_PER_S - from->newest_s);
    res->read = true;
    *scrape_result_page(res) = *page;
    res->repeated = from->newest_s <= m->newest_s;
    res->read_ns = world_boot_ns(r->t->scraper->world) - (int64_t)(age_s * NS_PER_S);
    res->interval_ns = (int64_t)(fmin(from->interval_s, age_most_s) * NS_PER_S);
    r->t->run->series += page->samples;
    m->newest_s = from->newest_s;
}

/* The first place with reconcile counters, and from then on only that: another one has read the same counters at another
 * moment, or those of another process, and a count that falls looks like one that began anew. */
static bool choose(struct page_read *r, const struct promapi_pages *pages, struct err *err) {
    struct pod_memory *m = memory_of(r);
    const struct promapi_page *standby = NULL;
    struct prom_page standby_page;
    for (size_t i = 0; i < pages->n; i++) {
        const struct promapi_page *p = &pages->v[i];
        uint64_t source = slice_hash(slice_of(p->place), 1) | 1;
        struct prom_page page = {.samples = 0};
        struct err bad = {0};
        if (m->source && m->source != source) continue;
        if (usable(r, m, p, &bad) < 0 || read_page(p, &page, &bad) < 0) {
            if (!err->kind) *err = bad;
            continue;
        }
        if (page.v[PROM_TOTAL].present) {
            m->source = source;
            take(r, m, p, &page);
            return true;
        }
        if (standby && !page.v[PROM_LEADER].present) continue;
        standby = p;
        standby_page = page;
    }
    if (standby) take(r, m, standby, &standby_page);
    return standby != NULL;
}

static int take_samples(struct page_read *r, struct err *err) {
    struct promapi_pages pages = {0};
    const struct obs_pod *pod = &r->result->pod;
    if (promapi_read_pages(buf_slice(&r->answer), &pages, err) < 0) return err->errnum;
    bool read = choose(r, &pages, err);
    if (!read && !err->kind)
        pages.n
            ? err_set(err, ERR_PROTOCOL, -ENOENT,
                      "the series that were read before are gone, and %s is another place", pages.v[0].place)
            : err_set(
                  err, ERR_PROTOCOL, -ENOENT,
                  "no series of the last %d s with namespace=\"%s\", pod=\"%s\": is the pod scraped, and do "
                  "its series have these labels?",
                  PROMQL_RANGE_S, pod->ns, pod->name);
    promapi_pages_free(&pages);
    return read ? 0 : err->errnum; /* another place may have had an error */
}

/* ---- own queries ---- */

/* What a track has counted in the range is added to what its pod stands for: a count that only rises, whichever pods come and go. */
static void add_track(struct page_read *r, struct pod_memory *m, double errors) {
    struct prom_page *page = scrape_result_page(r->result);
    if (!r->counted.present) return;
    m->summed[0] += r->counted.value;
    m->summed[1] += errors;
    page->v[PROM_TOTAL].value = m->summed[0];
    page->v[PROM_ERRORS].value = m->summed[1];
    r->t->track_asked_ns[r->result->pod.track] = r->asked_ns;
}

/* 1: the other query follows. */
static int take_count(struct page_read *r, struct err *err) {
    struct scrape_result *res = r->result;
    bool present;
    double value;
    if (promapi_read_count(buf_slice(&r->answer), &present, &value, err) < 0)
        return err_wrap(err, "annotation %s", r->tried ? "errors" : "total");
    if (!r->tried) {
        r->counted = (struct prom_value){.present = present, .series = present, .value = value};
        r->tried = 1;
        return 1;
    }
    struct pod_memory *m = memory_of(r);
    bool track = r->t->run->by_track; /* there restarts are the query's matter: increase() */
    if (!track &&
        (double)r->asked_ns / NS_PER_S - fmax(m->restarted_s, (double)r->result->pod.crashed_ns / NS_PER_S) <
            age_unknown_s)
        return err_set(err, ERR_PROTOCOL, -ESTALE,
                       "a container has restarted, and a query may count what was before for another %.0f s",
                       age_unknown_s);
    res->read = true;
    struct prom_page *page = scrape_result_page(res);
    *page = (struct prom_page){.source = r->counted.present ? "annotations" : NULL};
    page->v[PROM_TOTAL] = r->counted;
    if (r->counted.present)
        page->v[PROM_ERRORS] = (struct prom_value){.present = present, .series = present, .value = value};
    if (track) add_track(r, m, present ? value : 0);
    res->read_ns = world_boot_ns(r->t->scraper->world);
    res->interval_ns = own_interval(r->t->scraper);
    return 0;
}

/* ---- the answer ---- */

static void in_its_words(const struct page_read *r, struct slice raw, struct err *err) {
    char words[400];
    struct err said = *err;
    if (promapi_explain(raw, words)) {
        err_set(err, said.kind, said.errnum, "%s", words);
        if (r->t->run->total_query) err_wrap(err, "annotation %s", r->tried ? "errors" : "total");
    }
    if ((said.http == 401 || said.http == 403) && !r->t->run->token) {
        struct err was = *err;
        err_set(err, was.kind, was.errnum, "%s; no token was sent: run with --prometheus-token=FILE",
                was.msg);
    }
    err->http = said.http;
}

static void on_answer(void *ctx, const struct err *err, struct slice raw) {
    struct page_read *r = ctx;
    struct scraper *s = r->t->scraper;
    struct err e = err ? *err : (struct err){0};
    int rc;
    r->op = NULL;
    if (err) {
        in_its_words(r, raw, &e);
        rc = -1;
    } else {
        rc = r->t->run->total_query ? take_count(r, &e) : take_samples(r, &e);
    }
    if (rc < 0) page_read_failed(r, &e);
    if (rc > 0 && prometheus_ask(r)) return;
    page_read_finish(r);
    scraper_pump(s);
}
