/* Reading a checkpoint: each part is checked by its digest and its form before anything of it counts. */
#include "base/hash.h"
#include "base/time.h"
#include "checkpoint_text.h"
#include <errno.h>
#include <limits.h>

struct checkpoint_reader {
    struct cp_head head;
    struct buf arena;
    struct cp_entry *v;
    size_t n, cap;
    struct slice_at {
        size_t at, n;
    } controllers[CHECKPOINT_CONTROLLERS_MAX]; /* names, in the arena */
    unsigned ncontrollers;
    size_t skipped;
    bool given[CHECKPOINT_READ_MAX];
};

/* Where the reading of a body stands. */
struct decoder {
    struct checkpoint_reader *r;
    int kind; /* -1: none yet or one that we do not know */
    unsigned controller;
    bool named;
    int prio;
    int64_t at_ms;
    size_t last, last_n; /* the key before, in the arena */
    size_t skipped;
};

static int read_controller(struct decoder *d, struct slice s) {
    struct checkpoint_reader *r = d->r;
    size_t at = r->arena.n;
    int e = cp_unescape(&s, &r->arena);
    size_t n = r->arena.n - at;
    if (e < 0 || s.n || !n || n > CHECKPOINT_KEY_MAX) return -EINVAL;
    for (d->controller = 0; d->controller < r->ncontrollers; d->controller++) {
        struct slice_at c = r->controllers[d->controller];
        if (slice_eq(slice_make(r->arena.p + c.at, c.n), slice_make(r->arena.p + at, n))) break;
    }
    if (d->controller == r->ncontrollers) {
        if (r->ncontrollers == CHECKPOINT_CONTROLLERS_MAX) return -EINVAL;
        r->controllers[r->ncontrollers++] = (struct slice_at){at, n};
    }
    d->named = true;
    d->kind = -1;
    d->last_n = 0;
    d->prio = 0;
    return 0;
}

/* The digits at the front of *s, with a sign before them if it may be negative. */
static int read_number(struct slice *s, int64_t min, int64_t max, int64_t *ret) {
    size_t n = 0;
    while (n < s->n && ((s->p[n] >= '0' && s->p[n] <= '9') || (n == 0 && s->p[n] == '-'))) n++;
    if (slice_i64(slice_make(s->p, n), ret) < 0 || *ret < min || *ret > max) return -EINVAL;
    *s = slice_make(s->p + n, s->n - n);
    return 0;
}

static bool mark(struct slice *s, char c) {
    if (!s->n || s->p[0] != c) return false;
    *s = slice_make(s->p + 1, s->n - 1);
    return true;
}

/* The marks behind the key. Those that we do not know: 1, the entry is skipped. */
static int read_marks(struct decoder *d, struct slice *s, struct cp_entry *e) {
    int64_t n;
    bool timed = e->kind == CHECKPOINT_DELAYED || e->kind == CHECKPOINT_DEAD;
    if (mark(s, '+')) {
        if (read_number(s, 0, UINT_MAX, &n) < 0) return -EINVAL;
        e->failures = (unsigned)n;
    }
    bool at = mark(s, '@');
    if (at) {
        int64_t most = INT64_MAX / NS_PER_MS;
        if (read_number(s, -d->at_ms, most - d->at_ms, &n) < 0) return -EINVAL;
        e->at_ms = d->at_ms += n;
    }
    if (timed && !at) return -EINVAL;
    if (mark(s, '~')) {
        e->reason = d->r->arena.n;
        if (cp_unescape(s, &d->r->arena) < 0) return -EINVAL;
        e->reason_n = d->r->arena.n - e->reason;
        if (e->reason_n > CHECKPOINT_REASON_MAX) return -EINVAL;
    }
    return s->n ? 1 : 0;
}

static int read_entry(struct decoder *d, struct slice s) {
    struct checkpoint_reader *r = d->r;
    size_t n;
    if (!d->named || cp_get_shared(&s, &n) < 0 || n > d->last_n) return -EINVAL;
    struct cp_entry e = {.kind = d->kind < 0 ? CHECKPOINT_QUEUED : (enum checkpoint_kind)d->kind,
                         .controller = d->controller,
                         .prio = d->prio,
                         .key = r->arena.n};
    if (r->arena.n + n > r->arena.max) return -EFBIG;
    char prefix[CHECKPOINT_KEY_MAX]; /* of its own: the arena may move while it grows */
    if (n) memcpy(prefix, r->arena.p + d->last, n);
    buf_add(&r->arena, slice_make(prefix, n));
    if (cp_unescape(&s, &r->arena) < 0) return -EINVAL;
    e.key_n = r->arena.n - e.key;
    if (!e.key_n || e.key_n > CHECKPOINT_KEY_MAX) return -EINVAL;
    d->last = e.key;
    d->last_n = e.key_n;
    if (d->kind < 0) {
        d->skipped++;
        return 0;
    }
    int m = read_marks(d, &s, &e);
    if (m < 0) return m;
    if (m > 0) {
        d->skipped++;
        return 0;
    }
    if (r->n == CHECKPOINT_KEYS_MAX) return -EFBIG;
    r->v = xgrow(r->v, &r->cap, r->n + 1, sizeof(*r->v));
    r->v[r->n++] = e;
    return 0;
}

static int read_word(struct decoder *d, struct slice w) {
    int64_t n;
    if (mark(&w, '#')) return read_controller(d, w);
    if (mark(&w, '!')) {
        const char *k = w.n == 1 && w.p[0] ? strchr(CP_KINDS, w.p[0]) : NULL;
        d->kind = k ? (int)(k - CP_KINDS) : -1;
        d->prio = 0;
        return w.n && d->named ? 0 : -EINVAL;
    }
    if (mark(&w, '^')) {
        if (read_number(&w, INT_MIN, INT_MAX, &n) < 0 || w.n) return -EINVAL;
        d->prio = (int)n;
        return 0;
    }
    return read_entry(d, w);
}

