/* Back to a former template: what is gone back to, what is written, what is waited for. */
#include "../case.h"
#include "answer.h"
#include "api/template.h"
#include "base/time.h"
#include "undo.h"

#define TEMPLATE(image, label)                                                                               \
    "{\"metadata\":{\"labels\":{\"a\":\"b\"" label "}},\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":" \
    "\"w:" image "\",\"n\":9007199254740993}]}}"
#define POD_HASH ",\"pod-template-hash\":\"x\""

static void hash_of(const char *image, char ret[11]) {
    cleanup_free char *text = xasprintf(TEMPLATE("%s", ""), image);
    assert_int_equal(template_hash(slice_of(text), ret, NULL), 0);
}

/* ---- which one ---- */

static struct status_row row_of(enum phase phase, const char *now, const char *stable) {
    static char ns[] = "a", name[] = "one", uid[] = "u", rv[] = "7";
    struct status_row r = {.ns = ns, .name = name, .has_state = true, .opted_in = true, .named = true};
    state_init(&r.state);
    r.state.phase = phase;
    r.state.stable_uid = xstrdup("rs");
    r.state.stable_name = xstrdup("one-s");
    hash_of(now, r.target.hash);
    hash_of(stable, r.state.stable_hash);
    r.target.uid = uid;
    r.target.rv = rv;
    r.target.history = 10;
    return r;
}

static void add(struct undo_versions *all, const char *image, int revision, const char *uid) {
    struct obs_target t = {.uid = (char[]){"u"}};
    cleanup_free char *raw =
        xasprintf("{\"metadata\":{\"name\":\"one-%s\",\"uid\":\"r\",\"namespace\":\"a\",\"resourceVersion\":"
                  "\"1\",\"annotations\":{"
                  "\"deployment.kubernetes.io/revision\":\"%d\"},\"ownerReferences\":[{\"apiVersion\":\"apps/"
                  "v1\",\"kind\":"
                  "\"Deployment\",\"name\":\"one\",\"uid\":\"%s\",\"controller\":true}]},\"spec\":{"
                  "\"replicas\":0,\"template\":" TEMPLATE("%s", POD_HASH) "}}",
                  image, revision, uid, image);
    cleanup_json cJSON *obj = json_parse(slice_of(raw), NULL);
    struct err err = {0};
    if (undo_take(all, &t, slice_of(raw), obj, &err) < 0) fail_msg("%s", err.msg);
}

/* Revisions 1 v1, 2 v2, 3 v3; and one of somebody else. */
static void three(struct undo_versions *all) {
    add(all, "v2", 2, "u");
    add(all, "v1", 1, "u");
    add(all, "v3", 3, "u");
    add(all, "v9", 9, "other");
}

