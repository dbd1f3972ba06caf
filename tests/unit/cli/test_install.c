/* The manifests in the program, with options in them, and what is made of them. */
#include "../case.h"
#include "../check.h"
#include "../each.h"
#include "install.h"
#include "yaml/yaml.h"
#include <errno.h>

static const struct install_options usual = {.ns = INSTALL_NAMESPACE,
                                             .image = INSTALL_IMAGE,
                                             .replicas = INSTALL_REPLICAS,
                                             .part = {true, true, true, true}};

CASE(the_files_as_they_are) {
    cleanup_buf struct buf out = BUF(1 << 20), want = BUF(1 << 20);
    each_of(name,
            "00-namespace|10-rbac|12-objects|15-metrics-account|16-page|20-deployment|policy/pdb|policy/"
            "flowschema|policy/hold/hold") {
        char line[8192];
        cleanup_free char *path = xasprintf(MANIFESTS "/%.*s.yaml", SLF(name));
        FILE *f = fopen(path, "re");
        assert_non_null(f);
        buf_adds(&want, "---\n");
        while (fgets(line, sizeof line, f)) buf_adds(&want, line);
        fclose(f);
    }
    install_text(&usual, &out);
    assert_string_equal(buf_str(&out), buf_str(&want));
}

CASE(options_in_the_text) {
    struct install_options o = usual;
    cleanup_buf struct buf out = BUF(1 << 20);
    o.ns = "ops";
    o.image = "registry.example:5000/handover@sha256:00";
    o.replicas = 3;
    o.part[INSTALL_FLOW] = false;
    install_text(&o, &out);
    const char *text = buf_str(&out);
    assert_has(text, "\n        image: \"registry.example:5000/handover@sha256:00\"\n");
    assert_has(text, "\n  replicas: 3\n");
    assert_has(text, "\n        - --lease-namespace=ops\n");
    assert_has(text, "system:serviceaccount:ops:handover'");
    assert_lacks(text, "handover-system");
    assert_lacks(text, "handover:dev");
    assert_lacks(text, "replicas: 2");
    assert_lacks(text, "FlowSchema");
}

/* The annotation as the API server keeps it. */
static int take_note(void *ctx, const struct yaml_value *doc, struct err *err) {
    const struct yaml_value *notes = yaml_get(yaml_get(doc, "metadata"), "annotations"),
                            *note = yaml_get(notes, INSTALL_ARGS);
    (void)err;
    if (!note) return 0;
    assert_true(slice_eqs(yaml_get(doc, "kind")->text, "Deployment"));
    cJSON *to = cJSON_AddObjectToObject(cJSON_AddObjectToObject(ctx, "metadata"), "annotations");
    cleanup_free char *text = slice_dup(note->text);
    cJSON_AddStringToObject(to, INSTALL_ARGS, text);
    return 0;
}

/* Behind those of the manifests, where the last one counts; and noted on the Deployment, to be read by the next install. */
CASE(arguments_in_the_text) {
    struct install_options o = usual;
    char *args[] = {(char *)(uintptr_t) "--notify=https://x/#\\\"", (char *)(uintptr_t) "--page=off", NULL},
         **kept;
    cleanup_json cJSON *deployment = cJSON_CreateObject();
    cleanup_buf struct buf out = BUF(1 << 20);
    struct err err = {0};
    o.args = args;
    install_text(&o, &out);
    assert_has(buf_str(&out),
               "\n        - --metrics-account=handover-metrics # 15-metrics-account.yaml\n"
               "        - \"--notify=https://x/#\\\\\\\"\"\n        - \"--page=off\"\n        env:\n");
    assert_int_equal(yaml_each(buf_slice(&out), YAML_UNIQUE_KEYS, take_note, deployment, &err), 0);
    assert_int_equal(install_kept_args(deployment, &kept, &err), 0);
    for (size_t i = 0; i < 3; i++) assert_true(args[i] ? kept[i] && strcmp(kept[i], args[i]) == 0 : !kept[i]);
    install_args_free(kept);
}

/* Said to be none: that takes the place of what another client has noted. */
CASE(no_arguments_are_noted_too) {
    struct install_options o = usual;
    char *args[] = {NULL};
    cleanup_buf struct buf out = BUF(1 << 20);
    o.args = args;
    install_text(&o, &out);
    assert_has(buf_str(&out), "\n    cli.handover.dev/args: \"[]\"\nspec:\n");
    assert_has(buf_str(&out), "# 15-metrics-account.yaml\n        env:\n");
}

