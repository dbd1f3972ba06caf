/* What changes an entry: the operator's writes, and live changes that take its place. */
#include "overlay_impl.h"
#include "base/json_raw.h"

static uint64_t most(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}

/* Numbers what has just happened to e. */
static void stamp(struct overlay_entry *e) {
    e->change = ++e->res->changes;
    e->seen = overlay_now(e->res).live;
    list_remove(&e->link);
    list_push(&e->res->entries, &e->link);
}

bool overlay_may_have_twin(const struct overlay_entry *e) {
    return e->state == ENTRY_PRESENT && !e->based && !e->personal && e->generate[0] && e->owner[0];
}

bool overlay_is_tomb(const struct overlay_entry *e) {
    return e->state == ENTRY_DELETED && e->based && !e->personal && e->generate[0] && e->owner[0];
}

/* May its owners take it with them? */
static bool owned_here(const struct overlay_entry *e) {
    return e->state == ENTRY_PRESENT && !e->based && !e->personal && e->owners[0];
}

/* by: 1 or -1. */
static void count(struct overlay *o, const struct overlay_entry *e, int by) {
    if (overlay_may_have_twin(e)) e->res->twins += (size_t)by;
    if (overlay_is_tomb(e)) e->res->tombs += (size_t)by;
    if (owned_here(e)) o->owned += (size_t)by;
}

static void set_state(struct overlay *o, struct overlay_entry *e, enum entry_state state, int64_t now) {
    e->state = state;
    bool record = state == ENTRY_PASSED || (state == ENTRY_DELETED && !e->based && !e->personal);
    list_remove(&e->record);
    if (record) {
        e->passed_ns = now;
        list_push(&o->records, &e->record);
    }
}

static void look(struct overlay_entry *e) {
    struct overlay_peek it;
    struct slice kind = SL("\"\"");
    overlay_peek(overlay_slice(e->text), &it);
    json_raw_get(overlay_slice(e->text), SL("kind"), &kind);
    free(e->kind);
    free(e->uid);
    free(e->generate);
    free(e->owner);
    free(e->owners);
    e->kind = kind.n >= 2 ? slice_dup(slice_make(kind.p + 1, kind.n - 2)) : xstrdup("");
    e->uid = slice_dup(it.uid);
    e->generate = slice_dup(it.generate);
    e->owner = overlay_controller(it.owners);
    e->owners = overlay_owners(it.owners);
}

static bool same_text(struct slice a, struct slice b) {
    cleanup_json cJSON *x = overlay_tree(a), *y = overlay_tree(b);
    return x && y && overlay_same(x, y);
}

/* What the operator had been shown before, for those that watch. Owned by the caller. */
static char *shown(const struct overlay_entry *e, const struct overlay_put *p) {
    if (e && e->state == ENTRY_PRESENT) return slice_dup(overlay_slice(e->text));
    if (e && e->state == ENTRY_DELETED) return NULL;
    return p->based || p->base.n ? slice_dup(p->base) : NULL;
}

/* The entry, with its base and its new version, before its text is set. */
static struct overlay_entry *begin(struct overlay *o, struct overlay_res *res, const struct overlay_put *p) {
    overlay_age(o, p->now);
    if (res->changes == VERSION_CHANGES) o->counts.full = true;
    if (res->changes == VERSION_CHANGES ||
        !overlay_room(o, p->base.n + p->text.n + 4096, !overlay_find(o, res, p->ns, p->name)))
        return NULL;
    struct overlay_entry *e = overlay_find(o, res, p->ns, p->name);
    bool stands = e && e->state != ENTRY_PASSED && (e->based || e->personal || e->state == ENTRY_PRESENT);
    if (!e) e = overlay_entry_new(o, res, p->ns, p->name, p->version);
    count(o, e, -1);
    if (e->state == ENTRY_PASSED) e->rv.live = most(e->rv.live, e->base_rv);
    /* What others have changed in between is no loop. */
    if (e->state == ENTRY_PASSED && e->writes <= OVERLAY_RUN) {
        e->writes = 0;
        e->first_ns = 0;
    }
    if (!stands) {
        e->based = p->based;
        e->base_rv = p->based ? p->base_rv : p->live;
        overlay_set(o, &e->base, p->base);
        overlay_set(o, &e->first, SL(""));
        free(e->version);
        e->version = slice_dup(p->version);
        e->deleted = e->orphan = false;
        e->born = p->live;
        overlay_applied_clear(o, e);
    } else if (!e->based) {
        e->base_rv = most(e->base_rv, p->live);
    }
    e->personal = p->personal;
    e->met = false;
    e->left = false;
    e->rv.live = most(most(p->live, e->rv.live), p->based ? p->base_rv : 1);
    stamp(e);
    e->rv.change = e->change;
    if (!e->writes++ || !e->first_ns) e->first_ns = p->now;
    e->last_ns = p->now;
    return e;
}

