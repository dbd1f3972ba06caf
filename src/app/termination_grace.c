/* See app/termination_grace.h. */
#include "app/termination_grace.h"
#include "base/json.h"
#include "base/log.h"

enum {
    READ_TIMEOUT_S = 5,
    KUBELET_MIN_S = 2, /* a kubelet gives this whatever the pod says: forced deletion, eviction, grace 0 */
    MAX_S = 7 * 24 * 3600,
};

struct termination_grace {
    struct kube *kube;
    struct leadership *leadership;
    char *ns, *name, *uid;
    struct kube_op *op;
    int64_t signal_ns; /* boot time of the first signal; 0: none yet */
};

static struct world *world_of(const struct termination_grace *g) {
    return kube_world(g->kube);
}

static void killed_at(struct termination_grace *g, int64_t after_signal_ns, const char *reason) {
    int64_t left = g->signal_ns + after_signal_ns - world_boot_ns(world_of(g)), step = NS_PER_S / 10;
    if (left < 0) left = 0;
    LOG_EVENT(kube_log(g->kube), LOG_INFO, "TerminationDeadline",
              "time left until the kubelet kills the process", LF_STR("reason", reason),
              LF_DUR("left", left / step * step));
    leadership_killed_in(g->leadership, left);
}

/* A grace period in seconds, between what a kubelet gives at least and a week; -1: absent or negative. */
static int64_t seconds(const cJSON *part, const char *member) {
    int64_t s = json_i64(part, member, -1);
    if (s < 0) return -1;
    return s < KUBELET_MIN_S ? KUBELET_MIN_S : s > MAX_S ? MAX_S : s;
}

static bool ours(const struct termination_grace *g, const cJSON *pod) {
    const char *uid = obj_uid(pod);
    return uid && strcmp(uid, g->uid) == 0;
}

static void on_start_read(void *ctx, const struct err *err, struct slice raw) {
    struct termination_grace *g = ctx;
    g->op = NULL;
    cleanup_json cJSON *pod = err ? NULL : json_parse(raw, NULL);
    int64_t s = pod ? seconds(json_get(pod, "spec"), "terminationGracePeriodSeconds") : -1;
    const char *reason = !pod ? "PodNotReadable" : !ours(g, pod) ? "PodReplaced" : s < 0 ? "NotSet" : NULL;
    struct drain_config cfg = {.grace_ns = s * NS_PER_S};
    if (!reason && drain_config_check(&cfg, NULL) == 0) {
        leadership_grace(g->leadership, &cfg);
        return;
    }
    LOG_EVENT(kube_log(g->kube), LOG_INFO, "TerminationGraceAssumed",
              "terminationGracePeriodSeconds is not known, assuming 30 s", LF_STR("pod", g->name),
              LF_STR("reason", reason ? reason : "OutOfRange"), LF_ERR(err));
}

static void on_stop_read(void *ctx, const struct err *err, struct slice raw) {
    struct termination_grace *g = ctx;
    g->op = NULL;
    if (err && err->kind == ERR_NOTFOUND) {
        killed_at(g, KUBELET_MIN_S * NS_PER_S, "ForceDeleted");
        return;
    }
    cleanup_json cJSON *pod = err ? NULL : json_parse(raw, NULL);
    if (!pod) return; /* what was known before still holds */
    const char *phase = json_str(json_get(pod, "status"), "phase");
    int64_t s = seconds(json_get(pod, "metadata"), "deletionGracePeriodSeconds");
    if (!ours(g, pod))
        killed_at(g, KUBELET_MIN_S * NS_PER_S, "PodReplaced");
    else if (phase && strcmp(phase, "Failed") == 0)
        killed_at(g, KUBELET_MIN_S * NS_PER_S, "Evicted");
    else if (s >= 0 && obj_deleting(pod))
        killed_at(g, s * NS_PER_S, "Deleted");
}

static void read_pod(struct termination_grace *g, kube_done done) {
    struct kube_spec spec = {
        .verb = KUBE_GET,
        .ref = {.gvr = &gvr_pods, .ns = slice_of(g->ns), .name = slice_of(g->name)},
        .lane = LANE_CALL,
        .timeout_ns = READ_TIMEOUT_S * NS_PER_S,
    };
    kube_cancel(g->op);
    g->op = kube_call(g->kube, &spec, done, g);
}

struct termination_grace *termination_grace_new(struct kube *k, struct leadership *l, const char *ns,
                                                const char *name, const char *uid, bool learn) {
    if (!ns || !*ns || !name || !*name || !uid || !*uid) return NULL;
    struct termination_grace *g = xcalloc(1, sizeof *g);
    *g = (struct termination_grace){
        .kube = k, .leadership = l, .ns = xstrdup(ns), .name = xstrdup(name), .uid = xstrdup(uid)};
    if (learn) read_pod(g, on_start_read);
    return g;
}

void termination_grace_free(struct termination_grace *g) {
    if (!g) return;
    kube_cancel(g->op);
    free(g->ns);
    free(g->name);
    free(g->uid);
    free(g);
}

void termination_grace_stopping(struct termination_grace *g) {
    if (!g || g->signal_ns || !leadership_inflight(g->leadership)) return;
    g->signal_ns = world_boot_ns(world_of(g));
    read_pod(g, on_stop_read);
}
