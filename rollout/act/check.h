/* Asks the checks of targets: a URL of the target's own among the hosts that the administrator allows, a condition of the administrator's
 * Prometheus server. At most 16 at once, 2 of a namespace, on connections of their own (LANE_CHECK): one that hangs is in the way
 * of its own namespace alone. A URL is sent no credentials, and no redirect is followed. check_work.c uses this for one target. */
#ifndef ROLLOUT_ACT_CHECK_H
#define ROLLOUT_ACT_CHECK_H
#include "act/scrape.h"
#include "plan/check.h"

enum { CHECKS_AT_ONCE = 16, CHECKS_OF_NAMESPACE = 2, CHECK_TIMEOUT_S = 10 };
struct checks_options { /* borrowed as long as the checks live */
    const char *hosts;  /* check_hosts_check(); NULL: none */
    const char *ca;     /* a file, read for each question; NULL: the system's */
    struct prometheus_options prometheus;
};
struct checks; /* one per process */
struct checks *checks_new(struct kube *k, const struct checks_options *opt);
void checks_free(struct checks *c); /* after the targets; NULL is fine */
void checks_stop(struct checks *c); /* cancels what is open, without callbacks, and asks nothing any more */
/* 0, or ERR_CONFIG: what the spec asks for needs an option of this process. */
int checks_allow(const struct checks *c, const struct spec *spec, struct err *err);

struct check_target;
/* answered: never inside a call of this header; does not free the target. */
struct check_target *check_target_new(struct checks *c, const char *ns, world_fn answered, void *ctx);
void check_target_free(struct check_target *t); /* cancels; NULL is fine */
/* The same question is asked once at a time; another one of that kind takes its place. text: of the annotation, with a query's variables
 * filled in; body: what a URL is sent. Both are copied. */
void check_target_ask(struct check_target *t, enum check_kind kind, uint64_t of, struct slice text,
                      struct slice body);
/* The answer without a question: why it cannot be asked. */
void check_target_fail(struct check_target *t, enum check_kind kind, uint64_t of, const struct err *err);
/* Valid until the next call that is not this one; NULL: none. */
const struct check_answer *check_target_answer(const struct check_target *t, enum check_kind kind);
void check_target_taken(struct check_target *t); /* the answers have been looked at */
#endif
