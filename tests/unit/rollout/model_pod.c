/* The model's pods as the readers give them, and as text, back through the readers. */
#include "model.h"

/* What its only container waits for, in the kubelet's words. */
static void waits(const struct model *m, const struct mpod *p, enum behaviour b, struct obs_pod *ret) {
    const char *reason = NULL, *message = "";
    char text[64];
    if (p->started && b != CRASHES) return;      /* what keeps others from starting does not stop it */
    bool pulling = (m->tick - p->born) % 20 < 5; /* it is tried; then the kubelet backs off */
    if (b == CRASHES && p->restarts >= 2) {
        reason = "CrashLoopBackOff";
        snprintf(text, sizeof text, "back-off %ds", m->tick);
        message = text;
    } else if (b == NO_IMAGE || b == NO_REGISTRY) {
        reason = pulling ? "ErrImagePull" : "ImagePullBackOff";
        message = !pulling        ? "Back-off pulling image op:v1"
                  : b == NO_IMAGE ? "rpc error: code = NotFound desc = failed to resolve op:v1: not found"
                                  : "dial tcp 10.0.0.9:443: connect: connection refused";
    } else if (b == NO_CONFIG) {
        reason = "CreateContainerConfigError";
        message = "configmap settings not found";
    } else if (!p->started) {
        reason = "ContainerCreating";
    }
    ret->waiting = xstrdup_null(reason);
    ret->trouble = reason && *message ? xstrdup(message) : NULL;
}

static enum obs_cause cause_of(const struct mpod *p, enum behaviour b) {
    if (p->ended && !p->terminating) return CAUSE_DISRUPTED;
    if (p->terminating || p->ready) return CAUSE_NONE;
    if (p->started) return b == NODE_LOST ? CAUSE_DISRUPTED : CAUSE_NONE;
    if (b == UNSCHEDULABLE || b == GATED) return CAUSE_UNSCHEDULABLE;
    return b == NO_REGISTRY ? CAUSE_IMAGE : b == NO_IMAGE ? CAUSE_NONE : CAUSE_NOT_STARTED;
}

static void fill(const struct model *m, int k, struct obs_pod *ret) {
    const struct mpod *p = &m->pod[k];
    const struct mrs *r = &m->rs[p->rs];
    enum behaviour b = m_behaviour(m, p->rs);
    *ret = (struct obs_pod){.ns = xstrdup("ns"),
                            .name = m->set && !r->canary ? xstrdup(p->uid)
                                                         : xasprintf("%s-%s", r->name, p->uid + 4),
                            .uid = xstrdup(p->uid),
                            .rs_uid = xstrdup(r->uid),
                            .rs_name = xstrdup(m->set && !r->canary ? "statefulset/op" : r->name),
                            .track = m_is_canary(r) && !r->detached ? TRACK_CANARY : TRACK_STABLE,
                            .created_ns = T0 + p->born * NS_PER_S,
                            .terminating = p->terminating,
                            .finished = p->ended,
                            .ready = p->ready && !p->terminating && !p->ended,
                            .scheduled = p->started || (b != UNSCHEDULABLE && b != GATED),
                            .restarts = p->restarts,
                            .crashes = p->restarts,
                            .loops = b == CRASHES && p->restarts >= 2,
                            .no_image = b == NO_IMAGE && !p->started,
                            .cause = cause_of(p, b),
                            .started_ns = p->started && !p->restarts ? T0 + p->started * NS_PER_S : 0,
                            .sidecar = r->rehearsed && p->ready,
                            .sidecar_restarts = p->sidecar_restarts,
                            .crashed_ns = p->crashed ? T0 + p->crashed * NS_PER_S : 0};
    const int64_t start = OBS_START_NS / NS_PER_S + p->born;
    if (p->crashed)
        ret->start_crashes = p->crashed <= start ? p->restarts : p->began <= start ? p->restarts - 1 : 0;
    if (ret->track == TRACK_CANARY) memcpy(ret->hash, m->hash[r->version], sizeof ret->hash);
    waits(m, p, b, ret);
    if (m->hostile) {
        free(ret->trouble);
        ret->trouble = xstrdup(m->hostile);
    }
    if (ret->cause != CAUSE_NONE && !ret->trouble) ret->trouble = xstrdup("something outside");
}

