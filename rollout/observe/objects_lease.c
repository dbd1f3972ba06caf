/* A Lease to what the plan looks at. */
#include "observe/objects.h"
#include "api/gvr.h"
#include "api/meta.h"
#include "observe/objects_impl.h"
#include <errno.h>

enum { MAX_IDENTITY = 512, MAX_TARGETS = 4096, DEFAULT_S = 15, LONGEST_S = 3600 };

int obs_lease_read(const cJSON *obj, struct obs_lease *ret, struct err *err) {
    if (!obj_name(obj) || !obj_ns(obj) || !obj_rv(obj))
        return err_set(err, ERR_PROTOCOL, -EINVAL, "Lease without name, namespace or resourceVersion");
    const cJSON *spec = json_get(obj, "spec");
    const char *holder = json_str_or(spec, "holderIdentity", "");
    struct obs_lease l = {.coordinated = json_str_or(spec, "strategy", "")[0] != 0};
    observe_time(spec, "acquireTime", &l.acquired_ns);
    observe_time(spec, "renewTime", &l.renewed_ns);
    int64_t seconds = json_i64(spec, "leaseDurationSeconds", DEFAULT_S);
    l.duration_ns = (seconds < 1 || seconds > LONGEST_S ? DEFAULT_S : seconds) * NS_PER_S;
    l.ns = xstrdup(obj_ns(obj));
    l.name = xstrdup(obj_name(obj));
    l.rv = xstrdup(obj_rv(obj));
    l.holder = slice_dup_text(slice_of(holder), MAX_IDENTITY);
    const char *targets = obj_annotation(obj, ANNOTATION_TARGETS);
    if (targets) l.targets = slice_dup_text(slice_of(targets), MAX_TARGETS);
    *ret = l;
    return 0;
}

void obs_lease_free(struct obs_lease *l) {
    if (!l) return;
    free(l->ns);
    free(l->name);
    free(l->rv);
    free(l->holder);
    free(l->targets);
    *l = (struct obs_lease){0};
}

struct slice obs_identity_pod(const char *identity) {
    struct slice pod, rest;
    slice_cut(slice_of(identity), '_', &pod, &rest);
    /* a host name is a label: a Pod's name with a dot in it does not become one as it is */
    return name_is_dns_label(pod) ? pod : (struct slice){0};
}

struct slice obs_lease_pod(const struct obs_lease *l) {
    return obs_identity_pod(l->holder);
}

bool obs_lease_held_by(const struct obs_lease *l, const char *pod) {
    struct slice held = obs_lease_pod(l);
    return held.n && slice_eqs(held, pod);
}
