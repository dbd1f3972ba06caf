/* The parts of a watch: rest_watch_start.c sends what it begins with, rest_watch.c what happens from then on. */
#ifndef SIM_WATCH_IMPL_H
#define SIM_WATCH_IMPL_H
#include "rest/rest_watch.h"
#include "rest/sender.h"

struct watch {
    struct list link; /* in resource_table.watches, once it has caught up */
    struct sim_exchange *x;
    struct resource_table *table;
    char *ns; /* NULL: all */
    struct matcher match;
    struct render render;
    bool bookmarks, columns_sent;
    uint64_t from; /* events up to this version are not for this watch */
    int64_t end, next_bookmark;
    struct due due;
    char *target, *agent;
    /* Of the start: */
    struct sender sender;
    struct history_hold hold;      /* what happens meanwhile */
    struct history_snapshot state; /* what it begins with */
    size_t next;                   /* in state */
    bool end_mark;                 /* then the bookmark that says so */
    bool starting;
};
/* The event as this watch sees it, if it does; e->frames are the caller's to free. */
void watch_append(struct sim *s, struct watch *w, struct event *e, struct buf *out);
/* One object as an event of this watch, with the columns where it is the first of a Table. */
void watch_write(struct sim *s, struct watch *w, enum event_type type, const struct json_doc *d,
                 struct buf *out);
void watch_bookmark(struct watch *w, uint64_t rv, bool initial_end);
void watch_too_old(struct watch *w, uint64_t rv);        /* an ERROR event 410, and the end */
void watch_plan(struct sim *s, struct watch *w);         /* its next bookmark, or its end */
void watch_early_bookmark(struct watch *w, int64_t now); /* one comes shortly before the end */
void watch_on_due(struct sim *s, struct due *d);
#endif
