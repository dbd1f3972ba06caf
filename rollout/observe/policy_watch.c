/* The policy and its binding, watched; see policy_watch.h. */
#include "observe/policy_watch.h"
#include "api/rfc3339.h"
#include "base/hash.h"
#include "base/log.h"
#include "kube/informer.h"
#include <stdio.h>

#define GROUP_PATH   "/apis/admissionregistration.k8s.io/v1"
#define AGAIN_NS     (60 * NS_PER_S)
#define SOON_NS      (5 * NS_PER_S)
#define FORBIDDEN_NS (600 * NS_PER_S) /* each time it is a line in two logs */
/* Written so long ago by the server's clock, which may be a little off ours: every API server has it. */
#define OLD_NS (120 * NS_PER_S)

enum { POLICY, BINDING, PARTS };
static const struct gvr gvrs[PARTS] = {
    {"admissionregistration.k8s.io", "v1", "mutatingadmissionpolicies", "MutatingAdmissionPolicy", false},
    {"admissionregistration.k8s.io", "v1", "mutatingadmissionpolicybindings",
     "MutatingAdmissionPolicyBinding", false}};
static const char *const names[PARTS] = {"hold-policy", "hold-policy-binding"};

struct policy_watch {
    struct kube *kube;
    world_fn changed;
    void *ctx;
    struct kube_op *discovery;
    struct informer *informer[PARTS];
    struct timer *again, *settle;
    enum policy_there there;
    char id[11];
    int64_t since_ns; /* boot: in effect everywhere from this moment and POLICY_SETTLE_NS on */
};

/* ---- what there is ---- */

/* When it was last written: kept of each. */
static void *project(void *ctx, struct slice raw, const cJSON *obj) {
    const cJSON *f, *meta = json_get(obj, "metadata");
    int64_t *at = xcalloc(1, sizeof *at), t;
    (void)ctx, (void)raw;
    if (rfc3339_parse(slice_of(json_str_or(meta, "creationTimestamp", "")), &t) == 0) *at = t;
    cJSON_ArrayForEach(f, json_arr(meta, "managedFields")) {
        if (rfc3339_parse(slice_of(json_str_or(f, "time", "")), &t) == 0 && t > *at) *at = t;
    }
    return at;
}

static void unproject(void *ctx, void *data) {
    (void)ctx;
    free(data);
}

static const struct store_rec *part(const struct policy_watch *w, int i) {
    const struct store *s = w->informer[i] ? informer_store(w->informer[i]) : NULL;
    const struct store_rec *r = s ? store_get(s, (struct slice){0}, SL(POLICY_NAME)) : NULL;
    return r && !r->deleting ? r : NULL;
}

static void identify(const struct store_rec *policy, const struct store_rec *binding, char ret[11]) {
    cleanup_free char *text = xasprintf("%s/%lld/%s/%lld", policy->uid, (long long)policy->generation,
                                        binding->uid, (long long)binding->generation);
    hash_name(slice_of(text), ret);
}

static void set(struct policy_watch *w, enum policy_there there, const char *id, int64_t since_ns) {
    if (there == w->there && !strcmp(id, w->id)) return;
    if (there == POLICY_THERE)
        LOG_EVENT(kube_log(w->kube), LOG_INFO, "HoldPolicyFound",
                  "MutatingAdmissionPolicy " POLICY_NAME " and its binding are there", LF_STR("id", id));
    else if (w->there == POLICY_THERE)
        LOG_EVENT(kube_log(w->kube), LOG_INFO, "HoldPolicyGone",
                  "MutatingAdmissionPolicy " POLICY_NAME
                  " or its binding is not there any more, or cannot be read",
                  LF_STR("id", w->id));
    w->there = there;
    w->since_ns = since_ns;
    snprintf(w->id, sizeof w->id, "%s", id);
    timer_stop(w->settle);
    if (there == POLICY_THERE && !policy_watch_settled(w)) timer_at(w->settle, since_ns + POLICY_SETTLE_NS);
    w->changed(w->ctx);
}

static bool is_old(struct policy_watch *w, const struct store_rec *policy, const struct store_rec *binding) {
    const int64_t *a = policy->data, *b = binding->data;
    int64_t now = world_wall_ns(kube_world(w->kube)), last = *a > *b ? *a : *b;
    return last && now - last >= OLD_NS;
}

