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
