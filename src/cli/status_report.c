/* Reads the report: one list of Deployments, one state each, the Lease. */
#include "status_report.h"
#include "api/rfc3339.h"
#include "api/template.h"
#include "base/json_raw.h"
#include <errno.h>

enum { LIST_CAP = 256 << 20 };

struct one {
    struct status_poll *p;
    size_t row;
    struct kube_op *op, *stable_op;
};
struct status_poll {
    struct kube *kube;
    struct status_spec spec;
    status_done done;
    void *ctx;
    struct status_report report;
    struct one *one;
    struct kube_op *list_op, *lease_op;
    size_t open;
    struct err err;
};

void status_report_free(struct status_report *b) {
    for (size_t i = 0; i < b->n; i++) {
        struct status_row *r = &b->rows[i];
        free(r->ns);
        free(r->name);
        free(r->image);
        free(r->stable_image);
        if (r->has_state) state_free(&r->state);
    }
    free(b->rows);
    free(b->holder);
    *b = (struct status_report){0};
}

static void close_one(struct status_poll *p) {
    if (--p->open == 0) p->done(p->ctx, p->err.kind ? &p->err : NULL, &p->report);
}

static char *image_of(struct slice obj) {
    struct slice tmpl;
    struct buf image = BUF(4096);
    if (json_raw_at(obj, "spec/template", &tmpl)) template_image(tmpl, &image);
    return buf_take(&image);
}

static void on_stable(void *ctx, const struct err *err, struct slice raw) {
    struct one *o = ctx;
    struct status_row *row = &o->p->report.rows[o->row];
    o->stable_op = NULL;
    if (!err) {
        char *image = image_of(raw);
        if (strcmp(image, row->image) != 0) {
            row->stable_image = image;
            image = NULL;
        }
        free(image);
    }
    close_one(o->p);
}

static void on_state(void *ctx, const struct err *err, struct slice raw) {
    struct one *o = ctx;
    struct status_poll *p = o->p;
    struct status_row *row = &p->report.rows[o->row];
    o->op = NULL;
    cleanup_json cJSON *cm = err ? NULL : json_parse(raw, &row->problem);
    if (cm && state_read(cm, &row->state, &row->problem) == 0) row->has_state = true;
    if (err && err->kind != ERR_NOTFOUND) row->problem = *err;
    if (row->has_state && row->state.stable_name && row->state.phase != PHASE_STABLE) {
        struct kube_spec spec = {.verb = KUBE_GET,
                                 .lane = LANE_CALL,
                                 .ref = {.gvr = &gvr_replicasets,
                                         .ns = slice_of(row->ns),
                                         .name = slice_of(row->state.stable_name)}};
        p->open++;
        o->stable_op = kube_call(p->kube, &spec, on_stable, o);
    }
    close_one(p);
}

static void add_row(struct status_report *b, struct slice raw, const cJSON *obj) {
    const cJSON *annotations = json_at(obj, "metadata/annotations"), *spec = json_obj(obj, "spec");
    bool opted_in = obs_opted_in(annotations);
    if (!opted_in && !json_get(annotations, HANDOVER_PREFIX "status")) return;
    b->rows = xrealloc(b->rows, (b->n + 1) * sizeof *b->rows);
    struct status_row *row = &b->rows[b->n++];
    *row = (struct status_row){.opted_in = opted_in};
    row->ns = xstrdup(obj_ns(obj) ? obj_ns(obj) : "");
    row->name = xstrdup(obj_name(obj) ? obj_name(obj) : "");
    row->image = image_of(raw);
    row->replicas = (int32_t)json_i64(spec, "replicas", 1);
    row->paused = json_bool(spec, "paused", false);
    row->ready = (int32_t)json_i64(json_obj(obj, "status"), "readyReplicas", 0);
    if (opted_in) {
        struct spec s;
        spec_parse(annotations, &s, &row->problem);
        row->steps = s.nsteps;
        spec_free(&s);
    }
}

static void read_states(struct status_poll *p) {
    p->one = xcalloc(p->report.n ? p->report.n : 1, sizeof *p->one);
    for (size_t i = 0; i < p->report.n; i++) {
        cleanup_free char *cm = obs_state_name(p->report.rows[i].name);
        struct kube_spec spec = {
            .verb = KUBE_GET,
            .lane = LANE_CALL,
            .ref = {.gvr = &gvr_configmaps, .ns = slice_of(p->report.rows[i].ns), .name = slice_of(cm)}};
        p->one[i] = (struct one){.p = p, .row = i};
        p->open++;
        p->one[i].op = kube_call(p->kube, &spec, on_state, &p->one[i]);
    }
}

static void on_list(void *ctx, const struct err *err, struct slice raw) {
    struct status_poll *p = ctx;
    p->list_op = NULL;
    struct slice items;
    if (err) {
        p->err = *err;
    } else if (json_raw_check(raw, &p->err) == 0 && json_raw_at(raw, "items", &items)) {
        struct json_raw_it it = json_raw_each(items);
        while (json_raw_next(&it)) {
            cleanup_json cJSON *obj = json_parse(it.value, NULL);
            if (obj) add_row(&p->report, it.value, obj);
        }
        read_states(p);
    }
    close_one(p);
}

static void on_lease(void *ctx, const struct err *err, struct slice raw) {
    struct status_poll *p = ctx;
    p->lease_op = NULL;
    cleanup_json cJSON *lease = err ? NULL : json_parse(raw, NULL);
    const cJSON *spec = json_obj(lease, "spec");
    if (spec) {
        p->report.has_lease = true;
        p->report.holder = xstrdup(json_str_or(spec, "holderIdentity", ""));
        p->report.term = json_i64(spec, "leaseTransitions", 0);
        const char *t = json_str(spec, "renewTime");
        if (t) rfc3339_parse(slice_of(t), &p->report.renewed_wall_ns);
    }
    p->report.no_lease_access = err && err->kind == ERR_FORBIDDEN;
    close_one(p);
}

struct status_poll *status_poll_start(struct kube *k, const struct status_spec *spec, status_done done,
                                      void *ctx) {
    struct status_poll *p = xcalloc(1, sizeof *p);
    *p = (struct status_poll){.kube = k, .spec = *spec, .done = done, .ctx = ctx, .open = 2};
    struct kube_spec list = {.verb = KUBE_LIST,
                             .lane = LANE_CALL,
                             .body_cap = LIST_CAP,
                             .ref = {.gvr = &gvr_deployments, .ns = slice_of(spec->ns)}};
    struct kube_spec lease = {
        .verb = KUBE_GET,
        .lane = LANE_CALL,
        .ref = {.gvr = &gvr_leases, .ns = slice_of(spec->lease_ns), .name = slice_of(spec->lease_name)}};
    p->list_op = kube_call(k, &list, on_list, p);
    p->lease_op = kube_call(k, &lease, on_lease, p);
    return p;
}

void status_poll_end(struct status_poll *p) {
    if (!p) return;
    kube_cancel(p->list_op);
    kube_cancel(p->lease_op);
    for (size_t i = 0; p->one && i < p->report.n; i++) {
        kube_cancel(p->one[i].op);
        kube_cancel(p->one[i].stable_op);
    }
    status_report_free(&p->report);
    free(p->one);
    free(p);
}
