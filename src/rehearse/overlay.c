/* The overlay's entries, by group, resource, namespace and name; and what is counted of them. */
#include "overlay_impl.h"
#include "overlay_events.h"

struct overlay *overlay_new(const struct overlay_limits *limits, uint64_t seed) {
    struct overlay *o = xcalloc(1, sizeof *o);
    if (limits) o->limits = *limits;
    if (!o->limits.bytes) o->limits.bytes = (size_t)64 << 20;
    if (!o->limits.entries) o->limits.entries = 20000;
    if (!o->limits.events) o->limits.events = 500;
    if (!o->limits.linger_ns) o->limits.linger_ns = INT64_C(10000000000);
    o->rng.s = seed;
    o->resume = xcalloc(OVERLAY_RESUMES, sizeof *o->resume);
    list_init(&o->records);
    return o;
}

static void forget(struct overlay *o, struct overlay_entry *e);

void overlay_free(struct overlay *o) {
    if (!o) return;
    for (size_t i = 0; i < o->nbuckets; i++) {
        while (o->bucket[i]) forget(o, o->bucket[i]);
    }
    free(o->bucket);
    free(o->resume);
    for (size_t i = 0; i < ARRAY_LEN(o->res); i++) {
        for (struct overlay_res *r = o->res[i], *next; r; r = next) {
            next = r->next;
            free(r->group);
            free(r->name);
            free(r);
        }
    }
    overlay_notes_free(o->refusals);
    overlay_notes_free(o->failures);
    overlay_ring_free(o);
    free(o);
}

struct overlay_res *overlay_res(struct overlay *o, struct slice group, struct slice resource) {
    uint64_t hash = slice_hash(resource, slice_hash(group, 0) + 1);
    struct overlay_res **at = &o->res[hash % ARRAY_LEN(o->res)];
    for (struct overlay_res *r = *at; r; r = r->next) {
        if (r->hash == hash && slice_eqs(resource, r->name) && slice_eqs(group, r->group)) return r;
    }
    if (o->nres == OVERLAY_RESOURCES) return NULL;
    struct overlay_res *r = xcalloc(1, sizeof *r);
    *r = (struct overlay_res){
        .next = *at, .group = slice_dup(group), .name = slice_dup(resource), .hash = hash};
    list_init(&r->entries);
    list_init(&r->watches);
    list_init(&r->lists);
    list_init(&r->writes);
    *at = r;
    o->nres++;
    return r;
}

/* ---- entries ---- */
static uint64_t key_hash(const struct overlay_res *res, struct slice ns, struct slice name) {
    uint64_t h = slice_hash(name, slice_hash(ns, res->hash) + 1);
    return h ^ h >> 32;
}

struct overlay_entry *overlay_find(const struct overlay *o, const struct overlay_res *res, struct slice ns,
                                   struct slice name) {
    if (!res || !res->n) return NULL;
    uint64_t hash = key_hash(res, ns, name);
    struct overlay_entry *e = o->bucket[hash & (o->nbuckets - 1)];
    while (e && !(e->hash == hash && e->res == res && slice_eqs(name, e->name) && slice_eqs(ns, e->ns)))
        e = e->next;
    return e;
}

static void grow(struct overlay *o) {
    size_t n = o->nbuckets ? o->nbuckets * 2 : 256;
    struct overlay_entry **bucket = xcalloc(n, sizeof *bucket);
    for (size_t i = 0; i < o->nbuckets; i++) {
        for (struct overlay_entry *e = o->bucket[i], *next; e; e = next) {
            next = e->next;
            e->next = bucket[e->hash & (n - 1)];
            bucket[e->hash & (n - 1)] = e;
        }
    }
    free(o->bucket);
    o->bucket = bucket;
    o->nbuckets = n;
}

