/* What an API server makes of the bytes of a request, after the sources of k8s.io/apiserver and of Go's net/url: written to be
 * pessimistic, and from nothing that the rehearsal is made of. */
#ifndef UNIT_SERVER_VIEW_H
#define UNIT_SERVER_VIEW_H
#include "base/json.h"
#include "base/mem.h"
#include <strings.h>

enum { VIEW_MAX = 64, VIEW_PARAMS = 4096 };
struct view {
    char *seg[VIEW_MAX];
    size_t nsegs;
    char *name[VIEW_PARAMS], *value[VIEW_PARAMS]; /* of the query */
    size_t nparams;
    bool broken;
};

static inline void view_free(struct view *v) {
    for (size_t i = 0; i < v->nsegs; i++) free(v->seg[i]);
    for (size_t i = 0; i < v->nparams; i++) {
        free(v->name[i]);
        free(v->value[i]);
    }
}

static inline int view_hex(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* url.unescape(); NULL: an error. */
static inline char *view_unescape(struct slice s, bool query) {
    char *out = xmalloc(s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '%') {
            if (i + 2 >= s.n || view_hex(s.p[i + 1]) < 0 || view_hex(s.p[i + 2]) < 0) {
                free(out);
                return NULL;
            }
            c = (char)(view_hex(s.p[i + 1]) * 16 + view_hex(s.p[i + 2]));
            i += 2;
        } else if (c == '+' && query) {
            c = ' ';
        }
        out[n++] = c ? c : '\1'; /* never what is looked for */
    }
    out[n] = '\0';
    return out;
}

/* url.ParseQuery(): what cannot be read is dropped, as URL.Query() does. */
static inline void view_query(struct view *v, struct slice q) {
    struct slice pair, name, value;
    while (q.n) {
        slice_cut(q, '&', &pair, &q);
        if (!pair.n || slice_has(pair, ';')) continue;
        slice_cut(pair, '=', &name, &value);
        char *n = view_unescape(name, true), *val = view_unescape(value, true);
        if (n && val && v->nparams < VIEW_PARAMS) {
            v->name[v->nparams] = n;
            v->value[v->nparams++] = val;
        } else {
            v->broken = v->broken || v->nparams == VIEW_PARAMS;
            free(n);
            free(val);
        }
    }
}

/* The path unescaped and then split, so that an encoded slash splits too; as path.Clean() leaves it, since something on the way might. */
static inline void view_path(struct view *v, struct slice path) {
    char *text = view_unescape(path, false);
    if (!text || text[0] != '/' || strpbrk(text, "\r\n\1")) v->broken = true;
    char *state = NULL;
    for (char *s = text ? strtok_r(text, "/", &state) : NULL; s; s = strtok_r(NULL, "/", &state)) {
        if (!strcmp(s, ".")) continue;
        if (!strcmp(s, "..")) {
            if (v->nsegs) free(v->seg[--v->nsegs]);
        } else if (v->nsegs < VIEW_MAX) {
            v->seg[v->nsegs++] = xstrdup(s);
        } else {
            v->broken = true;
        }
    }
    free(text);
}

/* metav1.DeleteOptions of a body: is dryRun exactly ["All"]? The last one of a name counts; what is like it is taken for the worse. */
static inline bool view_options_dry(const cJSON *o) {
    const cJSON *c, *dry = NULL;
    cJSON_ArrayForEach(c, o) {
        if (!strcmp(c->string, "dryRun")) dry = c;
        if (!strcasecmp(c->string, "dryRun") && strcmp(c->string, "dryRun") != 0) return false;
    }
    const cJSON *one = cJSON_IsArray(dry) ? dry->child : NULL;
    return one && !one->next && cJSON_IsString(one) && !strcmp(one->valuestring, "All");
}

static inline bool view_is(const char *s, const char *words) { /* one of words, separated by blanks */
    size_t n = strlen(s);
    for (const char *at = words; n && (at = strstr(at, s)); at += n) {
        if ((at == words || at[-1] == ' ') && (at[n] == ' ' || !at[n])) return true;
    }
    return false;
}

/* NULL: nothing can be written by it. Else why something might. */
static inline const char *view_judge(struct view *v, struct slice method, struct slice type,
                                     struct slice body) {
    bool get = slice_eqs(method, "GET");
    unsigned dry = 0, all = 0;
    if (v->broken) return "is broken";
    if (!get && !slice_eqs(method, "POST") && !slice_eqs(method, "PUT") && !slice_eqs(method, "PATCH") &&
        !slice_eqs(method, "DELETE"))
        return "has an odd method";
    size_t i = v->nsegs && !strcmp(v->seg[0], "api") ? 2 : v->nsegs && !strcmp(v->seg[0], "apis") ? 3 : 0;
    if (!i || v->nsegs <= i) return get ? NULL : "is no resource";
    const char *group = i == 3 ? v->seg[1] : "";
    if (view_is(v->seg[i], "proxy redirect")) return "reaches into a pod";
    bool namespaced =
        !strcmp(v->seg[i], "namespaces") && v->nsegs > i + 2 && !view_is(v->seg[i + 2], "status finalize");
    if (namespaced) i += 2;
    const char *resource = v->seg[i], *name = v->nsegs > i + 1 ? v->seg[i + 1] : "",
               *sub = v->nsegs > i + 2 ? v->seg[i + 2] : "";
    if (view_is(sub, "exec attach portforward proxy")) return "reaches into a pod";
    if (get) return body.n ? "has a body" : NULL;
    if (view_is(sub, "token")) return "gives out a token";
    if (slice_eqs(method, "POST") && !*name &&
        ((!strcmp(group, "authentication.k8s.io") && !namespaced &&
          view_is(resource, "tokenreviews selfsubjectreviews")) ||
         (!strcmp(group, "authorization.k8s.io") &&
          view_is(resource, namespaced
                                ? "localsubjectaccessreviews"
                                : "subjectaccessreviews selfsubjectaccessreviews selfsubjectrulesreviews"))))
        return NULL;
    for (size_t k = 0; k < v->nparams; k++) {
        dry += !strcasecmp(v->name[k], "dryRun");
        all += !strcmp(v->name[k], "dryRun") && !strcmp(v->value[k], "All");
    }
    if (dry != 1 || all != 1) return "is no dry run by its query";
    bool evicts = slice_eqs(method, "POST") && !strcmp(sub, "eviction"),
         deletes = slice_eqs(method, "DELETE");
    if (!deletes && !evicts) return NULL;
    if (!slice_eqs(type, "application/json")) return "has DeleteOptions in another encoding";
    cleanup_json cJSON *json = json_parse(body, NULL);
    const cJSON *options = json, *c;
    if (evicts) {
        options = NULL;
        cJSON_ArrayForEach(c, json) {
            if (!strcmp(c->string, "deleteOptions")) options = c;
        }
    }
    return cJSON_IsObject(options) && view_options_dry(options) ? NULL : "is no dry run by its body";
}

static inline const char *server_view(struct slice method, struct slice target, struct slice type,
                                      struct slice body) {
    struct view v = {0};
    struct slice path, query;
    for (size_t i = 0; i < target.n; i++)
        v.broken = v.broken || (unsigned char)target.p[i] <= 0x20 || target.p[i] == 0x7f;
    slice_cut(target, '?', &path, &query);
    view_path(&v, path);
    view_query(&v, query);
    const char *why = view_judge(&v, method, type, body);
    view_free(&v);
    return why;
}
#endif
