/* Leader election of scripted operators on a real Lease object, as client-go does it: polls every two
 * seconds, judges expiry by its own clock since it last saw the record change, and leaves the Lease behind
 * unless it is to release it. */
#include "controllers/operator.h"
#include "controllers/pod.h"
#include "api/rfc3339.h"
#include <stdio.h>

#define RETRY_NS (2 * NS_PER_S)

/* ---- which Lease ---- */

static const char *lease_arg(const cJSON *container) {
    static const char *const lists[] = {"args", "command"};
    static const char flag[] = "--leader-election-id=";
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        const cJSON *list = json_arr(container, lists[i]);
        for (const cJSON *a = list ? list->child : NULL; a; a = a->next)
            if (cJSON_IsString(a) && strncmp(a->valuestring, flag, sizeof flag - 1) == 0)
                return a->valuestring + sizeof flag - 1;
    }
    return NULL;
}

/* "registry:5000/team/op:v1" -> "op": all versions of an operator share a Lease. */
static struct slice repository(const char *image) {
    const char *slash = strrchr(image, '/');
    struct slice s = slice_of(slash ? slash + 1 : image), rest;
    slice_cut(s, '@', &s, &rest);
    slice_cut(s, ':', &s, &rest);
    return s;
}

static void name_lease(struct ctl *c, struct pod_proc *p, struct container *k) {
    const cJSON *list = json_at(sim_store_json(c->s, p->co->o), "spec/containers");
    const char *arg = NULL;
    for (const cJSON *v = list ? list->child : NULL; v && !arg; v = v->next)
        if (strcmp(json_str_or(v, "name", ""), k->name) == 0) arg = lease_arg(v);
    struct slice repo = repository(k->image);
    if (arg || *k->script.lease)
        (void)snprintf(k->op.lease, sizeof k->op.lease, "%.120s", arg ? arg : k->script.lease);
    else
        (void)snprintf(k->op.lease, sizeof k->op.lease, "%.*s-lock", (int)(repo.n > 100 ? 100 : repo.n),
                       repo.p);
}

struct place {
    char ns[64];
    const char *name;
};
static struct place place_of(const struct pod_proc *p, const struct container *k) {
    struct place at = {.name = k->op.lease};
    const char *slash = strchr(k->op.lease, '/');
    if (slash) at.name = slash + 1;
    if (slash)
        (void)snprintf(at.ns, sizeof at.ns, "%.*s", (int)(slash - k->op.lease), k->op.lease);
    else
        (void)snprintf(at.ns, sizeof at.ns, "%s", p->co->o->ns);
    return at;
}

void elector_start(struct ctl *c, struct pod_proc *p, struct container *k) {
    bool elects = k->script.elects && c->leases;
    k->op.elect_at = elects ? ctl_now(c) : TIME_NEVER;
    k->op.leads = false;
    if (elects) name_lease(c, p, k);
}

/* ---- the record ---- */

static void identity(const struct pod_proc *p, const struct container *k, char ret[512]) {
    (void)snprintf(ret, 512, "%.253s_%016llx", p->co->o->name, (unsigned long long)k->op.seed);
}

static void set_micro(cJSON *obj, const char *key, int64_t t) {
    char text[40];
    rfc3339_micro(t, text);
    ctl_json_set_str(obj, key, text);
}

static void write_holder(cJSON *lease, const char *holder, int64_t now, int64_t duration_s, bool acquired) {
    cJSON *spec = ctl_json_make(lease, "spec");
    if (acquired) {
        set_micro(spec, "acquireTime", now);
        ctl_json_set_i64(spec, "leaseTransitions", json_i64(spec, "leaseTransitions", -1) + 1);
    }
    ctl_json_set_str(spec, "holderIdentity", holder);
    ctl_json_set_i64(spec, "leaseDurationSeconds", duration_s);
    set_micro(spec, "renewTime", now);
}

static bool create_lease(struct ctl *c, struct pod_proc *p, struct container *k, const char *me) {
    cJSON *lease = cJSON_CreateObject();
    struct place at = place_of(p, k);
    ctl_json_set_str(lease, "apiVersion", "coordination.k8s.io/v1");
    ctl_json_set_str(lease, "kind", "Lease");
    ctl_json_set_str(ctl_json_make(lease, "metadata"), "name", at.name);
    write_holder(lease, me, ctl_now(c), k->script.lease_ns / NS_PER_S, true);
    return sim_store_create(c->s, c->leases, at.ns, lease, NULL, NULL) == 0;
}

static void set_leads(struct ctl *c, struct container *k, bool leads) {
    if (k->op.leads != leads) operator_count(k, ctl_now(c));
    k->op.leads = leads;
}

static bool update_lease(struct ctl *c, struct container *k, struct sim_obj *o, const char *me,
                         bool acquire) {
    cJSON *lease = ctl_copy(c, o);
    write_holder(lease, me, ctl_now(c), k->script.lease_ns / NS_PER_S, acquire);
    return ctl_put(c, o, lease, STORE_MAIN) == 0;
}

/* ---- one look ---- */

static bool expired(struct ctl *c, struct container *k, const struct sim_obj *o, const char *holder) {
    if (o->rv != k->op.seen_rv) {
        k->op.seen_rv = o->rv;
        k->op.seen_at = ctl_now(c);
    }
    return !*holder || k->op.seen_at + k->script.lease_ns <= ctl_now(c);
}

bool elector_poll(struct ctl *c, struct pod_proc *p, struct container *k) {
    char me[512];
    identity(p, k, me);
    sim_store_as(c->s, "operator");
    struct place at = place_of(p, k);
    struct sim_obj *o = sim_store_get(c->s, c->leases, at.ns, at.name);
    bool kept = true;
    if (!o) {
        set_leads(c, k, create_lease(c, p, k, me));
    } else {
        const char *holder = json_str_or(json_get(o->json, "spec"), "holderIdentity", "");
        bool mine = strcmp(holder, me) == 0;
        if (k->op.leads && !mine) {
            set_leads(c, k, false);
            kept = false;
        } else if (mine || expired(c, k, o, holder)) {
            set_leads(c, k, update_lease(c, k, o, me, !mine));
        }
    }
    sim_store_as(c->s, NULL);
    int64_t jitter = k->op.leads ? 0 : (int64_t)(sim_rand(c->s) % (uint64_t)(RETRY_NS * 12 / 10));
    k->op.elect_at = ctl_now(c) + RETRY_NS + jitter;
    return kept;
}

void elector_end(struct ctl *c, struct pod_proc *p, struct container *k) {
    bool led = k->op.leads;
    k->op.leads = false;
    k->op.elect_at = TIME_NEVER;
    if (!led || !k->script.releases || p->stage < POD_ENDING) return;
    struct place at = place_of(p, k);
    struct sim_obj *o = sim_store_get(c->s, c->leases, at.ns, at.name);
    char me[512];
    identity(p, k, me);
    if (!o || strcmp(json_str_or(json_get(o->json, "spec"), "holderIdentity", ""), me) != 0) return;
    cJSON *lease = ctl_copy(c, o);
    write_holder(lease, "", ctl_now(c), 1, false);
    sim_store_as(c->s, "operator");
    (void)ctl_put(c, o, lease, STORE_MAIN);
    sim_store_as(c->s, NULL);
}
