/* Lists, an item at a time: nothing is allocated for one that the overlay does not have. */
#include "overlay_impl.h"
#include <errno.h>

struct extra {
    struct overlay_entry *e; /* NULL: forgotten since */
    unsigned change;
};
struct overlay_list {
    struct list link;
    struct overlay *o;
    struct overlay_res *res;
    struct overlay_filter filter;
    unsigned change; /* of the resource, when the page began */
    bool alone, first, collected;
    struct extra *extra;
    size_t n, cap, next;
};

struct overlay_list *overlay_list_begin(struct overlay *o, const struct gate_request *r) {
    struct overlay_list *l = xcalloc(1, sizeof *l);
    *l = (struct overlay_list){.o = o, .alone = overlay_is_private(r), .first = !r->token.n};
    list_init(&l->link);
    overlay_filter_init(&l->filter, r);
    l->res = overlay_res(o, r->group, r->resource);
    if (l->res) {
        list_push(&l->res->lists, &l->link);
        l->change = l->res->changes;
    }
    o->counts.reads++;
    return l;
}

static int add(struct overlay_list *l, const struct overlay_entry *e, struct buf *out) {
    if (l->filter.partial) {
        overlay_partial(out, overlay_slice(e->text), l->filter.partial_version);
    } else {
        buf_add(out, overlay_slice(e->text));
    }
    return out->full ? -ENOBUFS : 0;
}

static int pass(struct slice raw, struct buf *out) {
    return version_rewrite(out, raw, (struct slice){0}, 0);
}

/* Does the live item count? Else *ret_add says whether the entry takes its place. */
static bool live_counts(struct overlay_list *l, struct overlay_entry *e, const struct overlay_peek *it,
                        struct slice raw, int64_t now, bool *ret_add) {
    struct slice none = {0};
    bool place = overlay_filter_place(&l->filter, e);
    *ret_add = false;
    if (e->state == ENTRY_PASSED) {
        if (place) overlay_sighted(l->o, e, it->live, raw, l->filter.partial);
        return true;
    }
    if (!place && !e->personal) overlay_foreign(l->o, e, slice_of(l->filter.version));
    if (!e->personal && overlay_newer(e, it, false)) {
        overlay_drop(l->o, e, it->live, place ? raw : none, l->filter.partial, NULL, now);
        return true;
    }
    if (!place) return true;
    *ret_add = !overlay_filter_extra(&l->filter, e) && e->state == ENTRY_PRESENT &&
               overlay_filter_match(&l->filter, overlay_slice(e->text));
    return false;
}

int overlay_list_item(struct overlay_list *l, int64_t now_wall_ns, struct slice raw, struct buf *out) {
    struct overlay_peek it;
    bool plain = !l->res || (!l->res->n && list_empty(&l->res->writes));
    if (plain || !overlay_peek(raw, &it)) return pass(raw, out);
    overlay_writes_notice(l->res, &it);
    struct overlay_entry *e = overlay_find(l->o, l->res, it.ns, it.name);
    if (!e || (e->state == ENTRY_DELETED && !e->based && !e->personal)) {
        overlay_twin(l->o, l->res, &it, now_wall_ns);
        return pass(raw, out);
    }
    bool instead, live = live_counts(l, e, &it, raw, now_wall_ns, &instead);
    int r = live ? pass(raw, out) : instead ? add(l, e, out) : 0;
    overlay_trim(l->o);
    return r;
}

static void collect(struct overlay_list *l) {
    l->collected = true;
    if (!l->res || !l->res->n) return;
    list_each(at, &l->res->entries) {
        struct overlay_entry *e = container_of(at, struct overlay_entry, link);
        /* What has changed since the page began may have been in it as it was; it is said to the watch that follows. */
        if ((!l->alone && e->change > l->change) || !overlay_filter_extra(&l->filter, e)) continue;
        l->extra = xgrow(l->extra, &l->cap, l->n + 1, sizeof *l->extra);
        l->extra[l->n++] = (struct extra){e, e->change};
    }
}

bool overlay_list_more(struct overlay_list *l, bool last_page, struct buf *out) {
    if (!last_page) return false;
    if (!l->collected) collect(l);
    while (l->next < l->n) {
        const struct extra *x = &l->extra[l->next++];
        if (!x->e || x->e->change != x->change) continue;
        add(l, x->e, out);
        return true;
    }
    return false;
}

void overlay_lists_forget(const struct overlay_entry *e) {
    list_each(at, &e->res->lists) {
        struct overlay_list *l = container_of(at, struct overlay_list, link);
        for (size_t i = 0; i < l->n; i++) {
            if (l->extra[i].e == e) l->extra[i].e = NULL;
        }
    }
}

int overlay_list_version(struct overlay_list *l, struct slice live, struct buf *out) {
    uint64_t rv = overlay_live(live);
    if (!l->res) return version_out(out, live, 0);
    if (l->alone) {
        overlay_version_add(out, overlay_now(l->res));
        return 0;
    }
    overlay_seen(l->res, rv);
    /* What changed while the page passed may be in it or not: it counts as newer than the version that the page gets; of a page that is
     * not the first it is not known what changed since that one. */
    for (struct list *at = l->res->entries.prev; at != &l->res->entries; at = at->prev) {
        struct overlay_entry *e = container_of(at, struct overlay_entry, link);
        if (e->change <= l->change) break;
        if (e->seen < l->res->newest) e->seen = l->res->newest;
    }
    return version_out(out, live, l->first ? l->change : 0);
}

void overlay_list_end(struct overlay_list *l) {
    if (!l) return;
    list_remove(&l->link);
    overlay_filter_free(&l->filter);
    free(l->extra);
    free(l);
}
