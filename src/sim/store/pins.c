/* The states that lists in pages go on from: all pages show one version, whatever happens between them, for as
 * long as etcd keeps its revisions. */
#include "store/core.h"

enum { PINS = 32 }; /* of all types; the one that was used longest ago goes first */
static const int64_t kept_ns = 300 * NS_PER_S; /* etcd is compacted every five minutes */

struct pin {
    struct list link; /* in sim.pins */
    struct due due;
    const struct resource_table *table;
    uint64_t rv;
    struct history_snapshot all;
};

static void drop(struct sim *s, struct pin *p) {
    sim_due_cancel(s, &p->due);
    list_remove(&p->link);
    s->npins--;
    history_snapshot_free(&p->all);
    free(p);
}

static void on_due(struct sim *s, struct due *d) {
    drop(s, container_of(d, struct pin, due));
}

const struct history_snapshot *pin_find(struct sim *s, const struct resource_table *h, uint64_t rv) {
    list_each(it, &s->pins) {
        struct pin *p = container_of(it, struct pin, link);
        if (p->table != h || p->rv != rv) continue;
        list_remove(&p->link);
        list_push(&s->pins, &p->link);
        return &p->all;
    }
    return NULL;
}

const struct history_snapshot *pin_take(struct sim *s, struct resource_table *h, uint64_t rv) {
    const struct history_snapshot *have = pin_find(s, h, rv);
    if (have) return have;
    struct history_snapshot all;
    if (history_snapshot_take(s, h, rv, &(struct history_range){0}, &all) < 0) return NULL;
    if (s->npins == PINS) drop(s, container_of(s->pins.next, struct pin, link));
    struct pin *p = xcalloc(1, sizeof *p);
    *p = (struct pin){.due = {.fn = on_due}, .table = h, .rv = rv, .all = all};
    list_push(&s->pins, &p->link);
    s->npins++;
    sim_due_at(s, &p->due, s->now + kept_ns);
    return &p->all;
}

void pins_drop(struct sim *s) {
    while (s->npins) drop(s, container_of(s->pins.next, struct pin, link));
}
