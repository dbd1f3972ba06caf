/* Mode objects at the edge; see slice_work.h. */
#include "act/slice_work.h"
#include "act/rollout_metrics.h"
#include "api/meta.h"
#include "plan/plan.h"

void slice_work_hold(struct rollout *r, struct target *t, const struct state *s) {
    const struct state_slice *l = s && s->slice.resource ? &s->slice : NULL;
    const char *ns = l && l->ns ? l->ns : r->ns; /* rights end where the namespace does */
    if (t->objects && l && slice_cache_is(t->objects, l->resource, ns, l->selector)) return;
    slice_cache_release(t->objects);
    t->objects = NULL;
    t->none_labelled = false;
    t->slice = (struct slice_sum){0};
    struct slice resource, version, group;
    if (!l || !spec_resource(slice_of(l->resource), &resource, &version, &group)) return;
    t->objects = slice_cache_hold(r->slices, resource, version, group, ns, l->selector);
}

struct gathering {
    const struct slice_object **objects;
    size_t n;
};

static bool gather(void *ctx, const struct store_rec *rec) {
    struct gathering *g = ctx;
    if (rec->data) g->objects[g->n++] = rec->data;
    return true;
}

struct pods {
    const struct target *t;
    const struct state *s;
    struct slice_seen *seen;
};

/* Its containers have ended, and none is started again. */
static bool is_dead(const struct obs_pod *p) {
    return p->over || (p->finished && p->died_ns);
}

/* By name and label: its ReplicaSet may be gone before it. */
static void count_pod(void *ctx, const struct obs_pod *p) {
    struct pods *x = ctx;
    cleanup_free char *name = p->rs_name ? canary_name(x->t->name, p->hash) : NULL;
    bool ours = name ? !strcmp(name, p->rs_name) : p->hash[0] && !strcmp(p->hash, x->s->hash);
    if (!ours || is_dead(p)) return;
    x->seen->pods++;
    x->seen->pod = p->name;
}

bool slice_work_look(struct rollout *r, struct target *t, const struct state *s, struct slice_seen *ret) {
    *ret = (struct slice_seen){.boot_ns = world_boot_ns(kube_world(r->kube))};
    slice_work_hold(r, t, s);
    if (!t->objects) return false;
    struct pods x = {t, s, ret};
    caches_each_canary_pod(r->caches, t->ns, count_pod, &x);
    ret->known = slice_cache_known(t->objects, &ret->absent, &ret->trouble);
    const struct store *store = slice_cache_store(t->objects);
    size_t n = store_len(store);
    struct gathering g = {xcalloc(n ? n : 1, sizeof *g.objects), 0};
    store_each(store, gather, &g);
    object_slice_sum(g.objects, g.n, slice_object_hash(s->target_uid), s->percent, &t->slice);
    free(g.objects);
    ret->sum = t->slice;
    ret->verified = t->none_labelled;
    return true;
}

struct choosing {
    struct relabel *batch;
    const struct slice_sum *sum;
    enum slice_order order;
    uint64_t target;
    int64_t boot_ns;
    size_t skip; /* not always the same ones first: one that is refused is not in the way of the others */
};

static bool choose(void *ctx, const struct store_rec *rec) {
    struct choosing *c = ctx;
    enum slice_owner owner;
    if (!rec->data || !object_slice_next(rec->data, c->sum, c->target, c->order, c->boot_ns, &owner))
        return true;
    if (c->skip) {
        c->skip--;
        return true;
    }
    return relabel_add(c->batch, rec->ns, rec->name, rec->uid, rec->rv, owner);
}

static size_t due(const struct slice_sum *s, enum slice_order order) {
    switch (order) {
    case ORDER_NONE:
    case ORDER_VERIFY: return 0;
    case ORDER_TAKE: return s->take;
    case ORDER_PASS:
    case ORDER_UNTAKE: return s->moving;
    case ORDER_RETURN: return (size_t)s->moving + s->canary;
    }
    return 0;
}

struct relabel *slice_work_batch(struct rollout *r, struct target *t, const struct plan *p,
                                 const struct relabel_cb *cb, void *ctx) {
    if (p->order == ORDER_NONE || p->order == ORDER_VERIFY || !t->objects || !p->next ||
        (p->order == ORDER_TAKE && t->slice.percent != p->next->percent))
        return NULL;
    struct world *w = kube_world(r->kube);
    size_t n = due(&t->slice, p->order);
    struct choosing c = {.batch =
                             relabel_new(r->kube, slice_cache_gvr(t->objects), p->next->target_uid, cb, ctx),
                         .sum = &t->slice,
                         .order = p->order,
                         .target = slice_object_hash(p->next->target_uid),
                         .boot_ns = world_boot_ns(w),
                         .skip = n > RELABEL_BATCH ? world_rand(w) % (n - RELABEL_BATCH + 1) : 0};
    store_each(slice_cache_store(t->objects), choose, &c);
    t->none_labelled = false;
    if (!relabel_empty(c.batch)) return c.batch;
    relabel_end(c.batch);
    return NULL;
}

struct kube_op *slice_work_verify(struct rollout *r, struct target *t, const struct plan *p, kube_done done,
                                  void *ctx) {
    if (p->order != ORDER_VERIFY || !t->objects) return NULL;
    cleanup_free char *labels = xasprintf(LABEL_TARGET "=%s", p->next->target_uid);
    struct kube_spec spec = {.verb = KUBE_LIST,
                             .lane = LANE_CALL,
                             .ref = {.gvr = slice_cache_gvr(t->objects), .ns = slice_cache_ns(t->objects)},
                             .labels = slice_of(labels),
                             .limit = 1,
                             .metadata_only = true};
    return kube_call(r->kube, &spec, done, ctx);
}

void slice_work_verified(struct target *t, struct slice raw) {
    cleanup_json cJSON *list = json_parse(raw, NULL);
    const cJSON *items = json_get(list, "items"); /* null: none */
    t->none_labelled = list && !(items && items->child);
}

void slice_work_wrote(struct rollout *r, struct target *t, struct slice raw) {
    static const char *const labels[] = {
        [OWNER_STABLE] = "stable", [OWNER_NONE] = "moving", [OWNER_CANARY] = "canary"};
    struct slice_object o;
    cleanup_json cJSON *obj = json_parse(raw, NULL);
    if (t->objects) slice_cache_wrote(t->objects, raw);
    if (!obj || !slice_object_read(obj, NULL, &o)) return;
    rollout_metrics_add(kube_metrics(r->kube), &(struct plan_metric){PM_SLICE_MOVES, labels[o.owner], 1});
}

void slice_work_collect(struct rollout *r) {
    static const char *const states[] = {"total", "wanted", "moving", "canary"};
    double n[4] = {0};
    for (const struct target *t = r->targets; t; t = t->hh.next) {
        const double one[] = {t->slice.total, t->slice.wanted, t->slice.moving, t->slice.canary};
        for (int i = 0; i < 4; i++) n[i] += one[i];
    }
    struct metric_family *f =
        metrics_family(kube_metrics(r->kube), METRIC_GAUGE, "handover_slice_objects",
                       "Number of objects of the slices of all targets", "state", NULL, 0);
    for (int i = 0; i < 4; i++) metric_set(metric_with(f, &states[i]), n[i]);
}
