/* kubectl's columns (k8s.io/kubernetes/pkg/printers/internalversion). Cells are what kubectl prints as they
 * stand. */
#include "rest/render.h"
#include "api/rfc3339.h"
#include "api/selector.h"
#include <inttypes.h>
#include <stdio.h>

void printer_cell_str(struct buf *out, const char *s) {
    if (out->n && out->p[out->n - 1] != '[') buf_addc(out, ',');
    buf_add_json(out, slice_of(s));
}

void printer_cell_int(struct buf *out, int64_t v) {
    if (out->n && out->p[out->n - 1] != '[') buf_addc(out, ',');
    buf_addf(out, "%" PRId64, v);
}

/* k8s.io/apimachinery/pkg/util/duration.HumanDuration */
static void human(int64_t s, char ret[32]) {
    int64_t m = s / 60, h = s / 3600, d = s / 86400;
    if (s < 0) {
        snprintf(ret, 32, "0s");
    } else if (s < 120) {
        snprintf(ret, 32, "%" PRId64 "s", s);
    } else if (m < 10) {
        snprintf(ret, 32, s % 60 ? "%" PRId64 "m%" PRId64 "s" : "%" PRId64 "m", m, s % 60);
    } else if (m < 180) {
        snprintf(ret, 32, "%" PRId64 "m", m);
    } else if (h < 8) {
        snprintf(ret, 32, m % 60 ? "%" PRId64 "h%" PRId64 "m" : "%" PRId64 "h", h, m % 60);
    } else if (h < 48) {
        snprintf(ret, 32, "%" PRId64 "h", h);
    } else if (h < 192) {
        snprintf(ret, 32, h % 24 ? "%" PRId64 "d%" PRId64 "h" : "%" PRId64 "d", d, h % 24);
    } else {
        snprintf(ret, 32, "%" PRId64 "d", d);
    }
}

void printer_cell_age(const struct sim *s, struct buf *out, const char *since) {
    int64_t at = 0;
    char text[32] = "<unknown>";
    if (since && rfc3339_parse(slice_of(since), &at) == 0) human((s->now - at) / NS_PER_S, text);
    printer_cell_str(out, text);
}

static const cJSON *meta_of(const cJSON *obj) {
    return json_obj(obj, "metadata");
}

static void name_cell(const cJSON *obj, struct buf *out) {
    printer_cell_str(out, json_str_or(meta_of(obj), "name", ""));
}

static void age_cell(const struct sim *s, const cJSON *obj, struct buf *out) {
    printer_cell_age(s, out, json_str(meta_of(obj), "creationTimestamp"));
}

static int64_t members(const cJSON *v) {
    return v ? cJSON_GetArraySize(v) : 0;
}

/* "containers" and "images" of a pod template, and its selector. */
static void wide_cells(const cJSON *obj, struct buf *out) {
    static const char *const keys[] = {"name", "image"};
    const cJSON *list = json_arr(json_at(obj, "spec/template/spec"), "containers");
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        struct buf b = BUF(64 << 10);
        for (const cJSON *c = list ? list->child : NULL; c; c = c->next) {
            buf_addf(&b, "%s%s", c == list->child ? "" : ",", json_str_or(c, keys[i], ""));
        }
        printer_cell_str(out, buf_str(&b));
        buf_free(&b);
    }
    struct selector *sel = NULL;
    struct buf b = BUF(64 << 10);
    if (selector_from_spec(json_at(obj, "spec/selector"), &sel, NULL) == 0) selector_format(sel, &b);
    printer_cell_str(out, b.n ? buf_str(&b) : "<none>");
    selector_free(sel);
    buf_free(&b);
}

static void cells_default(const struct sim *s, const cJSON *obj, struct buf *out) {
    name_cell(obj, out);
    age_cell(s, obj, out);
}

static void cells_namespace(const struct sim *s, const cJSON *obj, struct buf *out) {
    name_cell(obj, out);
    printer_cell_str(out, json_str_or(json_obj(obj, "status"), "phase", ""));
    age_cell(s, obj, out);
}

static void cells_configmap(const struct sim *s, const cJSON *obj, struct buf *out) {
    name_cell(obj, out);
    printer_cell_int(out, members(json_obj(obj, "data")) + members(json_obj(obj, "binaryData")));
    age_cell(s, obj, out);
}

static void cells_secret(const struct sim *s, const cJSON *obj, struct buf *out) {
    name_cell(obj, out);
    printer_cell_str(out, json_str_or(obj, "type", "Opaque"));
    printer_cell_int(out, members(json_obj(obj, "data")));
    age_cell(s, obj, out);
}

static void cells_lease(const struct sim *s, const cJSON *obj, struct buf *out) {
    name_cell(obj, out);
    printer_cell_str(out, json_str_or(json_obj(obj, "spec"), "holderIdentity", ""));
    age_cell(s, obj, out);
}

