/* Updates and patches. The first of an object is one of the live object; from then on they are of the overlay's, and validated by a dry
 * run against the live one. */
#include "overlay_write.h"
#include "overlay_allocated.h"
#include "overlay_make.h"
#include "overlay_merge.h"
#include "base/json_raw.h"
#include "rehearse/wire.h"
#include <errno.h>

static void answered(struct overlay_write *w, int status, struct slice body);
static void still_there(struct overlay_write *w, int status, struct slice body);

/* ---- the first ---- */
static void first(struct overlay_write *w, int status, struct slice body) {
    struct overlay_peek it;
    if (status != 200 && status != 201) {
        write_pass(w, status, body);
        return;
    }
    bool made = status == 201 && !w->based,
         found = w->based && overlay_peek(body, &it) && it.live == w->base_rv;
    if (!write_unchanged(w, write_entry(w)) || (!made && !found)) {
        write_restart(
            w); /* another write was quicker, or the live object has changed between both requests */
        return;
    }
    if (made) {
        write_created(w, body);
        return;
    }
    cleanup_json cJSON *obj = overlay_tree(body), *base = overlay_tree(buf_slice(&w->base));
    if (obj && base && overlay_same(obj, base)) {
        write_object(w, status, buf_slice(&w->base), (struct overlay_version){w->base_rv, 0});
    } else if (obj) {
        write_leave(w, obj, status);
        write_applied(w, body);
    } else {
        write_pass(w, 502, body);
    }
}

static void unread(struct overlay_write *w, int status, struct slice body) {
    if (status == 200 || status == 201) {
        overlay_refused(w->o, SL("changes of what the operator may not read"),
                        SL("its changes are not kept: get is forbidden"));
    }
    write_pass(w, status, body);
}

static void ask_first(struct overlay_write *w,
                      void (*next)(struct overlay_write *w, int status, struct slice body)) {
    const struct gate_request *r = w->r;
    struct buf body = BUF(OVERLAY_BODY_MAX);
    enum upstream_verb verb = r->kind == GATE_UPDATE ? UPSTREAM_DRY_UPDATE : UPSTREAM_DRY_PATCH;
    if (write_with_version(w, w->given.live, &body))
        write_dry_run(w, verb, r->name, r->sub, r->form, buf_slice(&body), next);
    buf_free(&body);
}

static void on_base(struct overlay_write *w, int status, struct slice body) {
    if (status == 200) {
        write_base(w, body);
        if (overlay_election_read(w->o, w->res, w->r, w->now, body) && write_personal(w)) return;
    }
    if (status == 200 || status == 404) { /* of what is not there the server says so itself, or makes it */
        ask_first(w, first);
    } else if (status == 403) {
        ask_first(w, unread);
    } else {
        write_pass(w, status, body);
    }
}

/* ---- of an object of the overlay ---- */
/* json: what a patch made; empty: the body. */
static void ask_anew(struct overlay_write *w, struct slice json) {
    bool binary = !json.n && w->r->form == GATE_PROTOBUF;
    struct buf body = BUF(OVERLAY_BODY_MAX);
    if (write_renamed(json.n ? json : w->r->body, binary ? w->r->body : SL(""), &body)) {
        write_dry_run(w, UPSTREAM_DRY_CREATE, SL(""), SL(""), binary ? GATE_PROTOBUF : GATE_JSON,
                      buf_slice(&body), answered);
    } else {
        write_fail(w, 400, NULL, "the body is no object");
    }
    buf_free(&body);
}

static bool has_deletion(struct slice text) {
    struct overlay_peek it;
    struct slice v;
    return overlay_peek(text, &it) && json_raw_get(it.metadata, SL("deletionTimestamp"), &v);
}

/* It is being deleted in the overlay alone: to the live object that is no change that anybody may make. */
static bool deleted_here(const struct overlay_entry *e) {
    return !write_made_here(e) && has_deletion(overlay_slice(e->text)) &&
           !has_deletion(overlay_slice(e->base));
}

static void forget_deletion(cJSON *obj) {
    cJSON *meta = json_tree_child(obj, "metadata");
    json_tree_set(meta, "deletionTimestamp", NULL);
    json_tree_set(meta, "deletionGracePeriodSeconds", NULL);
}

/* A PUT as the server takes it. */
static int acceptable(const struct overlay_write *w, const struct overlay_entry *e, struct slice body,
                      struct buf *out) {
    bool here = deleted_here(e), made = write_made_here(e) && !w->r->sub.n,
         binary = w->r->form == GATE_PROTOBUF;
    if (here && binary) return wire_undelete(body, out, NULL);
    if (binary || !(here || made)) return buf_add(out, body);
    cleanup_json cJSON *obj = overlay_tree(body), *mine = made ? overlay_tree(overlay_slice(e->text)) : NULL;
    bool went = obj && mine && allocated_drop(w->r->group, w->r->resource, obj, mine);
    if (here && obj) forget_deletion(obj);
    if (!obj || !(went || here)) return buf_add(out, body);
    json_tree_print(obj, out);
    return out->full ? -ENOBUFS : 0;
}

