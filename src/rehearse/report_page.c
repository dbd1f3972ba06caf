/* Lines for a terminal; see report_page.h. */
#include "report_page.h"
#include "base/utf8.h"

enum { INDENT = 4, ARROW = 4, LEAST = 24 }; /* columns */

/* Of East Asian and the like, two columns; of marks that stand on others, none. */
static unsigned columns_of(int32_t c) {
    static const struct {
        int32_t from, to;
        unsigned columns;
    } odd[] = {{0x300, 0x36f, 0},    {0x1100, 0x115f, 2}, {0x20d0, 0x20ff, 0}, {0x2e80, 0xa4cf, 2},
               {0xac00, 0xd7a3, 2},  {0xf900, 0xfaff, 2}, {0xfe00, 0xfe0f, 0}, {0xfe20, 0xfe2f, 0},
               {0xfe30, 0xfe6f, 2},  {0xff00, 0xff60, 2}, {0xffe0, 0xffe6, 2}, {0x1f000, 0x1faff, 2},
               {0x20000, 0x3fffd, 2}};
    for (size_t i = 0; i < ARRAY_LEN(odd); i++)
        if (c >= odd[i].from && c <= odd[i].to) return odd[i].columns;
    return 1;
}

static unsigned columns(struct slice s) {
    unsigned sum = 0;
    for (size_t n; s.n; s = slice_make(s.p + n, s.n - n)) sum += columns_of(utf8_next(s, &n));
    return sum;
}

static struct slice fit(struct slice s, unsigned room) {
    struct slice rest = s;
    for (unsigned sum = 0; rest.n;) {
        size_t n;
        sum += columns_of(utf8_next(rest, &n));
        if (sum > room) break;
        rest = slice_make(rest.p + n, rest.n - n);
    }
    return slice_make(s.p, s.n - rest.n);
}

void page_add(struct page *p, const char *text) {
    utf8_add_safe(&p->line, slice_of(text));
}

void page_addf(struct page *p, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    buf_addv(&p->line, fmt, ap);
    va_end(ap);
}

void page_end(struct page *p, enum page_colour colour) {
    static const char *const codes[] = {"", "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[1m", "\x1b[2m"};
    struct slice line = buf_slice(&p->line);
    bool dyed = p->colour && colour != PAGE_PLAIN, cut = p->width && columns(line) > p->width;
    if (dyed) buf_adds(p->out, codes[colour]);
    buf_add(p->out, cut ? fit(line, p->width - 1) : line);
    if (cut) buf_adds(p->out, "…");
    if (dyed) buf_adds(p->out, "\x1b[0m");
    buf_addc(p->out, '\n');
    buf_clear(&p->line);
}

void page_wrap(struct page *p, unsigned indent, enum page_colour colour) {
    cleanup_buf struct buf all = p->line;
    struct slice rest = buf_slice(&all);
    p->line = BUF(all.max);
    while (p->width && columns(rest) + columns(buf_slice(&p->line)) > p->width) {
        struct slice part = fit(rest, p->width - (unsigned)p->line.n);
        size_t n = part.n;
        while (n > part.n / 2 && part.p[n - 1] != ' ') n--;
        if (n <= part.n / 2) n = part.n; /* one long word */
        if (n == 0) break;
        size_t end = n;
        while (end && rest.p[end - 1] == ' ') end--;
        buf_add(&p->line, slice_make(rest.p, end));
        page_end(p, colour);
        rest = slice_make(rest.p + n, rest.n - n);
        page_addf(p, "%*s", (int)indent, "");
    }
    buf_add(&p->line, rest);
    page_end(p, colour);
}

/* ---- a change ---- */

static char *safe(const char *s, size_t *ret_n) {
    struct buf b = BUF((size_t)REPORT_VALUE_MAX * 8);
    utf8_add_safe(&b, slice_of(s));
    *ret_n = b.n;
    char *text = buf_take(&b);
    return text ? text : xstrdup("");
}

/* s in at most room columns; same: so many bytes of its beginning the other one has, too. */
static void add_cut(struct page *p, struct slice s, unsigned room, size_t same) {
    if (columns(s) <= room) {
        buf_add(&p->line, s);
        return;
    }
    bool late = columns(slice_make(s.p, same)) * 2 > room;
    if (late) { /* from a little before the difference on */
        size_t back = room / 3, from = same > back ? same - back : 0;
        while (from && columns(slice_make(s.p + from - 1, s.n - from + 1)) < room) from--;
        while (from && ((unsigned char)s.p[from] & 0xc0) == 0x80) from--;
        buf_adds(&p->line, "…");
        s = slice_make(s.p + from, s.n - from);
        room--;
    }
    if (columns(s) > room) {
        buf_add(&p->line, fit(s, room - 1));
        buf_adds(&p->line, "…");
    } else {
        buf_add(&p->line, s);
    }
}

static void add_pair(struct page *p, struct slice a, struct slice b, unsigned room) {
    size_t same = 0;
    while (same < a.n && same < b.n && a.p[same] == b.p[same]) same++;
    unsigned wa = columns(a), wb = columns(b), half = (room - ARROW) / 2, left = half;
    if (wa + wb + ARROW <= room || wa <= half)
        left = wa;
    else if (wb <= half)
        left = room - ARROW - wb;
    add_cut(p, a, left, same);
    buf_adds(&p->line, " -> ");
    add_cut(p, b, room - ARROW - left, same);
}

void page_change(struct page *p, const char *path, const char *from, const char *to) {
    size_t na, nb;
    cleanup_free char *x = safe(from, &na), *y = safe(to, &nb);
    struct slice a = slice_make(x, na), b = slice_make(y, nb);
    page_addf(p, "%*s", INDENT, "");
    page_add(p, path);
    buf_addc(&p->line, ':');
    unsigned used = columns(buf_slice(&p->line)) + 1, arrow = from ? ARROW : 0;
    unsigned need = columns(a) + columns(b) + arrow, room = p->width > used ? p->width - used : 0;
    if (!p->width) {
        room = need;
    } else if (need > room && room < LEAST + 2 * arrow) {
        page_end(p, PAGE_PLAIN);
        page_addf(p, "%*s", 2 * INDENT - 1, "");
        room = p->width > LEAST + 2 * INDENT ? p->width - 2 * INDENT : LEAST;
    }
    buf_addc(&p->line, ' ');
    if (from)
        add_pair(p, a, b, room);
    else
        add_cut(p, b, room, 0);
    page_end(p, PAGE_PLAIN);
}
