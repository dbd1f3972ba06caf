/* An API server of a few lines, for the random schedules: objects of two resources with versions, a history, lists at a version, watches
 * that lag, and dry runs that validate nothing but merge. Only others change what is live. */
#ifndef MODEL_SERVER_H
#define MODEL_SERVER_H
#include "overlay_kit.h"
#include "api/patch.h"
#include "base/json_tree.h"
#include "base/rand.h"
#include <inttypes.h>

#define NOBJECTS 64
#define NHISTORY 4096
static const char *const resources[] = {"sets", "pods"};

struct live {
    char name[64];
    char *text; /* NULL: free */
    uint64_t rv;
};
struct change {
    uint64_t rv;
    int res;
    char *old, *now; /* NULL: not there */
};
struct server {
    struct rng *r;
    uint64_t rv, compacted, uids, clock;
    struct live live[2][NOBJECTS];
    struct change log[NHISTORY];
    size_t n;
    uint64_t asked; /* live version of the object that the last dry run was about; 0: it was not there */
    uint64_t dry_runs;
};

static inline void server_free(struct server *s) {
    for (int res = 0; res < 2; res++) {
        for (int i = 0; i < NOBJECTS; i++) free(s->live[res][i].text);
    }
    for (size_t i = 0; i < s->n; i++) {
        free(s->log[i].old);
        free(s->log[i].now);
    }
}

static inline struct live *server_find(struct server *s, int res, const char *name) {
    for (int i = 0; i < NOBJECTS; i++) {
        struct live *l = &s->live[res][i];
        if (l->text && strcmp(l->name, name) == 0) return l;
    }
    return NULL;
}

static inline char *text_of(const cJSON *v) {
    struct buf b = BUF(1 << 20);
    json_tree_print(v, &b);
    return buf_take(&b);
}
static inline cJSON *tree_of(const char *text) {
    cJSON *v = json_tree_parse(slice_of(text), NULL);
    assert_non_null(v);
    return v;
}
static inline const cJSON *meta_of(const cJSON *v) {
    return json_obj(v, "metadata");
}
static inline void set_rv(cJSON *v, uint64_t rv) {
    char text[32];
    snprintf(text, sizeof text, "%" PRIu64, rv);
    json_tree_set_str(json_tree_child(v, "metadata"), "resourceVersion", text);
}

/* What the others do. obj NULL: the object goes. Takes obj. */
static inline void server_set(struct server *s, int res, const char *name, cJSON *obj) {
    struct live *l = server_find(s, res, name);
    assert_true(s->n < NHISTORY);
    struct change *c = &s->log[s->n++];
    s->rv += 1 + rng_below(s->r, 3); /* other resources change, too */
    *c = (struct change){.rv = s->rv, .res = res, .old = l ? xstrdup(l->text) : NULL};
    for (int i = 0; !l && i < NOBJECTS; i++) l = s->live[res][i].text ? NULL : &s->live[res][i];
    if (!l) abort();
    free(l->text);
    l->text = NULL;
    if (!obj) return;
    set_rv(obj, s->rv);
    snprintf(l->name, sizeof l->name, "%s", name);
    l->text = text_of(obj);
    l->rv = s->rv;
    c->now = xstrdup(l->text);
    cJSON_Delete(obj);
}

/* As native kinds have it. */
static inline void server_defaults(cJSON *obj) {
    cJSON *spec = json_tree_child(obj, "spec");
    if (!json_get(spec, "replicas")) json_tree_set_num(spec, "replicas", 1);
}

/* Defaults and what the server sets of a new object. */
static inline void server_born(struct server *s, cJSON *obj) {
    cJSON *meta = json_tree_child(obj, "metadata");
    char text[64];
    const char *prefix = json_str_or(meta, "generateName", "");
    if (!json_str_or(meta, "name", "")[0]) {
        snprintf(text, sizeof text, "%sx%" PRIu64, prefix, s->uids);
        json_tree_set_str(meta, "name", text);
    }
    snprintf(text, sizeof text, "uid-%" PRIu64, s->uids++);
    json_tree_set_str(meta, "uid", text);
    s->clock++; /* no two in one second */
    snprintf(text, sizeof text, "2026-01-01T%02d:%02d:%02dZ", (int)(s->clock / 3600),
             (int)(s->clock / 60 % 60), (int)(s->clock % 60));
    json_tree_set_str(meta, "creationTimestamp", text);
    json_tree_set_num(meta, "generation", 1);
    json_tree_set(obj, "status", NULL);
    json_tree_set(meta, "resourceVersion", NULL);
    server_defaults(obj);
}

static inline int fail_with(struct buf *out, int code, const char *reason) {
    buf_addf(out,
             "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\",\"reason\":"
             "\"%s\",\"code\":%d}",
             reason, code);
    return code;
}

/* obj: as a PUT or a patch leaves it; what is stored of it, main part or status. Takes obj. */
static inline int dry_update(const struct live *l, cJSON *obj, bool status, struct buf *out) {
    cleanup_json cJSON *old = tree_of(l->text);
    const char *rv = json_str_or(meta_of(obj), "resourceVersion", "");
    const char *its = json_str(meta_of(old), "uid");
    bool conflict = (rv[0] && strcmp(rv, json_str(meta_of(old), "resourceVersion")) != 0) ||
                    strcmp(json_str_or(meta_of(obj), "uid", its), its) != 0;
    if (conflict) {
        cJSON_Delete(obj);
        return fail_with(out, 409, "Conflict");
    }
    if (json_get(meta_of(obj), "deletionTimestamp") && !json_get(meta_of(old), "deletionTimestamp")) {
        cJSON_Delete(obj); /* as the API server's validation has it: immutable */
        return fail_with(out, 422, "Invalid");
    }
    server_defaults(obj);
    cJSON *v = json_tree_dup(status ? old : obj);
    json_tree_set(v, "status", json_tree_dup(json_get(status ? obj : old, "status")));
    cJSON *meta = json_tree_child(v, "metadata");
    static const char *const kept[] = {"uid", "creationTimestamp", "resourceVersion", "deletionTimestamp",
                                       "deletionGracePeriodSeconds"};
    for (size_t i = 0; i < ARRAY_LEN(kept); i++)
        json_tree_set(meta, kept[i], json_tree_dup(json_get(meta_of(old), kept[i])));
    bool same = json_tree_equal(json_get(v, "spec"), json_get(old, "spec"));
    json_tree_set_num(meta, "generation", json_num(meta_of(old), "generation", 1) + (same ? 0 : 1));
    json_tree_print(v, out);
    cJSON_Delete(v);
    cJSON_Delete(obj);
    return 200;
}

