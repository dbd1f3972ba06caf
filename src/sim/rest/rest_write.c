/* POST, PUT, DELETE and DELETE of collections. */
#include "rest/event_view.h"
#include "rest/field_validation.h"
#include <errno.h>

static int typed_body(struct call *c, cJSON **ret) {
    cleanup_json cJSON *v = NULL;
    int r = rest_body(c, &v);
    if (r < 0) return r;
    if (!cJSON_IsObject(v)) return api_status_set(&c->f, 400, "BadRequest", "the body is not an object");
    if (c->events_view) r = event_view_take(v, &c->f);
    if (r < 0) return r;
    if (!c->type->custom) sim_object_set_type(c->type, v);
    r = rest_write_options(c, NULL);
    if (r == 0) r = field_validation_object(c, v);
    if (r < 0) return r;
    *ret = v;
    v = NULL;
    return 0;
}

static int create(struct call *c, cJSON *obj) {
    struct json_doc *d = NULL;
    int r = c->events_view ? event_view_check(obj, NULL, &c->f) : 0;
    if (r < 0) {
        cJSON_Delete(obj);
        return r;
    }
    r = sim_object_create(c->s, c->type, c->ns ? c->ns : "", obj, c->dry, NULL, &d, &c->f);
    if (r < 0) return r;
    r = rest_answer(c, 201, d);
    json_doc_unref(d);
    return r;
}

int rest_create(struct call *c) {
    cJSON *obj = NULL;
    int r = typed_body(c, &obj);
    return r < 0 ? r : create(c, obj);
}

/* ---- PUT ---- */
static int check_url(struct call *c, const cJSON *obj) {
    const cJSON *meta = json_obj(obj, "metadata");
    const char *name = json_str_or(meta, "name", ""), *ns = json_str_or(meta, "namespace", "");
    if (!name[0])
        return api_status_set(
            &c->f, 400, "BadRequest",
            "the name of the object (based on URL) was undeterminable: name must be provided");
    if (strcmp(name, c->name) != 0) {
        return api_status_set(&c->f, 400, "BadRequest",
                              "the name of the object (%.253s) does not match the name on the URL (%s)", name,
                              c->name);
    }
    if (c->type->namespaced && ns[0] && strcmp(ns, c->ns) != 0) {
        return api_status_set(
            &c->f, 400, "BadRequest",
            "the namespace of the object (%.253s) does not match the namespace on the URL (%s)", ns, c->ns);
    }
    return 0;
}

static bool has_version(const cJSON *obj) {
    const char *rv = json_str_or(json_obj(obj, "metadata"), "resourceVersion", "");
    return rv[0] && strcmp(rv, "0") != 0;
}

/* A PUT of these makes what is not there (AllowCreateOnUpdate), */
static bool put_creates(const struct sim_type *t) {
    return type_is(t, "coordination.k8s.io", "leases") || type_is(t, "", "events") ||
           type_is(t, "", "endpoints");
}

/* and of these it must say which version it replaces (AllowUnconditionalUpdate is false). */
static bool put_needs_version(const struct sim_type *t) {
    return t->custom || type_is(t, "coordination.k8s.io", "leases") ||
           type_is(t, "policy", "poddisruptionbudgets");
}

int rest_update(struct call *c) {
    cleanup_json cJSON *obj = NULL;
    int r = typed_body(c, &obj);
    if (r == 0) r = check_url(c, obj);
    if (r < 0) return r;
    cJSON *given = obj;
    struct sim_obj *o = rest_object(c);
    if (!o) {
        if (!put_creates(c->type) || has_version(obj) || c->sub[0]) return -ENOENT;
        api_status_free(&c->f);
        obj = NULL;
        return create(c, given);
    }
    if (put_needs_version(c->type) && !has_version(obj)) {
        api_status_cause(&c->f, "FieldValueInvalid", "metadata.resourceVersion",
                         "Invalid value: 0x0: must be specified for an update");
        return api_status_invalid(&c->f, c->type, c->name);
    }
    r = c->events_view ? event_view_check(obj, o->json, &c->f) : 0;
    if (r < 0) return r;
    obj = NULL;
    struct json_doc *d = NULL;
    bool status = !strcmp(c->sub, "status");
    r = sim_object_put(c->s, o, given, status ? STORE_STATUS : STORE_MAIN, c->dry, &d, &c->f);
    if (r < 0) return r;
    r = rest_answer(c, 200, d);
    json_doc_unref(d);
    return r;
}

