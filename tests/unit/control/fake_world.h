/* A small world for unit tests: one simulated clock, timers and deferred calls in their order, a seeded
 * generator, and one HTTP listener whose requests are put in by hand. What else a world can do aborts. */
#ifndef FAKE_WORLD_H
#define FAKE_WORLD_H
#include "base/list.h"
#include "base/rand.h"
#include "world/impl.h"

struct fake_call;
struct fake_world {
    struct world base;
    int64_t now_ns;      /* CLOCK_BOOTTIME and CLOCK_MONOTONIC */
    int64_t wall_off_ns; /* CLOCK_REALTIME is that much ahead */
    struct rng rng;
    struct list timers;
    uint64_t seq;
    const char *env_name, *env_value; /* the one variable that is set */
    /* HTTP */
    http_handler handler;
    void *handler_ctx;
    int listen_error; /* negative errno that http_listen() answers */
    bool listening;
};
void fake_world_init(struct fake_world *fw, uint64_t seed);
void fake_world_check(struct fake_world *fw); /* aborts if a timer was leaked */
/* Runs the next thing that is due until then; false: nothing was. */
bool fake_world_step(struct fake_world *fw, int64_t until_ns);
void fake_world_run(struct fake_world *fw, int64_t until_ns); /* all of it, and the clock stands there */

/* A request to the listener, and what came back. fake_answer_free() in any case. */
struct fake_answer {
    struct http_exchange x;
    int status; /* 0: not answered yet */
    char content_type[128], encoding[32], vary[32];
    struct buf body, raw; /* raw: all extra headers, "Name: value\n" each */
    bool begun, ended, aborted;
};
void fake_request(struct fake_world *fw, struct fake_answer *a, const char *method, const char *target,
                  const struct http_headers *h);
void fake_answer_free(struct fake_answer *a);
#endif
