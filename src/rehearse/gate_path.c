/* The path: /api/v1 or /apis/GROUP/VERSION, then [/namespaces/NS]/RESOURCE[/NAME[/SUBRESOURCE]]; and the few paths that are of no objects. */
#include "gate_impl.h"
#include "api/gvr.h"
#include "api/url.h"
#include <errno.h>

enum { SEGMENTS = 12, NAME_MAX_BYTES = 253 };

struct segments {
    struct slice s[SEGMENTS];
    size_t n;
    bool slash; /* one behind the last */
};

/* Of groups, versions, resources, subresources: as the API server registers them. */
static bool word(struct slice s) {
    if (!s.n || s.n > NAME_MAX_BYTES || s.p[0] == '.' || s.p[0] == '-') return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-')) return false;
    }
    return true;
}

/* RBAC's names may be nearly anything. extra: further characters. */
static bool name(struct slice s, const char *extra) {
    if (!s.n || s.n > NAME_MAX_BYTES || slice_eqs(s, ".") || slice_eqs(s, "..")) return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              strchr("-._:@+~", c) || strchr(extra, c)))
            return false; /* strchr finds NUL as well: it is refused when it is unescaped */
    }
    return true;
}

static int split(struct gate_ctx *c, struct slice path, struct segments *ret) {
    struct slice rest = slice_make(path.p + 1, path.n - 1), one;
    while (rest.n) {
        bool more = slice_cut(rest, '/', &one, &rest);
        if (ret->n == SEGMENTS) return gate_refuse(c, 404, "the path has too many segments");
        int e = gate_unescape(c, one, &ret->s[ret->n]);
        if (e < 0) return e;
        if (!name(ret->s[ret->n], "*|")) {
            return gate_refuse(c, 400, "segment \"%.*s\" of the path has characters that are not allowed",
                               SLF(one));
        }
        ret->n++;
        ret->slash = more && !rest.n;
    }
    return 0;
}

/* ---- paths that are of no objects ---- */

static void pass(struct gate_ctx *c, const struct segments *p) {
    c->r->kind = GATE_PASS;
    for (size_t i = 0; i < p->n; i++) {
        buf_addc(&c->path, '/');
        url_escape(&c->path, p->s[i]);
    }
}

static bool words(const struct segments *p, size_t from) {
    for (size_t i = from; i < p->n; i++) {
        if (!word(p->s[i])) return false;
    }
    return true;
}

static bool of_no_objects(const struct segments *p) {
    struct slice a = p->s[0], b = p->n > 1 ? p->s[1] : SL("");
    if (slice_eqs(a, "api")) return p->n == 1 || (p->n == 2 && slice_eqs(b, "v1"));
    if (slice_eqs(a, "apis")) return p->n <= 3 && words(p, 1);
    if (slice_eqs(a, "version")) return p->n == 1;
    if (p->slash) return false;
    if (slice_eqs(a, "openapi"))
        return p->n <= 5 && words(p, 1) &&
               ((p->n == 2 && slice_eqs(b, "v2")) || (p->n >= 2 && slice_eqs(b, "v3")));
    if (slice_eqs(a, ".well-known")) return p->n == 2 && slice_eqs(b, "openid-configuration");
    if (slice_eqs(a, "openid")) return p->n == 3 && slice_eqs(b, "v1") && slice_eqs(p->s[2], "jwks");
    return (slice_eqs(a, "healthz") || slice_eqs(a, "livez") || slice_eqs(a, "readyz")) && p->n <= 3 &&
           words(p, 1);
}

/* ---- paths of resources ---- */

static int bad_path(struct gate_ctx *c) {
    return gate_refuse(c, 404,
                       "the path is none of /api/v1 or /apis/GROUP/VERSION with "
                       "[/namespaces/NAMESPACE]/RESOURCE[/NAME[/SUBRESOURCE]]");
}

/* Verbs in the path, before a resource: deprecated, and read by some servers still. */
static bool legacy(struct slice s) {
    return slice_eqs(s, "watch") || slice_eqs(s, "proxy") || slice_eqs(s, "redirect");
}

