/* See checkpoint_flow.h. */
#include "checkpoint_flow.h"
#include <stdlib.h>

#define RETRY_MIN_NS NS_PER_S
#define RETRY_MAX_NS (15 * NS_PER_S)

/* Never more than FLOW_EFFECTS: see there. */
static void add(struct flow_out *out, enum flow_effect_kind kind, size_t i) {
    if (out->neffects == FLOW_EFFECTS) abort();
    out->effects[out->neffects++] = (struct flow_effect){kind, i};
}

bool checkpoint_flow_unread(const struct checkpoint_flow *f, size_t i) {
    return i < f->nparts && f->part[i] >= PART_DUE && f->part[i] <= PART_READ;
}

static bool any(const struct checkpoint_flow *f, enum flow_part from, enum flow_part to) {
    for (size_t i = 0; i < f->nparts; i++)
        if (f->part[i] >= from && f->part[i] <= to) return true;
    return false;
}

static int64_t backoff(unsigned tries) {
    int64_t ns = RETRY_MIN_NS << (tries < 5 ? tries - 1 : 4);
    return ns < RETRY_MAX_NS ? ns : RETRY_MAX_NS;
}

/* ---- the predecessor's parts ---- */

static void acquired(struct checkpoint_flow *f, const struct flow_event *ev) {
    if (f->phase != FLOW_STANDBY) return;
    f->phase = FLOW_READING;
    f->nparts = ev->n < CHECKPOINT_READ_MAX ? ev->n : CHECKPOINT_READ_MAX;
    f->lead_ns = ev->boot_ns + FLOW_LEAD_NS;
    f->keep_ns = ev->boot_ns + FLOW_KEEP_NS;
    for (size_t i = 0; i < f->nparts; i++) {
        f->part[i] = PART_DUE;
        f->due_ns[i] = ev->boot_ns;
    }
}

static void answered(struct checkpoint_flow *f, const struct flow_event *ev) {
    size_t i = ev->i;
    if (i >= f->nparts || f->part[i] != PART_ASKED) return;
    if (ev->kind == FLOW_EV_UNREAD) {
        f->part[i] = PART_DUE;
        f->due_ns[i] = ev->boot_ns + backoff(++f->tries[i]);
    } else {
        f->part[i] =
            ev->kind == FLOW_EV_READ ? PART_READ : PART_REPORTED; /* an unusable one has no keys to restore */
    }
}

/* A part moves on in three steps: told, gathered, written. What is read between two of them waits for the
 * next. */
static void move(struct checkpoint_flow *f, enum flow_part from, enum flow_part to) {
    for (size_t i = 0; i < f->nparts; i++)
        if (f->part[i] == from) f->part[i] = to;
}

static void renewed(struct checkpoint_flow *f, struct flow_out *out) {
    if (!f->gathered || f->phase != FLOW_LEADING) return;
    for (size_t i = 0; i < f->nparts; i++) {
        if (f->part[i] != PART_SENT) continue;
        f->part[i] = PART_DELETING;
        add(out, FLOW_DELETE, i);
    }
    if (f->collected || any(f, PART_DUE, PART_DELETING)) return;
    f->collected = true;
    add(out, FLOW_COLLECT, 0);
}

/* What is due now, and what has been tried for long enough. */
static void read_parts(struct checkpoint_flow *f, int64_t now, struct flow_out *out) {
    for (size_t i = 0; i < f->nparts; i++) {
        bool waits = f->part[i] == PART_DUE || f->part[i] == PART_ASKED;
        if (waits && now >= f->keep_ns) {
            f->part[i] = PART_REPORTED;
            add(out, FLOW_EXPIRED, i);
        } else if (f->part[i] == PART_DUE && now >= f->due_ns[i]) {
            f->part[i] = PART_ASKED;
            add(out, FLOW_READ, i);
        }
    }
}

static void lead(struct checkpoint_flow *f, int64_t now, struct flow_out *out) {
    if (f->phase != FLOW_READING || (any(f, PART_ASKED, PART_ASKED) && now < f->lead_ns)) return;
    f->phase = FLOW_LEADING;
    add(out, FLOW_LEAD, 0);
}

/* ---- our own last one ---- */

static void release(struct checkpoint_flow *f, struct flow_out *out) {
    f->phase = FLOW_OVER;
    add(out, FLOW_RELEASE, 0);
}

static void drained(struct checkpoint_flow *f, const struct flow_event *ev, struct flow_out *out) {
    if (f->phase == FLOW_SAVING) return;
    if (!ev->save || !f->own || f->phase == FLOW_OVER) {
        add(out, FLOW_CANCEL, 0);
        release(f, out);
        return;
    }
    f->phase = FLOW_SAVING;
    f->save_ns = ev->boot_ns + (ev->for_ns > 0 && ev->for_ns < FLOW_SAVE_NS ? ev->for_ns : FLOW_SAVE_NS);
    add(out, FLOW_CANCEL, 0); /* parts not deleted by now are left to a later leader */
    add(out, FLOW_SAVE, 0);
}

