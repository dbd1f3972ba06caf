/* The pods of a rehearsal: what is put between their containers and the API server, and that all else is as it was. */
#include "../case.h"
#include "../each.h"
#include "api/selector.h"
#include "base/json_raw.h"
#include "plan/rehearsal.h"

#define KEY     "0123456789abcdef0123456789abcdef"
#define ACCOUNT "/var/run/secrets/kubernetes.io/serviceaccount"

/* What stands there for each member that is ours. */
#define LABELS "'labels':{'handover.dev/rehearsal':'abcdefghij'}"
#define ENV                                                                                                  \
    "{'name':'KUBERNETES_SERVICE_HOST','value':'127.0.0.1'},"                                                \
    "{'name':'KUBERNETES_SERVICE_PORT','value':'26443'},"                                                    \
    "{'name':'KUBERNETES_SERVICE_PORT_HTTPS','value':'26443'},"                                              \
    "{'name':'KUBERNETES_PORT','value':'tcp://127.0.0.1:26443'}"
#define CREDENTIALS "'name':'handover-rehearsal-credentials'"
#define MOUNT       "{" CREDENTIALS ",'mountPath':'" ACCOUNT "','readOnly':true}"
#define VOLUMES                                                                                              \
    "{" CREDENTIALS ",'emptyDir':{'medium':'Memory','sizeLimit':'1Mi'}},"                                    \
    "{'name':'handover-rehearsal-token','projected':{'sources':["                                            \
    "{'serviceAccountToken':{'path':'token','expirationSeconds':3600}},"                                     \
    "{'configMap':{'name':'kube-root-ca.crt','items':[{'key':'ca.crt','path':'ca.crt'}]}},"                  \
    "{'downwardAPI':{'items':[{'path':'namespace','fieldRef':{'fieldPath':'metadata.namespace'}}]}}]}}"
#define SIDECAR                                                                                              \
    "{'name':'handover-rehearsal','image':'handover:dev','imagePullPolicy':'IfNotPresent',"                  \
    "'restartPolicy':'Always','args':['rehearse','--sidecar=/var/run/handover-rehearsal',"                   \
    "'--listen=127.0.0.1:26443','--report=:26444'],'env':[{'name':'HANDOVER_REHEARSAL_KEY','value':'" KEY    \
    "'}],'ports':[{'name':'rehearsal','containerPort':26444}],"                                              \
    "'startupProbe':{'httpGet':{'path':'/readyz','port':26444},'periodSeconds':1,'failureThreshold':60},"    \
    "'resources':{'requests':{'cpu':'10m','memory':'64Mi'},'limits':{'memory':'256Mi'}},"                    \
    "'securityContext':{'runAsNonRoot':true,'runAsUser':65532,'runAsGroup':65532,"                           \
    "'allowPrivilegeEscalation':false,'readOnlyRootFilesystem':true,'capabilities':{'drop':['ALL']},"        \
    "'seccompProfile':{'type':'RuntimeDefault'}},"                                                           \
    "'volumeMounts':[{'name':'handover-rehearsal-token','mountPath':'" ACCOUNT "','readOnly':true},"         \
    "{" CREDENTIALS ",'mountPath':'/var/run/handover-rehearsal'}]}"
/* Of a template whose pod has these members, init containers, containers and volumes. */
#define RESULT(meta, spec, inits, containers, volumes)                                                       \
    "{" meta ",'spec':{" spec "'automountServiceAccountToken':false,'initContainers':[" SIDECAR inits        \
    "],'containers':[" containers "],'volumes':[" volumes VOLUMES "]}}"
#define ONLY(env, mounts) "{'name':'m','env':[" ENV env "],'volumeMounts':[" mounts MOUNT "]}"

static int rehearsed(const char *tmpl, enum rehearsed of, struct buf *out, struct err *err) {
    cleanup_free char *text = quoted(xstrdup(tmpl));
    struct rehearsal_pod p = {
        .of = of, .hash = "abcdefghij", .tmpl = text, .image = "handover:dev", .key = KEY};
    return rehearsal_template(&p, out, err);
}

static void becomes(const char *tmpl, const char *want) {
    cleanup_buf struct buf out = BUF(1 << 16);
    struct err e = {0};
    cleanup_free char *to = quoted(xstrdup(want));
    if (rehearsed(tmpl, REHEARSED_NEW, &out, &e) < 0) fail_msg("%s", e.msg);
    assert_string_equal(buf_str(&out), to);
    assert_int_equal(json_raw_check(buf_slice(&out), NULL), 0);
}

