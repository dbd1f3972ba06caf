/* Random documents, well-formed and broken: the text functions against cJSON. */
#include "../case.h"
#include "base/json.h"
#include "base/json_raw.h"
#include "base/rand.h"
#include <math.h>

enum { DOCUMENTS = 4000 };

static void random_string(struct rng *r, struct buf *out) {
    static const char *const parts[] = {
        "a",   "b/c", "\\n", "\\u0041", "\\\"", "\\\\", "\xc3\xa9", "\\u00e9", "\\ud83d\\ude00",
        "x y", "]",   "}",   ",",       ":",    "\\t",  "0"};
    buf_addc(out, '"');
    for (uint64_t n = rng_below(r, 4); n > 0; n--) buf_adds(out, parts[rng_below(r, ARRAY_LEN(parts))]);
    buf_addc(out, '"');
}

static void blanks(struct rng *r, struct buf *out) {
    if (rng_below(r, 6) == 0) buf_adds(out, rng_below(r, 2) ? " \n" : "\t");
}

static void random_value(struct rng *r, struct buf *out, int depth) {
    blanks(r, out);
    uint64_t kind = rng_below(r, depth > 5 ? 5 : 8);
    if (kind == 0) {
        buf_adds(out, rng_below(r, 3) ? (rng_below(r, 2) ? "true" : "false") : "null");
    } else if (kind <= 2) {
        random_string(r, out);
    } else if (kind <= 4) {
        buf_addf(out, "%s%llu", rng_below(r, 3) ? "" : "-",
                 (unsigned long long)(rng_next(r) >> (11 + rng_below(r, 53))));
        if (rng_below(r, 3) == 0) buf_addf(out, ".%llu", (unsigned long long)rng_below(r, 100));
        if (rng_below(r, 4) == 0)
            buf_addf(out, "%c%d", rng_below(r, 2) ? 'e' : 'E', (int)rng_below(r, 40) - 20);
    } else {
        bool object = kind != 5;
        buf_addc(out, object ? '{' : '[');
        for (uint64_t n = rng_below(r, 5), i = 0; i < n; i++) {
            if (i) buf_addc(out, ',');
            blanks(r, out);
            if (object) {
                random_string(r, out);
                blanks(r, out);
                buf_addc(out, ':');
            }
            random_value(r, out, depth + 1);
        }
        blanks(r, out);
        buf_addc(out, object ? '}' : ']');
    }
    blanks(r, out);
}

static void same(struct slice raw, const cJSON *v) {
    cleanup_buf struct buf text = BUF(1000);
    struct json_raw_it it = json_raw_each(raw);
    const cJSON *c = v->child;
    switch (json_raw_type(raw)) {
    case JR_OBJECT:
    case JR_ARRAY:
        assert_int_equal(it.object, cJSON_IsObject(v));
        for (; json_raw_next(&it); c = c->next) {
            assert_non_null(c);
            if (it.object) assert_true(json_raw_string_is(it.key, slice_of(c->string)));
            same(it.value, c);
        }
        assert_null(c);
        if (!cJSON_IsObject(v)) break;
        cJSON_ArrayForEach(c, v) { /* a look-up finds the last of that name */
            const cJSON *last = c, *d;
            for (d = c->next; d; d = d->next) {
                if (strcmp(d->string, c->string) == 0) last = d;
            }
            struct slice found;
            assert_true(json_raw_get(raw, slice_of(c->string), &found));
            same(found, last);
        }
        break;
    case JR_STRING:
        assert_int_equal(json_raw_unescape(raw, &text), 0);
        assert_string_equal(buf_str(&text), v->valuestring);
        break;
    case JR_NUMBER: {
        double d = 0;
        int r = slice_f64(raw, &d);
        assert_int_equal(r, isinf(v->valuedouble) ? -ERANGE : 0);
        assert_true(r < 0 || (d >= v->valuedouble && d <= v->valuedouble));
        break;
    }
    default:
        assert_int_equal(json_raw_type(raw), cJSON_IsTrue(v)    ? JR_TRUE
                                             : cJSON_IsFalse(v) ? JR_FALSE
                                                                : JR_NULL);
        break;
    }
}

static struct slice trimmed(const struct buf *b) {
    return slice_trim(buf_slice(b));
}

CASE(random_documents) {
    for (uint64_t seed = 1; seed <= DOCUMENTS; seed++) {
        struct rng r = {seed};
        cleanup_buf struct buf b = BUF(1 << 20);
        random_value(&r, &b, 0);
        struct err err = {0};
        cleanup_json cJSON *v = cJSON_ParseWithLength(b.p, b.n);
        if (json_raw_check(buf_slice(&b), &err) < 0 || !v)
            fail_msg("seed %llu: %s: %s", (unsigned long long)seed, b.p, err.msg);
        same(trimmed(&b), v);

        /* Broken in one place: what we still accept, cJSON accepts too, and reads the same. */
        for (int k = 0; k < 5; k++) {
            static const char letters[] = "{}[]\",:\\0-e. nt";
            size_t at = rng_below(&r, b.n);
            char old = b.p[at];
            b.p[at] = letters[rng_below(&r, sizeof letters - 1)];
            if (json_raw_check(buf_slice(&b), NULL) == 0) {
                cleanup_json cJSON *w = cJSON_ParseWithLength(b.p, b.n);
                if (w) { /* cJSON refuses half surrogate pairs */
                    same(trimmed(&b), w);
                } else if (!strstr(b.p, "\\ud")) {
                    fail_msg("seed %llu: cJSON refuses %s", (unsigned long long)seed, b.p);
                }
            }
            b.p[at] = old;
        }
    }
}

CASES("base/json_raw_random")