/* What lies behind the version, p[0] to p[n - 1]. */
static int resource(struct gate_ctx *c, const struct slice *p, size_t n) {
    struct gate_request *r = c->r;
    bool own_sub = n >= 3 && (slice_eqs(p[2], "status") || slice_eqs(p[2], "finalize")); /* of a Namespace */
    if (slice_eqs(p[0], "namespaces") && n >= 3 && !own_sub) {
        if (!name_is_dns_label(p[1])) return gate_refuse(c, 400, "\"%.*s\" is no namespace", SLF(p[1]));
        r->ns = p[1];
        p += 2;
        n -= 2;
        if (slice_eqs(p[0], "namespaces")) return bad_path(c);
    }
    if (legacy(p[0]))
        return gate_refuse(c, 501,
                           "the deprecated paths of watch and proxy cannot be rehearsed; use ?watch=true");
    if (!word(p[0]) || (n >= 3 && !word(p[2]))) return bad_path(c);
    r->resource = p[0];
    if (n >= 2) r->name = p[1];
    if (n >= 3) r->sub = p[2];
    if (n >= 2 && !name(r->name, ""))
        return gate_refuse(c, 400, "\"%.*s\" is no object's name", SLF(r->name));
    if (n >= 3 && gate_sub_reaches_out(r->sub)) {
        return gate_refuse(c, 501, "%.*s/%.*s cannot be rehearsed: what it does is not undone by a dry run",
                           SLF(r->resource), SLF(r->sub));
    }
    if (n > 3) return gate_refuse(c, 501, "what lies behind a subresource cannot be rehearsed");
    return 0;
}

/* ---- what the method makes of it ---- */

static int reads(struct gate_ctx *c, const struct segments *p) {
    struct gate_request *r = c->r;
    if (r->sub.n && !r->group.n && slice_eqs(r->resource, "pods") && slice_eqs(r->sub, "log")) {
        pass(c, p);
    } else {
        r->kind = r->name.n ? GATE_GET : GATE_LIST; /* the query may make a watch of it */
    }
    return 0;
}

static int writes(struct gate_ctx *c, enum gate_method m) {
    static const enum gate_kind kinds[] = {
        [METHOD_POST] = GATE_CREATE, [METHOD_PUT] = GATE_UPDATE, [METHOD_PATCH] = GATE_PATCH};
    struct gate_request *r = c->r;
    if (!gate_group_local(c->groups, r->group)) {
        return gate_refuse(
            c, 501,
            "API group %.*s is served by another API server, or not known to be served by this one: "
            "whether it honours dryRun is not known",
            SLF(r->group));
    }
    if (m == METHOD_POST && !r->name.n && gate_is_review(r->group, r->resource, r->ns.n > 0)) {
        r->kind = GATE_REVIEW;
        return 0;
    }
    if (m == METHOD_DELETE) {
        if (r->sub.n) return gate_refuse(c, 405, "a subresource cannot be deleted");
        r->kind = r->name.n ? GATE_DELETE : GATE_DELETE_COLLECTION;
        return 0;
    }
    r->kind = kinds[m];
    if (r->sub.n && !gate_sub_rehearsable(r->group, r->resource, r->sub, m == METHOD_POST)) {
        return gate_refuse(c, 501, "a write of %.*s/%.*s cannot be rehearsed", SLF(r->resource), SLF(r->sub));
    }
    if (!r->sub.n && (m == METHOD_POST) == (r->name.n > 0))
        return gate_refuse(c, 405, "POST is to a collection, PUT and PATCH are to an object");
    if (!r->group.n && slice_eqs(r->resource, "bindings"))
        return gate_refuse(c, 501, "the deprecated bindings cannot be rehearsed; use pods/binding");
    return 0;
}

int gate_path(struct gate_ctx *c, enum gate_method m, struct slice path) {
    struct segments p = {0};
    struct gate_request *r = c->r;
    int e = split(c, path, &p);
    if (e < 0) return e;
    if (!p.n) return bad_path(c);
    if (of_no_objects(&p)) {
        if (m != METHOD_GET) return gate_refuse(c, 405, "this path is only read");
        pass(c, &p);
        return 0;
    }
    size_t head = slice_eqs(p.s[0], "api") ? 2 : slice_eqs(p.s[0], "apis") ? 3 : 0;
    if (!head || p.n <= head || p.slash) return bad_path(c);
    if (head == 2 && !slice_eqs(p.s[1], "v1")) return bad_path(c);
    if (head == 3 && (!word(p.s[1]) || !word(p.s[2]))) return bad_path(c);
    r->group = head == 3 ? p.s[1] : SL("");
    r->version = p.s[head - 1];
    if (gate_group_metrics(r->group)) {
        if (m != METHOD_GET) return gate_refuse(c, 501, "metrics are only read");
        for (size_t i = head; i < p.n; i++) {
            if (legacy(p.s[i]) || gate_sub_reaches_out(p.s[i])) return bad_path(c);
        }
        pass(c, &p);
        return 0;
    }
    e = resource(c, p.s + head, p.n - head);
    if (e < 0) return e;
    return m == METHOD_GET ? reads(c, &p) : writes(c, m);
}
