/* Pairs of counters under names, pod by pod, to what is new. */
#include "judge/counts.h"
#include <stdio.h>

struct counts_pod {
    char uid[64];
    bool known;                /* a page of it was read */
    uint64_t of[COUNTS_NAMES]; /* what is summed under each name */
    struct counter c[COUNTS_NAMES];
};
/* What a page has, by the places of the names. */
struct reading {
    bool there[COUNTS_NAMES];
    uint64_t x[COUNTS_NAMES], n[COUNTS_NAMES], of[COUNTS_NAMES];
};

_Static_assert((int)PROM_CONTROLLERS <= (int)COUNTS_NAMES && (int)PROM_CONTROLLER <= (int)COUNTS_NAME,
               "a page's controllers have room");

size_t counts_of_controllers(const struct prom_page *page, struct counts_pair ret[COUNTS_NAMES]) {
    for (size_t i = 0; i < page->controllers; i++) {
        const struct prom_controller *c = &page->controller[i];
        ret[i] = (struct counts_pair){.name = *c->name ? c->name : JUDGE_OTHERS,
                                      .x = evidence_count(c->errors),
                                      .n = evidence_count(c->total),
                                      .of = c->of};
    }
    return page->controllers;
}

void counts_free(struct counts *c) {
    if (!c) return;
    free(c->pod);
    *c = (struct counts){0};
}

void counts_copy(const struct counts *from, struct counts *ret) {
    *ret = *from;
    ret->cap = 0;
    ret->pod = from->n ? xgrow(NULL, &ret->cap, from->n, sizeof *ret->pod) : NULL;
    if (from->n) memcpy(ret->pod, from->pod, from->n * sizeof *ret->pod);
}

static size_t find(const struct counts *c, const char *name) {
    size_t i = 0;
    while (i < c->names && strcmp(c->name[i], name) != 0) i++;
    return i;
}

/* The last place is that of all others. */
static size_t place_of(struct counts *c, const char *name) {
    size_t at = find(c, name);
    if (at == c->names && at >= COUNTS_NAMES - 1) at = find(c, name = JUDGE_OTHERS);
    if (at == c->names) snprintf(c->name[c->names++], COUNTS_NAME, "%s", name);
    return at;
}

static void read_page(struct counts *c, const struct prom_page *page, counts_of_page pairs,
                      struct reading *ret) {
    struct counts_pair pair[COUNTS_NAMES];
    size_t n = pairs(page, pair);
    *ret = (struct reading){0};
    for (size_t i = 0; i < n; i++) {
        size_t k = place_of(c, pair[i].name);
        bool summed = strcmp(c->name[k], pair[i].name) != 0;
        ret->there[k] = true;
        ret->x[k] = counter_add(ret->x[k], pair[i].x);
        ret->n[k] = counter_add(ret->n[k], pair[i].n);
        ret->of[k] += summed ? slice_hash(slice_of(pair[i].name), pair[i].of) : pair[i].of;
    }
}

/* At the place of the evidence's pod. A process whose first numbers came in this round is counted from zero; one that
 * is known for longer, and not here, gives its base. */
static struct counts_pod *pod_at(struct counts *c, const struct evidence *e, size_t at, int64_t now_ns) {
    const struct evidence_pod *p = &e->pod[at];
    while (c->n <= at) {
        c->pod = xgrow(c->pod, &c->cap, c->n + 1, sizeof *c->pod);
        c->pod[c->n++] = (struct counts_pod){0};
    }
    struct counts_pod *q = &c->pod[at];
    bool begins = p->young_ns == now_ns;
    if (begins || strcmp(q->uid, p->uid) != 0) {
        *q = (struct counts_pod){.known = begins};
        memcpy(q->uid, p->uid, sizeof q->uid);
    }
    return q;
}

/* The members of a sum have changed: what the sum and names that are new on the page counted before, nobody knows. */
static bool moved(const struct counts_pod *q, const struct reading *r) {
    for (size_t k = 0; k < COUNTS_NAMES; k++)
        if (r->there[k] && q->c[k].based && q->of[k] != r->of[k]) return true;
    return false;
}

static void take(const struct counts *c, struct counts_pod *q, struct counter_age age, enum track track,
                 const struct reading *r, struct counts_delta *ret) {
    bool moves = moved(q, r);
    for (size_t k = 0; k < c->names; k++) {
        struct counter *m = &q->c[k];
        if (!r->there[k]) continue;
        /* A name that comes to a page that is known was made at its first event: from zero. */
        m->based = m->based ? q->of[k] == r->of[k] : q->known && !moves;
        q->of[k] = r->of[k];
        ret[k].pods[track]++;
        counter_read(m, age, r->x[k], r->n[k], &ret[k].d[track]);
    }
    q->known = true;
}

size_t counts_round(struct counts *c, const struct evidence *e, int64_t now_wall_ns, int64_t start_ns,
                    const struct pod_sample *s, size_t n, counts_of_page pairs,
                    struct counts_delta ret[COUNTS_NAMES]) {
    memset(ret, 0, COUNTS_NAMES * sizeof *ret);
    for (size_t i = 0; i < n; i++) {
        size_t at = evidence_place(e, s[i].uid);
        if (at == e->n || s[i].terminating || !s[i].scraped || !s[i].present || !s[i].page) continue;
        struct reading r;
        read_page(c, s[i].page, pairs, &r);
        int64_t young = e->pod[at].young_ns;
        take(c, pod_at(c, e, at, now_wall_ns),
             (struct counter_age){young ? now_wall_ns - young : INT64_MAX, start_ns}, s[i].track, &r, ret);
    }
    for (size_t k = 0; k < c->names; k++) {
        ret[k].name = c->name[k];
        for (int t = 0; t < TRACKS; t++) counter_settle(&c->carry[k][t], &ret[k].d[t]);
    }
    return c->names;
}

void counts_history(const struct counts *c, const struct evidence *e, const char *name, enum track track,
                    uint64_t *ret_x, uint64_t *ret_n) {
    size_t k = find(c, name);
    *ret_x = *ret_n = 0;
    for (size_t i = 0; k < c->names && i < c->n && i < e->n; i++) {
        const struct counter *m = &c->pod[i].c[k];
        if (e->pod[i].track != track || !m->based || strcmp(c->pod[i].uid, e->pod[i].uid) != 0) continue;
        *ret_x = counter_add(*ret_x, m->x);
        *ret_n = counter_add(*ret_n, m->n);
    }
}