CASE(which_one) {
    static const struct {
        enum phase phase;
        const char *now, *stable, *to, *want; /* want NULL: none */
    } v[] = {
        {PHASE_STABLE, "v3", "v3", NULL, "v2"},    {PHASE_STABLE, "v3", "v3", "v1", "v1"},
        {PHASE_SOAKING, "v4", "v3", NULL, "v3"},   {PHASE_ROLLED_BACK, "v4", "v3", NULL, "v3"},
        {PHASE_PROMOTING, "v3", "v2", NULL, "v2"}, {PHASE_SOAKING, "v4", "v3", "v2", "v2"},
        {PHASE_STABLE, "v3", "v3", "v9", NULL},    {PHASE_SOAKING, "v4", "v5", NULL, NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        struct status_row r = row_of(v[i].phase, v[i].now, v[i].stable);
        struct undo_versions all = {.n = 0};
        struct err err = {0};
        char to[11] = "", want[11] = "";
        three(&all);
        assert_int_equal(all.n, 3);
        if (v[i].to) hash_of(v[i].to, to);
        if (v[i].want) hash_of(v[i].want, want);
        assert_true(undo_applies(&r, v[i].to ? to : NULL, &err));
        const struct undo_version *got = undo_choose(&r, &all, v[i].to ? to : NULL, &err);
        if (got && v[i].want) assert_string_equal(got->hash, want);
        if (!got != !v[i].want) fail_msg("case %zu: %s", i, got ? got->rs : err.msg);
        if (!got)
            assert_non_null(
                strstr(err.msg, "(spec.revisionHistoryLimit: 10); set its image instead; there are: "));
        undo_versions_free(&all);
        state_free(&r.state);
    }
}

CASE(what_was_rolled_back_is_left_out) {
    struct status_row r = row_of(PHASE_STABLE, "v3", "v3");
    struct undo_versions all = {.n = 0};
    struct err err = {0};
    char v1[11], v2[11];
    hash_of("v1", v1);
    hash_of("v2", v2);
    three(&all);
    state_quarantine_add(&r.state, v2, 1, "it failed");
    const struct undo_version *got = undo_choose(&r, &all, NULL, &err);
    assert_true(got && strcmp(got->hash, v1) == 0);
    assert_false(undo_applies(&r, v2, &err));
    assert_non_null(
        strstr(err.msg,
               "was rolled back (it failed); to try it again, set its image, then: handover retry one -n a"));
    assert_false(undo_applies(&r, r.target.hash, &err));
    assert_non_null(strstr(err.msg, "is the one that it has"));
    undo_versions_free(&all);
    state_free(&r.state);
}

CASE(stables_own_from_the_state) {
    struct status_row r = row_of(PHASE_SOAKING, "v4", "v5");
    struct undo_versions all = {.n = 0};
    struct err err = {0};
    three(&all);
    r.state.stable_template = xstrdup(TEMPLATE("v5", ""));
    const struct undo_version *got = undo_choose(&r, &all, NULL, &err);
    assert_true(got && strcmp(got->hash, r.state.stable_hash) == 0);
    assert_string_equal(got->tmpl, TEMPLATE("v5", ""));
    assert_string_equal(got->image, "w:v5");
    undo_versions_free(&all);
    state_free(&r.state);
}

CASE(what_is_not_held_is_kubectls) {
    static const enum phase phases[] = {PHASE_IDLE, PHASE_ADOPTING, PHASE_RELEASING};
    for (size_t i = 0; i < ARRAY_LEN(phases); i++) {
        struct status_row r = row_of(phases[i], "v3", "v3");
        struct err err = {0};
        assert_false(undo_applies(&r, NULL, &err));
        assert_non_null(strstr(err.msg, "kubectl rollout undo deployment/one -n a"));
        state_free(&r.state);
    }
    struct status_row r = {.name = (char[]){"one"}, .ns = (char[]){"a"}};
    struct err err = {0};
    assert_false(undo_applies(&r, NULL, &err));
    assert_non_null(strstr(err.msg, "Handover does not hold it: kubectl rollout undo"));
}

CASE(the_text_is_the_users) {
    struct status_row r = row_of(PHASE_STABLE, "v3", "v3");
    struct undo_versions all = {.n = 0};
    cleanup_buf struct buf plain = BUF(1 << 16), now = BUF(1 << 16);
    add(&all, "v1", 1, "u");
    undo_patch(&r, &all.v[0], NULL, &plain);
    assert_string_equal(
        buf_str(&plain),
        "[{\"op\":\"replace\",\"path\":\"/metadata/resourceVersion\",\"value\":\"7\"},{\"op\":"
        "\"replace\",\"path\":\"/spec/template\",\"value\":" TEMPLATE("v1", "") "}]");
    undo_patch(&r, &all.v[0], "h@1", &now);
    assert_non_null(strstr(buf_str(&now), ",{\"op\":\"add\",\"path\":\"/metadata/annotations/"
                                          "handover.dev~1promote\",\"value\":\"h@1\"}]"));
    undo_versions_free(&all);
    state_free(&r.state);
}

CASE(taken_up) {
    static const struct {
        enum phase phase;
        const char *hash, *stable;
        bool taken;
    } v[] = {{PHASE_SOAKING, "b", "s", false},    {PHASE_SOAKING, "a", "s", true},
             {PHASE_PROMOTING, "a", "s", true},   {PHASE_CANCELLING, "b", "s", false},
             {PHASE_CANCELLING, "b", "a", true},  {PHASE_STABLE, "", "a", true},
             {PHASE_STABLE, "", "s", false},      {PHASE_SOAKING, "b", "a", false},
             {PHASE_ROLLED_BACK, "b", "a", false}};
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        struct status_row r = row_of(v[i].phase, "v1", "v1");
        memcpy(r.state.hash, v[i].hash, strlen(v[i].hash) + 1);
        memcpy(r.state.stable_hash, v[i].stable, 2);
        if (undo_taken_up(&r, "a") != v[i].taken) fail_msg("case %zu", i);
        state_free(&r.state);
    }
}

