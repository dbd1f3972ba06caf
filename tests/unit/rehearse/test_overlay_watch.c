/* Watches: changes of both sides, as what they are to the operator. */
#include "overlay_kit_put.h"

#define WEB object("web", "100", "blue")

static void server(struct heard *h, const char *type, struct slice obj) {
    assert_int_equal(overlay_watch_event(h->w, 0, event(type, obj)), 0);
}

CASE_WITH(struct kit, k, kit_open, kit_close, events_pass_with_six_digits_more) {
    cleanup_heard struct heard h;
    heard_open(&h, k->o, k->all, "100000000");
    server(&h, "MODIFIED", object("web", "101", "blue"));
    server(&h, "BOOKMARK", SL("{\"kind\":\"Deployment\",\"metadata\":{\"resourceVersion\":\"105\"}}"));
    assert_heard(h, "MODIFIED web 101000000 blue|BOOKMARK 105000000");
    server(&h, "ERROR", SL("{\"kind\":\"Status\",\"code\":410}"));
    assert_string_equal(buf_str(&h.last),
                        "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":410}}\n");
    buf_clear(&h.got);
    assert_int_equal(overlay_watch_event(h.w, 0, SL("{\"a\":1}")), -EPROTO);
    assert_string_equal(buf_str(&h.last), "{\"a\":1}\n");
}

CASE_WITH(struct kit, k, kit_open, kit_close, changes_here_are_said_at_once_by_what_was_and_is_selected) {
    struct gate_request red = k->all, blue = k->all, other = k->all;
    red.labels = SL("l=red");
    blue.labels = SL("l=blue");
    other.ns = SL("elsewhere");
    cleanup_heard struct heard a, r, b, x;
    heard_open(&a, k->o, k->all, "100000000");
    heard_open(&r, k->o, red, "100000000");
    heard_open(&b, k->o, blue, "100000000");
    heard_open(&x, k->o, other, "100000000");
    kit_put(k, "web", WEB, "red");
    assert_heard(a, "MODIFIED web 100000001 red");
    assert_heard(r, "ADDED web 100000001 red");
    assert_heard(b, "DELETED web 100000001 blue"); /* the last state that was selected, the new version */
    kit_put(k, "web", WEB, "red");
    kit_delete(k, "web", WEB);
    assert_heard(a, "MODIFIED web 100000002 red|DELETED web 100000003 red");
    assert_heard(r, "MODIFIED web 100000002 red|DELETED web 100000003 red");
    assert_heard(b, "");
    kit_put(k, "web", WEB, "blue");
    assert_heard(a, "ADDED web 100000004 blue");
    assert_heard(x, "");
}

CASE_WITH(struct kit, k, kit_open, kit_close, a_live_event_of_the_base_is_replaced_and_a_newer_one_counts) {
    cleanup_heard struct heard h;
    heard_open(&h, k->o, k->all, "90000000");
    kit_put(k, "web", WEB, "red");
    assert_heard(h, "MODIFIED web 100000001 red");
    server(&h, "MODIFIED", object("web", "95", "old")); /* the watch lags behind */
    server(&h, "MODIFIED", WEB);
    assert_heard(h, "MODIFIED web 100000001 red");
    server(&h, "MODIFIED", object("web", "102", "green"));
    server(&h, "DELETED", object("web", "103", "green"));
    assert_heard(h, "MODIFIED web 102000000 green|DELETED web 103000000 green");
}

static void writes_of(void *ctx, const struct overlay_row *r) {
    *(unsigned *)ctx = r->writes;
}

/* What others change, and the operator answers, is no loop; so many writes between two of their changes are. */
CASE_WITH(struct kit, k, kit_open, kit_close, a_few_writes_are_forgotten_with_a_live_change) {
    cleanup_heard struct heard h;
    unsigned writes = 0;
    heard_open(&h, k->o, k->all, "90000000");
    for (unsigned i = 0; i < 12; i++) kit_put(k, "web", WEB, i % 2 ? "red" : "blue");
    server(&h, "MODIFIED", object("web", "102", "green"));
    kit_put(k, "web", object("web", "102", "green"), "red");
    overlay_rows(k->o, 0, writes_of, &writes);
    assert_int_equal(writes, 13);
    kit_put(k, "db", object("db", "101", "blue"), "red");
    for (unsigned i = 0; i < 5; i++) {
        char rv[16];
        snprintf(rv, sizeof rv, "%u", 110 + i);
        server(&h, "MODIFIED", object("db", rv, "green"));
        for (unsigned n = 0; n < 10; n++) kit_put(k, "db", object("db", rv, "green"), n % 2 ? "red" : "blue");
    }
    kit_delete(k, "web", WEB);
    server(&h, "DELETED", object("web", "120", "green"));
    overlay_rows(k->o, INT64_MAX, writes_of, &writes);
    assert_int_equal(writes, 10);
}

