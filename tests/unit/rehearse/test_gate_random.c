/* Thousands of requests: whatever is made of one that is let through writes nothing, by the second check and by what a server in Go understands
 * (server_view.h). HANDOVER_SEED=N runs one of them. */
#include "ask.h"
#include "base/rand.h"
#include "server_view.h"

/* Rather from the front, where the good ones are. */
static const char *pick(struct rng *g, const char *const *from, size_t n) {
    uint64_t a = rng_below(g, n), b = rng_below(g, n);
    return from[a < b ? a : b];
}
#define PICK(g, from) pick(g, from, ARRAY_LEN(from))

static const char *const methods[] = {"GET",   "GET",    "POST",   "POST", "PUT",
                                      "PATCH", "DELETE", "DELETE", "get",  "HEAD"};
static const char *const roots[] = {"/api/v1",
                                    "/api/v1",
                                    "/api/v1",
                                    "/apis/apps/v1",
                                    "/apis/example.com/v1",
                                    "/apis/policy/v1",
                                    "/apis/authentication.k8s.io/v1",
                                    "/apis/authorization.k8s.io/v1",
                                    "/apis/metrics.k8s.io/v1beta1",
                                    "/apis/custom.metrics.k8s.io/v1beta1",
                                    "/openapi",
                                    "/version",
                                    "/apis",
                                    "/API/v1",
                                    "/api//v1",
                                    "//api/v1",
                                    "/api/v2"};
static const char *const places[] = {
    "",       "",       "/namespaces/a",   "/namespaces/a",  "/namespaces",
    "/watch", "/proxy", "/namespaces/%61", "/namespaces/..", "/namespaces//"};
static const char *const resources[] = {
    "/pods",       "/pods",    "/deployments", "/tokenreviews", "/localsubjectaccessreviews",
    "/namespaces", "/widgets", "/pods%2Fx",    "/Pods",         "/serviceaccounts",
    "/services",   ""};
static const char *const names[] = {"",   "",    "/b",      "/b",       "/B%3Ac", "/b%2Fexec", "/b%00",
                                    "/.", "/..", "/%2e%2e", "/b%252Fc", "/b;c",   "/",         "/a%20b"};
static const char *const subs[] = {"",          "",        "",          "",         "/status",   "/scale",
                                   "/exec",     "/proxy",  "/token",    "/binding", "/eviction", "/log",
                                   "/finalize", "/Status", "/st%61tus", "/x"};
static const char *const params[] = {"dryRun=All",
                                     "dryRun=All",
                                     "watch=true",
                                     "labelSelector=a%3Db",
                                     "fieldManager=m",
                                     "pretty=true",
                                     "timeoutSeconds=3",
                                     "gracePeriodSeconds=0",
                                     "resourceVersion=12345000001",
                                     "propagationPolicy=Orphan",
                                     "force=true",
                                     "follow=true",
                                     "limit=5",
                                     "",
                                     "dryRun=",
                                     "dryRun",
                                     "dryrun=All",
                                     "DRYRUN=All",
                                     "dryRun[]=All",
                                     "dryRun=All%00",
                                     "dryRun=All;x=1",
                                     "x=1",
                                     "dry%52un=All",
                                     "dryRun=All+",
                                     "fieldManager=a%26dryRun%3D",
                                     "resourceVersion=1",
                                     "container=c%0d%0a",
                                     "a=b;c"};
static const char *const bodies[] = {
    "",
    "",
    "{}",
    "{}",
    "{\"dryRun\":[]}",
    "{\"dryRun\":[\"All\"]}",
    "{\"dryRun\":[\"All\"],\"dryRun\":[]}",
    "{\"dryRun\":[\"All\"],\"DryRun\":[]}",
    "{\"gracePeriodSeconds\":0}",
    "{\"gracePeriodSeconds\":0,\"preconditions\":{\"uid\":\"\\\",\\\"dryRun\\\":[]\"}}",
    "{\"kind\":\"Eviction\",\"apiVersion\":\"policy/v1\",\"metadata\":{\"name\":\"b\"}}",
    "{\"metadata\":{\"name\":\"b\"},\"deleteOptions\":{\"gracePeriodSeconds\":1}}",
    "{\"metadata\":{\"name\":\"b\"},\"deleteOptions\":{\"dryRun\":[]}}",
    "x"};
