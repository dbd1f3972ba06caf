/* From a request's path to the verb that serves it. */
#include "rest/rest.h"
#include "rest/event_view.h"
#include "rest/rest_list.h"
#include "rest/protobuf.h"
#include "rest/rest_watch.h"
#include <errno.h>
#include <inttypes.h>

static bool is(struct slice method, const char *what) {
    return slice_eqs(method, what);
}

/* ---- helpers of the verbs ---- */
int rest_version(const char *text, uint64_t *ret, struct api_status *f) {
    if (!text || !text[0]) {
        *ret = 0;
        return 0;
    }
    int64_t v = 0;
    if (slice_i64(slice_of(text), &v) < 0 || v < 0) {
        api_status_cause(f, "FieldValueInvalid", "resourceVersion",
                         "Invalid value: \"%.80s\": strconv.ParseUint: parsing \"%.80s\": "
                         "invalid syntax",
                         text, text);
        return api_status_set(
            f, 400, "BadRequest",
            "resourceVersion: Invalid value: \"%.80s\": strconv.ParseUint: parsing \"%.80s\": "
            "invalid syntax",
            text, text);
    }
    *ret = (uint64_t)v;
    return 0;
}

struct slice rest_media_type(const struct call *c) {
    struct slice media, params;
    slice_cut(c->req->content_type, ';', &media, &params);
    return slice_trim(media);
}

int rest_body(struct call *c, cJSON **ret) {
    struct slice media = rest_media_type(c);
    if (slice_eqs(media, "application/yaml") || slice_eqs(media, "application/apply-patch+yaml"))
        return rest_yaml(c->req->body, ret, &c->f);
    if (slice_eqs(media, "application/vnd.kubernetes.protobuf")) return pb_parse(c->req->body, ret, &c->f);
    if (media.n && !slice_eqs(media, "application/json") && !slice_eqs(c->req->method, "PATCH")) {
        return api_status_set(
            &c->f, 415, "UnsupportedMediaType",
            "the body of the request was in an unknown format - accepted media types include: "
            "application/json, application/yaml, application/vnd.kubernetes.protobuf");
    }
    struct err err = {0};
    *ret = json_tree_parse_all(c->req->body, &err);
    if (!*ret)
        return api_status_set(&c->f, 400, "BadRequest", "couldn't get the object from the body: %s", err.msg);
    fields_drop_twice(*ret, &c->twice);
    return 0;
}

/* The writer, from the query or the user agent. */
static void set_manager(struct call *c) {
    const char *m = request_uri_param(&c->t, "fieldManager");
    struct writer *w = &c->s->writer;
    struct slice agent, rest;
    slice_cut(c->req->user_agent, '/', &agent, &rest);
    if (m && m[0]) agent = slice_of(m);
    if (agent.n == 0) agent = SL("unknown");
    cleanup_free char *name = slice_dup_text(agent, sizeof w->name - 1);
    *w = (struct writer){.subresource = c->sub};
    strcpy(w->name, name);
    w->manager = w->name;
}

int rest_write_options(struct call *c, const cJSON *body) {
    const cJSON *in_body = json_arr(body, "dryRun");
    const char *dry = in_body ? cJSON_GetStringValue(in_body->child) : request_uri_param(&c->t, "dryRun");
    if (dry && dry[0] && strcmp(dry, "All") != 0) {
        return api_status_set(&c->f, 422, "Invalid",
                              "dryRun: Unsupported value: \"%.80s\": supported values: \"All\"", dry);
    }
    c->dry = dry && dry[0];
    const char *m = request_uri_param(&c->t, "fieldManager");
    if (m && strlen(m) > 128) {
        return api_status_set(&c->f, 422, "Invalid",
                              "fieldManager: Too long: must have at most 128 characters");
    }
    set_manager(c);
    return 0;
}

struct sim_obj *rest_object(struct call *c) {
    struct sim_obj *o = sim_store_get(c->s, c->type, c->ns ? c->ns : "", c->name);
    if (!o) api_status_not_found(&c->f, c->type, c->name);
    return o;
}

int rest_render(struct call *c, struct render *ret) {
    int r = render_choose(c->req->accept, request_uri_param(&c->t, "includeObject"), ret, &c->f);
    ret->events_view = c->events_view;
    return r;
}

int rest_matcher(struct call *c, struct matcher *ret) {
    const char *fields = request_uri_param(&c->t, "fieldSelector");
    cleanup_free char *core = c->events_view ? event_view_selector(fields) : NULL;
    return matcher_parse(c->type, request_uri_param(&c->t, "labelSelector"), core ? core : fields, ret,
                         &c->f);
}

int rest_answer(struct call *c, int status, const struct json_doc *d) {
    struct render r = {0};
    int e = rest_render(c, &r);
    if (e < 0) return e;
    struct buf b = BUF(SIZE_MAX - 1);
    render_one(c->s, c->type, d, r, true, &b);
    exchange_json(c->x, status, buf_slice(&b));
    buf_free(&b);
    return 0;
}

