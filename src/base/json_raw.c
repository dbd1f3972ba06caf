/* JSON as text (RFC 8259). The checker decides what is well-formed; everything else may assume it, but stays
 * inside the slice whatever it is handed. Nothing here recurses. */
#include "base/json_raw.h"
#include "base/utf8.h"
#include <errno.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

struct scan {
    const char *p, *end;
};

static bool at(const struct scan *s, char c) {
    return s->p < s->end && *s->p == c;
}

static bool at_digit(const struct scan *s) {
    return s->p < s->end && *s->p >= '0' && *s->p <= '9';
}

static void blanks(struct scan *s) {
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r')) s->p++;
}

static int hex4(const char *p, const char *end) {
    if (end - p < 4) return -1;
    int v = 0;
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        int d = c >= '0' && c <= '9'                     ? c - '0'
                : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                                         : -1;
        if (d < 0) return -1;
        v = v * 16 + d;
    }
    return v;
}

/* ---- checking: each returns NULL, or what is wrong at s->p ---- */

static const char *check_string(struct scan *s) {
    for (s->p++; s->p < s->end;) {
        unsigned char c = (unsigned char)*s->p;
        if (c == '"') {
            s->p++;
            return NULL;
        }
        if (c < 0x20) return "a control character in a string";
        if (c == '\\') {
            if (s->end - s->p < 2) break;
            char e = s->p[1];
            if (e == 'u') {
                if (hex4(s->p + 2, s->end) < 0) return "a bad \\u escape";
                s->p += 6;
            } else if (e && strchr("\"\\/bfnrt", e)) {
                s->p += 2;
            } else {
                return "a bad escape";
            }
            continue;
        }
        size_t n = utf8_len(slice_make(s->p, (size_t)(s->end - s->p)));
        if (!n) return "invalid UTF-8";
        s->p += n;
    }
    return "a string without end";
}

static const char *check_digits(struct scan *s) {
    if (!at_digit(s)) return "a bad number";
    while (at_digit(s)) s->p++;
    return NULL;
}

static const char *check_number(struct scan *s) {
    if (at(s, '-')) s->p++;
    if (at(s, '0')) {
        s->p++;
        if (at_digit(s)) return "a number with a leading zero";
    } else {
        const char *bad = check_digits(s);
        if (bad) return bad;
    }
    if (at(s, '.')) {
        s->p++;
        const char *bad = check_digits(s);
        if (bad) return bad;
    }
    if (at(s, 'e') || at(s, 'E')) {
        s->p++;
        if (at(s, '+') || at(s, '-')) s->p++;
        return check_digits(s);
    }
    return NULL;
}

static const char *check_word(struct scan *s, const char *word) {
    size_t n = strlen(word);
    if ((size_t)(s->end - s->p) < n || memcmp(s->p, word, n) != 0) return "an unknown word";
    s->p += n;
    return NULL;
}

static const char *check_scalar(struct scan *s) {
    if (s->p == s->end) return "an end where a value should be";
    switch (*s->p) {
    case '"': return check_string(s);
    case 't': return check_word(s, "true");
    case 'f': return check_word(s, "false");
    case 'n': return check_word(s, "null");
    default: return *s->p == '-' || at_digit(s) ? check_number(s) : "no value";
    }
}

static const char *check_key(struct scan *s) {
    blanks(s);
    if (!at(s, '"')) return "no member name";
    const char *bad = check_string(s);
    if (bad) return bad;
    blanks(s);
    if (!at(s, ':')) return "no colon";
    s->p++;
    return NULL;
}

/* open[d] is the bracket that closes level d. */
static const char *check_doc(struct scan *s, char open[JSON_RAW_DEPTH]) {
    size_t depth = 0;
    for (;;) { /* a value is due */
        const char *bad = NULL;
        blanks(s);
        if (at(s, '{') || at(s, '[')) {
            if (depth == JSON_RAW_DEPTH) return "nesting too deep";
            char close = *s->p == '{' ? '}' : ']';
            open[depth++] = close;
            s->p++;
            blanks(s);
            if (!at(s, close)) {
                if (close == '}') bad = check_key(s);
                if (bad) return bad;
                continue;
            }
        } else {
            bad = check_scalar(s);
            if (bad) return bad;
        }
        for (;;) { /* a value, or an empty container that is still open, lies behind */
            blanks(s);
            if (!depth) return s->p == s->end ? NULL : "text behind the value";
            if (!at(s, open[depth - 1])) break;
            s->p++;
            depth--;
        }
        if (!at(s, ',')) return s->p == s->end ? "an end inside a container" : "no comma";
        s->p++;
        if (open[depth - 1] == '}') bad = check_key(s);
        if (bad) return bad;
    }
}

