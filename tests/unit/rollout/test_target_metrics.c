/* The targets' gauges: who has series of their own, and that they end. */
#include "../case.h"
#include "act/target_metrics.h"
#include "base/mem.h"

struct scene {
    struct metrics *m;
    struct target *all;
};
static void scene_free(struct scene *s) {
    for (struct target *t = s->all, *next; t; t = next) {
        next = t->hh.next;
        target_forget(&s->all, t);
    }
    metrics_free(s->m);
    free(s);
}
static struct scene *scene_new(void) {
    struct scene *s = xcalloc(1, sizeof *s);
    s->m = metrics_new(TARGET_METRICS_MAX);
    return s;
}
#define TARGETS(name) CASE_OF(struct scene, x, scene_new(), scene_free, name)

static void set(struct scene *x, const char *key, enum phase phase, enum hold hold, const char *image) {
    cleanup_state struct state s;
    state_init(&s);
    s.phase = phase;
    s.hold = hold;
    s.hold_ns = 1500 * NS_PER_MS;
    s.stable_name = xstrdup("op-1");
    s.image = xstrdup_null(image);
    target_hold_state(target_get(&x->all, slice_of(key)), &s, "1");
}
static char *page(struct scene *x, size_t max) {
    struct buf b = BUF(1 << 20);
    target_metrics_collect(x->m, x->all, max);
    metrics_write(x->m, &b);
    return buf_take(&b);
}
static void has(const char *text, const char *line) {
    if (!strstr(text, line)) fail_msg("no %s in\n%s", line, text);
}
static void has_not(const char *text, const char *line) {
    if (strstr(text, line)) fail_msg("%s in\n%s", line, text);
}

TARGETS(one_is_held_for_as_long_as_it_is) {
    set(x, "shop/op", PHASE_SOAKING, HOLD_INCONCLUSIVE, "op:v2");
    cleanup_free char *held = page(x, 10);
    has(held, "\nhandover_target_phase{namespace=\"shop\",name=\"op\",phase=\"Soaking\"} 1\n");
    has(held,
        "\nhandover_target_held_since_seconds{namespace=\"shop\",name=\"op\",reason=\"Inconclusive\"} 1.5\n");
    has(held, "\nhandover_target_info{namespace=\"shop\",name=\"op\",stable=\"op-1\",image=\"op:v2\"} 1\n");
    set(x, "shop/op", PHASE_STABLE, HOLD_NONE, NULL);
    cleanup_free char *over = page(x, 10);
    has_not(over, "Soaking\"} 1");
    has_not(over, "held_since");
    has(over, "\nhandover_target_phase{namespace=\"shop\",name=\"op\",phase=\"Stable\"} 1\n");
    target_forget(&x->all, x->all);
    cleanup_free char *gone = page(x, 10);
    has_not(gone, "shop");
    has(gone, "\nhandover_targets{phase=\"Stable\"} 0\n");
}
TARGETS(the_urgent_ones_come_first_where_there_are_too_many) {
    char key[40];
    for (int i = 0; i < 40; i++) {
        snprintf(key, sizeof key, "a/quiet-%d", i);
        set(x, key, PHASE_STABLE, HOLD_NONE, NULL);
    }
    set(x, "z/back", PHASE_ROLLED_BACK, HOLD_NONE, "op:bad");
    set(x, "z/wrong", PHASE_STABLE, HOLD_CONFIG, NULL);
    cleanup_free char *text = page(x, 3);
    has(text, "namespace=\"z\",name=\"back\",phase=\"RolledBack\"} 1");
    has(text, "namespace=\"z\",name=\"wrong\",reason=\"InvalidConfig\"}");
    has(text, "name=\"quiet-");
    int n = 0;
    for (const char *p = text; (p = strstr(p, "handover_target_phase{")); p++) n++;
    assert_int_equal(n, 3);
    has_not(text, "=\"other\"");
    has(text, "\nhandover_targets{phase=\"Stable\"} 41\n");
}
TARGETS(none_where_none_are_wanted) {
    set(x, "z/back", PHASE_ROLLED_BACK, HOLD_NONE, "op:bad");
    cleanup_free char *text = page(x, 0);
    has_not(text, "handover_target_");
    has(text, "\nhandover_targets{phase=\"RolledBack\"} 1\n");
}

CASES("rollout/target_metrics")
