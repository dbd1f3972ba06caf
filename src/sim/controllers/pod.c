/* A pod from creation to removal: scheduling, its containers, graceful deletion. Plays scheduler and
 * kubelet. */
#include "controllers/pod.h"
#include <stdio.h>

#define SCHEDULE_NS       (5 * NS_PER_MS)  /* from created to bound */
#define REMOVE_NS         (50 * NS_PER_MS) /* from all containers ended to gone */
#define REPORT_NS         (5 * NS_PER_S)   /* for an external process to report its end after it was killed */
#define SCRIPT_ANNOTATION "sim.handover.dev/script"

/* ---- the record of a pod ---- */

static void give_ip(struct ctl *c, struct pod_proc *p) {
    struct pod_proc *taken;
    do {
        uint32_t n = c->next_ip++;
        if ((n & 255) == 0 || (n & 255) == 255) continue;
        (void)snprintf(p->ip, sizeof p->ip, "10.%u.%u.%u", 244 + (n >> 16) % 10, (n >> 8) & 255, n & 255);
        HASH_FIND_STR(c->ips, p->ip, taken);
        if (!taken) break;
    } while (true);
    HASH_ADD_STR(c->ips, ip, p);
}

static void read_script(struct ctl *c, struct pod_proc *p, struct container *k) {
    scripts_for(&c->scripts, k->image, obj_annotation(sim_store_json(c->s, p->co->o), SCRIPT_ANNOTATION),
                &k->script);
}

static struct pod_proc *pod_new(struct ctl *c, struct ctl_obj *co) {
    struct pod_proc *p = xcalloc(1, sizeof *p);
    co->pod = p;
    p->co = co;
    give_ip(c, p);
    p->created = ctl_now(c);
    p->end_at = p->remove_at = TIME_NEVER;
    p->grace_ns = TIME_NEVER;
    const cJSON *spec = json_get(sim_store_json(c->s, co->o), "spec"), *list = json_arr(spec, "containers");
    const char *policy = json_str_or(spec, "restartPolicy", "Always");
    p->never_restart = strcmp(policy, "Never") == 0;
    p->restart_on_failure_only = strcmp(policy, "OnFailure") == 0;
    p->v = xcalloc((size_t)cJSON_GetArraySize(list) + 1, sizeof *p->v);
    for (const cJSON *k = list ? list->child : NULL; k; k = k->next) {
        struct container *one = &p->v[p->n++];
        one->name = xstrdup(json_str_or(k, "name", ""));
        one->image = xstrdup(json_str_or(k, "image", ""));
        read_script(c, p, one);
        one->state = RUN_CREATING;
        one->next = p->created + one->script.start_ns;
        one->op.elect_at = TIME_NEVER;
    }
    return p;
}

void pod_forget(struct ctl *c, struct pod_proc *p) {
    HASH_DEL(c->ips, p);
    for (size_t i = 0; i < p->n; i++) {
        struct container *k = &p->v[i];
        if (k->state == RUN_RUNNING && k->script.external &&
            c->rt) /* removed by force: it runs on for a moment */
            c->rt->kill(c->rt_ctx, p->co->o->ns, p->co->o->name, k->name);
        free(k->name);
        free(k->image);
    }
    free(p->v);
    p->co->pod = NULL;
    free(p);
}

struct ctl_obj *pod_by_ip(struct ctl *c, struct slice ip) {
    struct pod_proc *p;
    HASH_FIND(hh, c->ips, ip.p, ip.n, p);
    return p ? p->co : NULL;
}

struct container *pod_container(struct pod_proc *p, const char *name) {
    for (size_t i = 0; i < p->n; i++)
        if (strcmp(p->v[i].name, name) == 0) return &p->v[i];
    return NULL;
}

/* ---- life ---- */

