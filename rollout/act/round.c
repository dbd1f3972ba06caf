/* A round of scrapes of one target; see round.h. */
#include "act/round.h"
#include "base/log.h"
#include <errno.h>

enum { TOKEN_CAP = 16384, PROBE_NS = 250 * 1000000 };

struct round {
    struct rollout *r;
    struct target *t;
    struct scraping *scraping;
    struct obs_pod *pods;
    size_t n;
    const struct scrape_result *results; /* the scraping's; NULL while it runs */
    char hash[11];                       /* of the rollout that it was begun for */
    int64_t began_ns, ended_ns, ended_wall_ns;
};

void round_drop(struct target *t) {
    struct round *rd = t->round;
    if (!rd) return;
    scrape_end(rd->scraping);
    for (size_t i = 0; i < rd->n; i++) obs_pod_free(&rd->pods[i]);
    free(rd->pods);
    free(rd);
    t->round = NULL;
}

static void on_scraped(void *ctx, const struct scrape_result *results, size_t n) {
    struct round *rd = ctx;
    struct world *w = kube_world(rd->r->kube);
    (void)n;
    rd->results = results;
    rd->ended_ns = world_boot_ns(w);
    rd->ended_wall_ns = world_wall_ns(w);
    controller_add(rd->r->controller, slice_of(rd->t->key), PRIO_NORMAL, 0);
}

bool round_is_due(const struct rollout *r, const struct target *t) {
    int64_t boot = world_boot_ns(kube_world(r->kube));
    if (t->probe && boot >= t->quiet_ns + PROBE_NS) return true;
    return t->scrape_every_ns > 0 && (t->round_ns == 0 || boot >= t->round_ns + t->scrape_every_ns);
}

int64_t round_probe_in(const struct rollout *r, const struct target *t) {
    if (!t->probe || t->round) return TIME_NEVER;
    int64_t in = t->quiet_ns + PROBE_NS - world_boot_ns(kube_world(r->kube));
    return in < 0 ? 0 : in;
}

void round_start(struct rollout *r, struct target *t, const struct spec *spec, const struct obs_pod *pods,
                 size_t n) {
    struct err none = {0};
    cleanup_buf struct buf token = BUF(TOKEN_CAP);
    if (t->round) return;
    if (r->token_file) /* each time: it is renewed, and may come later than we do */
        world_read_file(kube_world(r->kube), r->token_file, TOKEN_CAP, &token, &none);
    else
        err_set(&none, ERR_CONFIG, -ENOENT, "run with --metrics-token=FILE");
    int64_t timeout =
        t->scrape_every_ns > 0 && t->scrape_every_ns < 5 * NS_PER_S ? t->scrape_every_ns : 5 * NS_PER_S;
    struct scrape_options opt = {.slots = &r->slots,
                                 .proxy = r->opt.proxy,
                                 .token = slice_trim(buf_slice(&token)),
                                 .no_token = none.kind ? none.msg : NULL,
                                 .timeout_ns = timeout < NS_PER_S ? NS_PER_S : timeout};
    struct round *rd = t->round = xcalloc(1, sizeof *rd);
    *rd = (struct round){.r = r, .t = t, .n = n, .began_ns = t->round_began_ns};
    memcpy(rd->hash, t->round_hash, sizeof rd->hash);
    rd->pods = xcalloc(n ? n : 1, sizeof *rd->pods);
    for (size_t i = 0; i < n; i++) obs_pod_copy(&pods[i], &rd->pods[i]);
    rd->scraping = scrape_start(r->kube, &opt, spec, rd->pods, n, on_scraped, rd);
}

/* ---- what a round has found ---- */

/* A page that was read and has no reconcile counters. */
static const char *no_counters(enum track track, const struct prom_page *page) {
    bool stands_by = page->v[PROM_LEADER].present && page->v[PROM_LEADER].value == 0;
    if (stands_by && track == TRACK_CANARY)
        return "it stands by for a lease that it shares with stable; annotations canary-args or canary-env "
               "give it one of its own, then: retry";
    if (stands_by) return "no pod of it holds its lease";
    return "the metrics page has no reconcile counters: a standby (canary-args or canary-env give a canary a "
           "lease of its own), or a program that counts otherwise (annotations errors and total)";
}

static const char *trouble_of(const struct round *rd, enum track track) {
    const char *why = NULL;
    for (size_t i = 0; i < rd->n; i++) {
        const struct scrape_result *res = &rd->results[i];
        if (rd->pods[i].track != track || rd->pods[i].terminating) continue;
        if (res->read && res->page.v[PROM_TOTAL].present) return NULL;
        if (!why || !*why) /* a pod that was not asked has no error */
            why = res->read ? no_counters(track, &res->page) : res->err.msg;
    }
    return why && *why ? why : NULL;
}