/* ---- what is sent ---- */

struct stage {
    const char *image, *image_then, *phase, *phase_then; /* _then: after the PATCH */
    int patch_status;
    unsigned patches, lists, done;
    bool now;
    char stable[11], former[11], body[2000], url[300];
    struct err err;
    enum phase ended;
};

static void on_request(struct fake *f, struct fake_req *r) {
    struct stage *st = f->user;
    cleanup_free char *text = NULL;
    if (strcmp(r->method, "PATCH") == 0) {
        st->patches++;
        (void)snprintf(st->body, sizeof st->body, "%s", buf_str(&r->body));
        (void)snprintf(st->url, sizeof st->url, "%s", r->url);
        bool done = st->patch_status == 200;
        if (st->image_then && done) st->image = st->image_then;
        if (st->phase_then && done) st->phase = st->phase_then;
        answer(r, st->patch_status, "{'kind':'Status','code':409,'message':'the object has been modified'}");
        if (st->patch_status == 409) st->patch_status = 200;
        return;
    }
#define LIST(items) "{\"kind\":\"List\",\"metadata\":{\"resourceVersion\":\"9\"},\"items\":[" items "]}"
    if (strstr(r->url, "/deployments?"))
        text = xasprintf(LIST("{\"metadata\":{\"namespace\":\"a\",\"name\":\"one\",\"uid\":\"u\","
                              "\"resourceVersion\":\"7\",\"annotations\":{"
                              "\"handover.dev/"
                              "canary-percent\":\"50\"}},\"spec\":{\"selector\":{\"matchLabels\":{\"a\":"
                              "\"b\"}},\"template\":" TEMPLATE("%s", "") "}}"),
                         st->image);
    else if (strstr(r->url, "/replicasets?") && !strstr(r->url, "managed-by") && ++st->lists)
        text = xasprintf(LIST("{\"metadata\":{\"name\":\"one-1\",\"namespace\":\"a\",\"uid\":\"r\","
                              "\"resourceVersion\":\"1\",\"annotations\":{"
                              "\"deployment.kubernetes.io/"
                              "revision\":\"1\"},\"ownerReferences\":[{\"apiVersion\":\"apps/v1\",\"kind\":"
                              "\"Deployment\",\"name\":\"one\",\"uid\":\"u\",\"controller\":true}]},\"spec\":"
                              "{\"replicas\":0,\"template\":" TEMPLATE("v1", POD_HASH) "}}"));
    else if (strstr(r->url, "/configmaps?"))
        text = xasprintf(LIST("{\"metadata\":{\"namespace\":\"a\",\"name\":\"one-handover\"},\"data\":{"
                              "\"facts\":\"{\\\"version\\\":1,"
                              "\\\"targetUID\\\":\\\"u\\\",\\\"stable\\\":{\\\"hash\\\":\\\"%s\\\","
                              "\\\"name\\\":\\\"one-2\\\",\\\"uid\\\":\\\"rs\\\"}}\","
                              "\"state\":\"{\\\"version\\\":1,\\\"phase\\\":\\\"%s\\\",\\\"hash\\\":\\\"%"
                              "s\\\",\\\"startedAt\\\":"
                              "\\\"2026-11-23T18:19:20Z\\\",\\\"canary\\\":\\\"c\\\"}\"}}"),
                         st->stable, st->phase, st->former);
    if (text)
        fake_answer(r, 200, text);
    else
        answer(r, 404, "{'kind':'Status','code':404,'message':'not found'}");
}

