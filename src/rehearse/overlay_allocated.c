/* See overlay_allocated.h. */
#include "overlay_allocated.h"

static const char *const addresses[] = {"clusterIP", "clusterIPs", "healthCheckNodePort"};
static const char *const labels[] = {"controller-uid", "job-name", "batch.kubernetes.io/controller-uid",
                                     "batch.kubernetes.io/job-name"};

static bool is_service(struct slice group, struct slice resource) {
    return !group.n && slice_eqs(resource, "services");
}

static bool is_job(struct slice group, struct slice resource) {
    return slice_eqs(group, "batch") && slice_eqs(resource, "jobs");
}

/* A headless Service has no address, and says so by a word. */
static bool has_address(const cJSON *spec) {
    const char *ip = json_str_or(spec, "clusterIP", "");
    return ip[0] && strcmp(ip, "None") != 0;
}

static bool drop_same(cJSON *obj, const cJSON *mine, const char *key) {
    const cJSON *its = json_get(obj, key);
    if (!its || !json_tree_equal(its, json_get(mine, key))) return false;
    json_tree_set(obj, key, NULL);
    return true;
}

static void keep(cJSON *obj, const cJSON *mine, const char *key) {
    const cJSON *its = json_get(mine, key);
    if (its && json_get(obj, key)) json_tree_set(obj, key, json_tree_dup(its));
}

/* The port of mine that is the same but for its node port. */
static const cJSON *same_port(const cJSON *mine, const cJSON *port) {
    const cJSON *c;
    cJSON_ArrayForEach(c, json_arr(mine, "ports")) {
        if (strcmp(json_str_or(c, "name", ""), json_str_or(port, "name", "")) == 0 &&
            json_num(c, "port", 0) == json_num(port, "port", 0) &&
            strcmp(json_str_or(c, "protocol", "TCP"), json_str_or(port, "protocol", "TCP")) == 0)
            return c;
    }
    return NULL;
}

static cJSON *ports_of(cJSON *spec) {
    cJSON *ports = json_tree_get(spec, "ports");
    return cJSON_IsArray(ports) ? ports : NULL;
}

static bool drop_service(cJSON *spec, const cJSON *mine) {
    bool went = false;
    cJSON *port, *ports = ports_of(spec);
    for (size_t i = 0; has_address(mine) && i < ARRAY_LEN(addresses); i++)
        went = drop_same(spec, mine, addresses[i]) || went;
    cJSON_ArrayForEach(port, ports) {
        const cJSON *its = same_port(mine, port);
        if (its) went = drop_same(port, its, "nodePort") || went;
    }
    return went;
}

static void keep_service(cJSON *spec, const cJSON *mine) {
    cJSON *port, *ports = ports_of(spec);
    for (size_t i = 0; has_address(mine) && has_address(spec) && i < ARRAY_LEN(addresses); i++)
        keep(spec, mine, addresses[i]);
    cJSON_ArrayForEach(port, ports) {
        const cJSON *its = same_port(mine, port);
        if (its) keep(port, its, "nodePort");
    }
}

static cJSON *labels_of(cJSON *spec) {
    return json_tree_get(json_tree_get(json_tree_get(spec, "template"), "metadata"), "labels");
}

static bool drop_job(cJSON *spec, const cJSON *mine) {
    if (json_bool(spec, "manualSelector", false)) return false;
    const cJSON *its = json_obj(json_obj(json_obj(mine, "template"), "metadata"), "labels");
    bool went = drop_same(spec, mine, "selector");
    for (size_t i = 0; i < ARRAY_LEN(labels); i++) went = drop_same(labels_of(spec), its, labels[i]) || went;
    return went;
}

static void keep_job(cJSON *spec, const cJSON *mine) {
    if (json_bool(spec, "manualSelector", false)) return;
    const cJSON *its = json_obj(json_obj(json_obj(mine, "template"), "metadata"), "labels");
    keep(spec, mine, "selector");
    for (size_t i = 0; i < ARRAY_LEN(labels); i++) keep(labels_of(spec), its, labels[i]);
}

bool allocated_drop(struct slice group, struct slice resource, cJSON *obj, const cJSON *mine) {
    cJSON *spec = json_tree_get(obj, "spec");
    const cJSON *its = json_obj(mine, "spec");
    if (!cJSON_IsObject(spec) || !its) return false;
    if (is_service(group, resource)) return drop_service(spec, its);
    return is_job(group, resource) && drop_job(spec, its);
}

void allocated_keep(struct slice group, struct slice resource, cJSON *obj, const cJSON *mine) {
    cJSON *spec = json_tree_get(obj, "spec");
    const cJSON *its = json_obj(mine, "spec");
    if (!cJSON_IsObject(spec) || !its) return;
    if (is_service(group, resource)) keep_service(spec, its);
    if (is_job(group, resource)) keep_job(spec, its);
}