CASE_WITH(struct kit, k, kit_open, kit_close, what_was_deleted_here_comes_back_as_added) {
    cleanup_heard struct heard h, late;
    heard_open(&h, k->o, k->all, "100000000");
    heard_open(&late, k->o, k->all, "100000000");
    kit_delete(k, "web", WEB);
    assert_heard(h, "DELETED web 100000001 blue");
    server(&h, "MODIFIED", object("web", "102", "green"));
    assert_heard(h, "ADDED web 102000000 green");
    buf_clear(&late.got);
    server(&late, "MODIFIED", object("web", "102", "green")); /* its own event of the same change */
    assert_heard(late, "ADDED web 102000000 green");
    kit_delete(k, "web", object("web", "102", "green"));
    buf_clear(&h.got);
    server(&h, "DELETED", object("web", "104", "green"));
    assert_heard(h, "");
}

CASE_WITH(struct kit, k, kit_open, kit_close, a_watch_that_the_server_says_nothing_to_hears_of_the_end) {
    struct gate_request red = k->all;
    red.labels = SL("l=red");
    cleanup_heard struct heard h;
    heard_open(&h, k->o, red, "100000000");
    kit_put(k, "web", WEB, "red");
    kit_put(k, "db", object("db", "101", "blue"), "red");
    assert_heard(h, "ADDED web 100000001 red|ADDED db 101000002 red");
    got(k->o, ask(GATE_GET, "deployments", "web"), 200, object("web", "105", "green"));
    assert_heard(h, "DELETED web 105000003 red");
    got(k->o, ask(GATE_GET, "deployments", "db"), 200,
        object("db", "106", "red")); /* the server will say so */
    assert_heard(h, "");
    server(&h, "ADDED", object("db", "106", "red"));
    assert_heard(h, "MODIFIED db 106000000 red");
}

