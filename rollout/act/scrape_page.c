/* One pod's metrics page: the endpoints in turn, in the time of one page. */
#include "act/scrape_impl.h"
#include <errno.h>

static const int64_t backoff_max_ns = 60 * NS_PER_S;

struct page_read *page_read_of(struct slot_use *u) {
    return container_of(u, struct page_read, use);
}

static const struct metrics_endpoint *place_of(const struct page_read *r) {
    return &r->places.v[(r->first + r->tried) % r->places.n];
}

void page_read_free(struct page_read *r) {
    if (!r) return;
    struct running *run = r->t->run;
    if (run) run->reads[r->pod] = NULL;
    if (run) run->open--;
    scrape_slots_give(&r->t->scraper->slots, &r->use, world_boot_ns(r->t->scraper->world));
    kube_cancel(r->op);
    promtext_free(r->text);
    buf_free(&r->answer);
    free(r);
}

static bool from_prometheus(const struct page_read *r) {
    return r->t->run->where.metrics == METRICS_PROMETHEUS;
}

/* ---- results ---- */

/* Keeps the error that says most: a refused connection only says that no server listens there. */
static void keep_error(struct page_read *r, const struct err *err) {
    if (r->err.kind && r->err.errnum != -ECONNREFUSED) return;
    r->err = *err;
    if (from_prometheus(r))
        err_wrap(&r->err, "metrics of pod %s from Prometheus", r->result->pod.name);
    else
        err_wrap(&r->err, "metrics of pod %s at " METRICS_ENDPOINT_FMT, r->result->pod.name,
                 METRICS_ENDPOINT_ARG(place_of(r)));
}

static void remember_timeout(struct page_read *r) {
    struct pod_memory *m = scrape_memory(r->t, r->result->pod.uid, true);
    int64_t wait = r->t->run->timeout_ns;
    m->timeouts++;
    m->place = (r->first + r->tried + 1) % r->places.n;
    if (m->timeouts < r->places.n) return; /* another endpoint first */
    for (size_t i = r->places.n; i < m->timeouts && wait < backoff_max_ns; i++) wait *= 2;
    m->not_before_ns = world_boot_ns(r->t->scraper->world) + (wait < backoff_max_ns ? wait : backoff_max_ns);
}

static void remember_answer(struct page_read *r) {
    size_t place = (r->first + r->tried) % r->places.n;
    struct pod_memory *m = scrape_memory(r->t, r->result->pod.uid, place != 0);
    if (m) *m = (struct pod_memory){.pod = m->pod, .place = place};
}

void page_read_finish(struct page_read *r) {
    struct scrape_target *t = r->t;
    struct scrape_result *res = r->result;
    if (!res->read) res->why = xstrdup(r->err.msg);
    scraper_count(t->scraper, res->read                    ? SCRAPE_OK
                              : r->err.kind == ERR_TIMEOUT ? SCRAPE_TIMEOUT
                                                           : SCRAPE_FAILED);
    page_read_free(r);
    scrape_round_wait(t);
}

void page_read_failed(struct page_read *r, const struct err *err) {
    keep_error(r, err);
    if (err->kind == ERR_TIMEOUT) remember_timeout(r);
}

void page_read_cut(struct page_read *r, bool timed_out, const char *why) {
    struct scraper *s = r->t->scraper;
    struct err err = {0};
    char age[32];
    duration_format((world_boot_ns(s->world) - r->use.since_ns) / NS_PER_MS * NS_PER_MS, age);
    err_set(&err, timed_out ? ERR_TIMEOUT : ERR_CANCELLED, -ETIMEDOUT, "no answer within %s, %s", age, why);
    r->err.kind = ERR_NONE; /* this one says more */
    keep_error(r, &err);
    if (timed_out) remember_timeout(r);
    page_read_finish(r);
}

/* ---- asking ---- */

static void on_head(void *ctx, struct slice content_type, bool framed) {
    struct page_read *r = ctx;
    promtext_head(r->text, content_type, framed);
}

static int on_piece(void *ctx, struct slice piece, struct err *err) {
    struct page_read *r = ctx;
    struct running *run = r->t->run;
    run->bytes += piece.n;
    if (run->bytes > SCRAPE_MAX_BYTES || run->series > SCRAPE_MAX_SERIES)
        return err_set(err, ERR_PROTOCOL, -E2BIG,
                       "the pages of one round of this target are more than %d bytes or %d samples",
                       SCRAPE_MAX_BYTES, SCRAPE_MAX_SERIES);
    return promtext_feed(r->text, piece, err);
}

