/* The last requests, and how many there were of each kind: for tests that assert what a client asked. */
#ifndef SIM_REQLOG_H
#define SIM_REQLOG_H
#include "core.h"

struct reqlog *reqlog_new(void);
void reqlog_free(struct reqlog *l);
size_t reqlog_add(struct reqlog *l, int64_t now,
                  const struct sim_request *req); /* a slot for reqlog_status() */
void reqlog_status(struct reqlog *l, size_t slot, int status);
/* {"total":N,"counts":{"GET /path":n},"last":[{"time","method","target","userAgent","status"}]} */
void reqlog_write(const struct reqlog *l, struct buf *out);
void reqlog_clear(struct reqlog *l);
#endif
