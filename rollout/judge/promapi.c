/* Answers of Prometheus's HTTP API: raw samples to metrics pages, and single numbers. See promapi.h. */
#include "judge/promapi.h"
#include "base/json_raw.h"
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>

/* Labels that say where a series was scraped, in the order in which a place is named. The last two are of several
 * servers that scrape the same places. */
static const char *const place_labels[] = {"job", "instance", "prometheus", "prometheus_replica"};

enum { LABEL_CAP = 64 << 10, PLACE_CAP = 1024 };

/* ---- the envelope ---- */

static bool text_of(struct slice obj, struct slice key, struct buf *out) {
    struct slice v;
    return json_raw_get(obj, key, &v) && json_raw_type(v) == JR_STRING && json_raw_unescape(v, out) == 0;
}

/* In one line, printable. */
static void shown(const struct buf *b, size_t max, char *ret) {
    size_t n = b->n < max ? b->n : max;
    while (n && n < b->n && ((unsigned char)b->p[n] & 0xc0) == 0x80) n--;
    for (size_t i = 0; i < n; i++) ret[i] = (unsigned char)b->p[i] < 0x20 || b->p[i] == 0x7f ? ' ' : b->p[i];
    ret[n] = '\0';
}

bool promapi_explain(struct slice body, char ret[400]) {
    cleanup_buf struct buf type = BUF(LABEL_CAP), text = BUF(LABEL_CAP);
    char kind[64], words[301];
    if (json_raw_check(body, NULL) < 0 || !text_of(body, SL("error"), &text)) return false;
    text_of(body, SL("errorType"), &type);
    shown(&type, sizeof kind - 1, kind);
    shown(&text, sizeof words - 1, words);
    snprintf(ret, 400, "%s%s%s", kind, *kind ? ": " : "", words);
    return true;
}

static int no_answer(struct err *err, const char *what) {
    return err_set(err, ERR_PROTOCOL, -EPROTO, "expected an answer of Prometheus's API, found %s", what);
}

/* A part of the truth is worse than none: a sum that lacks a series looks like counters that began anew. */
static int no_warning(struct slice answer, struct err *err) {
    struct slice all;
    if (!json_raw_get(answer, SL("warnings"), &all)) return 0;
    for (struct json_raw_it it = json_raw_each(all); json_raw_next(&it);) {
        cleanup_buf struct buf text = BUF(LABEL_CAP);
        char words[301] = "";
        if (json_raw_type(it.value) == JR_STRING && json_raw_unescape(it.value, &text) == 0)
            shown(&text, sizeof words - 1, words);
        return err_set(err, ERR_PROTOCOL, -EPROTO, "an answer with a warning is not counted: %s", words);
    }
    return 0;
}

/* The result and its type, unless the answer is an error. */
static int open_answer(struct slice answer, struct slice *ret_type, struct slice *ret_result,
                       struct err *err) {
    struct slice status, data;
    struct err bad = {0};
    char words[400];
    if (answer.n > PROMAPI_MAX_ANSWER)
        return err_set(err, ERR_PROTOCOL, -E2BIG, "an answer of more than %d bytes", PROMAPI_MAX_ANSWER);
    if (json_raw_check(answer, &bad) < 0) return no_answer(err, bad.msg);
    if (!json_raw_get(answer, SL("status"), &status)) return no_answer(err, "JSON without a status");
    if (!json_raw_string_is(status, SL("success"))) {
        if (!promapi_explain(answer, words)) return no_answer(err, "another status and no error");
        return err_set(err, ERR_REJECTED, -EINVAL, "%s", words);
    }
    if (!json_raw_get(answer, SL("data"), &data) || !json_raw_get(data, SL("resultType"), ret_type) ||
        !json_raw_get(data, SL("result"), ret_result) || json_raw_type(*ret_result) != JR_ARRAY)
        return no_answer(err, "no result");
    return no_warning(answer, err);
}

/* ---- samples ---- */

/* [1700000000.123,"42"]: borrowed, without the quotes. */
static bool sample_of(struct slice pair, double *ret_s, struct slice *ret_value) {
    struct json_raw_it it = json_raw_each(pair);
    double value;
    if (json_raw_type(pair) != JR_ARRAY || !json_raw_next(&it) || json_raw_type(it.value) != JR_NUMBER ||
        slice_f64(it.value, ret_s) < 0)
        return false;
    if (!json_raw_next(&it) || json_raw_type(it.value) != JR_STRING || it.value.n < 3) return false;
    *ret_value = slice_make(it.value.p + 1, it.value.n - 2);
    return slice_f64(*ret_value, &value) == 0;
}

struct series {
    struct slice metric, value; /* value: of the newest sample */
    double oldest_s, newest_s;
    size_t n;
};

