/* The work of the smallest operator: ConfigMaps with the label bench=work, each with what is wanted
 * (data.want, a number) and what is done (data.done). A reconcile that finds them different works for a while
 * and then writes done = want, fenced and with the resourceVersion that it had read as precondition.
 * data.mode: "fail", it never succeeds; "poll", once it is done the key "poll/NAMESPACE/NAME" is looked at
 * every two seconds, which no watch tells a successor of. Everything that begins and ends stands in the
 * ledger. */
#ifndef BENCH_CHORES_H
#define BENCH_CHORES_H
#include "control/controller.h"
#include "kube/client.h"

struct chores_options {
    struct slice ns;
    int64_t work_ns; /* how long one piece of it takes */
    unsigned workers;
};
struct chores;
/* synced: the cache is warm; once. */
int chores_new(struct kube *k, const struct chores_options *opt, world_fn synced, void *ctx,
               struct chores **ret, struct err *err);
void chores_free(struct chores *w);
void chores_start(struct chores *w);
struct controller *chores_controller(struct chores *w);
/* What is unfinished, to the ledger as lines "VERB KIND KEY FAILURES AT" (AT: microseconds since 1970, 0
 * unless delayed), kept until ledger_flush(). */
void chores_tell(struct chores *w, const char *verb);
#endif
