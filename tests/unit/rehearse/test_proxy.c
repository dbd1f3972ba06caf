/* The proxy of a rehearsal: as whom it asks, what it refuses, how answers pass. */
#include "proxy_impl.h"
#include "proxy_kit.h"
#include <errno.h>

#define POD "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"p\",\"namespace\":\"n\"}}"

/* ---- at the start ---- */

CASE(what_the_api_server_serves) {
    static const char crds[] =
        "{\"kind\":\"PartialObjectMetadataList\",\"metadata\":{\"resourceVersion\":\"5\"},"
        "\"items\":[{\"metadata\":{\"name\":\"ts.things.io\"}},{\"metadata\":{\"name\":\"x\"}}]}";
    static const char *const far[] = {"far.io", NULL};
    static const struct {
        int services, definitions; /* statuses; 0: not asked */
        const char *const *local;
        bool things, far, other; /* may their objects be written? */
    } cases[] = {{200, 0, NULL, true, false, false},
                 {200, 0, far, true, true, false},
                 {403, 200, NULL, true, false, false},
                 {403, 403, far, false, true, false},
                 {404, 0, NULL, true, true, true}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct stage *s = stage_bare("tokenFile: /k/token");
        s->local_groups = cases[i].local;
        stage_start(s);
        assert_string_equal(fake_one(s->f)->url, BASE "/version");
        assert_true(fake_has_header(fake_one(s->f), "Authorization: Bearer tok1"));
        fake_answer(fake_one(s->f), 200, "{}");
        assert_string_equal(fake_one(s->f)->url, BASE "/apis/apiregistration.k8s.io/v1/apiservices");
        fake_answer(fake_one(s->f), cases[i].services, cases[i].services == 200 ? SERVICES : "{}");
        if (cases[i].definitions) {
            assert_has(fake_one(s->f)->url, "/customresourcedefinitions");
            assert_has(buf_str(&fake_one(s->f)->headers), "as=PartialObjectMetadataList");
            fake_answer(fake_one(s->f), cases[i].definitions, cases[i].definitions == 200 ? crds : "{}");
        }
        assert_int_equal(s->ready, 1);
        const struct gate_groups g = proxy_groups(s->p);
        const struct {
            const char *path;
            bool may;
        } writes[] = {{"/apis/things.io/v1/namespaces/n/things", cases[i].things},
                      {"/apis/far.io/v1/namespaces/n/things", cases[i].far},
                      {"/apis/other.io/v1/namespaces/n/things", cases[i].other},
                      {"/apis/apps/v1/namespaces/n/deployments", true}};
        for (size_t w = 0; w < ARRAY_LEN(writes); w++) {
            struct gate_header h = {.content_type = SL("application/json")};
            struct gate_request r;
            struct err e;
            int status = 0,
                may = gate_parse(SL("POST"), slice_of(writes[w].path), &h, SL(POD), &g, &r, &status, &e);
            assert_int_equal(may == 0, writes[w].may);
            if (may == 0) gate_free(&r);
        }
        stage_free(s);
    }
}

CASE(no_start) {
    static const struct {
        int failing; /* the how manieth request */
        int status;  /* 0: no answer at all */
        enum err_kind kind;
    } cases[] = {{1, 0, ERR_TRANSPORT}, {1, 500, ERR_SERVER}, {2, 503, ERR_SERVER}, {2, 200, ERR_PROTOCOL}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct stage *s = stage_bare("tokenFile: /k/token");
        stage_start(s);
        if (cases[i].failing == 2) fake_answer(fake_one(s->f), 200, "{}");
        if (cases[i].status) fake_answer(fake_one(s->f), cases[i].status, "{\"kind\":\"Nothing\"}");
        if (!cases[i].status) fake_fail(fake_one(s->f), ERR_TRANSPORT, "connection refused");
        assert_int_equal(s->ready, 1);
        assert_int_equal(s->err.kind, cases[i].kind);
        assert_has(s->err.msg, "asking the API server what it serves");
        assert_false(s->f->a.listening);
        stage_free(s);
    }
    struct stage *s = stage_bare("tokenFile: /k/token"); /* stopped before it was ready */
    stage_start(s);
    stage_free(s);
    s = stage_bare("tokenFile: /k/token");
    s->f->a.listen_error = -EADDRINUSE;
    stage_start(s);
    fake_answer(fake_one(s->f), 200, "{}");
    fake_answer(fake_one(s->f), 200, SERVICES);
    assert_int_equal(s->err.errnum, -EADDRINUSE);
    stage_free(s);
}

/* ---- as whom ---- */