/* ---- routing ---- */
static int method_not_allowed(struct call *c) {
    return api_status_set(&c->f, 405, "MethodNotAllowed",
                          "the server does not allow this method on the requested resource");
}

static int page_not_found(struct call *c) {
    return api_status_set(&c->f, 404, "NotFound", "the server could not find the requested resource");
}

static int serve_sub(struct call *c) {
    struct slice m = c->req->method;
    bool pods = type_is(c->type, "", "pods");
    if (!strcmp(c->sub, "scale") && c->type->has_scale) return rest_scale(c);
    if (!strcmp(c->sub, "log") && pods && is(m, "GET")) return rest_pod_log(c);
    if (!strcmp(c->sub, "proxy") && pods) return rest_pod_proxy(c);
    if (!strcmp(c->sub, "eviction") && pods && is(m, "POST")) return rest_evict(c);
    bool known = (!strcmp(c->sub, "status") && c->type->has_status) ||
                 (!strcmp(c->sub, "finalize") && type_is(c->type, "", "namespaces")) ||
                 (!strcmp(c->sub, "ephemeralcontainers") && pods);
    if (!known) return page_not_found(c);
    if (is(m, "GET")) return rest_get(c);
    if (is(m, "PUT")) return rest_update(c);
    if (is(m, "PATCH")) return rest_patch(c);
    return method_not_allowed(c);
}

static int serve_object(struct call *c) {
    struct slice m = c->req->method;
    if (c->sub[0]) return serve_sub(c);
    if (is(m, "GET")) return rest_get(c);
    if (is(m, "PUT")) return rest_update(c);
    if (is(m, "PATCH")) return rest_patch(c);
    if (is(m, "DELETE")) return rest_delete(c);
    return method_not_allowed(c);
}

static int serve_collection(struct call *c) {
    struct slice m = c->req->method;
    if (is(m, "GET")) return request_uri_flag(&c->t, "watch") ? rest_watch_serve(c) : rest_list_serve(c);
    if (c->type->namespaced && !c->ns) return method_not_allowed(c);
    if (is(m, "POST")) return rest_create(c);
    if (is(m, "DELETE")) return rest_delete_collection(c);
    return method_not_allowed(c);
}

/* /api/v1/... and /apis/GROUP/VERSION/...; at: the first segment after the version. */
static int serve_resource(struct call *c, const char *group, const char *version, size_t at) {
    const struct request_uri *t = &c->t;
    size_t left = t->n - at;
    c->sub = "";
    if (left >= 3 && !strcmp(t->seg[at], "namespaces") && type_find(c->s, group, t->seg[at + 2])) {
        c->ns = t->seg[at + 1];
        at += 2;
        left -= 2;
    }
    if (left == 0) return page_not_found(c);
    c->type = type_find(c->s, group, t->seg[at]);
    if (!c->type || strcmp(c->type->version, version) != 0 || (c->ns && !c->type->namespaced))
        return page_not_found(c);
    c->events_view = !strcmp(group, EVENT_VIEW_GROUP);
    if (c->events_view) c->type = sim_type_find("", "events");
    if (left == 1) return serve_collection(c);
    c->name = t->seg[at + 1];
    if (!c->name[0]) return serve_collection(c);
    if (c->type->namespaced && !c->ns) return page_not_found(c);
    if (left >= 3) {
        c->sub = t->seg[at + 2];
        c->rest = at + 3;
    }
    if (left > 3 && strcmp(c->sub, "proxy") != 0) return page_not_found(c);
    return serve_object(c);
}

static int route(struct call *c) {
    const struct request_uri *t = &c->t;
    if (t->n >= 1 && !strcmp(t->seg[0], "sim")) return rest_sim(c);
    if (rest_review_served(t)) return rest_review(c);
    int r = discovery_serve(c);
    if (r != -ENOENT) return r;
    if (t->n >= 3 && !strcmp(t->seg[0], "api") && !strcmp(t->seg[1], "v1"))
        return serve_resource(c, "", "v1", 2);
    if (t->n >= 4 && !strcmp(t->seg[0], "apis")) return serve_resource(c, t->seg[1], t->seg[2], 3);
    return page_not_found(c);
}

void rest_serve(struct sim *s, struct sim_exchange *x, const struct sim_request *req) {
    struct call c = {.s = s, .x = x, .req = req, .sub = ""};
    api_status_init(&c.f);
    int r = request_uri_parse(req->target, &c.t, &c.f);
    if (r == 0) r = route(&c);
    if (r < 0) {
        if (!c.f.code) api_status_set(&c.f, 500, "InternalError", "the server could not say why");
        exchange_fail(x, &c.f);
    }
    s->writer = (struct writer){0};
    request_uri_free(&c.t);
    field_notes_free(&c.twice);
    api_status_free(&c.f);
}
