/* Informers of objects for slices; see slice_caches.h. */
#include "observe/slice_caches.h"
#include "kube/informer.h"
#include "world/world.h"
#include <stdio.h>
#include <uthash.h>

#define LINGER_NS (60 * NS_PER_S)

struct slice_cache {
    struct slice_caches *all;
    char *key, *resource, *version, *group, *ns, *select_text;
    struct selector *select;
    struct gvr gvr;
    unsigned holds;
    struct informer *informer;
    struct timer *linger;
    bool absent;
    char *trouble; /* NULL while it works */
    int64_t trouble_ns;
    UT_hash_handle hh;
};
struct slice_caches {
    struct kube *kube;
    void (*changed)(void *ctx, const struct slice_cache *c);
    void *ctx;
    struct slice_cache *caches;
};

static void cache_free(struct slice_cache *c) {
    HASH_DEL(c->all->caches, c);
    informer_free(c->informer);
    timer_free(c->linger);
    selector_free(c->select);
    char *owned[] = {c->key, c->resource, c->version, c->group, c->ns, c->select_text, c->trouble};
    for (size_t i = 0; i < ARRAY_LEN(owned); i++) free(owned[i]);
    free(c);
}

static void on_linger(void *ctx) {
    struct slice_cache *c = ctx;
    if (!c->holds) cache_free(c);
}

static void *project(void *ctx, struct slice raw, const cJSON *obj) {
    struct slice_cache *c = ctx;
    struct slice_object *o = xcalloc(1, sizeof *o);
    (void)raw;
    slice_object_read(obj, c->select, o);
    return o;
}

static void unproject(void *ctx, void *data) {
    (void)ctx;
    free(data);
}

/* One that matches the selector no more and is labelled is to get its label off. */
static bool keep(void *ctx, const cJSON *obj) {
    struct slice_cache *c = ctx;
    struct slice_object o;
    return slice_object_read(obj, c->select, &o) && (o.selected || o.owner != OWNER_STABLE);
}

static void on_change(void *ctx, const struct store_rec *old, const struct store_rec *now, bool initial) {
    struct slice_cache *c = ctx;
    const struct slice_object *was = old ? old->data : NULL;
    struct slice_object *is = now ? now->data : NULL;
    if (is && is->owner == OWNER_NONE)
        is->since_ns = was && was->owner == OWNER_NONE && was->hash == is->hash
                           ? was->since_ns
                           : world_boot_ns(kube_world(c->all->kube));
    if (initial || (was && is && slice_object_same(was, is))) return; /* a status */
    c->all->changed(c->all->ctx, c);
}

static void on_synced(void *ctx) {
    struct slice_cache *c = ctx;
    c->all->changed(c->all->ctx, c);
}

/* What a user can do something about; anything else passes. */
static void on_trouble(void *ctx, const struct err *err) {
    struct slice_cache *c = ctx;
    cleanup_free char *before = c->trouble;
    c->trouble = NULL;
    c->trouble_ns = world_boot_ns(kube_world(c->all->kube));
    c->absent = err->kind == ERR_NOTFOUND;
    if (c->absent)
        c->trouble =
            xasprintf("the API server has no %s of %s/%s; handover.dev/objects: RESOURCE.VERSION.GROUP",
                      c->resource, c->group[0] ? c->group : "core", c->version);
    if (err->kind == ERR_FORBIDDEN)
        c->trouble = xasprintf("Handover has no right to them: a ClusterRole with the label "
                               "handover.dev/aggregate-to-handover: \"true\" lacks the rule "
                               "{apiGroups: [\"%s\"], resources: [%s], verbs: [list, watch, patch]} (%.240s)",
                               c->group, c->resource, err->msg);
    bool same = before && c->trouble ? !strcmp(before, c->trouble) : !before && !c->trouble;
    if (!same) c->all->changed(c->all->ctx, c);
}

