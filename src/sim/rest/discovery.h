/* What the two forms of discovery share. */
#ifndef SIM_DISCOVERY_H
#define SIM_DISCOVERY_H
#include "rest/rest.h"

/* What is only asked, and never stored; answered by rest_review.c. */
struct review_type {
    const char *group, *resource, *kind;
    bool namespaced;
};
extern const struct review_type discovery_reviews[];
extern const size_t discovery_reviews_n;

void discovery_write_verbs(struct buf *out, const char *verbs); /* "verbs":[...] of words separated by ' ' */
void discovery_write_names(struct buf *out, const char *key,
                           const char *list); /* ,"KEY":[...] of words separated by ','; "": nothing */
const char *discovery_categories(const struct sim_type *t);
/* Calls fn for each subresource that t has. */
struct subresource {
    const char *name, *group, *version, *kind, *verbs; /* group NULL: the type's own */
};
void discovery_each_sub(const struct sim_type *t,
                        void (*fn)(void *ctx, const struct sim_type *t, const struct subresource *sub),
                        void *ctx);
/* /api and /apis as one APIGroupDiscoveryList, for whom asks for it. */
bool discovery_aggregated_wanted(const struct call *c);
int discovery_aggregated_serve(struct call *c, bool core);
#endif
