/* canary-volumes: a template's text with an empty volume in the place of each that is a claim, nothing else reprinted. A claim that the
 * template itself mounts read-only stays: what is read there is given, and nobody writes. */
#include "plan/canary.h"
#include "base/json_raw.h"
#include <errno.h>

static bool is_among(struct slice names, struct slice name) {
    cleanup_buf struct buf text = BUF(1024);
    if (json_raw_type(name) != JR_STRING || json_raw_unescape(name, &text) < 0) return false;
    struct json_raw_it it = json_raw_each(names);
    while (json_raw_next(&it))
        if (json_raw_string_is(it.value, buf_slice(&text))) return true;
    return false;
}

static bool is_written(struct slice volume, struct slice *ret_claim) {
    struct slice read_only;
    return json_raw_get(volume, SL("persistentVolumeClaim"), ret_claim) &&
           json_raw_type(*ret_claim) == JR_OBJECT &&
           !(json_raw_get(*ret_claim, SL("readOnly"), &read_only) && json_raw_type(read_only) == JR_TRUE);
}

static struct slice volumes_of(struct slice spec) {
    struct slice v;
    return json_raw_get(spec, SL("volumes"), &v) && json_raw_type(v) == JR_ARRAY ? v : SL("[]");
}

bool template_shared_claim(struct slice tmpl, struct buf *ret_claim) {
    struct slice spec = SL("{}"), claim, name;
    json_raw_get(tmpl, SL("spec"), &spec);
    struct json_raw_it it = json_raw_each(volumes_of(spec));
    while (json_raw_next(&it))
        if (is_written(it.value, &claim) && json_raw_get(claim, SL("claimName"), &name) &&
            json_raw_type(name) == JR_STRING && json_raw_unescape(name, ret_claim) == 0)
            return true;
    return false;
}

static void item(struct buf *out, struct slice value) {
    if (out->n && out->p[out->n - 1] != '[') buf_addc(out, ',');
    buf_add(out, value);
}

static void item_empty(struct buf *out, struct slice name) {
    item(out, SL("{\"name\":"));
    buf_add(out, name);
    buf_adds(out, ",\"emptyDir\":{}}");
}

/* Of the set's claims first, in the place of the template's own of that name, as its controller does. names: of the empty ones. */
static void write_volumes(struct slice was, struct slice claims, struct buf *out, struct buf *names) {
    struct slice name, claim;
    buf_addc(out, '[');
    buf_addc(names, '[');
    struct json_raw_it it = json_raw_each(claims);
    while (json_raw_next(&it)) {
        item_empty(out, it.value);
        item(names, it.value);
    }
    it = json_raw_each(was);
    while (json_raw_next(&it)) {
        bool named = json_raw_get(it.value, SL("name"), &name);
        if (named && is_among(claims, name)) continue;
        bool emptied = named && is_written(it.value, &claim);
        if (emptied) {
            item_empty(out, name);
            item(names, name);
        } else {
            item(out, it.value);
        }
    }
    buf_addc(out, ']');
    buf_addc(names, ']');
}

/* No empty volume can stand for a block device. */
static int check_devices(struct slice spec, struct slice names, struct err *err) {
    static const char *const lists[] = {"initContainers", "containers"};
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        struct slice list = SL("[]"), devices, name;
        json_raw_get(spec, slice_of(lists[i]), &list);
        struct json_raw_it c = json_raw_each(list);
        while (json_raw_next(&c)) {
            if (!json_raw_get(c.value, SL("volumeDevices"), &devices)) continue;
            struct json_raw_it d = json_raw_each(devices);
            while (json_raw_next(&d))
                if (json_raw_get(d.value, SL("name"), &name) && is_among(names, name))
                    return err_set(err, ERR_CONFIG, -EINVAL,
                                   HANDOVER_PREFIX
                                   "canary-volumes: \"empty\" is not possible, the template's containers "
                                   "have volume %.*s as a block device (volumeDevices); allowed: file "
                                   "systems (volumeMounts)",
                                   SLF(name));
        }
    }
    return 0;
}

int template_with_empty_volumes(struct slice tmpl, struct slice claims, struct buf *out, struct err *err) {
    cleanup_buf struct buf volumes = BUF(4 << 20), names = BUF(1 << 20);
    struct slice spec, old;
    if (!json_raw_get(tmpl, SL("spec"), &spec) || json_raw_type(spec) != JR_OBJECT)
        return err_set(err, ERR_CONFIG, -EINVAL, "spec.template.spec is no object");
    write_volumes(volumes_of(spec), claims, &volumes, &names);
    if (slice_eqs(buf_slice(&names), "[]")) {
        buf_add(out, tmpl);
        return 0;
    }
    int rc = check_devices(spec, buf_slice(&names), err);
    if (rc < 0) return rc;
    bool there = json_raw_get(spec, SL("volumes"), &old);
    const char *at = there ? old.p : spec.p + 1, *end = tmpl.p + tmpl.n;
    struct json_raw_it first = json_raw_each(spec);
    buf_add(out, slice_make(tmpl.p, (size_t)(at - tmpl.p)));
    if (!there) buf_adds(out, "\"volumes\":");
    buf_add(out, buf_slice(&volumes));
    if (!there && json_raw_next(&first)) buf_addc(out, ',');
    if (there) at += old.n;
    buf_add(out, slice_make(at, (size_t)(end - at)));
    return 0;
}
