/* A template's text for a rehearsal; see rehearsal.h. Members are copied, replaced, left out or added; nothing is reprinted. */
#include "plan/rehearsal.h"
#include "base/json_raw.h"
#include <errno.h>

#define ACCOUNT     "/var/run/secrets/kubernetes.io/serviceaccount"
#define CREDENTIALS "handover-rehearsal-credentials" /* a volume: what the sidecar writes for all others */
#define TOKEN       "handover-rehearsal-token" /* a volume: the account's token, for the sidecar alone */
#define SHARED      "/var/run/handover-rehearsal"

struct list { /* an object or array that is being written */
    struct buf *out;
    bool any;
};

static void next(struct list *l) {
    if (l->any) buf_addc(l->out, ',');
    l->any = true;
}

static void add_text(struct list *l, const char *text) {
    next(l);
    buf_adds(l->out, text);
}

static void add_key(struct list *l, struct slice key) {
    next(l);
    if (!key.n) return; /* of an array */
    buf_add(l->out, key);
    buf_addc(l->out, ':');
}

static void copy(struct list *l, const struct json_raw_it *it) {
    add_key(l, it->key);
    buf_add(l->out, it->value);
}

static bool is_one_of(struct slice raw, const char *const *names) {
    for (; *names; names++)
        if (json_raw_string_is(raw, slice_of(*names))) return true;
    return false;
}

static struct slice member(struct slice obj, const char *key) {
    struct slice v = SL("null");
    json_raw_get(obj, slice_of(key), &v);
    return v;
}

/* The members of obj that are none of these, null last; the object is left open. */
static struct list open_without(struct buf *out, struct slice obj, const char *const *names) {
    struct list l = {.out = out};
    buf_addc(out, '{');
    struct json_raw_it it = json_raw_each(obj);
    while (json_raw_next(&it))
        if (!is_one_of(it.key, names)) copy(&l, &it);
    return l;
}

/* ---- volumes ---- */

/* What is in the projected volume of an account beside the token: nothing that the sidecar does not write as well. */
static bool is_of_account(struct slice source) {
    struct slice map = member(source, "configMap"), items = member(member(source, "downwardAPI"), "items");
    bool any = false, namespaces = true;
    struct json_raw_it it = json_raw_each(items);
    while (json_raw_next(&it)) {
        struct slice path = member(member(it.value, "fieldRef"), "fieldPath");
        any = true;
        namespaces = namespaces && json_raw_string_is(path, SL("metadata.namespace"));
    }
    return (any && namespaces) || json_raw_string_is(member(map, "name"), SL("kube-root-ca.crt"));
}

static bool is_token(struct slice source) {
    return json_raw_type(member(source, "serviceAccountToken")) == JR_OBJECT;
}

enum volume {
    VOLUME_KEPT,
    VOLUME_EMPTY,       /* of a claim: the data are stable's */
    VOLUME_CREDENTIALS, /* an account's token, and what belongs to it */
    VOLUME_CUT,         /* a token among other things: these stay */
};

static enum volume kind_of(struct slice volume) {
    struct slice sources = member(member(volume, "projected"), "sources");
    bool token = false, others = false;
    if (json_raw_type(member(volume, "persistentVolumeClaim")) == JR_OBJECT ||
        json_raw_type(member(volume, "ephemeral")) == JR_OBJECT)
        return VOLUME_EMPTY;
    struct json_raw_it it = json_raw_each(sources);
    while (json_raw_next(&it)) {
        token = token || is_token(it.value);
        others = others || (!is_token(it.value) && !is_of_account(it.value));
    }
    return !token ? VOLUME_KEPT : others ? VOLUME_CUT : VOLUME_CREDENTIALS;
}

static void write_empty(struct buf *out, struct slice volume) {
    static const char *const sources[] = {"persistentVolumeClaim", "ephemeral", NULL};
    struct list l = open_without(out, volume, sources);
    add_text(&l, "\"emptyDir\":{}}");
}

