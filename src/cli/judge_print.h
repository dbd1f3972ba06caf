/* One verdict of `handover judge`, as a line. */
#ifndef CLI_JUDGE_PRINT_H
#define CLI_JUDGE_PRINT_H
#include "judge/judge.h"

struct judge_printer {
    uint64_t deadline; /* in scrapes; 0: none */
    bool json;
};
/* Replaces what is in out. scrape: from 1 on. wall_ns: when it was; 0: not known. What is undecided at the deadline is inconclusive,
 * an outage too; returns the verdict as it is printed. */
enum verdict judge_print(const struct judge_printer *p, uint64_t scrape, int64_t wall_ns,
                         const struct judge_report *r, struct buf *out);
#endif