static void keep_trouble(struct target *t, const struct round *rd) {
    const char *canary = trouble_of(rd, TRACK_CANARY), *stable = trouble_of(rd, TRACK_STABLE);
    free(t->trouble);
    t->trouble = canary ? xasprintf("canary: %s", canary) : stable ? xasprintf("stable: %s", stable) : NULL;
}

static enum quiet quiet_of(const struct round *rd) {
    bool any = false;
    for (size_t i = 0; i < rd->n; i++) {
        const struct obs_pod *p = &rd->pods[i];
        const struct scrape_result *res = &rd->results[i];
        if (p->track != TRACK_CANARY || p->terminating || p->finished) continue;
        const struct prom_value *active = &res->page.v[PROM_ACTIVE], *depth = &res->page.v[PROM_DEPTH];
        if (!res->read || !active->present) return QUIET_UNKNOWN;
        if (active->value > 0 || (depth->present && depth->value > 0)) return QUIET_BUSY;
        any = true;
    }
    return any ? QUIET_NOW : QUIET_UNKNOWN;
}

struct refresh {
    struct obs_pod *pod;
    bool there;
};

static void refresh_one(void *ctx, const struct obs_pod *now) {
    struct refresh *f = ctx;
    if (strcmp(now->uid, f->pod->uid) != 0) return;
    f->there = true;
    f->pod->terminating = now->terminating;
    f->pod->restarts = now->restarts;
}

/* A pod that was deleted while it was scraped counts as terminating: its last errors are those of its shutdown. */
static void refresh(const struct rollout *r, const struct target *t, struct round *rd) {
    for (size_t i = 0; i < rd->n; i++) {
        struct refresh f = {.pod = &rd->pods[i]};
        caches_each_pod(r->caches, t->ns, rd->pods[i].rs_uid, refresh_one, &f);
        if (!f.there) rd->pods[i].terminating = true;
    }
}

static struct pod_sample sample_of(const struct obs_pod *pod, const struct scrape_result *res) {
    const struct prom_page *page = &res->page;
    return (struct pod_sample){.uid = slice_of(pod->uid),
                               .restarts = pod->restarts,
                               .started_s = page->v[PROM_START].value,
                               .track = pod->track,
                               .created_ns = pod->created_ns,
                               .terminating = pod->terminating,
                               .scraped = res->read,
                               .present = res->read && page->v[PROM_TOTAL].present,
                               .errors = evidence_count(page->v[PROM_ERRORS].value),
                               .total = evidence_count(page->v[PROM_TOTAL].value)};
}

static void feed(struct rollout *r, struct target *t, const struct round *rd) {
    struct pod_sample *s = xcalloc(rd->n ? rd->n : 1, sizeof *s);
    bool stable_counts = false;
    for (size_t i = 0; i < rd->n; i++) {
        const struct scrape_result *res = &rd->results[i];
        const char *label = res->read ? "ok" : "failed";
        s[i] = sample_of(&rd->pods[i], res);
        stable_counts = stable_counts || (s[i].track == TRACK_STABLE && s[i].present);
        if (res->read || res->err.kind != ERR_NONE) metric_inc(metric_with(r->scrapes, &label));
    }
    if (!t->history_known) {
        evidence_history(s, rd->n, TRACK_STABLE, &t->history_errors, &t->history_total);
        t->history_known = stable_counts; /* the page of a standby has none */
    }
    plan_feed(&t->state, s, rd->n);
    free(s);
    if (t->state.evidence.refused && !t->crowd_told) {
        t->crowd_told = true;
        LOG_EVENT(kube_log(r->kube), LOG_WARN, "EvidencePodsCapped",
                  "more pods than the evidence counts, the rest is left out", LF_STR("target", t->key),
                  LF_INT("counted", EVIDENCE_MAX_PODS),
                  LF_INT("left_out", (int64_t)t->state.evidence.refused));
    }
}

void round_take(struct rollout *r, struct target *t) {
    struct round *rd = t->round;
    if (!rd || !rd->results) return;
    bool same = t->state_rv && rd->began_ns == t->round_began_ns && strcmp(rd->hash, t->round_hash) == 0;
    if (same) {
        refresh(r, t, rd);
        t->quiet = quiet_of(rd);
        t->quiet_ns = rd->ended_ns;
        if (t->round_ns == 0 ||
            (t->scrape_every_ns > 0 && rd->ended_ns >= t->round_ns + t->scrape_every_ns)) {
            keep_trouble(t, rd);
            feed(r, t, rd);
            t->round_ns = rd->ended_ns;
            t->scraped_ns = rd->ended_wall_ns;
        }
    }
    round_drop(t);
}