static inline int dry_patch(struct server *s, struct live *l, const struct upstream *u, bool status,
                            struct buf *out) {
    cleanup_json cJSON *patch = json_tree_parse(buf_slice(&u->body), NULL);
    bool apply = strstr(u->content_type, "apply") != NULL,
         ops = strstr(u->content_type, "json-patch") != NULL;
    if (!l && apply && !status) {
        server_born(s, patch);
        json_tree_print(patch, out);
        return 201;
    }
    if (!l) return fail_with(out, 404, "NotFound");
    cJSON *doc = tree_of(l->text);
    int e = ops ? patch_json(&doc, patch, NULL) : patch_merge(&doc, patch, NULL);
    if (e == 0) return dry_update(l, doc, status, out);
    cJSON_Delete(doc);
    return fail_with(out, 422, "Invalid");
}

static inline int dry_scale(const struct live *l, const struct upstream *u, struct buf *out) {
    if (!l) return fail_with(out, 404, "NotFound");
    cleanup_json cJSON *body = json_tree_parse(buf_slice(&u->body), NULL), *old = tree_of(l->text);
    const char *rv = json_str_or(meta_of(body), "resourceVersion", "");
    if (rv[0] && strcmp(rv, json_str(meta_of(old), "resourceVersion")) != 0)
        return fail_with(out, 409, "Conflict");
    buf_addf(out,
             "{\"kind\":\"Scale\",\"apiVersion\":\"autoscaling/"
             "v1\",\"metadata\":{\"name\":\"%s\",\"resourceVersion\":\"%s\"},\"spec\":{\"replicas\":%.0f}}",
             l->name, json_str(meta_of(old), "resourceVersion"),
             json_num(json_obj(body, "spec"), "replicas", 0));
    return 200;
}

static inline int dry_delete(const struct live *l, const struct upstream *u, struct buf *out) {
    if (!l) return fail_with(out, 404, "NotFound");
    cleanup_json cJSON *opt = json_tree_parse(buf_slice(&u->body), NULL), *old = tree_of(l->text);
    const char *rv = json_str_or(json_obj(opt, "preconditions"), "resourceVersion", "");
    const char *its = json_str(meta_of(old), "uid");
    if ((rv[0] && strcmp(rv, json_str(meta_of(old), "resourceVersion")) != 0) ||
        strcmp(json_str_or(json_obj(opt, "preconditions"), "uid", its), its) != 0)
        return fail_with(out, 409, "Conflict");
    if (json_arr(meta_of(old), "finalizers")) {
        buf_adds(out, l->text);
    } else {
        buf_adds(out, "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Success\"}");
    }
    return 200;
}

/* The answer to what the overlay asks. */
static inline int server_answer(struct server *s, const struct upstream *u, struct buf *out) {
    struct slice path, query, rest, part[8] = {0};
    slice_cut(buf_slice(&u->target), '?', &path, &query);
    size_t n = 0;
    for (rest = path; rest.p && n < 8;)
        slice_cut(rest, '/', &part[n++], &rest); /* "", apis, g, v1, namespaces, ns, res, name */
    struct slice sub = rest.p ? rest : (struct slice){0};
    int res = slice_eqs(part[6], resources[1]);
    cleanup_free char *name = slice_dup(n > 7 ? part[7] : SL(""));
    struct live *l = server_find(s, res, name);
    bool status = slice_eqs(sub, "status"), scale = slice_eqs(sub, "scale");
    s->asked = l ? l->rv : 0;
    if (u->verb == UPSTREAM_GET) {
        if (!l) return fail_with(out, 404, "NotFound");
        buf_adds(out, l->text);
        return 200;
    }
    s->dry_runs++;
    assert_true(slice_ends(query, SL("dryRun=All")));
    if (u->verb == UPSTREAM_DRY_PATCH) return scale ? dry_scale(l, u, out) : dry_patch(s, l, u, status, out);
    if (u->verb == UPSTREAM_DRY_DELETE) return dry_delete(l, u, out);
    cJSON *obj = json_tree_parse(buf_slice(&u->body), NULL);
    assert_non_null(obj);
    if (u->verb == UPSTREAM_DRY_UPDATE && l && !scale) return dry_update(l, obj, status, out);
    bool there = server_find(s, res, json_str_or(meta_of(obj), "name", "")) != NULL,
         create = u->verb == UPSTREAM_DRY_CREATE;
    int code = create && !there ? 201 : create ? 409 : 404;
    if (code == 201) {
        assert_null(json_get(meta_of(obj), "resourceVersion"));
        server_born(s, obj);
        json_tree_print(obj, out);
    } else if (!create && scale) {
        code = dry_scale(l, u, out);
    } else {
        fail_with(out, code, create ? "AlreadyExists" : "NotFound");
    }
    cJSON_Delete(obj);
    return code;
}
#endif
