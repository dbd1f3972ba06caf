/* The informers of one instance; see caches.h. */
#include "observe/caches.h"
#include "api/meta.h"
#include "observe/cache_stores.h"
#include "observe/dead_pods.h"
#include "observe/namespace_caches.h"
#include <errno.h>

struct caches {
    struct kube *kube;
    struct caches_cb cb;
    void *ctx;
    char *ns, *trouble;
    struct informer *deployments, *sets, *states, *canaries, *canary_pods;
    bool no_sets; /* not allowed to see StatefulSets: none of them is a target */
    struct namespace_caches *namespaces;
    struct dead_pods dead;
    bool synced;
};

/* ---- what a change is about ---- */

static void changed(struct caches *c, const char *ns, const char *target, bool initial) {
    if (target && *target) c->cb.changed(c->ctx, slice_of(ns), slice_of(target), initial);
}

static void on_deployment(void *ctx, const struct store_rec *old, const struct store_rec *now, bool initial) {
    const struct store_rec *rec = now ? now : old;
    changed(ctx, rec->ns, rec->name, initial);
}

static void on_set(void *ctx, const struct store_rec *old, const struct store_rec *now, bool initial) {
    const struct store_rec *rec = now ? now : old;
    cleanup_free char *id = workload_id(&workload_statefulset, rec->name);
    changed(ctx, rec->ns, id, initial);
}

static void on_state(void *ctx, const struct store_rec *old, const struct store_rec *now, bool initial) {
    const struct store_rec *rec = now ? now : old;
    changed(ctx, rec->ns, rec->data, initial);
}

static const char *target_of_rs(const struct store_rec *rec) {
    const struct obs_rs *r = rec ? rec->data : NULL;
    return r ? r->owner_name : NULL;
}

void caches_rs_changed(void *ctx, const struct store_rec *old, const struct store_rec *now, bool initial) {
    const struct store_rec *rec = now ? now : old;
    if (!initial) changed(ctx, rec->ns, target_of_rs(rec), false);
}

/* A Pod's target is that of its ReplicaSet: by the cache, or, when that does not have it (yet), by the name
 * NAME-canary-HASH; a StatefulSet controls its Pods itself. */
static void changed_with_rs(struct caches *c, const char *of, const char *rs_name) {
    if (workload_of(rs_name) == &workload_statefulset) {
        changed(c, of, rs_name, false);
        return;
    }
    struct slice ns = slice_of(of), rs = slice_of(rs_name);
    const char *target = target_of_rs(store_get(informer_store(c->canaries), ns, rs));
    const struct store *local = namespace_caches_store(c->namespaces, of, NEED_REPLICASETS);
    if (!target && local) target = target_of_rs(store_get(local, ns, rs));
    cleanup_free char *by_name = target ? NULL : obs_canary_target(rs_name);
    changed(c, of, target ? target : by_name, false);
}

void caches_pod_changed(void *ctx, const struct store_rec *old, const struct store_rec *now, bool initial) {
    struct caches *c = ctx;
    const struct store_rec *rec = now && now->data ? now : old;
    const struct obs_pod *p = rec ? rec->data : NULL;
    if (!p || !p->rs_name) return;
    dead_pods_add(&c->dead, p); /* the Pod may be gone before anybody looks */
    if (!initial) changed_with_rs(c, rec->ns, p->rs_name);
}

static void changed_with_holder(struct caches *c, const struct obs_lease *l) {
    const struct store *pods = namespace_caches_store(c->namespaces, l->ns, NEED_PODS);
    const struct store_rec *rec = pods ? store_get(pods, slice_of(l->ns), obs_lease_pod(l)) : NULL;
    const struct obs_pod *p = rec ? rec->data : NULL;
    const char *rs = p ? p->rs_name : dead_pods_rs(&c->dead, l);
    if (rs) changed_with_rs(c, l->ns, rs);
}