static void set_text(struct overlay *o, struct overlay_entry *e, struct slice text) {
    struct buf b = BUF(OVERLAY_BODY_MAX + 4096);
    overlay_object(&b, text, e->rv);
    overlay_set(o, &e->text, buf_slice(&b));
    buf_free(&b);
    look(e);
}

struct overlay_entry *overlay_put(struct overlay *o, struct overlay_res *res, const struct overlay_put *p) {
    cleanup_free char *old = shown(overlay_find(o, res, p->ns, p->name), p);
    struct overlay_entry *e = begin(o, res, p);
    if (!e) return NULL;
    struct overlay_peek live = {0};
    set_text(o, e, p->text);
    set_state(o, e, ENTRY_PRESENT, p->now);
    e->anew = e->based && overlay_peek(overlay_slice(e->base), &live) && !slice_eqs(live.uid, e->uid);
    e->same = e->based && same_text(overlay_slice(e->text), overlay_slice(e->base));
    count(o, e, 1);
    overlay_tell(e, slice_of(old), overlay_slice(e->text));
    return e;
}

struct overlay_entry *overlay_delete(struct overlay *o, struct overlay_res *res,
                                     const struct overlay_put *p) {
    cleanup_free char *old = shown(overlay_find(o, res, p->ns, p->name), p);
    struct overlay_entry *e = begin(o, res, p);
    if (!e) return NULL;
    set_text(o, e, p->text.n ? p->text : old ? slice_of(old) : SL("{}"));
    set_state(o, e, ENTRY_DELETED, p->now);
    e->same = false;
    count(o, e, 1);
    overlay_tell(e, slice_of(old), (struct slice){0});
    return e;
}

bool overlay_newer(const struct overlay_entry *e, const struct overlay_peek *it, bool present) {
    struct overlay_peek mine;
    if (it->live <= e->base_rv) return false;
    if (e->based || present || !overlay_peek(overlay_slice(e->text), &mine)) return true;
    return slice_cmp(it->created, mine.created) >= 0;
}

/* The live object is there again, with the uid that it had. */
static void come_back(struct overlay *o, struct slice uid) {
    uint64_t id = slice_hash(uid, 0);
    for (size_t i = 0; i < OVERLAY_GONE && i < o->goners; i++) {
        if (o->gone[i] == id) o->gone[i] = 0;
    }
}

void overlay_drop(struct overlay *o, struct overlay_entry *e, uint64_t rv, struct slice live, bool dim,
                  const struct overlay_watch *but, int64_t now) {
    struct overlay_peek it = {0};
    if (live.n) overlay_peek(live, &it);
    bool gone = !rv || (it.uid.n && !slice_eqs(it.uid, e->uid));
    cleanup_free char *orphans = gone && !e->orphan ? xstrdup(e->uid) : NULL;
    count(o, e, -1);
    if (e->res->changes < VERSION_CHANGES) stamp(e);
    e->deleted = e->state == ENTRY_DELETED;
    e->dim = dim;
    overlay_tell_passed(e, rv, live, but);
    overlay_set(o, &e->first, overlay_slice(e->base));
    overlay_set(o, &e->base, live);
    e->base_rv = most(rv, e->base_rv + 1); /* it went later than it was seen */
    e->rv.live = most(rv, e->rv.live);
    set_state(o, e, ENTRY_PASSED, now);
    o->counts.dropped++;
    if (!rv)
        overlay_meet_gone(e);
    else if (!dim)
        overlay_meet(e, live);
    if (orphans) overlay_cascade(o, orphans, now);
    /* Of one that was made anew here the uid is another one than the live object's. */
    if (rv) come_back(o, it.uid.n ? it.uid : slice_of(e->uid));
}

