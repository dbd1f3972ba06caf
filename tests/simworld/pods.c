/* Pods whose containers are processes of this world: the kubelet between an embedded API server and the
 * hosts. */
#include "internal.h"
#include "base/json.h"
#include <errno.h>
#include <signal.h>

#define ACCOUNT         "/var/run/secrets/kubernetes.io/serviceaccount/"
#define TERMINATION_LOG "/dev/termination-log"

struct podset {
    struct list all, runs;
    struct simworld *sw;
    struct server *server;
    struct simprogram program;
};
struct run { /* one container, over its restarts */
    struct list all;
    struct podset *set;
    char *ns, *pod, *container;
    struct host *host; /* made at the first start */
    void *instance;    /* NULL: not running */
    bool gone;         /* its pod has been removed by force */
    int code;          /* exit code of the last run */
    struct ev start, term, kill, destroy, report, probe;
    struct prober {
        struct http_req *req;
        char *url;
        int64_t period_ns;
        int64_t threshold, failures;
        bool ready;
    } probing;
};

static struct sim *sim_of(const struct run *r) {
    struct server *s = r->set->server;
    sim_advance(s->sim, r->set->sw->now + s->offset_ns); /* before any call into it */
    return s->sim;
}

/* ---- what the pod's spec says ---- */

static cJSON *pod_json(const struct run *r) {
    cleanup_buf struct buf text = BUF((size_t)8 << 20);
    if (sim_peek(r->set->server->sim, "pods", r->ns, r->pod, &text) < 0) return NULL;
    return json_parse(buf_slice(&text), NULL);
}

static const cJSON *container_of_pod(const cJSON *pod, const char *name) {
    const cJSON *list = json_at(pod, "spec/containers");
    for (const cJSON *c = list ? list->child : NULL; c; c = c->next)
        if (strcmp(json_str_or(c, "name", ""), name) == 0) return c;
    return NULL;
}

static const char *field(const cJSON *pod, const char *path) {
    static const char *const known[][2] = {
        {"metadata.name", "metadata/name"},
        {"metadata.namespace", "metadata/namespace"},
        {"metadata.uid", "metadata/uid"},
        {"spec.nodeName", "spec/nodeName"},
        {"status.podIP", "status/podIP"},
        {"status.hostIP", "status/hostIP"},
        {"spec.serviceAccountName", "spec/serviceAccountName"},
    };
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (strcmp(known[i][0], path) == 0) return cJSON_GetStringValue(json_at(pod, known[i][1]));
    return NULL;
}

static void set_environment(struct run *r, const cJSON *pod, const cJSON *container) {
    struct world *w = &r->host->world;
    struct slice rest = slice_of(strstr(r->set->server->url, "://") + 3), host, port;
    slice_cut(rest, ':', &host, &port);
    cleanup_free char *h = slice_dup(host), *p = port.p ? slice_dup(port) : xstrdup("443");
    simworld_setenv(w, "KUBERNETES_SERVICE_HOST", h);
    simworld_setenv(w, "KUBERNETES_SERVICE_PORT", p);
    simworld_setenv(w, "HOSTNAME", r->pod);
    const cJSON *env = json_arr(container, "env");
    for (const cJSON *e = env ? env->child : NULL; e; e = e->next) {
        const cJSON *ref = json_at(e, "valueFrom/fieldRef");
        const char *value = ref ? field(pod, json_str_or(ref, "fieldPath", "")) : json_str_or(e, "value", "");
        if (value && json_str(e, "name")) simworld_setenv(w, json_str(e, "name"), value);
    }
}

static void set_files(struct run *r) {
    struct world *w = &r->host->world;
    cleanup_free char *token = xasprintf("token-of-%s", r->pod);
    simworld_file(w, ACCOUNT "token", slice_of(token));
    const char *ca = r->set->server->ca ? r->set->server->ca : "simulated";
    cleanup_free char *pem = xasprintf("-----BEGIN CERTIFICATE-----\n%s\n-----END CERTIFICATE-----\n", ca);
    simworld_file(w, ACCOUNT "ca.crt", slice_of(pem));
    simworld_file(w, ACCOUNT "namespace", slice_of(r->ns));
    simworld_file(w, TERMINATION_LOG, SL(""));
}

/* ---- readiness ---- */

static int64_t port_number(const cJSON *container, const cJSON *port) {
    if (cJSON_IsNumber(port)) return (int64_t)port->valuedouble;
    const cJSON *list = json_arr(container, "ports");
    for (const cJSON *p = list ? list->child : NULL; p && cJSON_IsString(port); p = p->next)
        if (strcmp(json_str_or(p, "name", ""), port->valuestring) == 0)
            return json_i64(p, "containerPort", 0);
    return 0;
}

