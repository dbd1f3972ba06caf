/* What a pod answers to an HTTP GET, asked through the API server's proxy or at its own address. */
#include "controllers/pod.h"
#include "api/status.h"
#include <errno.h>

static const char garbage[] =
    "<html><body>\n# HELP not what \xff\xfe you think\nfoo{bar=\"baz} one\n{}{}{} 1e\n"
    "controller_runtime_reconcile_total{controller=\"x\" NaNNaN\n\"\n";

static bool serves_port(const struct pod_proc *p, const struct container *k, int64_t port) {
    const cJSON *list = json_at(p->co->o->json, "spec/containers");
    for (const cJSON *v = list ? list->child : NULL; v; v = v->next) {
        if (strcmp(json_str_or(v, "name", ""), k->name) != 0) continue;
        const cJSON *ports = json_arr(v, "ports");
        for (const cJSON *one = ports ? ports->child : NULL; one; one = one->next)
            if (json_i64(one, "containerPort", 0) == port) return true;
    }
    return false;
}

static int64_t named_port(const struct pod_proc *p, struct slice port) {
    const cJSON *list = json_at(p->co->o->json, "spec/containers");
    int64_t n = 0;
    if (slice_i64(port, &n) == 0) return n;
    for (const cJSON *v = list ? list->child : NULL; v; v = v->next) {
        const cJSON *ports = json_arr(v, "ports");
        for (const cJSON *one = ports ? ports->child : NULL; one; one = one->next)
            if (port.n == 0 || slice_eqs(port, json_str_or(one, "name", "")))
                return json_i64(one, "containerPort", 0);
    }
    return 0;
}

/* The running container that declares the port; else the first that runs and is not tied to another port. */
static struct container *listener(struct pod_proc *p, int64_t port) {
    struct container *any = NULL;
    for (size_t i = 0; i < p->n; i++) {
        struct container *k = &p->v[i];
        if (k->state != RUN_RUNNING || k->script.metrics == METRICS_NONE) continue;
        if (k->script.metrics_port != 0 && k->script.metrics_port != port) continue;
        if (serves_port(p, k, port)) return k;
        if (!any) any = k;
    }
    return any;
}

static int plain(const char **type, struct buf *body, int status, const char *text) {
    *type = "text/plain; charset=utf-8";
    (void)buf_adds(body, text);
    return status;
}

static int answer(struct ctl *c, struct container *k, struct slice path, const char **type, int64_t *delay,
                  struct buf *body) {
    struct slice only, query;
    slice_cut(path, '?', &only, &query);
    if (slice_starts(only, SL("/"))) only = slice_make(only.p + 1, only.n - 1);
    if (slice_eqs(only, "healthz") || slice_eqs(only, "readyz")) return plain(type, body, 200, "ok");
    if (!slice_eqs(only, "metrics")) return plain(type, body, 404, "404 page not found\n");
    switch (k->script.metrics) {
    case METRICS_HTTP500:
        return plain(type, body, 500,
                     "An error has occurred while serving metrics:\n\ncollected before with the same name\n");
    case METRICS_GARBAGE:
        *type = "text/plain; version=0.0.4; charset=utf-8";
        (void)buf_add(body, slice_make(garbage, sizeof garbage - 1));
        return 200;
    case METRICS_SLOW: *delay = k->script.slow_ns; break;
    case METRICS_RUNTIME:
    case METRICS_NONE: break;
    }
    operator_count(k, ctl_now(c));
    *type = "text/plain; version=0.0.4; charset=utf-8";
    operator_page(k, ctl_now(c), body);
    return 200;
}

/* The container of ours in a rehearsal's pod, which reports what the operator beside it would do: as its script says. */
static const cJSON *sidecar_of(const struct pod_proc *p) {
    const cJSON *list = json_at(p->co->o->json, "spec/initContainers");
    for (const cJSON *v = list ? list->child : NULL; v; v = v->next)
        if (strcmp(json_str_or(v, "name", ""), "handover-rehearsal") == 0) return v;
    return NULL;
}

static bool has_key(const cJSON *sidecar, struct slice path) {
    const cJSON *list = json_arr(sidecar, "env");
    for (const cJSON *e = list ? list->child : NULL; e; e = e->next) {
        if (strcmp(json_str_or(e, "name", ""), "HANDOVER_REHEARSAL_KEY") != 0) continue;
        cleanup_free char *want = xasprintf("/report?key=%s", json_str_or(e, "value", ""));
        if (slice_starts(path, SL("/"))) return slice_eqs(path, want);
        return slice_eqs(path, want + 1);
    }
    return false;
}

static int report(const struct pod_proc *p, struct slice path, const char **type, struct buf *body) {
    const struct script *s = p->n ? &p->v[0].script : NULL;
    if (slice_ends(path, SL("readyz"))) return plain(type, body, 200, "ok");
    if (slice_ends(path, SL("&settled=true")) && !(s && s->unsettled)) path.n -= SL("&settled=true").n;
    if (!has_key(sidecar_of(p), path)) return plain(type, body, 403, "another key is wanted\n");
    *type = "application/json";
    (void)buf_adds(body, s && s->report
                             ? s->report
                             : "{\"apiVersion\":\"handover.dev/v1\",\"kind\":\"RehearsalReport\"}");
    return 200;
}

/* -ECONNREFUSED: nothing listens there. */
static int serve(struct ctl *c, struct pod_proc *p, struct slice port, struct slice path, int *ret_status,
                 const char **ret_type, int64_t *ret_delay_ns, struct buf *body) {
    *ret_delay_ns = 0;
    (void)sim_store_json(c->s, p->co->o);
    if (slice_eqs(port, "26444") && p->stage == POD_ALIVE && sidecar_of(p) &&
        !(p->n && p->v[0].script.mute)) {
        *ret_status = report(p, path, ret_type, body);
        return 0;
    }
    struct container *k = listener(p, named_port(p, port));
    if (!k || slice_eqs(port, "26444")) return -ECONNREFUSED;
    *ret_status = answer(c, k, path, ret_type, ret_delay_ns, body);
    return 0;
}

void ctl_pod_proxy(struct sim *s, struct sim_obj *pod, struct slice port, struct slice path, int *ret_status,
                   const char **ret_type, int64_t *ret_delay_ns, struct buf *body) {
    struct ctl_obj *co = pod->ctl;
    struct pod_proc *p = co ? co->pod : NULL;
    if (p && serve(ctl_of(s), p, port, path, ret_status, ret_type, ret_delay_ns, body) == 0) return;
    cleanup_free char *msg =
        p && p->stage != POD_NEW
            ? xasprintf("error trying to reach service: dial tcp %s:%.*s: connect: connection refused", p->ip,
                        SLF(port))
            : xasprintf("error trying to reach service: no address of pod %s", pod->name);
    *ret_status = 503;
    *ret_type = "application/json";
    *ret_delay_ns = 0;
    (void)status_write(body, 503, "ServiceUnavailable", msg, "", "");
}

int sim_pod_get(struct sim *s, struct slice ip, int port, struct slice path, int *ret_status,
                const char **ret_type, int64_t *ret_delay_ns, struct buf *body) {
    struct ctl *c = ctl_of(s);
    struct ctl_obj *co = pod_by_ip(c, ip);
    if (!co) return -EHOSTUNREACH;
    cleanup_free char *text = xasprintf("%d", port);
    return serve(c, co->pod, slice_of(text), path, ret_status, ret_type, ret_delay_ns, body);
}
