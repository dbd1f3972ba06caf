/* What a rehearsal found: per object what would be left, what follows from it, and what the version in service would do as well. Pure.
 * Links nothing of the overlay: it is fed rows, and read back from its own JSON by the rollout and the command line. */
#ifndef REHEARSE_REPORT_H
#define REHEARSE_REPORT_H
#include "base/buf.h"
#include "base/err.h"

struct report;
struct report_limits {
    size_t objects; /* 0: 5,000; more are counted, not listed: those that do the least harm */
    size_t fields;  /* of one object; 0: 50 */
    size_t value;   /* bytes of a value; 0: 200, then "..."; at most 16 KiB */
};
struct report *report_new(const struct report_limits *limits);
void report_free(struct report *r);

struct report_object {
    struct slice group, version, resource, kind, ns, name;
    struct slice live, rehearsed; /* JSON; one of them may be empty */
    bool orphans;                 /* deleted, and what it owns is to stay */
    unsigned writes;
    int64_t first_ns, last_ns; /* wall time */
    bool met; /* the live object has come to be so since: not counted, but what a control has of it is */
};
/* Compares live and rehearsed: what a write changes by itself (managedFields, resourceVersion, generation, uid, creationTimestamp) is no
 * change, quantities where Kubernetes has them (limits, requests, ...) are compared by amount, lists by a key of their elements (name, containerPort,
 * type, ...), times that move (RFC 3339 in both, but for those of a pod template) are marked as such. Values of Secrets, and what looks like one, are not
 * kept, nor any digest of them: "(hidden)" says that they change. -EINVAL, -EFBIG: no such objects. */
int report_add(struct report *r, const struct report_object *o, struct err *err);
void report_refusal(struct report *r, struct slice what, struct slice why, uint64_t count);
/* Requests that failed: what as "list widgets.example.com", why as "403 Forbidden: MESSAGE". */
void report_failure(struct report *r, struct slice what, struct slice why, uint64_t count);
void report_event(struct report *r, struct slice type, struct slice reason, struct slice message,
                  struct slice kind, struct slice ns, struct slice name, unsigned count);
struct report_run {
    int64_t from_ns, to_ns; /* wall time */
    uint64_t reads, writes, conflicts, refused, failed;
    uint64_t
        superseded; /* objects that others changed after the operator had, which has not done so again: in no row */
    uint64_t unnamed;  /* of those that failed: in no report_failure() */
    bool full;         /* not whole: a limit of the overlay was reached */
    const char *image; /* of the operator; NULL: not known */
};
void report_set_run(struct report *r, const struct report_run *run);

/* Takes away what has come about live since, and what the control (stable's own version, rehearsed beside it; NULL: none) would do as well: the same fields of the same object to the same values
 * (times that move, and hidden values: to any), the same deletes, refusals, failures and Events; of objects with generated names as many as the control made. Of
 * one that both make, what differs stays, from the control's value to ours. What was taken is counted. */
void report_subtract(struct report *r, const struct report *control);

/* What follows, counted. Kinds as in max-changes. */
enum report_kind {
    REPORT_CREATES,
    REPORT_CHANGES, /* in more than times that move */
    REPORT_DELETES, /* also what waits for its finalizers, and what is made anew under its name */
    REPORT_RESTARTS, /* workloads whose pod template changes, that are made anew, or whose pods are deleted; each once */
    REPORT_STOPS, /* workloads that are deleted, scaled down or suspended, and bare pods, whose pods do not come back; each once */
    REPORT_PODS,  /* pods that would restart, or stop, by that; none restart of what is paused or OnDelete */
    REPORT_VOLUMES,    /* PersistentVolumeClaims and PersistentVolumes deleted */
    REPORT_NAMESPACES, /* deleted */
    REPORT_CRDS,       /* CustomResourceDefinitions deleted, or a version of one not served any more */
    REPORT_CUSTOM,     /* custom resources deleted */
    REPORT_RBAC,       /* Roles, bindings, ServiceAccounts created, changed, deleted */
    REPORT_WEBHOOKS,   /* webhook configurations and admission policies */
    REPORT_FINALIZERS, /* objects that lose one */
    REPORT_HOT,        /* objects written again and again: more than 10 writes and more than one a second */
    REPORT_REFUSED,    /* kinds of requests that could not be rehearsed */
    REPORT_FAILED,     /* kinds of requests that failed */
    REPORT_KINDS
};
const char *report_kind_name(enum report_kind k); /* "restarts" */
bool report_kind_parse(struct slice name, enum report_kind *ret);
uint64_t report_count(const struct report *r, enum report_kind k);
bool report_empty(const struct report *r); /* nothing created, changed or deleted */
/* A short stable digest of what would be left (not of times and counts of writes): what a person approves. 16 hex digits. */
void report_digest(const struct report *r, char ret[17]);

/* The whole, versioned: {"apiVersion":"handover.dev/v1","kind":"RehearsalReport",...}, documented in docs/reference/rehearsal.md. */
int report_write(const struct report *r, struct buf *out);
/* -EINVAL, -EFBIG with err: not such a report. Unknown members are skipped. */
int report_read(struct slice json, struct report **ret, struct err *err);
/* For a person: consequences first, then the objects with their fields; width: 0 for any. colour: with ANSI colours. At most max_objects objects. */
int report_text(const struct report *r, unsigned width, bool colour, size_t max_objects, struct buf *out);
/* One line: "3 workloads would restart (7 pods), 2 objects created, 1 deleted". "changes nothing" */
void report_line(const struct report *r, struct buf *out);
#endif
