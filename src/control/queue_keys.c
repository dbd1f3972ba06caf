/* The keys that the queue knows: interned in a hash table, and the two bounded lists of those without work. */
#include "queue_impl.h"

__extension__ typedef unsigned __int128 u128;

static uint64_t fold(uint64_t a, uint64_t b) {
    u128 x = (u128)a * b;
    return (uint64_t)x ^ (uint64_t)(x >> 64);
}

static uint64_t load64(const char *p) {
    uint64_t w;
    memcpy(&w, p, sizeof w);
    return w;
}

static uint64_t load32(const char *p) {
    uint32_t w;
    memcpy(&w, p, sizeof w);
    return w;
}

/* Eight bytes at a time through a folded 128-bit product, as wyhash does; the last eight may overlap those
 * before. */
static unsigned hash_key(const struct queue *q, struct slice key) {
    const uint64_t k0 = UINT64_C(0xa0761d6478bd642f), k1 = UINT64_C(0xe7037ed1a0b428db);
    uint64_t h = q->hash_seed ^ k0, last = 0;
    const char *p = key.p;
    if (key.n > 8) {
        for (size_t left = key.n; left > 8; left -= 8, p += 8) h = fold(h ^ load64(p), k1);
        last = load64(key.p + key.n - 8);
    } else if (key.n == 8) {
        last = load64(p);
    } else if (key.n >= 4) {
        last = load32(p) << 32 | load32(p + key.n - 4);
    } else if (key.n) {
        last = (uint64_t)(unsigned char)p[0] << 16 | (uint64_t)(unsigned char)p[key.n / 2] << 8 |
               (unsigned char)p[key.n - 1];
    }
    h = fold(h ^ last, k1 ^ key.n);
    return (unsigned)(h ^ (h >> 32));
}

static struct node *lookup(const struct queue *q, struct slice key, unsigned hash) {
    struct node *n = NULL;
    const char *p = key.p ? key.p : ""; /* memcmp() is declared to take no NULL, not even for nothing */
    HASH_FIND_BYHASHVALUE(hh, q->table, p, (unsigned)key.n, hash, n);
    return n;
}

/* The worker of a key holds the slice that queue_get() gave out: its address alone tells the node, without
 * a look into the table. The last to be handed out are looked at, which are all of them in most programs. */
static struct node *handed_out(const struct queue *q, struct slice key) {
    const struct list *it = q->processing.prev;
    for (int i = 0; i < 8 && it != &q->processing; i++, it = it->prev)
        if (queue_of_link(it)->key == key.p && queue_of_link(it)->len == key.n) return queue_of_link(it);
    return NULL;
}

struct node *queue_find(const struct queue *q, struct slice key) {
    if (key.n > QUEUE_KEY_MAX) return NULL;
    struct node *n = handed_out(q, key);
    if (n) return n;
    return lookup(q, key, hash_key(q, key));
}

static void node_free(struct queue *q, struct node *n) {
    HASH_DELETE(hh, q->table, n);
    q->nknown--;
    free(n);
}

void queue_drop_keys(struct queue *q) {
    struct node *n, *tmp;
    HASH_ITER(hh, q->table, n, tmp) {
        node_free(q, n);
    }
}

static void evict(struct queue *q, struct list *idle, size_t *count) {
    struct node *oldest = queue_of_link(idle->next);
    list_remove(&oldest->link);
    --*count;
    node_free(q, oldest);
}

/* An idle key stays known, so that its next add allocates nothing, until max_idle others came after it. */
void queue_park(struct queue *q, struct node *n) {
    bool clean = !n->failures && !n->quick;
    size_t *count = clean ? &q->nclean : &q->nremembered;
    struct list *idle = clean ? &q->clean : &q->remembered;
    n->state = QI_IDLE;
    list_push(idle, &n->link);
    if (++*count > q->lim.max_idle) evict(q, idle, count);
}

void queue_unpark(struct queue *q, struct node *n) {
    if (list_empty(&n->link)) return;
    list_remove(&n->link);
    --*(n->failures || n->quick ? &q->nremembered : &q->nclean);
}

/* Idle keys make room for new ones: a failure count that is lost costs one early retry, a key that is lost,
 * correctness. */
struct node *queue_intern(struct queue *q, struct slice key) {
    if (key.n > QUEUE_KEY_MAX) return NULL;
    unsigned hash = hash_key(q, key);
    struct node *n = lookup(q, key, hash);
    if (n) return n;
    if (q->nknown >= q->lim.max_keys) {
        if (q->nclean) {
            evict(q, &q->clean, &q->nclean);
        } else if (q->nremembered) {
            evict(q, &q->remembered, &q->nremembered);
        } else {
            return NULL;
        }
    }
    n = xcalloc(1, sizeof *n + key.n + 1);
    n->len = (uint16_t)key.n;
    if (key.n) memcpy(n->key, key.p, key.n);
    list_init(&n->link);
    n->state = QI_IDLE;
    HASH_ADD_KEYPTR_BYHASHVALUE(hh, q->table, n->key, n->len, hash, n);
    q->nknown++;
    return n;
}
