/* See ends.h. */
#include "ends.h"
#include "api/gvr.h"
#include "base/json_raw.h"
#include "kube/informer.h"
#include "ledger.h"

struct ends {
    struct informer *pods;
};

/* The container whose end the status of this pod tells of, the last one; a bench's pod has one container. */
static struct slice ended(const struct store_rec *pod) {
    static const char *const states[] = {"state/terminated/containerID", "lastState/terminated/containerID"};
    struct slice list, id = {0};
    if (!pod || !json_raw_at(pod->raw, "status/containerStatuses", &list)) return id;
    struct json_raw_it it = json_raw_each(list);
    if (!json_raw_next(&it)) return id;
    for (size_t i = 0; i < ARRAY_LEN(states); i++)
        if (json_raw_at(it.value, states[i], &id)) return id;
    return id;
}

static void on_change(void *ctx, const struct store_rec *old, const struct store_rec *now, bool initial) {
    const struct slice was = ended(old), is = ended(now);
    (void)ctx, (void)initial;
    if (is.n && !slice_eq(was, is)) ledger("ended %s", now->name);
}

struct ends *ends_new(struct kube *kube, struct slice ns, struct err *err) {
    static const struct informer_cb cb = {.change = on_change};
    const struct informer_spec spec = {
        .gvr = &gvr_pods, .ns = ns, .store = {.keep_raw = true}, .name = "pods"};
    struct ends *e = xmalloc(sizeof *e);
    if (informer_new(kube, &spec, &cb, e, &e->pods, err) < 0) {
        free(e);
        return NULL;
    }
    informer_start(e->pods);
    return e;
}

void ends_free(struct ends *e) {
    if (!e) return;
    informer_free(e->pods);
    free(e);
}