static void end_save(struct checkpoint_flow *f, struct flow_out *out) {
    for (size_t i = 0; i < CHECKPOINT_PARTS_MAX; i++)
        if (f->open[i]) return;
    if (f->failed) add(out, FLOW_SAVE_INLINE, 0);
    release(f, out);
}

static void saving(struct checkpoint_flow *f, const struct flow_event *ev, struct flow_out *out) {
    size_t n = ev->n < CHECKPOINT_PARTS_MAX ? ev->n : CHECKPOINT_PARTS_MAX;
    if (f->phase != FLOW_SAVING) return;
    for (size_t i = 0; i < n; i++) {
        f->open[i] = true;
        add(out, FLOW_CREATE, i);
    }
    end_save(f, out);
}

static void written(struct checkpoint_flow *f, const struct flow_event *ev, struct flow_out *out) {
    size_t i = ev->i;
    if (f->phase != FLOW_SAVING || i >= CHECKPOINT_PARTS_MAX || !f->open[i]) return;
    if (ev->kind == FLOW_EV_EXISTS && !f->patched[i]) { /* from an attempt whose answer was lost */
        f->patched[i] = true;
        add(out, FLOW_PATCH, i);
        return;
    }
    f->open[i] = false;
    f->failed = f->failed || ev->kind != FLOW_EV_WRITTEN;
    end_save(f, out);
}

static void save_deadline(struct checkpoint_flow *f, int64_t now, struct flow_out *out) {
    if (f->phase != FLOW_SAVING || now < f->save_ns) return;
    add(out, FLOW_CANCEL, 0);
    add(out, FLOW_SAVE_INLINE, 0);
    release(f, out);
}

/* ---- all of it ---- */

/* Saving is over as well: the release, if the Lease proves to be ours still, must not name parts that are not
 * there. */
static void over(struct checkpoint_flow *f, const struct flow_event *ev, struct flow_out *out) {
    bool was_saving = f->phase == FLOW_SAVING;
    f->phase = FLOW_OVER;
    add(out, FLOW_CANCEL, 0);
    if (!was_saving || ev->kind != FLOW_EV_LOST) return;
    add(out, FLOW_SAVE_INLINE, 0);
    add(out, FLOW_RELEASE, 0);
}

static void take(struct checkpoint_flow *f, const struct flow_event *ev, struct flow_out *out) {
    switch (ev->kind) {
    case FLOW_EV_TICK: save_deadline(f, ev->boot_ns, out); break;
    case FLOW_EV_ACQUIRED: acquired(f, ev); break;
    case FLOW_EV_READ:
        answered(f, ev);
        if (f->phase == FLOW_LEADING && f->own) add(out, FLOW_LATE, 0);
        break;
    case FLOW_EV_UNUSABLE:
    case FLOW_EV_UNREAD: answered(f, ev); break;
    case FLOW_EV_REPORTED:
        f->own = true;
        move(f, PART_READ, PART_REPORTED);
        break;
    case FLOW_EV_GATHERED:
        f->gathered = true;
        move(f, PART_REPORTED, PART_SENT);
        break;
    case FLOW_EV_RENEWED: renewed(f, out); break;
    case FLOW_EV_DELETED:
        if (ev->i < f->nparts && f->part[ev->i] == PART_DELETING) f->part[ev->i] = PART_GONE;
        break;
    case FLOW_EV_DRAINED: drained(f, ev, out); break;
    case FLOW_EV_SAVING: saving(f, ev, out); break;
    case FLOW_EV_WRITTEN:
    case FLOW_EV_EXISTS:
    case FLOW_EV_UNWRITTEN: written(f, ev, out); break;
    case FLOW_EV_LOST:
    case FLOW_EV_GIVE_UP: over(f, ev, out); break;
    }
}

static int64_t wake(const struct checkpoint_flow *f) {
    int64_t at = TIME_NEVER;
    if (f->phase == FLOW_SAVING) return f->save_ns;
    if (f->phase != FLOW_READING && f->phase != FLOW_LEADING) return at;
    for (size_t i = 0; i < f->nparts; i++) {
        bool waits = f->part[i] == PART_DUE || f->part[i] == PART_ASKED;
        if (waits && f->keep_ns < at) at = f->keep_ns;
        if (f->part[i] == PART_DUE && f->due_ns[i] < at) at = f->due_ns[i];
    }
    if (f->phase == FLOW_READING && f->lead_ns < at) at = f->lead_ns;
    return at;
}

void checkpoint_flow_step(struct checkpoint_flow *f, const struct flow_event *ev, struct flow_out *ret) {
    *ret = (struct flow_out){0};
    take(f, ev, ret);
    if (f->phase == FLOW_READING || f->phase == FLOW_LEADING) read_parts(f, ev->boot_ns, ret);
    lead(f, ev->boot_ns, ret);
    ret->wake_ns = wake(f);
}