static void tell_ready(struct run *r, bool ready) {
    if (r->probing.ready == ready) return;
    r->probing.ready = ready;
    (void)sim_container_ready(sim_of(r), r->ns, r->pod, r->container, ready);
}

static void probed(void *ctx, const struct err *err, int status) {
    struct run *r = ctx;
    r->probing.req = NULL;
    if (!err && status >= 200 && status < 400) {
        r->probing.failures = 0;
        tell_ready(r, true);
    } else if (++r->probing.failures >= r->probing.threshold) {
        tell_ready(r, false);
    }
}

static void probe(struct ev *e) {
    struct run *r = container_of(e, struct run, probe);
    static const struct http_client_cb cb = {.end = probed};
    struct http_headers none = {0};
    struct http_spec spec = {.lane = LANE_SCRAPE,
                             .method = "GET",
                             .url = r->probing.url,
                             .headers = &none,
                             .total_ns = NS_PER_S,
                             .fresh = true};
    ev_at(r->set->sw, &r->probe, r->set->sw->now + r->probing.period_ns, EV_ANY);
    if (!r->probing.req) (void)http_start(&r->set->sw->outside->world, &spec, &cb, r, &r->probing.req, NULL);
}

static void probe_stop(struct run *r) {
    ev_cancel(r->set->sw, &r->probe);
    if (r->probing.req) http_cancel(r->probing.req);
    free(r->probing.url);
    r->probing = (struct prober){0};
}

static void probe_start(struct run *r, const cJSON *container) {
    probe_stop(r);
    const cJSON *p = json_get(container, "readinessProbe"), *get = json_get(p, "httpGet");
    if (!get) {
        tell_ready(r, true);
        return;
    }
    r->probing.url =
        xasprintf("http://%s:%lld%s", r->host->ip, (long long)port_number(container, json_get(get, "port")),
                  json_str_or(get, "path", "/"));
    r->probing.period_ns = json_i64(p, "periodSeconds", 10) * NS_PER_S;
    r->probing.threshold = json_i64(p, "failureThreshold", 3);
    int64_t first = json_i64(p, "initialDelaySeconds", 0) * NS_PER_S + NS_PER_MS;
    ev_at(r->set->sw, &r->probe, r->set->sw->now + first, EV_ANY);
}

/* ---- life and death ---- */

static void on_exited(struct host *h, int code) {
    struct run *r = h->pod;
    struct simworld *sw = h->sw;
    r->code = code;
    if (!r->instance) return;
    ev_cancel(sw, &r->kill);
    probe_stop(r);
    ev_at(sw, &r->destroy, sw->now, EV_FIRST); /* not now: it may be the instance itself that called */
    int64_t noticed = 100 * NS_PER_MS + (int64_t)rng_below(&sw->rng, (uint64_t)(950 * NS_PER_MS));
    ev_at(sw, &r->report, sw->now + noticed, EV_ANY);
}

static void run_free(struct run *r) {
    struct simworld *sw = r->set->sw;
    struct ev *all[] = {&r->start, &r->term, &r->kill, &r->destroy, &r->report, &r->probe};
    for (size_t i = 0; i < ARRAY_LEN(all); i++) ev_cancel(sw, all[i]);
    probe_stop(r);
    if (r->host) {
        r->host->exited = NULL;
        r->host->pod = NULL;
        simworld_kill(&r->host->world);
    }
    if (r->instance) r->set->program.destroy(r->set->program.ctx, r->instance);
    list_remove(&r->all);
    free(r->ns);
    free(r->pod);
    free(r->container);
    free(r);
}

static void do_destroy(struct ev *e) {
    struct run *r = container_of(e, struct run, destroy);
    void *instance = r->instance;
    r->instance = NULL;
    if (instance) r->set->program.destroy(r->set->program.ctx, instance);
}

static void do_report(struct ev *e) {
    struct run *r = container_of(e, struct run, report);
    struct slice log = simworld_file_get(&r->host->world, TERMINATION_LOG);
    if (log.n > 4096) log = slice_make(log.p + log.n - 4096, 4096); /* as a kubelet: the end of it */
    int known = sim_container_exit(sim_of(r), r->ns, r->pod, r->container, r->code, log);
    if (known < 0 || r->gone) run_free(r);
}

static void do_start(struct ev *e) {
    struct run *r = container_of(e, struct run, start);
    struct simworld *sw = r->set->sw;
    cleanup_json cJSON *pod = pod_json(r);
    const cJSON *container = container_of_pod(pod, r->container);
    if (!container) {
        run_free(r);
        return;
    }
    const char *ip = field(pod, "status.podIP");
    if (r->host && ip && strcmp(r->host->ip, ip) != 0) { /* another pod of the same name */
        r->host->exited = NULL;
        r->host->pod = NULL;
        r->host = NULL;
    }
    if (!r->host) {
        bool alone = json_at(pod, "spec/containers")->child->next == NULL;
        cleanup_free char *name = alone ? xstrdup(r->pod) : xasprintf("%s.%s", r->pod, r->container);
        r->host = host_new(sw, name, &(struct simhost){.ip = ip});
        r->host->pod = r;
        r->host->exited = on_exited;
    } else {
        simworld_restart(&r->host->world);
    }
    set_environment(r, pod, container);
    set_files(r);
    r->instance = r->set->program.start(r->set->program.ctx, &r->host->world);
    if (r->instance && r->host->alive) probe_start(r, container);
}

