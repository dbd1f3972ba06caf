/* JSON Patch (RFC 6902) and JSON Merge Patch (RFC 7396) on trees. Work is done on a copy that takes the
 * document's place when all of it went well. */
#include "api/patch.h"
#include "base/json_raw.h"
#include <errno.h>
#include <math.h>

/* As the API server (k8s.io/apiserver, endpoints/handlers/patch.go): operations in a patch, and what "copy"
 * may pile up. */
enum { PATCH_MAX_OPS = 10000, PATCH_MAX_COPIED = 3 * 1024 * 1024 };

static bool same_number(double a, double b) {
    return a >= b && a <= b;
}

static bool deep_equal(const cJSON *a, const cJSON *b) {
    if ((a->type & 0xff) != (b->type & 0xff)) return false;
    if (cJSON_IsNumber(a)) return same_number(a->valuedouble, b->valuedouble);
    if (cJSON_IsString(a)) return strcmp(a->valuestring, b->valuestring) == 0;
    if (cJSON_GetArraySize(a) != cJSON_GetArraySize(b)) return false;
    const cJSON *x, *y = b->child;
    cJSON_ArrayForEach(x, a) {
        const cJSON *other = cJSON_IsObject(a) ? cJSON_GetObjectItemCaseSensitive(b, x->string) : y;
        if (!other || !deep_equal(x, other)) return false;
        y = y->next;
    }
    return true;
}

static size_t weight(const cJSON *v) {
    size_t n =
        sizeof *v + (v->string ? strlen(v->string) : 0) + (cJSON_IsString(v) ? strlen(v->valuestring) : 0);
    const cJSON *c;
    cJSON_ArrayForEach(c, v) n += weight(c);
    return n;
}

static int height(const cJSON *v) {
    int most = 0;
    const cJSON *c;
    cJSON_ArrayForEach(c, v) {
        int h = height(c);
        if (h > most) most = h;
    }
    return most + 1;
}

/* ---- RFC 6902 ---- */

struct place {
    int depth;     /* segments of the path */
    cJSON *parent; /* NULL: the document itself */
    char *name;    /* unescaped last segment */
    cJSON *item;   /* what is there now, or NULL */
    int index;     /* in an array; its length for "-" or one past the end; -1 where it can be no index */
};

static void place_free(struct place *at) {
    free(at->name);
}
#define cleanup_place __attribute__((cleanup(place_free)))

/* RFC 6901: ~1 is '/', ~0 is '~'. NULL if another letter follows '~'. */
static char *unescape(struct slice s) {
    char *out = xmalloc(s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '~') {
            char e = i + 1 < s.n ? s.p[++i] : '\0';
            if (e != '0' && e != '1') {
                free(out);
                return NULL;
            }
            c = e == '0' ? '~' : '/';
        }
        out[n++] = c;
    }
    out[n] = '\0';
    return out;
}

static int array_index(const cJSON *arr, const char *name) {
    int64_t i;
    int size = cJSON_GetArraySize(arr);
    if (strcmp(name, "-") == 0) return size;
    if ((name[0] == '0' && name[1]) || name[0] < '0' || name[0] > '9')
        return -1; /* no sign, no leading zero */
    return slice_i64(slice_of(name), &i) < 0 || i > size ? -1 : (int)i;
}

static cJSON *child_of(cJSON *v, const char *name, int *index) {
    *index = -1;
    if (cJSON_IsObject(v)) return cJSON_GetObjectItemCaseSensitive(v, name);
    if (!cJSON_IsArray(v)) return NULL;
    *index = array_index(v, name);
    return *index >= 0 ? cJSON_GetArrayItem(v, *index) : NULL;
}

/* ret is to be freed whatever the result. */
static int locate(cJSON *doc, const char *path, struct place *ret, struct err *err) {
    *ret = (struct place){.item = doc, .index = -1};
    if (!path[0]) return 0;
    if (path[0] != '/')
        return err_set(err, ERR_REJECTED, -EINVAL, "path \"%.200s\" must be empty or begin with '/'", path);
    struct slice segment, rest = slice_of(path + 1);
    while (rest.p) {
        slice_cut(rest, '/', &segment, &rest);
        free(ret->name);
        ret->name = unescape(segment);
        ret->parent = ret->item;
        ret->depth++;
        if (!ret->name || !ret->parent || !(cJSON_IsObject(ret->parent) || cJSON_IsArray(ret->parent))) {
            return err_set(err, ERR_REJECTED, -EINVAL, "path \"%.200s\" does not exist", path);
        }
        ret->item = child_of(ret->parent, ret->name, &ret->index);
    }
    return 0;
}

