/* metadata: what the server sets, keeps and refuses, whatever the type. */
#include "store/core.h"
#include "api/meta.h"
#include <inttypes.h>
#include <stdio.h>

static void uuid(struct sim *s, char ret[37]) {
    uint64_t a = rng_next(&s->rng), b = rng_next(&s->rng);
    snprintf(ret, 37, "%08x-%04x-4%03x-%04x-%012" PRIx64, (unsigned)(a >> 32), (unsigned)(a >> 16) & 0xffff,
             (unsigned)a & 0xfff, ((unsigned)(b >> 48) & 0x3fff) | 0x8000, b & UINT64_C(0xffffffffffff));
}

static void generated_name(struct sim *s, const char *base, char ret[64]) {
    static const char letters[] = "bcdfghjklmnpqrstvwxz2456789";
    char tail[6];
    for (int i = 0; i < 5; i++) tail[i] = letters[rng_below(&s->rng, sizeof letters - 1)];
    tail[5] = '\0';
    snprintf(ret, 64, "%.58s%s", base, tail);
}

static bool empty(const cJSON *v) {
    return !v || cJSON_IsNull(v) || ((cJSON_IsObject(v) || cJSON_IsArray(v)) && !v->child);
}

/* What a typed server does not write when it is empty. */
static void drop_empty(cJSON *meta) {
    for (cJSON *c = meta->child, *next; c; c = next) {
        next = c->next;
        if (empty(c)) cJSON_Delete(cJSON_DetachItemViaPointer(meta, c));
    }
}

void object_meta_set_rv(cJSON *obj, uint64_t rv) {
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, rv);
    json_tree_set_str(json_tree_child(obj, "metadata"), "resourceVersion", text);
}

bool object_meta_has_finalizers(const cJSON *obj) {
    const cJSON *f = json_arr(json_obj(obj, "metadata"), "finalizers");
    return f && f->child;
}

static int set_namespace(const struct sim_type *t, const char *ns, cJSON *meta, struct api_status *f) {
    const char *have = json_str(meta, "namespace");
    if (!t->namespaced) {
        json_tree_set(meta, "namespace", NULL);
    } else if (have && have[0] && strcmp(have, ns) != 0) {
        return api_status_set(
            f, 400, "BadRequest",
            "the namespace of the provided object does not match the namespace sent on the request");
    } else {
        json_tree_set_str(meta, "namespace", ns);
    }
    return 0;
}

int object_meta_create(struct sim *s, const struct sim_type *t, const char *ns, cJSON *obj,
                       struct api_status *f) {
    cJSON *meta = json_tree_child(obj, "metadata");
    const char *rv = json_str(meta, "resourceVersion");
    if (rv && rv[0] && strcmp(rv, "0") != 0) {
        return api_status_set(f, 400, "BadRequest",
                              "resourceVersion should not be set on objects to be created");
    }
    int r = set_namespace(t, ns, meta, f);
    if (r < 0) return r;
    const char *name = json_str(meta, "name"), *base = json_str(meta, "generateName");
    if ((!name || !name[0]) && base && base[0]) {
        char made[64];
        generated_name(s, base, made);
        json_tree_set_str(meta, "name", made);
    }
    static const char *const mine[] = {
        "resourceVersion", "selfLink",          "deletionTimestamp", "deletionGracePeriodSeconds", "uid",
        "generation",      "creationTimestamp", "managedFields"};
    size_t n = s->loading && json_str(meta, "uid") ? 4 : ARRAY_LEN(mine); /* what was dumped stays itself */
    for (size_t i = 0; i < n; i++) json_tree_set(meta, mine[i], NULL);
    drop_empty(meta);
    if (n < ARRAY_LEN(mine) && json_str(meta, "creationTimestamp")) return 0;
    char uid[37], now[32];
    uuid(s, uid);
    sim_time(s, now);
    json_tree_set_str(meta, "uid", uid);
    json_tree_set_str(meta, "creationTimestamp", now);
    if (t->has_generation) json_tree_set_num(meta, "generation", 1);
    return 0;
}

static void keep(const cJSON *old, cJSON *meta, const char *key) {
    json_tree_set(meta, key, json_tree_dup(json_get(old, key)));
}

