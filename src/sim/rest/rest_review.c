/* What is asked about rights and tokens: everybody may do everything here, and every token is good. A fault answers
 * otherwise. */
#include "rest/discovery.h"
#include <errno.h>

static const struct review_type *review_of(const struct request_uri *t) {
    if (t->n < 4 || strcmp(t->seg[0], "apis") != 0 || strcmp(t->seg[2], "v1") != 0) return NULL;
    for (size_t i = 0; i < discovery_reviews_n; i++) {
        const struct review_type *v = &discovery_reviews[i];
        if (strcmp(v->group, t->seg[1]) != 0 || strcmp(v->resource, t->seg[t->n - 1]) != 0) continue;
        bool in_namespace = t->n == 6 && !strcmp(t->seg[3], "namespaces");
        return v->namespaced ? (in_namespace ? v : NULL) : t->n == 4 ? v : NULL;
    }
    return NULL;
}

bool rest_review_served(const struct request_uri *t) {
    return review_of(t) != NULL;
}

static const char *const user = "{\"username\":\"sim\",\"groups\":[\"system:authenticated\"]}";

static int required(struct call *c, const struct review_type *v, const char *field, const char *what) {
    const struct sim_type t = {v->group, "v1", v->resource, v->kind, "", "", .custom = true};
    api_status_cause(&c->f, "FieldValueRequired", field, "Required value: %s", what);
    return api_status_invalid(&c->f, &t, "");
}

/* 422 for what a real one refuses to look at. */
static int check_spec(struct call *c, const struct review_type *v, const cJSON *spec) {
    if (!strcmp(v->kind, "TokenReview") && !json_str_or(spec, "token", "")[0])
        return required(c, v, "spec.token", "must be specified");
    if (!strstr(v->kind, "AccessReview")) return 0;
    if (!json_obj(spec, "resourceAttributes") == !json_obj(spec, "nonResourceAttributes"))
        return required(c, v, "spec.resourceAttributes",
                        "exactly one of nonResourceAttributes or resourceAttributes must be specified");
    const cJSON *groups = json_arr(spec, "groups");
    if (strncmp(v->kind, "Self", 4) != 0 && !json_str_or(spec, "user", "")[0] && (!groups || !groups->child))
        return required(c, v, "spec.user", "at least one of user or group must be specified");
    return 0;
}

static char *status_of(const struct review_type *v) {
    if (!strcmp(v->kind, "TokenReview")) return xasprintf("{\"authenticated\":true,\"user\":%s}", user);
    if (!strcmp(v->kind, "SelfSubjectReview")) return xasprintf("{\"userInfo\":%s}", user);
    if (!strcmp(v->kind, "SelfSubjectRulesReview")) {
        return xstrdup(
            "{\"resourceRules\":[{\"verbs\":[\"*\"],\"apiGroups\":[\"*\"],\"resources\":[\"*\"]}],"
            "\"nonResourceRules\":[{\"verbs\":[\"*\"],\"nonResourceURLs\":[\"*\"]}],\"incomplete\":false}");
    }
    return xstrdup("{\"allowed\":true}");
}

int rest_review(struct call *c) {
    const struct review_type *type = review_of(&c->t);
    cleanup_json cJSON *v = NULL;
    if (!slice_eqs(c->req->method, "POST")) {
        return api_status_set(&c->f, 405, "MethodNotAllowed",
                              "the server does not allow this method on the requested resource");
    }
    int r = rest_body(c, &v);
    if (r < 0) return r;
    if (!cJSON_IsObject(v)) return api_status_set(&c->f, 400, "BadRequest", "the body is not an object");
    r = check_spec(c, type, json_obj(v, "spec"));
    if (r < 0) return r;
    cleanup_free char *status = status_of(type);
    json_tree_set(v, "status", json_tree_parse(slice_of(status), NULL));
    struct buf b = BUF((size_t)2 * SIM_MAX_BODY);
    json_tree_print(v, &b);
    exchange_json(c->x, 201, buf_slice(&b));
    buf_free(&b);
    return 0;
}
