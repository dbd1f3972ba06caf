/* Server-side apply to an object of the overlay. The server knows the fields' owners of the live object alone: what it answers is put
 * beside its last answer to the same manager, and the difference is the overlay's, with what the configuration names. */
#include "overlay_write.h"
#include "overlay_make.h"
#include "overlay_merge.h"
#include "api/patch.h"

static struct overlay_applied *applied_by(const struct overlay_entry *e, struct slice manager) {
    struct overlay_applied *a = e->applied;
    while (a && !slice_eqs(manager, a->manager)) a = a->next;
    return a;
}

static void forget(struct overlay *o, struct overlay_entry *e, struct overlay_applied *a) {
    struct overlay_applied **at = &e->applied;
    while (*at != a) at = &(*at)->next;
    *at = a->next;
    overlay_set(o, &a->config, SL(""));
    overlay_set(o, &a->text, SL(""));
    free(a->manager);
    free(a);
}

void write_applied(struct overlay_write *w, struct slice body) {
    struct overlay_entry *e = write_entry(w);
    if (!e || w->r->dry_run || w->r->form != GATE_APPLY) return;
    struct overlay_applied *a = applied_by(e, w->r->manager);
    if (!overlay_room(w->o, body.n + w->r->body.n, false)) {
        if (a) forget(w->o, e, a); /* with an older one nothing can be compared */
        return;
    }
    if (!a) {
        a = xcalloc(1, sizeof *a);
        *a = (struct overlay_applied){.next = e->applied, .manager = slice_dup(w->r->manager)};
        e->applied = a;
    }
    overlay_set(w->o, &a->config, w->r->body);
    overlay_set(w->o, &a->text, body);
}

static void carried(struct overlay_write *w, const struct overlay_entry *e, struct slice body) {
    const struct overlay_applied *last = applied_by(e, w->r->manager);
    cleanup_json cJSON *mine = overlay_tree(overlay_slice(e->text)), *to = overlay_tree(body);
    cleanup_json cJSON *from =
        last ? overlay_tree(overlay_slice(last->text)) : overlay_tree(overlay_slice(e->base));
    cleanup_json cJSON *owned = last ? overlay_tree(overlay_slice(last->config)) : json_tree_dup(from);
    if (!mine || !to) {
        write_pass(w, 502, body);
        return;
    }
    if (!e->based) { /* as of an object that is made; not what it has come to */
        json_tree_set(to, "status", NULL);
        json_tree_set(from, "status", NULL);
    }
    cleanup_json cJSON *v = merge_differences(mine, from, to, owned), *config = overlay_tree(w->r->body);
    merge_applied(v, to, config); /* also what is as in the live object already */
    merge_identity(v, mine);
    if (overlay_same(v, mine)) {
        write_object(w, 200, overlay_slice(e->text), (struct overlay_version){0});
    } else {
        write_leave(w, v, 200);
    }
    if (w->status == 200) write_applied(w, body);
}

/* What was made here: the configuration put into it. Of what the manager applied before, that goes which no other applies. */
static void into_own(struct overlay_write *w, const struct overlay_entry *e, const cJSON *config) {
    const struct overlay_applied *last = applied_by(e, w->r->manager);
    cleanup_json cJSON *mine = overlay_tree(overlay_slice(e->text));
    cleanup_json cJSON *from = last ? overlay_tree(overlay_slice(last->config)) : NULL;
    cJSON *owned = json_tree_dup(from);
    for (const struct overlay_applied *a = e->applied; a && owned; a = a->next) {
        cleanup_json cJSON *other = a == last ? NULL : overlay_tree(overlay_slice(a->config));
        if (!other) continue;
        cJSON *left = merge_without(owned, other);
        cJSON_Delete(owned);
        owned = left;
    }
    cleanup_json cJSON *v = owned ? merge_differences(mine, from, config, owned) : json_tree_dup(mine);
    cJSON_Delete(owned);
    merge_applied(v, config, config);
    merge_identity(v, mine);
    write_wanted(w, e, v);
}

/* A status of what only the overlay has. */
static void alone(struct overlay_write *w, const struct overlay_entry *e) {
    cleanup_json cJSON *mine = overlay_tree(overlay_slice(e->text)), *body = overlay_tree(w->r->body);
    if (!mine || !body) {
        write_refuse(w, "an apply in YAML to what was made in the rehearsal");
        return;
    }
    cJSON *status = json_tree_dup(json_tree_child(mine, "status"));
    if (json_get(body, "status")) patch_merge(&status, json_get(body, "status"), NULL);
    json_tree_set(mine, "status", status);
    write_commit(w, mine, 200);
}

static void answered(struct overlay_write *w, int status, struct slice body) {
    const struct overlay_entry *e = write_entry(w);
    struct overlay_peek it;
    if (!e || !write_unchanged(w, e)) {
        write_restart(w);
    } else if (!e->based && w->r->sub.n && status == 404) {
        alone(w, e);
    } else if (status != 200 && status != 201) {
        write_pass(w, status, body);
    } else if (e->based ? !overlay_peek(body, &it) || it.live != e->base_rv : status == 200) {
        write_recheck(w);
    } else {
        carried(w, e, body);
    }
}

/* What was deleted here is still live: the configuration alone, under a name that is made. */
static void create_again(struct overlay_write *w) {
    struct buf body = BUF(OVERLAY_BODY_MAX);
    w->again = true;
    if (write_renamed(w->r->body, SL(""), &body)) {
        write_dry_run(w, UPSTREAM_DRY_CREATE, SL(""), SL(""), GATE_JSON, buf_slice(&body),
                      write_create_answered);
    } else {
        write_refuse(w, "an apply in YAML of what was deleted in the rehearsal");
    }
    buf_free(&body);
}

void write_apply(struct overlay_write *w, struct overlay_entry *e) {
    if (e->state == ENTRY_DELETED) {
        create_again(w);
        return;
    }
    cleanup_json cJSON *config = overlay_tree(w->r->body);
    if (write_made_here(e) && !w->r->sub.n && (config || e->anew)) {
        if (config)
            into_own(w, e, config);
        else
            write_refuse(w, "an apply in YAML to what was deleted and made anew in the rehearsal");
        return;
    }
    struct buf body = BUF(OVERLAY_BODY_MAX);
    if (write_with_version(w, e->based && w->given.live ? e->base_rv : 0, &body))
        write_dry_run(w, UPSTREAM_DRY_PATCH, w->r->name, w->r->sub, GATE_APPLY, buf_slice(&body), answered);
    buf_free(&body);
}
