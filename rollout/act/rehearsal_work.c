/* The rehearsal of one target; see rehearsal_work.h. Nothing waits for what is asked here: an answer adds the key again. */
#include "act/rehearsal_work.h"
#include "act/metrics_endpoint.h"
#include "act/rehearsal.h"
#include "act/rehearsal_report.h"
#include "api/meta.h"
#include "api/template.h"
#include "base/json_raw.h"
#include "plan/rehearsal.h"
#include <errno.h>
#include <stdio.h>

enum { PRIO_REPORT = 20 };
#define EVERY_NS   (15 * NS_PER_S)
#define AGAIN_NS   (3 * NS_PER_S) /* after a failure */
#define TIMEOUT_NS (10 * NS_PER_S)

struct reading { /* one sidecar's report */
    struct rehearsal_work *w;
    struct kube_op *op;
    struct buf got;
    struct err err;
};
struct rehearsal_work {
    struct rollout *r;
    struct target *t;
    struct rehearsal_seen seen;
    /* stable's template */
    char *tmpl, tmpl_hash[11];
    struct kube_op *tmpl_op;
    int64_t tmpl_again_ns; /* boot */
    /* the ConfigMap */
    char *map_rv, *map_trouble;
    struct kube_op *map_op;
    int64_t map_again_ns;
    /* the reports of the pods of run */
    struct reading reading[2];
    int open;
    bool alone;
    uint64_t run;
    int64_t asked_ns, asked_wall_ns,
        until_ns; /* boot; wall; wall: one that is asked for then or later is wanted */
    bool wanted, failed;
    struct rehearsal_report report;
    bool has_report;
    char *trouble;
};

static struct world *world_of(const struct rehearsal_work *w) {
    return kube_world(w->r->kube);
}

static int64_t boot(const struct rehearsal_work *w) {
    return world_boot_ns(world_of(w));
}

static void tell(struct rehearsal_work *w) {
    controller_add(w->r->controller, slice_of(w->t->key), PRIO_REPORT, 0);
}

static void set(char **to, char *taken) {
    free(*to);
    *to = taken;
}

/* ---- stable's template ---- */

static void take_template(struct rehearsal_work *w, struct slice tmpl) {
    char hash[11];
    bool same = template_hash(tmpl, hash, NULL) == 0 && strcmp(hash, w->tmpl_hash) == 0;
    if (same) set(&w->tmpl, slice_dup(tmpl));
    w->seen.no_tmpl = !same;
}

/* A list of one, since no right is needed to get a ReplicaSet by its name; or a ControllerRevision. */
static void on_template(void *ctx, const struct err *err, struct slice raw) {
    struct rehearsal_work *w = ctx;
    struct slice items, tmpl = {0};
    char hash[11];
    w->tmpl_op = NULL;
    w->tmpl_again_ns = boot(w) + AGAIN_NS;
    if (err && err_retryable(err)) {
        tell(w);
        return;
    }
    if (!err && workload_of(w->t->name) == &workload_statefulset) {
        if (obs_revision_read(raw, hash, &tmpl, NULL) < 0) tmpl = (struct slice){0};
    } else if (!err && json_raw_check(raw, NULL) == 0 && json_raw_at(raw, "items", &items)) {
        struct json_raw_it it = json_raw_each(items);
        if (json_raw_next(&it)) json_raw_at(it.value, "spec/template", &tmpl);
    }
    if (tmpl.n)
        take_template(w, tmpl);
    else
        w->seen.no_tmpl = true;
    tell(w);
}

