/* REST: from a request to what it does. */
#ifndef SIM_REST_H
#define SIM_REST_H
#include "rest/exchange.h"
#include "rest/matcher.h"
#include "rest/render.h"
#include "rest/request_uri.h"
#include "store/fields.h"

struct call {
    struct sim *s;
    struct sim_exchange *x;
    const struct sim_request *req;
    struct request_uri t;
    const struct sim_type *type;
    const char *ns;   /* NULL: all namespaces, or cluster-scoped */
    const char *name; /* NULL: a collection */
    const char *sub;  /* subresource or "" */
    size_t rest;      /* the segment after the subresource */
    bool events_view; /* type is core/v1's Event, and the client speaks events.k8s.io/v1 */
    bool dry;
    struct field_notes twice; /* of the body */
    struct api_status f;
};
void rest_serve(struct sim *s, struct sim_exchange *x, const struct sim_request *req);

/* Each answers, or fills c->f and returns negative: then rest_serve() answers. */
int rest_get(struct call *c);
int rest_create(struct call *c);
int rest_update(struct call *c);
int rest_patch(struct call *c);
int rest_delete(struct call *c);
int rest_delete_collection(struct call *c);
int rest_scale(struct call *c); /* GET, PUT and PATCH of the scale subresource */
int rest_pod_log(struct call *c);
int rest_pod_proxy(struct call *c);
int rest_evict(struct call *c);
int rest_review(struct call *c); /* *AccessReviews: always allowed */
bool rest_review_served(const struct request_uri *t);
int discovery_serve(struct call *c); /* /version, /api, /apis, /openapi, health; -ENOENT: none of these */
int openapi_serve(struct call *c);
int rest_sim(struct call *c); /* /sim/... */

struct slice rest_media_type(const struct call *c); /* the content type without its parameters */
/* The body as a tree: JSON, YAML or protobuf, as the content type says. 400; 415, but for a PATCH, whose types
 * are rest_patch.c's. */
int rest_body(struct call *c, cJSON **ret);
/* dryRun, fieldManager, fieldValidation: fills c->dry, s->writer. */
int rest_write_options(struct call *c, const cJSON *body);
struct sim_obj *rest_object(struct call *c); /* c->name, or NULL and c->f */
int rest_answer(struct call *c, int status, const struct json_doc *d);
/* What the client accepts. 406 */
int rest_render(struct call *c, struct render *ret);
/* The query's selectors. 400 */
int rest_matcher(struct call *c, struct matcher *ret);
/* resourceVersion of a query; "" and NULL: 0 */
int rest_version(const char *text, uint64_t *ret, struct api_status *f);

/* rest_yaml.c: the first document of a text, or each of them. */
int rest_yaml(struct slice text, cJSON **ret, struct api_status *f);
int rest_yaml_each(struct slice text, int (*fn)(void *ctx, cJSON *doc, struct api_status *f), void *ctx,
                   struct api_status *f); /* takes doc */
#endif
