/* The live self of the operator does as well what the rehearsal does, a moment before or after: one object with a generated name is then one too
 * many, and the live one counts. Each takes the place of one. */
#include "overlay_impl.h"
#include "api/rfc3339.h"

/* For whom an object is one of several alike. */
static uint64_t group_of(const struct overlay_res *res, struct slice ns, const char *owner,
                         struct slice generate) {
    cleanup_buf struct buf b = BUF(4096);
    buf_addf(&b, "%s/%s/%.*s/%s/%.*s", res->group, res->name, SLF(ns), owner, SLF(generate));
    uint64_t h = slice_hash(buf_slice(&b), 0);
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
            (struct overlay_early){uid, group_of(res, it->ns, owner, it->generate), now};
    }
}

void overlay_twin_made(struct overlay *o, struct overlay_entry *e, int64_t now) {
    if (!overlay_may_have_twin(e)) return;
    uint64_t of = group_of(e->res, slice_of(e->ns), e->owner, slice_of(e->generate));
    struct overlay_early *first = NULL;
    for (size_t i = 0; i < OVERLAY_EARLY && i < o->earlies; i++) {
        struct overlay_early *c = &o->early[i];
        if (c->of == of && now - c->at_ns < OVERLAY_EARLY_NS && (!first || c->at_ns < first->at_ns))
            first = c;
    }
    if (!first) return;
    first->of = 0;
    overlay_leave(o, e, now);
}
