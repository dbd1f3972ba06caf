/* Has the live object come to be what the operator wrote? Then it is nothing of the operator's own. */
#include "overlay_kit_put.h"

static const char *body_of(const char *members, unsigned rv) {
    static char text[8][1024];
    static unsigned next;
    char *t = text[next++ % 8];
    if (!members) return "";
    cleanup_free char *m = quoted(xstrdup(members));
    snprintf(t, 1024,
             "{\"kind\":\"Deployment\",\"apiVersion\":\"apps/"
             "v1\",\"metadata\":{\"name\":\"web\",\"namespace\":\"ns\","
             "\"uid\":\"live\",\"resourceVersion\":\"%u\"%s}",
             rv, m);
    return t;
}

static void on_row(void *ctx, const struct overlay_row *r) {
    struct buf *out = ctx;
    buf_adds(out, r->met ? "met" : r->superseded ? "superseded" : "present");
}

static const char *row_of(struct kit *k) {
    static char text[64];
    struct buf out = BUF(60);
    overlay_rows(k->o, 0, on_row, &out);
    snprintf(text, sizeof text, "%s", buf_str(&out));
    buf_free(&out);
    return text;
}

/* base: what was live; wrote: what the operator made of it; then: live states in a row. NULL: there is none. Members: of metadata, then of the object. */
static const struct {
    const char *what, *base, *wrote, *then[2], *row;
} rows[] = {
    {"the same value", "},'spec':{'n':1}", "},'spec':{'n':2}", {"},'spec':{'n':2}"}, "met"},
    {"what others have changed since is theirs",
     "},'spec':{'n':1}",
     "},'spec':{'n':2}",
     {"},'spec':{'n':3}"},
     "met"},
    {"what others wrote beside is no matter",
     "},'spec':{'n':1,'o':1}",
     "},'spec':{'n':2,'o':1}",
     {"},'spec':{'n':2,'o':5,'p':1}"},
     "met"},
    {"at some time, though not at first, nor any more",
     "},'spec':{'n':1}",
     "},'spec':{'n':2}",
     {"},'spec':{'n':1},'status':{}", "},'spec':{'n':2}"},
     "met"},
    {"it stays met", "},'spec':{'n':1}", "},'spec':{'n':2}", {"},'spec':{'n':2}", "},'spec':{'n':9}"}, "met"},
    {"half of it",
     "},'spec':{'n':1,'m':1}",
     "},'spec':{'n':2,'m':2}",
     {"},'spec':{'n':2,'m':1}"},
     "superseded"},
    {"what was taken away", "},'spec':{'n':1,'m':1}", "},'spec':{'n':1}", {"},'spec':{'n':1}"}, "met"},
    {"what was to be taken away is another value",
     "},'spec':{'n':1,'m':1}",
     "},'spec':{'n':1}",
     {"},'spec':{'n':1,'m':2}"},
     "met"},
    {"null is absent", "},'spec':{'n':1}", "},'spec':{'n':null}", {"},'spec':{}"}, "met"},
    {"times move",
     "},'status':{'at':'2026-11-23T18:16:33Z'}",
     "},'status':{'at':'2026-11-23T18:16:34Z'}",
     {"},'status':{'at':'2026-11-23T18:16:35Z'}"},
     "met"},
    {"a time that others have made another text",
     "},'status':{'at':'2026-11-23T18:16:33Z'}",
     "},'status':{'at':'2026-11-23T18:16:34Z'}",
     {"},'status':{'at':'never'}"},
     "met"},
    {"a finalizer among those of others", "}", ",'finalizers':['a']}", {",'finalizers':['b','a']}"}, "met"},
    {"another finalizer", "}", ",'finalizers':['a']}", {",'finalizers':['b']}"}, "superseded"},
    {"a finalizer that goes",
     ",'finalizers':['a','b']}",
     ",'finalizers':['b']}",
     {",'finalizers':['a','b','c']}", ",'finalizers':['c']}"},
     "met"},
    {"an element by its key",
     "},'spec':{'c':[{'name':'a','n':1}]}",
     "},'spec':{'c':[{'name':'a','n':2}]}",
     {"},'spec':{'c':[{'name':'z'},{'name':'a','n':2}]}"},
     "met"},
    {"an element that is another",
     "},'spec':{'c':[{'name':'a','n':1}]}",
     "},'spec':{'c':[{'name':'a','n':2}]}",
     {"},'spec':{'c':[{'name':'a','n':1},{'name':'b','n':2}]}"},
     "superseded"},
    {"an element that goes",
     "},'spec':{'c':[{'name':'a'},{'name':'b'}]}",
     "},'spec':{'c':[{'name':'a'}]}",
     {"},'spec':{'c':[{'name':'a'},{'name':'b'}]},'x':1"},
     "superseded"},
    {"a list without a key, as a whole",
     "},'spec':{'c':[1]}",
     "},'spec':{'c':[1,2]}",
     {"},'spec':{'c':[1,2]}"},
     "met"},
    {"a list without a key that others have changed",
     "},'spec':{'c':[1]}",
     "},'spec':{'c':[1,2]}",
     {"},'spec':{'c':[1,2,3]}"},
     "met"},
    {"what was created, and has come to more",
     NULL,
     ",'labels':{'l':'a'}},'spec':{'n':1}",
     {",'labels':{'l':'a'},'annotations':{'x':'y'}},'spec':{'n':1},'status':{'r':1}"},
     "met"},
    {"what was created otherwise", NULL, "},'spec':{'n':1}", {"},'spec':{'n':2}"}, "superseded"},
    {"what was deleted", "}", NULL, {NULL}, "met"},
    {"what was deleted is changed", "}", NULL, {"},'x':1"}, "superseded"},
    {"what was deleted is changed, then goes", "}", NULL, {"},'x':1", NULL}, "met"},
    {"what waits for its finalizers goes",
     ",'finalizers':['a']}",
     ",'finalizers':['a'],'deletionTimestamp':'2026-11-23T18:16:33Z'}",
     {NULL},
     "met"},
    {"what waits for its finalizers waits live",
     ",'finalizers':['a']}",
     ",'finalizers':['a'],'deletionTimestamp':'2026-11-23T18:16:33Z'}",
     {",'finalizers':['a'],'deletionTimestamp':'2026-11-23T18:16:35Z'}"},
     "met"},
    /* What nobody took over is not met by what else happens to the object. */
    {"a time that stays as it was",
     "},'status':{'at':'2026-11-23T18:16:33Z'}",
     "},'status':{'at':'2026-11-23T18:16:34Z'}",
     {"},'status':{'at':'2026-11-23T18:16:33Z'},'x':1"},
     "superseded"},
    {"a restart that others have asked for since",
     "},'spec':{'template':{'at':'2026-11-23T18:16:33Z'}}",
     "},'spec':{'template':{'at':'2026-11-23T18:16:34Z'}}",
     {"},'spec':{'template':{'at':'2026-11-23T18:16:35Z'}}"},
     "met"},
    {"the same restart",
     "},'spec':{'template':{'at':'2026-11-23T18:16:33Z'}}",
     "},'spec':{'template':{'at':'2026-11-23T18:16:34Z'}}",
     {"},'spec':{'template':{'at':'2026-11-23T18:16:34Z'}}"},
     "met"},
    {"another order",
     "},'spec':{'env':[{'name':'a'},{'name':'b'}]}",
     "},'spec':{'env':[{'name':'b'},{'name':'a'}]}",
     {"},'spec':{'env':[{'name':'a'},{'name':'b'}]},'x':1"},
     "superseded"},
    {"the same order",
     "},'spec':{'env':[{'name':'a'},{'name':'b'}]}",
     "},'spec':{'env':[{'name':'b'},{'name':'a'}]}",
     {"},'spec':{'env':[{'name':'b'},{'name':'x'},{'name':'a'}]}"},
     "met"},
    {"another order of words",
     "},'spec':{'args':['a','b']}",
     "},'spec':{'args':['b','a']}",
     {"},'spec':{'args':['a','b']},'x':1"},
     "superseded"},
    {"no order of conditions",
     "},'status':{'c':[{'type':'a','s':1},{'type':'b'}]}",
     "},'status':{'c':[{'type':'b'},{'type':'a','s':2}]}",
     {"},'status':{'c':[{'type':'a','s':2},{'type':'b'}]}"},
     "met"},
    {"a generation of somebody's own",
     "},'data':{'generation':'1'}",
     "},'data':{'generation':'2'}",
     {"},'data':{'generation':'1'},'x':1"},
     "superseded"},
    {"a uid of somebody's own",
     ",'labels':{'uid':'1'}}",
     ",'labels':{'uid':'2'}}",
     {",'labels':{'uid':'1'}},'x':1"},
     "superseded"},
    {"an observed generation",
     "},'status':{'observedGeneration':1}",
     "},'status':{'observedGeneration':2}",
     {"},'status':{'observedGeneration':3}"},
     "met"},
    {"an owner that has another uid here",
     "}",
     ",'ownerReferences':[{'kind':'A','name':'a','uid':'made'}]}",
     {",'ownerReferences':[{'kind':'A','name':'a','uid':'live'}]}"},
     "met"},
    {"elements that have one name",
     "},'subjects':[{'name':'a','n':1}]",
     "},'subjects':[{'name':'a','n':1},{'name':'a','n':2}]",
     {"},'subjects':[{'name':'a','n':1}],'x':1"},
     "superseded"},
    {"what was changed goes", "},'spec':{'n':1}", "},'spec':{'n':2}", {NULL}, "superseded"},
    {"a restart that nobody else asks for",
     "},'spec':{'template':{'at':'2026-11-23T18:16:33Z'}}",
     "},'spec':{'template':{'at':'2026-11-23T18:16:34Z'}}",
     {"},'spec':{'template':{'at':'2026-11-23T18:16:33Z'}},'x':1"},
     "superseded"},
    {"what was to be taken away is there",
     "},'spec':{'n':1,'m':1}",
     "},'spec':{'n':1}",
     {"},'spec':{'n':1,'m':1},'x':1"},
     "superseded"},
    {"a value that others have set first", "},'spec':{}", "},'spec':{'n':1}", {"},'spec':{'n':2}"}, "met"},
    {"a value that nobody has set", "},'spec':{}", "},'spec':{'n':1}", {"},'spec':{'m':2}"}, "superseded"},
    {"an order that others have changed since",
     "},'spec':{'env':[{'name':'a'},{'name':'b'},{'name':'c'}]}",
     "},'spec':{'env':[{'name':'b'},{'name':'a'},{'name':'c'}]}",
     {"},'spec':{'env':[{'name':'c'},{'name':'a'},{'name':'b'}]}"},
     "met"},
};

