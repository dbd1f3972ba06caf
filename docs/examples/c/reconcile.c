/* One reconcile: reads the ConfigMap, counts, and writes NAME-tally if that says something else. Each step is one request whose
 * answer comes back as a callback. */
#include "tally.h"
#include <stdio.h>
#include <string.h>

struct work {
    struct tally *t;
    struct task *task;
    struct kube_op *op;
    struct counted sum;
    char *name, *ns, *uid;
};

static void finish(struct work *w, enum outcome out, int64_t after_ns, const struct err *err) {
    struct task *task = w->task;
    kube_cancel(w->op);
    free(w->name);
    free(w->ns);
    free(w->uid);
    free(w);
    task_finish(task, out, after_ns, err);
}

static void call(struct work *w, enum kube_verb verb, const char *name, struct slice body, kube_done done) {
    struct kube_spec spec = {.verb = verb,
                             .ref = {.gvr = &gvr_configmaps, .ns = slice_of(w->ns), .name = slice_of(name)},
                             .body = body,
                             .lane = LANE_CALL};
    w->op = kube_call(w->t->kube, &spec, done, w);
}

/* ---- writing ---- */

static void write_body(const struct work *w, const char *name, struct buf *out) {
    buf_adds(out, "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":");
    buf_add_json(out, slice_of(name));
    buf_adds(out, ",\"labels\":{\"" TALLY_MADE "\":\"count\"},\"ownerReferences\":[{\"apiVersion\":\"v1\","
                  "\"kind\":\"ConfigMap\",\"name\":");
    buf_add_json(out, slice_of(w->name));
    buf_adds(out, ",\"uid\":");
    buf_add_json(out, slice_of(w->uid));
    buf_addf(out, "}]},\"data\":{\"keys\":\"%lu\",\"bytes\":\"%lu\",\"version\":\"c-" TALLY_VERSION "\"}}",
             w->sum.keys, w->sum.bytes);
}

static void on_created(void *ctx, const struct err *err, struct slice raw) {
    struct work *w = ctx;
    w->op = NULL;
    if (!err) {
        informer_wrote(w->t->tallies, raw, NULL); /* the cache has it at once */
        metric_inc(w->t->written);
    }
    finish(w, err ? OUT_RETRY : OUT_DONE, 0, err);
}

static void write_tally(struct work *w, enum kube_verb verb, kube_done done) {
    cleanup_free char *name = xasprintf("%s-tally", w->name);
    cleanup_buf struct buf body = BUF(4096);
    write_body(w, name, &body);
    call(w, verb, verb == KUBE_CREATE ? NULL : name, buf_slice(&body), done);
}

static void on_patched(void *ctx, const struct err *err, struct slice raw) {
    struct work *w = ctx;
    bool absent = err && err->kind == ERR_NOTFOUND;
    w->op = NULL;
    if (absent && task_cancelled(w->task))
        finish(w, OUT_INTERRUPTED, 0, NULL); /* no further step follows */
    else if (absent)
        write_tally(w, KUBE_CREATE, on_created);
    else
        on_created(w, err, raw);
}

/* ---- counting ---- */

static bool up_to_date(const struct work *w) {
    cleanup_free char *name = xasprintf("%s-tally", w->name);
    const struct store_rec *r = store_get(informer_store(w->t->tallies), slice_of(w->ns), slice_of(name));
    const struct counted *c = r ? r->data : NULL;
    return c && c->keys == w->sum.keys && c->bytes == w->sum.bytes;
}

static void on_read(void *ctx, const struct err *err, struct slice raw) {
    struct work *w = ctx;
    int64_t when, now = world_wall_ns(w->t->world);
    struct err bad = {0};
    w->op = NULL;
    if (err) { /* what is gone takes NAME-tally with it */
        finish(w, err->kind == ERR_NOTFOUND ? OUT_DONE : OUT_RETRY, 0,
               err->kind == ERR_NOTFOUND ? NULL : err);
        return;
    }
    cleanup_json cJSON *obj = json_parse(raw, &bad);
    const char *before = obj_annotation(obj, TALLY_BEFORE);
    if (before && rfc3339_parse(slice_of(before), &when) < 0)
        err_set(&bad, ERR_CONFIG, -1, TALLY_BEFORE ": read \"%s\"; allowed is a time as 2026-01-02T15:04:05Z",
                before);
    if (bad.kind) {
        finish(w, OUT_RETRY, 0, &bad); /* ERR_CONFIG: a dead letter until the object changes */
        return;
    }
    if (before && when > now) {
        finish(w, OUT_AFTER, when - now, NULL);
        return;
    }
    for (const cJSON *i = cJSON_GetArrayItem(json_obj(obj, "data"), 0); i; i = i->next) {
        w->sum.keys++;
        w->sum.bytes += cJSON_IsString(i) ? strlen(i->valuestring) : 0;
    }
    w->uid = xstrdup(obj_uid(obj) ? obj_uid(obj) : "");
    if (up_to_date(w))
        finish(w, OUT_DONE, 0, NULL);
    else
        write_tally(w, KUBE_PATCH_MERGE, on_patched);
}

/* ---- the reconciler ---- */

static void start(void *self, struct slice key, struct task *task) {
    struct work *w = xcalloc(1, sizeof *w);
    struct slice ns, name;
    key_split(key, &ns, &name);
    *w = (struct work){.t = self, .task = task, .ns = slice_dup(ns), .name = slice_dup(name)};
    task_set_data(task, w);
    LOG_EVENT(&w->t->log, LOG_INFO, "Reconciling", "reconciling", LF_SLICE("key", key));
    call(w, KUBE_GET, w->name, (struct slice){0}, on_read);
}

/* A write that has left is waited for: cancelled, it could be carried out after the successor's first. */
static void cancel(void *self, struct task *task) {
    struct work *w = task_data(task);
    (void)self;
    if (!kube_in_the_air(w->op)) finish(w, OUT_INTERRUPTED, 0, NULL);
}

const struct reconciler tally_reconciler = {start, cancel};

void *tally_project(void *ctx, struct slice raw, const cJSON *obj) {
    struct counted *c = xcalloc(1, sizeof *c);
    const cJSON *data = json_obj(obj, "data");
    (void)ctx;
    (void)raw;
    sscanf(json_str_or(data, "keys", "0"), "%lu", &c->keys);
    sscanf(json_str_or(data, "bytes", "0"), "%lu", &c->bytes);
    return c;
}
