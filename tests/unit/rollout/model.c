/* The model's cluster: a Deployment, its controllers and its kubelet, a tick at a time. */
#include "model.h"

int64_t m_now(const struct model *m) {
    return T0 + m->tick * NS_PER_S;
}

char *m_template(int version, bool rs) {
    return xasprintf(
        "{\"metadata\":{\"labels\":{\"app\":\"op\"%s}},\"spec\":{\"containers\":[{\"name\":"
        "\"c\",\"image\":\"op:v%d\",\"n\":9007199254740993,\"args\":[\"-l=a=b,handover.dev/track "
        "notin (canary,moving)\"]}]}}",
        rs ? ",\"pod-template-hash\":\"x\"" : "", version);
}

void m_annotate(struct model *m, const char *name, const char *value) {
    char key[128];
    snprintf(key, sizeof key, HANDOVER_PREFIX "%s", name);
    cJSON_DeleteItemFromObjectCaseSensitive(m->annotations, key);
    if (value) cJSON_AddStringToObject(m->annotations, key, value);
    m->rv++;
    m->generation++;
}

const char *m_annotation(const struct model *m, const char *name) {
    char key[128];
    snprintf(key, sizeof key, HANDOVER_PREFIX "%s", name);
    return json_str(m->annotations, key);
}

struct model *m_new(uint64_t seed, int replicas) {
    struct model *m = xcalloc(1, sizeof *m);
    m->rng = (struct rng){seed};
    m->exists = true;
    m->uid = m->rv = m->generation = 1;
    m->replicas = replicas;
    m->deadline_s = 600;
    m->history = 10;
    m->minor = 37;
    m->fail_at = -1;
    m->quiet = QUIET_NOW;
    m->annotations = cJSON_CreateObject();
    for (int v = 0; v < VERSIONS; v++) {
        cleanup_free char *t = m_template(v, false);
        assert_int_equal(template_hash(slice_of(t), m->hash[v], NULL), 0);
    }
    m_annotate(m, "canary-percent", "20");
    m_annotate(m, "soak", "20s");
    m_annotate(m, "max-error-rate", "10%");
    m_annotate(m, "deadline", "10m");
    return m;
}

void m_forget(struct model *m) {
    if (m->edge.held) state_free(&m->edge.s);
    signals_pods_free(&m->edge.signals);
    switchback_free(&m->edge.turns);
    dead_pods_free(&m->edge.dead);
    memset(&m->edge, 0, sizeof m->edge);
}

void m_up_to_date(struct model *m) {
    m_free(m->cache);
    m->cache = NULL;
}

void m_free(struct model *m) {
    if (!m) return;
    m_up_to_date(m);
    m_forget(m);
    cJSON_Delete(m->annotations);
    free(m->facts);
    free(m->state);
    free(m);
}

/* ---- the controllers ---- */
int m_add_rs(struct model *m, int version, bool canary, const char *name, int replicas) {
    for (int i = 0; i < MAX_RS; i++) {
        struct mrs *r = &m->rs[i];
        if (r->there) continue;
        *r = (struct mrs){.there = true,
                          .canary = canary,
                          .version = version,
                          .replicas = replicas,
                          .rv = 1,
                          .created = m_now(m)};
        m->serial++;
        if (name)
            snprintf(r->name, sizeof r->name, "%s", name);
        else
            snprintf(r->name, sizeof r->name, "op-%d-%d", version, m->serial);
        snprintf(r->uid, sizeof r->uid, "rs-%d", m->serial);
        return i;
    }
    fail_msg("too many ReplicaSets");
    return -1;
}

static bool m_available(const struct mpod *p) {
    return p->there && p->ready && !p->terminating && !p->ended;
}

int m_pods(const struct model *m, int rs, bool available) {
    int n = 0;
    for (int i = 0; i < MAX_PODS; i++)
        n += m->pod[i].there && !m->pod[i].terminating && !m->pod[i].ended && m->pod[i].rs == rs &&
             (!available || m_available(&m->pod[i]));
    return n;
}

static int m_new_rs(const struct model *m) {
    for (int i = 0; i < MAX_RS; i++) {
        if (m->rs[i].there && !m->rs[i].canary && m->rs[i].version == m->version) return i;
    }
    return -1;
}

void m_set(struct model *m, int rs, int replicas) {
    if (m->rs[rs].replicas == replicas) return;
    m->rs[rs].replicas = replicas < 0 ? 0 : replicas;
    m->rs[rs].rv++;
}

