/* Dead letters: order, bound, what is kept of a letter that comes again. */
#include "../case.h"
#include "dead_letters.h"

static bool put(struct dead_letters *d, const char *key, const char *reason, int64_t since) {
    return dead_letters_put(
        d, &(struct dead_letter){
               .key = slice_of(key), .reason = slice_of(reason), .since_wall_ns = since, .failures = 2});
}

static void write_one(void *ctx, const struct dead_letter *l) {
    buf_addf(ctx, "%.*s=%.*s@%lld;", SLF(l->key), SLF(l->reason), (long long)l->since_wall_ns);
}

static void shows(const struct dead_letters *d, const char *want) {
    cleanup_buf struct buf out = BUF(1000);
    dead_letters_each(d, write_one, &out);
    assert_string_equal(buf_str(&out), want);
}

CASE(oldest_first_and_oldest_dropped) {
    struct dead_letters *d = dead_letters_new(3);
    assert_true(put(d, "a", "r", 1));
    assert_true(put(d, "b", "r", 2));
    assert_true(put(d, "c", "r", 3));
    shows(d, "a=r@1;b=r@2;c=r@3;");
    assert_false(put(d, "d", "r", 4));
    shows(d, "b=r@2;c=r@3;d=r@4;");
    assert_true(put(d, "b", "worse", 9)); /* known: no one has to go, `since` stands */
    shows(d, "b=worse@2;c=r@3;d=r@4;");
    assert_int_equal(dead_letters_count(d), 3);
    assert_true(dead_letters_has(d, SL("c")));
    assert_true(dead_letters_remove(d, SL("c")));
    assert_false(dead_letters_remove(d, SL("c")));
    assert_false(dead_letters_has(d, SL("c")));
    shows(d, "b=worse@2;d=r@4;");
    dead_letters_free(d);
    dead_letters_free(NULL);
}

CASE(reasons_are_cut_between_characters) {
    struct dead_letters *d = dead_letters_new(0); /* room for one at least */
    char text[600];
    memcpy(text, "xyz", 3); /* so that the 512th byte is in the middle of a character */
    for (size_t i = 3; i + 1 < 600; i += 2) memcpy(text + i, "\xc3\xa4", 2);
    dead_letters_put(d, &(struct dead_letter){.key = {0}, .reason = slice_make(text, 599)});
    cleanup_buf struct buf out = BUF(2000);
    dead_letters_each(d, write_one, &out);
    assert_int_equal(out.n, strlen("=@0;") + 511);
    dead_letters_free(d);
}

CASES("control/dead_letters")
