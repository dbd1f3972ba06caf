/* The work queue: what is ready (a FIFO per priority), delayed (a heap) or being worked on, and how a key
 * moves between. */
#include "queue_impl.h"
#include <errno.h>

static struct node *of_due(const struct heap_node *h) {
    return container_of(h, struct node, due);
}

static bool due_before(const struct heap_node *a, const struct heap_node *b) {
    const struct node *x = of_due(a), *y = of_due(b);
    return x->at_ns != y->at_ns ? x->at_ns < y->at_ns : x->seq < y->seq;
}

static void defaults(struct queue_limits *l) {
    if (l->max_ns <= 0) l->max_ns = 1000 * NS_PER_S;
    if (l->base_ns <= 0) l->base_ns = 5 * NS_PER_MS;
    if (l->base_ns > l->max_ns) l->base_ns = l->max_ns;
    if (l->jitter < 0) {
        l->jitter = 0;
    } else if (!(l->jitter > 0)) {
        l->jitter = 0.1;
    } else if (l->jitter > 1) {
        l->jitter = 1;
    }
    if (!(l->rate < 0) && !(l->rate > 0)) l->rate = 10;
    if (!(l->burst > 0)) l->burst = 100;
    if (!l->max_keys) l->max_keys = 1000000;
    if (!l->max_idle) l->max_idle = 16384;
}

struct queue *queue_new(const struct queue_limits *lim) {
    struct queue *q = xcalloc(1, sizeof *q);
    if (lim) q->lim = *lim;
    defaults(&q->lim);
    bucket_init(&q->bucket, q->lim.rate, q->lim.burst, q->lim.max_ns);
    for (size_t i = 0; i < BANDS; i++) list_init(&q->band[i]);
    list_init(&q->processing);
    list_init(&q->clean);
    list_init(&q->remembered);
    heap_init(&q->delayed, due_before);
    q->hash_seed = (uint64_t)(uintptr_t)q; /* hard to guess; only places in the table depend on it */
    return q;
}

void queue_free(struct queue *q) {
    if (!q) return;
    heap_free(&q->delayed);
    queue_drop_keys(q);
    free(q);
}

static void band_add(struct queue *q, struct node *n) {
    unsigned b = (unsigned)(n->prio - QUEUE_PRIO_MIN);
    list_push(&q->band[b], &n->link);
    q->used[b / 64] |= UINT64_C(1) << (b % 64);
}

static void band_remove(struct queue *q, struct node *n) {
    unsigned b = (unsigned)(n->prio - QUEUE_PRIO_MIN);
    list_remove(&n->link);
    if (list_empty(&q->band[b])) q->used[b / 64] &= ~(UINT64_C(1) << (b % 64));
}

/* The highest band that is not empty; -1 if all are. */
static int band_top(const struct queue *q) {
    for (int w = BAND_WORDS - 1; w >= 0; w--)
        if (q->used[w]) return w * 64 + 63 - __builtin_clzll(q->used[w]);
    return -1;
}

static void make_ready(struct queue *q, struct node *n, int64_t since_ns) {
    n->state = QI_READY;
    n->since_ns = since_ns;
    band_add(q, n);
    q->nready++;
}

static void make_delayed(struct queue *q, struct node *n, int64_t at_ns) {
    n->state = QI_DELAYED;
    n->at_ns = at_ns;
    n->seq = q->seq++;
    heap_insert(&q->delayed, &n->due);
}

/* What became due joins its band before anything that comes now, in the order of time. */
static void promote(struct queue *q, int64_t now_ns) {
    for (struct heap_node *h; (h = heap_min(&q->delayed)) != NULL && of_due(h)->at_ns <= now_ns;) {
        heap_remove(&q->delayed, h);
        make_ready(q, of_due(h), of_due(h)->at_ns);
        q->adds++;
    }
}

/* Added while it is worked on: one more turn after queue_done(), however often. */
static void add_again(struct queue *q, struct node *n, int16_t prio, int64_t at_ns, int64_t now_ns) {
    if (!n->again || prio > n->again_prio) n->again_prio = prio;
    if (!n->again || at_ns < n->at_ns) n->at_ns = at_ns;
    n->again = true;
    if (n->at_ns <= now_ns && n->again_ns == NOT_DUE) {
        n->again_ns = at_ns <= now_ns ? now_ns : n->at_ns;
        q->adds++;
    }
}

