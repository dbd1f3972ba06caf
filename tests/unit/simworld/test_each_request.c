/* Every request of a story fails in turn, each in one of many ways: an adoption, a good update, a bad one in whose middle the
 * leader is stopped. Whatever failed, the story ends as it does without a fault. A run tries each request in one way;
 * HANDOVER_FAULTS=all tries each in all, HANDOVER_FAULTS=INDEX:WAY one. */
#include "../case.h"
#include "stage.h"

enum { SEED = 7 };

static const struct {
    const char *name, *fault; /* fault NULL: the connection is refused */
} ways[] = {
    {"refused", NULL},
    {"lost", "{\"count\":1,\"dropBefore\":true}"},
    {"answer-lost", "{\"count\":1,\"dropAfter\":true}"},
    {"silent", "{\"count\":1,\"silent\":true,\"open\":false}"},
    {"500", "{\"count\":1,\"status\":500}"},
    {"503-retry-after", "{\"count\":1,\"status\":503,\"retryAfter\":2}"},
    {"429", "{\"count\":1,\"status\":429,\"retryAfter\":1}"},
    {"409", "{\"count\":1,\"status\":409}"},
    {"403", "{\"count\":1,\"status\":403}"},
    {"401", "{\"count\":1,\"status\":401}"},
    {"garbage", "{\"count\":1,\"status\":200,\"body\":\"<html>busy</html>\"}"},
    {"cut", "{\"count\":1,\"cutAfterBytes\":40}"},
};

struct story {
    struct stage *st;
    int seen, at; /* requests so far; the one that fails, -1: none */
    size_t way;
    const void *chosen; /* the target of that request, as its identity */
    char what[400];
};

static bool on_connect(void *ctx, const struct simrequest *r) {
    struct story *s = ctx;
    if (strcmp(r->to, "api") != 0 || (strcmp(r->from, "a") != 0 && strcmp(r->from, "b") != 0)) return false;
    if (s->seen++ != s->at) return false;
    (void)snprintf(s->what, sizeof s->what, "%s: %s %.300s", r->from, r->method, r->target);
    s->chosen = r->target;
    return ways[s->way].fault == NULL;
}

static void on_request(void *ctx, const struct simrequest *r) {
    struct story *s = ctx;
    if (!r->arrived || !s->chosen || r->target != s->chosen || !ways[s->way].fault) return;
    s->chosen = NULL;
    fault(s->st, ways[s->way].fault); /* for the next request that the server takes up, which is this one */
}

static bool somebody_leads(void *ctx) {
    return leader(ctx) >= 0;
}

/* What has to be the same at the end. */
static char *ending(struct stage *st) {
    struct buf b = BUF(1 << 16);
    cleanup_json cJSON *cm = get(st, STATE), *d = get(st, DEPLOYMENT);
    cleanup_json cJSON *s = json_parse(slice_of(json_str_or(json_get(cm, "data"), "state", "{}")), NULL);
    cleanup_json cJSON *sets = get(st, "/apis/apps/v1/namespaces/default/replicasets");
    buf_addf(&b, "%s, pods %d v1 %d v2 %d bad, %s, paused %d", leader(st) >= 0 ? "led" : "NOBODY LEADS",
             pods(st, "op:v1"), pods(st, "op:v2"), pods(st, "op:bad"), json_str_or(s, "phase", "-"),
             json_bool(json_get(d, "spec"), "paused", false));
    const cJSON *x;
    cJSON_ArrayForEach(x, json_arr(s, "history")) buf_addf(&b, ", %s", json_str_or(x, "result", "?"));
    cJSON_ArrayForEach(x, json_arr(sets, "items"))
        buf_addf(&b, ", %s %lld", json_str_or(json_get(x, "metadata"), "name", ""),
                 (long long)json_i64(json_get(x, "spec"), "replicas", -1));
    /* An Event may be lost with the request that fails, but nothing is reported twice. */
    static const char *const once[] = {"Adopted", "Promoted", "RolledBack"};
    for (size_t i = 0; i < ARRAY_LEN(once); i++)
        if (told(st, once[i], NULL) > 1) buf_addf(&b, ", %s twice", once[i]);
    return buf_take(&b);
}

/* The first phase that was not reached, or how it ended. */
static char *play(struct story *s) {
    struct stage *st = s->st = cluster(SEED);
    simworld_on_connect(st->sw, on_connect, s);
    simworld_on_request(st->sw, on_request, s);
    st->may_end = true;
    script(st, "{\"image\":\"*:bad\",\"errorRate\":0.4}");
    boot(st, 0);
    boot(st, 1);
    make_target(st, "op");
    patch(st, DEPLOYMENT, "{\"metadata\":{\"annotations\":{\"handover.dev/soak\":\"10s\"}}}");
    char *end = NULL;
    if (!reaches(st, "Stable", 200)) end = xstrdup("not adopted");
    if (!end) set_image(st, "op:v2");
    if (!end && !reaches(st, "Soaking", 200)) end = xstrdup("v2 is not tried");
    if (!end && !reaches(st, "Stable", 300)) end = xstrdup("v2 is not promoted");
    if (!end) set_image(st, "op:bad");
    if (!end && !reaches(st, "Starting", 100)) end = xstrdup("bad is not tried");
    if (!end && !simworld_run_until(st->sw, somebody_leads, st, 60 * NS_PER_S)) end = xstrdup("nobody leads");
    if (!end) app_stop(st->in[leader(st)].app, "SIGTERM");
    if (!end && !reaches(st, "RolledBack", 300)) end = xstrdup("bad is not rolled back");
    simworld_run(st->sw, 20 * NS_PER_S);
    if (!end) end = ending(st);
    stage_free(st);
    return end;
}

CASE(a_fault_anywhere_changes_nothing) {
    struct story clean = {.at = -1};
    cleanup_free char *want = play(&clean);
    const char *env = getenv("HANDOVER_FAULTS");
    int n = clean.seen, all = n * (int)ARRAY_LEN(ways), bad = 0;
    print_message("%d requests: %s\n", n, want);
    assert_non_null(strstr(want, "pods 0 v1 2 v2 0 bad, RolledBack"));
    int tried = 0;
    for (int i = 0; i < all; i++) {
        struct story s = {.at = i / (int)ARRAY_LEN(ways), .way = (size_t)i % ARRAY_LEN(ways)};
        if (!env && s.way != (size_t)(5 * s.at) % ARRAY_LEN(ways))
            continue; /* all ways at all parts of the story */
        cleanup_free char *me = xasprintf("%d:%s", s.at, ways[s.way].name);
        if (env && strcmp(env, "all") && strcmp(env, me)) continue;
        cleanup_free char *got = play(&s);
        tried++;
        if (strcmp(got, want) == 0) continue;
        bad++;
        print_message("%s (%s): %s\n", me, s.what, got);
    }
    print_message("%d of %d faults tried\n", tried, all);
    assert_int_equal(bad, 0);
}

CASES("simworld/each_request")
