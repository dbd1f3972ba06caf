/* The canary's ReplicaSet: the user's template byte for byte, labels of ours, what cannot be made, and
 * overrides. */
#include "../case.h"
#include "../each.h"
#include "api/selector.h"
#include "base/json_raw.h"
#include "plan/canary.h"
#include "plan/plan.h"

static struct obs_target target(const char *selector, const char *tmpl) {
    return (struct obs_target){.kind = &workload_deployment,
                               .id = (char *)(uintptr_t) "op",
                               .ns = (char *)(uintptr_t) "ns",
                               .name = (char *)(uintptr_t) "op",
                               .uid = (char *)(uintptr_t) "u-1",
                               .selector = (char *)(uintptr_t)selector,
                               .tmpl = (char *)(uintptr_t)tmpl,
                               .hash = "abcdefghij"};
}

#define SPEC     "'spec':{'containers':[{'name':'c','n':9007199254740993,'e':1e15,'s':'a\\u0000b'}]}"
#define TEMPLATE "{'metadata':{'labels':{'app':'op'}}," SPEC "}"
#define TRACKED  "{'metadata':{'labels':{'handover.dev/track':'stable','app':'op'}}}"

static bool finds(const cJSON *selector, const cJSON *labels) {
    CLEANUP(selector) struct selector *sel = NULL;
    assert_int_equal(selector_from_spec(selector, &sel, NULL), 0);
    return selector_match(sel, labels);
}

CASE(manifest) {
    static const char *const selectors[] = {
        "{'matchLabels':{'app':'op'}}",
        "{'matchExpressions':[{'key':'app','operator':'In','values':['op','x']}]}",
        "{'matchLabels':{'app':'op'},'matchExpressions':[{'key':'app','operator':'Exists'}]}",
        "{'matchLabels':{'app':'op'},'matchExpressions':null}",
    };
    for (size_t i = 0; i < ARRAY_LEN(selectors); i++) {
        cleanup_free char *selector = quoted(xstrdup(selectors[i]));
        struct obs_target t = target(selector, J(TEMPLATE));
        cleanup_buf struct buf out = BUF(1 << 16);
        struct err e = {0};
        if (canary_manifest(&t, NULL, 3, &out, &e) < 0) fail_msg("%s", e.msg);
        cleanup_json cJSON *rs = json_parse(buf_slice(&out), &e);
        if (!rs) fail_msg("%s: %s", e.msg, buf_str(&out));
        const cJSON *meta = json_get(rs, "metadata"), *spec = json_get(rs, "spec"),
                    *own = json_get(meta, "labels"), *pods = json_at(spec, "template/metadata/labels"),
                    *owner = json_arr(meta, "ownerReferences")->child;
        assert_string_equal(json_str(meta, "name"), "op-canary-abcdefghij");
        assert_string_equal(json_str(meta, "namespace"), "ns");
        assert_string_equal(json_str(own, LABEL_TARGET), "u-1");
        assert_string_equal(json_str(own, LABEL_TEMPLATE), "abcdefghij");
        assert_string_equal(json_str(owner, "uid"), "u-1");
        assert_false(json_bool(owner, "controller", true) || json_bool(owner, "blockOwnerDeletion", true));
        assert_int_equal(json_i64(spec, "replicas", -1), 3);
        assert_string_equal(json_str(pods, LABEL_TRACK), "canary");
        assert_string_equal(json_str(pods, "app"), "op");
        /* its pods are the target's too, stable's pods are not the canary's, and it is nobody's to adopt */
        cleanup_json cJSON *targets = json_parse(slice_of(selector), NULL);
        cleanup_json cJSON *stables = json_parse(JS("{'app':'op','pod-template-hash':'x'}"), NULL);
        assert_true(finds(targets, pods) && !finds(targets, own));
        assert_true(finds(json_get(spec, "selector"), pods) && !finds(json_get(spec, "selector"), stables));
        assert_non_null(strstr(buf_str(&out), J(SPEC))); /* nothing was reprinted */
    }
}

/* Labels of ours in the user's template and selector: ours count, once. */
CASE(labels_that_are_there_already) {
    struct obs_target t = target(J("{'matchLabels':{'app':'op'}}"), J(TRACKED));
    cleanup_buf struct buf out = BUF(1 << 16);
    struct err e = {0};
    if (canary_manifest(&t, NULL, 1, &out, &e) < 0) fail_msg("%s", e.msg);
    cleanup_json cJSON *rs = json_parse(buf_slice(&out), NULL);
    assert_string_equal(json_str(json_at(rs, "spec/template/metadata/labels"), LABEL_TRACK), "canary");
    assert_null(strstr(buf_str(&out), "\"stable\""));
}