static void do_term(struct ev *e) {
    struct run *r = container_of(e, struct run, term);
    if (r->host) simworld_signal(&r->host->world, SIGTERM);
}

/* At the end of its grace; or its pod has been removed by force, and then a kubelet still gives it two
 * seconds. */
static void do_kill(struct ev *e) {
    struct run *r = container_of(e, struct run, kill);
    if (!r->host) {
        run_free(r);
        return;
    }
    cleanup_buf struct buf text = BUF((size_t)8 << 20);
    if (!r->gone && sim_peek(r->set->server->sim, "pods", r->ns, r->pod, &text) == -ENOENT) {
        r->gone = true;
        simworld_signal(&r->host->world, SIGTERM);
        ev_at(r->set->sw, &r->kill, r->set->sw->now + 2 * NS_PER_S, EV_ANY);
        return;
    }
    simworld_exit(&r->host->world, 137);
}

/* ---- what the sim's kubelet asks for: on the next turn, it is in the middle of something ---- */

static struct run *find(struct podset *set, const char *ns, const char *pod, const char *container) {
    list_each(it, &set->runs) {
        struct run *r = container_of(it, struct run, all);
        if (r->gone || strcmp(r->ns, ns) != 0 || strcmp(r->pod, pod) != 0) continue;
        if (!container || strcmp(r->container, container) == 0) return r;
    }
    return NULL;
}

static void on_start(void *ctx, const char *ns, const char *pod, const char *container) {
    struct podset *set = ctx;
    struct run *r = find(set, ns, pod, container);
    if (!r) {
        r = xcalloc(1, sizeof *r);
        r->set = set;
        r->ns = xstrdup(ns);
        r->pod = xstrdup(pod);
        r->container = xstrdup(container);
        ev_init(&r->start, NULL, "container starts", do_start);
        ev_init(&r->term, NULL, "container is to stop", do_term);
        ev_init(&r->kill, NULL, "container is killed", do_kill);
        ev_init(&r->destroy, NULL, "instance is freed", do_destroy);
        ev_init(&r->report, NULL, "kubelet notices", do_report);
        ev_init(&r->probe, NULL, "readiness probe", probe);
        list_push(&set->runs, &r->all);
    }
    ev_at(set->sw, &r->start, set->sw->now, EV_ANY);
}

static void on_term(void *ctx, const char *ns, const char *pod, const char *container, int64_t grace_ns) {
    struct podset *set = ctx;
    struct run *r = find(set, ns, pod, container);
    (void)grace_ns;
    if (r) ev_at(set->sw, &r->term, set->sw->now, EV_ANY);
}

static void on_kill(void *ctx, const char *ns, const char *pod, const char *container) {
    struct podset *set = ctx;
    struct run *r = find(set, ns, pod, container);
    if (r) ev_at(set->sw, &r->kill, set->sw->now, EV_ANY);
}

static const struct sim_runtime runtime = {.start = on_start, .term = on_term, .kill = on_kill};

void simworld_pods(struct simworld *sw, const char *server, const struct simprogram *program) {
    struct server *s = server_by_name(sw, server);
    if (!s) return;
    struct podset *set = xcalloc(1, sizeof *set);
    set->sw = sw;
    set->server = s;
    set->program = *program;
    list_init(&set->runs);
    list_push(&sw->podsets, &set->all);
    sim_set_runtime(s->sim, &runtime, set);
}

struct world *simworld_pod_world(struct simworld *sw, const char *ns, const char *pod,
                                 const char *container) {
    list_each(it, &sw->podsets) {
        struct run *r = find(container_of(it, struct podset, all), ns, pod, container);
        if (r && r->instance && r->host->alive) return &r->host->world;
    }
    return NULL;
}

void *simworld_pod_instance(const struct world *w) {
    struct run *r = host_of(w)->pod;
    return r ? r->instance : NULL;
}

void pods_free(struct simworld *sw) {
    list_each_safe(it, tmp, &sw->podsets) {
        struct podset *set = container_of(it, struct podset, all);
        sim_set_runtime(set->server->sim, NULL, NULL);
        list_each_safe(rt, rtmp, &set->runs) run_free(container_of(rt, struct run, all));
        list_remove(&set->all);
        free(set);
    }
}
