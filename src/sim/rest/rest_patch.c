/* PATCH in its four dialects, and the scale subresource. */
#include "rest/rest.h"
#include "rest/apply.h"
#include "rest/event_view.h"
#include "rest/field_validation.h"
#include "api/meta.h"
#include "api/patch.h"
#include "api/selector.h"
#include <errno.h>

enum { MAX_JSON_PATCH = 10000 };

static int patch_failed(struct call *c, const struct err *err) {
    return api_status_set(&c->f, 422, "Invalid",
                          "the server rejected our request due to an error in our request: %s", err->msg);
}

enum dialect { DIALECT_JSON, DIALECT_MERGE, DIALECT_STRATEGIC, DIALECT_APPLY, DIALECTS };

/* Before the body is read: it may be of a type that we cannot read. 415. */
static int dialect_of(struct call *c, bool scale, enum dialect *ret) {
    static const char *const types[DIALECTS] = {"application/json-patch+json", "application/merge-patch+json",
                                                "application/strategic-merge-patch+json",
                                                "application/apply-patch+yaml"};
    struct slice media = rest_media_type(c);
    for (*ret = 0; *ret < DIALECTS && !slice_eqs(media, types[*ret]); ++*ret) continue;
    if (*ret < DIALECTS && !(c->type->custom && *ret == DIALECT_STRATEGIC) &&
        !((scale || c->events_view) && *ret == DIALECT_APPLY))
        return 0;
    return api_status_set(&c->f, 415, "UnsupportedMediaType",
                          "the body of the request was in an unknown format - accepted media types include: "
                          "%s, %s%s%s%s%s",
                          types[0], types[1], c->type->custom ? "" : ", ", c->type->custom ? "" : types[2],
                          scale ? "" : ", ", scale ? "" : types[3]);
}

/* Applies a patch that is no apply to *doc. */
static int apply_dialect(struct call *c, enum dialect dialect, const cJSON *patch, const char *kind,
                         cJSON **doc) {
    struct err err = {0};
    int r;
    if (dialect == DIALECT_JSON) {
        if (!cJSON_IsArray(patch))
            return api_status_set(&c->f, 400, "BadRequest", "a JSON patch is an array of operations");
        if (cJSON_GetArraySize(patch) > MAX_JSON_PATCH) {
            return api_status_set(&c->f, 413, "RequestEntityTooLarge",
                                  "The allowed maximum operations in a JSON patch is %d, got %d",
                                  MAX_JSON_PATCH, cJSON_GetArraySize(patch));
        }
        r = patch_json(doc, patch, &err);
    } else if (!cJSON_IsObject(patch)) {
        return api_status_set(&c->f, 400, "BadRequest", "a patch is an object");
    } else {
        r = dialect == DIALECT_MERGE ? patch_merge(doc, patch, &err)
                                     : patch_strategic(doc, patch, kind, &err);
    }
    return r < 0 ? patch_failed(c, &err) : 0;
}

int rest_patch(struct call *c) {
    cleanup_json cJSON *patch = NULL;
    enum dialect dialect;
    int r = dialect_of(c, false, &dialect);
    if (r == 0) r = rest_body(c, &patch);
    if (r == 0) r = rest_write_options(c, NULL);
    if (r < 0) return r;
    if (dialect == DIALECT_APPLY) return apply_serve(c, patch);
    struct sim_obj *o = rest_object(c);
    if (!o) return -ENOENT;
    cleanup_json cJSON *doc = json_tree_dup(o->json);
    if (c->events_view) event_view_show(doc);
    r = apply_dialect(c, dialect, patch, c->type->kind, &doc);
    if (r == 0 && c->events_view) r = event_view_take(doc, &c->f);
    if (r == 0 && c->events_view) r = event_view_check(doc, o->json, &c->f);
    if (r == 0) r = field_validation_patched(c, doc, patch);
    if (r < 0) return r;
    cJSON *given = doc;
    doc = NULL;
    struct json_doc *d = NULL;
    r = sim_object_put(c->s, o, given, strcmp(c->sub, "status") ? STORE_MAIN : STORE_STATUS, c->dry, &d,
                       &c->f);
    if (r < 0) return r;
    r = rest_answer(c, 200, d);
    json_doc_unref(d);
    return r;
}