CASE(what_cannot_be_made) {
#define EXPRESSION(key, op) "'matchExpressions':[{'key':'" key "','operator':'" op "'"
    static const struct {
        const char *selector, *tmpl, *why;
    } v[] = {
        {"{" EXPRESSION("app", "NotIn") ",'values':['x']}]}", TEMPLATE,
         "spec.selector matches the canary's ReplicaSet ({\"app.kubernetes.io/managed-by\":\"handover\","},
        {"{}", TEMPLATE, "spec.selector matches the canary's ReplicaSet"},
        {"{'matchLabels':{'app':'op'}," EXPRESSION("handover.dev/track", "DoesNotExist") "}]}", TEMPLATE,
         "spec.selector does not match the canary's pods ("},
        {"{'matchLabels':{'app':'op','handover.dev/track':'stable'}}", TRACKED,
         "spec.selector does not match the canary's pods ("},
        {"{" EXPRESSION("app", "Near") "}]}", TEMPLATE, "spec.selector: "},
    };
    struct err e = {0};
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        cleanup_free char *selector = quoted(xstrdup(v[i].selector)), *tmpl = quoted(xstrdup(v[i].tmpl));
        struct obs_target t = target(selector, tmpl);
        cleanup_buf struct buf out = BUF(1 << 16);
        assert_true(canary_manifest(&t, NULL, 1, &out, &e) < 0);
        assert_int_equal(e.kind, ERR_CONFIG);
        if (!slice_starts(slice_of(e.msg), slice_of(v[i].why))) fail_msg("%zu: %s", i, e.msg);
    }
    struct obs_target t = target(J("{'matchLabels':{'app':'op'}}"), J(TEMPLATE));
    cleanup_buf struct buf small = BUF(300);
    assert_true(canary_manifest(&t, NULL, 1, &small, &e) < 0);
    assert_string_equal(e.msg, "the canary's ReplicaSet is larger than 300 bytes");
}

CASE(names) {
    char longest[254];
    memset(longest, 'a', 253);
    longest[253] = '\0';
    longest[222] = '.';
    longest[223] = '-';
    cleanup_free char *a = canary_name("op", "abc"), *b = canary_name(longest, "abcdefghij");
    assert_string_equal(a, "op-canary-abc");
    assert_true(strlen(b) <= 253 && slice_ends(slice_of(b), SL("-canary-abcdefghij")));
    assert_true(b[221] == 'a' && b[222] == '-' && b[223] != '-'); /* the cut does not end with ".-" */
}

static void split(char *text, char *ret[4]) {
    char *save = NULL;
    for (char *w = strtok_r(text, " ", &save); w; w = strtok_r(NULL, " ", &save)) *ret++ = w;
}

/* args, env: words; NULL: there is no such annotation. want "": as it was. */
static void overridden(const char *tmpl, const char *args, const char *env, const char *want) {
    char *words[4] = {NULL}, *vars[4] = {NULL};
    cleanup_free char *a = xstrdup(args ? args : ""), *v = xstrdup(env ? env : ""),
                      *from = quoted(xstrdup(tmpl)), *to = quoted(xstrdup(*want ? want : tmpl));
    split(a, words);
    split(v, vars);
    cleanup_buf struct buf out = BUF(1 << 16);
    template_with_overrides(slice_of(from), args ? words : NULL, env ? vars : NULL, &out);
    assert_string_equal(buf_str(&out), to);
    assert_int_equal(json_raw_check(buf_slice(&out), NULL), 0);
}

CASE(overrides) {
#define SPEC_OF(first) "{'spec':{'x':1e15,'containers':[{'name':'a'," first "},{'name':'b'}]}}"
#define ARGS           "'args':['run','--id=old','--v=2']"
#define ENV            "'env':[{'name':'A','value':'1'},{'name':'B'}]"
    overridden(SPEC_OF(ARGS "," ENV ",'z':1"), NULL, NULL, "");
    overridden(SPEC_OF(ARGS "," ENV ",'z':1"), "--id=new --more", NULL,
               SPEC_OF(ENV ",'z':1,'args':['run','--v=2','--id=new','--more']"));
    overridden(SPEC_OF(ARGS "," ENV ",'z':1"), NULL, "B=x=y C=",
               SPEC_OF(ARGS ",'z':1,'env':[{'name':'A','value':'1'},{'name':'B','value':'x=y'},"
                            "{'name':'C','value':''}]"));
    overridden("{'spec':{'containers':[{}]}}", "--x=1", "A=1",
               "{'spec':{'containers':[{'args':['--x=1'],'env':[{'name':'A','value':'1'}]}]}}");
    overridden("{'spec':{'containers':[]}}", "--x=1", NULL, "");
    overridden("{'a':1}", "--x=1", NULL, "");
}

