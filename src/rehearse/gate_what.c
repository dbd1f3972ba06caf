/* What was asked, of a request that may not be understood: the kind of request, without what it is about. */
#include "gate_impl.h"

static bool word(struct slice s) {
    for (size_t i = 0; i < s.n; i++)
        if (!s.p[i] || !strchr("abcdefghijklmnopqrstuvwxyz0123456789.-", s.p[i])) return false;
    return s.n > 0 && s.n <= 100;
}

static struct slice next(struct slice *path) {
    struct slice one = {0};
    if (path->n) slice_cut(*path, '/', &one, path);
    return one;
}

static const char *verb(struct slice method, bool named) {
    if (slice_eqs(method, "GET")) return named ? "get" : "list";
    if (slice_eqs(method, "DELETE")) return named ? "delete" : "deletecollection";
    return slice_eqs(method, "POST")    ? "create"
           : slice_eqs(method, "PUT")   ? "update"
           : slice_eqs(method, "PATCH") ? "patch"
                                        : NULL;
}

/* One that has a segment behind it which is no name. */
static bool is_verb(struct slice s) {
    return slice_eqs(s, "watch") || slice_eqs(s, "proxy") || slice_eqs(s, "redirect");
}

void gate_what(struct slice method, struct slice target, struct buf *out) {
    struct slice path, query, group = {0}, sub = {0};
    slice_cut(target, '?', &path, &query);
    if (slice_starts(path, SL("/"))) path = slice_make(path.p + 1, path.n - 1);
    struct slice first = next(&path);
    bool core = slice_eqs(first, "api"), objects = core || slice_eqs(first, "apis");
    if (!core) group = next(&path);
    (void)next(&path); /* its version */
    struct slice resource = next(&path), name = next(&path), behind = next(&path);
    bool own = slice_eqs(behind, "status") || slice_eqs(behind, "finalize"); /* of a Namespace */
    if (slice_eqs(resource, "namespaces") && behind.n && !own) {
        resource = behind;
        name = next(&path);
        behind = next(&path);
    }
    if (!is_verb(resource)) sub = behind;
    const char *v = verb(method, name.n > 0);
    if (!v || !objects || !word(resource) || (sub.n && !word(sub)) || (!core && !word(group))) {
        first.n = first.n > 40 ? 40 : first.n;
        buf_addf(out, "%.*s /%.*s%s", method.n > 20 ? 20 : (int)method.n, method.p, SLF(first),
                 group.n || path.n || resource.n ? "/..." : "");
        return;
    }
    buf_addf(out, "%s %.*s%s%.*s%s%.*s", v, SLF(resource), group.n ? "." : "", SLF(group), sub.n ? "/" : "",
             SLF(sub));
}
