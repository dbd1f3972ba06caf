/* See overlay_merge.h. */
#include "overlay_merge.h"
#include "base/mem.h"

static const char *const identity[] = {"name",
                                       "namespace",
                                       "uid",
                                       "creationTimestamp",
                                       "generateName",
                                       "deletionTimestamp",
                                       "deletionGracePeriodSeconds"};

static const cJSON *metadata(const cJSON *obj) {
    return json_obj(obj, "metadata");
}

static void take(cJSON *to, const char *key, const cJSON *value) {
    json_tree_set(to, key, json_tree_dup(value));
}

static bool apart(const char *key) {
    return strcmp(key, "metadata") == 0 || strcmp(key, "status") == 0 || strcmp(key, "kind") == 0 ||
           strcmp(key, "apiVersion") == 0;
}

/* All but metadata and status. */
static bool same_specification(const cJSON *a, const cJSON *b) {
    for (const cJSON *c = a->child; c; c = c->next) {
        if (!apart(c->string) && !json_tree_equal(c, json_get(b, c->string))) return false;
    }
    for (const cJSON *c = b->child; c; c = c->next) {
        if (!apart(c->string) && !json_get(a, c->string)) return false;
    }
    return true;
}

void merge_identity(cJSON *obj, const cJSON *mine) {
    cJSON *meta = json_tree_child(obj, "metadata");
    for (size_t i = 0; i < ARRAY_LEN(identity); i++)
        take(meta, identity[i], json_get(metadata(mine), identity[i]));
    double generation = json_num(metadata(mine), "generation", 0);
    if (generation <= 0) return;
    json_tree_set_num(meta, "generation", same_specification(obj, mine) ? generation : generation + 1);
}

/* Who manages what: of the part that was written as answered, of the rest as it was. */
static void managed(cJSON *obj, const struct merge *m) {
    const cJSON *sources[] = {m->answer, m->mine}, *f;
    cJSON *all = cJSON_CreateArray();
    for (size_t i = 0; i < 2; i++) {
        cJSON_ArrayForEach(f, json_get(metadata(sources[i]), "managedFields")) {
            bool written = slice_eqs(m->sub, json_str_or(f, "subresource", ""));
            if (written == (i == 0)) cJSON_AddItemToArray(all, json_tree_dup(f));
        }
    }
    json_tree_set(json_tree_child(obj, "metadata"), "managedFields", all->child ? all : NULL);
    if (!all->child) cJSON_Delete(all);
}

static bool member_equal(const cJSON *a, const cJSON *b, const char *key) {
    return json_tree_equal(json_get(a, key), json_get(b, key));
}

/* Has the server put the status aside, as it does where that is a subresource? */
static bool status_put_aside(const struct merge *m) {
    if (m->base) return member_equal(m->answer, m->base, "status");
    return !m->body || !json_get(m->body, "status") || !member_equal(m->answer, m->body, "status");
}

cJSON *merge_update(const struct merge *m) {
    static const struct {
        const char *sub, *member;
    } parts[] = {{"status", "status"},
                 {"approval", "status"},
                 {"resize", "spec"},
                 {"ephemeralcontainers", "spec"},
                 {"finalize", "spec"}};
    cJSON *v = json_tree_dup(m->sub.n ? m->mine : m->answer);
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if (slice_eqs(m->sub, parts[i].sub)) take(v, parts[i].member, json_get(m->answer, parts[i].member));
    }
    if (!m->sub.n && status_put_aside(m)) take(v, "status", json_get(m->mine, "status"));
    managed(v, m);
    merge_identity(v, m->mine);
    return v;
}

bool merge_has_finalizers(const cJSON *obj) {
    const cJSON *mine = json_arr(metadata(obj), "finalizers");
    return mine && mine->child;
}