int json_raw_check(struct slice doc, struct err *err) {
    if (!doc.n) return err_set(err, ERR_PROTOCOL, -EINVAL, "invalid JSON: empty");
    struct scan s = {doc.p, doc.p + doc.n};
    char open[JSON_RAW_DEPTH];
    const char *bad = check_doc(&s, open);
    if (!bad) return 0;
    return err_set(err, ERR_PROTOCOL, -EINVAL, "invalid JSON: %s at byte %zu of %zu", bad,
                   (size_t)(s.p - doc.p), doc.n);
}

/* ---- walking ---- */

enum json_raw_type json_raw_type(struct slice value) {
    if (!value.n) return JR_INVALID;
    switch (value.p[0]) {
    case '{': return JR_OBJECT;
    case '[': return JR_ARRAY;
    case '"': return JR_STRING;
    case 't': return JR_TRUE;
    case 'f': return JR_FALSE;
    case 'n': return JR_NULL;
    default: return value.p[0] == '-' || (value.p[0] >= '0' && value.p[0] <= '9') ? JR_NUMBER : JR_INVALID;
    }
}

static bool is_plain(char c) {
    return c != '"' && c != '\\' && (unsigned char)c >= 0x20;
}

/* Sixteen bytes at a time where every processor can, else eight: the highest bit of each byte that a test meets. Exact for the first of them, which is enough: then it goes on byte by byte. */
const char *json_raw_plain(const char *p, const char *end) {
#ifdef __SSE2__
    for (; end - p >= 16; p += 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(x, _mm_set1_epi8(0x1f)), x);
        __m128i quoted =
            _mm_or_si128(_mm_cmpeq_epi8(x, _mm_set1_epi8('"')), _mm_cmpeq_epi8(x, _mm_set1_epi8('\\')));
        unsigned met = (unsigned)_mm_movemask_epi8(_mm_or_si128(control, quoted));
        if (met) return p + __builtin_ctz(met);
    }
#endif
    static const uint64_t one = UINT64_C(0x0101010101010101), high = UINT64_C(0x8080808080808080);
    for (; end - p >= 8; p += 8) {
        uint64_t x;
        memcpy(&x, p, sizeof x);
        uint64_t quote = x ^ one * '"', escape = x ^ one * '\\';
        uint64_t met =
            (((quote - one) & ~quote) | ((escape - one) & ~escape) | ((x - one * 0x20) & ~x)) & high;
        if (met) break;
    }
    while (p < end && is_plain(*p)) p++;
    return p;
}

static void skip_string(struct scan *s) {
    for (s->p++; (s->p = json_raw_plain(s->p, s->end)) < s->end && *s->p != '"'; s->p++) {
        if (*s->p == '\\' && s->p + 1 < s->end) s->p++;
    }
    if (s->p < s->end) s->p++;
}

static struct slice skip_value(struct scan *s) {
    const char *start = s->p;
    size_t depth = 0;
    do {
        if (s->p == s->end) break;
        char c = *s->p;
        if (c == '"') {
            skip_string(s);
        } else if (c == '{' || c == '[') {
            depth++;
            s->p++;
        } else if (c == '}' || c == ']') {
            if (depth) depth--;
            s->p++;
        } else if (depth) {
            s->p++;
        } else {
            while (s->p < s->end && !strchr(",]} \t\r\n", *s->p)) s->p++;
        }
    } while (depth);
    return slice_make(start, (size_t)(s->p - start));
}

struct json_raw_it json_raw_each(struct slice value) {
    if (!value.p) return (struct json_raw_it){0};
    struct scan s = {value.p, value.p + value.n};
    blanks(&s);
    if (!at(&s, '{') && !at(&s, '[')) return (struct json_raw_it){0};
    return (struct json_raw_it){.p = s.p + 1, .end = s.end, .object = *s.p == '{'};
}

bool json_raw_key(struct json_raw_it *it) {
    if (!it->p) return false;
    struct scan s = {it->p, it->end};
    if (it->due) skip_value(&s);
    if (it->due && s.p == it->p) s.p = s.end; /* always forward, whatever the text */
    it->due = false;
    blanks(&s);
    if (at(&s, ',')) {
        s.p++;
        blanks(&s);
    }
    struct slice key = {0};
    if (it->object && at(&s, '"')) {
        const char *start = s.p;
        skip_string(&s);
        key = slice_make(start, (size_t)(s.p - start));
        blanks(&s);
        if (at(&s, ':')) s.p++;
        blanks(&s);
    } else if (it->object) {
        s.p = s.end;
    }
    if (s.p == s.end || *s.p == ']' || *s.p == '}') {
        it->p = NULL;
        return false;
    }
    it->key = key;
    it->value = slice_make(s.p, (size_t)(s.end - s.p));
    it->p = s.p;
    it->due = true;
    return true;
}