struct overlay_entry *overlay_entry_new(struct overlay *o, struct overlay_res *res, struct slice ns,
                                        struct slice name, struct slice version) {
    if (o->nentries >= o->nbuckets) grow(o);
    struct overlay_entry *e = xcalloc(1, sizeof *e);
    e->res = res;
    e->hash = key_hash(res, ns, name);
    e->ns = slice_dup(ns);
    e->name = slice_dup(name);
    e->version = slice_dup(version);
    e->kind = xstrdup("");
    e->uid = xstrdup("");
    e->generate = xstrdup("");
    e->owner = xstrdup("");
    e->owners = xstrdup("");
    list_init(&e->link);
    list_init(&e->record);
    struct overlay_entry **at = &o->bucket[e->hash & (o->nbuckets - 1)];
    e->next = *at;
    *at = e;
    o->nentries++;
    o->counts.entries++;
    o->counts.bytes += sizeof *e;
    res->n++;
    return e;
}

void overlay_set(struct overlay *o, struct overlay_text *t, struct slice text) {
    char *p = text.n ? slice_dup(text) : NULL; /* text may be a part of t */
    o->counts.bytes += text.n - t->n;
    free(t->p);
    *t = (struct overlay_text){p, text.n};
}

void overlay_applied_clear(struct overlay *o, struct overlay_entry *e) {
    while (e->applied) {
        struct overlay_applied *a = e->applied;
        e->applied = a->next;
        overlay_set(o, &a->config, SL(""));
        overlay_set(o, &a->text, SL(""));
        free(a->manager);
        free(a);
    }
}

static void forget(struct overlay *o, struct overlay_entry *e) {
    struct overlay_entry **at = &o->bucket[e->hash & (o->nbuckets - 1)];
    while (*at != e) at = &(*at)->next;
    *at = e->next;
    overlay_set(o, &e->base, SL(""));
    overlay_set(o, &e->first, SL(""));
    overlay_set(o, &e->text, SL(""));
    overlay_applied_clear(o, e);
    overlay_lists_forget(e);
    list_remove(&e->link);
    list_remove(&e->record);
    e->res->n--;
    o->nentries--;
    o->counts.entries--;
    o->counts.bytes -= sizeof *e;
    char *const texts[] = {e->ns, e->name, e->version, e->kind, e->uid, e->generate, e->owner, e->owners};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) free(texts[i]);
    free(e);
}

/* ---- room ---- */
/* A watch that was not there when it happened has to begin anew. */
static void forget_record(struct overlay *o, struct overlay_entry *e, bool room) {
    overlay_row_forgotten(o, e, room);
    struct overlay_floor *f = &e->res->floor;
    if (e->seen > f->seen) f->seen = e->seen;
    if (e->change > f->change) f->change = e->change;
    forget(o, e);
}

bool overlay_room(struct overlay *o, size_t bytes, bool entry) {
    for (;;) {
        bool fits = bytes <= o->limits.bytes && o->counts.bytes <= o->limits.bytes - bytes;
        if (fits && (!entry || o->counts.entries < o->limits.entries)) return true;
        if (list_empty(&o->records)) break;
        forget_record(o, container_of(o->records.next, struct overlay_entry, record), true);
    }
    o->counts.full = true;
    return false;
}

void overlay_trim(struct overlay *o) {
    if (o->counts.bytes > o->limits.bytes) (void)overlay_room(o, 0, false);
}

void overlay_age(struct overlay *o, int64_t now) {
    int64_t keep = o->limits.linger_ns > OVERLAY_RECORD_NS ? o->limits.linger_ns : OVERLAY_RECORD_NS;
    while (!list_empty(&o->records)) {
        struct overlay_entry *e = container_of(o->records.next, struct overlay_entry, record);
        if (now - e->passed_ns < keep) break;
        forget_record(o, e, false);
    }
    o->aged_ns = now;
}

/* ---- what is reported beside the rows ---- */
const struct overlay_counts *overlay_counts(const struct overlay *o) {
    return &o->counts;
}

void overlay_foreign(struct overlay *o, const struct overlay_entry *e, struct slice version) {
    struct buf what = BUF(512), why = BUF(512);
    buf_addf(&what, "read %s%s%s", e->res->name, e->res->group[0] ? "." : "", e->res->group);
    buf_addf(&why, "was written as %s and is read as %.*s", e->version, SLF(version));
    overlay_refused(o, buf_slice(&what), buf_slice(&why));
    buf_free(&what);
    buf_free(&why);
}
