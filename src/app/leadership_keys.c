/* The keys of a leadership: gathered for the checkpoint while leading, restored from the predecessor's. */
#include "leadership_impl.h"
#include <stdio.h>

_Static_assert((int)KEY_INFLIGHT == (int)CHECKPOINT_INFLIGHT && (int)KEY_DELAYED == (int)CHECKPOINT_DELAYED &&
                   (int)KEY_DEAD == (int)CHECKPOINT_DEAD,
               "a controller's kinds of keys are a checkpoint's");

struct restore {
    struct leadership *l;
    bool late;
    size_t n, foreign; /* foreign: of controllers that this version does not have */
    char first[64];    /* the first of those controllers */
};

static struct controller *named(const struct leadership *l, struct slice name) {
    for (size_t i = 0; i < l->nmembers; i++)
        if (slice_eqs(name, l->members[i].name)) return l->members[i].controller;
    return NULL;
}

static void restore_key(void *ctx, const struct checkpoint_key *k) {
    struct restore *r = ctx;
    struct controller *c = named(r->l, k->controller);
    const char *kind = checkpoint_kind_name(k->kind);
    if (!c) {
        if (!r->foreign++) (void)snprintf(r->first, sizeof r->first, "%.*s", SLF(k->controller));
        return;
    }
    struct key_state state = {.key = k->key,
                              .kind = (enum key_kind)k->kind,
                              .prio = k->prio,
                              .at_wall_ns = k->at_wall_ns,
                              .failures = k->failures,
                              .reason = k->reason};
    controller_restore(c, &state);
    /* The key may have succeeded meanwhile: the next reconcile confirms the dead letter, or takes it away. */
    if (r->late && k->kind == CHECKPOINT_DEAD) controller_add(c, k->key, PRIO_LOW, 0);
    metric_inc(metric_with(r->l->restored_keys, &kind));
    r->n++;
}

size_t leadership_restore(struct leadership *l, struct checkpoint_reader *work, bool late) {
    struct restore r = {.l = l, .late = late};
    if (work) checkpoint_each(work, restore_key, &r);
    if (r.foreign) {
        LOG_EVENT(kube_log(l->kube), LOG_WARN, "CheckpointControllerUnknown",
                  "the checkpoint has keys of a controller that this version does not have",
                  LF_STR("controller", r.first), LF_INT("keys", r.foreign));
    }
    return r.n;
}

struct gather {
    struct slice controller;
    struct checkpoint *to;
    double n[CHECKPOINT_KINDS];
};

static void gather_key(void *ctx, const struct key_state *k) {
    struct gather *g = ctx;
    struct checkpoint_key key = {.kind = (enum checkpoint_kind)k->kind,
                                 .controller = g->controller,
                                 .key = k->key,
                                 .prio = k->prio,
                                 .at_wall_ns = k->at_wall_ns,
                                 .failures = k->failures,
                                 .reason = k->reason};
    checkpoint_add(g->to, &key);
    g->n[key.kind]++;
}

void leadership_gather(void *ctx, bool final, struct checkpoint *to) {
    struct leadership *l = ctx;
    struct gather g = {.to = to};
    for (size_t i = 0; i < l->nmembers; i++) {
        const struct controller *c = l->members[i].controller;
        g.controller = slice_of(l->members[i].name);
        if (final)
            controller_snapshot(c, gather_key, &g);
        else /* a renewal, every two seconds: as much as it has room for, so that a long queue does not hold the loop */
            checkpoint_add_dropped(to, controller_snapshot_first(c, CHECKPOINT_INLINE_KEYS, gather_key, &g));
    }
    for (int i = 0; i < CHECKPOINT_KINDS; i++) {
        const char *kind = checkpoint_kind_name((enum checkpoint_kind)i);
        metric_set(metric_with(l->checkpoint_keys, &kind), g.n[i]);
    }
}

void leadership_keys_metrics(struct leadership *l) {
    struct metrics *m = kube_metrics(l->kube);
    l->checkpoint_keys = metrics_family(m, METRIC_GAUGE, "handover_checkpoint_keys",
                                        "Keys in the last checkpoint, by state", "state", NULL, 0);
    l->restored_keys = metrics_family(m, METRIC_COUNTER, "handover_restored_keys",
                                      "Keys taken over from a predecessor, by state", "state", NULL, 0);
}
