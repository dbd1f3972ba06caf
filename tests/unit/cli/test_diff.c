/* What `diff` reads, and what it says of it: which version, whether of this rollout, why there is none, and its exit codes. */
#include "../case.h"
#include "answer.h"
#include "api/rfc3339.h"
#include "base/json.h"
#include "cli/cli.h"
#include "diff.h"
#include "rehearse/report.h"

#define NOW_NS (INT64_C(1795458000) * NS_PER_S) /* 2026-11-23T18:20:00Z */

/* ---- what is said ---- */

struct scene {
    struct status_row row;
    struct diff d;
    char digest[17];
};
static char ns[] = "default", name[] = "widget", v1[] = "r.example/widget:v1", v2[] = "r.example/widget:v2",
            map[] = "widget-handover-rehearsal";

static char *report_of(const char *live, const char *rehearsed, char digest[17]) {
    struct report *r = report_new(&(struct report_limits){0});
    struct buf out = BUF(1 << 20);
    struct report_object o = {SL("apps"),  SL("v1"),           SL("deployments"), SL("Deployment"),
                              SL("shop"),  SL("web"),          slice_of(live),    slice_of(rehearsed),
                              .writes = 1, .first_ns = NOW_NS, .last_ns = NOW_NS};
    if (live) assert_int_equal(report_add(r, &o, NULL), 0);
    report_set_run(r, &(struct report_run){.from_ns = NOW_NS - 480 * NS_PER_S,
                                           .to_ns = NOW_NS - 180 * NS_PER_S,
                                           .reads = 9,
                                           .writes = 1});
    report_digest(r, digest);
    assert_int_equal(report_write(r, &out), 0);
    report_free(r);
    return buf_take(&out);
}

#define WEB(image)                                                                                           \
    "{\"metadata\":{\"name\":\"web\",\"namespace\":\"shop\"},\"spec\":{\"replicas\":3,\"template\":{"        \
    "\"spec\":"                                                                                              \
    "{\"containers\":[{\"name\":\"c\",\"image\":\"" image "\"}]}}}}"

/* Its rehearsal has found a restart, and waits for a person. */
static void set(struct scene *x) {
    *x = (struct scene){.row = {.ns = ns,
                                .name = name,
                                .image = v2,
                                .stable_image = v1,
                                .opted_in = true,
                                .has_state = true,
                                .named = true,
                                .spec = {.rehearse_ns = 300 * NS_PER_S},
                                .target = {.hash = "qrst"}}};
    struct state *s = &x->row.state;
    state_init(s);
    s->phase = PHASE_REHEARSING;
    s->hold = HOLD_APPROVAL;
    (void)snprintf(s->hash, sizeof s->hash, "qrst");
    (void)snprintf(s->stable_hash, sizeof s->stable_hash, "bcdf");
    x->d = (struct diff){.row = &x->row, .there = true, .map = map, .image = v2, .hash = "qrst"};
    x->d.report = report_of(WEB("w:é1"), WEB("w:é2"), x->digest);
    memcpy(x->d.digest, x->digest, sizeof x->digest);
    s->rehearsal.over = true;
    s->rehearsal.from_ns = NOW_NS - 480 * NS_PER_S;
    memcpy(s->rehearsal.digest, x->digest, sizeof x->digest);
}
static void drop(struct scene *x) {
    state_free(&x->row.state);
    free(x->d.report);
}
#define SAID(name) CASE_WITH(struct scene, x, set, drop, name)

static const struct table_style wide = {.utf8 = true};
static int say(const struct scene *x, const struct table_style *style, struct buf *out, struct err *err) {
    buf_clear(out);
    *err = (struct err){0};
    return diff_say(&x->d, false, style, NOW_NS, out, err);
}

SAID(a_report_that_waits_for_a_person) {
    cleanup_buf struct buf out = BUF(1 << 20);
    struct err err;
    assert_int_equal(say(x, &wide, &out, &err), DIFF_CHANGES);
    cleanup_free char *head = xasprintf(
        "widget:v2, template qrst, was rehearsed for 5m until 18:17:00Z (3m ago), report %s: of the present "
        "rollout, in phase Rehearsing, held: AwaitingApproval\n\n1 workload would restart (3 pods)\n",
        x->digest);
    assert_true(slice_starts(buf_slice(&out), slice_of(head)));
    assert_has(buf_str(&out), "containers[c].image: \"w:é1\" -> \"w:é2\"\n");
    assert_has(buf_str(&out), "\n\nTo go on all the same: handover approve deployment/widget -n default\n");
}

