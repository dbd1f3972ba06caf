/* Where a list in pages goes on. */
#include "rest/list_token.h"
#include "base/hash.h"
#include "base/json.h"
#include <inttypes.h>

enum { MAX_START = 320 }; /* a namespace and a name */

void list_token_free(struct list_token *t) {
    free(t->ns);
    free(t->name);
}

char *list_token_make(const char *ns, const char *name, uint64_t rv, bool inconsistent, int64_t left) {
    struct buf json = BUF(4096), out = BUF(8192), key = BUF(2048);
    buf_addf(&key, "%s/%s", ns, name);
    buf_adds(&json, "{\"v\":\"meta.k8s.io/v1\",\"rv\":");
    if (inconsistent) {
        buf_adds(&json, "-1");
    } else {
        buf_addf(&json, "%" PRIu64, rv);
    }
    buf_adds(&json, ",\"start\":");
    buf_add_json(&json, buf_slice(&key));
    if (left > 0) buf_addf(&json, ",\"left\":%" PRId64, left);
    buf_addc(&json, '}');
    base64_encode(buf_slice(&json), &out);
    buf_free(&json);
    buf_free(&key);
    return buf_take(&out);
}

int list_token_read(const char *text, struct list_token *ret, struct api_status *f) {
    struct buf json = BUF(8192);
    bool ok = base64_decode(slice_of(text), &json) == 0;
    cleanup_json cJSON *v = ok ? json_parse(buf_slice(&json), NULL) : NULL;
    buf_free(&json);
    const char *start = json_str(v, "start"), *version = json_str(v, "v");
    int64_t rv = json_i64(v, "rv", 0);
    struct slice ns, name;
    if (!start || !version || strcmp(version, "meta.k8s.io/v1") != 0 || rv == 0 || rv < -1 ||
        strlen(start) > MAX_START || !slice_cut(slice_of(start), '/', &ns, &name)) {
        return api_status_set(f, 400, "BadRequest", "continue key is not valid");
    }
    int64_t left = json_i64(v, "left", 0);
    *ret = (struct list_token){.set = true,
                               .inconsistent = rv < 0,
                               .rv = rv < 0 ? 0 : (uint64_t)rv,
                               .ns = slice_dup(ns),
                               .name = slice_dup(name),
                               .left = left > 0 ? left : 0};
    return 0;
}

int list_token_expired(const struct list_token *t, struct api_status *f) {
    f->more = list_token_make(t->ns, t->name, 0, true, t->left);
    return api_status_set(
        f, 410, "Expired",
        "The provided continue parameter is too old to display a consistent list result. You can start a new "
        "list "
        "without the continue parameter, or use the continue token in this response to retrieve the "
        "remainder of "
        "the results. Continuing with the provided token results in an inconsistent list - objects that were "
        "created, modified, or deleted between the time the first chunk was returned and now may show up in "
        "the "
        "list.");
}
