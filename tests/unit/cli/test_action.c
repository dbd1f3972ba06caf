/* A person's word: when it applies, what is sent, what becomes of it. */
#include "../check.h"
#include "answer.h"
#include "action.h"
#include "api/template.h"
#include "base/time.h"

/* ---- which word applies when ---- */

static const struct {
    enum phase phase;
    const char *hash, *stable, *now; /* on trial, in service, in the Deployment */
    enum hold hold;
    bool paused;
    const char *applies; /* promote, pause, resume, abort, retry, approve */
    const char *says;    /* of abort, where it does not apply */
} cases[] = {
    {PHASE_SOAKING, "b", "a", "b", HOLD_NONE, false, "pp.ar.", NULL},
    {PHASE_SOAKING, "b", "a", "b", HOLD_PAUSED_BY_USER, true, "ppRar.", NULL},
    {PHASE_SOAKING, "b", "a", "b", HOLD_INCONCLUSIVE, false, "ppRar.", NULL},
    {PHASE_SOAKING, "b", "a", "b", HOLD_APPROVAL, false, "ppRar.", NULL},
    {PHASE_SOAKING, "b", "a", "c", HOLD_NONE, false, "......", "its template has just changed"},
    {PHASE_REHEARSING, "b", "a", "b", HOLD_NONE, false, "pp.ar.", NULL},
    {PHASE_REHEARSING, "b", "a", "b", HOLD_APPROVAL, false, "pp.arA", NULL},
    {PHASE_REHEARSING, "b", "a", "c", HOLD_APPROVAL, false, "......", "its template has just changed"},
    {PHASE_PROMOTING, "b", "a", "b", HOLD_NONE, false, ".p.a..", NULL},
    {PHASE_ROLLED_BACK, "b", "a", "b", HOLD_NONE, false, "p...r.",
     "there is nothing to abort in phase RolledBack; allowed now: promote, retry"},
    {PHASE_STABLE, "", "a", "a", HOLD_NONE, false, "......",
     "there is nothing to abort in phase Stable; allowed now: nothing"},
    {PHASE_STABLE, "", "a", "b", HOLD_CONFIG, false, "p.....",
     "there is nothing to abort in phase Stable, held: InvalidConfig; allowed now: promote"},
};

static struct status_row row_of(enum phase phase, const char *hash, const char *stable, const char *now) {
    static char ns[] = "a", name[] = "one";
    struct status_row r = {.ns = ns, .name = name, .has_state = true, .opted_in = true, .named = true};
    state_init(&r.state);
    r.state.phase = phase;
    r.state.stable_uid = xstrdup("rs");
    (void)snprintf(r.state.hash, sizeof r.state.hash, "%s", hash);
    (void)snprintf(r.state.stable_hash, sizeof r.state.stable_hash, "%s", stable);
    (void)snprintf(r.target.hash, sizeof r.target.hash, "%s", now);
    return r;
}

static void a_word_applies_or_is_refused_with_those_that_do(void **unused) {
    (void)unused;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct status_row r = row_of(cases[i].phase, cases[i].hash, cases[i].stable, cases[i].now);
        r.state.hold = cases[i].hold;
        r.state.pause_asked = cases[i].paused;
        r.state.rehearsal.over = cases[i].phase == PHASE_REHEARSING && cases[i].hold == HOLD_APPROVAL;
        r.state.gate_ns = cases[i].hold == HOLD_APPROVAL && !r.state.rehearsal.over;
        for (int a = 0; a < ACTION_RELEASE; a++) {
            struct err err = {0};
            bool want = cases[i].applies[a] != '.';
            if (action_applies(&r, (enum spec_action)a, NULL, &err) != want)
                fail_msg("case %zu, %s: %s", i, spec_action_name((enum spec_action)a), err.msg);
            if (a == ACTION_ABORT && cases[i].says) assert_has(err.msg, cases[i].says);
        }
        state_free(&r.state);
    }
    struct status_row r = {.name = (char[]){"one"}, .opted_in = true};
    struct err err = {0};
    assert_false(action_applies(&r, ACTION_ABORT, NULL, &err));
    assert_has(err.msg, "has not adopted it yet");
}

#define DIGEST "00000000000000aa"
static struct status_row held_for_approval(void) {
    struct status_row r = row_of(PHASE_REHEARSING, "b", "a", "b");
    struct state_rehearsal *x = &r.state.rehearsal;
    r.state.hold = HOLD_APPROVAL;
    x->over = true;
    x->line = xstrdup("1 workload would restart (3 pods)");
    (void)snprintf(x->digest, sizeof x->digest, DIGEST);
    return r;
}

