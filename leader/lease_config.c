/* What surrounds the lease machine: checks of its durations, names, the meaning of a failed write. */
#include "leader/lease.h"
#include <errno.h>

static int durations_check(const struct lease_config *c, struct err *err) {
    char lease[32], renew[32], retry[32];
    duration_format(c->lease_ns, lease);
    duration_format(c->renew_ns, renew);
    duration_format(c->retry_ns, retry);
    if (c->lease_ns < NS_PER_S || c->lease_ns % NS_PER_S != 0 || c->lease_ns / NS_PER_S > INT32_MAX) {
        return err_set(err, ERR_CONFIG, -EINVAL, "lease duration %s: must be whole seconds, 1s or more",
                       lease);
    }
    if (c->retry_ns < 10 * NS_PER_MS) {
        return err_set(err, ERR_CONFIG, -EINVAL, "lease retry period %s: must be 10ms or more", retry);
    }
    if (c->lease_ns <= c->renew_ns) {
        return err_set(err, ERR_CONFIG, -EINVAL,
                       "lease duration %s must be longer than the renew deadline %s", lease, renew);
    }
    /* As in client-go: with the jitter of a retry there is time for more than one attempt. */
    if (c->renew_ns <= c->retry_ns + c->retry_ns / 5) {
        return err_set(err, ERR_CONFIG, -EINVAL,
                       "renew deadline %s must be longer than 1.2 times the retry period %s", renew, retry);
    }
    return 0;
}

int lease_config_check(struct lease_config *cfg, struct err *err) {
    struct lease_config c = *cfg;
    if (!c.identity || !c.identity[0])
        return err_set(err, ERR_CONFIG, -EINVAL, "the identity for the lease is empty");
    if (strlen(c.identity) >= LEASE_ID_MAX) {
        return err_set(err, ERR_CONFIG, -EINVAL, "the identity for the lease is longer than %d bytes",
                       LEASE_ID_MAX - 1);
    }
    if (c.lease_ns < 0 || c.renew_ns < 0 || c.retry_ns < 0 || c.orphan_ns < 0) {
        return err_set(err, ERR_CONFIG, -EINVAL, "a duration for the lease is negative");
    }
    if (!c.lease_ns) c.lease_ns = 15 * NS_PER_S;
    if (!c.renew_ns) c.renew_ns = 10 * NS_PER_S;
    if (!c.retry_ns) c.retry_ns = 2 * NS_PER_S;
    if (!c.orphan_ns) c.orphan_ns = 60 * NS_PER_S;
    int r = durations_check(&c, err);
    if (r == 0) *cfg = c;
    return r;
}

const char *lease_reason_name(enum lease_reason r) {
    switch (r) {
    case LEASE_R_ABSENT: return "absent";
    case LEASE_R_RELEASED: return "released";
    case LEASE_R_EXPIRED: return "expired";
    case LEASE_R_DEAD: return "certificate";
    case LEASE_R_TAKEN: return "taken";
    case LEASE_R_DEADLINE: return "renew-deadline";
    case LEASE_R_GIVEN_BACK: return "given-back";
    case LEASE_R_NOT_HELD: return "not-held";
    case LEASE_R_NOT_RELEASED: return "not-released";
    case LEASE_R_NONE: break;
    }
    return "none";
}

/* Only what cannot have been executed counts as failed: a 5xx may come from a proxy behind which it was. */
enum lease_event lease_event_of(const struct err *e, bool create) {
    switch (e->kind) {
    case ERR_CONFLICT: return LEASE_EV_CONFLICT;
    case ERR_NOTFOUND: return create ? LEASE_EV_REFUSED : LEASE_EV_CONFLICT;
    case ERR_REJECTED: return LEASE_EV_REFUSED;
    case ERR_FORBIDDEN: /* as a starting server answers until it has read its roles */
    case ERR_CONFIG:
    case ERR_AUTH:
    case ERR_FENCED: return LEASE_EV_FAILED;
    case ERR_THROTTLED: return e->http == 429 ? LEASE_EV_FAILED : LEASE_EV_UNKNOWN;
    case ERR_TRANSPORT: return e->errnum == -ECONNREFUSED ? LEASE_EV_FAILED : LEASE_EV_UNKNOWN;
    case ERR_NONE:
    case ERR_TLS:
    case ERR_CANCELLED:
    case ERR_TIMEOUT:
    case ERR_GONE:
    case ERR_SERVER:
    case ERR_PROTOCOL: break;
    }
    return LEASE_EV_UNKNOWN;
}
