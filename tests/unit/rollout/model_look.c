/* The model's objects as the API server would tell them, and back through the readers of rollout_core. */
#include "model.h"

/* ---- objects as text, and back through the readers ---- */
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
    if (m->hostile && r->quarantined[0]) {
        free(ret->quarantined);
        ret->quarantined = xstrdup(m->hostile);
    }
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
    if (b == CRASHES && p->restarts >= 2) ret->waiting = xstrdup("CrashLoopBackOff");
    if (b == NO_IMAGE) ret->waiting = xstrdup("ErrImagePull");
    if (b == UNSCHEDULABLE) ret->cause = CAUSE_UNSCHEDULABLE;
    if (b == NO_IMAGE || m->hostile)
        ret->trouble = xasprintf("op:v1: not found%s", m->hostile ? m->hostile : "");
}

static void m_read_target(const struct model *m, struct obs_target *ret) {
    if (m->direct) {
        m_fill_target(m, ret);
        return;
    }
    cleanup_free char *t = m_template(m->version, false), *a = json_print(m->annotations);
    cleanup_free char *raw = xasprintf(
        "{\"metadata\":{\"name\":\"op\",\"namespace\":\"ns\",\"uid\":\"d-%d\",\"resourceVersion\":\"%d\","
        "\"generation\":%d,\"annotations\":%s%s},"
        "\"spec\":{\"replicas\":%d,\"revisionHistoryLimit\":%d,\"paused\":%s,\"progressDeadlineSeconds\":%"
        "lld,\"selector\":{"
        "\"matchLabels\":{\"app\":\"op\"}},\"template\":%s},"
        "\"status\":{\"observedGeneration\":%d,\"replicas\":%d,\"updatedReplicas\":%d,\"readyReplicas\":%d,"
        "\"availableReplicas\":%d}}",
        m->uid, m->rv, m->generation, a, m->deleting ? ",\"deletionTimestamp\":\"2026-11-23T18:16:33Z\"" : "",
        m->replicas, m->history, m->paused ? "true" : "false", (long long)m->deadline_s, t, m->observed,
        m->st_replicas, m->st_updated, m->st_ready, m->st_available);
    cleanup_json cJSON *obj = json_parse(slice_of(raw), NULL);
    struct err e = {0};
    if (obs_target_read(obj, slice_of(raw), ret, &e) < 0) fail_msg("%s", e.msg);
}

static void m_read_rs(const struct model *m, int i, struct obs_rs *ret) {
    const struct mrs *r = &m->rs[i];
    if (m->direct) {
        m_fill_rs(m, i, ret);
        return;
    }
    cleanup_free char *t = m_template(r->version, true);
    char rv[32];
    m_rs_rv(m, i, rv);
    cleanup_free char *labels =
        r->canary
            ? xasprintf("{\"app.kubernetes.io/managed-by\":\"handover\",\"handover.dev/target\":\"d-%d\","
                        "\"handover.dev/template\":\"%s\"}",
                        m->uid, m->hash[r->version])
            : xstrdup("{\"app\":\"op\"}");
    cleanup_free char *raw =
        xasprintf("{\"metadata\":{\"name\":\"%s\",\"namespace\":\"ns\",\"uid\":\"%s\",\"resourceVersion\":\"%"
                  "s\",\"creationTimestamp\":\"2026-11-23T%02d:%02d:%02dZ\","
                  "\"labels\":%s,\"annotations\":{%s%s%s%s},\"ownerReferences\":[{\"uid\":\"d-%d\","
                  "\"controller\":%s}]},\"spec\":{\"replicas\":%d,\"template\":%s},"
                  "\"status\":{\"replicas\":%d,\"readyReplicas\":%d,\"availableReplicas\":%d%s}}",
                  r->name, r->uid, rv, i % 24, 0, 0, labels,
                  r->quarantined[0] ? "\"handover.dev/quarantined\":\"" : "", r->quarantined,
                  r->quarantined[0] ? "\""
                  : r->detached     ? "\"handover.dev/detached\":\"true\""
                                    : "",
                  "", m->uid, r->canary ? "false" : "true", r->replicas, t, m_pods(m, i, false),
                  m_pods(m, i, true), m_pods(m, i, true),
                  m->no_quota && r->canary ? ",\"conditions\":[{\"type\":\"ReplicaFailure\",\"status\":"
                                             "\"True\",\"message\":\"exceeded quota\"}]"
                                           : "");
    cleanup_json cJSON *obj = json_parse(slice_of(raw), NULL);
    struct err e = {0};
    if (obs_rs_read(obj, slice_of(raw), ret, &e) < 0) fail_msg("%s in %s", e.msg, raw);
    memcpy(ret->made, r->made,
           sizeof ret->made); /* of the labels and overrides that the template here lacks */
    ret->created_ns = r->created;
}