/* A proxy for the metrics stands first in generated manifests: it has no use for the operator's flags. */
CASE(overrides_of_the_main_container) {
#define NAMED(list)                                                                                          \
    "{'metadata':{'annotations':{'kubectl.kubernetes.io/default-container':'manager'}},"                     \
    "'spec':{'containers':[" list "]}}"
    overridden(NAMED("{'name':'proxy'},{'name':'manager'}"), "--x=1", NULL,
               NAMED("{'name':'proxy'},{'name':'manager','args':['--x=1']}"));
    overridden(NAMED("{'name':'proxy'}"), "--x=1", NULL, NAMED("{'name':'proxy','args':['--x=1']}"));
}

static int placed(const char *tmpl, const char *labels, const char *hash, struct buf *out, struct err *e) {
    char *words[4] = {NULL};
    cleanup_free char *l = xstrdup(labels ? labels : ""), *from = quoted(xstrdup(tmpl));
    split(l, words);
    return template_with_nodes(slice_of(from), labels ? words : NULL, hash, out, e);
}

CASE(nodes_of_its_own) {
#define SPREAD                                                                                               \
    "{'maxSkew':1,'topologyKey':'kubernetes.io/hostname','whenUnsatisfiable':'ScheduleAnyway',"              \
    "'labelSelector':{'matchLabels':{'handover.dev/track':'canary','handover.dev/template':'h'}}}"
#define PLACED(selector, spread)                                                                             \
    "{'a':1,'spec':{'x':1e15,'nodeSelector':{" selector "},'topologySpreadConstraints':[" spread "]},'z':2}"
#define OWN_SPREAD(when) "{'maxSkew':2,'topologyKey':'kubernetes.io/hostname','whenUnsatisfiable':'" when "'}"
    static const struct {
        const char *tmpl, *labels, *want;
    } v[] = {
        {"{'a':1,'spec':{'x':1e15},'z':2}", "pool=canary zone=a",
         PLACED("'pool':'canary','zone':'a'", SPREAD)},
        {"{'a':1,'spec':{'x':1e15},'z':2}",
         "node-role.kubernetes.io/canary=", PLACED("'node-role.kubernetes.io/canary':''", SPREAD)},
        {"{'a':1,'spec':{'nodeSelector':{'os':'l\\u0069nux','pool':'canary'},'x':1e15},'z':2}", "pool=canary",
         PLACED("'os':'l\\u0069nux','pool':'canary'", SPREAD)},
        {"{'a':1,'spec':{'nodeSelector':null,'topologySpreadConstraints':null,'nodeName':'','x':1e15},'z':2}",
         "pool=canary", NULL},
        {"{'a':1,'spec':{'x':1e15,'topologySpreadConstraints':[" OWN_SPREAD("DoNotSchedule") "]},'z':2}",
         "pool=canary", PLACED("'pool':'canary'", OWN_SPREAD("DoNotSchedule") "," SPREAD)},
        /* the API server takes one of a kind */
        {"{'a':1,'spec':{'x':1e15,'topologySpreadConstraints':[" OWN_SPREAD("ScheduleAnyway") "]},'z':2}",
         "pool=canary", PLACED("'pool':'canary'", OWN_SPREAD("ScheduleAnyway"))},
        {"{'a':1,'spec':{}}", NULL, "{'a':1,'spec':{}}"},
        {"{'spec':{}}", "a=b",
         "{'spec':{'nodeSelector':{'a':'b'},'topologySpreadConstraints':[" SPREAD "]}}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        cleanup_buf struct buf out = BUF(1 << 16);
        struct err e = {0};
        if (placed(v[i].tmpl, v[i].labels, "h", &out, &e) < 0) fail_msg("%zu: %s", i, e.msg);
        assert_int_equal(json_raw_check(buf_slice(&out), NULL), 0);
        if (!v[i].want) continue;
        cleanup_free char *want = quoted(xstrdup(v[i].want));
        assert_string_equal(buf_str(&out), want);
    }
}

CASE(nodes_that_the_template_contradicts) {
    static const struct {
        const char *tmpl, *why;
    } v[] = {
        {"{'spec':{'nodeName':'n1'}}", "handover.dev/canary-nodes: the template's spec.nodeName is \"n1\""},
        {"{'spec':{'nodeSelector':{'x':'y','pool':'main'}}}",
         "handover.dev/canary-nodes: \"pool=canary\" contradicts the template's own spec.nodeSelector, where "
         "pool is \"main\"; allowed: "},
        {"{'spec':null}", "spec.template.spec is no object"},
        {"{}", "spec.template.spec is no object"},
    };
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        cleanup_buf struct buf out = BUF(1 << 16);
        struct err e = {0};
        assert_true(placed(v[i].tmpl, "zone=a pool=canary", "h", &out, &e) < 0);
        assert_int_equal(e.kind, ERR_CONFIG);
        if (!slice_starts(slice_of(e.msg), slice_of(v[i].why))) fail_msg("%zu: %s", i, e.msg);
    }
}

