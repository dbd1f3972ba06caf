/* Objects as text; see overlay_object.h. */
#include "overlay_object.h"
#include "api/meta.h"
#include "api/status.h"
#include "base/json_raw.h"
#include "rehearse/version.h"
#include <inttypes.h>
#include <stdio.h>

/* A raw string's text, empty if it has escapes: names and versions never do. */
static struct slice plain(struct slice string) {
    if (string.n < 2 || string.p[0] != '"') return (struct slice){0};
    struct slice text = slice_make(string.p + 1, string.n - 2);
    return slice_has(text, '\\') ? (struct slice){0} : text;
}

uint64_t overlay_live(struct slice rv) {
    int64_t v;
    return rv.n && rv.p[0] >= '1' && rv.p[0] <= '9' && slice_i64(rv, &v) == 0 ? (uint64_t)v : 0;
}

bool overlay_peek(struct slice raw, struct overlay_peek *ret) {
    *ret = (struct overlay_peek){0};
    struct json_raw_it it = json_raw_each(raw);
    bool found = false;
    while (it.object && !found && json_raw_next(&it)) found = slice_eqs(it.key, "\"metadata\"");
    if (!found || json_raw_type(it.value) != JR_OBJECT) return false;
    ret->metadata = it.value;
    const struct {
        const char *key;
        struct slice *to;
        bool whole;
    } members[] = {{"\"name\"", &ret->name, false},
                   {"\"namespace\"", &ret->ns, false},
                   {"\"uid\"", &ret->uid, false},
                   {"\"resourceVersion\"", &ret->rv, false},
                   {"\"generateName\"", &ret->generate, false},
                   {"\"creationTimestamp\"", &ret->created, false},
                   {"\"ownerReferences\"", &ret->owners, true},
                   {"\"annotations\"", &ret->annotations, true}};
    struct json_raw_it m = json_raw_each(it.value);
    while (json_raw_next(&m)) {
        for (size_t i = 0; i < ARRAY_LEN(members); i++) {
            if (slice_eqs(m.key, members[i].key))
                *members[i].to = members[i].whole ? m.value : plain(m.value);
        }
    }
    ret->live = overlay_live(ret->rv);
    return true;
}

static bool version_of(int (*in)(struct slice v, struct slice *ret_live, unsigned *ret_change),
                       struct slice v, struct overlay_version *ret) {
    struct slice live;
    *ret = (struct overlay_version){0};
    if (in(v, &live, &ret->change) < 0) return false;
    ret->live = overlay_live(live);
    return ret->live || !live.n || slice_eqs(live, "0");
}

bool overlay_version_of(struct slice v, struct overlay_version *ret) {
    return version_of(version_in, v, ret);
}

bool overlay_precondition_of(struct slice v, struct overlay_version *ret) {
    return version_of(version_precondition, v, ret);
}

void overlay_version_add(struct buf *out, struct overlay_version v) {
    char live[24];
    (void)snprintf(live, sizeof live, "%" PRIu64, v.live);
    (void)version_out(out, slice_of(live), v.change);
}

void overlay_object(struct buf *out, struct slice raw, struct overlay_version v) {
    char live[24];
    (void)snprintf(live, sizeof live, "%" PRIu64, v.live);
    (void)version_rewrite(out, raw, slice_of(live), v.change);
}

void overlay_partial(struct buf *out, struct slice raw, const char *version) {
    struct overlay_peek it;
    buf_addf(out,
             "{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"meta.k8s.io/%s\",\"metadata\":", version);
    buf_add(out, overlay_peek(raw, &it) ? it.metadata : SL("{}"));
    buf_addc(out, '}');
}

char *overlay_controller(struct slice owners) {
    struct json_raw_it it = json_raw_each(owners);
    struct slice v;
    while (owners.n && json_raw_next(&it)) {
        if (json_raw_get(it.value, SL("controller"), &v) && json_raw_type(v) == JR_TRUE &&
            json_raw_get(it.value, SL("uid"), &v))
            return slice_dup(plain(v));
    }
    return xstrdup("");
}

char *overlay_owners(struct slice owners) {
    struct json_raw_it it = json_raw_each(owners);
    struct slice v;
    struct buf b = BUF(64 << 10);
    while (owners.n && json_raw_next(&it)) {
        if (!json_raw_get(it.value, SL("uid"), &v)) continue;
        if (b.n) buf_addc(&b, ' ');
        buf_add(&b, plain(v));
    }
    return buf_take(&b);
}

cJSON *overlay_tree(struct slice text) {
    cJSON *v = json_tree_parse(text, NULL);
    if (cJSON_IsObject(v)) return v;
    cJSON_Delete(v);
    return NULL;
}

static cJSON *without_own(const cJSON *obj) {
    cJSON *v = json_tree_dup(obj), *meta = json_tree_get(v, "metadata"), *m;
    json_tree_set(meta, "resourceVersion", NULL);
    json_tree_set(meta, "generation", NULL);
    cJSON_ArrayForEach(m, json_tree_get(meta, "managedFields")) json_tree_set(m, "time", NULL);
    return v;
}

bool overlay_same(const cJSON *a, const cJSON *b) {
    cleanup_json cJSON *x = without_own(a), *y = without_own(b);
    return json_tree_equal(x, y);
}

static void details(struct buf *out, const struct gate_request *r, struct slice name, const char *uid) {
    buf_adds(out, "\"details\":{");
    if (name.n) {
        buf_adds(out, "\"name\":");
        buf_add_json(out, name);
        buf_addc(out, ',');
    }
    if (r->group.n) {
        buf_adds(out, "\"group\":");
        buf_add_json(out, r->group);
        buf_addc(out, ',');
    }
    buf_adds(out, "\"kind\":");
    buf_add_json(out, r->resource);
    if (uid && uid[0]) {
        buf_adds(out, ",\"uid\":");
        buf_add_json(out, slice_of(uid));
    }
    buf_addc(out, '}');
}

int overlay_status(struct buf *out, const struct gate_request *r, int code, const char *reason,
                   const char *fmt, ...) {
    struct buf message = BUF(4096);
    va_list ap;
    va_start(ap, fmt);
    buf_addv(&message, fmt, ap);
    va_end(ap);
    buf_adds(
        out,
        "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\",\"message\":");
    buf_add_json(out, buf_slice(&message));
    buf_addf(out, ",\"reason\":\"%s\",", reason ? reason : status_reason(code));
    details(out, r, r->name, NULL);
    buf_addf(out, ",\"code\":%d}", code);
    buf_free(&message);
    return code;
}

int overlay_not_found(struct buf *out, const struct gate_request *r, struct slice name) {
    return overlay_status(out, r, 404, NULL, "%.*s%s%.*s \"%.*s\" not found", SLF(r->resource),
                          r->group.n ? "." : "", SLF(r->group), SLF(name));
}

int overlay_success(struct buf *out, const struct gate_request *r, struct slice name, const char *uid) {
    buf_adds(out, "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Success\",");
    details(out, r, name, uid);
    buf_addc(out, '}');
    return 200;
}
