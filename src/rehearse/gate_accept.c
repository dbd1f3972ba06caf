/* Accept: answers are JSON. Protobuf and CBOR become JSON, which clients take by the answer's Content-Type; Tables are taken out. */
#include "gate_impl.h"
#include <errno.h>
#include <strings.h>

enum { CLAUSES = 32 };
enum choice { CHOICE_NONE, CHOICE_WHOLE, CHOICE_META, CHOICE_META_BETA };

static bool is(struct slice s, const char *word) {
    return s.n == strlen(word) && strncasecmp(s.p, word, s.n) == 0;
}

static bool served(struct slice type) {
    static const char *const types[] = {"application/json", "application/vnd.kubernetes.protobuf",
                                        "application/cbor", "application/*", "*/*"};
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if (is(type, types[i])) return true;
    }
    return false;
}

/* One clause, and its weight. */
static enum choice clause_choice(struct slice clause, double *weight) {
    struct slice part, key, value, as = {0}, group = {0}, version = {0}, type;
    slice_cut(clause, ';', &type, &clause);
    *weight = 1;
    while (clause.n) {
        slice_cut(clause, ';', &part, &clause);
        slice_cut(slice_trim(part), '=', &key, &value);
        value = slice_trim(value);
        if (slice_eqs(key, "as")) as = value;
        if (slice_eqs(key, "g")) group = value;
        if (slice_eqs(key, "v")) version = value;
        if (is(key, "q") && slice_f64(value, weight) < 0) *weight = 0;
    }
    if (!served(slice_trim(type)) || !(*weight > 0)) return CHOICE_NONE;
    if (!as.n && !group.n && !version.n) return CHOICE_WHOLE;
    if (!slice_eqs(as, "PartialObjectMetadata") && !slice_eqs(as, "PartialObjectMetadataList"))
        return CHOICE_NONE;
    if (!slice_eqs(group, "meta.k8s.io")) return CHOICE_NONE;
    return slice_eqs(version, "v1")        ? CHOICE_META
           : slice_eqs(version, "v1beta1") ? CHOICE_META_BETA
                                           : CHOICE_NONE;
}

/* What the clients of discovery and OpenAPI ask for has forms of its own, passed on as one of these literals. */
static const char *pass_accept(struct slice path, struct slice accept) {
    static const char v2[] =
        "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";
    static const char v2beta1[] =
        "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";
    static const char openapi_v2[] = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
    static const char openapi_v3[] = "application/com.github.proto-openapi.spec.v3@v1.0+protobuf";
    if (slice_eqs(path, "/api") || slice_eqs(path, "/apis")) {
        if (memmem(accept.p, accept.n, "APIGroupDiscoveryList", 21))
            return memmem(accept.p, accept.n, "v=v2;", 5) ? v2 : v2beta1;
    } else if (slice_starts(path, SL("/openapi/"))) {
        if (slice_starts(accept, slice_of(openapi_v2))) return openapi_v2;
        if (slice_starts(accept, slice_of(openapi_v3))) return openapi_v3;
    } else if (!slice_starts(path, SL("/api/")) && !slice_starts(path, SL("/apis/"))) {
        return "*/*"; /* health and the like are text */
    }
    return slice_ends(path, SL("/log")) ? "application/json, */*" : "application/json";
}

int gate_accept(struct gate_ctx *c, struct slice accept) {
    struct gate_request *r = c->r;
    enum choice best = CHOICE_NONE;
    double best_weight = 0, weight;
    if (r->kind == GATE_PASS) {
        r->accept = pass_accept(buf_slice(&c->path), accept.p ? accept : SL(""));
        return 0;
    }
    if (!slice_trim(accept).n) best = CHOICE_WHOLE;
    struct slice clause, shown = accept;
    for (unsigned i = 0; accept.n && i < CLAUSES; i++) {
        slice_cut(accept, ',', &clause, &accept);
        enum choice one = clause_choice(clause, &weight);
        if (one == CHOICE_NONE || weight <= best_weight) continue;
        best = one;
        best_weight = weight;
    }
    if (best == CHOICE_NONE)
        return gate_refuse(c, 406, "Accept \"%.*s\" has nothing that is answered: JSON is", SLF(shown));
    r->metadata_only = best != CHOICE_WHOLE;
    r->metadata_version = best == CHOICE_META ? SL("v1") : best == CHOICE_META_BETA ? SL("v1beta1") : SL("");
    return 0;
}
