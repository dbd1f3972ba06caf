/* The way of the work from one leader to the next, as a pure state machine: the parts of the predecessor's
 * checkpoint are read, kept until what they held stands in our own checkpoint, and deleted; our own last one
 * is written before the release. Requests and callbacks are effects; checkpoint_io.c carries them out.
 *
 * A part is deleted only when one of these holds: its keys were restored and a checkpoint that was made after
 * that stands on the Lease; it is damaged, or is not there; it could not be read for FLOW_KEEP_NS. Until then
 * each checkpoint of ours names it as unread, for the next leader. */
#ifndef LEADER_CHECKPOINT_FLOW_H
#define LEADER_CHECKPOINT_FLOW_H
#include "base/time.h"
#include "leader/checkpoint.h"

#define FLOW_LEAD_NS (3 * NS_PER_S)   /* how long lead() waits for parts that are slow */
#define FLOW_READ_NS (10 * NS_PER_S)  /* for one request */
#define FLOW_SAVE_NS (3 * NS_PER_S)   /* for our own parts */
#define FLOW_KEEP_NS (300 * NS_PER_S) /* how long a part that cannot be read is kept */

enum flow_event_kind {
    FLOW_EV_TICK,
    FLOW_EV_ACQUIRED, /* n: the parts that the predecessor left */
    FLOW_EV_READ,     /* part i was read: its keys are in the reader */
    FLOW_EV_UNUSABLE, /* part i is damaged, or is not there */
    FLOW_EV_UNREAD,   /* part i could not be read this time */
    FLOW_EV_REPORTED, /* what was read so far is with the controllers, by lead() or late_work() */
    FLOW_EV_GATHERED, /* a checkpoint of ours was made for a write of the Lease */
    FLOW_EV_RENEWED,  /* and was written */
    FLOW_EV_DELETED, /* part i was deleted, or could not be: the garbage collection of a later leader finds it */
    FLOW_EV_DRAINED, /* nothing of ours mutates any more; save: the Lease is ours, a last checkpoint may be written;
                          for_ns: how long that may take, 0: FLOW_SAVE_NS */
    FLOW_EV_SAVING,    /* answers FLOW_SAVE. n: the parts that the last checkpoint has */
    FLOW_EV_WRITTEN,   /* part i of ours was written */
    FLOW_EV_EXISTS,    /* part i of ours is there already */
    FLOW_EV_UNWRITTEN, /* part i of ours could not be written */
    FLOW_EV_LOST,      /* the fence is shut */
    FLOW_EV_GIVE_UP,   /* no time left */
};
struct flow_event {
    enum flow_event_kind kind;
    size_t i, n;
    bool save;
    int64_t for_ns, boot_ns;
};

enum flow_effect_kind {
    FLOW_CANCEL,      /* every request under way, unanswered */
    FLOW_READ,        /* part i of the predecessor's */
    FLOW_DELETE,      /* likewise */
    FLOW_EXPIRED,     /* part i was not read in FLOW_KEEP_NS: to be logged */
    FLOW_LEAD,        /* call lead(); once */
    FLOW_LATE,        /* call late_work() */
    FLOW_COLLECT,     /* garbage collection of parts that no checkpoint names; once */
    FLOW_SAVE,        /* make the last checkpoint */
    FLOW_CREATE,      /* part i of ours */
    FLOW_PATCH,       /* likewise, it exists */
    FLOW_SAVE_INLINE, /* the parts could not be written: what matters most goes with the Lease */
    FLOW_RELEASE,     /* LEASE_EV_DRAINED for the lease machine */
};
struct flow_effect {
    enum flow_effect_kind kind;
    size_t i;
};
/* Two effects for each part are the most that one step asks for, and a few for all. */
enum { FLOW_EFFECTS = 2 * CHECKPOINT_READ_MAX + 8 };
struct flow_out {
    struct flow_effect effects[FLOW_EFFECTS];
    size_t neffects;
    int64_t wake_ns; /* boot time of the next FLOW_EV_TICK at the latest; TIME_NEVER */
};

struct checkpoint_flow {
    enum flow_phase { FLOW_STANDBY, FLOW_READING, FLOW_LEADING, FLOW_SAVING, FLOW_OVER } phase;
    enum flow_part {
        PART_NONE,
        PART_DUE,      /* to be read at due_ns */
        PART_ASKED,    /* its read is under way */
        PART_READ,     /* its keys are to be restored */
        PART_REPORTED, /* its keys are to be gathered */
        PART_SENT,     /* a checkpoint that has them is being written */
        PART_DELETING,
        PART_GONE,
    } part[CHECKPOINT_READ_MAX];
    int64_t due_ns[CHECKPOINT_READ_MAX];
    unsigned tries[CHECKPOINT_READ_MAX];
    size_t nparts;
    int64_t lead_ns, keep_ns; /* deadlines */
    bool own;                 /* lead() was called: what is written is our own work */
    bool gathered, collected;
    bool open[CHECKPOINT_PARTS_MAX];    /* our own parts: a write is under way, */
    bool patched[CHECKPOINT_PARTS_MAX]; /* for the second time */
    bool failed;                        /* one could not be written */
    int64_t save_ns;                    /* deadline */
};
void checkpoint_flow_step(struct checkpoint_flow *f, const struct flow_event *ev, struct flow_out *ret);
/* Is part i to be named as unread in a checkpoint that is made now? */
bool checkpoint_flow_unread(const struct checkpoint_flow *f, size_t i);
#endif
