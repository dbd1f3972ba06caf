/* What two sidecars answer, and what is kept of it. */
#include "../case.h"
#include "../each.h"
#include "act/rehearsal.h"
#include "act/rehearsal_report.h"
#include "base/json_raw.h"

#define BEGIN "{'apiVersion':'handover.dev/v1','kind':'RehearsalReport'"
#define OBJECT(name, to)                                                                                     \
    "{'change':'changed','kind':'Widget','name':'" name                                                      \
    "','writes':1,'fields':[{'path':'spec.a','old':'0','new':'" to "'}]}"

static int read(const char *body, const char *control, struct rehearsal_report *ret, struct err *err) {
    cleanup_free char *a = quoted(xstrdup(body)), *b = quoted(xstrdup(control));
    return rehearsal_report_read(slice_of(a), slice_of(b), ret, err);
}

CASE(what_stables_version_does_as_well_is_taken_away) {
    struct rehearsal_report both, own, alone;
    struct err e = {0};
    if (read(BEGIN ",'objects':[" OBJECT("a", "1") "]}", BEGIN ",'objects':[" OBJECT("a", "1") "]}", &both,
             &e) < 0)
        fail_msg("%s", e.msg);
    assert_true(both.empty && both.count[REPORT_CHANGES] == 0);
    assert_string_equal(both.line, "changes nothing");
    assert_int_equal(read(BEGIN ",'objects':[" OBJECT("a", "1") "," OBJECT("b", "1") "]}",
                          BEGIN ",'objects':[" OBJECT("a", "1") "]}", &own, &e),
                     0);
    assert_true(!own.empty && own.count[REPORT_CHANGES] == 1);
    assert_int_equal(strlen(own.digest), 16);
    assert_string_not_equal(own.digest, both.digest);
    /* the digest is that of the report that is kept, which can be read again */
    cleanup_json cJSON *kept = json_parse(buf_slice(&own.text), NULL);
    assert_string_equal(json_str(kept, "digest"), own.digest);
    assert_int_equal(read(BEGIN ",'objects':[" OBJECT("a", "1") "]}", "", &alone, &e), 0);
    assert_true(alone.count[REPORT_CHANGES] == 1);
    rehearsal_report_free(&both);
    rehearsal_report_free(&own);
    rehearsal_report_free(&alone);
}

CASE(what_a_run_says_of_itself) {
    static const struct {
        const char *run;
        bool idle, full;
    } v[] = {{"", false, false},
             {",'run':{'image':'op:v2'}", true, false},
             {",'run':{'image':'op:v2','reads':1}", false, false},
             {",'run':{'refused':3}", false, false},
             {",'run':{'failed':3}", false, false}, /* asked, and may not read */
             {",'run':{'writes':7,'full':true}", false, true}};
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        struct rehearsal_report r;
        struct err e = {0};
        cleanup_free char *body = xasprintf(BEGIN "%s}", v[i].run);
        if (read(body, BEGIN ",'run':{'image':'op:v1','reads':2}}", &r, &e) < 0) fail_msg("%s", e.msg);
        if (r.idle != v[i].idle || r.full != v[i].full) fail_msg("%s: idle %d full %d", body, r.idle, r.full);
        rehearsal_report_free(&r);
    }
}

CASE(what_is_no_report) {
    static const struct {
        const char *body, *control, *why;
    } v[] = {{"", "", "the report of the new version: "},
             {"<html>", "", "the report of the new version: "},
             {"{'kind':'List'}", "", "the report of the new version: "},
             {BEGIN "}", "{}", "the report of stable's version: "}};
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        struct rehearsal_report r = {.line = NULL};
        struct err e = {0};
        assert_true(read(v[i].body, v[i].control, &r, &e) < 0);
        if (!slice_starts(slice_of(e.msg), slice_of(v[i].why))) fail_msg("%zu: %s", i, e.msg);
        assert_null(r.line);
    }
}

