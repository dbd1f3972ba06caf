/* Instants as Kubernetes writes them. Wall time in ns since 1970 UTC, years 1970..2261. Pure (no tz
 * database). */
#ifndef API_RFC3339_H
#define API_RFC3339_H
#include "base/slice.h"
int rfc3339_parse(struct slice s, int64_t *ret_wall_ns); /* any fraction, "Z" or an offset; -EINVAL */
void rfc3339_seconds(int64_t wall_ns, char ret[32]);     /* metav1.Time:      2026-11-23T18:16:33Z */
void rfc3339_micro(int64_t wall_ns, char ret[40]);       /* metav1.MicroTime: 2026-11-23T18:16:33.000000Z */
#endif
