/* Queries for Prometheus; see promql.h. A query is looked at only as far as its strings, comments and brackets: what it
 * means is the server's business. */
#include "judge/promql.h"
#include "api/url.h"
#include "judge/promtext.h"
#include <ctype.h>
#include <errno.h>
#include <strings.h>

/* ---- names ---- */

/* Kubernetes' names are letters, digits, - and . ; anything else does not get into a query. */
static int name_check(const char *name, const char *what, struct err *err) {
    for (const char *c = name; *c; c++)
        if (!isalnum((unsigned char)*c) && *c != '-' && *c != '.')
            return err_set(err, ERR_CONFIG, -EINVAL, "%s %.64s is not a name of Kubernetes", what, name);
    return *name ? 0 : err_set(err, ERR_CONFIG, -EINVAL, "an empty %s", what);
}

/* In a regular expression a dot stands for any character, and "\\." in a PromQL string is its escape "\.". */
static void add_name(struct buf *out, const char *name, bool pattern) {
    for (const char *c = name; *c; c++) {
        if (*c == '.' && pattern) buf_adds(out, "\\\\");
        buf_addc(out, *c);
    }
}

int promql_of_pod(const char *ns, const char *pod, struct buf *out, struct err *err) {
    int rc = name_check(ns, "namespace", err);
    if (rc == 0) rc = name_check(pod, "pod", err);
    if (rc < 0) return rc;
    buf_adds(out, "{__name__=~\"");
    promtext_names(out);
    buf_addf(out, "\",namespace=\"%s\",pod=\"%s\"}[%ds]", ns, pod, PROMQL_RANGE_S);
    return 0;
}

/* ---- variables ---- */

enum var { VAR_NAMESPACE, VAR_POD, VAR_TRACK, VAR_RANGE, VARS };
static const char *const var_names[VARS] = {"namespace", "pod", "track", "range"};

struct reader {
    struct slice all;
    size_t at;
    bool pattern; /* the string that follows is one of =~ or !~ */
    char before;  /* the last character outside of strings that is no blank */
    char last;    /* the last one */
    bool seen[VARS];
    unsigned braces;                    /* open ones: there = and != are of labels */
    bool compares, boolean;             /* has a comparison, the modifier bool */
    const struct promql_values *values; /* NULL: only looked at */
    struct buf *out;
    struct err *err;
};

static int refuse(const struct reader *r, size_t at, const char *what) {
    return err_set(r->err, ERR_CONFIG, -EINVAL, "at character %zu: %s", at + 1, what);
}

static char peek(const struct reader *r, size_t ahead) {
    return r->at + ahead < r->all.n ? r->all.p[r->at + ahead] : '\0';
}

static void copy(struct reader *r) {
    if (r->out) buf_addc(r->out, r->all.p[r->at]);
    r->at++;
}

static int put(struct reader *r, enum var v) {
    const struct promql_values *val = r->values;
    if (!val) return 0;
    int rc = 0;
    if (v == VAR_RANGE) buf_addf(r->out, "%lldms", (long long)val->range_ms);
    if (v == VAR_NAMESPACE || v == VAR_POD) {
        const char *name = v == VAR_POD ? val->pod : val->ns;
        rc = name_check(name, var_names[v], r->err);
        add_name(r->out, name, r->pattern);
    }
    for (size_t i = 0; v == VAR_TRACK && i < val->ntrack && rc == 0; i++) {
        rc = name_check(val->track[i], "pod", r->err);
        if (i) buf_addc(r->out, '|');
        add_name(r->out, val->track[i], true);
    }
    return rc;
}

/* At a $ with a letter behind it. quote: that of the string it stands in, 0 outside. */
static int variable(struct reader *r, char quote) {
    size_t from = r->at, n = 0;
    while (isalnum((unsigned char)peek(r, 1 + n)) || peek(r, 1 + n) == '_') n++;
    struct slice name = slice_make(r->all.p + from + 1, n);
    enum var v = 0;
    while (v < VARS && !slice_eqs(name, var_names[v])) v++;
    if (v == VARS) return refuse(r, from, "expected $namespace, $pod, $track or $range");
    if (v == VAR_RANGE && (quote || r->before != '['))
        return refuse(r, from, "$range stands right behind a [ of a range");
    if (v != VAR_RANGE && quote != '"' && quote != '\'')
        return refuse(r, from, "$namespace, $pod and $track stand in \"...\" or '...'");
    if (v == VAR_TRACK && !r->pattern)
        return refuse(r, from, "$track is an alternation of pod names and needs =~ or !~");
    r->seen[v] = true;
    r->at += 1 + n;
    return put(r, v);
}

static bool starts_variable(const struct reader *r) {
    return peek(r, 0) == '$' && (isalpha((unsigned char)peek(r, 1)) || peek(r, 1) == '_');
}