static void an_approval_is_of_the_report_that_waits(void **unused) {
    (void)unused;
    struct status_row r = held_for_approval();
    struct err err = {0};
    r.state.rehearsal.over = false; /* it is not kept yet */
    assert_false(action_applies(&r, ACTION_APPROVE, DIGEST, &err));
    r.state.rehearsal.over = true;
    assert_true(action_applies(&r, ACTION_APPROVE, DIGEST, &err));
    assert_false(action_applies(&r, ACTION_APPROVE, "00000000000000ab", &err));
    assert_has(err.msg, "waits for an approval is " DIGEST ", not 00000000000000ab: 1 workload would restart "
                        "(3 pods); to see it: handover diff deployment/one -n a");
    cleanup_free char *value = action_value(&r, ACTION_APPROVE, NS_PER_S);
    assert_string_equal(value, DIGEST "@1970-01-01T00:00:01.000000Z");
    state_consume(&r.state, ACTION_APPROVE, value);
    assert_int_equal(action_outcome(&r, ACTION_APPROVE, value, 0), ACTION_REFUSED); /* of another report */
    memcpy(r.state.rehearsal.approved, DIGEST, sizeof DIGEST);
    assert_int_equal(action_outcome(&r, ACTION_APPROVE, value, 0), ACTION_ACCEPTED);
    r.state.rehearsal.approved[0] = '\0'; /* max-changes was raised meanwhile */
    r.state.phase = PHASE_STARTING;
    assert_int_equal(action_outcome(&r, ACTION_APPROVE, value, 0), ACTION_ACCEPTED);
    r.state.phase = PHASE_ROLLED_BACK;
    assert_int_equal(action_outcome(&r, ACTION_APPROVE, value, 0), ACTION_REFUSED);
    state_free(&r.state);
}

/* What waits for nothing, or for another word. */
static void nothing_to_approve(void **unused) {
    (void)unused;
    static const struct {
        enum phase phase;
        enum hold hold;
        bool over;
        const char *says;
    } rows[] = {
        {PHASE_REHEARSING, HOLD_NONE, false, "in phase Rehearsing: so it is; allowed now: promote, pause"},
        {PHASE_REHEARSING, HOLD_NONE, true, "in phase Rehearsing: so it is"}, /* within its limits */
        {PHASE_SOAKING, HOLD_APPROVAL, false, "for `handover resume deployment/one -n a`: so it is"},
        {PHASE_SOAKING, HOLD_NO_DATA, false,
         "in phase Soaking, held: NoData: so it is; allowed now: promote"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct status_row r = row_of(rows[i].phase, "b", "a", "b");
        struct err err = {0};
        for (int k = 0; k < REPORT_KINDS; k++) r.spec.max_changes[k] = SPEC_ANY;
        r.state.hold = rows[i].hold;
        r.state.gate_ns = rows[i].hold == HOLD_APPROVAL;
        r.state.message = xstrdup("so it is");
        r.state.rehearsal.over = rows[i].over;
        assert_false(action_applies(&r, ACTION_APPROVE, NULL, &err));
        assert_has(err.msg, rows[i].says);
        state_free(&r.state);
    }
}

static void what_became_of_it(void **unused) {
    (void)unused;
    static const struct {
        enum spec_action action;
        enum phase phase;
        enum action_outcome outcome;
    } ends[] = {
        {ACTION_PROMOTE, PHASE_PROMOTING, ACTION_ACCEPTED},
        {ACTION_PROMOTE, PHASE_ROLLED_BACK, ACTION_REFUSED},
        {ACTION_ABORT, PHASE_ROLLING_BACK, ACTION_ACCEPTED},
        {ACTION_ABORT, PHASE_STABLE, ACTION_REFUSED},
        {ACTION_RETRY, PHASE_CANCELLING, ACTION_ACCEPTED},
        {ACTION_RETRY, PHASE_ROLLED_BACK, ACTION_REFUSED},
        {ACTION_PAUSE, PHASE_SOAKING, ACTION_REFUSED},
        {ACTION_RESUME, PHASE_SOAKING, ACTION_ACCEPTED},
    };
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        struct status_row r = row_of(ends[i].phase, "b", "a", "b");
        cleanup_free char *value = action_value(&r, ends[i].action, NS_PER_S + 7000);
        assert_string_equal(value, "b@1970-01-01T00:00:01.000007Z");
        assert_int_equal(action_outcome(&r, ends[i].action, value, 0), ACTION_WAITING);
        state_consume(&r.state, ends[i].action, value);
        assert_int_equal(action_outcome(&r, ends[i].action, value, 0), ends[i].outcome);
        state_free(&r.state);
    }
}

