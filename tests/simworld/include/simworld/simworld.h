/* A simulated world: many processes, their clocks, files and signals, and the network between them and one or
 * more embedded API servers, all in one real process and one thread, under simulated time. A seed replays a
 * run exactly.
 *
 *   struct simworld *sw = simworld_new(seed);
 *   struct sim *api = sim_new(&(struct sim_config){.seed = seed, .wall_ns = simworld_now(sw)});
 *   simworld_server(sw, "api", "https://api.sim:6443", api);
 *   struct world *a = simworld_host(sw, "a", NULL);          // one process; app_new(a, ...)
 *   simworld_net(sw, "*", "api", &(struct simnet){.latency_ns = NS_PER_MS, .lose_answer = 0.02});
 *   simworld_run(sw, 30 * NS_PER_S);                         // or simworld_run_until(sw, predicate, ...)
 *   simworld_kill(a);                                        // then free the instance: nothing leaves it any
 * more simworld_free(sw); sim_free(api);
 *
 * Time: simworld_now() is the true time, in ns since 1970; hosts see it through their own clocks. Everything
 * happens at some instant and takes no time; what happens at the same instant is put in an order drawn from
 * the seed, but for what one process has deferred and what one connection carries, which keep theirs.
 *
 * Each function that takes a `struct world *` takes one made by simworld_host(). Nothing here may be called
 * from a callback of a sim (sim_cb); everything may be called from callbacks of the world, but for
 * simworld_run*() and simworld_free(). */
#ifndef SIMWORLD_H
#define SIMWORLD_H
#include "base/log.h"
#include "base/rand.h"
#include "sim/sim.h"
#include "world/world.h"

struct simworld;
struct simworld *simworld_new(uint64_t seed);
/* Frees every host too: instances must have been freed before (what they left is a leak that the sanitizer
 * reports). Servers' sims stay the caller's and must still be there. */
void simworld_free(struct simworld *sw);

/* ---- time ---- */
int64_t simworld_now(const struct simworld *sw);
/* Processes all that happens in the next duration_ns; the clock stands at its end afterwards. */
void simworld_run(struct simworld *sw, int64_t duration_ns);
/* Runs until done(ctx) is true (asked after every event) or limit_ns have passed. Returns the last answer. */
bool simworld_run_until(struct simworld *sw, bool (*done)(void *ctx), void *ctx, int64_t limit_ns);
/* One event; false if nothing will ever happen any more. For tests that stop at every event. */
bool simworld_step(struct simworld *sw);
/* Calls fn at a true time, outside of any process: a test's own plan of faults. */
void simworld_at(struct simworld *sw, int64_t at_ns, world_fn fn, void *ctx);
struct rng *
simworld_rng(struct simworld *sw); /* for the test's own decisions, so that the seed covers them */

/* ---- what happened ---- */
/* A digest of every event so far with its time, host and content: equal for equal runs. */
uint64_t simworld_trace_hash(const struct simworld *sw);
uint64_t simworld_events(const struct simworld *sw);
/* Each event as a line of text ("12.000345 a http GET https://..."), e.g. to print when a seed fails. */
void simworld_on_trace(struct simworld *sw, void (*fn)(void *ctx, const char *line), void *ctx);

/* ---- processes ---- */
struct simhost {
    int64_t wall_offset_ns; /* what its wall clock is ahead of the truth */
    int64_t boot_ns;        /* its boot clock at the start; 0: drawn from the seed */
    int64_t drift_ppb;      /* how much faster its clocks run, parts in 1e9 (100000 = 100 ppm); above -5e8 */
    const char *ip;         /* NULL: given out, 10.99.0.N */
};
/* A process on a machine of its own. The name is for partitions, URLs and traces. opt NULL: an exact clock.
 */
