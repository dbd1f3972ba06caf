/* A scanner of JSON's structure that stops where an item begins and ends; see kube/splitter.h. */
#include "kube/splitter.h"
#include "base/json_raw.h"
#include <errno.h>
#include <stdio.h>

enum state {
    ST_VALUE,
    ST_ELEM /* behind '[' */,
    ST_MEMBER /* behind '{' */,
    ST_NAME,
    ST_COLON,
    ST_AFTER,
    ST_STRING,
    ST_ESC,
    ST_SCALAR
};
enum capture { CAP_NONE, CAP_ITEM, CAP_META, CAP_KIND, CAP_API };
enum hit { HIT_NONE, HIT_START /* a value starts at p */, HIT_END /* one has ended before p */, HIT_BAD };

void splitter_init(struct splitter *s, enum split_mode mode, size_t item_cap) {
    *s = (struct splitter){.mode = mode, .item_cap = item_cap ? item_cap : SPLIT_ITEM_CAP};
    buf_init(&s->item, s->item_cap);
    buf_init(&s->replay, s->item_cap);
    buf_init(&s->name, 64);
    buf_init(&s->kind, 256);
    buf_init(&s->api, 512);
    buf_init(&s->meta, SPLIT_META_CAP);
}

void splitter_free(struct splitter *s) {
    if (!s) return;
    buf_free(&s->item);
    buf_free(&s->replay);
    buf_free(&s->name);
    buf_free(&s->kind);
    buf_free(&s->api);
    buf_free(&s->meta);
}

const char *splitter_why(const struct splitter *s) {
    return s->why;
}

/* ---- the scanner ---- */

static bool blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool scalar_char(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '+' ||
           c == '-' || c == '.';
}

static bool in_object(const struct splitter *s) {
    return s->depth && (s->open[(s->depth - 1) / 8] >> ((s->depth - 1) % 8) & 1);
}

static bool push(struct splitter *s, bool object) {
    if (s->depth == SPLIT_DEPTH) return false;
    unsigned char bit = (unsigned char)(1u << (s->depth % 8)), *o = &s->open[s->depth / 8];
    *o = object ? *o | bit : *o & (unsigned char)~bit;
    s->depth++;
    return true;
}

static enum hit bad(struct splitter *s, const char *p, const char *expected) {
    unsigned char c = (unsigned char)*p;
    if (c >= 0x20 && c < 0x7f) {
        snprintf(s->why, sizeof s->why, "'%c' where %s should be", c, expected);
    } else {
        snprintf(s->why, sizeof s->why, "byte 0x%02x where %s should be", c, expected);
    }
    return HIT_BAD;
}

/* A value has ended, the level is that of its parent. */
static enum hit after(struct splitter *s) {
    s->state = s->depth ? ST_AFTER : ST_VALUE;
    return s->depth <= s->level ? HIT_END : HIT_NONE;
}

static enum hit open_value(struct splitter *s, const char *p) {
    char c = *p;
    if (s->depth <= s->level && !s->noted) {
        s->noted = true;
        return HIT_START;
    }
    s->noted = false;
    if (c == '{' || c == '[') {
        if (!push(s, c == '{')) {
            snprintf(s->why, sizeof s->why, "nested deeper than %d", SPLIT_DEPTH);
            return HIT_BAD;
        }
        s->state = c == '{' ? ST_MEMBER : ST_ELEM;
    } else if (c == '"') {
        s->key = false;
        s->state = ST_STRING;
    } else if (c == '-' || (c >= '0' && c <= '9') || c == 't' || c == 'f' || c == 'n') {
        s->state = ST_SCALAR;
    } else {
        return bad(s, p, "a value");
    }
    return HIT_NONE;
}

static bool name_wanted(const struct splitter *s) {
    return s->mode == SPLIT_LIST && s->key && s->depth == 1;
}

static enum hit open_name(struct splitter *s, const char *p) {
    if (*p != '"') return bad(s, p, "a member's name");
    s->key = true;
    s->state = ST_STRING;
    if (name_wanted(s)) {
        buf_clear(&s->name);
        buf_addc(&s->name, '"');
    }
    return HIT_NONE;
}

static const char *string_run(struct splitter *s, const char *p, const char *end, enum hit *hit) {
    const char *start = p;
    p = json_raw_plain(p, end);
    if (name_wanted(s)) buf_add(&s->name, slice_make(start, (size_t)(p - start)));
    if (p == end) return p;
    if (*p == '\\') {
        s->state = ST_ESC;
        if (name_wanted(s)) buf_addc(&s->name, '\\');
        return p + 1;
    }
    if (*p != '"') {
        *hit = bad(s, p, "the end of a string");
        return p;
    }
    if (s->key) {
        s->state = ST_COLON;
        if (name_wanted(s)) buf_addc(&s->name, '"');
    } else {
        *hit = after(s);
    }
    return p + 1;
}

