/* The objects of a type in order of namespace and name: a skip list, whose levels come from the key's hash,
 * so that the same run is the same run again. */
#ifndef SIM_INDEX_H
#define SIM_INDEX_H
#include <stddef.h>
#include <stdint.h>

struct sim_obj;
enum { INDEX_LEVELS = 12 };
struct index_node {
    struct sim_obj *obj;
    unsigned levels;
    struct index_node *next[];
};
struct index {
    struct index_node *head[INDEX_LEVELS];
    size_t n;
    uint64_t changes; /* inserts and removals so far: an iteration notices that it has to look again */
};
struct index_node *index_find(const struct index *x, const char *ns, const char *name);
/* The first one behind (ns, name), or at it where `at` is set. */
struct index_node *index_from(const struct index *x, const char *ns, const char *name, int at);
struct index_node *index_insert(struct index *x, struct sim_obj *o); /* its key must not be there */
void index_remove(struct index *x, struct index_node *n);
int index_key_cmp(const char *ns1, const char *name1, const char *ns2, const char *name2);
#endif
