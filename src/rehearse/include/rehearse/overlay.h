/* What the operator in a rehearsal would have left: the objects that its dry runs answered, put over the live ones in all that it reads
 * next. Pure: time is an argument. One overlay serves one operator (one proxy).
 *
 * An entry is an object as the rehearsal has it (or its absence), with the live one that it was made from. It stands until the live object
 * changes: then the live one counts again, and the operator sees that as any change. Objects that exist only here stay until
 * they are deleted, their owner here is deleted, or a live twin comes (same kind, namespace, controller and generateName).
 * Leases, and ConfigMaps or Endpoints that elect a leader, are kept in memory and never asked of the server; Events are kept, not sent. */
#ifndef REHEARSE_OVERLAY_H
#define REHEARSE_OVERLAY_H
#include "rehearse/gate.h"
#include "rehearse/upstream.h"

struct overlay;
struct overlay_limits {
    size_t bytes;   /* of all entries; 0: 64 MiB. Above it a write is refused with 507 and counted */
    size_t entries; /* 0: 20,000 */
    size_t events;  /* Events kept, the oldest go; 0: 500 */
    int64_t
        linger_ns; /* how long a row stays after the live object has superseded its entry, unless written again; 0: 10 s */
};
struct overlay *overlay_new(const struct overlay_limits *limits, uint64_t seed /* uids, generated names */);
void overlay_free(struct overlay *o);

/* ---- reading: what the server answered becomes what the operator gets ---- */
/* status, body: the server's to upstream_read(r); where overlay_is_private(r) it is not asked and both are ignored. Appends the
 * operator's answer, returns its status. */
int overlay_get(struct overlay *o, const struct gate_request *r, int64_t now_wall_ns, int status,
                struct slice body, struct buf *out);
/* Is the read r answered from memory alone? That is a Lease by its name, also a list or a watch of one by a field selector: those
 * begin empty, overlay_list_*() and overlay_watch_*() get nothing from the server. */
bool overlay_is_private(const struct gate_request *r);

struct overlay_list; /* one page of a list that passes by */
struct overlay_list *overlay_list_begin(struct overlay *o, const struct gate_request *r);
/* An item as the server gave it: appends what the operator gets for it, without comma; nothing: it gets none. */
int overlay_list_item(struct overlay_list *l, int64_t now_wall_ns, struct slice raw, struct buf *out);
/* After the last item: what only the overlay has, one at a time, until false. Of a page with a token behind it: nothing. */
bool overlay_list_more(struct overlay_list *l, bool last_page, struct buf *out);
/* The list's version for the operator, asked for once a page, when the server's (live) is known. Private: live is empty. */
int overlay_list_version(struct overlay_list *l, struct slice live, struct buf *out);
void overlay_list_end(struct overlay_list *l);

/* A watch. emit: a whole event as JSON with its line end, in order; may be called from any call on this overlay (a write of the operator, or a live
 * change seen elsewhere). Must not call back into the overlay. */
struct overlay_watch;
/* From which version the server is to be asked, for a watch r from r->rv: appended, in the operator's form (r->rv for upstream_read()). It is
 * r->rv but where the operator was given a change of the overlay out of order with the server's events. */
int overlay_watch_from(struct overlay *o, const struct gate_request *r, struct buf *out);
/* When the server's answer is 200. May emit an ERROR (410 Expired), after which there is nothing more. */
struct overlay_watch *overlay_watch_open(struct overlay *o, const struct gate_request *r,
                                         void (*emit)(void *ctx, struct slice event), void *ctx);
/* An event from the server, {"type":...,"object":...}. -EPROTO: not one; it is passed on as it is. */
int overlay_watch_event(struct overlay_watch *w, int64_t now_wall_ns, struct slice raw);
void overlay_watch_close(struct overlay_watch *w);

/* ---- writing: a small machine for each mutation ---- */
struct overlay_write;
struct overlay_step {
    bool answered; /* the operator's answer is here; else `ask` is to be carried out, and its answer fed */
    int status;
    struct slice body;          /* JSON */
    const struct upstream *ask; /* valid until the next call */
};
/* r lives as long as the write. Every mutation that the gate let through, Leases and Events included (these never ask). *step is filled. */
struct overlay_write *overlay_write_begin(struct overlay *o, const struct gate_request *r,
                                          int64_t now_wall_ns, struct overlay_step *step);
/* status 0: no answer (lost, or refused at the wire). */
void overlay_write_feed(struct overlay_write *w, int64_t now_wall_ns, int status, struct slice body,
                        struct overlay_step *step);
void overlay_write_free(struct overlay_write *w); /* after the answer, or when the operator has gone */

/* ---- what there is to report ---- */
struct overlay_row {
    struct slice group, version, resource, kind, ns, name;
    /* JSON; live empty: created; rehearsed empty: deleted; the same: it came and went more often than a live change forgets. Those with names that were
     * made for one controller are one then, named by their generateName with a '*'. */
    struct slice live, rehearsed;
    unsigned writes;           /* of this object; up to ten of them are forgotten with a live change */
    int64_t first_ns, last_ns; /* wall time of its writes */
    bool orphans;              /* deleted, and what it owns is to stay */
    bool superseded;           /* the live object has changed since; goes after linger_ns */
    bool
        met; /* superseded, and the live object has been since what it was made here: its live self does it as well */
};
void overlay_rows(struct overlay *o, int64_t now_wall_ns,
                  void (*fn)(void *ctx, const struct overlay_row *row), void *ctx);
/* How many rows have gone since the live object was changed by others, to something else than what was written, and the operator has not written it again. */
uint64_t overlay_superseded(const struct overlay *o, int64_t now_wall_ns);
struct overlay_event {
    struct slice type, reason, message, kind, ns, name; /* of what it is about */
    unsigned count;
    int64_t at_ns;
};
void overlay_events(struct overlay *o, void (*fn)(void *ctx, const struct overlay_event *e), void *ctx);
struct overlay_counts {
    uint64_t reads, writes, conflicts, refused /* could not be rehearsed */,
        failed /* what overlay_failures() has, and unnamed */, unnamed,
        lost_writes /* that were not taken: failed, refused, in conflict */, dropped /* entries superseded */,
        forgotten /* rows of these, which the operator did not write again: see overlay_superseded() */;
    size_t entries, bytes;
    bool full;             /* a limit was reached: the report is not whole */
    int64_t last_write_ns; /* that changed something; 0: none */
};
const struct overlay_counts *overlay_counts(const struct overlay *o);
/* The gate, or the edge, refused: counted, and kept for the report (bounded, by what and why). */
void overlay_refused(struct overlay *o, struct slice what, struct slice why);
void overlay_refusals(struct overlay *o,
                      void (*fn)(void *ctx, struct slice what, struct slice why, uint64_t count), void *ctx);
/* Requests that failed, by what and why, without the objects' names (bounded, the rest is counts.unnamed). Mutations: all that is answered with 4xx or
 * 5xx, but for conflicts, and for what is changed or deleted and is not there any more. */
void overlay_failures(struct overlay *o,
                      void (*fn)(void *ctx, struct slice what, struct slice why, uint64_t count), void *ctx);
/* A mutation that the gate did not let through, since an API server would not either. */
void overlay_invalid(struct overlay *o, struct slice what, int status, struct slice why);
/* The server's answer to a read, noted if asking again does not help: a right, a kind or a parameter. A read of no objects: a right alone. */
void overlay_read_failed(struct overlay *o, const struct gate_request *r, int status, struct slice body);
#endif
