/* Reads the status report; see status_report.h. */
#include "status_report.h"
#include "target_ref.h"
#include "api/rfc3339.h"
#include "api/template.h"
#include "base/json_raw.h"
#include "plan/spec_hint.h"
#include <errno.h>

enum {
    IN_FLIGHT = 16, /* GETs at a time */
};
/* Of state ConfigMaps; the parts of a checkpoint bear the first of them as well. */
#define STATE_SELECTOR "app.kubernetes.io/managed-by=handover,!handover.dev/checkpoint"

/* A state ConfigMap of the list. */
struct stored {
    char *key; /* namespace/name */
    struct state state;
    struct err problem; /* kind != ERR_NONE: damaged, there is no state */
};
/* One GET: of a row's state, or of its stable ReplicaSet. */
struct fetch {
    struct status_poll *p;
    size_t row;
    bool stable;
    struct kube_op *op;
};
struct status_poll {
    struct kube *kube;
    struct status_spec spec;
    status_done done;
    void *ctx;
    struct status_report report;
    struct stored *stored;
    size_t nstored, cap_stored, cap_rows;
    const struct workload *listed; /* which kind of target */
    bool sets_alone;               /* a StatefulSet was asked for */
    size_t nbefore;                /* rows of another kind */
    struct kube_list *targets_op, *states_op, *canaries_op;
    bool canaries_asked;
    struct kube_op *lease_op;
    struct fetch *fetch;
    size_t nfetch, next_fetch, in_flight;
    struct err err;
};

static void free_rows(struct status_report *r, size_t from) {
    for (size_t i = from; i < r->n; i++) {
        struct status_row *row = &r->rows[i];
        free(row->ns);
        free(row->name);
        free(row->uid);
        free(row->image);
        free(row->stable_image);
        free(row->stable_tmpl);
        free(row->hint);
        if (row->has_state) state_free(&row->state);
        if (!row->named) continue;
        obs_target_free(&row->target);
        spec_free(&row->spec);
    }
    r->n = from;
    if (from) return;
    free(r->rows);
    r->rows = NULL;
}

static void free_report(struct status_report *r) {
    free_rows(r, 0);
    free(r->holder);
    free(r->guardian);
    *r = (struct status_report){0};
}

static void free_stored(struct status_poll *p) {
    for (size_t i = 0; i < p->nstored; i++) {
        free(p->stored[i].key);
        state_free(&p->stored[i].state);
    }
    free(p->stored);
    p->stored = NULL;
    p->nstored = p->cap_stored = 0;
}

static void cancel(struct kube_op **op) {
    kube_cancel(*op);
    *op = NULL;
}

static void cancel_all(struct status_poll *p) {
    kube_list_cancel(p->targets_op);
    kube_list_cancel(p->states_op);
    kube_list_cancel(p->canaries_op);
    p->targets_op = p->states_op = p->canaries_op = NULL;
    cancel(&p->lease_op);
    for (size_t i = 0; i < p->nfetch; i++) cancel(&p->fetch[i].op);
    p->in_flight = 0;
}

static void read_canaries(struct status_poll *p);

static void finish_if_complete(struct status_poll *p) {
    if (p->err.kind) cancel_all(p); /* nothing can mend it: report it now */
    if (p->targets_op || p->states_op || p->canaries_op || p->lease_op || p->in_flight) return;
    if (!p->err.kind && !p->canaries_asked) read_canaries(p);
    if (p->canaries_op) return;
    p->done(p->ctx, p->err.kind ? &p->err : NULL, &p->report);
}

/* at: of a ControllerRevision, "data/spec/template" */
static char *image_of(struct slice obj, const char *at) {
    struct slice tmpl;
    struct buf image = BUF(4096);
    if (json_raw_at(obj, at, &tmpl)) template_image(tmpl, &image);
    return buf_take(&image);
}

/* ---- GETs ---- */

static void start_fetches(struct status_poll *p);

static void add_fetch(struct status_poll *p, size_t row, bool stable) {
    p->fetch[p->nfetch++] = (struct fetch){.p = p, .row = row, .stable = stable};
}

static void set_stable_image(struct status_row *row, char *image) {
    if (image && row->image && strcmp(image, row->image) != 0)
        row->stable_image = image;
    else
        free(image);
}

/* Stable's image, while it is not the Deployment's: from the history, where an equal hash is an equal template, else
 * from its ReplicaSet. */
static void find_stable_image(struct status_poll *p, size_t i) {
    struct status_row *row = &p->report.rows[i];
    const struct state *s = &row->state;
    if (!row->has_state || !s->stable_name) return;
    if (row->named && strcmp(row->target.hash, s->stable_hash) != 0) add_fetch(p, i, true);
    if (row->named || s->phase == PHASE_STABLE) return;
    for (size_t h = 0; h < s->nhistory; h++) {
        const struct state_history *past = &s->history[h];
        if (!past->image || strcmp(past->hash, s->stable_hash) != 0) continue;
        set_stable_image(row, xstrdup(past->image));
        return;
    }
    add_fetch(p, i, true);
}

