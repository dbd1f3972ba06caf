/* What the version in service would do as well is not the update's doing; nothing else is taken away. */
#include "report_random.h"

struct pair {
    struct report *update, *control;
};
static void prepare(struct pair *p) {
    *p = (struct pair){report_new(NULL), report_new(NULL)};
}
static void finish(struct pair *p) {
    report_free(p->update);
    report_free(p->control);
}
#define PAIR_CASE(name) CASE_WITH(struct pair, p, prepare, finish, name)

static void left(struct pair *p, const char *want) {
    report_subtract(p->update, p->control);
    expect_found(p->update, want);
}

PAIR_CASE(the_same_fields_to_the_same_values) {
    add(p->control, "", "Thing", "{'spec':{'a':1,'b':1},'status':{'at':'2026-11-23T18:16:33Z'}}",
        "{'spec':{'a':2,'b':2},'status':{'at':'2026-11-24T18:16:33Z'}}");
    add(p->update, "", "Thing", "{'spec':{'a':1,'b':1},'status':{'at':'2026-11-23T18:16:33Z'}}",
        "{'spec':{'a':2,'b':3,'c':4},'status':{'at':'2026-11-24T20:00:00Z'}}");
    left(p, "changed Thing x\n  spec.b: 1 -> 3\n  spec.c: - -> 4\n");
    cleanup_free char *text = json_of(p->update);
    assert_has(text, "\"taken\":{\"objects\":0,\"fields\":2,\"others\":0}");
}

PAIR_CASE(the_whole_of_an_object) {
    add(p->control, "", "Thing", "{'spec':{'a':1}}", "{'spec':{'a':2,'c':3}}");
    add(p->update, "", "Thing", "{'spec':{'a':1}}", "{'spec':{'a':2}}");
    add(p->control, "", "Thing", "{'metadata':{'name':'d'}}", NULL);
    add(p->update, "", "Thing", "{'metadata':{'name':'d'}}", NULL);
    add(p->update, "", "Thing", "{'metadata':{'name':'e'}}", NULL);
    left(p, "deleted Thing e\n");
    expect_line(p->update, "1 object deleted");
}

/* What else changes in what both delete is no matter: it goes. */
PAIR_CASE(what_both_delete_and_its_finalizers_hold) {
    add(p->control, "", "Thing", "{'metadata':{'name':'d'}}",
        "{'metadata':{'name':'d','deletionTimestamp':'2026-11-24T18:16:33Z'},'status':{'a':1}}");
    add(p->update, "", "Thing", "{'metadata':{'name':'d'}}",
        "{'metadata':{'name':'d','deletionTimestamp':'2026-11-24T18:16:34Z'},'status':{'a':2}}");
    left(p, "");
}

/* The live self was between both: what it does is seen of ours alone, or of the control's alone. */
PAIR_CASE(what_came_about_live) {
    const int64_t quick = 1000;
    add_row(p->update, "", "Thing", "{'metadata':{'name':'ours'}}", NULL, 1, 0, true);
    add_row(p->control, "", "Thing", "{'metadata':{'name':'theirs'}}", NULL, 1, 0, true);
    add(p->update, "", "Thing", "{'metadata':{'name':'theirs'}}", NULL);
    add_row(p->update, "", "Thing", "{'metadata':{'name':'loop'}}",
            "{'metadata':{'name':'loop'},'spec':{'a':1}}", 50, quick, true);
    add(p->update, "", "Thing", "{'metadata':{'name':'own'}}", NULL);
    assert_int_equal(report_count(p->update, REPORT_DELETES), 2);
    left(p, "deleted Thing own\nnone Thing loop\n");
    assert_int_equal(report_count(p->update, REPORT_HOT), 1);
    cleanup_free char *text = json_of(p->update);
    assert_has(text, "\"taken\":{\"objects\":1,\"fields\":0,\"others\":0,\"met\":1}");
}

/* What is in no row is said, each for its own reason. */
PAIR_CASE(what_was_left_out) {
    add(p->control, "", "Thing", "{'metadata':{'name':'a'}}", NULL);
    add(p->update, "", "Thing", "{'metadata':{'name':'a'}}", NULL);
    add_row(p->update, "", "Thing", "{'metadata':{'name':'b'}}", NULL, 1, 0, true);
    report_set_run(p->update, &(struct report_run){.superseded = 3});
    report_subtract(p->update, p->control);
    cleanup_free char *text = text_of(p->update, 0);
    assert_string_equal(
        text, "changes nothing\n\nWithout what the version in service would do as well: 1 object\n"
              "Without what came about live, or others changed since: 1 object\n"
              "Without 3 objects that it wrote, changed elsewhere by others since and not written again\n");
}

