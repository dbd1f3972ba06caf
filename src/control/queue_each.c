/* Walking over the queue's keys in the order of their importance, all of them or the first so many. */
#include "queue_impl.h"

struct walk {
    void (*fn)(void *ctx, const struct queue_item *it);
    void *ctx;
    size_t left;
};

static void visit(struct walk *w, const struct node *n) {
    struct queue_item item;
    queue_describe(n, &item);
    w->fn(w->ctx, &item);
    w->left--;
}

static void walk_list(struct walk *w, const struct list *l) {
    for (const struct list *it = l->next; it != l && w->left; it = it->next) visit(w, queue_of_link(it));
}

/* Places in the heap of delayed keys whose parents were visited: the next one in time is among them. They are
 * a heap themselves, with the times beside the places, so that the first k of n keys cost k log k and touch
 * 2k nodes. */
struct frontier {
    const struct heap *h;
    struct place {
        int64_t at_ns;
        uint64_t seq;
        size_t i;
    } * v;
    size_t n, cap;
};

static bool sooner(const struct place *a, const struct place *b) {
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->seq < b->seq;
}

static const struct node *node_at(const struct heap *h, size_t i) {
    return container_of(h->v[i], struct node, due);
}

static void frontier_add(struct frontier *f, size_t place) {
    if (place >= f->h->n) return;
    const struct node *node = node_at(f->h, place);
    struct place new = {node->at_ns, node->seq, place};
    f->v = xgrow(f->v, &f->cap, f->n + 1, sizeof(*f->v));
    size_t i = f->n++;
    for (; i && sooner(&new, &f->v[(i - 1) / 2]); i = (i - 1) / 2) f->v[i] = f->v[(i - 1) / 2];
    f->v[i] = new;
}

static size_t frontier_take(struct frontier *f) {
    size_t first = f->v[0].i, i = 0;
    struct place last = f->v[--f->n];
    for (size_t kid; (kid = 2 * i + 1) < f->n; i = kid) {
        if (kid + 1 < f->n && sooner(&f->v[kid + 1], &f->v[kid])) kid++;
        if (!sooner(&f->v[kid], &last)) break;
        f->v[i] = f->v[kid];
    }
    f->v[i] = last;
    return first;
}

static void walk_delayed(struct walk *w, const struct heap *h) {
    struct frontier f = {.h = h};
    frontier_add(&f, 0);
    while (f.n && w->left) {
        size_t i = frontier_take(&f);
        visit(w, node_at(h, i));
        frontier_add(&f, 2 * i + 1);
        frontier_add(&f, 2 * i + 2);
    }
    free(f.v);
}

size_t queue_first(const struct queue *q, size_t max, void (*fn)(void *ctx, const struct queue_item *it),
                   void *ctx) {
    struct walk w = {fn, ctx, max};
    walk_list(&w, &q->processing);
    for (size_t b = BANDS; b-- > 0;) walk_list(&w, &q->band[b]);
    walk_delayed(&w, &q->delayed);
    walk_list(&w, &q->remembered);
    return max - w.left;
}

void queue_each(const struct queue *q, void (*fn)(void *ctx, const struct queue_item *it), void *ctx) {
    queue_first(q, SIZE_MAX, fn, ctx);
}

size_t queue_unfinished(const struct queue *q) {
    return q->nprocessing + q->nready + q->delayed.n + q->nremembered;
}
