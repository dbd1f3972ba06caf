/* Instants in JSON: RFC 3339, absent when 0. */
#ifndef ROLLOUT_MOMENT_H
#define ROLLOUT_MOMENT_H
#include "base/json.h"

void json_time_add(struct buf *out, const char *key,
                   int64_t wall_ns); /* ,"key":"..." with its comma, nothing when 0 */
bool json_time_get(const cJSON *obj, const char *key,
                   int64_t *ret); /* 0 when absent; false when it is no instant */
#endif
