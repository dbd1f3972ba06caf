/* Deletes, evictions, and deletes of collections. */
#include "overlay_write.h"
#include "overlay_merge.h"
#include "overlay_make.h"
#include "base/json_raw.h"

static bool evicts(const struct overlay_write *w) {
    return slice_eqs(w->r->sub, "eviction");
}

/* DeleteOptions as a tree, maybe empty. Of an eviction: the member of the body. */
static cJSON *options(const struct overlay_write *w) {
    cJSON *v = overlay_tree(evicts(w) ? w->r->body : w->r->delete_options);
    cJSON *inner = evicts(w) ? cJSON_DetachItemFromObjectCaseSensitive(v, "deleteOptions") : NULL;
    if (evicts(w)) {
        cJSON_Delete(v);
        v = inner;
    }
    return cJSON_IsObject(v) ? v : (cJSON_Delete(v), cJSON_CreateObject());
}

/* Two kinds have it so where nobody asks otherwise, as they had before there was a garbage collector. */
bool write_orphans(const struct overlay_write *w, const cJSON *options) {
    const struct gate_request *r = w->r;
    const char *policy = json_str(options, "propagationPolicy");
    bool old =
        (slice_eqs(r->group, "batch") && slice_eqs(r->version, "v1") && slice_eqs(r->resource, "jobs")) ||
        (!r->group.n && slice_eqs(r->resource, "replicationcontrollers"));
    if (policy) return strcmp(policy, "Orphan") == 0;
    return json_bool(options, "orphanDependents", old);
}

/* With the live version that this is about as a precondition (upstream_dry_run() takes the operator's form), whatever the operator asked
 * for: what it read may have changed. */
static void write_options(struct overlay_write *w, cJSON *opt, uint64_t live, struct buf *out) {
    const struct overlay_entry *e = write_entry(w);
    struct overlay_peek it;
    cJSON *pre = json_tree_get(opt, "preconditions");
    if (e && e->anew && json_get(pre, "uid") &&
        overlay_peek(overlay_slice(e->base), &it)) { /* has been compared */
        cleanup_free char *uid = slice_dup(it.uid);
        json_tree_set_str(pre, "uid", uid);
    }
    if (live) {
        struct buf rv = BUF(64);
        overlay_version_add(&rv, (struct overlay_version){live, 0});
        json_tree_set_str(json_tree_child(opt, "preconditions"), "resourceVersion", buf_str(&rv));
        buf_free(&rv);
    }
    cleanup_json cJSON *body = evicts(w) ? overlay_tree(w->r->body) : NULL;
    if (body) json_tree_set(body, "deleteOptions", json_tree_dup(opt));
    if (body || opt->child) json_tree_print(body ? body : opt, out);
}

/* ---- what becomes of the object ---- */
static void success(struct overlay_write *w, const char *uid) {
    struct buf b = BUF(4096);
    if (evicts(w)) {
        buf_adds(&b, "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Success\","
                     "\"code\":201}");
    } else {
        overlay_success(&b, w->r, slice_of(w->name), uid);
    }
    write_pass(w, evicts(w) ? 201 : 200, buf_slice(&b));
    buf_free(&b);
}

static bool is_status(struct slice body) {
    struct slice kind;
    return json_raw_get(body, SL("kind"), &kind) && json_raw_string_is(kind, SL("Status"));
}

/* text: the object as it was; answer: the server's, or empty. */
static void removed(struct overlay_write *w, struct slice text, struct slice answer) {
    cleanup_json cJSON *obj = overlay_tree(text), *opt = options(w);
    struct overlay_entry *e = write_entry(w);
    struct overlay_version was = e ? e->rv : (struct overlay_version){w->base_rv, 0};
    if (!obj) {
        write_pass(w, 502, text);
        return;
    }
    const char *uid = json_str_or(json_obj(obj, "metadata"), "uid", "");
    if (merge_has_finalizers(obj)) {
        if (json_str(json_obj(obj, "metadata"), "deletionTimestamp")) {
            write_object(w, 200, text, was); /* it is being deleted already */
        } else {
            overlay_mark_deleted(obj, w->now);
            write_commit(w, obj, 200);
            e = write_entry(w);
            if (e && w->status == 200 && !w->r->dry_run) e->orphan = write_orphans(w, opt);
        }
        if (w->status == 200 && evicts(w)) {
            w->answered = false;
            success(w, uid);
        }
        return;
    }
    write_remove(w, text, write_orphans(w, opt));
    if (w->answered) return;
    if (answer.n && !is_status(answer) && !evicts(w)) { /* a pod that ends: the object is the answer */
        overlay_mark_deleted(obj, w->now);
        struct buf b = BUF(OVERLAY_BODY_MAX);
        json_tree_print(obj, &b);
        write_object(w, 200, buf_slice(&b), was);
        buf_free(&b);
    } else {
        success(w, uid);
    }
}

