#include "leader/checkpoint.h"
#include "base/hash.h"
#include "base/rand.h"
#include "base/time.h"
#include "../case.h"
#include "../each.h"

#define NOW (INT64_C(1767225600) * NS_PER_S)
static const struct checkpoint_head head7 = {.term = 7, .by = "pod_uid_1", .at_wall_ns = NOW};

static void add(struct checkpoint *c, enum checkpoint_kind kind, const char *controller, const char *key,
                int prio, int64_t at, unsigned failures, const char *reason) {
    checkpoint_add(c, &(struct checkpoint_key){kind, slice_of(controller), slice_of(key), prio, at, failures,
                                               slice_of(reason)});
}

DEFINE_CLEANUP(struct checkpoint_reader *, reader, checkpoint_close)
#define cleanup_reader CLEANUP(reader)

static struct checkpoint_reader *opened(struct slice value, int64_t term) {
    struct checkpoint_reader *r = NULL;
    struct err err = {0};
    if (checkpoint_open(value, term, &r, &err) != CHECKPOINT_OK) fail_msg("%s", err.msg);
    return r;
}

static void print(void *ctx, const struct checkpoint_key *k) {
    buf_addf(ctx, "%s %.*s %.*s p%d f%u", checkpoint_kind_name(k->kind), SLF(k->controller), SLF(k->key),
             k->prio, k->failures);
    if (k->at_wall_ns) buf_addf(ctx, " %+lld", (long long)((k->at_wall_ns - NOW) / NS_PER_MS));
    if (k->reason.n) buf_addf(ctx, " %.*s", SLF(k->reason));
    buf_adds(ctx, "\n");
}

CASE(round_trip) {
    cleanup_checkpoint struct checkpoint *c = checkpoint_new(&head7);
    add(c, CHECKPOINT_DELAYED, "rollout", "ns/app-3", 0, NOW + 90 * NS_PER_S + 1, 4, NULL);
    add(c, CHECKPOINT_DEAD, "rollout", "ns/app-9", 0, NOW - 5 * NS_PER_S, 16,
        "no such image: \"x\" \\ <y>\n\xff");
    add(c, CHECKPOINT_QUEUED, "rollout", "ns/app-2", -100, 0, 0, NULL);
    add(c, CHECKPOINT_QUEUED, "rollout", "ns/app-1", 0, 0, 1, NULL);
    add(c, CHECKPOINT_QUEUED, "rollout", "ns/zzz", 0, 0, 0, NULL);
    add(c, CHECKPOINT_QUEUED, "rollout", "ns/aaa", 0, 0, 0, NULL);
    add(c, CHECKPOINT_QUEUED, "other", "ns/app-2", 0, 0, 0, NULL);
    add(c, CHECKPOINT_INTERRUPTED, "other", "\x01 key%with=every#thing", 7, 0, 0, NULL);
    add(c, CHECKPOINT_INFLIGHT, "rollout", "x", 0, 0, 0, NULL);
    add(c, CHECKPOINT_FAILURES, "rollout", "ns/app-4", 0, 0, 4294967295u, NULL);
    add(c, CHECKPOINT_DELAYED, "rollout", "ns/app-3", 0, 0, 0, NULL); /* long ago */
    checkpoint_finish(c, false);
    assert_int_equal(checkpoint_parts(c), 0);
    assert_int_equal(checkpoint_count(c, CHECKPOINT_QUEUED), 5);
    struct slice v = checkpoint_value(c);
    for (size_t i = 0; i < v.n; i++) { /* as it is in JSON, in Go's too */
        assert_true(v.p[i] >= ' ' && v.p[i] < 127 && !strchr("\"\\<>&", v.p[i]));
    }
    cleanup_reader struct checkpoint_reader *r = opened(v, 7);
    cleanup_buf struct buf b = BUF(10000);
    assert_int_equal(checkpoint_each(r, print, &b), 11);
    assert_string_equal(buf_str(&b),
                        "interrupted other \x01 key%with=every#thing p7 f0\n"
                        "inflight rollout x p0 f0\n"
                        "queued rollout ns/app-1 p0 f1\n"
                        "queued rollout ns/zzz p0 f0\n"
                        "queued rollout ns/aaa p0 f0\n"
                        "queued rollout ns/app-2 p-100 f0\n"
                        "queued other ns/app-2 p0 f0\n"
                        "delayed rollout ns/app-3 p0 f4 +90001\n"
                        "delayed rollout ns/app-3 p0 f0\n"
                        "failures rollout ns/app-4 p0 f4294967295\n"
                        "dead rollout ns/app-9 p0 f16 -5000 no such image: \"x\" \\ <y>\n\xff\n");
    assert_string_equal(checkpoint_reader_head(r)->by, "pod_uid_1");
    assert_int_equal(checkpoint_reader_head(r)->keys, 11);
    assert_int_equal(checkpoint_skipped(r), 0);
}

