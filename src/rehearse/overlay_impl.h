/* The insides of the overlay, shared by its files.
 *
 * Live versions are etcd's revisions: all that has been seen is not newer than now, so a change that comes later has a greater one.
 * A change of the overlay is (newest live version seen when it was asked for, its number within the resource). */
#ifndef OVERLAY_IMPL_H
#define OVERLAY_IMPL_H
#include "api/selector.h"
#include "base/list.h"
#include "base/rand.h"
#include "overlay_object.h"
#include "rehearse/overlay.h"
#include "rehearse/version.h"

enum {
    OVERLAY_BODY_MAX = 8 << 20, /* of one object or answer */
    OVERLAY_RESOURCES = 4096,
    OVERLAY_RESUME_WAYS = 8,
    OVERLAY_RESUMES = 2048 * OVERLAY_RESUME_WAYS,
    OVERLAY_TWINS = 256,
    OVERLAY_EARLY = 1024,
    OVERLAY_GONE = 1024,
    OVERLAY_NOTES = 200, /* refusals, failures */
    OVERLAY_RUN =
        10, /* so many writes before a live change are forgotten with it: a report calls more a loop */
};
#define OVERLAY_EARLY_NS  (15 * INT64_C(1000000000))  /* that far live self and rehearsal are apart at most */
#define OVERLAY_RECORD_NS (300 * INT64_C(1000000000)) /* as long as etcd keeps what is compacted */

struct overlay_text {
    char *p;
    size_t n;
};
static inline struct slice overlay_slice(struct overlay_text t) {
    return slice_make(t.p, t.n);
}

enum entry_state {
    ENTRY_PRESENT,
    ENTRY_DELETED,
    ENTRY_PASSED /* the live object counts again; kept for watches that do not know yet, and for the report */
};
/* A manager's last apply, and what it was answered. */
struct overlay_applied {
    struct overlay_applied *next;
    char *manager;
    struct overlay_text config, text;
};
struct overlay_entry {
    struct list link;           /* in its resource, by `change` */
    struct list record;         /* in overlay.records: may be forgotten */
    struct overlay_entry *next; /* in its bucket */
    struct overlay_res *res;
    uint64_t hash;
    char *ns, *name, *version, *kind;
    char *uid, *generate; /* of text; "" if there is none */
    char *owner, *owners; /* uids: of the controller, and of all with a blank between */
    enum entry_state state;
    bool based;    /* made from a live object */
    bool personal; /* never asked of the server: an election */
    bool
        anew; /* deleted here and made again: another one than the live object, which is in the way of its name */
    bool same;    /* as the live one: nothing to report */
    bool deleted; /* ENTRY_PASSED: it was deleted here */
    bool met;    /* ENTRY_PASSED: the live object has come to be, at some time since, what it was made here */
    bool dim;    /* ENTRY_PASSED: of base only the metadata is known */
    bool orphan; /* its dependents are to stay */
    bool left;   /* ENTRY_DELETED: not by the operator */
    /* The live version of base; ENTRY_PASSED: the newest known; not based: newest seen when it was asked for. */
    uint64_t base_rv;
    uint64_t born; /* newest live version seen when it was first asked for */
    struct overlay_text
        base; /* ENTRY_PASSED: the live object of base_rv, empty if that is gone or not known */
    struct overlay_text first; /* ENTRY_PASSED: what base was before, for the report */
    struct overlay_text text;  /* as it is or, if deleted, was last; with its version */
    struct overlay_version rv; /* the operator's */
    unsigned change;           /* number within the resource of what happened last */
    uint64_t seen;             /* newest live version when that happened */
    struct overlay_applied *applied;
    unsigned writes;
    int64_t first_ns, last_ns, passed_ns;
};

/* What happened at or before this is forgotten; change 0: nothing is. */
struct overlay_floor {
    uint64_t seen;
    unsigned change;
};
struct overlay_list;
struct overlay_res {
    struct overlay_res *next;
    char *group, *name;
    uint64_t hash, newest; /* newest live version seen */
    unsigned changes;
    size_t n, twins, tombs; /* entries; those that may have a live twin, made or deleted */
    struct list entries, watches, lists, writes;
    struct overlay_floor floor;
};

/* What a list or a watch is about. */
struct overlay_filter {
    char *ns, *version;
    struct selector *labels;
    struct field_selector *fields;
    bool unknown; /* a selector was not understood: nothing of the overlay is added */
    bool partial; /* metadata only */
    char *partial_version;
    uint64_t hash;
};
struct overlay_watch {
    struct list link;
    struct overlay *o;
    struct overlay_res *res;
    struct overlay_filter filter;
    uint64_t
        progress; /* the live version up to which the server has delivered; 0: not known, it still says what there is */
    struct overlay_version given;
    bool initial, dead;
    void (*emit)(void *ctx, struct slice event);
    void *ctx;
    struct buf out, text;
};
/* How far the server had delivered when a watch of that filter was given a change. */
struct overlay_resume {
    uint64_t filter; /* of the watch */
    struct overlay_version at;
    uint64_t progress; /* 0: nothing is here */
    uint64_t age;      /* the oldest goes first */
};
struct overlay_note {
    struct overlay_note *next;
    char *what, *why;
    uint64_t count;
};
struct overlay_ring_event;
/* A live object with a generated name that came, or went, before the operator made or deleted one; `of`: for whom and which, 0: it has been
 * taken. */
