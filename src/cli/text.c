/* Text for a terminal: escapes for what it would obey, columns as it counts them; see text.h. */
#include "text.h"
#include "base/utf8.h"
#include <wchar.h>

/* The first character of s: its length; *ret 0 where the bytes are no character. */
static size_t next(struct slice s, wchar_t *ret) {
    mbstate_t st = {0};
    size_t n = mbrtowc(ret, s.p, s.n, &st);
    if (n == 0 || n > s.n) *ret = 0; /* NUL, ill-formed or incomplete */
    return *ret ? n : 1;
}

static bool is_control(unsigned char c) {
    return c < 0x20 || c == 0x7f;
}

void text_clean(struct buf *out, struct slice s, bool utf8) {
    while (s.n) {
        unsigned char c = (unsigned char)s.p[0];
        wchar_t wide = 0;
        size_t n = 1;
        if (is_control(c)) {
            buf_addf(out, "\\x%02x", c);
        } else if (c < 0x80) {
            buf_addc(out, (char)c);
        } else if (!utf8) {
            while (n < s.n && ((unsigned char)s.p[n] & 0xc0) == 0x80) n++;
            buf_addc(out, '?');
        } else {
            n = next(s, &wide);
            if (!wide)
                buf_addf(out, "\\x%02x", c);
            else if (wcwidth(wide) < 0 || utf8_unsafe((int32_t)wide))
                buf_addf(out, "\\u%04x", (unsigned)wide);
            else
                buf_add(out, slice_make(s.p, n));
        }
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
    wchar_t wide = 0;
    *columns = 1;
    if (!utf8 || (unsigned char)s.p[0] < 0x80) return 1;
    size_t n = next(s, &wide);
    int w = wide ? wcwidth(wide) : 1;
    if (w >= 0) *columns = (unsigned)w;
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
