/* Selectors of metric series: their grammar and how they match. Patterns are alternatives of characters and
 * wildcards, so that matching is linear in the text for each wildcard and cannot be made to explode. */
#include "judge/promsel.h"
#include "base/buf.h"
#include <ctype.h>
#include <errno.h>

/* Tokens of a compiled pattern; characters stand for themselves. */
enum { TOK_ONE = 1, TOK_ANY = 2, TOK_OR = 3 };

struct reader {
    struct slice all;
    size_t at;
    struct err *err;
};

static int peek(const struct reader *r) {
    return r->at < r->all.n ? (unsigned char)r->all.p[r->at] : -1;
}

static void blanks(struct reader *r) {
    while (peek(r) == ' ' || peek(r) == '\t') r->at++;
}

static int expected(const struct reader *r, const char *what) {
    int c = peek(r);
    if (c < 0) return err_set(r->err, ERR_CONFIG, -EINVAL, "at its end: expected %s", what);
    if (c < 0x20 || c > 0x7e)
        return err_set(r->err, ERR_CONFIG, -EINVAL, "at character %zu: expected %s", r->at + 1, what);
    return err_set(r->err, ERR_CONFIG, -EINVAL, "at character %zu: expected %s, found '%c'", r->at + 1, what,
                   c);
}

static int name(struct reader *r, bool colon, const char *what, char **ret) {
    size_t from = r->at;
    for (int c = peek(r); c == '_' || isalpha(c) || (colon && c == ':') || (r->at > from && isdigit(c));
         c = peek(r))
        r->at++;
    if (r->at == from) return expected(r, what);
    *ret = slice_dup(slice_make(r->all.p + from, r->at - from));
    return 0;
}

/* A quoted value with \" \\ and \n; in a pattern every other backslash belongs to the pattern. */
static int quoted(struct reader *r, bool pattern, struct buf *out) {
    char q = (char)peek(r);
    if (q != '"' && q != '\'') return expected(r, "a quoted value");
    for (r->at++; peek(r) != q; r->at++) {
        int c = peek(r);
        if (c < 0x20) return expected(r, "the closing quote");
        if (c == '\\') {
            r->at++;
            c = peek(r);
            if (c < 0) return expected(r, "the closing quote");
            if (pattern && c != q && c != 'n' && c != '\\')
                buf_addc(out, '\\'); /* "\." as well as PromQL's "\\." */
            else if (c == 'n')
                c = '\n';
            else if (c != '\\' && c != q)
                return expected(r, "\\, n or a quote after \\");
        }
        buf_addc(out, (char)c);
    }
    r->at++;
    return 0;
}

/* plain . .* .+ \x and | : everything else that is special is refused. */
static int compile(struct slice p, struct buf *out, struct err *err) {
    for (size_t i = 0; i < p.n; i++) {
        char c = p.p[i];
        if (c == '\\') {
            if (++i == p.n || isalnum((unsigned char)p.p[i])) {
                return err_set(err, ERR_CONFIG, -EINVAL,
                               "pattern \"%.*s\": \\ must stand before a special character", SLF(p));
            }
            buf_addc(out, p.p[i]);
        } else if (c == '|') {
            buf_addc(out, TOK_OR);
        } else if (c == '.') {
            char next = i + 1 < p.n ? p.p[i + 1] : 0;
            if (next != '*') buf_addc(out, TOK_ONE);
            if (next == '*' || next == '+') {
                buf_addc(out, TOK_ANY);
                i++;
            }
        } else if (strchr("*+?()[]{}^$", c) || (unsigned char)c < 0x20) {
            return err_set(err, ERR_CONFIG, -EINVAL,
                           "pattern \"%.*s\": '%c' is not supported (allowed: characters, . .* .+ | and \\ "
                           "before a special one)",
                           SLF(p), (unsigned char)c < 0x20 ? '?' : c);
        } else {
            buf_addc(out, c);
        }
    }
    return 0;
}

static int op(struct reader *r, enum prom_op *ret) {
    bool not = peek(r) == '!';
    if (not ) r->at++;
    int c = peek(r);
    if (!not &&c != '=') return expected(r, "one of = != =~ !~");
    if (not &&c != '=' && c != '~') return expected(r, "= or ~ after !");
    r->at++;
    if (!not &&peek(r) == '~') {
        r->at++;
        *ret = PROM_RE;
    } else {
        *ret = !not ? PROM_EQ : c == '=' ? PROM_NE : PROM_NRE;
    }
    return 0;
}