/* cJSON_InsertItemInArray() of Debian's 1.7.15 with its fix of CVE-2023-50471 inserts nothing but at the
 * front. */
static void insert_at(cJSON *arr, int index, cJSON *value) {
    cJSON *next = cJSON_GetArrayItem(arr, index);
    if (!next) {
        cJSON_AddItemToArray(arr, value);
        return;
    }
    value->next = next;
    value->prev = next->prev; /* of the first: the last one */
    if (next == arr->child) {
        arr->child = value;
    } else {
        next->prev->next = value;
    }
    next->prev = value;
}

/* Puts value, which it takes over on failure too, in the place of what is there; insert: lists grow instead.
 * Copies and moves must not nest deeper than the parser allows: all that walks a tree recurses. */
static int put(cJSON **doc, const struct place *at, cJSON *value, bool insert, struct err *err) {
    const char *bad = NULL;
    if (at->depth + height(value) > JSON_RAW_DEPTH) bad = "nesting too deep";
    if (cJSON_IsArray(at->parent) && at->index < 0) bad = "no such place in the list";
    if (bad) {
        cJSON_Delete(value);
        return err_set(err, ERR_REJECTED, -EINVAL, "%s", bad);
    }
    if (!at->parent) {
        cJSON_Delete(*doc);
        *doc = value;
    } else if (cJSON_IsArray(at->parent) && insert) {
        insert_at(at->parent, at->index, value);
    } else if (cJSON_IsArray(at->parent)) {
        cJSON_ReplaceItemInArray(at->parent, at->index, value);
    } else if (at->item) {
        cJSON_ReplaceItemInObjectCaseSensitive(at->parent, at->name, value);
    } else {
        cJSON_AddItemToObject(at->parent, at->name, value);
    }
    return 0;
}

static bool is_below(const char *from, const char *path) {
    size_t n = strlen(from);
    return strncmp(from, path, n) == 0 && path[n] == '/';
}

static int op_move_or_copy(cJSON **doc, const cJSON *op, bool move, const char *path, size_t *copied,
                           struct err *err) {
    const char *from = json_str(op, "from");
    cleanup_place struct place src = {0}, dst = {0};
    if (!from) return err_set(err, ERR_REJECTED, -EINVAL, "\"from\" is missing");
    if (move && is_below(from, path))
        return err_set(err, ERR_REJECTED, -EINVAL, "cannot move %.200s below itself", from);
    int r = locate(*doc, from, &src, err);
    if (r < 0) return r;
    bool found = src.item != NULL, root = !src.parent;
    cJSON *value = NULL;
    if (found && move && !root) {
        value = cJSON_DetachItemViaPointer(src.parent, src.item);
    } else if (found) {
        if (!move) *copied += weight(src.item);
        value = *copied <= PATCH_MAX_COPIED ? cJSON_Duplicate(src.item, true) : NULL;
    }
    if (!found) return err_set(err, ERR_REJECTED, -EINVAL, "\"from\": path \"%.200s\" does not exist", from);
    if (!value) return err_set(err, ERR_REJECTED, -EINVAL, "copies of more than %d bytes", PATCH_MAX_COPIED);
    r = locate(*doc, path, &dst, err);
    if (r < 0) {
        cJSON_Delete(value);
        return r;
    }
    return put(doc, &dst, value, true, err);
}

/* github.com/evanphx/json-patch v4, which the API server uses, lets an absent member pass a test for null,
 * and so do we: clients rely on it. It also lets "replace" add what is absent and "copy" copy null from it:
 * we refuse, as the RFC says. */
static int op_test(const struct place *at, const cJSON *value, struct err *err) {
    if (at->item ? deep_equal(at->item, value) : cJSON_IsNull(value) && cJSON_IsObject(at->parent)) return 0;
    return err_set(err, ERR_REJECTED, -EINVAL, "test failed");
}

