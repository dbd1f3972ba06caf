/* One process alone in a simulated world: clocks, timers, deferred calls, files and randomness are the world's, and the test
 * may put its own functions into `ops`, e.g. to answer HTTP requests as it likes. Its listener is called by hand. */
#ifndef SIMWORLD_ALONE_H
#define SIMWORLD_ALONE_H
#include "simworld/simworld.h"
#include "world/impl.h"

struct alone {
    struct simworld *sw;
    struct world *w;
    struct world_ops ops; /* of w; at first the simulated world's, but for http_listen */
    http_handler handler;
    void *handler_ctx;
    int listen_error; /* negative errno that http_listen() answers */
    bool listening;
};
void alone_init(struct alone *a, uint64_t seed);
void alone_free(struct alone *a); /* timers and requests that were left are leaks */
struct alone *alone_of(struct world *w);
bool alone_step(struct alone *a); /* the next thing that is due now; false: nothing is */

/* A request to the listener, and what came back. alone_answer_free() in any case. */
struct alone_answer {
    struct http_exchange x;
    int status; /* 0: not answered yet */
    char content_type[128], encoding[32], vary[32];
    struct buf body, raw; /* raw: all extra headers, "Name: value\n" each */
    bool begun, ended, aborted;
    world_fn gone, room; /* http_on_gone(), http_on_room(): the test says when */
    void *gone_ctx, *room_ctx;
};
void alone_request(struct alone *a, struct alone_answer *ans, const char *method, const char *target,
                   const struct http_headers *h);
void alone_send(struct alone *a, struct alone_answer *ans, const char *method, const char *target,
                const struct http_headers *h, struct slice body);
void alone_answer_free(struct alone_answer *a);
#endif
