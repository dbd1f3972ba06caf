/* What `status` and the demo show: every target with its state, and who leads; read in one go from the API
 * server. */
#ifndef CLI_BOARD_H
#define CLI_BOARD_H
#include "kube/client.h"
#include "rollout/plan.h"

struct board_row {
    char *ns, *name, *image, *stable_image; /* stable_image NULL while it is the same */
    int32_t replicas, ready;
    bool paused, opted_in;
    bool has_state;
    struct state state;
    struct err problem; /* the annotations or the state cannot be used */
    size_t steps;       /* of the spec */
};
struct board {
    struct board_row *rows;
    size_t n;
    bool has_lease;
    char *holder; /* "" nobody */
    int64_t term, renewed_wall_ns;
    bool no_lease_access; /* not allowed to look: no reason to fail */
};
void board_free(struct board *b);

struct board_spec {
    const char *ns; /* NULL: all */
    const char *lease_ns, *lease_name;
};
struct board_poll;
typedef void (*board_done)(void *ctx, const struct err *err,
                           struct board *b); /* b is the poll's until board_poll_end() */
/* Exactly one callback, never inside this call; then board_poll_end(). */
struct board_poll *board_poll_start(struct kube *k, const struct board_spec *spec, board_done done,
                                    void *ctx);
void board_poll_end(struct board_poll *p);

/* ---- as text ---- */
struct board_style {
    bool colour, utf8;
    unsigned width; /* columns; 0: no limit */
};
void board_draw(const struct board *b, const struct board_style *style, int64_t now_wall_ns, struct buf *out);
void board_json(const struct board *b, int64_t now_wall_ns, struct buf *out);
#endif