/* ---- scale ---- */
static cJSON *scale_of(const cJSON *obj) {
    static const char *const kept[] = {"name", "namespace", "uid", "resourceVersion", "creationTimestamp"};
    const cJSON *meta = json_obj(obj, "metadata"), *spec = json_obj(obj, "spec");
    cJSON *v = cJSON_CreateObject();
    if (!v) abort();
    json_tree_set_str(v, "kind", "Scale");
    json_tree_set_str(v, "apiVersion", "autoscaling/v1");
    cJSON *to = json_tree_child(v, "metadata");
    for (size_t i = 0; i < ARRAY_LEN(kept); i++)
        json_tree_set(to, kept[i], json_tree_dup(json_get(meta, kept[i])));
    int64_t want = json_i64(spec, "replicas", 0);
    cJSON *to_spec = json_tree_child(v, "spec"), *to_status = json_tree_child(v, "status");
    if (want) json_tree_set_num(to_spec, "replicas", (double)want);
    json_tree_set_num(to_status, "replicas", json_num(json_obj(obj, "status"), "replicas", 0));
    struct selector *sel = NULL;
    struct buf text = BUF(64 << 10);
    if (selector_from_spec(json_obj(spec, "selector"), &sel, NULL) == 0) selector_format(sel, &text);
    json_tree_set_str(to_status, "selector", buf_str(&text));
    selector_free(sel);
    buf_free(&text);
    return v;
}

static int answer_scale(struct call *c, const cJSON *obj) {
    cleanup_json cJSON *v = scale_of(obj);
    struct buf b = BUF(64 << 10);
    json_tree_print(v, &b);
    exchange_json(c->x, 200, buf_slice(&b));
    buf_free(&b);
    return 0;
}

static int read_scale(struct call *c, const cJSON *obj, cJSON **ret) {
    cleanup_json cJSON *body = NULL;
    bool put = slice_eqs(c->req->method, "PUT");
    enum dialect dialect = DIALECTS;
    int r = put ? 0 : dialect_of(c, true, &dialect);
    if (r == 0) r = rest_body(c, &body);
    if (r == 0) r = rest_write_options(c, NULL);
    if (r < 0) return r;
    cleanup_json cJSON *v = NULL;
    if (put) {
        v = body;
        body = NULL;
    } else {
        v = scale_of(obj);
        r = apply_dialect(c, dialect, body, "Scale", &v);
        if (r < 0) return r;
    }
    static const struct sim_type scale = {"autoscaling", "v1", "scales",      "Scale",
                                          "scale",       "",   .custom = true};
    const cJSON *n = json_get(json_obj(v, "spec"), "replicas");
    int64_t replicas = json_i64(json_obj(v, "spec"), "replicas", n ? INT64_MIN : 0);
    if (!cJSON_IsObject(v) || replicas == INT64_MIN || replicas > INT32_MAX) {
        return api_status_set(&c->f, 400, "BadRequest",
                              "Scale in version \"v1\" cannot be handled as a Scale: spec.replicas");
    }
    if (replicas < 0) {
        api_status_cause(&c->f, "FieldValueInvalid", "spec.replicas",
                         "Invalid value: %lld: must be greater than or equal to 0", (long long)replicas);
        return api_status_invalid(&c->f, &scale, c->name);
    }
    *ret = v;
    v = NULL;
    return 0;
}

int rest_scale(struct call *c) {
    struct sim_obj *o = rest_object(c);
    if (!o) return -ENOENT;
    struct slice m = c->req->method;
    if (slice_eqs(m, "GET")) return answer_scale(c, o->json);
    if (!slice_eqs(m, "PUT") && !slice_eqs(m, "PATCH")) {
        return api_status_set(&c->f, 405, "MethodNotAllowed",
                              "the server does not allow this method on the requested resource");
    }
    cleanup_json cJSON *want = NULL;
    int r = read_scale(c, o->json, &want);
    if (r < 0) return r;
    cJSON *obj = json_tree_dup(o->json);
    static const char *const checked[] = {"resourceVersion", "uid"};
    for (size_t i = 0; i < ARRAY_LEN(checked); i++) {
        json_tree_set(json_tree_child(obj, "metadata"), checked[i],
                      json_tree_dup(json_get(json_obj(want, "metadata"), checked[i])));
    }
    json_tree_set_num(json_tree_child(obj, "spec"), "replicas",
                      json_num(json_obj(want, "spec"), "replicas", 0));
    struct json_doc *d = NULL;
    r = sim_object_put(c->s, o, obj, STORE_MAIN, c->dry, &d, &c->f);
    if (r < 0) return r;
    cleanup_json cJSON *after = json_tree_parse_checked(slice_make(d->text, d->n));
    json_doc_unref(d);
    return answer_scale(c, after);
}
