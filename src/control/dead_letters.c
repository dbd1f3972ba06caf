/* Dead letters: a hash table to find them, a list for their order. */
#include "dead_letters.h"
#include "base/list.h"
#include "base/utf8.h"

#define uthash_malloc(size) xmalloc(size)
#include <uthash.h>

enum { REASON_MAX = 512 };

struct letter {
    UT_hash_handle hh;
    struct list order; /* in dead_letters.oldest */
    char *key, *reason;
    size_t key_n, reason_n;
    int64_t since_wall_ns;
    unsigned failures;
};
struct dead_letters {
    struct letter *table;
    struct list oldest;
    size_t n, max;
};

struct dead_letters *dead_letters_new(size_t max) {
    struct dead_letters *d = xcalloc(1, sizeof *d);
    d->max = max ? max : 1;
    list_init(&d->oldest);
    return d;
}

static void letter_free(struct dead_letters *d, struct letter *l) {
    HASH_DELETE(hh, d->table, l); /* NOLINT(clang-analyzer-core.NullDereference): a letter is in the table */
    list_remove(&l->order);
    d->n--;
    free(l->key);
    free(l->reason);
    free(l);
}

void dead_letters_free(struct dead_letters *d) {
    if (!d) return;
    list_each_safe(it, next, &d->oldest) letter_free(d, container_of(it, struct letter, order));
    free(d);
}

static struct letter *find(const struct dead_letters *d, struct slice key) {
    struct letter *l = NULL;
    HASH_FIND(hh, d->table, key.p ? key.p : "", key.n, l);
    return l;
}

static void set_reason(struct letter *l, struct slice reason) {
    reason = utf8_cut(reason, REASON_MAX);
    char *text = slice_dup(reason); /* it may be l's own */
    free(l->reason);
    l->reason = text;
    l->reason_n = reason.n;
}

bool dead_letters_put(struct dead_letters *d, const struct dead_letter *in) {
    struct letter *l = find(d, in->key);
    bool room = true;
    if (!l) {
        l = xcalloc(1, sizeof *l);
        l->key = slice_dup(in->key);
        l->key_n = in->key.n;
        l->since_wall_ns = in->since_wall_ns;
        if (d->n == d->max) {
            letter_free(d, container_of(d->oldest.next, struct letter, order));
            room = false;
        }
        HASH_ADD_KEYPTR(hh, d->table, l->key, l->key_n, l);
        list_push(&d->oldest, &l->order);
        d->n++;
    }
    l->failures = in->failures;
    set_reason(l, in->reason);
    return room;
}

bool dead_letters_remove(struct dead_letters *d, struct slice key) {
    struct letter *l = find(d, key);
    if (l) letter_free(d, l);
    return l;
}

bool dead_letters_has(const struct dead_letters *d, struct slice key) {
    return find(d, key);
}

size_t dead_letters_count(const struct dead_letters *d) {
    return d->n;
}

void dead_letters_each(const struct dead_letters *d, void (*fn)(void *ctx, const struct dead_letter *l),
                       void *ctx) {
    list_each(it, &d->oldest) {
        const struct letter *l = container_of(it, struct letter, order);
        struct dead_letter out = {.key = slice_make(l->key, l->key_n),
                                  .reason = slice_make(l->reason, l->reason_n),
                                  .since_wall_ns = l->since_wall_ns,
                                  .failures = l->failures};
        fn(ctx, &out);
    }
}
