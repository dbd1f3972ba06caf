/* Readers of single annotation values. Each takes the whole value and returns false when it is not what is
 * allowed. */
#ifndef ROLLOUT_SPEC_VALUE_H
#define ROLLOUT_SPEC_VALUE_H
#include "plan/spec.h"

bool value_steps(struct slice v, struct spec *s); /* "10" or "5,pause,50" */
bool value_percent(struct slice v, double *ret);  /* "2%", "0.5%": a fraction in ret, 0 < ret < 1 */
bool value_number(struct slice v, double min, double max, double *ret);
bool value_count(struct slice v, uint64_t min, uint64_t max, uint64_t *ret);
bool value_duration(struct slice v, int64_t min_ns, int64_t max_ns, int64_t *ret);
bool value_endpoint(struct slice v, struct spec *s); /* [http://|https://|https+insecure://]:PORT/PATH */
char **value_words(struct slice v);                  /* by blanks; NULL-terminated; NULL if there is none */
/* "-writes,latency=rollback", on what is there; false: which item is wrong, in why. */
bool value_signals(struct slice v, enum signal_does ret[SIGNALS], char why[256]);
/* "-readiness,crashes", the same way. */
bool value_guards(struct slice v, bool ret[GUARDS], char why[256]);
/* "pool=canary,zone=a", each key once; NULL: which item is wrong, in why. value_free_words() */
char **value_labels(struct slice v, char why[256]);
/* "widgets.v1.example.com namespace=NS selector=a=b,c in (d,e)"; false: what is wrong, in why. */
bool spec_objects_value(struct slice v, struct spec *s, char why[256]);
/* "restarts=0,deletes=0", each kind once; false: what is wrong, in why. */
bool spec_limits_value(struct slice v, uint64_t ret[REPORT_KINDS], char why[256]);
#define SPEC_LIMITS_ALLOWED                                                                                  \
    "a list of KIND=N, where KIND is one of creates, changes, deletes, restarts, stops, pods, volumes, "     \
    "namespaces, "                                                                                           \
    "crds, custom, rbac, webhooks, finalizers, hot, refused, failed: restarts=0,deletes=0"
void value_free_words(char **words);
/* Annotations against each other (spec_cross.c); *first is set if it is not. What is wrong gets its default. */
void spec_cross_checks(struct spec *s, struct err *first);
#endif
