/* Creates, and the binding of a pod. */
#include "overlay_write.h"
#include "overlay_make.h"
#include "base/json_raw.h"
#include "rehearse/wire.h"

/* Is the live object that is deleted here still the same? Else its new state counts, and the name may be free. */
static void still_there(struct overlay_write *w, int status, struct slice body) {
    const struct overlay_entry *e = write_entry(w);
    struct overlay_peek it;
    if (e && e->state == ENTRY_DELETED && status == 200 && overlay_peek(body, &it) && it.live == e->base_rv) {
        write_created(w, buf_slice(&w->reply));
    } else {
        write_rechecked(w, status, body);
    }
}

void write_create_answered(struct overlay_write *w, int status, struct slice body) {
    if (status != 200 && status != 201) {
        write_pass(w, status, body);
    } else if (w->again) {
        buf_clear(&w->reply);
        buf_add(&w->reply, body);
        write_get(w, still_there);
    } else {
        write_created(w, body);
    }
}

/* ---- a name of our own in the place of a random one ---- */
enum { NAME_PREFIX = 58, NAME_TAIL = 5, NAME_TRIES = 2000 }; /* as the API server's */

static bool occurs_once(struct slice text, const char *name) {
    size_t n = strlen(name);
    const char *at = memmem(text.p, text.n, name, n);
    return at && !memmem(at + n, text.n - (size_t)(at + n - text.p), name, n);
}

/* Whose the object is, in words that are the same in each rehearsal. */
static uint64_t maker(const struct overlay_write *w, const cJSON *meta, const char *generate) {
    const cJSON *o, *owners = json_arr(meta, "ownerReferences");
    cleanup_buf struct buf b = BUF(8192);
    buf_addf(&b, "%s/%s/%.*s/%s", w->res->group, w->res->name, SLF(w->r->ns), generate);
    cJSON_ArrayForEach(o, owners) {
        if (json_bool(o, "controller", false))
            buf_addf(&b, "/%s/%s", json_str_or(o, "kind", ""), json_str_or(o, "name", ""));
    }
    return slice_hash(buf_slice(&b), 0);
}

/* Two rehearsals of the same name the same: else what refers to it, a label or an owner, differs between them, and from the control. Where the
 * server has put the name elsewhere, too, it stays. */
static void rename_made(const struct overlay_write *w, cJSON *meta, struct slice body) {
    static const char letters[] = "bcdfghjklmnpqrstvwxz2456789";
    const char *made = json_str_or(meta, "name", ""), *generate = json_str_or(meta, "generateName", "");
    struct slice asked, name;
    if (w->r->kind != GATE_CREATE || !overlay_name_of(w->r, &asked, &name) || name.n || !generate[0] ||
        !occurs_once(body, made))
        return;
    uint64_t whose = maker(w, meta, generate);
    for (uint64_t i = 0; i < NAME_TRIES; i++) {
        char tail[NAME_TAIL + 1] = "";
        uint64_t h = slice_hash(slice_make((const char *)&i, sizeof i), whose);
        for (int k = 0; k < NAME_TAIL; k++, h /= sizeof letters - 1)
            tail[k] = letters[h % (sizeof letters - 1)];
        cleanup_free char *own = xasprintf("%.*s%s", NAME_PREFIX, generate, tail);
        if (overlay_find(w->o, w->res, w->r->ns, slice_of(own))) continue;
        json_tree_set_str(meta, "name", own);
        return;
    }
}

void write_created(struct overlay_write *w, struct slice body) {
    cleanup_json cJSON *obj = overlay_tree(body);
    if (!obj) {
        write_pass(w, 502, body);
        return;
    }
    cJSON *meta = json_tree_child(obj, "metadata");
    if (w->again) { /* it was validated under another name */
        struct slice generate, name;
        bool had = overlay_name_of(w->r, &generate, &name) && generate.n;
        cleanup_free char *text = slice_dup(generate);
        json_tree_set_str(meta, "name", w->name);
        json_tree_set(meta, "generateName", had ? cJSON_CreateString(text) : NULL);
    }
    rename_made(w, meta, body);
    free(w->name);
    w->name = xstrdup(json_str_or(meta, "name", ""));
    const struct overlay_entry *e = write_entry(w);
    if (e && e->state == ENTRY_PRESENT) {
        write_exists(w);
        return;
    }
    if (!write_unchanged(w, e)) { /* what was in the way of the name, or was not */
        write_restart(w);
        return;
    }
    overlay_born(w->o, obj, w->r, w->now);
    w->based = false;
    buf_clear(&w->base);
    write_commit(w, obj, 201);
    write_applied(w, body);
}

