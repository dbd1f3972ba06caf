/* Answers of Prometheus's API: raw samples to pages by the place they were scraped from, single numbers, errors. */
#include "../case.h"
#include "judge/promapi.h"

#define MATRIX(series) "{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[" series "]}}"
#define VECTOR(elements)                                                                                     \
    "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[" elements "]}}"
#define SERIES(labels, values) "{\"metric\":{" labels "},\"values\":[" values "]}"

static struct promapi_pages pages_of(const char *answer) {
    struct promapi_pages p = {0};
    struct err e = {0};
    if (promapi_read_pages(slice_of(answer), &p, &e) < 0) fail_msg("%s", e.msg);
    return p;
}

/* Two jobs scrape the same pod: two pages, in the order of their names. Only what the last scrape had is on a page. */
CASE(by_place) {
    struct promapi_pages p = pages_of(MATRIX(SERIES(
        "\"__name__\":\"a_total\",\"job\":\"z\",\"instance\":\"1:2\",\"result\":\"error\"",
        "[100,\"1\"],[115,\"2\"],[130.5,\"3e+00\"]") "," SERIES("\"__name__\":\"gone\",\"job\":\"z\","
                                                                "\"instance\":\"1:2\"",
                                                                "[100,\"1\"],[115,\"2\"]") "," SERIES("\"__"
                                                                                                      "name__"
                                                                                                      "\":"
                                                                                                      "\"a_"
                                                                                                      "total"
                                                                                                      "\","
                                                                                                      "\"job"
                                                                                                      "\":"
                                                                                                      "\"b\","
                                                                                                      "\"inst"
                                                                                                      "ance\""
                                                                                                      ":\"1:"
                                                                                                      "2\"",
                                                                                                      "[90,"
                                                                                                      "\"7\""
                                                                                                      "]")));
    assert_int_equal(p.n, 2);
    assert_string_equal(p.v[0].place, "job=\"b\",instance=\"1:2\"");
    assert_string_equal(buf_str(&p.v[0].text), "a_total{job=\"b\",instance=\"1:2\"} 7\n");
    assert_true(p.v[0].newest_s == 90 && p.v[0].interval_s == 0);
    assert_string_equal(p.v[1].place, "job=\"z\",instance=\"1:2\"");
    assert_string_equal(buf_str(&p.v[1].text),
                        "a_total{job=\"z\",instance=\"1:2\",result=\"error\"} 3e+00\n");
    assert_true(p.v[1].newest_s == 130.5 && p.v[1].interval_s == 15.25);
    promapi_pages_free(&p);
}

/* A page's own label that is also one of the place comes as exported_...: it gets its name back, and is escaped as a page is. */
CASE(labels) {
    struct promapi_pages p = pages_of(MATRIX(SERIES(
        "\"__name__\":\"m\",\"exported_pod\":\"a\\\"b\\\\\\nc\",\"pod\":\"p\",\"controller\":\"\\u00e9\",\"a."
        "b\":\"x\"",
        "[1,\"NaN\"]") "," SERIES("\"__name__\":\"bare\"",
                                  "[1,\"+Inf\"]") "," SERIES("\"controller\":\"no name\"", "[1,\"1\"]")));
    assert_int_equal(p.n, 1);
    assert_string_equal(p.v[0].place, "");
    assert_string_equal(buf_str(&p.v[0].text),
                        "m{pod=\"a\\\"b\\\\\\nc\",controller=\"\xc3\xa9\"} NaN\nbare +Inf\n");
    promapi_pages_free(&p);
    p = pages_of(MATRIX("{\"metric\":{\"__name__\":\"h\"},\"histograms\":[[1,{\"count\":\"1\"}]]}"));
    assert_int_equal(p.n, 0);
    promapi_pages_free(&p);
}

CASE(what_is_no_matrix) {
#define API "expected an answer of Prometheus's API, found "
    static const struct {
        const char *answer, *why;
        enum err_kind kind;
    } v[] = {
        {"", API, ERR_PROTOCOL},
        {"<html>", API, ERR_PROTOCOL},
        {"[]", API "JSON without a status", ERR_PROTOCOL},
        {"{\"status\":\"ok\"}", API "another status and no error", ERR_PROTOCOL},
        {"{\"status\":\"success\"}", API "no result", ERR_PROTOCOL},
        {VECTOR(""), API "no matrix", ERR_PROTOCOL},
        {MATRIX("1"), API "a series without labels", ERR_PROTOCOL},
        {MATRIX(SERIES("", "1")), API "a sample that is none", ERR_PROTOCOL},
        {MATRIX(SERIES("", "[1,2]")), API "a sample that is none", ERR_PROTOCOL},
        {MATRIX(SERIES("", "[1,\"\"]")), API "a sample that is none", ERR_PROTOCOL},
        {MATRIX(SERIES("", "[1,\"1 2\\n\"]")), API "a sample that is none", ERR_PROTOCOL},
        {MATRIX(SERIES("", "[2,\"1\"],[1,\"1\"]")), API "samples that go back in time", ERR_PROTOCOL},
        {"{\"status\":\"error\",\"errorType\":\"timeout\",\"error\":\"query timed\\nout\"}",
         "timeout: query timed out", ERR_REJECTED},
        {"{\"status\":\"success\",\"warnings\":[\"remote read: "
         "x\"],\"data\":{\"resultType\":\"matrix\",\"result\":[]}}",
         "an answer with a warning is not counted: remote read: x", ERR_PROTOCOL},
    };
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        struct promapi_pages p = {0};
        struct err e = {0};
        assert_true(promapi_read_pages(slice_of(v[i].answer), &p, &e) < 0 && p.n == 0);
        if (e.kind != v[i].kind || !slice_starts(slice_of(e.msg), slice_of(v[i].why)))
            fail_msg("%s: %s", v[i].answer, e.msg);
    }
}

