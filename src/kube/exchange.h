/* One request to the API server: credentials, the fence, the answer's status classified, a refused credential
 * refreshed once, the request metrics. No retries: those are the caller's. */
#ifndef KUBE_EXCHANGE_H
#define KUBE_EXCHANGE_H
#include "kube_impl.h"

struct exchange_spec {
    enum http_lane lane;
    const char *method, *accept, *content_type; /* the latter two may be NULL; literals */
    const char *target;                         /* path?query */
    const char *what;                           /* for messages, see kube_what() */
    struct slice body;
    int64_t deadline_ns; /* boot time */
    size_t body_cap;     /* 0: none */
    bool identity; /* ask for the answer as it is: small and encoded on the wire, it may be huge behind it */
    bool fresh;
    bool fenced;  /* ask the fence before the bytes leave */
    bool stream;  /* a watch: its duration is that to the head of the answer */
    bool foreign; /* target is a whole URL: no credentials, no proxy, tls below, no metrics of requests */
    const char *bearer;         /* foreign: a token, or NULL */
    const struct http_tls *tls; /* foreign */
};
struct exchange_cb {
    enum http_pull (*body)(void *ctx, struct slice data); /* of an answer of 2xx only */
    /* Once, last. status_body: of a failure's Status, at most 64 KiB. sent: bytes may have left. */
    void (*end)(void *ctx, const struct err *err, struct slice status_body, bool sent);
    void (*head)(void *ctx, const struct http_headers *h); /* of an answer of 2xx, first; may be NULL */
};
struct exchange;
/* Never a callback inside this call. target, what, body and tls are borrowed until the end. */
struct exchange *exchange_start(struct kube *k, const struct exchange_spec *spec,
                                const struct exchange_cb *cb, void *ctx);
void exchange_resume(struct exchange *x); /* after HTTP_HOLD */
void exchange_cancel(struct exchange *x); /* no callback; allowed in callbacks; NULL is fine */
#endif
