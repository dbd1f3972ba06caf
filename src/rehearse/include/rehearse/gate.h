/* What an operator in a rehearsal asks of the API server, understood or refused. Whatever is not understood in full is
 * refused: a path, an encoding, a parameter or a body that could mean something else to the server. Pure. */
#ifndef REHEARSE_GATE_H
#define REHEARSE_GATE_H
#include "base/buf.h"
#include "base/err.h"

enum gate_kind {
    GATE_PASS, /* a read that is of no objects: /version, /api, /apis/..., /openapi/..., /healthz, /readyz, /livez, a Pod's log */
    GATE_REVIEW, /* a review (TokenReview, SubjectAccessReview, ...): a create that persists nothing */
    GATE_GET,
    GATE_LIST,
    GATE_WATCH,
    GATE_CREATE, /* of an object, or of a subresource (binding, eviction) */
    GATE_UPDATE,
    GATE_PATCH,
    GATE_DELETE,
    GATE_DELETE_COLLECTION
};
enum gate_form {
    GATE_NO_BODY,
    GATE_JSON,
    GATE_PROTOBUF,
    GATE_PATCH_JSON,
    GATE_PATCH_MERGE,
    GATE_PATCH_STRATEGIC,
    GATE_APPLY
};

/* Slices are of `text`, unescaped. */
struct gate_request {
    enum gate_kind kind;
    struct slice group /* "" for core */, version, resource, ns /* "" if there is none */, name, sub;
    struct slice path; /* of GATE_PASS: the canonical path */
    /* Of reads and of collections. */
    struct slice labels, fields, limit, token /* continue */, rv, rv_match, timeout;
    bool initial_events, bookmarks;
    bool
        metadata_only; /* PartialObjectMetadata (List) is asked for, and nothing else is accepted before it */
    struct slice metadata_version; /* "v1" or "v1beta1" of meta.k8s.io */
    const char *accept;            /* of GATE_PASS: a literal */
    /* Of log, pretty, and the like of GATE_PASS: name=value pairs that may go on, as a query, encoded, without '?'. */
    struct slice query;
    /* Of mutations. */
    enum gate_form form;
    struct slice body;
    struct slice manager, validation; /* fieldManager, fieldValidation */
    bool force, dry_run; /* dry_run: the caller itself asked for one: the overlay is not to change */
    /* Of deletes: from the body or the query; DeleteOptions as JSON, made anew, without dryRun. "" for none. Of an Eviction: its own; its
     * body is JSON made anew. */
    struct slice delete_options;
    struct buf text; /* private */
};

/* Who can be asked for a dry run: the API groups that the API server itself serves (built in, or of a CustomResourceDefinition). One
 * that another server serves (an APIService with spec.service) may not honour dryRun. */
struct gate_groups {
    bool all; /* no aggregation at all: the API server knows no APIServices */
    const char *const *local;
    size_t n; /* beside the groups that are built in, which are always local */
    /* Known to be served by another server, in any of its versions: never local, whatever else says so. */
    const char *const *remote;
    size_t nremote;
};

/* An upgrade is refused, but for a watch: that is answered as if none were asked for. */
struct gate_header {
    struct slice content_type, accept, upgrade, connection,
        method_override; /* of the caller; empty if absent */
    bool transfer_odd;   /* more than one of Content-Length, Transfer-Encoding, Content-Type, ... */
};

/* body is borrowed as long as *ret lives; target is copied. 0: gate_free(ret) when done. Negative: refused, *status is the HTTP
 * status (400, 404, 405, 406, 413, 415, 501) and err says what was read and what is allowed. A refusal that is the rehearsal's
 * (what can not be rehearsed, as opposed to what is no valid request) has status 501 and err.kind ERR_FENCED. */
int gate_parse(struct slice method, struct slice target, const struct gate_header *h, struct slice body,
               const struct gate_groups *groups, struct gate_request *ret, int *status, struct err *err);
void gate_free(struct gate_request *r);
/* The kind of a request: "create pods/exec", "patch widgets.example.com"; of what is no path of objects "POST /first/...". Of any text; no names of
 * objects and namespaces are in it. */
void gate_what(struct slice method, struct slice target, struct buf *out);
bool gate_mutates(
    enum gate_kind k); /* create, update, patch, delete(collection): what has to be a dry run. Not a review */
#endif
