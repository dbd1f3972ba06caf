/* What has to be looked at, and when: notices every change of an object, wakes those that it concerns, and
 * runs what is due. */
#include "controllers/ctl.h"
#include "controllers/events.h"
#include "controllers/namespace_index.h"
#include "controllers/operator.h"
#include "controllers/pod.h"

/* ---- the heap of due looks ---- */

static const struct ctl_obj *of_node(const struct heap_node *n) {
    return container_of(n, const struct ctl_obj, due);
}

static bool before(const struct heap_node *a, const struct heap_node *b) {
    const struct ctl_obj *x = of_node(a), *y = of_node(b);
    return x->at != y->at ? x->at < y->at : x->seq < y->seq;
}

void ctl_at(struct ctl *c, struct ctl_obj *co, int64_t at) {
    if (co->due.pos && co->at <= at) return;
    if (at == TIME_NEVER) return;
    bool queued = co->due.pos != 0;
    co->at = at;
    co->seq = c->seq++;
    if (queued)
        heap_update(&c->due, &co->due);
    else
        heap_insert(&c->due, &co->due);
}

static int64_t soon(struct ctl *c) {
    int64_t jitter = c->jitter_ns > 0 ? (int64_t)(sim_rand(c->s) % (uint64_t)c->jitter_ns) : 0;
    return ctl_now(c) + c->delay_ns + jitter;
}

void ctl_wake(struct ctl *c, struct ctl_obj *co) {
    co->mine = true;
    ctl_at(c, co, soon(c));
}

static void wake_uid(struct ctl *c, const char *uid) {
    struct sim_obj *o = uid ? sim_store_by_uid(c->s, uid) : NULL;
    if (o && o->ctl) ctl_wake(c, o->ctl);
}

/* ---- the objects ---- */

struct ctl *ctl_of(struct sim *s) {
    return sim_ctl(s);
}

struct ctl_obj *ctl_obj_of(struct sim_obj *o) {
    return o->ctl;
}

static enum ctl_kind kind_of(const struct ctl *c, const struct sim_type *t) {
    if (t == c->deployments) return CK_DEPLOYMENT;
    if (t == c->replicasets) return CK_REPLICASET;
    if (t == c->statefulsets) return CK_STATEFULSET;
    if (t == c->pods) return CK_POD;
    return t == c->event_type ? CK_EVENT : CK_OTHER;
}

static struct ctl_obj *obj_new(struct ctl *c, struct sim_obj *o, enum ctl_kind kind) {
    struct ctl_obj *co = xcalloc(1, sizeof *co);
    co->o = o;
    co->kind = kind;
    list_push(&c->all, &co->all);
    list_init(&co->in_ns);
    list_init(&co->orphan);
    if (kind == CK_EVENT) {
        c->nevents++;
    } else if (kind != CK_OTHER) {
        list_push(namespace_index_all(namespace_index_of(c, o->ns), kind), &co->in_ns);
        if (kind == CK_POD) c->npods++;
    }
    if (kind == CK_DEPLOYMENT || kind == CK_REPLICASET || kind == CK_STATEFULSET)
        (void)selector_from_spec(json_at(o->json, "spec/selector"), &co->sel, NULL);
    o->ctl = co;
    return co;
}

static void obj_free(struct ctl *c, struct ctl_obj *co) {
    heap_remove(&c->due, &co->due);
    list_remove(&co->all);
    list_remove(&co->in_ns);
    list_remove(&co->orphan);
    if (co->kind == CK_EVENT) c->nevents--;
    if (co->kind == CK_POD) c->npods--;
    if (co->pod) pod_forget(c, co->pod);
    selector_free(co->sel);
    free(co->owner);
    free(co);
}

struct waking {
    struct ctl *c;
    const cJSON *labels;
};

static void wake_if_selected(void *ctx, struct ctl_obj *owner) {
    struct waking *w = ctx;
    if (owner->sel && selector_match(owner->sel, w->labels)) ctl_wake(w->c, owner);
}

/* A ReplicaSet or Pod has changed: its controller is to look, a former one too; an orphan is offered to those
 * that select it. */
static void wake_owners(struct ctl *c, struct ctl_obj *co) {
    const cJSON *json = co->o->json, *labels = json_at(json, "metadata/labels");
    const char *owner = json_str(obj_controller(json), "uid");
    bool moved =
        !co->seen || (owner == NULL) != (co->owner == NULL) || (owner && strcmp(owner, co->owner) != 0);
    uint64_t lh = ctl_json_hash(labels);
    if (moved) {
        wake_uid(c, co->owner);
        free(co->owner);
        co->owner = xstrdup_null(owner);
        list_remove(&co->orphan);
        if (!owner)
            list_push(namespace_index_orphans(namespace_index_of(c, co->o->ns), co->kind), &co->orphan);
    }
    if (owner) {
        wake_uid(c, owner);
    } else if (moved || lh != co->labels) {
        struct waking w = {c, labels};
        ctl_each(c, co->o->ns, co->kind == CK_POD ? CK_REPLICASET : CK_DEPLOYMENT, wake_if_selected, &w);
        if (co->kind == CK_POD) ctl_each(c, co->o->ns, CK_STATEFULSET, wake_if_selected, &w);
    }
    co->labels = lh;
}