static void start(struct slice_cache *c) {
    static const struct informer_cb cb = {on_change, on_synced, on_trouble};
    struct informer_spec spec = {
        .gvr = &c->gvr,
        .ns = slice_of(c->ns),
        .metadata_only = true,
        .store = {.project = project, .unproject = unproject, .keep = keep, .ctx = c},
        .max_objects = SLICE_MAX_OBJECTS,
        .name = "slice-objects"};
    if (informer_new(c->all->kube, &spec, &cb, c, &c->informer, NULL) == 0) informer_start(c->informer);
}

struct slice_caches *slice_caches_new(struct kube *k, void (*changed)(void *ctx, const struct slice_cache *c),
                                      void *ctx) {
    struct slice_caches *all = xcalloc(1, sizeof *all);
    *all = (struct slice_caches){.kube = k, .changed = changed, .ctx = ctx};
    return all;
}

void slice_caches_free(struct slice_caches *all) {
    if (!all) return;
    struct slice_cache *c, *next;
    HASH_ITER(hh, all->caches, c, next) cache_free(c);
    free(all);
}

struct slice_cache *slice_cache_hold(struct slice_caches *all, struct slice resource, struct slice version,
                                     struct slice group, const char *ns, const char *selector) {
    struct slice_cache *c = NULL;
    cleanup_free char *key = xasprintf("%.*s.%.*s.%.*s\n%s\n%s", SLF(resource), SLF(version), SLF(group),
                                       ns ? ns : "", selector ? selector : "");
    HASH_FIND_STR(all->caches, key, c);
    if (c) {
        c->holds++;
        timer_stop(c->linger);
        return c;
    }
    c = xcalloc(1, sizeof *c);
    *c = (struct slice_cache){.all = all,
                              .key = xstrdup(key),
                              .resource = slice_dup(resource),
                              .version = slice_dup(version),
                              .group = slice_dup(group),
                              .ns = xstrdup_null(ns),
                              .select_text = xstrdup_null(selector),
                              .holds = 1};
    if (selector) selector_parse(slice_of(selector), &c->select, NULL);
    c->gvr = (struct gvr){c->group, c->version, c->resource, "PartialObjectMetadata", true};
    c->linger = timer_new(kube_world(all->kube), on_linger, c);
    HASH_ADD_KEYPTR(hh, all->caches, c->key, strlen(c->key), c);
    start(c);
    return c;
}

void slice_cache_release(struct slice_cache *c) {
    if (c && --c->holds == 0) timer_in(c->linger, LINGER_NS);
}

static bool same_text(const char *a, const char *b) {
    return a && b ? !strcmp(a, b) : a == b;
}

bool slice_cache_is(const struct slice_cache *c, const char *resource, const char *ns, const char *selector) {
    cleanup_free char *own =
        xasprintf("%s.%s%s%s", c->resource, c->version, c->group[0] ? "." : "", c->group);
    return !strcmp(own, resource) && same_text(c->ns, ns) && same_text(c->select_text, selector);
}

bool slice_cache_known(const struct slice_cache *c, bool *ret_absent, const char **ret_trouble) {
    static const char full[] = "there are more than 100000 objects, which is the most that Handover takes "
                               "into view; a namespace or a "
                               "selector in handover.dev/objects limits them";
    bool whole = c->informer && store_len(informer_store(c->informer)) < SLICE_MAX_OBJECTS;
    bool works = !c->trouble || informer_seen_ns(c->informer) > c->trouble_ns;
    *ret_absent = !works && c->absent;
    *ret_trouble = !whole ? full : works ? NULL : c->trouble;
    return whole && works && informer_synced(c->informer);
}

const struct gvr *slice_cache_gvr(const struct slice_cache *c) {
    return &c->gvr;
}
struct slice slice_cache_ns(const struct slice_cache *c) {
    return slice_of(c->ns);
}
const struct store *slice_cache_store(const struct slice_cache *c) {
    return informer_store(c->informer);
}
void slice_cache_wrote(struct slice_cache *c, struct slice raw) {
    if (c->informer) informer_wrote(c->informer, raw, NULL);
}
