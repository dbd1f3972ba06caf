/* The rounds of scrapes of one target; see round.h. */
#include "act/round.h"
#include "act/scrape_evidence.h"
#include "base/log.h"

enum { PROBE_NS = 250 * 1000000, PRIO_EVIDENCE = 20 };
static const int64_t timeout_max_ns = 5 * NS_PER_S;

struct round {
    struct rollout *r;
    struct target *t;
    struct scrape_target *scrape;
    char hash[11]; /* of the rollout that the running one was begun for */
    int64_t began_ns;
};

void round_drop(struct target *t) {
    if (!t->round) return;
    scrape_target_free(t->round->scrape);
    free(t->round);
    t->round = NULL;
    signals_pods_free(&t->rounds.signals);
    t->round_taken = 0; /* rounds are counted from the beginning */
}

/* Before all that is new: a bad version may be found out, and mostly nothing is written. */
static void on_ended(void *ctx) {
    struct round *rd = ctx;
    controller_add(rd->r->controller, slice_of(rd->t->key), PRIO_EVIDENCE, 0);
}

static int64_t in(int64_t at_ns, int64_t now_ns) {
    return at_ns > now_ns ? at_ns - now_ns : 0;
}

static int64_t next_round_in(const struct target *t, int64_t boot_ns) {
    if (t->scrape_every_ns <= 0) return TIME_NEVER;
    int64_t every = t->source_every_ns > t->scrape_every_ns ? t->source_every_ns : t->scrape_every_ns;
    return t->round_ns ? in(t->round_ns + every, boot_ns) : 0;
}

static int64_t next_look_in(const struct target *t, int64_t boot_ns) {
    return t->probe ? in(t->looked_ns + PROBE_NS, boot_ns) : TIME_NEVER;
}

int64_t round_due_in(const struct rollout *r, const struct target *t) {
    int64_t boot = world_boot_ns(kube_world(r->kube));
    if (t->round && scrape_target_busy(t->round->scrape)) return TIME_NEVER;
    int64_t round = next_round_in(t, boot), look = next_look_in(t, boot);
    return round < look ? round : look;
}

static struct round *round_of(struct rollout *r, struct target *t) {
    if (t->round) return t->round;
    struct round *rd = t->round = xcalloc(1, sizeof *rd);
    *rd = (struct round){.r = r, .t = t};
    rd->scrape = scrape_target_new(r->scraper, t->ns, on_ended, rd);
    return rd;
}

void round_start(struct rollout *r, struct target *t, const struct spec *spec, const struct obs_pod *pods,
                 size_t n) {
    if (round_due_in(r, t) > 0) return;
    int64_t timeout = t->scrape_every_ns;
    if (timeout <= 0 || timeout > timeout_max_ns) timeout = timeout_max_ns;
    struct scrape_what what = {.spec = spec,
                               .pods = pods,
                               .n = n,
                               .timeout_ns = timeout < NS_PER_S ? NS_PER_S : timeout,
                               .probe = next_round_in(t, world_boot_ns(kube_world(r->kube))) > 0,
                               .track = t->probe_track};
    struct round *rd = round_of(r, t);
    if (scrape_target_start(rd->scrape, &what)) return;
    memcpy(rd->hash, t->rounds.hash, sizeof rd->hash);
    rd->began_ns = t->rounds.began_ns;
}

static void feed(struct rollout *r, struct target *t, const struct scrape_round *round,
                 const struct obs_pod *pods, size_t n) {
    struct pod_sample *s = xcalloc(round->n ? round->n : 1, sizeof *s);
    scrape_samples(round, pods, n, s);
    if (!t->history_known) {
        evidence_history(s, round->n, TRACK_STABLE, &t->history_errors, &t->history_total);
        for (size_t i = 0; i < round->n; i++) /* the page of a standby has no counters */
            t->history_known = t->history_known || (s[i].track == TRACK_STABLE && s[i].present);
    }
    plan_feed(t->state, &t->rounds.turns, world_wall_ns(kube_world(r->kube)), s, round->n);
    plan_feed_signals(t->state, &t->rounds.signals, &t->rounds.turns, world_boot_ns(kube_world(r->kube)), s,
                      round->n, t->own != OWN_NONE);
    free(s);
    struct judge_report rep;
    if (plan_report(t->state, world_wall_ns(kube_world(r->kube)), &rep))
        evidence_points_add(&t->points, world_wall_ns(kube_world(r->kube)), &rep);
    if (!round->left_out || t->crowd_reported) return;
    t->crowd_reported = true;
    LOG_EVENT(kube_log(r->kube), LOG_WARN, "ScrapePodsCapped", "not all pods of the target are scraped",
              LF_STR("target", t->key), LF_INT("scraped", (int64_t)round->n),
              LF_INT("left_out", (int64_t)round->left_out));
}

static void take(struct rollout *r, struct target *t, const struct scrape_round *round,
                 const struct obs_pod *pods, size_t n) {
    const struct round *rd = t->round;
    if (!t->state || rd->began_ns != t->rounds.began_ns || strcmp(rd->hash, t->rounds.hash) != 0) return;
    t->looked_ns = world_boot_ns(kube_world(r->kube));
    for (int k = 0; k < TRACKS; k++) {
        int64_t read_ns;
        if (round->probe && k != (int)round->track) continue;
        enum quiet found = scrape_quiet(round, (enum track)k, &read_ns);
        quiet_look(&t->quiet[k], found, read_ns == TIME_NEVER ? t->looked_ns : read_ns);
    }
    if (round->probe) return;
    free(t->trouble);
    t->trouble = scrape_trouble(round);
    t->source_every_ns = scrape_interval(round);
    feed(r, t, round, pods, n);
    t->round_ns = t->looked_ns;
    t->scraped_ns = world_wall_ns(kube_world(r->kube));
}

void round_take(struct rollout *r, struct target *t, const struct obs_pod *pods, size_t n) {
    struct round *rd = t->round;
    if (!rd) return;
    scrape_target_update(rd->scrape, pods, n);
    const struct scrape_round *round = scrape_target_round(rd->scrape);
    if (!round || round->number == t->round_taken) return;
    t->round_taken = round->number;
    take(r, t, round, pods, n);
    scrape_target_taken(rd->scrape);
}
