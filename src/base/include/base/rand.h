/* A small seedable generator (splitmix64) for simulations and jitter; not for secrets. Pure. */
#ifndef BASE_RAND_H
#define BASE_RAND_H
#include <stdint.h>

struct rng {
    uint64_t s;
};
static inline uint64_t rng_next(struct rng *r) {
    uint64_t z = (r->s += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}
static inline uint64_t rng_below(struct rng *r, uint64_t n) { /* 0 .. n-1; n > 0 */
    return rng_next(r) % n;
}
static inline double rng_unit(struct rng *r) { /* [0, 1) */
    return (double)(rng_next(r) >> 11) * 0x1p-53;
}
#endif
