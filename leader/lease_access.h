/* May this candidate write the Lease, as far as the API server has said? A standby that could not write it
 * would be ready, a rolling update would rely on it, and then nobody would lead. So it asks, by a dry run of
 * an update that changes nothing. docs/decisions.md has the alternatives. Pure. */
#ifndef LEADER_LEASE_ACCESS_H
#define LEADER_LEASE_ACCESS_H
#include "base/err.h"
#include "base/time.h"
#include <stdbool.h>

enum lease_access_state {
    LEASE_ACCESS_UNKNOWN, /* no answer has shown it yet */
    LEASE_ACCESS_GRANTED,
    LEASE_ACCESS_DENIED,
};
struct lease_access {
    enum lease_access_state state;
    int64_t due_ns;   /* boot time of the next dry run */
    char reason[512]; /* DENIED: what the server said */
};
/* What kind of request was answered. */
enum lease_request { LEASE_REQUEST_GET, LEASE_REQUEST_CREATE, LEASE_REQUEST_UPDATE, LEASE_REQUEST_DRY_RUN };
const char *lease_request_name(enum lease_request r); /* "dry-run": for metrics labels and logs */

/* err NULL: it succeeded. An answer that says nothing about the right to write (connection lost, 5xx, 429)
 * changes nothing but the time of the next dry run. True if the state has changed. */
bool lease_access_answer(struct lease_access *a, enum lease_request r, const struct err *err,
                         int64_t boot_ns);

/* Failures that repeat are logged when they begin, when their kind changes, and then once in a minute with
 * their number. */
struct log_limit {
    enum err_kind kind; /* of the last line */
    int http;
    bool failing;
    int64_t next_ns;
    uint64_t count; /* since the last line */
};
/* True: to be logged now; *ret_count is how often it happened since the last line, this one included. */
bool log_limit_pass(struct log_limit *l, const struct err *err, int64_t boot_ns, uint64_t *ret_count);
void log_limit_reset(struct log_limit *l); /* it works again */
#endif