/* "metadata" and "status" apart: did what the client wants change? */
static bool wants_differ(const cJSON *a, const cJSON *b) {
    for (int pass = 0; pass < 2; pass++) {
        const cJSON *x = pass ? b : a, *y = pass ? a : b;
        for (const cJSON *c = x->child; c; c = c->next) {
            if (!strcmp(c->string, "metadata") || !strcmp(c->string, "status")) continue;
            if (!json_tree_equal(c, json_get(y, c->string))) return true;
        }
    }
    return false;
}

static void check_finalizers(const cJSON *was, const cJSON *meta, struct api_status *f) {
    if (!json_str(was, "deletionTimestamp")) return;
    const cJSON *now = json_arr(meta, "finalizers"), *before = json_arr(was, "finalizers");
    for (const cJSON *n = now ? now->child : NULL; n; n = n->next) {
        bool known = false;
        for (const cJSON *b = before ? before->child : NULL; b && !known; b = b->next)
            known = json_tree_equal(n, b);
        if (known || !cJSON_IsString(n)) continue;
        api_status_cause(
            f, "FieldValueForbidden", "metadata.finalizers",
            "Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers "
            "[]string{\"%s\"}",
            n->valuestring);
    }
}

/* Only a delete sets them, and nothing takes them back; what leaves them out, or says another time, changes nothing. As
 * ValidateObjectMetaAccessorUpdate of k8s.io/apimachinery. */
static void check_deletion(const cJSON *was, const cJSON *meta, struct api_status *f) {
    const char *since = json_str(meta, "deletionTimestamp");
    const cJSON *grace = json_get(meta, "deletionGracePeriodSeconds"),
                *before = json_get(was, "deletionGracePeriodSeconds");
    if (since && !json_str(was, "deletionTimestamp"))
        api_status_cause(f, "FieldValueInvalid", "metadata.deletionTimestamp",
                         "Invalid value: \"%s\": field is immutable", since);
    if (cJSON_IsNumber(grace) && !json_tree_equal(grace, before))
        api_status_cause(f, "FieldValueInvalid", "metadata.deletionGracePeriodSeconds",
                         "Invalid value: %.0f: field is immutable", grace->valuedouble);
}

int object_meta_update(struct sim *s, const struct sim_type *t, const cJSON *old, cJSON *obj,
                       enum store_part part, struct api_status *f) {
    (void)s;
    const cJSON *was = json_obj(old, "metadata");
    cJSON *meta = json_tree_child(obj, "metadata");
    const char *name = json_str(was, "name"), *rv = json_str(meta, "resourceVersion"),
               *uid = json_str(meta, "uid");
    if (rv && rv[0] && strcmp(rv, "0") != 0 && strcmp(rv, json_str_or(was, "resourceVersion", "")) != 0) {
        return api_status_conflict(f, t, name, api_status_modified);
    }
    if (uid && uid[0] && strcmp(uid, json_str_or(was, "uid", "")) != 0) {
        char why[256];
        snprintf(why, sizeof why, "Precondition failed: UID in precondition: %.80s, UID in object meta: %s",
                 uid, json_str_or(was, "uid", ""));
        return api_status_conflict(f, t, name, why);
    }
    const char *given = json_str(meta, "name");
    if (given && strcmp(given, name) != 0) {
        api_status_cause(f, "FieldValueInvalid", "metadata.name", "Invalid value: \"%s\": field is immutable",
                         given);
    }
    int r = set_namespace(t, json_str_or(was, "namespace", ""), meta, f);
    if (r < 0) return r;
    check_deletion(was, meta, f);
    static const char *const fixed[] = {"name",
                                        "namespace",
                                        "uid",
                                        "selfLink",
                                        "resourceVersion",
                                        "generateName",
                                        "generation",
                                        "creationTimestamp",
                                        "deletionTimestamp",
                                        "deletionGracePeriodSeconds"};
    for (size_t i = 0; i < ARRAY_LEN(fixed); i++) keep(was, meta, fixed[i]);
    /* A client may correct metadata.managedFields; leaving it out changes nothing, an empty list forgets
     * it. */
    if (!json_arr(meta, "managedFields")) keep(was, meta, "managedFields");
    drop_empty(meta);
    check_finalizers(was, meta, f);
    if (part == STORE_MAIN && t->has_generation) {
        bool annotations = type_is(t, "apps", "deployments") &&
                           !json_tree_equal(json_get(was, "annotations"), json_get(meta, "annotations"));
        if (annotations || wants_differ(old, obj))
            json_tree_set_num(meta, "generation", json_num(was, "generation", 0) + 1);
    }
    return 0;
}
