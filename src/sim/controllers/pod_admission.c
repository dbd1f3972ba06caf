/* Whether the API server would take a new Pod of a controller: its image's script may refuse it, as admission does, and a
 * ResourceQuota counts. */
#include "controllers/ctl.h"
#include <errno.h>

struct counting {
    struct ctl *c;
    int64_t pods;
};

static bool count_pod(void *ctx, struct sim_obj *o) {
    struct counting *n = ctx;
    const char *phase = json_str_or(json_get(sim_store_json(n->c->s, o), "status"), "phase", "");
    n->pods +=
        strcmp(phase, "Succeeded") != 0 && strcmp(phase, "Failed") != 0; /* one that terminates counts */
    return true;
}

static int64_t limit_of(const cJSON *hard) {
    static const char *const keys[] = {"pods", "count/pods"};
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        const char *text = json_str(hard, keys[i]);
        int64_t n;
        if (text && slice_i64(slice_of(text), &n) == 0) return n;
        if (json_get(hard, keys[i])) return json_i64(hard, keys[i], -1);
    }
    return -1;
}

struct asking {
    struct counting n;
    const char *ns, *name;
    struct err *err;
    int rc;
};

static bool ask_quota(void *ctx, struct sim_obj *quota) {
    struct asking *a = ctx;
    int64_t limit = limit_of(json_at(sim_store_json(a->n.c->s, quota), "spec/hard"));
    if (limit < 0) return true;
    a->n.pods = 0;
    sim_store_each(a->n.c->s, a->n.c->pods, a->ns, count_pod, &a->n);
    if (a->n.pods < limit) return true;
    a->rc =
        err_set(a->err, ERR_FORBIDDEN, -EACCES,
                "pods \"%s\" is forbidden: exceeded quota: %s, requested: pods=1, used: pods=%lld, limited: "
                "pods=%lld",
                a->name, quota->name, (long long)a->n.pods, (long long)limit);
    return false;
}

/* As the real one makes names, which the messages of admission have already. */
static char *name_of(struct ctl *c, const cJSON *pod) {
    static const char letters[] = "bcdfghjklmnpqrstvwxz2456789";
    char end[6] = "";
    uint64_t h = (uint64_t)ctl_now(c);
    for (size_t i = 0; i < 5; i++, h /= 31) end[i] = letters[(h >> 3) % (sizeof letters - 1)];
    return xasprintf("%s%s", json_str_or(json_get(pod, "metadata"), "generateName", ""), end);
}

int pod_admission(struct ctl *c, const char *ns, const cJSON *pod, struct err *err) {
    if (c->npods >= CTL_MAX_PODS)
        return err_set(err, ERR_FORBIDDEN, -ENOSPC,
                       "pods are forbidden: exceeded quota: this server holds at most %d", CTL_MAX_PODS);
    cleanup_free char *name = name_of(c, pod);
    struct asking a = {.n = {.c = c}, .ns = ns, .name = name, .err = err};
    struct script script;
    const cJSON *containers = json_arr(json_get(pod, "spec"), "containers");
    scripts_for(&c->scripts, json_str_or(containers ? containers->child : NULL, "image", ""), NULL, &script);
    if (script.refused[0])
        return err_set(err, ERR_FORBIDDEN, -EACCES, "pods \"%s\" is forbidden: %s", name, script.refused);
    sim_store_each(c->s, c->quotas, ns, ask_quota, &a);
    return a.rc;
}