static void take_state(struct status_row *row, struct slice raw) {
    cleanup_json cJSON *cm = json_parse(raw, &row->problem);
    if (!cm) return;
    if (!obj_owned_by(cm, row->uid)) {
        err_set(&row->problem, ERR_CONFIG, -EEXIST,
                "ConfigMap %s is not Handover's: no label app.kubernetes.io/managed-by=handover and no owner "
                "reference to this %s",
                obj_name(cm) ? obj_name(cm) : "", workload_of(row->name)->gvr->kind);
        return;
    }
    row->has_state = state_read(cm, &row->state, &row->problem) == 0;
    row->state.rehearsal.for_eyes = true;
}

/* Without the directive of a ControllerRevision, which is no member of the template. */
static char *template_at(struct slice raw, const char *at) {
    struct slice tmpl;
    if (!json_raw_at(raw, at, &tmpl)) return NULL;
    cleanup_json cJSON *v = json_parse(tmpl, NULL);
    if (!json_get(v, "$patch")) return slice_dup(tmpl);
    cJSON_DeleteItemFromObjectCaseSensitive(v, "$patch");
    return json_print(v);
}

static void on_fetch(void *ctx, const struct err *err, struct slice raw) {
    struct fetch *f = ctx;
    struct status_poll *p = f->p;
    struct status_row *row = &p->report.rows[f->row];
    f->op = NULL;
    p->in_flight--;
    if (f->stable) {
        bool set = workload_of(row->name) == &workload_statefulset;
        const char *at = set ? "data/spec/template" : "spec/template";
        if (!err) set_stable_image(row, image_of(raw, at));
        if (!err && row->named) row->stable_tmpl = template_at(raw, at);
    } else if (!err) {
        take_state(row, raw);
        find_stable_image(p, f->row);
    } else if (err->kind != ERR_NOTFOUND) {
        row->problem = *err;
    }
    start_fetches(p);
    finish_if_complete(p);
}

static void start_fetches(struct status_poll *p) {
    while (p->next_fetch < p->nfetch && p->in_flight < IN_FLIGHT) {
        struct fetch *f = &p->fetch[p->next_fetch++];
        const struct status_row *row = &p->report.rows[f->row];
        const struct gvr *stable =
            workload_of(row->name) == &workload_statefulset ? &gvr_controllerrevisions : &gvr_replicasets;
        cleanup_free char *name = f->stable ? xstrdup(row->state.stable_name) : obs_state_name(row->name);
        struct kube_spec spec = {.verb = KUBE_GET,
                                 .lane = LANE_CALL,
                                 .no_retry = true,
                                 .ref = {.gvr = f->stable ? stable : &gvr_configmaps,
                                         .ns = slice_of(row->ns),
                                         .name = slice_of(name)}};
        p->in_flight++;
        f->op = kube_call(p->kube, &spec, on_fetch, f);
    }
}

/* ---- lists ---- */

/* What is wrong with the StatefulSet, if its annotations are right. */
static void check_fit(const struct status_poll *p, struct status_row *row, const cJSON *obj, struct slice raw,
                      const struct spec *s) {
    __attribute__((cleanup(obs_target_free))) struct obs_target t = {0};
    bool set = p->listed == &workload_statefulset && row->opted_in && !row->problem.kind;
    if (set && obs_target_read(p->listed, obj, raw, &t, NULL) == 0)
        (void)plan_target_fits(&t, s, &row->problem);
}

static int on_target(void *ctx, struct slice raw, cJSON **item, struct err *err) {
    struct status_poll *p = ctx;
    struct status_report *r = &p->report;
    const cJSON *obj = *item;
    const cJSON *annotations = json_at(obj, "metadata/annotations"), *spec = json_obj(obj, "spec");
    bool opted_in = obs_opted_in(annotations), managed = json_get(annotations, HANDOVER_PREFIX "status");
    bool named = p->spec.name != NULL;
    struct obs_target target = {0};
    if (!opted_in && !managed && !named) return 0;
    if (named && obs_target_read(p->listed, obj, raw, &target, err) < 0) return -EINVAL;
    r->rows = xgrow(r->rows, &p->cap_rows, r->n + 1, sizeof *r->rows);
    struct status_row *row = &r->rows[r->n++];
    *row = (struct status_row){.opted_in = opted_in,
                               .managed = managed,
                               .named = named,
                               .target = target,
                               .canary_pods = -1,
                               .canary_ready = -1};
    row->ns = xstrdup(obj_ns(obj) ? obj_ns(obj) : "");
    row->name = workload_id(p->listed, obj_name(obj) ? obj_name(obj) : "");
    row->uid = xstrdup(obj_uid(obj) ? obj_uid(obj) : "");
    row->image = image_of(raw, "spec/template");
    row->replicas = (int32_t)json_i64(spec, "replicas", 1);
    row->paused = json_bool(spec, "paused", false) ||
                  json_i64(json_at(spec, "updateStrategy/rollingUpdate"), "partition", 0) == HELD_PARTITION;
    row->ready = (int32_t)json_i64(json_obj(obj, "status"), "readyReplicas", 0);
    cleanup_buf struct buf hint = BUF(2048);
    if (spec_hint_add(annotations, false, &hint)) row->hint = buf_take(&hint);
    if (opted_in || named) {
        struct spec s;
        spec_parse(annotations, &s, opted_in ? &row->problem : NULL);
        check_fit(p, row, obj, raw, &s);
        row->steps = s.nsteps;
        row->rehearse_ns = s.rehearse_ns;
        row->spec = s;
        if (!named) spec_free(&row->spec);
    }
    return 0;
}