/* Counted nowhere, kept for who compares: also as JSON. */
PAIR_CASE(what_came_about_live_without_a_control) {
    add_row(p->update, "apps", "Deployment", "{'spec':{'template':{'a':1}}}", "{'spec':{'template':{'a':2}}}",
            1, 0, true);
    add_row(p->update, "", "Thing", "{'metadata':{'name':'t'},'status':{'at':'2026-11-23T18:16:33Z'}}",
            "{'metadata':{'name':'t'},'status':{'at':'2026-11-24T18:16:33Z'}}", 1, 0, true);
    cleanup_free char *empty = digest_of(p->control), *text = json_of(p->update),
                      *digest = digest_of(p->update);
    assert_string_equal(digest, empty);
    expect_line(p->update, "changes nothing");
    assert_true(report_empty(p->update));
    cleanup_report struct report *again = NULL;
    assert_int_equal(report_read(slice_of(text), &again, NULL), 0);
    cleanup_free char *second = json_of(again);
    assert_string_equal(second, text);
    assert_has(text, "\"met\":true");
    report_subtract(again, NULL);
    expect_found(again, "");
}

/* Another kind, group, namespace or name is another object; another change another matter. */
PAIR_CASE(what_is_not_the_same_object) {
    add(p->control, "", "Thing", "{'metadata':{'name':'a'}}", NULL);
    add(p->update, "", "Thong", "{'metadata':{'name':'a'}}", NULL);
    add(p->update, "x.y", "Thing", "{'metadata':{'name':'a'}}", NULL);
    add(p->update, "", "Thing", "{'metadata':{'name':'a','namespace':'n'}}", NULL);
    add(p->update, "", "Thing", "{'metadata':{'name':'a'}}", "{'metadata':{'name':'a'},'spec':{'b':1}}");
    add(p->control, "", "Thing", "{'metadata':{'name':'b'}}", "{'metadata':{'name':'b'},'spec':{'b':1}}");
    add(p->update, "", "Thing", "{'metadata':{'name':'b'}}", NULL);
    report_subtract(p->update, p->control);
    assert_int_equal(report_count(p->update, REPORT_DELETES), 4);
    assert_int_equal(report_count(p->update, REPORT_CHANGES), 1);
}

/* A restart that the version in service would cause as well is no reason to hold the update; its own is. */
PAIR_CASE(restarts) {
    add(p->control, "apps", "Deployment", "{'spec':{'template':{'a':1}}}", "{'spec':{'template':{'a':2}}}");
    add(p->update, "apps", "Deployment", "{'spec':{'template':{'a':1}}}",
        "{'spec':{'template':{'a':2},'x':1}}");
    report_subtract(p->update, p->control);
    expect_line(p->update, "1 object changed");
}

/* The same of what is scaled down. */
PAIR_CASE(stops) {
    add(p->control, "apps", "Deployment", "{'spec':{'replicas':5}}", "{'spec':{'replicas':3}}");
    add(p->update, "apps", "Deployment", "{'spec':{'replicas':5}}", "{'spec':{'replicas':3,'x':1}}");
    report_subtract(p->update, p->control);
    expect_line(p->update, "1 object changed");
    assert_int_equal(report_count(p->update, REPORT_PODS), 0);
}

PAIR_CASE(what_is_scaled_down_further) {
    add(p->control, "apps", "Deployment", "{'spec':{'replicas':5}}", "{'spec':{'replicas':4}}");
    add(p->update, "apps", "Deployment", "{'spec':{'replicas':5}}", "{'spec':{'replicas':3}}");
    report_subtract(p->update, p->control);
    expect_line(p->update, "1 workload would shrink (2 pods)");
}

PAIR_CASE(what_both_create) {
    add(p->control, "", "Thing", NULL, "{'metadata':{'name':'same','uid':'1'},'spec':{'a':1}}");
    add(p->update, "", "Thing", NULL, "{'metadata':{'name':'same','uid':'2'},'spec':{'a':1}}");
    add(p->control, "", "Thing", NULL, "{'metadata':{'name':'other'},'spec':{'a':1,'b':1,'gone':1}}");
    add(p->update, "", "Thing", NULL, "{'metadata':{'name':'other'},'spec':{'a':1,'b':2,'new':1}}");
    left(p, "created Thing other\n  spec.b: 1 -> 2\n  spec.new: - -> 1\n  spec.gone: 1 -> -\n");
    cleanup_free char *text = text_of(p->update, 0);
    assert_has(text, "differs from what the version in service would create");
}

