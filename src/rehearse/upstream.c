/* A rehearsal's requests to the API server. What writes is made by upstream_dry_run() alone, and ends in dryRun=All whatever it was given. */
#include "rehearse/upstream.h"
#include "eviction.h"
#include "gate_impl.h"
#include "api/url.h"
#include "rehearse/version.h"
#include <errno.h>

enum { TARGET_MAX = 256 << 10, BODY_MAX = (3 << 20) + (64 << 10) };

#define ACCEPT_JSON                "application/json"
#define ACCEPT_META(kind, version) "application/json;as=" kind ";g=meta.k8s.io;v=" version

const char *upstream_method(const struct upstream *u) {
    switch (u->verb) {
    case UPSTREAM_GET: return "GET";
    case UPSTREAM_REVIEW:
    case UPSTREAM_DRY_CREATE: return "POST";
    case UPSTREAM_DRY_UPDATE: return "PUT";
    case UPSTREAM_DRY_PATCH: return "PATCH";
    case UPSTREAM_DRY_DELETE: return "DELETE";
    }
    return "GET";
}

static void init(struct upstream *u, enum upstream_verb verb) {
    *u = (struct upstream){
        .verb = verb, .target = BUF(TARGET_MAX), .body = BUF(BODY_MAX), .accept = ACCEPT_JSON};
}

static int done(struct upstream *u, int e, struct upstream *ret) {
    if (e == 0 && (u->target.full || u->body.full)) e = -ENOBUFS;
    if (e < 0) {
        upstream_free(u);
        return e;
    }
    *ret = *u;
    return 0;
}

static void segment(struct buf *out, struct slice s) {
    buf_addc(out, '/');
    url_escape(out, s);
}

static void path(struct buf *out, const struct gate_request *r, struct slice name, struct slice sub) {
    buf_adds(out, r->group.n ? "/apis" : "/api");
    if (r->group.n) segment(out, r->group);
    segment(out, r->version);
    if (r->ns.n) {
        segment(out, SL("namespaces"));
        segment(out, r->ns);
    }
    segment(out, r->resource);
    if (name.n) segment(out, name);
    if (sub.n) segment(out, sub);
}

static void param(struct buf *out, bool *first, const char *name, struct slice value) {
    if (value.n) url_query(out, first, name, value);
}

static int selection(struct buf *out, bool *first, const struct gate_request *r) {
    struct slice live;
    unsigned change;
    if (version_in(r->rv, &live, &change) < 0) return -EINVAL;
    param(out, first, "labelSelector", r->labels);
    param(out, first, "fieldSelector", r->fields);
    param(out, first, "limit", r->limit);
    param(out, first, "continue", r->token);
    param(out, first, "resourceVersion", live);
    param(out, first, "resourceVersionMatch", r->rv_match);
    param(out, first, "timeoutSeconds", r->timeout);
    if (r->kind != GATE_WATCH) return 0;
    param(out, first, "allowWatchBookmarks", r->bookmarks ? SL("true") : SL(""));
    param(out, first, "sendInitialEvents", r->initial_events ? SL("true") : SL(""));
    param(out, first, "watch", SL("true"));
    return 0;
}

static const char *accept_of(const struct gate_request *r) {
    bool list = r->kind == GATE_LIST, beta = slice_eqs(r->metadata_version, "v1beta1");
    if (r->kind == GATE_PASS) return r->accept;
    if (!r->metadata_only || r->kind == GATE_REVIEW) return ACCEPT_JSON;
    if (beta)
        return list ? ACCEPT_META("PartialObjectMetadataList", "v1beta1")
                    : ACCEPT_META("PartialObjectMetadata", "v1beta1");
    return list ? ACCEPT_META("PartialObjectMetadataList", "v1") : ACCEPT_META("PartialObjectMetadata", "v1");
}

static int body(struct upstream *u, enum gate_form form, struct slice text) {
    static const char *const types[] = {
        [GATE_NO_BODY] = NULL,
        [GATE_JSON] = "application/json",
        [GATE_PROTOBUF] = "application/vnd.kubernetes.protobuf",
        [GATE_PATCH_JSON] = "application/json-patch+json",
        [GATE_PATCH_MERGE] = "application/merge-patch+json",
        [GATE_PATCH_STRATEGIC] = "application/strategic-merge-patch+json",
        [GATE_APPLY] = "application/apply-patch+yaml",
    };
    u->content_type = types[form];
    return u->content_type ? buf_add(&u->body, text) : -EINVAL;
}