static void want_template(struct rehearsal_work *w, const struct state *s) {
    bool set_kind = workload_of(w->t->name) == &workload_statefulset;
    if (strcmp(w->tmpl_hash, s->stable_hash) != 0) {
        memcpy(w->tmpl_hash, s->stable_hash, sizeof w->tmpl_hash);
        set(&w->tmpl, NULL);
        w->seen.no_tmpl = false;
    }
    if (!w->tmpl && s->stable_template) take_template(w, slice_of(s->stable_template));
    if (w->tmpl || w->seen.no_tmpl || w->tmpl_op || boot(w) < w->tmpl_again_ns) return;
    cleanup_free char *field = xasprintf("metadata.name=%s", s->stable_name);
    struct kube_spec spec = {.verb = set_kind ? KUBE_GET : KUBE_LIST,
                             .lane = LANE_CALL,
                             .ref = {.gvr = set_kind ? &gvr_controllerrevisions : &gvr_replicasets,
                                     .ns = slice_of(w->t->ns),
                                     .name = set_kind ? slice_of(s->stable_name) : (struct slice){0}},
                             .fields = set_kind ? (struct slice){0} : slice_of(field)};
    w->tmpl_op = kube_call(w->r->kube, &spec, on_template, w);
}

/* ---- the ConfigMap ---- */

static bool is_ours(const struct rehearsal_work *w, const cJSON *obj) {
    cleanup_free char *owner = obs_owner_target(obj);
    return owner && strcmp(owner, w->t->name) == 0 && obj_label(obj, LABEL_REHEARSAL);
}

static void take_map(struct rehearsal_work *w, struct slice raw) {
    cleanup_json cJSON *obj = json_parse(raw, NULL);
    const char *digest = obj_annotation(obj, ANNOTATION_DIGEST), *run = obj_annotation(obj, ANNOTATION_RUN);
    bool ours = obj && is_ours(w, obj);
    int64_t n = 0;
    w->seen.map = ours ? MAP_OURS : MAP_FOREIGN;
    snprintf(w->seen.map_digest, sizeof w->seen.map_digest, "%s", ours && digest ? digest : "");
    w->seen.map_run = ours && run && slice_i64(slice_of(run), &n) == 0 && n > 0 ? (uint64_t)n : 0;
    set(&w->map_rv, xstrdup_null(ours ? obj_rv(obj) : NULL));
}

static void on_map(void *ctx, const struct err *err, struct slice raw) {
    struct rehearsal_work *w = ctx;
    w->map_op = NULL;
    w->map_again_ns = boot(w) + AGAIN_NS;
    set(&w->map_trouble, NULL);
    if (!err)
        take_map(w, raw);
    else if (err->kind == ERR_NOTFOUND)
        w->seen.map = MAP_ABSENT;
    else
        set(&w->map_trouble, xstrdup(err->msg));
    tell(w);
}

/* A foreign one may go by itself, or be deleted. */
static void want_map(struct rehearsal_work *w) {
    bool known = w->seen.map == MAP_OURS || w->seen.map == MAP_ABSENT;
    if (known || w->map_op || boot(w) < w->map_again_ns) return;
    cleanup_free char *name = plan_report_map(w->t->name);
    struct kube_spec spec = {
        .verb = KUBE_GET,
        .lane = LANE_CALL,
        .metadata_only = true,
        .ref = {.gvr = &gvr_configmaps, .ns = slice_of(w->t->ns), .name = slice_of(name)}};
    w->map_op = kube_call(w->r->kube, &spec, on_map, w);
}

void rehearsal_work_wrote(struct target *t, struct slice raw) {
    struct rehearsal_work *w = t->rehearsal;
    if (!w) return;
    if (raw.n)
        take_map(w, raw);
    else
        w->seen.map = MAP_ABSENT;
}

void rehearsal_work_failed(struct target *t) {
    if (!t->rehearsal) return;
    t->rehearsal->seen.map = MAP_UNKNOWN;
    t->rehearsal->map_again_ns = 0;
}

/* ---- reports ---- */

static void read_ended(struct rehearsal_work *w) {
    struct rehearsal_report r;
    struct err err = {0};
    if (--w->open > 0) return;
    for (int k = 0; k < 2 && !err.kind; k++) err = w->reading[k].err;
    struct slice control = w->alone ? (struct slice){0} : buf_slice(&w->reading[1].got);
    w->failed = err.kind || rehearsal_report_read(buf_slice(&w->reading[0].got), control, &r, &err) < 0;
    for (int k = 0; k < 2; k++) buf_free(&w->reading[k].got);
    set(&w->trouble, w->failed ? xstrdup(err.msg) : NULL);
    if (!w->failed) {
        rehearsal_report_free(&w->report);
        w->report = r;
        w->report.run = w->run;
        w->report.read_ns = w->asked_wall_ns;
        w->has_report = true;
    }
    tell(w);
}