static void write_cut(struct buf *out, struct slice volume) {
    static const char *const projected[] = {"projected", NULL}, *const sources[] = {"sources", NULL};
    struct slice was = member(volume, "projected");
    struct list l = open_without(out, volume, projected);
    add_text(&l, "\"projected\":");
    struct list p = open_without(out, was, sources);
    add_text(&p, "\"sources\":[");
    struct list s = {.out = out};
    struct json_raw_it it = json_raw_each(member(was, "sources"));
    while (json_raw_next(&it))
        if (!is_token(it.value)) copy(&s, &it);
    buf_adds(out, "]}}");
}

static bool is_among(struct slice names, struct slice name) {
    cleanup_buf struct buf text = BUF(1024);
    if (json_raw_unescape(name, &text) < 0) return false;
    struct json_raw_it it = json_raw_each(names);
    while (json_raw_next(&it))
        if (json_raw_string_is(it.value, buf_slice(&text))) return true;
    return false;
}

/* Of a StatefulSet's claims first, each in the place of the template's own volume of that name. */
static void write_claims(struct list *l, struct slice claims) {
    struct json_raw_it it = json_raw_each(claims);
    while (json_raw_next(&it)) {
        add_text(l, "{\"name\":");
        buf_add(l->out, it.value);
        buf_adds(l->out, ",\"emptyDir\":{}}");
    }
}

static void write_volumes(struct buf *out, struct slice volumes, struct slice claims) {
    struct list l = {.out = out};
    buf_adds(out, "\"volumes\":[");
    write_claims(&l, claims);
    struct json_raw_it it = json_raw_each(volumes);
    while (json_raw_next(&it)) {
        enum volume kind = kind_of(it.value);
        if (is_among(claims, member(it.value, "name"))) continue;
        if (kind == VOLUME_CREDENTIALS) continue; /* its mounts are of ours */
        if (kind == VOLUME_KEPT) {
            copy(&l, &it);
            continue;
        }
        next(&l);
        if (kind == VOLUME_EMPTY)
            write_empty(out, it.value);
        else
            write_cut(out, it.value);
    }
    add_text(&l, "{\"name\":\"" CREDENTIALS "\",\"emptyDir\":{\"medium\":\"Memory\",\"sizeLimit\":\"1Mi\"}}");
    add_text(&l, "{\"name\":\"" TOKEN "\",\"projected\":{\"sources\":["
                 "{\"serviceAccountToken\":{\"path\":\"token\",\"expirationSeconds\":3600}},"
                 "{\"configMap\":{\"name\":\"kube-root-ca.crt\",\"items\":[{\"key\":\"ca.crt\",\"path\":\"ca."
                 "crt\"}]}},"
                 "{\"downwardAPI\":{\"items\":[{\"path\":\"namespace\",\"fieldRef\":{\"fieldPath\":"
                 "\"metadata.namespace\"}}]}}"
                 "]}}");
    buf_addc(out, ']');
}

/* ---- containers ---- */

/* Is the volume that this mount names one that was taken away? */
static bool is_of_credentials(struct slice mount, struct slice volumes) {
    cleanup_buf struct buf name = BUF(1024);
    if (json_raw_unescape(member(mount, "name"), &name) < 0) return false;
    struct json_raw_it it = json_raw_each(volumes);
    while (json_raw_next(&it))
        if (json_raw_string_is(member(it.value, "name"), buf_slice(&name)))
            return kind_of(it.value) == VOLUME_CREDENTIALS;
    return false;
}

/* There or below; /var/run is a link to /run in most images. */
static bool is_at_account(struct slice mount) {
    static const char *const places[] = {ACCOUNT, "/run/secrets/kubernetes.io/serviceaccount"};
    cleanup_buf struct buf path = BUF(4096);
    if (json_raw_unescape(member(mount, "mountPath"), &path) < 0) return false;
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        struct slice place = slice_of(places[i]), p = buf_slice(&path);
        if (slice_starts(p, place) && (p.n == place.n || p.p[place.n] == '/')) return true;
    }
    return false;
}

