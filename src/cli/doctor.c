/* Asks for what doctor_checks.c judges, one thing after the other: rights and versions, the Lease, the targets, each one's metrics. */
#include "doctor.h"
#include "target_ref.h"
#include "act/metrics_endpoint.h"
#include "api/selector.h"
#include "base/time.h"
#include "judge/promtext.h"
#include <errno.h>

enum { IN_FLIGHT = 8, ASKS = 80, VERSION = -1, POLICY = -2 };
#define CALL_NS (10 * NS_PER_S)

struct ask { /* one request: a verb of a right, the version, the policy */
    struct doctor *d;
    int right;
    struct slice verb;
    struct kube_op *op;
    int allowed; /* as doctor_allowed() */
    struct err err;
};
struct look { /* a target whose metrics are looked at */
    char *ns, *name, *labels;
    struct spec spec;
};
struct doctor {
    struct kube *kube;
    struct doctor_spec spec;
    doctor_done done;
    void *ctx;
    struct doctor_report report;
    struct ask ask[ASKS];
    size_t nasks, next, open;
    bool unreachable;
    struct status_poll *status;
    struct kube_list *list;
    const struct workload *listed; /* which kind */
    struct look look[DOCTOR_TARGETS];
    size_t nlooks, more, at;
    /* The target that is looked at now. */
    struct obs_pod pod;
    bool has_pod;
    struct metrics_endpoints places;
    size_t place;
    struct prom_sum *errors, *total;
    struct promtext *text;
    struct kube_op *scrape;
    struct err last;
};

static void look_at_next(struct doctor *d);

/* ---- rights and versions ---- */

static const char *name_of(const struct doctor *d, const struct doctor_right *r) {
    return r->name && strcmp(r->name, "handover") == 0 ? d->spec.status.lease_name : r->name;
}

static void report_right(struct doctor *d, size_t i) {
    const struct doctor_right *r = &doctor_rights[i];
    cleanup_buf struct buf may = BUF(400), may_not = BUF(400);
    const struct err *unknown = NULL;
    const char *ns = r->own ? d->spec.status.lease_ns : d->spec.status.ns;
    const char *name = name_of(d, r);
    for (size_t k = 0; k < d->nasks; k++) {
        const struct ask *a = &d->ask[k];
        if (a->right != (int)i) continue;
        struct buf *to = a->allowed > 0 ? &may : &may_not;
        buf_addf(to, "%s%.*s", to->n ? ", " : "", SLF(a->verb));
        if (a->allowed < 0) unknown = &a->err;
    }
    cleanup_free char *about =
        xasprintf("%s%s%s%s%s, %s%s", r->resource, *r->group ? "." : "", r->group, name ? "/" : "",
                  name ? name : "", ns ? "namespace " : "all namespaces", ns ? ns : "");
    if (unknown)
        doctor_add(&d->report, DOCTOR_WARN, "rights", about, "it is not known who may do what: %s",
                   unknown->msg);
    else if (may_not.n)
        doctor_add(&d->report, r->optional ? DOCTOR_WARN : DOCTOR_FAIL, "rights", about,
                   "this user may not %s", buf_str(&may_not));
    else
        doctor_add(&d->report, DOCTOR_OK, "rights", about, "%s", buf_str(&may));
}

static int on_workload(void *ctx, struct slice raw, cJSON **item, struct err *err);
static void on_restart(void *ctx);
static void on_workloads(void *ctx, const struct err *err, const char *rv);

static void list_workload(struct doctor *d, const struct workload *kind) {
    static const struct kube_list_cb cb = {on_workload, on_restart, on_workloads};
    const struct status_spec *s = &d->spec.status;
    cleanup_free char *fields = s->name ? xasprintf("metadata.name=%s", target_ref(s->name).name) : NULL;
    struct kube_list_spec list = {
        .gvr = kind->gvr, .ns = slice_of(s->ns), .fields = slice_of(fields), .no_retry = true};
    d->listed = kind;
    d->list = kube_list(d->kube, &list, &cb, d);
}

