/* See install.h. */
#include "install.h"
#include "api/gvr.h"
#include "api/meta.h"
#include "obs/gzip.h"
#include "yaml/yaml.h"
#include <errno.h>

enum { TEXT_CAP = 256 << 10, IMAGE_MAX = 512, ARG_MAX_LEN = 1024 };

static const struct {
    long minor;
    const char *path, *resource;
} needs[INSTALL_PARTS] = {
    [INSTALL_PDB] = {21, "/apis/policy/v1", "poddisruptionbudgets"},
    [INSTALL_FLOW] = {29, "/apis/flowcontrol.apiserver.k8s.io/v1", "flowschemas"},
    [INSTALL_HOLD] = {36, "/apis/admissionregistration.k8s.io/v1", "mutatingadmissionpolicies"},
};

void install_parts_of(long minor, bool ret_part[INSTALL_PARTS]) {
    for (size_t i = 0; i < INSTALL_PARTS; i++) ret_part[i] = minor >= needs[i].minor;
}

const char *install_part_api(enum install_part p, const char **ret_resource) {
    *ret_resource = needs[p].resource;
    return needs[p].path;
}

bool install_api_has(struct slice resource_list, const char *resource) {
    cleanup_json cJSON *v = json_parse(resource_list, NULL);
    const cJSON *list = json_arr(v, "resources");
    for (const cJSON *one = list ? list->child : NULL; one; one = one->next)
        if (strcmp(json_str_or(one, "name", ""), resource) == 0) return true;
    return false;
}

int install_check_image(const char *image, struct err *err) {
    size_t n = strlen(image);
    bool ok = n > 0 && n <= IMAGE_MAX;
    for (size_t i = 0; i < n; i++) ok = ok && image[i] > ' ' && image[i] < 0x7f;
    if (ok) return 0;
    return err_set(err, ERR_CONFIG, -EINVAL,
                   "\"%.100s\"; allowed is the name of an image, at most %d characters without spaces", image,
                   IMAGE_MAX);
}

int install_check_arg(const char *arg, struct err *err) {
    size_t n = strlen(arg);
    bool ok = n > 2 && n <= ARG_MAX_LEN && strncmp(arg, "--", 2) == 0 && slice_is_text(slice_of(arg));
    for (size_t i = 0; i < n; i++) ok = ok && (unsigned char)arg[i] >= ' ' && arg[i] != 0x7f;
    if (ok) return 0;
    return err_set(err, ERR_CONFIG, -EINVAL,
                   "\"%.100s\"; allowed is an option of `handover run` such as --page=off, at most %d bytes",
                   arg, ARG_MAX_LEN);
}

int install_check_namespace(const char *ns, struct err *err) {
    if (name_is_dns_label(slice_of(ns))) return 0;
    return err_set(
        err, ERR_CONFIG, -EINVAL,
        "namespace \"%.100s\"; allowed are at most 63 of a-z, 0-9 and '-', which does not stand at an end",
        ns);
}

/* ---- the text ---- */

static void add_replaced(struct buf *out, struct slice text, const char *from, struct slice to) {
    size_t n = strlen(from);
    for (const char *at; text.n && (at = memmem(text.p, text.n, from, n));) {
        size_t before = (size_t)(at - text.p);
        buf_add(out, slice_make(text.p, before));
        buf_add(out, to);
        text = slice_make(at + n, text.n - before - n);
    }
    buf_add(out, text);
}

static void write_args(char *const *args, struct buf *note, struct buf *lines) {
    if (!args) return;
    struct buf list = BUF(TEXT_CAP);
    buf_addc(&list, '[');
    for (size_t i = 0; args[i]; i++) {
        buf_adds(lines, "\n        - ");
        buf_add_json(lines, slice_of(args[i]));
        if (i) buf_addc(&list, ',');
        buf_add_json(&list, slice_of(args[i]));
    }
    buf_addc(&list, ']');
    buf_adds(note, "\n  annotations:\n    " INSTALL_ARGS ": ");
    buf_add_json(note, buf_slice(&list));
    buf_free(&list);
}

void install_text(const struct install_options *o, struct buf *out) {
    struct buf whole = BUF(TEXT_CAP), a = BUF(TEXT_CAP), b = BUF(TEXT_CAP), c = BUF(TEXT_CAP);
    struct buf note = BUF(TEXT_CAP), args = BUF(TEXT_CAP);
    for (size_t i = 0; i < INSTALL_PARTS; i++) {
        const struct install_packed *p = &install_packed[i];
        if (o->part[i]) gzip_undo(&whole, slice_make((const char *)p->p, p->n));
    }
    write_args(o->args, &note, &args);
    buf_addf(&note, "\nspec:\n  replicas: %ld\n", o->replicas);
    buf_adds(&args, "\n        env:\n");
    struct buf image = BUF((size_t)2 * IMAGE_MAX);
    buf_adds(&image, "\n        image: ");
    if (strcmp(o->image, INSTALL_IMAGE) == 0)
        buf_adds(&image, o->image);
    else
        buf_add_json(&image, slice_of(o->image));
    buf_addc(&image, '\n');
    add_replaced(&a, buf_slice(&whole), INSTALL_NAMESPACE, slice_of(o->ns));
    add_replaced(&b, buf_slice(&a), "\nspec:\n  replicas: 2\n", buf_slice(&note));
    add_replaced(&c, buf_slice(&b), "\n        env:\n", buf_slice(&args));
    add_replaced(out, buf_slice(&c), "\n        image: " INSTALL_IMAGE "\n", buf_slice(&image));
    buf_free(&image);
    buf_free(&args);
    buf_free(&note);
    buf_free(&c);
    buf_free(&b);
    buf_free(&a);
    buf_free(&whole);
}