/* dc.scale() of a paused Deployment, as in Kubernetes' source. */
static void m_scale_paused(struct model *m) {
    int fresh = m_new_rs(m), active = 0, last = -1, newest = -1, total = 0;
    for (int i = 0; i < MAX_RS; i++) {
        if (!m->rs[i].there || m->rs[i].canary) continue;
        if (newest < 0 || m->rs[i].created > m->rs[newest].created) newest = i;
        if (m->rs[i].replicas > 0) {
            active++;
            last = i;
            total += m->rs[i].replicas;
        }
    }
    int pick = active == 1 ? last : active == 0 ? (fresh >= 0 ? fresh : newest) : -1;
    if (pick >= 0) {
        m_set(m, pick, m->replicas);
        return;
    }
    if (active < 2) return;
    bool saturated =
        fresh >= 0 && m->rs[fresh].replicas == m->replicas && m_pods(m, fresh, true) == m->replicas;
    int allowed = m->replicas ? m->replicas + 1 : 0, over = total - allowed;
    for (int i = 0; i < MAX_RS; i++) {
        struct mrs *r = &m->rs[i];
        if (!r->there || r->canary || !r->replicas) continue;
        if (saturated && i != fresh)
            m_set(m, i, 0);
        else if (!saturated && over > 0) { /* roughly in proportion */
            int cut = r->replicas < over ? r->replicas - 1 : over;
            if (m->replicas == 0) cut = r->replicas;
            m_set(m, i, r->replicas - cut);
            over -= cut;
        } else if (!saturated && over < 0 && i == last) {
            m_set(m, i, r->replicas - over);
            over = 0;
        }
    }
}

static void m_roll(struct model *m) {
    int fresh = m_new_rs(m), total = 0, available = 0, surge = 1;
    if (fresh < 0) fresh = m_add_rs(m, m->version, false, NULL, 0);
    for (int i = 0; i < MAX_RS; i++) {
        if (!m->rs[i].there || m->rs[i].canary) continue;
        total += m->rs[i].replicas;
        available += m_pods(m, i, true);
    }
    int old = total - m->rs[fresh].replicas;
    if (m->recreate) {
        bool pods = false;
        for (int i = 0; i < MAX_RS; i++) {
            if (!m->rs[i].there || m->rs[i].canary || i == fresh) continue;
            m_set(m, i, 0);
            for (int k = 0; k < MAX_PODS; k++) pods = pods || (m->pod[k].there && m->pod[k].rs == i);
        }
        if (!pods) m_set(m, fresh, m->replicas);
        return;
    }
    if (m->rs[fresh].replicas > m->replicas)
        m_set(m, fresh, m->replicas);
    else if (total < m->replicas + surge) {
        int room = m->replicas + surge - total, wish = m->replicas - m->rs[fresh].replicas;
        m_set(m, fresh, m->rs[fresh].replicas + (room < wish ? room : wish));
    }
    int spare = available - m->replicas;
    for (int i = 0; i < MAX_RS && old > 0; i++) {
        if (!m->rs[i].there || m->rs[i].canary || i == fresh || !m->rs[i].replicas) continue;
        int sick = m->rs[i].replicas - m_pods(m, i, true);
        int fresh_sick = m->rs[fresh].replicas - m_pods(m, fresh, true),
            clean = total - m->replicas - fresh_sick;
        int cut = sick < clean ? sick : clean;
        if (cut > 0) m_set(m, i, m->rs[i].replicas - cut);
        if (spare > 0 && m->rs[i].replicas > 0) {
            int n = spare < m->rs[i].replicas ? spare : m->rs[i].replicas;
            m_set(m, i, m->rs[i].replicas - n);
            spare -= n;
        }
    }
}

/* cleanupDeployment(): of the old ReplicaSets the oldest beyond the limit, if they are at zero. */
static void m_cleanup(struct model *m) {
    int old = 0, fresh = m_new_rs(m);
    for (int i = 0; i < MAX_RS; i++) old += m->rs[i].there && !m->rs[i].canary && i != fresh;
    bool looked[MAX_RS] = {false};
    for (; old > m->history; old--) {
        int oldest = -1;
        for (int i = 0; i < MAX_RS; i++) {
            const struct mrs *r = &m->rs[i];
            if (!r->there || r->canary || i == fresh || looked[i]) continue;
            if (oldest < 0 || r->created < m->rs[oldest].created) oldest = i;
        }
        looked[oldest] = true;
        if (!m->rs[oldest].replicas && !m_pods(m, oldest, false)) m->rs[oldest].there = false;
    }
}

