/* YAML as kubectl, client-go and the API server read it (sigs.k8s.io/yaml): a tree of values, and its JSON text.
 * Anchors and merge keys ("<<") are resolved; an alias is a reference, so that a small text does not become a
 * large tree. The work is linear in the text. Pure: reads text and nothing else. */
#ifndef YAML_YAML_H
#define YAML_YAML_H
#include "base/buf.h"
#include "base/err.h"

enum {
    YAML_DEPTH = 200,         /* of the nesting, aliases followed */
    YAML_VALUES = 500000,     /* of a document, aliases followed: more is refused as excessive aliasing */
    YAML_JSON_CAP = 64 << 20, /* bytes of a document's JSON, the same */
};
enum yaml_type { YAML_IS_NULL, YAML_IS_BOOL, YAML_IS_NUMBER, YAML_IS_STRING, YAML_IS_LIST, YAML_IS_MAP };

struct yaml_value {
    enum yaml_type type;
    size_t line;       /* from 1 */
    struct slice text; /* of a scalar: as it was written, escapes resolved; without NUL */
    struct slice json; /* BOOL and NUMBER */
    size_t n;          /* of LIST and MAP */
    struct yaml_value *const *items;
    const struct yaml_member *members; /* those of merge keys behind the mapping's own */
    /* private: of the whole tree below */
    size_t depth, values, bytes;
};
struct yaml_member {
    struct slice key;
    struct yaml_value *value;
};

enum yaml_keys {
    YAML_LAST_KEY_WINS, /* as client-go reads a kubeconfig */
    YAML_UNIQUE_KEYS    /* as the API server reads an object: a repeated key is an error */
};
/* Calls fn with each document of text, valid during the call; an empty text has none. Ends with the first that
 * returns other than 0, with that value. -EINVAL, and "line N: ..." in err (ERR_CONFIG): not YAML, past a cap, a
 * key that is no scalar, an alias of nothing or of what it stands in, a NUL, a number that JSON has not. */
int yaml_each(struct slice text, enum yaml_keys keys,
              int (*fn)(void *ctx, const struct yaml_value *doc, struct err *err), void *ctx,
              struct err *err);
/* The member of a map, NULL if v is none, or NULL, or has it not. */
const struct yaml_value *yaml_get(const struct yaml_value *v, const char *key);
/* Appends the JSON. -ENOBUFS: longer than out may be. */
int yaml_json(const struct yaml_value *v, struct buf *out);
#endif
