/* What a reconcile reads because the caches cannot answer it. */
#include "act/policy_proof.h"
#include "act/reconcile_impl.h"
#include <stdio.h>

/* Not there is an answer. */
static bool read_failed(struct reconcile *p, const struct err *err) {
    p->read = NULL;
    if (!err || err->kind == ERR_NOTFOUND) return false;
    reconcile_fail(p, err, NULL);
    return true;
}

/* Not in the cache and yet there is a state or a canary: deleted, or it does not take part any more. Or the cache is behind
 * what the last leader decided from: its word is the state's generation. */
static void on_target(void *ctx, const struct err *err, struct slice raw) {
    struct reconcile *p = ctx;
    struct err bad = {0};
    if (read_failed(p, err)) return;
    p->target_is_gone = err != NULL;
    cleanup_json cJSON *obj = err ? NULL : json_parse(raw, &bad);
    if (!err && (!obj || obs_target_read(workload_of(p->t->name), obj, raw, &p->read_target, &bad))) {
        reconcile_fail(p, &bad, NULL);
        return;
    }
    p->has_read_target = !err;
    if (!err) caches_wrote(p->r->caches, workload_of(p->t->name)->gvr, raw);
    reconcile_look(p);
}

/* A ConfigMap of the state's name that our informer does not have: it lacks our label, or the informer is behind. */
static void on_state(void *ctx, const struct err *err, struct slice raw) {
    struct reconcile *p = ctx;
    struct err bad = {0};
    if (read_failed(p, err)) return;
    p->t->clash = false;
    p->read_state = err ? NULL : json_parse(raw, &bad);
    if (bad.kind)
        reconcile_fail(p, &bad, NULL);
    else
        reconcile_look(p);
}

static void read_object(struct reconcile *p, const struct gvr *gvr, const char *name, kube_done done) {
    struct kube_spec spec = {.verb = KUBE_GET,
                             .lane = LANE_CALL,
                             .ref = {.gvr = gvr, .ns = slice_of(p->t->ns), .name = slice_of(name)}};
    p->read = kube_call(p->r->kube, &spec, done, p);
}

void reconcile_read_target(struct reconcile *p) {
    read_object(p, workload_of(p->t->name)->gvr, workload_name(p->t->name), on_target);
}

bool reconcile_reads_objects(struct reconcile *p, const struct target_snapshot *snap) {
    if (p->t->clash && !snap->state && snap->target) {
        cleanup_free char *name = obs_state_name(p->t->name);
        read_object(p, &gvr_configmaps, name, on_state);
        return true;
    }
    if (snap->target || p->has_read_target || p->target_is_gone) return false;
    if (!snap->state && !caches_has_canary(p->r->caches, p->t->ns, p->t->name)) return false;
    reconcile_read_target(p);
    return true;
}

/* Which template the revision in service has is not known from the state: that is lost, or another one has become current. */
static void on_revision(void *ctx, const struct err *err, struct slice raw) {
    struct reconcile *p = ctx;
    struct slice tmpl;
    struct err bad = {0};
    if (read_failed(p, err)) return;
    if (!err && obs_revision_read(raw, p->read_hash, &tmpl, &bad) < 0) {
        reconcile_fail(p, &bad, NULL);
        return;
    }
    reconcile_look(p);
}

bool reconcile_reads_revision(struct reconcile *p, const struct observed *o, struct target_snapshot *snap) {
    const struct obs_target *t = snap->target;
    if (!t || !obs_revision_unknown(t, o->state ? o->state->stable_name : NULL)) return false;
    if (!strcmp(p->read_revision, t->current)) { /* without a hash: it is deleted */
        p->seen = *t;
        memcpy(p->seen.current_hash, p->read_hash, sizeof p->read_hash);
        snap->target = &p->seen;
        return false;
    }
    snprintf(p->read_revision, sizeof p->read_revision, "%s", t->current);
    read_object(p, &gvr_controllerrevisions, t->current, on_revision);
    return true;
}

static void on_policy(void *ctx, const struct err *err, struct slice raw) {
    struct reconcile *p = ctx;
    p->read = NULL;
    policy_proof_answer(p->r, p->t, err, raw);
    reconcile_look(p);
}

bool reconcile_asks_policy(struct reconcile *p, struct observed *o) {
    o->policy = workload_of(p->t->name) == &workload_deployment
                    ? policy_proof_known(p->r, p->t, &o->policy_id)
                    : POLICY_ABSENT;
    if (p->asked || !plan_asks_policy(o) || !policy_proof_due(p->r, p->t)) return false;
    p->asked = true;
    p->read = policy_proof_ask(p->r, o->target, on_policy, p);
    return true;
}
