/* Bodies in Kubernetes' protobuf encoding, as JSON trees. */
#include "rest/protobuf.h"
#include <errno.h>

int pb_parse(struct slice body, cJSON **ret, struct api_status *f) {
    struct proto_envelope o;
    if (proto_open(body, &o) < 0)
        return api_status_set(f, 400, "BadRequest", "the body is not Kubernetes' protobuf");
    cleanup_json cJSON *v = cJSON_CreateObject();
    cleanup_free char *version = slice_dup_text(o.api_version, 253), *kind = slice_dup_text(o.kind, 63);
    json_tree_set_str(v, "kind", kind);
    json_tree_set_str(v, "apiVersion", version);
    int e = proto_to_json(pb_message_find, o.api_version, o.kind, o.raw, v);
    if (e == -ENOTSUP) {
        return api_status_set(
            f, 415, "UnsupportedMediaType",
            "%.*s is not understood as protobuf here - accepted media types include: application/json, "
            "application/yaml",
            SLF(o.kind));
    }
    if (e < 0) return api_status_set(f, 400, "BadRequest", "proto: %.*s: unexpected EOF", SLF(o.kind));
    *ret = v;
    v = NULL;
    return 0;
}