static int emptied(const char *tmpl, const char *claims, struct buf *out, struct err *e) {
    cleanup_free char *from = quoted(xstrdup(tmpl)), *names = claims ? quoted(xstrdup(claims)) : NULL;
    return template_with_empty_volumes(slice_of(from), slice_of(names), out, e);
}

/* As the StatefulSet controller: the set's claims come first and take the place of the template's volumes of their names. All else is
 * the template's, byte for byte. */
CASE(empty_volumes_in_the_place_of_claims) {
#define EMPTY(name) "{'name':" name ",'emptyDir':{}}"
    static const struct {
        const char *tmpl, *claims, *want; /* NULL: as it was */
    } v[] = {
        {"{'spec': {'x' : 1e15 },'z':2}", "['data']",
         "{'spec': {'volumes':[" EMPTY("'data'") "],'x' : 1e15 },'z':2}"},
        {"{'spec':{}}", "['a','b']", "{'spec':{'volumes':[" EMPTY("'a'") "," EMPTY("'b'") "]}}"},
        {"{'spec':{'volumes':null,'n':9007199254740993}}", "['a']",
         "{'spec':{'volumes':[" EMPTY("'a'") "],'n':9007199254740993}}"},
        {"{'spec':{'n':1,'volumes' : [ {'name':'tmp','x': "
         "1.0},{'emptyDir':{'sizeLimit':'1Gi'},'name':'d\\u0061ta'} ] } }",
         "['data']", "{'spec':{'n':1,'volumes' : [" EMPTY("'data'") ",{'name':'tmp','x': 1.0}] } }"},
        /* a Deployment's, which all of its pods have together */
        {"{'spec':{'volumes':[{'name':'a','secret':{}},{'persistentVolumeClaim':{'claimName':'c'},'name':'b'}"
         "]}}",
         NULL, "{'spec':{'volumes':[{'name':'a','secret':{}}," EMPTY("'b'") "]}}"},
        {"{'spec':{'volumes':[{'name':'b','persistentVolumeClaim':{'claimName':'c','readOnly':false}}]}}",
         "['a']", "{'spec':{'volumes':[" EMPTY("'a'") "," EMPTY("'b'") "]}}"},
        {"{'spec':{'volumes':[{'name':'b','persistentVolumeClaim':{'claimName':'c','readOnly':true}},"
         "{'name':'e','ephemeral':{'volumeClaimTemplate':{}}},{'name':'n','persistentVolumeClaim':null}]}}",
         NULL, NULL},
        {"{'spec':{'x' :1e15}}", NULL, NULL},
        {"{'spec':{'containers':[{'volumeDevices':[{'name':'other'}],'volumeMounts':[{'name':'a'}]}]}}",
         "['a']",
         "{'spec':{'volumes':[" EMPTY("'a'") "],'containers':[{'volumeDevices':[{'name':'other'}],"
                                             "'volumeMounts':[{'name':'a'}]}]}}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        cleanup_buf struct buf out = BUF(1 << 16);
        struct err e = {0};
        if (emptied(v[i].tmpl, v[i].claims, &out, &e) < 0) fail_msg("%zu: %s", i, e.msg);
        cleanup_free char *want = quoted(xstrdup(v[i].want ? v[i].want : v[i].tmpl));
        assert_string_equal(buf_str(&out), want);
        assert_int_equal(json_raw_check(buf_slice(&out), NULL), 0);
    }
}

CASE(volumes_that_cannot_be_empty) {
#define DEVICE(list)                                                                                         \
    "{'spec':{'" list "':[{},{'volumeDevices':[{'name':'x'},{'name':'raw','devicePath':'/dev/x'}]}]"
    static const struct {
        const char *tmpl, *claims, *why;
    } v[] = {
        {DEVICE("containers") "}}", "['data','raw']",
         "handover.dev/canary-volumes: \"empty\" is not possible, the template's containers have volume "
         "\"raw\" as a "
         "block device"},
        {DEVICE("initContainers") ",'volumes':[{'name':'raw','persistentVolumeClaim':{'claimName':'c'}}]}}",
         NULL, "handover.dev/canary-volumes: "},
        {"{'spec':[]}", "['a']", "spec.template.spec is no object"},
    };
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        cleanup_buf struct buf out = BUF(1 << 16);
        struct err e = {0};
        assert_true(emptied(v[i].tmpl, v[i].claims, &out, &e) < 0);
        assert_int_equal(e.kind, ERR_CONFIG);
        if (!slice_starts(slice_of(e.msg), slice_of(v[i].why))) fail_msg("%zu: %s", i, e.msg);
    }
}

