/* The life of one container: creating, running, ready, crashing, backing off; image pulls that fail. */
#include "controllers/pod.h"
#include <stdio.h>

#define BACKOFF_MIN   (10 * NS_PER_S)
#define BACKOFF_MAX   (300 * NS_PER_S)
#define BACKOFF_RESET (600 * NS_PER_S)  /* a run that lasted so long begins anew */
#define EXIT_SHOWN    (500 * NS_PER_MS) /* until a kubelet notices and acts */
#define PULL_SHOWN    NS_PER_S

bool container_ready(const struct container *k) {
    return k->state == RUN_RUNNING && k->ready;
}

static int64_t double_backoff(int64_t b) {
    return b == 0 ? BACKOFF_MIN : b >= BACKOFF_MAX / 2 ? BACKOFF_MAX : 2 * b;
}

static void make_id(const struct pod_proc *p, struct container *k) {
    cleanup_free char *text =
        xasprintf("%s/%s/%lld", obj_uid(p->co->o->json), k->name, (long long)k->restarts);
    sha256_hex(slice_of(text), k->id);
}

static void start(struct ctl *c, struct pod_proc *p, struct container *k) {
    int64_t now = ctl_now(c);
    if (k->script.pull_fails) { /* the kubelet pulls before it starts */
        k->state = RUN_PULL_FAILED;
        k->next = now + PULL_SHOWN;
        return;
    }
    if (k->now.set) {
        k->last = k->now;
        k->now.set = false;
        k->restarts++;
    }
    k->state = RUN_RUNNING;
    k->started = now;
    k->ready = k->told_ready = k->killed = false;
    k->ready_at = now + k->script.ready_ns;
    make_id(p, k);
    operator_start(c, p, k);
    k->next = TIME_NEVER;
    if (k->script.external && c->rt) {
        c->rt->start(c->rt_ctx, p->co->o->ns, p->co->o->name, k->name);
        return;
    }
    bool crashes = k->script.crash_ns > 0 && (k->script.crashes == 0 || k->crashes < k->script.crashes);
    if (crashes) k->next = now + k->script.crash_ns;
}

static const char *reason_of(const struct container *k, int code, const char *reason) {
    if (reason && *reason) return reason;
    (void)k;
    return code == 0 ? "Completed" : "Error";
}

void container_end(struct ctl *c, struct pod_proc *p, struct container *k, int code, const char *reason,
                   struct slice message) {
    if (k->state != RUN_RUNNING) return;
    int64_t now = ctl_now(c);
    operator_count(k, now);
    elector_end(c, p, k);
    k->ready = k->told_ready = false;
    k->now = (struct exit_info){.set = true, .code = code, .started = k->started, .finished = now};
    (void)snprintf(k->now.reason, sizeof k->now.reason, "%s", reason_of(k, code, reason));
    (void)snprintf(k->now.message, sizeof k->now.message, "%.*s", SLF(message));
    memcpy(k->now.id, k->id, sizeof k->id);
    if (p->stage >= POD_ENDING || p->never_restart || (p->restart_on_failure_only && code == 0)) {
        k->state = RUN_DONE;
        k->next = TIME_NEVER;
        return;
    }
    if (now - k->started >= BACKOFF_RESET) k->backoff_ns = 0;
    k->state = RUN_EXITED;
    k->next = now + EXIT_SHOWN;
}

static void crash(struct ctl *c, struct pod_proc *p, struct container *k) {
    k->crashes++;
    container_end(c, p, k, k->script.exit_code, k->script.reason, slice_of(k->script.message));
}

static void after_exit(struct ctl *c, struct pod_proc *p, struct container *k) {
    int64_t wait = k->backoff_ns;
    k->backoff_ns = double_backoff(wait);
    if (wait == 0) { /* the first restart comes at once */
        start(c, p, k);
        return;
    }
    k->state = RUN_BACKOFF;
    k->next = k->now.finished + wait;
}

static void pull_again(struct container *k, int64_t now) {
    k->backoff_ns = double_backoff(k->backoff_ns);
    k->state = RUN_PULL_BACKOFF;
    k->next = now + k->backoff_ns;
}

static bool step_running(struct ctl *c, struct pod_proc *p, struct container *k, int64_t now) {
    if (k->op.elect_at <= now && !elector_poll(c, p, k)) {
        container_end(c, p, k, 1, "Error", SL("leader election lost"));
        return true;
    }
    bool ready = k->script.external && c->rt ? k->told_ready : k->script.ready && now >= k->ready_at;
    if (k->next <= now) {
        crash(c, p, k);
        return true;
    }
    if (ready == k->ready) return false;
    k->ready = ready;
    return true;
}

bool container_step(struct ctl *c, struct pod_proc *p, struct container *k) {
    int64_t now = ctl_now(c);
    if (k->state == RUN_RUNNING) return step_running(c, p, k, now);
    if (k->next > now) return false;
    switch (k->state) {
    case RUN_PULL_FAILED:
        if (k->script.pull_fails) {
            pull_again(k, now);
            return true;
        }
        start(c, p, k);
        break;
    case RUN_CREATING:
    case RUN_PULL_BACKOFF:
    case RUN_BACKOFF: start(c, p, k); break;
    case RUN_EXITED: after_exit(c, p, k); break;
    case RUN_RUNNING:
    case RUN_DONE: return false;
    }
    if (k->state == RUN_RUNNING) (void)step_running(c, p, k, now); /* ready at once */
    return true;
}

int64_t container_next(const struct container *k) {
    int64_t next = k->next;
    if (k->state != RUN_RUNNING) return next;
    if (!k->script.external && !k->ready && k->script.ready && k->ready_at < next) next = k->ready_at;
    if (k->op.elect_at < next) next = k->op.elect_at;
    return next;
}