/* One byte of structure; blanks are skipped before. */
static const char *structure(struct splitter *s, const char *p, enum hit *hit) {
    char c = *p;
    bool closes = (s->state == ST_AFTER || s->state == ST_MEMBER || s->state == ST_ELEM) &&
                  c == (in_object(s) ? '}' : ']');
    if (closes) {
        s->depth--;
        *hit = after(s);
        return p + 1;
    }
    switch ((enum state)s->state) {
    case ST_VALUE:
    case ST_ELEM: *hit = open_value(s, p); return *hit == HIT_NONE ? p + 1 : p;
    case ST_MEMBER:
    case ST_NAME: *hit = open_name(s, p); break;
    case ST_COLON:
        if (c != ':') *hit = bad(s, p, "a colon");
        s->state = ST_VALUE;
        break;
    default:
        if (c != ',') *hit = bad(s, p, in_object(s) ? "a comma or '}'" : "a comma or ']'");
        s->state = in_object(s) ? ST_NAME : ST_VALUE;
        break;
    }
    return *hit == HIT_BAD ? p : p + 1;
}

static const char *scan(struct splitter *s, const char *p, const char *end, enum hit *hit) {
    *hit = HIT_NONE;
    while (p < end && *hit == HIT_NONE) {
        switch ((enum state)s->state) {
        case ST_STRING: p = string_run(s, p, end, hit); break;
        case ST_ESC:
            if (name_wanted(s)) buf_addc(&s->name, *p);
            if ((unsigned char)*p < 0x20) {
                *hit = bad(s, p, "an escape");
            } else {
                s->state = ST_STRING;
                p++;
            }
            break;
        case ST_SCALAR:
            while (p < end && scalar_char(*p)) p++;
            if (p < end) *hit = after(s);
            break;
        default:
            if (blank(*p)) {
                p++;
            } else {
                p = structure(s, p, hit);
            }
        }
    }
    return p;
}

/* ---- what to capture ---- */

static enum hit list_start(struct splitter *s, const char *p) {
    if (s->ended) return bad(s, p, "the end");
    if (s->depth == 0) return *p == '{' ? HIT_START : bad(s, p, "the '{' of a list");
    if (s->in_items && s->depth == 2) {
        if (*p != '{') return bad(s, p, "an object among the items");
        s->capture = CAP_ITEM;
        return HIT_START;
    }
    struct slice name = buf_slice(&s->name);
    if (json_raw_string_is(name, SL("items"))) {
        if (s->seen_items || (*p != '[' && *p != 'n')) return bad(s, p, "one list of items");
        s->seen_items = true;
        s->in_items = *p == '[';
        s->level = s->in_items ? 2 : 1;
    } else if (json_raw_string_is(name, SL("metadata"))) {
        buf_clear(&s->meta);
        s->capture = CAP_META;
    } else if (json_raw_string_is(name, SL("kind"))) {
        buf_clear(&s->kind);
        s->capture = CAP_KIND;
    } else if (json_raw_string_is(name, SL("apiVersion"))) {
        buf_clear(&s->api);
        s->capture = CAP_API;
    }
    return HIT_START;
}

static enum hit on_start(struct splitter *s, const char *p) {
    if (s->mode == SPLIT_LIST) return list_start(s, p);
    if (*p != '{') return bad(s, p, "the '{' of an event");
    s->capture = CAP_ITEM;
    return HIT_START;
}

static void stash(struct splitter *s, const char *from, const char *to) {
    struct slice part = slice_make(from, (size_t)(to - from));
    switch ((enum capture)s->capture) {
    case CAP_NONE: break;
    case CAP_META: buf_add(&s->meta, part); break;
    case CAP_KIND: buf_add(&s->kind, part); break;
    case CAP_API: buf_add(&s->api, part); break;
    case CAP_ITEM:
        if (!s->too_big && buf_add(&s->item, part) < 0) {
            s->too_big = true;
            buf_free(&s->item);
            s->item.full = false;
        }
        break;
    }
}

static void restart(struct splitter *s) {
    s->state = ST_VALUE;
    s->capture = CAP_NONE;
    s->noted = s->too_big = false;
    s->depth = 0;
    buf_clear(&s->item);
}