/* Another holder is news for the targets of both; that it is renewed is none. */
void caches_lease_changed(void *ctx, const struct store_rec *old, const struct store_rec *now, bool initial) {
    const struct obs_lease *was = old ? old->data : NULL, *is = now ? now->data : NULL;
    (void)initial; /* the list may come after the Pod's end */
    if (was && is && strcmp(was->holder, is->holder) == 0) return;
    if (was) changed_with_holder(ctx, was);
    if (is) changed_with_holder(ctx, is);
}

/* ---- life ---- */

static void on_synced(void *ctx);

static void on_trouble(void *ctx, const struct err *err) {
    struct caches *c = ctx;
    free(c->trouble);
    c->trouble = xstrdup(err->msg);
}

/* A role of an earlier version has no right to StatefulSets: Deployments are managed all the same. */
static void on_set_trouble(void *ctx, const struct err *err) {
    struct caches *c = ctx;
    if (err->kind == ERR_FORBIDDEN) c->no_sets = true;
    if (c->no_sets)
        on_synced(c);
    else
        on_trouble(ctx, err);
}

bool caches_synced(const struct caches *c) {
    return informer_synced(c->deployments) && (c->no_sets || informer_synced(c->sets)) &&
           informer_synced(c->states) && informer_synced(c->canaries) && informer_synced(c->canary_pods);
}

static void on_synced(void *ctx) {
    struct caches *c = ctx;
    if (c->synced || !caches_synced(c)) return;
    c->synced = true;
    c->cb.synced(c->ctx);
}

static void on_namespace(void *ctx, const char *ns) {
    struct caches *c = ctx;
    c->cb.namespace_synced(c->ctx, slice_of(ns));
}

int caches_new(struct kube *k, const char *ns, const struct caches_cb *cb, void *ctx, struct caches **ret,
               struct err *err) {
    static const struct informer_cb on[] = {{on_deployment, on_synced, on_trouble},
                                            {on_set, on_synced, on_set_trouble},
                                            {on_state, on_synced, on_trouble},
                                            {caches_rs_changed, on_synced, on_trouble},
                                            {caches_pod_changed, on_synced, on_trouble}};
    struct caches *c = xcalloc(1, sizeof *c);
    *c = (struct caches){.kube = k, .cb = *cb, .ctx = ctx, .ns = xstrdup_null(ns)};
    struct slice where = slice_of(c->ns);
    const struct informer_spec spec[] = {
        {.gvr = &gvr_deployments, .ns = where, .name = "deployments", .store = caches_target_store},
        {.gvr = &gvr_statefulsets, .ns = where, .name = "statefulsets", .store = caches_set_store},
        {.gvr = &gvr_configmaps,
         .ns = where,
         .labels = SL(STATE_LABEL),
         .name = "states",
         .store = caches_state_store},
        {.gvr = &gvr_replicasets,
         .ns = where,
         .labels = SL(LABEL_TARGET),
         .name = "canary-replicasets",
         .store = caches_rs_store},
        {.gvr = &gvr_pods,
         .ns = where,
         .labels = SL(LABEL_TRACK "=canary"),
         .name = "canary-pods",
         .store = caches_pod_store}};
    struct informer **to[] = {&c->deployments, &c->sets, &c->states, &c->canaries, &c->canary_pods};
    c->namespaces = namespace_caches_new(k, c, on_namespace);
    for (size_t i = 0; i < ARRAY_LEN(spec); i++) {
        int rc = informer_new(k, &spec[i], &on[i], c, to[i], err);
        if (rc == 0) continue;
        caches_free(c);
        return rc;
    }
    *ret = c;
    return 0;
}

void caches_free(struct caches *c) {
    if (!c) return;
    namespace_caches_free(c->namespaces);
    struct informer *all[] = {c->deployments, c->sets, c->states, c->canaries, c->canary_pods};
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        if (all[i]) informer_free(all[i]);
    dead_pods_free(&c->dead);
    free(c->ns);
    free(c->trouble);
    free(c);
}

void caches_start(struct caches *c) {
    informer_start(c->deployments);
    informer_start(c->sets);
    informer_start(c->states);
    informer_start(c->canaries);
    informer_start(c->canary_pods);
}

