/* A borrowed run of bytes, not NUL-terminated. The owner outlives it. */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
    const char *p; /* may be NULL when n == 0 */
    size_t n;
};

#define SL(lit) ((struct slice){"" lit, sizeof(lit) - 1})
/* For printf: printf("%.*s", SLF(s)) */
#define SLF(s) (int)((s).n > 4096 ? 4096 : (s).n), ((s).p ? (s).p : "")

static inline struct slice slice_of(const char *s) {
    return (struct slice){s, s ? strlen(s) : 0};
}
static inline struct slice slice_make(const char *p, size_t n) {
    return (struct slice){p, n};
}
static inline bool slice_eq(struct slice a, struct slice b) {
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}
static inline bool slice_eqs(struct slice a, const char *s) {
    return slice_eq(a, slice_of(s));
}
int slice_cmp(struct slice a, struct slice b); /* as memcmp, shorter first */
bool slice_starts(struct slice s, struct slice prefix);
bool slice_ends(struct slice s, struct slice suffix);
bool slice_has(struct slice s, char c);
bool slice_is_text(struct slice s);      /* well-formed UTF-8 */
struct slice slice_trim(struct slice s); /* ASCII blanks */
/* Splits at the first sep: before and after are set in any case (after empty, p == NULL, where there is no
 * sep; then the result is false). */
bool slice_cut(struct slice s, char sep, struct slice *before, struct slice *after);
/* For scanners; each takes from the front of s. The digits there, maybe none; one c, false where s does not
 * begin with it; a sign, which may be missing: true for '-'. */
struct slice slice_digits(struct slice *s);
bool slice_take(struct slice *s, char c);
bool slice_sign(struct slice *s);
/* Whole of s must be a number; 0, -EINVAL or -ERANGE. ret untouched on failure. */
int slice_i64(struct slice s, int64_t *ret);
int slice_f64(struct slice s, double *ret); /* plain decimal notation, NaN and +/-Inf accepted */
char *slice_dup(struct slice s);            /* NUL-terminated copy, never NULL, free() */
/* The same of at most max bytes, as well-formed UTF-8: not cut inside a character, ill-formed bytes become
 * '?'. */
char *slice_dup_text(struct slice s, size_t max);
uint64_t slice_hash(struct slice s,
                    uint64_t seed); /* for tables, not for security; stable over versions (FNV-1a 64) */
#endif
