/* What a kubelet reports: phase, conditions and container statuses of a pod, written from the state of its
 * processes. */
#include "controllers/pod.h"
#include "api/quantity.h"
#include <stdio.h>

/* ---- phase ---- */

static const char *phase_of(const struct pod_proc *p) {
    size_t starting = 0, done = 0, failed = 0;
    for (size_t i = 0; i < p->n; i++) {
        const struct container *k = &p->v[i];
        if (k->state == RUN_CREATING || k->state == RUN_PULL_FAILED || k->state == RUN_PULL_BACKOFF)
            starting++;
        if (k->state == RUN_DONE && (p->never_restart || p->restart_on_failure_only)) {
            done++;
            failed += k->now.code != 0;
        }
    }
    if (p->stage == POD_NEW || starting > 0) return "Pending";
    if (p->n > 0 && done == p->n) return failed ? "Failed" : "Succeeded";
    return "Running";
}

/* ---- quality of service ---- */

static const char *quantity_text(const cJSON *v, char *buf, size_t size) {
    if (cJSON_IsString(v)) return v->valuestring;
    if (!cJSON_IsNumber(v)) return NULL;
    (void)snprintf(buf, size, "%.15g", v->valuedouble);
    return buf;
}

static bool same_amount(const cJSON *a, const cJSON *b) {
    char ta[40], tb[40];
    const char *x = quantity_text(a, ta, sizeof ta), *y = quantity_text(b, tb, sizeof tb);
    int order;
    return x && y && quantity_cmp(slice_of(x), slice_of(y), &order) == 0 && order == 0;
}

static const char *qos_class(const cJSON *spec) {
    bool any = false, guaranteed = true;
    const cJSON *list = json_arr(spec, "containers");
    for (const cJSON *k = list ? list->child : NULL; k; k = k->next) {
        const cJSON *limits = json_at(k, "resources/limits"), *requests = json_at(k, "resources/requests");
        static const char *const names[] = {"cpu", "memory"};
        for (size_t i = 0; i < ARRAY_LEN(names); i++) {
            const cJSON *l = json_get(limits, names[i]), *r = json_get(requests, names[i]);
            any = any || l || r;
            if (!l || (r && !same_amount(l, r))) guaranteed = false;
        }
    }
    return !any ? "BestEffort" : guaranteed ? "Guaranteed" : "Burstable";
}

/* ---- container statuses ---- */

static cJSON *terminated(const struct exit_info *e) {
    cJSON *t = cJSON_CreateObject();
    ctl_json_set_i64(t, "exitCode", e->code);
    if (e->code > 128 && e->code < 160) ctl_json_set_i64(t, "signal", e->code - 128);
    ctl_json_set_str(t, "reason", e->reason);
    if (*e->message) ctl_json_set_str(t, "message", e->message);
    ctl_json_set_time(t, "startedAt", e->started);
    ctl_json_set_time(t, "finishedAt", e->finished);
    cleanup_free char *id = xasprintf("containerd://%s", e->id);
    ctl_json_set_str(t, "containerID", id);
    return t;
}

static void waiting(cJSON *state, const char *reason, const char *message) {
    cJSON *w = ctl_json_make(state, "waiting");
    ctl_json_set_str(w, "reason", reason);
    if (message) ctl_json_set_str(w, "message", message);
}

static void state_of(const struct pod_proc *p, const struct container *k, cJSON *state) {
    cleanup_free char *msg = NULL;
    switch (k->state) {
    case RUN_CREATING: waiting(state, "ContainerCreating", NULL); break;
    case RUN_PULL_FAILED:
        msg = xasprintf("rpc error: code = NotFound desc = failed to pull and unpack image \"%s\": not found",
                        k->image);
        waiting(state, "ErrImagePull", msg);
        break;
    case RUN_PULL_BACKOFF:
        msg = xasprintf("Back-off pulling image \"%s\"", k->image);
        waiting(state, "ImagePullBackOff", msg);
        break;
    case RUN_RUNNING: ctl_json_set_time(ctl_json_make(state, "running"), "startedAt", k->started); break;
    case RUN_BACKOFF:
        msg = xasprintf("back-off %llds restarting failed container=%s pod=%s_%s(%s)",
                        (long long)((k->next - k->now.finished) / NS_PER_S), k->name, p->co->o->name,
                        p->co->o->ns, obj_uid(p->co->o->json));
        waiting(state, "CrashLoopBackOff", msg);
        break;
    case RUN_EXITED:
    case RUN_DONE: ctl_json_set(state, "terminated", terminated(&k->now)); break;
    }
}

static void image_id(const char *image, char ret[600]) {
    char hex[65];
    sha256_hex(slice_of(image), hex);
    (void)snprintf(ret, 600, "%.500s@sha256:%s", image, hex);
}

static cJSON *container_status(const struct pod_proc *p, const struct container *k) {
    cJSON *s = cJSON_CreateObject();
    ctl_json_set_str(s, "name", k->name);
    state_of(p, k, ctl_json_make(s, "state"));
    cJSON *last = ctl_json_make(s, "lastState");
    /* While it waits for its next run, the one that just ended is the last. */
    if (k->state == RUN_BACKOFF && k->now.set)
        ctl_json_set(last, "terminated", terminated(&k->now));
    else if (k->last.set)
        ctl_json_set(last, "terminated", terminated(&k->last));
    ctl_json_set_bool(s, "ready", container_ready(k));
    ctl_json_set_i64(s, "restartCount", k->restarts);
    ctl_json_set_str(s, "image", k->image);
    char text[600] = "";
    bool pulled = *k->id != '\0';
    if (pulled) image_id(k->image, text);
    ctl_json_set_str(s, "imageID", text);
    if (pulled) {
        cleanup_free char *id = xasprintf("containerd://%s", k->id);
        ctl_json_set_str(s, "containerID", id);
    }
    ctl_json_set_bool(s, "started", k->state == RUN_RUNNING);
    return s;
}

