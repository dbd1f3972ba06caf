/* What is kept without being written, live objects that were seen and answers to applies, stays within the overlay's limit. */
#include "overlay_kit_put.h"
#include "overlay_script.h"

enum { LIMIT = 6000, LARGE = 5600 };

struct small {
    struct kit k;
    struct buf live; /* newer than what the entry was made from, and almost all that there is room for */
};
static void small_open(struct small *s) {
    s->k.o = overlay_new(&(struct overlay_limits){.bytes = LIMIT}, 1);
    s->k.res = overlay_res(s->k.o, SL("apps"), SL("deployments"));
    s->k.all = ask(GATE_LIST, "deployments", "");
    s->live = BUF(1 << 16);
    buf_adds(&s->live, "{\"metadata\":{\"name\":\"web\",\"namespace\":\"ns\",\"uid\":\"u-web\","
                       "\"resourceVersion\":\"110\"},\"x\":\"");
    for (int i = 0; i < LARGE; i++) buf_addc(&s->live, 'x');
    buf_adds(&s->live, "\"}");
    kit_put(&s->k, "web", object("web", "100", "blue"), "red");
}
static void small_close(struct small *s) {
    buf_free(&s->live);
    kit_close(&s->k);
}
static size_t used(const struct small *s) {
    return overlay_counts(s->k.o)->bytes;
}
#define SMALL_CASE(name) CASE_WITH(struct small, s, small_open, small_close, name)

SMALL_CASE(a_live_object_that_a_watch_sees_is_kept_within_the_limit) {
    cleanup_heard struct heard h;
    heard_open(&h, s->k.o, s->k.all, "100000001");
    cleanup_free char *ev = xasprintf("{\"type\":\"MODIFIED\",\"object\":%s}", buf_str(&s->live));
    assert_int_equal(overlay_watch_event(h.w, 0, slice_of(ev)), 0);
    assert_heard(h, "MODIFIED web 110000000");
    assert_in_range(used(s), 0, LIMIT);
    /* Who did not see it begins anew. */
    heard_free(&h);
    heard_open(&h, s->k.o, s->k.all, "100000001");
    assert_heard(h, "ERROR");
}

SMALL_CASE(a_live_object_that_a_list_sees_is_kept_within_the_limit) {
    struct buf out = BUF(1 << 16);
    struct overlay_list *l = overlay_list_begin(s->k.o, &s->k.all);
    assert_int_equal(overlay_list_item(l, 0, buf_slice(&s->live), &out), 0);
    assert_has(buf_str(&out), "\"110000000\"");
    assert_in_range(used(s), 0, LIMIT);
    overlay_list_end(l);
    buf_free(&out);
}

SMALL_CASE(a_live_object_that_is_read_is_kept_within_the_limit) {
    assert_string_equal(got(s->k.o, ask(GATE_GET, "deployments", "web"), 200, buf_slice(&s->live)),
                        "200 110000000");
    assert_in_range(used(s), 0, LIMIT);
}

SMALL_CASE(a_live_object_that_a_write_meets_is_kept_within_the_limit) {
    struct gate_request r = with_body(ask(GATE_PATCH, "deployments", "web"), GATE_PATCH_MERGE, "{'spec':{}}");
    struct overlay_step step;
    struct overlay_write *w = overlay_write_begin(s->k.o, &r, 0, &step);
    overlay_write_feed(w, 0, 409, SL("{\"kind\":\"Status\",\"code\":409}"), &step);
    assert_false(step.answered); /* reads it */
    overlay_write_feed(w, 0, 200, buf_slice(&s->live), &step);
    assert_in_range(used(s), 0, LIMIT);
    overlay_write_free(w);
}

CASE(the_answer_to_an_apply_is_kept_within_the_limit) {
    struct overlay *o = overlay_new(&(struct overlay_limits){.bytes = LIMIT}, 1);
    struct gate_request r = with_body(ask(GATE_PATCH, "deployments", "db"), GATE_APPLY,
                                      "{'metadata':{'name':'db'},'spec':{'v':1}}");
    cleanup_free char *pad = xmalloc(LARGE + 1);
    memset(pad, 'x', LARGE);
    pad[LARGE] = '\0';
    cleanup_free char *large = xasprintf("201 {'kind':'Deployment','metadata':{'name':'db','namespace':'ns',"
                                         "'uid':'d'},'spec':{'v':1},'status':'%s'}",
                                         pad);
    r.manager = SL("me");
    assert_carried_has(
        o, r, "=>201", "404 {'kind':'Status','code':404}",
        "201 {'kind':'Deployment','metadata':{'name':'db','namespace':'ns','uid':'d'},'spec':{'v':1}}");
    assert_carried_has(o, r, "=>200", large); /* a status that nobody has here */
    assert_in_range(overlay_counts(o)->bytes, 1, LIMIT);
    overlay_free(o);
}

CASES("rehearse/overlay_limits")
