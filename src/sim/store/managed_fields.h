/* metadata.managedFields: which manager owns which fields. */
#ifndef SIM_MANAGED_FIELDS_H
#define SIM_MANAGED_FIELDS_H
#include "store/core.h"
#include "store/fieldset.h"

struct manager {
    const char *name, *operation, *subresource; /* "Apply" or "Update"; "" for the main resource */
};
/* The entry's set within obj, or NULL. */
cJSON *managed_fields_find(const cJSON *obj, struct manager m);
/* Replaces (or adds, or, where set is empty, removes) the entry; its time becomes now if the set differs. set
 * is taken. */
void managed_fields_set(struct sim *s, const struct sim_type *t, cJSON *obj, struct manager m, cJSON *set);
/* Calls fn for each entry but m's own; fn may change the set. Entries whose set has become empty are dropped
 * afterwards. */
void managed_fields_others(cJSON *obj, struct manager m,
                           void (*fn)(void *ctx, const cJSON *entry, cJSON *set), void *ctx);
#endif
