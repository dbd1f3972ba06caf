/* The elements of a list while a strategic merge patch works on them; see patch_list.h. */
#include "patch_list.h"

void patch_vec_push(struct patch_vec *l, cJSON *item) {
    l->v = xgrow(l->v, &l->cap, l->n + 1, sizeof(cJSON *));
    l->v[l->n++] = item;
}

struct patch_vec patch_vec_take(cJSON *arr) { /* arr is left empty */
    struct patch_vec l = {0};
    while (arr && arr->child) patch_vec_push(&l, cJSON_DetachItemViaPointer(arr, arr->child));
    return l;
}

void patch_vec_give(struct patch_vec *l, cJSON *arr) {
    for (size_t i = 0; i < l->n; i++) cJSON_AddItemToArray(arr, l->v[i]);
    free(l->v);
    *l = (struct patch_vec){0};
}

void patch_vec_remove(struct patch_vec *l, size_t i) {
    if (i >= l->n || !l->v) return;
    cJSON_Delete(l->v[i]);
    memmove(l->v + i, l->v + i + 1, (l->n - i - 1) * sizeof(cJSON *));
    l->n--;
}

bool patch_scalar_equal(const cJSON *a, const cJSON *b) {
    if (!a || !b || (a->type & 0xff) != (b->type & 0xff)) return false;
    if (cJSON_IsNumber(a)) return a->valuedouble >= b->valuedouble && a->valuedouble <= b->valuedouble;
    if (cJSON_IsString(a)) return strcmp(a->valuestring, b->valuestring) == 0;
    return cJSON_IsBool(a) || cJSON_IsNull(a);
}

/* What an element is known by: the value of its merge key, or itself. */
static const cJSON *identity(const cJSON *item, const char *key) {
    return key ? json_get(item, key) : item;
}

bool patch_same_element(const cJSON *a, const cJSON *b, const char *key) {
    return patch_scalar_equal(identity(a, key), identity(b, key));
}

/* The first such element, and where it is. */
cJSON *patch_vec_find(const struct patch_vec *l, const cJSON *item, const char *key, size_t *ret) {
    for (size_t i = 0; i < l->n; i++) {
        if (!patch_same_element(l->v[i], item, key)) continue;
        *ret = i;
        return l->v[i];
    }
    return NULL;
}

/* Elements of l in the order of those in order; what is not there keeps its place behind them. */
static void sort_by(struct patch_vec *l, const struct patch_vec *order, const char *key) {
    struct patch_vec out = {0};
    for (size_t i = 0; i < order->n; i++) {
        for (size_t k = 0; k < l->n; k++) {
            if (!l->v[k] || !patch_same_element(l->v[k], order->v[i], key)) continue;
            patch_vec_push(&out, l->v[k]);
            l->v[k] = NULL;
        }
    }
    for (size_t k = 0; k < l->n; k++) {
        if (l->v[k]) patch_vec_push(&out, l->v[k]);
    }
    free(l->v);
    *l = out;
}

/* normalizeElementOrder and mergeSortedSlice: the order of the patch holds, then that of the live list: each
 * element that only the server has goes before the first of the patch's elements that it preceded. */
void patch_vec_order(struct patch_vec *merged, const struct patch_vec *by, const struct patch_vec *live,
                     const char *key) {
    struct patch_vec mine = {0}, theirs = {0};
    size_t at, i = 0, j = 0;
    for (size_t k = 0; k < merged->n; k++)
        patch_vec_push(patch_vec_find(by, merged->v[k], key, &at) ? &mine : &theirs, merged->v[k]);
    sort_by(&mine, by, key);
    sort_by(&theirs, live, key);
    merged->n = 0;
    while (i < theirs.n || j < mine.n) {
        size_t x, y;
        bool first = j == mine.n || (i < theirs.n && patch_vec_find(live, theirs.v[i], key, &x) &&
                                     patch_vec_find(live, mine.v[j], key, &y) && x < y);
        patch_vec_push(merged, first ? theirs.v[i++] : mine.v[j++]);
    }
    free(mine.v);
    free(theirs.v);
}