int upstream_read(const struct gate_request *r, struct upstream *ret) {
    struct upstream u;
    bool first = true;
    int e = 0;
    init(&u, r->kind == GATE_REVIEW ? UPSTREAM_REVIEW : UPSTREAM_GET);
    u.accept = accept_of(r);
    switch (r->kind) {
    case GATE_PASS:
        buf_add(&u.target, r->path);
        if (r->query.n) buf_addc(&u.target, '?');
        buf_add(&u.target, r->query);
        u.stream = true;
        break;
    case GATE_REVIEW:
        path(&u.target, r, SL(""), SL(""));
        e = r->form == GATE_JSON || r->form == GATE_PROTOBUF ? body(&u, r->form, r->body) : -EINVAL;
        break;
    case GATE_GET:
    case GATE_LIST:
    case GATE_WATCH:
        path(&u.target, r, r->name, r->sub);
        e = selection(&u.target, &first, r);
        u.stream = r->kind != GATE_GET;
        break;
    default: e = -EINVAL;
    }
    return done(&u, e, ret);
}

int upstream_get(const struct gate_request *r, struct upstream *ret) {
    struct upstream u;
    init(&u, UPSTREAM_GET);
    path(&u.target, r, r->name, SL(""));
    return done(&u, r->name.n && r->resource.n ? 0 : -EINVAL, ret);
}

/* Only what the API server makes a dry run of. */
static bool allowed(const struct gate_request *r, enum upstream_verb verb, struct slice name,
                    struct slice sub, enum gate_form form) {
    bool object = form == GATE_JSON || form == GATE_PROTOBUF, create = verb == UPSTREAM_DRY_CREATE;
    if (!gate_mutates(r->kind) || !r->version.n || !r->resource.n) return false;
    if (sub.n && (!name.n || !gate_sub_rehearsable(r->group, r->resource, sub, create))) return false;
    switch (verb) {
    case UPSTREAM_DRY_CREATE: return object && (sub.n > 0) == (name.n > 0);
    case UPSTREAM_DRY_UPDATE: return object && name.n;
    case UPSTREAM_DRY_PATCH: return form >= GATE_PATCH_JSON && form <= GATE_APPLY && name.n;
    case UPSTREAM_DRY_DELETE: return (form == GATE_JSON || form == GATE_NO_BODY) && !sub.n;
    default: return false;
    }
}

static int delete_body(struct upstream *u, struct slice json) {
    struct delete_options o = {0};
    if (json.n && delete_options_read(json, &o, NULL) < 0) return -EINVAL;
    int e = delete_options_write(&u->body, &o, true, true);
    delete_options_free(&o);
    u->content_type = "application/json";
    return e;
}

static int eviction_body(struct upstream *u, const struct gate_request *r, struct slice name,
                         struct slice json) {
    struct eviction v = {0};
    if (eviction_read(json, r->ns, name, &v, NULL) < 0) return -EINVAL;
    int e = eviction_write(&u->body, &v, true, true);
    eviction_free(&v);
    u->content_type = "application/json";
    return e;
}

int upstream_dry_run(const struct gate_request *r, enum upstream_verb verb, struct slice name,
                     struct slice sub, enum gate_form form, struct slice text, struct upstream *ret) {
    struct upstream u;
    bool first = true, deletes = verb == UPSTREAM_DRY_DELETE;
    if (!allowed(r, verb, name, sub, form)) return -EINVAL;
    init(&u, verb);
    path(&u.target, r, name, sub);
    if (deletes && !name.n) {
        param(&u.target, &first, "labelSelector", r->labels);
        param(&u.target, &first, "fieldSelector", r->fields);
    } else if (!deletes) {
        param(&u.target, &first, "fieldManager", r->manager);
        param(&u.target, &first, "fieldValidation", r->validation);
        param(&u.target, &first, "force", form == GATE_APPLY && r->force ? SL("true") : SL(""));
    }
    url_query(&u.target, &first, "dryRun", SL("All"));
    int e = deletes                      ? delete_body(&u, text)
            : slice_eqs(sub, "eviction") ? eviction_body(&u, r, name, text)
                                         : body(&u, form, text);
    return done(&u, e, ret);
}

void upstream_free(struct upstream *u) {
    buf_free(&u->target);
    buf_free(&u->body);
}
