/* The second check of what is about to leave, an allow-list that shares no code with what made it: the methods, the letters of a target, and
 * where a dry run has to stand. What it does not know does not leave. */
#include "rehearse/upstream.h"
#include "base/json_raw.h"

enum { SEGMENTS = 12 };

struct parts {
    struct slice s[SEGMENTS];
    size_t n;
};

static bool unreserved(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

/* 0 to 15; -1 for what is no upper-case hexadecimal digit. */
static int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Unreserved letters and percent triplets with upper-case digits; of the encoded bytes neither one that has no encoding here, nor a
 * slash, a percent sign, a control character where `strict`. */
static bool encoded(struct slice s, bool strict) {
    for (size_t i = 0; i < s.n; i++) {
        if (unreserved(s.p[i])) continue;
        if (s.p[i] != '%' || s.n - i < 3) return false;
        int hi = hex_value(s.p[i + 1]), lo = hex_value(s.p[i + 2]);
        if (hi < 0 || lo < 0) return false;
        int byte = hi * 16 + lo;
        if (byte < 0x20 || byte == 0x7f || unreserved((char)byte)) return false;
        if (strict && (byte == '/' || byte == '%' || byte == '\\')) return false;
        i += 2;
    }
    return true;
}

/* Lower-case letters, digits, '.' and '-': nothing encoded. */
static bool registered(struct slice s) {
    for (size_t i = 0; i < s.n; i++) {
        if (!(s.p[i] >= 'a' && s.p[i] <= 'z') && !(s.p[i] >= '0' && s.p[i] <= '9') && s.p[i] != '.' &&
            s.p[i] != '-')
            return false;
    }
    return s.n > 0 && s.p[0] != '.' && s.p[0] != '-';
}

static bool segments(struct slice path, struct parts *ret) {
    size_t from = 1;
    if (!path.n || path.p[0] != '/') return false;
    for (size_t i = 1; i <= path.n; i++) {
        if (i < path.n && path.p[i] != '/') continue;
        struct slice s = slice_make(path.p + from, i - from);
        if (!s.n || slice_eqs(s, ".") || slice_eqs(s, "..") || !encoded(s, true) || ret->n == SEGMENTS)
            return false;
        ret->s[ret->n++] = s;
        from = i + 1;
    }
    return true;
}

struct resource {
    bool found;
    struct slice group, resource, sub;
    bool name, deeper;
};

/* The same reading of a path as the API server's request info has. found: and all of it is spelled as it registers things; what is
 * read stands there in any case. */
static struct resource resource_of(const struct parts *p) {
    struct resource r = {0};
    size_t i = slice_eqs(p->s[0], "api") ? 2 : slice_eqs(p->s[0], "apis") ? 3 : 0;
    if (!i || p->n <= i) return r;
    r.group = i == 3 ? p->s[1] : SL("");
    r.found = registered(p->s[i - 1]) && (i == 2 || registered(r.group));
    bool of_namespace =
        p->n - i < 3 || slice_eqs(p->s[i + 2], "status") || slice_eqs(p->s[i + 2], "finalize");
    if (slice_eqs(p->s[i], "namespaces") && !of_namespace) i += 2;
    r.resource = p->s[i];
    r.name = p->n > i + 1;
    if (p->n > i + 2) r.sub = p->s[i + 2];
    r.deeper = p->n > i + 3;
    r.found = r.found && registered(r.resource) && !slice_eqs(r.resource, "watch") &&
              !slice_eqs(r.resource, "proxy");
    return r;
}

static bool in(struct slice s, const char *const *names) {
    for (; *names; names++) {
        if (slice_eqs(s, *names)) return true;
    }
    return false;
}

static bool get_is_a_read(const struct parts *p) {
    static const char *const outside[] = {"exec", "attach", "portforward", "proxy", NULL};
    static const char *const legacy[] = {"proxy", "watch", "redirect", NULL};
    size_t at = slice_eqs(p->s[0], "api") ? 2 : 3;
    if (!slice_eqs(p->s[0], "api") && !slice_eqs(p->s[0], "apis")) return true;
    if (p->n > at && in(p->s[at], legacy)) return false;
    struct resource r = resource_of(p);
    return !in(r.sub, outside);
}

static bool is_review(const struct parts *p, struct slice query) {
    static const char *const who[] = {"tokenreviews", "selfsubjectreviews", NULL};
    static const char *const may[] = {"subjectaccessreviews", "selfsubjectaccessreviews",
                                      "selfsubjectrulesreviews", NULL};
    if (query.p || p->n < 4 || !slice_eqs(p->s[0], "apis")) return false;
    if (slice_eqs(p->s[1], "authentication.k8s.io")) return p->n == 4 && in(p->s[3], who);
    if (!slice_eqs(p->s[1], "authorization.k8s.io")) return false;
    if (p->n == 4) return in(p->s[3], may);
    return p->n == 6 && slice_eqs(p->s[3], "namespaces") && slice_eqs(p->s[5], "localsubjectaccessreviews");
}

/* ---- dry runs ---- */

static bool mentions_dry_run(struct slice s) {
    static const char word[] = "dryrun";
    for (size_t i = 0; i + 6 <= s.n; i++) {
        size_t k = 0;
        while (k < 6 && (s.p[i + k] | 0x20) == word[k]) k++;
        if (k == 6) return true;
    }
    return false;
}

/* name=value pairs, and nothing encoded in a name. */
static bool pair_is_plain(struct slice pair) {
    struct slice name, value;
    if (!slice_cut(pair, '=', &name, &value) || !name.n || !encoded(value, false)) return false;
    for (size_t i = 0; i < name.n; i++) {
        if (!(name.p[i] >= 'a' && name.p[i] <= 'z') && !(name.p[i] >= 'A' && name.p[i] <= 'Z')) return false;
    }
    return true;
}

static bool query_is_plain(struct slice query) {
    struct slice pair = {0};
    bool more = query.p != NULL, plain = true;
    while (more && plain) {
        more = slice_cut(query, '&', &pair, &query);
        plain = pair_is_plain(pair);
    }
    return plain;
}

/* dryRun=All is the last pair, and no other name is like it. */
static bool query_is_dry(struct slice query) {
    struct slice pair = {0}, name, value;
    bool more = query.p != NULL;
    while (more) {
        more = slice_cut(query, '&', &pair, &query);
        slice_cut(pair, '=', &name, &value);
        if (more && mentions_dry_run(name)) return false;
    }
    return slice_eqs(pair, "dryRun=All");
}

/* A JSON object with the given members alone, each at most once; *ret is the one called `wanted` (with its quotes). */
static bool only_members(struct slice obj, const char *const *names, const char *wanted, struct slice *ret) {
    struct json_raw_it it = json_raw_each(obj);
    unsigned seen = 0;
    if (!it.object) return false;
    while (json_raw_next(&it)) {
        unsigned bit = 1;
        const char *const *n = names;
        for (; *n && !slice_eqs(it.key, *n); n++) bit <<= 1;
        if (!*n || seen & bit) return false;
        seen |= bit;
        if (slice_eqs(it.key, wanted)) *ret = it.value;
    }
    return ret->n > 0;
}

static bool options_are_dry(struct slice obj) {
    static const char *const names[] = {"\"kind\"",
                                        "\"apiVersion\"",
                                        "\"dryRun\"",
                                        "\"gracePeriodSeconds\"",
                                        "\"orphanDependents\"",
                                        "\"propagationPolicy\"",
                                        "\"preconditions\"",
                                        NULL};
    struct slice v = {0};
    return only_members(obj, names, "\"dryRun\"", &v) && slice_eqs(v, "[\"All\"]");
}

static bool eviction_is_dry(struct slice obj) {
    static const char *const names[] = {"\"kind\"", "\"apiVersion\"", "\"metadata\"", "\"deleteOptions\"",
                                        NULL};
    struct slice v = {0};
    return only_members(obj, names, "\"deleteOptions\"", &v) && options_are_dry(v);
}

static bool body_is_dry(struct slice method, const struct resource *r, struct slice type, struct slice body) {
    static const char *const objects[] = {"application/json", "application/vnd.kubernetes.protobuf", NULL};
    static const char *const patches[] = {"application/json-patch+json", "application/merge-patch+json",
                                          "application/strategic-merge-patch+json",
                                          "application/apply-patch+yaml", NULL};
    bool json = slice_eqs(type, "application/json") && json_raw_check(body, NULL) == 0;
    if (slice_eqs(method, "DELETE")) return json && !r->sub.n && options_are_dry(body);
    if (slice_eqs(method, "PATCH")) return r->name && in(type, patches);
    if (slice_eqs(method, "PUT")) return r->name && in(type, objects);
    if (!slice_eqs(method, "POST")) return false;
    if (slice_eqs(r->sub, "eviction")) return json && eviction_is_dry(body);
    return in(type, objects) && r->name == slice_eqs(r->sub, "binding");
}

bool upstream_writes_nothing(struct slice method, struct slice target, struct slice content_type,
                             struct slice body) {
    static const char *const subs[] = {"status",   "scale",    "binding", "eviction",
                                       "approval", "finalize", "resize",  "ephemeralcontainers",
                                       "",         NULL};
    struct parts p = {0};
    struct slice path, query;
    slice_cut(target, '?', &path, &query);
    if (!segments(path, &p) || !query_is_plain(query)) return false;
    if (slice_eqs(method, "GET")) return !body.n && !content_type.n && get_is_a_read(&p);
    if (slice_eqs(method, "POST") && is_review(&p, query)) return true;
    struct resource r = resource_of(&p);
    return r.found && !r.deeper && in(r.sub, subs) && query_is_dry(query) &&
           body_is_dry(method, &r, content_type, body);
}
