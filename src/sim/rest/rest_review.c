/* What is asked about rights: everybody may do everything here. */
#include "rest/rest.h"
#include <errno.h>

static const char *const reviews[] = {"selfsubjectaccessreviews", "selfsubjectrulesreviews",
                                      "subjectaccessreviews", "localsubjectaccessreviews"};

bool rest_review_served(const struct request_uri *t) {
    if (t->n < 4 || strcmp(t->seg[0], "apis") != 0) return false;
    if (!strcmp(t->seg[1], "authentication.k8s.io")) return !strcmp(t->seg[t->n - 1], "tokenreviews");
    if (strcmp(t->seg[1], "authorization.k8s.io") != 0) return false;
    for (size_t i = 0; i < ARRAY_LEN(reviews); i++) {
        if (!strcmp(t->seg[t->n - 1], reviews[i])) return true;
    }
    return false;
}

int rest_review(struct call *c) {
    cleanup_json cJSON *v = NULL;
    if (!slice_eqs(c->req->method, "POST")) {
        return api_status_set(&c->f, 405, "MethodNotAllowed",
                              "the server does not allow this method on the requested resource");
    }
    int r = rest_body(c, &v);
    if (r < 0) return r;
    if (!cJSON_IsObject(v)) return api_status_set(&c->f, 400, "BadRequest", "the body is not an object");
    const char *what = c->t.seg[c->t.n - 1];
    const char *status = "{\"allowed\":true}";
    if (!strcmp(what, "selfsubjectrulesreviews")) {
        status = "{\"resourceRules\":[{\"verbs\":[\"*\"],\"apiGroups\":[\"*\"],\"resources\":[\"*\"]}],"
                 "\"nonResourceRules\":"
                 "[{\"verbs\":[\"*\"],\"nonResourceURLs\":[\"*\"]}],\"incomplete\":false}";
    } else if (!strcmp(what, "tokenreviews")) {
        status =
            "{\"authenticated\":true,\"user\":{\"username\":\"sim\",\"groups\":[\"system:authenticated\"]}}";
    }
    json_tree_set(v, "status", json_tree_parse(slice_of(status), NULL));
    struct buf b = BUF((size_t)2 * SIM_MAX_BODY);
    json_tree_print(v, &b);
    exchange_json(c->x, 201, buf_slice(&b));
    buf_free(&b);
    return 0;
}
