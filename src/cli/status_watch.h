/* `handover status -w` on a terminal: drawn in place again and again, through lost servers and other sizes. */
#ifndef CLI_STATUS_WATCH_H
#define CLI_STATUS_WATCH_H
#include "common.h"

/* Until SIGINT or SIGTERM; what was shown last stays on the terminal. Returns the exit code. */
int status_watch(struct cli_world *w, struct kube *k, const struct status_spec *spec);
/* The frame, pure. r NULL: none has come yet. err: why there is no newer one, NULL: there is none to wait for; since_ns: as of when r is. */
void status_watch_frame(const struct status_report *r, const char *err, int64_t asked_ns, int64_t since_ns,
                        const struct table_style *style, int64_t now_wall_ns, struct buf *out);
#endif
