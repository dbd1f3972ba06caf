/* ListOptions: the first byte says whose server it is and whether this is a watch, the rest is the query. Two
 * that may not go together are refused for a reason that is named, and what is taken makes sense. */
#include "fuzz.h"
#include "rest/list_options.h"

static void check_taken(const struct call *c, const struct list_options *o, bool watch) {
    FUZZ_CHECK(o->limit >= 0 && (!o->more || o->more[0]));
    FUZZ_CHECK(!o->end_mark || (watch && o->state && o->bookmarks));
    FUZZ_CHECK(!o->exact || !watch);
    FUZZ_CHECK(!o->exact || o->rv > 0);
    FUZZ_CHECK(watch || !o->more || o->rv == 0);
    FUZZ_CHECK(!watch || o->state || o->rv > 0);
    FUZZ_CHECK(c->f.code == 0 && c->f.ncauses == 0);
}

FUZZ(in) {
    static const enum sim_release releases[] = {SIM_RELEASE_1_18, SIM_RELEASE_1_20, SIM_RELEASE_1_33,
                                                SIM_RELEASE_1_37};
    unsigned first = in.n ? (unsigned char)in.p[0] : 0;
    bool watch = first & 4;
    struct sim *s = sim_new(&(struct sim_config){.seed = 1, .release = releases[first & 3]});
    struct call c = {.s = s, .type = type_find(s, "", "configmaps"), .sub = ""};
    api_status_init(&c.f);
    struct buf target = BUF((size_t)1 << 20);
    buf_adds(&target, "/api/v1/configmaps?");
    if (in.n > 1) buf_add(&target, slice_make(in.p + 1, in.n - 1));
    struct list_options o = {0};
    if (request_uri_parse(buf_slice(&target), &c.t, &c.f) < 0) {
        FUZZ_CHECK(c.f.code == 400);
    } else if (list_options_read(&c, watch, &o) == 0) {
        check_taken(&c, &o, watch);
    } else {
        FUZZ_CHECK(c.f.code == 400 || c.f.code == 422 || (watch && c.f.code == 504));
        FUZZ_CHECK(c.f.message && (c.f.code != 422 || c.f.ncauses > 0));
    }
    request_uri_free(&c.t);
    buf_free(&target);
    api_status_free(&c.f);
    sim_free(s);
}
