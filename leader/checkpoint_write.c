/* Writing a checkpoint: entries are collected, ordered by what matters most, and encoded with shared
 * prefixes. */
#include "base/hash.h"
#include "base/time.h"
#include "checkpoint_text.h"

struct checkpoint {
    struct cp_head head;
    struct buf arena;
    struct cp_entry *v;
    size_t n, cap;
    char *controllers[CHECKPOINT_CONTROLLERS_MAX];
    unsigned ncontrollers;
    size_t dropped;
    struct buf body[CHECKPOINT_PARTS_MAX], value;
    size_t nbody, count[CHECKPOINT_KINDS];
    struct checkpoint_part_id unread[CHECKPOINT_UNREAD_MAX];
    size_t nunread;
};

struct checkpoint *checkpoint_new(const struct checkpoint_head *head) {
    struct checkpoint *c = xcalloc(1, sizeof(*c));
    c->head.h = *head;
    c->head.h.made = head->term;
    c->head.h.keys = c->head.h.dropped = c->head.h.parts = c->head.h.unread = 0;
    if (c->head.h.at_wall_ns < 0) c->head.h.at_wall_ns = 0;
    buf_init(&c->arena, CP_TEXT_MAX);
    buf_init(&c->value, CHECKPOINT_INLINE_MAX);
    return c;
}

void checkpoint_free(struct checkpoint *c) {
    if (!c) return;
    for (unsigned i = 0; i < c->ncontrollers; i++) free(c->controllers[i]);
    for (size_t i = 0; i < CHECKPOINT_PARTS_MAX; i++) buf_free(&c->body[i]);
    buf_free(&c->value);
    buf_free(&c->arena);
    free(c->v);
    free(c);
}

/* The number of a controller; CHECKPOINT_CONTROLLERS_MAX when there is no room for another. */
static unsigned controller_number(struct checkpoint *c, struct slice name) {
    for (unsigned i = c->ncontrollers; i-- > 0;) {
        if (slice_eqs(name, c->controllers[i])) return i;
    }
    if (c->ncontrollers < CHECKPOINT_CONTROLLERS_MAX)
        c->controllers[c->ncontrollers++] = slice_dup(name);
    else
        return CHECKPOINT_CONTROLLERS_MAX;
    return c->ncontrollers - 1;
}

void checkpoint_add(struct checkpoint *c, const struct checkpoint_key *k) {
    struct slice reason = k->reason;
    if (reason.n > CHECKPOINT_REASON_MAX) reason.n = CHECKPOINT_REASON_MAX;
    bool fits = k->key.n && k->key.n <= CHECKPOINT_KEY_MAX && k->controller.n &&
                k->controller.n <= CHECKPOINT_KEY_MAX && !slice_has(k->controller, '\0') &&
                c->n < CHECKPOINT_KEYS_MAX && c->arena.n + k->key.n + reason.n <= c->arena.max;
    unsigned controller = fits ? controller_number(c, k->controller) : CHECKPOINT_CONTROLLERS_MAX;
    if (controller == CHECKPOINT_CONTROLLERS_MAX) {
        c->dropped++;
        return;
    }
    struct cp_entry e = {.kind = k->kind,
                         .controller = controller,
                         .failures = k->failures,
                         .prio = k->prio,
                         .at_ms = k->at_wall_ns <= 0 ? 0 : (k->at_wall_ns - 1) / NS_PER_MS + 1,
                         .seq = c->n};
    e.key = c->arena.n;
    e.key_n = k->key.n;
    buf_add(&c->arena, k->key);
    e.reason = c->arena.n;
    e.reason_n = reason.n;
    buf_add(&c->arena, reason);
    c->v = xgrow(c->v, &c->cap, c->n + 1, sizeof(*c->v));
    c->v[c->n++] = e;
}

void checkpoint_add_dropped(struct checkpoint *c, size_t keys) {
    c->dropped += keys;
}

void checkpoint_add_unread(struct checkpoint *c, const struct checkpoint_part_id *id) {
    if (c->nunread == CHECKPOINT_UNREAD_MAX) {
        c->dropped++; /* a whole part; how many keys it has is not known */
        return;
    }
    c->unread[c->nunread++] = *id;
}