static void look(struct policy_watch *w) {
    char id[11];
    const struct store_rec *policy = part(w, POLICY), *binding = part(w, BINDING);
    bool synced = w->informer[POLICY] && w->informer[BINDING] && informer_synced(w->informer[POLICY]) &&
                  informer_synced(w->informer[BINDING]);
    if (!synced && w->there == POLICY_NOT_LOOKED) return;
    if (!policy || !binding) {
        set(w, POLICY_NOT_THERE, "", 0);
        return;
    }
    int64_t now = world_boot_ns(kube_world(w->kube));
    bool first = w->there == POLICY_NOT_LOOKED;
    identify(policy, binding, id);
    set(w, POLICY_THERE, id, first && is_old(w, policy, binding) ? now - POLICY_SETTLE_NS : now);
}

/* ---- watching ---- */

static void on_change(void *ctx, const struct store_rec *old, const struct store_rec *now, bool initial) {
    (void)old, (void)now;
    if (!initial) look(ctx);
}

static void on_synced(void *ctx) {
    look(ctx);
}

static void stop_watching(struct policy_watch *w) {
    for (int i = 0; i < PARTS; i++) {
        informer_free(w->informer[i]);
        w->informer[i] = NULL;
    }
}

/* An older server by now, or one that does not let us look: what cannot be seen is not relied on. What passes is waited for. */
static void on_trouble(void *ctx, const struct err *err) {
    struct policy_watch *w = ctx;
    if (err->kind != ERR_NOTFOUND && err->kind != ERR_FORBIDDEN) return;
    stop_watching(w);
    timer_in(w->again, err->kind == ERR_FORBIDDEN ? FORBIDDEN_NS : AGAIN_NS);
    set(w, POLICY_NOT_THERE, "", 0);
}

static void start_watching(struct policy_watch *w) {
    static const struct informer_cb cb = {on_change, on_synced, on_trouble};
    for (int i = 0; i < PARTS; i++) {
        struct informer_spec spec = {.gvr = &gvrs[i],
                                     .fields = SL("metadata.name=" POLICY_NAME),
                                     .name = names[i],
                                     .store = {.project = project, .unproject = unproject}};
        if (informer_new(w->kube, &spec, &cb, w, &w->informer[i], NULL) < 0) return;
    }
    for (int i = 0; i < PARTS; i++) informer_start(w->informer[i]);
}

/* ---- discovery ---- */

static bool serves(struct slice raw) {
    const cJSON *r;
    cleanup_json cJSON *list = json_parse(raw, NULL);
    cJSON_ArrayForEach(r, json_arr(list, "resources")) {
        if (!strcmp(json_str_or(r, "name", ""), gvrs[POLICY].resource)) return true;
    }
    return false;
}

static void on_discovery(void *ctx, const struct err *err, struct slice raw) {
    struct policy_watch *w = ctx;
    w->discovery = NULL;
    bool answered = !err || err->kind == ERR_NOTFOUND || err->kind == ERR_FORBIDDEN;
    if (!err && serves(raw)) {
        start_watching(w);
        return;
    }
    timer_in(w->again, answered ? AGAIN_NS : SOON_NS);
    if (answered) set(w, POLICY_NOT_THERE, "", 0);
}

static void discover(void *ctx) {
    struct policy_watch *w = ctx;
    struct kube_spec spec = {.verb = KUBE_GET, .path = GROUP_PATH, .lane = LANE_CALL};
    w->discovery = kube_call(w->kube, &spec, on_discovery, w);
}

static void on_settled(void *ctx) {
    struct policy_watch *w = ctx;
    w->changed(w->ctx);
}

struct policy_watch *policy_watch_new(struct kube *k, world_fn changed, void *ctx) {
    struct policy_watch *w = xcalloc(1, sizeof *w);
    *w = (struct policy_watch){.kube = k, .changed = changed, .ctx = ctx};
    w->again = timer_new(kube_world(k), discover, w);
    w->settle = timer_new(kube_world(k), on_settled, w);
    return w;
}

void policy_watch_start(struct policy_watch *w) {
    discover(w);
}

void policy_watch_free(struct policy_watch *w) {
    if (!w) return;
    kube_cancel(w->discovery);
    stop_watching(w);
    timer_free(w->again);
    timer_free(w->settle);
    free(w);
}

enum policy_there policy_watch_there(const struct policy_watch *w) {
    return w->there;
}

const char *policy_watch_id(const struct policy_watch *w) {
    return w->id;
}

bool policy_watch_settled(const struct policy_watch *w) {
    return w->there == POLICY_THERE && world_boot_ns(kube_world(w->kube)) - w->since_ns >= POLICY_SETTLE_NS;
}