static void bind(struct ctl *c, struct pod_proc *p) {
    struct sim_obj *o = p->co->o;
    p->stage = POD_ALIVE;
    p->scheduled_at = p->started = ctl_now(c);
    if (!*json_str_or(json_get(sim_store_json(c->s, o), "spec"), "nodeName", "")) {
        cJSON *json = ctl_copy(c, o);
        ctl_json_set_str(ctl_json_make(json, "spec"), "nodeName", "sim-node");
        sim_store_as(c->s, "kube-scheduler");
        (void)ctl_put(c, o, json, STORE_MAIN);
        sim_store_as(c->s, NULL);
        ctl_event(c, o, "default-scheduler", "Normal", "Scheduled", "Successfully assigned %s/%s to sim-node",
                  o->ns, o->name);
    }
    pod_write_status(c, p);
}

static void report(struct ctl *c, struct pod_proc *p, const struct container *k, enum run_state before) {
    if (k->state == before) return;
    struct sim_obj *o = p->co->o;
    if (k->state == RUN_RUNNING)
        ctl_event(c, o, "kubelet", "Normal", "Started", "Started container %s", k->name);
    if (k->state == RUN_BACKOFF)
        ctl_event(c, o, "kubelet", "Warning", "BackOff", "Back-off restarting failed container");
    if (k->state == RUN_PULL_FAILED)
        ctl_event(c, o, "kubelet", "Warning", "Failed", "Failed to pull image \"%s\": not found", k->image);
}

static void live(struct ctl *c, struct pod_proc *p) {
    bool changed = p->unwritten;
    p->unwritten = false;
    for (size_t i = 0; i < p->n; i++) {
        struct container *k = &p->v[i];
        enum run_state before = k->state;
        if (!container_step(c, p, k)) continue;
        changed = true;
        report(c, p, k, before);
    }
    if (changed) pod_write_status(c, p);
}

/* ---- death ---- */

static int64_t grace_of(const cJSON *json) {
    return json_i64(json_get(json, "metadata"), "deletionGracePeriodSeconds", 30) * NS_PER_S;
}

static bool any_running(const struct pod_proc *p) {
    for (size_t i = 0; i < p->n; i++)
        if (p->v[i].state == RUN_RUNNING) return true;
    return false;
}

/* The processes get SIGTERM, and SIGKILL at the end of the grace. A second deletion may shorten the grace. */
static void begin_end(struct ctl *c, struct pod_proc *p, int64_t grace) {
    int64_t now = ctl_now(c), kill_at = now + grace;
    bool first = p->stage < POD_ENDING;
    if (first) {
        p->stage = POD_ENDING;
        p->end_at = now;
        for (size_t i = 0; i < p->n; i++) {
            struct container *k = &p->v[i];
            if (k->state != RUN_RUNNING) continue;
            ctl_event(c, p->co->o, "kubelet", "Normal", "Killing", "Stopping container %s", k->name);
            bool external = k->script.external && c->rt;
            int64_t at = external ? kill_at : now + k->script.terminate_ns;
            if (at > p->end_at) p->end_at = at;
            if (external) c->rt->term(c->rt_ctx, p->co->o->ns, p->co->o->name, k->name, grace);
        }
    }
    if (p->end_at > kill_at) p->end_at = kill_at;
    p->grace_ns = grace;
}

/* Kills the external processes that are left; true if their end is still to be reported. */
static bool kill_external(struct ctl *c, struct pod_proc *p) {
    bool any = false;
    for (size_t i = 0; i < p->n; i++) {
        struct container *k = &p->v[i];
        if (k->state != RUN_RUNNING || !k->script.external || !c->rt || k->killed) continue;
        k->killed = any = true;
        c->rt->kill(c->rt_ctx, p->co->o->ns, p->co->o->name, k->name);
    }
    if (any) p->end_at = ctl_now(c) + REPORT_NS;
    return any;
}

static void end_containers(struct ctl *c, struct pod_proc *p) {
    for (size_t i = 0; i < p->n; i++) {
        struct container *k = &p->v[i];
        if (k->state == RUN_RUNNING) {
            bool killed = k->killed || k->script.terminate_ns > p->grace_ns;
            container_end(c, p, k, killed ? 137 : k->script.term_exit_code, killed ? "Error" : NULL,
                          slice_of(k->script.message));
        } else if (k->state == RUN_EXITED || k->state == RUN_BACKOFF) {
            k->state = RUN_DONE;
        }
        k->next = TIME_NEVER;
    }
}