static void answered(struct overlay_write *w, int status, struct slice body) {
    struct overlay_entry *e = write_entry(w);
    bool done = status == 200 || status == 201 || status == 202;
    if (!write_unchanged(w, e) ||
        (done && !e && !w->based)) { /* another write was quicker, or it has just come */
        write_restart(w);
    } else if (e && !e->based) { /* may it be done? that it is not there is the right answer */
        if (status == 404) {
            removed(w, overlay_slice(e->text), SL(""));
        } else if (done || status == 409) {
            write_recheck(w);
        } else {
            write_pass(w, status, body);
        }
    } else if (done) {
        removed(w, e ? overlay_slice(e->text) : buf_slice(&w->base), body);
    } else if ((status == 404 && e) || (status == 409 && !w->given.live)) {
        write_recheck(w);
    } else {
        write_pass(w, status, body);
    }
}

static void unread(struct overlay_write *w, int status, struct slice body) {
    if (status == 200 || status == 201)
        overlay_refused(w->o, SL("changes of what the operator may not read"),
                        SL("its changes are not kept: get is forbidden"));
    write_pass(w, status, body);
}

static void ask_delete(struct overlay_write *w, uint64_t live,
                       void (*next)(struct overlay_write *w, int status, struct slice body)) {
    struct buf body = BUF(OVERLAY_BODY_MAX);
    cleanup_json cJSON *opt = options(w);
    write_options(w, opt, live, &body);
    if (evicts(w)) {
        write_dry_run(w, UPSTREAM_DRY_CREATE, w->r->name, w->r->sub, GATE_JSON, buf_slice(&body), next);
    } else {
        write_dry_run(w, UPSTREAM_DRY_DELETE, w->r->name, SL(""), body.n ? GATE_JSON : GATE_NO_BODY,
                      buf_slice(&body), next);
    }
    buf_free(&body);
}

static void on_base(struct overlay_write *w, int status, struct slice body) {
    if (status == 200) {
        write_base(w, body);
        ask_delete(w, w->given.live ? w->given.live : w->base_rv, answered);
    } else if (status == 404 || status == 403) {
        ask_delete(w, w->given.live, status == 403 ? unread : answered);
    } else {
        write_pass(w, status, body);
    }
}

/* Of the overlay's object; false: answered. */
static bool preconditions(struct overlay_write *w, const struct overlay_entry *e, const cJSON *opt) {
    const cJSON *pre = json_obj(opt, "preconditions");
    const char *uid = json_str(pre, "uid"), *rv = json_str(pre, "resourceVersion");
    w->given = (struct overlay_version){0};
    if (rv && !overlay_precondition_of(slice_of(rv), &w->given)) {
        write_fail(w, 400, NULL, "resourceVersion \"%.80s\" is no version of an object", rv);
        return false;
    }
    if (!e && w->given.change) {
        write_conflict(w);
        return false;
    }
    if (e && uid && e->uid[0] && strcmp(uid, e->uid) != 0) {
        write_fail(w, 409, NULL, "Precondition failed: UID in precondition: %.80s, UID in object meta: %s",
                   uid, e->uid);
        return false;
    }
    if (e && w->given.live && !write_given(w, e)) {
        write_conflict(w);
        return false;
    }
    return true;
}

void write_delete(struct overlay_write *w) {
    const struct overlay_entry *e = write_entry(w);
    cleanup_json cJSON *opt = options(w);
    if (e && e->state == ENTRY_DELETED) {
        write_not_found(w);
    } else if (!preconditions(w, e, opt)) {
        return;
    } else if (e) {
        ask_delete(w, e->based ? e->base_rv : 0, answered);
    } else {
        write_get(w, on_base);
    }
}