/* ---- differences ---- */
/* Does it tell all elements apart? Subjects of two namespaces may have one name, tolerations one key. */
static bool is_key(const cJSON *list, const char *key) {
    const cJSON *c, *o;
    cJSON_ArrayForEach(c, list) {
        const char *value = json_str(c, key);
        if (!value) return false;
        for (o = list->child; o != c; o = o->next) {
            if (strcmp(json_str_or(o, key, ""), value) == 0) return false;
        }
    }
    return true;
}

static const char *list_key(const cJSON *list) {
    static const char *const keys[] = {"name", "type", "key"};
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        if (is_key(list, keys[i])) return keys[i];
    }
    return NULL;
}

static cJSON *by_key(const cJSON *list, const char *key, const char *value) {
    cJSON *c;
    cJSON_ArrayForEach(c, list) {
        if (strcmp(json_str_or(c, key, ""), value) == 0) return c;
    }
    return NULL;
}

const char *merge_list_key(const cJSON *mine, const cJSON *from, const cJSON *to) {
    const cJSON *lists[] = {mine, from, to};
    const char *key = NULL;
    for (size_t i = 0; i < 3; i++) {
        if (lists[i] && !cJSON_IsArray(lists[i])) return NULL;
        if (!lists[i] || !lists[i]->child) continue;
        if (cJSON_GetArraySize(lists[i]) > MERGE_ELEMENTS) return NULL;
        const char *its = list_key(lists[i]);
        if (!its || (key && strcmp(key, its) != 0)) return NULL;
        key = its;
    }
    return key;
}

cJSON *merge_without(const cJSON *mine, const cJSON *owned) {
    if (!owned) return json_tree_dup(mine);
    if (cJSON_IsArray(mine) && cJSON_IsArray(owned) && cJSON_GetArraySize(mine) <= MERGE_ELEMENTS &&
        cJSON_GetArraySize(owned) <= MERGE_ELEMENTS) {
        const char *key = merge_list_key(mine, owned, NULL);
        cJSON *v = cJSON_CreateArray();
        const cJSON *c, *o;
        cJSON_ArrayForEach(c, mine) {
            bool its = false;
            cJSON_ArrayForEach(o, owned) {
                its = its || (key ? strcmp(json_str_or(c, key, ""), json_str_or(o, key, "")) == 0
                                  : json_tree_equal(c, o));
            }
            if (!its) cJSON_AddItemToArray(v, json_tree_dup(c));
        }
        if (v->child) return v;
        cJSON_Delete(v);
        return NULL;
    }
    if (!cJSON_IsObject(mine) || !cJSON_IsObject(owned)) return NULL;
    cJSON *v = cJSON_CreateObject();
    const cJSON *c;
    cJSON_ArrayForEach(c, mine) {
        cJSON *left = merge_without(c, json_get(owned, c->string));
        if (left) json_tree_append(v, c->string, left);
    }
    if (v->child) return v;
    cJSON_Delete(v);
    return NULL;
}

static cJSON *list_differences(const cJSON *mine, const cJSON *from, const cJSON *to, const cJSON *owned,
                               const char *key) {
    cJSON *v = cJSON_CreateArray();
    const cJSON *c;
    cJSON_ArrayForEach(c, mine) {
        const char *name = json_str(c, key);
        const cJSON *was = by_key(from, key, name), *is = by_key(to, key, name);
        if (was && !is && by_key(owned, key, name)) continue;
        cJSON_AddItemToArray(v,
                             is ? merge_differences(c, was, is, by_key(owned, key, name)) : json_tree_dup(c));
    }
    cJSON_ArrayForEach(c, to) {
        const char *name = json_str(c, key);
        if (by_key(mine, key, name)) continue;
        if (!json_tree_equal(by_key(from, key, name), c)) cJSON_AddItemToArray(v, json_tree_dup(c));
    }
    return v;
}

static bool has_word(const cJSON *list, const cJSON *word) {
    const cJSON *c;
    cJSON_ArrayForEach(c, list) {
        if (json_tree_equal(c, word)) return true;
    }
    return false;
}