static int matcher(struct reader *r, struct prom_selector *s) {
    if (s->nm == PROM_MAX_MATCHERS) return expected(r, "at most 8 labels");
    struct prom_matcher *m = &s->m[s->nm++];
    int rc = name(r, false, "a label's name", &m->label);
    if (rc < 0) return rc;
    blanks(r);
    rc = op(r, &m->op);
    if (rc < 0) return rc;
    blanks(r);
    bool pattern = m->op == PROM_RE || m->op == PROM_NRE;
    cleanup_buf struct buf text = BUF(4096), tokens = BUF(4096);
    rc = quoted(r, pattern, &text);
    if (rc == 0 && pattern) rc = compile(buf_slice(&text), &tokens, r->err);
    if (rc < 0) return rc;
    m->value = buf_take(pattern ? &tokens : &text);
    if (!m->value) m->value = xstrdup("");
    blanks(r);
    return 0;
}

static int selector(struct reader *r, struct prom_selector *s) {
    int rc = name(r, true, "a metric's name", &s->name);
    if (rc < 0) return rc;
    if (peek(r) == '*') {
        s->prefix = true;
        r->at++;
    }
    blanks(r);
    if (peek(r) != '{') return 0;
    for (r->at++;;) {
        blanks(r);
        if (peek(r) == '}') break;
        rc = matcher(r, s);
        if (rc < 0) return rc;
        if (peek(r) == ',')
            r->at++;
        else if (peek(r) != '}')
            return expected(r, ", or }");
    }
    r->at++;
    blanks(r);
    return 0;
}

static struct prom_selector *add_selector(struct prom_sum **s) {
    size_t n = *s ? (*s)->n : 0;
    *s = xrealloc(*s, sizeof **s + (n + 1) * sizeof *(*s)->s);
    (*s)->s[n] = (struct prom_selector){0};
    (*s)->n = n + 1;
    return &(*s)->s[n];
}

int prom_sum_parse(struct slice text, struct prom_sum **ret, struct err *err) {
    if (text.n > 4096) return err_set(err, ERR_CONFIG, -E2BIG, "a metric selector of more than 4096 bytes");
    struct reader r = {text, 0, err};
    struct prom_sum *s = NULL;
    int rc;
    for (;;) {
        blanks(&r);
        if (s && s->n == PROM_MAX_SELECTORS)
            rc = expected(&r, "at most 8 selectors");
        else
            rc = selector(&r, add_selector(&s));
        if (rc < 0 || peek(&r) != '+') break;
        r.at++;
    }
    if (rc == 0 && peek(&r) >= 0) rc = expected(&r, "+ or the end");
    if (rc < 0) {
        prom_sum_free(s);
        return rc;
    }
    *ret = s;
    return 0;
}

void prom_sum_free(struct prom_sum *s) {
    if (!s) return;
    for (size_t i = 0; i < s->n; i++) {
        free(s->s[i].name);
        for (size_t k = 0; k < s->s[i].nm; k++) {
            free(s->s[i].m[k].label);
            free(s->s[i].m[k].value);
        }
    }
    free(s);
}

/* One alternative of a pattern against the whole text: the last wildcard takes one more on each failure. */
static bool fits(const char *p, const char *end, struct slice t) {
    const char *star = NULL;
    size_t i = 0, mark = 0;
    while (i < t.n) {
        if (p < end && *p == TOK_ANY) {
            star = p++;
            mark = i;
        } else if (p < end && (*p == TOK_ONE || *p == t.p[i])) {
            p++;
            i++;
        } else if (star) {
            p = star + 1;
            i = ++mark;
        } else {
            return false;
        }
    }
    while (p < end && *p == TOK_ANY) p++;
    return p == end;
}

static bool pattern_fits(const char *p, struct slice t) {
    for (;;) {
        const char *end = p + strcspn(p, (const char[]){TOK_OR, 0});
        if (fits(p, end, t)) return true;
        if (!*end) return false;
        p = end + 1;
    }
}

static bool matcher_fits(const struct prom_matcher *m, const struct prom_label *l, size_t n) {
    struct slice value = {0};
    for (size_t i = 0; i < n; i++) {
        if (slice_eqs(l[i].name, m->label)) value = l[i].value;
    }
    bool same =
        m->op == PROM_EQ || m->op == PROM_NE ? slice_eqs(value, m->value) : pattern_fits(m->value, value);
    return same == (m->op == PROM_EQ || m->op == PROM_RE);
}

static bool name_fits(const struct prom_selector *s, struct slice metric) {
    return s->prefix ? slice_starts(metric, slice_of(s->name)) : slice_eqs(metric, s->name);
}

bool prom_sum_match(const struct prom_sum *s, struct slice metric, const struct prom_label *l, size_t n) {
    for (size_t i = 0; i < s->n; i++) {
        if (!name_fits(&s->s[i], metric)) continue;
        size_t k = 0;
        while (k < s->s[i].nm && matcher_fits(&s->s[i].m[k], l, n)) k++;
        if (k == s->s[i].nm) return true;
    }
    return false;
}
