/* Has the live object come to be what was written of it here? Then its live self, or somebody else, does it as well. */
#include "overlay_impl.h"
#include "overlay_merge.h"
#include "api/rfc3339.h"
#include "base/json_raw.h"

static bool decided_elsewhere(const char *key) {
    static const char *const keys[] = {"uid",           "resourceVersion",   "generation",
                                       "managedFields", "creationTimestamp", "observedGeneration"};
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        if (strcmp(key, keys[i]) == 0) return true;
    }
    return false;
}

static const cJSON *member(const cJSON *obj, const char *key) {
    const cJSON *v = cJSON_IsObject(obj) ? json_get(obj, key) : NULL;
    return cJSON_IsNull(v) ? NULL : v;
}

static bool is_time(const cJSON *v) {
    int64_t ns;
    return cJSON_IsString(v) && rfc3339_parse(slice_of(v->valuestring), &ns) == 0;
}

static const cJSON *element(const cJSON *list, const char *key, const cJSON *like) {
    const cJSON *c;
    cJSON_ArrayForEach(c, list) {
        if (key ? strcmp(json_str_or(c, key, ""), json_str_or(like, key, "")) == 0 : json_tree_equal(c, like))
            return c;
    }
    return NULL;
}

static bool is_words(const cJSON *list) {
    const cJSON *c;
    int n = 0;
    cJSON_ArrayForEach(c, list) {
        if (!cJSON_IsString(c) || ++n > MERGE_ELEMENTS) return false;
    }
    return true;
}

static bool met(const cJSON *was, const cJSON *wrote, const cJSON *live);

/* Each element that was changed, or taken away. Lists of words are sets, of which others may have their part. */
static bool met_list(const cJSON *was, const cJSON *wrote, const cJSON *live) {
    const char *key = merge_list_key(was, wrote, live);
    if (!key && !(is_words(was) && is_words(wrote) && is_words(live))) return false;
    const cJSON *c;
    cJSON_ArrayForEach(c, wrote) {
        if (!met(element(was, key, c), c, element(live, key, c))) return false;
    }
    cJSON_ArrayForEach(c, was) {
        if (!element(wrote, key, c) && element(live, key, c)) return false;
    }
    return true;
}

/* was, wrote, live: NULL if absent. */
static bool met(const cJSON *was, const cJSON *wrote, const cJSON *live) {
    if (was && wrote && json_tree_equal(was, wrote)) return true; /* not its doing */
    if (!wrote || !live) return !wrote && !live;
    if (json_tree_equal(wrote, live) || (is_time(wrote) && is_time(live))) return true;
    if (cJSON_IsArray(wrote) && cJSON_IsArray(live) && (!was || cJSON_IsArray(was)))
        return met_list(was, wrote, live);
    if (!cJSON_IsObject(wrote) || !cJSON_IsObject(live)) return false;
    const cJSON *c;
    cJSON_ArrayForEach(c, wrote) {
        if (!decided_elsewhere(c->string) &&
            !met(member(was, c->string), member(wrote, c->string), member(live, c->string)))
            return false;
    }
    if (!cJSON_IsObject(was)) return true;
    cJSON_ArrayForEach(c, was) {
        if (!decided_elsewhere(c->string) && !json_get(wrote, c->string) && member(live, c->string))
            return false;
    }
    return true;
}

void overlay_meet(struct overlay_entry *e, struct slice live) {
    if (e->state != ENTRY_PASSED || e->met || e->deleted || !live.n) return;
    cleanup_json cJSON *was = overlay_tree(overlay_slice(e->first)),
                       *wrote = overlay_tree(overlay_slice(e->text)), *is = overlay_tree(live);
    e->met = wrote && is && met(was, wrote, is);
}

void overlay_meet_gone(struct overlay_entry *e) {
    struct overlay_peek it;
    struct slice since;
    if (e->state != ENTRY_PASSED || e->met) return;
    e->met = e->deleted || (overlay_peek(overlay_slice(e->text), &it) &&
                            json_raw_get(it.metadata, SL("deletionTimestamp"), &since));
}