static void schedule(struct queue *q, struct node *n, int prio, int64_t at_ns, int64_t now_ns) {
    int16_t p = (int16_t)(prio < QUEUE_PRIO_MIN   ? QUEUE_PRIO_MIN
                          : prio > QUEUE_PRIO_MAX ? QUEUE_PRIO_MAX
                                                  : prio);
    if (at_ns > now_ns) q->retries++;
    switch (n->state) {
    case QI_PROCESSING: add_again(q, n, p, at_ns, now_ns); break;
    case QI_READY:
        if (p <= n->prio) break;
        band_remove(q, n); /* last of its new priority */
        n->prio = p;
        band_add(q, n);
        break;
    case QI_DELAYED:
        if (p > n->prio) n->prio = p;
        if (at_ns >= n->at_ns) break;
        if (at_ns <= now_ns) {
            heap_remove(&q->delayed, &n->due);
            make_ready(q, n, now_ns);
            q->adds++;
        } else {
            n->at_ns = at_ns;
            heap_update(&q->delayed, &n->due);
        }
        break;
    default: /* idle */
        queue_unpark(q, n);
        n->prio = p;
        if (at_ns <= now_ns) {
            make_ready(q, n, now_ns);
            q->adds++;
        } else {
            make_delayed(q, n, at_ns);
        }
        break;
    }
}

bool queue_add(struct queue *q, struct slice key, int prio, int64_t at_ns, int64_t now_ns) {
    if (q->shutdown) return false;
    promote(q, now_ns);
    struct node *n = queue_intern(q, key);
    if (!n) {
        q->refused++;
        return false;
    }
    schedule(q, n, prio, at_ns, now_ns);
    return true;
}

static struct node *take(struct queue *q, int64_t now_ns) {
    promote(q, now_ns);
    int top = band_top(q);
    if (top < 0) return NULL;
    struct node *n = queue_of_link(q->band[top].next);
    band_remove(q, n);
    q->nready--;
    n->state = QI_PROCESSING;
    n->again = false;
    n->again_ns = NOT_DUE;
    list_push(&q->processing, &n->link);
    q->nprocessing++;
    return n;
}

void queue_done(struct queue *q, struct slice key, int64_t now_ns) {
    struct node *n = queue_find(q, key);
    if (!n || n->state != QI_PROCESSING) return;
    promote(q, now_ns);
    list_remove(&n->link);
    q->nprocessing--;
    if (!n->again) {
        queue_park(q, n);
        return;
    }
    n->again = false;
    n->prio = n->again_prio;
    if (n->at_ns > now_ns) {
        make_delayed(q, n, n->at_ns);
        return;
    }
    if (n->again_ns == NOT_DUE) { /* added for later, and now it is later */
        n->again_ns = n->at_ns;
        q->adds++;
    }
    make_ready(q, n, n->again_ns);
}

/* ---- failures ---- */

static int64_t plus(int64_t now_ns, int64_t delay_ns) {
    int64_t at;
    return __builtin_add_overflow(now_ns, delay_ns, &at) ? TIME_NEVER : at;
}

static void again_later(struct queue *q, struct node *n, int64_t delay_ns, int64_t now_ns) {
    if (q->shutdown) return;
    int prio = n->state == QI_IDLE || n->prio > PRIO_NORMAL ? PRIO_NORMAL : n->prio;
    schedule(q, n, prio, plus(now_ns, delay_ns), now_ns);
}

int64_t queue_retry(struct queue *q, struct slice key, int64_t min_delay_ns, int64_t now_ns, uint64_t rnd) {
    struct node *n = queue_find(q, key);
    if (!n) return 0;
    int64_t delay = backoff_ns(q->lim.base_ns, q->lim.max_ns, n->failures, q->lim.jitter, rnd);
    int64_t wait = bucket_take(&q->bucket, now_ns);
    if (wait > delay) delay = wait;
    if (min_delay_ns > delay) delay = min_delay_ns;
    if (n->state == QI_IDLE) queue_unpark(q, n);
    if (n->failures < UINT32_MAX) n->failures++;
    if (n->state == QI_IDLE && q->shutdown) {
        queue_park(q, n);
    } else {
        again_later(q, n, delay, now_ns);
    }
    return delay;
}

