/* Keeps metadata.managedFields with every write. */
#include "managed.h"

static bool is_entry(const cJSON *e, struct manager m) {
    return !strcmp(json_str_or(e, "manager", ""), m.name) &&
           !strcmp(json_str_or(e, "operation", ""), m.operation) &&
           !strcmp(json_str_or(e, "subresource", ""), m.subresource);
}

static cJSON *entries(const cJSON *obj) {
    union {
        const cJSON *c;
        cJSON *m;
    } u = {.c = json_arr(json_obj(obj, "metadata"), "managedFields")};
    return u.m;
}

static cJSON *entry_of(const cJSON *obj, struct manager m) {
    cJSON *list = entries(obj);
    for (cJSON *e = list ? list->child : NULL; e; e = e->next) {
        if (is_entry(e, m)) return e;
    }
    return NULL;
}

cJSON *managed_find(const cJSON *obj, struct manager m) {
    return tree_get(entry_of(obj, m), "fieldsV1");
}

static void drop_list_if_empty(cJSON *obj) {
    cJSON *list = entries(obj);
    if (list && !list->child) tree_set(tree_child(obj, "metadata"), "managedFields", NULL);
}

void managed_set(struct sim *s, const struct sim_type *t, cJSON *obj, struct manager m, cJSON *set) {
    cJSON *e = entry_of(obj, m);
    char now[32], version[128];
    if (fields_empty(set)) {
        cJSON_Delete(set);
        if (e) cJSON_Delete(cJSON_DetachItemViaPointer(entries(obj), e));
        drop_list_if_empty(obj);
        return;
    }
    if (e && tree_equal(tree_get(e, "fieldsV1"), set)) {
        cJSON_Delete(set);
        return;
    }
    sim_time(s, now);
    if (!e) {
        e = cJSON_CreateObject();
        if (!e) abort();
        tree_set_str(e, "manager", m.name);
        tree_set_str(e, "operation", m.operation);
        tree_set_str(e, "apiVersion", type_api_version(t, version));
        cJSON *list = entries(obj);
        if (!list) {
            list = cJSON_CreateArray();
            if (!list) abort();
            tree_set(tree_child(obj, "metadata"), "managedFields", list);
        }
        cJSON_AddItemToArray(list, e);
    }
    tree_set_str(e, "time", now);
    tree_set_str(e, "fieldsType", "FieldsV1");
    tree_set(e, "fieldsV1", set);
    if (m.subresource[0]) tree_set_str(e, "subresource", m.subresource);
}

void managed_others(cJSON *obj, struct manager m, void (*fn)(void *ctx, const cJSON *entry, cJSON *set),
                    void *ctx) {
    cJSON *list = entries(obj);
    for (cJSON *e = list ? list->child : NULL, *next; e; e = next) {
        next = e->next;
        cJSON *set = tree_get(e, "fieldsV1");
        if (is_entry(e, m)) continue;
        if (set) fn(ctx, e, set);
        if (fields_empty(set)) cJSON_Delete(cJSON_DetachItemViaPointer(list, e));
    }
    drop_list_if_empty(obj);
}

struct loss {
    const cJSON *changed, *removed;
};

static void lose(void *ctx, const cJSON *entry, cJSON *set) {
    struct loss *l = ctx;
    (void)entry;
    fields_take(set, l->changed);
    fields_take(set, l->removed);
}

void managed_record(struct sim *s, const struct sim_type *t, const cJSON *old, cJSON *obj,
                    enum store_part part) {
    const struct writer *w = &s->writer;
    bool kubelet = part == STORE_STATUS && type_is(t, "", "pods");
    const char *sub = w->subresource && w->subresource[0] ? w->subresource
                      : part == STORE_STATUS              ? "status"
                                                          : "";
    struct manager m = {w->manager ? w->manager
                        : kubelet  ? "kubelet"
                                   : "kube-controller-manager",
                        w->apply ? "Apply" : "Update", sub};
    if (!old) {
        managed_set(s, t, obj, m, w->apply ? tree_dup(w->set) : fields_of(t, obj, part));
        return;
    }
    if (w->apply) return; /* apply.c has done it */
    cJSON *changed = NULL, *removed = NULL;
    fields_diff(t, old, obj, &changed, &removed);
    struct loss l = {changed, removed};
    managed_others(obj, m, lose, &l);
    cJSON *mine = tree_dup(managed_find(obj, m));
    if (!mine) {
        mine = changed;
        changed = NULL;
    } else {
        fields_take(mine, removed);
        fields_add(mine, changed);
    }
    managed_set(s, t, obj, m, mine);
    cJSON_Delete(changed);
    cJSON_Delete(removed);
}
