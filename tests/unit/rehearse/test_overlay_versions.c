/* Writes with a resourceVersion of before the rehearsal. */
#include "overlay_web.h"

/* An operator may have kept it: the server's own, as it is given to who asks the server. */
TEST_CASE(a_version_of_before_the_rehearsal_is_a_conflict) {
    const char *put = "{'metadata':{'name':'web','resourceVersion':'99'}}";
    struct gate_request r = DELETE(), scale = sub(PUT(put), "scale");
    char options[] = "{'preconditions':{'resourceVersion':'99'}}";
    r.delete_options = slice_of(quoted(options));
    assert_carried_has(o, PUT(put), "'resourceVersion':'99'}}=>409", LIVE("blue", 1, 1), CONFLICT);
    assert_carried_has(o, PATCH(put), "'resourceVersion':'99'}}=>409", LIVE("blue", 1, 1), CONFLICT);
    assert_carried_has(o, scale, "'resourceVersion':'99'}}=>409", LIVE("blue", 1, 1), CONFLICT);
    assert_carried_has(o, r, "'preconditions':{'resourceVersion':'99'}}=>409", LIVE("blue", 1, 1), CONFLICT);
    assert_carried_has(o, PUT(put), "=>404", NOT_FOUND, NOT_FOUND);
    assert_carried_has(o, PATCH("{'spec':{'replicas':3}}"), "=>200", LIVE("blue", 1, 1), LIVE("blue", 3, 1));
    const struct gate_request writes[] = {PUT(put), PATCH(put), scale, r};
    for (size_t i = 0; i < ARRAY_LEN(writes); i++)
        assert_carried_has(o, writes[i],
                           "the object has been modified; please apply your changes to the latest");
    static const char *const none[] = {"x", "099", "99x", "-99"};
    for (size_t i = 0; i < ARRAY_LEN(none); i++) {
        char body[100];
        snprintf(body, sizeof body, "{'metadata':{'name':'web','resourceVersion':'%s'}}", none[i]);
        assert_carried_has(o, PUT(body), "=>400");
    }
}

CASES("rehearse/overlay_versions")
