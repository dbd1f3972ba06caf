/* Who we are and what is served: enough for kubectl's discovery, old (1.20) and new. */
#include "rest/discovery.h"
#include <errno.h>

const struct review_type discovery_reviews[] = {
    {"authentication.k8s.io", "selfsubjectreviews", "SelfSubjectReview", false},
    {"authentication.k8s.io", "tokenreviews", "TokenReview", false},
    {"authorization.k8s.io", "localsubjectaccessreviews", "LocalSubjectAccessReview", true},
    {"authorization.k8s.io", "selfsubjectaccessreviews", "SelfSubjectAccessReview", false},
    {"authorization.k8s.io", "selfsubjectrulesreviews", "SelfSubjectRulesReview", false},
    {"authorization.k8s.io", "subjectaccessreviews", "SubjectAccessReview", false},
};
const size_t discovery_reviews_n = ARRAY_LEN(discovery_reviews);

static int answer(struct call *c, struct buf *b) {
    exchange_json(c->x, 200, buf_slice(b));
    buf_free(b);
    return 0;
}

/* ---- resources of a group ---- */
static void write_words(struct buf *out, const char *key, const char *list, char sep) {
    struct slice rest = slice_of(list), one;
    buf_addf(out, "\"%s\":[", key);
    for (bool first = true; rest.n; first = false) {
        slice_cut(rest, sep, &one, &rest);
        buf_addf(out, "%s\"%.*s\"", first ? "" : ",", SLF(one));
    }
    buf_addc(out, ']');
}

void discovery_write_verbs(struct buf *out, const char *verbs) {
    write_words(out, "verbs", verbs, ' ');
}

void discovery_write_names(struct buf *out, const char *key, const char *list) {
    if (!list[0]) return;
    buf_addc(out, ',');
    write_words(out, key, list, ',');
}

const char *discovery_categories(const struct sim_type *t) {
    bool all = type_is(t, "", "pods") || type_is(t, "", "services") || !strcmp(t->group, "apps");
    return all ? "all" : "";
}

void discovery_each_sub(const struct sim_type *t,
                        void (*fn)(void *ctx, const struct sim_type *t, const struct subresource *sub),
                        void *ctx) {
    static const struct subresource scale = {"scale", "autoscaling", "v1", "Scale", "get patch update"},
                                    of_pods[] = {{"log", NULL, NULL, "Pod", "get"},
                                                 {"proxy", NULL, NULL, "PodProxyOptions", "get"},
                                                 {"eviction", "policy", "v1", "Eviction", "create"}};
    const struct subresource status = {"status", NULL, NULL, t->kind, "get patch update"};
    if (t->has_status) fn(ctx, t, &status);
    if (t->has_scale) fn(ctx, t, &scale);
    for (size_t i = 0; type_is(t, "", "pods") && i < ARRAY_LEN(of_pods); i++) fn(ctx, t, &of_pods[i]);
}

static void write_sub(void *ctx, const struct sim_type *t, const struct subresource *sub) {
    struct buf *out = ctx;
    buf_addf(out, ",{\"name\":\"%s/%s\",\"singularName\":\"\",\"namespaced\":%s", t->resource, sub->name,
             t->namespaced ? "true" : "false");
    if (sub->group) buf_addf(out, ",\"group\":\"%s\",\"version\":\"%s\"", sub->group, sub->version);
    buf_addf(out, ",\"kind\":\"%s\",", sub->kind);
    discovery_write_verbs(out, sub->verbs);
    buf_addc(out, '}');
}

static void write_type(const struct sim_type *t, bool first, struct buf *out) {
    buf_addf(out, "%s{\"name\":\"%s\",\"singularName\":\"%s\",\"namespaced\":%s,\"kind\":\"%s\",",
             first ? "" : ",", t->resource, t->singular, t->namespaced ? "true" : "false", t->kind);
    discovery_write_verbs(out, "create delete deletecollection get list patch update watch");
    discovery_write_names(out, "shortNames", t->short_names);
    discovery_write_names(out, "categories", discovery_categories(t));
    buf_addc(out, '}');
    discovery_each_sub(t, write_sub, out);
}

static bool has_reviews(const char *group) {
    for (size_t i = 0; i < discovery_reviews_n; i++) {
        if (!strcmp(discovery_reviews[i].group, group)) return true;
    }
    return false;
}

static int resource_list(struct call *c, const char *group, const char *version) {
    struct buf b = BUF(1 << 20);
    buf_addf(
        &b, "{\"kind\":\"APIResourceList\",\"apiVersion\":\"v1\",\"groupVersion\":\"%s%s%s\",\"resources\":[",
        group, group[0] ? "/" : "", version);
    bool any = false;
    const struct sim_type *t;
    for (size_t i = 0; (t = type_at(c->s, i)); i++) {
        if (strcmp(t->group, group) != 0 || strcmp(t->version, version) != 0) continue;
        write_type(t, !any, &b);
        any = true;
    }
    for (size_t i = 0; !strcmp(version, "v1") && i < discovery_reviews_n; i++) {
        const struct review_type *v = &discovery_reviews[i];
        if (strcmp(v->group, group) != 0) continue;
        buf_addf(&b,
                 "%s{\"name\":\"%s\",\"singularName\":\"\",\"namespaced\":%s,\"kind\":\"%s\",\"verbs\":["
                 "\"create\"]}",
                 any ? "," : "", v->resource, v->namespaced ? "true" : "false", v->kind);
        any = true;
    }
    buf_adds(&b, "]}");
    if (any) return answer(c, &b);
    buf_free(&b);
    return -ENOENT;
}