CASE(a_plain_template) {
    becomes("{'metadata':{'labels':{'app':'op'}},'spec':{'containers':[{'name':'m'}]}}",
            RESULT("'metadata':{" LABELS "}", "", "", ONLY("", ""), ""));
    becomes("{'spec':{'containers':[{'name':'m','env':null,'volumeMounts':null}],'volumes':null}}",
            RESULT("'metadata':{" LABELS "}", "", "", ONLY("", ""), ""));
}

CASE(groups_of_custom_resources_are_named_to_the_sidecar) {
    cleanup_free char *text = quoted(xstrdup("{'spec':{'containers':[{'name':'m'}]}}"));
    cleanup_buf struct buf out = BUF(1 << 16);
    struct rehearsal_pod p = {.of = REHEARSED_NEW,
                              .hash = "abcdefghij",
                              .tmpl = text,
                              .image = "handover:dev",
                              .groups = "example.com\nb.org\n",
                              .key = KEY};
    assert_int_equal(rehearsal_template(&p, &out, NULL), 0);
    assert_non_null(strstr(buf_str(&out), ",\"--allow-group=example.com\",\"--allow-group=b.org\"],\"env\""));
}

/* Everything that is not named is byte for byte as it was, at its place among its like. */
CASE(what_stays_and_what_does_not) {
    becomes(
        "{'metadata':{'annotations':{'a/b':'c\\u0064'},'labels':{'app':'op','x':'y'},'z':1e15},'more':[1],"
        "'spec':{'serviceAccountName':'op','readinessGates':[{'conditionType':'x'}],"
        "'automountServiceAccountToken':true,'restartPolicy':'Always','n':9007199254740993,"
        "'initContainers':[{'name':'i','image':'x'}],"
        "'containers':[{'name':'m','args':['--a'],'ports':[{'containerPort':1}]},{'name':'n'}]}}",
        RESULT("'more':[1],'metadata':{'annotations':{'a/b':'c\\u0064'},'z':1e15," LABELS "}",
               "'serviceAccountName':'op','restartPolicy':'Always','n':9007199254740993,",
               ",{'name':'i','image':'x','env':[" ENV "],'volumeMounts':[" MOUNT "]}",
               "{'name':'m','args':['--a'],'ports':[{'containerPort':1}],'env':[" ENV
               "],'volumeMounts':[" MOUNT "]},{'name':'n','env':[" ENV "],'volumeMounts':[" MOUNT "]}",
               ""));
}

/* Ours come first, since others may refer to them; those of the cluster's address are nobody's own. */
CASE(the_address_of_the_api_server) {
    becomes("{'spec':{'containers':[{'name':'m','env':[{'name':'A','value':'$(KUBERNETES_SERVICE_HOST)'},"
            "{'name':'KUBERNETES_SERVICE_HOST','value':'api.example.com'},{'name':'KUBERNETES_PORT'},"
            "{'name':'KUBERNETES_SERVICE_\\u0050ORT','value':'443'},{'name':'B'}]}]}}",
            RESULT("'metadata':{" LABELS "}", "", "",
                   ONLY(",{'name':'A','value':'$(KUBERNETES_SERVICE_HOST)'},{'name':'B'}", ""), ""));
}

#define CONTAINER(mounts)        "'containers':[{'name':'m','volumeMounts':[" mounts "]}]"
#define TOKEN(path)              "{'serviceAccountToken':{'path':'" path "'}}"
#define ROOT_CA                  "{'configMap':{'name':'kube-root-ca.crt'}}"
#define DOWNWARD(field)          "{'downwardAPI':{'items':[{'path':'n','fieldRef':{'fieldPath':'" field "'}}]}}"
#define PROJECTED(name, sources) "{'name':'" name "','projected':{'defaultMode':420,'sources':[" sources "]}}"