/* A text of version 1 in this term; head: what its head says beside that. */
static enum checkpoint_fault open_text(const char *head, const char *body, struct checkpoint_reader **ret) {
    char sha[65];
    struct err err = {0};
    sha256_hex(slice_of(body), sha);
    cleanup_free char *text = xasprintf("handover/1 term=7 %s sha256=%s | %s", head, sha, body);
    enum checkpoint_fault f = checkpoint_open(slice_of(text), 7, ret, &err);
    assert_true(f == CHECKPOINT_OK || err.msg[0]);
    return f;
}

/* Frozen texts: what a version 1 says must be read by every later program. Kinds and marks of a later minor version are
 * skipped and counted, what is known is used. */
CASE(texts_of_version_1) {
    cleanup_reader struct checkpoint_reader *r = NULL, *later = NULL;
    cleanup_buf struct buf b = BUF(10000);
    assert_int_equal(open_text("made=6 by=p_u_1 at=1767225600000 keys=4 dropped=3 parts=0 new=1",
                               "#rollout !q 0ns/app-1+2 ^5 72 !d 0a@1500 !x 0b@-500~oh%20no ", &r),
                     CHECKPOINT_OK);
    checkpoint_each(r, print, &b);
    assert_string_equal(
        buf_str(&b),
        "queued rollout ns/app-1 p0 f2\nqueued rollout ns/app-2 p5 f0\ndelayed rollout a p0 f0 +1500\n"
        "dead rollout b p0 f0 +1000 oh no\n");
    assert_int_equal(checkpoint_reader_head(r)->dropped, 3);
    assert_int_equal(checkpoint_reader_head(r)->made, 6);
    buf_clear(&b);
    assert_int_equal(
        open_text("made=7 by=p at=0 keys=5 dropped=0 parts=0", "#c !Z 0a 0b !q 0a 0b*what 0c ", &later),
        CHECKPOINT_OK);
    assert_int_equal(checkpoint_each(later, print, &b), 2);
    assert_string_equal(buf_str(&b), "queued c a p0 f0\nqueued c c p0 f0\n");
    assert_int_equal(checkpoint_skipped(later), 3);
}

static enum checkpoint_fault open_body(const char *body) {
    cleanup_reader struct checkpoint_reader *r = NULL;
    return open_text("made=7 by=p at=0 keys=1 dropped=0 parts=0", body, &r);
}

