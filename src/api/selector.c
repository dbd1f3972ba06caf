/* Label selectors. The text form is parsed as k8s.io/apimachinery/pkg/labels does it (Lexer, Parser,
 * NewRequirement), its oddities included: "in" and "notin" are values where a value is due, "x in (,)" holds
 * the empty value, "!x=1" is an error. Other than there, requirements stay in the order of the text. */
#include "api/selector.h"
#include "api/label.h"
#include <errno.h>

enum { SELECTOR_MAX_TEXT = 64 * 1024 };
enum op { OP_NONE, OP_IN, OP_NOT_IN, OP_EQ, OP_EQ2, OP_NE, OP_EXISTS, OP_ABSENT, OP_GT, OP_LT };

struct requirement {
    char *key;
    enum op op;
    char **values; /* a set: sorted, each once */
    size_t n, cap;
};
struct selector {
    struct requirement *v;
    size_t n, cap;
    bool nothing; /* made from an absent spec.selector */
};

static void requirement_free(struct requirement *r) {
    free(r->key);
    for (size_t i = 0; i < r->n; i++) free(r->values[i]);
    free(r->values);
}

void selector_free(struct selector *s) {
    if (!s) return;
    for (size_t i = 0; i < s->n; i++) requirement_free(&s->v[i]);
    free(s->v);
    free(s);
}

