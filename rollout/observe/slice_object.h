/* What is kept of an object that a slice may take, in mode objects. Pure. */
#ifndef ROLLOUT_SLICE_OBJECT_H
#define ROLLOUT_SLICE_OBJECT_H
#include "api/selector.h"
#include "observe/objects.h"

/* On an object, a label or an annotation: `never` leaves it to stable, `first` puts it before all others. */
#define SLICE_CHOICE HANDOVER_PREFIX "canary"

/* Whose it is, by its label handover.dev/track. */
enum slice_owner {
    OWNER_STABLE, /* it has no such label, or one that stable's selector lets through */
    OWNER_NONE,   /* moving: on its way from stable to the canary */
    OWNER_CANARY,
};
struct slice_object {
    uint64_t hash;    /* of its uid: the order in which objects are taken */
    uint64_t target;  /* of the uid of the target that it is labelled for; 0: for none */
    int64_t since_ns; /* boot time at which this process saw that it has no owner */
    enum slice_owner owner;
    bool never, first, deleting;
    bool selected; /* it matches the selector */
};
/* False: it is never an object of a slice (what is Handover's own). select NULL: every object is selected. */
bool slice_object_read(const cJSON *obj, const struct selector *select, struct slice_object *ret);
uint64_t slice_object_hash(const char *uid); /* never 0; the same in every version */
/* Does anything differ that another choice could follow from? */
bool slice_object_same(const struct slice_object *a, const struct slice_object *b);
#endif