void overlay_sighted(struct overlay *o, struct overlay_entry *e, uint64_t rv, struct slice live, bool dim) {
    if (rv < e->base_rv || (rv == e->base_rv && (dim || !live.n))) return;
    overlay_set(o, &e->base, live);
    e->base_rv = rv;
    e->dim = dim;
    if (!dim) overlay_meet(e, live);
}

/* ---- what goes with others ---- */
/* What is written of e, and not by the operator, whose writes are counted. */
static struct overlay_put put_of(const struct overlay_entry *e, struct slice text, int64_t now) {
    return (struct overlay_put){.ns = slice_of(e->ns),
                                .name = slice_of(e->name),
                                .version = slice_of(e->version),
                                .text = text,
                                .now = now};
}

/* It goes, not by the operator. */
static void take_away(struct overlay *o, struct overlay_entry *e, int64_t now) {
    struct overlay_put p = put_of(e, (struct slice){0}, now);
    unsigned writes = e->writes;
    int64_t last = e->last_ns;
    if (!overlay_delete(o, e->res, &p)) return;
    e->writes = writes;
    e->last_ns = last;
    e->left = true;
}

void overlay_restore(struct overlay *o, struct overlay_entry *e, int64_t now) {
    cleanup_free char *live = slice_dup(overlay_slice(e->base));
    struct overlay_put p = put_of(e, slice_of(live), now);
    unsigned writes = e->writes;
    int64_t last = e->last_ns;
    if (!overlay_put(o, e->res, &p)) return;
    e->writes = writes;
    e->last_ns = last;
    come_back(o, slice_of(e->uid));
}

struct uids {
    uint64_t *v; /* hashes, sorted */
    size_t n, cap;
};

static int by_number(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void uids_add(struct uids *u, struct slice uid) {
    u->v = xgrow(u->v, &u->cap, u->n + 1, sizeof *u->v);
    u->v[u->n++] = slice_hash(uid, 0);
}

/* Are all its owners among them? */
static bool owned(const struct overlay_entry *e, const struct uids *u) {
    struct slice rest = slice_of(e->owners), one;
    if (!owned_here(e)) return false;
    while (rest.n) {
        slice_cut(rest, ' ', &one, &rest);
        uint64_t id = slice_hash(one, 0);
        if (!bsearch(&id, u->v, u->n, sizeof id, by_number)) return false;
    }
    return true;
}

void overlay_cascade(struct overlay *o, const char *uid, int64_t now) {
    struct uids level = {0};
    if (uid[0]) uids_add(&level, slice_of(uid));
    while (level.n) { /* what is removed forgets records, never what is present */
        for (size_t i = 0; i < level.n; i++) o->gone[o->goners++ % OVERLAY_GONE] = level.v[i];
        if (!o->owned) break;
        struct uids below = {0};
        struct overlay_entry **v = NULL;
        size_t n = 0, cap = 0;
        for (size_t i = 0; i < o->nbuckets; i++) {
            for (struct overlay_entry *e = o->bucket[i]; e; e = e->next) {
                if (!owned(e, &level)) continue;
                v = xgrow(v, &cap, n + 1, sizeof *v);
                v[n++] = e;
            }
        }
        for (size_t i = 0; i < n; i++) {
            if (!v[i]->orphan) uids_add(&below, slice_of(v[i]->uid));
            take_away(o, v[i], now);
        }
        if (below.n) qsort(below.v, below.n, sizeof *below.v, by_number);
        free(v);
        free(level.v);
        level = below;
    }
    free(level.v);
}

static bool has_gone(const struct overlay *o, struct slice uid) {
    uint64_t id = slice_hash(uid, 0);
    for (size_t i = 0; i < OVERLAY_GONE && i < o->goners; i++) {
        if (o->gone[i] == id) return true;
    }
    return false;
}

void overlay_leave(struct overlay *o, struct overlay_entry *e, int64_t now) {
    cleanup_free char *uid = xstrdup(e->orphan ? "" : e->uid);
    take_away(o, e, now);
    overlay_cascade(o, uid, now);
}

bool overlay_follows(struct overlay *o, struct overlay_entry *e, int64_t now) {
    struct slice rest = slice_of(e->owners), one;
    if (!owned_here(e)) return false;
    while (rest.n) {
        slice_cut(rest, ' ', &one, &rest);
        if (!has_gone(o, one)) return false;
    }
    overlay_leave(o, e, now);
    return true;
}
