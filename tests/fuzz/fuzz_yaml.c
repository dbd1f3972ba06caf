/* YAML: any bytes are refused with a line, or are JSON, which read as YAML is the same JSON. */
#include "fuzz.h"
#include "base/json_raw.h"
#include "yaml/yaml.h"

static int first(void *ctx, const struct yaml_value *doc, struct err *err) {
    (void)err;
    FUZZ_CHECK(doc->depth < YAML_DEPTH && doc->values <= YAML_VALUES);
    FUZZ_CHECK(yaml_json(doc, ctx) == 0);
    return 1;
}

FUZZ(in) {
    cleanup_buf struct buf json = BUF(2 * YAML_JSON_CAP), again = BUF(2 * YAML_JSON_CAP);
    struct err err = {0};
    int r = yaml_each(in, YAML_LAST_KEY_WINS, first, &json, &err);
    FUZZ_CHECK(r >= 0 || (err.kind == ERR_CONFIG && strncmp(err.msg, "line ", 5) == 0));
    if (r != 1) return;
    FUZZ_CHECK(json_raw_check(buf_slice(&json), &err) == 0);
    /* bytes that YAML does not take unescaped, and "<<", which is a name in JSON */
    if (yaml_each(buf_slice(&json), YAML_LAST_KEY_WINS, first, &again, &err) != 1) return;
    FUZZ_CHECK(slice_eq(buf_slice(&json), buf_slice(&again)) || memmem(json.p, json.n, "\"<<\"", 4));
}