static void step_ending(struct ctl *c, struct pod_proc *p) {
    int64_t now = ctl_now(c);
    for (size_t i = 0; i < p->n; i++) {
        struct container *k = &p->v[i];
        if (k->state == RUN_RUNNING && k->op.elect_at <= now) (void)elector_poll(c, p, k);
    }
    bool over = p->end_at <= now;
    if (over && kill_external(c, p)) over = false; /* their own message comes with their report */
    if (over || !any_running(p)) {
        end_containers(c, p);
        p->stage = POD_ENDED;
        p->remove_at = now + REMOVE_NS;
        p->unwritten = true;
    }
    if (p->unwritten) pod_write_status(c, p);
    p->unwritten = false;
}

/* True when the pod has been removed. */
static bool die(struct ctl *c, struct pod_proc *p) {
    int64_t grace = grace_of(sim_store_json(c->s, p->co->o));
    if (p->stage == POD_NEW) { /* no kubelet knows it */
        p->stage = POD_REMOVED;
        return sim_store_delete(c->s, p->co->o, NULL, 0, NULL) == 0;
    }
    if (p->stage < POD_ENDING || (p->stage == POD_ENDING && grace < p->grace_ns)) begin_end(c, p, grace);
    if (p->stage == POD_ENDING) step_ending(c, p);
    if (p->stage != POD_ENDED || p->remove_at > ctl_now(c)) return false;
    p->stage = POD_REMOVED;
    p->remove_at = TIME_NEVER;
    (void)sim_store_delete(c->s, p->co->o, NULL, 0, NULL);
    return true; /* gone, unless a finalizer keeps it; then there is nothing more to do */
}

/* ---- one look ---- */

static int64_t next_of(const struct pod_proc *p) {
    int64_t next = TIME_NEVER;
    if (p->stage == POD_NEW) return p->created + SCHEDULE_NS;
    if (p->stage == POD_REMOVED) return next;
    for (size_t i = 0; i < p->n; i++) {
        int64_t at = p->stage == POD_ALIVE ? container_next(&p->v[i]) : p->v[i].op.elect_at;
        if (at < next && (p->stage == POD_ALIVE || p->v[i].state == RUN_RUNNING)) next = at;
    }
    if (p->stage == POD_ENDING && p->end_at < next) next = p->end_at;
    if (p->stage == POD_ENDED && p->remove_at < next) next = p->remove_at;
    return next;
}

void pod_sync(struct ctl *c, struct ctl_obj *co) {
    struct pod_proc *p = co->pod ? co->pod : pod_new(c, co);
    if (obj_deleting(sim_store_json(c->s, co->o))) {
        if (die(c, p)) return;
    } else {
        if (p->stage == POD_NEW && ctl_now(c) >= p->created + SCHEDULE_NS) bind(c, p);
        if (p->stage == POD_ALIVE) live(c, p);
    }
    co->mine = true;
    ctl_at(c, co, next_of(p));
}

/* ---- scripts that change while pods run ---- */

static void rescript(struct ctl *c, struct pod_proc *p) {
    int64_t now = ctl_now(c);
    for (size_t i = 0; i < p->n; i++) {
        struct container *k = &p->v[i];
        if (k->state == RUN_RUNNING) operator_count(k, now);
        bool crashed_before = k->script.crash_ns > 0;
        read_script(c, p, k);
        if (k->state == RUN_CREATING) k->next = p->created + k->script.start_ns;
        if (k->state != RUN_RUNNING) continue;
        k->ready_at = k->started + k->script.ready_ns;
        bool crashes = k->script.crash_ns > 0 && (k->script.crashes == 0 || k->crashes < k->script.crashes);
        k->next = crashes ? k->started + k->script.crash_ns : TIME_NEVER;
        if (crashes && !crashed_before && k->next < now) k->next = now; /* older than that: now */
        if (k->script.elects != (k->op.elect_at != TIME_NEVER)) elector_start(c, p, k);
    }
}

void pod_rescript_all(struct ctl *c) {
    for (struct pod_proc *p = c->ips; p; p = p->hh.next) {
        rescript(c, p);
        p->co->mine = true;
        ctl_at(c, p->co, ctl_now(c));
    }
}
