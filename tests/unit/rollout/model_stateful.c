/* The model's StatefulSet: its controller, without the order of its pods, and how it is seen. Its revisions are entries of rs[] that are
 * not canaries. */
#include "model.h"

static int m_revision(struct model *m, int version) {
    for (int i = 0; i < MAX_RS; i++)
        if (m->rs[i].there && !m->rs[i].canary && m->rs[i].version == version) return i;
    char name[16];
    snprintf(name, sizeof name, "op-r%d", version);
    int i = m_add_rs(m, version, false, name, 0);
    snprintf(m->rs[i].uid, sizeof m->rs[i].uid, "%s", name);
    return i;
}

static bool m_of_set(const struct model *m, int k) {
    return m->pod[k].there && !m->rs[m->pod[k].rs].canary;
}

static void m_end_pod(struct model *m, int k) {
    m->pod[k].terminating = true;
    m->pod[k].left = m->grace ? m->grace : 2;
}

/* So many pods may be of the update revision: those whose ordinal is not below the partition. */
static int m_above(const struct model *m) {
    return m->partition >= m->replicas ? 0 : m->replicas - m->partition;
}

void m_stateful_controller(struct model *m) {
    if (!m->exists) return;
    int update = m_revision(m, m->version), now = m_revision(m, m->current), have = 0, ready = 0, updated = 0,
        live = 0;
    for (int k = 0; k < MAX_PODS; k++) {
        if (!m_of_set(m, k)) continue;
        have++;
        live += !m->pod[k].terminating;
        ready += m->pod[k].ready && !m->pod[k].terminating;
        updated += m->pod[k].rs == update && !m->pod[k].terminating;
    }
    for (int k = 0; k < MAX_PODS && have < m->replicas; k++) { /* one that terminates has its ordinal still */
        if (m->pod[k].there) continue;
        bool fresh = updated < m_above(m);
        m->pod[k] = (struct mpod){.there = true, .rs = fresh ? update : now, .born = m->tick};
        snprintf(m->pod[k].uid, sizeof m->pod[k].uid, "pod-%d", ++m->serial);
        updated += fresh || update == now;
        have++, live++;
    }
    for (int k = 0; k < MAX_PODS && live > m->replicas; k++) {
        if (!m_of_set(m, k) || m->pod[k].terminating) continue;
        m_end_pod(m, k);
        live--;
    }
    bool whole = live == m->replicas && have == live && ready == live;
    bool stuck = false; /* an updated pod that is not healthy is waited for */
    for (int k = 0; k < MAX_PODS; k++)
        stuck = stuck || (m_of_set(m, k) && m->pod[k].rs == update && !m->pod[k].ready);
    for (int k = 0; k < MAX_PODS && have == live && !stuck && updated < m_above(m); k++) {
        if (!m_of_set(m, k) || m->pod[k].terminating || m->pod[k].rs == update) continue;
        m_end_pod(m, k);
        break;
    }
    if (whole && updated == m->replicas) m->current = m->version;
    bool same = m->observed == m->generation && m->told == m->version && m->st_updated == updated &&
                m->st_replicas == have && m->st_available == ready;
    m->observed = m->generation;
    m->st_updated = updated;
    m->st_replicas = have;
    m->st_available = m->st_ready = ready;
    m->told = m->version;
    if (!same) m->rv++;
}

int m_patch_partition(struct model *m, const cJSON *strategy) {
    const cJSON *rolling = json_get(strategy, "rollingUpdate");
    assert_string_equal(json_str_or(strategy, "type", ""), "RollingUpdate");
    int64_t partition = json_i64(rolling, "partition", -1);
    assert_true(partition >= 0);
    m->partition = (int)partition;
    m->paused = partition == HELD_PARTITION;
    return OK;
}

int m_delete_pod(struct model *m, const char *name, const cJSON *body) {
    for (int k = 0; k < MAX_PODS; k++) {
        if (!m->pod[k].there || strcmp(m->pod[k].uid, name) != 0) continue;
        assert_string_equal(json_str_or(json_get(body, "preconditions"), "uid", ""), m->pod[k].uid);
        if (!m_of_set(m, k)) fail_msg("a canary's pod was deleted");
        /* What it is made again from is stable's: else nothing is gained. */
        bool held = m->partition == HELD_PARTITION && m->rs[m->pod[k].rs].version != m->current;
        if (!held && !m->moved)
            fail_msg("a pod of version %d was deleted, and %d is current", m->rs[m->pod[k].rs].version,
                     m->current);
        if (!m->pod[k].terminating) m_end_pod(m, k);
        return OK;
    }
    return GONE;
}

/* The present stands for ControllerRevisions that are read. */
void m_look_at_revisions(const struct model *c, struct m_view *v) {
    const struct state *s = v->o.state;
    struct obs_target *t = &v->target;
    if (obs_revision_unknown(t, s ? s->stable_name : NULL))
        memcpy(t->current_hash, c->hash[c->current], sizeof t->current_hash);
    for (; v->nrevisions; v->nrevisions--) obs_rs_free(&v->rs[--v->nrs]);
    v->nrevisions = obs_revisions(t, s ? s->stable_name : NULL, s ? s->stable_hash : NULL, v->pods, v->npods,
                                  &v->rs[v->nrs]);
    v->nrs += v->nrevisions;
    v->o.nrs = v->nrs;
}

void m_tell_revisions(const struct model *m, struct obs_target *t) {
    t->kind = &workload_statefulset;
    free(t->id);
    t->id = xstrdup("statefulset/op");
    t->partition = m->partition;
    t->deadline_s = -1;
    t->history = 10;
    t->current = xasprintf("op-r%d", m->current);
    /* told by the controller when it has seen the spec */
    t->update = xasprintf("op-r%d", m->told);
}

void m_lower(struct model *m, int partition) { /* as another client */
    m->partition = partition;
    m->paused = partition == HELD_PARTITION;
    m->generation++;
    m->rv++;
}

struct model *m_new_set(uint64_t seed, int replicas) {
    struct model *m = m_new(seed, replicas);
    m->set = true;
    return m;
}

struct model *m_start_set(int replicas) {
    struct model *m = m_new_set(1, replicas);
    m_begin(m);
    return m;
}