/* The account's token reaches the sidecar alone, whatever brings it. */
CASE(no_token_of_the_account) {
    static const struct {
        const char *volume, *mount;    /* of the template */
        const char *want, *want_mount; /* "": gone */
    } v[] = {
        /* by itself, or with what an account's directory has */
        {PROJECTED("t", TOKEN("token")), "{'name':'t','mountPath':'/x'}", "",
         "{'mountPath':'/x'," CREDENTIALS ",'readOnly':true},"},
        {PROJECTED("t", TOKEN("vault")), "{'name':'t','mountPath':'/x','readOnly':false,'subPath':'vault'}",
         "", "{'mountPath':'/x','subPath':'vault'," CREDENTIALS ",'readOnly':true},"},
        {PROJECTED("t", ROOT_CA "," TOKEN("token") "," DOWNWARD("metadata.namespace")),
         "{'name':'t','mountPath':'" ACCOUNT "'}", "", ""},
        /* with other things beside it, which stay */
        {PROJECTED("t", TOKEN("token") ",{'secret':{'name':'s'}}"), "{'name':'t','mountPath':'/x'}",
         "{'name':'t','projected':{'defaultMode':420,'sources':[{'secret':{'name':'s'}}]}},",
         "{'name':'t','mountPath':'/x'},"},
        {PROJECTED("t", DOWNWARD("metadata.labels") "," TOKEN("token")), "{'name':'t','mountPath':'/x'}",
         "{'name':'t','projected':{'defaultMode':420,'sources':[" DOWNWARD("metadata.labels") "]}},",
         "{'name':'t','mountPath':'/x'},"},
        {PROJECTED("t", TOKEN("token") ",{'clusterTrustBundle':{'name':'b'}}"),
         "{'name':'t','mountPath':'" ACCOUNT "/'}",
         "{'name':'t','projected':{'defaultMode':420,'sources':[{'clusterTrustBundle':{'name':'b'}}]}},", ""},
        /* no token */
        {PROJECTED("t", ROOT_CA), "{'name':'t','mountPath':'/x'}", PROJECTED("t", ROOT_CA) ",",
         "{'name':'t','mountPath':'/x'},"},
        {"{'name':'t','secret':{'secretName':'s'}}",
         "{'name':'t','mountPath':'/run/secrets/kubernetes.io/serviceaccount/token'}",
         "{'name':'t','secret':{'secretName':'s'}},", ""},
        {"{'name':'t','emptyDir':{}}", "{'name':'t','mountPath':'" ACCOUNT "-of-mine'}",
         "{'name':'t','emptyDir':{}},", "{'name':'t','mountPath':'" ACCOUNT "-of-mine'},"},
        /* what stable has on its disk stays stable's */
        {"{'name':'t','persistentVolumeClaim':{'claimName':'c'}}", "{'name':'t','mountPath':'/data'}",
         "{'name':'t','emptyDir':{}},", "{'name':'t','mountPath':'/data'},"},
        {"{'ephemeral':{'volumeClaimTemplate':{}},'name':'t'}", "{'name':'t','mountPath':'/data'}",
         "{'name':'t','emptyDir':{}},", "{'name':'t','mountPath':'/data'},"},
    };
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        print_message("%zu\n", i);
        cleanup_free char *tmpl =
            xasprintf("{'spec':{" CONTAINER("%s") ",'volumes':[%s]}}", v[i].mount, v[i].volume);
        cleanup_free char *want = xasprintf(RESULT("'metadata':{" LABELS "}", "", "", ONLY("", "%s"), "%s"),
                                            v[i].want_mount, v[i].want);
        becomes(tmpl, want);
    }
}

/* A StatefulSet's claims are no volumes of its template. */
CASE(claims_of_a_stateful_set) {
    cleanup_buf struct buf out = BUF(1 << 16);
    struct rehearsal_pod p = {.of = REHEARSED_NEW,
                              .hash = "abcdefghij",
                              .tmpl = J("{'spec':{'containers':[],'volumes':[{'name':'data','configMap':{}},{"
                                        "'name':'x','emptyDir':{}}]}}"),
                              .claims = J("['data','more']"),
                              .image = "handover:dev",
                              .key = KEY};
    assert_int_equal(rehearsal_template(&p, &out, NULL), 0);
    assert_non_null(
        strstr(buf_str(&out), J("'volumes':[{'name':'data','emptyDir':{}},{'name':'more','emptyDir':{}},"
                                "{'name':'x','emptyDir':{}},{'name':'handover-rehearsal-credentials'")));
}

CASE(what_cannot_be_rehearsed) {
    static const struct {
        const char *tmpl, *why;
    } v[] = {
        {"{'spec':{'hostNetwork':true,'containers':[]}}",
         "handover.dev/rehearse: not for a template with spec.hostNetwork: true, "},
        {"{'spec':{'hostPID':true}}", "handover.dev/rehearse: not for a template with spec.hostPID: true, "},
        {"{'spec':{'shareProcessNamespace':true}}",
         "handover.dev/rehearse: not for a template with spec.shareProcessNamespace: true, "},
        {"{'spec':null}", "spec.template.spec is no object"},
        {"{}", "spec.template.spec is no object"},
    };
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        cleanup_buf struct buf out = BUF(1 << 16);
        struct err e = {0};
        assert_true(rehearsed(v[i].tmpl, REHEARSED_NEW, &out, &e) < 0);
        assert_int_equal(e.kind, ERR_CONFIG);
        if (!slice_starts(slice_of(e.msg), slice_of(v[i].why))) fail_msg("%zu: %s", i, e.msg);
    }
    cleanup_buf struct buf out = BUF(1 << 16);
    assert_int_equal(rehearsed("{'spec':{'hostNetwork':false,'hostPID':null}}", REHEARSED_NEW, &out, NULL),
                     0);
}