#define CERTIFIED                                                                                            \
    "tokenFile: /k/token, client-certificate-data: "                                                         \
    "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCkFBQUEKLS0tLS1FTkQgQ0VSVElGSUNBVEUtLS0tLQo=, client-key-data: "    \
    "LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCkFBQUEKLS0tLS1FTkQgUFJJVkFURSBLRVktLS0tLQo="

CASE(identities) {
    static const struct {
        const char *name, *value; /* of a header of the operator; NULL: none */
        const char *sent;         /* a header of the request that leaves; NULL: none leaves */
        bool certified;           /* with our client certificate */
    } cases[] = {
        {"Authorization", "Bearer " TOKEN, "Authorization: Bearer tok1", true},
        {"authorization", "bearer  " TOKEN " ", "Authorization: Bearer tok1", true},
        {"Authorization", "Bearer " TOKEN "x", "Authorization: Bearer " TOKEN "x", false},
        {"Authorization", "Bearer rehearsal-token-of-the-tesT",
         "Authorization: Bearer rehearsal-token-of-the-tesT", false},
        {"Authorization", "Bearer other", "Authorization: Bearer other", false},
        {"Authorization", "Bearer ", NULL, false},
        {"Authorization", "Basic " TOKEN, NULL, false},
        {"X-Nothing", "x", NULL, false},
    };
    struct stage *s = stage_as(CERTIFIED);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        ANSWER(a);
        OPERATOR(s, &a, "GET", "/version", "", cases[i].name, cases[i].value);
        if (!cases[i].sent) {
            assert_int_equal(fake_open(s->f), 0);
            answered(&a, 401, "\"reason\":\"Unauthorized\"");
            continue;
        }
        assert_true(fake_has_header(fake_one(s->f), cases[i].sent));
        assert_int_equal(fake_one(s->f)->certified, cases[i].certified);
        fake_answer(fake_one(s->f), 200, "{\"x\":1}");
        answered(&a, 200, "{\"x\":1}");
    }
    stage_free(s);
}

STAGE_CASE(what_passes_of_a_request) {
    ANSWER(a);
    OPERATOR(s, &a, "GET", "/api/v1/namespaces/n/pods/p", "", OURS, "User-Agent", "op/1", "Impersonate-User",
             "bob", "impersonate-Extra-scopes", "a", "Impersonate-Group", "g1", "Impersonate-Group", "g2",
             "Cookie", "c", "X-Forwarded-For", "1.2.3.4", "Accept",
             "application/vnd.kubernetes.protobuf, application/json");
    assert_string_equal(buf_str(&fake_one(s->f)->headers),
                        "User-Agent: op/1\nImpersonate-User: bob\nimpersonate-Extra-scopes: a\n"
                        "Impersonate-Group: g1\nImpersonate-Group: g2\nAuthorization: Bearer tok1\n"
                        "Accept: application/json\nAccept-Encoding: identity\n");
    assert_int_equal(fake_one(s->f)->lane, LANE_CALL);
}

/* A token that has expired is read anew, once; what the operator shows itself is its own business. */
STAGE_CASE(refused_credentials) {
    GETS(s, a, "/version");
    fake_file(s->f, "/k/token", "tok2");
    fake_answer(fake_one(s->f), 401, "{\"old\":1}");
    assert_int_equal(a.status, 0);
    assert_true(fake_has_header(fake_one(s->f), "Authorization: Bearer tok2"));
    fake_answer(fake_one(s->f), 401, "{\"still\":1}");
    answered(&a, 401, "still");
    assert_lacks(buf_str(&a.body), "old");
    ANSWER(b);
    OPERATOR(s, &b, "GET", "/version", "", "Authorization", "Bearer other");
    fake_answer(fake_one(s->f), 401, "{\"old\":1}");
    answered(&b, 401, "old");
    assert_int_equal(fake_open(s->f), 0);
}

