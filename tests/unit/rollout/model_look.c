/* The model's objects as the API server would tell them, and back through the readers of rollout_core. */
#include "model.h"

/* What another wrote, when it is to be strange. */
static void m_hostile(const struct model *m, char **text) {
    if (!m->hostile) return;
    free(*text);
    *text = xstrdup(m->hostile);
}

/* Why a pod of the Deployment's own was refused, which its conditions say while it rolls out; NULL: none was. */
static const char *own_failure(const struct model *m) {
    for (int i = 0; i < MAX_RS && !m->paused; i++)
        if (m->rs[i].there && !m->rs[i].canary && m->rs[i].failure[0]) return m->rs[i].failure;
    return NULL;
}

static char *conditions(const char *failure) {
    return failure ? xasprintf(",\"conditions\":[{\"type\":\"ReplicaFailure\",\"status\":\"True\",\"reason\":"
                               "\"FailedCreate\",\"message\":\"%s\"}]",
                               failure)
                   : xstrdup("");
}

/* ---- objects as the readers give them ---- */
static void m_fill_target(const struct model *m, struct obs_target *ret) {
    *ret = (struct obs_target){.kind = &workload_deployment,
                               .ns = xstrdup("ns"),
                               .name = xstrdup("op"),
                               .id = xstrdup("op"),
                               .uid = xasprintf("d-%d", m->uid),
                               .rv = xasprintf("%d", m->rv),
                               .deleting = m->deleting,
                               .created_ns = m->created,
                               .generation = m->generation,
                               .observed_generation = m->observed,
                               .replicas = m->replicas,
                               .paused = m->paused,
                               .held = m_annotation(m, "held") != NULL,
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
                               .failure = xstrdup_null(own_failure(m)),
                               .annotations = cJSON_Duplicate(m->annotations, true)};
    memcpy(ret->hash, m->hash[m->version], sizeof ret->hash);
    if (m->set) m_tell_revisions(m, ret);
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
                           .canary = m_is_canary(r),
                           .rehearsed = r->rehearsed,
                           .detached = r->detached,
                           .observed = true,
                           .selects = !m->unselective,
                           .created_ns = r->created,
                           .replicas = r->replicas,
                           .st_replicas = m_pods(m, i, false),
                           .st_ready = m_pods(m, i, true),
                           .st_available = m_pods(m, i, true),
                           .quarantined = r->quarantined[0] ? xstrdup(r->quarantined) : NULL,
                           .failure = r->failure[0] ? xstrdup(r->failure) : NULL};
    if (ret->quarantined) m_hostile(m, &ret->quarantined);
    memcpy(ret->hash, m->hash[r->rehearsed ? r->of : r->version], sizeof ret->hash);
    memcpy(ret->made, r->made, sizeof ret->made);
}

/* ---- and as text, back through the readers of rollout_core, unless the model is direct ---- */
static void m_read_target(const struct model *m, struct obs_target *ret) {
    m_fill_target(m, ret);
    if (m->direct) return;
    __attribute__((cleanup(obs_target_free))) struct obs_target t = *ret;
    cleanup_free char *a = json_print(t.annotations), *conds = conditions(t.failure), *created = NULL;
    cleanup_free char
        *hold =
            obs_is_set(&t)
                ? xasprintf(
                      "\"updateStrategy\":{\"type\":\"RollingUpdate\",\"rollingUpdate\":{\"partition\":%d}}",
                      t.partition)
                : xasprintf("\"paused\":%s,\"progressDeadlineSeconds\":%lld", t.paused ? "true" : "false",
                            (long long)t.deadline_s),
        *revisions = obs_is_set(&t) ? xasprintf(",\"currentRevision\":\"%s\",\"updateRevision\":\"%s\"",
                                                t.current, t.update)
                                    : NULL;
    char at[32];
    if (t.created_ns) {
        rfc3339_seconds(t.created_ns, at);
        created = xasprintf(",\"creationTimestamp\":\"%s\"", at);
    }
    cleanup_free char *raw = xasprintf(
        "{\"metadata\":{\"name\":\"%s\",\"namespace\":\"%s\",\"uid\":\"%s\",\"resourceVersion\":\"%s\","
        "\"generation\":%lld,\"annotations\":%s%s%s},\"spec\":{\"replicas\":%d,\"revisionHistoryLimit\":%d,"
        "%s,\"selector\":%s,\"template\":%s},"
        "\"status\":{\"observedGeneration\":%lld,\"replicas\":%d,\"updatedReplicas\":%d,\"readyReplicas\":%d,"
        "\"availableReplicas\":%d%s%s}}",
        t.name, t.ns, t.uid, t.rv, (long long)t.generation, a, created ? created : "",
        t.deleting ? ",\"deletionTimestamp\":\"2026-11-23T18:16:33Z\"" : "", t.replicas, t.history, hold,
        t.selector, t.tmpl, (long long)t.observed_generation, t.st_replicas, t.st_updated, t.st_ready,
        t.st_available, conds, revisions ? revisions : "");
    cleanup_json cJSON *obj = json_parse(slice_of(raw), NULL);
    struct err e = {0};
    if (obs_target_read(t.kind, obj, slice_of(raw), ret, &e) < 0) fail_msg("%s", e.msg);
}

