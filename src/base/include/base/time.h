/* Units of time. All instants and durations are int64_t nanoseconds unless a name says otherwise. */
#ifndef BASE_TIME_H
#define BASE_TIME_H
#include "base/err.h"
#include "base/buf.h"

#define NS_PER_US  INT64_C(1000)
#define NS_PER_MS  INT64_C(1000000)
#define NS_PER_S   INT64_C(1000000000)
#define TIME_NEVER INT64_MAX

/* Go's notation: "1h30m", "250ms", "10s"; 0, -EINVAL or -ERANGE. Not negative. */
int duration_parse(struct slice s, int64_t *ret_ns);
/* The shortest exact form in Go's notation, e.g. "1h30m", "1.5s", "250ms". */
void duration_format(int64_t ns, char ret[32]);

/* The civil calendar, UTC, any year that wall time in nanoseconds reaches. */
struct time_civil {
    int year, month, day, hour, minute, second, ns; /* month and day from 1 */
};
void time_civil_of(int64_t wall_ns, struct time_civil *ret);
int64_t time_days_of(int year, int month, int day); /* since 1970-01-01 */
#endif
