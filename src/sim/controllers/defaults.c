/* The fields that the API server fills in when a Deployment, ReplicaSet, StatefulSet or Pod leaves them out. */
#include "store/store.h"
#include <string.h>

static void def(cJSON *obj, const char *key, cJSON *value) { /* value is taken */
    cJSON *old = cJSON_GetObjectItemCaseSensitive(obj, key);
    if (!old)
        cJSON_AddItemToObject(obj, key, value);
    else if (cJSON_IsNull(old))
        cJSON_ReplaceItemInObjectCaseSensitive(obj, key, value);
    else
        cJSON_Delete(value);
}

static void def_str(cJSON *obj, const char *key, const char *value) {
    def(obj, key, cJSON_CreateString(value));
}

static void def_num(cJSON *obj, const char *key, double value) {
    def(obj, key, cJSON_CreateNumber(value));
}

static cJSON *member(cJSON *obj, const char *key) {
    return cJSON_IsObject(obj) ? cJSON_GetObjectItemCaseSensitive(obj, key) : NULL;
}

static cJSON *first(cJSON *list) {
    return cJSON_IsArray(list) ? list->child : NULL;
}

/* ---- containers ---- */

static void probe(cJSON *p) {
    if (!cJSON_IsObject(p)) return;
    cJSON *get = member(p, "httpGet");
    if (get) {
        def_str(get, "path", "/");
        def_str(get, "scheme", "HTTP");
    }
    def_num(p, "timeoutSeconds", 1);
    def_num(p, "periodSeconds", 10);
    def_num(p, "successThreshold", 1);
    def_num(p, "failureThreshold", 3);
}

static void field_ref(cJSON *from) {
    cJSON *ref = member(from, "fieldRef");
    if (ref) def_str(ref, "apiVersion", "v1");
}

/* Always for what may move: the tag latest, or none. */
static const char *pull_policy(const char *image) {
    const char *slash = strrchr(image, '/'), *name = slash ? slash + 1 : image;
    if (strchr(name, '@')) return "IfNotPresent";
    const char *tag = strchr(name, ':');
    return !tag || strcmp(tag, ":latest") == 0 ? "Always" : "IfNotPresent";
}

static void container(cJSON *c) {
    if (!cJSON_IsObject(c)) return;
    const char *image = json_str_or(c, "image", "");
    for (cJSON *p = first(member(c, "ports")); p; p = p->next)
        if (cJSON_IsObject(p)) def_str(p, "protocol", "TCP");
    for (cJSON *e = first(member(c, "env")); e; e = e->next) field_ref(member(e, "valueFrom"));
    def(c, "resources", cJSON_CreateObject());
    /* A limit is a request too. */
    cJSON *limits = member(member(c, "resources"), "limits");
    if (cJSON_IsObject(limits) && limits->child) {
        cJSON *res = member(c, "resources");
        def(res, "requests", cJSON_CreateObject());
        for (cJSON *l = limits->child; l; l = l->next)
            def(member(res, "requests"), l->string, cJSON_Duplicate(l, true));
    }
    static const char *const probes[] = {"livenessProbe", "readinessProbe", "startupProbe"};
    for (size_t i = 0; i < sizeof probes / sizeof *probes; i++) probe(member(c, probes[i]));
    def_str(c, "terminationMessagePath", "/dev/termination-log");
    def_str(c, "terminationMessagePolicy", "File");
    def_str(c, "imagePullPolicy", pull_policy(image));
}

/* ---- volumes ---- */

static void projected(cJSON *v) {
    def_num(v, "defaultMode", 420);
    for (cJSON *s = first(member(v, "sources")); s; s = s->next) {
        cJSON *token = member(s, "serviceAccountToken");
        if (token) def_num(token, "expirationSeconds", 3600);
        for (cJSON *i = first(member(member(s, "downwardAPI"), "items")); i; i = i->next) field_ref(i);
    }
}

static void volume(cJSON *v) {
    if (!cJSON_IsObject(v)) return;
    static const char *const with_mode[] = {"secret", "configMap", "downwardAPI"};
    for (size_t i = 0; i < sizeof with_mode / sizeof *with_mode; i++) {
        cJSON *src = member(v, with_mode[i]);
        if (src) def_num(src, "defaultMode", 420);
    }
    for (cJSON *i = first(member(member(v, "downwardAPI"), "items")); i; i = i->next) field_ref(i);
    if (member(v, "projected")) projected(member(v, "projected"));
    if (member(v, "hostPath")) def_str(member(v, "hostPath"), "type", "");
}

/* ---- pods ---- */