static const char *const types[] = {"",
                                    "application/json",
                                    "application/json",
                                    "application/json",
                                    "application/vnd.kubernetes.protobuf",
                                    "application/yaml",
                                    "application/merge-patch+json",
                                    "application/apply-patch+yaml",
                                    "application/json; charset=utf-8"};

static const char *const reviews[] = {"/apis/authentication.k8s.io/v1/tokenreviews",
                                      "/apis/authorization.k8s.io/v1/subjectaccessreviews",
                                      "/apis/authorization.k8s.io/v1/namespaces/a/localsubjectaccessreviews"};

/* One letter more, less or other, or encoded. */
static void damage(struct rng *g, struct buf *b) {
    static const char letters[] = "/%.?&=;#+*\\:@ \t2eEdDrR\0\r\n[]";
    if (!b->n) return;
    size_t at = rng_below(g, b->n);
    char c = letters[rng_below(g, sizeof letters - 1)];
    struct buf out = BUF(4096);
    buf_add(&out, slice_make(b->p, at));
    switch (rng_below(g, 4)) {
    case 0: buf_addc(&out, c); break;
    case 1:
        buf_addc(&out, c);
        buf_addc(&out, b->p[at]);
        break;
    case 2: buf_addf(&out, "%%%02x", (unsigned)(unsigned char)b->p[at]); break;
    default: break;
    }
    buf_add(&out, slice_make(b->p + at + 1, b->n - at - 1));
    buf_free(b);
    *b = out;
}

static void both_agree(uint64_t seed, const struct upstream *u) {
    struct slice method = slice_of(upstream_method(u)), type = slice_of(u->content_type),
                 target = buf_slice(&u->target), body = buf_slice(&u->body);
    const char *why = server_view(method, target, type, body);
    if (why) fail_seed(seed, "%.*s %.*s %.*s: the server: %s", SLF(method), SLF(target), SLF(body), why);
    if (!upstream_writes_nothing(method, target, type, body))
        fail_seed(seed, "%.*s %.*s %.*s: refused by the check", SLF(method), SLF(target), SLF(body));
}

/* All that can be made of a request that was let through. */
static void make(uint64_t seed, struct rng *g, const struct gate_request *r, unsigned *made) {
    struct upstream u;
    if (upstream_read(r, &u) == 0) {
        assert_false(gate_mutates(r->kind));
        both_agree(seed, &u);
        made[u.verb]++;
        upstream_free(&u);
    } else {
        assert_true(gate_mutates(r->kind));
    }
    for (int i = 0; i < 6; i++) {
        const char *sub = i < 3 ? NULL : PICK(g, subs), *body = PICK(g, bodies);
        struct slice subresource = sub ? slice_of(*sub ? sub + 1 : sub) : r->sub,
                     text = i % 3 ? r->body : slice_of(body);
        if (r->kind >= GATE_DELETE && i % 3) text = r->delete_options;
        enum gate_form form = i % 2 ? r->form : (enum gate_form)rng_below(g, GATE_APPLY + 1);
        if (upstream_dry_run(r, (enum upstream_verb)rng_below(g, UPSTREAM_DRY_DELETE + 1),
                             i % 5 ? r->name : SL("other"), subresource, form, text, &u) < 0)
            continue;
        assert_true(gate_mutates(r->kind));
        both_agree(seed, &u);
        made[u.verb]++;
        upstream_free(&u);
    }
}

