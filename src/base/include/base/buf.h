/* A growing byte buffer with a mandatory cap. Once an append would pass the cap the buffer is `full`: that
 * append and every later one adds nothing and returns -ENOBUFS, so that a chain of appends may be checked
 * once at its end. */
#ifndef BASE_BUF_H
#define BASE_BUF_H
#include "base/mem.h"
#include "base/slice.h"
#include <stdarg.h>

struct buf {
    char *p; /* NUL-terminated whenever not NULL; the NUL is not counted */
    size_t n, cap, max;
    bool full;
};

#define BUF(max_bytes) ((struct buf){.max = (max_bytes)})
static inline void buf_init(struct buf *b, size_t max) {
    *b = (struct buf){.max = max};
}
int buf_add(struct buf *b, struct slice s);
int buf_adds(struct buf *b, const char *s);
int buf_addc(struct buf *b, char c);
int buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int buf_addv(struct buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
int buf_add_json(struct buf *b,
                 struct slice s); /* as a JSON string with its quotes; invalid UTF-8 becomes U+FFFD */
void buf_consume(struct buf *b, size_t n); /* drops the first n bytes */
void buf_clear(struct buf *b);             /* empty, memory kept, no longer full */
void buf_free(struct buf *b);              /* empty, memory given back, max kept */
char *buf_take(struct buf *b); /* the bytes, NUL-terminated, to be freed by the caller; b is empty */
static inline struct slice buf_slice(const struct buf *b) {
    return (struct slice){b->p, b->n};
}
static inline const char *buf_str(const struct buf *b) {
    return b->p ? b->p : "";
}
#define cleanup_buf __attribute__((cleanup(buf_free)))
#endif
