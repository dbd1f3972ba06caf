/* What the parts of the lease's world share: see lease_world.h for what it is. */
#ifndef TEST_LEASE_WORLD_IMPL_H
#define TEST_LEASE_WORLD_IMPL_H
#include "lease_world.h"
#include "base/heap.h"
#include "base/rand.h"
#include "leader/lease.h"
#include <stdarg.h>
#include <stdio.h>

enum { CANDS = 5, HISTORY = 16, CERTS = 64 };

#define MS         NS_PER_MS
#define SEC        NS_PER_S
#define FAULTS_END (70 * SEC)
/* A crash or a deadline just before the end of the faults, then: the expiry by the slowest clock, a read and
 * a write. */
#define STABLE_FOR (25 * SEC)
enum ev_kind {
    E_ARRIVE,
    E_ANSWER,
    E_TIMEOUT,
    E_WAKE,
    E_WATCH,
    E_WATCH_CUT,
    E_WATCH_OPEN,
    E_DRAINED,
    E_GIVE_UP,
    E_CERT,
    E_RESUME,
    E_START,
    E_HEAL,
    E_FAULT,
    E_CALM
};

enum ev_req { R_GET, R_PUT, R_POST };

struct ev {
    struct heap_node node;
    int64_t at;
    uint64_t seq;
    enum ev_kind kind;
    int cand;
    unsigned inc; /* incarnation of the candidate; others do not concern it */
    uint64_t id;  /* request, wake generation, watch generation */
    enum ev_req req;
    enum lease_event answer;
    bool present;
    struct lease_rec rec;
};

struct cand {
    struct lease *l;
    char id[LEASE_ID_MAX];
    unsigned inc;
    bool alive, paused, partitioned, working, stopping, watch_open, drained_due;
    double rate;
    int64_t boot_off, wall_off, watch_at, ready_at;
    uint64_t req, wake_gen, watch_gen;
    struct ev *backlog[256];
    unsigned nbacklog;
};

struct w {
    struct rng rng;
    bool trace, calm;
    int64_t now;
    uint64_t seq, rv;
    struct heap q;
    bool present;
    struct lease_rec cur, hist[HISTORY];
    unsigned nhist;
    int n;
    struct cand c[CANDS];
    int64_t last_term, top_transitions, latency, slow_share;
    char certs[CERTS][64];
    unsigned ncerts;
    int64_t led_at;
    struct lease_run *r;
};

/* lease_world.c */
void say(struct w *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void broken(struct w *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int64_t upto(struct w *w, int64_t ns);
bool chance(struct w *w, unsigned percent);
struct ev *ev_new(enum ev_kind kind, const struct cand *c, int cand);
void post(struct w *w, struct ev *e, int64_t at);
void post_in(struct w *w, enum ev_kind kind, int cand, int64_t delay);
int64_t delay(struct w *w);
int64_t boot(const struct w *w, const struct cand *c);
void check(struct w *w);

/* lease_world_server.c */
void watch_send(struct w *w, int i, const struct lease_rec *rec);
void changed(struct w *w);
void arrive(struct w *w, const struct ev *e);

/* lease_world_cand.c */
void feed_ev(struct w *w, int i, enum lease_event ev);
void feed(struct w *w, int i, struct lease_in in);
void watch_connect(struct w *w, int i);
void start(struct w *w, int i);
void drain(struct w *w, int i);
void drained(struct w *w, int i);
void crash(struct w *w, int i);
void pause_one(struct w *w, int i);
void resume(struct w *w, int i);
#endif
