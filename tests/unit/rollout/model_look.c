/* The model's objects as the API server would tell them, and back through the readers of rollout_core. */
#include "model.h"

/* What another wrote, when it is to be strange. */
static void m_hostile(const struct model *m, char **text) {
    if (!m->hostile) return;
    free(*text);
    *text = xstrdup(m->hostile);
}

/* ---- objects as the readers give them ---- */
static void m_fill_target(const struct model *m, struct obs_target *ret) {
    *ret = (struct obs_target){.ns = xstrdup("ns"),
                               .name = xstrdup("op"),
                               .uid = xasprintf("d-%d", m->uid),
                               .rv = xasprintf("%d", m->rv),
                               .deleting = m->deleting,
                               .generation = m->generation,
                               .observed_generation = m->observed,
                               .replicas = m->replicas,
                               .paused = m->paused,
                               .deadline_s = m->deadline_s,
                               .history = m->history,
                               .st_replicas = m->st_replicas,
                               .st_updated = m->st_updated,
                               .st_ready = m->st_ready,
                               .st_available = m->st_available,
                               .selector = xstrdup("{\"matchLabels\":{\"app\":\"op\"}}"),
                               .tmpl = m_template(m->version, false),
                               .image = xasprintf("op:v%d", m->version),
                               .status = xstrdup_null(m_annotation(m, "status")),
                               .annotations = cJSON_Duplicate(m->annotations, true)};
    memcpy(ret->hash, m->hash[m->version], sizeof ret->hash);
}

void m_rs_rv(const struct model *m, int rs, char ret[32]) {
    snprintf(ret, 32, "%d%03d%03d", m->rs[rs].rv, m_pods(m, rs, false), m_pods(m, rs, true));
}

static void m_fill_rs(const struct model *m, int i, struct obs_rs *ret) {
    const struct mrs *r = &m->rs[i];
    char rv[32];
    m_rs_rv(m, i, rv);
    *ret = (struct obs_rs){.name = xstrdup(r->name),
                           .uid = xstrdup(r->uid),
                           .rv = xstrdup(rv),
                           .owner_uid = xasprintf("d-%d", m->uid),
                           .canary = r->canary,
                           .detached = r->detached,
                           .created_ns = r->created,
                           .replicas = r->replicas,
                           .st_replicas = m_pods(m, i, false),
                           .st_ready = m_pods(m, i, true),
                           .st_available = m_pods(m, i, true),
                           .quarantined = r->quarantined[0] ? xstrdup(r->quarantined) : NULL,
                           .failure = m->no_quota && r->canary ? xstrdup("exceeded quota") : NULL};
    if (ret->quarantined) m_hostile(m, &ret->quarantined);
    memcpy(ret->hash, m->hash[r->version], sizeof ret->hash);
    memcpy(ret->made, r->made, sizeof ret->made);
}

static void m_fill_pod(const struct model *m, int k, struct obs_pod *ret) {
    const struct mpod *p = &m->pod[k];
    const struct mrs *r = &m->rs[p->rs];
    enum behaviour b = m->behaviour[r->version];
    *ret = (struct obs_pod){.ns = xstrdup("ns"),
                            .name = xstrdup(p->uid),
                            .uid = xstrdup(p->uid),
                            .rs_uid = xstrdup(r->uid),
                            .track = r->canary && !r->detached ? TRACK_CANARY : TRACK_STABLE,
                            .created_ns = T0 + p->born * NS_PER_S,
                            .terminating = p->terminating,
                            .ready = p->ready && !p->terminating,
                            .scheduled = b != UNSCHEDULABLE,
                            .restarts = p->restarts,
                            .crashes = p->restarts,
                            .loops = b == CRASHES && p->restarts >= 2,
                            .no_image = b == NO_IMAGE,
                            .crashed_ns = p->crashed ? T0 + p->crashed * NS_PER_S : 0};
    const int64_t start = OBS_START_NS / NS_PER_S + p->born;
    if (p->crashed)
        ret->start_crashes = p->crashed <= start ? p->restarts : p->began <= start ? p->restarts - 1 : 0;
    if (r->canary && !r->detached) memcpy(ret->hash, m->hash[r->version], sizeof ret->hash);
    if (b == UNSCHEDULABLE) ret->cause = CAUSE_UNSCHEDULABLE;
    if (b == CRASHES && p->restarts >= 2) {
        ret->waiting = xstrdup("CrashLoopBackOff");
        ret->trouble = xasprintf("back-off %ds", m->tick);
    }
    if (b == NO_IMAGE || b == NO_REGISTRY) {
        bool pulling = (m->tick - p->born) % 20 < 5;
        ret->waiting = xstrdup(pulling ? "ErrImagePull" : "ImagePullBackOff");
        ret->trouble =
            xstrdup(!pulling        ? "Back-off pulling image op:v1"
                    : b == NO_IMAGE ? "rpc error: code = NotFound desc = failed to resolve op:v1: not found"
                                    : "dial tcp 10.0.0.9:443: connect: connection refused");
    }
    m_hostile(m, &ret->trouble);
}

