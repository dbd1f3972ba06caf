/* An object of the overlay and what a dry run against the live one answered, put together. Pure trees. */
#ifndef OVERLAY_MERGE_H
#define OVERLAY_MERGE_H
#include "base/json_tree.h"
#include "base/slice.h"

struct merge {
    const cJSON *mine;   /* the overlay's */
    const cJSON *answer; /* of the dry run */
    const cJSON *base;   /* the live object; NULL: only the overlay has it */
    const cJSON *body;   /* what was sent; NULL: not known */
    struct slice sub;
};
/* What an update leaves. Owned by the caller. */
cJSON *merge_update(const struct merge *m);
/* mine with the differences from `from` to `to`: objects member by member, lists whose elements have a key by that key, else whole. Of what
 * `to` has no more, that goes which is in owned. */
cJSON *merge_differences(const cJSON *mine, const cJSON *from, const cJSON *to, const cJSON *owned);
/* mine without what is in owned, member by member. Owned by the caller; NULL: nothing is left. */
cJSON *merge_without(const cJSON *mine, const cJSON *owned);
/* What an apply's configuration names is as the server answered, in mine. */
void merge_applied(cJSON *mine, const cJSON *answer, const cJSON *config);
/* What the server alone decides is as in mine: identity, times, generation (one more if the specification has changed). */
void merge_identity(cJSON *obj, const cJSON *mine);
/* Longer lists are compared, and put together, as a whole: element by element takes the square of it. */
enum { MERGE_ELEMENTS = 2000 };
/* What tells the elements of these lists apart, each of which may be NULL; NULL: nothing that all have, or too many. */
const char *merge_list_key(const cJSON *mine, const cJSON *from, const cJSON *to);
bool merge_has_finalizers(const cJSON *obj);
#endif
