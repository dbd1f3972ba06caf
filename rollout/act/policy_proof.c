/* Whether the policy is in effect for a target; see policy_proof.h. */
#include "act/policy_proof.h"
#include "base/log.h"
#include "observe/policy_watch.h"
#include <stdio.h>

/* A namespace may get another label, which nobody tells us: asked again, spread over the time. */
#define SHOWN_NS  (3600 * NS_PER_S)
#define DENIED_NS (600 * NS_PER_S)
#define FAILED_NS (30 * NS_PER_S)

/* With another template, so that what is asked is what is relied on. */
#define QUESTION                                                                                             \
    "\"annotations\":{\"" ANNOTATION_HELD "\":null,\"" ANNOTATION_PROBE                                      \
    "\":\"true\"}},\"spec\":{\"paused\":false,"                                                              \
    "\"template\":{\"metadata\":{\"annotations\":{\"" ANNOTATION_PROBE "\":\"true\"}}}}}"

static int64_t now(const struct rollout *r) {
    return world_boot_ns(kube_world(r->kube));
}

static bool of_this(const struct rollout *r, const struct target *t) {
    return !strcmp(t->policy.id, policy_watch_id(r->policy));
}

/* By a predecessor, which wrote the id down. */
static bool shown_before(const struct rollout *r, const struct target *t) {
    return t->face.policy && !strcmp(t->face.policy, policy_watch_id(r->policy));
}

enum hold_policy policy_proof_known(const struct rollout *r, const struct target *t, const char **ret_id) {
    *ret_id = policy_watch_id(r->policy);
    enum policy_there there = policy_watch_there(r->policy);
    if (there != POLICY_THERE) return there == POLICY_NOT_THERE ? POLICY_ABSENT : POLICY_UNKNOWN;
    if (of_this(r, t) && t->policy.proof == PROOF_DENIED) return POLICY_ABSENT;
    if (of_this(r, t) && t->policy.proof == PROOF_SHOWN) return POLICY_HOLDS;
    return shown_before(r, t) ? POLICY_HOLDS : POLICY_UNKNOWN;
}

/* Before it has settled, only of one that is not paused because of an earlier version of the policy. */
bool policy_proof_due(const struct rollout *r, struct target *t) {
    struct target_policy *p = &t->policy;
    if (policy_watch_there(r->policy) != POLICY_THERE || workload_of(t->name) != &workload_deployment)
        return false;
    bool settled = policy_watch_settled(r->policy);
    if (!of_this(r, t)) {
        *p = (struct target_policy){.proof = PROOF_NONE};
        snprintf(p->id, sizeof p->id, "%s", policy_watch_id(r->policy));
        p->settled = shown_before(r, t);
        if (p->settled) p->due_ns = now(r) + (int64_t)(world_rand(kube_world(r->kube)) % (uint64_t)SHOWN_NS);
    }
    bool by_another = t->face.policy && !shown_before(r, t);
    if (!settled) return by_another && !p->due_ns;
    return !p->settled || now(r) >= p->due_ns;
}

struct kube_op *policy_proof_ask(struct rollout *r, const struct obs_target *target, kube_done done,
                                 void *ctx) {
    struct buf b = BUF(4096);
    buf_adds(&b, "{\"metadata\":{\"uid\":");
    buf_add_json(&b, slice_of(target->uid));
    buf_addc(&b, ',');
    buf_adds(&b, QUESTION);
    struct kube_spec spec = {
        .verb = KUBE_PATCH_MERGE,
        .lane = LANE_CALL,
        .ref = {.gvr = &gvr_deployments, .ns = slice_of(target->ns), .name = slice_of(target->name)},
        .body = buf_slice(&b),
        .dry_run = true};
    struct kube_op *op = kube_call(r->kube, &spec, done, ctx);
    buf_free(&b);
    return op;
}

/* NULL: in effect. */
static const char *denied(const struct err *err, struct slice raw) {
    if (err) return err->msg;
    cleanup_json cJSON *obj = json_parse(raw, NULL);
    const char *mark = json_str(json_at(obj, "metadata/annotations"), ANNOTATION_HELD);
    if (!json_bool(json_get(obj, "spec"), "paused", false) || !mark)
        return "a dry run of another template was not held: the binding selects others";
    if (strcmp(mark, "probe") != 0)
        return "it does not know the account under which Handover runs, and would hold Handover's own writes";
    return NULL;
}

void policy_proof_answer(const struct rollout *r, struct target *t, const struct err *err, struct slice raw) {
    struct target_policy *p = &t->policy;
    bool passing =
        err && (err_retryable(err) || err->kind == ERR_CONFLICT || err->kind == ERR_FENCED ||
                err->kind == ERR_CANCELLED || err->kind == ERR_NOTFOUND || err->kind == ERR_PROTOCOL);
    bool settled = policy_watch_settled(r->policy);
    if (passing) { /* nothing is known by it: as before */
        p->settled = true;
        p->due_ns = now(r) + FAILED_NS;
        return;
    }
    const char *why = denied(err, raw);
    enum target_proof was = p->proof;
    if (why) p->proof = PROOF_DENIED;
    if (!why && (settled || p->proof == PROOF_SHOWN)) p->proof = PROOF_SHOWN;
    p->settled = settled;
    p->due_ns = now(r) + (why ? DENIED_NS : SHOWN_NS);
    if (p->proof == was) return;
    if (why)
        LOG_EVENT(kube_log(r->kube), LOG_WARN, "HoldPolicyDenied",
                  "MutatingAdmissionPolicy " POLICY_NAME
                  " is not in effect for a target, which is held by spec.paused",
                  LF_STR("target", t->key), LF_STR("message", why));
    else
        LOG_EVENT(kube_log(r->kube), LOG_INFO, "HoldPolicyShown",
                  "MutatingAdmissionPolicy " POLICY_NAME " is in effect for a target",
                  LF_STR("target", t->key));
}
