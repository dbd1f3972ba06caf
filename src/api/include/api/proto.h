/* Kubernetes' protobuf encoding: the wire format, the envelope, and messages to JSON by lines of a schema. Pure. */
#ifndef API_PROTO_H
#define API_PROTO_H
#include "base/json.h"

enum proto_wire { PROTO_VARINT = 0, PROTO_64 = 1, PROTO_BYTES = 2, PROTO_32 = 5 };
struct proto_field {
    uint32_t number;
    enum proto_wire wire;
    uint64_t varint;
    struct slice bytes; /* of PROTO_BYTES without its length */
    struct slice whole; /* as it stands in the message */
};
/* Takes the first field of *s. False: what is there is no field. */
bool proto_next(struct slice *s, struct proto_field *ret);
int proto_add_bytes(struct buf *out, uint32_t number, struct slice v);

/* "k8s\0" and a runtime.Unknown: 1 TypeMeta (1 apiVersion, 2 kind), 2 the object. Slices are of body. */
struct proto_envelope {
    struct slice api_version, kind, raw;
    struct slice fields; /* behind "k8s\0" */
};
int proto_open(struct slice body, struct proto_envelope *ret); /* -EINVAL */

/* fields: "NUMBER[!] NAME TYPE|...". '!': a zero was set on purpose (a pointer in Go). Type: s string, i integer, b bool, y bytes,
 * T Time, M MicroTime, Q Quantity, I IntOrString, or a message; '*' a list, '%' a map from strings, '&' a message whose members are ours. */
struct proto_message {
    const char *name, *fields;
};
typedef const struct proto_message *proto_find(struct slice name);
/* The messages that more than one part needs: Lease, Event, DeleteOptions, Eviction, Scale, Binding, and what they are made of. "GROUP/KIND"
 * where a kind is not the same in all groups. */
proto_find proto_message_find;
/* The object's members, appended to obj. -ENOTSUP: find does not know the kind. -EINVAL: cut, of another type, or no text. */
int proto_to_json(proto_find *find, struct slice api_version, struct slice kind, struct slice raw,
                  cJSON *obj);
#endif