static int on_piece(void *ctx, struct slice piece, struct err *err) {
    struct reading *g = ctx;
    if (buf_add(&g->got, piece) == 0) return 0;
    return err_set(err, ERR_PROTOCOL, -EFBIG, "the answer is larger than %d bytes", REPORT_CAP);
}

static void on_read(void *ctx, const struct err *err, struct slice raw) {
    struct reading *g = ctx;
    (void)raw;
    g->op = NULL;
    if (err) g->err = *err;
    if (err) err_wrap(&g->err, "%s", g == g->w->reading ? "the new version's pod" : "the pod of its control");
    read_ended(g->w);
}

/* Its key says who asks; nothing of Handover's own credentials goes there. */
static int send(struct rehearsal_work *w, struct reading *g, const struct obs_pod *pod, const char *key,
                struct err *err) {
    static const struct kube_scrape_cb cb = {.chunk = on_piece, .done = on_read};
    /* The last one; a sidecar of an earlier version does not know of it. */
    bool settled = w->until_ns && w->asked_wall_ns >= w->until_ns && !w->failed;
    cleanup_free char *path = xasprintf("/report?key=%s%s", key, settled ? "&settled=true" : "");
    const struct metrics_endpoint at = {.port = REHEARSAL_REPORT_PORT, .path = path};
    cleanup_buf struct buf where = BUF(4096);
    struct kube_scrape spec = {.timeout_ns = TIMEOUT_NS};
    bool proxy = w->r->opt.proxy;
    if (!pod) return err_set(err, ERR_CONFIG, -EHOSTUNREACH, "it is gone");
    if (!proxy && !pod->ip)
        return err_set(err, ERR_CONFIG, -EHOSTUNREACH, "pod %s has no address yet", pod->name);
    int rc = metrics_endpoint_check(&at, pod, proxy, err);
    if (rc < 0) return rc;
    if (proxy)
        metrics_endpoint_proxy_path(&at, pod, &where);
    else
        metrics_endpoint_url(&at, pod, &where);
    if (proxy)
        spec.path = buf_str(&where);
    else
        spec.url = buf_str(&where);
    buf_init(&g->got, REPORT_CAP);
    g->op = kube_scrape(w->r->kube, &spec, &cb, g);
    return 0;
}

static void stop_reading(struct rehearsal_work *w) {
    for (int k = 0; k < 2; k++) {
        kube_cancel(w->reading[k].op);
        w->reading[k].op = NULL;
        buf_free(&w->reading[k].got);
    }
    w->open = 0;
}

static void read_reports(struct rehearsal_work *w, const struct rehearsal_pair *p, const struct state *s) {
    w->alone = s->rehearsal.alone;
    w->asked_ns = boot(w);
    w->asked_wall_ns = world_wall_ns(world_of(w));
    w->open = 1; /* so that an answer of the first does not end it */
    for (int k = 0; k < 2; k++) w->reading[k].err = (struct err){0};
    for (int k = 0; k < (w->alone ? 1 : 2); k++) {
        struct reading *g = &w->reading[k];
        if (send(w, g, p->pod[k], s->rehearsal.key, &g->err) == 0) w->open++;
    }
    read_ended(w);
}

static int64_t due_ns(const struct rehearsal_work *w) {
    int64_t wall = world_wall_ns(world_of(w)), at = w->asked_ns + (w->failed ? AGAIN_NS : EVERY_NS);
    if (!w->asked_ns) return 0;
    bool last = w->asked_wall_ns < w->until_ns; /* the one at the end is not there yet */
    int64_t until = boot(w) + (w->until_ns > wall ? w->until_ns - wall : 0);
    return last && until < at && !(w->failed && wall >= w->until_ns) ? until : at;
}

