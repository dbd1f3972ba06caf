/* Has the live object come to be what was written of it here? Then its live self, or somebody else, does it as well. Or have others changed the
 * very same since? Then that is what counts. */
#include "overlay_impl.h"
#include "overlay_merge.h"
#include "base/json_raw.h"

/* Where a value stands, as far as that says what it means. */
enum where { AT_TOP, AT_METADATA, AT_STATUS, AT_OWNERS, AT_FINALIZERS, ELSEWHERE };

static enum where below(enum where at, const char *key) {
    static const struct {
        enum where at;
        const char *key;
        enum where to;
    } ways[] = {{AT_TOP, "metadata", AT_METADATA},
                {AT_TOP, "status", AT_STATUS},
                {AT_METADATA, "ownerReferences", AT_OWNERS},
                {AT_METADATA, "finalizers", AT_FINALIZERS}};
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        if (at == ways[i].at && strcmp(key, ways[i].key) == 0) return ways[i].to;
    }
    return at == AT_OWNERS || at == AT_STATUS ? at : ELSEWHERE;
}

/* What each write changes by itself, or what says which object it is. */
static bool by_itself(enum where at, const char *key) {
    static const char *const of_metadata[] = {"uid", "resourceVersion", "generation", "managedFields",
                                              "creationTimestamp"};
    if (at == AT_OWNERS) return strcmp(key, "uid") == 0;
    if (at == AT_STATUS) return strcmp(key, "observedGeneration") == 0;
    for (size_t i = 0; at == AT_METADATA && i < ARRAY_LEN(of_metadata); i++) {
        if (strcmp(key, of_metadata[i]) == 0) return true;
    }
    return false;
}

static const cJSON *member(const cJSON *obj, const char *key) {
    const cJSON *v = cJSON_IsObject(obj) ? json_get(obj, key) : NULL;
    return cJSON_IsNull(v) ? NULL : v;
}

static const cJSON *element(const cJSON *list, const char *key, const cJSON *like) {
    const cJSON *c;
    cJSON_ArrayForEach(c, list) {
        if (key ? strcmp(json_str_or(c, key, ""), json_str_or(like, key, "")) == 0 : json_tree_equal(c, like))
            return c;
    }
    return NULL;
}

/* Are the elements of `of` that `in` has as well in the same order there? */
static bool same_order(const cJSON *of, const cJSON *in, const char *key) {
    const cJSON *c, *at = in ? in->child : NULL;
    cJSON_ArrayForEach(c, of) {
        const cJSON *its = element(in, key, c), *from = at;
        if (!its) continue;
        while (from && from != its) from = from->next;
        if (!from) return false;
        at = its->next;
    }
    return true;
}

static bool met(bool made, const cJSON *was, const cJSON *wrote, const cJSON *live, enum where at);

/* Others have decided something else since: the operator sees that, and says so if it disagrees. Of what was made here (made) nothing counts
 * but what was written. */
static bool moved_on(bool made, const cJSON *was, const cJSON *live) {
    return !made && !json_tree_equal(was, live);
}

/* Each element that was changed, taken away, or put elsewhere. Finalizers are a set, of which others have their part. */
static bool met_list(bool made, const cJSON *was, const cJSON *wrote, const cJSON *live, enum where at) {
    const char *key = at == AT_FINALIZERS ? NULL : merge_list_key(was, wrote, live);
    bool set = at == AT_FINALIZERS && cJSON_GetArraySize(wrote) <= MERGE_ELEMENTS &&
               cJSON_GetArraySize(live) <= MERGE_ELEMENTS;
    if (!key && !set) return moved_on(made, was, live);
    const cJSON *c;
    cJSON_ArrayForEach(c, wrote) {
        if (!met(made, element(was, key, c), c, element(live, key, c), at)) return false;
    }
    cJSON_ArrayForEach(c, was) {
        if (!element(wrote, key, c) && !met(made, c, NULL, element(live, key, c), at)) return false;
    }
    bool ordered = at != AT_FINALIZERS && at != AT_OWNERS && at != AT_STATUS;
    if (!ordered || (was && same_order(was, wrote, key)) || same_order(wrote, live, key)) return true;
    return !made && was && !same_order(was, live, key);
}

static bool met_object(bool made, const cJSON *was, const cJSON *wrote, const cJSON *live, enum where at) {
    const cJSON *c;
    cJSON_ArrayForEach(c, wrote) {
        if (!by_itself(at, c->string) && !met(made, member(was, c->string), member(wrote, c->string),
                                              member(live, c->string), below(at, c->string)))
            return false;
    }
    if (!cJSON_IsObject(was)) return true;
    cJSON_ArrayForEach(c, was) {
        if (!by_itself(at, c->string) && !json_get(wrote, c->string) &&
            !met(made, member(was, c->string), NULL, member(live, c->string), ELSEWHERE))
            return false;
    }
    return true;
}

/* was, wrote, live: NULL if absent. */
static bool met(bool made, const cJSON *was, const cJSON *wrote, const cJSON *live, enum where at) {
    if (was && wrote && json_tree_equal(was, wrote)) return true; /* not its doing */
    if (!wrote || !live) return (!wrote && !live) || moved_on(made, was, live);
    if (json_tree_equal(wrote, live)) return true;
    if (cJSON_IsArray(wrote) && cJSON_IsArray(live) && (!was || cJSON_IsArray(was)))
        return met_list(made, was, wrote, live, at);
    if (cJSON_IsObject(wrote) && cJSON_IsObject(live)) return met_object(made, was, wrote, live, at);
    return moved_on(made, was, live);
}

/* What was deleted here and made anew is there as long as that one lives. */
static bool still_the_same(const struct overlay_entry *e, struct slice live) {
    struct overlay_peek was, is;
    return e->anew && overlay_peek(overlay_slice(e->first), &was) && overlay_peek(live, &is) &&
           slice_eq(was.uid, is.uid);
}

void overlay_meet(struct overlay_entry *e, struct slice live) {
    if (e->state != ENTRY_PASSED || e->met || e->deleted || !live.n || still_the_same(e, live)) return;
    cleanup_json cJSON *was = overlay_tree(overlay_slice(e->first)),
                       *wrote = overlay_tree(overlay_slice(e->text)), *is = overlay_tree(live);
    e->met = wrote && is && met(!was, was, wrote, is, AT_TOP);
}

void overlay_meet_gone(struct overlay_entry *e) {
    struct overlay_peek it;
    struct slice since;
    if (e->state != ENTRY_PASSED || e->met) return;
    e->met = e->deleted || (overlay_peek(overlay_slice(e->text), &it) &&
                            json_raw_get(it.metadata, SL("deletionTimestamp"), &since));
}