/* ---- and as text, back through the readers of rollout_core, unless the model is direct ---- */
static void m_read_target(const struct model *m, struct obs_target *ret) {
    m_fill_target(m, ret);
    if (m->direct) return;
    __attribute__((cleanup(obs_target_free))) struct obs_target t = *ret;
    cleanup_free char *a = json_print(t.annotations);
    cleanup_free char *raw = xasprintf(
        "{\"metadata\":{\"name\":\"%s\",\"namespace\":\"%s\",\"uid\":\"%s\",\"resourceVersion\":\"%s\","
        "\"generation\":%lld,\"annotations\":%s%s},\"spec\":{\"replicas\":%d,\"revisionHistoryLimit\":%d,"
        "\"paused\":%s,\"progressDeadlineSeconds\":%lld,\"selector\":%s,\"template\":%s},"
        "\"status\":{\"observedGeneration\":%lld,\"replicas\":%d,\"updatedReplicas\":%d,\"readyReplicas\":%d,"
        "\"availableReplicas\":%d}}",
        t.name, t.ns, t.uid, t.rv, (long long)t.generation, a,
        t.deleting ? ",\"deletionTimestamp\":\"2026-11-23T18:16:33Z\"" : "", t.replicas, t.history,
        t.paused ? "true" : "false", (long long)t.deadline_s, t.selector, t.tmpl,
        (long long)t.observed_generation, t.st_replicas, t.st_updated, t.st_ready, t.st_available);
    cleanup_json cJSON *obj = json_parse(slice_of(raw), NULL);
    struct err e = {0};
    if (obs_target_read(obj, slice_of(raw), ret, &e) < 0) fail_msg("%s", e.msg);
}

static void m_read_rs(const struct model *m, int i, struct obs_rs *ret) {
    m_fill_rs(m, i, ret);
    if (m->direct) return;
    __attribute__((cleanup(obs_rs_free))) struct obs_rs r = *ret;
    cleanup_free char *t = m_template(m->rs[i].version, true), *mark = NULL, *labels = NULL;
    if (r.canary)
        labels = xasprintf("\"app.kubernetes.io/managed-by\":\"handover\",\"handover.dev/target\":\"%s\","
                           "\"handover.dev/template\":\"%s\"",
                           r.owner_uid, r.hash);
    if (r.quarantined) mark = xasprintf("\"handover.dev/quarantined\":\"%s\"", r.quarantined);
    cleanup_free char *raw = xasprintf(
        "{\"metadata\":{\"name\":\"%s\",\"namespace\":\"ns\",\"uid\":\"%s\",\"resourceVersion\":\"%s\","
        "\"labels\":{%s},\"annotations\":{%s},\"ownerReferences\":[{\"uid\":\"%s\",\"controller\":%s}]},"
        "\"spec\":{\"replicas\":%d,\"template\":%s},"
        "\"status\":{\"replicas\":%d,\"readyReplicas\":%d,\"availableReplicas\":%d%s}}",
        r.name, r.uid, r.rv, labels ? labels : "\"app\":\"op\"",
        mark         ? mark
        : r.detached ? "\"handover.dev/detached\":\"true\""
                     : "",
        r.owner_uid, r.canary ? "false" : "true", r.replicas, t, r.st_replicas, r.st_ready, r.st_available,
        r.failure ? ",\"conditions\":[{\"type\":\"ReplicaFailure\",\"status\":\"True\","
                    "\"message\":\"exceeded quota\"}]"
                  : "");
    cleanup_json cJSON *obj = json_parse(slice_of(raw), NULL);
    struct err e = {0};
    if (obs_rs_read(obj, slice_of(raw), ret, &e) < 0) fail_msg("%s in %s", e.msg, raw);
    memcpy(ret->made, r.made,
           sizeof ret->made); /* of the labels and overrides that the template here lacks */
    ret->created_ns = r.created_ns;
}

