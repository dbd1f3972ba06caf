/* Whether and when a request is sent again. Pure. */
#ifndef KUBE_RETRY_H
#define KUBE_RETRY_H
#include "base/err.h"
#include "base/time.h"

enum { RETRY_ATTEMPTS = 8, RETRY_AFTER_MAX_S = 30 };
/* A read may succeed when it is sent again; attempt: how many times it was. */
bool retry_worth(const struct err *err, unsigned attempt);
/* From 100 ms, doubled up to 5 s, half as much again by chance (rnd), and not before Retry-After is over. */
int64_t retry_delay_ns(const struct err *err, unsigned attempt, uint64_t rnd);
/* Takes a Retry-After of at most 30 s as it is. A longer one, which no API server sends and a proxy or a broken
 * server may, is cut to that, and the message says so. */
void retry_cap_after(struct err *err);
#endif
