/* For implementations of the world only: the table behind the functions of the other headers. */
#ifndef WORLD_IMPL_H
#define WORLD_IMPL_H
#include "world/http_client.h"
#include "world/http_server.h"
#include "world/world.h"

struct world_ops {
    int64_t (*mono)(struct world *), (*boot)(struct world *), (*wall)(struct world *);
    uint64_t (*rand)(struct world *);
    const char *(*getenv)(struct world *, const char *);
    void (*defer)(struct world *, world_fn, void *);
    struct timer *(*timer_new)(struct world *, world_fn, void *);
    int (*read_file)(struct world *, const char *, size_t, struct buf *, struct err *);
    int (*write_file)(struct world *, const char *, struct slice, struct err *);
    int64_t (*file_mtime)(struct world *, const char *);
    int (*spawn)(struct world *, const struct spawn *, struct proc **, struct err *);
    int (*on_signal)(struct world *, int, world_fn, void *);
    int (*watch_fd)(struct world *, int, void (*)(void *, unsigned), void *,
                    struct fd_watch **); /* NULL: -ENOSYS */
    int (*http_start)(struct world *, const struct http_spec *, const struct http_client_cb *, void *,
                      struct http_req **, struct err *);
    int (*http_listen)(struct world *, const char *, const struct http_limits *, http_handler, void *,
                       struct http_listener **, struct err *);
};
struct world {
    const struct world_ops *ops;
};

struct timer_ops {
    void (*at)(struct timer *, int64_t);
    void (*free)(struct timer *);
    bool (*active)(const struct timer *);
};
struct timer {
    const struct timer_ops *ops;
    struct world *world;
};
struct proc {
    void (*cancel)(struct proc *);
};
struct fd_watch {
    void (*want)(struct fd_watch *, unsigned);
    void (*free)(struct fd_watch *);
};
struct http_req {
    void (*resume)(struct http_req *);
    void (*cancel)(struct http_req *);
};
struct http_listener {
    int (*port)(const struct http_listener *);
    void (*close)(struct http_listener *);
};
struct http_x_ops {
    void (*reply)(struct http_exchange *, int, const char *, struct slice);
    void (*begin)(struct http_exchange *, int, const char *, const struct http_headers *);
    void (*send)(struct http_exchange *, struct slice);
    void (*end)(struct http_exchange *);
    void (*abort)(struct http_exchange *);
    void (*on_gone)(struct http_exchange *, world_fn, void *);
    void (*on_room)(struct http_exchange *, size_t, world_fn, void *);
};
struct http_exchange {
    const struct http_x_ops *ops;
    struct slice method, target, body;
    struct http_headers headers;
    size_t (*unsent)(const struct http_exchange *); /* NULL: not counted */
};
#endif
