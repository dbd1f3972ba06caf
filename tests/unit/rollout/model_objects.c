/* The model's objects, and their labels: whose each is, at every moment. */
#include "model.h"

void m_add_object(struct model *m) {
    for (int i = 0; i < MAX_OBJECTS; i++) {
        if (m->object[i].there) continue;
        m->object[i] = (struct mobject){.there = true, .serial = ++m->serial, .rv = 1};
        return;
    }
}

struct model *m_by_objects(uint64_t seed, int objects) {
    struct model *m = m_new(seed, 2);
    m->by_objects = true;
    m_annotate(m, "mode", "objects");
    m_annotate(m, "objects", "widgets.v1.example.com");
    m_annotate(m, "quiet", "2s");
    for (int i = 0; i < objects; i++) m_add_object(m);
    return m;
}

struct model *m_by_objects_soaking(void) {
    struct model *m = m_by_objects(1, MAX_OBJECTS);
    m_begin(m);
    m_annotate(m, "soak", "60s");
    m_image(m, 1);
    m_until(m, PHASE_SOAKING, 30);
    return m;
}

int m_owned(const struct model *m, enum slice_owner owner) {
    int n = 0;
    for (int i = 0; i < MAX_OBJECTS; i++)
        n += m->object[i].there && m->object[i].owner == owner && m->object[i].uid == m->uid;
    return n;
}

static bool canary_pods(const struct model *m) {
    for (int k = 0; k < MAX_PODS; k++)
        if (m->pod[k].there && m_is_canary(&m->rs[m->pod[k].rs]) && !m->rs[m->pod[k].rs].detached)
            return true;
    return false;
}

static void read_object(const struct model *m, int i, struct slice_object *ret) {
    const struct mobject *o = &m->seen[i];
    char uid[32], target[32];
    snprintf(uid, sizeof uid, "object-%d", o->serial);
    snprintf(target, sizeof target, "d-%d", o->uid);
    *ret = (struct slice_object){.hash = slice_object_hash(uid),
                                 .target = o->owner == OWNER_STABLE ? 0 : slice_object_hash(target),
                                 .since_ns = T0 + m->edge.since[i] * NS_PER_S,
                                 .owner = o->owner,
                                 .never = o->never,
                                 .first = o->first,
                                 .deleting = o->deleting,
                                 .selected = true};
}

static void see(struct model *m, int i) {
    bool same = m->seen[i].serial == m->object[i].serial;
    m->seen[i] = m->object[i];
    if (m->seen[i].owner != OWNER_NONE)
        m->edge.since[i] = 0;
    else if (!m->edge.since[i] || !same)
        m->edge.since[i] = m->tick;
}

static size_t gather(const struct model *m, struct slice_object all[MAX_OBJECTS],
                     const struct slice_object *ret[MAX_OBJECTS]) {
    size_t n = 0;
    for (int i = 0; i < MAX_OBJECTS; i++) {
        if (!m->seen[i].there) continue;
        read_object(m, i, &all[i]);
        ret[n++] = &all[i];
    }
    return n;
}

static uint64_t target_of(const struct state *s) {
    return slice_object_hash(s->target_uid);
}

bool m_see_objects(struct model *m, const struct state *s, struct slice_seen *ret) {
    struct slice_object all[MAX_OBJECTS];
    const struct slice_object *list[MAX_OBJECTS];
    if (!s || !s->slice.resource) return false;
    bool behind = m->lag && rng_below(&m->rng, m->lag);
    for (int i = 0; i < MAX_OBJECTS; i++) {
        if (!behind || m->seen[i].serial == 0) see(m, i);
        if (m->seen[i].owner == OWNER_NONE && !m->edge.since[i])
            m->edge.since[i] = m->tick; /* another process */
    }
    *ret = (struct slice_seen){.known = true, .verified = m->edge.verified, .boot_ns = m_now(m)};
    object_slice_sum(list, gather(m, all, list), target_of(s), s->percent, &ret->sum);
    for (int k = 0; k < MAX_PODS; k++) {
        const struct mpod *p = &m->pod[k];
        if (!p->there || !m_is_canary(&m->rs[p->rs]) || m->rs[p->rs].detached) continue;
        ret->pods++;
        ret->pod = p->uid;
    }
    return true;
}

