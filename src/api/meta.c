/* ObjectMeta from raw JSON and from trees, and object keys. */
#include "api/meta.h"
#include "base/json_raw.h"
#include <errno.h>

/* The decoded string of a member; NULL if it is there but no string; "" if absent or null, as Go decodes it.
 * A NUL in it is an error too: no name of Kubernetes has one, and as a C string it would be another name. */
static char *string_of(struct slice obj, const char *key) {
    struct slice v;
    if (!json_raw_get(obj, slice_of(key), &v) || json_raw_type(v) == JR_NULL) return xstrdup("");
    struct buf b = BUF(4096);
    if (json_raw_type(v) == JR_STRING && json_raw_unescape(v, &b) == 0 && !slice_has(buf_slice(&b), '\0'))
        return buf_take(&b);
    buf_free(&b);
    return NULL;
}

int meta_from_raw(struct slice raw, struct meta *ret, struct err *err) {
    int r = json_raw_check(raw, err);
    if (r < 0) return err_wrap(err, "object");
    struct slice md = {0}, v;
    if (!json_raw_get(raw, SL("metadata"), &md) || json_raw_type(md) != JR_OBJECT) {
        return err_set(err, ERR_PROTOCOL, -EINVAL, "object without metadata");
    }
    struct meta m = {.ns = string_of(md, "namespace"),
                     .name = string_of(md, "name"),
                     .uid = string_of(md, "uid"),
                     .rv = string_of(md, "resourceVersion")};
    if (!m.ns || !m.name || !m.uid || !m.rv) {
        r = err_set(
            err, ERR_PROTOCOL, -EINVAL,
            "metadata: namespace, name, uid and resourceVersion must be strings of at most 4096 bytes");
    } else if (!m.name[0]) {
        r = err_set(err, ERR_PROTOCOL, -EINVAL, "object without metadata.name");
    } else if (json_raw_get(md, SL("generation"), &v) && json_raw_type(v) != JR_NULL &&
               slice_i64(v, &m.generation) < 0) {
        r = err_set(err, ERR_PROTOCOL, -EINVAL, "%s: metadata.generation is no integer: %.*s", m.name,
                    SLF(v));
    }
    if (r < 0) {
        meta_free(&m);
        return r;
    }
    m.deleting = json_raw_get(md, SL("deletionTimestamp"), &v) && json_raw_type(v) != JR_NULL;
    *ret = m;
    return 0;
}

void meta_free(struct meta *m) {
    if (!m) return;
    free(m->ns);
    free(m->name);
    free(m->uid);
    free(m->rv);
    *m = (struct meta){0};
}

char *key_of(struct slice ns, struct slice name) {
    char *key = xmalloc(ns.n + name.n + 2), *p = key;
    if (ns.n) {
        memcpy(p, ns.p, ns.n);
        p += ns.n;
        *p++ = '/';
    }
    if (name.n) memcpy(p, name.p, name.n);
    p[name.n] = '\0';
    return key;
}

void key_split(struct slice key, struct slice *ns, struct slice *name) {
    struct slice a, b;
    bool both = slice_cut(key, '/', &a, &b);
    *ns = both ? a : slice_make(key.p, 0);
    *name = both ? b : key;
}

static const cJSON *metadata(const cJSON *obj) {
    return json_obj(obj, "metadata");
}

const char *obj_annotation(const cJSON *obj, const char *key) {
    return json_str(json_obj(metadata(obj), "annotations"), key);
}

const char *obj_label(const cJSON *obj, const char *key) {
    return json_str(json_obj(metadata(obj), "labels"), key);
}

const char *obj_name(const cJSON *obj) {
    return json_str(metadata(obj), "name");
}

const char *obj_ns(const cJSON *obj) {
    return json_str(metadata(obj), "namespace");
}

const char *obj_uid(const cJSON *obj) {
    return json_str(metadata(obj), "uid");
}

const char *obj_rv(const cJSON *obj) {
    return json_str(metadata(obj), "resourceVersion");
}

bool obj_deleting(const cJSON *obj) {
    return json_str(metadata(obj), "deletionTimestamp") != NULL;
}

const cJSON *obj_controller(const cJSON *obj) {
    const cJSON *ref;
    cJSON_ArrayForEach(ref, json_arr(metadata(obj), "ownerReferences")) {
        if (json_bool(ref, "controller", false)) return ref;
    }
    return NULL;
}

bool obj_owned_by(const cJSON *obj, const char *uid) {
    const cJSON *ref;
    cJSON_ArrayForEach(ref, json_arr(metadata(obj), "ownerReferences")) {
        const char *got = json_str(ref, "uid");
        if (got && uid && strcmp(got, uid) == 0) return true;
    }
    return false;
}

const cJSON *obj_condition(const cJSON *obj, const char *type) {
    const cJSON *c;
    cJSON_ArrayForEach(c, json_arr(json_obj(obj, "status"), "conditions")) {
        const char *got = json_str(c, "type");
        if (got && strcmp(got, type) == 0) return c;
    }
    return NULL;
}

static bool is_rv(const char *s, size_t n) {
    return n && s[0] != '0' && strspn(s, "0123456789") == n;
}

bool rv_compare(const char *a, const char *b, int *ret) {
    size_t n = a ? strlen(a) : 0, m = b ? strlen(b) : 0;
    if (!is_rv(a, n) || !is_rv(b, m)) return false;
    *ret = n != m ? (n < m ? -1 : 1) : memcmp(a, b, n);
    return true;
}

bool rv_older(const char *a, const char *b) {
    int order;
    return rv_compare(a, b, &order) && order < 0;
}
