/* What the answers to requests for the Lease say about the right to write it, and how often failures are
 * logged. */
#include "../../../leader/lease_access.h"
#include "lease_kit.h"

#define U LEASE_ACCESS_UNKNOWN
#define G LEASE_ACCESS_GRANTED
#define D LEASE_ACCESS_DENIED

CASE(answers_tell_whether_the_lease_can_be_written) {
    static const struct {
        enum lease_request r;
        struct err err;
        bool ok;
        enum lease_access_state from_unknown, from_granted, from_denied;
    } cases[] = {
        {LEASE_REQUEST_GET, {0}, true, U, G, D},
        {LEASE_REQUEST_GET, {.kind = ERR_FORBIDDEN}, false, U, G, D},
        {LEASE_REQUEST_UPDATE, {0}, true, G, G, G},
        {LEASE_REQUEST_DRY_RUN, {0}, true, G, G, G},
        {LEASE_REQUEST_DRY_RUN, {.kind = ERR_CONFLICT}, false, G, G, G},
        {LEASE_REQUEST_DRY_RUN, {.kind = ERR_FORBIDDEN}, false, D, D, D},
        {LEASE_REQUEST_DRY_RUN, {.kind = ERR_AUTH}, false, D, D, D},
        {LEASE_REQUEST_DRY_RUN, {.kind = ERR_NOTFOUND}, false, U, G, D}, /* deleted: it will be created */
        {LEASE_REQUEST_CREATE, {.kind = ERR_NOTFOUND}, false, D, D, D},  /* no such namespace */
        {LEASE_REQUEST_DRY_RUN,
         {.kind = ERR_REJECTED, .http = 400},
         false,
         G,
         G,
         G}, /* webhook without dry run */
        {LEASE_REQUEST_UPDATE, {.kind = ERR_REJECTED, .http = 400}, false, D, D, D},
        {LEASE_REQUEST_DRY_RUN, {.kind = ERR_REJECTED, .http = 422}, false, D, D, D},
        {LEASE_REQUEST_UPDATE, {.kind = ERR_THROTTLED, .http = 429}, false, U, G, D},
        {LEASE_REQUEST_UPDATE, {.kind = ERR_SERVER, .http = 500}, false, U, G, D},
        {LEASE_REQUEST_UPDATE, {.kind = ERR_TIMEOUT}, false, U, G, D},
        {LEASE_REQUEST_UPDATE, {.kind = ERR_TRANSPORT}, false, U, G, D},
        {LEASE_REQUEST_UPDATE, {.kind = ERR_TLS}, false, U, G, D},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        enum lease_access_state want[] = {
            [U] = cases[i].from_unknown, [G] = cases[i].from_granted, [D] = cases[i].from_denied};
        for (int from = U; from <= D; from++) {
            struct lease_access a = {.state = (enum lease_access_state)from};
            bool changed = lease_access_answer(&a, cases[i].r, cases[i].ok ? NULL : &cases[i].err, S);
            if (a.state != want[from] || changed != (want[from] != (enum lease_access_state)from))
                fail_msg("case %zu from %d: %d", i, from, a.state);
            if (cases[i].r == LEASE_REQUEST_GET) continue;
            assert_int_equal(a.due_ns - S, a.state == G ? 300 * S : a.state == D ? 10 * S : 2 * S);
        }
    }
}

CASE(a_failure_that_repeats_is_logged_once_a_minute) {
    struct log_limit l = {0};
    struct err forbidden = {.kind = ERR_FORBIDDEN, .http = 403}, timeout = {.kind = ERR_TIMEOUT};
    int lines = 0;
    uint64_t n = 0, sum = 0;
    for (int64_t t = 0; t < 180 * S; t += 2 * S) {
        if (!log_limit_pass(&l, &forbidden, t, &n)) continue;
        lines++;
        sum += n;
        assert_int_equal(n, t == 0 ? 1 : 30);
    }
    assert_int_equal(lines, 3);
    assert_int_equal(sum, 61);
    assert_true(log_limit_pass(&l, &timeout, 180 * S, &n)); /* another kind is news */
    assert_int_equal(n, 30);
    assert_false(log_limit_pass(&l, &timeout, 181 * S, &n));
    log_limit_reset(&l);
    assert_true(log_limit_pass(&l, NULL, 182 * S, &n)); /* and so is a failure after a success */
    assert_int_equal(n, 1);
}

CASES("leader/lease_access")
