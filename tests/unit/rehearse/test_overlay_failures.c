/* Which requests count as failed, and as what they are kept. */
#include "overlay_script.h"

static struct overlay *make(void) {
    return overlay_new(NULL, 1);
}
#define TEST_CASE(name) CASE_OF(struct overlay, o, make(), overlay_free, name)
#define PATCH()         with_body(ask(GATE_PATCH, "deployments", "web"), GATE_PATCH_MERGE, "{'spec':{'replicas':3}}")
#define CREATE(name)    with_body(ask(GATE_CREATE, "deployments", ""), GATE_JSON, "{'metadata':{" name "}}")
#define STATUS(code, reason, message, details)                                                               \
#code " {'kind':'Status','message':'" message "','reason':'" reason "','details':{" details              \
          "},'code':" #code "}"
#define LIVE                                                                                                 \
    "200 {'kind':'Deployment','metadata':{'name':'web','namespace':'ns','uid':'u','resourceVersion':'100'}}"

/* "COUNT WHAT: WHY|..." */
static void say(void *ctx, struct slice what, struct slice why, uint64_t count) {
    struct buf *b = ctx;
    buf_addf(b, "%s%d %.*s: %.*s", b->n ? "|" : "", (int)count, SLF(what), SLF(why));
}
static void expect(struct overlay *o, const char *want) {
    cleanup_buf struct buf b = BUF(1 << 20);
    overlay_failures(o, say, &b);
    assert_string_equal(buf_str(&b), want);
}
static const struct overlay_counts *counts(struct overlay *o) {
    return overlay_counts(o);
}

