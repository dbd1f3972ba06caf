/* A Pod to what the plan looks at: is it ready, what does it wait for; how its containers ended is in pod_ends.c, what keeps it
 * from running in pod_cause.c. */
#include "observe/objects_impl.h"
#include "api/meta.h"
#include <errno.h>
#include <stdio.h>

/* Reasons to wait, worst first: when several containers wait, the worst counts. */
static const char *const reasons[] = {
    "CrashLoopBackOff",     "InvalidImageName",  "ErrImageNeverPull",   "ImagePullBackOff",
    "ErrImagePull",         "ImageInspectError", "RegistryUnavailable", "CreateContainerConfigError",
    "CreateContainerError", "RunContainerError", "PostStartHookError"};

static size_t rank(const char *reason) {
    size_t i = 0;
    while (i < ARRAY_LEN(reasons) && strcmp(reason, reasons[i]) != 0) i++;
    return i;
}

static void set(char **to, const char *text) {
    free(*to);
    *to = observe_text(text);
}

static void waits(const cJSON *list, struct obs_pod *p) {
    const cJSON *s;
    cJSON_ArrayForEach(s, list) {
        const cJSON *waiting = json_get(json_get(s, "state"), "waiting");
        const char *reason = json_str(waiting, "reason");
        if (!reason || (p->waiting && rank(p->waiting) <= rank(reason))) continue;
        set(&p->waiting, reason);
        set(&p->trouble, json_str(waiting, "message"));
    }
}

static bool condition_is(const cJSON *obj, const char *type, const char *status) {
    return !strcmp(json_str_or(obj_condition(obj, type), "status", ""), status);
}

static void read_ports(const cJSON *spec, struct obs_pod *p) {
    struct obs_port found[OBS_MAX_PORTS];
    const cJSON *container, *port;
    cJSON_ArrayForEach(container, json_arr(spec, "containers")) {
        cJSON_ArrayForEach(port, json_arr(container, "ports")) {
            int64_t n = json_i64(port, "containerPort", 0);
            if (n < 1 || n > UINT16_MAX || strcmp(json_str_or(port, "protocol", "TCP"), "TCP") != 0) continue;
            if (p->nports == OBS_MAX_PORTS) break;
            struct obs_port *to = &found[p->nports++];
            to->port = (uint16_t)n;
            snprintf(to->name, sizeof to->name, "%s", json_str_or(port, "name", ""));
        }
    }
    if (!p->nports) return;
    p->ports = xcalloc(p->nports, sizeof *p->ports);
    memcpy(p->ports, found, p->nports * sizeof *p->ports);
}

static void read_scrape_annotations(const cJSON *obj, struct obs_pod *p) {
    const char *port = obj_annotation(obj, "prometheus.io/port"),
               *path = obj_annotation(obj, "prometheus.io/path"),
               *scheme = obj_annotation(obj, "prometheus.io/scheme");
    int64_t n = 0;
    if (!port || slice_i64(slice_of(port), &n) || n < 1 || n > UINT16_MAX) return;
    p->scrape_port = (uint16_t)n;
    p->scrape_https = scheme && strcmp(scheme, "https") == 0;
    if (path && strlen(path) <= OBS_MAX_PATH) p->scrape_path = xstrdup(path);
}

static void read_controller(const cJSON *obj, struct obs_pod *p) {
    const cJSON *by = obj_controller(obj);
    const char *name = json_str(by, "name");
    bool set = name && !strcmp(json_str_or(by, "kind", ""), workload_statefulset.gvr->kind);
    p->rs_uid = xstrdup_null(set ? obj_label(obj, "controller-revision-hash") : json_str(by, "uid"));
    p->rs_name = set ? workload_id(&workload_statefulset, name) : xstrdup_null(name);
}

int obs_pod_read(const cJSON *obj, struct obs_pod *ret, struct err *err) {
    if (!obj_name(obj) || !obj_ns(obj) || !obj_uid(obj)) {
        return err_set(err, ERR_PROTOCOL, -EINVAL, "Pod without name, namespace or uid");
    }
    const cJSON *status = json_get(obj, "status"), *spec = json_get(obj, "spec");
    const char *track = obj_label(obj, LABEL_TRACK), *phase = json_str_or(status, "phase", "");
    struct obs_pod p = {
        .ns = xstrdup(obj_ns(obj)), .name = xstrdup(obj_name(obj)), .uid = xstrdup(obj_uid(obj))};
    p.ip = xstrdup_null(json_str(status, "podIP"));
    if (p.ip && !*p.ip) set(&p.ip, NULL);
    p.host_network = json_bool(spec, "hostNetwork", false) ||
                     (p.ip && strcmp(p.ip, json_str_or(status, "hostIP", "")) == 0);
    read_ports(spec, &p);
    read_scrape_annotations(obj, &p);
    read_controller(obj, &p);
    p.track = track && !strcmp(track, "canary") ? TRACK_CANARY : TRACK_STABLE;
    if (p.track == TRACK_CANARY) observe_template_label(obj, p.hash);
    p.created_ns = observe_created(obj);
    p.terminating = obj_deleting(obj);
    p.finished = !strcmp(phase, "Succeeded") || !strcmp(phase, "Failed");
    p.ready = condition_is(obj, "Ready", "True") && !p.terminating && !p.finished;
    p.scheduled = json_str(spec, "nodeName") || condition_is(obj, "PodScheduled", "True");
    observe_pod_ends(obj, &p);
    waits(json_arr(status, "initContainerStatuses"), &p);
    waits(json_arr(status, "containerStatuses"), &p);
    if (p.crash && (!p.trouble || p.loops)) set(&p.trouble, p.crash);
    observe_pod_cause(obj, &p);
    if (!p.trouble && p.finished)
        set(&p.trouble, json_str_or(status, "message", json_str_or(status, "reason", "")));
    *ret = p;
    return 0;
}

void obs_pod_copy(const struct obs_pod *from, struct obs_pod *ret) {
    *ret = *from;
    char **owned[] = {&ret->ns,      &ret->name,    &ret->uid,     &ret->ip,    &ret->rs_uid,
                      &ret->rs_name, &ret->waiting, &ret->trouble, &ret->crash, &ret->scrape_path};
    for (size_t i = 0; i < ARRAY_LEN(owned); i++) *owned[i] = xstrdup_null(*owned[i]);
    if (!from->nports) return;
    ret->ports = xcalloc(from->nports, sizeof *ret->ports);
    memcpy(ret->ports, from->ports, from->nports * sizeof *ret->ports);
}

void obs_pod_free(struct obs_pod *p) {
    if (!p) return;
    char *owned[] = {p->ns,      p->name,    p->uid,     p->ip,    p->rs_uid,
                     p->rs_name, p->waiting, p->trouble, p->crash, p->scrape_path};
    for (size_t i = 0; i < ARRAY_LEN(owned); i++) free(owned[i]);
    free(p->ports);
    *p = (struct obs_pod){0};
}
