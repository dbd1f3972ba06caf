/* What a process keeps of a target between two reconciles: at rest the ConfigMap in the cache, and nothing that is read from it. */
#include "../case.h"
#include "act/target.h"
#include "base/mem.h"

enum { CM_CAP = 1 << 16 };

struct scene {
    struct target *all, *t;
    struct state s;
    struct buf text; /* of the ConfigMap */
};
static void scene_free(struct scene *x) {
    state_free(&x->s);
    buf_free(&x->text);
    if (x->t) target_forget(&x->all, x->t);
    free(x);
}
static struct scene *scene_new(void) {
    struct scene *x = xcalloc(1, sizeof *x);
    x->t = target_get(&x->all, SL("shop/op"));
    state_init(&x->s);
    x->s.phase = PHASE_STABLE;
    x->s.target_uid = xstrdup("d-1");
    x->s.stable_name = xstrdup("op-1");
    x->s.stable_uid = xstrdup("r-1");
    x->s.policy = xstrdup("abc");
    memcpy(x->s.stable_hash, "aaaaaaaaaa", 11);
    buf_init(&x->text, CM_CAP);
    return x;
}
#define TARGET(name) CASE_OF(struct scene, x, scene_new(), scene_free, name)

static struct store_rec written(struct scene *x, const char *rv) {
    struct buf facts = BUF(CM_CAP), state = BUF(CM_CAP);
    state_write_facts(&x->s, &facts);
    state_write(&x->s, &state);
    buf_clear(&x->text);
    buf_adds(&x->text,
             "{\"metadata\":{\"name\":\"op-handover\",\"namespace\":\"shop\",\"labels\":{\"app.kubernetes.io/"
             "managed-by\":\"handover\"},\"ownerReferences\":[{\"kind\":\"Deployment\",\"name\":\"op\","
             "\"uid\":\"d-1\"}]},\"data\":{\"facts\":");
    buf_add_json(&x->text, buf_slice(&facts));
    buf_adds(&x->text, ",\"state\":");
    buf_add_json(&x->text, buf_slice(&state));
    buf_adds(&x->text, "}}");
    buf_free(&facts);
    buf_free(&state);
    return (struct store_rec){.ns = "shop", .name = "op-handover", .rv = rv, .raw = buf_slice(&x->text)};
}
static void take(struct scene *x, const struct store_rec *rec) {
    const char *rv;
    struct err err = {0};
    assert_int_equal(target_take_state(x->t, NULL, rec, &rv, &err), STATE_READ);
    assert_non_null(x->t->state);
    assert_string_equal(rv, rec->rv);
}

TARGET(at_rest_nothing_is_held_parsed_and_it_comes_back) {
    struct store_rec rec = written(x, "7");
    target_hold_state(x->t, &x->s, "7");
    x->t->confirmed = true;
    target_rest(x->t);
    assert_null(x->t->state);
    assert_int_equal(x->t->face.phase, PHASE_STABLE);
    assert_true(x->t->face.adopted);
    assert_string_equal(x->t->face.stable, "op-1");
    assert_string_equal(x->t->face.policy, "abc");
    take(x, &rec);
    assert_true(state_same(x->t->state, &x->s));
    assert_true(x->t->confirmed); /* it is what this process wrote, as before */
}
TARGET(what_another_has_written_is_not_confirmed) {
    target_hold_state(x->t, &x->s, "7");
    x->t->confirmed = true;
    target_rest(x->t);
    x->s.phase = PHASE_ROLLED_BACK;
    memcpy(x->s.hash, "bbbbbbbbbb", 11);
    struct store_rec rec = written(x, "8");
    take(x, &rec);
    assert_int_equal(x->t->state->phase, PHASE_ROLLED_BACK);
    assert_int_equal(x->t->face.phase, PHASE_ROLLED_BACK);
    assert_false(x->t->confirmed);
}
/* There is evidence in it that is not written yet. */
TARGET(a_trial_is_kept) {
    x->s.phase = PHASE_SOAKING;
    target_hold_state(x->t, &x->s, "7");
    x->t->state->evidence.total[TRACK_CANARY] = 3;
    target_rest(x->t);
    assert_non_null(x->t->state);
    struct store_rec rec = {.ns = "shop", .name = "op-handover", .rv = "7"};
    take(x, &rec);
    assert_int_equal(x->t->state->evidence.total[TRACK_CANARY], 3);
}
TARGET(a_round_of_scrapes_is_fed_to_it) {
    target_hold_state(x->t, &x->s, "7");
    x->t->round = (struct round *)(void *)x; /* not looked into */
    target_rest(x->t);
    assert_non_null(x->t->state);
    x->t->round = NULL;
}
TARGET(one_that_is_gone_shows_nothing) {
    const char *rv;
    target_hold_state(x->t, &x->s, "7");
    target_rest(x->t);
    assert_int_equal(target_take_state(x->t, NULL, NULL, &rv, NULL), STATE_ABSENT);
    assert_null(x->t->state_rv);
    assert_null(x->t->face.policy);
}

CASES("rollout/target")