static const char *row_after(size_t i) {
    struct kit k;
    struct heard h;
    kit_open(&k);
    heard_open(&h, k.o, k.all, "90");
    const char *base = body_of(rows[i].base, 100), *wrote = body_of(rows[i].wrote, rows[i].base ? 100 : 1);
    struct overlay_put p = kit_of(&k, "web", slice_of(base), slice_of(wrote));
    assert_non_null(rows[i].wrote ? overlay_put(k.o, k.res, &p) : overlay_delete(k.o, k.res, &p));
    assert_string_equal(row_of(&k), "present");
    size_t n = rows[i].then[1] || strstr(rows[i].what, "then goes") ? 2 : 1;
    for (size_t j = 0; j < n; j++) {
        const char *live = rows[i].then[j], *type = !live ? "DELETED" : rows[i].base ? "MODIFIED" : "ADDED";
        overlay_watch_event(h.w, 0, event(type, slice_of(body_of(live ? live : "}", 101 + (unsigned)j))));
    }
    const char *row = row_of(&k);
    heard_free(&h);
    kit_close(&k);
    return row;
}

CASE(what_has_come_about) {
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *row = row_after(i);
        if (strcmp(row, rows[i].row) != 0) fail_msg("%s: %s, not %s", rows[i].what, row, rows[i].row);
    }
}

