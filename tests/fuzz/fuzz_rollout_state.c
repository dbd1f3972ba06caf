/* The state's documents and the target's annotations, with a byte 0x01 between: what is accepted says the same
 * when written and read again, a plan can be made of it, and the state of that plan can be read by the next
 * leader. */
#include "fuzz.h"
#include "plan/plan.h"

static cJSON *configmap(struct slice facts, struct slice state) {
    cJSON *cm = cJSON_CreateObject(), *data = cJSON_AddObjectToObject(cm, "data");
    char *f = slice_dup(facts), *s = slice_dup(state);
    cJSON_AddStringToObject(data, "facts", f);
    cJSON_AddStringToObject(data, "state", s);
    free(f);
    free(s);
    return cm;
}

static void round_trip(const struct state *s) {
    cleanup_buf struct buf f = BUF(1 << 22), t = BUF(1 << 22);
    cleanup_state struct state again;
    struct err e = {0};
    state_init(&again);
    state_write_facts(s, &f);
    state_write(s, &t);
    FUZZ_CHECK(f.n <= STATE_MAX_TEXT && t.n <= STATE_MAX_TEXT);
    cleanup_json cJSON *cm = configmap(buf_slice(&f), buf_slice(&t));
    FUZZ_CHECK(state_read(cm, &again, &e) == 0);
    FUZZ_CHECK(state_same(s, &again));
}

static void plan_of(const struct workload *kind, const struct state *s, struct slice annotations) {
    char name[] = "op", uid[] = "1234-uid", rv[] = "7",
         tmpl[] = "{\"metadata\":{\"labels\":{\"app\":\"op\"}},\"spec\":{}}",
         selector[] = "{\"matchLabels\":{\"app\":\"op\"}}", image[] = "op:v2", current[] = "op-1",
         update[] = "op-2";
    cleanup_free char *id = workload_id(kind, name);
    struct obs_target t = {.kind = kind,
                           .id = id,
                           .current = current,
                           .update = update,
                           .ns = name,
                           .name = name,
                           .uid = uid,
                           .rv = rv,
                           .replicas = 3,
                           .paused = true,
                           .deadline_s = 2147483647,
                           .selector = selector,
                           .tmpl = tmpl,
                           .image = image,
                           .hash = "qrst"};
    cJSON *a = json_parse(annotations, NULL);
    if (!cJSON_IsObject(a)) {
        cJSON_Delete(a);
        a = cJSON_CreateObject();
        cJSON_AddStringToObject(a, "handover.dev/canary-percent", "10");
    }
    t.annotations = a;
    cleanup_spec struct spec spec;
    struct err bad = {0};
    spec_parse(a, &spec, &bad);
    const struct rehearsal_seen seen = {.image = "h:1", .minor = 37, .tmpl = tmpl, .map = MAP_ABSENT};
    struct observed o = {.name = id,
                         .target = &t,
                         .known = true,
                         .spec = obs_opted_in(a) ? &spec : NULL,
                         .spec_err = &bad,
                         .state_known = STATE_READ,
                         .state = s,
                         .state_rv = rv,
                         .rehearsal_key = "0123456789abcdef0123456789abcdef",
                         .rehearsal = &seen};
    cleanup_plan struct plan p;
    plan_make(&o, INT64_C(1795457893000000000), &p);
    for (size_t i = 0; i < p.nsteps; i++) {
        cleanup_json cJSON *body = json_parse(slice_of(p.step[i].body), NULL);
        FUZZ_CHECK(body || p.step[i].kind == STEP_POD_DELETE);
    }
    if (p.next) round_trip(p.next);
    cJSON_Delete(a);
}

FUZZ(in) {
    struct slice facts, rest, state, annotations;
    slice_cut(in, 1, &facts, &rest);
    slice_cut(rest, 1, &state, &annotations);
    cleanup_json cJSON *cm = configmap(facts, state);
    cleanup_state struct state s;
    struct err e = {0};
    state_init(&s);
    if (state_read(cm, &s, &e) < 0) {
        FUZZ_CHECK(e.kind == ERR_CONFIG && e.msg[0]);
        return;
    }
    round_trip(&s);
    plan_of(&workload_deployment, &s, annotations);
    plan_of(&workload_statefulset, &s, annotations);
}
