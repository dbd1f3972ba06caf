/* Server-side apply: of what the live object is the base of, and of what was made here, which no server has. */
#include "overlay_web.h"

TEST_CASE(a_field_that_is_applied_no_more_goes) {
    struct gate_request one = with_body(ask(GATE_PATCH, "deployments", "web"), GATE_APPLY,
                                        "{'spec':{'replicas':3,'paused':true}}"),
                        two = with_body(ask(GATE_PATCH, "deployments", "web"), GATE_APPLY,
                                        "{'spec':{'replicas':1}}");
    one.manager = two.manager = SL("me");
    assert_carried_has(o, one, "'spec':{'replicas':3,'paused':true}", LIVE("blue", 1, 1),
                       "200 "
                       "{'kind':'Deployment','metadata':{'name':'web','namespace':'ns','uid':'u','"
                       "resourceVersion':'100','labels':{'l':"
                       "'blue'}},'spec':{'replicas':3,'paused':true},'status':{'s':1}}");
    assert_carried_has(o, PATCH("{'spec':{'x':1}}"), "'x':1",
                       "200 {'kind':'Deployment','metadata':{'name':'web','resourceVersion':'100'},"
                       "'spec':{'replicas':3,'paused':true,'x':1},'status':{'s':1}}");
    /* Also what is as in the live object again: it is named. What another one wrote stays. */
    assert_carried_has(o, two, "'spec':{'replicas':1,'x':1}", LIVE("blue", 1, 1));
}

static struct gate_request applied(const char *manager, const char *config) {
    struct gate_request r = with_body(ask(GATE_PATCH, "deployments", "web"), GATE_APPLY, config);
    r.manager = slice_of(manager);
    return r;
}

/* The server does not have it: part of it alone would be no object that it takes. */
TEST_CASE(an_apply_to_what_was_made_here_is_put_into_it) {
    assert_carried_has(
        o, CREATE("{'metadata':{'name':'web'},'spec':{'replicas':2,'paused':true}}"), "=>201",
        "201 {'kind':'Deployment','metadata':{'name':'web','namespace':'ns','uid':'u','labels':{'l':'a'}},"
        "'spec':{'replicas':2,'paused':true}}");
    assert_carried_has(
        o, applied("me", "{'metadata':{'name':'web','labels':{'l':'b','mine':'1'}}}"),
        "POST {'kind':'Deployment','metadata':{'name':'web','namespace':'ns','labels':{'l':'b','mine':'1'},"
        "'creationTimestamp':'1970-01-01T00:00:50Z'},'spec':{'replicas':2,'paused':true}}=>200",
        "201 "
        "{'kind':'Deployment','metadata':{'name':'web','namespace':'ns','uid':'v','labels':{'l':'b','mine':'"
        "1'}},"
        "'spec':{'replicas':2,'paused':true,'by':'default'}}");
    /* What it applies no more goes, but not what another applies as well; what the server set stays. */
    assert_carried_has(o, applied("other", "{'metadata':{'labels':{'l':'b'}}}"), "=>200",
                       "201 "
                       "{'kind':'Deployment','metadata':{'name':'web','namespace':'ns','uid':'v','labels':{'"
                       "l':'b','mine':'1'}},"
                       "'spec':{'replicas':2,'paused':true,'by':'default'}}");
    assert_carried_has(
        o, applied("me", "{'spec':{'replicas':3}}"),
        "'labels':{'l':'b'},'creationTimestamp':'1970-01-01T00:00:50Z','name':'web'},'spec':{'replicas':3,"
        "'paused':true,'by':'default'}}=>200",
        "201 {'kind':'Deployment','metadata':{'name':'web','namespace':'ns','uid':'v','labels':{'l':'b'}},"
        "'spec':{'replicas':3,'paused':true,'by':'default'}}");
    assert_rows(o, 0, "Deployment web ->b");
}

