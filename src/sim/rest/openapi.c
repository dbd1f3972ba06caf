/* /openapi/v2: no types (what is not described is not checked by kubectl), but that PATCH of every served
 * type takes dryRun and fieldValidation, which kubectl looks for before it asks for one. As protobuf (gnostic's
 * openapi.v2.Document) or JSON. */
#include "rest/rest.h"

static void pb_varint(struct buf *b, size_t n) {
    for (; n > 0x7f; n >>= 7) buf_addc(b, (char)(n | 0x80));
    buf_addc(b, (char)n);
}

static void pb_bytes(struct buf *b, unsigned field, struct slice s) {
    pb_varint(b, field << 3 | 2);
    pb_varint(b, s.n);
    buf_add(b, s);
}

/* Closes a message: what inner holds becomes a field of outer. */
static void pb_wrap(struct buf *outer, unsigned field, struct buf *inner) {
    pb_bytes(outer, field, buf_slice(inner));
    buf_free(inner);
}

static void gvk(const struct sim_type *t, struct buf *out) {
    buf_addf(out, "{\"group\":\"%s\",\"kind\":\"%s\",\"version\":\"%s\"}", t->group, t->kind, t->version);
}

static void path_of(const struct sim_type *t, struct buf *out) {
    char version[128];
    buf_addf(out, "/%s/%s/%s%s/{name}", t->group[0] ? "apis" : "api", type_api_version(t, version),
             t->namespaced ? "namespaces/{namespace}/" : "", t->resource);
}

static const char *const params[] = {"dryRun", "fieldValidation"};
/* Servers before 1.25 do not know the second. */
static size_t params_n(const struct sim *s) {
    return s->cfg.release == SIM_RELEASE_1_18 || s->cfg.release == SIM_RELEASE_1_20 ? 1 : ARRAY_LEN(params);
}

static void pb_param(const char *name, struct buf *op) {
    enum { MAX = 1 << 10 };
    struct buf query = BUF(MAX), non_body = BUF(MAX), param = BUF(MAX), item = BUF(MAX);
    pb_bytes(&query, 2, SL("query"));
    pb_bytes(&query, 4, slice_of(name));
    pb_bytes(&query, 6, SL("string"));
    pb_wrap(&non_body, 3, &query); /* NonBodyParameter.query_parameter_sub_schema */
    pb_wrap(&param, 2, &non_body); /* Parameter.non_body_parameter */
    pb_wrap(&item, 1, &param);     /* ParametersItem.parameter */
    pb_wrap(op, 8, &item);
}

/* NamedPathItem {1 name, 2 PathItem {8 patch: Operation {8 parameters, 13 vendor_extension: NamedAny}}} */
static void pb_path(const struct sim *s, const struct sim_type *t, struct buf *paths) {
    enum { MAX = 64 << 10 };
    struct buf op = BUF(MAX);
    for (size_t i = 0; i < params_n(s); i++) pb_param(params[i], &op);
    struct buf yaml = BUF(MAX), any = BUF(MAX), named = BUF(MAX);
    gvk(t, &yaml);
    pb_wrap(&any, 2, &yaml); /* Any.yaml */
    pb_bytes(&named, 1, SL("x-kubernetes-group-version-kind"));
    pb_wrap(&named, 2, &any);
    pb_wrap(&op, 13, &named);
    struct buf path = BUF(MAX), entry = BUF(MAX), name = BUF(MAX);
    pb_wrap(&path, 8, &op);
    path_of(t, &name);
    pb_wrap(&entry, 1, &name);
    pb_wrap(&entry, 2, &path);
    pb_wrap(paths, 2, &entry);
}

static void write_pb(struct sim *s, struct buf *out) {
    struct buf info = BUF(1024), paths = BUF(4 << 20);
    const struct sim_type *t;
    for (size_t i = 0; (t = type_at(s, i)); i++) pb_path(s, t, &paths);
    pb_bytes(&info, 1, SL("handover sim"));
    pb_bytes(&info, 2, SL("v1.20.2"));
    pb_bytes(out, 1, SL("2.0"));
    pb_wrap(out, 2, &info);
    pb_wrap(out, 8, &paths);
}

static void write_json(struct sim *s, struct buf *out) {
    const struct sim_type *t;
    buf_adds(
        out,
        "{\"swagger\":\"2.0\",\"info\":{\"title\":\"handover sim\",\"version\":\"v1.20.2\"},\"paths\":{");
    for (size_t i = 0; (t = type_at(s, i)); i++) {
        buf_adds(out, i ? ",\"" : "\"");
        path_of(t, out);
        buf_adds(out, "\":{\"patch\":{\"parameters\":[");
        for (size_t k = 0; k < params_n(s); k++)
            buf_addf(out, "%s{\"name\":\"%s\",\"in\":\"query\",\"type\":\"string\"}", k ? "," : "",
                     params[k]);
        buf_adds(out, "],\"x-kubernetes-group-version-kind\":");
        gvk(t, out);
        buf_adds(out, "}}");
    }
    buf_adds(out, "}}");
}

int openapi_serve(struct call *c) {
    const char *want = "application/com.github.proto-openapi.spec.v2";
    struct slice a = c->req->accept;
    bool pb = a.n && memmem(a.p, a.n, want, strlen(want));
    struct buf b = BUF(8 << 20);
    if (pb) {
        write_pb(c->s, &b);
    } else {
        write_json(c->s, &b);
    }
    exchange_head(c->x, 200,
                  pb ? "application/com.github.proto-openapi.spec.v2.v1.0+protobuf" : "application/json", -1);
    exchange_body(c->x, buf_slice(&b));
    exchange_end(c->x, false);
    buf_free(&b);
    return 0;
}
