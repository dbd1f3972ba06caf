/* Between the rule and its sentences. */
#ifndef ROLLOUT_JUDGE_RULE_H
#define ROLLOUT_JUDGE_RULE_H
#include "judge/judge.h"

struct court {
    struct judge_report *r;
    struct judge_values all;
    enum verdict says;              /* of the tests: watching, hold or fail */
    const struct judge_test *worst; /* the one that says it loudest */
    const struct judge_test *idle;  /* a controller that only stable works in; NULL: none */
    bool calm, stable_calm, enough;
    double unseen; /* so many more reconciles of both versions lately are needed to see an outage by */
};
/* r->why, by r->verdict. */
void judge_why(const struct judge *j, const struct judge_param *p, const struct court *c);
#endif