/* ---- groups ---- */
static void write_group(struct sim *s, const char *group, bool whole, struct buf *out) {
    const struct sim_type *t;
    buf_addf(out, "{%s\"name\":\"%s\",\"versions\":[",
             whole ? "\"kind\":\"APIGroup\",\"apiVersion\":\"v1\"," : "", group);
    const char *first = has_reviews(group) ? "v1" : NULL;
    if (first) buf_addf(out, "{\"groupVersion\":\"%s/v1\",\"version\":\"v1\"}", group);
    for (size_t i = 0; (t = type_at(s, i)); i++) {
        if (strcmp(t->group, group) != 0) continue;
        bool said = first && !strcmp(first, t->version);
        for (size_t k = 0; k < i && !said; k++) {
            const struct sim_type *o = type_at(s, k);
            said = !strcmp(o->group, group) && !strcmp(o->version, t->version);
        }
        if (said) continue;
        buf_addf(out, "%s{\"groupVersion\":\"%s/%s\",\"version\":\"%s\"}", first ? "," : "", group,
                 t->version, t->version);
        if (!first) first = t->version;
    }
    buf_addf(out, "],\"preferredVersion\":{\"groupVersion\":\"%s/%s\",\"version\":\"%s\"}}", group, first,
             first);
}

static bool group_known(struct sim *s, const char *group, size_t before) {
    const struct sim_type *t;
    for (size_t i = 0; i < before && (t = type_at(s, i)); i++) {
        if (!strcmp(t->group, group)) return true;
    }
    return false;
}

static int group_list(struct call *c) {
    struct buf b = BUF(1 << 20);
    const struct sim_type *t;
    buf_adds(&b, "{\"kind\":\"APIGroupList\",\"apiVersion\":\"v1\",\"groups\":[");
    write_group(c->s, "authentication.k8s.io", false, &b);
    buf_addc(&b, ',');
    write_group(c->s, "authorization.k8s.io", false, &b);
    for (size_t i = 0; (t = type_at(c->s, i)); i++) {
        if (!t->group[0] || group_known(c->s, t->group, i)) continue;
        buf_addc(&b, ',');
        write_group(c->s, t->group, false, &b);
    }
    buf_adds(&b, "]}");
    return answer(c, &b);
}

static int one_group(struct call *c, const char *group) {
    if (!group[0] || (!group_known(c->s, group, SIZE_MAX) && !has_reviews(group))) return -ENOENT;
    struct buf b = BUF(1 << 20);
    write_group(c->s, group, true, &b);
    return answer(c, &b);
}

/* ---- the rest ---- */
static int version(struct call *c) {
    static const struct {
        const char *minor, *patch, *go, *built;
    } releases[] = {[SIM_RELEASE_1_18] = {"18", "20", "go1.13.15", "2021-06-16T12:51:17Z"},
                    [SIM_RELEASE_1_20] = {"20", "2", "go1.15.5", "2021-01-13T13:20:00Z"},
                    [SIM_RELEASE_1_33] = {"33", "4", "go1.24.5", "2025-08-13T14:23:00Z"},
                    [SIM_RELEASE_1_37] = {"37", "2", "go1.26.0", "2026-10-14T12:00:00Z"}};
    enum sim_release r = c->s->cfg.release;
    struct buf b = BUF(4096);
    buf_addf(&b,
             "{\"major\":\"1\",\"minor\":\"%s\",\"gitVersion\":\"v1.%s.%s+handover-sim\",\"gitCommit\":\"\","
             "\"gitTreeState\":\"clean\",\"buildDate\":\"%s\",\"goVersion\":\"%s\",\"compiler\":\"gc\","
             "\"platform\":\"linux/amd64\"}",
             releases[r].minor, releases[r].minor, releases[r].patch, releases[r].built, releases[r].go);
    return answer(c, &b);
}

static const char paths_text[] =
    "{\"paths\":[\"/api\",\"/api/v1\",\"/apis\",\"/healthz\",\"/livez\",\"/openapi/v2\","
    "\"/readyz\",\"/version\"]}";

static bool is_health(const char *s) {
    return !strcmp(s, "healthz") || !strcmp(s, "livez") || !strcmp(s, "readyz");
}

static int serve_root(struct call *c, const char *first) {
    const struct request_uri *t = &c->t;
    if (is_health(first)) {
        exchange_text(c->x, 200, SL("ok"));
        return 0;
    }
    if (!strcmp(first, "version") && t->n == 1) return version(c);
    if (!strcmp(first, "openapi") && t->n == 2 && !strcmp(t->seg[1], "v2")) return openapi_serve(c);
    bool core = !strcmp(first, "api");
    if (t->n == 1 && (core || !strcmp(first, "apis")) && discovery_aggregated_wanted(c))
        return discovery_aggregated_serve(c, core);
    if (core && t->n == 1) {
        exchange_json(
            c->x, 200,
            SL("{\"kind\":\"APIVersions\",\"versions\":[\"v1\"],\"serverAddressByClientCIDRs\":[]}"));
        return 0;
    }
    if (core && t->n == 2) return resource_list(c, "", t->seg[1]);
    if (strcmp(first, "apis") != 0) return -ENOENT;
    if (t->n == 1) return group_list(c);
    if (t->n == 2) return one_group(c, t->seg[1]);
    return t->n == 3 ? resource_list(c, t->seg[1], t->seg[2]) : -ENOENT;
}

int discovery_serve(struct call *c) {
    if (!slice_eqs(c->req->method, "GET")) return -ENOENT;
    if (c->t.n == 0) {
        exchange_json(c->x, 200, slice_of(paths_text));
        return 0;
    }
    return serve_root(c, c->t.seg[0]);
}
