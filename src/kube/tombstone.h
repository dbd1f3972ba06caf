/* What is left of an object that a write of ours took out of a store, while the watch may still tell of its
 * earlier versions. Pure. */
#ifndef KUBE_TOMBSTONE_H
#define KUBE_TOMBSTONE_H
#include "api/meta.h"
#include "base/list.h"

struct tombstones {
    struct list all; /* oldest first */
    size_t n;
};
void tombstones_init(struct tombstones *t);
void tombstones_free(struct tombstones *t);
struct tombstone_of {
    struct slice ns, name;
    const char *uid, *rv; /* rv: the last version that the store had, or the one that was written */
};
/* deleted: our DELETE was executed, so that only versions with a deletionTimestamp can follow; else versions from
 * rv on can. At most 256 are kept: past that the oldest goes, and an old version may come back until its DELETED
 * event. */
void tombstones_add(struct tombstones *t, uint32_t hash, const struct tombstone_of *of, bool deleted);
/* Is this version of an object (its name's hash, its tree) older than the removal? Versions that are not forget
 * the tombstone. epoch: of the relist in which the version was listed. */
bool tombstones_hide(struct tombstones *t, uint32_t hash, const cJSON *obj, uint32_t epoch);
void tombstones_gone(struct tombstones *t, const char *uid); /* its DELETED event was seen */
/* A relist has ended: forgets all that it did not list, unless they are newer than the list (rv). NULL: all.*/
void tombstones_relisted(struct tombstones *t, uint32_t epoch, const char *rv);
#endif
