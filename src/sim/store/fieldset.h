/* Sets of field paths in the form of metadata.managedFields (FieldsV1): "f:NAME" for members, "k:{KEYS}" for
 * items of a list with keys, "v:VALUE" for items of a list that is a set, "." for an item itself; {} is a
 * leaf. And what a typed server knows of its types: which lists have keys, which maps are one value. */
#ifndef SIM_FIELDSET_H
#define SIM_FIELDSET_H
#include "store/json_doc.h"
#include "store/store.h"

enum shape { SHAPE_ATOMIC, SHAPE_MAP, SHAPE_KEYED, SHAPE_SET };
/* How the value of the member `field` (NULL: the object itself, or a list's item) is merged. in_meta: below
 * the object's own metadata. ret_keys: names of the key members separated by ',', for SHAPE_KEYED. */
enum shape fieldset_shape_of(const struct sim_type *t, const char *field, const cJSON *value, bool in_meta,
                             const char **ret_keys);
/* "k:{...}" of a keyed list's item or "v:..." of a set's; NULL if it lacks its keys. free() */
char *fieldset_item_key(const cJSON *item, enum shape shape, const char *keys);
/* The item of list that has that key; NULL if there is none. */
cJSON *fieldset_item_find(const cJSON *list, const char *key, enum shape shape, const char *keys);

/* What of obj is anybody's to own: not apiVersion, kind, the server's own metadata; and of spec and status as
 * `part` says. */
cJSON *fieldset_of(const struct sim_type *t, const cJSON *obj, enum store_part part);
/* Paths that are new or other in b, and paths of a that b lacks. Both results are sets, {} when empty. */
void fieldset_diff(const struct sim_type *t, const cJSON *a, const cJSON *b, cJSON **ret_changed,
                   cJSON **ret_removed);
bool fieldset_empty(const cJSON *set);
void fieldset_add(cJSON *set, const cJSON *more);
void fieldset_take(cJSON *set, const cJSON *less); /* a leaf takes all that is below it */
const cJSON *fieldset_child(const cJSON *set, const char *key);
#endif
