/* What holds of an overlay at any time, whatever it has been given: what it counts is what it has, within its limits, in order. */
#ifndef FUZZ_OVERLAY_CHECK_H
#define FUZZ_OVERLAY_CHECK_H
#include "fuzz.h"
#include "overlay_impl.h"

static inline size_t overlay_check_entry(const struct overlay_entry *e) {
    bool record = e->state == ENTRY_PASSED || (e->state == ENTRY_DELETED && !e->based && !e->personal);
    size_t bytes = sizeof *e + e->base.n + e->first.n + e->text.n;
    for (const struct overlay_applied *a = e->applied; a; a = a->next) bytes += a->config.n + a->text.n;
    FUZZ_CHECK(record == !list_empty(&e->record));
    FUZZ_CHECK(e->text.n && e->rv.live && e->change && e->change <= e->res->changes);
    FUZZ_CHECK(e->state != ENTRY_PRESENT || e->rv.change);
    return bytes;
}

static inline void overlay_check_resource(const struct overlay_res *res) {
    size_t n = 0, twins = 0, tombs = 0;
    unsigned change = 0;
    list_each(at, &res->entries) {
        const struct overlay_entry *e = container_of(at, struct overlay_entry, link);
        FUZZ_CHECK(e->res == res && e->change >= change);
        change = e->change;
        n++;
        twins += overlay_may_have_twin(e);
        tombs += overlay_is_tomb(e);
    }
    FUZZ_CHECK(n == res->n && twins == res->twins && tombs == res->tombs);
}

static inline void overlay_check(const struct overlay *o) {
    size_t n = 0, bytes = 0, resources = 0;
    for (size_t i = 0; i < o->nbuckets; i++) {
        for (const struct overlay_entry *e = o->bucket[i]; e; e = e->next, n++)
            bytes += overlay_check_entry(e);
    }
    for (size_t i = 0; i < ARRAY_LEN(o->res); i++) {
        for (const struct overlay_res *r = o->res[i]; r; r = r->next, resources++) overlay_check_resource(r);
    }
    FUZZ_CHECK(n == o->nentries && n == o->counts.entries && bytes == o->counts.bytes);
    FUZZ_CHECK(n <= o->limits.entries && bytes <= o->limits.bytes);
    FUZZ_CHECK(resources == o->nres && resources <= OVERLAY_RESOURCES);
}
#endif