static void ask_update(struct overlay_write *w, const struct overlay_entry *e, enum gate_form form,
                       struct slice body) {
    const struct gate_request *r = w->r;
    if (e->based) {
        write_dry_run(w, UPSTREAM_DRY_UPDATE, r->name, r->sub, form, body, answered);
    } else if (!r->sub.n) {
        write_dry_run(w, UPSTREAM_DRY_CREATE, SL(""), SL(""), form, body, answered);
    } else if (r->kind == GATE_PATCH) { /* may it be done? that it is not there is the right answer */
        write_dry_run(w, UPSTREAM_DRY_PATCH, r->name, r->sub, r->form, r->body, answered);
    } else {
        write_dry_run(w, UPSTREAM_DRY_UPDATE, r->name, r->sub, form, body, answered);
    }
}

static void set_live(cJSON *obj, const struct overlay_entry *e) {
    cJSON *meta = json_tree_child(obj, "metadata");
    char *rv = e->based ? xasprintf("%llu", (unsigned long long)e->base_rv) : NULL;
    json_tree_set(meta, "resourceVersion", rv ? cJSON_CreateString(rv) : NULL);
    if (!e->based) json_tree_set(meta, "uid", NULL);
    if (deleted_here(e)) forget_deletion(obj);
    free(rv);
}

static void patch_entry(struct overlay_write *w, const struct overlay_entry *e) {
    struct err err = {0};
    cleanup_json cJSON *obj = overlay_patched(overlay_slice(e->text), w->r, w->r->body, e->kind, &err);
    if (!obj) {
        write_fail(w, 422, NULL, "the server rejected our request due to an error in our request: %s",
                   err.msg);
        return;
    }
    write_wanted(w, e, obj);
}

void write_wanted(struct overlay_write *w, const struct overlay_entry *e, cJSON *obj) {
    set_live(obj, e);
    cleanup_json cJSON *mine =
        !write_made_here(e) || w->r->sub.n ? NULL : overlay_tree(overlay_slice(e->text));
    if (mine) allocated_drop(w->r->group, w->r->resource, obj, mine);
    buf_clear(&w->wanted);
    json_tree_print(obj, &w->wanted);
    if (w->wanted.full) {
        write_full(w);
    } else if (e->anew && w->r->sub.n) {
        write_get(w, still_there);
    } else if (e->anew) {
        ask_anew(w, buf_slice(&w->wanted));
    } else {
        ask_update(w, e, GATE_JSON, buf_slice(&w->wanted));
    }
}

static void update_entry(struct overlay_write *w, const struct overlay_entry *e) {
    if (e->anew) {
        if (w->r->sub.n) {
            write_get(w, still_there);
        } else {
            struct buf taken = BUF(OVERLAY_BODY_MAX);
            bool json = w->r->form == GATE_JSON && acceptable(w, e, w->r->body, &taken) == 0;
            ask_anew(w, json ? buf_slice(&taken) : SL(""));
            buf_free(&taken);
        }
        return;
    }
    struct buf body = BUF(OVERLAY_BODY_MAX);
    uint64_t live = e->based && w->given.live ? e->base_rv : 0;
    struct buf taken = BUF(OVERLAY_BODY_MAX);
    if (write_with_version(w, live, &body)) {
        if (acceptable(w, e, buf_slice(&body), &taken) == 0)
            ask_update(w, e, w->r->form, buf_slice(&taken));
        else
            write_fail(w, 413, NULL, "the body is too large to be rehearsed");
    }
    buf_free(&body);
    buf_free(&taken);
}

/* Where nothing has changed the version stays, too. */
static void leave(struct overlay_write *w, const struct overlay_entry *e, const cJSON *mine,
                  const struct merge *m) {
    cleanup_json cJSON *v = merge_update(m);
    if (overlay_same(v, mine)) {
        write_object(w, 200, overlay_slice(e->text), (struct overlay_version){0});
    } else {
        write_leave(w, v, 200);
    }
}

