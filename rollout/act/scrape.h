/* One round of looks at the metrics pages of a target's pods: directly by pod IP inside the cluster, through
 * the API server's pod proxy outside. Every pod ends with a result; a failed one is a result too. */
#ifndef ROLLOUT_SCRAPE_H
#define ROLLOUT_SCRAPE_H
#include "base/list.h"
#include "kube/client.h"
#include "observe/objects.h"
#include "judge/promtext.h"
#include "plan/spec.h"

struct scrape_result {
    bool read;             /* the page was read whole */
    struct prom_page page; /* if so */
    struct err err;        /* if not; ERR_NONE when the pod was not asked (no address yet, finished) */
};
/* How many pages are read at once, over all targets of the process: a connection and a parser each, whatever
 * the size of the pages. Rounds that find no slot stand in line. */
struct scrape_slots {
    unsigned max, used;
    struct list waiting;
};
void scrape_slots_init(struct scrape_slots *s, unsigned max);

struct scrape_options { /* borrowed during scrape_start() only, but for the slots */
    struct scrape_slots *slots;
    bool proxy;           /* through the API server */
    struct slice token;   /* for https pages: of a ServiceAccount that may do nothing else; empty: none */
    const char *no_token; /* why there is none, for the message when a page asks for one; NULL */
    int64_t timeout_ns;   /* of one page, from its request on */
};
struct scraping;
typedef void (*scrape_done)(void *ctx, const struct scrape_result *results, size_t n);
/* pods are borrowed until scrape_end(), the results are valid until then. Exactly one callback, never inside this call. */
struct scraping *scrape_start(struct kube *k, const struct scrape_options *opt, const struct spec *spec,
                              const struct obs_pod *pods, size_t n, scrape_done done, void *ctx);
void scrape_end(struct scraping *s); /* frees it; cancels what is open. NULL is fine */
#endif
