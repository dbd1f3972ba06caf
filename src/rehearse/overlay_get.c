/* One object: the server has been asked, so that its rights and failures hold; then the overlay's takes its place. */
#include "overlay_impl.h"

static int scale_of(const struct overlay_entry *e, struct slice live, struct buf *out) {
    static const char *const kept[] = {"name", "namespace", "uid", "creationTimestamp"};
    cleanup_json cJSON *obj = overlay_tree(overlay_slice(e->text)), *v = live.n ? overlay_tree(live) : NULL;
    if (!v) {
        v = cJSON_CreateObject();
        json_tree_set_str(v, "kind", "Scale");
        json_tree_set_str(v, "apiVersion", "autoscaling/v1");
        cJSON *meta = json_tree_child(v, "metadata");
        for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
            const char *text = json_str(json_obj(obj, "metadata"), kept[i]);
            if (text) json_tree_set_str(meta, kept[i], text);
        }
        json_tree_set_num(json_tree_child(v, "status"), "replicas",
                          json_num(json_obj(obj, "status"), "replicas", 0));
    }
    json_tree_set_num(json_tree_child(v, "spec"), "replicas", json_num(json_obj(obj, "spec"), "replicas", 1));
    struct buf b = BUF(OVERLAY_BODY_MAX);
    json_tree_print(v, &b);
    overlay_object(out, buf_slice(&b), e->rv);
    buf_free(&b);
    return 200;
}

static int answer(const struct overlay_entry *e, const struct gate_request *r, struct slice live,
                  struct buf *out) {
    if (e->state == ENTRY_DELETED) return overlay_not_found(out, r, r->name);
    if (slice_eqs(r->sub, "scale")) return scale_of(e, live, out);
    if (r->metadata_only) {
        const char *beta = slice_eqs(r->metadata_version, "v1beta1") ? "v1beta1" : "v1";
        overlay_partial(out, overlay_slice(e->text), beta);
    } else {
        buf_add(out, overlay_slice(e->text));
    }
    return 200;
}

static int pass(int status, struct slice body, struct buf *out) {
    if (status != 200 || version_rewrite(out, body, (struct slice){0}, 0) < 0) buf_add(out, body);
    return status;
}

static int get(struct overlay *o, const struct gate_request *r, int64_t now_wall_ns, int status,
               struct slice body, struct buf *out) {
    struct overlay_peek it = {0};
    struct overlay_res *res = overlay_res(o, r->group, r->resource);
    o->counts.reads++;
    if (overlay_is_private(r)) {
        struct overlay_entry *e = overlay_find(o, res, r->ns, r->name);
        return e && e->state == ENTRY_PRESENT ? answer(e, r, body, out) : overlay_not_found(out, r, r->name);
    }
    if (status == 200) overlay_peek(body, &it);
    if (!res || (status != 200 && status != 404)) return pass(status, body, out);
    overlay_seen(res, it.live);
    overlay_writes_notice(res, &it);
    bool object = !r->sub.n || slice_eqs(r->sub, "status");
    if (!object && !slice_eqs(r->sub, "scale")) return pass(status, body, out);
    if (status == 200 && object) overlay_election_read(o, res, r, now_wall_ns, body);
    struct overlay_entry *e = overlay_find(o, res, r->ns, r->name);
    if (!e || e->state == ENTRY_PASSED) {
        if (e && status == 200 && object) overlay_sighted(o, e, it.live, body, r->metadata_only);
        return pass(status, body, out);
    }
    bool same = slice_eqs(r->version, e->version);
    if (e->personal) return same ? answer(e, r, body, out) : pass(status, body, out);
    if (!same) overlay_foreign(o, e, r->version);
    if (status == 404) {
        bool stale = r->rv.n != 0; /* a cache may not have it yet */
        if (e->based && !stale) overlay_drop(o, e, 0, SL(""), false, NULL, now_wall_ns);
        if (e->based && !stale) return pass(status, body, out);
    } else if (overlay_newer(e, &it, !r->rv.n)) {
        overlay_drop(o, e, it.live, same && object ? body : SL(""), r->metadata_only, NULL, now_wall_ns);
        return pass(status, body, out);
    }
    return same ? answer(e, r, status == 200 ? body : SL(""), out) : pass(status, body, out);
}

int overlay_get(struct overlay *o, const struct gate_request *r, int64_t now_wall_ns, int status,
                struct slice body, struct buf *out) {
    int got = get(o, r, now_wall_ns, status, body, out);
    overlay_trim(o);
    return got;
}
