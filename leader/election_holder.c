/* While another candidate leads, the holder's pod is watched: its status may prove that it has terminated
 * (certificate.h). */
#include "election_impl.h"

static void on_change(void *ctx, const struct store_rec *old, const struct store_rec *now, bool initial) {
    struct election *e = ctx;
    const char *why;
    (void)old;
    (void)initial;
    if (!now || !certificate_proves_dead(now->raw, slice_of(e->pod_holder), &why)) return;
    LOG_EVENT(kube_log(e->kube), LOG_INFO, "HolderTerminated", "the holder of the lease has terminated",
              LF_STR("holder", e->pod_holder), LF_STR("proof", why));
    election_dead(e, slice_of(e->pod_holder));
}

static void on_trouble(void *ctx, const struct err *err) {
    struct election *e = ctx;
    uint64_t n;
    if (!log_limit_pass(&e->pod_failures, err, world_boot_ns(kube_world(e->kube)), &n)) return;
    LOG_EVENT(kube_log(e->kube), LOG_WARN, "HolderPodWatchFailed",
              "cannot watch the holder's pod for its death certificate", LF_STR("holder", e->pod_holder),
              LF_INT("count", n), LF_ERR(err));
}

static bool wanted(const struct election *e, struct identity *ret) {
    const struct lease_rec *rec = lease_last(e->lease);
    if (!rec || lease_leading(e->lease) || lease_over(e->lease) || strcmp(rec->holder, e->id) == 0)
        return false;
    return identity_parse(slice_of(rec->holder), ret, NULL) == 0 && ret->uid[0];
}

void election_holder_look(struct election *e) {
    struct identity id;
    bool want = wanted(e, &id), same = want && strcmp(e->pod_holder, lease_last(e->lease)->holder) == 0;
    /* Not here: this may be a call from the very informer that would be freed. */
    if (!same && (want || e->pod_holder[0])) timer_in(e->pod_turn, 0);
}

void election_holder_turn(void *ctx) {
    static const struct informer_cb cb = {.change = on_change, .trouble = on_trouble};
    struct election *e = ctx;
    struct identity id;
    struct err err = {0};
    bool want = wanted(e, &id);
    const char *holder = want ? lease_last(e->lease)->holder : "";
    if (strcmp(e->pod_holder, holder) == 0) return;
    informer_free(e->pod_watch);
    e->pod_watch = NULL;
    memcpy(e->pod_holder, holder, strlen(holder) + 1); /* of the form of an identity, so it fits */
    if (!want) return;
    cleanup_free char *field = xasprintf("metadata.name=%s", id.pod);
    struct informer_spec spec = {.gvr = &gvr_pods,
                                 .ns = slice_of(e->ns),
                                 .fields = slice_of(field),
                                 .store = {.keep_raw = true},
                                 .max_objects = 1,
                                 .name = "holder"};
    if (informer_new(e->kube, &spec, &cb, e, &e->pod_watch, &err) < 0)
        on_trouble(e, &err);
    else
        informer_start(e->pod_watch);
}