struct world *simworld_host(struct simworld *sw, const char *name, const struct simhost *opt);
const char *simworld_name(const struct world *w);
const char *simworld_ip(const struct world *w);
/* SIGKILL, a crash: from now on none of its callbacks run, its timers and requests are dead, its connections
 * are cut; requests that have left may still be carried out. Its owner then frees the instance as ever: all
 * functions of the world can still be called for it, and send nothing. */
void simworld_kill(struct world *w);
/* What main() returned: as simworld_kill(), with an exit code (for pods). */
void simworld_exit(struct world *w, int code);
bool simworld_alive(const struct world *w);
/* A new process on the machine of a dead one whose instance has been freed: clocks, files and environment go
 * on. */
void simworld_restart(struct world *w);
/* A log for an instance: on standard error, with the host's name, where the environment has SIM_LOG. */
struct log simworld_log(struct world *w);
/* A paused process (SIGSTOP, a starved node): its callbacks wait, time goes on, its machine still takes data
 * in. */
void simworld_freeze(struct world *w);
/* A suspended machine: as frozen, and CLOCK_MONOTONIC stands still, CLOCK_BOOTTIME does not. */
void simworld_suspend(struct world *w);
void simworld_thaw(struct world *w); /* ends either */
void simworld_set_wall(struct world *w,
                       int64_t offset_ns); /* the wall clock jumps: now ahead of the truth by so much */
/* Delivered on its next turn. Without a handler SIGTERM, SIGINT, SIGHUP and SIGKILL kill it, others do
 * nothing. */
void simworld_signal(struct world *w, int signo);
/* Called (on no process' behalf) when it has died by itself or by a signal: free the instance here. Not for
 * simworld_kill() and simworld_exit(), whose caller knows. */
void simworld_on_death(struct world *w, world_fn fn, void *ctx);

/* ---- its files, environment and programs ---- */
void simworld_file(struct world *w, const char *path,
                   struct slice data); /* made or replaced; mtime: its wall clock */
void simworld_file_error(struct world *w, const char *path,
                         int neg_errno); /* reading and writing fails so; 0: no more */
struct slice simworld_file_get(struct world *w,
                               const char *path); /* {NULL,0} if absent; valid until written */
void simworld_file_remove(struct world *w, const char *path);
void simworld_setenv(struct world *w, const char *name, const char *value); /* value NULL: unset */
struct simproc {
    int64_t ns; /* how long it takes */
    int exit_code;
    struct slice out, errout; /* copied */
};
/* What world_spawn() does on this host: fn fills *ret and returns 0, or returns a negative errno (cannot be
 * started). Without fn: -ENOENT. */
void simworld_on_spawn(struct world *w, int (*fn)(void *ctx, const struct spawn *s, struct simproc *ret),
                       void *ctx);

/* ---- the network ---- */
/* URLs that begin with url ("https://api.sim:6443") are answered by sim. The sim's clock is set to the true
 * time plus whatever it was ahead when it was registered. */
void simworld_server(struct simworld *sw, const char *name, const char *url, struct sim *sim);
/* The server checks: its certificate is accepted by clients whose http_tls.ca contains ca (or that are
 * insecure), else they get ERR_TLS. Default: any client accepts it. */
void simworld_server_ca(struct simworld *sw, const char *name, const char *ca);
/* http:// addresses of pods lead to the pods of the named server's sim: sim_pod_get(). Their network name is
 * "pods". */
void simworld_pod_network(struct simworld *sw, const char *server);
/* An HTTP proxy that exists; a request over one that does not fails as a name that cannot be resolved. */
void simworld_proxy(struct simworld *sw, const char *url);

