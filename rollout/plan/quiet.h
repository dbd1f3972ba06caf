/* The moment at which a healthy pod is asked to stop: when it is not in the middle of something. Pure. */
#ifndef ROLLOUT_QUIET_H
#define ROLLOUT_QUIET_H
#include "base/time.h"
#include <stdbool.h>
#include <stdint.h>

enum quiet {
    QUIET_UNKNOWN, /* not looked at, or no such metrics */
    QUIET_BUSY,    /* at work, or not quiet for long enough */
    QUIET_NOW,     /* a quiet moment, at the last look (less than a second ago) */
};
/* Looks in a row at the pods of one track. Zero: none. Times are of the boot clock, in ns. */
struct quiet_row {
    enum quiet last;
    int64_t last_ns, from_ns; /* of the last look, and of the first one of those that found no work */
    uint32_t looks;           /* so many have found none */
    bool began;               /* the look before these found work: this is the moment's beginning */
};
/* found: QUIET_NOW when no pod of the track has a worker at work or a key queued. at_ns: when the oldest page of it was read; the same one again
 * is no further look. */
void quiet_look(struct quiet_row *r, enum quiet found, int64_t at_ns);
/* Between two reconciles there is nothing to see for a few milliseconds, and a moment that may be over soon is a bad one, since a pod is
 * told to stop up to a second after this. So it is quiet when two looks in a row find no work right after one that found some; or when
 * none was found for half of quiet_ns (annotation quiet), 5 s at most, however it began. */
enum quiet quiet_now(const struct quiet_row *r, int64_t now_ns, int64_t quiet_ns);
#endif
