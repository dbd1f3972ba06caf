/* The scale of a workload: a dry run of the live one's, and the replicas of the overlay's object. */
#include "overlay_write.h"
#include "overlay_make.h"
#include "base/json_raw.h"

/* The Scale that the operator would have read. */
static void scale_of(const struct overlay_entry *e, struct slice text, struct buf *out) {
    cleanup_json cJSON *obj = overlay_tree(text), *v = cJSON_CreateObject();
    const cJSON *meta = json_obj(obj, "metadata");
    json_tree_set_str(v, "kind", "Scale");
    json_tree_set_str(v, "apiVersion", "autoscaling/v1");
    json_tree_set_str(json_tree_child(v, "metadata"), "name", json_str_or(meta, "name", ""));
    json_tree_set_str(json_tree_child(v, "metadata"), "namespace", json_str_or(meta, "namespace", ""));
    json_tree_set_num(json_tree_child(v, "spec"), "replicas", json_num(json_obj(obj, "spec"), "replicas", 1));
    struct buf b = BUF(64 << 10);
    json_tree_print(v, &b);
    if (e) {
        overlay_object(out, buf_slice(&b), e->rv);
    } else {
        buf_add(out, buf_slice(&b));
    }
    buf_free(&b);
}

static void scaled(struct overlay_write *w, struct slice text, struct slice scale) {
    cleanup_json cJSON *obj = overlay_tree(text), *wanted = overlay_tree(buf_slice(&w->wanted)),
                       *v = overlay_tree(scale);
    if (!obj || !wanted) {
        write_fail(w, 400, NULL, "the body is no Scale");
        return;
    }
    double n = json_num(json_obj(wanted, "spec"), "replicas", 0);
    double was = json_num(json_obj(obj, "spec"), "replicas", 1),
           generation = json_num(json_obj(obj, "metadata"), "generation", 0);
    bool changed = n < was || n > was;
    json_tree_set_num(json_tree_child(obj, "spec"), "replicas", n);
    if (changed && generation > 0)
        json_tree_set_num(json_tree_child(obj, "metadata"), "generation", generation + 1);
    if (changed) {
        write_commit(w, obj, 200);
        if (w->status != 200) return;
    }
    const struct overlay_entry *e = write_entry(w);
    struct overlay_version at = e ? e->rv : (struct overlay_version){w->base_rv, 0};
    struct buf b = BUF(64 << 10);
    if (!v || json_str_or(v, "kind", "")[0] != 'S' || !json_obj(v, "spec")) {
        cJSON_Delete(v);
        v = json_tree_dup(wanted);
    }
    json_tree_set_num(json_tree_child(v, "spec"), "replicas", n);
    json_tree_print(v, &b);
    w->answered = false;
    write_object(w, 200, buf_slice(&b), at);
    buf_free(&b);
}

static void answered(struct overlay_write *w, int status, struct slice body) {
    const struct overlay_entry *e = write_entry(w);
    struct overlay_peek it;
    if (!write_unchanged(w, e)) {
        write_restart(w);
    } else if (e && !e->based && status == 404) {
        scaled(w, overlay_slice(e->text), SL(""));
    } else if (status == 409 && !w->given.live) {
        write_recheck(w);
    } else if (status != 200) {
        write_pass(w, status, body);
    } else if (e && !e->based) {
        write_recheck(w);
    } else if (!overlay_peek(body, &it) || it.live != (e ? e->base_rv : w->base_rv)) {
        write_recheck(w);
    } else {
        scaled(w, e ? overlay_slice(e->text) : buf_slice(&w->base), body);
    }
}

/* The live object that is in the way of one that was made again. */
static void still_there(struct overlay_write *w, int status, struct slice body) {
    const struct overlay_entry *e = write_entry(w);
    struct overlay_peek it;
    if (e && write_unchanged(w, e) && status == 200 && overlay_peek(body, &it) && it.live == e->base_rv) {
        scaled(w, overlay_slice(e->text), SL(""));
    } else {
        write_rechecked(w, status, body);
    }
}

/* A CustomResourceDefinition may name another path than .spec.replicas, and an object says not which. Native kinds always have that one. */
static bool kept_elsewhere(struct slice text) {
    struct slice v;
    return !json_raw_at(text, "spec/replicas", &v);
}

/* A patch is applied to the operator's Scale, and what comes of it is asked for: an increment would be of the live one's. */
static void ask_scale(struct overlay_write *w, const struct overlay_entry *e) {
    const struct gate_request *r = w->r;
    struct buf scale = BUF(64 << 10), body = BUF(OVERLAY_BODY_MAX);
    struct err err = {0};
    cJSON *wanted = NULL;
    struct slice text = e ? overlay_slice(e->text) : buf_slice(&w->base);
    if (kept_elsewhere(text)) {
        write_refuse(w,
                     "the scale of an object without .spec.replicas: where this kind has them is not known");
        return;
    }
    if (r->kind == GATE_PATCH) {
        scale_of(e, text, &scale);
        wanted = overlay_patched(buf_slice(&scale), r, r->body, "Scale", &err);
        if (!wanted) write_fail(w, 422, NULL, "%s", err.msg);
    } else {
        wanted = write_body(w);
    }
    buf_clear(&w->wanted);
    if (wanted) json_tree_print(wanted, &w->wanted);
    if (wanted && e && e->anew) { /* it has no live one */
        write_get(w, still_there);
    } else if (wanted && r->kind == GATE_PATCH) {
        buf_addf(&body, "{\"spec\":{\"replicas\":%.0f}}", json_num(json_obj(wanted, "spec"), "replicas", 0));
        write_dry_run(w, UPSTREAM_DRY_PATCH, r->name, r->sub, GATE_PATCH_MERGE, buf_slice(&body), answered);
    } else if (wanted && write_with_version(w,
                                            !w->given.live ? 0
                                            : !e           ? w->given.live
                                            : e->based     ? e->base_rv
                                                           : 0,
                                            &body)) {
        write_dry_run(w, UPSTREAM_DRY_UPDATE, r->name, r->sub, r->form, buf_slice(&body), answered);
    }
    cJSON_Delete(wanted);
    buf_free(&scale);
    buf_free(&body);
}

static void on_parent(struct overlay_write *w, int status, struct slice body) {
    if (status != 200) {
        write_pass(w, status, body);
        return;
    }
    write_base(w, body);
    ask_scale(w, NULL);
}

void write_scale(struct overlay_write *w) {
    struct overlay_entry *e = write_entry(w);
    if (w->r->form == GATE_APPLY) {
        write_refuse(w, "an apply to a scale");
    } else if (!write_precondition(w)) {
        return;
    } else if (e && e->state == ENTRY_DELETED) {
        write_not_found(w);
    } else if (w->given.live && (e ? !write_given(w, e) : w->given.change != 0)) {
        write_conflict(w);
    } else if (e) {
        ask_scale(w, e);
    } else {
        write_get(w, on_parent);
    }
}
