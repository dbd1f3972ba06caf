/* What becomes of a release, and what asks for it. */
#include "../case.h"
#include "release.h"
#include "../check.h"

CASE(it_is_released_when_nothing_of_ours_is_left) {
    static const struct {
        bool opted_in, managed, has_state, forced;
        enum hold hold;
        enum release_outcome is;
    } rows[] = {
        {false, true, true, false, HOLD_NONE, RELEASE_WAITING},
        {false, false, true, false, HOLD_NONE, RELEASE_WAITING},
        {false, true, false, false, HOLD_NONE, RELEASE_WAITING},
        {false, false, false, false, HOLD_NONE, RELEASE_DONE},
        {false, true, true, false, HOLD_REFUSED, RELEASE_REFUSED},
        {false, true, true, true, HOLD_REFUSED, RELEASE_WAITING}, /* before the force is taken up */
        {true, true, true, false, HOLD_NONE, RELEASE_TAKEN_BACK},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct status_row r = {
            .opted_in = rows[i].opted_in, .managed = rows[i].managed, .has_state = rows[i].has_state};
        r.state.hold = rows[i].hold;
        assert_int_equal(release_outcome(&r, rows[i].forced), rows[i].is);
    }
}

CASE(the_patch) {
    struct status_row r = {.target = {.rv = (char[]){"7"}}};
    cleanup_buf struct buf out = BUF(1000);
    release_patch(&r, NULL, &out);
    assert_buf(
        out,
        "{\"metadata\":{\"resourceVersion\":\"7\",\"annotations\":{\"handover.dev/canary-percent\":null}}}");
    buf_clear(&out);
    release_patch(&r, "hash@now", &out);
    assert_buf(
        out, "{\"metadata\":{\"resourceVersion\":\"7\",\"annotations\":{\"handover.dev/canary-percent\":null,"
             "\"handover.dev/release\":\"hash@now\"}}}");
}

CASES("cli/release")