/* The API server closes the connection behind a 401, and its body may be lost with it: it is a 401 all the same. */
STAGE_CASE(refused_credentials_without_a_body) {
    struct err lost = {0};
    err_set(&lost, ERR_TRANSPORT, -ECONNRESET, "Transferred a partial file");
    GETS(s, a, "/api/v1/namespaces/n/pods/p");
    fake_file(s->f, "/k/token", "tok2");
    fake_head(fake_one(s->f), 401, NULL, NULL);
    fake_end(fake_one(s->f), &lost);
    assert_int_equal(a.status, 0);
    assert_true(fake_has_header(fake_one(s->f), "Authorization: Bearer tok2"));
    fake_head(fake_one(s->f), 401, NULL, NULL);
    fake_end(fake_one(s->f), &lost);
    answered(&a, 401, "\"reason\":\"Unauthorized\"");
    ANSWER(b);
    OPERATOR(s, &b, "POST", "/api/v1/namespaces/n/pods", "{\"metadata\":{\"name\":\"p\"}}", "Authorization",
             "Bearer other");
    fake_head(fake_one(s->f), 401, NULL, NULL);
    fake_end(fake_one(s->f), &lost);
    answered(&b, 401, "\"reason\":\"Unauthorized\"");
    ANSWER(c); /* what was cut in its body was cut */
    OPERATOR(s, &c, "GET", "/api/v1/namespaces/n/pods/p", "", "Authorization", "Bearer other");
    fake_head(fake_one(s->f), 401, NULL, NULL);
    fake_body(fake_one(s->f), "{\"kind\":");
    fake_end(fake_one(s->f), &lost);
    answered(&c, 503, "partial file");
    GETS(s, e, "/api/v1/namespaces/n/pods/p"); /* and of the second attempt there is no answer at all */
    fake_head(fake_one(s->f), 401, NULL, NULL);
    fake_end(fake_one(s->f), &lost);
    fake_end(fake_one(s->f), &lost);
    answered(&e, 503, "partial file");
    assert_int_equal(fake_open(s->f), 0);
}

/* ---- what cannot be ---- */

static void add_line(void *ctx, struct slice what, struct slice why, uint64_t count) {
    buf_addf(ctx, "%d %.*s: %.*s\n", (int)count, SLF(what), SLF(why));
}

STAGE_CASE(refusals) {
    static const struct {
        const char *method, *target, *body, *type, *name, *value;
        int status;
        bool counted; /* as what a rehearsal cannot do */
    } cases[] = {
        {"POST", "/api/v1/namespaces/n/pods/p/exec?command=sh", "", NULL, NULL, NULL, 501, true},
        {"POST", "/apis/far.io/v1/namespaces/n/things", "{}", "application/json", NULL, NULL, 501, true},
        {"POST", "/api/v1/namespaces/n/pods", "kind: Pod", "application/yaml", NULL, NULL, 415, true},
        {"POST", "/api/v1/namespaces/n/pods/p", "{}", "application/json", NULL, NULL, 405, true},
        {"POST", "/api/v1/namespaces/n/pods/q/exec", "", NULL, NULL, NULL, 501, true},
        {"GET", "/api/v1/namespaces/n/pods/../x", "", NULL, NULL, NULL, 400, false},
        {"GET", "/version", "", NULL, "Upgrade", "SPDY/3.1", 501, true},
        {"GET", "/version", "", NULL, "X-HTTP-Method-Override", "DELETE", 400, false},
        {"POST", "/api/v1/namespaces/n/pods", POD, "application/json", "Content-Type", "application/yaml",
         400, false},
        {"POST", "/api/v1/namespaces/n/pods", POD, "application/json", "Content-Encoding", "gzip", 400,
         false},
        {"POST", "/api/v1/namespaces/n/pods", POD, "application/json", "Content-Length", "1, 2", 400, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct overlay_counts before = *overlay_counts(proxy_overlay(s->p));
        ANSWER(a);
        OPERATOR(s, &a, cases[i].method, cases[i].target, cases[i].body, OURS,
                 cases[i].type ? "Content-Type" : "X-A", cases[i].type ? cases[i].type : "a",
                 cases[i].name ? cases[i].name : "X-B", cases[i].value ? cases[i].value : "b",
                 "Content-Length", "2");
        assert_int_equal(fake_open(s->f), 0);
        answered(&a, cases[i].status, "\"kind\":\"Status\"");
        assert_int_equal(overlay_counts(proxy_overlay(s->p))->refused - before.refused, cases[i].counted);
        bool invalid = cases[i].status == 400 && cases[i].method[0] != 'G'; /* for an API server, too */
        assert_int_equal(overlay_counts(proxy_overlay(s->p))->lost_writes - before.lost_writes, invalid);
    }
    cleanup_buf struct buf b = BUF(16384);
    overlay_refusals(proxy_overlay(s->p), add_line, &b);
    overlay_failures(proxy_overlay(s->p), add_line, &b);
    assert_has(buf_str(&b), "2 create pods/exec: pods/exec cannot be rehearsed: ");
    assert_has(buf_str(&b), "1 create things.far.io: ");
    assert_has(buf_str(&b), "3 create pods: 400 BadRequest: a header ");
}

/* Were a request ever made that could write, it would be stopped as its bytes are about to leave. */
static void fenced_head(void *ctx, int status, const struct http_headers *h) {
    (void)ctx, (void)status, (void)h;
    fail();
}
static enum http_pull fenced_body(void *ctx, struct slice data) {
    (void)ctx, (void)data;
    fail();
    return HTTP_MORE;
}
static void fenced_end(void *ctx, const struct err *err) {
    assert_non_null(err);
    *(enum err_kind *)ctx = err->kind;
}
STAGE_CASE(the_last_look_at_what_leaves) {
    static const struct ask_cb cb = {fenced_head, fenced_body, fenced_end};
    static const char *const targets[] = {"/api/v1/namespaces/n/pods", "/api/v1/namespaces/n/pods?dryRun=",
                                          "/api/v1/namespaces/n/pods?dryRun=All&dryRun=x"};
    for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
        enum err_kind kind = ERR_NONE;
        struct upstream u = {.verb = UPSTREAM_DRY_CREATE,
                             .target = BUF(1000),
                             .body = BUF(1000),
                             .content_type = "application/json",
                             .accept = "application/json"};
        buf_adds(&u.target, targets[i]);
        buf_adds(&u.body, POD);
        proxy_ask(s->p, &(struct ask_spec){.u = &u, .lane = LANE_CALL}, &cb, &kind);
        fake_settle(s->f);
        assert_int_equal(kind, ERR_FENCED);
        upstream_free(&u);
    }
    assert_has(buf_str(&s->f->lines), "RehearsalFenced");
    assert_int_equal(overlay_counts(proxy_overlay(s->p))->refused, ARRAY_LEN(targets));
}

