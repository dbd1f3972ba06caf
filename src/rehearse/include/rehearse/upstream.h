/* The one place where a rehearsal's requests to the API server are made. A mutation is a dry run by its type: there is no value of
 * struct upstream with a method that writes and without dryRun=All, and the bytes are checked again before they leave. Pure. */
#ifndef REHEARSE_UPSTREAM_H
#define REHEARSE_UPSTREAM_H
#include "rehearse/gate.h"

enum upstream_verb {
    UPSTREAM_GET,
    UPSTREAM_REVIEW,
    UPSTREAM_DRY_CREATE,
    UPSTREAM_DRY_UPDATE,
    UPSTREAM_DRY_PATCH,
    UPSTREAM_DRY_DELETE
};
struct upstream {
    enum upstream_verb verb;
    bool stream;       /* a list, a watch, or what is only passed on: the answer is taken as it comes */
    struct buf target; /* path?query, canonical; of what writes, its last parameter is dryRun=All */
    struct buf body;
    const char *content_type; /* literal; NULL: no body */
    const char *accept;       /* literal: JSON only; of metadata_only PartialObjectMetadata(List) */
};
const char *upstream_method(const struct upstream *u); /* by the verb: "GET", "POST", ... */

/* As the caller asked, resourceVersions translated (rehearse/version.h). Reads and reviews; -EINVAL for others. */
int upstream_read(const struct gate_request *r, struct upstream *ret);
/* A read of one object: that of r, without its subresource. */
int upstream_get(const struct gate_request *r, struct upstream *ret);
/* A dry run. sub: "" or the subresource; body: of the form, its versions the server's; name "" for a create and a collection's delete. Of a
 * delete the body is DeleteOptions as the gate made them (JSON, or none), to which dryRun: ["All"] is added here: a server that gets a body
 * does not look at the query. An Eviction's deleteOptions likewise. Of these two the preconditions' versions are the rehearsal's, and
 * translated here. -EINVAL: what is asked for is no dry run that the server makes. */
int upstream_dry_run(const struct gate_request *r, enum upstream_verb verb, struct slice name,
                     struct slice sub, enum gate_form form, struct slice body, struct upstream *ret);
void upstream_free(struct upstream *u);

/* The second check, of what is about to leave, by itself (it parses, and shares nothing with what made it): GET; a review by its exact path;
 * or POST, PUT, PATCH, DELETE of a resource's path whose query has dryRun=All exactly once, and no other dryRun in any spelling, and
 * a body that does not take it back. */
bool upstream_writes_nothing(struct slice method, struct slice target, struct slice content_type,
                             struct slice body);
#endif
