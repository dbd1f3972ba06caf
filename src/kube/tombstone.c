/* See tombstone.h. A list, since tombstones live for as long as the watch is behind: few, and not for long. */
#include "tombstone.h"

enum { TOMBSTONES_MAX = 256 };

struct tombstone {
    struct list node;
    uint32_t hash, epoch;
    bool deleted;
    char *ns, *name, *uid, *rv;
};

static void forget(struct tombstones *t, struct tombstone *s) {
    list_remove(&s->node);
    t->n--;
    free(s->ns);
    free(s->name);
    free(s->uid);
    free(s->rv);
    free(s);
}

void tombstones_init(struct tombstones *t) {
    list_init(&t->all);
    t->n = 0;
}

void tombstones_free(struct tombstones *t) {
    list_each_safe(it, next, &t->all) forget(t, container_of(it, struct tombstone, node));
}

void tombstones_add(struct tombstones *t, uint32_t hash, const struct tombstone_of *of, bool deleted) {
    if (t->n == TOMBSTONES_MAX) forget(t, container_of(t->all.next, struct tombstone, node));
    struct tombstone *s = xcalloc(1, sizeof *s);
    s->hash = hash;
    s->ns = slice_dup(of->ns);
    s->name = slice_dup(of->name);
    s->uid = xstrdup(of->uid);
    s->rv = xstrdup(of->rv);
    s->deleted = deleted;
    list_push(&t->all, &s->node);
    t->n++;
}

bool tombstones_hide(struct tombstones *t, uint32_t hash, const cJSON *obj, uint32_t epoch) {
    const char *uid = obj_uid(obj), *rv = obj_rv(obj);
    bool hidden = false;
    list_each_safe(it, next, &t->all) {
        struct tombstone *s = container_of(it, struct tombstone, node);
        if (s->hash != hash || !slice_eqs(slice_of(obj_ns(obj)), s->ns) ||
            !slice_eqs(slice_of(obj_name(obj)), s->name))
            continue;
        bool same = uid && strcmp(uid, s->uid) == 0;
        if (rv_older(rv, s->rv) || (same && s->deleted && !obj_deleting(obj))) {
            s->epoch = epoch;
            hidden = true;
        } else if (same) {
            forget(t, s);
        }
    }
    return hidden;
}

void tombstones_gone(struct tombstones *t, const char *uid) {
    list_each_safe(it, next, &t->all) {
        struct tombstone *s = container_of(it, struct tombstone, node);
        if (uid && strcmp(uid, s->uid) == 0) forget(t, s);
    }
}

void tombstones_relisted(struct tombstones *t, uint32_t epoch, const char *rv) {
    list_each_safe(it, next, &t->all) {
        struct tombstone *s = container_of(it, struct tombstone, node);
        if (!rv || (s->epoch != epoch && !rv_older(rv, s->rv))) forget(t, s);
    }
}