CASE(kept_arguments) {
    static const struct {
        const char *note;
        bool ok;
    } rows[] = {{NULL, true},   {"[]", true},       {"--page=off", false},    {"{}", false},
                {"[1]", false}, {"['run']", false}, {"['--page=off']", true}, {"['--a','--b\\n']", false}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err err = {0};
        char **kept = NULL;
        cleanup_json cJSON *obj = cJSON_CreateObject();
        cJSON *notes = cJSON_AddObjectToObject(cJSON_AddObjectToObject(obj, "metadata"), "annotations");
        cleanup_free char *note = rows[i].note ? quoted(xstrdup(rows[i].note)) : NULL;
        if (note) cJSON_AddStringToObject(notes, INSTALL_ARGS, note);
        assert_int_equal(install_kept_args(obj, &kept, &err), rows[i].ok ? 0 : -EINVAL);
        assert_int_equal(kept != NULL, rows[i].ok && note && strcmp(note, "[]") != 0);
        if (!rows[i].ok) assert_has(err.msg, "give them again with --arg, or none with --arg=");
        install_args_free(kept);
    }
    char **kept = NULL;
    assert_int_equal(install_kept_args(NULL, &kept, NULL), 0); /* not installed yet */
    assert_null(kept);
}

CASE(the_objects) {
    cleanup_buf struct buf out = BUF(1 << 20), seen = BUF(1 << 16);
    struct install_object *v = NULL;
    size_t n = 0;
    install_text(&usual, &out);
    assert_int_equal(install_objects(buf_slice(&out), &v, &n, NULL), 0);
    assert_true(n > 20);
    assert_true(v[0].is_namespace); /* uninstall counts on it */
    for (size_t i = 0; i < n; i++) {
        assert_true(v[i].text.n > 40);
        assert_int_equal(v[i].is_namespace, i == 0);
        buf_addf(&seen, "%s %s\n", v[i].what, v[i].path);
    }
    assert_has(buf_str(&seen), "namespace/handover-system /api/v1/namespaces/handover-system\n");
    assert_has(buf_str(&seen), "deployment.apps/handover "
                               "/apis/apps/v1/namespaces/handover-system/deployments/handover\n");
    assert_has(buf_str(&seen), "clusterrole.rbac.authorization.k8s.io/handover "
                               "/apis/rbac.authorization.k8s.io/v1/clusterroles/handover\n");
    assert_has(buf_str(&seen),
               "mutatingadmissionpolicybinding.admissionregistration.k8s.io/handover-hold "
               "/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicybindings/handover-hold\n");
    install_objects_free(v, n);
    struct err err = {0};
    assert_int_equal(install_objects(SL("kind: Odd\nmetadata: {name: x}\n"), &v, &n, &err), -EPROTO);
    assert_has(err.msg, "no known kind");
}

CASE(what_a_server_has) {
    static const struct {
        long minor;
        const char *parts;
    } rows[] = {{20, "1000"}, {21, "1100"}, {28, "1100"}, {29, "1110"},
                {35, "1110"}, {36, "1111"}, {99, "1111"}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        bool part[INSTALL_PARTS];
        install_parts_of(rows[i].minor, part);
        for (size_t k = 0; k < INSTALL_PARTS; k++) assert_int_equal(part[k], rows[i].parts[k] == '1');
    }
    assert_true(
        install_api_has(SL("{\"resources\":[{\"name\":\"a\"},{\"name\":\"flowschemas\"}]}"), "flowschemas"));
    assert_false(install_api_has(SL("{\"resources\":[{\"name\":\"flowschemas/status\"}]}"), "flowschemas"));
    assert_false(install_api_has(SL("no JSON"), "flowschemas"));
}

CASE(whose_an_object_is) {
    static const struct {
        const char *fields;
        bool made;
    } rows[] = {
        {"[{\"manager\":\"handover-cli\",\"operation\":\"Apply\"}]", true},
        {"[{\"manager\":\"kubectl\",\"operation\":\"Update\"},{\"manager\":\"handover-cli\",\"operation\":"
         "\"Apply\"}]",
         true},
        {"[{\"manager\":\"handover-cli\",\"operation\":\"Update\"}]", false},
        {"[{\"manager\":\"handover-cli:me\",\"operation\":\"Apply\"}]", false},
        {"[{\"manager\":\"kubectl\",\"operation\":\"Apply\"}]", false},
        {"[]", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        cleanup_free char *text = xasprintf("{\"metadata\":{\"managedFields\":%s}}", rows[i].fields);
        cleanup_json cJSON *obj = json_parse(slice_of(text), NULL);
        assert_int_equal(install_made(obj), rows[i].made);
    }
    assert_false(install_made(NULL));
}

CASE(an_image) {
    struct err err = {0};
    assert_int_equal(install_check_image("registry.example/handover:1.0", &err), 0);
    static const char *const bad[] = {"", "a b", "a\nb", "a\x7f"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(install_check_image(bad[i], &err), -EINVAL);
        assert_has(err.msg, "allowed is");
    }
}

CASES("cli/install")