static void on_page(void *ctx, const struct err *err, struct slice raw);

static bool may_have_token(const struct page_read *r, const struct metrics_endpoint *p) {
    return p->https && !r->t->scraper->opt.proxy && (!p->insecure || r->t->scraper->opt.token_insecure);
}

/* The next endpoint that may be asked; false: there is none. */
static bool ask(struct page_read *r) {
    if (from_prometheus(r)) return prometheus_ask(r);
    static const struct kube_scrape_cb cb = {.head = on_head, .chunk = on_piece, .done = on_page};
    struct scraper *s = r->t->scraper;
    struct running *run = r->t->run;
    for (; r->tried < r->places.n; r->tried++) {
        const struct metrics_endpoint *p = place_of(r);
        struct kube_scrape spec = {.timeout_ns = r->deadline_ns - world_boot_ns(s->world)};
        struct err err = {0};
        if (spec.timeout_ns <= 0) return false;
        if (metrics_endpoint_check(p, &r->result->pod, s->opt.proxy, &err)) {
            keep_error(r, &err);
            continue;
        }
        cleanup_buf struct buf where = BUF(4096);
        if (s->opt.proxy) {
            metrics_endpoint_proxy_path(p, &r->result->pod, &where);
            spec.path = buf_str(&where);
        } else {
            metrics_endpoint_url(p, &r->result->pod, &where);
            spec.url = buf_str(&where);
            spec.tls_insecure = p->insecure;
            if (may_have_token(r, p)) spec.token = slice_of(run->token);
        }
        promtext_free(r->text);
        r->text = promtext_new(run->errors, run->total);
        r->op = kube_scrape(s->kube, &spec, &cb, r);
        return true;
    }
    return false;
}

/* A page that authenticates its callers, and no token was sent. */
static void explain(const struct page_read *r, struct err *err) {
    const struct running *run = r->t->run;
    const struct metrics_endpoint *p = place_of(r);
    struct err said = *err;
    bool kept_back = p->insecure && !r->t->scraper->opt.token_insecure;
    if ((err->http != 401 && err->http != 403) || !p->https || r->t->scraper->opt.proxy) return;
    if (run->token && !kept_back) return;
    err_set(err, said.kind, said.errnum, "%s; no token was sent: %s", said.msg,
            kept_back
                ? "the certificate is not verified (https+insecure); handover run --metrics-token-insecure "
                  "allows it"
                : run->no_token);
    err->http = said.http;
}

static void on_page(void *ctx, const struct err *err, struct slice raw) {
    struct page_read *r = ctx;
    struct scraper *s = r->t->scraper;
    struct prom_page page;
    struct err e = err ? *err : (struct err){0};
    (void)raw;
    r->op = NULL;
    if (!err && promtext_end(r->text, &page, &e) == 0) { /* without the counters, too: a standby has none */
        bool counts = page.v[PROM_TOTAL].present;
        r->t->run->series += page.samples;
        if (!r->result->read || counts) {
            r->result->read = true;
            *scrape_result_page(r->result) = page;
            r->result->read_ns = world_boot_ns(s->world);
            remember_answer(r);
        }
        if (counts) {
            page_read_finish(r);
            scraper_pump(s);
            return;
        }
    } else {
        explain(r, &e);
        keep_error(r, &e);
        if (e.kind == ERR_TIMEOUT) remember_timeout(r);
    }
    r->tried++;
    if (ask(r)) return;
    page_read_finish(r);
    scraper_pump(s);
}

bool page_read_start(struct scrape_target *t, size_t pod, bool suspect) {
    struct scraper *s = t->scraper;
    struct running *run = t->run;
    struct page_read *r = xcalloc(1, sizeof *r);
    int64_t now = world_boot_ns(s->world);
    *r = (struct page_read){
        .t = t, .pod = pod, .result = &run->round.result[pod], .deadline_ns = now + run->timeout_ns};
    if (from_prometheus(r))
        r->places.n = 1; /* the server */
    else
        metrics_endpoints_of(&run->where, &r->result->pod, &r->places);
    const struct pod_memory *m = scrape_memory(t, r->result->pod.uid, false);
    if (m && r->places.n) r->first = m->place % r->places.n;
    scrape_slots_take(&s->slots, &r->use, &t->client, suspect, now);
    run->reads[pod] = r;
    run->open++;
    if (r->places.n && ask(r)) return true;
    page_read_finish(r);
    return false;
}