static void list_targets(struct status_poll *p, const struct workload *kind);

static void targets_restart(void *ctx) {
    struct status_poll *p = ctx;
    free_rows(&p->report, p->nbefore);
    if (!p->nbefore) p->cap_rows = 0;
}

static int on_state(void *ctx, struct slice raw, cJSON **item, struct err *err) {
    struct status_poll *p = ctx;
    const cJSON *obj = *item;
    (void)raw;
    (void)err;
    p->stored = xgrow(p->stored, &p->cap_stored, p->nstored + 1, sizeof *p->stored);
    struct stored *s = &p->stored[p->nstored++];
    *s = (struct stored){.key = key_of(slice_of(obj_ns(obj)), slice_of(obj_name(obj)))};
    state_init(&s->state);
    state_read(obj, &s->state, &s->problem);
    s->state.rehearsal.for_eyes = true;
    return 0;
}

static void states_restart(void *ctx) {
    free_stored(ctx);
}

static int by_key(const void *a, const void *b) {
    const struct stored *x = a, *y = b;
    return strcmp(x->key, y->key);
}

/* Both lists are there: each row gets its state. */
static void join(struct status_poll *p) {
    struct status_report *r = &p->report;
    if (p->targets_op || p->states_op || p->err.kind) return;
    if (p->nstored) qsort(p->stored, p->nstored, sizeof *p->stored, by_key);
    p->fetch = xcalloc(2 * r->n + 1, sizeof *p->fetch); /* at most one of either kind for a row */
    for (size_t i = 0; i < r->n; i++) {
        struct status_row *row = &r->rows[i];
        cleanup_free char *name = obs_state_name(row->name);
        cleanup_free char *key = key_of(slice_of(row->ns), slice_of(name));
        struct stored like = {.key = key},
                      *s = p->nstored ? bsearch(&like, p->stored, p->nstored, sizeof like, by_key) : NULL;
        if (!s) {
            if (row->managed) add_fetch(p, i, false);
        } else if (s->problem.kind) {
            row->problem = s->problem;
        } else if (!s->state.target_uid || strcmp(s->state.target_uid, row->uid) == 0) { /* no namesake's */
            row->state = s->state;
            row->has_state = true;
            state_init(&s->state);
            find_stable_image(p, i);
        }
    }
    start_fetches(p);
}

/* Deployments first; NAME alone is a StatefulSet's if there is no Deployment of it. */
static bool list_sets(struct status_poll *p) {
    bool either = !p->spec.name || (!target_ref(p->spec.name).kind && !p->report.n);
    if (p->listed != &workload_deployment || !either) return false;
    p->nbefore = p->report.n;
    list_targets(p, &workload_statefulset);
    return true;
}

static void on_targets(void *ctx, const struct err *err, const char *rv) {
    struct status_poll *p = ctx;
    (void)rv;
    p->targets_op = NULL;
    /* Without the right to StatefulSets: as if there were none. */
    bool no_sets = err && err->kind == ERR_FORBIDDEN && p->listed == &workload_statefulset && !p->sets_alone;
    if (err && !no_sets) p->err = *err;
    if (!err && list_sets(p)) return;
    join(p);
    finish_if_complete(p);
}

static void on_states(void *ctx, const struct err *err, const char *rv) {
    struct status_poll *p = ctx;
    (void)rv;
    p->states_op = NULL;
    if (err && err->kind == ERR_FORBIDDEN) /* not allowed to list them: each is read by name */
        free_stored(p);
    else if (err && !p->err.kind)
        p->err = *err;
    join(p);
    finish_if_complete(p);
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
        const cJSON *notes = json_at(lease, "metadata/annotations");
        const char *until = json_str(notes, HANDOVER_PREFIX "trial-until");
        if (until) rfc3339_parse(slice_of(until), &p->report.trial_wall_ns);
        p->report.guardian = xstrdup_null(json_str(notes, HANDOVER_PREFIX "guardian"));
    }
    if (err) p->report.lease_err = *err;
    finish_if_complete(p);
}

