/* What the operator would have left. */
#include "overlay_impl.h"

static bool reported(const struct overlay *o, const struct overlay_entry *e, int64_t now) {
    if (e->personal || e->same) return false;
    if (e->state == ENTRY_PASSED)
        return now - e->passed_ns < o->limits.linger_ns && (e->first.n || !e->deleted);
    return e->state == ENTRY_PRESENT || e->based;
}

void overlay_rows(struct overlay *o, int64_t now_wall_ns,
                  void (*fn)(void *ctx, const struct overlay_row *row), void *ctx) {
    for (size_t i = 0; i < o->nbuckets; i++) {
        for (const struct overlay_entry *e = o->bucket[i]; e; e = e->next) {
            if (!reported(o, e, now_wall_ns)) continue;
            bool passed = e->state == ENTRY_PASSED, gone = passed ? e->deleted : e->state == ENTRY_DELETED;
            struct slice none = {0};
            fn(ctx, &(struct overlay_row){.group = slice_of(e->res->group),
                                          .version = slice_of(e->version),
                                          .resource = slice_of(e->res->name),
                                          .kind = slice_of(e->kind),
                                          .ns = slice_of(e->ns),
                                          .name = slice_of(e->name),
                                          .live = overlay_slice(passed ? e->first : e->base),
                                          .rehearsed = gone ? none : overlay_slice(e->text),
                                          .writes = e->writes,
                                          .first_ns = e->first_ns,
                                          .last_ns = e->last_ns,
                                          .orphans = e->orphan,
                                          .superseded = passed,
                                          .met = passed && e->met});
        }
    }
}