static void on_status(void *ctx, const struct err *err, struct status_report *r) {
    struct doctor *d = ctx;
    const struct status_spec *s = &d->spec.status;
    struct status_report none = {0};
    if (err) none.lease_err = *err;
    doctor_lease(&d->report, err ? &none : r, s, world_wall_ns(kube_world(d->kube)));
    for (size_t i = 0; !err && i < r->n; i++) {
        const struct status_row *row = &r->rows[i];
        cleanup_free char *about = xasprintf("%s/%s", row->ns, row->name);
        bool said =
            row->problem.kind == ERR_CONFIG && !row->has_state && !row->managed; /* of its annotations */
        if (row->problem.kind && !said && row->managed && !row->has_state)
            doctor_add(&d->report, DOCTOR_FAIL, "state", about, "%s", row->problem.msg);
    }
    struct target_ref ref = s->name ? target_ref(s->name) : (struct target_ref){0};
    list_workload(d, ref.kind ? ref.kind : &workload_deployment);
}

static void asks_done(struct doctor *d) {
    if (d->unreachable) {
        d->done(d->ctx, &d->report);
        return;
    }
    for (size_t i = 0; i < doctor_nrights; i++) report_right(d, i);
    d->status = status_poll_start(d->kube, &d->spec.status, on_status, d);
}

static void ask_more(struct doctor *d);

static void on_answer(void *ctx, const struct err *err, struct slice raw) {
    struct ask *a = ctx;
    struct doctor *d = a->d;
    a->op = NULL;
    d->open--;
    if (a->right == VERSION && err) {
        doctor_add(&d->report, DOCTOR_FAIL, "server", NULL, "%s", err->msg);
        d->unreachable = true;
    } else if (a->right == VERSION) {
        doctor_version(&d->report, raw);
    } else if (a->right == POLICY) {
        doctor_policy(&d->report, err, raw);
    } else {
        cleanup_buf struct buf why = BUF(1024);
        a->allowed = err ? -1 : doctor_allowed(raw, &why);
        if (err)
            a->err = *err;
        else if (a->allowed < 0)
            err_set(&a->err, ERR_PROTOCOL, -EPROTO, "the answer is no SelfSubjectAccessReview");
    }
    ask_more(d);
}

static void send(struct doctor *d, struct ask *a) {
    cleanup_buf struct buf body = BUF(4096);
    struct kube_spec spec = {.verb = KUBE_GET, .lane = LANE_CALL, .no_retry = true, .timeout_ns = CALL_NS};
    if (a->right == VERSION) {
        spec.path = "/version";
    } else if (a->right == POLICY) {
        spec.path = "/apis/admissionregistration.k8s.io/v1";
    } else {
        const struct doctor_right *r = &doctor_rights[a->right];
        spec.verb = KUBE_CREATE;
        spec.path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
        doctor_review(r, a->verb, r->own ? d->spec.status.lease_ns : d->spec.status.ns, name_of(d, r), &body);
        spec.body = buf_slice(&body);
    }
    d->open++;
    a->op = kube_call(d->kube, &spec, on_answer, a);
}

static void ask_more(struct doctor *d) {
    while (!d->unreachable && d->next < d->nasks && d->open < IN_FLIGHT) send(d, &d->ask[d->next++]);
    if (!d->open) asks_done(d);
}

static void add_ask(struct doctor *d, int right, struct slice verb) {
    if (d->nasks < ASKS) d->ask[d->nasks++] = (struct ask){.d = d, .right = right, .verb = verb};
}

/* ---- targets ---- */

static void on_restart(void *ctx) {
    (void)ctx; /* pages of a list that began anew: what was said is said again at worst */
}

static char *labels_of(const cJSON *obj) {
    CLEANUP(selector) struct selector *sel = NULL;
    cleanup_buf struct buf text = BUF(8192);
    if (selector_from_spec(json_at(obj, "spec/selector"), &sel, NULL) < 0) return NULL;
    return selector_format(sel, &text) == 0 ? buf_take(&text) : NULL;
}

