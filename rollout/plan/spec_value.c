/* Readers of single annotation values: strict, so that a typing error is reported and not guessed at. */
#include "plan/spec_value.h"
#include "api/gvr.h"
#include "api/label.h"
#include <ctype.h>
#include <stdio.h>

static bool digits(struct slice v) { /* slice_i64() would take a sign */
    for (size_t i = 0; i < v.n; i++) {
        if (!isdigit((unsigned char)v.p[i])) return false;
    }
    return v.n > 0;
}

bool value_count(struct slice v, uint64_t min, uint64_t max, uint64_t *ret) {
    int64_t n;
    if (!digits(v) || slice_i64(v, &n) < 0 || (uint64_t)n < min || (uint64_t)n > max) return false;
    *ret = (uint64_t)n;
    return true;
}

bool value_number(struct slice v, double min, double max, double *ret) {
    double d;
    for (size_t i = 0; i < v.n; i++) {
        if (!isdigit((unsigned char)v.p[i]) && v.p[i] != '.') return false;
    }
    if (slice_f64(v, &d) < 0 || !(d >= min && d <= max)) return false;
    *ret = d;
    return true;
}

bool value_percent(struct slice v, double *ret) {
    double d;
    if (!v.n || v.p[v.n - 1] != '%' || !value_number(slice_make(v.p, v.n - 1), 0.0001, 99.9999, &d))
        return false;
    *ret = d / 100;
    return true;
}

bool value_steps(struct slice v, struct spec *s) {
    uint8_t step[SPEC_MAX_STEPS];
    uint32_t pauses = 0;
    size_t n = 0;
    bool more = true;
    while (more) {
        struct slice one;
        uint64_t percent;
        more = slice_cut(v, ',', &one, &v);
        one = slice_trim(one);
        if (slice_eqs(one, "pause")) {
            uint32_t here = n ? UINT32_C(1) << (n - 1) : 0;
            if (!here || (pauses & here)) return false;
            pauses |= here;
            continue;
        }
        if (n == SPEC_MAX_STEPS || !value_count(one, 1, 100, &percent) || (n && percent <= step[n - 1]))
            return false;
        step[n++] = (uint8_t)percent;
    }
    memcpy(s->step, step, n);
    s->nsteps = n;
    s->pause_after = pauses;
    return true;
}

bool value_duration(struct slice v, int64_t min_ns, int64_t max_ns, int64_t *ret) {
    int64_t ns;
    if (duration_parse(v, &ns) < 0 || ns < min_ns || ns > max_ns) return false;
    *ret = ns;
    return true;
}

static bool prefix(struct slice *v, const char *p) {
    if (!slice_starts(*v, slice_of(p))) return false;
    *v = slice_make(v->p + strlen(p), v->n - strlen(p));
    return true;
}

bool value_endpoint(struct slice v, struct spec *s) {
    bool insecure = prefix(&v, "https+insecure://"), https = insecure || prefix(&v, "https://");
    if (!https) prefix(&v, "http://");
    struct slice digits_, path;
    uint64_t port;
    if (!prefix(&v, ":") || !slice_has(v, '/')) return false;
    slice_cut(v, '/', &digits_, &path);
    if (!value_count(digits_, 1, 65535, &port) || path.n > 512) return false;
    for (size_t i = 0; i < path.n; i++) {
        /* it goes into a request line as it stands */
        if (path.p[i] <= ' ' || path.p[i] > '~' || strchr("\"<>\\^`{|}#", path.p[i])) return false;
    }
    free(s->path);
    s->path = xasprintf("/%.*s", SLF(path));
    s->port = (uint16_t)port;
    s->https = https;
    s->tls_insecure = insecure;
    return true;
}

/* What an item sets its signals to: -1: to their defaults; -2: not allowed. */
static int item_does(bool off, bool given, struct slice text) {
    if (off) return given ? -2 : SIGNAL_OFF;
    if (!given) return -1;
    for (int d = 0; d < SIGNAL_DOES; d++)
        if (slice_eqs(text, signal_does_name((enum signal_does)d))) return d;
    return -2;
}