/* The server's side of one write. */
static void change(struct model *m, int i, enum slice_owner to) {
    struct mobject *o = &m->object[i];
    const struct mobject *seen = &m->seen[i];
    if (!o->there || o->serial != seen->serial || o->rv != seen->rv) return; /* 404, 409 */
    if (!m->state || !strstr(m->state, "\"slice\":"))
        fail_msg("labelled before it is written down: %s", m->state ? m->state : "");
    if (o->owner == OWNER_STABLE && to == OWNER_CANARY)
        fail_msg("object %d passes from stable to the canary in one step", i);
    if (o->owner == OWNER_NONE && to == OWNER_CANARY && m->tick <= o->moved)
        fail_msg("object %d passes to the canary before stable can have seen that it lost it", i);
    if (o->owner == OWNER_CANARY && to == OWNER_STABLE && canary_pods(m) && !m->moved)
        fail_msg("object %d is given back, and the canary runs: %s", i, m->state);
    if (o->owner == OWNER_CANARY && to == OWNER_NONE) fail_msg("object %d is taken from the canary", i);
    if ((o->never || o->deleting) && to == OWNER_NONE) fail_msg("object %d is taken, and may not be", i);
    o->owner = to;
    o->uid = m->uid;
    o->rv++;
    o->moved = m->tick;
    m->labels++;
}

/* As a step of a plan: the process may die before it or after it, and its answer may be lost. */
static bool label_one(struct model *m, int i, enum slice_owner to) {
    bool before = m->fail_at == 2 * m->steps, after = m->fail_at == 2 * m->steps + 1;
    m->steps++;
    if (before || after) {
        if (after) change(m, i, to);
        m->crashes++;
        m_forget(m);
        return false;
    }
    if (m->refuses && m->refused_kind == STEP_OBJECTS) {
        m->edge.refused = (struct refusal){STEP_OBJECTS, m->refuses};
        m->edge.refused_times++;
        return false;
    }
    if (m->edge.refused.kind == STEP_OBJECTS) m->edge.refused_times = 0;
    if (m->between && !m->between(m, false)) return false;
    change(m, i, to);
    if (m->between && !m->between(m, true)) return false;
    see(m, i);
    return true;
}

bool m_label(struct model *m, const struct plan *p) {
    enum { AT_ONCE = 12 };
    struct slice_object all[MAX_OBJECTS];
    const struct slice_object *list[MAX_OBJECTS];
    struct slice_sum sum;
    if (p->order == ORDER_NONE || !p->next) return false;
    if (p->order == ORDER_VERIFY) {
        m->edge.verified = m_owned(m, OWNER_NONE) + m_owned(m, OWNER_CANARY) == 0;
        return m->edge.verified;
    }
    m->edge.verified = false;
    uint64_t target = target_of(p->next);
    object_slice_sum(list, gather(m, all, list), target, p->next->percent, &sum);
    int before = m->labels;
    for (int i = 0, n = 0; i < MAX_OBJECTS && n < AT_ONCE; i++) {
        enum slice_owner to;
        if (!m->seen[i].there || !object_slice_next(&all[i], &sum, target, p->order, m_now(m), &to)) continue;
        n++;
        if (!label_one(m, i, to)) break;
    }
    return m->labels > before;
}

/* Of a canary that is not there nobody's objects are left for long; and what is labelled is written down. */
void m_check_objects(struct model *m) {
    m->ownerless += m_owned(m, OWNER_NONE);
    if (!m->by_objects || m_owned(m, OWNER_CANARY) + m_owned(m, OWNER_NONE) == 0) return;
    if (m->state && !strstr(m->state, "\"slice\":") && !m->moved)
        fail_msg("objects are labelled, and nobody knows: %s", m->state);
}
