/* MutatingAdmissionPolicy handover-hold in the model's API server, and what the edge knows of it. */
#include "model.h"

struct m_write m_write_begin(const struct model *m) {
    return (struct m_write){.version = m->version,
                            .opted = m_annotation(m, "canary-percent") != NULL,
                            .held = m->paused && m_annotation(m, "held")};
}

/* As deploy/manifests/policy/hold/hold.yaml has it; template: its text has changed. */
void m_write_end(struct model *m, const struct m_write *was, bool template) {
    bool opted = was->opted || m_annotation(m, "canary-percent");
    if (!m->policy || !opted || !(template || m->version != was->version || was->held)) return;
    m->paused = true;
    m_annotate(m, "held", "true");
}

void m_install(struct model *m, bool there) {
    m->policies += there && !m->policy;
    m->policy = there;
}

/* Deleted and made again is another one; a process that begins knows nothing, one that is lagging what was. */
void m_learn_policy(struct model *m) {
    if (m->between && m->lag && rng_below(&m->rng, m->lag)) return;
    m->edge.policy = m->policy ? POLICY_HOLDS : POLICY_ABSENT;
    snprintf(m->edge.policy_id, sizeof m->edge.policy_id, "policy%d", m->policies);
}

void m_observe_policy(const struct model *m, struct m_view *v) {
    v->o.policy = m->older ? POLICY_UNKNOWN : m->edge.policy;
    v->o.policy_id = m->edge.policy == POLICY_HOLDS ? m->edge.policy_id : NULL;
}

/* The member is carried through by it as what it does not know. */
void m_take_policy(const struct model *m, struct state *s) {
    if (!m->older || !s->policy) return;
    if (!s->extra_facts) s->extra_facts = cJSON_CreateObject();
    cJSON_AddStringToObject(s->extra_facts, "policy", s->policy);
    free(s->policy);
    s->policy = NULL;
}

struct model *m_start_by_policy(int replicas) {
    struct model *m = m_new(1, replicas);
    m_install(m, true);
    m_until(m, PHASE_STABLE, 30);
    m_run(m, 3);
    m_play(m, "rests");
    m->events[0] = '\0';
    return m;
}
