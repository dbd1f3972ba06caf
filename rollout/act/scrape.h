/* Rounds of scrapes in the background: the metrics pages of a target's pods, directly by pod IP inside the cluster,
 * through the API server's pod proxy outside. No reconcile waits for a page: it plans with the last round that has ended,
 * starts the next one when that is due, and its key is added again when the round ends.
 *
 *
 * Pages are read in slots, shared fairly by namespaces and then by targets. A pod whose page timed out is scraped again
 * after a backoff that doubles, and gives way to the others. round.c uses this for one target. */
#ifndef ROLLOUT_SCRAPE_H
#define ROLLOUT_SCRAPE_H
#include "act/metrics_token.h"
#include "judge/promtext.h"
#include "kube/client.h"
#include "observe/objects.h"
#include "plan/spec.h"

enum {
    SCRAPE_MAX_PODS = 256,       /* of a round; each track gets half where both have more */
    SCRAPE_MAX_BYTES = 64 << 20, /* of all pages of a round */
    SCRAPE_MAX_SERIES = 1000000, /* the same */
};

struct scraper;              /* one per process */
struct prometheus_options {  /* borrowed as long as the scraper lives */
    const char *url;         /* http(s)://host:port/prefix, no '/' at its end; NULL: there is none */
    const char *ca, *token;  /* files, read for each round; NULL: none */
    bool own_queries;        /* targets may have queries of their own */
    int64_t own_interval_ns; /* between rounds of these; 0: 30 s */
};
struct scraper_options {
    unsigned slots;                    /* pages read at once; at most the connections of LANE_SCRAPE */
    bool proxy;                        /* through the API server */
    struct metrics_token_config token; /* for https pages */
    /* Also to pages whose certificate is not verified (https+insecure://): the author of the annotation can receive it. */
    bool token_insecure;
    struct prometheus_options prometheus;
};
struct scraper *scraper_new(struct kube *k, const struct scraper_options *opt);
void scraper_free(struct scraper *s); /* after the targets; NULL is fine */
/* SIGTERM: cancels what is open, without callbacks, and starts nothing any more. */
void scraper_stop(struct scraper *s);

/* 0, or ERR_CONFIG: what the spec asks for needs an option of this process. */
int scraper_allows(const struct scraper *s, const struct spec *spec, struct err *err);

struct scrape_target;
/* ended: a round has ended, never inside a call of this header; may free the target. */
struct scrape_target *scrape_target_new(struct scraper *s, const char *ns, world_fn ended, void *ctx);
void scrape_target_free(struct scrape_target *t); /* cancels; NULL is fine */

struct scrape_what { /* copied */
    const struct spec *spec;
    const struct obs_pod *pods;
    size_t n;
    int64_t timeout_ns; /* of a pod's page, from its request on; a round starts no read after twice that */
    bool probe;         /* only a look for the quiet moment of a track */
    enum track track;   /* of that one */
};
/* Begins a round; it ends with ended(), also without any pod to scrape. -EBUSY while one is going on, -ECANCELED after
 * scraper_stop(). */
int scrape_target_start(struct scrape_target *t, const struct scrape_what *what);
bool scrape_target_busy(const struct scrape_target *t);
/* The pods as they are now: reads of those that are gone, terminating or finished end at once, as failed. */
void scrape_target_update(struct scrape_target *t, const struct obs_pod *pods, size_t n);
/* Another rollout, or none any more: forgets the round that is going on, without a callback, and the last one. */
void scrape_target_reset(struct scrape_target *t);

struct scrape_result {
    struct obs_pod pod;     /* as it was when the round began */
    bool read;              /* the page was read whole */
    struct prom_page *page; /* if so; else NULL */
    int64_t read_ns; /* boot time of its end; of Prometheus's own scrape, where it is that which was read */
    bool repeated;   /* the same scrape of Prometheus's as in the last round: nothing new is known */
    int64_t interval_ns; /* between Prometheus's scrapes of it; 0: not known */
    char *why;           /* if not; NULL when the pod was not asked (no address yet, finished) */
};
struct scrape_round {
    uint64_t number; /* 1, 2, ... in the life of the target */
    bool probe;      /* of one track alone, see scrape_what */
    enum track track;
    struct scrape_result *result;
    size_t n;
    size_t left_out; /* pods beyond SCRAPE_MAX_PODS */
};
/* The last one that has ended; NULL: none. Valid until the next ends, scrape_target_reset(), or scrape_target_taken(). */
const struct scrape_round *scrape_target_round(const struct scrape_target *t);
void scrape_target_taken(struct scrape_target *t); /* nobody looks at its results again, of 3 KiB a pod */
#endif