/* One mutation each: what the server answers to its dry run, and what is kept of it. */
CASE(mutations) {
    static const struct {
        const char *answer, *want;
        unsigned conflicts, refused;
    } v[] = {
        {LIVE, "", 0, 0},
        {STATUS(403, "Forbidden",
                "deployments.apps \\'web\\' is forbidden: User \\'op\\' cannot patch resource "
                "\\'deployments\\' in API group \\'apps\\' in the namespace \\'ns\\'",
                ""),
         "1 patch deployments.apps: 403 Forbidden: deployments.apps \"*\" is forbidden: User \"op\" cannot "
         "patch resource \"deployments\" in API group \"apps\" in the namespace \"*\"",
         0, 0},
        {STATUS(422, "Invalid", "no", ""), "1 patch deployments.apps: 422 Invalid: no", 0, 0},
        {STATUS(429, "TooManyRequests", "later", ""), "1 patch deployments.apps: 429 TooManyRequests: later",
         0, 0},
        {STATUS(409, "Conflict", "the object has been modified", ""), "", 1, 0},
        {STATUS(409, "AlreadyExists", "there", ""), "", 1, 0},
        {STATUS(409, "Conflict", "Apply failed with 1 conflict", ""), "", 1, 0}, /* of no apply */
        {STATUS(404, "NotFound", "gone", "'name':'web'"), "", 0, 0},
        {STATUS(404, "NotFound", "the server could not find the requested resource", ""),
         "1 patch deployments.apps: 404 NotFound: the server could not find the requested resource", 0, 0},
        {STATUS(400, "BadRequest", "admission webhook \\'w\\' does not support dry run", ""), "", 0, 1},
        {"503 ", "1 patch deployments.apps: 503 ServiceUnavailable", 0, 0},
        {"0 ", "1 patch deployments.apps: 504 Timeout: the API server did not answer the dry run", 0, 0},
        {STATUS(
             422, "Invalid",
             "spec.template: Invalid value: core.PodTemplateSpec{Env:[]core.EnvVar{core.EnvVar{Name:\\'A\\', "
             "Value:\\'x\\'}}}: field is immutable",
             ""),
         "1 patch deployments.apps: 422 Invalid: spec.template: Invalid value: {...}: field is immutable", 0,
         0},
        {STATUS(422, "Invalid", "patch: Invalid value: \\'{\\\\\\'a\\\\\\':1}\\': cannot be read", ""),
         "1 patch deployments.apps: 422 Invalid: patch: Invalid value: {...}: cannot be read", 0, 0},
        {STATUS(500, "InternalError",
                "failed to create typed patch object (ns/web; apps/v1, Kind=Deployment): xns/web, ns/web-2",
                ""),
         "1 patch deployments.apps: 500 InternalError: failed to create typed patch object (*; apps/v1, "
         "Kind=Deployment): xns/web, ns/web-2",
         0, 0},
        {STATUS(422, "Invalid", "a: Invalid value: map[b:c], and no end", ""),
         "1 patch deployments.apps: 422 Invalid: a: Invalid value: {...}", 0, 0},
        {STATUS(422, "Invalid",
                "[a: Invalid value: 1: small, b: Required value: is missing, c: Unsupported value: \\'x\\']",
                ""),
         "1 patch deployments.apps: 422 Invalid: [a: Invalid value: 1: small, b: Required value: is missing, "
         "c: Unsupported value: \"x\"]",
         0, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        struct overlay *o = make();
        print_message("%s\n", v[i].answer);
        (void)carried_out(o, PATCH(), (const char *const[]){LIVE, v[i].answer, NULL});
        expect(o, v[i].want);
        assert_int_equal(counts(o)->conflicts, v[i].conflicts);
        assert_int_equal(counts(o)->refused, v[i].refused);
        assert_int_equal(counts(o)->failed, v[i].want[0] != 0);
        assert_int_equal(counts(o)->lost_writes,
                         v[i].want[0] != 0 || v[i].refused ||
                             (v[i].conflicts && !strstr(v[i].answer, "AlreadyExists")));
        overlay_free(o);
    }
}

/* What another manager owns: that does not get better by itself. */
TEST_CASE(an_apply_in_conflict) {
    struct gate_request r =
        with_body(ask(GATE_PATCH, "deployments", "web"), GATE_APPLY, "{'metadata':{'name':'web'}}");
    (void)carried_out(
        o, r,
        (const char *const[]){
            LIVE,
            STATUS(409, "Conflict",
                   "Apply failed with 1 conflict: conflict with \\'kubectl\\': .spec.replicas", ""),
            NULL});
    expect(o, "1 patch deployments.apps: 409 Conflict: Apply failed with 1 conflict: conflict with "
              "\"kubectl\": .spec.replicas");
    assert_int_equal(counts(o)->conflicts, 0);
}

/* Many objects, one failure. What is not there to be created in is one, though the object has its name. */
TEST_CASE(names_are_left_out) {
    const char *const denied[] = {
        STATUS(403, "Forbidden", "deployments.apps \\'a\\' is forbidden: exceeded quota", ""),
        STATUS(403, "Forbidden", "deployments.apps \\'b\\' is forbidden: exceeded quota", ""),
        STATUS(403, "Forbidden", "deployments.apps \\'run-x2z4b\\' is forbidden: exceeded quota", ""),
        STATUS(403, "Forbidden", "deployments.apps \\'run-x2z4bc\\' is forbidden: exceeded quota", ""),
        STATUS(404, "NotFound", "namespaces \\'ns\\' not found", "'name':'ns'")};
    const struct gate_request r[] = {CREATE("'name':'a'"), CREATE("'name':'b'"),
                                     CREATE("'generateName':'run-'"), CREATE("'generateName':'run-'"),
                                     CREATE("'name':'ns'")};
    for (size_t i = 0; i < ARRAY_LEN(r); i++)
        (void)carried_out(o, r[i], (const char *const[]){denied[i], NULL});
    expect(o, "3 create deployments.apps: 403 Forbidden: deployments.apps \"*\" is forbidden: exceeded quota|"
              "1 create deployments.apps: 403 Forbidden: deployments.apps \"run-x2z4bc\" is forbidden: "
              "exceeded quota|"
              "1 create deployments.apps: 404 NotFound: namespaces \"*\" not found");
    assert_int_equal(counts(o)->failed, 5);
}

TEST_CASE(what_the_rehearsal_itself_refuses_is_no_failure) {
    struct gate_request r =
        with_body(ask(GATE_PATCH, "widgets", "web"), GATE_PATCH_MERGE, "{'spec':{'replicas':1}}");
    r.group = SL("example.com");
    r.sub = SL("scale");
    (void)carried_out(
        o, r,
        (const char *const[]){
            "200 "
            "{'kind':'Widget','metadata':{'name':'web','namespace':'ns','uid':'u','resourceVersion':'100'}}",
            NULL});
    assert_true(counts(o)->refused > 0);
    expect(o, "");
    assert_int_equal(counts(o)->failed, 0);
}

/* Reads: what does not get better by asking again. */
CASE(reads) {
    static const struct {
        enum gate_kind kind;
        const char *name;
        int status;
        const char *details, *want;
    } v[] = {
        {GATE_LIST, "", 200, "", ""},
        {GATE_LIST, "", 403, "", "1 list deployments.apps: 403 Forbidden: m"},
        {GATE_WATCH, "", 403, "", "1 watch deployments.apps: 403 Forbidden: m"},
        {GATE_GET, "web", 403, "'name':'web'", "1 get deployments.apps: 403 Forbidden: m"},
        {GATE_REVIEW, "", 403, "", "1 create deployments.apps: 403 Forbidden: m"},
        {GATE_LIST, "", 404, "", "1 list deployments.apps: 404 NotFound: m"},
        {GATE_GET, "web", 404, "'name':'web'", ""},
        {GATE_GET, "web", 404, "", "1 get deployments.apps: 404 NotFound: m"},
        {GATE_LIST, "", 400, "", "1 list deployments.apps: 400 BadRequest: m"},
        {GATE_LIST, "", 500, "", "1 list deployments.apps: 500 InternalError: m"}, /* a conversion webhook */
        {GATE_WATCH, "", 410, "", ""},
        {GATE_LIST, "", 429, "", ""},
        {GATE_LIST, "", 503, "", ""},
        {GATE_LIST, "", 504, "", ""},
        {GATE_PASS, "", 403, "", "1 get deployments.apps: 403 Forbidden: m"},
        {GATE_PASS, "", 404, "", ""},
        {GATE_PASS, "", 500, "", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        struct overlay *o = make();
        cleanup_free char *body = xasprintf("{'message':'m','details':{%s}}", v[i].details);
        struct gate_request r = ask(v[i].kind, "deployments", v[i].name);
        print_message("%d %d\n", (int)v[i].kind, v[i].status);
        overlay_read_failed(o, &r, v[i].status, slice_of(quoted(body)));
        expect(o, v[i].want);
        assert_int_equal(counts(o)->failed, v[i].want[0] != 0);
        assert_int_equal(counts(o)->lost_writes, 0);
        overlay_free(o);
    }
}

TEST_CASE(reads_of_no_objects) {
    struct gate_request log = {.kind = GATE_PASS,
                               .resource = SL("pods"),
                               .ns = SL("n"),
                               .name = SL("p"),
                               .sub = SL("log"),
                               .path = SL("/api/v1/namespaces/n/pods/p/log")},
                        path = {.kind = GATE_PASS, .path = SL("/apis")},
                        metrics = {.kind = GATE_PASS,
                                   .group = SL("metrics.k8s.io"),
                                   .path = SL("/apis/metrics.k8s.io/v1/pods/p")};
    overlay_read_failed(o, &log, 403, SL(""));
    overlay_read_failed(o, &path, 403, SL("no JSON\nat all"));
    overlay_read_failed(o, &metrics, 403, SL(""));
    expect(o, "1 get pods/log: 403 Forbidden|1 get /apis: 403 Forbidden: no JSON|1 get metrics.k8s.io: 403 "
              "Forbidden");
}

/* What has no room is counted; it makes the report of objects none that is not whole. */
TEST_CASE(more_than_there_is_room_for) {
    struct gate_request r = ask(GATE_LIST, "deployments", "");
    for (int i = 0; i < 203; i++) {
        char body[64];
        snprintf(body, sizeof body, "number %d", i);
        overlay_read_failed(o, &r, 400, slice_of(body));
        overlay_read_failed(o, &r, 400, slice_of(body));
    }
    cleanup_buf struct buf b = BUF(1 << 20);
    overlay_failures(o, say, &b);
    assert_has(buf_str(&b), "|2 list deployments.apps: 400 BadRequest: number 199");
    assert_lacks(buf_str(&b), "number 200");
    assert_int_equal(counts(o)->unnamed, 6);
    assert_int_equal(counts(o)->failed, 406);
    assert_false(counts(o)->full);
    /* Cut, and not in the middle of what is only known as a secret by its end. */
    for (int url = 0; url < 2; url++) {
        cleanup_free char *text = xcalloc(1, 5001);
        for (int i = 0; i < 5000; i++) text[i] = i % 10 ? 'x' : ' ';
        if (url) memcpy(text + 440, "pg://u:hunter2hunter2hunter2hunter2hunter2hunter2hunter2@db", 60);
        struct overlay *other = make();
        overlay_read_failed(other, &r, 400, slice_make(text, 5000));
        buf_clear(&b);
        overlay_failures(other, say, &b);
        assert_in_range(b.n, url ? 450 : 500, 560);
        assert_lacks(buf_str(&b), "hunter2");
        overlay_free(other);
    }
}

CASES("rehearse/overlay_failures")