/* ---- DELETE ---- */
struct options {
    const char *policy; /* NULL: the default */
    int grace;          /* -1: the default */
    const char *uid, *rv;
};

static int read_options(struct call *c, const cJSON *body, struct options *ret) {
    const char *policy = json_str(body, "propagationPolicy"),
               *grace = request_uri_param(&c->t, "gracePeriodSeconds");
    const cJSON *orphan = json_get(body, "orphanDependents"), *pre = json_obj(body, "preconditions");
    int64_t g = json_i64(body, "gracePeriodSeconds", -1);
    if (!body) {
        policy = request_uri_param(&c->t, "propagationPolicy");
        if (grace && grace[0] && slice_i64(slice_of(grace), &g) < 0) {
            return api_status_set(&c->f, 400, "BadRequest",
                                  "strconv.ParseInt: parsing \"%.80s\": invalid syntax", grace);
        }
        const char *text = request_uri_param(&c->t, "orphanDependents");
        if (text && text[0]) policy = !strcmp(text, "true") ? "Orphan" : "Background";
    }
    if (policy && !policy[0]) policy = NULL;
    if (orphan && policy) {
        return api_status_set(&c->f, 422, "Invalid",
                              "orphanDependents and deletionPropagation cannot be both set");
    }
    if (orphan) policy = cJSON_IsTrue(orphan) ? "Orphan" : "Background";
    if (policy && strcmp(policy, "Background") != 0 && strcmp(policy, "Foreground") != 0 &&
        strcmp(policy, "Orphan") != 0) {
        return api_status_set(
            &c->f, 422, "Invalid",
            "DeleteOptions.meta.k8s.io \"\" is invalid: propagationPolicy: Unsupported value: "
            "\"%.80s\": supported "
            "values: \"Background\", \"Foreground\", \"Orphan\"",
            policy);
    }
    if (g > INT64_C(365) * 86400) g = INT64_C(365) * 86400;
    *ret =
        (struct options){policy, g < 0 ? -1 : (int)g, json_str(pre, "uid"), json_str(pre, "resourceVersion")};
    return 0;
}

static int check_preconditions(struct call *c, const struct sim_obj *o, const struct options *op) {
    const cJSON *meta = json_obj(o->json, "metadata");
    const char *uid = json_str_or(meta, "uid", ""), *rv = json_str_or(meta, "resourceVersion", "");
    cleanup_free char *why = NULL;
    if (op->uid && strcmp(op->uid, uid) != 0) {
        why = xasprintf("Precondition failed: UID in precondition: %.80s, UID in object meta: %s", op->uid,
                        uid);
    } else if (op->rv && strcmp(op->rv, rv) != 0) {
        why = xasprintf(
            "Precondition failed: ResourceVersion in precondition: %.80s, ResourceVersion in object meta: %s",
            op->rv, rv);
    }
    return why ? api_status_conflict(&c->f, c->type, c->name, why) : 0;
}

static int answer_deleted(struct call *c, const char *uid) {
    struct buf b = BUF(4096);
    buf_adds(&b, "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Success\","
                 "\"details\":{\"name\":");
    buf_add_json(&b, slice_of(c->name));
    if (c->type->group[0]) buf_addf(&b, ",\"group\":\"%s\"", c->type->group);
    buf_addf(&b, ",\"kind\":\"%s\",\"uid\":\"%s\"}}", c->type->resource, uid);
    exchange_json(c->x, 200, buf_slice(&b));
    buf_free(&b);
    return 0;
}

