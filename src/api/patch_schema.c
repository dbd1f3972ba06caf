/* The merge keys, by type and field. What is not here is a plain object or an atomic list, as tolerations
 * are. */
#include "base/json.h"
#include "patch_schema.h"

static const struct {
    enum patch_type in;
    const char *field;
    enum patch_type type;
    bool merged;
    const char *key;
} fields[] = {
    {TYPE_OBJECT, "metadata", TYPE_META, false, NULL},
    {TYPE_META, "ownerReferences", TYPE_ANY, true, "uid"},
    {TYPE_META, "finalizers", TYPE_ANY, true, NULL},

    {TYPE_DEPLOYMENT, "metadata", TYPE_META, false, NULL},
    {TYPE_DEPLOYMENT, "spec", TYPE_DEPLOYMENT_SPEC, false, NULL},
    {TYPE_DEPLOYMENT, "status", TYPE_CONDITIONS, false, NULL},
    {TYPE_DEPLOYMENT_SPEC, "template", TYPE_TEMPLATE, false, NULL},
    {TYPE_CONDITIONS, "conditions", TYPE_ANY, true, "type"},
    {TYPE_WITH_CONDITIONS, "metadata", TYPE_META, false, NULL},
    {TYPE_WITH_CONDITIONS, "status", TYPE_CONDITIONS, false, NULL},

    {TYPE_TEMPLATE, "metadata", TYPE_META, false, NULL},
    {TYPE_TEMPLATE, "spec", TYPE_POD_SPEC, false, NULL},
    {TYPE_POD, "metadata", TYPE_META, false, NULL},
    {TYPE_POD, "spec", TYPE_POD_SPEC, false, NULL},
    {TYPE_POD, "status", TYPE_POD_STATUS, false, NULL},
    {TYPE_POD_SPEC, "volumes", TYPE_ANY, true, "name"},
    {TYPE_POD_SPEC, "initContainers", TYPE_CONTAINER, true, "name"},
    {TYPE_POD_SPEC, "containers", TYPE_CONTAINER, true, "name"},
    {TYPE_POD_SPEC, "ephemeralContainers", TYPE_CONTAINER, true, "name"},
    {TYPE_POD_SPEC, "imagePullSecrets", TYPE_ANY, true, "name"},
    {TYPE_POD_SPEC, "hostAliases", TYPE_ANY, true, "ip"},
    {TYPE_POD_SPEC, "topologySpreadConstraints", TYPE_ANY, true, "topologyKey"},
    {TYPE_POD_SPEC, "schedulingGates", TYPE_ANY, true, "name"},
    {TYPE_POD_SPEC, "resourceClaims", TYPE_ANY, true, "name"},
    {TYPE_CONTAINER, "ports", TYPE_ANY, true, "containerPort"},
    {TYPE_CONTAINER, "env", TYPE_ANY, true, "name"},
    {TYPE_CONTAINER, "volumeMounts", TYPE_ANY, true, "mountPath"},
    {TYPE_CONTAINER, "volumeDevices", TYPE_ANY, true, "devicePath"},
    {TYPE_POD_STATUS, "conditions", TYPE_ANY, true, "type"},
    {TYPE_POD_STATUS, "hostIPs", TYPE_ANY, true, "ip"},
    {TYPE_POD_STATUS, "podIPs", TYPE_ANY, true, "ip"},
    {TYPE_POD_STATUS, "resourceClaimStatuses", TYPE_ANY, true, "name"},

    {TYPE_SERVICE, "metadata", TYPE_META, false, NULL},
    {TYPE_SERVICE, "spec", TYPE_SERVICE_SPEC, false, NULL},
    {TYPE_SERVICE, "status", TYPE_CONDITIONS, false, NULL},
    {TYPE_SERVICE_SPEC, "ports", TYPE_ANY, true, "port"},
    {TYPE_SERVICE_ACCOUNT, "metadata", TYPE_META, false, NULL},
    {TYPE_SERVICE_ACCOUNT, "secrets", TYPE_ANY, true, "name"},
};

enum patch_type patch_type_of_kind(const char *kind) {
    static const struct {
        const char *kind;
        enum patch_type type;
    } kinds[] = {{"Deployment", TYPE_DEPLOYMENT},    {"ReplicaSet", TYPE_DEPLOYMENT},
                 {"StatefulSet", TYPE_DEPLOYMENT},   {"Pod", TYPE_POD},
                 {"Service", TYPE_SERVICE},          {"ServiceAccount", TYPE_SERVICE_ACCOUNT},
                 {"Namespace", TYPE_WITH_CONDITIONS}};
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (kind && strcmp(kinds[i].kind, kind) == 0) return kinds[i].type;
    }
    return TYPE_OBJECT;
}

struct patch_field patch_field_of(enum patch_type type, const char *field) {
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        if (fields[i].in == type && strcmp(fields[i].field, field) == 0) {
            return (struct patch_field){fields[i].type, fields[i].merged, fields[i].key};
        }
    }
    return (struct patch_field){TYPE_ANY, false, NULL};
}
