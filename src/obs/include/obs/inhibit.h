/* The host's shutdown and sleep, as systemd-logind announces them: two delay inhibitors make them wait until
 * a drain is done. Everything is asynchronous; no bus, no logind, a refusal, an answer that never comes: one
 * line for the log, and it is as if there were no such thing. docs/reference/systemd.md says what is asked of
 * whom. */
#ifndef OBS_INHIBIT_H
#define OBS_INHIBIT_H
#include "base/log.h"
#include "world/world.h"

enum inhibit_what { INHIBIT_SHUTDOWN, INHIBIT_SLEEP };
enum { INHIBIT_WHATS = INHIBIT_SLEEP + 1 };
struct inhibit_config {
    struct log *log;
    enum log_level
        level; /* of the line that says why it does not work; LOG_DEBUG, or more where it was asked for */
    /* The host is about to go; it waits until inhibit_let_go() or inhibit_stop(), at most within_ns from now.
     * Only said while the inhibitor is held. May call inhibit_let_go(), not inhibit_stop(). */
    void (*going)(void *ctx, enum inhibit_what what, int64_t within_ns);
    void *ctx;
};
struct inhibit;
/* Never fails: where there is no bus now, it is looked for every 30 s. */
struct inhibit *inhibit_start(struct world *w, const struct inhibit_config *cfg);
/* As far as we are concerned it may go. The inhibitor is taken again when logind says that the host stays, or
 * is back. */
void inhibit_let_go(struct inhibit *i, enum inhibit_what what);
void inhibit_stop(struct inhibit *i); /* lets go of both; NULL is fine */
#endif
