/* Events are kept in a ring and never sent; what is reported is reported as it was. */
#include "overlay_script.h"

static struct gate_request events(enum gate_kind kind, const char *name, bool core) {
    struct gate_request r = ask(kind, "events", name);
    r.group = core ? SL("") : SL("events.k8s.io");
    return r;
}
static void seen(void *ctx, const struct overlay_event *e) {
    struct buf *b = ctx;
    buf_addf(b, "%.*s %.*s %.*s/%.*s %u: %.*s|", SLF(e->type), SLF(e->reason), SLF(e->kind), SLF(e->name),
             e->count, SLF(e->message));
}
#define assert_events(o, want)                                                                               \
    do {                                                                                                     \
        struct buf b_ = BUF(1 << 16);                                                                        \
        overlay_events(o, seen, &b_);                                                                        \
        assert_string_equal(buf_str(&b_), want);                                                             \
        buf_free(&b_);                                                                                       \
    } while (0)

CASE(events_are_answered_and_kept_the_oldest_go) {
    struct overlay *o = overlay_new(&(struct overlay_limits){.events = 2}, 1);
    for (char c = 'a'; c <= 'c'; c++) {
        char body[300];
        snprintf(body, sizeof body,
                 "{'kind':'Event','metadata':{'name':'%c'},'type':'Normal','reason':'R','message':'m','"
                 "involvedObject':{'kind':'Pod','name':'p'},"
                 "'count':1}",
                 c);
        assert_carried_has(o, with_body(events(GATE_CREATE, "", true), GATE_JSON, body),
                           "=>201 {'kind':'Event','metadata':{'resourceVersion':'1");
    }
    assert_carried_has(o, with_body(events(GATE_PATCH, "b", true), GATE_PATCH_STRATEGIC, "{'count':5}"),
                       "=>200");
    assert_carried_has(o, with_body(events(GATE_PATCH, "a", true), GATE_PATCH_STRATEGIC, "{'count':5}"),
                       "=>404"); /* then it is made anew */
    assert_carried_has(o, with_body(events(GATE_PATCH, "b", true), GATE_PATCH_MERGE, "[]"), "=>422");
    assert_events(o, "Normal R Pod/p 5: m|Normal R Pod/p 1: m|");
    assert_carried_has(o,
                       with_body(events(GATE_CREATE, "", false), GATE_JSON,
                                 "{'metadata':{'generateName':'e-'},'type':'Warning','reason':'W','note':'n',"
                                 "'regarding':{'kind':'Set','name':'s'},"
                                 "'series':{'count':3}}"),
                       "'name':'e-");
    assert_events(o, "Normal R Pod/p 1: m|Warning W Set/s 3: n|");
    assert_carried_has(o, with_body(events(GATE_CREATE, "", true), GATE_JSON, "7"), "=>400");
    overlay_free(o);
}

CASE(a_row_stays_for_a_while_when_its_live_object_has_changed) {
    struct overlay *o = overlay_new(NULL, 1);
    struct gate_request r = with_body(ask(GATE_PATCH, "deployments", "web"), GATE_PATCH_MERGE,
                                      "{'metadata':{'labels':{'l':'red'}}}");
    struct gate_request get = ask(GATE_GET, "deployments", "web");
    struct buf out = BUF(4096);
    static const char *const answers[] = {"200 "
                                          "{'kind':'Deployment','metadata':{'name':'web','namespace':'ns','"
                                          "uid':'u','resourceVersion':'100','labels':{'l':'blue'}}}",
                                          "200 "
                                          "{'kind':'Deployment','metadata':{'name':'web','namespace':'ns','"
                                          "uid':'u','resourceVersion':'100','labels':{'l':'red'}}}",
                                          NULL};
    carried_out(o, r, answers);
    assert_rows(o, 50 * SECOND, "Deployment web blue>red");
    overlay_get(o, &get, 60 * SECOND, 200, object("web", "101", "green"), &out);
    assert_rows(o, 69 * SECOND, "Deployment web blue>red!");
    assert_rows(o, 70 * SECOND, "");
    static const char *const again[] = {"200 "
                                        "{'kind':'Deployment','metadata':{'name':'web','namespace':'ns','uid'"
                                        ":'u','resourceVersion':'101','labels':{'l':'green'}}}",
                                        "200 "
                                        "{'kind':'Deployment','metadata':{'name':'web','namespace':'ns','uid'"
                                        ":'u','resourceVersion':'101','labels':{'l':'red'}}}",
                                        NULL};
    carried_out(o, r, again);
    assert_rows(o, 70 * SECOND, "Deployment web green>red");
    buf_free(&out);
    overlay_free(o);
}

static void refusal(void *ctx, struct slice what, struct slice why, uint64_t n) {
    buf_addf(ctx, "%.*s: %.*s %d|", SLF(what), SLF(why), (int)n);
}

CASE(refusals_are_counted_by_what_and_why) {
    struct overlay *o = overlay_new(NULL, 1);
    struct buf b = BUF(4096);
    overlay_refused(o, SL("exec"), SL("reaches out"));
    overlay_refused(o, SL("exec"), SL("reaches out"));
    overlay_refused(o, SL("exec"), SL("other"));
    overlay_refusals(o, refusal, &b);
    assert_buf(b, "exec: reaches out 2|exec: other 1|");
    for (int i = 0; i < 500; i++) {
        char text[16];
        snprintf(text, sizeof text, "%d", i);
        overlay_refused(o, slice_of(text), SL(""));
    }
    assert_int_equal(overlay_counts(o)->refused, 503);
    assert_true(overlay_counts(o)->full);
    buf_free(&b);
    overlay_free(o);
}

CASES("rehearse/overlay_events")
