/* JSON trees with exact numbers. */
#include "base/json_tree.h"
#include "base/json_raw.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>

/* ---- printing ---- */
void json_tree_print_string(const char *s, struct buf *out) {
    static const char hex[] = "0123456789abcdef";
    buf_addc(out, '"');
    for (const char *run = s;; s++) {
        unsigned char c = (unsigned char)*s;
        if (c >= 0x20 && c != '"' && c != '\\') continue;
        if (s > run) buf_add(out, slice_make(run, (size_t)(s - run)));
        run = s + 1;
        if (c == 0) break;
        char esc[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
        size_t n = 2;
        switch (c) {
        case '"':
        case '\\': esc[1] = (char)c; break;
        case '\n': esc[1] = 'n'; break;
        case '\r': esc[1] = 'r'; break;
        case '\t': esc[1] = 't'; break;
        default: n = 6;
        }
        buf_add(out, slice_make(esc, n));
    }
    buf_addc(out, '"');
}

static void format_number(double d, char ret[40]) {
    if (!isfinite(d)) {
        snprintf(ret, 40, "null");
    } else if (fabs(d) < 0x1p63 && d == trunc(d)) {
        snprintf(ret, 40, "%lld", (long long)d);
    } else {
        for (int digits = 15; digits <= 17; digits++) {
            snprintf(ret, 40, "%.*g", digits, d);
            if (strtod(ret, NULL) == d) break;
        }
    }
}

static void print_members(const cJSON *v, struct buf *out, bool object) {
    buf_addc(out, object ? '{' : '[');
    for (const cJSON *c = v->child; c; c = c->next) {
        if (c != v->child) buf_addc(out, ',');
        if (object) {
            json_tree_print_string(c->string ? c->string : "", out);
            buf_addc(out, ':');
        }
        json_tree_print(c, out);
    }
    buf_addc(out, object ? '}' : ']');
}

void json_tree_print(const cJSON *v, struct buf *out) {
    char num[40];
    if (cJSON_IsString(v)) {
        json_tree_print_string(v->valuestring ? v->valuestring : "", out);
    } else if (cJSON_IsObject(v) || cJSON_IsArray(v)) {
        print_members(v, out, cJSON_IsObject(v));
    } else if (cJSON_IsNumber(v)) {
        if (!v->valuestring) format_number(v->valuedouble, num);
        buf_adds(out, v->valuestring ? v->valuestring : num);
    } else {
        buf_adds(out, cJSON_IsTrue(v) ? "true" : cJSON_IsFalse(v) ? "false" : "null");
    }
}

/* ---- parsing ---- */
static char *unescaped(struct slice raw) {
    struct buf b = BUF(SIZE_MAX - 1);
    /* A string cannot hold a NUL here; what follows one is cut, as strings of C are. */
    if (json_raw_unescape(raw, &b) < 0) buf_clear(&b);
    return buf_take(&b);
}

static char *string_of(struct slice raw) {
    if (raw.n >= 2 && !memchr(raw.p, '\\', raw.n)) return slice_dup(slice_make(raw.p + 1, raw.n - 2));
    return unescaped(raw);
}

static cJSON *number_of(struct slice raw) {
    char small[64], num[40];
    double d = 0;
    if (raw.n < sizeof small) {
        memcpy(small, raw.p, raw.n);
        small[raw.n] = '\0';
        d = strtod(small, NULL);
    } else {
        cleanup_free char *big = slice_dup(raw);
        d = strtod(big, NULL);
    }
    cJSON *v = cJSON_CreateNumber(d);
    if (!v) abort();
    if (raw.n > 15) { /* up to 15 digits a double is exact */
        format_number(v->valuedouble, num);
        if (!json_raw_number_eq(raw, slice_of(num))) v->valuestring = slice_dup(raw);
    }
    return v;
}

/* Appends without cJSON's walk to the end of the list: that is kept in the first child's prev, as cJSON does
 * itself. */
static void append(cJSON *parent, cJSON *item) {
    cJSON *first = parent->child;
    if (!first) {
        parent->child = item;
        item->prev = item;
    } else {
        first->prev->next = item;
        item->prev = first->prev;
        first->prev = item;
    }
}

/* Go keeps the last of several members with one name. Long objects are not searched: no client of ours writes
 * such. */
static void drop_same(cJSON *obj, const char *name, size_t members) {
    if (members > 64) return;
    cJSON_DeleteItemFromObjectCaseSensitive(obj, name);
}

/* One pass over text that is known to be well-formed: no bounds are looked at that the form does not give. */
static const char *skip_blanks(const char *p) {
    while (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r') p++;
    return p;
}

static const char *string_end(const char *p) { /* p: at the opening quote; behind the closing one */
    for (p++; *p != '"'; p++) {
        if (*p == '\\') p++;
    }
    return p + 1;
}

/* all: members with the same name are all kept */
static const char *parse_value(const char *p, const char *end, bool all, cJSON **ret);

static const char *parse_members(const char *p, const char *end, bool object, bool all, cJSON *parent) {
    char close = object ? '}' : ']';
    size_t n = 0;
    p = skip_blanks(p + 1);
    while (*p != close) {
        char *name = NULL;
        if (object) {
            const char *key = p;
            p = string_end(p);
            name = string_of(slice_make(key, (size_t)(p - key)));
            p = skip_blanks(p) + 1; /* the colon */
        }
        cJSON *c = NULL;
        p = skip_blanks(parse_value(p, end, all, &c));
        if (object) {
            if (!all) drop_same(parent, name, n++);
            c->string = name;
        }
        append(parent, c);
        if (*p == ',') p = skip_blanks(p + 1);
    }
    return p + 1;
}

static const char *parse_value(const char *p, const char *end, bool all, cJSON **ret) {
    p = skip_blanks(p);
    const char *from = p;
    cJSON *v = NULL;
    if (*p == '{' || *p == '[') {
        v = *p == '{' ? cJSON_CreateObject() : cJSON_CreateArray();
        if (v) p = parse_members(p, end, *p == '{', all, v);
    } else if (*p == '"') {
        p = string_end(p);
        v = cJSON_CreateNull();
        if (v) {
            v->type = cJSON_String;
            v->valuestring = string_of(slice_make(from, (size_t)(p - from)));
        }
    } else {
        while (p < end && !strchr(",]} \t\r\n", *p)) p++;
        switch (*from) {
        case 't': v = cJSON_CreateTrue(); break;
        case 'f': v = cJSON_CreateFalse(); break;
        case 'n': v = cJSON_CreateNull(); break;
        default: v = number_of(slice_make(from, (size_t)(p - from))); break;
        }
    }
    if (!v) abort();
    *ret = v;
    return p;
}

cJSON *json_tree_parse_checked(struct slice text) {
    cJSON *v = NULL;
    parse_value(text.p, text.p + text.n, false, &v);
    return v;
}

cJSON *json_tree_parse_all(struct slice text, struct err *err) {
    cJSON *v = NULL;
    if (json_raw_check(text, err) < 0) return NULL;
    text = slice_trim(text);
    parse_value(text.p, text.p + text.n, true, &v);
    return v;
}

cJSON *json_tree_parse(struct slice text, struct err *err) {
    if (json_raw_check(text, err) < 0) return NULL;
    return json_tree_parse_checked(text);
}

/* ---- trees ---- */
static bool number_equal(const cJSON *a, const cJSON *b) {
    if (!a->valuestring && !b->valuestring) return a->valuedouble == b->valuedouble;
    char na[40], nb[40];
    format_number(a->valuedouble, na);
    format_number(b->valuedouble, nb);
    return json_raw_number_eq(slice_of(a->valuestring ? a->valuestring : na),
                              slice_of(b->valuestring ? b->valuestring : nb));
}

static size_t members(const cJSON *v) {
    size_t n = 0;
    for (const cJSON *c = v->child; c; c = c->next) n++;
    return n;
}

static bool object_equal(const cJSON *a, const cJSON *b) {
    if (members(a) != members(b)) return false;
    const cJSON *y = b->child; /* mostly in the same order */
    for (const cJSON *x = a->child; x; x = x->next) {
        const cJSON *other = y && strcmp(y->string, x->string) == 0 ? y : json_get(b, x->string);
        if (!other || !json_tree_equal(x, other)) return false;
        if (y) y = y->next;
    }
    return true;
}

bool json_tree_equal(const cJSON *a, const cJSON *b) {
    if (a == b) return true;
    if (!a || !b || (a->type & 0xff) != (b->type & 0xff)) return false;
    if (cJSON_IsString(a)) return strcmp(a->valuestring, b->valuestring) == 0;
    if (cJSON_IsNumber(a)) return number_equal(a, b);
    if (cJSON_IsObject(a)) return object_equal(a, b);
    if (!cJSON_IsArray(a)) return true;
    const cJSON *x = a->child, *y = b->child;
    for (; x && y; x = x->next, y = y->next) {
        if (!json_tree_equal(x, y)) return false;
    }
    return !x && !y;
}

cJSON *json_tree_dup(const cJSON *v) {
    if (!v) return NULL;
    cJSON *d = cJSON_Duplicate(v, true);
    if (!d) abort();
    return d;
}

cJSON *json_tree_get(cJSON *obj, const char *key) {
    return cJSON_IsObject(obj) ? cJSON_GetObjectItemCaseSensitive(obj, key) : NULL;
}

void json_tree_set(cJSON *obj, const char *key, cJSON *value) {
    if (!value) {
        cJSON_DeleteItemFromObjectCaseSensitive(obj, key);
    } else if (json_tree_get(obj, key)) {
        cJSON_ReplaceItemInObjectCaseSensitive(obj, key, value);
    } else {
        free(value->string);
        value->string = xstrdup(key);
        append(obj, value);
    }
}

void json_tree_append(cJSON *obj, const char *key, cJSON *value) {
    free(value->string);
    value->string = xstrdup(key);
    append(obj, value);
}

void json_tree_set_str(cJSON *obj, const char *key, const char *value) {
    cJSON *v = cJSON_CreateString(value);
    if (!v) abort();
    json_tree_set(obj, key, v);
}

void json_tree_set_num(cJSON *obj, const char *key, double value) {
    cJSON *v = cJSON_CreateNumber(value);
    if (!v) abort();
    json_tree_set(obj, key, v);
}

cJSON *json_tree_child(cJSON *obj, const char *key) {
    cJSON *c = json_tree_get(obj, key);
    if (cJSON_IsObject(c)) return c;
    c = cJSON_CreateObject();
    if (!c) abort();
    json_tree_set(obj, key, c);
    return c;
}