static bool signals_item(struct slice item, enum signal_does ret[SIGNALS]) {
    struct slice name, text;
    bool off = prefix(&item, "-"), given = slice_cut(item, '=', &name, &text), found = false;
    int does = item_does(off, given, slice_trim(text));
    name = slice_trim(name);
    for (int i = 0; i < SIGNALS && does >= -1; i++) {
        if (!slice_eqs(name, "all") && !slice_eqs(name, signal_name((enum signal)i))) continue;
        ret[i] = does < 0 ? signal_default((enum signal)i) : (enum signal_does)does;
        found = true;
    }
    return found;
}

static bool wrong_item(struct slice item, char why[256]) {
    int n = item.n < 40 ? (int)item.n : 40;
    snprintf(why, 256, "read \"%.*s\"", n, item.n ? item.p : "");
    return false;
}

bool value_signals(struct slice v, enum signal_does ret[SIGNALS], char why[256]) {
    enum signal_does does[SIGNALS];
    memcpy(does, ret, sizeof does);
    for (bool more = true; more;) {
        struct slice item;
        more = slice_cut(v, ',', &item, &v);
        item = slice_trim(item);
        if (!signals_item(item, does)) return wrong_item(item, why);
    }
    memcpy(ret, does, sizeof does);
    return true;
}

static bool guards_item(struct slice item, bool ret[GUARDS]) {
    bool off = prefix(&item, "-"), found = false;
    for (int i = 0; i < GUARDS; i++) {
        if (!slice_eqs(item, "all") && !slice_eqs(item, spec_guard_name((enum spec_guard)i))) continue;
        ret[i] = !off;
        found = true;
    }
    return found;
}

bool value_guards(struct slice v, bool ret[GUARDS], char why[256]) {
    bool on[GUARDS];
    memcpy(on, ret, sizeof on);
    for (bool more = true; more;) {
        struct slice item;
        more = slice_cut(v, ',', &item, &v);
        item = slice_trim(item);
        if (!guards_item(item, on)) return wrong_item(item, why);
    }
    memcpy(ret, on, sizeof on);
    return true;
}

char **value_words(struct slice v) {
    char **w = NULL;
    size_t n = 0, cap = 0;
    for (v = slice_trim(v); v.n; v = slice_trim(v)) {
        size_t len = 0;
        while (len < v.n && !isspace((unsigned char)v.p[len])) len++;
        w = xgrow(w, &cap, n + 2, sizeof *w);
        w[n++] = slice_dup(slice_make(v.p, len));
        w[n] = NULL;
        v = slice_make(v.p + len, v.n - len);
    }
    return w;
}

/* What is wrong with one of n before it; NULL: nothing. */
static const char *label_problem(struct slice item, char *const *before, size_t n) {
    struct slice key, value, other, rest;
    if (!slice_cut(item, '=', &key, &value)) return "is no KEY=VALUE";
    if (label_key_problem(key) || label_value_problem(value)) return "is no label of a node";
    for (size_t i = 0; i < n; i++) {
        slice_cut(slice_of(before[i]), '=', &other, &rest);
        if (slice_eq(key, other)) return "has a key that is there already";
    }
    return NULL;
}

char **value_labels(struct slice v, char why[256]) {
    char **w = NULL;
    size_t n = 0, cap = 0;
    for (bool more = true; more;) {
        struct slice item;
        more = slice_cut(v, ',', &item, &v);
        item = slice_trim(item);
        const char *problem = label_problem(item, w, n);
        if (problem) {
            snprintf(why, 256, "\"%.*s\" %s", item.n < 80 ? (int)item.n : 80, item.n ? item.p : "", problem);
            value_free_words(w);
            return NULL;
        }
        w = xgrow(w, &cap, n + 2, sizeof *w);
        w[n++] = slice_dup(item);
        w[n] = NULL;
    }
    return w;
}

void value_free_words(char **words) {
    for (char **w = words; w && *w; w++) free(*w);
    free(words);
}
