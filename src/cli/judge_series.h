/* A recorded series of counts, judged line by line as a rollout would be. */
#ifndef CLI_JUDGE_SERIES_H
#define CLI_JUDGE_SERIES_H
#include "judge/judge.h"
#include <stdio.h>

/* p: soak_ns and min_soak_ns in scrapes, one nanosecond each; deadline_looks: 0 for none. Each line of from is
 * "canary_errors,canary_total,stable_errors,stable_total" of one scrape; blank ones, those that begin with '#', and a
 * first line that names the columns are skipped. name: of the input, for messages. Writes a line for each scrape to
 * to. ERR_CONFIG: what was read, where, what is allowed; or that it cannot be read or written. */
int judge_series(FILE *from, const char *name, const struct judge_param *p, bool json, FILE *to,
                 struct err *err);
#endif