/* All of a body or nothing. */
static int read_body(struct checkpoint_reader *r, struct slice body) {
    struct decoder d = {.r = r, .kind = -1, .at_ms = r->head.h.at_wall_ns / NS_PER_MS};
    size_t n = r->n, arena = r->arena.n;
    unsigned controllers = r->ncontrollers;
    struct slice word, rest = body;
    int e = 0;
    while (rest.n && e == 0) {
        slice_cut(rest, ' ', &word, &rest);
        e = read_word(&d, word);
    }
    if (e < 0) {
        r->n = n;
        r->arena.n = arena;
        r->arena.full = false;
        r->ncontrollers = controllers;
        return e;
    }
    r->skipped += d.skipped;
    return 0;
}

static enum checkpoint_fault take(struct checkpoint_reader *r, size_t i, struct slice text, struct err *err) {
    char sha[65];
    sha256_hex(text, sha);
    if (memcmp(sha, r->head.part[i].sha, sizeof(sha)) != 0) {
        err_set(err, ERR_PROTOCOL, -EBADMSG, "checkpoint part %zu: its digest is not the one on the Lease",
                i + 1);
        return CHECKPOINT_DAMAGED;
    }
    if (read_body(r, text) < 0) {
        err_set(err, ERR_PROTOCOL, -EINVAL, "checkpoint part %zu: not of the form that we know", i + 1);
        return CHECKPOINT_DAMAGED;
    }
    r->given[i] = true;
    return CHECKPOINT_OK;
}

enum checkpoint_fault checkpoint_open(struct slice value, int64_t term, struct checkpoint_reader **ret,
                                      struct err *err) {
    struct cp_head h;
    enum checkpoint_fault f = cp_head_read(value, &h, err);
    if (f != CHECKPOINT_OK) return f;
    if (term >= 0 && h.h.term != term) {
        err_set(err, ERR_PROTOCOL, -ESTALE, "checkpoint: of term %lld, but term %lld was taken over",
                (long long)h.h.term, (long long)term);
        return CHECKPOINT_STALE;
    }
    struct checkpoint_reader *r = xcalloc(1, sizeof(*r));
    r->head = h;
    r->head.body = r->head.term_text = (struct slice){0}; /* not ours to keep */
    buf_init(&r->arena, CP_TEXT_MAX);
    if (!h.h.parts) f = take(r, 0, h.body, err);
    if (f == CHECKPOINT_OK && !h.h.parts && r->n + r->skipped != h.h.keys) {
        err_set(err, ERR_PROTOCOL, -EINVAL, "checkpoint: it has %zu keys, its head says %zu",
                r->n + r->skipped, h.h.keys);
        f = CHECKPOINT_DAMAGED;
    }
    if (f == CHECKPOINT_OK)
        *ret = r;
    else
        checkpoint_close(r);
    return f;
}

void checkpoint_close(struct checkpoint_reader *r) {
    if (!r) return;
    buf_free(&r->arena);
    free(r->v);
    free(r);
}

const struct checkpoint_head *checkpoint_reader_head(const struct checkpoint_reader *r) {
    return &r->head.h;
}

size_t checkpoint_reader_parts(const struct checkpoint_reader *r) {
    return r->head.h.parts + r->head.h.unread;
}

/* An inline checkpoint has a digest in front of the others' and no part of its own. */
static size_t place(const struct checkpoint_reader *r, size_t i) {
    return r->head.h.parts ? i : i + 1;
}

const struct checkpoint_part_id *checkpoint_reader_part(const struct checkpoint_reader *r, size_t i) {
    return i < checkpoint_reader_parts(r) ? &r->head.part[place(r, i)] : NULL;
}

enum checkpoint_fault checkpoint_give(struct checkpoint_reader *r, size_t i, struct slice text,
                                      struct err *err) {
    if (i >= checkpoint_reader_parts(r) || r->given[place(r, i)]) {
        err_set(err, ERR_PROTOCOL, -EINVAL, "checkpoint part %zu: there is no such part, or it was given",
                i + 1);
        return CHECKPOINT_FOREIGN;
    }
    if (!text.p) {
        err_set(err, ERR_PROTOCOL, -ENOENT, "checkpoint part %zu of %zu is missing", i + 1,
                checkpoint_reader_parts(r));
        return CHECKPOINT_MISSING;
    }
    return take(r, place(r, i), text, err);
}

size_t checkpoint_each(struct checkpoint_reader *r, void (*fn)(void *ctx, const struct checkpoint_key *k),
                       void *ctx) {
    for (int kind = 0; kind < CHECKPOINT_KINDS; kind++) {
        for (size_t i = 0; i < r->n; i++) {
            const struct cp_entry *e = &r->v[i];
            if ((int)e->kind != kind) continue;
            struct slice_at c = r->controllers[e->controller];
            fn(ctx, &(struct checkpoint_key){.kind = e->kind,
                                             .controller = slice_make(r->arena.p + c.at, c.n),
                                             .key = slice_make(r->arena.p + e->key, e->key_n),
                                             .prio = e->prio,
                                             .at_wall_ns = e->at_ms * NS_PER_MS,
                                             .failures = e->failures,
                                             .reason = slice_make(r->arena.p + e->reason, e->reason_n)});
        }
    }
    size_t n = r->n;
    buf_free(&r->arena); /* a million keys are not kept for a part that is late */
    free(r->v);
    r->v = NULL;
    r->n = r->cap = 0;
    r->ncontrollers = 0;
    return n;
}

size_t checkpoint_skipped(const struct checkpoint_reader *r) {
    return r->skipped;
}