/* ---- the objects ---- */

struct objects {
    struct install_object *v;
    size_t n, cap;
};

static int add_object(void *ctx, const struct yaml_value *doc, struct err *err) {
    static const struct gvr kinds[] = {
        {"", "v1", "namespaces", "Namespace", false},
        {"", "v1", "serviceaccounts", "ServiceAccount", true},
        {"rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", false},
        {"rbac.authorization.k8s.io", "v1", "clusterrolebindings", "ClusterRoleBinding", false},
        {"rbac.authorization.k8s.io", "v1", "roles", "Role", true},
        {"rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding", true},
        {"apps", "v1", "deployments", "Deployment", true},
        {"policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", true},
        {"flowcontrol.apiserver.k8s.io", "v1", "flowschemas", "FlowSchema", false},
        {"admissionregistration.k8s.io", "v1", "mutatingadmissionpolicies", "MutatingAdmissionPolicy", false},
        {"admissionregistration.k8s.io", "v1", "mutatingadmissionpolicybindings",
         "MutatingAdmissionPolicyBinding", false},
    };
    struct objects *o = ctx;
    const struct yaml_value *kind = yaml_get(doc, "kind"), *meta = yaml_get(doc, "metadata"),
                            *name = yaml_get(meta, "name"), *ns = yaml_get(meta, "namespace");
    for (size_t i = 0; kind && name && i < ARRAY_LEN(kinds); i++) {
        const struct gvr *g = &kinds[i];
        if (!slice_eqs(kind->text, g->kind)) continue;
        struct buf path = BUF(4096), what = BUF(4096);
        gvr_path(&path, g, ns ? ns->text : (struct slice){0}, name->text, (struct slice){0});
        for (const char *c = g->kind; *c; c++) buf_addc(&what, *c >= 'A' && *c <= 'Z' ? (char)(*c + 32) : *c);
        buf_addf(&what, "%s%s/%.*s", *g->group ? "." : "", g->group, SLF(name->text));
        o->v = xgrow(o->v, &o->cap, o->n + 1, sizeof *o->v);
        o->v[o->n++] = (struct install_object){.path = buf_take(&path),
                                               .what = buf_take(&what),
                                               .is_namespace = g == &kinds[0],
                                               .is_deployment = strcmp(g->resource, "deployments") == 0};
        return 0;
    }
    return err_set(err, ERR_PROTOCOL, -EPROTO, "line %zu: a manifest of no known kind", doc->line);
}

int install_objects(struct slice yaml, struct install_object **ret, size_t *ret_n, struct err *err) {
    struct objects o = {0};
    struct slice sep = SL("\n---\n");
    int r = 0;
    while (yaml.n && r == 0) {
        const char *end = memmem(yaml.p, yaml.n, sep.p, sep.n);
        size_t n = end ? (size_t)(end - yaml.p) + 1 : yaml.n, before = o.n;
        struct slice text = slice_make(yaml.p, n);
        r = yaml_each(text, YAML_UNIQUE_KEYS, add_object, &o, err);
        if (r == 0 && o.n > before) o.v[before].text = text;
        yaml = end ? slice_make(end + 1, yaml.n - n) : (struct slice){0};
        /* the separator begins the next document */
    }
    if (r < 0) {
        install_objects_free(o.v, o.n);
        return r;
    }
    *ret = o.v;
    *ret_n = o.n;
    return 0;
}

void install_objects_free(struct install_object *v, size_t n) {
    for (size_t i = 0; i < n; i++) {
        free(v[i].path);
        free(v[i].what);
    }
    free(v);
}

bool install_made(const cJSON *obj) {
    const cJSON *list = json_arr(json_obj(obj, "metadata"), "managedFields");
    for (const cJSON *one = list ? list->child : NULL; one; one = one->next)
        if (strcmp(json_str_or(one, "manager", ""), INSTALL_MANAGER) == 0 &&
            strcmp(json_str_or(one, "operation", ""), "Apply") == 0)
            return true;
    return false;
}

void install_args_free(char **args) {
    for (char **p = args; p && *p; p++) free(*p);
    free(args);
}

int install_kept_args(const cJSON *deployment, char ***ret, struct err *err) {
    const char *text = json_str(json_at(deployment, "metadata/annotations"), INSTALL_ARGS);
    *ret = NULL;
    if (!text) return 0;
    cleanup_json cJSON *list = json_parse(slice_of(text), NULL);
    int n = cJSON_IsArray(list) ? cJSON_GetArraySize(list) : -1, i = 0;
    char **args = xcalloc((size_t)(n < 0 ? 0 : n) + 1, sizeof *args);
    const cJSON *one;
    bool ok = n >= 0 && n <= INSTALL_MAX_ARGS;
    for (one = ok ? list->child : NULL; one && ok; one = one->next) {
        const char *arg = cJSON_GetStringValue(one);
        ok = arg && install_check_arg(arg, NULL) == 0;
        if (ok) args[i++] = xstrdup(arg);
    }
    if (ok && n > 0) {
        *ret = args;
        return 0;
    }
    install_args_free(args);
    if (ok) return 0;
    return err_set(err, ERR_CONFIG, -EINVAL,
                   "annotation " INSTALL_ARGS
                   " of the Deployment, which has the arguments to keep, is not a list of options: "
                   "read %.100s; give them again with --arg, or none with --arg=",
                   text);
}
