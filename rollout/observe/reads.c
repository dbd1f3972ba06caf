/* The reads of one reconcile: first the Deployment and the state, then what belongs to them. */
#include "observe/reads.h"
#include "api/selector.h"
#include "observe/objects.h"
#include <errno.h>

enum read_what { READ_DEPLOYMENT, READ_STATE, READ_REPLICASETS, READ_CANARIES, READ_PODS, READS };

struct reading {
    struct kube *kube;
    char *ns, *name;
    reads_done done;
    void *ctx;
    struct reads reads;
    struct one {
        struct reading *r;
        enum read_what what;
        struct kube_op *op;
    } one[READS];
    unsigned open;
    struct err err;
    bool failed;
};

enum { LIST_CAP = 64 << 20 };

static void on_read(void *ctx, const struct err *err, struct slice raw);

static void read_one(struct reading *r, enum read_what what, const struct kube_spec *spec) {
    r->one[what] = (struct one){.r = r, .what = what};
    r->open++;
    r->one[what].op = kube_call(r->kube, spec, on_read, &r->one[what]);
}

static void read_object(struct reading *r, enum read_what what, const struct gvr *gvr, const char *name) {
    struct kube_spec spec = {.verb = KUBE_GET,
                             .lane = LANE_CALL,
                             .ref = {.gvr = gvr, .ns = slice_of(r->ns), .name = slice_of(name)}};
    read_one(r, what, &spec);
}

static void read_list(struct reading *r, enum read_what what, const struct gvr *gvr, struct slice labels) {
    struct kube_spec spec = {.verb = KUBE_LIST,
                             .lane = LANE_CALL,
                             .ref = {.gvr = gvr, .ns = slice_of(r->ns)},
                             .labels = labels,
                             .body_cap = LIST_CAP};
    read_one(r, what, &spec);
}

/* The second round, once the Deployment is here: it tells the selector. */
static void read_owned(struct reading *r) {
    struct selector *sel = NULL;
    cleanup_buf struct buf text = BUF(16 << 10);
    const char *uid = obj_uid(r->reads.deployment_json);
    cleanup_free char *canaries = xasprintf("%s%s%s", LABEL_TARGET, uid ? "=" : "", uid ? uid : "");
    read_list(r, READ_CANARIES, &gvr_replicasets, slice_of(canaries));
    if (r->reads.gone) return; /* what it left behind is all there is to see */
    int rc = selector_from_spec(json_at(r->reads.deployment_json, "spec/selector"), &sel, &r->err);
    if (rc == 0) rc = selector_format(sel, &text);
    selector_free(sel);
    if (rc) { /* the list of canaries is under way: it ends the round */
        err_wrap(&r->err, "deployment %s/%s: spec.selector", r->ns, r->name);
        r->failed = true;
        return;
    }
    read_list(r, READ_REPLICASETS, &gvr_replicasets, buf_slice(&text));
    read_list(r, READ_PODS, &gvr_pods, buf_slice(&text));
}

static bool concerns_us(const struct reads *d) {
    const cJSON *annotations = json_at(d->deployment_json, "metadata/annotations");
    return d->has_state || obs_opted_in(annotations) || json_get(annotations, HANDOVER_PREFIX "status");
}

static void finish_round(struct reading *r) {
    struct reads *d = &r->reads;
    if (!r->failed && !d->canaries && concerns_us(d)) {
        read_owned(r);
        return;
    }
    r->done(r->ctx, r->failed ? &r->err : NULL, d);
}

static int keep_object(struct slice raw, struct buf *text, cJSON **tree, struct err *err) {
    buf_init(text, raw.n);
    buf_add(text, raw);
    *tree = json_parse(raw, err);
    return *tree ? 0 : -EINVAL;
}

static int keep_list(struct slice raw, cJSON **items, struct err *err) {
    cleanup_json cJSON *list = json_parse(raw, err);
    if (!list) return -EINVAL;
    cJSON *found = cJSON_DetachItemFromObjectCaseSensitive(list, "items");
    if (!found || cJSON_IsNull(found)) { /* Go writes an empty list as null now and then */
        cJSON_Delete(found);
        found = cJSON_CreateArray();
    }
    if (cJSON_IsArray(found)) {
        *items = found;
        return 0;
    }
    cJSON_Delete(found);
    return err_set(err, ERR_PROTOCOL, -EINVAL, "the answer is not a list");
}

static int keep(struct reads *d, enum read_what what, struct slice raw, struct err *err) {
    switch (what) {
    case READ_DEPLOYMENT: return keep_object(raw, &d->deployment, &d->deployment_json, err);
    case READ_STATE: d->has_state = true; return keep_object(raw, &d->configmap, &d->configmap_json, err);
    case READ_PODS: return keep_list(raw, &d->pods, err);
    case READ_REPLICASETS:
        buf_init(&d->replicasets_raw, raw.n);
        buf_add(&d->replicasets_raw, raw);
        return keep_list(raw, &d->replicasets, err);
    case READ_CANARIES:
        buf_init(&d->canaries_raw, raw.n);
        buf_add(&d->canaries_raw, raw);
        return keep_list(raw, &d->canaries, err);
    case READS: break;
    }
    return -EINVAL;
}

static void on_read(void *ctx, const struct err *err, struct slice raw) {
    struct one *o = ctx;
    struct reading *r = o->r;
    struct err bad = {0};
    o->op = NULL;
    r->open--;
    if (err && err->kind == ERR_NOTFOUND && o->what == READ_DEPLOYMENT)
        r->reads.gone = true;
    else if (err && err->kind == ERR_NOTFOUND && o->what == READ_STATE)
        r->reads.has_state = false;
    else if (err || keep(&r->reads, o->what, raw, &bad)) {
        if (!r->failed) r->err = err ? *err : bad;
        r->failed = true;
    }
    if (r->open == 0) finish_round(r);
}

struct reading *reads_start(struct kube *k, struct slice ns, struct slice name, reads_done done, void *ctx) {
    struct reading *r = xcalloc(1, sizeof *r);
    r->kube = k;
    r->ns = slice_dup(ns);
    r->name = slice_dup(name);
    r->done = done;
    r->ctx = ctx;
    cleanup_free char *state = obs_state_name(r->name);
    read_object(r, READ_DEPLOYMENT, &gvr_deployments, r->name);
    read_object(r, READ_STATE, &gvr_configmaps, state);
    return r;
}

void reads_end(struct reading *r) {
    if (!r) return;
    for (size_t i = 0; i < READS; i++) kube_cancel(r->one[i].op);
    buf_free(&r->reads.deployment);
    buf_free(&r->reads.configmap);
    buf_free(&r->reads.replicasets_raw);
    buf_free(&r->reads.canaries_raw);
    cJSON_Delete(r->reads.deployment_json);
    cJSON_Delete(r->reads.configmap_json);
    cJSON_Delete(r->reads.replicasets);
    cJSON_Delete(r->reads.canaries);
    cJSON_Delete(r->reads.pods);
    free(r->ns);
    free(r->name);
    free(r);
}
