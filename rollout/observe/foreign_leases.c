/* Leases of other namespaces; see foreign_leases.h. */
#include "observe/foreign_leases.h"
#include "kube/informer.h"
#include "world/world.h"
#include <uthash.h>

#define LINGER_NS (60 * NS_PER_S)

struct foreign_lease {
    struct foreign_leases *all;
    char *name, *ns, *fields;
    const char *bare; /* in name */
    unsigned holds;
    struct informer *informer;
    struct timer *linger;
    char *trouble; /* NULL while it works */
    int64_t trouble_ns;
    UT_hash_handle hh;
};
struct foreign_leases {
    struct kube *kube;
    void (*changed)(void *ctx, const struct foreign_lease *l);
    void *ctx;
    struct foreign_lease *leases;
};

static void lease_free(struct foreign_lease *l) {
    HASH_DEL(l->all->leases, l);
    informer_free(l->informer);
    timer_free(l->linger);
    char *owned[] = {l->name, l->ns, l->fields, l->trouble};
    for (size_t i = 0; i < ARRAY_LEN(owned); i++) free(owned[i]);
    free(l);
}

static void on_linger(void *ctx) {
    struct foreign_lease *l = ctx;
    if (!l->holds) lease_free(l);
}

static void *project(void *ctx, struct slice raw, const cJSON *obj) {
    struct obs_lease *o = xcalloc(1, sizeof *o);
    (void)ctx, (void)raw;
    if (obs_lease_read(obj, o, NULL) < 0) {
        free(o);
        return NULL;
    }
    char *whole = xasprintf("%s/%s", o->ns, o->name);
    free(o->name);
    o->name = whole;
    return o;
}

static void unproject(void *ctx, void *data) {
    (void)ctx;
    if (data) obs_lease_free(data);
    free(data);
}

static bool same(const char *a, const char *b) {
    return a && b ? !strcmp(a, b) : a == b;
}

static void on_change(void *ctx, const struct store_rec *old, const struct store_rec *now, bool initial) {
    struct foreign_lease *l = ctx;
    const struct obs_lease *was = old ? old->data : NULL, *is = now ? now->data : NULL;
    (void)initial;
    if (was && is && same(was->holder, is->holder) && same(was->targets, is->targets)) return; /* renewed */
    l->all->changed(l->all->ctx, l);
}

static void on_synced(void *ctx) {
    struct foreign_lease *l = ctx;
    l->all->changed(l->all->ctx, l);
}

/* What a user can do something about; anything else passes. */
static void on_trouble(void *ctx, const struct err *err) {
    struct foreign_lease *l = ctx;
    cleanup_free char *before = l->trouble;
    l->trouble = NULL;
    l->trouble_ns = world_boot_ns(kube_world(l->all->kube));
    if (err->kind == ERR_FORBIDDEN)
        l->trouble = xasprintf("Handover has no right to Lease %s: a Role in namespace %s lacks the rule "
                               "{apiGroups: [coordination.k8s.io], resources: [leases], resourceNames: [%s], "
                               "verbs: [list, watch, patch]} (%.240s)",
                               l->name, l->ns, l->bare, err->msg);
    if (!same(before, l->trouble)) l->all->changed(l->all->ctx, l);
}

static void start(struct foreign_lease *l) {
    static const struct informer_cb cb = {on_change, on_synced, on_trouble};
    struct informer_spec spec = {.gvr = &gvr_leases,
                                 .ns = slice_of(l->ns),
                                 .fields = slice_of(l->fields),
                                 .store = {.project = project, .unproject = unproject},
                                 .name = "foreign-leases"};
    if (informer_new(l->all->kube, &spec, &cb, l, &l->informer, NULL) == 0) informer_start(l->informer);
}

struct foreign_leases *
foreign_leases_new(struct kube *k, void (*changed)(void *ctx, const struct foreign_lease *l), void *ctx) {
    struct foreign_leases *all = xcalloc(1, sizeof *all);
    *all = (struct foreign_leases){.kube = k, .changed = changed, .ctx = ctx};
    return all;
}

void foreign_leases_free(struct foreign_leases *all) {
    if (!all) return;
    struct foreign_lease *l, *next;
    HASH_ITER(hh, all->leases, l, next) lease_free(l);
    free(all);
}

struct foreign_lease *foreign_lease_hold(struct foreign_leases *all, const char *name) {
    struct foreign_lease *l = NULL;
    HASH_FIND_STR(all->leases, name, l);
    if (l) {
        l->holds++;
        timer_stop(l->linger);
        return l;
    }
    struct slice ns, bare;
    slice_cut(slice_of(name), '/', &ns, &bare);
    l = xcalloc(1, sizeof *l);
    *l = (struct foreign_lease){.all = all, .name = xstrdup(name), .ns = slice_dup(ns), .holds = 1};
    l->bare = l->name + ns.n + 1;
    l->fields = xasprintf("metadata.name=%s", l->bare);
    l->linger = timer_new(kube_world(all->kube), on_linger, l);
    HASH_ADD_KEYPTR(hh, all->leases, l->name, strlen(l->name), l);
    start(l);
    return l;
}

void foreign_lease_release(struct foreign_lease *l) {
    if (l && --l->holds == 0) timer_in(l->linger, LINGER_NS);
}

bool foreign_lease_is(const struct foreign_lease *l, const char *name) {
    return strcmp(l->name, name) == 0;
}

bool foreign_lease_look(const struct foreign_lease *l, const struct obs_lease **ret,
                        const char **ret_trouble) {
    bool works = l->informer && (!l->trouble || informer_seen_ns(l->informer) > l->trouble_ns);
    const struct store_rec *rec =
        works ? store_get(informer_store(l->informer), slice_of(l->ns), slice_of(l->bare)) : NULL;
    *ret = rec ? rec->data : NULL;
    *ret_trouble = works ? NULL : l->trouble;
    return *ret_trouble || (works && informer_synced(l->informer));
}

void foreign_lease_wrote(struct foreign_lease *l, struct slice raw) {
    if (l && l->informer) informer_wrote(l->informer, raw, NULL);
}
