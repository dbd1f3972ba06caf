/* CustomResourceDefinitions: the types that they define are served while they are there. Of several versions the stored
 * one alone is served, and as it is: nothing is converted. */
#ifndef SIM_CRD_H
#define SIM_CRD_H
#include "store/core.h"

bool crd_is(const struct sim_type *t);
/* Before one is stored: fills in names and status, and collects the causes of a refusal. old NULL on create. */
void crd_prepare(struct sim *s, const cJSON *old, cJSON *obj, struct api_status *f);
/* After: its type is served, or as it is now. -EINVAL: there are too many; crd_prepare() says so before. */
void crd_stored(struct sim *s, const struct sim_obj *o);
/* One that is being deleted: the objects of its type go first. True: they have gone, and so has it. */
bool crd_clean(struct sim *s, struct sim_obj *o);
/* It is about to go for good: its type is served no more. */
void crd_removed(struct sim *s, const struct sim_obj *o);
#endif
