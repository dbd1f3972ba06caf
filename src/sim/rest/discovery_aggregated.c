/* apidiscovery.k8s.io/v2: all groups, versions and resources in one answer, as clients since 1.26 ask first. */
#include "rest/discovery.h"

static const char type_v2[] = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

static bool has_param(struct slice range, const char *want) {
    struct slice one, rest = range;
    while (rest.n) {
        slice_cut(rest, ';', &one, &rest);
        if (slice_eqs(slice_trim(one), want)) return true;
    }
    return false;
}

bool discovery_aggregated_wanted(const struct call *c) {
    if (c->s->cfg.release != SIM_RELEASE_1_37 && c->s->cfg.release != SIM_RELEASE_1_33) return false;
    struct slice range, rest = c->req->accept;
    while (rest.n) { /* the first that can be served */
        slice_cut(rest, ',', &range, &rest);
        if (!has_param(range, "application/json") && !has_param(range, "*/*")) continue;
        bool group = has_param(range, "g=apidiscovery.k8s.io"),
             as = has_param(range, "as=APIGroupDiscoveryList");
        if (group && as && has_param(range, "v=v2")) return true;
        if (!group && !as) return false;
    }
    return false;
}

static void write_kind(const char *group, const char *version, const char *kind, struct buf *out) {
    buf_addf(out, "\"responseKind\":{\"group\":\"%s\",\"version\":\"%s\",\"kind\":\"%s\"}", group, version,
             kind);
}

struct subs {
    struct buf *out;
    size_t n;
};

static void write_sub(void *ctx, const struct sim_type *t, const struct subresource *sub) {
    struct subs *w = ctx;
    buf_addf(w->out, "%s{\"subresource\":\"%s\",", w->n++ ? "," : ",\"subresources\":[", sub->name);
    write_kind(sub->group ? sub->group : t->group, sub->group ? sub->version : t->version, sub->kind, w->out);
    buf_addc(w->out, ',');
    discovery_write_verbs(w->out, sub->verbs);
    buf_addc(w->out, '}');
}

static void write_type(const struct sim_type *t, struct buf *out) {
    buf_addf(out, "{\"resource\":\"%s\",", t->resource);
    write_kind(t->group, t->version, t->kind, out);
    buf_addf(out, ",\"scope\":\"%s\",\"singularResource\":\"%s\",", t->namespaced ? "Namespaced" : "Cluster",
             t->singular);
    discovery_write_verbs(out, "create delete deletecollection get list patch update watch");
    discovery_write_names(out, "shortNames", t->short_names);
    discovery_write_names(out, "categories", discovery_categories(t));
    struct subs w = {.out = out};
    discovery_each_sub(t, write_sub, &w);
    buf_adds(out, w.n ? "]}" : "}");
}

static void write_review(const struct review_type *t, struct buf *out) {
    buf_addf(out, "{\"resource\":\"%s\",", t->resource);
    write_kind(t->group, "v1", t->kind, out);
    buf_addf(out, ",\"scope\":\"%s\",\"singularResource\":\"\",", t->namespaced ? "Namespaced" : "Cluster");
    discovery_write_verbs(out, "create");
    buf_addc(out, '}');
}

static void write_version(struct sim *s, const char *group, const char *version, struct buf *out) {
    const struct sim_type *t;
    bool any = false;
    buf_addf(out, "{\"version\":\"%s\",\"resources\":[", version);
    for (size_t i = 0; (t = type_at(s, i)); i++) {
        if (strcmp(t->group, group) != 0 || strcmp(t->version, version) != 0) continue;
        if (any) buf_addc(out, ',');
        write_type(t, out);
        any = true;
    }
    for (size_t i = 0; i < discovery_reviews_n; i++) {
        if (strcmp(discovery_reviews[i].group, group) != 0 || strcmp(version, "v1") != 0) continue;
        if (any) buf_addc(out, ',');
        write_review(&discovery_reviews[i], out);
        any = true;
    }
    buf_adds(out, "],\"freshness\":\"Current\"}");
}

static bool version_said(struct sim *s, const struct sim_type *t, size_t before) {
    for (size_t i = 0; i < before; i++) {
        const struct sim_type *o = type_at(s, i);
        if (!strcmp(o->group, t->group) && !strcmp(o->version, t->version)) return true;
    }
    return false;
}

static void write_group(struct sim *s, const char *group, bool first, struct buf *out) {
    const struct sim_type *t;
    bool any = false;
    buf_addf(out, "%s{\"metadata\":{%s%s%s},\"versions\":[", first ? "" : ",", group[0] ? "\"name\":\"" : "",
             group, group[0] ? "\"" : "");
    for (size_t i = 0; (t = type_at(s, i)); i++) {
        if (strcmp(t->group, group) != 0 || version_said(s, t, i)) continue;
        if (any) buf_addc(out, ',');
        write_version(s, group, t->version, out);
        any = true;
    }
    if (!any) write_version(s, group, "v1", out); /* of reviews alone */
    buf_adds(out, "]}");
}

static bool group_said(struct sim *s, const char *group, size_t before) {
    for (size_t i = 0; i < before; i++) {
        if (!strcmp(type_at(s, i)->group, group)) return true;
    }
    return false;
}

int discovery_aggregated_serve(struct call *c, bool core) {
    struct buf b = BUF(16 << 20);
    const struct sim_type *t;
    bool first = true;
    buf_adds(&b, "{\"kind\":\"APIGroupDiscoveryList\",\"apiVersion\":\"apidiscovery.k8s.io/"
                 "v2\",\"metadata\":{},\"items\":[");
    for (size_t i = 0; (t = type_at(c->s, i)); i++) {
        if (core != !t->group[0] || group_said(c->s, t->group, i)) continue;
        write_group(c->s, t->group, first, &b);
        first = false;
    }
    for (size_t i = 0; !core && i < discovery_reviews_n; i++) {
        if (i && !strcmp(discovery_reviews[i].group, discovery_reviews[i - 1].group)) continue;
        write_group(c->s, discovery_reviews[i].group, false, &b);
    }
    buf_adds(&b, "]}");
    exchange_head(c->x, 200, type_v2, -1);
    exchange_body(c->x, buf_slice(&b));
    exchange_end(c->x, false);
    buf_free(&b);
    return 0;
}