/* Of a large one so many objects are kept that the rest is whole, and it says how many were not. */
CASE(a_report_that_is_cut) {
    cleanup_buf struct buf all = BUF(1 << 20);
    buf_adds(&all, J(BEGIN ",'objects':["));
    for (int i = 0; i < 100; i++) buf_addf(&all, "%s{\"name\":\"object number %d\"}", i ? "," : "", i);
    buf_adds(&all, J("],'refusals':[{'what':'exec'}],'taken':{'objects':3}}"));
    for (size_t max = 300; max < all.n + 200; max += 97) {
        cleanup_buf struct buf out = BUF(1 << 20);
        rehearsal_report_cut(buf_slice(&all), max, &out);
        struct err e = {0};
        if (json_raw_check(buf_slice(&out), &e) < 0) fail_msg("%s: %s", e.msg, buf_str(&out));
        assert_true(out.n <= max);
        cleanup_json cJSON *v = json_parse(buf_slice(&out), NULL);
        assert_int_equal(cJSON_GetArraySize(json_arr(v, "objects")) + json_i64(v, "cut", -1), 100);
        assert_non_null(json_arr(v, "refusals"));
        assert_int_equal(json_i64(json_get(v, "taken"), "objects", 0), 3);
    }
}

/* What is counted is the whole, however much of it is kept. */
CASE(a_report_that_does_not_fit_into_an_object_of_the_api_server) {
    enum { OBJECTS = 12000 };
    cleanup_buf struct buf all = BUF(4 << 20);
    struct rehearsal_report r;
    struct err e = {0};
    buf_adds(&all, BEGIN ",'objects':[");
    for (int i = 0; i < OBJECTS; i++)
        buf_addf(&all, "%s{'change':'deleted','kind':'Widget','name':'%060d'}", i ? "," : "", i);
    buf_adds(&all, "]}");
    if (read(buf_str(&all), "", &r, &e) < 0) fail_msg("%s", e.msg);
    assert_int_equal(r.count[REPORT_DELETES], OBJECTS);
    assert_in_range(r.text.n, REPORT_KEPT - 1024, REPORT_KEPT);
    cleanup_json cJSON *kept = json_parse(buf_slice(&r.text), NULL);
    assert_int_equal(cJSON_GetArraySize(json_arr(kept, "objects")) + json_i64(kept, "cut", -1), OBJECTS);
    assert_string_equal(json_str(kept, "digest"), r.digest);
    rehearsal_report_free(&r);
}

CASE(the_image_of_this_very_program) {
    static const struct {
        const char *pod, *image;
    } v[] = {
        {"{'spec':{'containers':[{'name':'proxy','image':'p'},{'name':'handover','image':'h:1'}]}}", "h:1"},
        {"{'spec':{'containers':[{'name':'a','image':'h:2'},{'name':'b','image':'p'}]}}", "h:2"},
        {"{'metadata':{'annotations':{'kubectl.kubernetes.io/default-container':'b'}},'spec':{'containers':["
         "{'name':'a','image':'p'},{'name':'b','image':'h:3'}]}}",
         "h:3"},
        {"{'spec':{'containers':[]}}", NULL},
        {"{'spec':{'containers':[{'name':'handover'}]}}", NULL},
        {"{}", NULL}};
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        cleanup_free char *pod = quoted(xstrdup(v[i].pod)), *image = rehearsals_image_of(slice_of(pod));
        if (v[i].image)
            assert_string_equal(image, v[i].image);
        else
            assert_null(image);
    }
}

CASE(api_groups_that_no_other_server_serves) {
    cleanup_free char *list = quoted(xstrdup(
        "{'items':[{'spec':{'group':'','version':'v1'}},{'spec':{'group':'apps','version':'v1'}},"
        "{'spec':{'group':'metrics.k8s.io','version':'v1beta1','service':{'name':'m','namespace':'n'}}},"
        "{'spec':{'group':'away.example.com','version':'v1','service':{'name':'m','namespace':'n'}}},"
        "{'spec':{'group':'example.com','version':'v1'}},{'spec':{'group':'example.com','version':'v2'}},"
        "{'spec':{'group':'b.org\\n--x','version':'v1'}},{'spec':{'group':'b.org','version':'v1'}}]}"));
    cleanup_free char *some = rehearsals_groups_of(slice_of(list)), *none = rehearsals_groups_of(SL("[]"));
    assert_string_equal(some, "example.com\nb.org\n");
    assert_string_equal(none, "");
}

CASES("rollout/rehearsal_report")
