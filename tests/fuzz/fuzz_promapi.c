/* Answers of Prometheus's API: any bytes; what is made of an answer is a page that promtext.h reads or refuses with words. */
#include "fuzz.h"
#include "judge/promapi.h"
#include "judge/promtext.h"
#include <math.h>

FUZZ(text) {
    char *copy = slice_dup(text); /* of its own, so that the sanitizer sees a read past it */
    struct slice answer = slice_make(copy, text.n);
    struct promapi_pages pages = {0};
    struct err e = {0};
    char words[400];
    if (promapi_read_pages(answer, &pages, &e) < 0) FUZZ_CHECK(e.kind != ERR_NONE && e.msg[0] && !pages.n);
    for (size_t i = 0; i < pages.n; i++) {
        struct promtext *p = promtext_new(NULL, NULL);
        struct prom_page page;
        struct err bad = {0};
        FUZZ_CHECK(i == 0 || strcmp(pages.v[i - 1].place, pages.v[i].place) < 0);
        int rc = promtext_feed(p, buf_slice(&pages.v[i].text), &bad);
        if (rc == 0) rc = promtext_end(p, &page, &bad);
        FUZZ_CHECK(rc == 0 || bad.msg[0]);
        promtext_free(p);
    }
    promapi_pages_free(&pages);
    bool present = false, holds = false;
    double value = 0;
    if (promapi_read_count(answer, &present, &value, &e) == 0) FUZZ_CHECK(isfinite(value) && value >= 0);
    if (promapi_read_condition(answer, &holds, &e) < 0) FUZZ_CHECK(!holds);
    if (promapi_explain(answer, words)) FUZZ_CHECK(words[0]);
    free(copy);
}