static void pod_spec(cJSON *spec) {
    if (!cJSON_IsObject(spec)) return;
    for (cJSON *v = first(member(spec, "volumes")); v; v = v->next) volume(v);
    for (cJSON *c = first(member(spec, "initContainers")); c; c = c->next) container(c);
    for (cJSON *c = first(member(spec, "containers")); c; c = c->next) container(c);
    def_str(spec, "restartPolicy", "Always");
    def_num(spec, "terminationGracePeriodSeconds", 30);
    def_str(spec, "dnsPolicy", "ClusterFirst");
    /* The old name of serviceAccountName is kept beside it. */
    const char *account = json_str(spec, "serviceAccountName"), *old = json_str(spec, "serviceAccount");
    if (account && !old) def_str(spec, "serviceAccount", account);
    if (old && !account) def_str(spec, "serviceAccountName", old);
    def(spec, "securityContext", cJSON_CreateObject());
    def_str(spec, "schedulerName", "default-scheduler");
}

static void toleration(cJSON *list, const char *key) {
    for (const cJSON *t = first(list); t; t = t->next)
        if (strcmp(json_str_or(t, "key", ""), key) == 0) return;
    cJSON *t = cJSON_CreateObject();
    cJSON_AddItemToArray(list, t);
    def_str(t, "key", key);
    def_str(t, "operator", "Exists");
    def_str(t, "effect", "NoExecute");
    def_num(t, "tolerationSeconds", 300);
}

/* What the admission plugins of a plain cluster add to pods, but not to templates. */
static void pod(cJSON *obj) {
    cJSON *spec = member(obj, "spec");
    if (!cJSON_IsObject(spec)) return;
    pod_spec(spec);
    def_str(spec, "serviceAccountName", "default");
    def_str(spec, "serviceAccount", json_str_or(spec, "serviceAccountName", "default"));
    def(spec, "tolerations", cJSON_CreateArray());
    toleration(member(spec, "tolerations"), "node.kubernetes.io/not-ready");
    toleration(member(spec, "tolerations"), "node.kubernetes.io/unreachable");
    def_num(spec, "priority", 0);
    def(spec, "enableServiceLinks", cJSON_CreateBool(true));
    def_str(spec, "preemptionPolicy", "PreemptLowerPriority");
    def(obj, "status", cJSON_CreateObject());
    def_str(member(obj, "status"), "phase", "Pending");
}

/* ---- workloads ---- */

static void template(cJSON *spec) {
    cJSON *t = member(spec, "template");
    if (!cJSON_IsObject(t)) return;
    def(t, "metadata", cJSON_CreateObject());
    if (cJSON_IsObject(member(t, "metadata")) && !member(member(t, "metadata"), "creationTimestamp"))
        cJSON_AddItemToObject(member(t, "metadata"), "creationTimestamp", cJSON_CreateNull());
    pod_spec(member(t, "spec"));
}

static void strategy(cJSON *spec) {
    def(spec, "strategy", cJSON_CreateObject());
    cJSON *s = member(spec, "strategy");
    if (!cJSON_IsObject(s)) return;
    def_str(s, "type", "RollingUpdate");
    if (strcmp(json_str_or(s, "type", ""), "RollingUpdate") != 0) return;
    def(s, "rollingUpdate", cJSON_CreateObject());
    cJSON *r = member(s, "rollingUpdate");
    if (!cJSON_IsObject(r)) return;
    def_str(r, "maxUnavailable", "25%");
    def_str(r, "maxSurge", "25%");
}

static void update_strategy(cJSON *spec) {
    def(spec, "updateStrategy", cJSON_CreateObject());
    cJSON *s = member(spec, "updateStrategy");
    if (!cJSON_IsObject(s)) return;
    def_str(s, "type", "RollingUpdate");
    if (strcmp(json_str_or(s, "type", ""), "RollingUpdate") != 0) return;
    def(s, "rollingUpdate", cJSON_CreateObject());
    if (cJSON_IsObject(member(s, "rollingUpdate"))) def_num(member(s, "rollingUpdate"), "partition", 0);
}

static void stateful(cJSON *spec) {
    def_str(spec, "podManagementPolicy", "OrderedReady");
    update_strategy(spec);
    def_num(spec, "revisionHistoryLimit", 10);
    def(spec, "persistentVolumeClaimRetentionPolicy", cJSON_CreateObject());
    cJSON *kept = member(spec, "persistentVolumeClaimRetentionPolicy");
    if (!cJSON_IsObject(kept)) return;
    def_str(kept, "whenDeleted", "Retain");
    def_str(kept, "whenScaled", "Retain");
}

void sim_defaults(const struct sim_type *t, cJSON *obj) {
    if (strcmp(t->group, "") == 0 && strcmp(t->resource, "pods") == 0) {
        pod(obj);
        return;
    }
    bool deployment = strcmp(t->resource, "deployments") == 0,
         replicaset = strcmp(t->resource, "replicasets") == 0, set = strcmp(t->resource, "statefulsets") == 0;
    if (strcmp(t->group, "apps") != 0 || (!deployment && !replicaset && !set)) return;
    cJSON *spec = member(obj, "spec");
    if (!cJSON_IsObject(spec)) return;
    def_num(spec, "replicas", 1);
    template(spec);
    if (set) stateful(spec);
    if (!deployment) return;
    strategy(spec);
    def_num(spec, "revisionHistoryLimit", 10);
    def_num(spec, "progressDeadlineSeconds", 600);
}