/* 1: of a histogram, which has no plain samples. */
static int series_of(struct slice element, struct series *ret, struct err *err) {
    struct slice values;
    *ret = (struct series){0};
    if (!json_raw_get(element, SL("metric"), &ret->metric) || json_raw_type(ret->metric) != JR_OBJECT)
        return no_answer(err, "a series without labels");
    if (!json_raw_get(element, SL("values"), &values)) return 1;
    for (struct json_raw_it it = json_raw_each(values); json_raw_next(&it); ret->n++) {
        double at;
        if (!sample_of(it.value, &at, &ret->value)) return no_answer(err, "a sample that is none");
        if (ret->n == 0) ret->oldest_s = at;
        if (ret->n && at < ret->newest_s) return no_answer(err, "samples that go back in time");
        ret->newest_s = at;
    }
    return ret->n == 0;
}

/* ---- labels ---- */

static bool plain_name(struct slice s) {
    if (!s.n || isdigit((unsigned char)s.p[0])) return false;
    for (size_t i = 0; i < s.n; i++)
        if (!isalnum((unsigned char)s.p[i]) && s.p[i] != '_' && s.p[i] != ':') return false;
    return true;
}

static void quoted(struct buf *out, struct slice v) {
    buf_addc(out, '"');
    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] == '\\' || v.p[i] == '"') buf_addc(out, '\\');
        if (v.p[i] == '\n')
            buf_adds(out, "\\n");
        else
            buf_addc(out, v.p[i]);
    }
    buf_addc(out, '"');
}

static char *place_of(struct slice metric) {
    struct buf out = BUF(PLACE_CAP);
    for (size_t i = 0; i < ARRAY_LEN(place_labels); i++) {
        cleanup_buf struct buf v = BUF(LABEL_CAP);
        if (!text_of(metric, slice_of(place_labels[i]), &v)) continue;
        buf_addf(&out, "%s%s=", out.n ? "," : "", place_labels[i]);
        quoted(&out, buf_slice(&v));
    }
    char *s = buf_take(&out);
    return s ? s : xstrdup("");
}

/* A name with quotes; empty: it is not written, since another label takes it or a page has no such name. */
static struct slice name_on_the_page(struct slice metric, struct slice key) {
    struct slice name = slice_make(key.p + 1, key.n - 2), ignored;
    char other[160];
    if (!plain_name(name) || slice_eqs(name, "__name__")) return (struct slice){0};
    if (slice_starts(name, SL("exported_"))) return slice_make(name.p + 9, name.n - 9);
    int n = snprintf(other, sizeof other, "exported_%.*s", (int)(name.n < 128 ? name.n : 128), name.p);
    return json_raw_get(metric, slice_make(other, (size_t)n), &ignored) ? (struct slice){0} : name;
}

static void add_line(struct buf *out, const struct series *s) {
    cleanup_buf struct buf name = BUF(LABEL_CAP);
    if (!text_of(s->metric, SL("__name__"), &name) || !plain_name(buf_slice(&name))) return;
    buf_adds(out, buf_str(&name));
    const char *before = "{";
    for (struct json_raw_it it = json_raw_each(s->metric); json_raw_next(&it);) {
        cleanup_buf struct buf v = BUF(LABEL_CAP);
        struct slice label = name_on_the_page(s->metric, it.key);
        if (!label.n || !plain_name(label) || json_raw_type(it.value) != JR_STRING ||
            json_raw_unescape(it.value, &v) < 0)
            continue;
        buf_addf(out, "%s%.*s=", before, SLF(label));
        quoted(out, buf_slice(&v));
        before = ",";
    }
    buf_addf(out, "%s %.*s\n", *before == ',' ? "}" : "", SLF(s->value));
}

/* ---- pages ---- */

void promapi_pages_free(struct promapi_pages *p) {
    for (size_t i = 0; i < p->n; i++) {
        free(p->v[i].place);
        buf_free(&p->v[i].text);
    }
    free(p->v);
    *p = (struct promapi_pages){0};
}

static struct promapi_page *page_at(struct promapi_pages *p, const char *place) {
    for (size_t i = 0; i < p->n; i++)
        if (strcmp(p->v[i].place, place) == 0) return &p->v[i];
    return NULL;
}

static int add_series(struct promapi_pages *p, size_t *cap, const struct series *s, struct err *err) {
    cleanup_free char *place = place_of(s->metric);
    struct promapi_page *page = page_at(p, place);
    if (!page) {
        if (p->n == PROMAPI_MAX_PAGES)
            return err_set(err, ERR_PROTOCOL, -E2BIG, "the series are of more than %d places (job, instance)",
                           PROMAPI_MAX_PAGES);
        p->v = xgrow(p->v, cap, p->n + 1, sizeof *p->v);
        page = &p->v[p->n++];
        *page = (struct promapi_page){.place = xstrdup(place), .text = BUF((size_t)2 * PROMAPI_MAX_ANSWER)};
    }
    if (s->newest_s > page->newest_s) page->newest_s = s->newest_s;
    if (s->n > page->samples) {
        page->samples = s->n;
        page->interval_s = s->n > 1 ? (s->newest_s - s->oldest_s) / (double)(s->n - 1) : 0;
    }
    return 0;
}

