/* The scrapes of a process: its targets and the slots. See scrape.h. */
#include "act/scrape_impl.h"
#include <errno.h>

static const char *const outcomes[SCRAPE_OUTCOMES] = {"ok", "failed", "timeout", "skipped"};

void scraper_count(struct scraper *s, enum scrape_outcome what) {
    metric_inc(metric_with(s->scrapes, &outcomes[what]));
}

static void on_again(void *ctx) {
    scraper_pump(ctx);
}

static void on_token(void *ctx) {
    struct scraper *s = ctx;
    list_each(it, &s->targets) {
        struct scrape_target *t = container_of(it, struct scrape_target, node);
        if (t->run && !t->run->begun) timer_in(t->turn, 0);
    }
}

struct scraper *scraper_new(struct kube *k, const struct scraper_options *opt) {
    struct scraper *s = xcalloc(1, sizeof *s);
    *s = (struct scraper){.kube = k, .world = kube_world(k), .opt = *opt};
    s->token = metrics_token_new(k, &opt->token, on_token, s);
    list_init(&s->targets);
    scrape_slots_init(&s->slots, opt->slots);
    s->again = timer_new(s->world, on_again, s);
    s->scrapes = metrics_family(kube_metrics(k), METRIC_COUNTER, "handover_scrapes_total",
                                "Total number of scrapes of metrics endpoints by result", "result", NULL, 0);
    for (int i = 0; i < SCRAPE_OUTCOMES; i++) metric_with(s->scrapes, &outcomes[i]);
    return s;
}

void scraper_free(struct scraper *s) {
    if (!s) return;
    timer_free(s->again);
    metrics_token_free(s->token);
    free(s);
}

int scraper_allows(const struct scraper *s, const struct spec *spec, struct err *err) {
    const struct prometheus_options *p = &s->opt.prometheus;
    if (spec->metrics != METRICS_PROMETHEUS) return 0;
    if (!p->url)
        return err_set(err, ERR_CONFIG, -EINVAL,
                       HANDOVER_PREFIX
                       "metrics: \"prometheus\" is not allowed: this Handover knows no Prometheus "
                       "server, which handover run --prometheus=URL names; allowed: auto, or an "
                       "endpoint such as :8080/metrics");
    if (spec->errors && !p->own_queries)
        return err_set(err, ERR_CONFIG, -EINVAL,
                       HANDOVER_PREFIX
                       "errors, " HANDOVER_PREFIX
                       "total: queries of a target's own are not allowed, since they can read "
                       "the metrics of others: handover run --prometheus-own-queries=on allows "
                       "them; without both, the known counters are queried");
    return 0;
}

void scraper_stop(struct scraper *s) {
    s->stopped = true;
    timer_stop(s->again);
    metrics_token_cancel(s->token);
    list_each(it, &s->targets) scrape_target_reset(container_of(it, struct scrape_target, node));
}

/* ---- slots ---- */

void scraper_pump(struct scraper *s) {
    int64_t again = TIME_NEVER;
    while (!s->stopped) {
        bool suspect;
        struct slot_use *victim;
        struct slot_client *c =
            scrape_slots_next(&s->slots, world_boot_ns(s->world), &suspect, &victim, &again);
        if (!c) break;
        if (victim) page_read_cut(page_read_of(victim), true, "given up, since other targets wait");
        scrape_round_ask(container_of(c, struct scrape_target, client), suspect);
    }
    timer_at(s->again, again);
}

/* ---- targets ---- */

static struct scrape_ns *namespace_of(struct scraper *s, const char *name) {
    struct scrape_ns *ns;
    HASH_FIND_STR(s->namespaces, name, ns);
    if (!ns) {
        ns = xcalloc(1, sizeof *ns);
        ns->name = xstrdup(name);
        HASH_ADD_KEYPTR(hh, s->namespaces, ns->name, strlen(ns->name), ns);
    }
    ns->targets++;
    return ns;
}

static void on_turn(void *ctx);

struct scrape_target *scrape_target_new(struct scraper *s, const char *ns, world_fn ended, void *ctx) {
    struct scrape_target *t = xcalloc(1, sizeof *t);
    *t = (struct scrape_target){.scraper = s, .ns = namespace_of(s, ns), .ended = ended, .ctx = ctx};
    list_push(&s->targets, &t->node);
    scrape_slots_client(&t->client, &t->ns->share);
    t->turn = timer_new(s->world, on_turn, t);
    return t;
}