static int string(struct reader *r) {
    size_t from = r->at;
    char quote = peek(r, 0);
    copy(r);
    for (;;) {
        if (r->at >= r->all.n) return refuse(r, from, "a string without an end");
        char c = peek(r, 0);
        if (starts_variable(r)) {
            int rc = variable(r, quote);
            if (rc < 0) return rc;
            continue;
        }
        if (c == '\\' && quote != '`' && r->at + 1 < r->all.n) copy(r);
        copy(r);
        if (c == quote) return 0;
    }
}

/* A character outside of strings. */
static void note(struct reader *r, char c) {
    struct slice rest = slice_make(r->all.p + r->at, r->all.n - r->at);
    bool begins = !isalnum((unsigned char)r->last) && r->last != '_' && r->last != ':';
    if (c == '{') r->braces++;
    if (c == '}' && r->braces) r->braces--;
    if (!r->braces && (c == '<' || c == '>' || (c == '=' && (r->last == '=' || r->last == '!'))))
        r->compares = true;
    if (begins && rest.n >= 4 && strncasecmp(rest.p, "bool", 4) == 0 &&
        (rest.n == 4 || (!isalnum((unsigned char)rest.p[4]) && rest.p[4] != '_' && rest.p[4] != ':')))
        r->boolean = true;
    r->last = c;
}

static int walk(struct reader *r) {
    while (r->at < r->all.n) {
        char c = peek(r, 0);
        int rc = 0;
        if (c == '"' || c == '\'' || c == '`') {
            rc = string(r);
            r->before = c;
        } else if (c == '#') {
            while (r->at < r->all.n && peek(r, 0) != '\n') copy(r);
        } else if (starts_variable(r)) {
            rc = variable(r, 0);
            r->before = 'v';
        } else if (c == '$') {
            rc = refuse(r, r->at, "expected the name of a variable after $");
        } else {
            r->pattern =
                c == '~' ? r->before == '=' || r->before == '!' : r->pattern && isspace((unsigned char)c);
            if (!isspace((unsigned char)c)) r->before = c;
            note(r, c);
            copy(r);
        }
        if (rc < 0) return rc;
    }
    return 0;
}

static bool of_a_namespace(const struct reader *r) {
    if (!r->seen[VAR_NAMESPACE])
        err_set(r->err, ERR_CONFIG, -EINVAL, "a query without $namespace is of every namespace");
    return r->seen[VAR_NAMESPACE];
}

int promql_check(struct slice query, enum promql_kind *ret, struct err *err) {
    struct reader r = {.all = query, .err = err};
    int rc = walk(&r);
    if (rc < 0) return rc;
    if (!of_a_namespace(&r)) return -EINVAL;
    if (r.seen[VAR_POD] == r.seen[VAR_TRACK])
        return err_set(err, ERR_CONFIG, -EINVAL, "a query has either $pod or $track");
    if (r.seen[VAR_RANGE] != r.seen[VAR_TRACK])
        return err_set(err, ERR_CONFIG, -EINVAL,
                       r.seen[VAR_TRACK]
                           ? "a query with $track has $range, as in increase(...[$range])"
                           : "a query with $pod is a count since the pod began, without $range");
    *ret = r.seen[VAR_POD] ? PROMQL_POD : PROMQL_TRACK;
    return 0;
}

int promql_check_condition(struct slice query, struct err *err) {
    struct reader r = {.all = query, .err = err};
    int rc = walk(&r);
    if (rc < 0) return rc;
    if (!of_a_namespace(&r)) return -EINVAL;
    if (r.seen[VAR_POD])
        return err_set(err, ERR_CONFIG, -EINVAL, "a condition is of the whole canary: $track, not $pod");
    if (r.boolean)
        return err_set(err, ERR_CONFIG, -EINVAL,
                       "with `bool` an answer is never empty, and the condition would always hold");
    if (!r.compares)
        return err_set(err, ERR_CONFIG, -EINVAL, "a condition has a comparison: ==, !=, <, <=, > or >=");
    return 0;
}

int promql_fill(struct slice query, const struct promql_values *v, struct buf *out, struct err *err) {
    struct reader r = {.all = query, .values = v, .out = out, .err = err};
    int rc = walk(&r);
    if (rc == 0 && out->full)
        rc =
            err_set(err, ERR_CONFIG, -E2BIG, "a query of more than %zu bytes with the names in it", out->max);
    return rc;
}

void promql_time(const char *key, int64_t wall_ns, struct buf *out) {
    int64_t ms = wall_ns / NS_PER_MS;
    buf_addf(out, "&%s=%lld.%03lld", key, (long long)(ms / 1000), (long long)(ms % 1000));
}

void promql_form(struct slice query, int64_t wall_ns, int64_t timeout_ns, struct buf *out) {
    buf_adds(out, "query=");
    url_escape(out, query);
    promql_time("time", wall_ns, out);
    buf_addf(out, "&timeout=%lldms", (long long)(timeout_ns / NS_PER_MS));
}