/* What matters most comes first, since what comes last is left out when there is no room. */
static int order(const void *a, const void *b) {
    static const int rank[CHECKPOINT_KINDS] = {0, 1, 2, 3, 5, 4};
    const struct cp_entry *x = a, *y = b;
    if (rank[x->kind] != rank[y->kind]) return rank[x->kind] - rank[y->kind];
    if (x->controller != y->controller) return x->controller < y->controller ? -1 : 1;
    if (x->prio != y->prio) return x->prio > y->prio ? -1 : 1;
    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

/* The state that a reader has behind a record; entries are written as differences to it. */
struct coder {
    const struct cp_entry *last; /* NULL at the beginning of a body */
    int64_t at_ms;
    int prio;
};

static size_t shared(struct slice a, struct slice b) {
    size_t n = 0, most = a.n < b.n ? a.n : b.n;
    while (n < most && a.p[n] == b.p[n]) n++;
    return n;
}

static struct slice key_slice(const struct checkpoint *c, const struct cp_entry *e) {
    return slice_make(c->arena.p + e->key, e->key_n);
}

static void encode(const struct checkpoint *c, struct coder *k, const struct cp_entry *e, struct buf *out) {
    const struct cp_entry *last = k->last;
    bool same_controller = last && last->controller == e->controller,
         same_kind = same_controller && last->kind == e->kind;
    if (!same_controller) {
        buf_addc(out, '#');
        cp_escape(out, slice_of(c->controllers[e->controller]));
        buf_addc(out, ' ');
    }
    if (!same_kind) {
        buf_addf(out, "!%c ", CP_KINDS[e->kind]);
        k->prio = 0;
    }
    if (k->prio != e->prio) buf_addf(out, "^%d ", e->prio);
    struct slice key = key_slice(c, e);
    size_t n = same_controller ? shared(key_slice(c, last), key) : 0;
    cp_put_shared(out, n);
    cp_escape(out, slice_make(key.p + n, key.n - n));
    if (e->failures) buf_addf(out, "+%u", e->failures);
    if (e->kind == CHECKPOINT_DELAYED || e->kind == CHECKPOINT_DEAD) {
        buf_addf(out, "@%lld", (long long)(e->at_ms - k->at_ms));
        k->at_ms = e->at_ms;
    }
    if (e->reason_n) {
        buf_addc(out, '~');
        cp_escape(out, slice_make(c->arena.p + e->reason, e->reason_n));
    }
    buf_addc(out, ' ');
    k->prio = e->prio;
    k->last = e;
}

/* Encodes as many entries as fit into parts of max bytes each. Returns how many. */
static size_t encode_all(struct checkpoint *c, size_t max, size_t parts) {
    struct coder start = {.at_ms = c->head.h.at_wall_ns / NS_PER_MS}, k = start;
    struct buf one = BUF(16384); /* more than the longest entry: every byte may take three */
    size_t i = 0;
    c->nbody = 1;
    for (size_t p = 0; p < CHECKPOINT_PARTS_MAX; p++) {
        buf_free(&c->body[p]);
        buf_init(&c->body[p], max);
    }
    memset(c->count, 0, sizeof(c->count));
    while (i < c->n) {
        struct coder before = k;
        struct buf *b = &c->body[c->nbody - 1];
        buf_clear(&one);
        encode(c, &k, &c->v[i], &one);
        if (b->n + one.n <= max) {
            buf_add(b, buf_slice(&one));
            c->count[c->v[i++].kind]++;
            continue;
        }
        k = before;
        if (c->nbody == parts) break;
        c->nbody++;
        k = start;
    }
    buf_free(&one);
    return i;
}

void checkpoint_finish(struct checkpoint *c, bool inline_only) {
    if (c->n) qsort(c->v, c->n, sizeof(*c->v), order);
    struct checkpoint_head *h = &c->head.h;
    size_t by = 3 * strlen(h->by), room = CHECKPOINT_INLINE_MAX - 400 - by -
                                          c->nunread * 100; /* the head's numbers and digest take < 400 */
    size_t written = encode_all(c, room, 1);
    if (written < c->n && !inline_only) {
        written = encode_all(c, CHECKPOINT_PART_MAX, CHECKPOINT_PARTS_MAX);
        h->parts = c->nbody;
    }
    h->keys = written;
    h->dropped = c->dropped + (c->n - written);
    for (size_t p = 0; p < c->nbody; p++) sha256_hex(buf_slice(&c->body[p]), c->head.part[p].sha);
    h->unread = c->nunread;
    memcpy(&c->head.part[c->nbody], c->unread, c->nunread * sizeof(c->unread[0]));
    if (!h->parts) c->head.body = c->body[0].n ? buf_slice(&c->body[0]) : SL("");
    cp_head_write(&c->value, &c->head);
}

struct slice checkpoint_value(const struct checkpoint *c) {
    return buf_slice(&c->value);
}

size_t checkpoint_parts(const struct checkpoint *c) {
    return c->head.h.parts;
}

struct slice checkpoint_part(const struct checkpoint *c, size_t i) {
    return i < c->head.h.parts ? buf_slice(&c->body[i]) : (struct slice){0};
}

const struct checkpoint_head *checkpoint_head(const struct checkpoint *c) {
    return &c->head.h;
}

size_t checkpoint_count(const struct checkpoint *c, enum checkpoint_kind k) {
    return c->count[k];
}
