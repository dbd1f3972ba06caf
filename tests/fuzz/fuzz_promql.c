/* A target's queries: any bytes; one that is accepted can be filled in, and what stands for a name never ends its string. */
#include "fuzz.h"
#include "judge/promql.h"

static size_t count(struct slice s, char c) {
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) n += s.p[i] == c;
    return n;
}

FUZZ(text) {
    static const char *const track[] = {"op-1", "op.2"};
    struct promql_values v = {.ns = "ns", .pod = "op-1", .track = track, .ntrack = 2, .range_ms = 1000};
    char *copy = slice_dup(text);
    struct slice query = slice_make(copy, text.n);
    cleanup_buf struct buf out = BUF(PROMQL_MAX);
    struct err e = {0};
    enum promql_kind kind;
    if (promql_check(query, &kind, &e) < 0) {
        FUZZ_CHECK(e.kind == ERR_CONFIG && e.msg[0]);
    } else if (promql_fill(query, &v, &out, &e) == 0) {
        FUZZ_CHECK(count(buf_slice(&out), '"') == count(query, '"') &&
                   count(buf_slice(&out), '\'') == count(query, '\''));
    } else {
        FUZZ_CHECK(out.full);
    }
    bool condition = promql_check_condition(query, &e) == 0;
    buf_clear(&out);
    if (condition) FUZZ_CHECK(promql_fill(query, &v, &out, &e) == 0 || out.full);
    free(copy);
}
