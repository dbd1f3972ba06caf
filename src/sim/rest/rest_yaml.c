/* YAML bodies and files: the API server's words around src/yaml, and the trees of this server. */
#include "rest/rest.h"
#include "yaml/yaml.h"
#include <errno.h>

struct each {
    int (*fn)(void *ctx, cJSON *doc, struct api_status *f);
    void *ctx;
    struct api_status *f;
};

static int on_doc(void *ctx, const struct yaml_value *doc, struct err *err) {
    struct each *e = ctx;
    struct buf json = BUF(YAML_JSON_CAP);
    int r = yaml_json(doc, &json);
    cJSON *tree = r < 0 ? NULL : json_tree_parse(buf_slice(&json), err);
    buf_free(&json);
    if (!tree) return err_set(err, ERR_CONFIG, -EINVAL, "document contains excessive aliasing");
    return e->fn(e->ctx, tree, e->f);
}

int rest_yaml_each(struct slice text, int (*fn)(void *ctx, cJSON *doc, struct api_status *f), void *ctx,
                   struct api_status *f) {
    struct each e = {fn, ctx, f};
    struct err err = {0};
    int r = yaml_each(text, YAML_UNIQUE_KEYS, on_doc, &e, &err);
    if (err.kind)
        return api_status_set(f, 400, "BadRequest", "error converting YAML to JSON: yaml: %s", err.msg);
    return r;
}

static int keep_first(void *ctx, cJSON *doc, struct api_status *f) {
    (void)f;
    *(cJSON **)ctx = doc;
    return 1;
}

int rest_yaml(struct slice text, cJSON **ret, struct api_status *f) {
    cJSON *v = NULL;
    int r = rest_yaml_each(text, keep_first, &v, f);
    if (v) {
        *ret = v;
        return 0;
    }
    if (r < 0) return r;
    return api_status_set(f, 400, "BadRequest", "error converting YAML to JSON: yaml: the document is empty");
}
