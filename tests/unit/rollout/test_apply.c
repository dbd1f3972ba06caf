/* How the steps of a plan are sent. */
#include "../kube/client_kit.h"
#include "act/apply.h"
#include "base/mem.h"

static const char url[] =
    "https://api:6443/base/apis/apps/v1/namespaces/shop/replicasets/op-canary?fieldManager=handover";

static void on_written(void *ctx, const struct step *s, struct slice raw) {
    (void)ctx, (void)s, (void)raw;
}
static void on_done(void *ctx, const struct err *err, const struct step *failed, bool existed) {
    struct call *c = ctx;
    (void)failed, (void)existed;
    c->n++;
    assert_null(err);
}

/* Two steps, while KUBE_CROWD other requests are open: the lane that both are sent on. */
static enum http_lane lane_in(struct call *c, enum phase phase) {
    static const struct apply_cb cb = {on_written, on_done};
    struct kube_op *crowd[KUBE_CROWD];
    struct kube_spec other = lease(KUBE_GET);
    for (int i = 0; i < KUBE_CROWD; i++) {
        ask(c, &other);
        crowd[i] = c->op;
    }
    cleanup_plan struct plan p = {.nsteps = 2, .next = xmalloc(sizeof *p.next)};
    state_init(p.next);
    p.next->phase = phase;
    for (int i = 0; i < 2; i++)
        p.step[i] = (struct step){.kind = STEP_RS,
                                  .verb = VERB_PATCH_MERGE,
                                  .gvr = &gvr_replicasets,
                                  .name = xstrdup("op-canary"),
                                  .body = xstrdup("{}")};
    c->n = 0;
    struct applying *a = apply_start(c->k, "shop", &p, &cb, c);
    enum http_lane lane[2];
    for (int i = 0; i < 2; i++) {
        fake_settle(c->f);
        struct fake_req *r = fake_last(c->f);
        assert_string_equal(r->url, url);
        lane[i] = r->lane;
        fake_answer(r, 200, "{}");
        fake_settle(c->f);
    }
    assert_int_equal(c->n, 1);
    assert_int_equal(lane[0], lane[1]);
    apply_end(a);
    for (int i = 0; i < KUBE_CROWD; i++) kube_cancel(crowd[i]);
    return lane[0];
}

CLIENT_CASE(what_stops_harm_passes_a_crowd) {
    assert_int_equal(lane_in(c, PHASE_ROLLING_BACK), LANE_URGENT);
}
CLIENT_CASE(what_does_not_waits_its_turn) {
    assert_int_equal(lane_in(c, PHASE_STARTING), LANE_CALL);
    assert_int_equal(lane_in(c, PHASE_PROMOTING), LANE_CALL);
}

CASES("rollout/apply")