static void ready_cell(const cJSON *obj, struct buf *out) {
    char ready[64];
    snprintf(ready, sizeof ready, "%" PRId64 "/%" PRId64,
             json_i64(json_obj(obj, "status"), "readyReplicas", 0),
             json_i64(json_obj(obj, "spec"), "replicas", 1));
    printer_cell_str(out, ready);
}

static void cells_deployment(const struct sim *s, const cJSON *obj, struct buf *out) {
    const cJSON *st = json_obj(obj, "status");
    name_cell(obj, out);
    ready_cell(obj, out);
    printer_cell_int(out, json_i64(st, "updatedReplicas", 0));
    printer_cell_int(out, json_i64(st, "availableReplicas", 0));
    age_cell(s, obj, out);
    wide_cells(obj, out);
}

static void cells_statefulset(const struct sim *s, const cJSON *obj, struct buf *out) {
    name_cell(obj, out);
    ready_cell(obj, out);
    age_cell(s, obj, out);
    wide_cells(obj, out);
}

static void cells_replicaset(const struct sim *s, const cJSON *obj, struct buf *out) {
    const cJSON *st = json_obj(obj, "status");
    name_cell(obj, out);
    printer_cell_int(out, json_i64(json_obj(obj, "spec"), "replicas", 1));
    printer_cell_int(out, json_i64(st, "replicas", 0));
    printer_cell_int(out, json_i64(st, "readyReplicas", 0));
    age_cell(s, obj, out);
    wide_cells(obj, out);
}

static void cells_service(const struct sim *s, const cJSON *obj, struct buf *out) {
    const cJSON *spec = json_obj(obj, "spec"), *ports = json_arr(spec, "ports"),
                *sel = json_obj(spec, "selector");
    struct buf b = BUF(16 << 10);
    name_cell(obj, out);
    printer_cell_str(out, json_str_or(spec, "type", "ClusterIP"));
    printer_cell_str(out, json_str_or(spec, "clusterIP", "<none>"));
    printer_cell_str(out, "<none>");
    for (const cJSON *p = ports ? ports->child : NULL; p; p = p->next) {
        buf_addf(&b, "%s%" PRId64 "/%s", p == ports->child ? "" : ",", json_i64(p, "port", 0),
                 json_str_or(p, "protocol", "TCP"));
    }
    printer_cell_str(out, b.n ? buf_str(&b) : "<none>");
    age_cell(s, obj, out);
    buf_clear(&b);
    for (const cJSON *l = sel ? sel->child : NULL; l; l = l->next) {
        buf_addf(&b, "%s%s=%s", l == sel->child ? "" : ",", l->string,
                 cJSON_IsString(l) ? l->valuestring : "");
    }
    printer_cell_str(out, b.n ? buf_str(&b) : "<none>");
    buf_free(&b);
}

static void cells_event(const struct sim *s, const cJSON *obj, struct buf *out) {
    const cJSON *io = json_obj(obj, "involvedObject"), *src = json_obj(obj, "source");
    const char *first = json_str(obj, "firstTimestamp"), *last = json_str(obj, "lastTimestamp");
    const cJSON *series = json_obj(obj, "series");
    if (!first) first = json_str(obj, "eventTime");
    if (series) last = json_str(series, "lastObservedTime");
    if (!last) last = first;
    char text[600], kind[128];
    snprintf(kind, sizeof kind, "%s", json_str_or(io, "kind", ""));
    for (char *c = kind; *c; c++) {
        if (*c >= 'A' && *c <= 'Z') *c = (char)(*c + 32);
    }
    printer_cell_age(s, out, last);
    printer_cell_str(out, json_str_or(obj, "type", ""));
    printer_cell_str(out, json_str_or(obj, "reason", ""));
    snprintf(text, sizeof text, "%s/%s", kind, json_str_or(io, "name", ""));
    printer_cell_str(out, text);
    printer_cell_str(out, json_str_or(io, "fieldPath", ""));
    const char *component = json_str_or(src, "component", json_str_or(obj, "reportingComponent", ""));
    const char *host = json_str_or(src, "host", json_str_or(obj, "reportingInstance", ""));
    snprintf(text, sizeof text, "%s%s%s", component, host[0] ? ", " : "", host);
    printer_cell_str(out, text);
    struct slice message = slice_trim(slice_of(json_str_or(obj, "message", "")));
    cleanup_free char *msg = slice_dup(message);
    printer_cell_str(out, msg);
    printer_cell_age(s, out, first);
    printer_cell_int(out, json_i64(series ? series : obj, "count", 1));
    name_cell(obj, out);
}