struct overlay_early {
    uint64_t uid, of;
    int64_t at_ns;
};

struct overlay {
    struct overlay_limits limits;
    struct rng rng;
    struct overlay_counts counts;
    struct overlay_entry **bucket;
    size_t nbuckets, nentries;
    size_t owned; /* entries that their owners may take with them */
    struct overlay_res *res[256];
    size_t nres;
    struct list records;           /* oldest first */
    int64_t aged_ns;               /* wall time of the last overlay_age() */
    struct overlay_resume *resume; /* sets by hash */
    uint64_t resumes;
    uint64_t twin[OVERLAY_TWINS];
    size_t twins;
    struct overlay_early early[OVERLAY_EARLY];
    size_t earlies;
    uint64_t gone[OVERLAY_GONE]; /* uids, hashed, of what went and would have taken with it what it owns */
    size_t goners;
    struct overlay_note *refusals, *failures;
    struct overlay_ring_event **event;
    size_t nevents, event_next;
    unsigned event_version;
};

/* ---- overlay.c ---- */
struct overlay_res *overlay_res(struct overlay *o, struct slice group,
                                struct slice resource); /* NULL: too many */
struct overlay_entry *overlay_find(const struct overlay *o, const struct overlay_res *res, struct slice ns,
                                   struct slice name);
struct overlay_entry *overlay_entry_new(struct overlay *o, struct overlay_res *res, struct slice ns,
                                        struct slice name, struct slice version);
void overlay_set(struct overlay *o, struct overlay_text *t, struct slice text); /* counted */
void overlay_applied_clear(struct overlay *o, struct overlay_entry *e);
/* An object of the overlay is asked for in another API version than it was written in. */
void overlay_foreign(struct overlay *o, const struct overlay_entry *e, struct slice version);
/* Is there room for so much more? Records go for it. */
bool overlay_room(struct overlay *o, size_t bytes, bool entry);
/* Live objects that were seen are kept without a question: at the end of what has seen them, records go until the limit holds. */
void overlay_trim(struct overlay *o);
void overlay_age(struct overlay *o, int64_t now);
static inline void overlay_seen(struct overlay_res *res, uint64_t live) {
    if (live > res->newest) res->newest = live;
}

static inline struct overlay_version overlay_now(const struct overlay_res *res) {
    return (struct overlay_version){res->newest ? res->newest : 1, res->changes};
}

/* ---- overlay_failures.c ---- */
void overlay_notes_free(struct overlay_note *n);
/* "patch deployments.apps/status" */
void overlay_what(const struct gate_request *r, struct buf *out);
/* An answer to a mutation: if it is a failure or a conflict it is counted. name, generate: of the object; "" if it has none. */
void overlay_write_failed(struct overlay *o, const struct gate_request *r, struct slice name,
                          struct slice generate, int status, struct slice body);

/* ---- overlay_filter.c ---- */
void overlay_filter_init(struct overlay_filter *f, const struct gate_request *r);
void overlay_filter_free(struct overlay_filter *f);
bool overlay_filter_place(const struct overlay_filter *f,
                          const struct overlay_entry *e);                     /* namespace, version */
bool overlay_filter_match(const struct overlay_filter *f, struct slice text); /* selectors */
static inline bool overlay_filter_selects(const struct overlay_filter *f) {
    return f->labels || f->fields;
}
/* Does the server say nothing of e to such a list or watch, while the operator has to see it there? */
bool overlay_filter_extra(const struct overlay_filter *f, const struct overlay_entry *e);

/* ---- overlay_change.c ---- */
struct overlay_put {
    struct slice ns, name, version;
    uint64_t live; /* newest live version when it was asked for */
    bool based;    /* of an entry that is not there yet, or passed: the live object is base */
    uint64_t base_rv;
    struct slice base;
    struct slice text; /* what is to be; of a delete: what was last, or empty */
    bool personal;
    int64_t now;
};
/* NULL: no room. */
struct overlay_entry *overlay_put(struct overlay *o, struct overlay_res *res, const struct overlay_put *p);
struct overlay_entry *overlay_delete(struct overlay *o, struct overlay_res *res, const struct overlay_put *p);
/* The live object is another one now; live: its text, empty if it is not known (rv: then newer than that) or gone (rv 0); dim: only its metadata. but: a watch that sees for itself. */
void overlay_drop(struct overlay *o, struct overlay_entry *e, uint64_t rv, struct slice live, bool dim,
                  const struct overlay_watch *but, int64_t now);
