/* ObjectMeta and keys. */
#include "../case.h"
#include "../each.h"
#include "api/meta.h"

CASE(from_raw) {
    struct meta m;
    struct err err = {0};
    assert_int_equal(meta_from_raw(JS("{'spec':{'metadata':{'name':'no'}},'metadata':{'name':'a','namespace':"
                                      "'n\\u0073','uid':'u','resourceVersion':'9223372036854775808','"
                                      "generation':7,'deletionTimestamp':'2026-11-23T18:16:33Z'}}"),
                                   &m, &err),
                     0);
    assert_string_equal(m.name, "a");
    assert_string_equal(m.ns, "ns");
    assert_string_equal(m.uid, "u");
    assert_string_equal(m.rv, "9223372036854775808");
    assert_int_equal(m.generation, 7);
    assert_true(m.deleting);
    meta_free(&m);
    meta_free(&m); /* safe to repeat */
    meta_free(NULL);
    assert_int_equal(
        meta_from_raw(
            JS("{'metadata':{'name':'a','namespace':null,'deletionTimestamp':null,'generation':null}}"), &m,
            &err),
        0);
    assert_string_equal(m.ns, "");
    assert_string_equal(m.rv, "");
    assert_int_equal(m.generation, 0);
    assert_false(m.deleting);
    meta_free(&m);
}

CASE(bad_raw) {
    each_of(
        bad,
        J("|[]|{}|{'metadata':null}|{'metadata':[]}|{'metadata':{}}|{'metadata':{'name':''}}|"
          "{'metadata':{'name':7}}|{'metadata':{'name':'a\\u0000b'}}|{'metadata':{'name':'a','uid':{}}}|"
          "{'metadata':{'name':'a','generation':1.5}}|{'metadata':{'name':'a'}|{'metadata':{'name':'a'}}x")) {
        struct meta m = {.generation = 4711};
        struct err err = {0};
        assert_int_equal(meta_from_raw(bad, &m, &err), -EINVAL);
        assert_int_equal(m.generation, 4711); /* untouched */
        assert_true(err.msg[0]);
    }
    cleanup_buf struct buf b = BUF(10000);
    buf_addf(&b, "{\"metadata\":{\"name\":\"%05000d\"}}", 7);
    struct meta m;
    assert_int_equal(meta_from_raw(buf_slice(&b), &m, NULL), -EINVAL);
}

CASE(keys) {
    struct slice ns, name;
    cleanup_free char *both = key_of(SL("ns"), SL("a")), *one = key_of(SL(""), SL("a"));
    assert_string_equal(both, "ns/a");
    assert_string_equal(one, "a");
    key_split(SL("ns/a"), &ns, &name);
    assert_slice(ns, "ns");
    assert_slice(name, "a");
    key_split(SL("a"), &ns, &name);
    assert_slice(ns, "");
    assert_slice(name, "a");
}

CASE(trees) {
    cleanup_json cJSON *o =
        cJSON_Parse(J("{'metadata':{'name':'a','namespace':'n','uid':'u','resourceVersion':'5','labels':{'x/"
                      "y':'1'},'annotations':{'handover.dev/"
                      "mode':'leader','n':7},'ownerReferences':[{'uid':'o1'},{'uid':'o2','controller':true},{"
                      "'uid':'o3','controller':false}]},'status':{'conditions':[{'type':'Available','status':"
                      "'True'},{'type':'Progressing'}]}}"));
    assert_string_equal(obj_name(o), "a");
    assert_string_equal(obj_ns(o), "n");
    assert_string_equal(obj_uid(o), "u");
    assert_string_equal(obj_rv(o), "5");
    assert_string_equal(obj_label(o, "x/y"), "1");
    assert_string_equal(obj_annotation(o, "handover.dev/mode"), "leader");
    assert_null(obj_annotation(o, "n"));
    assert_null(obj_annotation(o, "absent"));
    assert_false(obj_deleting(o));
    assert_string_equal(json_str(obj_controller(o), "uid"), "o2");
    assert_true(obj_owned_by(o, "o1") && obj_owned_by(o, "o3") && !obj_owned_by(o, "u") &&
                !obj_owned_by(o, NULL));
    assert_string_equal(json_str(obj_condition(o, "Available"), "status"), "True");
    assert_null(obj_condition(o, "available"));
    assert_null(obj_name(NULL));
    assert_null(obj_controller(NULL));
    assert_null(obj_condition(NULL, "x"));
    assert_false(obj_deleting(NULL));
    cleanup_json cJSON *d = cJSON_Parse(J("{'metadata':{'deletionTimestamp':'2026-11-23T18:16:33Z'}}"));
    assert_true(obj_deleting(d));
}

CASE(versions_compare_as_numbers) {
    static const char *const rising[] = {"1", "2", "9", "10", "18446744073709551616", "18446744073709551617"};
    static const char *const odd[] = {NULL, "", "0", "01", "1a", "-1"};
    int order;
    for (size_t i = 0; i < ARRAY_LEN(rising); i++) {
        for (size_t k = 0; k < ARRAY_LEN(rising); k++) {
            assert_true(rv_compare(rising[i], rising[k], &order));
            assert_int_equal((order > 0) - (order < 0), (i > k) - (i < k));
            assert_int_equal(rv_older(rising[i], rising[k]), i < k);
        }
        for (size_t k = 0; k < ARRAY_LEN(odd); k++) {
            order = 7;
            assert_false(rv_compare(rising[i], odd[k], &order) || rv_compare(odd[k], rising[i], &order));
            assert_false(rv_older(rising[i], odd[k]) || rv_older(odd[k], rising[i]));
            assert_int_equal(order, 7);
        }
    }
}

CASES("api/meta")