static void cells_node(const struct sim *s, const cJSON *obj, struct buf *out) {
    const cJSON *conditions = json_arr(json_obj(obj, "status"), "conditions");
    const char *ready = "Unknown";
    for (const cJSON *c = conditions ? conditions->child : NULL; c; c = c->next) {
        if (strcmp(json_str_or(c, "type", ""), "Ready") != 0) continue;
        ready = !strcmp(json_str_or(c, "status", ""), "True") ? "Ready" : "NotReady";
    }
    name_cell(obj, out);
    printer_cell_str(out, ready);
    printer_cell_str(out, "<none>");
    age_cell(s, obj, out);
    printer_cell_str(out, json_str_or(json_at(obj, "status/nodeInfo"), "kubeletVersion", ""));
}

static void cells_account(const struct sim *s, const cJSON *obj, struct buf *out) {
    name_cell(obj, out);
    printer_cell_int(out, members(json_arr(obj, "secrets")));
    age_cell(s, obj, out);
}

#define NAME                                                                                                 \
    { "Name", "string", "name", 0 }
#define AGE                                                                                                  \
    { "Age", "string", "", 0 }
#define WIDE                                                                                                 \
    {"Containers", "string", "", 1}, {"Images", "string", "", 1}, {                                          \
        "Selector", "string", "", 1                                                                          \
    }
static const struct column col_default[] = {NAME, AGE};
static const struct column col_namespace[] = {NAME, {"Status", "string", "", 0}, AGE};
static const struct column col_configmap[] = {NAME, {"Data", "string", "", 0}, AGE};
static const struct column col_secret[] = {NAME, {"Type", "string", "", 0}, {"Data", "string", "", 0}, AGE};
static const struct column col_lease[] = {NAME, {"Holder", "string", "", 0}, AGE};
static const struct column col_deployment[] = {
    NAME, {"Ready", "string", "", 0}, {"Up-to-date", "string", "", 0}, {"Available", "string", "", 0}, AGE,
    WIDE};
static const struct column col_replicaset[] = {
    NAME, {"Desired", "integer", "", 0}, {"Current", "integer", "", 0}, {"Ready", "integer", "", 0}, AGE,
    WIDE};
static const struct column col_statefulset[] = {NAME, {"Ready", "string", "", 0}, AGE, WIDE};
static const struct column col_pod[] = {NAME,
                                        {"Ready", "string", "", 0},
                                        {"Status", "string", "", 0},
                                        {"Restarts", "integer", "", 0},
                                        AGE,
                                        {"IP", "string", "", 1},
                                        {"Node", "string", "", 1},
                                        {"Nominated Node", "string", "", 1},
                                        {"Readiness Gates", "string", "", 1}};
static const struct column col_service[] = {NAME,
                                            {"Type", "string", "", 0},
                                            {"Cluster-IP", "string", "", 0},
                                            {"External-IP", "string", "", 0},
                                            {"Port(s)", "string", "", 0},
                                            AGE,
                                            {"Selector", "string", "", 1}};
static const struct column col_event[] = {{"Last Seen", "string", "", 0}, {"Type", "string", "", 0},
                                          {"Reason", "string", "", 0},    {"Object", "string", "", 0},
                                          {"Subobject", "string", "", 1}, {"Source", "string", "", 1},
                                          {"Message", "string", "", 0},   {"First Seen", "string", "", 1},
                                          {"Count", "string", "", 1},     {"Name", "string", "name", 1}};
static const struct column col_node[] = {
    NAME, {"Status", "string", "", 0}, {"Roles", "string", "", 0}, AGE, {"Version", "string", "", 0}};
static const struct column col_account[] = {NAME, {"Secrets", "string", "", 0}, AGE};

static const struct {
    const char *group, *resource;
    struct printer table;
} tables[] = {
    {"", "namespaces", {col_namespace, ARRAY_LEN(col_namespace), cells_namespace}},
    {"", "configmaps", {col_configmap, ARRAY_LEN(col_configmap), cells_configmap}},
    {"", "secrets", {col_secret, ARRAY_LEN(col_secret), cells_secret}},
    {"", "pods", {col_pod, ARRAY_LEN(col_pod), printer_pod_cells}},
    {"", "services", {col_service, ARRAY_LEN(col_service), cells_service}},
    {"", "events", {col_event, ARRAY_LEN(col_event), cells_event}},
    {"", "nodes", {col_node, ARRAY_LEN(col_node), cells_node}},
    {"", "serviceaccounts", {col_account, ARRAY_LEN(col_account), cells_account}},
    {"apps", "deployments", {col_deployment, ARRAY_LEN(col_deployment), cells_deployment}},
    {"apps", "statefulsets", {col_statefulset, ARRAY_LEN(col_statefulset), cells_statefulset}},
    {"apps", "replicasets", {col_replicaset, ARRAY_LEN(col_replicaset), cells_replicaset}},
    {"coordination.k8s.io", "leases", {col_lease, ARRAY_LEN(col_lease), cells_lease}},
};

const struct printer *printer_of(const struct sim_type *t) {
    static const struct printer plain = {col_default, ARRAY_LEN(col_default), cells_default};
    for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
        if (type_is(t, tables[i].group, tables[i].resource)) return &tables[i].table;
    }
    return &plain;
}
