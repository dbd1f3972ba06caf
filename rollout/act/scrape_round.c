/* One round of scrapes: which pods, in which order, until each has a result. */
#include "act/scrape_impl.h"
#include <errno.h>

enum { TOKEN_CAP = 16384 };

void scrape_round_free(struct scrape_round *r) {
    for (size_t i = 0; i < r->n; i++) {
        obs_pod_free(&r->result[i].pod);
        free(r->result[i].why);
        free(r->result[i].page);
    }
    free(r->result);
    r->result = NULL;
    r->n = 0;
}

void scrape_running_free(struct running *r) {
    if (!r) return;
    for (size_t i = 0; i < r->round.n; i++) page_read_free(r->reads[i]);
    scrape_round_free(&r->round);
    prom_sum_free(r->errors);
    prom_sum_free(r->total);
    free(r->where.path);
    free(r->errors_query);
    free(r->total_query);
    buf_free(&r->ca);
    free(r->token);
    free(r->no_token);
    free(r->turn);
    free(r->reads);
    free(r);
}

struct prom_page *scrape_result_page(struct scrape_result *r) {
    if (!r->page) r->page = xmalloc(sizeof *r->page);
    return r->page;
}

/* ---- which pods ---- */

/* Always the same ones, as long as they live: the evidence is made of differences. */
static int by_age(const void *a, const void *b) {
    const struct obs_pod *p = *(const struct obs_pod *const *)a, *q = *(const struct obs_pod *const *)b;
    if (p->track != q->track) return p->track == TRACK_CANARY ? -1 : 1;
    if (p->created_ns != q->created_ns) return p->created_ns < q->created_ns ? -1 : 1;
    return strcmp(p->uid, q->uid);
}

/* Canaries first. */
static void choose(struct scrape_round *r, const struct scrape_what *what) {
    const struct obs_pod **all = xcalloc(what->n ? what->n : 1, sizeof *all);
    size_t canaries = 0, n = 0;
    for (size_t i = 0; i < what->n; i++) {
        if (what->probe && what->pods[i].track != what->track) continue;
        canaries += what->pods[i].track == TRACK_CANARY;
        all[n++] = &what->pods[i];
    }
    qsort(all, n, sizeof *all, by_age);
    size_t half = SCRAPE_MAX_PODS / 2, stable = n - canaries,
           room = stable < half ? SCRAPE_MAX_PODS - stable : half;
    size_t take_canaries = canaries < room ? canaries : room,
           take_stable = stable < SCRAPE_MAX_PODS - take_canaries ? stable : SCRAPE_MAX_PODS - take_canaries;
    r->n = take_canaries + take_stable;
    r->left_out = n - r->n;
    r->result = xcalloc(r->n ? r->n : 1, sizeof *r->result);
    for (size_t i = 0; i < r->n; i++)
        obs_pod_copy(all[i < take_canaries ? i : canaries + i - take_canaries], &r->result[i].pod);
    free(all);
}

/* Where a query is of a whole track, its oldest pod that lives is asked for all. */
static bool stands_for_its_track(const struct running *run, const struct obs_pod *p) {
    for (size_t i = 0; i < run->round.n; i++) {
        const struct obs_pod *q = &run->round.result[i].pod;
        if (q->track == p->track && !q->finished && !q->terminating) return strcmp(q->uid, p->uid) == 0;
    }
    return false;
}

/* The API server and Prometheus know a pod by its name. */
static bool worth_asking(const struct scrape_target *t, const struct running *run, const struct obs_pod *p) {
    bool by_name = t->scraper->opt.proxy || run->where.metrics == METRICS_PROMETHEUS;
    if (run->by_track && !stands_for_its_track(run, p)) return false;
    return !p->finished && !p->terminating && (by_name || p->ip);
}

/* A pod whose page times out again and again is scraped less and less often. */
static bool backs_off(struct scrape_target *t, const struct pod_memory *m, struct scrape_result *r) {
    int64_t left = m ? m->not_before_ns - world_boot_ns(t->scraper->world) : 0;
    char text[32];
    if (left <= 0) return false;
    duration_format((left + NS_PER_S - 1) / NS_PER_S * NS_PER_S, text);
    r->why = xasprintf("metrics of pod %s: timed out %u times in a row, asked again in %s", r->pod.name,
                       m->timeouts, text);
    scraper_count(t->scraper, SCRAPE_SKIPPED);
    return true;
}

