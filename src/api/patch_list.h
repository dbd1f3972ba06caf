/* The elements of a list while a strategic merge patch works on them, and what an element is known by: the value of
 * its merge key, or, key NULL, itself. */
#ifndef API_PATCH_LIST_H
#define API_PATCH_LIST_H
#include "base/json.h"

/* A list while it is worked on: its elements, owned. */
struct patch_vec {
    cJSON **v;
    size_t n, cap;
};
void patch_vec_push(struct patch_vec *l, cJSON *item);
struct patch_vec patch_vec_take(cJSON *arr);          /* arr is left empty */
void patch_vec_give(struct patch_vec *l, cJSON *arr); /* l is left empty */
void patch_vec_remove(struct patch_vec *l, size_t i);
/* The first such element, and where it is. */
cJSON *patch_vec_find(const struct patch_vec *l, const cJSON *item, const char *key, size_t *ret);
bool patch_scalar_equal(const cJSON *a, const cJSON *b);
bool patch_same_element(const cJSON *a, const cJSON *b, const char *key);
void patch_vec_order(struct patch_vec *merged, const struct patch_vec *by, const struct patch_vec *live,
                     const char *key);
#endif