CASE(damaged) {
    cleanup_checkpoint struct checkpoint *c = checkpoint_new(&head7);
    add(c, CHECKPOINT_QUEUED, "c", "ns/app-1", 0, 0, 0, NULL);
    checkpoint_finish(c, false);
    struct slice v = checkpoint_value(c);
    struct checkpoint_reader *r;
    struct err err;
    assert_int_equal(checkpoint_open(SL(""), 7, &r, &err), CHECKPOINT_EMPTY);
    assert_int_equal(checkpoint_open(SL("hello"), 7, &r, &err), CHECKPOINT_FOREIGN);
    assert_int_equal(checkpoint_open(SL("handover/2 term=7"), 7, &r, &err), CHECKPOINT_FOREIGN);
    assert_int_equal(checkpoint_open(v, 8, &r, &err), CHECKPOINT_STALE);
    assert_non_null(strstr(err.msg, "term 7"));
    for (size_t i = 0; i < v.n; i++) { /* any byte changed, any end missing */
        cleanup_free char *copy = slice_dup(v);
        copy[i] ^= 1;
        cleanup_reader struct checkpoint_reader *x = NULL;
        enum checkpoint_fault f = checkpoint_open(slice_make(copy, v.n), 7, &x, &err);
        /* the head's by, at, made, dropped and made-up names are not under the digest: nothing depends on
         * them */
        if (f == CHECKPOINT_OK) assert_true(checkpoint_reader_head(x)->keys == 1);
        assert_int_not_equal(checkpoint_open(slice_make(v.p, i), 7, &r, &err), CHECKPOINT_OK);
    }
    static const char bad[] =
        "|!q 0a |#c 0|#c !q 1a |#c !q 0 |#c !q 0%ZZ |#c !q 0%2 |#c ! 0a|# !q 0a|#c !d 0a |"
        "#c !d 0a@ |#c !d 0a@-1 |#c !q 0a+-1 |#c !q 0a+4294967296 |#c !q ^x 0a|"
        "#c !q ^99999999999 0a|#c !d 0a@99999999999999999 |#c !q ~a|#c !q 0a  0b |"
        "#c !q zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz0";
    assert_int_equal(open_body("#c !q 0a "), CHECKPOINT_OK);
    each_of(body, bad) {
        cleanup_free char *text = slice_dup(body);
        if (open_body(text) != CHECKPOINT_DAMAGED) fail_msg("%s", text);
    }
}

CASE(carry) {
    cleanup_checkpoint struct checkpoint *c = checkpoint_new(&head7);
    add(c, CHECKPOINT_QUEUED, "c", "ns/app-1", 0, 0, 0, NULL);
    checkpoint_finish(c, false);
    cleanup_buf struct buf b = BUF(100000);
    assert_false(checkpoint_carry(checkpoint_value(c), 6, 8, &b));
    assert_false(checkpoint_carry(SL("nonsense"), 7, 8, &b));
    assert_int_equal(b.n, 0);
    assert_true(checkpoint_carry(checkpoint_value(c), 7, 10, &b));
    cleanup_reader struct checkpoint_reader *r = opened(buf_slice(&b), 10);
    assert_int_equal(checkpoint_reader_head(r)->made, 7); /* its ConfigMaps keep their names */
}

static void fill(struct checkpoint *c, size_t n, bool random_names) {
    struct rng r = {3};
    for (size_t i = 0; i < n; i++) {
        char key[80];
        if (random_names)
            snprintf(key, sizeof(key), "team-%03lu/%016lx%016lx", (unsigned long)rng_below(&r, 100),
                     (unsigned long)rng_next(&r), (unsigned long)rng_next(&r));
        else
            snprintf(key, sizeof(key), "team-%04zu/deployment-%05zu", i / 100, i);
        enum checkpoint_kind kind = i < 50  ? CHECKPOINT_INTERRUPTED
                                    : i % 2 ? CHECKPOINT_QUEUED
                                            : CHECKPOINT_DELAYED;
        add(c, kind, "rollout", key, 0,
            kind == CHECKPOINT_DELAYED ? NOW + (int64_t)rng_below(&r, 600000) * NS_PER_MS : 0, i % 7 == 0,
            NULL);
    }
}

static void count(void *ctx, const struct checkpoint_key *k) {
    ((size_t *)ctx)[k->kind]++;
}

