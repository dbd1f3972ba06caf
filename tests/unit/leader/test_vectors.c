/* The checkpoint's test vectors, which programs in other languages keep to as well: docs/examples/vectors.txt. */
#include "base/time.h"
#include "leader/checkpoint.h"
#include "../case.h"
#include "../../../leader/checkpoint_text.h"
#include <stdio.h>

enum { TERM = 7 };

static void print(void *ctx, const struct checkpoint_key *k) {
    struct buf *out = ctx;
    buf_addf(out, "%s\t", checkpoint_kind_name(k->kind));
    cp_escape(out, k->controller);
    buf_addc(out, '\t');
    cp_escape(out, k->key);
    buf_addf(out, "\t%d\t%u\t", k->prio, k->failures);
    if (k->kind == CHECKPOINT_DELAYED || k->kind == CHECKPOINT_DEAD)
        buf_addf(out, "%lld\t", (long long)(k->at_wall_ns / NS_PER_MS));
    else
        buf_adds(out, "-\t");
    cp_escape(out, k->reason);
    buf_addc(out, '\n');
}

static void add(void *ctx, const struct checkpoint_key *k) {
    checkpoint_add(ctx, k);
}

static void reads(const char *name, struct slice value, struct slice result, struct slice keys) {
    struct checkpoint_reader *r = NULL;
    struct err err = {0};
    struct slice word, rest;
    cleanup_buf struct buf found = BUF(1 << 20);
    enum checkpoint_fault fault = checkpoint_open(value, TERM, &r, &err);
    slice_cut(result, ' ', &word, &rest);
    if (!slice_eqs(word, checkpoint_fault_name(fault)))
        fail_msg("%s: %s, not %.*s: %s", name, checkpoint_fault_name(fault), SLF(word), err.msg);
    if (fault != CHECKPOINT_OK) return;
    size_t skipped = checkpoint_skipped(r);
    checkpoint_each(r, print, &found);
    if (!slice_eq(buf_slice(&found), keys))
        fail_msg("%s: found\n%s, not\n%.*s", name, buf_str(&found), SLF(keys));
    char also[32];
    (void)snprintf(also, sizeof also, "skipped=%zu", skipped);
    assert_true(slice_eqs(rest, skipped ? also : slice_eqs(rest, "same") ? "same" : ""));
    checkpoint_close(r);
}

static void writes(const char *name, struct slice value) {
    struct checkpoint_reader *r = NULL;
    struct err err = {0};
    assert_int_equal(checkpoint_open(value, TERM, &r, &err), CHECKPOINT_OK);
    cleanup_checkpoint struct checkpoint *c = checkpoint_new(checkpoint_reader_head(r));
    checkpoint_add_dropped(c, checkpoint_reader_head(r)->dropped);
    checkpoint_each(r, add, c);
    checkpoint_close(r);
    checkpoint_finish(c, true);
    if (!slice_eq(checkpoint_value(c), value)) fail_msg("%s: written\n%.*s", name, SLF(checkpoint_value(c)));
}

CASE(each_text_is_read_and_written_as_the_contract_says) {
    cleanup_buf struct buf text = BUF(1 << 20);
    char block[4096];
    size_t n, vectors = 0;
    FILE *f = fopen(VECTORS, "r");
    assert_non_null(f);
    while ((n = fread(block, 1, sizeof block, f)) > 0) buf_add(&text, slice_make(block, n));
    (void)fclose(f);
    struct slice rest = buf_slice(&text), line, value, result;
    while (slice_cut(rest, '\n', &line, &rest) || line.n) {
        if (!slice_starts(line, SL("= "))) continue;
        cleanup_free char *name = slice_dup(slice_make(line.p + 2, line.n - 2));
        slice_cut(rest, '\n', &value, &rest);
        slice_cut(rest, '\n', &result, &rest);
        assert_true(slice_starts(result, SL("> ")));
        result = slice_make(result.p + 2, result.n - 2);
        const char *keys = rest.p;
        while (rest.n && rest.p[0] != '\n') slice_cut(rest, '\n', &line, &rest);
        reads(name, value, result, slice_make(keys, rest.p ? (size_t)(rest.p - keys) : 0));
        if (slice_eqs(result, "ok same")) writes(name, value);
        vectors++;
    }
    assert_true(vectors > 15);
}

CASES("leader/vectors")
