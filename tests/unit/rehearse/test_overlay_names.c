/* The names of what the API server names: the same in each rehearsal. */
#include "overlay_script.h"

static char *name_in(struct overlay *o, const char *ns, const char *asked, const char *answer) {
    char body[512], reply[1024];
    struct overlay_step step;
    struct slice v;
    snprintf(body, sizeof body, "%s", asked);
    snprintf(reply, sizeof reply, "%s", answer);
    struct gate_request r = ask(GATE_CREATE, "deployments", "");
    r.form = GATE_JSON;
    r.ns = slice_of(ns);
    r.body = slice_of(quoted(body));
    struct overlay_write *w = overlay_write_begin(o, &r, 0, &step);
    while (!step.answered) overlay_write_feed(w, 0, 201, slice_of(quoted(reply)), &step);
    assert_int_equal(step.status, 201);
    assert_true(json_raw_at(step.body, "metadata/name", &v));
    char *name = slice_dup(slice_make(v.p + 1, v.n - 2));
    overlay_write_free(w);
    return name;
}

#define OWNED(uid)  ",'ownerReferences':[{'kind':'Job','name':'j','uid':'" uid "','controller':true}]"
#define ASKED(more) "{'metadata':{'generateName':'run-'" more "}}"
#define MADE(name, more)                                                                                     \
    "{'kind':'Deployment','metadata':{'name':'" name                                                         \
    "','generateName':'run-','namespace':'ns','uid':'u'" more "}}"

CASE(two_rehearsals_of_the_same_name_the_same) {
    struct overlay *a = overlay_new(NULL, 1), *b = overlay_new(NULL, 2);
    /* the server has another one each time; owners made here have other uids */
    cleanup_free char *a1 = name_in(a, "ns", ASKED(""), MADE("run-aaaaa", "")),
                      *a2 = name_in(a, "ns", ASKED(""), MADE("run-bbbbb", "")),
                      *a3 = name_in(a, "ns", ASKED(OWNED("x")), MADE("run-ccccc", OWNED("x"))),
                      *b3 = name_in(b, "ns", ASKED(OWNED("y")), MADE("run-ddddd", OWNED("y"))),
                      *b1 = name_in(b, "ns", ASKED(""), MADE("run-eeeee", "")),
                      *b2 = name_in(b, "ns", ASKED(""), MADE("run-fffff", ""));
    assert_string_equal(a1, b1);
    assert_string_equal(a2, b2);
    assert_string_equal(a3, b3);
    assert_string_not_equal(a1, a2);
    assert_string_not_equal(a1, a3);
    assert_true(strncmp(a1, "run-", 4) == 0 && strlen(a1) == 9);
    overlay_free(a);
    overlay_free(b);
}

/* What has the name elsewhere, too, keeps it; so does what was asked for by name. */
CASE(a_name_that_stands_elsewhere_stays) {
    struct overlay *o = overlay_new(NULL, 1);
    cleanup_free char *labelled =
                          name_in(o, "ns", ASKED(""), MADE("run-aaaaa", ",'labels':{'job':'run-aaaaa'}")),
                      *named = name_in(o, "ns", "{'metadata':{'name':'run-x','generateName':'run-'}}",
                                       "{'kind':'Deployment','metadata':{'name':'run-x','generateName':'run-'"
                                       ",'namespace':'ns','uid':'1'}}");
    assert_string_equal(labelled, "run-aaaaa");
    assert_string_equal(named, "run-x");
    overlay_free(o);
}

CASES("rehearse/overlay_names")