static void add_value(struct requirement *r, struct slice value) {
    r->values = xgrow(r->values, &r->cap, r->n + 1, sizeof *r->values);
    r->values[r->n++] = slice_dup(value);
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Makes a set of the values. */
static void sort_values(struct requirement *r) {
    if (r->n < 2) return;
    qsort(r->values, r->n, sizeof *r->values, by_text);
    size_t kept = 1;
    for (size_t i = 1; i < r->n; i++) {
        if (strcmp(r->values[i], r->values[kept - 1]) == 0) {
            free(r->values[i]);
        } else {
            r->values[kept++] = r->values[i];
        }
    }
    r->n = kept;
}

/* labels.NewRequirement */
static int check_requirement(const struct requirement *r, struct err *err) {
    const char *bad = label_key_problem(slice_of(r->key));
    if (bad) return err_set(err, ERR_CONFIG, -EINVAL, "label key \"%.128s\": %s", r->key, bad);
    for (size_t i = 0; i < r->n; i++) {
        int64_t number;
        if ((r->op == OP_GT || r->op == OP_LT) && slice_i64(slice_of(r->values[i]), &number) < 0) {
            return err_set(err, ERR_CONFIG, -EINVAL,
                           "label %s: \"%.128s\": with '>' and '<' the value must be an integer", r->key,
                           r->values[i]);
        }
        bad = label_value_problem(slice_of(r->values[i]));
        if (bad)
            return err_set(err, ERR_CONFIG, -EINVAL, "label %s: value \"%.128s\": %s", r->key, r->values[i],
                           bad);
    }
    return 0;
}

/* Takes over what r owns, on failure too. */
static int add_requirement(struct selector *s, struct requirement *r, struct err *err) {
    sort_values(r);
    int e = check_requirement(r, err);
    if (e < 0) {
        requirement_free(r);
        return e;
    }
    s->v = xgrow(s->v, &s->cap, s->n + 1, sizeof *s->v);
    s->v[s->n++] = *r;
    return 0;
}

/* ---- the text form ---- */

enum token { T_END, T_WORD, T_COMMA, T_NOT, T_OPEN, T_CLOSE, T_EQ, T_EQ2, T_NE, T_GT, T_LT };

struct parser {
    struct slice rest;
    enum token tok; /* the one ahead */
    struct slice lit;
    struct err *err;
};

static bool special(char c) {
    return c && strchr("=!(),><", c);
}

static bool white(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void advance(struct parser *p) {
    while (p->rest.n && white(p->rest.p[0])) p->rest = slice_make(p->rest.p + 1, p->rest.n - 1);
    size_t n = 0;
    p->tok = T_END;
    if (p->rest.n && special(p->rest.p[0])) { /* the longest symbol */
        static const struct {
            const char *text;
            enum token tok;
        } symbols[] = {{"==", T_EQ2},  {"!=", T_NE},   {"=", T_EQ}, {"!", T_NOT}, {"(", T_OPEN},
                       {")", T_CLOSE}, {",", T_COMMA}, {">", T_GT}, {"<", T_LT}};
        for (size_t i = 0; i < ARRAY_LEN(symbols) && !n; i++) {
            if (!slice_starts(p->rest, slice_of(symbols[i].text))) continue;
            p->tok = symbols[i].tok;
            n = strlen(symbols[i].text);
        }
    } else if (p->rest.n) {
        while (n < p->rest.n && !special(p->rest.p[n]) && !white(p->rest.p[n])) n++;
        p->tok = T_WORD;
    }
    p->lit = slice_make(p->rest.p, n);
    if (n) p->rest = slice_make(p->rest.p + n, p->rest.n - n);
}

static int expected(struct parser *p, const char *what) {
    return err_set(p->err, ERR_CONFIG, -EINVAL, "found '%.*s', expected: %s",
                   (int)(p->lit.n < 128 ? p->lit.n : 128), p->lit.p ? p->lit.p : "", what);
}

static int parse_operator(struct parser *p, enum op *ret) {
    switch (p->tok) {
    case T_EQ: *ret = OP_EQ; break;
    case T_EQ2: *ret = OP_EQ2; break;
    case T_NE: *ret = OP_NE; break;
    case T_GT: *ret = OP_GT; break;
    case T_LT: *ret = OP_LT; break;
    case T_WORD:
        if (slice_eqs(p->lit, "in")) {
            *ret = OP_IN;
            break;
        }
        if (slice_eqs(p->lit, "notin")) {
            *ret = OP_NOT_IN;
            break;
        }
        return expected(p, "in, notin, =, ==, !=, >, <");
    default: return expected(p, "in, notin, =, ==, !=, >, <");
    }
    advance(p);
    return 0;
}

/* "(" [value] {"," [value]} ")": a value that is missing is the empty one */
static int parse_values(struct parser *p, struct requirement *r) {
    if (p->tok != T_OPEN) return expected(p, "'('");
    advance(p);
    for (bool due = true;; due = true) {
        if (p->tok == T_WORD) {
            add_value(r, p->lit);
            advance(p);
            due = false;
        }
        if (due) {
            if (p->tok != T_COMMA && p->tok != T_CLOSE) return expected(p, "',', ')' or identifier");
            add_value(r, SL(""));
        }
        if (p->tok == T_CLOSE) break;
        if (p->tok != T_COMMA) return expected(p, "',' or ')'");
        advance(p);
    }
    advance(p);
    return 0;
}

static int parse_exact(struct parser *p, struct requirement *r) {
    if (p->tok == T_END || p->tok == T_COMMA) {
        add_value(r, SL(""));
        return 0;
    }
    if (p->tok != T_WORD) return expected(p, "identifier");
    add_value(r, p->lit);
    advance(p);
    return 0;
}

static int parse_requirement(struct parser *p, struct requirement *r) {
    bool negated = p->tok == T_NOT;
    if (negated) advance(p);
    if (p->tok != T_WORD) return expected(p, "identifier");
    const char *bad = label_key_problem(p->lit);
    if (bad)
        return err_set(p->err, ERR_CONFIG, -EINVAL, "label key \"%.*s\": %s",
                       (int)(p->lit.n < 128 ? p->lit.n : 128), p->lit.p, bad);
    r->key = slice_dup(p->lit);
    advance(p);
    if (negated || p->tok == T_END || p->tok == T_COMMA) {
        r->op = negated ? OP_ABSENT : OP_EXISTS;
        return 0;
    }
    int e = parse_operator(p, &r->op);
    if (e < 0) return e;
    return r->op == OP_IN || r->op == OP_NOT_IN ? parse_values(p, r) : parse_exact(p, r);
}

static int parse_all(struct parser *p, struct selector *s) {
    if (p->tok == T_END) return 0;
    if (p->tok != T_WORD && p->tok != T_NOT) return expected(p, "!, identifier, or 'end of string'");
    for (;;) {
        struct requirement r = {0};
        int e = parse_requirement(p, &r);
        if (e < 0) {
            requirement_free(&r);
            return e;
        }
        e = add_requirement(s, &r, p->err);
        if (e < 0) return e;
        if (p->tok == T_END) return 0;
        if (p->tok != T_COMMA) return expected(p, "',' or 'end of string'");
        advance(p);
        if (p->tok != T_WORD && p->tok != T_NOT) return expected(p, "identifier after ','");
    }
}

int selector_parse(struct slice text, struct selector **ret, struct err *err) {
    if (text.n > SELECTOR_MAX_TEXT || slice_has(text, '\0')) {
        return err_set(err, ERR_CONFIG, -EINVAL, "label selector: at most %d bytes, without NUL",
                       SELECTOR_MAX_TEXT);
    }
    CLEANUP(selector) struct selector *s = xcalloc(1, sizeof *s);
    struct parser p = {.rest = text, .err = err};
    advance(&p);
    int e = parse_all(&p, s);
    if (e < 0) {
        err_wrap(err, "label selector \"%.*s\"", (int)(text.n < 200 ? text.n : 200), text.p ? text.p : "");
        return e;
    }
    *ret = s;
    s = NULL;
    return 0;
}

/* ---- spec.selector: metav1.LabelSelectorAsSelector ---- */

static int from_labels(struct selector *s, const cJSON *labels, struct err *err) {
    const cJSON *v;
    cJSON_ArrayForEach(v, labels) {
        if (!cJSON_IsString(v)) {
            return err_set(err, ERR_CONFIG, -EINVAL, "selector: matchLabels[%.128s] must be a string",
                           v->string);
        }
        struct requirement r = {.key = xstrdup(v->string), .op = OP_EQ};
        add_value(&r, slice_of(v->valuestring));
        int e = add_requirement(s, &r, err);
        if (e < 0) return e;
    }
    return 0;
}

static int from_expression(struct selector *s, const cJSON *expr, struct err *err) {
    static const struct {
        const char *name;
        enum op op;
    } ops[] = {{"In", OP_IN}, {"NotIn", OP_NOT_IN}, {"Exists", OP_EXISTS}, {"DoesNotExist", OP_ABSENT}};
    const char *key = json_str(expr, "key"), *name = json_str_or(expr, "operator", "");
    struct requirement r = {0};
    for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
        if (strcmp(ops[i].name, name) == 0) r.op = ops[i].op;
    }
    if (!key || r.op == OP_NONE) {
        return err_set(err, ERR_CONFIG, -EINVAL,
                       "selector: matchExpressions: key \"%.128s\", operator \"%.128s\": a key and one of "
                       "In, NotIn, Exists, "
                       "DoesNotExist are needed",
                       key ? key : "", name);
    }
    const cJSON *values = json_arr(expr, "values"), *v;
    bool set = r.op == OP_IN || r.op == OP_NOT_IN;
    if ((cJSON_GetArraySize(values) > 0) != set) {
        return err_set(err, ERR_CONFIG, -EINVAL,
                       "selector: matchExpressions: %.128s: values must %s with operator %s", key,
                       set ? "not be empty" : "be empty", name);
    }
    r.key = xstrdup(key);
    cJSON_ArrayForEach(v, values) {
        if (!cJSON_IsString(v)) {
            requirement_free(&r);
            return err_set(err, ERR_CONFIG, -EINVAL,
                           "selector: matchExpressions: %.128s: values must be strings", key);
        }
        add_value(&r, slice_of(v->valuestring));
    }
    return add_requirement(s, &r, err);
}

int selector_from_spec(const cJSON *spec, struct selector **ret, struct err *err) {
    CLEANUP(selector) struct selector *s = xcalloc(1, sizeof *s);
    s->nothing = !spec || cJSON_IsNull(spec);
    if (!s->nothing && !cJSON_IsObject(spec))
        return err_set(err, ERR_CONFIG, -EINVAL, "selector: must be an object");
    const cJSON *labels = json_get(spec, "matchLabels"), *exprs = json_get(spec, "matchExpressions"), *expr;
    if ((labels && !cJSON_IsObject(labels) && !cJSON_IsNull(labels)) ||
        (exprs && !cJSON_IsArray(exprs) && !cJSON_IsNull(exprs))) {
        return err_set(err, ERR_CONFIG, -EINVAL,
                       "selector: matchLabels must be an object and matchExpressions a list");
    }
    int e = from_labels(s, labels, err);
    if (e < 0) return e;
    cJSON_ArrayForEach(expr, exprs) {
        e = from_expression(s, expr, err);
        if (e < 0) return e;
    }
    *ret = s;
    s = NULL;
    return 0;
}

/* ---- matching and writing ---- */

static bool has_value(const struct requirement *r, const char *value) {
    return r->n && bsearch(&value, r->values, r->n, sizeof *r->values, by_text);
}

/* Requirement.Matches: != and notin also match where the label is absent; > and < never do. */
static bool requirement_match(const struct requirement *r, const cJSON *labels) {
    const char *value = json_str(labels, r->key);
    int64_t have, want;
    switch (r->op) {
    case OP_IN:
    case OP_EQ:
    case OP_EQ2: return value && has_value(r, value);
    case OP_NOT_IN:
    case OP_NE: return !value || !has_value(r, value);
    case OP_EXISTS: return value != NULL;
    case OP_ABSENT: return value == NULL;
    case OP_GT:
    case OP_LT:
        if (!value || slice_i64(slice_of(value), &have) < 0 || slice_i64(slice_of(r->values[0]), &want) < 0)
            return false;
        return r->op == OP_GT ? have > want : have < want;
    case OP_NONE: break;
    }
    return false;
}

bool selector_match(const struct selector *s, const cJSON *labels) {
    if (!s || s->nothing) return false;
    for (size_t i = 0; i < s->n; i++) {
        if (!requirement_match(&s->v[i], labels)) return false;
    }
    return true;
}

int selector_format(const struct selector *s, struct buf *out) {
    static const char *const ops[] = {[OP_IN] = " in (", [OP_NOT_IN] = " notin (", [OP_EQ] = "=",
                                      [OP_EQ2] = "==",   [OP_NE] = "!=",           [OP_GT] = ">",
                                      [OP_LT] = "<"};
    if (!s || s->nothing) return -EINVAL; /* has no text form: "" would select all */
    for (size_t i = 0; i < s->n; i++) {
        const struct requirement *r = &s->v[i];
        buf_addf(out, "%s%s%s", i ? "," : "", r->op == OP_ABSENT ? "!" : "", r->key);
        if (r->op == OP_EXISTS || r->op == OP_ABSENT) continue;
        buf_adds(out, ops[r->op]);
        for (size_t k = 0; k < r->n; k++) {
            if (k) buf_addc(out, ',');
            buf_adds(out, r->values[k]);
        }
        if (r->op == OP_IN || r->op == OP_NOT_IN) buf_addc(out, ')');
    }
    return out->full ? -ENOBUFS : 0;
}