/* A CustomResourceDefinition that came after the start: looked for when it is needed, and not at every request. */
STAGE_CASE(a_group_that_is_new) {
    ANSWER(a);
    ANSWER(b);
    ANSWER(c);
    const char *path = "/apis/new.io/v1/namespaces/n/things";
    fake_run(s->f, 11 * NS_PER_S);
    OPERATOR(s, &a, "POST", path, POD, OURS, "Content-Type", "application/json");
    assert_int_equal(a.status, 0);
    fake_answer(fake_one(s->f), 200, "{}");
    OPERATOR(s, &b, "POST", path, POD, OURS, "Content-Type",
             "application/json"); /* meanwhile: waits with it */
    fake_answer(fake_one(s->f), 200, SERVICES);
    answered(&a, 501, "Status");
    answered(&b, 501, "Status");
    OPERATOR(s, &c, "POST", path, POD, OURS, "Content-Type", "application/json");
    answered(&c, 501, "Status"); /* at once */
    fake_run(s->f, 11 * NS_PER_S);
    ANSWER(d);
    OPERATOR(s, &d, "POST", path, POD, OURS, "Content-Type", "application/json");
    fake_answer(fake_one(s->f), 200, "{}");
    fake_answer(fake_one(s->f), 200,
                "{\"kind\":\"APIServiceList\",\"metadata\":{\"resourceVersion\":\"6\"},\"items\":["
                "{\"spec\":{\"group\":\"new.io\"}}]}");
    assert_int_equal(d.status, 0);
    assert_string_equal(fake_one(s->f)->method, "POST");
    assert_has(fake_one(s->f)->url, "dryRun=All");
    fake_run(s->f, 11 * NS_PER_S);
    ANSWER(e); /* left while it waits */
    OPERATOR(s, &e, "POST", "/apis/newer.io/v1/things", POD, OURS, "Content-Type", "application/json");
    fake_fail(fake_last(s->f), ERR_TRANSPORT, "gone");
    answered(&e, 501, "Status");
}

/* ---- answers ---- */

STAGE_CASE(answers_of_no_objects_pass_as_they_come) {
    GETS(s, a, "/openapi/v2");
    fake_head(fake_one(s->f), 200, "Content-Type", "application/x");
    assert_int_equal(a.status, 200);
    fake_body(fake_one(s->f), "one");
    assert_string_equal(buf_str(&a.body), "one");
    fake_body(fake_one(s->f), "two");
    fake_end(fake_one(s->f), NULL);
    answered(&a, 200, "onetwo");
    assert_string_equal(a.content_type, "application/x");
    GETS(s, cut, "/openapi/v2");
    fake_head(fake_one(s->f), 200, NULL, NULL);
    fake_fail(fake_one(s->f), ERR_TRANSPORT, "reset");
    assert_true(cut.aborted);
    GETS(s, none, "/openapi/v2");
    fake_fail(fake_one(s->f), ERR_TRANSPORT, "connection refused");
    answered(&none, 503, "connection refused");
    GETS(s, late, "/api/v1/namespaces/n/pods/p");
    fake_run(s->f, 80 * NS_PER_S);
    answered(&late, 504, "\"reason\":\"Timeout\"");
    static const char *const targets[] = {"/version", "/api/v1/namespaces/n/pods/p", "/api/v1/pods",
                                          "/api/v1/pods?watch=true"};
    for (size_t i = 0; i < ARRAY_LEN(targets); i++) { /* overload is for the operator to wait out */
        GETS(s, busy, targets[i]);
        fake_head(fake_one(s->f), 429, "Retry-After", "7");
        fake_body(fake_one(s->f), "{\"kind\":\"Status\",\"code\":429}");
        fake_end(fake_one(s->f), NULL);
        answered(&busy, 429, "429");
        assert_has(buf_str(&busy.raw), "Retry-After: 7\n");
    }
}