/* A status and the like of what only the overlay has: nobody can validate it. */
static void alone(struct overlay_write *w, const struct overlay_entry *e) {
    cleanup_json cJSON *mine = overlay_tree(overlay_slice(e->text)), *body = NULL;
    struct buf json = BUF(OVERLAY_BODY_MAX);
    if (w->r->kind == GATE_PATCH) {
        buf_add(&json, buf_slice(&w->wanted));
    } else if (w->r->form == GATE_JSON) {
        buf_add(&json, w->r->body);
    } else if (wire_status(w->r->body, &json, NULL) < 0) { /* what is new in it stays unknown */
        overlay_refused(w->o, SL("status of what was made in the rehearsal"),
                        SL("this kind's protobuf encoding is not understood"));
        buf_clear(&json);
        buf_add(&json, overlay_slice(e->text));
    }
    body = overlay_tree(buf_slice(&json));
    buf_free(&json);
    if (body && mine) {
        leave(w, e, mine, &(struct merge){.mine = mine, .answer = body, .sub = w->r->sub});
    } else {
        write_fail(w, 400, NULL, "the body is no object");
    }
}

static void merged(struct overlay_write *w, const struct overlay_entry *e, struct slice body) {
    cleanup_json cJSON *mine = overlay_tree(overlay_slice(e->text)), *answer = overlay_tree(body);
    cleanup_json cJSON *base = e->based && !e->anew ? overlay_tree(overlay_slice(e->base)) : NULL;
    cleanup_json cJSON *sent = w->wanted.n               ? overlay_tree(buf_slice(&w->wanted))
                               : w->r->form == GATE_JSON ? overlay_tree(w->r->body)
                                                         : NULL;
    if (mine && answer && write_made_here(e) && !w->r->sub.n)
        allocated_keep(w->r->group, w->r->resource, answer, mine);
    if (mine && answer) {
        leave(w, e, mine,
              &(struct merge){.mine = mine, .answer = answer, .base = base, .body = sent, .sub = w->r->sub});
        if (w->status == 200) write_applied(w, body);
    } else {
        write_pass(w, 502, body);
    }
}

/* It may patch, perhaps, and neither update nor create. */
static void ask_patch(struct overlay_write *w, const struct overlay_entry *e) {
    struct buf body = BUF(OVERLAY_BODY_MAX);
    w->again = true;
    if (write_with_version(w, e->based && w->given.live ? e->base_rv : 0, &body))
        write_dry_run(w, UPSTREAM_DRY_PATCH, w->r->name, w->r->sub, w->r->form, buf_slice(&body), answered);
    buf_free(&body);
}

/* The live object that is in its way, after a dry run under another name; of a status there is none. */
static void still_there(struct overlay_write *w, int status, struct slice body) {
    const struct overlay_entry *e = write_entry(w);
    struct overlay_peek it;
    if (e && write_unchanged(w, e) && status == 200 && overlay_peek(body, &it) && it.live == e->base_rv) {
        if (w->r->sub.n) {
            alone(w, e);
        } else {
            merged(w, e, buf_slice(&w->reply));
        }
    } else {
        write_rechecked(w, status, body);
    }
}

static void answered(struct overlay_write *w, int status, struct slice body) {
    const struct overlay_entry *e = write_entry(w);
    struct overlay_peek it;
    bool sub = w->r->sub.n != 0;
    if (!e || !write_unchanged(w, e)) {
        write_restart(w);
    } else if (status == 403 && w->r->kind == GATE_PATCH && !w->again) {
        ask_patch(w, e);
    } else if (w->again && (status == 200 || (status == 404 && !e->based))) {
        merged(w, e, buf_slice(&w->wanted));
    } else if (!e->based && sub && status == 404) {
        alone(w, e);
    } else if (status == 409 && (!w->given.live || !e->based)) {
        write_recheck(w);
    } else if (e->anew && status == 201) {
        buf_clear(&w->reply);
        buf_add(&w->reply, body);
        write_get(w, still_there);
    } else if (status == 200 || status == 201) {
        bool current = e->based ? overlay_peek(body, &it) && it.live == e->base_rv : status == 201;
        if (current) {
            merged(w, e, body);
        } else {
            write_recheck(w);
        }
    } else {
        write_pass(w, status, body);
    }
}

void write_change(struct overlay_write *w) {
    struct overlay_entry *e = write_entry(w);
    buf_clear(&w->wanted);
    w->again = false;
    if (!write_precondition(w)) return;
    bool apply = w->r->form == GATE_APPLY;
    if (e && e->state == ENTRY_DELETED && !(apply && !w->r->sub.n)) {
        write_not_found(w);
    } else if (w->given.live && (e ? !write_given(w, e) : w->given.change != 0)) {
        write_conflict(w);
    } else if (!e) {
        write_get(w, on_base);
    } else if (apply) {
        write_apply(w, e);
    } else if (w->r->kind == GATE_PATCH) {
        patch_entry(w, e);
    } else {
        update_entry(w, e);
    }
}
