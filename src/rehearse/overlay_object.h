/* Objects as text: what is looked at without a tree, versions, metadata alone, and failures as the API server words them. */
#ifndef OVERLAY_OBJECT_H
#define OVERLAY_OBJECT_H
#include "base/json_tree.h"
#include "rehearse/gate.h"

struct overlay_version {
    uint64_t live;
    unsigned change;
};
/* Of metadata, as it stands in the text: without quotes, "" if absent or with escapes; owners and annotations whole. */
struct overlay_peek {
    struct slice metadata, ns, name, uid, rv, generate, created, owners, annotations;
    uint64_t live; /* rv as a number; 0: none */
};
bool overlay_peek(struct slice raw, struct overlay_peek *ret); /* false: no metadata */
uint64_t overlay_live(struct slice rv);                        /* 0: not such a version */
/* Of the operator's: false if it is none. "" and "0" are {0, 0}. */
bool overlay_version_of(struct slice v, struct overlay_version *ret);
/* The same of a write's precondition, see version_precondition(). No object of the overlay has a version of before. */
bool overlay_precondition_of(struct slice v, struct overlay_version *ret);
void overlay_version_add(struct buf *out, struct overlay_version v);
/* The object with that version. */
void overlay_object(struct buf *out, struct slice raw, struct overlay_version v);
/* {"kind":"PartialObjectMetadata",...} with that version ("v1") of meta.k8s.io. */
void overlay_partial(struct buf *out, struct slice raw, const char *version);
/* The uid of the owner that controls it; "" if none. Owned by the caller. */
char *overlay_controller(struct slice owners);
char *overlay_owners(struct slice owners); /* the uids of all, a blank between; owned by the caller */
/* What a write changes by itself put aside: resourceVersion, generation, times of managedFields. */
bool overlay_same(const cJSON *a, const cJSON *b);
/* A tree of text, which must be one JSON object; else NULL. */
cJSON *overlay_tree(struct slice text);

/* A Status. reason NULL: by its code. Returns the code. */
int overlay_status(struct buf *out, const struct gate_request *r, int code, const char *reason,
                   const char *fmt, ...) __attribute__((format(printf, 5, 6)));
int overlay_not_found(struct buf *out, const struct gate_request *r, struct slice name);
int overlay_success(struct buf *out, const struct gate_request *r, struct slice name, const char *uid);
#endif