static size_t unsent;
static size_t say_unsent(const struct http_exchange *x) {
    (void)x;
    return unsent;
}
/* Who reads slowly holds the API server, not our memory. */
STAGE_CASE(a_slow_operator) {
    static const char *const targets[] = {"/openapi/v2", "/api/v1/pods", "/api/v1/pods?watch=true"};
    static const char *const bodies[] = {
        "x", "{\"kind\":\"PodList\",\"metadata\":{\"resourceVersion\":\"5\"},\"items\":[",
        "{\"type\":\"ADDED\",\"object\":" POD "}\n"};
    for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
        GETS(s, a, targets[i]);
        a.x.unsent = say_unsent;
        assert_int_equal(fake_one(s->f)->lane, LANE_WATCH);
        fake_head(fake_one(s->f), 200, NULL, NULL);
        unsent = UNSENT_MAX - 1;
        fake_body(fake_one(s->f), bodies[i]);
        assert_false(fake_one(s->f)->held);
        unsent = UNSENT_MAX;
        fake_body(fake_one(s->f), i == 0 ? "x" : " ");
        assert_true(fake_one(s->f)->held);
        unsent = 0;
        assert_non_null(a.room);
        a.room(a.room_ctx);
        assert_false(fake_one(s->f)->held);
    }
}

STAGE_CASE(who_leaves_is_forgotten) {
    static const char *const targets[] = {"/version", "/api/v1/namespaces/n/pods/p", "/api/v1/pods",
                                          "/api/v1/pods?watch=true"};
    for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
        for (int begun = 0; begun < 2; begun++) {
            GETS(s, a, targets[i]);
            assert_int_equal(fake_open(s->f), 1);
            if (begun) fake_head(fake_one(s->f), 200, NULL, NULL);
            a.gone(a.gone_ctx);
            a.gone = NULL;
            assert_int_equal(fake_open(s->f), 0);
        }
    }
}

/* ---- what leads to it ---- */

STAGE_CASE(a_kubeconfig) {
    cleanup_buf struct buf b = BUF(1 << 20);
    assert_int_equal(proxy_kubeconfig(s->p, "my-ns", &b), 0);
    fake_file(s->f, "/k/rehearsal", buf_str(&b));
    struct kube_config *c = NULL;
    struct err e = {0};
    struct kube_config_spec spec = {.kubeconfig = "/k/rehearsal"};
    if (kube_config_load(s->f->a.w, &s->f->log, &spec, &c, &e) < 0) fail_msg("%s", e.msg);
    cleanup_free char *url = xasprintf("https://127.0.0.1:%d", proxy_port(s->p));
    assert_string_equal(kube_config_server(c), url);
    assert_string_equal(kube_config_namespace(c), "my-ns");
    assert_true(slice_eq(kube_config_tls(c)->ca, proxy_ca(s->p)));
    assert_has(buf_str(&b), TOKEN);
    kube_config_free(c);
}

CASE(a_token_is_made_that_nobody_knows) {
    struct stage *s = stage_bare("tokenFile: /k/token");
    struct proxy *p[2];
    struct err e = {0};
    struct proxy_options o = {.config = s->c};
    for (int i = 0; i < 2; i++)
        assert_int_equal(proxy_start(s->f->a.w, &s->f->log, NULL, &o, stage_ready, s, &p[i], &e), 0);
    assert_true(strlen(proxy_token(p[0])) >= 64);
    assert_string_not_equal(proxy_token(p[0]), proxy_token(p[1]));
    for (int i = 0; i < 2; i++) proxy_stop(p[i]);
    o.token = "short";
    assert_int_equal(proxy_start(s->f->a.w, &s->f->log, NULL, &o, stage_ready, s, &p[0], &e), -EINVAL);
    stage_free(s);
}

CASES("rehearse/proxy")