/* Until somebody has deleted the one before as well. */
CASE_WITH(struct kit, k, kit_open, kit_close, what_was_made_anew_is_not_the_live_one) {
    static const struct { const char *live, *row; } states[] = {{"old", "superseded"}, {"new", "met"}};
    for (size_t i = 0; i < ARRAY_LEN(states); i++) {
        struct heard h;
        char base[] = "{'metadata':{'name':'web','namespace':'ns','uid':'old','resourceVersion':'100'},'data'"
                      ":{'a':'1'}}",
             text[] = "{'metadata':{'name':'web','namespace':'ns','uid':'made','resourceVersion':'1'},'data':"
                      "{'a':'1'}}";
        cleanup_free char *live = quoted(xasprintf("{'metadata':{'name':'web','namespace':'ns','uid':'%s','"
                                                   "resourceVersion':'%zu'},'data':{'a':'1'}}",
                                                   states[i].live, 101 + i));
        if (i == 0) {
            struct overlay_put p = kit_of(k, "web", slice_of(quoted(base)), slice_of(quoted(text)));
            assert_non_null(overlay_put(k->o, k->res, &p));
        }
        heard_open(&h, k->o, k->all, "90");
        overlay_watch_event(h.w, 0, event("MODIFIED", slice_of(live)));
        assert_string_equal(row_of(k), states[i].row);
        heard_free(&h);
    }
}

