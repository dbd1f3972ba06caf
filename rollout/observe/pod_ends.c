/* How a Pod's containers have ended, and which of these ends are crashes: its version's own failures. The kubelet keeps
 * the number of a container's restarts and how it ended last, so the last end says of what kind all of them are. */
#include "observe/objects_impl.h"
#include "api/meta.h"

enum kind {
    KIND_APP,     /* it is not meant to end: each end counts, with exit code 0 too */
    KIND_INIT,    /* it is meant to end well */
    KIND_SIDECAR, /* an init container with restartPolicy Always: it may end well, and is started again */
};

/* Ends that say nothing about the version: the runtime lost the container (the node was restarted), or the kubelet stopped
 * it because of another one. */
static bool end_of_others(const char *reason) {
    return OBSERVE_IS(reason, "ContainerStatusUnknown", "Unknown", "RestartingAllContainers");
}

/* What the runtime says of a container whose shim it has lost, once while the process was still alive. */
enum { EXIT_LOST = 255 };

static bool is_sidecar(const cJSON *init_container) {
    return strcmp(json_str_or(init_container, "restartPolicy", ""), "Always") == 0;
}

static const cJSON *spec_of(const cJSON *list, const char *name) {
    for (const cJSON *c = list ? list->child : NULL; c; c = c->next)
        if (strcmp(json_str_or(c, "name", ""), name) == 0) return c;
    return NULL;
}

/* Does a change of its resources restart it? */
static bool resize_restarts(const cJSON *container) {
    const cJSON *policy;
    cJSON_ArrayForEach(policy, json_arr(container, "resizePolicy")) {
        if (strcmp(json_str_or(policy, "restartPolicy", ""), "RestartContainer") == 0) return true;
    }
    return false;
}

/* A Pod's generation is 1 when it is made and rises with each change of its spec, as a resize in place is one: so many
 * restarts may be the resizes'. It is 0 before Kubernetes 1.33, where a resize shows in status.resize only. */
static uint32_t resizes(const cJSON *pod) {
    int64_t generation = json_i64(json_get(pod, "metadata"), "generation", 0);
    if (generation > 1) return generation > UINT32_MAX ? UINT32_MAX : (uint32_t)generation - 1;
    return json_str_or(json_get(pod, "status"), "resize", "")[0] ? 1 : 0;
}

struct ends {
    const cJSON *last; /* the last end; NULL: none is known */
    bool now;          /* it has not been started again since */
    uint32_t restarts, crashes;
};

static bool counts(enum kind kind, const cJSON *last) {
    if (!last) return kind == KIND_APP;
    if (end_of_others(json_str_or(last, "reason", ""))) return false;
    return kind == KIND_APP || json_i64(last, "exitCode", 0) != 0;
}

static struct ends ends_of(const cJSON *status, const cJSON *container, enum kind kind, uint32_t allowed) {
    int64_t n = json_i64(status, "restartCount", 0);
    struct ends e = {.restarts = n <= 0 || n >= UINT32_MAX ? 0 : (uint32_t)n};
    e.last = json_get(json_get(status, "state"), "terminated");
    e.now = e.last != NULL;
    if (!e.last) e.last = json_get(json_get(status, "lastState"), "terminated");
    bool others = e.last && end_of_others(json_str_or(e.last, "reason", ""));
    if (counts(kind, e.last))
        e.crashes = e.restarts;
    else if (others && kind == KIND_APP && e.restarts > 1) /* those before it may have been crashes */
        e.crashes = e.restarts - 1;
    if (resize_restarts(container)) e.crashes -= e.crashes < allowed ? e.crashes : allowed;
    return e;
}

static bool by(const cJSON *terminated, const char *key, int64_t limit_ns) {
    int64_t at;
    return observe_time(terminated, key, &at) && at <= limit_ns;
}

/* Of its crashes those until then. With the last end comes when that process had begun, so that an end long after does not
 * hide those before it. */
static uint32_t crashes_by(const struct ends *e, bool last_counts, int64_t limit_ns) {
    if (!e->crashes || by(e->last, "finishedAt", limit_ns)) return e->crashes;
    return by(e->last, "startedAt", limit_ns) ? e->crashes - last_counts : 0;
}

