/* Elections: a rehearsal leads by itself. Leases by their name, and ConfigMaps and Endpoints with the annotation of a leader, are kept in memory
 * and never asked of the server. */
#include "overlay_impl.h"
#include "base/json_raw.h"

static const char LEADER[] = "control-plane.alpha.kubernetes.io/leader";

bool overlay_is_lease(const struct gate_request *r) {
    return slice_eqs(r->group, "coordination.k8s.io") && slice_eqs(r->resource, "leases");
}

bool overlay_elected(const struct gate_request *r, struct slice obj) {
    struct overlay_peek it;
    struct slice leader;
    bool kind = !r->group.n && (slice_eqs(r->resource, "configmaps") || slice_eqs(r->resource, "endpoints"));
    return kind && overlay_peek(obj, &it) && it.annotations.n &&
           json_raw_get(it.annotations, slice_of(LEADER), &leader);
}

bool overlay_is_private(const struct gate_request *r) {
    if (!overlay_is_lease(r)) return false;
    if (r->kind == GATE_GET) return !r->sub.n;
    return (r->kind == GATE_LIST || r->kind == GATE_WATCH) && slice_starts(r->fields, SL("metadata.name=")) &&
           !slice_has(r->fields, ',') && !slice_has(r->fields, '!');
}

bool overlay_election_read(struct overlay *o, struct overlay_res *res, const struct gate_request *r,
                           int64_t now, struct slice body) {
    struct overlay_peek it;
    const struct overlay_entry *e = overlay_find(o, res, r->ns, r->name);
    if (e && e->personal) return true;
    if (r->metadata_only || !overlay_elected(r, body) || !overlay_peek(body, &it) || !it.live) return false;
    cleanup_json cJSON *obj = overlay_tree(body);
    if (!obj) return false;
    json_tree_set(json_tree_child(json_tree_child(obj, "metadata"), "annotations"), LEADER, NULL);
    struct buf text = BUF(OVERLAY_BODY_MAX);
    json_tree_print(obj, &text);
    bool kept = overlay_put(o, res,
                            &(struct overlay_put){.ns = r->ns,
                                                  .name = r->name,
                                                  .version = r->version,
                                                  .live = res->newest,
                                                  .based = true,
                                                  .base_rv = it.live,
                                                  .base = body,
                                                  .text = buf_slice(&text),
                                                  .personal = true,
                                                  .now = now});
    buf_free(&text);
    return kept;
}
