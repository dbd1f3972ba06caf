/* From a round of scrapes to what the judge and the plan look at. */
#include "act/scrape_evidence.h"

/* Of one that was not read nothing is present. */
static const struct prom_page *page_of(const struct scrape_result *r) {
    static const struct prom_page none;
    return r->page ? r->page : &none;
}

static const struct obs_pod *find(const struct obs_pod *pods, size_t n, const char *uid) {
    for (size_t i = 0; i < n; i++)
        if (strcmp(pods[i].uid, uid) == 0) return &pods[i];
    return NULL;
}

/* A container that restarted in the meantime: it is not known which process the page was of. The next round tells. */
void scrape_samples(const struct scrape_round *r, const struct obs_pod *pods, size_t n,
                    struct pod_sample *ret) {
    for (size_t i = 0; i < r->n; i++) {
        const struct scrape_result *res = &r->result[i];
        const struct obs_pod *now = find(pods, n, res->pod.uid);
        bool read = res->read && !res->repeated && (!now || now->restarts == res->pod.restarts);
        ret[i] = (struct pod_sample){.uid = slice_of(res->pod.uid),
                                     .restarts = res->pod.restarts,
                                     .started_s = page_of(res)->v[PROM_START].value,
                                     .track = res->pod.track,
                                     .created_ns = res->pod.created_ns,
                                     .terminating = res->pod.terminating || !now || now->terminating,
                                     .scraped = read,
                                     .present = read && page_of(res)->v[PROM_TOTAL].present,
                                     .errors = evidence_count(page_of(res)->v[PROM_ERRORS].value),
                                     .total = evidence_count(page_of(res)->v[PROM_TOTAL].value),
                                     .page = read ? res->page : NULL,
                                     .oom = now && now->oom_killed ? now->crashes : 0};
    }
}

/* A page that was read and tells of no reconcile. */
static const char *no_counters(enum track track, const struct prom_page *page) {
    bool stands_by = page->v[PROM_LEADER].present && page->v[PROM_LEADER].value == 0;
    if (stands_by && track == TRACK_CANARY)
        return "it stands by for a lease that it shares with stable; annotations canary-args or canary-env "
               "give it one of its own, then: retry";
    if (stands_by) return "no pod of it holds its lease";
    return "the metrics page has no reconcile counters: a standby (canary-args or canary-env give a canary a "
           "lease of its own), or a program that counts otherwise (annotations errors and total)";
}

static char *trouble_of(const struct scrape_round *r, enum track track) {
    const char *why = NULL;
    for (size_t i = 0; i < r->n; i++) {
        const struct scrape_result *res = &r->result[i];
        if (res->pod.track != track || res->pod.terminating) continue;
        if (res->read && page_of(res)->v[PROM_TOTAL].present) return NULL;
        if (!why)
            why = res->read ? no_counters(track, res->page) : res->why; /* who was not asked says nothing */
    }
    return why && *why ? xasprintf("%s: %s", track == TRACK_CANARY ? "canary" : "stable", why) : NULL;
}

char *scrape_trouble(const struct scrape_round *r) {
    char *why = trouble_of(r, TRACK_CANARY);
    return why ? why : trouble_of(r, TRACK_STABLE);
}

int64_t scrape_interval(const struct scrape_round *r) {
    int64_t longest = 0;
    for (size_t i = 0; i < r->n; i++)
        if (r->result[i].interval_ns > longest) longest = r->result[i].interval_ns;
    return longest;
}

enum quiet scrape_quiet(const struct scrape_round *r, enum track track, int64_t *ret_ns) {
    bool any = false, silent = false;
    *ret_ns = TIME_NEVER;
    for (size_t i = 0; i < r->n; i++) {
        const struct scrape_result *res = &r->result[i];
        const struct prom_value *total = &page_of(res)->v[PROM_TOTAL],
                                *active = &page_of(res)->v[PROM_ACTIVE],
                                *depth = &page_of(res)->v[PROM_DEPTH];
        if (res->pod.track != track || res->pod.terminating || res->pod.finished) continue;
        if (!res->read) return QUIET_UNKNOWN;
        bool worked = total->present && total->value > 0;
        if (!active->present) {
            silent = silent || worked;
            continue;
        }
        if (res->read_ns < *ret_ns) *ret_ns = res->read_ns;
        bool queued = depth->present && depth->value > 0 && (worked || !total->present);
        if (active->value > 0 || queued) return QUIET_BUSY;
        any = true;
    }
    return any && !silent ? QUIET_NOW : QUIET_UNKNOWN;
}
