/* Keeps metadata.managedFields with every write. */
#include "store/managed_fields.h"

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

cJSON *managed_fields_find(const cJSON *obj, struct manager m) {
    return json_tree_get(entry_of(obj, m), "fieldsV1");
}

static void drop_list_if_empty(cJSON *obj) {
    cJSON *list = entries(obj);
    if (list && !list->child) json_tree_set(json_tree_child(obj, "metadata"), "managedFields", NULL);
}

void managed_fields_set(struct sim *s, const struct sim_type *t, cJSON *obj, struct manager m, cJSON *set) {
    cJSON *e = entry_of(obj, m);
    char now[32], version[128];
    if (fieldset_empty(set)) {
        cJSON_Delete(set);
        if (e) cJSON_Delete(cJSON_DetachItemViaPointer(entries(obj), e));
        drop_list_if_empty(obj);
        return;
    }
    if (e && json_tree_equal(json_tree_get(e, "fieldsV1"), set)) {
        cJSON_Delete(set);
        return;
    }
    sim_time(s, now);
    if (!e) {
        e = cJSON_CreateObject();
        if (!e) abort();
        json_tree_set_str(e, "manager", m.name);
        json_tree_set_str(e, "operation", m.operation);
        json_tree_set_str(e, "apiVersion", type_api_version(t, version));
        cJSON *list = entries(obj);
        if (!list) {
            list = cJSON_CreateArray();
            if (!list) abort();
            json_tree_set(json_tree_child(obj, "metadata"), "managedFields", list);
        }
        cJSON_AddItemToArray(list, e);
    }
    json_tree_set_str(e, "time", now);
    json_tree_set_str(e, "fieldsType", "FieldsV1");
    json_tree_set(e, "fieldsV1", set);
    if (m.subresource[0]) json_tree_set_str(e, "subresource", m.subresource);
}

void managed_fields_others(cJSON *obj, struct manager m,
                           void (*fn)(void *ctx, const cJSON *entry, cJSON *set), void *ctx) {
    cJSON *list = entries(obj);
    for (cJSON *e = list ? list->child : NULL, *next; e; e = next) {
        next = e->next;
        cJSON *set = json_tree_get(e, "fieldsV1");
        if (is_entry(e, m)) continue;
        if (set) fn(ctx, e, set);
        if (fieldset_empty(set)) cJSON_Delete(cJSON_DetachItemViaPointer(list, e));
    }
    drop_list_if_empty(obj);
}

struct loss {
    const cJSON *changed, *removed;
};

static void lose(void *ctx, const cJSON *entry, cJSON *set) {
    struct loss *l = ctx;
    (void)entry;
    fieldset_take(set, l->changed);
    fieldset_take(set, l->removed);
}

void managed_fields_record(struct sim *s, const struct sim_type *t, const cJSON *old, cJSON *obj,
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
        managed_fields_set(s, t, obj, m, w->apply ? json_tree_dup(w->set) : fieldset_of(t, obj, part));
        return;
    }
    if (w->apply) return; /* apply.c has done it */
    cJSON *changed = NULL, *removed = NULL;
    fieldset_diff(t, old, obj, &changed, &removed);
    struct loss l = {changed, removed};
    managed_fields_others(obj, m, lose, &l);
    cJSON *mine = json_tree_dup(managed_fields_find(obj, m));
    if (!mine) {
        mine = changed;
        changed = NULL;
    } else {
        fieldset_take(mine, removed);
        fieldset_add(mine, changed);
    }
    managed_fields_set(s, t, obj, m, mine);
    cJSON_Delete(changed);
    cJSON_Delete(removed);
}