static void hundred_thousand(bool random_names, size_t most_parts) {
    cleanup_checkpoint struct checkpoint *c = checkpoint_new(&head7);
    fill(c, 100000, random_names);
    checkpoint_finish(c, false);
    size_t n = checkpoint_parts(c), bytes = 0;
    assert_in_range(n, 1, most_parts);
    assert_in_range(checkpoint_value(c).n, 1, 4096);
    struct err err;
    cleanup_reader struct checkpoint_reader *r = opened(checkpoint_value(c), 7);
    for (size_t i = n; i-- > 0;) { /* in any order */
        assert_in_range(checkpoint_part(c, i).n, 1, CHECKPOINT_PART_MAX);
        bytes += checkpoint_part(c, i).n;
        assert_int_equal(checkpoint_give(r, i, checkpoint_part(c, i), &err), CHECKPOINT_OK);
    }
    size_t counts[CHECKPOINT_KINDS] = {0};
    assert_int_equal(checkpoint_each(r, count, counts), 100000);
    assert_int_equal(counts[CHECKPOINT_INTERRUPTED], 50);
    assert_int_equal(counts[CHECKPOINT_QUEUED], 49975);
    print_message("100,000 %s keys: %zu parts, %.1f bytes a key\n", random_names ? "random" : "listed", n,
                  (double)bytes / 100000);
}

CASE(hundred_thousand_keys) {
    hundred_thousand(false, 2);
    hundred_thousand(true, 6);
}

CASE(parts_survive_each_other) {
    cleanup_checkpoint struct checkpoint *c = checkpoint_new(&head7);
    fill(c, 60000, true);
    checkpoint_finish(c, false);
    assert_true(checkpoint_parts(c) >= 3);
    struct err err;
    cleanup_reader struct checkpoint_reader *r = opened(checkpoint_value(c), 7);
    assert_int_equal(checkpoint_give(r, 0, (struct slice){0}, &err), CHECKPOINT_MISSING);
    assert_int_equal(checkpoint_give(r, 1, checkpoint_part(c, 0), &err),
                     CHECKPOINT_DAMAGED); /* another's text */
    assert_int_equal(checkpoint_give(r, 1, SL("0"), &err), CHECKPOINT_DAMAGED);
    assert_int_equal(checkpoint_give(r, 2, checkpoint_part(c, 2), &err), CHECKPOINT_OK);
    assert_int_equal(checkpoint_give(r, 2, checkpoint_part(c, 2), &err), CHECKPOINT_FOREIGN); /* twice */
    assert_int_equal(checkpoint_give(r, 99, SL("x"), &err), CHECKPOINT_FOREIGN);
    size_t counts[CHECKPOINT_KINDS] = {0};
    size_t n = checkpoint_each(r, count, counts);
    assert_true(n > 10000 && n < 40000 && !counts[CHECKPOINT_INTERRUPTED]);
}

/* Parts that the writer could not read itself are named to the next one, inline or beside parts of its
 * own. */
CASE(unread_parts_are_passed_on) {
    static const char text[] = "#c !q 0late ";
    for (int large = 0; large < 2; large++) {
        cleanup_checkpoint struct checkpoint *c = checkpoint_new(&head7);
        struct checkpoint_part_id id = {.made = 5, .number = 3};
        fill(c, large ? 60000 : 3, true);
        sha256_hex(slice_of(text), id.sha);
        for (int i = 0; i < CHECKPOINT_UNREAD_MAX + 1; i++) checkpoint_add_unread(c, &id);
        checkpoint_finish(c, false);
        assert_int_equal(checkpoint_head(c)->dropped, 1); /* no room for so many */
        assert_true(checkpoint_value(c).n <= CHECKPOINT_INLINE_MAX);
        cleanup_buf struct buf carried = BUF(100000);
        assert_true(checkpoint_carry(checkpoint_value(c), 7, 8, &carried));
        cleanup_reader struct checkpoint_reader *r = opened(buf_slice(&carried), 8);
        size_t own = checkpoint_parts(c), counts[CHECKPOINT_KINDS] = {0};
        assert_int_equal(checkpoint_reader_parts(r), own + CHECKPOINT_UNREAD_MAX);
        assert_null(checkpoint_reader_part(r, own + CHECKPOINT_UNREAD_MAX));
        const struct checkpoint_part_id *got = checkpoint_reader_part(r, own);
        assert_true(got->made == 5 && got->number == 3);
        assert_int_equal(checkpoint_each(r, count, counts), large ? 0 : 3);
        assert_int_equal(checkpoint_give(r, own, SL("x"), NULL), CHECKPOINT_DAMAGED);
        assert_int_equal(checkpoint_give(r, own, slice_of(text), NULL), CHECKPOINT_OK);
        assert_int_equal(checkpoint_each(r, count, counts), 1); /* only what is new */
        assert_int_equal(checkpoint_each(r, count, counts), 0);
    }
}