bool json_raw_next(struct json_raw_it *it) {
    const char *before = it->p;
    if (!json_raw_key(it)) return false;
    struct scan s = {it->p, it->end};
    it->value = skip_value(&s);
    it->due = false;
    it->p = s.p > before ? s.p : NULL; /* always forward, whatever the text */
    return it->p != NULL;
}

bool json_raw_get(struct slice obj, struct slice key, struct slice *ret) {
    bool found = false;
    struct json_raw_it it = json_raw_each(obj);
    while (it.object && json_raw_next(&it)) {
        if (!json_raw_string_is(it.key, key)) continue;
        *ret = it.value;
        found = true;
    }
    return found;
}

bool json_raw_at(struct slice doc, const char *path, struct slice *ret) {
    struct slice rest = slice_of(path), name;
    if (!path) return false;
    while (rest.p) {
        slice_cut(rest, '/', &name, &rest);
        if (!json_raw_get(doc, name, &doc)) return false;
    }
    *ret = doc;
    return true;
}

/* ---- strings ---- */

static size_t utf8_put(unsigned cp, char out[4]) {
    if (cp < 0x80) {
        out[0] = (char)cp;
        return 1;
    }
    size_t n = cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = n - 1; i > 0; i--, cp >>= 6) out[i] = (char)(0x80 | (cp & 0x3f));
    out[0] = (char)(lead[n] | cp);
    return n;
}

/* The next piece of a string's text: a run without escapes, or one escaped character in tmp. Empty at the
 * end, p == NULL if the escape is bad. A lone surrogate becomes U+FFFD, as in Go. */
static struct slice next_piece(struct scan *s, char tmp[4]) {
    const char *start = s->p;
    if (s->p == s->end || *s->p != '\\') {
        const char *esc = memchr(start, '\\', (size_t)(s->end - start));
        s->p = esc ? esc : s->end;
        return slice_make(start, (size_t)(s->p - start));
    }
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    char e = s->end - s->p >= 2 ? s->p[1] : '\0';
    const char *simple = e ? strchr(from, e) : NULL;
    if (simple) {
        tmp[0] = to[simple - from];
        s->p += 2;
        return slice_make(tmp, 1);
    }
    int cp = e == 'u' ? hex4(s->p + 2, s->end) : -1;
    if (cp < 0) return (struct slice){0};
    s->p += 6;
    if (cp >= 0xd800 && cp <= 0xdfff) {
        int low = cp <= 0xdbff && s->end - s->p >= 2 && s->p[0] == '\\' && s->p[1] == 'u'
                      ? hex4(s->p + 2, s->end)
                      : -1;
        if (low >= 0xdc00 && low <= 0xdfff) {
            cp = 0x10000 + ((cp - 0xd800) << 10) + (low - 0xdc00);
            s->p += 6;
        } else {
            cp = 0xfffd;
        }
    }
    return slice_make(tmp, utf8_put((unsigned)cp, tmp));
}

static bool quoted(struct slice str, struct scan *inside) {
    if (str.n < 2 || str.p[0] != '"' || str.p[str.n - 1] != '"') return false;
    *inside = (struct scan){str.p + 1, str.p + str.n - 1};
    return true;
}

int json_raw_unescape(struct slice str, struct buf *out) {
    struct scan s;
    if (!quoted(str, &s)) return -EINVAL;
    size_t before = out->n;
    while (s.p < s.end) {
        char tmp[4];
        struct slice piece = next_piece(&s, tmp);
        int r = piece.p ? buf_add(out, piece) : -EINVAL;
        if (r < 0) {
            out->n = before;
            if (out->p) out->p[before] = '\0';
            return r;
        }
    }
    return 0;
}

bool json_raw_string_is(struct slice str, struct slice text) {
    struct scan s;
    if (!quoted(str, &s)) return false;
    while (s.p < s.end) {
        char tmp[4];
        struct slice piece = next_piece(&s, tmp);
        if (!piece.p || piece.n > text.n || memcmp(piece.p, text.p, piece.n) != 0) return false;
        text = slice_make(text.p + piece.n, text.n - piece.n);
    }
    return text.n == 0;
}
