/* Which objects are the canary's in mode objects, and which label one gets now. Pure.
 *
 * Objects are taken in the order of the hash of their uid, `first` before the others, `never` not at all: ceil(percent of all). An
 * object that is in the slice stays in it, whatever comes or goes, until all are given back; so a step's slice is within the next one's.
 *
 * An object passes from stable in two writes, each with the resourceVersion that it was decided on: `moving`, which takes it from stable,
 * and, when stable has seen that and has been quiet, `canary`. It goes back in one: from `moving` at any time, since the canary has never
 * had it; from `canary` only when the canary's pods are dead. */
#ifndef ROLLOUT_OBJECT_SLICE_H
#define ROLLOUT_OBJECT_SLICE_H
#include "observe/slice_object.h"

struct slice_sum {
    unsigned percent;
    uint32_t total;          /* objects that are selected */
    uint32_t wanted;         /* so many of them are to be the canary's */
    uint32_t take;           /* of those stable still has so many */
    uint32_t moving, canary; /* of this target, selected or not */
    uint32_t others;         /* objects that are labelled for another target, or for none */
    int64_t youngest_ns;     /* since_ns of the object that lost its owner last; 0: none is moving */
    uint64_t last;           /* place of the last one that is wanted; 0: none is */
};
/* target: slice_object_hash() of its uid. */
void object_slice_sum(const struct slice_object *const *objects, size_t n, uint64_t target, unsigned percent,
                      struct slice_sum *ret);

/* What is to be done with labels. */
enum slice_order {
    ORDER_NONE,
    ORDER_TAKE,   /* from stable: those that are wanted lose their owner */
    ORDER_PASS,   /* those without an owner become the canary's */
    ORDER_UNTAKE, /* those without an owner are stable's again */
    ORDER_RETURN, /* all are stable's again: only when the canary's pods are dead */
    ORDER_VERIFY, /* ask the server whether none is labelled: caches may be behind what a leader wrote that has died since */
};
/* An object without an owner keeps that for so long at least: stable's watch has to bring it. */
#define SLICE_SETTLE_NS (1000 * INT64_C(1000000))
/* True: the object gets another owner, *ret. */
bool object_slice_next(const struct slice_object *o, const struct slice_sum *sum, uint64_t target,
                       enum slice_order order, int64_t boot_ns, enum slice_owner *ret);
#endif
