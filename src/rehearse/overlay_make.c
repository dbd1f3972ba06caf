/* See overlay_make.h. */
#include "overlay_make.h"
#include "api/patch.h"
#include "api/rfc3339.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

static void set_once(cJSON *meta, const char *key, const char *value) {
    if (!json_str_or(meta, key, "")[0] && value[0]) json_tree_set_str(meta, key, value);
}

static char *generated(struct overlay *o, const char *prefix) {
    static const char letters[] = "bcdfghjklmnpqrstvwxz2456789";
    char end[6] = "";
    for (size_t i = 0; i < 5; i++) end[i] = letters[rng_below(&o->rng, sizeof letters - 1)];
    return xasprintf("%.58s%s", prefix, end);
}

void overlay_born(struct overlay *o, cJSON *obj, const struct gate_request *r, int64_t now) {
    cJSON *meta = json_tree_child(obj, "metadata");
    char uid[40], time[32];
    uint64_t a = rng_next(&o->rng), b = rng_next(&o->rng);
    (void)snprintf(uid, sizeof uid, "%08" PRIx64 "-%04" PRIx64 "-4%03" PRIx64 "-8%03" PRIx64 "-%012" PRIx64,
                   a >> 32, a >> 16 & 0xffff, a & 0xfff, b >> 48 & 0xfff, b & 0xffffffffffff);
    rfc3339_seconds(now, time);
    cleanup_free char *ns = slice_dup(r->ns), *name = NULL;
    const char *generate = json_str_or(meta, "generateName", "");
    if (generate[0] && !json_str_or(meta, "name", "")[0]) name = generated(o, generate);
    set_once(meta, "name", name ? name : "");
    set_once(meta, "namespace", ns);
    set_once(meta, "uid", uid);
    set_once(meta, "creationTimestamp", time);
}

void overlay_mark_deleted(cJSON *obj, int64_t now) {
    cJSON *meta = json_tree_child(obj, "metadata");
    char time[32];
    double generation = json_num(meta, "generation", 0);
    rfc3339_seconds(now, time);
    json_tree_set_str(meta, "deletionTimestamp", time);
    json_tree_set_num(meta, "deletionGracePeriodSeconds", 0);
    if (generation > 0) json_tree_set_num(meta, "generation", generation + 1);
}

cJSON *overlay_patched(struct slice text, const struct gate_request *r, struct slice patch, const char *kind,
                       struct err *err) {
    cleanup_json cJSON *p = json_tree_parse(patch, err);
    if (!p) return NULL;
    cJSON *doc = overlay_tree(text);
    int e = -EINVAL;
    if (r->form == GATE_PATCH_JSON) {
        e = patch_json(&doc, p, err);
    } else if (r->form == GATE_PATCH_STRATEGIC) {
        e = patch_strategic(&doc, p, kind, err);
    } else if (cJSON_IsObject(p)) {
        e = patch_merge(&doc, p, err);
    } else {
        err_set(err, ERR_REJECTED, -EINVAL, "a merge patch of an object is an object");
    }
    if (e == 0 && cJSON_IsObject(doc)) return doc;
    if (e == 0) err_set(err, ERR_REJECTED, -EINVAL, "the patch leaves no object");
    cJSON_Delete(doc);
    return NULL;
}