int64_t rehearsal_work_due_in(const struct rollout *r, const struct target *t) {
    const struct rehearsal_work *w = t->rehearsal;
    (void)r;
    if (!w || !w->wanted || w->open) return TIME_NEVER;
    int64_t in = due_ns(w) - boot(w);
    return in > 0 ? in : 0;
}

static void want_reports(struct rehearsal_work *w, const struct observed *o, const struct plan *p) {
    struct rehearsal_pair pair;
    plan_rehearsal_pair(o, &pair);
    uint64_t run = plan_rehearsal_run(&pair);
    bool there = pair.pod[0] && (pair.pod[1] || p->next->rehearsal.alone);
    w->wanted = p->rehearse.run && run == p->rehearse.run && there;
    if (!w->wanted || w->run != run) stop_reading(w);
    if (w->run != run) {
        w->run = run;
        w->has_report = w->failed = false;
        w->asked_ns = w->asked_wall_ns = 0;
        set(&w->trouble, NULL);
    }
    w->until_ns = p->rehearse.until_ns;
    if (w->wanted && !w->open && boot(w) >= due_ns(w)) read_reports(w, &pair, p->next);
}

/* ---- the whole ---- */

void rehearsal_work_drop(struct target *t) {
    struct rehearsal_work *w = t->rehearsal;
    if (!w) return;
    stop_reading(w);
    kube_cancel(w->tmpl_op);
    kube_cancel(w->map_op);
    rehearsal_report_free(&w->report);
    free(w->tmpl);
    free(w->map_rv);
    free(w->map_trouble);
    free(w->trouble);
    free(w);
    t->rehearsal = NULL;
}

const struct rehearsal_report *rehearsal_work_last(const struct target *t) {
    return t->rehearsal && t->rehearsal->has_report ? &t->rehearsal->report : NULL;
}

void rehearsal_work_offer(struct rollout *r, struct target *t, struct observed *o) {
    struct rehearsal_work *w = t->rehearsal;
    struct world *world = kube_world(r->kube);
    if (o->spec && o->spec->rehearse_ns && (!o->state || o->state->phase == PHASE_STABLE))
        snprintf(o->rehearsal_key, sizeof o->rehearsal_key, "%016llx%016llx",
                 (unsigned long long)world_rand(world), (unsigned long long)world_rand(world));
    if (!w) return;
    struct rehearsal_seen *seen = &w->seen;
    seen->image = rehearsals_image(r->rehearsals);
    seen->minor = rehearsals_minor(r->rehearsals);
    seen->groups = rehearsals_groups(r->rehearsals);
    seen->trouble = seen->image ? NULL : rehearsals_trouble(r->rehearsals);
    seen->tmpl = w->tmpl;
    seen->report = w->has_report ? &w->report : NULL;
    seen->report_trouble = w->trouble;
    seen->map_rv = w->map_rv;
    seen->map_trouble = w->map_trouble;
    o->rehearsal = seen;
}

void rehearsal_work_ask(struct rollout *r, struct target *t, const struct observed *o, const struct plan *p) {
    bool any = p->rehearse.means || p->rehearse.map || p->rehearse.run;
    bool goes_on = p->next && p->next->phase == PHASE_REHEARSING && !p->next->rehearsal.over;
    if (!p->next || (!any && !goes_on) || r->stopping) {
        rehearsal_work_drop(t);
        return;
    }
    if (!t->rehearsal) {
        t->rehearsal = xcalloc(1, sizeof *t->rehearsal);
        *t->rehearsal = (struct rehearsal_work){.r = r, .t = t, .seen = {.minor = -1}};
        for (int k = 0; k < 2; k++) t->rehearsal->reading[k].w = t->rehearsal;
    }
    struct rehearsal_work *w = t->rehearsal;
    if (p->rehearse.means) rehearsals_want(r->rehearsals);
    if (p->rehearse.means) want_template(w, p->next);
    if (p->rehearse.map) want_map(w);
    if (o->state) want_reports(w, o, p);
}