void m_deployment_controller(struct model *m) {
    if (!m->exists) return;
    if (m->set) {
        m_stateful_controller(m);
        return;
    }
    if (m->paused) {
        m_scale_paused(m);
        m_cleanup(m);
    } else {
        m_roll(m);
    }
    int fresh = m_new_rs(m), replicas = 0, available = 0;
    for (int i = 0; i < MAX_RS; i++) {
        if (!m->rs[i].there || m->rs[i].canary) continue;
        replicas += m_pods(m, i, false);
        available += m_pods(m, i, true);
    }
    int updated = fresh >= 0 ? m_pods(m, fresh, false) : 0;
    bool same = m->observed == m->generation && m->st_updated == updated && m->st_replicas == replicas &&
                m->st_available == available;
    m->observed = m->generation;
    m->st_updated = updated;
    m->st_replicas = replicas;
    m->st_available = m->st_ready = available;
    if (!same) m->rv++;
}

/* As the API server answers; the name is that of the pod that would have been. */
static bool m_admits(struct model *m, struct mrs *r) {
    int pods = 0;
    for (int k = 0; k < MAX_PODS; k++) pods += m->pod[k].there && !m->pod[k].ended;
    bool full = m->quota && pods >= m->quota, refused = m->no_pods && (r->canary || m->none_at_all);
    if (full && !r->failure[0])
        snprintf(r->failure, sizeof r->failure,
                 "pods %s-%c%dx is forbidden: exceeded quota: q, requested: pods=1, used: pods=%d, limited: "
                 "pods=%d",
                 r->name, 'a' + m->tick % 26, m->tick % 10, pods, m->quota);
    else if (refused && !full && !r->failure[0])
        snprintf(r->failure, sizeof r->failure, "pods %s-%c%dx is forbidden: %s", r->name, 'a' + m->tick % 26,
                 m->tick % 10, m->no_pods);
    if (!full && !refused) r->failure[0] = '\0';
    return !full && !refused;
}

static void m_rs_controller(struct model *m) {
    for (int i = 0; i < MAX_RS; i++) {
        if (m->set && !m->rs[i].canary && m->rs[i].there) continue; /* its pods are the set's */
        int have = m_pods(m, i, false), want = m->rs[i].there ? m->rs[i].replicas : 0;
        if (have >= want) m->rs[i].failure[0] = '\0';
        for (int k = 0; k < MAX_PODS && have < want && m->rs[i].there; k++) {
            if (m->pod[k].there) continue;
            if (!m_admits(m, &m->rs[i])) break;
            m->pod[k] = (struct mpod){.there = true, .rs = i, .born = m->tick};
            snprintf(m->pod[k].uid, sizeof m->pod[k].uid, "pod-%d", ++m->serial);
            have++;
        }
        for (int pass = 0; pass < 2; pass++) { /* those that are not ready go first */
            for (int k = 0; k < MAX_PODS && have > want; k++) {
                struct mpod *p = &m->pod[k];
                if (!p->there || p->terminating || p->ended || p->rs != i || (pass == 0 && p->ready))
                    continue;
                p->terminating = true;
                p->left = m->grace ? m->grace : 2;
                have--;
            }
        }
    }
}

static void m_kubelet(struct model *m) {
    for (int k = 0; k < MAX_PODS; k++) {
        struct mpod *p = &m->pod[k];
        if (!p->there) continue;
        if (p->terminating) {
            if (p->left-- <= 0) {
                m_pod_died(m, k);
                p->there = false;
            }
            continue;
        }
        if (p->ended) {
            p->there = m->rs[p->rs].there;
            continue;
        }
        enum behaviour b = m_behaviour(m, p->rs);
        int age = m->tick - p->born;
        if (b == EVICTED && age > 12) p->ended = m->tick;
        if (p->ended) continue;
        if (b == CRASHES && age >= 2) p->restarts = age / 3 > 5 ? 5 : (uint32_t)(age / 3);
        bool starts = b != NO_IMAGE && b != NO_REGISTRY && b != UNSCHEDULABLE && b != GATED &&
                      b != NO_CONFIG && b != NO_VOLUME;
        if (age >= 1 && starts && !p->started) p->started = m->tick;
        p->ready = age >= 2 && p->started && b != CRASHES && b != NEVER_READY && b != NODE_LOST &&
                   (b != EVICTED || age > 8);
        if (!p->ready || b == STANDBY || b == IDLE || (b == HANGS && p->total >= 15)) continue;
        if (m->elects && !m->rs[p->rs].rehearsed && !m_leads(m, k))
            continue; /* a rehearsal leads by itself */
        p->total += 5;
        if (b == FAILS || m->outage) p->errors += 5;
    }
}

void m_tick(struct model *m) {
    m->tick++;
    m_deployment_controller(m);
    m_rs_controller(m);
    m_kubelet(m);
    m_elect(m);
    m_check_objects(m);
    m->zero += m->elects && m->exists && m->replicas == 0;
    m_deployment_controller(m);
}

void m_collect(struct model *m) {
    for (int k = 0; k < MAX_PODS; k++) m->pod[k].there = m->pod[k].there && m->rs[m->pod[k].rs].there;
}
