/* One answer to a list or a watch, cut into items while it arrives. A large answer is worked off in slices of
 * 128 KiB, one a turn of the loop, and the connection is held meanwhile, so that nothing else waits for it. */
#ifndef KUBE_ITEM_STREAM_H
#define KUBE_ITEM_STREAM_H
#include "exchange.h"
#include "kube/splitter.h"

struct item_stream;
struct item_stream_cb {
    void (*head)(void *ctx); /* the server has answered 2xx; may be NULL. This one must not cancel. */
    /* Bytes have arrived, some of them may have been worked off before the next call. May be NULL. Negative with
     * err: reading ends, end() has that err. This one must not cancel. */
    int (*bytes)(void *ctx, size_t n, struct err *err);
    /* One item of a list, or one event of a watch; text is valid during the call. Negative as above. */
    int (*item)(void *ctx, struct slice text, struct err *err);
    /* Of a watch: something that is no event was left out. */
    void (*broken)(void *ctx, const char *why);
    /* Once, last; the stream is gone. err->kind is ERR_NONE when the answer has ended where it may, and then list
     * is that of a list, valid during the call. */
    void (*end)(void *ctx, struct err *err, const struct split_list *list);
};
/* idle_ns: ends with ERR_TIMEOUT when no byte has come for so long; 0: never. spec as of exchange_start(), with
 * LANE_WATCH. Never a callback inside this call. */
struct item_stream *item_stream_start(struct kube *k, const struct exchange_spec *spec, enum split_mode mode,
                                      int64_t idle_ns, const struct item_stream_cb *cb, void *ctx);
void item_stream_cancel(struct item_stream *s); /* no callback after it; allowed in item() and broken() */
#endif