static int by_place(const void *a, const void *b) {
    return strcmp(((const struct promapi_page *)a)->place, ((const struct promapi_page *)b)->place);
}

/* All samples of one scrape bear the same time. */
static void add_to_page(struct promapi_pages *p, const struct series *s) {
    cleanup_free char *place = place_of(s->metric);
    struct promapi_page *page = page_at(p, place);
    if (page && !(s->newest_s < page->newest_s)) add_line(&page->text, s);
}

int promapi_read_pages(struct slice answer, struct promapi_pages *ret, struct err *err) {
    struct slice type = {0}, result = {0};
    struct promapi_pages p = {0};
    size_t cap = 0, n = 0;
    int rc = open_answer(answer, &type, &result, err);
    if (rc == 0 && !json_raw_string_is(type, SL("matrix"))) rc = no_answer(err, "no matrix");
    for (int pass = 0; pass < 2 && rc == 0; pass++) {
        struct json_raw_it it = json_raw_each(result);
        while (rc == 0 && json_raw_next(&it)) {
            struct series s;
            rc = series_of(it.value, &s, err);
            if (rc == 0 && pass == 0 && ++n > PROMAPI_MAX_SERIES)
                rc = err_set(err, ERR_PROTOCOL, -E2BIG, "more than %d series", PROMAPI_MAX_SERIES);
            if (rc == 0 && pass == 0) rc = add_series(&p, &cap, &s, err);
            if (rc == 0 && pass == 1) add_to_page(&p, &s);
            if (rc > 0) rc = 0;
        }
    }
    for (size_t i = 0; i < p.n && rc == 0; i++)
        if (p.v[i].text.full) rc = err_set(err, ERR_PROTOCOL, -E2BIG, "labels of too many bytes");
    if (rc < 0) {
        promapi_pages_free(&p);
        return rc;
    }
    if (p.n) qsort(p.v, p.n, sizeof *p.v, by_place);
    *ret = p;
    return 0;
}

/* ---- numbers ---- */

int promapi_read_count(struct slice answer, bool *ret_present, double *ret, struct err *err) {
    struct slice type = {0}, result = {0}, pair = {0}, value = {0};
    double at, v;
    int rc = open_answer(answer, &type, &result, err);
    if (rc < 0) return rc;
    if (json_raw_string_is(type, SL("scalar"))) {
        pair = result;
    } else if (json_raw_string_is(type, SL("vector"))) {
        struct json_raw_it it = json_raw_each(result);
        if (!json_raw_next(&it)) {
            *ret_present = false;
            *ret = 0;
            return 0;
        }
        if (!json_raw_get(it.value, SL("value"), &pair)) return no_answer(err, "an element without a value");
        if (json_raw_next(&it))
            return err_set(err, ERR_PROTOCOL, -EINVAL,
                           "expected one number, found several series: the query needs sum()");
    } else {
        return err_set(err, ERR_PROTOCOL, -EINVAL, "expected a number, found a %.*s", SLF(type));
    }
    if (!sample_of(pair, &at, &value)) return no_answer(err, "a sample that is none");
    if (slice_f64(value, &v) < 0 || !isfinite(v) || v < 0)
        return err_set(err, ERR_PROTOCOL, -EINVAL, "expected a count, found %.*s", SLF(value));
    *ret_present = true;
    *ret = v;
    return 0;
}

int promapi_read_condition(struct slice answer, bool *ret_holds, struct err *err) {
    struct slice type = {0}, result = {0}, pair = {0}, value = {0};
    bool any = false;
    int rc = open_answer(answer, &type, &result, err);
    if (rc < 0) return rc;
    if (!json_raw_string_is(type, SL("vector")))
        return err_set(err, ERR_PROTOCOL, -EINVAL, "expected a vector, found a %.*s", SLF(type));
    for (struct json_raw_it it = json_raw_each(result); json_raw_next(&it); any = true) {
        double at, v;
        if (!json_raw_get(it.value, SL("value"), &pair) || !sample_of(pair, &at, &value))
            return no_answer(err, "an element without a value");
        if (slice_f64(value, &v) < 0 || !isfinite(v))
            return err_set(err, ERR_PROTOCOL, -EINVAL, "expected numbers, found %.*s", SLF(value));
    }
    *ret_holds = any;
    return 0;
}