static void m_read_pod(const struct model *m, int k, struct obs_pod *ret) {
    m_fill_pod(m, k, ret);
    if (m->direct) return;
    __attribute__((cleanup(obs_pod_free))) struct obs_pod p = *ret;
    cleanup_free char *state = NULL, *last = NULL, *labels = NULL;
    char born[32], began[32], at[32];
    rfc3339_seconds(p.created_ns, born);
    rfc3339_seconds(T0 + m->pod[k].began * NS_PER_S, began);
    rfc3339_seconds(p.crashed_ns, at);
    if (p.waiting)
        state = xasprintf("\"waiting\":{\"reason\":\"%s\",\"message\":\"%s\"}", p.waiting, p.trouble);
    if (p.crashed_ns)
        last = xasprintf(",\"lastState\":{\"terminated\":{\"exitCode\":1,\"reason\":\"Error\","
                         "\"startedAt\":\"%s\",\"finishedAt\":\"%s\"}}",
                         began, at);
    if (p.track == TRACK_CANARY)
        labels = xasprintf(",\"handover.dev/track\":\"canary\",\"handover.dev/template\":\"%s\"", p.hash);
    cleanup_free char *raw = xasprintf(
        "{\"metadata\":{\"name\":\"%s\",\"namespace\":\"ns\",\"uid\":\"%s\",\"labels\":{\"app\":\"op\"%s},"
        "\"creationTimestamp\":\"%s\",\"ownerReferences\":[{\"uid\":\"%s\",\"controller\":true}]%s},"
        "\"spec\":{%s},\"status\":{\"podIP\":\"10.0.0.1\",\"conditions\":[{\"type\":\"Ready\",\"status\":\"%"
        "s\"}%s],"
        "\"containerStatuses\":[{\"name\":\"c\",\"restartCount\":%u,\"state\":{%s}%s}]}}",
        p.name, p.uid, labels ? labels : "", born, p.rs_uid,
        p.terminating ? ",\"deletionTimestamp\":\"2026-11-23T18:16:33Z\"" : "",
        p.scheduled ? "\"nodeName\":\"n\"" : "", m->pod[k].ready ? "True" : "False",
        p.scheduled ? "" : ",{\"type\":\"PodScheduled\",\"status\":\"False\",\"message\":\"no node fits\"}",
        p.restarts, state ? state : "\"running\":{}", last ? last : "");
    cleanup_json cJSON *obj = json_parse(slice_of(raw), NULL);
    struct err e = {0};
    if (obs_pod_read(obj, ret, &e) < 0) fail_msg("%s", e.msg);
    assert_true(ret->restarts == p.restarts && ret->start_crashes == p.start_crashes);
}

void m_view_free(struct m_view *v) {
    obs_target_free(&v->target);
    for (size_t i = 0; i < v->nrs; i++) obs_rs_free(&v->rs[i]);
    for (size_t i = 0; i < v->npods; i++) obs_pod_free(&v->pods[i]);
    if (v->opted) spec_free(&v->spec);
    free(v);
}

static struct model *m_cache_new(const struct model *m) {
    struct model *c = xcalloc(1, sizeof *c);
    memcpy(c->hash, m->hash, sizeof c->hash);
    return c;
}

static void m_see_target(const struct model *m, struct model *c) {
    c->exists = m->exists, c->deleting = m->deleting, c->paused = m->paused, c->recreate = m->recreate;
    c->uid = m->uid, c->rv = m->rv, c->generation = m->generation, c->observed = m->observed;
    c->replicas = m->replicas, c->version = m->version, c->deadline_s = m->deadline_s;
    c->st_updated = m->st_updated, c->st_replicas = m->st_replicas;
    c->st_available = m->st_available, c->st_ready = m->st_ready;
    cJSON_Delete(c->annotations);
    c->annotations = cJSON_Duplicate(m->annotations, true);
}

