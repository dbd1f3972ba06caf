/* See retry.h. */
#include "retry.h"

static const int64_t delay_min_ns = 100 * NS_PER_MS, delay_max_ns = 5 * NS_PER_S;

bool retry_worth(const struct err *err, unsigned attempt) {
    return attempt < RETRY_ATTEMPTS && (err->kind == ERR_THROTTLED || err->kind == ERR_TRANSPORT ||
                                        err->kind == ERR_TIMEOUT || err->kind == ERR_SERVER);
}

int64_t retry_delay_ns(const struct err *err, unsigned attempt, uint64_t rnd) {
    int64_t base = delay_min_ns, after = err->retry_after_ms * NS_PER_MS;
    for (unsigned i = 1; i < attempt && base < delay_max_ns; i++) base *= 2;
    if (base > delay_max_ns) base = delay_max_ns;
    return (after > base ? after : base) + (int64_t)(rnd % (uint64_t)base) / 2;
}

void retry_cap_after(struct err *err) {
    long long asked_s = err->retry_after_ms / 1000;
    if (asked_s <= RETRY_AFTER_MAX_S) return;
    struct err was = *err;
    err_set(err, was.kind, was.errnum, "%s (Retry-After: %lld s, of which %d s are waited)", was.msg, asked_s,
            RETRY_AFTER_MAX_S);
    err->http = was.http;
    err->retry_after_ms = INT64_C(1000) * RETRY_AFTER_MAX_S;
}