static int op_at(cJSON **doc, const char *name, const struct place *at, const cJSON *value, struct err *err) {
    bool add = strcmp(name, "add") == 0, replace = strcmp(name, "replace") == 0,
         test = strcmp(name, "test") == 0;
    bool remove = strcmp(name, "remove") == 0;
    if (!add && !replace && !test && !remove) {
        return err_set(err, ERR_REJECTED, -EINVAL, "unknown; one of add, remove, replace, move, copy, test");
    }
    if (!remove && !value) return err_set(err, ERR_REJECTED, -EINVAL, "\"value\" is missing");
    if (test) return op_test(at, value, err);
    if (add) return put(doc, at, cJSON_Duplicate(value, true), true, err);
    if (!at->item) return err_set(err, ERR_REJECTED, -EINVAL, "nothing is there");
    if (replace) return put(doc, at, cJSON_Duplicate(value, true), false, err);
    if (!at->parent) return err_set(err, ERR_REJECTED, -EINVAL, "the document itself cannot be removed");
    cJSON_Delete(cJSON_DetachItemViaPointer(at->parent, at->item));
    return 0;
}

static int one_op(cJSON **doc, const cJSON *op, size_t *copied, struct err *err) {
    const char *name = json_str(op, "op"), *path = json_str(op, "path");
    if (!name || !path) return err_set(err, ERR_REJECTED, -EINVAL, "\"op\" and \"path\" must be strings");
    if (strcmp(name, "move") == 0 || strcmp(name, "copy") == 0) {
        return op_move_or_copy(doc, op, name[0] == 'm', path, copied, err);
    }
    cleanup_place struct place at = {0};
    int r = locate(*doc, path, &at, err);
    if (r < 0) return r;
    return op_at(doc, name, &at, json_get(op, "value"), err);
}

int patch_json(cJSON **doc, const cJSON *ops, struct err *err) {
    if (!cJSON_IsArray(ops))
        return err_set(err, ERR_REJECTED, -EINVAL, "a JSON patch is a list of operations");
    if (cJSON_GetArraySize(ops) > PATCH_MAX_OPS) {
        return err_set(err, ERR_REJECTED, -E2BIG, "JSON patch: at most %d operations", PATCH_MAX_OPS);
    }
    cJSON *work = cJSON_Duplicate(*doc, true);
    const cJSON *op;
    size_t i = 0, copied = 0;
    cJSON_ArrayForEach(op, ops) {
        int r = one_op(&work, op, &copied, err);
        if (r < 0) {
            cJSON_Delete(work);
            err_wrap(err, "operation %zu (%.32s %.200s)", i, json_str_or(op, "op", "?"),
                     json_str_or(op, "path", "?"));
            return r;
        }
        i++;
    }
    cJSON_Delete(*doc);
    *doc = work;
    return 0;
}

/* ---- RFC 7396 ---- */

/* Takes over doc (NULL allowed) and gives back the result. */
static cJSON *merge(cJSON *doc, const cJSON *patch) {
    if (!cJSON_IsObject(patch)) {
        cJSON_Delete(doc);
        return cJSON_Duplicate(patch, true);
    }
    if (!cJSON_IsObject(doc)) {
        cJSON_Delete(doc);
        doc = cJSON_CreateObject();
    }
    const cJSON *p;
    cJSON_ArrayForEach(p, patch) {
        cJSON *old = cJSON_GetObjectItemCaseSensitive(doc, p->string);
        if (cJSON_IsNull(p)) {
            for (; old;
                 old = cJSON_GetObjectItemCaseSensitive(doc, p->string)) { /* text may name a member twice */
                cJSON_Delete(cJSON_DetachItemViaPointer(doc, old));
            }
        } else if (old && cJSON_IsObject(old) && cJSON_IsObject(p)) {
            merge(old, p); /* in place: both are objects */
        } else {
            cJSON *value = merge(NULL, p);
            if (old) {
                cJSON_ReplaceItemInObjectCaseSensitive(doc, p->string, value);
            } else {
                cJSON_AddItemToObject(doc, p->string, value);
            }
        }
    }
    return doc;
}

int patch_merge(cJSON **doc, const cJSON *patch, struct err *err) {
    if (!patch) return err_set(err, ERR_REJECTED, -EINVAL, "a merge patch is a JSON value");
    *doc = merge(*doc, patch); /* cannot fail half-way */
    return 0;
}