static void round_of(uint64_t seed, unsigned *made, unsigned *kinds) {
    struct rng g = {seed};
    struct buf target = BUF(4096);
    const char *const parts[] = {PICK(&g, roots), PICK(&g, places), PICK(&g, resources), PICK(&g, names),
                                 PICK(&g, subs)};
    if (rng_below(&g, 8)) {
        for (size_t i = 0; i < ARRAY_LEN(parts); i++) buf_adds(&target, parts[i]);
    } else {
        buf_adds(&target, PICK(&g, reviews));
        buf_adds(&target, parts[3]);
    }
    for (uint64_t i = 0, n = rng_below(&g, 4); i < n; i++) {
        buf_addc(&target, i ? '&' : '?');
        buf_adds(&target, PICK(&g, params));
    }
    for (uint64_t n = rng_below(&g, 4); n > 2; n--) damage(&g, &target);
    const char *method = PICK(&g, methods), *body = PICK(&g, bodies);
    struct gate_header h = {.content_type = slice_of(PICK(&g, types)),
                            .accept = rng_below(&g, 8) ? SL("") : SL("*/*")};
    if (!strcmp(method, "PATCH") && rng_below(&g, 2)) h.content_type = SL("application/merge-patch+json");
    struct asked a = ask_with(method, buf_slice(&target), h, slice_of(body));
    if (a.e == 0) {
        kinds[a.r.kind]++;
        make(seed, &g, &a.r, made);
        gate_free(&a.r);
    } else {
        kinds[GATE_DELETE_COLLECTION + 1]++;
        if (a.status < 400 || a.status > 501 || !a.err.msg[0]) fail_seed(seed, "refused with %d", a.status);
    }
    buf_free(&target);
}

CASE(whatever_is_let_through_writes_nothing) {
    unsigned made[UPSTREAM_DRY_DELETE + 1] = {0}, kinds[GATE_DELETE_COLLECTION + 2] = {0};
    const char *only = getenv("HANDOVER_SEED");
    uint64_t from = only ? strtoull(only, NULL, 10) : 1, to = only ? from : 150000;
    for (uint64_t seed = from; seed <= to; seed++) round_of(seed, made, kinds);
    for (size_t i = 0; !only && i < ARRAY_LEN(made); i++) {
        if (made[i] < 30) fail_msg("only %u of verb %zu were made", made[i], i);
    }
    for (size_t i = 0; !only && i < ARRAY_LEN(kinds); i++) {
        if (kinds[i] < 50) fail_msg("only %u of kind %zu were let through", kinds[i], i);
    }
}

/* The check alone, on bytes that no gate has seen: what it lets through, a server reads as harmless, too. */
CASE(what_the_check_lets_through_the_server_takes_as_harmless) {
    static const char *const heads[] = {"{\"kind\":\"DeleteOptions\",\"dryRun\":[\"All\"]}",
                                        "{\"deleteOptions\":{\"dryRun\":[\"All\"]}}", "{}", ""};
    unsigned passed[2] = {0};
    for (uint64_t seed = 1; seed <= 60000; seed++) {
        struct rng g = {seed};
        struct buf target = BUF(4096), body = BUF(4096);
        const char *const parts[] = {PICK(&g, roots), PICK(&g, places), PICK(&g, resources),
                                     PICK(&g, names), PICK(&g, subs),   "?dryRun=All"};
        for (size_t i = 0; i < ARRAY_LEN(parts); i++) buf_adds(&target, parts[i]);
        buf_adds(&body, PICK(&g, heads));
        for (uint64_t n = rng_below(&g, 3); n > 0; n--) damage(&g, rng_below(&g, 3) ? &target : &body);
        struct slice method = slice_of(PICK(&g, methods)), type = slice_of(PICK(&g, types));
        if (slice_eqs(method, "GET")) {
            buf_clear(&body);
            type = SL("");
        }
        if (upstream_writes_nothing(method, buf_slice(&target), type, buf_slice(&body))) {
            const char *why = server_view(method, buf_slice(&target), type, buf_slice(&body));
            if (why)
                fail_seed(seed, "%.*s %s %s: the server: %s", SLF(method), buf_str(&target), buf_str(&body),
                          why);
            passed[slice_eqs(method, "GET")]++;
        }
        buf_free(&target);
        buf_free(&body);
    }
    if (passed[0] < 100 || passed[1] < 100) fail_msg("only %u and %u passed", passed[0], passed[1]);
}

CASES("rehearse/gate_random")