static struct obs_target target(const char *selector) {
    return (struct obs_target){.kind = &workload_deployment,
                               .id = (char *)(uintptr_t) "op",
                               .ns = (char *)(uintptr_t) "ns",
                               .name = (char *)(uintptr_t) "op",
                               .uid = (char *)(uintptr_t) "u-1",
                               .selector = (char *)(uintptr_t)selector,
                               .hash = "abcdefghij"};
}

static int manifest(const char *selector, enum rehearsed of, struct buf *out, struct err *err) {
    cleanup_free char *sel = quoted(xstrdup(selector));
    struct obs_target t = target(sel);
    struct rehearsal_pod p = {.of = of,
                              .hash = "abcdefghij",
                              .tmpl = J("{'metadata':{'labels':{'app':'op'}},'spec':{}}"),
                              .image = "handover:dev",
                              .key = KEY};
    return rehearsal_manifest(&t, &p, out, err);
}

static bool finds(const cJSON *selector, const cJSON *labels) {
    CLEANUP(selector) struct selector *sel = NULL;
    assert_int_equal(selector_from_spec(selector, &sel, NULL), 0);
    return selector_match(sel, labels);
}

/* One pod, which is nobody's but its ReplicaSet's; neither of the two finds the other's. */
CASE(the_replica_sets) {
    cJSON *rs[2] = {NULL, NULL};
    for (int k = 0; k < 2; k++) {
        cleanup_buf struct buf out = BUF(1 << 16);
        struct err e = {0};
        if (manifest("{'matchLabels':{'app':'op'}}", k ? REHEARSED_CONTROL : REHEARSED_NEW, &out, &e) < 0)
            fail_msg("%s", e.msg);
        rs[k] = json_parse(buf_slice(&out), NULL);
        struct obs_rs read = {0};
        cJSON_AddStringToObject(cJSON_GetObjectItem(rs[k], "metadata"), "uid", "rs-1");
        cJSON_AddStringToObject(cJSON_GetObjectItem(rs[k], "metadata"), "resourceVersion", "1");
        assert_int_equal(obs_rs_read(rs[k], buf_slice(&out), &read, &e), 0);
        /* it is read as what it is, and as no canary */
        assert_true(read.rehearsed == (k ? REHEARSED_CONTROL : REHEARSED_NEW) && !read.canary &&
                    read.replicas == 1);
        assert_string_equal(read.name, k ? "op-rehearsal-control-abcdefghij" : "op-rehearsal-abcdefghij");
        assert_string_equal(read.hash, "abcdefghij");
        assert_string_equal(read.owner_uid, "u-1");
        assert_string_equal(read.owner_name, "op");
        assert_string_equal(read.made, "0123456789");
        obs_rs_free(&read);
    }
    const cJSON *owner = json_arr(json_get(rs[0], "metadata"), "ownerReferences")->child;
    assert_false(json_bool(owner, "controller", true));
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < 2; i++)
            assert_int_equal(
                finds(json_at(rs[k], "spec/selector"), json_at(rs[i], "spec/template/metadata/labels")),
                k == i);
    cJSON_Delete(rs[0]);
    cJSON_Delete(rs[1]);
}

CASE(selectors_that_would_take_its_pods) {
    static const char *const selectors[] = {
        "{'matchExpressions':[{'key':'app','operator':'NotIn','values':['x']}]}", "{}",
        "{'matchExpressions':[{'key':'handover.dev/rehearsal','operator':'Exists'}]}",
        /* the pods alone, the ReplicaSet alone */
        "{'matchExpressions':[{'key':'handover.dev/target','operator':'DoesNotExist'}]}",
        "{'matchLabels':{'app.kubernetes.io/managed-by':'handover'}}"};
    for (size_t i = 0; i < ARRAY_LEN(selectors); i++) {
        cleanup_buf struct buf out = BUF(1 << 16);
        struct err e = {0};
        assert_true(manifest(selectors[i], REHEARSED_NEW, &out, &e) < 0);
        assert_int_equal(e.kind, ERR_CONFIG);
        assert_non_null(strstr(e.msg, "spec.selector matches the rehearsal's pods"));
    }
    cleanup_buf struct buf small = BUF(300);
    struct err e = {0};
    assert_true(manifest("{'matchLabels':{'app':'op'}}", REHEARSED_NEW, &small, &e) < 0);
    assert_string_equal(e.msg, "the rehearsal's ReplicaSet is larger than 300 bytes");
}

CASES("rollout/rehearsal_manifest")
