/* Counters that a page has under names (controllers, signals): pairs x of n of each pod, to what is new by name and
 * track since the last round. The rules are those of evidence.h, and the pods are its pods: what a process does
 * in its first moments is apart, terminating pods and standbys are no evidence, x beyond n is carried on. In memory only:
 * a new leader takes the first pages of known processes as its base, and loses what happened since the last one's. Pure. */
#ifndef ROLLOUT_COUNTS_H
#define ROLLOUT_COUNTS_H
#include "judge/counter.h"
#include "judge/evidence.h"
#include "judge/judge.h"
#include "judge/promtext.h"

/* All names beyond COUNTS_NAMES - 1 are summed under JUDGE_OTHERS. */
enum { COUNTS_NAMES = JUDGE_CONTROLLERS, COUNTS_NAME = JUDGE_NAME };

struct counts_pair {
    const char *name; /* borrowed; shorter than COUNTS_NAME */
    uint64_t x, n;    /* cumulative, see evidence_count() */
    uint64_t of; /* what is summed under this name (a hash), for a sum whose members may change; else 0 */
};
/* The pairs of a page; returns how many, at most COUNTS_NAMES. A name that is missing has no news. */
typedef size_t (*counts_of_page)(const struct prom_page *page, struct counts_pair ret[COUNTS_NAMES]);

/* Failed reconciles of all, by controller. */
size_t counts_of_controllers(const struct prom_page *page, struct counts_pair ret[COUNTS_NAMES]);

struct counts_pod;
struct counts {             /* zero: empty */
    struct counts_pod *pod; /* at the places of the evidence's pods */
    size_t n, cap;
    char name[COUNTS_NAMES][COUNTS_NAME];
    uint64_t carry[COUNTS_NAMES][TRACKS];
    size_t names;
};
struct counts_delta {
    const char *name; /* as long as the counts */
    struct counter_news d[TRACKS];
    uint32_t pods[TRACKS]; /* whose pages have the name, in this round */
};

void counts_free(struct counts *c); /* leaves it empty */
void counts_copy(const struct counts *from, struct counts *ret);
/* e: after evidence_round() with the same arguments. Fills ret[0..names) for every name that was ever seen, and returns how many. */
size_t counts_round(struct counts *c, const struct evidence *e, int64_t now_wall_ns, int64_t start_ns,
                    const struct pod_sample *s, size_t n, counts_of_page pairs,
                    struct counts_delta ret[COUNTS_NAMES]);
/* What the pods of a track that e knows have counted under this name since they began, as last read. */
void counts_history(const struct counts *c, const struct evidence *e, const char *name, enum track track,
                    uint64_t *ret_x, uint64_t *ret_n);
#endif
