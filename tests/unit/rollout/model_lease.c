/* The model's pods elect a leader. */
#include "model.h"

static void name_of(const struct model *m, int k, char ret[128]) {
    snprintf(ret, 128, "%s-%s", m->rs[m->pod[k].rs].name, m->pod[k].uid + 4);
}

static bool alive(const struct model *m, const struct mpod *p) {
    return p->there && p->ready && (!p->terminating || m->grace) && !p->ended;
}

bool m_leads(const struct model *m, int k) {
    char name[128];
    name_of(m, k, name);
    size_t n = strlen(name);
    return alive(m, &m->pod[k]) && !strncmp(m->lease.holder, name, n) && m->lease.holder[n] == '_';
}

int m_leader(const struct model *m, bool *ret_canary) {
    for (int k = 0; k < MAX_PODS; k++) {
        if (!m_leads(m, k)) continue;
        if (ret_canary) *ret_canary = m->rs[m->pod[k].rs].canary;
        return m->rs[m->pod[k].rs].version;
    }
    return -1;
}

enum { NAMED_TICKS = 5 };

void m_yield(struct model *m, const struct plan *p) {
    if (!p->yield.pod[0] || m->own_stays) return;
    m->lease.holder[0] = '\0';
    m->named = m->tick;
}

/* Each candidate polls every other tick, in an order of its own. */
static void contest(struct model *m) {
    int from = (int)rng_below(&m->rng, MAX_PODS);
    for (int i = 0; i < MAX_PODS; i++) {
        int k = (from + i) % MAX_PODS;
        char name[128];
        bool contests = alive(m, &m->pod[k]) && !m->rs[m->pod[k].rs].rehearsed &&
                        m->behaviour[m->rs[m->pod[k].rs].version] != NEVER_LEADS;
        if (m->own) { /* stable leaves it to the canary for a while */
            bool canary = m->rs[m->pod[k].rs].canary;
            contests = contests && (canary ? m->named > 0 : m->tick - m->named >= NAMED_TICKS);
        }
        if (!contests || (m->tick + k) % 2) continue;
        m->named = 0;
        name_of(m, k, name);
        snprintf(m->lease.holder, sizeof m->lease.holder, "%.100s_%d", name, m->tick);
        m->lease.acquired = m->lease.renewed = m->tick;
        m->lease.rv++;
        return;
    }
}

void m_elect(struct model *m) {
    if (!m->elects) return;
    int leader = m_leader(m, NULL);
    if (leader >= 0) {
        m->lease.renewed = m->tick;
        m->lease.rv++;
        m->lease.leaders[leader]++;
        return;
    }
    m->lease.leaderless += m->lease.acquired > 0;
    if (!m->lease.holder[0] || m->tick - m->lease.renewed >= 15 * M_LEASE_TICKS) contest(m);
}

void m_read_lease(const struct model *m, struct obs_lease *ret) {
    static char ns[] = "ns", name[] = "lock", rv[16];
    snprintf(rv, sizeof rv, "%d", m->lease.rv);
    *ret = (struct obs_lease){.ns = ns,
                              .name = name,
                              .rv = rv,
                              .holder = (char *)(uintptr_t)m->lease.holder,
                              .acquired_ns = m->lease.acquired ? T0 + m->lease.acquired * NS_PER_S : 0,
                              .duration_ns = M_LEASE_TICKS * NS_PER_S};
}

bool m_read_own_lease(const struct model *m, struct obs_lease *ret) {
    static char ns[] = "ns", name[] = "another", rv[] = "1", holder[128];
    for (int k = 0; m->own_lease && k < MAX_PODS; k++) {
        if (!alive(m, &m->pod[k]) || !m_is_canary(&m->rs[m->pod[k].rs])) continue;
        name_of(m, k, holder);
        *ret = (struct obs_lease){.ns = ns,
                                  .name = name,
                                  .rv = rv,
                                  .holder = holder,
                                  .acquired_ns = m_now(m),
                                  .duration_ns = M_LEASE_TICKS * NS_PER_S};
        return true;
    }
    return false;
}

void m_lead(struct model *m, bool canary) {
    char name[128];
    for (int k = 0; k < MAX_PODS; k++) {
        if (!alive(m, &m->pod[k]) || m->rs[m->pod[k].rs].canary != canary || m->rs[m->pod[k].rs].rehearsed)
            continue;
        name_of(m, k, name);
        snprintf(m->lease.holder, sizeof m->lease.holder, "%.100s_%d", name, m->tick);
        m->lease.acquired = m->lease.renewed = m->tick;
        m->lease.rv++;
        return;
    }
    fail_msg("there is no such pod");
}

/* Only what a dead process holds is released. */
int m_patch_lease(struct model *m, const cJSON *body) {
    char rv[16];
    snprintf(rv, sizeof rv, "%d", m->lease.rv);
    if (strcmp(json_str_or(json_get(body, "metadata"), "resourceVersion", ""), rv)) return CONFLICT;
    if (m_leader(m, NULL) >= 0) fail_msg("the Lease of a leader that lives was released");
    assert_string_equal(json_str_or(json_get(body, "spec"), "holderIdentity", "x"), "");
    m->lease.holder[0] = '\0';
    m->lease.rv++;
    return OK;
}

void m_pod_died(struct model *m, int k) {
    char name[128];
    struct obs_pod p = {.rs_uid = m->rs[m->pod[k].rs].uid,
                        .rs_name = m->rs[m->pod[k].rs].name,
                        .died_ns = m_now(m),
                        .over = true};
    static char ns[] = "ns";
    name_of(m, k, name);
    p.ns = ns;
    p.name = name;
    if (m->elects) dead_pods_add(&m->edge.dead, &p);
}

static struct model *electing(int replicas, bool soaking, bool own) {
    struct model *m = m_new(3, replicas);
    m->elects = true;
    m->own = own;
    m_annotate(m, "soak", "50s");
    m_annotate(m, "deadline", "15m");
    m_begin(m);
    m_run(m, 40); /* until it has led for a while */
    if (!soaking) return m;
    m_image(m, 1);
    m_until(m, PHASE_SOAKING, 40);
    return m;
}

struct model *m_electing(int replicas, bool soaking) {
    return electing(replicas, soaking, false);
}

struct model *m_own(int replicas, bool soaking) {
    return electing(replicas, soaking, true);
}

void m_until_step(struct model *m, enum trial_step want, int ticks) {
    while (m_s(m)->trial.step != want) {
        if (!ticks--) fail_msg("not %s: %s", state_trial_name(want), m->state);
        m_run(m, 1);
    }
}
