/* A hash table of records, one allocation each, and per index a hash table of values with their records. */
#include "kube/store.h"
#include "base/json_raw.h"
#include "base/list.h"
#include "tombstone.h"
#include <errno.h>

enum { INDEXES = 4 };

struct entry {
    struct store_rec rec; /* first: a record is its entry */
    struct entry *next;   /* in its bucket */
    struct term *terms;   /* of all indexes */
    uint32_t hash, epoch;
    size_t bytes;
    char text[]; /* ns, name, uid, rv, each with its NUL; then raw */
};

/* An index value that some record has; gone with the last of them. */
struct value {
    struct value *next;
    struct list terms;
    uint32_t hash;
    size_t n;
    char text[];
};
/* A record has a value. */
struct term {
    struct list in_value;
    struct term *next; /* of the record */
    struct entry *entry;
    struct value *value;
    unsigned index;
};

struct table { /* of struct entry or struct value, chained */
    void **bucket;
    size_t n, size; /* size: a power of two, or 0 */
};
struct store {
    struct store_spec spec;
    struct table objects, values[INDEXES];
    struct tombstones tombstones;
    uint32_t epoch;
    bool replace; /* of a relist */
    size_t bytes;
};

/* ---- tables ---- */

static uint32_t hash_of(struct slice a, struct slice b) {
    uint64_t h = slice_hash(b, slice_hash(a, 0) + 1);
    return (uint32_t)(h ^ h >> 32);
}

static void **bucket_of(const struct table *t, uint32_t hash) {
    return &t->bucket[hash & (t->size - 1)];
}

/* Makes room for one more. link gives where an element keeps its successor, hash what it hashes to. */
static void table_room(struct store *s, struct table *t, void **(*link)(void *),
                       uint32_t (*hash)(const void *)) {
    if (t->n < t->size) return;
    struct table big = {.n = t->n, .size = t->size ? t->size * 2 : 16};
    big.bucket = xcalloc(big.size, sizeof *big.bucket);
    for (size_t i = 0; i < t->size; i++) {
        for (void *e = t->bucket[i], *next; e; e = next) {
            next = *link(e);
            void **to = bucket_of(&big, hash(e));
            *link(e) = *to;
            *to = e;
        }
    }
    s->bytes += (big.size - t->size) * sizeof *big.bucket;
    free(t->bucket);
    *t = big;
}

static void **entry_link(void *e) {
    return (void **)(void *)&((struct entry *)e)->next;
}
static uint32_t entry_hash(const void *e) {
    return ((const struct entry *)e)->hash;
}
static void **value_link(void *v) {
    return (void **)(void *)&((struct value *)v)->next;
}
static uint32_t value_hash(const void *v) {
    return ((const struct value *)v)->hash;
}

static struct entry *find(const struct store *s, struct slice ns, struct slice name) {
    if (!s->objects.n) return NULL;
    uint32_t h = hash_of(ns, name);
    for (struct entry *e = *bucket_of(&s->objects, h); e; e = e->next) {
        if (e->hash == h && slice_eqs(ns, e->rec.ns) && slice_eqs(name, e->rec.name)) return e;
    }
    return NULL;
}

static struct value *find_value(const struct store *s, unsigned index, struct slice text) {
    const struct table *t = &s->values[index];
    if (!t->n) return NULL;
    uint32_t h = hash_of(text, SL(""));
    for (struct value *v = *bucket_of(t, h); v; v = v->next) {
        if (v->hash == h && slice_eq(text, slice_make(v->text, v->n))) return v;
    }
    return NULL;
}

static void unlink_from(struct table *t, void *e, uint32_t hash, void **(*link)(void *)) {
    void **at = bucket_of(t, hash);
    while (*at != e) at = link(*at);
    *at = *link(e);
    t->n--;
}

/* ---- index terms ---- */

struct adding {
    struct store *store;
    struct entry *entry;
    unsigned index;
};

static void add_term(void *to, struct slice text) {
    struct adding *a = to;
    struct store *s = a->store;
    struct value *v = find_value(s, a->index, text);
    for (struct term *t = a->entry->terms; v && t; t = t->next) {
        if (t->value == v) return; /* said twice */
    }
    if (!v) {
        v = xmalloc(sizeof *v + text.n + 1);
        *v = (struct value){.hash = hash_of(text, SL("")), .n = text.n};
        if (text.n) memcpy(v->text, text.p, text.n);
        v->text[text.n] = '\0';
        list_init(&v->terms);
        table_room(s, &s->values[a->index], value_link, value_hash);
        void **b = bucket_of(&s->values[a->index], v->hash);
        v->next = *b;
        *b = v;
        s->values[a->index].n++;
        s->bytes += sizeof *v + text.n + 1;
    }
    struct term *t = xmalloc(sizeof *t);
    *t = (struct term){.next = a->entry->terms, .entry = a->entry, .value = v, .index = a->index};
    a->entry->terms = t;
    list_push(&v->terms, &t->in_value);
    s->bytes += sizeof *t;
}

