/* Lists: item by item, what only the overlay has at the end of the last page. */
#include "overlay_kit_put.h"

#define WEB object("web", "100", "blue")
#define DB  object("db", "101", "blue")

CASE_WITH(struct kit, k, kit_open, kit_close, items_are_replaced_left_out_and_added) {
    assert_page(k->o, k->all, "110", true, "web 100000000 blue|db 101000000 blue|@110000000", WEB, DB);
    kit_put(k, "web", WEB, "red");
    kit_put(k, "mine", (struct slice){0}, "red");
    assert_page(k->o, k->all, "111", true,
                "web 110000001 red|db 101000000 blue|mine 110000002 red|@111000002", WEB, DB);
    kit_delete(k, "web", WEB);
    assert_page(k->o, k->all, "112", true, "db 101000000 blue|mine 110000002 red|@112000003", WEB, DB);
}

CASE_WITH(struct kit, k, kit_open, kit_close, an_item_that_has_changed_drops_the_entry) {
    kit_put(k, "web", WEB, "red");
    assert_page(k->o, k->all, "103", true, "web 102000000 green|@103000001", object("web", "102", "green"));
    assert_int_equal(overlay_counts(k->o)->dropped, 1);
}

CASE_WITH(struct kit, k, kit_open, kit_close, selectors_are_those_of_the_overlays_object) {
    struct gate_request red = k->all, blue = k->all, named = k->all;
    red.labels = SL("l=red");
    blue.labels = SL("l=blue");
    named.fields = SL("metadata.name=mine");
    kit_put(k, "web", WEB, "red");
    kit_put(k, "mine", (struct slice){0}, "red");
    assert_page(k->o, blue, "110", true, "db 101000000 blue|@110000002", WEB, DB);
    assert_page(k->o, red, "110", true, "web 100000001 red|mine 100000002 red|@110000002");
    assert_page(k->o, named, "110", true, "mine 100000002 red|@110000002");
}

CASE_WITH(struct kit, k, kit_open, kit_close, only_the_last_page_adds) {
    kit_put(k, "mine", (struct slice){0}, "red");
    assert_page(k->o, k->all, "110", false, "web 100000000 blue|@110000001", WEB);
    struct gate_request next = k->all;
    next.token = SL("next"); /* what has changed since the first page is not known */
    assert_page(k->o, next, "110", true, "db 101000000 blue|mine 1000001 red|@110000000", DB);
}

CASE_WITH(struct kit, k, kit_open, kit_close, other_namespaces_and_api_versions_add_nothing) {
    struct gate_request other = k->all, every = k->all, beta = k->all;
    other.ns = SL("elsewhere");
    every.ns = SL("");
    beta.version = SL("v1beta1");
    kit_put(k, "mine", (struct slice){0}, "red");
    assert_page(k->o, other, "110", true, "@110000001");
    assert_page(k->o, beta, "110", true, "@110000001");
    assert_page(k->o, every, "110", true, "mine 1000001 red|@110000001");
}

CASE_WITH(struct kit, k, kit_open, kit_close,
          what_changes_while_a_page_passes_is_said_to_the_watch_behind_it) {
    struct buf out = BUF(1 << 16);
    struct overlay_list *l = overlay_list_begin(k->o, &k->all);
    overlay_list_item(l, 0, WEB, &out);
    kit_put(k, "web", WEB, "red"); /* behind the item */
    kit_put(k, "mine", (struct slice){0}, "red");
    assert_false(overlay_list_more(l, true, &out));
    buf_clear(&out);
    overlay_list_version(l, SL("150"), &out); /* newer than all that was seen when they changed */
    assert_string_equal(buf_str(&out), "150000000");
    overlay_list_end(l);
    cleanup_heard struct heard h;
    heard_open(&h, k->o, k->all, "150000000");
    assert_heard(h, "MODIFIED web 100000001 red|ADDED mine 100000002 red");
    heard_free(&h);
    heard_open(&h, k->o, k->all, "151000000"); /* the next list had them all */
    assert_heard(h, "");
    buf_free(&out);
}

CASE_WITH(struct kit, k, kit_open, kit_close, an_entry_that_goes_while_a_list_stands_is_not_touched) {
    struct buf out = BUF(1 << 16);
    kit_put(k, "a", (struct slice){0}, "red");
    kit_put(k, "b", (struct slice){0}, "red");
    struct overlay_list *l = overlay_list_begin(k->o, &k->all);
    assert_true(overlay_list_more(l, true, &out));
    kit_delete(k, "b", (struct slice){0});
    struct overlay_put p = kit_of(k, "c", (struct slice){0}, object("c", "1", "red"));
    p.now = OVERLAY_RECORD_NS + 1; /* the record of b is forgotten */
    assert_non_null(overlay_put(k->o, k->res, &p));
    assert_null(overlay_find(k->o, k->res, SL("ns"), SL("b")));
    assert_false(overlay_list_more(l, true, &out));
    overlay_list_end(l);
    buf_free(&out);
}

CASES("rehearse/overlay_list")
