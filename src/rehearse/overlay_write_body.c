/* What the operator sent: its name, the version that it is about, and the same with the live version in its place. */
#include "overlay_write.h"
#include "base/json_raw.h"
#include "rehearse/wire.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

bool overlay_name_of(const struct gate_request *r, struct slice *ret_generate, struct slice *ret_name) {
    struct overlay_peek it;
    struct wire_type type;
    struct wire_meta meta = {0};
    struct slice raw;
    *ret_generate = *ret_name = (struct slice){0};
    if (r->form == GATE_PROTOBUF) {
        if (wire_open(r->body, &type, &raw, NULL) < 0 || wire_meta(raw, &meta, NULL) < 0) return false;
        *ret_name = meta.name;
        *ret_generate = meta.generate_name;
        return true;
    }
    if (json_raw_check(r->body, NULL) < 0 || !overlay_peek(r->body, &it)) return false;
    *ret_name = it.name;
    *ret_generate = it.generate;
    return true;
}

cJSON *write_body(struct overlay_write *w) {
    struct err err = {0};
    struct buf json = BUF(OVERLAY_BODY_MAX);
    int e = 0;
    if (w->r->form == GATE_PROTOBUF) {
        e = wire_to_json(w->r->body, &json, &err);
    } else {
        e = buf_add(&json, w->r->body);
    }
    cJSON *v = e == 0 ? json_tree_parse(buf_slice(&json), &err) : NULL;
    buf_free(&json);
    if (v) return v;
    if (e == -ENOTSUP) {
        write_refuse(w, "this kind's protobuf encoding is not understood");
    } else {
        write_fail(w, 400, NULL, "%s", err.msg);
    }
    return NULL;
}

/* ---- versions ---- */
static bool about_version(const cJSON *op) {
    const char *path = json_str_or(op, "path", ""), *what = json_str_or(op, "op", "");
    return strcmp(path, "/metadata/resourceVersion") == 0 && cJSON_IsString(json_get(op, "value")) &&
           (strcmp(what, "test") == 0 || strcmp(what, "add") == 0 || strcmp(what, "replace") == 0);
}

static bool given(struct overlay_write *w, struct slice rv) {
    if (overlay_precondition_of(rv, &w->given)) return true;
    write_fail(w, 400, NULL, "resourceVersion \"%.*s\" is no version of an object", SLF(rv));
    return false;
}

bool write_precondition(struct overlay_write *w) {
    const struct gate_request *r = w->r;
    struct overlay_peek it;
    w->given = (struct overlay_version){0};
    if (r->form == GATE_PROTOBUF) {
        struct wire_type type;
        struct wire_meta meta;
        struct slice raw;
        struct err err = {0};
        if (wire_open(r->body, &type, &raw, &err) == 0 && wire_meta(raw, &meta, &err) == 0)
            return given(w, meta.rv);
        write_fail(w, 400, NULL, "%s", err.msg);
        return false;
    }
    if (json_raw_check(r->body, NULL) < 0) { /* YAML of an apply, or what the server refuses */
        if (r->form != GATE_APPLY || !r->body.n || !memmem(r->body.p, r->body.n, "resourceVersion", 15))
            return true;
        write_refuse(w, "an apply in YAML with a resourceVersion");
        return false;
    }
    if (r->form != GATE_PATCH_JSON) return !overlay_peek(r->body, &it) || given(w, it.rv);
    cleanup_json cJSON *ops = json_tree_parse(r->body, NULL);
    const cJSON *op;
    cJSON_ArrayForEach(op, ops) {
        if (about_version(op) && !given(w, slice_of(json_str(op, "value")))) return false;
    }
    return true;
}

/* Of an object that may have members twice; live "": without one. */
static void set_version(cJSON *obj, const char *live) {
    cJSON *m;
    cJSON_ArrayForEach(m, obj) {
        if (!cJSON_IsObject(m) || strcmp(m->string, "metadata") != 0) continue;
        while (json_tree_get(m, "resourceVersion")) json_tree_set(m, "resourceVersion", NULL);
        if (live[0]) json_tree_set_str(m, "resourceVersion", live);
    }
}

static int with_version(const struct gate_request *r, const char *live, struct buf *out) {
    struct overlay_peek it;
    if (r->form == GATE_PROTOBUF) return wire_set_rv(r->body, slice_of(live), out, NULL);
    if (json_raw_check(r->body, NULL) < 0) return buf_add(out, r->body);
    cleanup_json cJSON *v = json_tree_parse_all(r->body, NULL);
    if (r->form == GATE_PATCH_JSON) {
        cJSON *op;
        cJSON_ArrayForEach(op, v) {
            if (about_version(op)) json_tree_set_str(op, "value", live);
        }
    } else if (overlay_peek(r->body, &it) && it.rv.n) {
        set_version(v, live);
    } else {
        return buf_add(out, r->body);
    }
    json_tree_print(v, out);
    return out->full ? -ENOBUFS : 0;
}

bool write_with_version(struct overlay_write *w, uint64_t live, struct buf *out) {
    char text[24] = "";
    if (live) (void)snprintf(text, sizeof text, "%" PRIu64, live);
    if (with_version(w->r, text, out) == 0) return true;
    write_fail(w, 413, NULL, "the body is too large to be rehearsed");
    return false;
}
