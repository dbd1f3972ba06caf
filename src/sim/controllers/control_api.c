/* What tests and the demo set in the controllers: scripts, the controller manager's own pace, processes. */
#include "store/core.h"
#include "controllers/pod.h"
#include <errno.h>

static int ms_member(const cJSON *v, const char *key, int64_t *ret, struct err *err) {
    double ms = json_num(v, key, (double)*ret / (double)NS_PER_MS);
    if (!(ms >= 0 && ms <= 1e9))
        return err_set(err, ERR_CONFIG, -EINVAL, "script: controllers: %s must be a number of milliseconds",
                       key);
    *ret = (int64_t)(ms * (double)NS_PER_MS);
    return 0;
}

/* {"delayMs":1,"jitterMs":2,"stopped":false} */
static int set_pace(struct ctl *c, const cJSON *v, struct err *err) {
    int64_t delay = c->delay_ns, jitter = c->jitter_ns;
    int r = ms_member(v, "delayMs", &delay, err);
    if (r == 0) r = ms_member(v, "jitterMs", &jitter, err);
    if (r < 0) return r;
    c->delay_ns = delay;
    c->jitter_ns = jitter;
    c->stopped = json_bool(v, "stopped", c->stopped);
    return 0;
}

int ctl_script(struct sim *s, struct slice json, struct err *err) {
    struct ctl *c = ctl_of(s);
    cleanup_json cJSON *v = json_parse(json, err);
    if (!v) return err_wrap(err, "script");
    const cJSON *pace = json_obj(v, "controllers");
    if (pace) return set_pace(c, pace, err);
    int r = scripts_add(&c->scripts, v, err);
    if (r == 0) pod_rescript_all(c);
    return r;
}

void sim_set_runtime(struct sim *s, const struct sim_runtime *rt, void *ctx) {
    struct ctl *c = ctl_of(s);
    c->rt = rt;
    c->rt_ctx = ctx;
}

static struct container *external(struct ctl *c, const char *ns, const char *pod, const char *name,
                                  struct pod_proc **ret) {
    struct sim_obj *o = sim_store_get(c->s, c->pods, ns, pod);
    struct ctl_obj *co = o ? o->ctl : NULL;
    struct container *k = co && co->pod ? pod_container(co->pod, name) : NULL;
    if (!k || k->state != RUN_RUNNING || !k->script.external) return NULL;
    *ret = co->pod;
    return k;
}

static void look_now(struct ctl *c, struct pod_proc *p) {
    p->co->mine = true;
    ctl_at(c, p->co, ctl_now(c));
}

int sim_container_ready(struct sim *s, const char *ns, const char *pod, const char *container, bool ready) {
    struct pod_proc *p;
    sim_enter(s);
    struct container *k = external(ctl_of(s), ns, pod, container, &p);
    if (k) {
        k->told_ready = ready;
        look_now(ctl_of(s), p);
    }
    sim_exit(s);
    return k ? 0 : -ENOENT;
}

int sim_container_exit(struct sim *s, const char *ns, const char *pod, const char *container, int exit_code,
                       struct slice message) {
    struct pod_proc *p;
    struct ctl *c = ctl_of(s);
    sim_enter(s);
    struct container *k = external(c, ns, pod, container, &p);
    if (k) {
        container_end(c, p, k, exit_code, exit_code == 137 ? "Error" : NULL, message);
        p->unwritten = true;
        look_now(c, p);
    }
    sim_exit(s);
    return k ? 0 : -ENOENT;
}