/* Of a set of words, of which each manager has its own: also where one that owns some names others. */
static cJSON *set_differences(const cJSON *mine, const cJSON *from, const cJSON *to, const cJSON *owned) {
    cJSON *v = cJSON_CreateArray();
    const cJSON *c;
    cJSON_ArrayForEach(c, mine) {
        bool goes = has_word(from, c) && !has_word(to, c) && has_word(owned, c);
        if (!goes) cJSON_AddItemToArray(v, json_tree_dup(c));
    }
    cJSON_ArrayForEach(c, to) {
        if (!has_word(mine, c) && !has_word(from, c)) cJSON_AddItemToArray(v, json_tree_dup(c));
    }
    return v;
}

static bool is_set(const cJSON *mine, const cJSON *to) {
    return cJSON_IsArray(mine) && cJSON_IsArray(to) && mine->string &&
           strcmp(mine->string, "finalizers") == 0;
}

cJSON *merge_differences(const cJSON *mine, const cJSON *from, const cJSON *to, const cJSON *owned) {
    if (from && json_tree_equal(from, to)) return json_tree_dup(mine);
    if (!to) return merge_without(mine, owned);
    if (is_set(mine, to)) return set_differences(mine, from, to, owned);
    const char *key = mine ? merge_list_key(mine, from, to) : NULL;
    if (key) return list_differences(mine, from, to, owned, key);
    if (!cJSON_IsObject(mine) || !cJSON_IsObject(to)) return json_tree_dup(to);
    cJSON *v = cJSON_CreateObject();
    const cJSON *c, *other = cJSON_IsObject(from) ? from : NULL;
    cJSON_ArrayForEach(c, mine) {
        cJSON *left = merge_differences(c, json_get(other, c->string), json_get(to, c->string),
                                        json_get(owned, c->string));
        bool untouched = !json_get(other, c->string) && !json_get(to, c->string);
        if (untouched) {
            cJSON_Delete(left);
            left = json_tree_dup(c);
        }
        if (left) json_tree_append(v, c->string, left);
    }
    cJSON_ArrayForEach(c, to) {
        if (!json_get(mine, c->string) && !json_tree_equal(json_get(other, c->string), c))
            json_tree_append(v, c->string, json_tree_dup(c));
    }
    return v;
}

/* ---- apply ---- */
static void set_elements(cJSON *mine, const cJSON *answer, const cJSON *config, const char *key) {
    const cJSON *c;
    cJSON_ArrayForEach(c, config) {
        const char *name = json_str_or(c, key, "");
        cJSON *its = by_key(mine, key, name);
        const cJSON *to = by_key(answer, key, name);
        if (its && to) {
            merge_applied(its, to, c);
        } else if (to) {
            cJSON_AddItemToArray(mine, json_tree_dup(to));
        }
    }
}

/* A set of words, of which each manager has its own. */
static void add_words(cJSON *mine, const cJSON *config) {
    const cJSON *c;
    cJSON_ArrayForEach(c, config) {
        if (!has_word(mine, c)) cJSON_AddItemToArray(mine, json_tree_dup(c));
    }
}

void merge_applied(cJSON *mine, const cJSON *answer, const cJSON *config) {
    const cJSON *c;
    cJSON_ArrayForEach(c, config) {
        cJSON *its = json_tree_get(mine, c->string);
        const cJSON *to = json_get(answer, c->string);
        const char *key = cJSON_IsArray(c) && its && to ? merge_list_key(its, to, c) : NULL;
        if (!to) continue;
        if (cJSON_IsObject(c) && cJSON_IsObject(its)) {
            merge_applied(its, to, c);
        } else if (key) {
            set_elements(its, to, c, key);
        } else if (cJSON_IsArray(its) && strcmp(c->string, "finalizers") == 0) {
            add_words(its, c);
        } else {
            json_tree_set(mine, c->string, json_tree_dup(to));
        }
    }
}
