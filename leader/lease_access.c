/* See lease_access.h. */
#include "lease_access.h"
#include <string.h>

#define UNKNOWN_RETRY_NS (2 * NS_PER_S)
#define DENIED_RETRY_NS  (10 * NS_PER_S)
#define GRANTED_RETRY_NS (300 * NS_PER_S)
#define LOG_EVERY_NS     (60 * NS_PER_S)

const char *lease_request_name(enum lease_request r) {
    static const char *const names[] = {"get", "create", "update", "dry-run"};
    return (unsigned)r < sizeof(names) / sizeof(names[0]) ? names[r] : "unknown";
}

/* A conflict is answered after authorization, and so is a 400 to a dry run (an admission webhook that does
 * not support it). A 404 of an update says that the Lease was deleted; of a create, that the namespace is
 * missing. */
static enum lease_access_state judge(enum lease_access_state before, enum lease_request r,
                                     const struct err *err) {
    if (!err) return LEASE_ACCESS_GRANTED;
    switch (err->kind) {
    case ERR_CONFLICT: return LEASE_ACCESS_GRANTED;
    case ERR_AUTH:
    case ERR_FORBIDDEN: return LEASE_ACCESS_DENIED;
    case ERR_NOTFOUND: return r == LEASE_REQUEST_CREATE ? LEASE_ACCESS_DENIED : before;
    case ERR_REJECTED:
        return r == LEASE_REQUEST_DRY_RUN && err->http == 400 ? LEASE_ACCESS_GRANTED : LEASE_ACCESS_DENIED;
    default: return before;
    }
}

bool lease_access_answer(struct lease_access *a, enum lease_request r, const struct err *err,
                         int64_t boot_ns) {
    if (r == LEASE_REQUEST_GET) return false;
    enum lease_access_state before = a->state;
    a->state = judge(before, r, err);
    a->due_ns = boot_ns + (a->state == LEASE_ACCESS_GRANTED  ? GRANTED_RETRY_NS
                           : a->state == LEASE_ACCESS_DENIED ? DENIED_RETRY_NS
                                                             : UNKNOWN_RETRY_NS);
    if (a->state == LEASE_ACCESS_DENIED && err) memcpy(a->reason, err->msg, sizeof(a->reason));
    return a->state != before;
}

bool log_limit_pass(struct log_limit *l, const struct err *err, int64_t boot_ns, uint64_t *ret_count) {
    enum err_kind kind = err ? err->kind : ERR_NONE;
    int http = err ? err->http : 0;
    bool same = l->failing && l->kind == kind && l->http == http;
    l->count++;
    if (same && boot_ns < l->next_ns) return false;
    *ret_count = l->count;
    *l = (struct log_limit){.kind = kind, .http = http, .failing = true, .next_ns = boot_ns + LOG_EVERY_NS};
    return true;
}

void log_limit_reset(struct log_limit *l) {
    *l = (struct log_limit){0};
}
