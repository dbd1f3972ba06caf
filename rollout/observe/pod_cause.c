/* What keeps a Pod from running although its version may be good: no node, no image, no ConfigMap, no volume, an eviction.
 * The words are those of the scheduler and the kubelet. What is not known for certain to come from outside is not. */
#include "observe/objects_impl.h"
#include "api/meta.h"

static bool any_in(const char *text, const char *const *parts, size_t n) {
    for (size_t i = 0; text && i < n; i++)
        if (strstr(text, parts[i])) return true;
    return false;
}
#define HAS(text, ...)                                                                                       \
    any_in(text, (const char *const[]){__VA_ARGS__},                                                         \
           sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

/* A registry that was asked says so. containerd: code = NotFound; Docker, CRI-O: manifest unknown. Credential helpers and
 * Secrets that are not found say nothing about the image. */
static bool image_absent(const char *message) {
    if (HAS(message, "executable file not found", "secret \"", "secrets \"")) return false;
    return HAS(message, "code = NotFound", "manifest unknown", "name unknown", ": not found",
               "manifest not found");
}

/* Its user is the image's own matter. */
static bool own_config(const char *message) {
    return HAS(message, "runAsNonRoot", "will run as root", "non-numeric user");
}

/* CreateContainerError is the runtime's word for all that goes wrong; these are the node's. */
static bool node_trouble(const char *message) {
    return HAS(message, "context deadline exceeded", "DeadlineExceeded", "no space left on device",
               "failed to reserve container name", "connection refused", "code = Unavailable");
}

static enum obs_cause cause_of_waiting(const char *reason, const char *message, bool *ret_no_image) {
    if (OBSERVE_IS(reason, "InvalidImageName", "ErrImageNeverPull")) {
        *ret_no_image = true;
        return CAUSE_NONE;
    }
    if (OBSERVE_IS(reason, "ErrImagePull", "ImagePullBackOff", "ImageInspectError", "RegistryUnavailable",
                   "SignatureValidationFailed")) {
        bool absent = image_absent(message);
        *ret_no_image = *ret_no_image || absent;
        return absent ? CAUSE_NONE : CAUSE_IMAGE;
    }
    if (strcmp(reason, "CreateContainerConfigError") == 0)
        return own_config(message) ? CAUSE_NONE : CAUSE_NOT_STARTED;
    if (strcmp(reason, "CreateContainerError") == 0)
        return node_trouble(message) ? CAUSE_NOT_STARTED : CAUSE_NONE;
    return CAUSE_NONE;
}

static bool is_ours(const cJSON *status) {
    return strcmp(json_str_or(status, "name", ""), REHEARSAL_SIDECAR) == 0;
}

/* Handover's own container in a rehearsal: an image that is not there is not the version's. */
static enum obs_cause cause_of_ours(const char *reason) {
    bool image =
        OBSERVE_IS(reason, "InvalidImageName", "ErrImageNeverPull", "ErrImagePull", "ImagePullBackOff",
                   "ImageInspectError", "RegistryUnavailable", "SignatureValidationFailed");
    bool starts = OBSERVE_IS(reason, "", "ContainerCreating", "PodInitializing");
    return image ? CAUSE_IMAGE : starts ? CAUSE_NONE : CAUSE_NOT_STARTED;
}

bool observe_rehearsal_sidecar(const cJSON *status, struct obs_pod *p) {
    if (!is_ours(status)) return false;
    int64_t n = json_i64(status, "restartCount", 0);
    p->sidecar = json_bool(status, "started", false) && json_get(json_get(status, "state"), "running");
    p->sidecar_restarts = n <= 0 || n >= UINT32_MAX ? 0 : (uint32_t)n;
    return true;
}

struct containers {
    size_t n, running, ended_badly;
    bool only_creating; /* all that wait do so for the kubelet to create them */
    enum obs_cause cause;
    bool no_image;
    const char *message; /* of the container that waits for the cause */
    int64_t started_ns, ended_ns;
};

static void look_at(const cJSON *list, struct containers *c) {
    const cJSON *s;
    cJSON_ArrayForEach(s, list) {
        const cJSON *state = json_get(s, "state"), *running = json_get(state, "running"),
                    *waiting = json_get(state, "waiting"), *ended = json_get(state, "terminated");
        bool again = json_i64(s, "restartCount", 0) > 0, ours = is_ours(s);
        if (ours && (running || ended))
            continue; /* while it alone runs, nothing of the version's has been started */
        c->n++;
        c->running += running != NULL;
        c->ended_badly += again || (ended && json_i64(ended, "exitCode", 0) != 0);
        int64_t at;
        if (!again && observe_time(running, "startedAt", &at) && at > c->started_ns) c->started_ns = at;
        if (observe_time(ended, "finishedAt", &at) && at > c->ended_ns) c->ended_ns = at;
        if (running || ended) continue;
        const char *reason = json_str_or(waiting, "reason", ""),
                   *message = json_str_or(waiting, "message", "");
        if (!OBSERVE_IS(reason, "", "ContainerCreating", "PodInitializing")) c->only_creating = false;
        enum obs_cause cause = ours ? cause_of_ours(reason) : cause_of_waiting(reason, message, &c->no_image);
        if (cause == CAUSE_NONE || c->cause != CAUSE_NONE) continue;
        c->cause = cause;
        c->message = message;
    }
}

static void say(struct obs_pod *p, const char *reason, const char *message) {
    free(p->trouble);
    bool both = reason && *reason && message && *message;
    cleanup_free char *text =
        xasprintf("%s%s%s", reason ? reason : "", both ? ": " : "", message ? message : "");
    p->trouble = observe_text(text);
}

/* While it waits for the next try, the kubelet repeats what the last one said behind words of its own. It is one cause, with one text. */
static const char *of_the_try(const char *message) {
    const char *again = strstr(message, "ErrImagePull: ");
    return again ? again + strlen("ErrImagePull: ") : message;
}

/* The kubelet is at it: sandbox, volumes, the first image. Nothing of it has run, and nothing has gone wrong in it. */
static bool being_created(const struct containers *c) {
    return c->running == 0 && c->ended_badly == 0 && c->only_creating;
}

static void say_created(const cJSON *pod, struct obs_pod *p) {
    const cJSON *prepared = obj_condition(pod, "PodReadyToStartContainers"); /* 1.29 and later */
    bool waits = strcmp(json_str_or(prepared, "status", ""), "False") == 0;
    say(p, "ContainerCreating",
        waits ? "its volumes or its network are not ready yet" : "the kubelet has not started it yet");
}

static const cJSON *disrupted(const cJSON *pod) {
    const cJSON *c = obj_condition(pod, "DisruptionTarget");
    return strcmp(json_str_or(c, "status", ""), "True") == 0 ? c : NULL;
}

/* It was ended by the node or the cluster: a Pod of a ReplicaSet is never over by itself, but where its containers have restart
 * rules of their own and fail. A kubelet's own reason stands in status.reason (Evicted, NodeShutdown, OutOfcpu, ...). */
static bool evicted(const cJSON *pod, int64_t ended_ns, struct obs_pod *p) {
    const cJSON *status = json_get(pod, "status"), *target = disrupted(pod);
    const char *reason = json_str_or(status, "reason", ""), *message = json_str_or(status, "message", "");
    bool over = p->finished && !p->terminating &&
                (*reason || strcmp(json_str_or(status, "phase", ""), "Succeeded") == 0);
    if (!target && !over) return false;
    if (target && !*reason) {
        reason = json_str_or(target, "reason", "");
        message = json_str_or(target, "message", "");
    }
    say(p, *reason ? reason : "ended from outside", message);
    int64_t since;
    observe_time(target, "lastTransitionTime", &since);
    p->ended_ns = since ? since : ended_ns;
    return true;
}

/* The node controller takes a Pod's readiness away when its node does not answer, and so do readiness gates. The kubelet
 * itself never lets the two conditions differ. */
static bool unready_from_outside(const cJSON *pod) {
    return strcmp(json_str_or(obj_condition(pod, "Ready"), "status", ""), "False") == 0 &&
           strcmp(json_str_or(obj_condition(pod, "ContainersReady"), "status", ""), "True") == 0;
}

void observe_pod_cause(const cJSON *pod, struct obs_pod *p) {
    const cJSON *status = json_get(pod, "status");
    struct containers c = {.only_creating = true};
    look_at(json_arr(status, "initContainerStatuses"), &c);
    look_at(json_arr(status, "containerStatuses"), &c);
    p->no_image = c.no_image;
    p->started_ns = c.started_ns;
    if (evicted(pod, c.ended_ns, p)) {
        p->cause = CAUSE_DISRUPTED;
    } else if (p->finished || p->ready || p->terminating) {
        p->cause = CAUSE_NONE;
    } else if (!p->scheduled) {
        p->cause = CAUSE_UNSCHEDULABLE;
        const cJSON *why = obj_condition(pod, "PodScheduled");
        say(p, json_str_or(why, "message", ""), NULL);
        if (!p->trouble) say(p, json_str_or(why, "reason", "the scheduler has not looked at it yet"), NULL);
    } else if (c.cause != CAUSE_NONE) {
        p->cause = c.cause;
        if (c.message && *c.message) say(p, of_the_try(c.message), NULL);
    } else if (!c.no_image && being_created(&c)) {
        p->cause = CAUSE_NOT_STARTED;
        say_created(pod, p);
    } else if (unready_from_outside(pod)) {
        p->cause = CAUSE_DISRUPTED;
        say(p,
            "its containers are ready and the Pod is not: its node does not answer, or a readiness gate is "
            "closed",
            NULL);
    }
}