CASE(renewals_stay_small) {
    cleanup_checkpoint struct checkpoint *c = checkpoint_new(&head7);
    fill(c, 100000, false);
    checkpoint_finish(c, true);
    assert_int_equal(checkpoint_parts(c), 0);
    assert_in_range(checkpoint_value(c).n, CHECKPOINT_INLINE_MAX - 600, CHECKPOINT_INLINE_MAX);
    assert_int_equal(checkpoint_count(c, CHECKPOINT_INTERRUPTED), 50); /* what matters most is there */
    cleanup_reader struct checkpoint_reader *r = opened(checkpoint_value(c), 7);
    const struct checkpoint_head *h = checkpoint_reader_head(r);
    assert_int_equal(h->keys + h->dropped, 100000);
}

CASE(caps) {
    cleanup_checkpoint struct checkpoint *c = checkpoint_new(&head7);
    static char longkey[2000], name[20];
    memset(longkey, 'k', sizeof(longkey) - 1);
    add(c, CHECKPOINT_QUEUED, "c", longkey, 0, 0, 0, NULL);
    add(c, CHECKPOINT_QUEUED, longkey, "k", 0, 0, 0, NULL);
    add(c, CHECKPOINT_QUEUED, "c", "", 0, 0, 0, NULL);
    add(c, CHECKPOINT_QUEUED, "", "k", 0, 0, 0, NULL);
    longkey[CHECKPOINT_KEY_MAX] = '\0';
    add(c, CHECKPOINT_DEAD, "c", longkey, 0, 0, 0, longkey);
    add(c, CHECKPOINT_DEAD, "c", longkey, 0, 0, 0, longkey);
    for (int i = 0; i < CHECKPOINT_CONTROLLERS_MAX + 9; i++) {
        snprintf(name, sizeof(name), "c%d", i);
        add(c, CHECKPOINT_QUEUED, name, "k", 0, 0, 0, NULL);
    }
    checkpoint_finish(c, false);
    assert_int_equal(checkpoint_head(c)->dropped, 4 + 10);
    cleanup_reader struct checkpoint_reader *r = opened(checkpoint_value(c), 7);
    size_t counts[CHECKPOINT_KINDS] = {0};
    checkpoint_each(r, count, counts);
    assert_int_equal(counts[CHECKPOINT_DEAD], 2);
    assert_int_equal(counts[CHECKPOINT_QUEUED], 255);
    cleanup_checkpoint struct checkpoint *none = checkpoint_new(&head7);
    checkpoint_finish(none, false);
    cleanup_reader struct checkpoint_reader *nothing = opened(checkpoint_value(none), -1);
    assert_int_equal(checkpoint_each(nothing, count, counts), 0);
}

CASE(part_names) {
    cleanup_buf struct buf b = BUF(1000);
    assert_int_equal(checkpoint_part_name(SL("handover"), 12, 1, &b), 0);
    assert_string_equal(buf_str(&b), "handover-checkpoint-12-1");
    char name[254];
    memset(name, 'a', 253);
    assert_true(checkpoint_part_name(slice_make(name, 253), 12, 1, &b) < 0);
}

CASES("leader/checkpoint")
