/* Labels of objects; see relabel.h. Each write says which version of the object it was decided on: whose the object is, is changed by
 * one client at a time, and by none that has lost its lease in between. */
#include "act/relabel.h"
#include "base/log.h"
#include <errno.h>
#include <stdio.h>

#define WRITE_NS (15 * NS_PER_S)

struct one {
    struct relabel *batch;
    char *ns, *name, *body;
    struct kube_op *op;
};
struct relabel {
    struct kube *kube;
    struct gvr gvr;
    char *target_uid;
    struct relabel_cb cb;
    void *ctx;
    struct one one[RELABEL_BATCH];
    size_t n, at, open, written;
    struct err err;
    bool stopping;
};

struct relabel *relabel_new(struct kube *k, const struct gvr *gvr, const char *target_uid,
                            const struct relabel_cb *cb, void *ctx) {
    struct relabel *b = xcalloc(1, sizeof *b);
    *b = (struct relabel){.kube = k, .gvr = *gvr, .target_uid = xstrdup(target_uid), .cb = *cb, .ctx = ctx};
    return b;
}

static char *body(const struct relabel *b, const char *uid, const char *rv, enum slice_owner owner) {
    static const char *const tracks[] = {
        [OWNER_NONE] = "\"moving\"", [OWNER_CANARY] = "\"canary\"", [OWNER_STABLE] = "null"};
    struct buf t = BUF(8192);
    buf_adds(&t, "{\"metadata\":{\"uid\":");
    buf_add_json(&t, slice_of(uid));
    buf_adds(&t, ",\"resourceVersion\":");
    buf_add_json(&t, slice_of(rv));
    buf_addf(&t, ",\"labels\":{\"" LABEL_TRACK "\":%s,\"" LABEL_TARGET "\":", tracks[owner]);
    if (owner == OWNER_STABLE)
        buf_adds(&t, "null");
    else
        buf_add_json(&t, slice_of(b->target_uid));
    buf_adds(&t, "}}}");
    return buf_take(&t);
}

bool relabel_add(struct relabel *b, const char *ns, const char *name, const char *uid, const char *rv,
                 enum slice_owner owner) {
    if (b->n == RELABEL_BATCH) return false;
    b->one[b->n++] = (struct one){b, xstrdup(ns ? ns : ""), xstrdup(name), body(b, uid, rv, owner), NULL};
    return true;
}

bool relabel_empty(const struct relabel *b) {
    return b->n == 0;
}

static void next(struct relabel *b);

/* Another client was quicker, or the object is gone: the next look says what is to be done. */
static bool is_expected(const struct err *err) {
    return err->kind == ERR_CONFLICT || err->kind == ERR_NOTFOUND;
}

static void on_answer(void *ctx, const struct err *err, struct slice raw) {
    struct one *o = ctx;
    struct relabel *b = o->batch;
    o->op = NULL;
    b->open--;
    if (!err) {
        b->written++;
        b->cb.written(b->ctx, raw);
    } else if (!is_expected(err) && !b->err.kind) {
        b->err = *err;
        err_wrap(&b->err, "label %s %s%s%s", b->gvr.resource, o->ns, o->ns[0] ? "/" : "", o->name);
    }
    next(b);
}

static void end(struct relabel *b) {
    if (b->stopping && !b->err.kind) err_set(&b->err, ERR_CANCELLED, -ECANCELED, "interrupted");
    LOG_EVENT(kube_log(b->kube), LOG_INFO, "ObjectsLabelled", "labels of objects were written",
              LF_STR("resource", b->gvr.resource), LF_INT("objects", (int64_t)b->written),
              LF_INT("of", (int64_t)b->n));
    b->cb.done(b->ctx, b->err.kind ? &b->err : NULL, b->written > 0);
}

static void send(struct relabel *b, struct one *o) {
    struct kube_spec spec = {.verb = KUBE_PATCH_MERGE,
                             .ref = {.gvr = &b->gvr, .ns = slice_of(o->ns), .name = slice_of(o->name)},
                             .body = slice_of(o->body),
                             .lane = LANE_CALL,
                             .timeout_ns = WRITE_NS,
                             .metadata_only = true};
    struct gvr cluster = b->gvr;
    cluster.namespaced = false;
    if (!o->ns[0]) spec.ref.gvr = &cluster; /* read within the call alone */
    b->open++;
    o->op = kube_call(b->kube, &spec, on_answer, o);
}

/* Without the right to write, or while the server cannot, the rest has to wait. */
static bool goes_on(const struct relabel *b) {
    bool each = b->err.kind == ERR_NONE || b->err.kind == ERR_REJECTED;
    return !b->stopping && each && b->at < b->n;
}

static void next(struct relabel *b) {
    while (goes_on(b) && b->open < RELABEL_AT_ONCE) send(b, &b->one[b->at++]);
    if (!b->open) end(b);
}

void relabel_start(struct relabel *b) {
    next(b);
}

bool relabel_stop(struct relabel *b) {
    bool air = false;
    b->stopping = true;
    for (size_t i = 0; i < b->n; i++) {
        struct one *o = &b->one[i];
        if (!o->op) continue;
        if (kube_in_the_air(o->op)) {
            air = true;
            continue;
        }
        kube_cancel(o->op);
        o->op = NULL;
        b->open--;
    }
    return air;
}

void relabel_end(struct relabel *b) {
    if (!b) return;
    for (size_t i = 0; i < b->n; i++) {
        kube_cancel(b->one[i].op);
        free(b->one[i].ns);
        free(b->one[i].name);
        free(b->one[i].body);
    }
    free(b->target_uid);
    free(b);
}