enum simnet_loss {
    LOSS_RESET,  /* the client sees the connection break at once */
    LOSS_SILENT, /* nothing comes any more; a client notices after dead_after_ns (TCP_USER_TIMEOUT) */
    LOSS_HANG,   /* nothing comes, and only a deadline of its own tells the client */
    LOSS_ANY,    /* one of these */
};
struct simnet {
    int64_t latency_ns, jitter_ns; /* one way: latency + uniform [0, jitter) */
    double slow; /* probability that a message takes up to slow_ns longer (it may overtake a time-out) */
    int64_t slow_ns;
    double lose_request; /* lost before it is carried out */
    double lose_answer;  /* carried out, nothing of the answer arrives */
    double duplicate;    /* carried out twice, the second time later; its answer goes nowhere */
    double cut;          /* the answer breaks off somewhere in its first cut_bytes bytes */
    size_t cut_bytes;    /* 0: 4096 */
    enum simnet_loss loss;
    bool refuse; /* connections are refused */
};
/* From processes to hosts or servers whose names match (fnmatch). The last rule that fits counts; net NULL
 * takes the rule of exactly these patterns away. Without a rule: 200..300 us, no faults. */
void simworld_net(struct simworld *sw, const char *from, const char *to, const struct simnet *net);
/* Nothing passes from now on, in either direction. What is under way waits; if the partition lasts
 * dead_after_ns, both ends see their connections die. New connections time out. */
void simworld_partition(struct simworld *sw, const char *from, const char *to);
void simworld_heal(struct simworld *sw, const char *from,
                   const char *to);                        /* of exactly these patterns; NULL, NULL: all */
void simworld_dead_after(struct simworld *sw, int64_t ns); /* 8 s */
/* Breaks every connection between them now, once. */
void simworld_reset(struct simworld *sw, const char *from, const char *to);

struct simstats {
    uint64_t started, sent, executed, duplicated, lost_requests, lost_answers, cut, timeouts, fenced, open;
};
struct simstats simworld_stats(const struct simworld *sw);

/* Called for every request, when it leaves a process (arrived false) and when it is about to be carried out
 * (true; twice when it is duplicated): for properties such as "no write of a former leader". It may look, and
 * must not act. */
struct simrequest {
    const char *from, *to, *method, *target;
    struct slice body;
    bool arrived;
};
void simworld_on_request(struct simworld *sw, void (*fn)(void *ctx, const struct simrequest *r), void *ctx);

/* Asked for every request whose connection stands and whose process still wants to send it. True: the
 * connection is refused. */
void simworld_on_connect(struct simworld *sw, bool (*refuse)(void *ctx, const struct simrequest *r),
                         void *ctx);

/* ---- pods whose containers are processes of this world ---- */
struct simprogram {
    /* main(). w has the environment, service account files and address that the pod gives it; its name is the
     * pod's (further containers: "pod.container"). The result is handed to the others. */
    void *(*start)(void *ctx, struct world *w);
    /* It has died: by simworld_exit(), simworld_kill(), a signal or at the end of its grace. Frees the
     * instance. */
    void (*destroy)(void *ctx, void *instance);
    void *ctx;
};
/* Runs the containers of the named server's sim whose image's script says {"external":true}: started when
 * their kubelet starts them, ready by their readinessProbe (httpGet; without one at once), SIGTERM and
 * SIGKILL at deletion, restarted when they die, which their kubelet notices 0.1..1.05 s later; what they
 * wrote to /dev/termination-log is then in the status. */
void simworld_pods(struct simworld *sw, const char *server, const struct simprogram *program);
/* NULL if no such container runs. container NULL: the first that does. */
struct world *simworld_pod_world(struct simworld *sw, const char *ns, const char *pod, const char *container);
void *simworld_pod_instance(const struct world *w);

/* ---- requests from outside, for tests ---- */
/* A GET on an address that hosts listen on or servers answer, run to its end (that is, it runs the world).
 * Returns the HTTP status or a negative errno. */
int simworld_get(struct simworld *sw, const char *url, struct buf *body);
/* Any request, e.g. "PATCH" with content_type "application/merge-patch+json". Same return value. */
int simworld_request(struct simworld *sw, const char *method, const char *url, const char *content_type,
                     struct slice body, struct buf *ret_body);
#endif
