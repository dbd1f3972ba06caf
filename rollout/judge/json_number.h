/* Doubles and counters in JSON that come back bit by bit. */
#ifndef ROLLOUT_NUM_H
#define ROLLOUT_NUM_H
#include "base/json.h"

void json_number_add(struct buf *out, double v); /* 17 digits; minus infinity is null */
/* A member whose value is an array, with the comma before it: of numbers, of counts. */
void json_number_list(struct buf *out, const char *key, const double *v, size_t n);
void json_number_counts(struct buf *out, const char *key, const uint64_t *v, size_t n);
/* A member that must be there: a finite number, or null for minus infinity. False otherwise. */
bool json_number_get(const cJSON *obj, const char *key, double *ret);
bool json_number_gets(const cJSON *obj, const char *key, double *ret, size_t n); /* exactly n */
bool json_number_u64(const cJSON *obj, const char *key, uint64_t *ret);          /* 0 .. 2^53 */
#endif
