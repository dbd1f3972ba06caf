/* Pieces of the judge's state as JSON members, for those who keep e-processes of their own. */
#ifndef ROLLOUT_JUDGE_JSON_H
#define ROLLOUT_JUDGE_JSON_H
#include "judge/judge.h"

/* A member with a comma before it; exact. */
void judge_dc_write(const struct judge_dc *dc, const char *key, struct buf *out);
bool judge_dc_read(const cJSON *obj, const char *key, struct judge_dc *ret);
void judge_spread_write(const struct judge_spread *s, const char *key, struct buf *out);
bool judge_spread_read(const cJSON *obj, const char *key, struct judge_spread *ret);
#endif
