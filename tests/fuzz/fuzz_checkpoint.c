/* Checkpoints: any text as a whole value, and any text as a body under a digest that fits, since a random one
 * never does. What is read can be written and says the same when read again. */
#include "fuzz.h"
#include "base/hash.h"
#include "leader/checkpoint.h"

struct sum {
    struct checkpoint *copy;
    uint64_t hash;
    size_t n;
};

static void each(void *ctx, const struct checkpoint_key *k) {
    struct sum *s = ctx;
    FUZZ_CHECK(k->key.n && k->key.n <= CHECKPOINT_KEY_MAX && k->controller.n &&
               k->reason.n <= CHECKPOINT_REASON_MAX);
    FUZZ_CHECK((int)k->kind < (int)CHECKPOINT_KINDS && k->at_wall_ns >= 0);
    /* Independent of the order: the writer sorts. */
    s->hash += slice_hash(k->key, k->kind) * 31 + slice_hash(k->controller, 1) + slice_hash(k->reason, 2) +
               (uint64_t)k->prio * 7 + k->failures +
               (k->kind == CHECKPOINT_DELAYED ? (uint64_t)k->at_wall_ns : 0);
    s->n++;
    if (s->copy && !slice_has(k->controller, '\0')) checkpoint_add(s->copy, k);
}

static void again(struct checkpoint_reader *r) {
    struct checkpoint_head head = *checkpoint_reader_head(r);
    struct sum a = {.copy = checkpoint_new(&head)}, b = {0};
    checkpoint_each(r, each, &a);
    for (size_t i = head.parts; i < checkpoint_reader_parts(r); i++)
        checkpoint_add_unread(a.copy, checkpoint_reader_part(r, i));
    checkpoint_finish(a.copy, true);
    struct checkpoint_reader *r2;
    FUZZ_CHECK(checkpoint_open(checkpoint_value(a.copy), head.term, &r2, NULL) == CHECKPOINT_OK);
    checkpoint_each(r2, each, &b);
    const struct checkpoint_head *h = checkpoint_head(a.copy);
    FUZZ_CHECK(h->keys + h->dropped <= a.n && h->keys == b.n);
    FUZZ_CHECK(checkpoint_reader_head(r2)->unread == head.unread);
    if (b.n == a.n) FUZZ_CHECK(a.hash == b.hash);
    checkpoint_close(r2);
    checkpoint_free(a.copy);
}

static void with_digest(struct slice body) {
    char sha[65];
    sha256_hex(body, sha);
    cleanup_buf struct buf v = BUF(1 << 20);
    /* As a part, since there the number of keys need not be known beforehand. */
    buf_addf(&v, "handover/1 term=3 made=3 by=p_u_1 at=1000 keys=0 dropped=0 parts=1 sha256=%s", sha);
    struct checkpoint_reader *r;
    FUZZ_CHECK(checkpoint_open(buf_slice(&v), 3, &r, NULL) == CHECKPOINT_OK);
    struct err err = {0};
    enum checkpoint_fault f = checkpoint_give(r, 0, body.p ? body : SL(""), &err);
    FUZZ_CHECK(f == CHECKPOINT_OK || (f == CHECKPOINT_DAMAGED && err.msg[0]));
    if (f == CHECKPOINT_OK) again(r);
    checkpoint_close(r);
}

FUZZ(in) {
    struct checkpoint_reader *r;
    struct err err = {0};
    enum checkpoint_fault f = checkpoint_open(in, -1, &r, &err);
    if (f == CHECKPOINT_OK) {
        if (!checkpoint_reader_head(r)->parts) again(r);
        cleanup_buf struct buf carried = BUF(1 << 20);
        FUZZ_CHECK(checkpoint_carry(in, checkpoint_reader_head(r)->term, 99, &carried));
        struct checkpoint_reader *r2;
        FUZZ_CHECK(checkpoint_open(buf_slice(&carried), 99, &r2, NULL) == CHECKPOINT_OK);
        checkpoint_close(r2);
        checkpoint_close(r);
    } else {
        FUZZ_CHECK(err.msg[0]);
    }
    with_digest(in);
}
