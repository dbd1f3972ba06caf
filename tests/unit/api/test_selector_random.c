/* Random selectors, built as structures: the parser must read back what they mean, by a naive evaluation. */
#include "../case.h"
#include "api/selector.h"
#include "base/rand.h"

enum { RUNS = 5000, KEYS = 5, VALUES = 4 };
static const char *const keys[KEYS] = {"a", "in", "notin", "x.io/y", "n"};
static const char *const values[VALUES] = {"", "in", "7", "v-1"};

static void blank(struct rng *r, struct buf *out) {
    static const char *const some[] = {" ", "", "\t", "  ", "", ""};
    buf_adds(out, some[rng_below(r, ARRAY_LEN(some))]);
}

/* Writes one requirement in a random spelling and says whether labels (value index by key, -1: absent) fulfil
 * it. */
static bool requirement(struct rng *r, struct buf *out, const int *labels) {
    uint64_t k = rng_below(r, KEYS);
    int have = labels[k];
    unsigned set = 0;
    blank(r, out);
    switch (rng_below(r, 6)) {
    case 0: buf_adds(out, keys[k]); return have >= 0;
    case 1:
        buf_addc(out, '!');
        blank(r, out);
        buf_adds(out, keys[k]);
        return have < 0;
    case 2:
    case 3: {
        bool not = rng_below(r, 2);
        uint64_t v = rng_below(r, VALUES);
        buf_adds(out, keys[k]);
        blank(r, out);
        buf_adds(out, not ? "!=" : rng_below(r, 2) ? "=" : "==");
        blank(r, out);
        buf_adds(out, values[v]);
        return (have == (int)v) != not ;
    }
    case 4: {
        bool not = rng_below(r, 2);
        buf_addf(out, "%s %s", keys[k], not ? "notin" : "in");
        blank(r, out);
        buf_addc(out, '(');
        for (uint64_t i = 0, n = rng_below(r, 4) + 1; i < n; i++) {
            uint64_t v = rng_below(r, VALUES);
            if (i) buf_addc(out, ',');
            blank(r, out);
            buf_adds(out, values[v]);
            set |= 1U << v;
        }
        blank(r, out);
        buf_addc(out, ')');
        return (have >= 0 && (set >> have & 1)) != not ;
    }
    default: {
        bool greater = rng_below(r, 2);
        int limit = (int)rng_below(r, 15);
        buf_addf(out, "%s%c%d", keys[k], greater ? '>' : '<', limit);
        return have == 2 && (greater ? 7 > limit : 7 < limit); /* "7" is the only number */
    }
    }
}

CASE(random_selectors) {
    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        struct rng r = {seed};
        int labels[KEYS];
        cleanup_json cJSON *set = cJSON_CreateObject();
        for (int i = 0; i < KEYS; i++) {
            labels[i] = (int)rng_below(&r, VALUES + 1) - 1;
            if (labels[i] >= 0) cJSON_AddStringToObject(set, keys[i], values[labels[i]]);
        }
        cleanup_buf struct buf text = BUF(10000), again = BUF(10000);
        bool want = true;
        for (uint64_t i = 0, n = rng_below(&r, 5); i < n; i++) {
            if (i) buf_addc(&text, ',');
            want = requirement(&r, &text, labels) && want;
        }
        struct selector *s = NULL;
        struct err err = {0};
        for (int pass = 0; pass < 2; pass++) { /* as written, and as we write it */
            if (selector_parse(buf_slice(pass ? &again : &text), &s, &err) < 0) {
                fail_msg("seed %llu: %s: %s", (unsigned long long)seed, buf_str(&text), err.msg);
            }
            if (selector_match(s, set) != want)
                fail_msg("seed %llu: %s", (unsigned long long)seed, buf_str(&text));
            if (!pass) assert_int_equal(selector_format(s, &again), 0);
            selector_free(s);
        }
    }
}

CASES("api/selector_random")
