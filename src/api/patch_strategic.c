/* Strategic merge patch, after k8s.io/apimachinery/pkg/util/strategicpatch/patch.go (mergeMap, mergeSlice and
 * what they call, with MergeParallelList and IgnoreUnmatchedNulls, as the API server applies it). Where that
 * code leaves nulls and directives in what it adds, the server's decoding into types drops them: here they
 * are dropped at once. */
#include "api/patch.h"
#include "patch_list.h"
#include "patch_schema.h"
#include <errno.h>
#include <stdio.h>

static const char DIRECTIVE[] = "$patch", RETAIN_KEYS[] = "$retainKeys";
static const char DELETE_FROM[] = "$deleteFromPrimitiveList/", SET_ORDER[] = "$setElementOrder/";

static bool has_prefix(const char *s, const char *prefix) {
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

static bool is_directive(const char *member) {
    return strcmp(member, DIRECTIVE) == 0 || strcmp(member, RETAIN_KEYS) == 0 ||
           has_prefix(member, DELETE_FROM) || has_prefix(member, SET_ORDER);
}

/* removeDirectives and discardNullValuesFromPatch: a copy fit to be stored; NULL if v is itself a $patch
 * directive. */
static cJSON *cleaned(const cJSON *v) {
    if (!cJSON_IsObject(v) && !cJSON_IsArray(v)) return cJSON_Duplicate(v, true);
    bool object = cJSON_IsObject(v);
    if (object && json_get(v, DIRECTIVE)) return NULL;
    cJSON *out = object ? cJSON_CreateObject() : cJSON_CreateArray();
    const cJSON *c;
    cJSON_ArrayForEach(c, v) {
        if (object && (cJSON_IsNull(c) || is_directive(c->string))) continue;
        cJSON *copy = cleaned(c);
        if (!copy) continue;
        if (object) {
            cJSON_AddItemToObject(out, c->string, copy);
        } else {
            cJSON_AddItemToArray(out, copy);
        }
    }
    return out;
}

static void set_member(cJSON *obj, const char *name, cJSON *value /* taken over; NULL: remove */) {
    cJSON *old = cJSON_GetObjectItemCaseSensitive(obj, name);
    if (!value) {
        if (old) cJSON_Delete(cJSON_DetachItemViaPointer(obj, old));
    } else if (old) {
        cJSON_ReplaceItemInObjectCaseSensitive(obj, name, value);
    } else {
        cJSON_AddItemToObject(obj, name, value);
    }
}

static int merge_map(cJSON *doc, const cJSON *patch, enum patch_type type, struct err *err);

/* ---- lists ---- */

static int bad_list(struct err *err, const char *field, const char *what) {
    return err_set(err, ERR_REJECTED, -EINVAL, "%s: %s", field, what);
}

/* All of one type (sliceElementType), no lists of lists; of objects, each with the merge key. */
static int check_elements(const cJSON *list, int *type, const char *key, const char *field, struct err *err) {
    const cJSON *c;
    cJSON_ArrayForEach(c, list) {
        int t = c->type & 0xff;
        if (t == cJSON_False) t = cJSON_True; /* one type */
        if (t == cJSON_Array) return bad_list(err, field, "lists of lists are not supported");
        if (*type && t != *type) return bad_list(err, field, "list element types are not identical");
        *type = t;
        if (t != cJSON_Object) continue;
        if (!key) return bad_list(err, field, "cannot merge a list of objects without a merge key");
        const cJSON *replace = json_get(c, DIRECTIVE);
        if (!json_get(c, key) && !(cJSON_IsString(replace) && strcmp(replace->valuestring, "replace") == 0)) {
            return err_set(err, ERR_REJECTED, -EINVAL, "%s: an element does not contain the merge key %s",
                           field, key);
        }
    }
    return 0;
}

/* mergeSliceWithSpecialElements: elements with $patch. On return *replace says that the rest of the patch is
 * the list. */
static int special_elements(struct patch_vec *live, const cJSON *patch, const char *key, bool *replace,
                            const char *field, struct err *err) {
    const cJSON *c;
    *replace = false;
    cJSON_ArrayForEach(c, patch) {
        const cJSON *d = json_get(c, DIRECTIVE);
        const char *what = d ? cJSON_GetStringValue(d) : "";
        size_t at;
        if (!d) continue;
        if (what && strcmp(what, "replace") == 0) {
            *replace = true;
        } else if (what && strcmp(what, "delete") == 0) {
            while (patch_vec_find(live, c, key, &at)) patch_vec_remove(live, at);
        } else {
            return bad_list(err, field, "$patch in a list's element must be delete or replace");
        }
    }
    return 0;
}

/* Merges one element into the list or adds it. */
static int merge_element(struct patch_vec *merged, const cJSON *item, const char *key, enum patch_type type,
                         struct err *err) {
    size_t at;
    cJSON *live = patch_vec_find(merged, item, key, &at);
    if (!live) {
        cJSON *copy = cleaned(item);
        if (copy) patch_vec_push(merged, copy);
        return 0;
    }
    return key ? merge_map(live, item, type, err) : 0; /* a scalar that is there already */
}

/* mergeSlice: patch into live, an array of the document; order: $setElementOrder, NULL for the patch's own.
 */
static int merge_list(cJSON *live_arr, const cJSON *patch, const cJSON *order, struct patch_field f,
                      const char *field, struct err *err) {
    int type = 0;
    int r = check_elements(live_arr, &type, f.key, field, err);
    if (r == 0) r = check_elements(patch, &type, f.key, field, err);
    if (r < 0) return r;
    const char *key = type == cJSON_Object ? f.key : NULL;
    bool replace = false;
    struct patch_vec live = patch_vec_take(live_arr), merged = {0}, by = {0};
    if (key) r = special_elements(&live, patch, key, &replace, field, err);
    size_t at;
    for (size_t i = 0; i < live.n && !replace; i++) { /* live stays as the record of the old order */
        if (key || !patch_vec_find(&merged, live.v[i], NULL, &at))
            patch_vec_push(&merged, cJSON_Duplicate(live.v[i], true));
    }
    const cJSON *c, *first = order ? order : patch;
    cJSON_ArrayForEach(c, patch) {
        if (r < 0) break;
        if (!key || !json_get(c, DIRECTIVE)) r = merge_element(&merged, c, key, f.type, err);
    }
    cJSON_ArrayForEach(c, first) patch_vec_push(&by, cJSON_Duplicate(c, true));
    if (r == 0 && !replace) patch_vec_order(&merged, &by, &live, key);
    patch_vec_give(&merged, live_arr);
    for (size_t i = 0; i < live.n; i++) cJSON_Delete(live.v[i]);
    for (size_t i = 0; i < by.n; i++) cJSON_Delete(by.v[i]);
    free(live.v);
    free(by.v);
    if (r < 0) err_wrap(err, "%s", field);
    return r;
}

/* deleteFromSlice: $deleteFromPrimitiveList/FIELD */
static int delete_from_list(cJSON *doc, const char *field, const cJSON *list, struct err *err) {
    if (!cJSON_IsArray(list)) return bad_list(err, field, "$deleteFromPrimitiveList must be a list");
    cJSON *live = cJSON_GetObjectItemCaseSensitive(doc, field);
    if (!cJSON_IsArray(live)) return 0;
    for (cJSON *c = live->child, *next; c; c = next) {
        next = c->next;
        const cJSON *d;
        bool drop = false;
        cJSON_ArrayForEach(d, list) drop = drop || patch_scalar_equal(c, d);
        if (drop) cJSON_Delete(cJSON_DetachItemViaPointer(live, c));
    }
    return 0;
}

/* validatePatchWithSetOrderList: the patch's elements, deletions aside, must be in the order list, in its
 * order. */
static int check_order(const cJSON *patch, const cJSON *order, const char *key, const char *field,
                       struct err *err) {
    if (!order->child) return 0;
    const cJSON *p = patch ? patch->child : NULL, *o = order->child;
    while (p && o) {
        if (key && json_get(p, DIRECTIVE)) {
            p = p->next;
            continue;
        }
        if (patch_same_element(p, o, key)) p = p->next;
        o = o->next;
    }
    while (p && key && json_get(p, DIRECTIVE)) p = p->next;
    return p ? bad_list(err, field, "the order in the patch list does not match the $setElementOrder list")
             : 0;
}

/* mergePatchIntoOriginal for one $setElementOrder/FIELD */
static int ordered_list(cJSON *doc, const cJSON *patch, const char *field, const cJSON *order,
                        enum patch_type type, struct err *err) {
    struct patch_field f = patch_field_of(type, field);
    const cJSON *mine = json_get(patch, field);
    cJSON *live = cJSON_GetObjectItemCaseSensitive(doc, field);
    if (!cJSON_IsArray(order) || (mine && !cJSON_IsArray(mine)) || (live && !cJSON_IsArray(live))) {
        return bad_list(err, field, "$setElementOrder and what it orders must be lists");
    }
    int any = 0;
    int r = check_elements(order, &any, f.key, field, err);
    if (r == 0) r = check_order(mine, order, any == cJSON_Object ? f.key : NULL, field, err);
    if (r < 0 || (!live && !mine)) return r;
    if (!live) {
        set_member(doc, field, cleaned(mine));
        return 0;
    }
    if (mine && !f.merged) { /* mergeSliceHandler: an atomic list is replaced */
        set_member(doc, field, cleaned(mine));
        return 0;
    }
    cJSON *none = cJSON_CreateArray();
    r = merge_list(live, mine ? mine : none, order, f, field, err);
    cJSON_Delete(none);
    return r;
}

/* ---- objects ---- */

/* applyRetainKeysDirective: members of doc that the list does not name go, e.g. the other members of a union.
 */
static int retain_keys(cJSON *doc, const cJSON *patch, const cJSON *list, struct err *err) {
    if (!cJSON_IsArray(list)) return err_set(err, ERR_REJECTED, -EINVAL, "$retainKeys must be a list");
    const cJSON *p, *k;
    cJSON_ArrayForEach(p, patch) {
        if (cJSON_IsNull(p) || is_directive(p->string)) continue;
        bool named = false;
        cJSON_ArrayForEach(k, list) named =
            named || (cJSON_IsString(k) && strcmp(k->valuestring, p->string) == 0);
        if (!named)
            return err_set(err, ERR_REJECTED, -EINVAL,
                           "$retainKeys must name all fields of the patch: %.128s", p->string);
    }
    for (cJSON *c = doc->child, *next; c; c = next) {
        next = c->next;
        bool named = false;
        cJSON_ArrayForEach(k, list) named =
            named || (cJSON_IsString(k) && strcmp(k->valuestring, c->string) == 0);
        if (!named) cJSON_Delete(cJSON_DetachItemViaPointer(doc, c));
    }
    return 0;
}

static void clear(cJSON *obj) {
    while (obj->child) cJSON_Delete(cJSON_DetachItemViaPointer(obj, obj->child));
}

/* handleDirectiveInMergeMap: $patch in an object; "merge" is refused there as by the server. */
static int object_directive(cJSON *doc, const cJSON *patch, const cJSON *directive, struct err *err) {
    const char *what = cJSON_GetStringValue(directive);
    bool replace = what && strcmp(what, "replace") == 0;
    if (!replace && !(what && strcmp(what, "delete") == 0)) {
        return err_set(err, ERR_REJECTED, -EINVAL, "$patch: %.32s: must be replace or delete",
                       what ? what : "no string");
    }
    clear(doc);
    const cJSON *c;
    cJSON_ArrayForEach(c, patch) {
        if (!replace || cJSON_IsNull(c) || is_directive(c->string)) continue;
        cJSON *copy = cleaned(c);
        if (copy) cJSON_AddItemToObject(doc, c->string, copy);
    }
    return 0;
}

static int merge_member(cJSON *doc, const cJSON *p, enum patch_type type, struct err *err) {
    cJSON *live = cJSON_GetObjectItemCaseSensitive(doc, p->string);
    struct patch_field f = patch_field_of(type, p->string);
    if (cJSON_IsNull(p)) {
        set_member(doc, p->string, NULL);
    } else if (cJSON_IsObject(live) && cJSON_IsObject(p)) {
        int r = merge_map(live, p, f.type, err);
        if (r < 0) err_wrap(err, "%.128s", p->string);
        return r;
    } else if (cJSON_IsArray(live) && cJSON_IsArray(p) && f.merged) {
        return merge_list(live, p, NULL, f, p->string, err);
    } else {
        set_member(doc, p->string, cleaned(p));
    }
    return 0;
}

static int merge_map(cJSON *doc, const cJSON *patch, enum patch_type type, struct err *err) {
    const cJSON *directive = json_get(patch, DIRECTIVE), *keep = json_get(patch, RETAIN_KEYS), *p;
    if (directive) return object_directive(doc, patch, directive, err);
    int r = keep ? retain_keys(doc, patch, keep, err) : 0;
    /* As there: order lists first, with the lists that they order; then the rest. */
    cJSON_ArrayForEach(p, patch) {
        if (r == 0 && has_prefix(p->string, SET_ORDER)) {
            r = ordered_list(doc, patch, p->string + sizeof SET_ORDER - 1, p, type, err);
        }
    }
    cJSON_ArrayForEach(p, patch) {
        if (r < 0) break;
        if (has_prefix(p->string, DELETE_FROM)) {
            r = delete_from_list(doc, p->string + sizeof DELETE_FROM - 1, p, err);
        } else if (!is_directive(p->string)) {
            char order[160];
            bool done = (size_t)snprintf(order, sizeof order, "%s%s", SET_ORDER, p->string) < sizeof order &&
                        json_get(patch, order);
            if (!done) r = merge_member(doc, p, type, err);
        }
    }
    return r;
}

int patch_strategic(cJSON **doc, const cJSON *patch, const char *kind, struct err *err) {
    if (!cJSON_IsObject(patch) || !cJSON_IsObject(*doc)) {
        return err_set(err, ERR_REJECTED, -EINVAL,
                       "a strategic merge patch and its object must be JSON objects");
    }
    cJSON *work = cJSON_Duplicate(*doc, true);
    int r = merge_map(work, patch, patch_type_of_kind(kind), err);
    if (r < 0) {
        cJSON_Delete(work);
        err_wrap(err, "strategic merge patch of %s", kind);
        return r;
    }
    cJSON_Delete(*doc);
    *doc = work;
    return 0;
}
