/* A client whose connection takes nothing until the test says so, and objects that are long enough for it. */
#ifndef TEST_SIM_SLOW_H
#define TEST_SIM_SLOW_H
#include "client.h"

struct slow {
    struct answer a;
    size_t unsent; /* what has not left yet: the test sets it to 0 */
};

static void slow_head(void *ctx, int status, const char *type, int retry) {
    on_head(&((struct slow *)ctx)->a, status, type, retry);
}
static void slow_body(void *ctx, struct slice data) {
    ((struct slow *)ctx)->unsent += data.n;
    on_body(&((struct slow *)ctx)->a, data);
}
static void slow_end(void *ctx, bool cut) {
    on_end(&((struct slow *)ctx)->a, cut);
}
static size_t slow_unsent(void *ctx) {
    return ((struct slow *)ctx)->unsent;
}

static inline struct sim_exchange *slow_start(struct sim *s, const char *target, struct slow *ret) {
    static const struct sim_cb cb = {
        .head = slow_head, .body = slow_body, .end = slow_end, .unsent = slow_unsent};
    *ret = (struct slow){.a = {.body = BUF((size_t)64 << 20)}};
    struct sim_request r = {.method = SL("GET"), .target = slice_of(target)};
    return sim_handle(s, &r, &cb, ret);
}

/* ConfigMaps c00, c01, ... of a MiB each */
static inline void make_long(struct sim *s, int many) {
    size_t n = 1 << 20;
    cleanup_free char *value = xmalloc(n);
    memset(value, 'v', n - 1);
    value[n - 1] = '\0';
    for (int i = 0; i < many; i++) {
        char name[16];
        snprintf(name, sizeof name, "c%02d", i);
        make_cm(s, name, "x", value);
    }
}
#endif
