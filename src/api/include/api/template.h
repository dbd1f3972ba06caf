/* Are two pod templates the same? As raw JSON text, without a tree: see "Holding the rollout back" in
 * docs/design.md. */
#ifndef API_TEMPLATE_H
#define API_TEMPLATE_H
#include "base/buf.h"
#include "base/err.h"

/* A short stable name of a template, 10 letters that fit for a name. Equal templates have equal ones, and equal is: but
 * for the label pod-template-hash and a ControllerRevision's directive "$patch", with null as absent, empty object/array as absent where the API server drops them,
 * numbers by value, quantities (resources, sizeLimit, divisor, ...) by amount. -EINVAL if t is no JSON object. */
int template_hash(struct slice t, char ret[11], struct err *err);
/* The template's text with labels set in metadata.labels (added or replaced) and every other byte as it was.
 * labels: pairs key, value. Used for the canary's ReplicaSet. */
int template_with_labels(struct slice t, const char *const *pairs, size_t npairs, struct buf *out,
                         struct err *err);
/* The template's text without the label pod-template-hash, which its controller adds, every other byte as it was. */
int template_without_pod_hash(struct slice t, struct buf *out, struct err *err);
/* The container that is meant when none is named: the one that the template's annotation
 * kubectl.kubernetes.io/default-container names, else the first. Its text, a part of t, which has passed
 * json_raw_check(). False: there is none. */
bool template_main_container(struct slice t, struct slice *ret);
/* "image" of that container, unescaped; "" if none. For a person to read. */
int template_image(struct slice t, struct buf *out);
#endif
