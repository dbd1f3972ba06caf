/* The checkpoint: the unfinished work that a leader leaves behind, as text. docs/reference/checkpoint.md has
 * the format. Small ones stand in the annotation handover.dev/checkpoint of the Lease, larger ones in
 * ConfigMaps, with their number and digests in that annotation. A checkpoint is a hint: what cannot be read
 * is reported, and the full list is reconciled as ever. Pure. */
#ifndef LEADER_CHECKPOINT_H
#define LEADER_CHECKPOINT_H
#include "base/buf.h"
#include "base/err.h"

enum {
    CHECKPOINT_INLINE_MAX = 64 << 10, /* bytes of the annotation's value */
    CHECKPOINT_INLINE_KEYS = 8192, /* a renewal looks at so many keys of a controller at most; 8 bytes each */
    CHECKPOINT_PART_MAX = 900 << 10, /* bytes of the value in one ConfigMap */
    CHECKPOINT_PARTS_MAX = 16,
    CHECKPOINT_UNREAD_MAX = 16, /* parts of earlier checkpoints that could not be read yet */
    CHECKPOINT_READ_MAX = CHECKPOINT_PARTS_MAX + CHECKPOINT_UNREAD_MAX,
    CHECKPOINT_KEYS_MAX = 1000000,
    CHECKPOINT_KEY_MAX = 1024,   /* longer keys and names are left out and counted */
    CHECKPOINT_REASON_MAX = 512, /* longer reasons are cut */
    CHECKPOINT_CONTROLLERS_MAX = 256,
};
#define CHECKPOINT_DATA_KEY "checkpoint" /* in the ConfigMap's data */

/* In the order of a restore. */
enum checkpoint_kind {
    CHECKPOINT_INTERRUPTED, /* cancelled in the middle */
    CHECKPOINT_INFLIGHT,    /* was being worked on when this was written: as interrupted if nothing newer is
                               known */
    CHECKPOINT_QUEUED,
    CHECKPOINT_DELAYED,
    CHECKPOINT_FAILURES, /* nothing to do, but failures are remembered */
    CHECKPOINT_DEAD,     /* dead letter */
};
enum { CHECKPOINT_KINDS = CHECKPOINT_DEAD + 1 };
const char *checkpoint_kind_name(enum checkpoint_kind k); /* "interrupted": for metrics labels and logs */

struct checkpoint_key {
    enum checkpoint_kind kind;
    struct slice controller, key;
    int prio;
    int64_t at_wall_ns; /* DELAYED: when; DEAD: since when. Kept to the millisecond, rounded up */
    unsigned failures;
    struct slice reason; /* DEAD: why */
};
struct checkpoint_head {
    int64_t term; /* of the leader that answers for it, see checkpoint_carry() */
    int64_t made; /* of the leader that wrote it: names its ConfigMaps */
    char by[512]; /* the writer's identity */
    int64_t at_wall_ns;
    size_t keys;    /* in all parts */
    size_t dropped; /* for want of room, or over a cap */
    size_t parts;   /* ConfigMaps; 0: inline */
    size_t unread;  /* parts of earlier checkpoints */
};

/* ---- writing ---- */
struct checkpoint;
/* term, by, at_wall_ns of head count. */
struct checkpoint *checkpoint_new(const struct checkpoint_head *head);
void checkpoint_free(struct checkpoint *c);
DEFINE_CLEANUP(struct checkpoint *, checkpoint, checkpoint_free)
#define cleanup_checkpoint CLEANUP(checkpoint)
void checkpoint_add(struct checkpoint *c, const struct checkpoint_key *k); /* copied */
void checkpoint_add_dropped(struct checkpoint *c, size_t keys); /* there are more keys, which are not added */
/* A ConfigMap with a part of a checkpoint. */
struct checkpoint_part_id {
    int64_t made;  /* the term that made it */
    size_t number; /* from 1 */
    char sha[65];  /* digest of its text */
};
/* A part of an earlier checkpoint that could not be read so far: the next leader is to try. */
void checkpoint_add_unread(struct checkpoint *c, const struct checkpoint_part_id *id);
/* Encodes. inline_only: what does not fit the annotation is left out, the least important last kinds first
 * (for renewals). Else, when it does not fit, parts are made. After it nothing may be added. */
void checkpoint_finish(struct checkpoint *c, bool inline_only);
struct slice checkpoint_value(const struct checkpoint *c); /* of the annotation */
size_t checkpoint_parts(const struct checkpoint *c);
struct slice checkpoint_part(const struct checkpoint *c, size_t i); /* the value in ConfigMap number i, 0.. */
const struct checkpoint_head *checkpoint_head(const struct checkpoint *c);
size_t checkpoint_count(const struct checkpoint *c, enum checkpoint_kind k); /* keys written */

/* "NAME-checkpoint-TERM-N", made in term TERM, N from 1. lease: the Lease's name. */
int checkpoint_part_name(struct slice lease, int64_t made, size_t number, struct buf *out);

/* ---- reading ---- */
enum checkpoint_fault {
    CHECKPOINT_OK,
    CHECKPOINT_EMPTY,   /* there is none */
    CHECKPOINT_FOREIGN, /* not a checkpoint at all, or of a version that we do not know */
    CHECKPOINT_STALE,   /* of another term than the one that was taken over */
    CHECKPOINT_DAMAGED, /* digest, count or form is wrong: nothing of it is used */
    CHECKPOINT_MISSING, /* a part is not there */
};
const char *checkpoint_fault_name(enum checkpoint_fault f);

struct checkpoint_reader;
/* value: of the annotation. term: leaseTransitions of the record that was taken over; -1: any. NULL unless
 * CHECKPOINT_OK; err says why in a person's words. */
enum checkpoint_fault checkpoint_open(struct slice value, int64_t term, struct checkpoint_reader **ret,
                                      struct err *err);
void checkpoint_close(struct checkpoint_reader *r);
const struct checkpoint_head *checkpoint_reader_head(const struct checkpoint_reader *r);
/* The ConfigMaps to be read: its own parts, then those that its writer could not read. */
size_t checkpoint_reader_parts(const struct checkpoint_reader *r);
const struct checkpoint_part_id *checkpoint_reader_part(const struct checkpoint_reader *r, size_t i);
/* The text of ConfigMap i of these, p NULL if it is not there. Copied. Each part stands for itself: a bad one
 * is left out. */
enum checkpoint_fault checkpoint_give(struct checkpoint_reader *r, size_t i, struct slice text,
                                      struct err *err);
/* Calls fn for each key that an earlier call did not pass, in the order interrupted, in flight, queued,
 * delayed, failures, dead; inside a kind in the order in which they were added. The slices are valid during
 * the call. Returns how many. */
size_t checkpoint_each(struct checkpoint_reader *r, void (*fn)(void *ctx, const struct checkpoint_key *k),
                       void *ctx);
size_t checkpoint_skipped(
    const struct checkpoint_reader *r); /* entries of a kind or with a mark that we do not know */

/* The same checkpoint as the new leader's own: a successor that dies before it has written one passes on what
 * it got. Only if it is of term `from`; else false, and the annotation stays as it is. */
bool checkpoint_carry(struct slice value, int64_t from, int64_t to, struct buf *out);
#endif