/* ---- what is sent ---- */

#define NOTES "'handover.dev/canary-percent':'50'"
#define STATE(phase, more)                                                                                   \
    "{'metadata':{'namespace':'a','name':'one-handover'},'data':{'facts':'{`version`:1,`targetUID`:`u`,"     \
    "`stable`:{`hash`:`bcdf`,`name`:`one-abc`,`uid`:`rs`}}','state':'{`version`:1,`phase`:`" phase           \
    "`,`canary`:`c`,`startedAt`:`2026-11-23T18:19:20Z`,`hash`:`#`" more "}'}}"
#define LIST(items) "{'kind':'List','metadata':{'resourceVersion':'9'},'items':[" items "]}"

struct stage {
    const char *image,
        *state; /* of the Deployment; # is its template's hash, ~ what follows it in the value that was sent */
    int patch_status;
    const char *image_then, *state_then; /* after the first PATCH; NULL: the same */
    unsigned patches, shown, done;
    char hash[11], body[600], url[300];
    struct err err;
    enum phase phase;
};

static void on_request(struct fake *f, struct fake_req *r) {
    struct stage *st = f->user;
    if (strcmp(r->method, "PATCH") == 0) {
        st->patches++;
        (void)snprintf(st->body, sizeof st->body, "%s", buf_str(&r->body));
        (void)snprintf(st->url, sizeof st->url, "%s", r->url);
        if (st->image_then) st->image = st->image_then;
        if (st->state_then) st->state = st->state_then;
        answer(r, st->patch_status, "{'kind':'Status','code':409,'message':'the object has been modified'}");
        if (st->patch_status == 409) st->patch_status = 200;
    } else if (strstr(r->url, "/deployments?")) {
        cleanup_free char *text =
            xasprintf(LIST("{'metadata':{'namespace':'a','name':'one','uid':'u','resourceVersion':'7','"
                           "annotations':{" NOTES "}},'spec':{'selector':{'matchLabels':{'a':'b'}},"
                           "'template':{'spec':{'containers':[{'name':'c','image':'%s'}]}}}}"),
                      st->image);
        answer(r, 200, text);
    } else if (strstr(r->url, "/configmaps?")) {
        cleanup_buf struct buf text = BUF(1 << 16);
        const char *at = strchr(st->body, '@');
        for (const char *p = st->state; *p; p++) {
            if (*p == '#')
                buf_adds(&text, st->hash);
            else if (*p == '~')
                buf_add(&text, slice_make(at, at ? strcspn(at, "\"") : 0));
            else
                buf_addc(&text, *p);
        }
        answer(r, 200, buf_str(&text));
    } else {
        answer(r, 404, "{'kind':'Status','code':404,'message':'not found'}");
    }
}

static void on_shown(void *ctx, const struct status_row *r) {
    struct stage *st = ctx;
    st->shown++;
    assert_int_equal(st->patches, 0);
    if (r->state.rehearsal.line) assert_string_equal(r->state.rehearsal.line, "1 object deleted");
}

static void on_done(void *ctx, const struct err *err, const struct status_report *r) {
    struct stage *st = ctx;
    st->done++;
    if (err) st->err = *err;
    if (r) st->phase = r->rows[0].state.phase;
}

static void hash_of(const char *image, char ret[11]) {
    cleanup_free char *text =
        xasprintf("{\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"%s\"}]}}", image);
    assert_int_equal(template_hash(slice_of(text), ret, NULL), 0);
}

static void act(struct stage *st, enum spec_action action) {
    struct fake *f = fake_new();
    struct kube_config_spec config = {.server = "http://api.example:80"};
    struct kube_config *cfg;
    struct err err = {0};
    hash_of(st->image, st->hash);
    assert_int_equal(kube_config_load(f->a.w, &f->log, &config, &cfg, &err), 0);
    struct kube *k = kube_new(f->a.w, cfg, &f->log, NULL);
    f->on_request = on_request;
    f->user = st;
    const struct action_spec spec = {
        .action = action,
        .timeout_ns = 10 * NS_PER_S,
        .manager = "handover-cli:alice",
        .status = {.ns = "a", .name = "one", .lease_ns = "l", .lease_name = "l"}};
    struct action_run *run = action_start(k, &spec, on_shown, on_done, st);
    assert_int_equal(st->done, 0);
    fake_run(f, 12 * NS_PER_S);
    assert_int_equal(st->done, 1);
    action_end(run);
    kube_free(k);
    kube_config_free(cfg);
    fake_free(f);
}

