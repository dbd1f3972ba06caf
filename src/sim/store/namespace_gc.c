/* What the server tidies up by itself: the contents of namespaces that are being deleted, the objects of types whose
 * definition is, and Events after an hour. */
#include "store/crd.h"
#include "api/meta.h"
#include "api/rfc3339.h"

enum { EVENT_TTL_S = 3600, EVENT_SWEEP_S = 60 };

void namespace_gc_wake(struct sim *s, bool now) {
    if (now) {
        sim_due_at(s, &s->namespace_gc, s->now);
    } else if (!s->namespace_gc.node.pos) {
        sim_due_at(s, &s->namespace_gc, s->now + EVENT_SWEEP_S * NS_PER_S);
    }
}

static bool delete_one(void *ctx, struct sim_obj *o) {
    if (!obj_deleting(o->json)) sim_store_delete(ctx, o, "Background", -1, NULL);
    return true;
}

/* True when nothing is left in it. */
static bool empty_namespace(struct sim *s, const char *ns) {
    bool empty = true;
    for (size_t i = 0; i < s->ntables; i++) {
        const struct sim_type *t = s->tables[i]->type;
        if (!t->namespaced) continue;
        sim_store_each(s, t, ns, delete_one, s);
        struct index_node *left = index_from(&s->tables[i]->index, ns, "", 1);
        if (left && strcmp(left->obj->ns, ns) == 0) empty = false;
    }
    return empty;
}

struct sweep {
    struct sim *s;
    bool waiting; /* something is left that will have to be looked at again */
};

static bool clean_namespace(void *ctx, struct sim_obj *o) {
    struct sweep *w = ctx;
    if (!obj_deleting(o->json)) return true;
    cleanup_free char *name = xstrdup(o->name);
    if (empty_namespace(w->s, name) && !object_meta_has_finalizers(sim_store_json(w->s, o))) {
        sim_store_remove(w->s, o);
    } else {
        w->waiting = true;
    }
    return true;
}

static bool clean_definition(void *ctx, struct sim_obj *o) {
    struct sweep *w = ctx;
    if (obj_deleting(o->json) && !crd_clean(w->s, o)) w->waiting = true;
    return true;
}

static bool clean_event(void *ctx, struct sim_obj *o) {
    struct sweep *w = ctx;
    int64_t at = 0;
    const char *last = json_str(o->json, "lastTimestamp");
    if (!last) last = json_str(json_obj(o->json, "metadata"), "creationTimestamp");
    if (last && rfc3339_parse(slice_of(last), &at) == 0 && w->s->now - at > EVENT_TTL_S * NS_PER_S)
        sim_store_remove(w->s, o);
    return true;
}

void namespace_gc_run(struct sim *s, struct due *d) {
    struct sweep w = {.s = s};
    sim_store_each(s, sim_type_find("", "namespaces"), NULL, clean_namespace, &w);
    sim_store_each(s, sim_type_find("apiextensions.k8s.io", "customresourcedefinitions"), NULL,
                   clean_definition, &w);
    const struct sim_type *ev = sim_type_find("", "events");
    if (s->now >= s->next_sweep) {
        sim_store_each(s, ev, NULL, clean_event, &w);
        s->next_sweep = s->now + EVENT_SWEEP_S * NS_PER_S;
    }
    if (w.waiting) { /* its pods are still ending */
        sim_due_at(s, d, s->now + 100 * NS_PER_MS);
    } else if (resource_table_of(s, ev)->index.n) {
        sim_due_at(s, d, s->next_sweep);
    }
}