static int on_workload(void *ctx, struct slice raw, cJSON **item, struct err *err) {
    struct doctor *d = ctx;
    const cJSON *annotations = json_at(*item, "metadata/annotations");
    const char *ns = obj_ns(*item), *name = obj_name(*item);
    (void)raw;
    (void)err;
    if (!ns || !name) return 0;
    cleanup_free char *id = workload_id(d->listed, name);
    doctor_annotations(&d->report, ns, id, annotations);
    if (!obs_opted_in(annotations)) return 0;
    if (d->nlooks == DOCTOR_TARGETS) {
        d->more++;
        return 0;
    }
    struct look *l = &d->look[d->nlooks++];
    *l = (struct look){.ns = xstrdup(ns), .name = xstrdup(name), .labels = labels_of(*item)};
    spec_parse(annotations, &l->spec, NULL);
    return 0;
}

static void on_workloads(void *ctx, const struct err *err, const char *rv) {
    struct doctor *d = ctx;
    (void)rv;
    d->list = NULL;
    if (err)
        doctor_add(&d->report, DOCTOR_WARN, "annotations", NULL, "%ss cannot be listed: %s",
                   d->listed->gvr->kind, err->msg);
    const char *name = d->spec.status.name;
    if (d->listed == &workload_deployment && (!name || !target_ref(name).kind))
        list_workload(d, &workload_statefulset);
    else
        look_at_next(d);
}

/* ---- metrics ---- */

