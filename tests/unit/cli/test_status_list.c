/* Lists of the status report: their order, and how they fit a terminal. */
#include "../check.h"
#include <locale.h>
#include "base/time.h"
#include "status_report.h"
#include "text.h"

#define NOW_NS (INT64_C(1795458000) * NS_PER_S)

/* Rows without anything of their own to free. */
static struct status_row row_of(const char *name, enum phase phase, enum hold hold, char *message) {
    struct status_row row = {.has_state = true, .replicas = 2, .ready = 2, .canary_pods = -1};
    row.ns = xstrdup("a");
    row.name = xstrdup(name);
    row.image = xstrdup("registry.example/team/operator@sha256:0123456789abcdef");
    row.stable_image =
        phase == PHASE_STABLE ? NULL : xstrdup("registry.example/team/operator@sha256:fedcba9876543210");
    state_init(&row.state);
    row.state.phase = phase;
    row.state.hold = hold;
    row.state.since_ns = NOW_NS - 3 * 86400 * NS_PER_S - 5 * 3600 * NS_PER_S;
    row.state.message = message ? xstrdup(message) : NULL;
    return row;
}

static void row_end(struct status_row *row) {
    free(row->ns);
    free(row->name);
    free(row->image);
    free(row->stable_image);
    state_free(&row->state);
}

/* The step stays in sight: an image in a message is as short as in the row. */
static void a_long_image_in_a_message(void **unused) {
    (void)unused;
    const char *image =
        "registry.example/a-team/a-folder-of-theirs/operator:v2@sha256:0123456789abcdef0123456789abcdef";
    char long_image[300];
    memset(long_image, 'a', sizeof long_image);
    memcpy(long_image + 200, "/op:v3", 7);
    for (int is_long = 0; is_long < 2; is_long++) {
        struct status_row row = row_of("op", PHASE_SOAKING, HOLD_NONE, NULL);
        struct status_report report = {.rows = &row, .n = 1, .ns = "a"};
        free(row.image);
        row.image = xstrdup(is_long ? long_image : image);
        row.state.message = xasprintf("%.140s, step 1 of 2: wanted 10 %%, got 33 %% of 3 pods", row.image);
        cleanup_buf struct buf out = BUF(1 << 16);
        status_text(&report, &(struct table_style){.width = 80}, NOW_NS, &out);
        assert_has(buf_str(&out), is_long ? "\n    op:v3, step 1 of 2: wanted 10 %, got 33 % of 3 pods\n"
                                          : "\n    operator:v2@sha256:0123456789ab, step 1 of 2: wanted 10 "
                                            "%, got 33 % of 3\n      pods\n");
        row_end(&row);
    }
}

/* Who has to be looked at first comes first; a line for each note; as many as the terminal is high, and what is left out. */
static void a_list_fits_the_terminal(void **unused) {
    (void)unused;
    enum { N = 40 };
    struct status_row rows[N];
    struct status_report report = {.rows = rows, .n = N, .ns = "a"};
    char name[32];
    for (int i = 0; i < N; i++) {
        (void)snprintf(name, sizeof name, "op-%02d", i);
        rows[i] = row_of(name, PHASE_STABLE, HOLD_NONE, NULL);
    }
    row_end(&rows[20]);
    rows[20] = row_of("op-20", PHASE_SOAKING, HOLD_NO_DATA,
                      (char[]){"the canary's pods have no metrics yet, so nothing can be said of it"});
    row_end(&rows[21]);
    rows[21] = row_of("op-21", PHASE_ROLLED_BACK, HOLD_NONE, (char[]){"it was rolled back"});
    row_end(&rows[22]);
    rows[22] = row_of("op-22", PHASE_SOAKING, HOLD_INCONCLUSIVE, (char[]){"a person decides"});
    cleanup_buf struct buf out = BUF(1 << 20);
    status_text(&report, &(struct table_style){.width = 70, .height = 10}, NOW_NS, &out);
    assert_buf(out, "leader: none, the Lease does not exist\n"
                    "TARGET  PHASE       SINCE  READY  VERSION\n"
                    "op-22   Soaking     3d5h   2/2    fedcba987654 -> 0123456789ab\n"
                    "    Inconclusive: a person decides\n"
                    "op-21   RolledBack  3d5h   2/2    fedcba987654 -> 0123456789ab\n"
                    "    it was rolled back\n"
                    "op-20   Soaking     3d5h   2/2    fedcba987654 -> 0123456789ab\n"
                    "    NoData: the canary's pods have no metrics yet, so nothing can be ~\n"
                    "op-00   Stable      3d5h   2/2    operator@sha256:0123456789ab\n"
                    "36 more: 36 Stable\n");
    for (unsigned width = 60; width < 130; width++)
        for (unsigned height = 4; height < 60; height++) {
            buf_clear(&out);
            status_text(&report, &(struct table_style){.width = width, .height = height}, NOW_NS, &out);
            struct slice rest = buf_slice(&out), line;
            unsigned lines = 0, arrows = 0;
            for (; rest.n; lines++) {
                slice_cut(rest, '\n', &line, &rest);
                assert_true(text_columns(line, false) <= width);
                for (size_t i = 0; i + 2 < line.n; i++) arrows += memcmp(line.p + i, "-> ", 3) == 0;
            }
            assert_true(lines <= height);
            assert_true(height < 10 || arrows == 3);
        }
    for (int i = 0; i < N; i++) row_end(&rows[i]);
}

static void ages_take_six_columns(void **unused) {
    (void)unused;
    static const struct {
        int64_t s;
        const char *text;
    } ages[] = {{-5, "0s"},        {0, "0s"},        {59, "59s"},       {60, "1m"},
                {90, "1m30s"},     {3599, "59m59s"}, {3900, "1h5m"},    {3601, "1h"},
                {86399, "23h59m"}, {277200, "3d5h"}, {8640000, "100d"}, {8643600, "100d"}};
    for (size_t i = 0; i < ARRAY_LEN(ages); i++) {
        char text[32];
        status_age(ages[i].s * NS_PER_S, text);
        assert_string_equal(text, ages[i].text);
    }
}

/* How far it is; what it has found is in the message when it is over. */
static void a_rehearsal_and_what_it_waits_for(void **unused) {
    (void)unused;
    struct status_row row = row_of("op", PHASE_REHEARSING, HOLD_NONE, NULL);
    struct status_report report = {.rows = &row, .n = 1, .ns = "a"};
    cleanup_buf struct buf out = BUF(1 << 16);
    row.rehearse_ns = 300 * NS_PER_S;
    row.state.rehearsal.from_ns = NOW_NS - 150 * NS_PER_S;
    status_text(&report, &(struct table_style){.width = 80}, NOW_NS, &out);
    assert_has(buf_str(&out), "\n    rehearsal  [######......]  2m30s of 5m\n");
    buf_clear(&out);
    row.state.rehearsal.over = true;
    row.state.hold = HOLD_APPROVAL;
    row.state.message = xstrdup("its rehearsal exceeds max-changes");
    status_text(&report, &(struct table_style){.width = 80}, NOW_NS, &out);
    assert_has(buf_str(&out), "\n    AwaitingApproval: its rehearsal exceeds max-changes\n");
    assert_lacks(buf_str(&out), "rehearsal  ");
    row_end(&row);
}

int main(void) {
    if (!setlocale(LC_CTYPE, "C.UTF-8")) return 77;
    const struct CMUnitTest tests[] = {TEST(a_long_image_in_a_message), TEST(a_list_fits_the_terminal),
                                       TEST(ages_take_six_columns), TEST(a_rehearsal_and_what_it_waits_for)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
