/* Reads what is explained; see explain.h. */
#include "explain.h"
#include "target_ref.h"
#include "plan/rehearsal.h"
#include <errno.h>

struct explain_poll {
    struct kube *kube;
    explain_done done;
    void *ctx;
    const char *ns, *name; /* borrowed, as the status poll does */
    struct status_poll *status;
    struct kube_list *pods_op;
    struct explain_sides *sides;
    char *rs, *rs_control; /* whose pods are listed; NULL: none */
    struct explain e;
};

static void drop_pods(struct explain *e) {
    for (size_t i = 0; i < e->npods; i++) {
        free(e->pods[i].name);
        free(e->pods[i].node);
        free(e->pods[i].trouble);
    }
    e->npods = e->more_pods = 0;
}

static bool is(const struct obs_pod *pod, const char *rs) {
    return rs && pod->rs_name && strcmp(pod->rs_name, rs) == 0;
}

static int on_pod(void *ctx, struct slice raw, cJSON **item, struct err *err) {
    struct explain_poll *p = ctx;
    struct explain *e = &p->e;
    struct obs_pod pod;
    (void)raw;
    if (obs_pod_read(*item, &pod, err) < 0) return -EINVAL;
    bool its = is(&pod, p->rs), control = is(&pod, p->rs_control);
    if ((its || control) && e->npods == EXPLAIN_PODS) {
        e->more_pods++;
    } else if (its || control) {
        e->pods[e->npods++] =
            (struct explain_pod){.name = xstrdup(pod.name),
                                 .node = xstrdup_null(json_str(json_obj(*item, "spec"), "nodeName")),
                                 .trouble = xstrdup_null(pod.terminating ? "terminating" : pod.trouble),
                                 .ready = pod.ready,
                                 .ending = pod.terminating || pod.finished,
                                 .control = control,
                                 .restarts = pod.restarts};
    }
    obs_pod_free(&pod);
    return 0;
}

static void restart(void *ctx) {
    drop_pods(&((struct explain_poll *)ctx)->e);
}

static void on_sides(void *ctx) {
    struct explain_poll *p = ctx;
    p->done(p->ctx, NULL, &p->e);
}

static void on_pods(void *ctx, const struct err *err, const char *rv) {
    struct explain_poll *p = ctx;
    (void)rv;
    p->pods_op = NULL;
    if (err) {
        p->e.pods_err = *err;
        drop_pods(&p->e);
    }
    if (explain_rehearses(p->e.row)) p->sides = explain_sides_start(p->kube, &p->e, on_sides, p);
    if (!p->sides) p->done(p->ctx, NULL, &p->e);
}

/* The canary's, or those of a rehearsal: false: there are none. */
static bool choose_pods(struct explain_poll *p, char **ret_labels) {
    const struct status_row *row = p->e.row;
    const struct state *s = &row->state;
    if (!row->has_state || !s->hash[0]) return false;
    if (explain_rehearses(row)) {
        p->rs = rehearsal_name(row->name, REHEARSED_NEW, s->hash);
        p->rs_control = rehearsal_name(row->name, REHEARSED_CONTROL, s->hash);
        *ret_labels = xasprintf(LABEL_REHEARSAL " in (%s,%s-control)", s->hash, s->hash);
        return true;
    }
    if (!s->canary || s->phase == PHASE_REHEARSING) return false;
    p->rs = xstrdup(s->canary);
    *ret_labels = xasprintf(LABEL_TRACK "=canary," LABEL_TEMPLATE "=%s", s->hash);
    return true;
}

static void on_status(void *ctx, const struct err *err, struct status_report *r) {
    static const struct kube_list_cb pods = {on_pod, restart, on_pods};
    struct explain_poll *p = ctx;
    if (err || !r->n) {
        struct err none = {0};
        err_set(&none, ERR_NOTFOUND, -ENOENT, "there is no %s in namespace %s", target_ref(p->name).text,
                p->ns);
        p->done(p->ctx, err ? err : &none, NULL);
        return;
    }
    const struct status_row *row = p->e.row = &r->rows[0];
    cleanup_free char *labels = NULL;
    if (!choose_pods(p, &labels)) {
        p->done(p->ctx, NULL, &p->e);
        return;
    }
    struct kube_list_spec list = {
        .gvr = &gvr_pods, .ns = slice_of(row->ns), .labels = slice_of(labels), .no_retry = true};
    p->pods_op = kube_list(p->kube, &list, &pods, p);
}

struct explain_poll *explain_start(struct kube *k, const struct status_spec *spec, explain_done done,
                                   void *ctx) {
    struct explain_poll *p = xcalloc(1, sizeof *p);
    *p = (struct explain_poll){.kube = k, .done = done, .ctx = ctx, .ns = spec->ns, .name = spec->name};
    p->status = status_poll_start(k, spec, on_status, p);
    return p;
}

void explain_end(struct explain_poll *p) {
    if (!p) return;
    kube_list_cancel(p->pods_op);
    explain_sides_end(p->sides);
    status_poll_end(p->status);
    drop_pods(&p->e);
    free(p->e.so_far);
    free(p->rs);
    free(p->rs_control);
    free(p);
}
