/* An object's metadata to what a slice looks at. */
#include "observe/slice_object.h"
#include "api/meta.h"

/* FNV-1a leaves the high bits of texts alike alike; the rest is splitmix64's. */
uint64_t slice_object_hash(const char *uid) {
    uint64_t h = slice_hash(slice_of(uid), 0);
    h = (h ^ (h >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    h = (h ^ (h >> 27)) * UINT64_C(0x94d049bb133111eb);
    h ^= h >> 31;
    return h ? h : 1;
}

static bool chosen(const cJSON *obj, const char *what) {
    const char *label = obj_label(obj, SLICE_CHOICE), *note = obj_annotation(obj, SLICE_CHOICE);
    return (label && !strcmp(label, what)) || (note && !strcmp(note, what));
}

static bool of_handover(const cJSON *obj) {
    const char *by = obj_label(obj, "app.kubernetes.io/managed-by");
    return by && !strcmp(by, "handover");
}

bool slice_object_read(const cJSON *obj, const struct selector *select, struct slice_object *ret) {
    const char *track = obj_label(obj, LABEL_TRACK), *target = obj_label(obj, LABEL_TARGET);
    struct slice_object o = {.deleting = obj_deleting(obj)};
    if (of_handover(obj) || !obj_uid(obj)) return false;
    o.hash = slice_object_hash(obj_uid(obj));
    if (track && !strcmp(track, "moving")) o.owner = OWNER_NONE;
    if (track && !strcmp(track, "canary")) o.owner = OWNER_CANARY;
    if (target && o.owner != OWNER_STABLE) o.target = slice_object_hash(target);
    o.never = chosen(obj, "never");
    o.first = !o.never && chosen(obj, "first");
    o.selected = !select || selector_match(select, json_at(obj, "metadata/labels"));
    *ret = o;
    return true;
}

bool slice_object_same(const struct slice_object *a, const struct slice_object *b) {
    return a->hash == b->hash && a->target == b->target && a->owner == b->owner && a->never == b->never &&
           a->first == b->first && a->deleting == b->deleting && a->selected == b->selected;
}