static void write_mounts(struct buf *out, struct slice mounts, struct slice volumes) {
    static const char *const names[] = {"name", "readOnly", NULL};
    struct list l = {.out = out};
    buf_adds(out, "\"volumeMounts\":[");
    struct json_raw_it it = json_raw_each(mounts);
    while (json_raw_next(&it)) {
        if (is_at_account(it.value)) continue;
        if (!is_of_credentials(it.value, volumes)) {
            copy(&l, &it);
            continue;
        }
        next(&l);
        struct list m = open_without(out, it.value, names);
        add_text(&m, "\"name\":\"" CREDENTIALS "\"");
        add_text(&m, "\"readOnly\":true}");
    }
    add_text(&l, "{\"name\":\"" CREDENTIALS "\",\"mountPath\":\"" ACCOUNT "\",\"readOnly\":true}]");
}

/* First of all, since later ones may refer to them. The kubelet's own KUBERNETES_PORT would still be the cluster's. */
static void write_env(struct buf *out, struct slice env) {
    static const char *const ours[] = {"KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT",
                                       "KUBERNETES_SERVICE_PORT_HTTPS", "KUBERNETES_PORT", NULL};
    struct list l = {.out = out};
    buf_adds(out, "\"env\":[");
    for (size_t i = 0; ours[i]; i++) {
        next(&l);
        buf_addf(out, "{\"name\":\"%s\",\"value\":\"", ours[i]);
        if (i == 0)
            buf_adds(out, "127.0.0.1\"}");
        else
            buf_addf(out, "%s%d\"}", i == 3 ? "tcp://127.0.0.1:" : "", REHEARSAL_PORT);
    }
    struct json_raw_it it = json_raw_each(env);
    while (json_raw_next(&it))
        if (!is_one_of(member(it.value, "name"), ours)) copy(&l, &it);
    buf_addc(out, ']');
}

static void write_container(struct buf *out, struct slice container, struct slice volumes) {
    static const char *const names[] = {"env", "volumeMounts", NULL};
    struct list l = open_without(out, container, names);
    next(&l);
    write_env(out, member(container, "env"));
    next(&l);
    write_mounts(out, member(container, "volumeMounts"), volumes);
    buf_addc(out, '}');
}

static void write_containers(struct list *l, struct slice containers, struct slice volumes) {
    struct json_raw_it it = json_raw_each(containers);
    while (json_raw_next(&it)) {
        next(l);
        write_container(l->out, it.value, volumes);
    }
}

static void write_groups(struct buf *out, const char *groups) {
    struct slice rest = slice_of(groups), one;
    while (rest.n && slice_cut(rest, '\n', &one, &rest)) buf_addf(out, ",\"--allow-group=%.*s\"", SLF(one));
}

static void write_sidecar(struct list *l, const struct rehearsal_pod *p) {
    next(l);
    buf_adds(l->out, "{\"name\":\"" REHEARSAL_SIDECAR "\",\"image\":");
    buf_add_json(l->out, slice_of(p->image));
    buf_addf(l->out,
             ",\"imagePullPolicy\":\"IfNotPresent\",\"restartPolicy\":\"Always\","
             "\"args\":[\"rehearse\",\"--sidecar=" SHARED "\",\"--listen=127.0.0.1:%d\",\"--report=:%d\"",
             REHEARSAL_PORT, REHEARSAL_REPORT_PORT);
    write_groups(l->out, p->groups);
    buf_addf(l->out,
             "],"
             "\"env\":[{\"name\":\"" REHEARSAL_KEY "\",\"value\":\"%s\"}],"
             "\"ports\":[{\"name\":\"rehearsal\",\"containerPort\":%d}],"
             "\"startupProbe\":{\"httpGet\":{\"path\":\"/readyz\",\"port\":%d},\"periodSeconds\":1,"
             "\"failureThreshold\":60},",
             p->key, REHEARSAL_REPORT_PORT, REHEARSAL_REPORT_PORT);
    buf_adds(l->out,
             "\"resources\":{\"requests\":{\"cpu\":\"10m\",\"memory\":\"64Mi\"},\"limits\":{\"memory\":"
             "\"256Mi\"}},"
             "\"securityContext\":{\"runAsNonRoot\":true,\"runAsUser\":65532,\"runAsGroup\":65532,"
             "\"allowPrivilegeEscalation\":false,\"readOnlyRootFilesystem\":true,"
             "\"capabilities\":{\"drop\":[\"ALL\"]},\"seccompProfile\":{\"type\":\"RuntimeDefault\"}},"
             "\"volumeMounts\":[{\"name\":\"" TOKEN "\",\"mountPath\":\"" ACCOUNT "\",\"readOnly\":true},"
             "{\"name\":\"" CREDENTIALS "\",\"mountPath\":\"" SHARED "\"}]}");
}