#define JOB(name, owner, image)                                                                              \
    "{'metadata':{'name':'" name "','generateName':'run-','ownerReferences':[{'kind':'Task','name':'" owner  \
    "','uid':'0e8a1b9c-0000-0000-0000-00000000000" owner "','controller':true}]},'spec':{'image':'" image    \
    "','self':'" name "'}}"

/* As many of them as the control made; which is which does not matter, their content does. */
PAIR_CASE(generated_names) {
    add(p->control, "batch", "Job", NULL, JOB("run-x", "1", "v1"));
    add(p->control, "batch", "Job", NULL, JOB("run-y", "1", "v1"));
    add(p->update, "batch", "Job", NULL, JOB("run-a", "1", "v2"));
    add(p->update, "batch", "Job", NULL, JOB("run-b", "1", "v1"));
    add(p->update, "batch", "Job", NULL, JOB("run-c", "2", "v1"));
    left(p, "created Job run-a\n  spec.image: 'v1' -> 'v2'\n"
            "created Job run-c\n  metadata.ownerReferences[Task/2]: - -> "
            "{'controller':true,'kind':'Task','name':'2','uid':'0e8a1b9c-0000-0000-0000-000000000002'}\n"
            "  spec.image: - -> 'v1'\n  spec.self: - -> 'run-c'\n");
}

PAIR_CASE(deleted_pods_by_their_number) {
#define POD(name)                                                                                            \
    "{'metadata':{'name':'" name "','generateName':'web-','ownerReferences':[{'kind':'StatefulSet','name':'" \
    "web','apiVersion':'apps/v1','controller':true}]}}"
    add(p->control, "", "Pod", POD("web-1"), NULL);
    add(p->update, "", "Pod", POD("web-2"), NULL);
    add(p->update, "", "Pod", POD("web-3"), NULL);
    report_subtract(p->update, p->control);
    expect_line(p->update, "1 workload would restart (1 pod), 1 object deleted");
}

/* Of what had no room only the sum is known: it is taken if it is the very same. */
CASE(what_had_no_room) {
    for (int same = 0; same < 2; same++) {
        struct report *made[2];
        for (int k = 0; k < 2; k++) {
            made[k] = report_new(&(struct report_limits){.objects = 1});
            add(made[k], "", "PersistentVolumeClaim", "{'metadata':{'name':'a'}}", NULL);
            add(made[k], "", "Thing", NULL,
                k && !same ? "{'metadata':{'name':'b'},'spec':{'x':1}}"
                           : "{'metadata':{'name':'b'},'spec':{'x':2}}");
        }
        report_subtract(made[0], made[1]);
        expect_line(made[0], same ? "changes nothing" : "1 object created");
        report_free(made[0]);
        report_free(made[1]);
    }
}

/* Hidden values can not be compared: both change it, and that is all that is known. */
PAIR_CASE(secrets_that_both_change) {
    add(p->control, "", "Secret", "{'data':{'a':'eA=='}}", "{'data':{'a':'eQ=='}}");
    add(p->update, "", "Secret", "{'data':{'a':'eA=='}}", "{'data':{'a':'eg==','b':'eg=='}}");
    left(p, "changed Secret x\n  data.b: - -> (hidden)\n");
}

PAIR_CASE(refusals_failures_events_and_hot_objects) {
    report_refusal(p->control, SL("a"), SL("why"), 1);
    report_refusal(p->update, SL("a"), SL("why"), 9);
    report_refusal(p->update, SL("a"), SL("why not"), 1);
    report_failure(p->control, SL("list a"), SL("403 Forbidden"), 1);
    report_failure(p->update, SL("list a"), SL("403 Forbidden"), 9);
    report_failure(p->update, SL("list b"), SL("403 Forbidden"), 1);
    report_failure(p->update, SL("list a"), SL("404 NotFound"), 1);
    report_event(p->control, SL("Warning"), SL("R"), SL("tried 3 times"), SL("Pod"), SL("n"), SL("p"), 1);
    report_event(p->update, SL("Warning"), SL("R"), SL("tried 4 times"), SL("Pod"), SL("n"), SL("p"), 1);
    report_event(p->update, SL("Warning"), SL("S"), SL("m"), SL("Pod"), SL("n"), SL("p"), 1);
    for (int i = 0; i < 2; i++) {
        const char *both = "{'metadata':{'name':'b'}}", *changed = "{'metadata':{'name':'b'},'spec':{'a':1}}";
        add_written(i ? p->update : p->control, "", "Hot", both, changed, 20, 0);
        both = "{'metadata':{'name':'c'}}", changed = "{'metadata':{'name':'c'},'spec':{'a':1}}";
        add_written(i ? p->update : p->control, "", "Hot", both, changed, i ? 20 : 1, 0);
    }
    left(p, "none Hot c\n");
    cleanup_free char *text = json_of(p->update);
    assert_has(text, "\"refused\":1,\"failed\":2,\"times\":0}");
    assert_has(text, "\"taken\":{\"objects\":1,\"fields\":2,\"others\":3}");
    assert_lacks(text, "tried");
}

