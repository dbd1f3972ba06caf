/* What differs between two pod templates, field by field, for a person to read. Pure. */
#ifndef CLI_TEMPLATE_DIFF_H
#define CLI_TEMPLATE_DIFF_H
#include "base/slice.h"

enum { TEMPLATE_DIFF_MAX = 40, TEMPLATE_DIFF_VALUE = 100 };

struct template_change {
    char *path;      /* spec.containers[operator].image, metadata.annotations["a.b/c"], args[2] */
    char *from, *to; /* JSON text, of at most TEMPLATE_DIFF_VALUE bytes; NULL: absent */
};
struct template_diff {
    struct template_change change[TEMPLATE_DIFF_MAX];
    size_t n, more; /* further ones, which are counted only */
};
/* from and to: JSON texts that have passed json_raw_check(). Elements of a list that all have a name are matched by it,
 * others by their place; null is absent; the label pod-template-hash does not count. template_diff_free(). */
void template_diff(struct slice from, struct slice to, struct template_diff *ret);
void template_diff_free(struct template_diff *d);
#endif
