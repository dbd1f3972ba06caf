/* The bearer token for https metrics pages: of a ServiceAccount that may do nothing but read /metrics. By TokenRequest,
 * which gives one that lasts ten minutes; where that is not allowed, from a file. */
#ifndef ROLLOUT_METRICS_TOKEN_H
#define ROLLOUT_METRICS_TOKEN_H
#include "kube/client.h"

struct metrics_token_config { /* all may be NULL */
    const char *ns, *account; /* of the ServiceAccount whose token is requested */
    const char *audience; /* NULL: that of the API server, which is what TokenReview asks for by default */
    const char *file;
};
struct metrics_token;
/* ready: a request has ended; never inside a call of this header. */
struct metrics_token *metrics_token_new(struct kube *k, const struct metrics_token_config *cfg,
                                        world_fn ready, void *ctx);
void metrics_token_free(struct metrics_token *t);   /* NULL is fine */
void metrics_token_cancel(struct metrics_token *t); /* a request that is under way, without a callback */
/* Requests a token if it is time. True: there is none yet and one is on its way, ready() follows. */
bool metrics_token_pending(struct metrics_token *t);
/* After metrics_token_pending(). ret gets the token; empty: there is none, and ret_why says why. */
void metrics_token_get(struct metrics_token *t, struct buf *ret, struct err *ret_why);
#endif