/* As the API server: what each of two managers applies stays until the last one applies it no more. */
TEST_CASE(two_managers_of_what_was_made_here) {
    static const struct {
        const char *manager, *config, *leaves;
    } steps[] = {
        {"one", "{'metadata':{'finalizers':['x/a']},'spec':{'env':[{'name':'A'},{'name':'B'}]}}",
         "'finalizers':['x/a']|'env':[{'name':'A'},{'name':'B'}]"},
        {"two", "{'metadata':{'finalizers':['x/b']},'spec':{'env':[{'name':'A'}]}}",
         "'finalizers':['x/a','x/b']|'env':[{'name':'A'},{'name':'B'}]"},
        {"one", "{'metadata':{'finalizers':['x/b','x/c']},'spec':{'env':[{'name':'B'}]}}",
         "'finalizers':['x/b','x/c']|'env':[{'name':'A'},{'name':'B'}]"},
        {"two", "{'metadata':{'finalizers':[]},'spec':{'env':[{'name':'C'}]}}",
         "'finalizers':['x/b','x/c']|'env':[{'name':'B'},{'name':'C'}]"},
    };
    assert_carried_has(
        o, CREATE("{'metadata':{'name':'web'}}"), "=>201",
        "201 {'kind':'Deployment','metadata':{'name':'web','namespace':'ns','uid':'u'},'spec':{}}");
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        /* the server leaves what it is sent */
        char sent[1024] = "201 ";
        struct gate_request r = applied(steps[i].manager, steps[i].config);
        struct overlay_step step;
        struct overlay_write *w = overlay_write_begin(o, &r, 50 * SECOND, &step);
        assert_false(step.answered);
        cleanup_free char *body = slice_dup(buf_slice(&step.ask->body));
        snprintf(sent, sizeof sent, "%s", body);
        overlay_write_feed(w, 50 * SECOND, 201, slice_of(sent), &step);
        assert_int_equal(step.status, 200);
        cleanup_free char *got = slice_dup(step.body), *all = quoted(xstrdup(steps[i].leaves));
        each_of(part, all) {
            cleanup_free char *one = slice_dup(part);
            assert_has(got, one);
        }
        overlay_write_free(w);
    }
}

/* The live one of that name has another selector, say, and is in its way. */
TEST_CASE(an_apply_to_what_was_deleted_and_made_anew_is_none_of_the_live_object) {
    const char *made = "201 "
                       "{'kind':'Deployment','metadata':{'name':'rehearsal-x','generateName':'rehearsal-','"
                       "namespace':'ns','uid':'v',"
                       "'labels':{'l':'b'}},'spec':{'replicas':2}}";
    assert_carried_has(o, DELETE(), "=>200", LIVE("a", 1, 1), SUCCESS);
    assert_carried_has(o, applied("me", "{'metadata':{'labels':{'l':'b'}},'spec':{'replicas':2}}"), "=>201",
                       made, LIVE("a", 1, 1));
    assert_carried_has(
        o, applied("me", "{'metadata':{'labels':{'l':'b'}},'spec':{'replicas':2}}"),
        "POST "
        "{'kind':'Deployment','metadata':{'namespace':'ns','labels':{'l':'b'},'creationTimestamp':"
        "'1970-01-01T00:00:50Z','generateName':'rehearsal-'},'spec':{'replicas':2}}|GET web=>200",
        made, LIVE("a", 1, 1));
    assert_carried_has(o, applied("me", "{'metadata':{'labels':{'l':'b'}}}"),
                       "'generateName':'rehearsal-'}}|GET web=>200 {'kind':'Deployment','metadata':{",
                       "201 "
                       "{'kind':'Deployment','metadata':{'name':'rehearsal-x','generateName':'rehearsal-','"
                       "namespace':'ns','uid':'v',"
                       "'labels':{'l':'b'}},'spec':{'replicas':1}}",
                       LIVE("a", 1, 1));
    assert_rows(o, 0, "Deployment web a>b");
}

CASES("rehearse/overlay_apply")
