/* The ends of a namespace's containers, in the ledger at the moment at which a watch shows the kubelet's record: "ended POD". */
#ifndef BENCH_ENDS_H
#define BENCH_ENDS_H
#include "kube/client.h"

struct ends;
/* ns: borrowed. NULL: see err. */
struct ends *ends_new(struct kube *kube, struct slice ns, struct err *err);
void ends_free(struct ends *e);
#endif