/* More places than a pod can have, more series, more bytes. */
CASE(bounds) {
    struct promapi_pages p;
    struct err e = {0};
    for (int places = 0; places < 2; places++) {
        struct buf b = BUF(16 << 20);
        buf_adds(&b, "{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[");
        for (int i = 0; i < (places ? 17 : PROMAPI_MAX_SERIES + 1); i++)
            buf_addf(&b, "%s{\"metric\":{\"__name__\":\"a\",\"%s\":\"%d\"},\"values\":[[1,\"1\"]]}",
                     i ? "," : "", places ? "job" : "l", i);
        buf_adds(&b, "]}}");
        assert_true(promapi_read_pages(buf_slice(&b), &p, &e) < 0);
        assert_string_equal(e.msg, places ? "the series are of more than 16 places (job, instance)"
                                          : "more than 20000 series");
        buf_free(&b);
    }
    char *big = xcalloc(1, PROMAPI_MAX_ANSWER + 1);
    assert_true(promapi_read_pages(slice_make(big, PROMAPI_MAX_ANSWER + 1), &p, &e) < 0);
    assert_string_equal(e.msg, "an answer of more than 4194304 bytes");
    free(big);
}

CASE(counts) {
#define ELEMENT(value) "{\"metric\":{},\"value\":[1.5,\"" value "\"]}"
    static const struct {
        const char *answer;
        double value; /* with why NULL; -1: none */
        const char *why;
    } v[] = {
        {VECTOR(ELEMENT("42.5")), 42.5, NULL},
        {VECTOR(""), -1, NULL},
        {"{\"status\":\"success\",\"data\":{\"resultType\":\"scalar\",\"result\":[1,\"7\"]}}", 7, NULL},
        {VECTOR(ELEMENT("1") "," ELEMENT("2")), 0,
         "expected one number, found several series: the query needs sum()"},
        {VECTOR(ELEMENT("-1")), 0, "expected a count, found -1"},
        {VECTOR(ELEMENT("NaN")), 0, "expected a count, found NaN"},
        {VECTOR("{\"metric\":{}}"), 0, API "an element without a value"},
        {MATRIX(""), 0, "expected a number, found a \"matrix\""},
    };
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        struct err e = {0};
        bool present = false;
        double value = 0;
        int rc = promapi_read_count(slice_of(v[i].answer), &present, &value, &e);
        if ((rc < 0) != (v[i].why != NULL) || strcmp(e.msg, v[i].why ? v[i].why : ""))
            fail_msg("%s: %s", v[i].answer, e.msg);
        if (!v[i].why) assert_true(present == (v[i].value >= 0) && (!present || value == v[i].value));
    }
}

CASE(an_error_in_its_own_words) {
    char text[400];
    assert_true(promapi_explain(
        SL("{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"parse error\"}"), text));
    assert_string_equal(text, "bad_data: parse error");
    assert_false(promapi_explain(SL("{\"status\":\"error\"}"), text));
    assert_false(promapi_explain(SL("upstream timed out"), text));
}

#define VECTOR(elements)                                                                                     \
    "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[" elements "]}}"

/* Zero is a number like others: an error rate of 0 is below its bound. */
CASE(conditions) {
    static const struct {
        const char *answer;
        int holds; /* -1: it is no answer */
    } v[] = {
        {VECTOR("{\"metric\":{},\"value\":[1,\"0\"]}"), 1},
        {VECTOR("{\"value\":[1,\"-3.5\"]},{\"value\":[1,\"2\"]}"), 1},
        {VECTOR(""), 0},
        {VECTOR("{\"value\":[1,\"NaN\"]}"), -1},
        {VECTOR("{\"value\":[1,\"1\"]},{\"value\":[1,\"+Inf\"]}"), -1},
        {VECTOR("{\"metric\":{}}"), -1},
        {VECTOR("1"), -1},
        {"{\"status\":\"success\",\"data\":{\"resultType\":\"scalar\",\"result\":[1,\"1\"]}}", -1},
        {"{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[{}]}}", -1},
        {"{\"status\":\"success\",\"warnings\":[\"partial\"],\"data\":{\"resultType\":\"vector\",\"result\":["
         "]}}",
         -1},
        {"{\"status\":\"error\",\"error\":\"x\",\"data\":{\"resultType\":\"vector\",\"result\":[1]}}", -1},
        {"true", -1},
        {"", -1},
    };
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        struct err e = {0};
        bool holds = false;
        int rc = promapi_read_condition(slice_of(v[i].answer), &holds, &e);
        if ((rc < 0) != (v[i].holds < 0) || holds != (v[i].holds > 0) || (rc < 0) != (e.kind != ERR_NONE))
            fail_msg("%s: %d %s", v[i].answer, holds, e.msg);
    }
}

CASES("rollout/promapi")