CASE_WITH(struct kit, k, kit_open, kit_close, a_watch_that_comes_back_gets_what_it_has_missed) {
    cleanup_heard struct heard h;
    kit_put(k, "web", WEB, "red");                    /* 100000001 */
    kit_put(k, "mine", (struct slice){0}, "red");     /* 100000002 */
    kit_put(k, "short", (struct slice){0}, "red");    /* 100000003 */
    kit_delete(k, "short", (struct slice){0});        /* 100000004 */
    kit_delete(k, "db", object("db", "101", "blue")); /* 101000005 */
    static const struct {
        const char *from, *want;
    } cases[] = {
        {"100000000", "MODIFIED web 100000001 red|ADDED mine 100000002 red|DELETED short 100000004 "
                      "red|DELETED db 101000005 blue"},
        {"100000001", "ADDED mine 100000002 red|DELETED short 100000004 red|DELETED db 101000005 blue"},
        {"101000005", ""},
        {"102000000", ""},
        {"101000000", "DELETED db 101000005 blue"},
        {"", "ADDED mine 100000002 red"},
        {"0", "ADDED mine 100000002 red"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        heard_open(&h, k->o, k->all, cases[i].from);
        print_message("%s\n", cases[i].from);
        assert_heard(h, cases[i].want);
        if (i + 1 < ARRAY_LEN(cases)) heard_free(&h);
    }
}

CASE_WITH(struct kit, k, kit_open, kit_close,
          what_passed_while_a_watch_was_away_goes_if_the_server_does_not_say_so) {
    struct gate_request red = k->all;
    red.labels = SL("l=red");
    cleanup_heard struct heard h;
    heard_open(&h, k->o, red, "100000000");
    kit_put(k, "web", WEB, "red");
    kit_put(k, "db", object("db", "101", "blue"), "red");
    heard_free(&h);
    got(k->o, ask(GATE_GET, "deployments", "web"), 200, object("web", "105", "green"));
    got(k->o, ask(GATE_GET, "deployments", "db"), 200, object("db", "106", "red"));
    heard_open(&h, k->o, red, "101000002");
    assert_heard(h, "DELETED web 105000003 red");
    heard_free(&h);
    heard_open(&h, k->o, k->all, "101000000"); /* without a selector the server has events of both */
    assert_heard(h, "");
    heard_free(&h);
    heard_open(&h, k->o, k->all, "106000000"); /* it may have the live objects, or ours */
    assert_heard(h, "ERROR");
}

CASE_WITH(struct kit, k, kit_open, kit_close, a_watch_from_before_what_is_forgotten_begins_anew) {
    cleanup_heard struct heard h, early;
    heard_open(&early, k->o, k->all, "1000000");
    kit_put(k, "short", (struct slice){0}, "red");
    kit_delete(k, "short", (struct slice){0});
    assert_heard(early, "ADDED short 1000001 red|DELETED short 1000002 red");
    struct overlay_put p = kit_of(k, "c", (struct slice){0}, object("c", "1", "red"));
    p.now = OVERLAY_RECORD_NS + 1;
    overlay_put(k->o, k->res, &p);
    heard_open(&h, k->o, k->all, "1000001");
    assert_heard(h, "ERROR");
    assert_has(buf_str(&h.last), "\"code\":410");
    kit_put(k, "d", (struct slice){0}, "red");
    assert_int_equal(overlay_watch_event(h.w, 0, event("ADDED", WEB)), 0);
    assert_heard(h, "");
    heard_free(&h);
    heard_open(&h, k->o, k->all, "1000002");
    assert_heard(h, "ADDED c 1000003 red|ADDED d 1000004 red");
}

CASE_WITH(struct kit, k, kit_open, kit_close, initial_events_end_with_what_only_the_overlay_has) {
    struct gate_request r = k->all;
    r.initial_events = true;
    cleanup_heard struct heard h;
    kit_put(k, "web", WEB, "red");
    kit_put(k, "mine", (struct slice){0}, "red");
    kit_delete(k, "db", object("db", "101", "blue"));
    heard_open(&h, k->o, r, "");
    server(&h, "ADDED", WEB);
    server(&h, "ADDED", object("db", "101", "blue"));
    server(&h, "ADDED", object("etc", "102", "blue"));
    assert_heard(h, "ADDED web 100000001 red|ADDED etc 102000000 blue");
    server(&h, "BOOKMARK",
           SL("{\"metadata\":{\"resourceVersion\":\"110\",\"annotations\":{\"k8s.io/"
              "initial-events-end\":\"true\"}}}"));
    assert_heard(h, "ADDED mine 100000002 red|BOOKMARK 110000003");
}

CASE_WITH(struct kit, k, kit_open, kit_close, who_got_a_change_before_older_events_goes_on_before_those) {
    cleanup_heard struct heard h, newer;
    struct buf from = BUF(64);
    heard_open(&h, k->o, k->all, "100000000");
    heard_open(&newer, k->o, k->all, "100000000");
    server(&newer, "ADDED", object("etc", "130", "x"));
    kit_put(k, "web", WEB, "red");
    assert_heard(h, "MODIFIED web 130000001 red"); /* of what is between 100 and 130 it has got nothing yet */
    struct gate_request again = k->all;
    again.rv = SL("130000001");
    overlay_watch_from(k->o, &again, &from);
    assert_string_equal(buf_str(&from), "100000000");
    buf_clear(&from);
    server(&h, "BOOKMARK", SL("{\"metadata\":{\"resourceVersion\":\"120\"}}")); /* goes back: left out */
    assert_heard(h, "");
    server(&h, "ADDED", object("etc", "130", "x"));
    kit_put(k, "web", WEB, "blue");
    again.rv = SL("130000002");
    overlay_watch_from(k->o, &again, &from);
    assert_string_equal(buf_str(&from), "130000002");
    buf_free(&from);
}

CASE_WITH(struct kit, k, kit_open, kit_close, what_a_live_object_owned_here_goes_with_it) {
    struct gate_request blue = k->all;
    blue.labels = SL("l=blue");
    cleanup_heard struct heard h, b;
    heard_open(&h, k->o, k->all, "100000000");
    heard_open(&b, k->o, blue, "100000000");
    struct overlay_put p = kit_of(k, "mine", (struct slice){0},
                                  JS("{'kind':'Pod','metadata':{'name':'mine','namespace':'ns','uid':'m','"
                                     "ownerReferences':[{'uid':'u-web'}]}}"));
    assert_non_null(overlay_put(k->o, k->res, &p));
    buf_clear(&h.got);
    server(&b, "DELETED", object("web", "101", "red")); /* it may have left the selector alone */
    assert_heard(h, "");
    server(&h, "DELETED", object("web", "102", "red"));
    assert_heard(h, "DELETED web 102000000 red|DELETED mine 1000002");
}

CASE_WITH(struct kit, k, kit_open, kit_close, metadata_alone_is_watched_as_such) {
    struct gate_request r = k->all;
    r.metadata_only = true;
    r.metadata_version = SL("v1");
    cleanup_heard struct heard h;
    heard_open(&h, k->o, r, "100000000");
    kit_put(k, "web", WEB, "red");
    assert_string_equal(
        buf_str(&h.last),
        "{\"type\":\"MODIFIED\",\"object\":{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"meta.k8s.io/"
        "v1\",\"metadata\":{\"name\":\"web\",\"namespace\":\"ns\",\"uid\":\"u-web\",\"resourceVersion\":"
        "\"100000001\",\"labels\":{\"l\":\"red\"}}}}\n");
}

CASES("rehearse/overlay_watch")