/* Is what was seen newer than what e was made from? Of what only the overlay has: of a life after its own. A read of the very object (now) is
 * of the present; events and lists may lag. */
bool overlay_newer(const struct overlay_entry *e, const struct overlay_peek *it, bool present);
/* A state of the live object of e, which has passed; live: as for overlay_drop(). */
void overlay_sighted(struct overlay *o, struct overlay_entry *e, uint64_t rv, struct slice live, bool dim);
bool overlay_may_have_twin(const struct overlay_entry *e);
bool overlay_is_tomb(const struct overlay_entry *e);
/* A deleted one is as the live object again. */
void overlay_restore(struct overlay *o, struct overlay_entry *e, int64_t now);
/* What only the overlay has, and is owned by uid, goes. */
void overlay_cascade(struct overlay *o, const char *uid, int64_t now);
/* It goes, not by the operator, and with it what it owns. */
void overlay_leave(struct overlay *o, struct overlay_entry *e, int64_t now);
/* e was just made: true if all its owners had gone before, and e goes with them. */
bool overlay_follows(struct overlay *o, struct overlay_entry *e, int64_t now);

/* ---- overlay_rows.c ---- */
/* e, a record, is about to be forgotten; room: for others, before its time. */
void overlay_row_forgotten(struct overlay *o, const struct overlay_entry *e, bool room);

/* ---- overlay_met.c ---- */
void overlay_meet(struct overlay_entry *e, struct slice live); /* a state of the live object, whole */
void overlay_meet_gone(struct overlay_entry *e);               /* there is none */

/* ---- overlay_twin.c ---- */
void overlay_twin(struct overlay *o, struct overlay_res *res, const struct overlay_peek *it, int64_t now);
/* e was just made: if its live twin has come before, e goes. */
void overlay_twin_made(struct overlay *o, struct overlay_entry *e, int64_t now);
/* The live self deletes, too, and which one of several alike is chance. A live object changes or goes: */
void overlay_twin_left(struct overlay *o, struct overlay_res *res, const struct overlay_peek *it, bool gone,
                       int64_t now);
/* e was just deleted: if the live self has deleted another one before, e comes back. */
void overlay_twin_removed(struct overlay *o, struct overlay_entry *e, int64_t now);

/* ---- overlay_list.c ---- */
void overlay_lists_forget(const struct overlay_entry *e);

/* ---- overlay_say.c ---- */
void overlay_say(struct overlay_watch *w, const char *type, struct slice object);
/* With version v. whole: the object is one of the overlay, which a watch of metadata gets in that form; else it has the form. */
void overlay_say_object(struct overlay_watch *w, const char *type, struct slice object, bool whole,
                        struct overlay_version v);
void overlay_say_entry(struct overlay_watch *w, const char *type, const struct overlay_entry *e);
bool overlay_shown(const struct overlay_watch *w, const struct overlay_entry *e);
/* e has changed; old or text may be empty. */
void overlay_tell(struct overlay_entry *e, struct slice old, struct slice text);
/* e passes: to those that the server says nothing to. */
void overlay_tell_passed(struct overlay_entry *e, uint64_t rv, struct slice live,
                         const struct overlay_watch *but);
/* What that is to one of them: base was the live object that e was made from, live is the one of version rv, empty if not known, or gone
 * (rv 0). */
enum overlay_passed {
    PASSED_SAID /* the server says so, if there is anything to say */,
    PASSED_GONE,
    PASSED_UNSURE
};
enum overlay_passed overlay_passed_to(const struct overlay_watch *w, const struct overlay_entry *e,
                                      uint64_t rv, struct slice base, struct slice live);
/* What is known of a change given to watches of that filter. NULL: nothing, the server is asked from its live version. */
struct overlay_resume *overlay_resume(const struct overlay *o, uint64_t filter, struct overlay_version v);

/* ---- overlay_watch.c ---- */
void overlay_say_extras(struct overlay_watch *w); /* what the server has no event for */

/* ---- overlay_write.c ---- */
/* An object that has no entry was seen: a write of it that is under way may be of a state that has passed. */
void overlay_writes_notice(const struct overlay_res *res, const struct overlay_peek *it);

/* ---- overlay_election.c ---- */
bool overlay_is_lease(const struct gate_request *r);
/* A live object with a leader's annotation becomes one of memory, where nobody leads. True: there is such an entry. */
bool overlay_election_read(struct overlay *o, struct overlay_res *res, const struct gate_request *r,
                           int64_t now, struct slice body);
/* Is obj of a kind that elects by an annotation, and has it? */
bool overlay_elected(const struct gate_request *r, struct slice obj);
#endif