static char *conditions(const struct obs_pod *p, bool ready, enum behaviour b) {
    bool lost = b == NODE_LOST && p->started_ns;
    const char *scheduled =
        p->scheduled ? ""
        : b == GATED ? ",{\"type\":\"PodScheduled\",\"status\":\"False\",\"reason\":\"SchedulingGated\"}"
                     : ",{\"type\":\"PodScheduled\",\"status\":\"False\",\"message\":\"no node fits\"}";
    return xasprintf(
        "{\"type\":\"Ready\",\"status\":\"%s\"},{\"type\":\"ContainersReady\",\"status\":\"%s\"}%s",
        ready ? "True" : "False", ready || lost ? "True" : "False", scheduled);
}

void m_read_pod(const struct model *m, int k, struct obs_pod *ret) {
    fill(m, k, ret);
    if (m->direct) return;
    __attribute__((cleanup(obs_pod_free))) struct obs_pod p = *ret;
    enum behaviour b = m_behaviour(m, m->pod[k].rs);
    cleanup_free char *state = NULL, *last = NULL, *labels = NULL,
                      *conds = conditions(&p, m->pod[k].ready, b);
    char born[32], began[32], at[32], started[32];
    rfc3339_seconds(p.created_ns, born);
    rfc3339_seconds(T0 + m->pod[k].began * NS_PER_S, began);
    rfc3339_seconds(T0 + m->pod[k].started * NS_PER_S, started);
    rfc3339_seconds(p.crashed_ns, at);
    if (p.waiting)
        state = xasprintf("\"waiting\":{\"reason\":\"%s\",\"message\":\"%s\"}", p.waiting,
                          p.trouble ? p.trouble : "");
    else
        state = xasprintf("\"running\":{\"startedAt\":\"%s\"}", started);
    if (p.crashed_ns)
        last = xasprintf(",\"lastState\":{\"terminated\":{\"exitCode\":1,\"reason\":\"Error\","
                         "\"startedAt\":\"%s\",\"finishedAt\":\"%s\"}}",
                         began, at);
    if (p.track == TRACK_CANARY)
        labels = xasprintf(",\"handover.dev/track\":\"canary\",\"handover.dev/template\":\"%s\"", p.hash);
    bool of_set = !strcmp(p.rs_name, "statefulset/op");
    if (of_set) labels = xasprintf(",\"controller-revision-hash\":\"%s\"", p.rs_uid);
    cleanup_free char *sidecar =
        p.sidecar ? xasprintf("\"initContainerStatuses\":[{\"name\":\"handover-rehearsal\",\"started\":true,"
                              "\"restartCount\":%u,\"state\":{\"running\":{}}}],",
                              p.sidecar_restarts)
                  : xstrdup("");
    cleanup_free char *raw = xasprintf(
        "{\"metadata\":{\"name\":\"%s\",\"namespace\":\"ns\",\"uid\":\"%s\",\"labels\":{\"app\":\"op\"%s},"
        "\"creationTimestamp\":\"%s\",\"ownerReferences\":[{\"kind\":\"%s\",\"name\":\"%s\",\"uid\":\"%s\","
        "\"controller\":true}]%s},"
        "\"spec\":{%s},\"status\":{\"podIP\":\"10.0.0.1\"%s,\"conditions\":[%s],"
        "%s\"containerStatuses\":[{\"name\":\"c\",\"restartCount\":%u,\"state\":{%s}%s}]}}",
        p.name, p.uid, labels ? labels : "", born, of_set ? "StatefulSet" : "ReplicaSet",
        of_set ? "op" : p.rs_name, p.rs_uid,
        p.terminating ? ",\"deletionTimestamp\":\"2026-11-23T18:16:33Z\"" : "",
        p.scheduled ? "\"nodeName\":\"n\"" : "",
        p.finished ? ",\"phase\":\"Failed\",\"reason\":\"Evicted\",\"message\":\"low on memory\"" : "", conds,
        sidecar, p.restarts, state, last ? last : "");
    cleanup_json cJSON *obj = json_parse(slice_of(raw), NULL);
    struct err e = {0};
    if (obs_pod_read(obj, ret, &e) < 0) fail_msg("%s", e.msg);
    bool vague = p.waiting &&
                 !strcmp(p.waiting, "ImagePullBackOff"); /* not said then whether there is such an image */
    if (ret->restarts != p.restarts || ret->start_crashes != p.start_crashes ||
        ret->started_ns != p.started_ns || (!vague && ret->cause != p.cause))
        fail_msg("read %u restarts, %u at the start, cause %d instead of %u, %u, %d in %s", ret->restarts,
                 ret->start_crashes, ret->cause, p.restarts, p.start_crashes, p.cause, raw);
}
