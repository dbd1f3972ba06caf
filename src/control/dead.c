/* Dead letters in a hash table, which keeps the order of insertion. */
#include "dead.h"

#define uthash_malloc(size) xmalloc(size)
#include <uthash.h>

enum { REASON_MAX = 512 };

struct letter {
    UT_hash_handle hh;
    char *key, *reason;
    size_t key_n, reason_n;
    int64_t since_wall_ns;
    unsigned failures;
};
struct dead_letters {
    struct letter *table;
    size_t n, max;
};

struct dead_letters *dead_new(size_t max) {
    struct dead_letters *d = xcalloc(1, sizeof *d);
    d->max = max ? max : 1;
    return d;
}

static void letter_free(struct dead_letters *d, struct letter *l) {
    HASH_DELETE(hh, d->table, l);
    d->n--;
    free(l->key);
    free(l->reason);
    free(l);
}

void dead_free(struct dead_letters *d) {
    if (!d) return;
    struct letter *l, *tmp;
    HASH_ITER(hh, d->table, l, tmp) {
        letter_free(d, l);
    }
    free(d);
}

static struct letter *find(const struct dead_letters *d, struct slice key) {
    struct letter *l = NULL;
    HASH_FIND(hh, d->table, key.p ? key.p : "", key.n, l);
    return l;
}

static void set_reason(struct letter *l, struct slice reason) {
    if (reason.n > REASON_MAX) {
        reason.n = REASON_MAX;
        while (reason.n && ((unsigned char)reason.p[reason.n] & 0xc0) == 0x80) reason.n--; /* between two characters */
    }
    char *text = slice_dup(reason); /* it may be l's own */
    free(l->reason);
    l->reason = text;
    l->reason_n = reason.n;
}

bool dead_put(struct dead_letters *d, const struct dead_letter *in) {
    struct letter *l = find(d, in->key);
    bool room = true;
    if (!l) {
        l = xcalloc(1, sizeof *l);
        l->key = slice_dup(in->key);
        l->key_n = in->key.n;
        l->since_wall_ns = in->since_wall_ns;
        if (d->n == d->max) {
            letter_free(d, d->table);
            room = false;
        }
        HASH_ADD_KEYPTR(hh, d->table, l->key, l->key_n, l);
        d->n++;
    }
    l->failures = in->failures;
    set_reason(l, in->reason);
    return room;
}

bool dead_remove(struct dead_letters *d, struct slice key) {
    struct letter *l = find(d, key);
    if (l) letter_free(d, l);
    return l;
}

bool dead_has(const struct dead_letters *d, struct slice key) {
    return find(d, key);
}

size_t dead_count(const struct dead_letters *d) {
    return d->n;
}

void dead_each(const struct dead_letters *d, void (*fn)(void *ctx, const struct dead_letter *l), void *ctx) {
    for (const struct letter *l = d->table, *next; l; l = next) {
        next = l->hh.next;
        struct dead_letter out = {.key = slice_make(l->key, l->key_n), .reason = slice_make(l->reason, l->reason_n),
                                  .since_wall_ns = l->since_wall_ns, .failures = l->failures};
        fn(ctx, &out);
    }
}