static void m_read_rs(const struct model *m, int i, struct obs_rs *ret) {
    m_fill_rs(m, i, ret);
    if (m->direct) return;
    __attribute__((cleanup(obs_rs_free))) struct obs_rs r = *ret;
    cleanup_free char *t = m_template(m->rs[i].version, true), *mark = NULL, *labels = NULL,
                      *conds = conditions(r.failure);
    if (r.canary)
        labels = xasprintf("\"app.kubernetes.io/managed-by\":\"handover\",\"handover.dev/target\":\"%s\","
                           "\"handover.dev/template\":\"%s\"",
                           r.owner_uid, r.hash);
    if (r.rehearsed)
        labels = xasprintf("\"app.kubernetes.io/managed-by\":\"handover\",\"handover.dev/target\":\"%s\","
                           "\"handover.dev/rehearsal\":\"%s%s\"",
                           r.owner_uid, r.hash, r.rehearsed == REHEARSED_CONTROL ? "-control" : "");
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
        r.owner_uid, r.canary || r.rehearsed ? "false" : "true", r.replicas, t, r.st_replicas, r.st_ready,
        r.st_available, conds);
    cleanup_json cJSON *obj = json_parse(slice_of(raw), NULL);
    struct err e = {0};
    if (obs_rs_read(obj, slice_of(raw), ret, &e) < 0) fail_msg("%s in %s", e.msg, raw);
    memcpy(ret->made, r.made,
           sizeof ret->made); /* of the labels and overrides that the template here lacks */
    ret->created_ns = r.created_ns;
    ret->selects = r.selects;
}

void m_view_free(struct m_view *v) {
    obs_target_free(&v->target);
    for (size_t i = 0; i < v->nrs; i++) obs_rs_free(&v->rs[i]);
    for (size_t i = 0; i < v->npods; i++) obs_pod_free(&v->pods[i]);
    for (size_t i = 0; i < v->nrehearsals; i++) obs_rs_free(&v->rehearsals[i]);
    for (size_t i = 0; i < v->nrehearsal_pods; i++) obs_pod_free(&v->rehearsal_pods[i]);
    free(v->stable_tmpl);
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
    c->set = m->set, c->partition = m->partition, c->current = m->current, c->told = m->told;
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
        m_take_policy(edge, &edge->edge.s);
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
        memcpy(c->staged, m->staged, sizeof c->staged);
        memcpy(c->stage, m->stage, sizeof c->stage);
        c->unselective = m->unselective, c->tick = m->tick, c->direct = m->direct, c->no_pods = m->no_pods;
    }
    for (int i = 0; i < MAX_RS; i++) {
        if (c->rs[i].there && c->rs[i].rehearsed)
            m_read_rs(c, i, &v->rehearsals[v->nrehearsals++]);
        else if (c->rs[i].there && (!c->set || c->rs[i].canary))
            m_read_rs(c, i, &v->rs[v->nrs++]);
    }
    v->o = (struct observed){.name = m->set ? "statefulset/op" : "op",
                             .known = true,
                             .own = m->own ? OWN_STABLE : OWN_NONE,
                             .own_name = m->own ? "op" : NULL,
                             .trial_fault = m->own ? m->fault : NULL,
                             .own_leads = m->own,
                             .rs = v->rs,
                             .nrs = v->nrs,
                             .release = m->release,
                             .force_release = m->force,
                             .quiet = {m->quiet, m->quiet},
                             .refused = m->edge.refused_times >= 2 ? &m->edge.refused : NULL,
                             .canary_taken = m->edge.taken_tick && m->tick < m->edge.taken_tick + 30};
    m_observe_policy(m, v);
    m_take_state(m, c, v);
    if (c->exists) {
        m_read_target(c, &v->target);
        v->o.target = &v->target;
        v->target.held = v->target.held && !m->older; /* it does not know the mark either */
        v->opted = obs_opted_in(v->target.annotations);
        if (v->opted) {
            spec_parse(v->target.annotations, &v->spec, &v->spec_err);
            v->o.spec = &v->spec;
            v->o.spec_err = &v->spec_err;
        }
    }
    if (c->exists && c->set) m_look_at_revisions(c, v);
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
        if (c->pod[k].there && c->rs[c->pod[k].rs].rehearsed)
            m_read_pod(c, k, &v->rehearsal_pods[v->nrehearsal_pods++]);
        else if (c->pod[k].there)
            m_read_pod(c, k, &v->pods[v->npods++]);
    m_observe_rehearsal(m, v);
    if (c->exists && c->set) m_look_at_revisions(c, v);
    v->o.dead = &m->edge.dead;
    v->o.slice = m_see_objects(m, v->o.state, &v->slice) ? &v->slice : NULL;
    if (m->elects && !m->no_lease && plan_needs(&v->o) == NEED_LEASES) {
        m_read_lease(m, &v->lease[0]);
        v->o.leases = v->lease;
        v->o.nleases = 1 + m_read_own_lease(m, &v->lease[1]);
    }
    memcpy(v->own, v->pods, v->npods * sizeof *v->pods);
    v->o.pods = v->own;
    v->o.npods = plan_own_pods(&v->o, v->own, v->npods);
    return v;
}
