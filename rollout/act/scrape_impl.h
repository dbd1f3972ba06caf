/* The inside of scrape.h: scrape.c (the process and its targets), scrape_round.c (one round of a target),
 * scrape_page.c (one pod's page), scrape_prometheus.c (one pod, as Prometheus saw it). */
#ifndef ROLLOUT_SCRAPE_IMPL_H
#define ROLLOUT_SCRAPE_IMPL_H
#include "act/metrics_endpoint.h"
#include "act/scrape_slots.h"
#include "act/scrape.h"
#include "world/world.h"
#include <uthash.h>

struct scrape_ns {
    struct slot_share share;
    char *name;
    unsigned targets;
    UT_hash_handle hh;
};
struct scraper {
    struct kube *kube;
    struct world *world;
    struct scraper_options opt;
    struct metrics_token *token;
    struct scrape_slots slots;
    struct scrape_ns *namespaces;
    struct list targets;
    struct timer *again; /* when a read that others wait for has had its quantum */
    struct metric_family *scrapes;
    bool stopped;
};
enum scrape_outcome { SCRAPE_OK, SCRAPE_FAILED, SCRAPE_TIMEOUT, SCRAPE_SKIPPED, SCRAPE_OUTCOMES };
void scraper_count(struct scraper *s, enum scrape_outcome what); /* handover_scrapes_total */
void scraper_pump(struct scraper *s);                            /* hands out slots */

/* What is remembered of a pod from round to round, where there is anything to remember. */
struct pod_memory {
    uint64_t pod;          /* hash of its uid */
    int64_t not_before_ns; /* boot time */
    unsigned timeouts;     /* in a row */
    size_t place;          /* which endpoint to ask first */
    /* Of Prometheus: which place its series were of (a hash of promapi_page.place; 0: not known), and the last scrape of it
     * that was read, in seconds of wall time. */
    uint64_t source;
    double newest_s;
    double summed[2];  /* what this pod stands for has counted since it does: total, errors */
    uint32_t restarts; /* as last seen, and when they were first seen to be so many */
    double restarted_s;
};
struct page_read {
    struct slot_use use;
    struct scrape_target *t;
    struct scrape_result *result;
    size_t pod; /* index of it */
    struct metrics_endpoints places;
    size_t first, tried; /* where it began, how many were asked */
    int64_t deadline_ns;
    struct kube_op *op;
    struct promtext *text;     /* of the page that is arriving */
    struct buf answer;         /* of Prometheus */
    int64_t asked_ns;          /* wall time of the query; of a track's, of the first of both */
    int64_t range_ms;          /* of a query of a track */
    struct prom_value counted; /* by the query that was answered first */
    struct err err;            /* the one that says most so far */
};
struct running { /* a round */
    struct scrape_round round;
    struct spec where; /* of it metrics, https, tls_insecure, port and path only */
    struct prom_sum *errors, *total;
    char *errors_query, *total_query; /* Prometheus's; NULL: the known counters */
    bool by_track;           /* they are of a whole track: the first pod of each stands for all of it */
    struct buf ca;           /* of Prometheus's certificate */
    char *token, *no_token;  /* NULL */
    bool needs_token, begun; /* not before the first token is there, if it needs one */
    int64_t timeout_ns, ends_ns;
    uint64_t bytes, series;
    size_t *turn;       /* indices of the pods to ask: fresh ones, then suspects */
    size_t fresh, asks; /* how many of the first kind, of both */
    size_t next_fresh, next_suspect;
    struct page_read **reads; /* by index of the result; NULL: not in the air */
    size_t open;
};
struct scrape_target {
    struct scraper *scraper;
    struct scrape_ns *ns;
    struct list node; /* in scraper.targets */
    struct slot_client client;
    world_fn ended;
    void *ctx;
    struct timer *turn;  /* the first turn of a round, its deadline, its end */
    struct running *run; /* NULL: none is going on */
    bool ending;         /* no read is left, ended() follows */
    struct scrape_round last;
    uint64_t rounds;
    size_t rotate;                  /* where the next round begins: the last one did not get further */
    int64_t track_asked_ns[TRACKS]; /* wall: up to then a track's count was taken; 0: never */
    struct pod_memory *memory;
    size_t nmemory, memory_cap;
};
struct pod_memory *scrape_memory(struct scrape_target *t, const char *uid,
                                 bool make); /* NULL: nothing known */

/* ---- scrape_round.c ---- */
void scrape_round_free(struct scrape_round *r);
struct prom_page *scrape_result_page(struct scrape_result *r); /* to be written; made on first use */
void scrape_round_begin(struct scrape_target *t);              /* with the token that there is by now */
void scrape_running_free(struct running *r);     /* without callbacks; the slots are given back */
void scrape_round_wait(struct scrape_target *t); /* tells the slots what it waits for; ends the round */
bool scrape_round_ask(struct scrape_target *t, bool suspect); /* its turn: the next pod is asked */

/* ---- scrape_page.c ---- */
/* Takes a slot and asks, or has a result at once (false). */
bool page_read_start(struct scrape_target *t, size_t pod, bool suspect);
void page_read_free(struct page_read *r); /* without a result; gives the slot back */
/* Ends it without the page: why is a format for the result. timed_out: as if by its own deadline. */
void page_read_cut(struct page_read *r, bool timed_out, const char *why);
struct page_read *page_read_of(struct slot_use *u);
/* For the one who asks: this attempt failed; the read has its result, and ends. */
void page_read_failed(struct page_read *r, const struct err *err);
void page_read_finish(struct page_read *r);

/* ---- scrape_prometheus.c ---- */
void prometheus_begin(struct running *run, struct scraper *s); /* its token and certificates, for a round */
bool prometheus_ask(struct page_read *r); /* false: it cannot be asked, and r->err says why */
#endif