static void on_done(void *ctx, const struct err *err, const struct undo_version *v,
                    const struct status_report *r) {
    struct stage *st = ctx;
    st->done++;
    if (err) st->err = *err;
    if (!err) assert_string_equal(v->hash, st->former);
    if (r) st->ended = r->rows[0].state.phase;
}

static void undo(struct stage *st) {
    struct fake *f = fake_new();
    struct kube_config_spec config = {.server = "http://api.example:80"};
    struct kube_config *cfg;
    struct err err = {0};
    hash_of("v2", st->stable);
    hash_of("v1", st->former);
    assert_int_equal(kube_config_load(f->a.w, &f->log, &config, &cfg, &err), 0);
    struct kube *k = kube_new(f->a.w, cfg, &f->log, NULL);
    f->on_request = on_request;
    f->user = st;
    const struct undo_spec spec = {.timeout_ns = 10 * NS_PER_S,
                                   .now = st->now,
                                   .manager = "handover-cli:alice",
                                   .status = {.ns = "a", .name = "one", .lease_ns = "l", .lease_name = "l"}};
    struct undo_run *run = undo_start(k, &spec, on_done, st);
    assert_int_equal(st->done, 0);
    fake_run(f, 12 * NS_PER_S);
    assert_int_equal(st->done, 1);
    undo_end(run);
    kube_free(k);
    kube_config_free(cfg);
    fake_free(f);
}

CASE(it_is_written_as_it_was_read_and_waited_for) {
    struct stage st = {
        .image = "v2", .image_then = "v1", .phase = "Stable", .phase_then = "Promoting", .patch_status = 200};
    undo(&st);
    assert_string_equal(st.err.msg, "");
    assert_int_equal(st.ended, PHASE_PROMOTING);
    assert_true(st.patches == 1 && st.lists == 1);
    assert_has(st.url, "/apis/apps/v1/namespaces/a/deployments/one?fieldManager=handover-cli%3Aalice");
    assert_has(st.body, "\"path\":\"/spec/template\",\"value\":" TEMPLATE("v1", "") "}]");
}

CASE(a_conflict_is_tried_again_and_a_persons_word_goes_with_it) {
    struct stage st = {.image = "v2",
                       .image_then = "v1",
                       .phase = "Stable",
                       .phase_then = "Promoting",
                       .patch_status = 409,
                       .now = true};
    undo(&st);
    assert_string_equal(st.err.msg, "");
    assert_int_equal(st.patches, 2);
    cleanup_free char *word = xasprintf("handover.dev~1promote\",\"value\":\"%s@", st.former);
    assert_has(st.body, word);
}

CASE(nobody_takes_it_up) {
    struct stage st = {.image = "v2", .image_then = "v1", .phase = "Stable", .patch_status = 200};
    undo(&st);
    assert_int_equal(st.err.kind, ERR_TIMEOUT);
    assert_has(
        st.err.msg,
        "is written, and Handover has not taken it up within 10s; its Lease was not found: does it run?");
}

CASE(changed_again_by_another_client) {
    struct stage st = {.image = "v2", .image_then = "v3", .phase = "Stable", .patch_status = 200};
    undo(&st);
    assert_has(st.err.msg, "was written, and another client has changed it since");
}

CASES("cli/undo")
