/* A growing byte buffer with a mandatory cap. Invariant: n <= max, and cap >= n + 1 while p is not NULL. */
#include "base/buf.h"
#include "base/utf8.h"
#include <errno.h>
#include <stdio.h>

/* Room for extra more bytes and the NUL, or the buffer is full from now on. */
static int reserve(struct buf *b, size_t extra) {
    if (b->full || extra > b->max - b->n) {
        b->full = true;
        return -ENOBUFS;
    }
    size_t need = b->n + extra + 1;
    if (b->p && need <= b->cap) return 0;
    size_t cap = b->cap < 64 ? 64 : b->cap;
    while (cap < need) cap = cap > SIZE_MAX / 2 ? need : cap * 2;
    if (b->max < SIZE_MAX && cap > b->max + 1) cap = b->max + 1;
    b->p = xrealloc(b->p, cap);
    b->cap = cap;
    return 0;
}

int buf_add(struct buf *b, struct slice s) {
    if (reserve(b, s.n) < 0) return -ENOBUFS;
    if (s.n) memcpy(b->p + b->n, s.p, s.n);
    b->n += s.n;
    b->p[b->n] = '\0';
    return 0;
}

int buf_adds(struct buf *b, const char *s) {
    return buf_add(b, slice_of(s));
}

int buf_addc(struct buf *b, char c) {
    return buf_add(b, slice_make(&c, 1));
}

int buf_addv(struct buf *b, const char *fmt, va_list ap) {
    char small[256];
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(small, sizeof small, fmt, ap);
    int r = -EINVAL;
    if (n >= 0 && (size_t)n < sizeof small) {
        r = buf_add(b, slice_make(small, (size_t)n));
    } else if (n >= 0) {
        r = reserve(b, (size_t)n);
        if (r == 0) {
            (void)vsnprintf(b->p + b->n, (size_t)n + 1, fmt, again);
            b->n += (size_t)n;
        }
    }
    va_end(again);
    return r;
}

int buf_addf(struct buf *b, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    int r = buf_addv(b, fmt, ap);
    va_end(ap);
    return r;
}

static void add_json_char(struct buf *b, char c) {
    switch (c) {
    case '"': buf_adds(b, "\\\""); break;
    case '\\': buf_adds(b, "\\\\"); break;
    case '\n': buf_adds(b, "\\n"); break;
    case '\r': buf_adds(b, "\\r"); break;
    case '\t': buf_adds(b, "\\t"); break;
    default: buf_addf(b, "\\u%04x", (unsigned)c); break;
    }
}

int buf_add_json(struct buf *b, struct slice s) {
    size_t before = b->n;
    buf_addc(b, '"');
    for (size_t i = 0; i < s.n && !b->full;) {
        size_t run = i, len = 1;
        for (; run < s.n; run += len) { /* what needs no escape is added in one go */
            char c = s.p[run];
            len = utf8_len(slice_make(s.p + run, s.n - run));
            if (len == 0 || (unsigned char)c < 0x20 || c == '"' || c == '\\') break;
        }
        buf_add(b, slice_make(s.p + i, run - i));
        i = run;
        if (i < s.n) {
            if (len == 0) {
                buf_adds(b, "\xef\xbf\xbd");
            } else {
                add_json_char(b, s.p[i]);
            }
            i++;
        }
    }
    buf_addc(b, '"');
    if (!b->full) return 0;
    b->n = before; /* all of it or nothing */
    if (b->p) b->p[before] = '\0';
    return -ENOBUFS;
}

void buf_consume(struct buf *b, size_t n) {
    if (n > b->n) n = b->n;
    if (n == 0) return;
    memmove(b->p, b->p + n, b->n - n + 1);
    b->n -= n;
}

void buf_clear(struct buf *b) {
    b->n = 0;
    b->full = false;
    if (b->p) b->p[0] = '\0';
}

void buf_free(struct buf *b) {
    if (!b) return;
    free(b->p);
    *b = BUF(b->max);
}

char *buf_take(struct buf *b) {
    char *p = b->p ? b->p : xcalloc(1, 1);
    *b = BUF(b->max);
    return p;
}
