/* See own_part.h. */
#include "act/own_part.h"

struct rollout_memory {
    char *key;
    struct target_rounds rounds;
};

void rollout_memory_free(struct rollout_memory *m) {
    if (!m) return;
    free(m->key);
    target_rounds_free(&m->rounds);
    free(m);
}

struct rollout_memory *rollout_remember(struct rollout *r) {
    for (struct target *t = r->targets; t; t = t->hh.next) {
        if (t->own != OWN_STABLE || !t->rounds.hash[0]) continue;
        struct rollout_memory *m = xcalloc(1, sizeof *m);
        m->key = xstrdup(t->key);
        target_rounds_move(&t->rounds, &m->rounds);
        return m;
    }
    return NULL;
}

void own_part_recall(struct rollout *r, struct target *t) {
    struct rollout_memory *m = r->opt.memory;
    if (!m || t->rounds.hash[0] || strcmp(m->key, t->key) != 0) return;
    target_rounds_move(&m->rounds, &t->rounds);
    rollout_memory_free(m);
    r->opt.memory = NULL;
}

/* Only a target in the namespace of this process can be its own. */
static bool may_be_own(const struct rollout *r, const struct target *t) {
    const char *ns = r->opt.pod_ns;
    return ns && r->opt.pod_name && strcmp(ns, t->ns) == 0;
}

bool own_part_excludes(const struct rollout *r, const struct target *t) {
    return r->part == ROLLOUT_OWN && !may_be_own(r, t);
}

enum obs_need own_part_needs(const struct rollout *r, const struct target *t, enum obs_need planned) {
    bool asks = may_be_own(r, t) && (r->part != ROLLOUT_ALL || !t->own_looked);
    return asks && planned < NEED_PODS ? NEED_PODS : planned;
}

static void look(const struct rollout *r, struct target *t, const struct observed *o) {
    if (t->own != OWN_NONE || !o->known) return;
    t->own_looked = t->own_looked || o->npods;
    for (size_t i = 0; i < o->npods; i++) {
        const struct obs_pod *p = &o->pods[i];
        if (strcmp(p->name, r->opt.pod_name) != 0 || strcmp(p->uid, r->opt.pod_uid) != 0) continue;
        t->own = p->track == TRACK_CANARY ? OWN_CANARY : OWN_STABLE;
    }
}

bool own_part_is_ours(const struct rollout *r, struct target *t, struct observed *o) {
    if (may_be_own(r, t)) look(r, t, o);
    o->own = t->own;
    o->own_name = t->own == OWN_NONE ? NULL : r->opt.pod_name;
    o->own_leads = r->part != ROLLOUT_OWN;
    o->trial_cut = r->trial_cut;
    o->trial_fault = t->own == OWN_NONE ? NULL : r->trial_fault;
    if (r->part == ROLLOUT_ALL) return true;
    if (may_be_own(r, t) && !o->known) return false;
    if (r->part == ROLLOUT_ALL_BUT_OWN) return t->own == OWN_NONE;
    return t->own == OWN_STABLE && plan_guards_own(o, r->opt.pod_name, r->guardian);
}
