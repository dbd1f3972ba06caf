/* A report's JSON, or two objects with a byte 0x01 between: what is accepted is the same when written and read again, says nothing to a terminal,
 * and of it without itself nothing is left. */
#include "fuzz.h"
#include "rehearse/report.h"

static void all_of(const struct report *r) {
    struct buf one = BUF(256 << 20), two = BUF(256 << 20), text = BUF(256 << 20);
    FUZZ_CHECK(report_write(r, &one) == 0);
    struct report *again = NULL, *itself = NULL;
    struct err e = {0};
    FUZZ_CHECK(report_read(buf_slice(&one), &again, &e) == 0);
    FUZZ_CHECK(report_write(again, &two) == 0);
    FUZZ_CHECK(slice_eq(buf_slice(&one), buf_slice(&two)));
    FUZZ_CHECK(report_text(r, (unsigned)(one.n % 90), false, 10, &text) == 0);
    for (size_t i = 0; i < text.n; i++) FUZZ_CHECK((unsigned char)text.p[i] >= 0x20 || text.p[i] == '\n');
    FUZZ_CHECK(report_read(buf_slice(&one), &itself, &e) == 0);
    report_subtract(itself, again);
    FUZZ_CHECK(report_empty(itself) && report_count(itself, REPORT_RESTARTS) == 0);
    report_free(again);
    report_free(itself);
    buf_free(&one);
    buf_free(&two);
    buf_free(&text);
}

FUZZ(in) {
    struct slice live, rehearsed;
    struct err e = {0};
    if (!slice_cut(in, 1, &live, &rehearsed)) {
        struct report *r = NULL;
        if (report_read(in, &r, &e) == 0)
            all_of(r);
        else
            FUZZ_CHECK(!r && e.msg[0]);
        report_free(r);
        return;
    }
    static const struct {
        const char *group, *kind;
    } kinds[] = {{"", "Secret"},
                 {"apps", "StatefulSet"},
                 {"apiextensions.k8s.io", "CustomResourceDefinition"},
                 {"", "Pod"}};
    struct report *r = report_new(&(struct report_limits){.objects = 3, .fields = 5, .value = 20});
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct report_object o = {.group = slice_of(kinds[i].group),
                                  .kind = slice_of(kinds[i].kind),
                                  .name = SL("x"),
                                  .live = live,
                                  .rehearsed = rehearsed,
                                  .writes = 11};
        int rc = report_add(r, &o, &e);
        FUZZ_CHECK(rc == 0 || e.msg[0]);
    }
    report_event(r, SL("Warning"), in, in, in, in, in, 1);
    report_refusal(r, in, in, 1);
    all_of(r);
    report_free(r);
}