/* ---- conditions ---- */

static void condition(cJSON *list, const char *type, bool value, int64_t since, const char *reason,
                      const char *message) {
    cJSON *c = cJSON_CreateObject();
    ctl_json_set_str(c, "type", type);
    ctl_json_set_str(c, "status", value ? "True" : "False");
    ctl_json_set(c, "lastProbeTime", cJSON_CreateNull());
    ctl_json_set_time(c, "lastTransitionTime", since);
    if (reason) ctl_json_set_str(c, "reason", reason);
    if (message) ctl_json_set_str(c, "message", message);
    cJSON_AddItemToArray(list, c);
}

static bool is_ours(const char *type) {
    static const char *const ours[] = {"Initialized", "Ready", "ContainersReady", "PodScheduled"};
    for (size_t i = 0; i < ARRAY_LEN(ours); i++)
        if (strcmp(type, ours[i]) == 0) return true;
    return false;
}

static cJSON *conditions(struct ctl *c, struct pod_proc *p, const cJSON *old, const char *phase) {
    cleanup_buf struct buf names = BUF(2048);
    size_t unready = 0;
    for (size_t i = 0; i < p->n; i++) {
        if (container_ready(&p->v[i])) continue;
        (void)buf_addf(&names, "%s%s", unready++ ? " " : "", p->v[i].name);
    }
    bool ready = unready == 0 && p->stage != POD_NEW;
    if (ready != p->ready || p->ready_since == 0) p->ready_since = ctl_now(c);
    p->ready = ready;
    cleanup_free char *msg =
        ready ? NULL : xasprintf("containers with unready status: [%s]", buf_str(&names));
    const char *reason = ready                             ? NULL
                         : strcmp(phase, "Succeeded") == 0 ? "PodCompleted"
                                                           : "ContainersNotReady";
    cJSON *list = cJSON_CreateArray();
    condition(list, "Initialized", true, p->started, NULL, NULL);
    condition(list, "Ready", ready, p->ready_since, reason, msg);
    condition(list, "ContainersReady", ready, p->ready_since, reason, msg);
    condition(list, "PodScheduled", true, p->scheduled_at, NULL, NULL);
    const cJSON *had = json_arr(old, "conditions"); /* what others have put there stays */
    for (const cJSON *v = had ? had->child : NULL; v; v = v->next)
        if (!is_ours(json_str_or(v, "type", ""))) cJSON_AddItemToArray(list, cJSON_Duplicate(v, true));
    return list;
}

/* Init containers that stay (restartPolicy Always) have started with the pod; what they do is not played. Others have ended. */
static cJSON *sidecars(struct ctl *c, const struct pod_proc *p) {
    const cJSON *list = json_at(sim_store_json(c->s, p->co->o), "spec/initContainers");
    cJSON *ret = NULL;
    for (const cJSON *v = list ? list->child : NULL; v; v = v->next) {
        if (strcmp(json_str_or(v, "restartPolicy", ""), "Always") != 0) continue;
        if (!ret) ret = cJSON_CreateArray();
        cJSON *s = cJSON_CreateObject();
        ctl_json_set_str(s, "name", json_str_or(v, "name", ""));
        ctl_json_set_time(ctl_json_make(ctl_json_make(s, "state"), "running"), "startedAt", p->started);
        ctl_json_set_bool(s, "ready", true);
        ctl_json_set_bool(s, "started", true);
        ctl_json_set_i64(s, "restartCount", 0);
        ctl_json_set_str(s, "image", json_str_or(v, "image", ""));
        cJSON_AddItemToArray(ret, s);
    }
    return ret;
}

/* ---- the whole ---- */

void pod_write_status(struct ctl *c, struct pod_proc *p) {
    cJSON *json = ctl_copy_status(c, p->co->o), *status = ctl_json_make(json, "status");
    const char *phase = phase_of(p);
    ctl_json_set(status, "conditions", conditions(c, p, status, phase));
    ctl_json_set_str(status, "phase", phase);
    ctl_json_set_str(status, "hostIP", "10.0.0.1");
    bool has_ip = false;
    for (size_t i = 0; i < p->n; i++) has_ip = has_ip || *p->v[i].id;
    if (has_ip) {
        ctl_json_set_str(status, "podIP", p->ip);
        cJSON *ips = cJSON_CreateArray(), *one = cJSON_CreateObject();
        ctl_json_set_str(one, "ip", p->ip);
        cJSON_AddItemToArray(ips, one);
        ctl_json_set(status, "podIPs", ips);
    }
    ctl_json_set_time(status, "startTime", p->started);
    cJSON *list = cJSON_CreateArray();
    for (size_t i = 0; i < p->n; i++) cJSON_AddItemToArray(list, container_status(p, &p->v[i]));
    ctl_json_set(status, "containerStatuses", list);
    cJSON *init = p->stage == POD_ALIVE ? sidecars(c, p) : NULL;
    if (init) ctl_json_set(status, "initContainerStatuses", init);
    ctl_json_set_str(status, "qosClass", qos_class(json_get(sim_store_json(c->s, p->co->o), "spec")));
    (void)ctl_put(c, p->co->o, json, STORE_STATUS);
}
