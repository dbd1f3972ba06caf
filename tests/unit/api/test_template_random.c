/* Random templates, written twice in different spellings: same name, same verdict; one changed leaf: another.
 */
#include "../case.h"
#include "api/template.h"
#include "base/rand.h"

enum { RUNS = 3000 };

/* Two generators run in step: what comes from shape decides what is said, what comes from style only how. */
struct writer {
    struct rng shape, style;
    int leaf, change; /* the leaf whose value is changed, -1 for none */
};

static void blank(struct writer *w, struct buf *out) {
    if (rng_below(&w->style, 8) == 0) buf_adds(out, rng_below(&w->style, 2) ? " " : "\n\t");
}

static void string(struct writer *w, struct buf *out, const char *text) {
    buf_addc(out, '"');
    for (; *text; text++) {
        if (rng_below(&w->style, 10) == 0) {
            buf_addf(out, "\\u%04x", (unsigned char)*text);
        } else {
            buf_addc(out, *text);
        }
    }
    buf_addc(out, '"');
}

static void leaf(struct writer *w, struct buf *out) {
    unsigned v = (unsigned)rng_below(&w->shape, 50);
    uint64_t kind = rng_below(&w->shape, 3), how = rng_below(&w->style, 3);
    if (w->leaf++ == w->change) v += 100;
    if (kind == 0) {
        buf_addf(out, how == 0 ? "%u" : how == 1 ? "%u.0" : "%u.00e+0", v);
    } else if (kind == 1) {
        char text[16];
        snprintf(text, sizeof text, "v%u", v);
        string(w, out, text);
    } else {
        buf_adds(out, v < 25 ? "true" : v < 100 ? "false" : "\"changed\"");
    }
}

static void quantity(struct writer *w, struct buf *out) {
    unsigned v = (unsigned)rng_below(&w->shape, 50) + 1;
    if (w->leaf++ == w->change) v += 100;
    uint64_t how = rng_below(&w->style, 4);
    buf_addf(out,
             how == 0   ? "\"%uKi\""
             : how == 1 ? "%u"
             : how == 2 ? "\"%u000m\""
                        : "\"%u\"",
             how == 0 ? v : v * 1024);
}

static void value(struct writer *w, struct buf *out, int depth);

static void object(struct writer *w, struct buf *out, int depth) {
    static const char *const names[] = {"a", "b", "spec", "x-y", "image", "resources", "emptyDir", "z"};
    size_t n = rng_below(&w->shape, 5), first = rng_below(&w->shape, ARRAY_LEN(names)),
           turn = n ? rng_below(&w->style, n) : 0;
    struct buf part[5];
    for (size_t i = 0; i < n; i++) { /* said in one order ... */
        const char *name = names[(first + i) % ARRAY_LEN(names)];
        part[i] = BUF(100000);
        blank(w, &part[i]);
        string(w, &part[i], name);
        blank(w, &part[i]);
        buf_addc(&part[i], ':');
        blank(w, &part[i]);
        if (strcmp(name, "resources") == 0) {
            buf_adds(&part[i], rng_below(&w->style, 2) ? "{\"requests\":{},\"limits\":{\"memory\":"
                                                       : "{\"limits\":{\"memory\":");
            quantity(w, &part[i]);
            buf_adds(&part[i], rng_below(&w->style, 2) ? "}}" : ",\"x\":null}}");
        } else {
            value(w, &part[i], depth + 1);
        }
    }
    bool any = false;
    buf_addc(out, '{');
    for (size_t i = 0; i < n; i++) { /* ... written in another */
        if (any) buf_addc(out, ',');
        buf_add(out, buf_slice(&part[(i + turn) % n]));
        any = true;
    }
    for (size_t i = 0; i < n; i++) buf_free(&part[i]);
    if (rng_below(&w->style, 5) == 0) buf_adds(out, any ? ",\"absent\":null" : "\"annotations\":{}");
    buf_addc(out, '}');
}

static void value(struct writer *w, struct buf *out, int depth) {
    uint64_t kind = rng_below(&w->shape, 5);
    if (depth < 5 && kind == 0) {
        object(w, out, depth);
    } else if (depth < 5 && kind == 1) {
        buf_addc(out, '[');
        for (uint64_t i = 0, n = rng_below(&w->shape, 4) + 1; i < n; i++) {
            if (i) buf_addc(out, ',');
            blank(w, out);
            value(w, out, depth + 1);
        }
        buf_addc(out, ']');
    } else {
        leaf(w, out);
    }
}

static int write_template(struct buf *out, uint64_t seed, uint64_t style, int change) {
    struct writer w = {.shape = {seed}, .style = {style * 7919 + 13}, .change = change};
    buf_adds(out, "{\"metadata\":{\"labels\":{\"app\":\"x\"");
    if (rng_below(&w.style, 2)) buf_addf(out, ",\"pod-template-hash\":\"%llu\"", (unsigned long long)style);
    buf_adds(out, "}},\"body\":");
    object(&w, out, 0);
    buf_addc(out, '}');
    return w.leaf;
}

CASE(spellings) {
    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        cleanup_buf struct buf a = BUF(1 << 20), b = BUF(1 << 20), c = BUF(1 << 20);
        int leaves = write_template(&a, seed, seed, -1);
        write_template(&b, seed, seed + 1000003, -1);
        char x[11], y[11], z[11];
        assert_int_equal(template_hash(buf_slice(&a), x, NULL), 0);
        assert_int_equal(template_hash(buf_slice(&b), y, NULL), 0);
        if (strcmp(x, y) != 0) fail_msg("seed %llu: %s\n%s", (unsigned long long)seed, a.p, b.p);
        if (!leaves) continue;
        write_template(&c, seed, seed + 2000003, (int)(seed % (uint64_t)leaves));
        assert_int_equal(template_hash(buf_slice(&c), z, NULL), 0);
        if (strcmp(x, z) == 0) fail_msg("seed %llu: %s\n%s", (unsigned long long)seed, a.p, c.p);
    }
}

CASES("api/template_random")
