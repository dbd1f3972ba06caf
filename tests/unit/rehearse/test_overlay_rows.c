/* What is there to report: of objects that were written, and of those that came and went. */
#include "overlay_script.h"

static struct overlay *make(void) {
    return overlay_new(NULL, 1);
}
#define TEST_CASE(name) CASE_OF(struct overlay, o, make(), overlay_free, name)
#define SUCCESS         "200 {'kind':'Status','status':'Success'}"

static struct gate_request in(const char *group, const char *resource, enum gate_kind kind,
                              const char *name) {
    struct gate_request r = ask(kind, resource, name);
    r.group = slice_of(group);
    return r;
}

/* Of each row "NAME WRITES", how long they took, and "orphans". */
static void add_row(void *ctx, const struct overlay_row *r) {
    struct buf *b = ctx;
    buf_addf(b, "%s%.*s %u", b->n ? "|" : "", SLF(r->name), r->writes);
    if (r->last_ns > r->first_ns) buf_addf(b, " in %d s", (int)((r->last_ns - r->first_ns) / SECOND));
    if (r->orphans) buf_adds(b, " orphans");
}
static void expect(struct overlay *o, int64_t now, const char *want) {
    cleanup_buf struct buf b = BUF(1 << 16);
    overlay_rows(o, now, add_row, &b);
    assert_string_equal(buf_str(&b), want);
}

/* What is deleted takes what it owns with it or not: as is asked, else as its kind has it. */
CASE(deletes_that_orphan) {
    static const struct {
        const char *group, *resource, *options;
        bool orphans;
    } v[] = {{"apps", "deployments", "", false},
             {"apps", "deployments", "{'propagationPolicy':'Orphan'}", true},
             {"apps", "deployments", "{'orphanDependents':true}", true},
             {"batch", "jobs", "", true},
             {"batch", "jobs", "{'propagationPolicy':'Background'}", false},
             {"batch", "jobs", "{'orphanDependents':false}", false},
             {"batch", "cronjobs", "", false},
             {"", "replicationcontrollers", "", true},
             {"example.com", "jobs", "", false}};
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        for (int collection = 0; collection < 2; collection++) {
            struct overlay *o = make();
            char options[64];
            snprintf(options, sizeof options, "%s", v[i].options);
            struct gate_request r =
                in(v[i].group, v[i].resource, collection ? GATE_DELETE_COLLECTION : GATE_DELETE,
                   collection ? "" : "x");
            r.delete_options = slice_of(quoted(options));
#define OBJECT "{'kind':'K','metadata':{'name':'x','namespace':'ns','uid':'u','resourceVersion':'100'}}"
            print_message("%s %s %d\n", v[i].resource, v[i].options, collection);
            if (collection)
                assert_carried_has(o, r, "=>200", "200 {'kind':'KList','items':[" OBJECT "]}");
            else
                assert_carried_has(o, r, "=>200", "200 " OBJECT, SUCCESS);
            expect(o, 0, v[i].orphans ? "x 1 orphans" : "x 1");
            overlay_free(o);
        }
    }
}

/* ---- loops ---- */

/* Makes an object with that metadata, as the API server answers it. */
static void makes(struct overlay *o, const char *meta, const char *answer) {
    cleanup_free char *body = xasprintf("{'metadata':{%s}}", meta),
                      *made =
                          xasprintf("201 {'kind':'Job','metadata':{'namespace':'ns',%s,%s}}", meta, answer);
    struct gate_request r = with_body(ask(GATE_CREATE, "jobs", ""), GATE_JSON, body);
    assert_carried_has(o, r, "=>201", made);
}
static void deletes(struct overlay *o, const char *name) {
    assert_carried_has(o, ask(GATE_DELETE, "jobs", name), "=>200", "404 {'kind':'Status','code':404}");
}

TEST_CASE(one_name_made_and_deleted_again_and_again) {
    for (int i = 1; i <= 6; i++) {
        expect(o, 0, "");
        makes(o, "'name':'a'", "'uid':'u'");
        expect(o, 0,
               i == 1   ? "a 1"
               : i == 2 ? "a 3"
               : i == 3 ? "a 5"
               : i == 4 ? "a 7"
               : i == 5 ? "a 9"
                        : "a 11");
        deletes(o, "a");
    }
    expect(o, 0, "a 12");
    makes(o, "'name':'b'", "'uid':'u'");
    expect(o, 400 * SECOND, "b 1|a 12"); /* a run that ended long ago is forgotten with the next write */
    struct gate_request r = ask(GATE_DELETE, "jobs", "b");
    struct overlay_step step;
    struct overlay_write *w = overlay_write_begin(o, &r, 400 * SECOND, &step);
    overlay_write_feed(w, 400 * SECOND, 404, SL("{}"), &step);
    overlay_write_free(w);
    expect(o, 400 * SECOND, "");
}

/* generateName, the owner, the name that is made of it. */
static void comes_and_goes(struct overlay *o, const char *prefix, const char *owner, int number, bool goes) {
    cleanup_free char *meta =
                          xasprintf("'generateName':'%s'%s%s%s", prefix,
                                    owner[0] ? ",'ownerReferences':[{'kind':'Task','name':'t','uid':'" : "",
                                    owner, owner[0] ? "','controller':true}]" : ""),
                      *name = xasprintf("%s%05d", prefix, number),
                      *answer = xasprintf("'name':'%s','uid':'%s'", name, name);
    makes(o, meta, answer);
    if (goes) deletes(o, name);
}

TEST_CASE(made_names_are_counted_by_their_maker) {
    for (int i = 0; i < 5; i++) {
        comes_and_goes(o, "run-", "t1", i, true);
        comes_and_goes(o, "run-", "t2", 10 + i, true);
        comes_and_goes(o, "own-", "t1", i, true);
        comes_and_goes(o, "run-", "", 20 + i, true);
    }
    expect(o, 0, "");
    comes_and_goes(o, "run-", "t1", 5, true);
    expect(o, 0, "run-* 12");
    comes_and_goes(o, "run-", "", 25, true);
    comes_and_goes(o, "run-", "", 26, true);
    expect(o, 0, "run-* 14|run-* 12");
}

/* Many at once are no loop, and none that an owner takes with it, which is what loops then. */
TEST_CASE(what_is_no_loop) {
    for (int i = 0; i < 12; i++) comes_and_goes(o, "run-", "t", i, false);
    cleanup_buf struct buf b = BUF(1 << 16);
    overlay_rows(o, 0, add_row, &b);
    assert_lacks(buf_str(&b), "*");
    makes(o, "'name':'owner'", "'uid':'t9'");
    for (int i = 20; i < 32; i++) comes_and_goes(o, "run-", "t9", i, false);
    deletes(o, "owner");
    buf_clear(&b);
    overlay_rows(o, 0, add_row, &b);
    assert_lacks(buf_str(&b), "*");
    assert_lacks(buf_str(&b), "run-00020");
}

TEST_CASE(when_a_loop_began_and_ended) {
    for (int i = 0; i < 6; i++) comes_and_goes(o, "run-", "t", i, true);
    comes_and_goes(o, "run-", "t", 9, false);
    struct overlay_step step;
    struct gate_request r = ask(GATE_DELETE, "jobs", "run-00009");
    struct overlay_write *w = overlay_write_begin(o, &r, 70 * SECOND, &step);
    overlay_write_feed(w, 70 * SECOND, 404, SL("{}"), &step);
    overlay_write_free(w);
    expect(o, 0, "run-* 14 in 20 s");
}

CASES("rehearse/overlay_rows")