bool write_renamed(struct slice json, struct slice protobuf, struct buf *out) {
    static const char prefix[] = "rehearsal-";
    if (protobuf.n) {
        struct buf b = BUF(OVERLAY_BODY_MAX);
        int e = wire_set_rv(protobuf, SL(""), &b, NULL);
        if (e == 0) e = wire_rename(buf_slice(&b), slice_of(prefix), out, NULL);
        buf_free(&b);
        return e == 0;
    }
    cleanup_json cJSON *obj = overlay_tree(json);
    if (!obj) return false;
    cJSON *meta = json_tree_child(obj, "metadata");
    json_tree_set(meta, "name", NULL);
    json_tree_set(meta, "uid", NULL);
    json_tree_set(meta, "resourceVersion", NULL);
    json_tree_set_str(meta, "generateName", prefix);
    json_tree_print(obj, out);
    return !out->full;
}

void write_create(struct overlay_write *w) {
    const struct gate_request *r = w->r;
    const struct overlay_entry *e = write_entry(w);
    if (e && e->state == ENTRY_PRESENT) {
        write_exists(w);
        return;
    }
    struct buf body = BUF(OVERLAY_BODY_MAX);
    w->again = e != NULL; /* the live one is still there, and in the way */
    bool binary = r->form == GATE_PROTOBUF;
    struct slice none = {0};
    if (w->again ? !write_renamed(binary ? none : r->body, binary ? r->body : none, &body)
                 : buf_add(&body, r->body) < 0) {
        write_refuse(w, "a create of what was deleted in the rehearsal");
    } else {
        write_dry_run(w, UPSTREAM_DRY_CREATE, SL(""), SL(""), r->form, buf_slice(&body),
                      write_create_answered);
    }
    buf_free(&body);
}

/* ---- binding ---- */
static void bind(struct overlay_write *w, struct slice text, struct slice answer) {
    cleanup_json cJSON *pod = overlay_tree(text), *body = write_body(w);
    if (!body || !pod) return;
    const char *node = json_str_or(json_obj(body, "target"), "name", "");
    if (json_str_or(json_obj(pod, "spec"), "nodeName", "")[0]) {
        write_fail(
            w, 409, NULL,
            "Operation cannot be fulfilled on pods/binding \"%s\": pod %s is already assigned to node \"%s\"",
            w->name, w->name, json_str(json_obj(pod, "spec"), "nodeName"));
        return;
    }
    json_tree_set_str(json_tree_child(pod, "spec"), "nodeName", node);
    write_commit(w, pod, 201);
    if (w->status != 201) return;
    buf_clear(&w->answer);
    if (answer.n) {
        buf_add(&w->answer, answer);
    } else {
        buf_adds(&w->answer, "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":"
                             "\"Success\",\"code\":201}");
    }
}

static void bound(struct overlay_write *w, int status, struct slice body) {
    const struct overlay_entry *e = write_entry(w);
    if (!write_unchanged(w, e)) {
        write_restart(w);
    } else if (e && !e->based && status == 404) {
        bind(w, overlay_slice(e->text), SL(""));
    } else if (status == 200 || status == 201) {
        bind(w, e ? overlay_slice(e->text) : buf_slice(&w->base), body);
    } else {
        write_pass(w, status, body);
    }
}

static void ask_binding(struct overlay_write *w) {
    write_dry_run(w, UPSTREAM_DRY_CREATE, w->r->name, w->r->sub, w->r->form, w->r->body, bound);
}

static void on_pod(struct overlay_write *w, int status, struct slice body) {
    if (status != 200) {
        write_pass(w, status, body);
        return;
    }
    write_base(w, body);
    ask_binding(w);
}

void write_bind(struct overlay_write *w) {
    const struct overlay_entry *e = write_entry(w);
    if (e && e->state == ENTRY_DELETED) {
        write_not_found(w);
    } else if (e) {
        ask_binding(w);
    } else {
        write_get(w, on_pod);
    }
}
