/* Answers of Prometheus's HTTP API (/api/v1/query), read as text, without a tree. Pure. */
#ifndef ROLLOUT_PROMAPI_H
#define ROLLOUT_PROMAPI_H
#include "base/buf.h"
#include "base/err.h"

enum {
    PROMAPI_MAX_ANSWER = 4 << 20, /* bytes: the caller reads no more */
    PROMAPI_MAX_SERIES = 20000,
    PROMAPI_MAX_PAGES = 16, /* places that one pod's series were scraped from */
};

/* What Prometheus read at its last scrape of one place, as a metrics page for promtext.h. Series that this scrape did not
 * have are not on it. */
struct promapi_page {
    char *place;       /* `job="a",instance="b"`: the same for the same place, whenever it is asked */
    double newest_s;   /* when that scrape was, by Prometheus's clock, since 1970 */
    double interval_s; /* between its scrapes, as seen; 0: there was one only */
    size_t samples;    /* of the series by which that was seen */
    struct buf text;
};
struct promapi_pages { /* in the order of the places */
    struct promapi_page *v;
    size_t n;
};
/* The answer to a range selector, `{...}[5m]`: a matrix of raw samples. A label that Prometheus renamed (exported_x,
 * because it has a label x of its own for the place) gets its name back. ERR_PROTOCOL: no such answer, too many series,
 * or one with a warning, which may be a part of the truth. ERR_REJECTED: the API's own error, in its words.
 * promapi_pages_free() if it went well. */
int promapi_read_pages(struct slice answer, struct promapi_pages *ret, struct err *err);
void promapi_pages_free(struct promapi_pages *p);

/* The answer to a query that ends in one number: a scalar, or a vector of at most one element. ret_present false: an
 * empty vector. The number is finite and not negative, else ERR_PROTOCOL. */
int promapi_read_count(struct slice answer, bool *ret_present, double *ret, struct err *err);

/* The answer to a condition: a vector. ret_holds: it has an element; each is a finite number, else ERR_PROTOCOL, as for a scalar. */
int promapi_read_condition(struct slice answer, bool *ret_holds, struct err *err);

/* The body of an answer of 4xx or 5xx: true, with ret in the API's own words, if it is one of the API. */
bool promapi_explain(struct slice body, char ret[400]);
#endif