static void take(const cJSON *status, enum kind kind, const struct ends *e, struct obs_pod *p) {
    const char *waits = json_str_or(json_get(json_get(status, "state"), "waiting"), "reason", "");
    bool forgiven = e->restarts && !e->crashes;
    p->restarts = p->restarts > UINT32_MAX - e->restarts ? UINT32_MAX : p->restarts + e->restarts;
    p->crashes = p->crashes > UINT32_MAX - e->crashes ? UINT32_MAX : p->crashes + e->crashes;
    uint32_t start = crashes_by(e, counts(kind, e->last), p->created_ns + OBS_START_NS);
    p->start_crashes = p->start_crashes > UINT32_MAX - start ? UINT32_MAX : p->start_crashes + start;
    if (!counts(kind, e->last) || forgiven) return;
    bool loops = strcmp(waits, "CrashLoopBackOff") == 0;
    int64_t at;
    observe_time(e->last, "finishedAt", &at);
    /* The one that keeps the Pod down names the reason, else the last one. */
    bool tells = e->last && (!p->crash || (loops && !p->loops) || (loops == p->loops && at > p->crashed_ns));
    p->loops = p->loops || loops;
    if (at > p->crashed_ns) p->crashed_ns = at;
    if (!tells) return;
    p->oom_killed = strcmp(json_str_or(e->last, "reason", ""), "OOMKilled") == 0;
    free(p->crash);
    p->crash =
        xasprintf("container %.63s: %.63s, exit code %lld", json_str_or(status, "name", "?"),
                  json_str_or(e->last, "reason", "ended"), (long long)json_i64(e->last, "exitCode", 0));
}

/* When its last process ended for certain; 0: none has, or the runtime had lost it: then it may be alive. */
static int64_t last_end(const cJSON *status) {
    const cJSON *t = json_get(json_get(status, "state"), "terminated");
    if (!t) t = json_get(json_get(status, "lastState"), "terminated");
    int64_t at;
    bool lost =
        end_of_others(json_str_or(t, "reason", "")) || json_i64(t, "exitCode", EXIT_LOST) == EXIT_LOST;
    return observe_time(t, "finishedAt", &at) && !lost ? at : 0;
}

static bool has_ended(const cJSON *status) {
    return json_get(json_get(status, "state"), "terminated") != NULL;
}

/* The earliest of these ends. A container that the kubelet does not tell of may run. *ret_all: none has been started again. */
static int64_t died(const cJSON *spec, const cJSON *status, bool *ret_all) {
    int64_t at = INT64_MAX;
    size_t want = 0, seen = 0;
    *ret_all = true;
    const cJSON *c, *s;
    cJSON_ArrayForEach(c, json_arr(spec, "containers")) want++;
    cJSON_ArrayForEach(c, json_arr(spec, "initContainers")) want += is_sidecar(c);
    cJSON_ArrayForEach(s, json_arr(status, "initContainerStatuses")) {
        if (!is_sidecar(spec_of(json_arr(spec, "initContainers"), json_str_or(s, "name", "")))) continue;
        int64_t end = last_end(s);
        at = end < at ? end : at;
        *ret_all = *ret_all && has_ended(s);
        seen++;
    }
    cJSON_ArrayForEach(s, json_arr(status, "containerStatuses")) {
        int64_t end = last_end(s);
        at = end < at ? end : at;
        *ret_all = *ret_all && has_ended(s);
        seen++;
    }
    return want && seen == want ? at : 0;
}

void observe_pod_ends(const cJSON *pod, struct obs_pod *p) {
    const cJSON *status = json_get(pod, "status"), *spec = json_get(pod, "spec"), *s;
    uint32_t allowed = resizes(pod);
    cJSON_ArrayForEach(s, json_arr(status, "initContainerStatuses")) {
        const cJSON *c = spec_of(json_arr(spec, "initContainers"), json_str_or(s, "name", ""));
        bool sidecar = is_sidecar(c);
        if (observe_rehearsal_sidecar(s, p))
            continue; /* what is Handover's own says nothing of the version */
        struct ends e = ends_of(s, c, sidecar ? KIND_SIDECAR : KIND_INIT, allowed);
        take(s, sidecar ? KIND_SIDECAR : KIND_INIT, &e, p);
    }
    cJSON_ArrayForEach(s, json_arr(status, "containerStatuses")) {
        struct ends e =
            ends_of(s, spec_of(json_arr(spec, "containers"), json_str_or(s, "name", "")), KIND_APP, allowed);
        take(s, KIND_APP, &e, p);
    }
    bool all;
    p->died_ns = died(spec, status, &all);
    p->over = p->died_ns && all && p->terminating;
}
