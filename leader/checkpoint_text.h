/* The checkpoint's text, shared by its writer and its reader. The format is described in
 * docs/reference/checkpoint.md.
 *
 *   handover/1 term=7 made=7 by=ID at=MS keys=3 dropped=0 parts=0 sha256=HEX | #rollout !q 0ns/app-1 5 5b^..
 *
 * Printable ASCII without the characters that a JSON encoder escapes. */
#ifndef LEADER_CHECKPOINT_TEXT_H
#define LEADER_CHECKPOINT_TEXT_H
#include "leader/checkpoint.h"

#define CP_VERSION "handover/1"
enum { CP_HEAD_MAX = 4096, CP_TEXT_MAX = 128 << 20 /* of all decoded keys */ };

/* Letters of the kinds, by enum checkpoint_kind. */
#define CP_KINDS "ifqdrx"

struct cp_entry {
    enum checkpoint_kind kind;
    unsigned controller, failures;
    int prio;
    int64_t at_ms;
    size_t key, key_n, reason, reason_n; /* places in the arena */
    size_t seq;
};

/* %XX for all but letters, digits and "-._/:". */
void cp_escape(struct buf *out, struct slice s);
/* The reverse, up to the first byte that is neither safe nor an escape; *s moves behind. -EINVAL: a bad
 * escape. */
int cp_unescape(struct slice *s, struct buf *out);
/* A number of shared bytes: one digit of base 62, a last digit 'z' says that 61 and the next number are
 * meant. */
void cp_put_shared(struct buf *out, size_t n);
int cp_get_shared(struct slice *s, size_t *ret);

struct cp_head {
    struct checkpoint_head h;
    struct checkpoint_part_id
        part[CHECKPOINT_READ_MAX]; /* its own (inline: [0] has the digest), then h.unread others */
    struct slice term_text;        /* where the term stands in the value */
    struct slice body;             /* inline */
};
void cp_head_write(struct buf *out, const struct cp_head *h);
/* CHECKPOINT_OK, EMPTY, FOREIGN or DAMAGED. */
enum checkpoint_fault cp_head_read(struct slice value, struct cp_head *ret, struct err *err);
#endif