SAID(whose_report_it_is) {
    cleanup_buf struct buf out = BUF(1 << 20);
    struct state *s = &x->row.state;
    struct err err;
    s->phase = PHASE_SOAKING;
    s->hold = HOLD_NONE;
    say(x, &wide, &out, &err);
    assert_has(buf_str(&out), "of the present rollout, in phase Soaking\n");
    assert_lacks(buf_str(&out), "handover approve");
    s->phase = PHASE_REHEARSING;
    s->rehearsal.over = false; /* the same template again, after retry */
    say(x, &wide, &out, &err);
    assert_has(buf_str(&out),
               "of an earlier rehearsal; widget:v2 is being rehearsed until 18:17:00Z (3m ago)\n");
    (void)snprintf(x->d.hash, sizeof x->d.hash, "mnop");
    say(x, &wide, &out, &err);
    assert_has(buf_str(&out), "of an earlier version; the present template qrst is being rehearsed\n");
    s->phase = PHASE_STABLE;
    say(x, &wide, &out, &err);
    assert_has(buf_str(&out), "of an earlier version; the present template qrst was not rehearsed\n");
    (void)snprintf(x->d.hash, sizeof x->d.hash, "bcdf");
    say(x, &wide, &out, &err);
    assert_has(buf_str(&out), "of the version in service\n");
}

SAID(without_changes_it_ends_with_0) {
    cleanup_buf struct buf out = BUF(1 << 20);
    struct err err;
    free(x->d.report);
    x->d.report = report_of(NULL, NULL, x->row.state.rehearsal.digest);
    assert_int_equal(say(x, &wide, &out, &err), CLI_OK);
    assert_has(buf_str(&out), "\n\nchanges nothing\n");
    assert_lacks(buf_str(&out), "was changed since");
}

/* What has no room in an object of the API server is a change all the same. */
SAID(a_report_that_was_cut) {
    cleanup_buf struct buf out = BUF(1 << 20);
    struct err err;
    free(x->d.report);
    x->d.report = xstrdup("{\"apiVersion\":\"handover.dev/v1\",\"kind\":\"RehearsalReport\",\"objects\":[],"
                          "\"cut\":12}");
    assert_int_equal(say(x, &wide, &out, &err), DIFF_CHANGES);
    assert_has(buf_str(&out), "\n12 objects more, which would do less harm, are not kept");
    assert_lacks(buf_str(&out), "was changed since");
}

SAID(a_report_that_was_changed_is_not_passed_off_as_the_rehearsals) {
    cleanup_buf struct buf out = BUF(1 << 20);
    struct err err;
    char other[17];
    free(x->d.report);
    x->d.report = report_of(WEB("w:é1"), WEB("w:3"), other);
    say(x, &wide, &out, &err);
    cleanup_free char *says =
        xasprintf("This is not what the rehearsal has found: its report is %s, this one "
                  "%s, so ConfigMap widget-handover-rehearsal was changed since.",
                  x->digest, other);
    assert_has(buf_str(&out), says);
}

SAID(a_terminal_without_utf8) {
    cleanup_buf struct buf out = BUF(1 << 20);
    struct err err;
    say(x, &(struct table_style){.width = 60, .colour = true}, &out, &err);
    assert_has(buf_str(&out), "\"w:?1\" -> \"w:?2\"");
    assert_has(buf_str(&out), "\x1b[1m1 workload would restart");
    for (size_t i = 0; i < out.n; i++) assert_true((unsigned char)out.p[i] < 0x80);
}

SAID(as_it_is_kept) {
    cleanup_buf struct buf out = BUF(1 << 20);
    struct err err = {0};
    assert_int_equal(diff_say(&x->d, true, &wide, NOW_NS, &out, &err), DIFF_CHANGES);
    cleanup_free char *want = xasprintf("%s\n", x->d.report);
    assert_buf(out, want);
}

SAID(why_there_is_none) {
    static const struct {
        enum phase phase;
        bool opted_in, annotation;
        const char *says;
    } rows[] = {
        {PHASE_REHEARSING, true, true,
         "deployment/widget: widget:v2 is being rehearsed until 18:17:00Z (3m ago), and its report is there "
         "then: handover explain deployment/widget -n default"},
        {PHASE_STABLE, true, false,
         "no version of it was rehearsed. To have the next one rehearsed before its canary: kubectl annotate "
         "deployment/widget -n default handover.dev/rehearse=5m"},
        {PHASE_STABLE, true, true, "no version of it has been rehearsed yet; the next one is"},
        {PHASE_STABLE, false, false, "no annotation handover.dev/canary-percent"},
    };
    cleanup_buf struct buf out = BUF(1 << 20);
    struct err err;
    x->d.there = x->row.state.rehearsal.over = false;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        x->row.state.phase = rows[i].phase;
        x->row.opted_in = rows[i].opted_in;
        x->row.spec.rehearse_ns = rows[i].annotation ? 300 * NS_PER_S : 0;
        assert_int_equal(say(x, &wide, &out, &err), CLI_FAILED);
        assert_has(err.msg, rows[i].says);
        assert_int_equal(out.n, 0);
    }
}

SAID(a_damaged_report) {
    cleanup_buf struct buf out = BUF(1 << 20);
    struct err err;
    free(x->d.report);
    x->d.report = xstrdup("{\"kind\":\"Pod\"}");
    assert_int_equal(say(x, &wide, &out, &err), CLI_FAILED);
    assert_has(err.msg, "ConfigMap widget-handover-rehearsal: ");
}