static void drop_terms(struct store *s, struct entry *e) {
    for (struct term *t = e->terms, *next; t; t = next) {
        next = t->next;
        struct value *v = t->value;
        list_remove(&t->in_value);
        if (list_empty(&v->terms)) {
            unlink_from(&s->values[t->index], v, v->hash, value_link);
            s->bytes -= sizeof *v + v->n + 1;
            free(v);
        }
        free(t);
        s->bytes -= sizeof *t;
    }
    e->terms = NULL;
}

/* ---- records ---- */

static char *put_text(char **at, struct slice s) {
    char *p = *at;
    if (s.n) memcpy(p, s.p, s.n);
    p[s.n] = '\0';
    *at = p + s.n + 1;
    return p;
}

/* What is cut out of the text that is kept. */
static struct slice cut_of(const struct store *s, struct slice raw) {
    struct slice managers;
    bool any = s->spec.no_managers && json_raw_at(raw, "metadata/managedFields", &managers) &&
               managers.n > 2 && managers.p[0] == '[';
    return any ? slice_make(managers.p + 1, managers.n - 2) : (struct slice){0};
}

static char *put_text_without(char **at, struct slice s, struct slice cut) {
    if (!cut.n) return put_text(at, s);
    char *p = *at;
    size_t head = (size_t)(cut.p - s.p), tail = s.n - head - cut.n;
    memcpy(p, s.p, head);
    *at += head;
    put_text(at, slice_make(cut.p + cut.n, tail));
    return p;
}

static struct entry *entry_new(const struct store *s, struct slice raw, const cJSON *obj) {
    struct slice ns = slice_of(obj_ns(obj)), name = slice_of(obj_name(obj)), uid = slice_of(obj_uid(obj)),
                 rv = slice_of(obj_rv(obj));
    struct slice cut = s->spec.keep_raw ? cut_of(s, raw) : (struct slice){0};
    size_t keep = s->spec.keep_raw ? raw.n - cut.n + 1 : 0,
           bytes = sizeof(struct entry) + ns.n + name.n + uid.n + rv.n + 4 + keep;
    struct entry *e = xmalloc(bytes);
    *e = (struct entry){.hash = hash_of(ns, name), .epoch = s->epoch, .bytes = bytes};
    char *at = e->text;
    e->rec.ns = put_text(&at, ns);
    e->rec.name = put_text(&at, name);
    e->rec.uid = put_text(&at, uid);
    e->rec.rv = put_text(&at, rv);
    e->rec.generation = json_i64(json_obj(obj, "metadata"), "generation", 0);
    e->rec.deleting = obj_deleting(obj);
    if (keep) e->rec.raw = slice_make(put_text_without(&at, raw, cut), keep - 1);
    if (s->spec.project) e->rec.data = s->spec.project(s->spec.ctx, raw, obj);
    return e;
}

static void entry_free(struct store *s, struct entry *e) {
    if (e->rec.data && s->spec.unproject) s->spec.unproject(s->spec.ctx, e->rec.data);
    free(e);
}

static void insert(struct store *s, struct entry *e, const cJSON *obj) {
    table_room(s, &s->objects, entry_link, entry_hash);
    void **b = bucket_of(&s->objects, e->hash);
    e->next = *b;
    *b = e;
    s->objects.n++;
    s->bytes += e->bytes;
    for (unsigned i = 0; i < s->spec.nindexes; i++) {
        s->spec.index(s->spec.ctx, i, obj, add_term, &(struct adding){s, e, i});
    }
}

/* Out of the table and the indexes; the record itself lives on for the callback. */
static void take_out(struct store *s, struct entry *e) {
    drop_terms(s, e);
    unlink_from(&s->objects, e, e->hash, entry_link);
    s->bytes -= e->bytes;
}

static void remove_entry(struct store *s, struct entry *e, store_change change, void *ctx) {
    take_out(s, e);
    if (change) change(ctx, &e->rec, NULL);
    entry_free(s, e);
}

struct store *store_new(const struct store_spec *spec) {
    struct store *s = xcalloc(1, sizeof *s);
    s->spec = *spec;
    if (!spec->index) s->spec.nindexes = 0;
    if (s->spec.nindexes > INDEXES) s->spec.nindexes = INDEXES;
    tombstones_init(&s->tombstones);
    s->bytes = sizeof *s;
    return s;
}

void store_free(struct store *s) {
    if (!s) return;
    for (size_t i = 0; i < s->objects.size; i++) {
        for (struct entry *e = s->objects.bucket[i], *next; e; e = next) {
            next = e->next;
            drop_terms(s, e);
            entry_free(s, e);
        }
    }
    tombstones_free(&s->tombstones);
    free(s->objects.bucket);
    for (unsigned i = 0; i < INDEXES; i++) free(s->values[i].bucket);
    free(s);
}

size_t store_len(const struct store *s) {
    return s->objects.n;
}

size_t store_bytes(const struct store *s) {
    return s->bytes;
}

const struct store_rec *store_get(const struct store *s, struct slice ns, struct slice name) {
    struct entry *e = find(s, ns, name);
    return e ? &e->rec : NULL;
}

