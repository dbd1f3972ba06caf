/* Text for a terminal: escapes for what it would obey, columns as it counts them; see text.h. */
#include "text.h"
#include "base/utf8.h"
#include <wchar.h>

void text_clean(struct buf *out, struct slice s, bool utf8) {
    while (s.n) {
        size_t n;
        int32_t c = utf8_next(s, &n);
        if (!utf8 && c >= 0x80)
            buf_addc(out, '?');
        else
            n = utf8_add_safe_one(out, s);
        s = slice_make(s.p + n, s.n - n);
    }
}

char *text_cleaned(const char *s, bool utf8) {
    struct buf b = BUF(1 << 20);
    text_clean(&b, slice_of(s), utf8);
    char *text = buf_take(&b);
    return text ? text : xstrdup("");
}

void text_ascii(struct buf *out, struct slice clean) {
    enum { ELLIPSIS = 0x2026 };
    while (clean.n) {
        size_t n;
        int32_t c = utf8_next(clean, &n);
        buf_addc(out, c == ELLIPSIS ? '~' : c < 0 || c >= 0x80 ? '?' : (char)c);
        clean = slice_make(clean.p + n, clean.n - n);
    }
}

/* The first character of clean text: its length and columns. */
static size_t measure(struct slice s, bool utf8, unsigned *columns) {
    size_t n;
    int32_t c = utf8_next(s, &n);
    int w = utf8 && c >= 0x80 ? wcwidth((wchar_t)c) : 1;
    *columns = w >= 0 ? (unsigned)w : 1;
    return n;
}

unsigned text_columns(struct slice s, bool utf8) {
    unsigned sum = 0, columns;
    while (s.n) {
        size_t n = measure(s, utf8, &columns);
        sum += columns;
        s = slice_make(s.p + n, s.n - n);
    }
    return sum;
}

struct slice text_fit(struct slice clean, unsigned columns, bool from_end, bool utf8) {
    unsigned all = text_columns(clean, utf8), sum = 0, w;
    struct slice rest = clean;
    while (rest.n) {
        size_t n = measure(rest, utf8, &w);
        bool over = from_end ? all - sum <= columns : sum + w > columns;
        if (over) break;
        sum += w;
        rest = slice_make(rest.p + n, rest.n - n);
    }
    return from_end ? rest : slice_make(clean.p, clean.n - rest.n);
}

static const char *mark(bool utf8) {
    return utf8 ? "…" : "~";
}

/* How many bytes of both are the same name: up to the last ':', '@' or '/' of what they have in common. */
static size_t same_name(struct slice a, struct slice b, size_t *ret_same) {
    size_t n = 0, name = 0;
    while (n < a.n && n < b.n && a.p[n] == b.p[n]) {
        n++;
        if (strchr(":@/", a.p[n - 1])) name = n;
    }
    *ret_same = n;
    return name;
}

/* same: how much of its beginning the other one has, too. What is past it is what says something. */
static void add_cut(struct buf *out, struct slice s, unsigned columns, size_t same, bool utf8) {
    if (text_columns(s, utf8) <= columns) {
        buf_add(out, s);
        return;
    }
    bool late = text_columns(slice_make(s.p, same < s.n ? same : s.n), utf8) * 2 > columns;
    if (late) buf_adds(out, mark(utf8));
    buf_add(out, text_fit(s, columns - 1, late, utf8));
    if (!late) buf_adds(out, mark(utf8));
}

static const char arrow[] = " -> ";
enum { ARROW = sizeof arrow - 1 };

static bool split_pair(struct slice clean, struct slice *a, struct slice *b) {
    for (size_t i = 0; i + ARROW <= clean.n; i++) {
        if (memcmp(clean.p + i, arrow, ARROW) != 0) continue;
        *a = slice_make(clean.p, i);
        *b = slice_make(clean.p + i + ARROW, clean.n - i - ARROW);
        return true;
    }
    return false;
}

static void leave_out(struct slice *s, size_t n) {
    if (n < s->n) *s = slice_make(s->p + n, s->n - n);
}

unsigned text_pair_columns(struct slice clean, bool utf8) {
    struct slice a, b;
    size_t same;
    if (!split_pair(clean, &a, &b)) return 0;
    size_t name = same_name(a, b, &same);
    leave_out(&a, name);
    leave_out(&b, name);
    return text_columns(a, utf8) + ARROW + text_columns(b, utf8);
}

bool text_fit_pair(struct buf *out, struct slice clean, unsigned columns, bool utf8) {
    struct slice a, b;
    size_t same;
    if (!split_pair(clean, &a, &b)) return false;
    unsigned room = columns > ARROW + 2 ? columns - ARROW : 2, wa = text_columns(a, utf8);
    size_t name = same_name(a, b, &same);
    if (wa + text_columns(b, utf8) > room) leave_out(&b, name);
    if (wa + text_columns(b, utf8) > room && name < a.n) {
        leave_out(&a, name);
        same -= name;
    }
    wa = text_columns(a, utf8);
    unsigned wb = text_columns(b, utf8), half = room / 2, left = half;
    if (wa <= half || wa + wb <= room)
        left = wa;
    else if (wb <= room - half)
        left = room - wb;
    add_cut(out, a, left, same, utf8);
    buf_adds(out, arrow);
    add_cut(out, b, room - left, same, utf8);
    return true;
}