static void line_up(struct scrape_target *t, struct running *run) {
    size_t n = run->round.n, late = 0;
    size_t *suspects = xcalloc(n ? n : 1, sizeof *suspects);
    run->turn = xcalloc(n ? n : 1, sizeof *run->turn);
    for (size_t i = 0; i < n; i++) {
        size_t at = (t->rotate + i) % n;
        struct scrape_result *r = &run->round.result[at];
        if (!worth_asking(t, run, &r->pod)) continue;
        const struct pod_memory *m = scrape_memory(t, r->pod.uid, false);
        if (backs_off(t, m, r)) continue;
        if (m && m->timeouts)
            suspects[late++] = at;
        else
            run->turn[run->fresh++] = at;
    }
    run->next_suspect = run->fresh;
    run->asks = run->fresh + late;
    memcpy(run->turn + run->fresh, suspects, late * sizeof *suspects);
    free(suspects);
    t->rotate = 0;
}

int scrape_target_start(struct scrape_target *t, const struct scrape_what *what) {
    if (t->scraper->stopped) return -ECANCELED;
    if (t->run) return -EBUSY;
    const struct spec *spec = what->spec;
    struct running *run = xcalloc(1, sizeof *run);
    run->where = (struct spec){.metrics = spec->metrics,
                               .https = spec->https,
                               .tls_insecure = spec->tls_insecure,
                               .port = spec->port,
                               .path = xstrdup_null(spec->path)};
    bool prometheus = spec->metrics == METRICS_PROMETHEUS;
    if (prometheus) {
        run->errors_query = xstrdup_null(spec->errors);
        run->total_query = xstrdup_null(spec->total);
        run->by_track = spec->total && spec->by_track;
    } else if (spec->errors &&
               spec->total) { /* checked by spec_parse(); a failure here leaves the known runtimes */
        if (prom_sum_parse(slice_of(spec->errors), &run->errors, NULL) == 0 &&
            prom_sum_parse(slice_of(spec->total), &run->total, NULL)) {
            prom_sum_free(run->errors);
            run->errors = NULL;
        }
    }
    run->round.probe = what->probe;
    run->round.track = what->track;
    run->timeout_ns = what->timeout_ns;
    choose(&run->round, what);
    run->reads = xcalloc(run->round.n ? run->round.n : 1, sizeof(struct page_read *));
    line_up(t, run);
    run->needs_token =
        !t->scraper->opt.proxy && !prometheus && (spec->https || spec->metrics == METRICS_AUTO);
    t->run = run;
    timer_in(t->turn, 0);
    return 0;
}

/* ---- its course ---- */

void scrape_round_begin(struct scrape_target *t) {
    struct running *run = t->run;
    struct err none = {0};
    cleanup_buf struct buf token = BUF(TOKEN_CAP);
    if (run->needs_token) metrics_token_get(t->scraper->token, &token, &none);
    if (token.n)
        run->token = slice_dup(buf_slice(&token));
    else
        run->no_token = xstrdup(none.msg);
    if (run->where.metrics == METRICS_PROMETHEUS) prometheus_begin(run, t->scraper);
    run->begun = true;
    run->ends_ns = world_boot_ns(t->scraper->world) + 2 * run->timeout_ns;
}

void scrape_round_wait(struct scrape_target *t) {
    struct running *run = t->run;
    if (!run->begun) return; /* its first turn comes */
    bool fresh = run->next_fresh < run->fresh, suspect = run->next_suspect < run->asks;
    scrape_slots_wait(&t->scraper->slots, &t->client, fresh, suspect, world_boot_ns(t->scraper->world));
    if (fresh || suspect || run->open || t->ending) return;
    t->ending = true;
    timer_in(t->turn, 0);
}

bool scrape_round_ask(struct scrape_target *t, bool suspect) {
    struct running *run = t->run;
    size_t at = run->turn[suspect ? run->next_suspect++ : run->next_fresh++];
    bool asked = !run->round.result[at].why && page_read_start(t, at, suspect);
    scrape_round_wait(t);
    return asked;
}

static const struct obs_pod *find(const struct obs_pod *pods, size_t n, const char *uid) {
    for (size_t i = 0; i < n; i++)
        if (strcmp(pods[i].uid, uid) == 0) return &pods[i];
    return NULL;
}

void scrape_target_update(struct scrape_target *t, const struct obs_pod *pods, size_t n) {
    struct running *run = t->run;
    if (!run) return;
    for (size_t i = 0; i < run->round.n; i++) {
        struct scrape_result *r = &run->round.result[i];
        const struct obs_pod *now = r->read || r->why ? NULL : find(pods, n, r->pod.uid);
        if (r->read || r->why || (now && !now->terminating && !now->finished)) continue;
        if (run->reads[i])
            page_read_cut(run->reads[i], false, "the pod is going away");
        else if (worth_asking(t, run, &r->pod))
            r->why = xasprintf("pod %s is going away", r->pod.name);
    }
    scrape_round_wait(t);
    timer_in(t->scraper->again, 0);
}