static void metrics_line(struct doctor *d, enum doctor_grade grade, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static void metrics_line(struct doctor *d, enum doctor_grade grade, const char *fmt, ...) {
    const struct look *l = &d->look[d->at];
    cleanup_free char *about = xasprintf("%s/%s", l->ns, l->name);
    cleanup_buf struct buf text = BUF(8192);
    va_list ap;
    va_start(ap, fmt);
    buf_addv(&text, fmt, ap);
    va_end(ap);
    doctor_add(&d->report, grade, "metrics", about, "%s", buf_str(&text));
}

static void look_done(struct doctor *d) {
    if (d->has_pod) obs_pod_free(&d->pod);
    d->has_pod = false;
    prom_sum_free(d->errors);
    prom_sum_free(d->total);
    d->errors = d->total = NULL;
    d->at++;
    look_at_next(d);
}

static int on_piece(void *ctx, struct slice piece, struct err *err) {
    return promtext_feed(((struct doctor *)ctx)->text, piece, err);
}

static void on_head(void *ctx, struct slice type, bool framed) {
    promtext_head(((struct doctor *)ctx)->text, type, framed);
}

static void try_place(struct doctor *d);

static void on_page(void *ctx, const struct err *err, struct slice raw) {
    struct doctor *d = ctx;
    const struct metrics_endpoint *e = &d->places.v[d->place];
    struct prom_page page;
    struct err bad = {0};
    (void)raw;
    d->scrape = NULL;
    bool read = !err && promtext_end(d->text, &page, &bad) == 0;
    promtext_free(d->text);
    d->text = NULL;
    if (!read) {
        d->last = err ? *err : bad;
        d->place++;
        try_place(d);
        return;
    }
    if (!page.source)
        metrics_line(d, DOCTOR_WARN,
                     METRICS_ENDPOINT_FMT
                     " of %s has %llu series, and none of the reconcile counters: annotations errors "
                     "and total",
                     METRICS_ENDPOINT_ARG(e), d->pod.name, (unsigned long long)page.samples);
    else
        metrics_line(d, DOCTOR_OK, METRICS_ENDPOINT_FMT " of %s: %.0f reconciles, %.0f failed (%s)",
                     METRICS_ENDPOINT_ARG(e), d->pod.name, page.v[PROM_TOTAL].value,
                     page.v[PROM_ERRORS].value, page.source);
    look_done(d);
}

static void no_place(struct doctor *d) {
    const struct err *e = &d->last;
    bool guarded = e->kind == ERR_FORBIDDEN || e->kind == ERR_AUTH || e->http == 401 || e->http == 403;
    if (guarded)
        metrics_line(d, DOCTOR_WARN,
                     "not allowed, by the API server (pods/proxy) or by the page (it asks who it is): %s",
                     e->msg);
    else
        metrics_line(d, DOCTOR_FAIL, "no metrics page of %s answers through the API server: %s", d->pod.name,
                     e->msg);
    look_done(d);
}

static void try_place(struct doctor *d) {
    static const struct kube_scrape_cb cb = {.chunk = on_piece, .done = on_page, .head = on_head};
    for (; d->place < d->places.n; d->place++) {
        const struct metrics_endpoint *e = &d->places.v[d->place];
        cleanup_buf struct buf path = BUF(4096);
        if (metrics_endpoint_check(e, &d->pod, true, &d->last) < 0) continue;
        metrics_endpoint_proxy_path(e, &d->pod, &path);
        struct kube_scrape spec = {.path = buf_str(&path), .timeout_ns = CALL_NS};
        d->text = promtext_new(d->errors, d->total);
        d->scrape = kube_scrape(d->kube, &spec, &cb, d);
        return;
    }
    no_place(d);
}

static int on_pod(void *ctx, struct slice raw, cJSON **item, struct err *err) {
    struct doctor *d = ctx;
    struct obs_pod pod;
    (void)raw;
    if (d->has_pod) return 0;
    if (obs_pod_read(*item, &pod, err) < 0) return -EINVAL;
    if (pod.ready && !pod.terminating && pod.track == TRACK_STABLE) {
        d->pod = pod;
        d->has_pod = true;
    } else {
        obs_pod_free(&pod);
    }
    return 0;
}

static void on_pods(void *ctx, const struct err *err, const char *rv) {
    struct doctor *d = ctx;
    const struct spec *s = &d->look[d->at].spec;
    (void)rv;
    d->list = NULL;
    if (err || !d->has_pod) {
        metrics_line(d, DOCTOR_WARN, "%s", err ? err->msg : "no pod is ready, so none was asked");
        look_done(d);
        return;
    }
    d->place = 0;
    d->last = (struct err){0};
    metrics_endpoints_of(s, &d->pod, &d->places);
    if (s->errors && s->total &&
        (prom_sum_parse(slice_of(s->errors), &d->errors, NULL) < 0 ||
         prom_sum_parse(slice_of(s->total), &d->total, NULL) < 0)) {
        prom_sum_free(d->errors);
        d->errors = NULL;
    }
    try_place(d);
}

static void look_at_next(struct doctor *d) {
    static const struct kube_list_cb cb = {on_pod, on_restart, on_pods};
    for (; d->at < d->nlooks; d->at++) {
        const struct look *l = &d->look[d->at];
        if (l->spec.metrics == METRICS_PROMETHEUS) {
            metrics_line(d, DOCTOR_OK, "read from Prometheus by Handover, not looked at here");
            continue;
        }
        struct kube_list_spec list = {
            .gvr = &gvr_pods, .ns = slice_of(l->ns), .labels = slice_of(l->labels), .no_retry = true};
        d->list = kube_list(d->kube, &list, &cb, d);
        return;
    }
    if (d->more)
        doctor_add(&d->report, DOCTOR_WARN, "metrics", NULL,
                   "of %zu more targets they were not looked at: -n, or a name", d->more);
    d->done(d->ctx, &d->report);
}

/* ---- coming and going ---- */

struct doctor *doctor_start(struct kube *k, const struct doctor_spec *spec, doctor_done done, void *ctx) {
    struct doctor *d = xcalloc(1, sizeof *d);
    *d = (struct doctor){.kube = k, .spec = *spec, .done = done, .ctx = ctx};
    add_ask(d, VERSION, (struct slice){0});
    add_ask(d, POLICY, (struct slice){0});
    for (size_t i = 0; i < doctor_nrights; i++) {
        struct slice rest = slice_of(doctor_rights[i].verbs), verb;
        while (rest.n) {
            slice_cut(rest, ',', &verb, &rest);
            add_ask(d, (int)i, verb);
        }
    }
    ask_more(d);
    return d;
}

void doctor_end(struct doctor *d) {
    if (!d) return;
    for (size_t i = 0; i < d->nasks; i++) kube_cancel(d->ask[i].op);
    kube_cancel(d->scrape);
    kube_list_cancel(d->list);
    status_poll_end(d->status);
    promtext_free(d->text);
    prom_sum_free(d->errors);
    prom_sum_free(d->total);
    if (d->has_pod) obs_pod_free(&d->pod);
    for (size_t i = 0; i < d->nlooks; i++) {
        free(d->look[i].ns);
        free(d->look[i].name);
        free(d->look[i].labels);
        spec_free(&d->look[i].spec);
    }
    doctor_report_free(&d->report);
    free(d);
}
