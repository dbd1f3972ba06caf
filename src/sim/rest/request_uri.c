/* Paths and queries. */
#include "rest/request_uri.h"
#include "api/url.h"
#include <errno.h>
#include <strings.h>

static char *unescape(struct slice s, bool query) {
    struct buf plain = BUF(64 << 10), b = BUF(64 << 10);
    for (size_t i = 0; i < s.n; i++) {
        if (query && s.p[i] == '+') {
            buf_adds(&plain, "%20");
        } else {
            buf_addc(&plain, s.p[i]);
        }
    }
    bool ok = !plain.full && url_unescape(&b, buf_slice(&plain)) == 0 && !slice_has(buf_slice(&b), '\0') &&
              slice_is_text(buf_slice(&b)); /* much of it goes into JSON */
    buf_free(&plain);
    if (ok) return buf_take(&b);
    buf_free(&b);
    return NULL;
}

static int bad(struct api_status *f) {
    return api_status_set(f, 400, "BadRequest", "the request's target cannot be understood");
}

static int add_param(struct slice part, struct request_uri *t, struct api_status *f) {
    struct slice key, value;
    if (part.n == 0) return 0;
    if (t->nparams == REQUEST_URI_PARAMS)
        return api_status_set(f, 400, "BadRequest", "too many query parameters");
    slice_cut(part, '=', &key, &value);
    char *k = unescape(key, true), *v = unescape(value, true);
    if (!k || !v) {
        free(k);
        free(v);
        return bad(f);
    }
    t->param[t->nparams].key = k;
    t->param[t->nparams++].value = v;
    return 0;
}

static int parse(struct slice target, struct request_uri *t, struct api_status *f) {
    struct slice path, query, part;
    slice_cut(target, '?', &path, &query);
    if (path.n == 0 || path.p[0] != '/') return bad(f);
    path = slice_make(path.p + 1, path.n - 1);
    while (path.n) {
        slice_cut(path, '/', &part, &path);
        if (t->n == REQUEST_URI_SEGMENTS) return bad(f);
        t->seg[t->n] = unescape(part, false);
        if (!t->seg[t->n]) return bad(f);
        t->n++;
    }
    while (query.n) {
        slice_cut(query, '&', &part, &query);
        int r = add_param(part, t, f);
        if (r < 0) return r;
    }
    return 0;
}

int request_uri_parse(struct slice target, struct request_uri *ret, struct api_status *f) {
    struct request_uri t = {0};
    int r = parse(target, &t, f);
    if (r < 0) {
        request_uri_free(&t);
        return r;
    }
    *ret = t;
    return 0;
}

void request_uri_free(struct request_uri *t) {
    for (size_t i = 0; i < t->n; i++) free(t->seg[i]);
    for (size_t i = 0; i < t->nparams; i++) {
        free(t->param[i].key);
        free(t->param[i].value);
    }
    *t = (struct request_uri){0};
}

const char *request_uri_param(const struct request_uri *t, const char *key) {
    for (size_t i = 0; i < t->nparams; i++) {
        if (!strcmp(t->param[i].key, key)) return t->param[i].value;
    }
    return NULL;
}

bool request_uri_flag(const struct request_uri *t, const char *key) {
    const char *v = request_uri_param(t, key);
    return v && strcmp(v, "0") != 0 && strcasecmp(v, "false") != 0;
}

char *request_uri_rest(const struct request_uri *t, size_t i) {
    struct buf b = BUF(64 << 10);
    for (size_t k = i; k < t->n; k++) {
        if (k > i) buf_addc(&b, '/');
        buf_adds(&b, t->seg[k]);
    }
    return buf_take(&b);
}
