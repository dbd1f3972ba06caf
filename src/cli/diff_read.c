/* Reads the report of a rehearsal; see diff.h. */
#include "diff.h"
#include "target_ref.h"
#include <errno.h>
#include <stdio.h>

struct diff_poll {
    struct kube *kube;
    diff_done done;
    void *ctx;
    const char *ns, *name; /* borrowed, as the status poll does */
    struct status_poll *status;
    struct kube_op *map_op;
    struct diff d;
};

static void take(struct diff *d, const cJSON *map) {
    const cJSON *data = json_obj(map, "data");
    const char *hash = obj_label(map, LABEL_REHEARSAL);
    if (!hash || !obj_owned_by(map, d->row->uid)) {
        err_set(&d->denied, ERR_CONFIG, -EEXIST,
                "ConfigMap %s is not Handover's: no label " LABEL_REHEARSAL
                " and no owner reference to this %s",
                d->map, workload_of(d->row->name)->gvr->kind);
        return;
    }
    d->there = true;
    d->report = xstrdup(json_str_or(data, "report", ""));
    d->image = xstrdup_null(json_str(data, "image"));
    snprintf(d->hash, sizeof d->hash, "%s", hash);
    snprintf(d->digest, sizeof d->digest, "%s", json_str_or(data, "digest", ""));
}

static void on_map(void *ctx, const struct err *err, struct slice raw) {
    struct diff_poll *p = ctx;
    p->map_op = NULL;
    cleanup_json cJSON *map = err ? NULL : json_parse(raw, &p->d.denied);
    if (map) take(&p->d, map);
    if (err && err->kind != ERR_NOTFOUND) p->d.denied = *err;
    p->done(p->ctx, NULL, &p->d);
}

static void on_status(void *ctx, const struct err *err, struct status_report *r) {
    struct diff_poll *p = ctx;
    struct err none = {0};
    if (err || !r->n) {
        err_set(&none, ERR_NOTFOUND, -ENOENT, "there is no %s in namespace %s", target_ref(p->name).text,
                p->ns);
        p->done(p->ctx, err ? err : &none, NULL);
        return;
    }
    const struct status_row *row = p->d.row = &r->rows[0];
    p->d.map = plan_report_map(row->name);
    struct kube_spec spec = {
        .verb = KUBE_GET,
        .lane = LANE_CALL,
        .no_retry = true,
        .ref = {.gvr = &gvr_configmaps, .ns = slice_of(row->ns), .name = slice_of(p->d.map)}};
    p->map_op = kube_call(p->kube, &spec, on_map, p);
}

struct diff_poll *diff_start(struct kube *k, const struct status_spec *spec, diff_done done, void *ctx) {
    struct diff_poll *p = xcalloc(1, sizeof *p);
    *p = (struct diff_poll){.kube = k, .done = done, .ctx = ctx, .ns = spec->ns, .name = spec->name};
    p->status = status_poll_start(k, spec, on_status, p);
    return p;
}

void diff_end(struct diff_poll *p) {
    if (!p) return;
    kube_cancel(p->map_op);
    status_poll_end(p->status);
    free(p->d.map);
    free(p->d.report);
    free(p->d.image);
    free(p);
}
