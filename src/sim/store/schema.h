/* What a custom type's structural schema (openAPIV3Schema) says of its objects. Served are: properties,
 * additionalProperties, items, type, nullable, required, enum, the limits of numbers, lengths and lists, default, and
 * x-kubernetes-preserve-unknown-fields, -embedded-resource, -int-or-string, -list-type, -list-map-keys, -map-type.
 * Not served: pattern, format, allOf and its kin, rules in CEL. schema NULL: nothing is known. */
#ifndef SIM_SCHEMA_H
#define SIM_SCHEMA_H
#include "store/fields.h"
#include "store/fieldset.h"
#include "store/api_status.h"

/* Drops what the schema does not have. */
void schema_prune(const cJSON *schema, cJSON *obj, struct buf *path, struct field_notes *notes);
void schema_default(const cJSON *schema, cJSON *obj);
void schema_validate(const cJSON *schema, const cJSON *obj, struct api_status *f); /* adds causes */

/* How a member of that name is merged, as fieldset_shape_of() asks: by its name alone, wherever it is. */
struct schema_shape {
    char *field, *keys;
    enum shape shape;
};
struct schema_shapes {
    struct schema_shape *v;
    size_t n;
};
void schema_shapes_read(const cJSON *schema, struct schema_shapes *ret);
void schema_shapes_free(struct schema_shapes *s);
#endif