const char *caches_trouble(const struct caches *c) {
    return caches_synced(c) ? "" : c->trouble ? c->trouble : "the first list has not arrived yet";
}

void caches_hold(struct caches *c, const char *ns, enum obs_need need) {
    namespace_caches_hold(c->namespaces, ns, need);
}

void caches_release(struct caches *c, const char *ns, enum obs_need need) {
    namespace_caches_release(c->namespaces, ns, need);
}

bool caches_complete(const struct caches *c, const char *ns, enum obs_need need) {
    return need == NEED_TARGET ? caches_synced(c) : namespace_caches_complete(c->namespaces, ns, need);
}

/* ---- own writes ---- */

/* The informers that may hold an object of this kind: of everything, and of its namespace. */
static size_t holders(const struct caches *c, const struct gvr *gvr, const char *ns,
                      struct informer *ret[2]) {
    size_t n = 0;
    enum obs_need need = NEED_TARGET;
    if (gvr == &gvr_deployments) ret[n++] = c->deployments;
    if (gvr == &gvr_statefulsets) ret[n++] = c->sets;
    if (gvr == &gvr_configmaps) ret[n++] = c->states;
    if (gvr == &gvr_replicasets) need = NEED_REPLICASETS;
    if (gvr == &gvr_pods) need = NEED_PODS;
    if (gvr == &gvr_leases) need = NEED_LEASES;
    struct informer *local = namespace_caches_informer(c->namespaces, ns, need);
    if (local) ret[n++] = local;
    return n;
}

void caches_wrote(struct caches *c, const struct gvr *gvr, struct slice raw) {
    struct informer *to[3];
    cleanup_json cJSON *obj = json_parse(raw, NULL);
    if (!obj || !obj_ns(obj)) return; /* the watch brings what cannot be read here */
    size_t n = holders(c, gvr, obj_ns(obj), to);
    if (gvr == &gvr_replicasets && obj_label(obj, LABEL_TARGET)) to[n++] = c->canaries;
    for (size_t i = 0; i < n; i++) informer_wrote(to[i], raw, NULL);
}

void caches_deleted(struct caches *c, const struct gvr *gvr, const char *ns, const char *name,
                    const char *uid) {
    struct informer *to[3];
    size_t n = holders(c, gvr, ns, to);
    if (gvr == &gvr_replicasets) to[n++] = c->canaries;
    for (size_t i = 0; i < n; i++) informer_deleted(to[i], slice_of(ns), slice_of(name), slice_of(uid));
}

/* ---- what is there ---- */

const struct obs_target *caches_target(const struct caches *c, const char *ns, const char *id) {
    const struct informer *of = workload_of(id) == &workload_statefulset ? c->sets : c->deployments;
    const struct store_rec *rec = store_get(informer_store(of), slice_of(ns), slice_of(workload_name(id)));
    return rec ? rec->data : NULL;
}

const struct store_rec *caches_state(const struct caches *c, const char *ns, const char *target) {
    cleanup_free char *name = obs_state_name(target);
    return store_get(informer_store(c->states), slice_of(ns), slice_of(name));
}

struct each {
    void (*rs)(void *ctx, const struct obs_rs *r);
    void (*pod)(void *ctx, const struct obs_pod *p);
    void (*lease)(void *ctx, const struct obs_lease *l);
    void *ctx;
    const char *ns;
    const struct store *not_in; /* what is in there has been visited */
};

static bool visit(void *ctx, const struct store_rec *rec) {
    struct each *e = ctx;
    bool other = e->ns && strcmp(rec->ns, e->ns) != 0; /* a uid is unique, a forged reference may name it */
    if (!rec->data || other) return true;
    if (e->not_in && store_get(e->not_in, slice_of(rec->ns), slice_of(rec->name))) return true;
    if (e->rs) e->rs(e->ctx, rec->data);
    if (e->pod) e->pod(e->ctx, rec->data);
    if (e->lease) e->lease(e->ctx, rec->data);
    return true;
}

