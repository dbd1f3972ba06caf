/* The canary's ReplicaSet as text: pieces of it. */
#ifndef ROLLOUT_CANARY_H
#define ROLLOUT_CANARY_H
#include "base/buf.h"
#include "observe/objects.h"

/* ownerReferences of what is made for a target: collected with it, and never controlled by it. */
void canary_owner(const struct obs_target *t, struct buf *out);
/* The target's selector and these labels (members of a JSON object); where it has one of our keys, ours count. */
void canary_selector(const struct obs_target *t, const char *labels, struct buf *out);
/* The template with args and env of its main container (template_main_container()) overridden, every other
 * byte as it was. args, env: NULL-terminated lists or NULL. The template has passed json_raw_check(). */
void template_with_overrides(struct slice tmpl, char *const *args, char *const *env, struct buf *out);
/* The template with "key=value" labels in spec.nodeSelector and its pods spread over such nodes, every other
 * member as it was. labels: NULL-terminated, or NULL. hash: of the template, as the canary's pods bear it.
 * -EINVAL (ERR_CONFIG) where the template contradicts them. It has passed json_raw_check(). */
int template_with_nodes(struct slice tmpl, char *const *labels, const char *hash, struct buf *out,
                        struct err *err);
/* The template with an empty volume for each of claims (names, a JSON array, or nothing), in the place of its own volume of that name,
 * and for each of its own that is a claim and may be written to; every other byte as it was. -EINVAL (ERR_CONFIG) where a container has
 * one as a block device. It has passed json_raw_check(). */
int template_with_empty_volumes(struct slice tmpl, struct slice claims, struct buf *out, struct err *err);
/* The first claim that all pods of the template have together and may write to; false: there is none. */
bool template_shared_claim(struct slice tmpl, struct buf *ret_claim);
#endif