/* ---- the canaries: last, and only if there is one ---- */

static int on_canary(void *ctx, struct slice raw, cJSON **item, struct err *err) {
    struct status_report *r = &((struct status_poll *)ctx)->report;
    const char *ns = obj_ns(*item), *name = obj_name(*item);
    (void)raw;
    (void)err;
    for (size_t i = 0; i < r->n && ns && name; i++) {
        struct status_row *row = &r->rows[i];
        if (!status_has_canary(row) || strcmp(row->state.canary, name) != 0 || strcmp(row->ns, ns) != 0)
            continue;
        row->canary_pods = (int32_t)json_i64(json_obj(*item, "spec"), "replicas", 1);
        row->canary_ready = (int32_t)json_i64(json_obj(*item, "status"), "readyReplicas", 0);
    }
    return 0;
}

static void canaries_restart(void *ctx) {
    (void)ctx;
}

/* Without the right to read them everything else is there. */
static void on_canaries(void *ctx, const struct err *err, const char *rv) {
    struct status_poll *p = ctx;
    (void)rv;
    (void)err;
    p->canaries_op = NULL;
    finish_if_complete(p);
}

static char *only(const char *name) {
    return name ? xasprintf("metadata.name=%s", name) : NULL;
}

static void read_canaries(struct status_poll *p) {
    static const struct kube_list_cb canaries = {on_canary, canaries_restart, on_canaries};
    const struct status_report *r = &p->report;
    const struct status_row *one = NULL;
    size_t n = 0;
    for (size_t i = 0; i < r->n; i++) {
        if (!status_has_canary(&r->rows[i])) continue;
        one = &r->rows[i];
        n++;
    }
    p->canaries_asked = true;
    if (!n) return;
    cleanup_free char *name = n == 1 ? only(one->state.canary) : NULL;
    struct kube_list_spec list = {.gvr = &gvr_replicasets,
                                  .ns = slice_of(n == 1 ? one->ns : p->spec.ns),
                                  .no_retry = true,
                                  .labels = SL("app.kubernetes.io/managed-by=handover"),
                                  .fields = slice_of(name)};
    p->canaries_op = kube_list(p->kube, &list, &canaries, p);
}

static void list_targets(struct status_poll *p, const struct workload *kind) {
    static const struct kube_list_cb targets = {on_target, targets_restart, on_targets};
    cleanup_free char *fields = only(p->spec.name ? target_ref(p->spec.name).name : NULL);
    struct kube_list_spec list = {
        .gvr = kind->gvr, .ns = slice_of(p->spec.ns), .no_retry = true, .fields = slice_of(fields)};
    p->listed = kind;
    p->targets_op = kube_list(p->kube, &list, &targets, p);
}

struct status_poll *status_poll_start(struct kube *k, const struct status_spec *spec, status_done done,
                                      void *ctx) {
    struct status_poll *p = xcalloc(1, sizeof *p);
    *p = (struct status_poll){.kube = k, .spec = *spec, .done = done, .ctx = ctx};
    p->report.ns = spec->ns;
    static const struct kube_list_cb states = {on_state, states_restart, on_states};
    struct target_ref ref = spec->name ? target_ref(spec->name) : (struct target_ref){0};
    /* Of NAME alone the Deployment's; a StatefulSet's is read by name. */
    cleanup_free char *id =
        ref.name ? workload_id(ref.kind ? ref.kind : &workload_deployment, ref.name) : NULL;
    cleanup_free char *state = id ? obs_state_name(id) : NULL, *of_state = only(state);
    p->sets_alone = ref.kind == &workload_statefulset;
    struct kube_spec lease = {
        .verb = KUBE_GET,
        .lane = LANE_CALL,
        .no_retry = true,
        .ref = {.gvr = &gvr_leases, .ns = slice_of(spec->lease_ns), .name = slice_of(spec->lease_name)}};
    list_targets(p, p->sets_alone ? &workload_statefulset : &workload_deployment);
    struct kube_list_spec list = {.gvr = &gvr_configmaps,
                                  .ns = slice_of(spec->ns),
                                  .no_retry = true,
                                  .labels = SL(STATE_SELECTOR),
                                  .fields = slice_of(of_state)};
    p->states_op = kube_list(k, &list, &states, p);
    p->lease_op = kube_call(k, &lease, on_lease, p);
    return p;
}

void status_poll_end(struct status_poll *p) {
    if (!p) return;
    cancel_all(p);
    free_stored(p);
    free_report(&p->report);
    free(p->fetch);
    free(p);
}
