/* metav1.DeleteOptions: read from JSON with every member understood, and written anew. */
#ifndef REHEARSE_DELETE_OPTIONS_H
#define REHEARSE_DELETE_OPTIONS_H
#include "base/buf.h"
#include "base/err.h"

/* Empty: absent. */
struct delete_options {
    struct slice grace, orphan;        /* a number; true or false */
    struct slice propagation, uid, rv; /* unescaped; of text, or the caller's */
    bool dry_run;                      /* ["All"] */
    struct buf text;                   /* private */
};
/* -EINVAL with err: something in it is not known, or is given twice. json: one whole value. */
int delete_options_read(struct slice json, struct delete_options *ret, struct err *err);
/* What is not as it may be; for options that were not read from JSON. NULL: nothing. */
const char *delete_options_problem(const struct delete_options *o);
/* live: resourceVersion becomes that of the server. Nothing is written where there are no options and no dry run. -EINVAL: the version
 * is none. */
int delete_options_write(struct buf *out, const struct delete_options *o, bool live, bool dry_run);
void delete_options_free(struct delete_options *o);
#endif
