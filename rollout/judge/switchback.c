/* Stable's looks wait in two rings for the canary's; see switchback.h. */
#include "judge/switchback.h"

struct switchback_look {
    uint64_t errors, total;
    uint32_t pods;
    size_t names;
    uint64_t x[COUNTS_NAMES], n[COUNTS_NAMES]; /* at the places of the names, which stay */
    uint32_t named[COUNTS_NAMES];
};

void switchback_free(struct switchback *b) {
    free(b->look);
    free(b->signal);
    *b = (struct switchback){0};
}

/* The place of the next look; the oldest makes room. */
static size_t push(size_t *first, size_t *n) {
    if (*n == SWITCHBACK_LOOKS) {
        *first = (*first + 1) % SWITCHBACK_LOOKS;
        --*n;
    }
    return (*first + (*n)++) % SWITCHBACK_LOOKS;
}

static size_t pop(size_t *first, size_t *n) {
    size_t at = *first;
    *first = (at + 1) % SWITCHBACK_LOOKS;
    --*n;
    return at;
}

static void keep(struct switchback_look *l, const struct evidence_delta *d, const struct counts_delta *by,
                 size_t names) {
    *l = (struct switchback_look){
        d->errors[TRACK_STABLE], d->total[TRACK_STABLE], d->pods[TRACK_STABLE], names, {0}, {0}, {0}};
    for (size_t i = 0; i < names; i++) {
        l->x[i] = by[i].d[TRACK_STABLE].x;
        l->n[i] = by[i].d[TRACK_STABLE].n;
        l->named[i] = by[i].pods[TRACK_STABLE];
    }
}

static void put(const struct switchback_look *l, struct evidence_delta *d, struct counts_delta *by,
                size_t names) {
    d->errors[TRACK_STABLE] = l->errors;
    d->total[TRACK_STABLE] = l->total;
    d->pods[TRACK_STABLE] = l->pods;
    for (size_t i = 0; i < names; i++) {
        bool there = i < l->names;
        by[i].d[TRACK_STABLE] = (struct counter_news){.x = there ? l->x[i] : 0, .n = there ? l->n[i] : 0};
        by[i].pods[TRACK_STABLE] = there ? l->named[i] : 0;
    }
}

bool switchback_take(struct switchback *b, bool canary, struct evidence_delta *d, struct counts_delta *by,
                     size_t names) {
    static const struct switchback_look none;
    if (canary) {
        put(b->n ? &b->look[pop(&b->first, &b->n)] : &none, d, by, names);
        return true;
    }
    if (!b->look) b->look = xcalloc(SWITCHBACK_LOOKS, sizeof *b->look);
    keep(&b->look[push(&b->first, &b->n)], d, by, names);
    return false;
}

static void put_signals(const struct signals_look *from, struct signals_look *to) {
    const int s = TRACK_STABLE;
    to->pods[s] = from->pods[s];
    to->total[s] = from->total[s];
    for (int i = 0; i < SIGNAL_PAIRS; i++) to->pair[i][s] = from->pair[i][s];
    to->longest[s] = from->longest[s];
    to->depth[s] = from->depth[s];
    to->memory[s] = from->memory[s];
    to->oom[s] = from->oom[s];
    to->lost[s] = from->lost[s];
}

bool switchback_take_signals(struct switchback *b, bool canary, struct signals_look *l) {
    static const struct signals_look none;
    if (canary) {
        put_signals(b->signals ? &b->signal[pop(&b->signals_first, &b->signals)] : &none, l);
        return true;
    }
    if (!b->signal) b->signal = xcalloc(SWITCHBACK_LOOKS, sizeof *b->signal);
    b->signal[push(&b->signals_first, &b->signals)] = *l;
    return false;
}