void ctl_changed(struct sim *s, struct sim_obj *o) {
    struct ctl *c = ctl_of(s);
    enum ctl_kind kind = kind_of(c, o->type);
    struct ctl_obj *co = o->ctl;
    if (!co) {
        if (kind == CK_OTHER && !gc_concerns(o->json)) return;
        co = obj_new(c, o, kind);
    }
    if (kind == CK_EVENT) {
        events_changed(c, co);
        return;
    }
    uint64_t owners = ctl_json_hash(json_at(o->json, "metadata/ownerReferences"));
    if (gc_concerns(o->json) && (!co->seen || owners != co->owners || obj_deleting(o->json))) {
        co->gc = true;
        ctl_at(c, co, soon(c));
    }
    co->owners = owners;
    if (kind == CK_REPLICASET || kind == CK_POD) wake_owners(c, co);
    co->seen = true;
    if (kind == CK_POD) {
        if (c->looking == co) return; /* its kubelet's own writes */
        co->mine = true;
        ctl_at(c, co, ctl_now(c)); /* a kubelet keeps its own times */
    } else if (kind != CK_OTHER) {
        ctl_wake(c, co);
    }
}

void ctl_removed(struct sim *s, struct sim_obj *o) {
    struct ctl *c = ctl_of(s);
    gc_removed(c, o);
    struct ctl_obj *co = o->ctl;
    if (!co) return;
    if (co->kind == CK_POD &&
        co->owner) { /* a Deployment that waits for its old pods to go is two steps up */
        struct sim_obj *rs = sim_store_by_uid(s, co->owner);
        if (rs && rs->ctl) {
            ctl_wake(c, rs->ctl);
            wake_uid(c, ((struct ctl_obj *)rs->ctl)->owner);
        }
    } else {
        wake_uid(c, co->owner);
    }
    obj_free(c, co);
    o->ctl = NULL;
}

/* ---- running ---- */

static void look(struct ctl *c, struct ctl_obj *co) {
    if (co->gc) {
        co->gc = false;
        if (!gc_sync(c, co)) return;
    }
    if (!co->mine) return;
    co->mine = false;
    if (co->kind == CK_POD)
        pod_sync(c, co);
    else if (co->kind == CK_REPLICASET)
        replicaset_sync(c, co);
    else if (co->kind == CK_STATEFULSET)
        statefulset_sync(c, co);
    else if (co->kind == CK_DEPLOYMENT)
        deployment_sync(c, co);
    else if (co->kind == CK_EVENT)
        events_expire(c, co);
}

void ctl_run(struct sim *s) {
    struct ctl *c = ctl_of(s);
    /* With no delay two controllers could undo each other's work at one instant for ever: time has to
     * advance. */
    size_t left = 1000 + 200 * (c->due.n + 1);
    struct heap_node *n;
    while ((n = heap_min(&c->due)) != NULL) {
        struct ctl_obj *co = container_of(n, struct ctl_obj, due);
        if (co->at > ctl_now(c)) return;
        heap_remove(&c->due, n);
        if (left == 0 || (c->stopped && co->kind != CK_POD && co->kind != CK_EVENT)) {
            ctl_at(c, co, ctl_now(c) + (left == 0 ? NS_PER_MS : NS_PER_S));
            continue;
        }
        left--;
        if (!sim_store_json(s, co->o)) continue;
        c->looking = co;
        look(c, co);
        c->looking = NULL;
    }
}

int64_t ctl_next_ns(struct sim *s) {
    struct heap_node *n = heap_min(&ctl_of(s)->due);
    return n ? of_node(n)->at : TIME_NEVER;
}

/* ---- beginning and end ---- */

void *ctl_new(struct sim *s) {
    struct ctl *c = xcalloc(1, sizeof *c);
    c->s = s;
    heap_init(&c->due, before);
    list_init(&c->all);
    list_init(&c->events);
    c->deployments = sim_type_find("apps", "deployments");
    c->replicasets = sim_type_find("apps", "replicasets");
    c->statefulsets = sim_type_find("apps", "statefulsets");
    c->revisions = sim_type_find("apps", "controllerrevisions");
    c->pods = sim_type_find("", "pods");
    c->event_type = sim_type_find("", "events");
    c->leases = sim_type_find("coordination.k8s.io", "leases");
    c->nodes = sim_type_find("", "nodes");
    c->quotas = sim_type_find("", "resourcequotas");
    c->delay_ns = NS_PER_MS;
    c->jitter_ns = 2 * NS_PER_MS;
    c->next_ip = 2;
    c->scripts.default_start_ns = sim_cfg(s)->pod_start_ns;
    return c;
}

void ctl_free(void *ctl) {
    struct ctl *c = ctl;
    if (!c) return;
    c->rt = NULL; /* no events at the end of the sim */
    list_each_safe(it, tmp, &c->all) {
        struct ctl_obj *co = container_of(it, struct ctl_obj, all);
        obj_free(c, co); /* not touching co->o: the store may have freed it */
    }
    heap_free(&c->due);
    namespace_index_free(c);
    scripts_free(&c->scripts);
    free(c);
}
