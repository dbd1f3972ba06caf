/* Members that a body has and its type does not, and (of JSON) those given twice: what a decoder drops, and says when it is
 * asked to be strict. Of built-in types by the names in field_names.c, of custom ones by their schema. */
#ifndef SIM_FIELDS_H
#define SIM_FIELDS_H
#include "store/json_doc.h"
#include "store/store.h"

enum { FIELD_NOTES = 32 };
struct field_notes {
    char *unknown[FIELD_NOTES],
        *twice[FIELD_NOTES]; /* paths as "spec.containers[0].image"; those behind are left out */
    size_t nunknown, ntwice;
};
void field_notes_unknown(struct field_notes *n, struct slice path);
void field_notes_free(struct field_notes *n);
/* Drops them from obj. A kind that is not the type's is left alone, what refuses it has the words for it. notes may
 * be NULL. */
void fields_drop(const struct sim_type *t, cJSON *obj, struct field_notes *notes);
/* The metadata alone, of an object at path. */
void fields_drop_in_meta(cJSON *meta, struct buf *path, struct field_notes *notes);
/* Of members with the same name the last one stays, here and in all that is below. */
void fields_drop_twice(cJSON *v, struct field_notes *notes);
void fields_path_member(struct buf *path, const char *name); /* ".name", or "name" at the beginning */
void fields_path_item(struct buf *path, int i);
void fields_path_cut(struct buf *path, size_t n);

/* field_names.c: "name name:Type ...", where Type says what is below; NULL: not known, so that anything goes. */
const char *field_names_of(struct slice type);
#endif
