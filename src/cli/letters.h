/* Dead letters as the leader's checkpoint has them, and orders for the leader: both stand on Handover's Lease. */
#ifndef CLI_LETTERS_H
#define CLI_LETTERS_H
#include "kube/client.h"
#include "leader/checkpoint.h"

struct letter {
    char *controller, *key, *reason;
    int64_t since_ns;
    unsigned failures;
};
struct letters {
    struct letter *v;
    size_t n, cap;
    size_t dropped;      /* keys of any kind that the checkpoint had no room for */
    int64_t at_ns;       /* when it was written; 0: there is none */
    char *holder, *rv;   /* of the Lease; holder "": nobody leads */
    char *orders;        /* that the leader has not carried out yet, as JSON; NULL: none */
    struct err part_err; /* a part of the checkpoint cannot be read: these may not be all */
};

struct letters_poll;
/* l is the poll's until letters_end(). */
typedef void (*letters_done)(void *ctx, const struct err *err, const struct letters *l);
/* Reads the Lease, and the ConfigMaps that its checkpoint names. Exactly one callback, never inside this call; then letters_end(). */
struct letters_poll *letters_start(struct kube *k, const char *ns, const char *name, letters_done done,
                                   void *ctx);
void letters_end(struct letters_poll *p);

/* One that is meant by "CONTROLLER/KEY", or "KEY" where no two controllers have it. NULL: none, or ambiguous. Pure. */
const struct letter *letters_find(const struct letters *l, const char *name);
struct letters_order {
    const char *what, *by;       /* "retry", "drop" */
    const struct letter *letter; /* NULL: all */
};
/* The merge patch of the Lease: orders that are there already stay. -E2BIG: there are too many. Pure. */
int letters_patch(const struct letters *l, const struct letters_order *orders, size_t n, struct buf *out,
                  struct err *err);
#endif
