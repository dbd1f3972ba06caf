/* The live self of the operator does as well what the rehearsal does, a moment before or after: one object with a generated name is then one too
 * many, or one too few, and the live one counts. Each takes the place of one. */
#include "overlay_impl.h"
#include "api/rfc3339.h"
#include "base/json_raw.h"

enum doing { MADE, REMOVED };

/* For whom, and in what, an object is one of several alike. */
static uint64_t group_of(enum doing what, const struct overlay_res *res, struct slice ns, const char *owner,
                         struct slice generate) {
    cleanup_buf struct buf b = BUF(4096);
    buf_addf(&b, "%s/%s/%.*s/%s/%.*s", res->group, res->name, SLF(ns), owner, SLF(generate));
    uint64_t h = slice_hash(buf_slice(&b), what);
    return h ? h : 1;
}

static bool is_known(const struct overlay *o, uint64_t uid) {
    for (size_t i = 0; i < OVERLAY_TWINS && i < o->twins; i++) {
        if (o->twin[i] == uid) return true;
    }
    for (size_t i = 0; i < OVERLAY_EARLY && i < o->earlies; i++) {
        if (o->early[i].uid == uid) return true;
    }
    return false;
}

/* What was there before the entry was made is no twin. */
static struct overlay_entry *oldest_twin(struct overlay_res *res, const struct overlay_peek *it,
                                         const char *owner) {
    struct overlay_entry *oldest = NULL;
    list_each(at, &res->entries) {
        struct overlay_entry *e = container_of(at, struct overlay_entry, link);
        struct overlay_peek mine;
        if (!overlay_may_have_twin(e) || strcmp(e->owner, owner) != 0 ||
            !slice_eqs(it->generate, e->generate) || !slice_eqs(it->ns, e->ns) || it->live <= e->born ||
            (oldest && oldest->first_ns <= e->first_ns))
            continue;
        overlay_peek(overlay_slice(e->text), &mine);
        if (slice_cmp(it->created, mine.created) >= 0) oldest = e;
    }
    return oldest;
}

/* Made just now, so that the operator may not know of it yet? By the server's clock and ours. */
static bool is_fresh(const struct overlay_peek *it, int64_t now) {
    int64_t created;
    return rfc3339_parse(it->created, &created) == 0 && now - created < OVERLAY_EARLY_NS &&
           created - now < OVERLAY_EARLY_NS;
}

void overlay_twin(struct overlay *o, struct overlay_res *res, const struct overlay_peek *it, int64_t now) {
    if (!it->generate.n || !it->owners.n) return;
    bool fresh = is_fresh(it, now);
    if (!res->twins && !fresh) return;
    uint64_t uid = slice_hash(it->uid, 0);
    if (is_known(o, uid)) return;
    cleanup_free char *owner = overlay_controller(it->owners);
    struct overlay_entry *e = res->twins ? oldest_twin(res, it, owner) : NULL;
    if (e) {
        o->twin[o->twins++ % OVERLAY_TWINS] = uid;
        overlay_leave(o, e, now);
    } else if (fresh && owner[0]) {
        o->early[o->earlies++ % OVERLAY_EARLY] =
            (struct overlay_early){uid, group_of(MADE, res, it->ns, owner, it->generate), now};
    }
}

/* The first of them that is not taken yet, taken now. */
static bool take_early(struct overlay *o, uint64_t of, int64_t now) {
    struct overlay_early *first = NULL;
    for (size_t i = 0; i < OVERLAY_EARLY && i < o->earlies; i++) {
        struct overlay_early *c = &o->early[i];
        if (c->of == of && now - c->at_ns < OVERLAY_EARLY_NS && (!first || c->at_ns < first->at_ns))
            first = c;
    }
    if (first) first->of = 0;
    return first != NULL;
}

static uint64_t group_of_entry(enum doing what, const struct overlay_entry *e) {
    return group_of(what, e->res, slice_of(e->ns), e->owner, slice_of(e->generate));
}

void overlay_twin_made(struct overlay *o, struct overlay_entry *e, int64_t now) {
    if (overlay_may_have_twin(e) && take_early(o, group_of_entry(MADE, e), now)) overlay_leave(o, e, now);
}

/* ---- deletions ---- */
/* Of those that were deleted a moment ago. */
static struct overlay_entry *oldest_tomb(struct overlay_res *res, const struct overlay_peek *it,
                                         const char *owner, int64_t now) {
    struct overlay_entry *oldest = NULL;
    list_each(at, &res->entries) {
        struct overlay_entry *e = container_of(at, struct overlay_entry, link);
        if (overlay_is_tomb(e) && now - e->last_ns < OVERLAY_EARLY_NS && strcmp(e->owner, owner) == 0 &&
            slice_eqs(it->generate, e->generate) && slice_eqs(it->ns, e->ns) &&
            (!oldest || e->last_ns < oldest->last_ns))
            oldest = e;
    }
    return oldest;
}

static bool is_deleted(const struct overlay_entry *e) {
    return e && (e->state == ENTRY_DELETED || (e->state == ENTRY_PASSED && e->deleted));
}

void overlay_twin_left(struct overlay *o, struct overlay_res *res, const struct overlay_peek *it, bool gone,
                       int64_t now) {
    struct slice since;
    if (!it->generate.n || !it->owners.n) return;
    if (!gone && !json_raw_get(it->metadata, SL("deletionTimestamp"), &since)) return;
    uint64_t uid = slice_hash(it->uid, REMOVED);
    if (is_known(o, uid)) return;
    cleanup_free char *owner = overlay_controller(it->owners);
    struct overlay_early left = {uid, 0, now};
    if (owner[0] && !is_deleted(overlay_find(o, res, it->ns, it->name))) {
        struct overlay_entry *e = res->tombs ? oldest_tomb(res, it, owner, now) : NULL;
        if (e)
            overlay_restore(o, e, now);
        else
            left.of = group_of(REMOVED, res, it->ns, owner, it->generate);
    }
    o->early[o->earlies++ % OVERLAY_EARLY] = left;
}

void overlay_twin_removed(struct overlay *o, struct overlay_entry *e, int64_t now) {
    if (overlay_is_tomb(e) && take_early(o, group_of_entry(REMOVED, e), now)) overlay_restore(o, e, now);
}