/* ---- the whole ---- */

static void write_spec(struct buf *out, struct slice spec, const struct rehearsal_pod *p) {
    static const char *const names[] = {
        "volumes", "initContainers", "containers", "readinessGates", "automountServiceAccountToken", NULL};
    struct slice volumes = member(spec, "volumes");
    struct list l = open_without(out, spec, names);
    add_text(&l, "\"automountServiceAccountToken\":false");
    add_text(&l, "\"initContainers\":[");
    struct list init = {.out = out}, main = {.out = out};
    write_sidecar(&init, p);
    write_containers(&init, member(spec, "initContainers"), volumes);
    buf_addc(out, ']');
    add_text(&l, "\"containers\":[");
    write_containers(&main, member(spec, "containers"), volumes);
    buf_addc(out, ']');
    next(&l);
    write_volumes(out, volumes, p->claims ? slice_of(p->claims) : SL("[]"));
    buf_addc(out, '}');
}

static int check(struct slice spec, struct err *err) {
    static const char *const nodes[] = {"hostNetwork", "hostPID"};
    if (json_raw_type(spec) != JR_OBJECT)
        return err_set(err, ERR_CONFIG, -EINVAL, "spec.template.spec is no object");
    for (size_t i = 0; i < ARRAY_LEN(nodes); i++)
        if (json_raw_type(member(spec, nodes[i])) == JR_TRUE)
            return err_set(
                err, ERR_CONFIG, -EINVAL,
                HANDOVER_PREFIX
                "rehearse: not for a template with spec.%s: true, whose pods work on their node, where a "
                "rehearsal would be another such pod; allowed: without it",
                nodes[i]);
    if (json_raw_type(member(spec, "shareProcessNamespace")) == JR_TRUE)
        return err_set(err, ERR_CONFIG, -EINVAL,
                       HANDOVER_PREFIX
                       "rehearse: not for a template with spec.shareProcessNamespace: true, whose containers "
                       "can read the token of the rehearsal's sidecar in /proc");
    return 0;
}

static void write_metadata(struct buf *out, struct slice meta, const struct rehearsal_pod *p) {
    static const char *const labels[] = {"labels", NULL};
    struct list l = open_without(out, meta, labels);
    next(&l);
    buf_addf(out, "\"labels\":{\"" LABEL_REHEARSAL "\":\"%s%s\"}}", p->hash,
             p->of == REHEARSED_CONTROL ? "-control" : "");
}

int rehearsal_template(const struct rehearsal_pod *p, struct buf *out, struct err *err) {
    static const char *const names[] = {"metadata", "spec", NULL};
    struct slice tmpl = slice_of(p->tmpl), spec = member(tmpl, "spec");
    int rc = check(spec, err);
    if (rc < 0) return rc;
    struct list l = open_without(out, tmpl, names);
    add_text(&l, "\"metadata\":");
    write_metadata(out, member(tmpl, "metadata"), p);
    add_text(&l, "\"spec\":");
    write_spec(out, spec, p);
    buf_addc(out, '}');
    return 0;
}
