/* One line of a metrics page: name, labels, value; a timestamp or an exemplar after it is looked at and left.
 */
#include "judge/promline.h"
#include <ctype.h>
#include <errno.h>

struct reader {
    struct slice all;
    size_t at;
    struct err *err;
    char *scratch;
};

static int peek(const struct reader *r) {
    return r->at < r->all.n ? (unsigned char)r->all.p[r->at] : -1;
}

static int expected(const struct reader *r, const char *what) {
    int c = peek(r);
    if (c < 0) return err_set(r->err, ERR_PROTOCOL, -EINVAL, "expected %s, found the end of the line", what);
    if (c < 0x20 || c > 0x7e)
        return err_set(r->err, ERR_PROTOCOL, -EINVAL, "expected %s, found byte 0x%02x", what, (unsigned)c);
    return err_set(r->err, ERR_PROTOCOL, -EINVAL, "expected %s, found '%c'", what, c);
}

static bool blanks(struct reader *r) {
    size_t from = r->at;
    while (peek(r) == ' ' || peek(r) == '\t') r->at++;
    return r->at > from;
}

static int name(struct reader *r, bool colon, const char *what, struct slice *ret) {
    size_t from = r->at;
    for (int c = peek(r); c == '_' || isalpha(c) || (colon && c == ':') || (r->at > from && isdigit(c));
         c = peek(r))
        r->at++;
    if (r->at == from) return expected(r, what);
    *ret = slice_make(r->all.p + from, r->at - from);
    return 0;
}

/* The text between two quotes; only one with a backslash is copied. */
static int quoted(struct reader *r, struct slice *ret) {
    if (peek(r) != '"') return expected(r, "a quoted value");
    size_t from = ++r->at;
    bool escaped = false;
    for (int c = peek(r); c != '"'; c = peek(r)) {
        if (c < 0) return expected(r, "the closing quote");
        if (c == '\\') {
            escaped = true;
            r->at++;
            c = peek(r);
            if (c != '\\' && c != '"' && c != 'n') return expected(r, "\\, n or a quote after a backslash");
        }
        r->at++;
    }
    *ret = slice_make(r->all.p + from, r->at++ - from);
    if (!escaped) return 0;
    char *out = r->scratch;
    for (size_t i = 0; i < ret->n; i++) {
        char c = ret->p[i];
        if (c == '\\') {
            c = ret->p[++i];
            if (c == 'n') c = '\n';
        }
        *r->scratch++ = c;
    }
    *ret = slice_make(out, (size_t)(r->scratch - out));
    return 0;
}

static int label(struct reader *r, struct prom_line *l) {
    if (l->n == PROM_MAX_LABELS) return expected(r, "at most 128 labels");
    struct prom_label *x = &l->label[l->n];
    bool quote = peek(r) == '"';
    int rc = quote ? quoted(r, &x->name) : name(r, false, "a label's name or }", &x->name);
    if (rc < 0) return rc;
    blanks(r);
    if (quote && !l->metric.n && peek(r) != '=') { /* {"a name with dots", label="x"} */
        if (!x->name.n) return expected(r, "a metric's name that is not empty");
        l->metric = x->name;
        return 0;
    }
    if (peek(r) != '=') return expected(r, "=");
    r->at++;
    blanks(r);
    rc = quoted(r, &x->value);
    if (rc < 0) return rc;
    l->n++;
    blanks(r);
    return 0;
}

static int labels(struct reader *r, struct prom_line *l) {
    for (r->at++;;) {
        blanks(r);
        if (peek(r) == '}') break;
        int rc = label(r, l);
        if (rc < 0) return rc;
        if (peek(r) == ',')
            r->at++;
        else if (peek(r) != '}')
            return expected(r, ", or }");
    }
    r->at++;
    return l->metric.n ? 0 : expected(r, "a metric's name");
}

static struct slice word(struct reader *r) {
    size_t from = r->at;
    for (int c = peek(r); c >= 0 && c != ' ' && c != '\t'; c = peek(r)) r->at++;
    return slice_make(r->all.p + from, r->at - from);
}

static int number(struct reader *r, const char *what, double *ret) {
    size_t from = r->at;
    struct slice w = word(r);
    if (w.n && slice_f64(w, ret) == 0) return 0;
    r->at = from;
    return expected(r, what);
}

/* After the value: a timestamp, an exemplar ("# {...} 1 2"), or nothing. */
static int rest(struct reader *r) {
    double ignored;
    blanks(r);
    if (peek(r) >= 0 && peek(r) != '#') {
        int rc = number(r, "a timestamp", &ignored);
        if (rc < 0) return rc;
        blanks(r);
    }
    if (peek(r) < 0) return 0;
    if (peek(r) != '#') return expected(r, "the end of the line");
    r->at++;
    blanks(r);
    return peek(r) == '{' ? 0 : expected(r, "{ of an exemplar");
}

int prom_line_read(struct slice text, char *scratch, struct prom_line *ret, struct err *err) {
    struct reader r = {text, 0, err, scratch};
    ret->metric = (struct slice){0}; /* not the labels: 4 KiB of zeros for each line of a long page */
    ret->n = 0;
    ret->value = 0;
    ret->eof = false;
    if (text.n && text.p[text.n - 1] == '\r') r.all.n--;
    blanks(&r);
    if (peek(&r) < 0) return 0;
    if (peek(&r) == '#') {
        ret->eof = slice_eqs(r.all, "# EOF");
        return 0;
    }
    int rc = peek(&r) == '{' ? 0 : name(&r, true, "a metric's name", &ret->metric);
    if (rc < 0) return rc;
    bool blank = blanks(&r);
    if (peek(&r) == '{') {
        rc = labels(&r, ret);
        if (rc < 0) return rc;
        blanks(&r);
        blank = true; /* none is needed after } */
    }
    if (!blank) return expected(&r, "{ or a blank after the metric's name");
    rc = number(&r, "a number", &ret->value);
    return rc < 0 ? rc : rest(&r);
}