struct naming {
    void (*fn)(void *ctx, struct slice ns, struct slice name);
    void *ctx;
};

static bool name_target(void *ctx, const struct store_rec *rec) {
    struct naming *n = ctx;
    n->fn(n->ctx, slice_of(rec->ns), slice_of(rec->name));
    return true;
}

static bool name_set(void *ctx, const struct store_rec *rec) {
    struct naming *n = ctx;
    cleanup_free char *id = workload_id(&workload_statefulset, rec->name);
    n->fn(n->ctx, slice_of(rec->ns), slice_of(id));
    return true;
}

static bool name_state(void *ctx, const struct store_rec *rec) {
    struct naming *n = ctx;
    if (rec->data) n->fn(n->ctx, slice_of(rec->ns), slice_of(rec->data));
    return true;
}

void caches_each_target(const struct caches *c, void (*fn)(void *ctx, struct slice ns, struct slice name),
                        void *ctx) {
    struct naming n = {fn, ctx};
    store_each(informer_store(c->deployments), name_target, &n);
    store_each(informer_store(c->sets), name_set, &n);
    store_each(informer_store(c->states), name_state, &n);
}

struct search {
    const char *ns, *target;
    bool found;
};

static bool owned_by_name(void *ctx, const struct store_rec *rec) {
    struct search *s = ctx;
    const char *owner = target_of_rs(rec);
    s->found = owner && !strcmp(rec->ns, s->ns) && !strcmp(owner, s->target);
    return !s->found;
}

bool caches_has_canary(const struct caches *c, const char *ns, const char *target) {
    struct search s = {.ns = ns, .target = target};
    store_each(informer_store(c->canaries), owned_by_name, &s);
    return s.found;
}

static void each_owned(const struct caches *c, const struct informer *canaries, enum obs_need need,
                       const char *uid, struct each *e) {
    const struct store *first = informer_store(canaries);
    const struct store *local = namespace_caches_store(c->namespaces, e->ns, need);
    store_each_indexed(first, CACHES_BY_OWNER, slice_of(uid), visit, e);
    e->not_in = first;
    if (local) store_each_indexed(local, CACHES_BY_OWNER, slice_of(uid), visit, e);
}

void caches_each_rs(const struct caches *c, const char *ns, const char *owner_uid,
                    void (*fn)(void *ctx, const struct obs_rs *r), void *ctx) {
    struct each e = {.rs = fn, .ctx = ctx, .ns = ns};
    each_owned(c, c->canaries, NEED_REPLICASETS, owner_uid, &e);
}

void caches_each_pod(const struct caches *c, const char *ns, const char *rs_uid,
                     void (*fn)(void *ctx, const struct obs_pod *p), void *ctx) {
    struct each e = {.pod = fn, .ctx = ctx, .ns = ns};
    each_owned(c, c->canary_pods, NEED_PODS, rs_uid, &e);
}

void caches_each_canary_pod(const struct caches *c, const char *ns,
                            void (*fn)(void *ctx, const struct obs_pod *p), void *ctx) {
    struct each e = {.pod = fn, .ctx = ctx, .ns = ns};
    store_each(informer_store(c->canary_pods), visit, &e);
}

void caches_each_lease(const struct caches *c, const char *ns, const char *pod,
                       void (*fn)(void *ctx, const struct obs_lease *l), void *ctx) {
    struct each e = {.lease = fn, .ctx = ctx, .ns = ns};
    const struct store *local = namespace_caches_store(c->namespaces, ns, NEED_LEASES);
    if (local) store_each_indexed(local, CACHES_BY_OWNER, slice_of(pod), visit, &e);
}

const struct obs_lease *caches_lease(const struct caches *c, const char *ns, const char *name) {
    const struct store *local = namespace_caches_store(c->namespaces, ns, NEED_LEASES);
    const struct store_rec *rec = local ? store_get(local, slice_of(ns), slice_of(name)) : NULL;
    return rec ? rec->data : NULL;
}

const struct dead_pods *caches_dead_pods(const struct caches *c) {
    return &c->dead;
}