int64_t queue_retry_quick(struct queue *q, struct slice key, int64_t now_ns, uint64_t rnd) {
    struct node *n = queue_find(q, key);
    if (!n || n->state != QI_PROCESSING) return -EINVAL;
    if (++n->quick >= QUEUE_QUICK_MAX) {
        n->quick = 0;
        return -EAGAIN;
    }
    int64_t delay = backoff_ns(q->lim.base_ns, q->lim.max_ns, n->quick - 1U, q->lim.jitter, rnd);
    again_later(q, n, delay, now_ns);
    return delay;
}

static void set_failures(struct queue *q, struct node *n, unsigned failures) {
    if (n->state == QI_IDLE) queue_unpark(q, n);
    n->failures = failures;
    n->quick = 0;
    if (n->state == QI_IDLE) queue_park(q, n);
}

void queue_forget(struct queue *q, struct slice key) {
    struct node *n = queue_find(q, key);
    if (n) set_failures(q, n, 0);
}

unsigned queue_failures(const struct queue *q, struct slice key) {
    const struct node *n = queue_find(q, key);
    return n ? n->failures : 0;
}

void queue_set_failures(struct queue *q, struct slice key, unsigned failures) {
    struct node *n = failures ? queue_intern(q, key) : queue_find(q, key);
    if (n) set_failures(q, n, failures);
}

/* ---- looking ---- */

void queue_describe(const struct node *n, struct queue_item *ret) {
    *ret = (struct queue_item){.key = slice_make(n->key, n->len), .prio = n->prio, .failures = n->failures};
    switch (n->state) {
    case QI_PROCESSING:
        ret->state = QI_PROCESSING;
        ret->dirty = n->again;
        ret->since_ns = n->since_ns;
        break;
    case QI_READY:
        ret->state = QI_READY;
        ret->since_ns = n->since_ns;
        break;
    case QI_DELAYED:
        ret->state = QI_DELAYED;
        ret->at_ns = n->at_ns;
        break;
    default: ret->state = QI_IDLE; break;
    }
}

bool queue_get_item(struct queue *q, int64_t now_ns, struct queue_item *ret) {
    struct node *n = take(q, now_ns);
    if (n) queue_describe(n, ret);
    return n;
}

bool queue_get(struct queue *q, int64_t now_ns, struct slice *ret_key) {
    struct node *n = take(q, now_ns);
    if (n) *ret_key = slice_make(n->key, n->len);
    return n;
}

void queue_shutdown(struct queue *q) {
    q->shutdown = true;
}

int64_t queue_next_ns(const struct queue *q) {
    const struct heap_node *h = heap_min(&q->delayed);
    return h ? of_due(h)->at_ns : TIME_NEVER;
}

/* A heap's due part is a tree at its root: only that is walked. */
static size_t count_due(const struct heap *h, size_t i, int64_t now_ns) {
    if (i >= h->n || of_due(h->v[i])->at_ns > now_ns) return 0;
    return 1 + count_due(h, 2 * i + 1, now_ns) + count_due(h, 2 * i + 2, now_ns);
}

size_t queue_ready(const struct queue *q, int64_t now_ns) {
    return q->nready + count_due(&q->delayed, 0, now_ns);
}

size_t queue_delayed(const struct queue *q) {
    return q->delayed.n;
}

size_t queue_processing(const struct queue *q) {
    return q->nprocessing;
}

size_t queue_depth(const struct queue *q, int64_t now_ns) {
    size_t n = queue_ready(q, now_ns);
    list_each(it, &q->processing) {
        const struct node *p = queue_of_link(it);
        n += p->again && p->at_ns <= now_ns;
    }
    return n;
}

void queue_stats(const struct queue *q, struct queue_stats *ret) {
    *ret = (struct queue_stats){
        .adds = q->adds, .retries = q->retries, .refused = q->refused, .known = q->nknown};
}
