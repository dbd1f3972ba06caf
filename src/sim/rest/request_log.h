/* The last requests, and how many there were of each kind: for tests that assert what a client asked. */
#ifndef SIM_REQUEST_LOG_H
#define SIM_REQUEST_LOG_H
#include "store/core.h"

struct request_log *request_log_new(void);
void request_log_free(struct request_log *l);
/* a slot for request_log_status() */
size_t request_log_add(struct request_log *l, int64_t now, const struct sim_request *req);
void request_log_status(struct request_log *l, size_t slot, int status);
/* {"total":N,"counts":{"GET /path":n},"last":[{"time","method","target","userAgent","status"}]} */
void request_log_write(const struct request_log *l, struct buf *out);
void request_log_clear(struct request_log *l);
#endif
