/* What the operator would have left, and what it makes and takes away again and again. */
#include "overlay_impl.h"

typedef void row_fn(void *ctx, const struct overlay_row *row);

static bool passed_row(const struct overlay_entry *e) {
    return e->state == ENTRY_PASSED && !e->personal && !e->same && (e->first.n || !e->deleted);
}

static bool lingers(const struct overlay *o, const struct overlay_entry *e, int64_t now) {
    return now - e->passed_ns < o->limits.linger_ns;
}

static bool reported(const struct overlay *o, const struct overlay_entry *e, int64_t now) {
    if (e->state == ENTRY_PASSED) return passed_row(e) && lingers(o, e, now);
    return !e->personal && !e->same && (e->state == ENTRY_PRESENT || e->based);
}

/* Since it has passed nobody has made it so, and the operator has not tried again. */
static bool lapsed(const struct overlay_entry *e) {
    return passed_row(e) && !e->met;
}

uint64_t overlay_superseded(const struct overlay *o, int64_t now_wall_ns) {
    uint64_t n = o->counts.forgotten;
    for (size_t i = 0; i < o->nbuckets; i++) {
        for (const struct overlay_entry *e = o->bucket[i]; e; e = e->next)
            n += lapsed(e) && !lingers(o, e, now_wall_ns);
    }
    return n;
}

void overlay_row_forgotten(struct overlay *o, const struct overlay_entry *e, bool room) {
    bool came_and_went = e->state == ENTRY_DELETED && !e->based && !e->personal && e->writes > OVERLAY_RUN;
    if (room && (came_and_went || (lapsed(e) && lingers(o, e, o->aged_ns)))) o->counts.full = true;
    o->counts.forgotten += lapsed(e);
}

static struct overlay_row row_of(const struct overlay_entry *e) {
    return (struct overlay_row){.group = slice_of(e->res->group),
                                .version = slice_of(e->version),
                                .resource = slice_of(e->res->name),
                                .kind = slice_of(e->kind),
                                .ns = slice_of(e->ns),
                                .name = slice_of(e->name),
                                .live = overlay_slice(e->text),
                                .rehearsed = overlay_slice(e->text),
                                .writes = e->writes,
                                .first_ns = e->first_ns,
                                .last_ns = e->last_ns};
}

/* ---- what came and went ---- */

static bool is_gone(const struct overlay_entry *e) {
    return e->state == ENTRY_DELETED && !e->based && !e->personal;
}

struct gone {
    const struct overlay_entry **v; /* with names that were made, deleted by the operator */
    size_t n, cap;
};

/* One maker's of one prefix are together. */
static int by_maker(const void *a, const void *b) {
    const struct overlay_entry *x = *(struct overlay_entry *const *)a, *y = *(struct overlay_entry *const *)b;
    const char *const of_x[] = {x->res->group, x->res->name, x->ns, x->owner, x->generate, x->name},
                      *const of_y[] = {y->res->group, y->res->name, y->ns, y->owner, y->generate, y->name};
    int c = 0;
    for (size_t i = 0; c == 0 && i < ARRAY_LEN(of_x); i++) c = strcmp(of_x[i], of_y[i]);
    return c;
}

static bool same_maker(const struct overlay_entry *x, const struct overlay_entry *y) {
    return x->res == y->res && strcmp(x->ns, y->ns) == 0 && strcmp(x->owner, y->owner) == 0 &&
           strcmp(x->generate, y->generate) == 0;
}

static void say_gone(const struct overlay_row *row, row_fn *fn, void *ctx) {
    if (row->writes > OVERLAY_RUN) fn(ctx, row);
}

/* All lives under names that one maker had made from one prefix are one row. */
static void say_made(struct gone *g, row_fn *fn, void *ctx) {
    if (g->n > 1) qsort(g->v, g->n, sizeof *g->v, by_maker);
    for (size_t i = 0, next; i < g->n; i = next) {
        struct overlay_row row = row_of(g->v[i]);
        cleanup_free char *name = xasprintf("%s*", g->v[i]->generate);
        row.name = slice_of(name);
        for (next = i + 1; next < g->n && same_maker(g->v[i], g->v[next]); next++) {
            const struct overlay_entry *e = g->v[next];
            row.writes += e->writes;
            if (e->first_ns < row.first_ns) row.first_ns = e->first_ns;
            if (e->last_ns > row.last_ns) row.last_ns = e->last_ns;
        }
        say_gone(&row, fn, ctx);
    }
    free(g->v);
}

static void take_gone(struct gone *g, const struct overlay_entry *e, row_fn *fn, void *ctx) {
    if (!e->generate[0]) {
        struct overlay_row row = row_of(e);
        say_gone(&row, fn, ctx);
    } else if (!e->left) {
        g->v = xgrow(g->v, &g->cap, g->n + 1, sizeof *g->v);
        g->v[g->n++] = e;
    }
}

void overlay_rows(struct overlay *o, int64_t now_wall_ns, row_fn *fn, void *ctx) {
    struct gone g = {0};
    for (size_t i = 0; i < o->nbuckets; i++) {
        for (const struct overlay_entry *e = o->bucket[i]; e; e = e->next) {
            if (is_gone(e)) take_gone(&g, e, fn, ctx);
            if (!reported(o, e, now_wall_ns)) continue;
            bool passed = e->state == ENTRY_PASSED, gone = passed ? e->deleted : e->state == ENTRY_DELETED;
            struct overlay_row row = row_of(e);
            row.live = overlay_slice(passed ? e->first : e->base);
            if (gone) row.rehearsed = (struct slice){0};
            row.orphans = e->orphan;
            row.superseded = passed;
            row.met = passed && e->met;
            fn(ctx, &row);
        }
    }
    say_made(&g, fn, ctx);
}
