/* How the evidence of one rollout came to be what it is: a bounded series for the page. It is lost with the process, as the
 * rounds are. Pure. */
#ifndef ROLLOUT_EVIDENCE_POINTS_H
#define ROLLOUT_EVIDENCE_POINTS_H
#include "judge/judge.h"

enum { EVIDENCE_POINTS = 60 };
struct evidence_points;
/* Adds what the report says, wall_ns ascending. *p is made on first use. When it is full every second point goes, and from
 * then on one is kept in twice the time: the series spans the whole rollout. */
void evidence_points_add(struct evidence_points **p, int64_t wall_ns, const struct judge_report *rep);
void evidence_points_free(struct evidence_points **p); /* *p is NULL afterwards, and may be before */
/* A JSON array of [unix seconds, per mille of the limit at which it is rolled back, per mille of that at which it passes],
 * each of both at least 0 and at most 2000; NULL: []. */
void evidence_points_write(const struct evidence_points *p, struct buf *out);
#endif