void store_each(const struct store *s, bool (*fn)(void *ctx, const struct store_rec *r), void *ctx) {
    for (size_t i = 0; i < s->objects.size; i++) {
        for (struct entry *e = s->objects.bucket[i]; e; e = e->next) {
            if (!fn(ctx, &e->rec)) return;
        }
    }
}

void store_each_indexed(const struct store *s, unsigned index, struct slice value,
                        bool (*fn)(void *, const struct store_rec *), void *ctx) {
    struct value *v = index < s->spec.nindexes ? find_value(s, index, value) : NULL;
    if (!v) return;
    list_each(it, &v->terms) {
        if (!fn(ctx, &container_of(it, struct term, in_value)->entry->rec)) return;
    }
}

static void add_tombstone(struct store *s, const cJSON *obj) {
    const char *uid = obj_uid(obj), *rv = obj_rv(obj);
    struct tombstone_of of = {slice_of(obj_ns(obj)), slice_of(obj_name(obj)), uid ? uid : "", rv ? rv : ""};
    tombstones_add(&s->tombstones, hash_of(of.ns, of.name), &of, false);
}

static int put(struct store *s, struct slice raw, const cJSON *obj, bool ours, store_change change, void *ctx,
               struct err *err) {
    const char *name = obj_name(obj), *rv = obj_rv(obj), *uid = obj_uid(obj);
    if (!name || !name[0]) return err_set(err, ERR_PROTOCOL, -EINVAL, "object without metadata.name");
    struct entry *old = find(s, slice_of(obj_ns(obj)), slice_of(name));
    uint32_t epoch = !ours ? s->epoch : old ? old->epoch : s->epoch - 1;
    bool same_uid = old && strcmp(old->rec.uid, uid ? uid : "") == 0,
         same = same_uid && rv && rv[0] && strcmp(old->rec.rv, rv) == 0;
    if (old && !s->replace && (same || rv_older(rv, old->rec.rv))) {
        old->epoch = epoch;
        return 0;
    }
    if (s->tombstones.n &&
        tombstones_hide(&s->tombstones, hash_of(slice_of(obj_ns(obj)), slice_of(name)), obj, s->epoch))
        return 0;
    if (s->spec.keep && !s->spec.keep(s->spec.ctx, obj)) {
        if (ours) add_tombstone(s, obj);
        if (old) remove_entry(s, old, change, ctx);
        return 0;
    }
    if (old && !same_uid) {
        remove_entry(s, old, change, ctx);
        old = NULL;
    }
    struct entry *now = entry_new(s, raw, obj);
    now->epoch = epoch;
    if (old) take_out(s, old);
    insert(s, now, obj);
    if (change) change(ctx, old ? &old->rec : NULL, &now->rec);
    if (old) entry_free(s, old);
    return 0;
}

int store_put(struct store *s, struct slice raw, const cJSON *obj, store_change change, void *ctx,
              struct err *err) {
    return put(s, raw, obj, false, change, ctx, err);
}

int store_wrote(struct store *s, struct slice raw, const cJSON *obj, store_change change, void *ctx,
                struct err *err) {
    return put(s, raw, obj, true, change, ctx, err);
}

void store_delete(struct store *s, const cJSON *obj, store_change change, void *ctx) {
    struct entry *e = find(s, slice_of(obj_ns(obj)), slice_of(obj_name(obj)));
    tombstones_gone(&s->tombstones, obj_uid(obj));
    if (e && !rv_older(obj_rv(obj), e->rec.rv)) remove_entry(s, e, change, ctx);
}

void store_deleted(struct store *s, struct slice ns, struct slice name, struct slice uid, store_change change,
                   void *ctx) {
    struct entry *e = find(s, ns, name);
    if (!e || e->rec.deleting || !slice_eqs(uid, e->rec.uid)) return;
    struct tombstone_of of = {ns, name, e->rec.uid, e->rec.rv};
    tombstones_add(&s->tombstones, e->hash, &of, true);
    remove_entry(s, e, change, ctx);
}

bool store_touch(struct store *s, struct slice ns, struct slice name, struct slice rv) {
    struct entry *e = rv.n && !s->replace ? find(s, ns, name) : NULL;
    if (!e) return false;
    if (!slice_eqs(rv, e->rec.rv)) {
        cleanup_free char *text = slice_dup(rv);
        if (!rv_older(text, e->rec.rv)) return false;
    }
    e->epoch = s->epoch;
    return true;
}

void store_relist_begin(struct store *s, bool replace) {
    s->epoch++;
    s->replace = replace;
    if (replace) tombstones_relisted(&s->tombstones, s->epoch, NULL);
}

void store_relist_end(struct store *s, const char *rv, store_change change, void *ctx) {
    for (size_t i = 0; i < s->objects.size; i++) {
        for (struct entry *e = s->objects.bucket[i], *next; e; e = next) {
            next = e->next;
            if (e->epoch == s->epoch || (!s->replace && rv_older(rv, e->rec.rv))) continue;
            remove_entry(s, e, change, ctx);
        }
    }
    tombstones_relisted(&s->tombstones, s->epoch, rv);
    s->replace = false;
}
