/* See lane_list.h. Every object is parsed and put into the store, as for a resource of which all objects are
 * wanted. */
#include "lane_list.h"
#include "kube/informer.h"

struct lane_list {
    struct kube_config *config;
    struct kube *kube;
    struct informer *informer;
    lane_list_done done;
    void *ctx;
    bool called;
};

static void call(struct lane_list *l, const struct err *err) {
    if (l->called) return;
    l->called = true;
    l->done(l->ctx, err, store_len(informer_store(l->informer)));
}

static void on_change(void *ctx, const struct store_rec *old, const struct store_rec *now, bool initial) {
    (void)ctx, (void)old, (void)now, (void)initial;
}

static void on_synced(void *ctx) {
    call(ctx, NULL);
}

static void on_trouble(void *ctx, const struct err *err) {
    call(ctx, err);
}

struct lane_list *lane_list_start(struct world *w, const char *server, lane_list_done done, void *ctx) {
    static const struct informer_cb cb = {on_change, on_synced, on_trouble};
    struct lane_list *l = xcalloc(1, sizeof *l);
    struct err err = {0};
    l->done = done;
    l->ctx = ctx;
    const struct kube_config_spec config = {.server = server};
    const struct informer_spec spec = {.gvr = &gvr_deployments, .name = "bench"};
    if (kube_config_load(w, NULL, &config, &l->config, &err) < 0) abort();
    l->kube = kube_new(w, l->config, NULL, NULL);
    if (informer_new(l->kube, &spec, &cb, l, &l->informer, &err) < 0) abort();
    informer_start(l->informer);
    return l;
}

void lane_list_free(struct lane_list *l) {
    if (!l) return;
    informer_free(l->informer);
    kube_free(l->kube);
    kube_config_free(l->config);
    free(l);
}
