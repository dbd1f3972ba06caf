/* JSON as text: safe on any bytes, and of one mind with cJSON about those that it accepts. */
#include "fuzz.h"
#include "base/json.h"
#include "base/json_raw.h"
#include <math.h>

/* The cursor must stay inside whatever it is given. */
static void walk(struct slice v, int depth) {
    struct json_raw_it it = json_raw_each(v);
    int n = 0;
    while (json_raw_next(&it) && n++ < 2000) {
        FUZZ_CHECK(it.value.p >= v.p && it.value.p + it.value.n <= v.p + v.n);
        cleanup_buf struct buf out = BUF(1 << 20);
        (void)json_raw_unescape(it.key, &out);
        (void)json_raw_number_eq(it.value, it.value);
        if (depth < 50) walk(it.value, depth + 1);
    }
}

static void same(struct slice raw, const cJSON *tree) {
    cleanup_buf struct buf out = BUF(1 << 20), again = BUF(1 << 22), number = BUF(1 << 20);
    const cJSON *c = tree->child;
    struct json_raw_it it = json_raw_each(raw);
    switch (json_raw_type(raw)) {
    case JR_OBJECT:
    case JR_ARRAY:
        for (; json_raw_next(&it); c = c->next) {
            FUZZ_CHECK(c);
            FUZZ_CHECK(!it.object ||
                       (json_raw_unescape(it.key, &out) == 0 && strcmp(buf_str(&out), c->string) == 0));
            buf_clear(&out);
            same(it.value, c);
        }
        FUZZ_CHECK(!c);
        break;
    case JR_STRING:
        FUZZ_CHECK(json_raw_unescape(raw, &out) == 0);
        FUZZ_CHECK(cJSON_IsString(tree) &&
                   strcmp(buf_str(&out), tree->valuestring) == 0); /* to the first NUL */
        FUZZ_CHECK(json_raw_string_is(raw, buf_slice(&out)));
        FUZZ_CHECK(buf_add_json(&again, buf_slice(&out)) == 0);
        FUZZ_CHECK(json_raw_check(buf_slice(&again), NULL) == 0);
        FUZZ_CHECK(json_raw_string_is(buf_slice(&again), buf_slice(&out)));
        break;
    case JR_NUMBER:
        FUZZ_CHECK(cJSON_IsNumber(tree) && json_raw_number_eq(raw, raw));
        FUZZ_CHECK(json_raw_number_canonical(raw, &number) == 0 && number.n <= raw.n + 24);
        FUZZ_CHECK(json_raw_number_eq(raw, buf_slice(&number)));
        if (isfinite(tree->valuedouble)) {
            double d;
            FUZZ_CHECK(slice_f64(buf_slice(&number), &d) == 0 && d >= tree->valuedouble &&
                       d <= tree->valuedouble);
        }
        break;
    case JR_TRUE: FUZZ_CHECK(cJSON_IsTrue(tree)); break;
    case JR_FALSE: FUZZ_CHECK(cJSON_IsFalse(tree)); break;
    case JR_NULL: FUZZ_CHECK(cJSON_IsNull(tree)); break;
    case JR_INVALID: abort(); /* a checked value has a type */
    }
}

FUZZ(doc) {
    walk(doc, 0);
    struct err err = {0};
    if (json_raw_check(doc, &err) < 0) {
        FUZZ_CHECK(err.msg[0] && !json_parse(doc, NULL));
        return;
    }
    cleanup_json cJSON *tree = cJSON_ParseWithLength(doc.p, doc.n);
    if (!tree) return; /* cJSON does not take lone surrogates and numbers of more than 63 letters */
    while (doc.n && strchr(" \t\r\n", doc.p[0])) doc = slice_make(doc.p + 1, doc.n - 1);
    while (doc.n && strchr(" \t\r\n", doc.p[doc.n - 1])) doc.n--;
    same(doc, tree);
}