/* ---- what is read ---- */

#define TARGET                                                                                               \
    "{'metadata':{'namespace':'a','name':'one','uid':'u','resourceVersion':'7','annotations':"               \
    "{'handover.dev/canary-percent':'50','handover.dev/rehearse':'5m'}},'spec':{'selector':{'matchLabels':"  \
    "{'a':'b'}},'template':{'spec':{'containers':[{'name':'c','image':'w:v2'}]}}}}"
#define MAP(labels, uid)                                                                                     \
    "{'metadata':{'namespace':'a','name':'one-handover-rehearsal','labels':{" labels                         \
    "},'ownerReferences':[{'kind':'Deployment','name':'one','uid':'" uid "'}]},'data':{'digest':'00aa',"     \
    "'image':'w:v2','report':'{`kind`:`X`}'}}"
#define LIST(items) "{'kind':'List','metadata':{'resourceVersion':'9'},'items':[" items "]}"

struct stage {
    const char *targets, *map;
    int map_status;
    unsigned done;
    struct err err, denied;
    bool there;
    char hash[11], digest[17], report[40], image[20];
};

static void on_request(struct fake *f, struct fake_req *r) {
    struct stage *st = f->user;
    bool get = strstr(r->url, "/api/v1/namespaces/a/configmaps/one-handover-rehearsal") != NULL;
    if (strstr(r->url, "/deployments?"))
        answer(r, 200, st->targets);
    else if (strstr(r->url, "/statefulsets?") || strstr(r->url, "/configmaps?"))
        answer(r, 200, LIST());
    else
        answer(r, get ? st->map_status : 404, get ? st->map : "{'kind':'Status','code':404,'message':'no'}");
}

static void on_done(void *ctx, const struct err *err, const struct diff *d) {
    struct stage *st = ctx;
    st->done++;
    if (err) st->err = *err;
    if (err) return;
    st->there = d->there;
    st->denied = d->denied;
    (void)snprintf(st->hash, sizeof st->hash, "%s", d->hash);
    (void)snprintf(st->digest, sizeof st->digest, "%s", d->digest);
    (void)snprintf(st->report, sizeof st->report, "%s", d->report ? d->report : "");
    (void)snprintf(st->image, sizeof st->image, "%s", d->image ? d->image : "");
}

static void read_it(struct stage *st) {
    struct fake *f = fake_new();
    struct kube_config_spec config = {.server = "http://api.example:80"};
    struct kube_config *cfg;
    struct err err = {0};
    assert_int_equal(kube_config_load(f->a.w, &f->log, &config, &cfg, &err), 0);
    struct kube *k = kube_new(f->a.w, cfg, &f->log, NULL);
    f->on_request = on_request;
    f->user = st;
    const struct status_spec spec = {.ns = "a", .name = "one", .lease_ns = "l", .lease_name = "l"};
    struct diff_poll *p = diff_start(k, &spec, on_done, st);
    assert_int_equal(st->done, 0);
    fake_settle(f);
    assert_int_equal(st->done, 1);
    diff_end(p);
    kube_free(k);
    kube_config_free(cfg);
    fake_free(f);
}

CASE(the_map_of_the_target) {
    struct stage st = {
        .targets = LIST(TARGET), .map_status = 200, .map = MAP("'handover.dev/rehearsal':'qrst'", "u")};
    read_it(&st);
    assert_true(st.there && !st.denied.kind);
    assert_string_equal(st.hash, "qrst");
    assert_string_equal(st.digest, "00aa");
    assert_string_equal(st.report, "{\"kind\":\"X\"}");
    assert_string_equal(st.image, "w:v2");
}
CASE(a_map_of_that_name_that_is_not_handovers) {
    static const char *const maps[] = {MAP("'a':'b'", "u"), MAP("'handover.dev/rehearsal':'qrst'", "other")};
    for (size_t i = 0; i < ARRAY_LEN(maps); i++) {
        struct stage st = {.targets = LIST(TARGET), .map_status = 200, .map = maps[i]};
        read_it(&st);
        assert_false(st.there);
        assert_has(st.denied.msg, "ConfigMap one-handover-rehearsal is not Handover's");
    }
}
CASE(no_map_and_no_right_to_it) {
    struct stage st = {.targets = LIST(TARGET), .map_status = 404, .map = "{'kind':'Status','code':404}"};
    read_it(&st);
    assert_true(!st.there && !st.denied.kind && !st.err.kind);
    struct stage no = {.targets = LIST(TARGET), .map_status = 403, .map = "{'kind':'Status','code':403}"};
    read_it(&no);
    assert_int_equal(no.denied.kind, ERR_FORBIDDEN);
}
CASE(no_such_target) {
    struct stage st = {.targets = LIST("")};
    read_it(&st);
    assert_string_equal(st.err.msg, "there is no deployment/one in namespace a");
}

CASES("cli/diff")
