/* The events of a type that a watch may start from, and states of the past made from them. */
#include "store/core.h"
#include <errno.h>

enum { HELD_MAX = 200000 }; /* events kept beyond the limit for those who hold them */

const struct event *history_at(const struct resource_table *h, size_t i) {
    return &h->history[(h->first + i) % h->cap];
}

size_t history_after(const struct resource_table *h, uint64_t rv) {
    size_t lo = 0, hi = h->count;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (history_at(h, mid)->rv <= rv)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static void event_drop(struct event *e) {
    json_doc_unref(e->doc);
    json_doc_unref(e->old);
    rest_watch_frames_free(e);
}

static void grow(struct resource_table *h) {
    size_t cap = h->cap ? h->cap * 2 : 16;
    struct event *v = xmalloc(cap * sizeof *v);
    for (size_t i = 0; i < h->count; i++) v[i] = *history_at(h, i);
    free(h->history);
    h->history = v;
    h->cap = cap;
    h->first = 0;
}

void history_add(struct sim *s, struct resource_table *h, enum event_type type, struct json_doc *doc,
                 struct json_doc *old) {
    if (h->count == h->cap) grow(h);
    h->history[(h->first + h->count) % h->cap] =
        (struct event){.rv = doc->rv, .type = type, .doc = doc, .old = old};
    h->count++;
    h->fresh++;
    s->fresh = true;
}

static void drop_first(struct resource_table *h) {
    struct event *e = &h->history[h->first];
    h->floor = e->rv;
    event_drop(e);
    h->first = (h->first + 1) % h->cap;
    h->count--;
}

void history_trim(struct sim *s, struct resource_table *h) {
    uint64_t held = UINT64_MAX;
    list_each(it, &h->holds) {
        uint64_t rv = container_of(it, struct history_hold, link)->rv;
        if (rv < held) held = rv;
    }
    while (h->count > s->cfg.history && h->count > h->fresh) {
        if (history_at(h, 0)->rv > held && h->count <= s->cfg.history + HELD_MAX) break;
        drop_first(h);
    }
}

void history_clear(struct sim *s, struct resource_table *h) {
    while (h->count > h->fresh) drop_first(h);
    if (h->count == 0) h->floor = s->rv;
}

void history_free(struct resource_table *h) {
    while (h->count) drop_first(h);
    free(h->history);
    h->history = NULL;
}

/* ---- states of the past ---- */
static int doc_cmp(const void *a, const void *b) {
    const struct json_doc *x = *(struct json_doc *const *)a, *y = *(struct json_doc *const *)b;
    int c = index_key_cmp(x->ns, x->name, y->ns, y->name);
    return c ? c : x->rv < y->rv ? -1 : x->rv > y->rv;
}

/* What the objects that changed since rv were at that version: each key's first event since then has it. */
static size_t overlay(const struct resource_table *h, uint64_t rv, struct json_doc ***ret_keys,
                      struct json_doc ***ret_old) {
    size_t from = history_after(h, rv);
    size_t n = h->count - from, kept = 0;
    struct json_doc **keys = xcalloc(n + 1, sizeof *keys), **old = xcalloc(n + 1, sizeof *old);
    for (size_t i = 0; i < n; i++) keys[i] = history_at(h, from + i)->doc;
    qsort(keys, n, sizeof *keys, doc_cmp);
    for (size_t i = 0; i < n; i++) {
        if (kept && !index_key_cmp(keys[kept - 1]->ns, keys[kept - 1]->name, keys[i]->ns, keys[i]->name))
            continue;
        keys[kept++] = keys[i];
    }
    for (size_t i = n; i-- > 0;) { /* from the newest back, so that the first event of a key wins */
        const struct event *e = history_at(h, from + i);
        struct json_doc *key = e->doc;
        size_t lo = 0, hi = kept;
        while (lo < hi) {
            size_t mid = (lo + hi) / 2;
            if (index_key_cmp(keys[mid]->ns, keys[mid]->name, key->ns, key->name) < 0)
                lo = mid + 1;
            else
                hi = mid;
        }
        old[lo] = e->old; /* NULL: it did not exist */
    }
    *ret_keys = keys;
    *ret_old = old;
    return kept;
}

/* False: the range ends here. */
static bool take(struct sim *s, const struct history_range *range, struct json_doc *d,
                 struct history_snapshot *p) {
    s->list_steps++;
    if (range->ns && strcmp(d->ns, range->ns) != 0) return false;
    if (range->keep && !range->keep(range->ctx, d)) return true;
    if (range->max && p->n == range->max) {
        p->more++;
        return range->count;
    }
    p->v = xgrow(p->v, &p->cap, p->n + 1, sizeof *p->v);
    p->v[p->n++] = json_doc_ref(d);
    return true;
}

int history_snapshot_take(struct sim *s, struct resource_table *h, uint64_t rv,
                          const struct history_range *range, struct history_snapshot *ret) {
    if (rv < h->floor) return -ESTALE;
    struct json_doc **keys = NULL, **old = NULL;
    size_t nkeys = rv < s->rv ? overlay(h, rv, &keys, &old) : 0, k = 0;
    const char *ns = range->after_ns ? range->after_ns : range->ns ? range->ns : "";
    const char *name = range->after_name ? range->after_name : "";
    struct index_node *x = index_from(&h->index, ns, name, !range->after_name);
    while (k < nkeys && index_key_cmp(keys[k]->ns, keys[k]->name, ns, name) < (range->after_name ? 1 : 0))
        k++;
    *ret = (struct history_snapshot){0};
    for (bool on = true; on && (x || k < nkeys);) {
        int c = !x           ? 1
                : k == nkeys ? -1
                             : index_key_cmp(x->obj->ns, x->obj->name, keys[k]->ns, keys[k]->name);
        if (c < 0)
            on = take(s, range, x->obj->in->doc, ret);
        else if (old[k])
            on = take(s, range, old[k], ret);
        k += c >= 0;
        if (c <= 0) x = x->next[0];
    }
    free(keys);
    free(old);
    return 0;
}

/* The first of the snapshot behind (ns, name), or at it where `at` is set. */
static size_t seek(const struct history_snapshot *all, const char *ns, const char *name, bool at) {
    size_t lo = 0, hi = all->n;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        int c = index_key_cmp(all->v[mid]->ns, all->v[mid]->name, ns, name);
        if (c < 0 || (c == 0 && !at))
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static size_t end_of(const struct history_snapshot *all, const char *ns) {
    size_t lo = 0, hi = all->n;
    while (ns && lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (strcmp(all->v[mid]->ns, ns) <= 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return hi;
}

void history_snapshot_cut(struct sim *s, const struct history_snapshot *all,
                          const struct history_range *range, struct history_snapshot *ret) {
    const char *ns = range->after_ns ? range->after_ns : range->ns ? range->ns : "";
    const char *name = range->after_name ? range->after_name : "";
    size_t i = seek(all, ns, name, !range->after_name), end = end_of(all, range->ns);
    struct history_range one = *range;
    if (!range->keep) one.count = false; /* what follows need not be looked at */
    *ret = (struct history_snapshot){0};
    for (; i < end && take(s, &one, all->v[i], ret); i++) continue;
    if (ret->more && range->count && !range->keep) ret->more = end - i;
}

void history_snapshot_free(struct history_snapshot *p) {
    for (size_t i = 0; i < p->n; i++) json_doc_unref(p->v[i]);
    free(p->v);
    *p = (struct history_snapshot){0};
}
