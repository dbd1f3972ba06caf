/* policy Eviction in JSON. */
#include "eviction.h"
#include "base/json_raw.h"
#include <errno.h>

static bool metadata(struct slice v, struct slice ns, struct slice name) {
    struct slice got;
    if (!json_raw_each(v).object || !json_raw_get(v, SL("name"), &got) || !json_raw_string_is(got, name))
        return false;
    return !json_raw_get(v, SL("namespace"), &got) || json_raw_string_is(got, ns) || slice_eqs(got, "\"\"");
}

int eviction_read(struct slice json, struct slice ns, struct slice name, struct eviction *ret,
                  struct err *err) {
    static const char *const names[] = {"\"kind\"", "\"apiVersion\"", "\"metadata\"", "\"deleteOptions\""};
    enum { KIND, API_VERSION, METADATA, OPTIONS };
    struct eviction v = {.ns = ns, .name = name};
    struct json_raw_it it = json_raw_each(json);
    unsigned seen = 0;
    bool good = it.object && json_raw_check(json, NULL) == 0;
    while (good && json_raw_next(&it)) {
        unsigned i = 0;
        while (i < ARRAY_LEN(names) && !slice_eqs(it.key, names[i])) i++;
        if (i == ARRAY_LEN(names) || seen & (1U << i)) {
            good = false;
        } else if (i == KIND) {
            good = slice_eqs(it.value, "\"Eviction\"");
        } else if (i == API_VERSION) {
            v.beta = slice_eqs(it.value, "\"policy/v1beta1\"");
            good = v.beta || slice_eqs(it.value, "\"policy/v1\"");
        } else if (i == METADATA) {
            good = metadata(it.value, ns, name);
        } else if (json_raw_type(it.value) != JR_NULL && delete_options_read(it.value, &v.options, err) < 0) {
            eviction_free(&v);
            return err_wrap(err, "Eviction");
        }
        seen |= 1U << i;
    }
    if (good && seen & (1U << METADATA)) {
        *ret = v;
        return 0;
    }
    eviction_free(&v);
    return err_set(
        err, ERR_REJECTED, -EINVAL,
        "no Eviction of this Pod: kind, apiVersion, metadata with its name, and deleteOptions are allowed");
}

int eviction_write(struct buf *out, const struct eviction *v, bool live, bool dry_run) {
    size_t before = out->n;
    buf_addf(out, "{\"kind\":\"Eviction\",\"apiVersion\":\"policy/%s\",\"metadata\":{\"name\":",
             v->beta ? "v1beta1" : "v1");
    buf_add_json(out, v->name);
    buf_adds(out, ",\"namespace\":");
    buf_add_json(out, v->ns);
    buf_adds(out, "},\"deleteOptions\":");
    size_t options = out->n;
    int e = delete_options_write(out, &v->options, live, dry_run);
    if (e == 0 && out->n == options) buf_adds(out, "{}");
    if (e < 0) {
        out->n = before;
        return e;
    }
    return buf_addc(out, '}');
}

void eviction_free(struct eviction *v) {
    delete_options_free(&v->options);
}
