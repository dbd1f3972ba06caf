/* See scalar.h. */
#include "scalar.h"
#include "base/json_raw.h"
#include <errno.h>
#include <float.h>
#include <stdio.h>
#include <stdlib.h>

enum { NUMBER_MAX = 400 }; /* a longer one is no double */

static const struct {
    const char *text;
    enum yaml_type type;
    const char *json;
} words[] = {
    {"", YAML_IS_NULL, NULL},         {"~", YAML_IS_NULL, NULL},        {"null", YAML_IS_NULL, NULL},
    {"Null", YAML_IS_NULL, NULL},     {"NULL", YAML_IS_NULL, NULL},     {"true", YAML_IS_BOOL, "true"},
    {"True", YAML_IS_BOOL, "true"},   {"TRUE", YAML_IS_BOOL, "true"},   {"y", YAML_IS_BOOL, "true"},
    {"Y", YAML_IS_BOOL, "true"},      {"yes", YAML_IS_BOOL, "true"},    {"Yes", YAML_IS_BOOL, "true"},
    {"YES", YAML_IS_BOOL, "true"},    {"on", YAML_IS_BOOL, "true"},     {"On", YAML_IS_BOOL, "true"},
    {"ON", YAML_IS_BOOL, "true"},     {"false", YAML_IS_BOOL, "false"}, {"False", YAML_IS_BOOL, "false"},
    {"FALSE", YAML_IS_BOOL, "false"}, {"n", YAML_IS_BOOL, "false"},     {"N", YAML_IS_BOOL, "false"},
    {"no", YAML_IS_BOOL, "false"},    {"No", YAML_IS_BOOL, "false"},    {"NO", YAML_IS_BOOL, "false"},
    {"off", YAML_IS_BOOL, "false"},   {"Off", YAML_IS_BOOL, "false"},   {"OFF", YAML_IS_BOOL, "false"},
    {".nan", YAML_IS_LIST, NULL},     {".NaN", YAML_IS_LIST, NULL},     {".NAN", YAML_IS_LIST, NULL},
    {".inf", YAML_IS_LIST, NULL},     {".Inf", YAML_IS_LIST, NULL},     {".INF", YAML_IS_LIST, NULL},
    {"+.inf", YAML_IS_LIST, NULL},    {"+.Inf", YAML_IS_LIST, NULL},    {"+.INF", YAML_IS_LIST, NULL},
    {"-.inf", YAML_IS_LIST, NULL},    {"-.Inf", YAML_IS_LIST, NULL},    {"-.INF", YAML_IS_LIST, NULL},
};

static bool digit(char c) {
    return c >= '0' && c <= '9';
}

/* As strconv.ParseInt(s, 0, 64) and ParseUint. */
static bool integer(const char *s, struct buf *json) {
    bool minus = *s == '-';
    const char *p = s + (*s == '-' || *s == '+');
    int base = 10;
    if (p[0] == '0' && p[1] && strchr("xXoObB", p[1])) {
        base = p[1] == 'x' || p[1] == 'X' ? 16 : p[1] == 'o' || p[1] == 'O' ? 8 : 2;
        p += 2;
    } else if (p[0] == '0' && p[1]) {
        base = 8;
    }
    if (!digit(*p) && !(base == 16 && *p && strchr("abcdefABCDEF", *p))) return false;
    char *end = NULL;
    errno = 0;
    unsigned long long v = strtoull(p, &end, base);
    if (*end || errno || (minus && v > (unsigned long long)INT64_MAX + 1)) return false;
    buf_addf(json, "%s%llu", minus && v ? "-" : "", v);
    return true;
}

/* [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)? */
static bool decimal(const char *s) {
    if (*s == '-' || *s == '+') s++;
    size_t whole = strspn(s, "0123456789"), part = 0;
    s += whole;
    if (*s == '.') {
        part = strspn(s + 1, "0123456789");
        if (!whole && !part) return false;
        s += 1 + part;
    }
    if (!whole && !part) return false;
    if (*s == 'e' || *s == 'E') {
        s += 1 + (s[1] == '-' || s[1] == '+');
        if (!digit(*s)) return false;
        s += strspn(s, "0123456789");
    }
    return !*s;
}

static enum yaml_type number(struct slice text, struct buf *json) {
    char s[NUMBER_MAX + 1];
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '_' && text.p[0] != '.') continue;
        if (n == NUMBER_MAX) return YAML_IS_STRING;
        s[n++] = text.p[i];
    }
    s[n] = '\0';
    if (!decimal(s)) return integer(s, json) ? YAML_IS_NUMBER : YAML_IS_STRING;
    double v = strtod(s, NULL);
    if (v > DBL_MAX || v < -DBL_MAX) return YAML_IS_STRING;
    bool own = s[0] == '-' || digit(s[0]);
    if (own && json_raw_check(slice_of(s), NULL) == 0) { /* JSON's own notation stays, so that it is exact */
        buf_adds(json, s);
        return YAML_IS_NUMBER;
    }
    if (integer(s, json)) return YAML_IS_NUMBER;
    buf_addf(json, "%.17g", v);
    return YAML_IS_NUMBER;
}

enum yaml_type scalar_resolve(struct slice text, struct buf *json) {
    for (size_t i = 0; text.n < 6 && i < ARRAY_LEN(words); i++) {
        if (!slice_eqs(text, words[i].text)) continue;
        if (words[i].json) buf_adds(json, words[i].json);
        return words[i].type;
    }
    bool may = digit(text.p[0]) || strchr("+-.", text.p[0]);
    return may ? number(text, json) : YAML_IS_STRING;
}