/* What goes from a selection may be there still. */
CASE_WITH(struct kit, k, kit_open, kit_close, a_watch_that_selects_does_not_know_what_has_gone) {
    struct heard h;
    k->all.labels = SL("l=a");
    heard_open(&h, k->o, k->all, "90");
    kit_delete(k, "web", object("web", "100", "a"));
    overlay_watch_event(h.w, 0, event("DELETED", object("web", "101", "b")));
    assert_string_equal(row_of(k), "superseded");
    heard_free(&h);
}

/* What is written after that is another matter. */
CASE_WITH(struct kit, k, kit_open, kit_close, a_write_after_it_counts) {
    struct heard h;
    heard_open(&h, k->o, k->all, "90");
    kit_put(k, "web", object("web", "100", "a"), "b");
    overlay_watch_event(h.w, 0, event("MODIFIED", object("web", "101", "b")));
    assert_string_equal(row_of(k), "met");
    kit_put(k, "web", object("web", "101", "b"), "c");
    assert_string_equal(row_of(k), "present");
    overlay_watch_event(h.w, 0, event("MODIFIED", object("web", "102", "b")));
    assert_string_equal(row_of(k), "superseded");
    heard_free(&h);
}

/* Ten seconds, then it is counted, until it is written again: whether it is still known, or was forgotten after five minutes. */
CASE_WITH(struct kit, k, kit_open, kit_close, what_was_superseded_is_counted) {
    struct heard h;
    heard_open(&h, k->o, k->all, "90");
    kit_put(k, "web", object("web", "100", "a"), "b");
    kit_put(k, "met", object("met", "101", "a"), "b");
    overlay_watch_event(h.w, 0, event("MODIFIED", object("web", "102", "a")));
    overlay_watch_event(h.w, 0, event("MODIFIED", object("met", "103", "b")));
    assert_int_equal(overlay_superseded(k->o, 9 * SECOND), 0);
    assert_int_equal(overlay_superseded(k->o, 10 * SECOND), 1);
    struct overlay_put p = kit_of(k, "web", object("web", "102", "a"), object("web", "1", "b"));
    p.now = 20 * SECOND;
    assert_non_null(overlay_put(k->o, k->res, &p));
    assert_int_equal(overlay_superseded(k->o, 20 * SECOND), 0);
    overlay_watch_event(h.w, 20 * SECOND, event("MODIFIED", object("web", "104", "a")));
    p = kit_of(k, "db", object("db", "105", "a"), object("db", "1", "b"));
    p.now = 400 * SECOND;
    assert_non_null(overlay_put(k->o, k->res, &p)); /* the record is forgotten */
    assert_int_equal(overlay_superseded(k->o, 400 * SECOND), 1);
    assert_false(overlay_counts(k->o)->full);
    heard_free(&h);
}

/* Where there is no room for what is still to be reported, the report is not whole. */
CASE(what_is_superseded_and_forgotten_at_once) {
    for (int64_t later = 0; later <= 20; later += 20) {
        struct kit k = {.o = overlay_new(&(struct overlay_limits){.entries = 1}, 1),
                        .all = ask(GATE_LIST, "deployments", "")};
        struct heard h;
        k.res = overlay_res(k.o, SL("apps"), SL("deployments"));
        heard_open(&h, k.o, k.all, "90");
        kit_put(&k, "web", object("web", "100", "a"), "b");
        overlay_watch_event(h.w, 0, event("MODIFIED", object("web", "102", "a")));
        struct overlay_put p = kit_of(&k, "db", object("db", "103", "a"), object("db", "1", "b"));
        p.now = later * SECOND;
        assert_non_null(overlay_put(k.o, k.res, &p));
        assert_int_equal(overlay_counts(k.o)->full, later < 10);
        heard_free(&h);
        kit_close(&k);
    }
}

CASE_WITH(struct kit, k, kit_open, kit_close, a_read_and_a_list_see_it_too) {
    struct gate_request web = ask(GATE_GET, "deployments", "web");
    kit_put(k, "web", object("web", "100", "a"), "b");
    assert_string_equal(got(k->o, web, 200, object("web", "101", "b")), "200 101000000 b");
    assert_string_equal(row_of(k), "met");
    kit_delete(k, "web", object("web", "101", "b"));
    assert_string_equal(got(k->o, web, 404, SL("{\"kind\":\"Status\"}")), "404");
    assert_string_equal(row_of(k), "met");
    kit_put(k, "db", object("db", "110", "a"), "b");
    assert_page(k->o, k->all, "111", true, "db 111000000 b|@111000005", object("db", "111", "b"));
    assert_string_equal(row_of(k), "metmet");
}

CASES("rehearse/overlay_met")