/* Failures that are not named: as many as the control has are taken for the same. */
PAIR_CASE(failures_that_have_no_room) {
    report_set_run(p->control, &(struct report_run){.failed = 3, .unnamed = 3});
    report_set_run(p->update, &(struct report_run){.failed = 4, .unnamed = 4});
    left(p, "");
    assert_int_equal(report_count(p->update, REPORT_FAILED), 1);
    report_set_run(p->update, &(struct report_run){.failed = 3, .unnamed = 3});
    left(p, "");
    assert_int_equal(report_count(p->update, REPORT_FAILED), 0);
}

static struct report *copy(const struct report *r) {
    cleanup_free char *text = json_of(r);
    struct report *back = NULL;
    assert_int_equal(report_read(slice_of(text), &back, NULL), 0);
    return back;
}

/* Of any two: of a version and itself nothing is left, without a control all, and it is the same whether the two came as JSON. */
SEEDS_CASE(300, laws) {
    struct rng r = {seed};
    cleanup_report struct report *a = random_report(&r), *b = random_report(&r), *none = report_new(NULL);
    cleanup_report struct report *itself = copy(a), *alone = copy(a), *read = copy(a),
                                 *read_control = copy(b);
    report_subtract(itself, a);
    cleanup_free char *line = line_of(itself);
    cleanup_report struct report *nothing = report_new(NULL);
    cleanup_free char *empty = digest_of(nothing), *digest = digest_of(itself);
    if (!report_empty(itself) || strcmp(empty, digest) != 0 || report_count(itself, REPORT_HOT) ||
        report_count(itself, REPORT_REFUSED) || report_count(itself, REPORT_FAILED) ||
        report_count(itself, REPORT_STOPS) || report_count(itself, REPORT_PODS) ||
        report_count(itself, REPORT_RESTARTS) || report_count(itself, REPORT_FINALIZERS))
        fail_seed(seed, "left of itself: %s", line);
    report_subtract(alone, none);
    cleanup_free char *was = json_of(a), *is = json_of(alone);
    if (strcmp(was, is) != 0) fail_seed(seed, "without a control:\n%s\n%s", was, is);
    uint64_t before =
        report_count(a, REPORT_CREATES) + report_count(a, REPORT_CHANGES) + report_count(a, REPORT_DELETES);
    report_subtract(read, read_control);
    report_subtract(a, b);
    cleanup_free char *one = json_of(a), *two = json_of(read);
    if (strcmp(one, two) != 0) fail_seed(seed, "read back:\n%s\n%s", one, two);
    if (report_count(a, REPORT_CREATES) + report_count(a, REPORT_CHANGES) + report_count(a, REPORT_DELETES) >
        before)
        fail_seed(seed, "more than before");
}

/* The order in which either report was made does not matter. */
SEEDS_CASE(100, order) {
    struct report *made[2][2];
    for (int k = 0; k < 2; k++) {
        struct rng r = {seed};
        for (int c = 0; c < 2; c++) {
            uint64_t n = 1 + rng_below(&r, 8), first = rng_next(&r);
            made[k][c] = report_new(NULL);
            for (uint64_t i = 0; i < n; i++) {
                uint64_t which = k ? n - 1 - i : i;
                struct rng own = {first + which};
                random_row_of(&own, made[k][c], (unsigned)(which / 4),
                              (unsigned)(which % 4)); /* each object once */
            }
        }
        report_subtract(made[k][0], made[k][1]);
    }
    cleanup_free char *one = json_of(made[0][0]), *two = json_of(made[1][0]);
    if (strcmp(one, two) != 0) fail_seed(seed, "%s\n%s", one, two);
    for (int k = 0; k < 4; k++) report_free(made[k / 2][k % 2]);
}

CASES("rehearse/report_control")
