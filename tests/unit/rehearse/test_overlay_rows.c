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

/* "NAME WRITES", "orphans" behind it; of each row. */
static void add_row(void *ctx, const struct overlay_row *r) {
    struct buf *b = ctx;
    buf_addf(b, "%s%.*s %u%s", b->n ? "|" : "", SLF(r->name), r->writes, r->orphans ? " orphans" : "");
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

CASES("rehearse/overlay_rows")