void m_see(struct model *m, unsigned what) {
    struct model *c = m->cache ? m->cache : (m->cache = m_cache_new(m));
    if (what & SEEN_TARGET) m_see_target(m, c);
    if (what & SEEN_OWNED) {
        memcpy(c->rs, m->rs, sizeof c->rs);
        memcpy(c->pod, m->pod, sizeof c->pod);
    }
    if (what & SEEN_STATE) {
        free(c->facts);
        free(c->state);
        c->facts = xstrdup_null(m->facts);
        c->state = xstrdup_null(m->state);
        c->cm_rv = m->cm_rv;
    }
}

static void m_take_state(struct model *edge, const struct model *m, struct m_view *v) {
    v->o.state_known = STATE_ABSENT;
    if (!m->state) {
        m_forget(edge);
        return;
    }
    snprintf(v->rv, sizeof v->rv, "%d", m->cm_rv);
    v->o.state_rv = v->rv;
    v->o.state_known = STATE_READ;
    if (!edge->edge.held || edge->edge.rv != m->cm_rv) {
        cleanup_json cJSON *cm = cJSON_CreateObject();
        cJSON *data = cJSON_AddObjectToObject(cm, "data");
        cJSON_AddStringToObject(data, "facts", m->facts);
        cJSON_AddStringToObject(data, "state", m->state);
        m_forget(edge);
        if (state_read(cm, &edge->edge.s, &v->state_err) < 0) {
            v->o.state_known = STATE_DAMAGED;
            v->o.state_err = &v->state_err;
            return;
        }
        edge->edge.held = true;
        edge->edge.rv = m->cm_rv;
    }
    v->o.state = &edge->edge.s;
    v->o.state_confirmed = edge->edge.confirmed;
}

void m_know_state(struct model *m) {
    cleanup_free struct m_view *v = xcalloc(1, sizeof *v);
    m_take_state(m, m->cache ? m->cache : m, v);
}

struct m_view *m_observe(struct model *m) {
    struct m_view *v = xcalloc(1, sizeof *v);
    struct model *c = m->cache ? m->cache : m;
    if (c != m) {
        memcpy(c->behaviour, m->behaviour, sizeof c->behaviour);
        c->tick = m->tick, c->direct = m->direct, c->no_quota = m->no_quota;
    }
    for (int i = 0; i < MAX_RS; i++) {
        if (c->rs[i].there) m_read_rs(c, i, &v->rs[v->nrs++]);
    }
    v->o = (struct observed){.name = "op",
                             .known = true,
                             .rs = v->rs,
                             .nrs = v->nrs,
                             .release = m->release,
                             .force_release = m->force,
                             .quiet = m->quiet,
                             .canary_taken = m->edge.taken_tick && m->tick < m->edge.taken_tick + 30};
    m_take_state(m, c, v);
    if (c->exists) {
        m_read_target(c, &v->target);
        v->o.target = &v->target;
        v->opted = obs_opted_in(v->target.annotations);
        if (v->opted) {
            spec_parse(v->target.annotations, &v->spec, &v->spec_err);
            v->o.spec = &v->spec;
            v->o.spec_err = &v->spec_err;
        }
    }
    if (m->edge.held && m->edge.s.began_ns != m->edge.round_began_ns) { /* rounds belong to one rollout */
        m->edge.round_began_ns = m->edge.s.began_ns;
        m->edge.scraped_ns = 0;
        m->edge.history_known = false;
    }
    v->o.scraped_ns = m->edge.scraped_ns;
    v->o.scrape_trouble = m->hostile;
    v->o.history_known = m->edge.history_known;
    v->o.history_errors = m->edge.history_errors;
    v->o.history_total = m->edge.history_total;
    /* as the edge: at rest nothing is looked at */
    v->o.known = plan_needs(&v->o) != NEED_TARGET;
    for (int k = 0; k < MAX_PODS && v->o.known; k++)
        if (c->pod[k].there) m_read_pod(c, k, &v->pods[v->npods++]);
    memcpy(v->own, v->pods, v->npods * sizeof *v->pods);
    v->o.pods = v->own;
    v->o.npods = plan_own_pods(&v->o, v->own, v->npods);
    return v;
}
