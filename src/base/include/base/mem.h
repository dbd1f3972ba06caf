/* Allocation that cannot fail: running out of memory aborts here, at one place. And cleanup attributes for
 * locals. */
#ifndef BASE_MEM_H
#define BASE_MEM_H
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

void *xmalloc(size_t n) __attribute__((malloc, returns_nonnull));
void *xcalloc(size_t count, size_t size) __attribute__((malloc, returns_nonnull));
void *xrealloc(void *p, size_t n) __attribute__((returns_nonnull));
char *xstrdup(const char *s) __attribute__((malloc, returns_nonnull));
char *xstrdup_null(const char *s); /* NULL stays NULL */
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2), returns_nonnull));
/* Grows *arr (capacity *cap, elements of size) so that need elements fit. */
void *xgrow(void *arr, size_t *cap, size_t need, size_t size) __attribute__((returns_nonnull));

/* For a process that runs for months: one arena, and large blocks go back to the system when they are freed.
 * Once, at the start. */
void mem_frugal(void);
/* Pages without a block in use go back to the system: glibc keeps those below the last block in use for ever,
 * and a day's work leaves many. Takes well below a millisecond a MiB. */
void mem_give_back(void);

static inline void cleanup_free_fn(void *p) {
    free(*(void **)p);
}
#define cleanup_free __attribute__((cleanup(cleanup_free_fn)))
#define DEFINE_CLEANUP(type, name, destroy)                                                                  \
    static inline void cleanup_##name##_fn(type *p) {                                                        \
        if (*p) destroy(*p);                                                                                 \
    }
#define CLEANUP(name) __attribute__((cleanup(cleanup_##name##_fn)))

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
/* By way of a number, so that it may be used on pointers to const as well (comparison functions of the heap).
 */
#define container_of(ptr, type, member) ((type *)((uintptr_t)(ptr)-offsetof(type, member)))
#endif
