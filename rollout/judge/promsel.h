/* Selectors of metric series, parsed. */
#ifndef ROLLOUT_PROMSEL_H
#define ROLLOUT_PROMSEL_H
#include "judge/promtext.h"

enum prom_op { PROM_EQ, PROM_NE, PROM_RE, PROM_NRE };
struct prom_matcher {
    char *label;
    enum prom_op op;
    char *value; /* for RE and NRE: the pattern as tokens, see promsel.c */
};
struct prom_selector {
    char *name;  /* without the '*' */
    bool prefix; /* "name*": every metric whose name begins so */
    struct prom_matcher m[PROM_MAX_MATCHERS];
    size_t nm;
};
struct prom_sum {
    size_t n;
    struct prom_selector s[]; /* as many as there are: a page in flight holds ten sums */
};
struct prom_label {
    struct slice name, value; /* unescaped */
};
/* Does one of them fit? A series that two of them name is still one series. */
bool prom_sum_match(const struct prom_sum *s, struct slice metric, const struct prom_label *l, size_t n);
#endif
