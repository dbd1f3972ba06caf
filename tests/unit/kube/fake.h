/* A process alone in a simulated world, for the tests of this layer: time stands still until fake_run(), programs end and HTTP
 * requests are answered as each test scripts them. */
#ifndef TEST_KUBE_FAKE_H
#define TEST_KUBE_FAKE_H
#include "base/list.h"
#include "base/log.h"
#include "base/rand.h"
#include "simworld/alone.h"
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

struct fake_req {
    struct http_req req; /* first */
    struct fake *f;
    uint64_t number; /* from 1 on */
    struct list node;
    enum http_lane lane;
    char *method, *url, *proxy;
    struct buf headers, body; /* "name: value\n"... */
    bool fresh, insecure, certified /* by a client certificate */, sent, held, ended, scheduled;
    uint64_t tls_id;
    int64_t total_ns;
    size_t body_cap, got;
    bool (*may_send)(void *);
    void *may_send_ctx;
    struct http_client_cb cb;
    void *ctx;
    struct timer *deadline;
    struct buf out; /* to be delivered */
    bool out_end;
    struct err out_err;
    int status;
    size_t deliver_max;         /* bytes a turn; 0: all */
    void (*on_gone)(void *ctx); /* ended or cancelled */
    void *gone_ctx;
};
struct fake_proc {
    struct proc proc; /* first */
    struct fake *f;
    struct list node;
    char *argv, *env; /* joined by '|' */
    struct spawn s;
};
struct fake {
    struct alone a;
    struct rng rng; /* of world_rand() */
    struct list reqs, procs;
    unsigned spawned, started, files;
    uint64_t requests; /* so many were made */
    bool running;      /* inside fake_run(), or a test wants no turns but those of it */
    int64_t (*file_mtime)(struct world *w, const char *path);
    void (*on_request)(struct fake *f, struct fake_req *r); /* its bytes have left */
    void (*on_spawn)(struct fake *f, struct fake_proc *p);  /* on the turn after */
    void *user;
    struct log log;
    struct buf lines;
};

struct fake *fake_seeded(uint64_t seed);
int64_t fake_now(const struct fake *f);    /* its boot clock */
unsigned fake_turns(const struct fake *f); /* so far */
struct fake *fake_new(void);
void fake_free(struct fake *f);            /* fails when a request or process was left */
void fake_run(struct fake *f, int64_t ns); /* lets so much time pass */
void fake_settle(struct fake *f);          /* runs what is due, no time passes */
void fake_file(struct fake *f, const char *path, const char *text); /* NULL: gone */
void fake_env(struct fake *f, const char *name, const char *value);

/* Answers: the head once, then bodies, then the end. Delivered on the next turns, which are run at once but for calls from
 * the world's own turns; or not while the receiver holds. */
void fake_head(struct fake_req *r, int status, const char *name, const char *value);
void fake_body(struct fake_req *r, const char *text);
void fake_bytes(struct fake_req *r, struct slice data);
void fake_end(struct fake_req *r, const struct err *err);
void fake_answer(struct fake_req *r, int status, const char *body);
void fake_fail(struct fake_req *r, enum err_kind kind, const char *msg);
void fake_exit(struct fake_proc *p, int code, const char *out, const char *errout);
bool fake_has_header(const struct fake_req *r, const char *line);
/* The only open request; fails if there is none or another. */
struct fake_req *fake_one(struct fake *f);
struct fake_req *fake_last(struct fake *f); /* of those that are open, the newest */
size_t fake_open(const struct fake *f);
#endif
