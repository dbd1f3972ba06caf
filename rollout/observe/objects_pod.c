/* A Pod to what the plan looks at: is it ready, does it restart, what does it wait for. */
#include "observe/objects_impl.h"
#include "api/meta.h"
#include "api/rfc3339.h"
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
    *to = text && *text ? slice_dup_text(slice_of(text), 300) : NULL;
}

static void last_end(const cJSON *status, bool init, struct obs_pod *p) {
    const cJSON *t = json_get(json_get(status, "state"), "terminated");
    if (!t) t = json_get(json_get(status, "lastState"), "terminated");
    if (!t) return;
    int64_t code = json_i64(t, "exitCode", 0), at = 0;
    const char *reason = json_str_or(t, "reason", "ended"), *finished = json_str(t, "finishedAt");
    bool well = code == 0 && !strcmp(reason, "Completed");
    if (well && init) return; /* its normal end */
    if (finished && rfc3339_parse(slice_of(finished), &at) == 0 && at > p->crashed_ns) p->crashed_ns = at;
    if (!p->trouble && !well)
        p->trouble = xasprintf("container %.63s: %.63s, exit code %lld", json_str_or(status, "name", "?"),
                               reason, (long long)code);
}

static void containers(const cJSON *list, bool init, struct obs_pod *p, int64_t *restarts) {
    for (const cJSON *s = list ? list->child : NULL; s; s = s->next) {
        int64_t n = json_i64(s, "restartCount", 0);
        *restarts += n > 0 && n < UINT32_MAX ? n : 0;
        const cJSON *waiting = json_get(json_get(s, "state"), "waiting");
        const char *reason = json_str(waiting, "reason");
        if (!reason || (p->waiting && rank(p->waiting) <= rank(reason))) continue;
        set(&p->waiting, reason);
        set(&p->trouble, json_str(waiting, "message"));
    }
    for (const cJSON *s = list ? list->child : NULL; s; s = s->next) last_end(s, init, p);
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
    p.rs_uid = xstrdup_null(json_str(obj_controller(obj), "uid"));
    p.rs_name = xstrdup_null(json_str(obj_controller(obj), "name"));
    p.track = track && !strcmp(track, "canary") ? TRACK_CANARY : TRACK_STABLE;
    if (p.track == TRACK_CANARY) observe_template_label(obj, p.hash);
    p.created_ns = observe_created(obj);
    p.terminating = obj_deleting(obj);
    p.finished = !strcmp(phase, "Succeeded") || !strcmp(phase, "Failed");
    p.ready = condition_is(obj, "Ready", "True") && !p.terminating && !p.finished;
    p.scheduled = json_str(spec, "nodeName") || condition_is(obj, "PodScheduled", "True");
    int64_t restarts = 0;
    containers(json_arr(status, "initContainerStatuses"), true, &p, &restarts);
    containers(json_arr(status, "containerStatuses"), false, &p, &restarts);
    p.restarts = restarts > UINT32_MAX ? UINT32_MAX : (uint32_t)restarts;
    if (!p.trouble && !p.scheduled) set(&p.trouble, json_str(obj_condition(obj, "PodScheduled"), "message"));
    if (!p.trouble && p.finished)
        set(&p.trouble, json_str_or(status, "message", json_str_or(status, "reason", "")));
    *ret = p;
    return 0;
}

void obs_pod_copy(const struct obs_pod *from, struct obs_pod *ret) {
    *ret = *from;
    char **owned[] = {&ret->ns,      &ret->name,    &ret->uid,     &ret->ip,         &ret->rs_uid,
                      &ret->rs_name, &ret->waiting, &ret->trouble, &ret->scrape_path};
    for (size_t i = 0; i < ARRAY_LEN(owned); i++) *owned[i] = xstrdup_null(*owned[i]);
    if (!from->nports) return;
    ret->ports = xcalloc(from->nports, sizeof *ret->ports);
    memcpy(ret->ports, from->ports, from->nports * sizeof *ret->ports);
}

void obs_pod_free(struct obs_pod *p) {
    if (!p) return;
    char *owned[] = {p->ns,      p->name,    p->uid,     p->ip,         p->rs_uid,
                     p->rs_name, p->waiting, p->trouble, p->scrape_path};
    for (size_t i = 0; i < ARRAY_LEN(owned); i++) free(owned[i]);
    free(p->ports);
    *p = (struct obs_pod){0};
}