void scrape_target_free(struct scrape_target *t) {
    if (!t) return;
    struct scraper *s = t->scraper;
    scrape_target_reset(t);
    timer_free(t->turn);
    list_remove(&t->node);
    if (--t->ns->targets == 0) {
        HASH_DEL(s->namespaces, t->ns);
        free(t->ns->name);
        free(t->ns);
    }
    free(t->memory);
    free(t);
}

void scrape_target_reset(struct scrape_target *t) {
    struct running *run = t->run;
    t->run = NULL;
    t->ending = false;
    t->rotate = 0;
    memset(t->track_asked_ns, 0, sizeof t->track_asked_ns);
    timer_stop(t->turn);
    scrape_slots_wait(&t->scraper->slots, &t->client, false, false, 0);
    scrape_running_free(run);
    scrape_round_free(&t->last);
    t->last = (struct scrape_round){0};
    if (run && !t->scraper->stopped) timer_in(t->scraper->again, 0); /* its slots are free */
}

bool scrape_target_busy(const struct scrape_target *t) {
    return t->run != NULL;
}

void scrape_target_taken(struct scrape_target *t) {
    scrape_round_free(&t->last);
}

const struct scrape_round *scrape_target_round(const struct scrape_target *t) {
    return t->last.number ? &t->last : NULL;
}

struct pod_memory *scrape_memory(struct scrape_target *t, const char *uid, bool make) {
    uint64_t pod = slice_hash(slice_of(uid), 0);
    for (size_t i = 0; i < t->nmemory; i++)
        if (t->memory[i].pod == pod) return &t->memory[i];
    if (!make) return NULL;
    t->memory = xgrow(t->memory, &t->memory_cap, t->nmemory + 1, sizeof *t->memory);
    t->memory[t->nmemory] = (struct pod_memory){.pod = pod};
    return &t->memory[t->nmemory++];
}

/* Only of pods that are still there. */
static void trim_memory(struct scrape_target *t, const struct scrape_round *r) {
    size_t kept = 0;
    for (size_t i = 0; i < t->nmemory; i++) {
        bool there = r->probe;
        for (size_t k = 0; k < r->n && !there; k++)
            there = t->memory[i].pod == slice_hash(slice_of(r->result[k].pod.uid), 0);
        if (there) t->memory[kept++] = t->memory[i];
    }
    t->nmemory = kept;
}

static void end_round(struct scrape_target *t) {
    struct running *run = t->run;
    scrape_round_free(&t->last);
    t->last = run->round;
    t->last.number = ++t->rounds;
    run->round = (struct scrape_round){0};
    t->run = NULL;
    t->ending = false;
    scrape_running_free(run);
    trim_memory(t, &t->last);
    t->ended(t->ctx);
}

/* Reads hang, or the slots are short: pods that are late for this round come first in the next. */
static void ask_no_more(struct scrape_target *t) {
    struct running *run = t->run;
    size_t next = run->next_fresh < run->fresh ? run->next_fresh : run->next_suspect;
    char limit[32];
    duration_format(2 * run->timeout_ns, limit);
    if (next < run->asks) t->rotate = run->turn[next];
    for (size_t i = run->next_fresh; i < run->asks; i++) {
        if (i >= run->fresh && i < run->next_suspect) continue;
        struct scrape_result *r = &run->round.result[run->turn[i]];
        if (r->why) continue;
        r->why = xasprintf("pod %s was not asked: the round has taken more than %s", r->pod.name, limit);
        scraper_count(t->scraper, SCRAPE_SKIPPED);
    }
    run->next_fresh = run->fresh;
    run->next_suspect = run->asks;
}

static void on_turn(void *ctx) {
    struct scrape_target *t = ctx;
    struct running *run = t->run;
    if (t->ending) {
        end_round(t);
        return;
    }
    if (!run->begun && run->needs_token && metrics_token_pending(t->scraper->token)) return;
    if (!run->begun) scrape_round_begin(t);
    if (world_boot_ns(t->scraper->world) >= run->ends_ns)
        ask_no_more(t);
    else
        timer_at(t->turn, run->ends_ns);
    scrape_round_wait(t);
    scraper_pump(t->scraper);
}