static void m_read_pod(const struct model *m, int k, struct obs_pod *ret) {
    const struct mpod *p = &m->pod[k];
    const struct mrs *r = &m->rs[p->rs];
    enum behaviour b = m->behaviour[r->version];
    if (m->direct) {
        m_fill_pod(m, k, ret);
        return;
    }
    char waiting[200] = "\"running\":{}", last[160] = "", born[32], began[32], at[32];
    rfc3339_seconds(T0 + p->born * NS_PER_S, born);
    if (p->crashed) {
        rfc3339_seconds(T0 + p->began * NS_PER_S, began);
        rfc3339_seconds(T0 + p->crashed * NS_PER_S, at);
        snprintf(last, sizeof last,
                 ",\"lastState\":{\"terminated\":{\"exitCode\":1,\"reason\":\"Error\",\"startedAt\":\"%s\","
                 "\"finishedAt\":\"%s\"}}",
                 began, at);
    }
    if (b == CRASHES && p->restarts >= 2)
        snprintf(waiting, sizeof waiting,
                 "\"waiting\":{\"reason\":\"CrashLoopBackOff\",\"message\":\"back-off %ds\"}", m->tick);
    if (b == NO_IMAGE || b == NO_REGISTRY) {
        bool once = (m->tick - p->born) % 20 < 5;
        snprintf(waiting, sizeof waiting, "\"waiting\":{\"reason\":\"%s\",\"message\":\"%s\"}",
                 once ? "ErrImagePull" : "ImagePullBackOff",
                 !once           ? "Back-off pulling image op:v1"
                 : b == NO_IMAGE ? "rpc error: code = NotFound desc = failed to resolve op:v1: not found"
                                 : "dial tcp 10.0.0.9:443: connect: connection refused");
    }
    cleanup_free char *labels =
        r->canary && !r->detached
            ? xasprintf("{\"app\":\"op\",\"handover.dev/track\":\"canary\",\"handover.dev/template\":\"%s\"}",
                        m->hash[r->version])
            : xstrdup("{\"app\":\"op\"}");
    cleanup_free char *raw = xasprintf(
        "{\"metadata\":{\"name\":\"%s\",\"namespace\":\"ns\",\"uid\":\"%s\",\"labels\":%s,"
        "\"creationTimestamp\":\"%s\",\"ownerReferences\":[{\"uid\":\"%s\",\"controller\":true}]%s},"
        "\"spec\":{%s},\"status\":{\"podIP\":\"10.0.0.1\",\"conditions\":[{\"type\":\"Ready\",\"status\":\"%"
        "s\"}%s],"
        "\"containerStatuses\":[{\"name\":\"c\",\"restartCount\":%u,\"state\":{%s}%s}]}}",
        p->uid, p->uid, labels, born, r->uid,
        p->terminating ? ",\"deletionTimestamp\":\"2026-11-23T18:16:33Z\"" : "",
        b == UNSCHEDULABLE ? "" : "\"nodeName\":\"n\"", p->ready ? "True" : "False",
        b == UNSCHEDULABLE ? ",{\"type\":\"PodScheduled\",\"status\":\"False\",\"message\":\"no node fits\"}"
                           : "",
        p->restarts, waiting, last);
    cleanup_json cJSON *obj = json_parse(slice_of(raw), NULL);
    struct err e = {0};
    if (obs_pod_read(obj, ret, &e) < 0) fail_msg("%s", e.msg);
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
    for (int k = 0; k < MAX_PODS; k++) {
        if (c->pod[k].there) m_read_pod(c, k, &v->pods[v->npods++]);
    }
    v->o = (struct observed){.name = "op",
                             .known = true,
                             .rs = v->rs,
                             .nrs = v->nrs,
                             .pods = v->pods,
                             .npods = v->npods,
                             .release = m->release,
                             .force_release = m->force,
                             .quiet = m->quiet,
                             .canary_taken = m->edge.taken_tick && m->tick < m->edge.taken_tick + 30};
    m_take_state(m, c, v);
    memcpy(v->own, v->pods, sizeof v->pods);
    v->o.pods = v->own;
    v->o.npods = plan_own_pods(&v->o, v->own, v->npods);
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
    v->o.known = plan_needs(&v->o) != NEED_TARGET; /* as the edge: at rest nothing is looked at */
    return v;
}