CASE(claims_that_a_canary_shares) {
    static const struct {
        const char *tmpl, *claim; /* NULL: none */
    } v[] = {
        {"{'spec':{'volumes':[{'name':'a'},{'name':'b','persistentVolumeClaim':{'claimName':'c\\u0061che'}}]}"
         "}",
         "cache"},
        {"{'spec':{'volumes':[{'name':'b','persistentVolumeClaim':{'claimName':'c','readOnly':true}}]}}",
         NULL},
        {"{'spec':{'volumes':[{'name':'b','persistentVolumeClaim':{}}]}}", NULL},
        {"{'spec':{'volumes':null}}", NULL},
        {"{}", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        cleanup_free char *tmpl = quoted(xstrdup(v[i].tmpl));
        cleanup_buf struct buf claim = BUF(1024);
        bool shared = template_shared_claim(slice_of(tmpl), &claim);
        if (shared != !!v[i].claim || strcmp(buf_str(&claim), shared ? v[i].claim : "") != 0)
            fail_msg("%zu: %s", i, buf_str(&claim));
    }
}

CASE(manifest_of_a_set_with_claims) {
    struct obs_target t = target(J("{'matchLabels':{'app':'op'}}"), J(TEMPLATE));
    t.kind = &workload_statefulset;
    t.claims = J("['data']");
    for (int empty = 0; empty <= 1; empty++) {
        struct spec spec = {.empty_volumes = empty};
        cleanup_buf struct buf out = BUF(1 << 16);
        struct err e = {0};
        if (canary_manifest(&t, &spec, 1, &out, &e) < 0) fail_msg("%s", e.msg);
        assert_int_equal(strstr(buf_str(&out), J("'volumes':[" EMPTY("'data'") "]")) != NULL, empty);
        assert_non_null(strstr(buf_str(&out), "9007199254740993"));
    }
}

/* All that a canary is made by: its nodes, its overrides, its labels. */
CASE(manifest_on_nodes_of_its_own) {
    char *nodes[] = {(char *)(uintptr_t) "pool=canary", NULL};
    char *env[] = {(char *)(uintptr_t) "A=1", NULL};
    struct spec spec = {.canary_nodes = nodes, .canary_env = env};
    struct obs_target t = target(J("{'matchLabels':{'app':'op'}}"), J(TEMPLATE));
    cleanup_buf struct buf out = BUF(1 << 16);
    struct err e = {0};
    if (canary_manifest(&t, &spec, 1, &out, &e) < 0) fail_msg("%s", e.msg);
    cleanup_json cJSON *rs = json_parse(buf_slice(&out), NULL);
    const cJSON *pod = json_at(rs, "spec/template/spec"), *spread;
    spread = json_arr(pod, "topologySpreadConstraints")->child;
    assert_string_equal(json_str(json_get(pod, "nodeSelector"), "pool"), "canary");
    assert_string_equal(json_str(json_at(spread, "labelSelector/matchLabels"), LABEL_TEMPLATE), t.hash);
    assert_string_equal(json_str(json_at(rs, "spec/template/metadata/labels"), LABEL_TEMPLATE), t.hash);
    assert_string_equal(json_str(json_arr(json_arr(pod, "containers")->child, "env")->child, "value"), "1");
    assert_non_null(strstr(buf_str(&out), "9007199254740993"));
}

CASES("rollout/canary")
