/* GET: the server is asked first, then the overlay's object takes the live one's place as long as that is what it was made from. */
#include "overlay_kit_put.h"

#define NOT_FOUND SL("{\"kind\":\"Status\",\"reason\":\"NotFound\",\"code\":404}")
#define GET(name) ask(GATE_GET, "deployments", name)

CASE_WITH(struct kit, k, kit_open, kit_close, without_an_entry_the_live_object_passes_with_six_digits_more) {
    assert_string_equal(got(k->o, GET("web"), 200, object("web", "100", "blue")), "200 100000000 blue");
    assert_string_equal(got(k->o, GET("web"), 404, NOT_FOUND), "404 NotFound");
}

CASE_WITH(struct kit, k, kit_open, kit_close, the_overlays_object_stands_until_the_live_one_changes) {
    kit_put(k, "web", object("web", "100", "blue"), "red");
    assert_string_equal(got(k->o, GET("web"), 200, object("web", "100", "blue")), "200 100000001 red");
    assert_string_equal(got(k->o, GET("web"), 200, object("web", "99", "old")), "200 100000001 red");
    assert_string_equal(got(k->o, GET("web"), 403, SL("{\"reason\":\"Forbidden\"}")), "403 Forbidden");
    assert_string_equal(got(k->o, GET("web"), 200, object("web", "101", "green")), "200 101000000 green");
    assert_int_equal(overlay_counts(k->o)->dropped, 1);
    assert_string_equal(got(k->o, GET("web"), 200, object("web", "101", "green")), "200 101000000 green");
}

CASE_WITH(struct kit, k, kit_open, kit_close, what_was_deleted_here_is_not_found_until_the_live_one_changes) {
    kit_delete(k, "web", object("web", "100", "blue"));
    assert_string_equal(got(k->o, GET("web"), 200, object("web", "100", "blue")), "404 NotFound");
    assert_string_equal(got(k->o, GET("web"), 404, NOT_FOUND), "404 NotFound"); /* it is gone live, too */
    assert_string_equal(got(k->o, GET("web"), 200, object("web", "102", "new")), "200 102000000 new");
}

CASE_WITH(struct kit, k, kit_open, kit_close, what_only_the_overlay_has_is_found_and_what_went_live_is_not) {
    kit_put(k, "mine", (struct slice){0}, "red");
    kit_put(k, "web", object("web", "100", "blue"), "red");
    assert_string_equal(got(k->o, GET("mine"), 404, NOT_FOUND), "200 1000001 red");
    assert_string_equal(got(k->o, GET("web"), 404, NOT_FOUND), "404 NotFound");
    assert_int_equal(overlay_counts(k->o)->dropped, 1);
}

CASE_WITH(struct kit, k, kit_open, kit_close, a_404_of_a_cache_that_may_lag_drops_nothing) {
    struct gate_request r = GET("web");
    r.rv = SL("0");
    kit_put(k, "web", object("web", "100", "blue"), "red");
    assert_string_equal(got(k->o, r, 404, NOT_FOUND), "200 100000001 red");
}

CASE_WITH(struct kit, k, kit_open, kit_close, versions_keep_their_order_over_changes_of_both_sides) {
    static const char *const steps[] = {"200 100000001 a", "200 100000002 b", "200 105000003 c",
                                        "200 105000004 a"};
    kit_put(k, "web", object("web", "100", "blue"), "a");
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        assert_string_equal(got(k->o, GET("web"), 200, object("web", "100", "blue")), steps[i]);
        if (i == 1) got(k->o, GET("other"), 200, object("other", "105", "x")); /* newer is seen elsewhere */
        kit_put(k, "web", object("web", "100", "blue"), i == 0 ? "b" : i == 1 ? "c" : "a");
    }
}

CASE_WITH(struct kit, k, kit_open, kit_close, another_api_version_gets_the_live_object_and_counts) {
    struct gate_request r = GET("web");
    r.version = SL("v1beta1");
    kit_put(k, "web", object("web", "100", "blue"), "red");
    assert_string_equal(got(k->o, r, 200, object("web", "100", "blue")), "200 100000000 blue");
    assert_int_equal(overlay_counts(k->o)->refused, 1);
}

CASE_WITH(struct kit, k, kit_open, kit_close, metadata_alone_and_the_scale_are_of_the_overlays_object) {
    struct gate_request meta = GET("web"), scale = GET("web"), log = GET("web");
    struct buf out = BUF(4096);
    meta.metadata_only = true;
    meta.metadata_version = SL("v1");
    scale.sub = SL("scale");
    log.sub = SL("other");
    kit_put(k, "web", object("web", "100", "blue"), "red");
    assert_int_equal(
        overlay_get(k->o, &meta, 0, 200, SL("{\"metadata\":{\"resourceVersion\":\"100\"}}"), &out), 200);
    assert_has(buf_str(&out),
               "{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"meta.k8s.io/v1\",\"metadata\":{");
    assert_lacks(buf_str(&out), "spec");
    buf_clear(&out);
    overlay_get(k->o, &scale, 0, 200,
                SL("{\"kind\":\"Scale\",\"metadata\":{\"resourceVersion\":\"100\"},\"spec\":{\"replicas\":7},"
                   "\"status\":{"
                   "\"replicas\":7}}"),
                &out);
    assert_string_equal(buf_str(&out),
                        "{\"kind\":\"Scale\",\"metadata\":{\"resourceVersion\":\"100000001\"},\"spec\":{"
                        "\"replicas\":1},\"status\":{\"replicas\":7}}");
    assert_string_equal(got(k->o, log, 200, SL("{\"a\":1}")), "200");
    buf_free(&out);
}

CASES("rehearse/overlay_get")
