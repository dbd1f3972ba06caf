/* Changes of the overlay as its writes make them, for the tests of what is read. */
#ifndef OVERLAY_KIT_PUT_H
#define OVERLAY_KIT_PUT_H
#include "overlay_kit.h"
#include "overlay_impl.h"

struct kit {
    struct overlay *o;
    struct overlay_res *res;
    struct gate_request all;
};
static inline void kit_open(struct kit *k) {
    k->o = overlay_new(NULL, 1);
    k->res = overlay_res(k->o, SL("apps"), SL("deployments"));
    k->all = ask(GATE_LIST, "deployments", "");
}
static inline void kit_close(struct kit *k) {
    overlay_free(k->o);
}

static inline struct overlay_put kit_of(struct kit *k, const char *name, struct slice base,
                                        struct slice text) {
    struct overlay_peek it = {0};
    if (base.n) overlay_peek(base, &it);
    if (it.live > k->res->newest) k->res->newest = it.live;
    return (struct overlay_put){.ns = SL("ns"),
                                .name = slice_of(name),
                                .version = SL("v1"),
                                .live = k->res->newest,
                                .based = base.n != 0,
                                .base_rv = it.live,
                                .base = base,
                                .text = text};
}
static inline void kit_put(struct kit *k, const char *name, struct slice base, const char *label) {
    struct overlay_put p = kit_of(k, name, base, object(name, "1", label));
    assert_non_null(overlay_put(k->o, k->res, &p));
}
static inline void kit_delete(struct kit *k, const char *name, struct slice base) {
    struct overlay_put p = kit_of(k, name, base, (struct slice){0});
    assert_non_null(overlay_delete(k->o, k->res, &p));
}
#endif
