/* Writes of elections: carried out in memory, with the versions' preconditions of the API server. */
#include "overlay_write.h"
#include "overlay_make.h"
#include "overlay_merge.h"

static void create(struct overlay_write *w, const struct overlay_entry *e) {
    if (e && e->state == ENTRY_PRESENT) {
        write_exists(w);
        return;
    }
    cleanup_json cJSON *obj = write_body(w);
    if (!obj) return;
    overlay_born(w->o, obj, w->r, w->now);
    free(w->name);
    w->name = xstrdup(json_str_or(json_obj(obj, "metadata"), "name", ""));
    write_commit(w, obj, 201);
}

static void change(struct overlay_write *w, const struct overlay_entry *e) {
    bool patch = w->r->kind == GATE_PATCH;
    struct err err = {0};
    if (!e || e->state == ENTRY_DELETED) {
        if (w->r->form == GATE_APPLY) {
            create(w, e);
        } else {
            write_not_found(w);
        }
        return;
    }
    if (!write_precondition(w)) return;
    if (w->given.live && !write_given(w, e)) {
        write_conflict(w);
        return;
    }
    cleanup_json cJSON *mine = overlay_tree(overlay_slice(e->text)), *obj = NULL;
    obj = patch ? overlay_patched(overlay_slice(e->text), w->r, w->r->body, e->kind, &err) : write_body(w);
    if (!obj) {
        if (patch) write_fail(w, 422, NULL, "%s", err.msg);
        return;
    }
    merge_identity(obj, mine);
    if (overlay_same(obj, mine)) {
        write_object(w, 200, overlay_slice(e->text), (struct overlay_version){0});
    } else {
        write_commit(w, obj, 200);
    }
}

static void delete (struct overlay_write *w, const struct overlay_entry *e) {
    if (!e || e->state == ENTRY_DELETED) {
        write_not_found(w);
        return;
    }
    cleanup_json cJSON *opt = overlay_tree(w->r->delete_options);
    const cJSON *pre = json_obj(opt, "preconditions");
    const char *uid = json_str_or(pre, "uid", e->uid), *rv = json_str_or(pre, "resourceVersion", "");
    bool fits = overlay_precondition_of(slice_of(rv), &w->given) && strcmp(uid, e->uid) == 0;
    if (!fits || (w->given.live && !write_given(w, e))) {
        write_conflict(w);
        return;
    }
    cleanup_free char *its = xstrdup(e->uid);
    write_remove(w, SL(""), false);
    if (w->answered) return;
    struct buf b = BUF(4096);
    overlay_success(&b, w->r, slice_of(w->name), its);
    write_pass(w, 200, buf_slice(&b));
    buf_free(&b);
}

bool write_personal(struct overlay_write *w) {
    const struct gate_request *r = w->r;
    const struct overlay_entry *e = write_entry(w);
    bool single = (r->kind == GATE_CREATE || r->kind == GATE_UPDATE || r->kind == GATE_PATCH ||
                   r->kind == GATE_DELETE) &&
                  !r->sub.n;
    if (!single || !(overlay_is_lease(r) || (e && e->personal))) return false;
    w->live = w->res->newest;
    if (e && !slice_eqs(r->version, e->version)) {
        write_refuse(w, "it was written in another API version");
    } else if (r->kind == GATE_CREATE) {
        create(w, e);
    } else if (r->kind == GATE_DELETE) {
        delete (w, e);
    } else {
        change(w, e);
    }
    return true;
}
