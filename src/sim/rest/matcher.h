/* Which objects a list, a watch or a deletecollection is about: label and field selector, on the text of
 * objects. */
#ifndef SIM_MATCHER_H
#define SIM_MATCHER_H
#include "store/core.h"
#include "api/selector.h"

struct matcher {
    struct selector *labels;       /* NULL: all */
    struct field_selector *fields; /* NULL: all */
    bool whole;                    /* the fields lie outside namespace and name: the whole object is needed */
    char *name;                    /* set where metadata.name=X is demanded: a cheap first look */
};
int matcher_parse(const struct sim_type *t, const char *labels, const char *fields, struct matcher *ret,
                  struct api_status *f);
void matcher_free(struct matcher *m);
static inline bool matcher_all(const struct matcher *m) {
    return !m->labels && !m->fields;
}
/* Trees parsed for one document, kept as long as several matchers look at it. Start with zeros. */
struct matcher_cache {
    cJSON *labels, *fields, *whole;
    bool have_labels;
};
void matcher_cache_free(struct matcher_cache *c);
bool matcher_fits(const struct matcher *m, const struct json_doc *d, struct matcher_cache *c);
bool matcher_keep(void *m, const struct json_doc *d); /* the same for a single one, as history_range.keep */
#endif
