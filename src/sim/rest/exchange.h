/* One request and its answer, with what a fault does to it. The answer goes through exchange_head(),
 * exchange_body(), exchange_end(); an exchange that has ended is freed when the outermost call into the sim
 * ends. */
#ifndef SIM_EXCHANGE_H
#define SIM_EXCHANGE_H
#include "store/core.h"

struct effect {         /* of a fault on one request */
    int64_t latency_ns; /* before it is carried out */
    int64_t answer_ns;  /* between being carried out and the answer */
    int status;         /* answered with this instead of being carried out; 0: no */
    int retry_after_s;  /* -1: none */
    char *body;         /* of that answer; NULL: a Status. Borrowed from the fault */
    int64_t cut_after;  /* bytes of body; -1: no cut */
    bool drop_before, drop_after, silent;
};

struct watch;
struct lister;
struct sim_exchange {
    struct list link;
    struct sim *s;
    struct sim_cb cb;
    void *ctx;
    bool pinned;              /* sim_handle() still looks at it */
    bool headed, over, quiet; /* quiet: nothing goes out any more (silent, or the answer is lost) */
    int status;
    struct effect fx;
    char *fx_body;          /* owned copy of fx.body */
    struct due due;         /* for a request that waits, an answer that waits */
    struct sim_request req; /* owned copies, while it waits */
    bool req_owned;
    bool hold; /* the answer is collected in held, and goes out later */
    struct buf held;
    const char *held_type;
    int held_retry;
    bool held_end, held_cut;
    struct watch *watch;
    struct lister *list;
    size_t log_slot;
};

void exchange_head(struct sim_exchange *x, int status, const char *content_type, int retry_after_s);
/* Before the head: a Warning header. Of many the first ones. */
void exchange_warn(struct sim_exchange *x, struct slice text);
void exchange_body(struct sim_exchange *x, struct slice data);
void exchange_end(struct sim_exchange *x, bool cut);
void exchange_json(struct sim_exchange *x, int status, struct slice body);
void exchange_text(struct sim_exchange *x, int status, struct slice body);
void exchange_fail(struct sim_exchange *x, const struct api_status *f);
/* the answer, still to be written, goes out that much later */
void exchange_delay(struct sim_exchange *x, int64_t ns);
size_t exchange_unsent(const struct sim_exchange *x); /* 0 where the host does not count them */
void exchange_sweep(struct sim *s);
#endif
