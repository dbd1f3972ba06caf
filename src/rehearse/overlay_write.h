/* The machine of one mutation: what is asked, what its answer is for, what the operator gets in the end. */
#ifndef OVERLAY_WRITE_H
#define OVERLAY_WRITE_H
#include "overlay_impl.h"
#include "rehearse/upstream.h"

enum { WRITE_TRIES = 3 };
struct overlay_write {
    struct list link; /* in its resource */
    struct overlay *o;
    const struct gate_request *r;
    struct overlay_res *res;
    int64_t now;
    void (*next)(struct overlay_write *w, int status, struct slice body); /* the answer to what is asked */
    struct upstream ask;
    bool asked;

    char *name;                    /* of the object; "" of one whose name is to be made */
    struct overlay_version given;  /* the operator's precondition; live 0: none */
    struct overlay_version before; /* of the entry when it began; live 0: there was none */
    bool based;
    uint64_t base_rv;
    struct buf base;   /* the live object */
    uint64_t live;     /* newest live version when the dry run was asked for */
    struct buf wanted; /* what a patch made of the entry's object */
    struct buf reply;  /* a dry run's answer, while something else is asked */
    bool again; /* what is validated by a create is deleted here and still live: under a name that is made */
    bool stale; /* the live object was seen newer than base */
    unsigned tries;

    bool answered;
    int status;
    struct buf answer;
};

/* ---- overlay_write.c ---- */
void write_fail(struct overlay_write *w, int code, const char *reason, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void write_pass(struct overlay_write *w, int status, struct slice body); /* a failure, or what is no object */
void write_object(struct overlay_write *w, int status, struct slice text, struct overlay_version v);
void write_not_found(struct overlay_write *w);
void write_exists(struct overlay_write *w);
void write_conflict(struct overlay_write *w);
void write_full(struct overlay_write *w);
void write_refuse(struct overlay_write *w, const char *why);
/* body as it is to be sent. */
void write_dry_run(struct overlay_write *w, enum upstream_verb verb, struct slice name, struct slice sub,
                   enum gate_form form, struct slice body,
                   void (*next)(struct overlay_write *w, int status, struct slice body));
void write_get(struct overlay_write *w, void (*next)(struct overlay_write *w, int status, struct slice body));
/* The entry that stands in the live object's place; NULL: there is none. */
struct overlay_entry *write_entry(const struct overlay_write *w);
bool write_given(const struct overlay_write *w,
                 const struct overlay_entry *e); /* is e what the operator says? */
/* Is it still as it was when this began? */
bool write_unchanged(const struct overlay_write *w, const struct overlay_entry *e);
/* Something has changed in between: once more from the start; after a few tries it is a conflict. */
void write_restart(struct overlay_write *w);
/* The live object is read again; where it has changed the entry is dropped; then from the start. */
void write_recheck(struct overlay_write *w);
void write_rechecked(struct overlay_write *w, int status, struct slice body); /* it has been read */
/* body: the live object, which becomes the base. */
void write_base(struct overlay_write *w, struct slice body);
/* Puts obj in the overlay and answers with it; of a caller's own dry run only the latter. */
void write_commit(struct overlay_write *w, const cJSON *obj, int status);
/* The same, unless obj is being deleted and has nothing to wait for any more: then it goes. */
void write_leave(struct overlay_write *w, const cJSON *obj, int status);
/* It goes. The answer is left to the caller, but where there is no room. */
void write_remove(struct overlay_write *w, struct slice last, bool orphan);
/* The body, or the operator's other text, as JSON. NULL: it has been answered. */
cJSON *write_body(struct overlay_write *w);

/* ---- overlay_write_*.c ---- */
void write_create(struct overlay_write *w);
void write_create_answered(struct overlay_write *w, int status, struct slice body);
void write_created(struct overlay_write *w,
                   struct slice body); /* the object that a create made, by whatever verb */
/* An object under a name that is to be made: as JSON, or else in protobuf. */
bool write_renamed(struct slice json, struct slice protobuf, struct buf *out);
void write_change(struct overlay_write *w); /* update and patch */
void write_apply(struct overlay_write *w, struct overlay_entry *e);
void write_applied(struct overlay_write *w,
                   struct slice body); /* an apply's answer is kept for the next one */
/* Is it validated by a create? */
static inline bool write_made_here(const struct overlay_entry *e) {
    return !e->based || e->anew;
}
/* obj is what the object of an entry is to be: it is validated, and left. */
void write_wanted(struct overlay_write *w, const struct overlay_entry *e, cJSON *obj);
void write_scale(struct overlay_write *w);
void write_bind(struct overlay_write *w);
void write_delete(struct overlay_write *w); /* and evict */
void write_collection(struct overlay_write *w);
bool write_orphans(const struct overlay_write *w, const cJSON *options); /* is what it owns to stay? */
bool write_personal(struct overlay_write *w); /* an election: answered from memory */

/* Of the body of a create; false: it is none. */
bool overlay_name_of(const struct gate_request *r, struct slice *ret_generate, struct slice *ret_name);
/* The operator's precondition in an object or a patch; false: answered, it is none that it can have. */
bool write_precondition(struct overlay_write *w);
/* The body with that live version in place of the operator's; 0: without one. false: answered. */
bool write_with_version(struct overlay_write *w, uint64_t live, struct buf *out);
#endif