static int read_delete(struct call *c, cJSON **ret_body, struct options *ret) {
    int r = 0;
    if (slice_trim(c->req->body).n) r = rest_body(c, ret_body);
    if (r == 0 && *ret_body && !cJSON_IsObject(*ret_body))
        r = api_status_set(&c->f, 400, "BadRequest", "the body is not an object");
    if (r == 0) r = rest_write_options(c, *ret_body);
    return r < 0 ? r : read_options(c, *ret_body, ret);
}

int rest_delete(struct call *c) {
    cleanup_json cJSON *body = NULL;
    struct options op = {0};
    int r = read_delete(c, &body, &op);
    if (r < 0) return r;
    struct sim_obj *o = rest_object(c);
    if (!o) return -ENOENT;
    r = check_preconditions(c, o, &op);
    if (r < 0) return r;
    struct json_doc *d = NULL;
    bool gone = false;
    cleanup_free char *uid = xstrdup(o->in->uid);
    r = sim_object_delete(c->s, o, op.policy, op.grace, c->dry, &gone, &d, &c->f);
    if (r < 0) return r;
    r = gone ? answer_deleted(c, uid) : rest_answer(c, 200, d);
    json_doc_unref(d);
    return r;
}

int rest_evict(struct call *c) {
    cleanup_json cJSON *body = NULL;
    struct options op = {0};
    int r = rest_body(c, &body);
    if (r == 0 && !cJSON_IsObject(body))
        r = api_status_set(&c->f, 400, "BadRequest", "the body is not an object");
    if (r == 0) r = rest_write_options(c, json_obj(body, "deleteOptions"));
    if (r == 0) r = read_options(c, json_obj(body, "deleteOptions"), &op);
    if (r < 0) return r;
    struct sim_obj *o = rest_object(c);
    if (!o) return -ENOENT;
    r = check_preconditions(c, o, &op);
    bool gone = false;
    if (r == 0) r = sim_object_delete(c->s, o, op.policy, op.grace, c->dry, &gone, NULL, &c->f);
    if (r < 0) return r;
    exchange_json(
        c->x, 201,
        SL("{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Success\",\"code\":"
           "201}"));
    return 0;
}

/* ---- deletecollection ---- */
static void answer_list(struct call *c, const struct history_snapshot *p) {
    struct render full = {.events_view = c->events_view};
    struct buf b = BUF(SIZE_MAX - 1);
    render_list_head(c->type, full, c->s->rv, NULL, -1, &b);
    for (size_t i = 0; i < p->n; i++) {
        if (i) buf_addc(&b, ',');
        render_item(c->s, c->type, p->v[i], full, &b);
    }
    render_list_tail(&b);
    exchange_json(c->x, 200, buf_slice(&b));
    buf_free(&b);
}

static int delete_each(struct call *c, const struct options *op, const struct history_snapshot *p) {
    for (size_t i = 0; i < p->n; i++) {
        struct sim_obj *o = sim_store_get(c->s, c->type, p->v[i]->ns, p->v[i]->name);
        bool gone = false;
        if (!o) continue; /* went with another one */
        int r = sim_object_delete(c->s, o, op->policy, op->grace, c->dry, &gone, NULL, &c->f);
        if (r < 0) return r;
    }
    return 0;
}

int rest_delete_collection(struct call *c) {
    cleanup_json cJSON *body = NULL;
    struct options op = {0};
    struct matcher m = {0};
    int r = read_delete(c, &body, &op);
    if (r == 0) r = rest_matcher(c, &m);
    if (r < 0) return r;
    struct history_snapshot p = {0};
    const struct history_range range = {.ns = c->ns, .keep = matcher_keep, .ctx = &m};
    history_snapshot_take(c->s, resource_table_of(c->s, c->type), c->s->rv, &range, &p);
    r = delete_each(c, &op, &p);
    if (r == 0) answer_list(c, &p);
    history_snapshot_free(&p);
    matcher_free(&m);
    return r;
}
