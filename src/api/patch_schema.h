/* Which lists of the types that we serve are merged, and by which key: the patchStrategy and patchMergeKey
 * tags of k8s.io/api (core/v1, apps/v1, coordination/v1) and ObjectMeta. */
#ifndef API_PATCH_SCHEMA_H
#define API_PATCH_SCHEMA_H
#include <stdbool.h>

/* A struct type of the API; TYPE_ANY knows no merged lists, at any depth. */
enum patch_type {
    TYPE_ANY,
    TYPE_OBJECT, /* metadata and nothing else that matters */
    TYPE_META,
    TYPE_DEPLOYMENT, /* ReplicaSets and StatefulSets, too */
    TYPE_DEPLOYMENT_SPEC,
    TYPE_CONDITIONS, /* a status whose conditions are merged */
    TYPE_TEMPLATE,
    TYPE_POD,
    TYPE_POD_SPEC,
    TYPE_POD_STATUS,
    TYPE_CONTAINER,
    TYPE_SERVICE,
    TYPE_SERVICE_SPEC,
    TYPE_SERVICE_ACCOUNT,
    TYPE_WITH_CONDITIONS, /* metadata, and a status whose conditions are merged */
};

struct patch_field {
    enum patch_type type; /* of the value, or of a list's elements */
    bool merged;          /* a list that is merged, else replaced */
    const char *key;      /* of a merged list of objects; NULL: of scalars */
};

enum patch_type patch_type_of_kind(const char *kind);
struct patch_field patch_field_of(enum patch_type type, const char *field);
#endif