static enum split_event die(struct splitter *s, struct slice *src) {
    s->dead = true;
    src->n = 0;
    return SPLIT_BROKEN;
}

static void advance(struct slice *src, const char *to) {
    src->n -= (size_t)(to - src->p);
    src->p = to;
}

/* A watch goes on behind the last line end that the broken event has swallowed, or from the next one. */
static enum split_event broken(struct splitter *s, struct slice *src, const char *from, const char *at) {
    if (s->mode == SPLIT_LIST) return die(s, src);
    const char *seen = s->capture == CAP_ITEM ? from : at;
    /* Past the cap, how much is held depends on where the chunks end. */
    bool whole = !s->too_big && s->item.n + (size_t)(at - seen) <= s->item_cap;
    const char *nl = whole ? memrchr(seen, '\n', (size_t)(at - seen) + 1) : NULL;
    const char *held = whole && !nl && s->item.n ? memrchr(s->item.p, '\n', s->item.n) : NULL;
    if (nl) {
        advance(src, nl + 1);
    } else if (held) { /* what stands behind it is scanned again, then this chunk from its start */
        size_t off = (size_t)(held + 1 - s->item.p);
        buf_clear(&s->replay);
        s->replay_pos = 0;
        buf_add(&s->replay, slice_make(s->item.p + off, s->item.n - off));
    } else {
        advance(src, at);
        s->skipping = true;
    }
    restart(s);
    return SPLIT_BROKEN;
}

static enum split_event too_big(struct splitter *s, struct slice *src) {
    snprintf(s->why, sizeof s->why, "an item of more than %zu bytes", s->item_cap);
    s->capture = CAP_NONE;
    s->too_big = false;
    return s->mode == SPLIT_LIST ? die(s, src) : SPLIT_BROKEN;
}

/* The value that began at from (in this chunk, or earlier) has ended before p. */
static enum split_event on_end(struct splitter *s, struct slice *src, const char *from, const char *p,
                               struct slice *ret) {
    advance(src, p);
    if (s->capture == CAP_ITEM) {
        struct slice whole = slice_make(from, (size_t)(p - from));
        if (s->item.n || s->too_big) {
            stash(s, from, p);
            whole = buf_slice(&s->item);
        }
        if (s->too_big || whole.n > s->item_cap) return too_big(s, src);
        s->capture = CAP_NONE;
        s->given = true;
        *ret = whole;
        return SPLIT_ITEM;
    }
    stash(s, from, p);
    s->capture = CAP_NONE;
    if (s->depth == 1 && s->in_items) {
        s->in_items = false;
        s->level = 1;
    }
    if (s->mode == SPLIT_LIST && s->depth == 0) {
        s->ended = true;
        return SPLIT_END;
    }
    return SPLIT_MORE;
}

static enum split_event run(struct splitter *s, struct slice *src, struct slice *ret) {
    if (s->skipping) {
        const char *nl = memchr(src->p, '\n', src->n);
        advance(src, nl ? nl + 1 : src->p + src->n);
        s->skipping = !nl;
        if (!src->n) return SPLIT_MORE;
    }
    const char *p = src->p, *end = src->p + src->n, *from = p;
    for (;;) {
        enum hit hit;
        p = scan(s, p, end, &hit);
        if (hit == HIT_START) {
            from = p;
            hit = on_start(s, p);
        }
        if (hit == HIT_BAD) return broken(s, src, from, p);
        if (hit == HIT_NONE) {
            stash(s, from, end);
            advance(src, end);
            return SPLIT_MORE;
        }
        if (hit == HIT_END) {
            enum split_event ev = on_end(s, src, from, p, ret);
            if (ev != SPLIT_MORE) return ev;
        }
    }
}

enum split_event splitter_next(struct splitter *s, struct slice *in, struct slice *ret) {
    *ret = (struct slice){0};
    if (s->given) {
        s->given = false;
        if (s->item.cap > 64 << 10) buf_free(&s->item);
        buf_clear(&s->item);
    }
    if (s->mode == SPLIT_LIST) s->level = s->in_items ? 2 : 1;
    while (!s->dead) {
        enum split_event ev;
        if (s->replay_pos < s->replay.n) {
            struct slice again = slice_make(s->replay.p + s->replay_pos, s->replay.n - s->replay_pos);
            ev = run(s, &again, ret);
            s->replay_pos = s->replay.n - again.n;
        } else if (in->n) {
            ev = run(s, in, ret);
        } else {
            return SPLIT_MORE;
        }
        if (ev != SPLIT_MORE) return ev;
    }
    in->n = 0;
    return SPLIT_MORE;
}
