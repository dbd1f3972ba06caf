/* The caches of single namespaces; see namespace_caches.h. */
#include "observe/namespace_caches.h"
#include "observe/cache_stores.h"
#include "world/world.h"
#include <uthash.h>

/* A tenant may fill a namespace: what is beyond is not kept, and then the cache does not count as complete. */
enum { MAX_OBJECTS = 50000 };
#define LINGER_NS (60 * NS_PER_S)

struct one { /* one kind in one namespace */
    struct entry *entry;
    enum obs_need need;
    unsigned holds;
    struct informer *informer; /* NULL: not held lately */
    struct timer *linger;
};
struct entry {
    struct namespace_caches *all;
    char *ns;
    struct one one[NEEDS];
    UT_hash_handle hh;
};
struct namespace_caches {
    struct kube *kube;
    struct caches *owner;
    void (*synced)(void *ctx, const char *ns);
    struct entry *entries;
};

static void entry_free(struct entry *e) {
    HASH_DEL(e->all->entries, e);
    for (int i = 0; i < NEEDS; i++) {
        if (e->one[i].informer) informer_free(e->one[i].informer);
        timer_free(e->one[i].linger);
    }
    free(e->ns);
    free(e);
}

static void on_linger(void *ctx) {
    struct one *o = ctx;
    if (o->holds) return;
    informer_free(o->informer);
    o->informer = NULL;
    for (int i = 0; i < NEEDS; i++)
        if (o->entry->one[i].informer || o->entry->one[i].holds) return;
    entry_free(o->entry);
}

/* What is kept of a namespace beside what is kept of all. */
static const struct kind {
    const struct gvr *gvr;
    const struct store_spec *store;
    const char *name;
    void (*changed)(void *ctx, const struct store_rec *old, const struct store_rec *now, bool initial);
} kinds[NEEDS] = {
    [NEED_REPLICASETS] = {&gvr_replicasets, &caches_rs_store, "replicasets", caches_rs_changed},
    [NEED_PODS] = {&gvr_pods, &caches_pod_store, "pods", caches_pod_changed},
    [NEED_LEASES] = {&gvr_leases, &caches_lease_store, "leases", caches_lease_changed},
};

static void on_change(void *ctx, const struct store_rec *old, const struct store_rec *now, bool initial) {
    struct one *o = ctx;
    kinds[o->need].changed(o->entry->all->owner, old, now, initial);
}

static void on_synced(void *ctx) {
    struct one *o = ctx;
    o->entry->all->synced(o->entry->all->owner, o->entry->ns);
}

static void start(struct one *o) {
    static const struct informer_cb cb = {on_change, on_synced, NULL};
    const struct kind *k = &kinds[o->need];
    struct informer_spec spec = {.gvr = k->gvr,
                                 .ns = slice_of(o->entry->ns),
                                 .store = *k->store,
                                 .max_objects = MAX_OBJECTS,
                                 .name = k->name};
    if (informer_new(o->entry->all->kube, &spec, &cb, o, &o->informer, NULL) == 0)
        informer_start(o->informer);
}

static struct entry *find(const struct namespace_caches *n, const char *ns) {
    struct entry *e = NULL;
    if (ns) HASH_FIND_STR(n->entries, ns, e);
    return e;
}

static struct entry *get(struct namespace_caches *n, const char *ns) {
    struct entry *e = find(n, ns);
    if (e) return e;
    e = xcalloc(1, sizeof *e);
    e->all = n;
    e->ns = xstrdup(ns);
    for (int i = 0; i < NEEDS; i++) {
        e->one[i] = (struct one){.entry = e, .need = (enum obs_need)i};
        e->one[i].linger = timer_new(kube_world(n->kube), on_linger, &e->one[i]);
    }
    HASH_ADD_KEYPTR(hh, n->entries, e->ns, strlen(e->ns), e);
    return e;
}

struct namespace_caches *namespace_caches_new(struct kube *k, struct caches *owner,
                                              void (*synced)(void *ctx, const char *ns)) {
    struct namespace_caches *n = xcalloc(1, sizeof *n);
    *n = (struct namespace_caches){.kube = k, .owner = owner, .synced = synced};
    return n;
}

void namespace_caches_free(struct namespace_caches *n) {
    if (!n) return;
    struct entry *e, *next;
    HASH_ITER(hh, n->entries, e, next) entry_free(e);
    free(n);
}

void namespace_caches_hold(struct namespace_caches *n, const char *ns, enum obs_need need) {
    if (need == NEED_TARGET) return;
    struct entry *e = get(n, ns);
    for (int i = NEED_REPLICASETS; i <= (int)need; i++) {
        struct one *o = &e->one[i];
        o->holds++;
        timer_stop(o->linger);
        if (!o->informer) start(o);
    }
}

void namespace_caches_release(struct namespace_caches *n, const char *ns, enum obs_need need) {
    struct entry *e = need == NEED_TARGET ? NULL : find(n, ns);
    for (int i = NEED_REPLICASETS; e && i <= (int)need; i++) {
        struct one *o = &e->one[i];
        if (o->holds && --o->holds == 0) timer_in(o->linger, LINGER_NS);
    }
}

bool namespace_caches_complete(const struct namespace_caches *n, const char *ns, enum obs_need need) {
    for (int i = NEED_REPLICASETS; i <= (int)need; i++) {
        const struct informer *inf = namespace_caches_informer(n, ns, (enum obs_need)i);
        if (!inf || !informer_synced(inf)) return false;
        if (store_len(informer_store(inf)) >= MAX_OBJECTS) return false; /* what is beyond it was not kept */
    }
    return true;
}

struct informer *namespace_caches_informer(const struct namespace_caches *n, const char *ns,
                                           enum obs_need need) {
    const struct entry *e = find(n, ns);
    return e ? e->one[need].informer : NULL;
}

const struct store *namespace_caches_store(const struct namespace_caches *n, const char *ns,
                                           enum obs_need need) {
    const struct informer *inf = namespace_caches_informer(n, ns, need);
    return inf ? informer_store(inf) : NULL;
}
