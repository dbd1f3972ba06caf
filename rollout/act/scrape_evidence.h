/* From a round of scrapes to what the judge and the plan look at. Pure. */
#ifndef ROLLOUT_SCRAPE_EVIDENCE_H
#define ROLLOUT_SCRAPE_EVIDENCE_H
#include "act/scrape.h"
#include "judge/evidence.h"
#include "plan/plan.h"

/* One sample per pod of the round, in the same order. pods: as they are now; a pod that is gone or terminating by now
 * counts as terminating. */
void scrape_samples(const struct scrape_round *r, const struct obs_pod *pods, size_t n,
                    struct pod_sample *ret);
/* Why a track gave no number at all, the canary's first; NULL: both did. free(). */
char *scrape_trouble(const struct scrape_round *r);
/* The longest time between two scrapes of Prometheus's, over the pods of the round; 0: not known, or not its. */
int64_t scrape_interval(const struct scrape_round *r);
/* Are all pods of the track at rest? A standby says nothing of workers, and a warm one (controller-runtime) has its queue filled already: one that has
 * never reconciled is at nothing. But one pod at least has to say it. ret_ns: boot time of the oldest look that says so. */
enum quiet scrape_quiet(const struct scrape_round *r, enum track track, int64_t *ret_ns);
#endif