#define SOAKING LIST(STATE("Starting", ""))
#define ABORTED LIST(STATE("RollingBack", ",`consumed`:[{`action`:`abort`,`value`:`#~`}]"))

static void the_template_that_was_looked_at_is_meant(void **unused) {
    (void)unused;
    struct stage st = {.image = "w:v2", .state = SOAKING, .patch_status = 200, .state_then = ABORTED};
    act(&st, ACTION_ABORT);
    assert_string_equal(st.err.msg, "");
    assert_int_equal(st.phase, PHASE_ROLLING_BACK);
    assert_int_equal(st.patches, 1);
    assert_has(st.url, "/apis/apps/v1/namespaces/a/deployments/one?fieldManager=handover-cli%3Aalice");
    cleanup_free char *body = xasprintf(
        "{\"metadata\":{\"resourceVersion\":\"7\",\"annotations\":{\"handover.dev/abort\":\"%s@", st.hash);
    assert_has(st.body, body);
}

static void another_change_of_the_deployment_is_no_reason_to_give_up(void **unused) {
    (void)unused;
    struct stage st = {.image = "w:v2", .state = SOAKING, .patch_status = 409};
    act(&st, ACTION_ABORT);
    assert_int_equal(st.patches, 2);
}

#define REHEARSED                                                                                            \
    ",`hold`:`AwaitingApproval`,`rehearsal`:{`key`:`0a`,`digest`:`" DIGEST                                   \
    "`,`line`:`1 object deleted`,`over`:true}"
static void the_report_is_shown_once_and_its_digest_sent(void **unused) {
    (void)unused;
    struct stage st = {.image = "w:v2",
                       .state = LIST(STATE("Rehearsing", REHEARSED)),
                       .patch_status = 409,
                       .state_then = LIST(STATE("Starting", ",`rehearsal`:{`key`:`0a`,`digest`:`" DIGEST
                                                            "`,`approved`:`" DIGEST
                                                            "`,`line`:`1 object deleted`,`over`:true},"
                                                            "`approvals`:[{`value`:`" DIGEST "~`}]"))};
    struct stage again = st;
    st.patch_status = 200;
    act(&st, ACTION_APPROVE);
    assert_string_equal(st.err.msg, "");
    assert_int_equal(st.phase, PHASE_STARTING);
    assert_has(st.body, "{\"metadata\":{\"resourceVersion\":\"7\",\"annotations\":{\"handover.dev/approve\":"
                        "\"" DIGEST "@");
    assert_int_equal(st.shown, 1);
    again.state_then = NULL;
    act(&again, ACTION_APPROVE); /* after a conflict */
    assert_int_equal(again.patches, 2);
    assert_int_equal(again.shown, 1);
}

static void a_template_that_changed_in_between_is_not_meant(void **unused) {
    (void)unused;
    struct stage st = {.image = "w:v2", .state = SOAKING, .patch_status = 409, .image_then = "w:v3"};
    act(&st, ACTION_ABORT);
    assert_int_equal(st.patches, 1);
    assert_has(st.err.msg, "its template has changed in between; nothing was done");
}

static void a_word_that_does_not_apply_sends_nothing(void **unused) {
    (void)unused;
    struct stage st = {.image = "w:v2", .state = SOAKING, .patch_status = 200};
    act(&st, ACTION_RESUME);
    assert_int_equal(st.patches, 0);
    assert_has(st.err.msg,
               "there is nothing to resume in phase Starting; allowed now: promote, pause, abort, retry");
}

static void without_a_handover_it_says_so(void **unused) {
    (void)unused;
    struct stage st = {.image = "w:v2", .state = SOAKING, .patch_status = 200};
    act(&st, ACTION_ABORT);
    assert_int_equal(st.err.kind, ERR_TIMEOUT);
    assert_has(st.err.msg, "has not carried it out within 10s; its Lease was not found: does it run?");
    assert_has(st.err.msg, "To take it back: kubectl annotate deployment/one -n a handover.dev/abort-");
}

RUN_TESTS(TEST(a_word_applies_or_is_refused_with_those_that_do), TEST(what_became_of_it),
          TEST(an_approval_is_of_the_report_that_waits), TEST(nothing_to_approve),
          TEST(the_report_is_shown_once_and_its_digest_sent), TEST(the_template_that_was_looked_at_is_meant),
          TEST(another_change_of_the_deployment_is_no_reason_to_give_up),
          TEST(a_template_that_changed_in_between_is_not_meant),
          TEST(a_word_that_does_not_apply_sends_nothing), TEST(without_a_handover_it_says_so))
