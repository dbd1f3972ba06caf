/* What is read from Deployments, ReplicaSets and Pods as API servers and kubelets write them. */
#include "read_pod.h"
#include "plan/spec.h"
#include "api/template.h"
#include "base/time.h"

#define AT      (INT64_C(1795457793) * NS_PER_S)
#define AT_TEXT "2026-11-23T18:16:33Z"
#define TARGET  __attribute__((cleanup(obs_target_free))) struct obs_target
#define RS      __attribute__((cleanup(obs_rs_free))) struct obs_rs
#define POD     __attribute__((cleanup(obs_pod_free))) struct obs_pod

static struct obs_target target(const char *json) {
    struct obs_target t;
    struct err e = {0};
    cleanup_free char *text = quoted(xstrdup(json));
    cleanup_json cJSON *obj = json_parse(slice_of(text), NULL);
    if (obs_target_read(&workload_deployment, obj, slice_of(text), &t, &e) < 0) fail_msg("%s", e.msg);
    return t;
}

/* meta: more of its metadata; rest: its spec and status. */
static struct obs_rs rs(const char *meta, const char *rest) {
    struct obs_rs r;
    struct err e = {0};
    cleanup_free char *text = quoted(xasprintf(
        "{'metadata':{'name':'op','namespace':'ns','uid':'u','resourceVersion':'7',%s}%s}", meta, rest));
    cleanup_json cJSON *obj = json_parse(slice_of(text), NULL);
    if (obs_rs_read(obj, slice_of(text), &r, &e) < 0) fail_msg("%s", e.msg);
    return r;
}

#define TEMPLATE "{ 'spec':{'containers':[{'image':'op:1','big':9007199254740993,'e':1e15}]}}"
#define META     "'name':'op','namespace':'ns','uid':'u','resourceVersion':'7'"

CASE(a_deployment) {
    TARGET t = target(
        "{'metadata':{" META ",'generation':5,'annotations':{'handover.dev/status':'s'}},"
        "'spec':{'replicas':3,'paused':true,'progressDeadlineSeconds':2147483647,"
        "'strategy':{'type':'Recreate'},'selector':{'matchLabels': {'a':'b'}},'template':" TEMPLATE "},"
        "'status':{'observedGeneration':4,'replicas':4,'updatedReplicas':1,'readyReplicas':2,"
        "'availableReplicas':3,'conditions':[{'type':'Available','reason':'x'},"
        "{'type':'Progressing','status':'False','reason':'ProgressDeadlineExceeded'}]}}");
    char hash[11];
    assert_int_equal(template_hash(JS(TEMPLATE), hash, NULL), 0);
    assert_string_equal(t.hash, hash);
    assert_string_equal(t.tmpl, J(TEMPLATE)); /* byte for byte */
    assert_string_equal(t.selector, J("{'matchLabels': {'a':'b'}}"));
    assert_true(t.generation == 5 && t.observed_generation == 4 && t.replicas == 3 && t.paused && t.recreate);
    assert_true(t.deadline_s == 2147483647 && t.st_replicas == 4 && t.st_updated == 1 && t.st_ready == 2 &&
                t.st_available == 3 && !t.deleting);
    assert_string_equal(t.image, "op:1");
    assert_string_equal(t.status, "s");
    assert_string_equal(t.progressing, "ProgressDeadlineExceeded");
    obs_target_free(&t); /* and again */
}

/* Why its controller cannot make a ReplicaSet or Pods; that old Pods cannot be deleted stops no version. */
CASE(a_deployment_whose_controller_is_refused) {
    static const char *const v[][2] = {
        {"{'type':'ReplicaFailure','status':'True','reason':'FailedCreate','message':'exceeded quota'}",
         "exceeded quota"},
        {"{'type':'Progressing','status':'False','reason':'ReplicaSetCreateError','message':'denied'}",
         "denied"},
        {"{'type':'ReplicaFailure','status':'True','reason':'FailedDelete','message':'denied'}", ""},
        {"{'type':'ReplicaFailure','status':'False','message':'exceeded quota'}", ""},
        {"{'type':'Progressing','status':'True','reason':'ReplicaSetUpdated','message':'fine'}", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        cleanup_free char *text = quoted(xasprintf("{'metadata':{'name':'op','namespace':'ns','uid':'u','"
                                                   "resourceVersion':'7'},'spec':{'selector':{},"
                                                   "'template':{}},'status':{'conditions':[%s]}}",
                                                   v[i][0]));
        struct obs_target t = target(text);
        assert_string_equal(t.failure ? t.failure : "", v[i][1]);
        obs_target_free(&t);
    }
}

/* As the API server leaves them out. */
CASE(a_deployment_with_little_in_it) {
    TARGET t = target("{'metadata':{" META ",'deletionTimestamp':'" AT_TEXT
                      "'},'spec':{'selector':{},'template':{}}}");
    assert_true(t.replicas == 1 && t.deadline_s == -1 && !t.paused && !t.recreate && t.deleting);
    assert_true(t.st_replicas == 0 && !t.annotations && !t.status && !t.progressing && !t.image[0]);
    TARGET u = target("{'metadata':{" META "},'spec':{'replicas':-5,'selector':{},'template':{}},"
                      "'status':{'replicas':99999999999}}");
    assert_true(u.replicas == 0 && u.st_replicas == 1000000); /* sane, whatever is written there */
}

CASE(what_is_no_deployment) {
    static const char *const v[][2] = {
        {"{}", "Deployment : Deployment without name, namespace, uid or resourceVersion"},
        {"{'metadata':{'name':'op'}}",
         "Deployment op: Deployment without name, namespace, uid or resourceVersion"},
        {"{'metadata':{" META "}}", "Deployment op: no spec.template"},
        {"{'metadata':{" META "},'spec':{'template':{}}}", "Deployment op: no spec.selector"},
        {"{'metadata':{" META "},'spec':{'template':[],'selector':{}}}", "Deployment op: "},
    };
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        struct obs_target t = {.replicas = 77};
        struct err e = {0};
        cleanup_free char *text = quoted(xstrdup(v[i][0]));
        cleanup_json cJSON *obj = json_parse(slice_of(text), NULL);
        assert_true(obs_target_read(&workload_deployment, obj, slice_of(text), &t, &e) < 0);
        assert_true(e.kind == ERR_PROTOCOL && t.replicas == 77);
        assert_true(slice_starts(slice_of(e.msg), slice_of(v[i][1])));
    }
}

#define OURS "'app.kubernetes.io/managed-by':'handover',"

/* What only claims to be a canary: not labelled as ours, or owned by another than the target that it names. */
CASE(forged_canaries) {
    static const char *const v[] = {
        "'labels':{'handover.dev/target':'t'},'ownerReferences':[{'uid':'t'}]",
        "'labels':{" OURS "'handover.dev/target':'t'},'ownerReferences':[{'uid':'other'}]",
        "'labels':{" OURS "'x':'y'},'ownerReferences':[{'uid':'t'}]",
    };
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        RS r = rs(v[i], ",'spec':{'template':" TEMPLATE "}");
        assert_true(!r.canary && !r.owner_uid);
    }
}

/* Controlled by another: whatever its labels say. */
CASE(a_replicaset_of_the_target) {
    RS r = rs("'creationTimestamp':'" AT_TEXT
              "','ownerReferences':[{'uid':'other'},{'uid':'owner','controller':true}],"
              "'labels':{'handover.dev/target':'x'}",
              ",'spec':{'replicas':2,'template':" TEMPLATE "},"
              "'status':{'replicas':2,'readyReplicas':1,'availableReplicas':1}");
    assert_false(r.canary);
    assert_string_equal(r.owner_uid, "owner");
    assert_true(r.created_ns == AT && r.replicas == 2 && r.st_replicas == 2 && r.st_ready == 1 &&
                r.st_available == 1 && !r.failure && !r.quarantined);
    assert_int_equal(strlen(r.hash), 10);
}

CASE(a_canarys_replicaset) {
    RS r =
        rs("'labels':{" OURS "'handover.dev/target':'t','handover.dev/template':'abc'},"
           "'annotations':{'handover.dev/quarantined':'it "
           "failed'},'ownerReferences':[{'uid':'t','controller':false}]",
           ",'spec':{'replicas':0},"
           "'status':{'conditions':[{'type':'ReplicaFailure','status':'True','message':'exceeded quota'}]}");
    assert_true(r.canary && r.replicas == 0);
    assert_string_equal(r.owner_uid, "t");
    assert_string_equal(r.hash, "abc");
    assert_string_equal(r.quarantined, "it failed");
    assert_string_equal(r.failure, "exceeded quota");
    RS odd = rs("'labels':{" OURS "'handover.dev/target':'t','handover.dev/template':'No-Hash'}",
                ",'status':{'conditions':[{'type':'ReplicaFailure','status':'False'}]}");
    assert_true(odd.canary && !odd.hash[0] && !odd.failure && odd.replicas == 1);
}

static void collect(void *ctx, const char *uid) {
    buf_addf(ctx, "%s,", uid);
}

CASE(owners) {
    static const char *const v[][2] = {
        {"{'metadata':{'ownerReferences':[{'uid':'a'},{'x':1},{'uid':'b','controller':true}],"
         "'labels':{'handover.dev/target':'t'}}}",
         "a,b,"},
        {"{'metadata':{'labels':{'handover.dev/target':'t'}}}", "t,"}, /* orphaned, and still ours */
        {"{}", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        cleanup_buf struct buf b = BUF(100);
        cleanup_free char *text = quoted(xstrdup(v[i][0]));
        cleanup_json cJSON *obj = json_parse(slice_of(text), NULL);
        obs_each_owner(obj, collect, &b);
        assert_string_equal(buf_str(&b), v[i][1]);
    }
}

#define READY "'conditions':[{'type':'Ready','status':'True'}]"

CASE(a_canarys_pod) {
    POD p = pod(",'creationTimestamp':'" AT_TEXT "','ownerReferences':[{'uid':'r','controller':true}],"
                "'labels':{'handover.dev/track':'canary','handover.dev/template':'abc'}",
                "'nodeName':'n'", "'podIP':'10.0.0.1','phase':'Running'," READY);
    assert_true(p.ready && p.scheduled && !p.finished && !p.terminating && p.track == TRACK_CANARY);
    assert_true(p.created_ns == AT && p.restarts == 0 && !p.waiting && !p.trouble && p.crashed_ns == 0);
    assert_string_equal(p.ip, "10.0.0.1");
    assert_string_equal(p.rs_uid, "r");
    assert_string_equal(p.hash, "abc");
}

CASE(pods_that_do_not_run) {
    POD going = pod(",'deletionTimestamp':'" AT_TEXT "','labels':{'handover.dev/template':'x'}",
                    "'nodeName':'n'", READY);
    assert_true(going.terminating && !going.ready && going.track == TRACK_STABLE && !going.hash[0] &&
                !going.ip && !going.rs_uid);
    POD failed =
        pod("", "", "'podIP':'','phase':'Failed','reason':'Evicted','message':'low on memory'," READY);
    assert_true(failed.finished && !failed.ready && !failed.ip);
    POD nowhere =
        pod("", "", "'conditions':[{'type':'PodScheduled','status':'False','message':'no node fits'}]");
    assert_false(nowhere.scheduled);
    assert_string_equal(nowhere.trouble, "no node fits");
    struct obs_pod unread;
    struct err e = {0};
    cleanup_json cJSON *obj = json_parse(JS("{'metadata':{'name':'p','namespace':'ns'}}"), NULL);
    assert_int_equal(obs_pod_read(obj, &unread, &e), -EINVAL);
    assert_int_equal(e.kind, ERR_PROTOCOL);
}

CASE(where_a_pod_is_scraped) {
    POD copy;
    struct obs_pod p = pod(",'annotations':{'prometheus.io/port':'9090','prometheus.io/"
                           "scheme':'https','prometheus.io/path':'/m'}",
                           "'containers':[{'ports':[{'name':'metrics','containerPort':9090},{'containerPort':"
                           "53,'protocol':'UDP'},"
                           "{'containerPort':70000}]},{'ports':[{'containerPort':80}]}]",
                           "'podIP':'10.0.0.1','hostIP':'10.0.0.1'");
    obs_pod_copy(&p, &copy);
    obs_pod_free(&p);
    assert_true(copy.host_network && copy.nports == 2 && copy.ports[0].port == 9090 &&
                copy.ports[1].port == 80);
    assert_string_equal(copy.ports[0].name, "metrics");
    assert_true(copy.scrape_port == 9090 && copy.scrape_https && !strcmp(copy.scrape_path, "/m"));
    POD other = pod("", "'hostNetwork':true", "'podIP':'10.0.0.2','hostIP':'10.0.0.1'");
    assert_true(other.host_network && !other.ports);
}

#define BADLY(how, at) "{'terminated':{'exitCode':" how ",'finishedAt':'2026-11-23T" at "Z'}}"
#define WELL(at)       BADLY("0,'reason':'Completed'", at)

/* Of several containers the one that keeps the pod down tells, restarts add up, an init container that ended well has not crashed;
 * nothing waits: how it ended tells; an operator that ends well has ended all the same. */
CASE(containers) {
    static const struct {
        const char *status;
        uint32_t restarts;
        bool ready, crashed; /* at AT */
        uint32_t crashes;
        bool loops;
        const char *waiting, *trouble;
    } v[] = {
        {"'initContainerStatuses':[{'name':'i','restartCount':1,'state':" WELL(
             "18:20:00") "}],"
                         "'containerStatuses':[{'name':'a','restartCount':2,'state':{'waiting':{'reason':'"
                         "ContainerCreating'}},"
                         "'lastState':" BADLY(
                             "1,'reason':'Error'",
                             "18:16:33") "},"
                                         "{'name':'b','restartCount':3,'state':{'waiting':{'reason':'"
                                         "CrashLoopBackOff','message':'back-off 40s'}},"
                                         "'lastState':" BADLY("137,'reason':'OOMKilled'", "18:16:31") "}]",
         6, false, true, 5, true, "CrashLoopBackOff", "container b: OOMKilled, exit code 137"},
        {"'containerStatuses':[{'name':'a','restartCount':1,'state':{'running':{}},"
         "'lastState':" BADLY("137,'reason':'OOMKilled'", "18:16:33") "}]," READY,
         1, true, true, 1, false, NULL, "container a: OOMKilled, exit code 137"},
        {"'containerStatuses':[{'name':'a','restartCount':1,'state':" WELL(
             "18:16:33") ","
                         "'lastState':" BADLY("1,'reason':'Error'", "18:10:00") "}]",
         1, false, true, 1, false, NULL, "container a: Completed, exit code 0"},
        {"'containerStatuses':[{'name':'a','restartCount':-4,'state':{'waiting':{'reason':'ErrImagePull',"
         "'message':'not found'}}},{'restartCount':99999999999},7]",
         0, false, false, 0, false, "ErrImagePull", "not found"},
    };
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        POD p = pod("", "'nodeName':'n'", v[i].status);
        assert_int_equal(p.restarts, v[i].restarts);
        assert_true(p.crashes == v[i].crashes && p.loops == v[i].loops);
        assert_true(p.ready == v[i].ready && p.crashed_ns == (v[i].crashed ? AT : 0));
        assert_string_equal(p.waiting ? p.waiting : "", v[i].waiting ? v[i].waiting : "");
        assert_string_equal(p.trouble ? p.trouble : "", v[i].trouble ? v[i].trouble : "");
    }
}

/* Of a pod that was created at AT: its last end tells of those of its start, and of one later end when that began. */
CASE(crashes_at_the_start) {
    static const struct {
        const char *began, *ended, *reason;
        uint32_t want;
    } v[] = {{"18:20:00", "18:26:33", "Error", 4},   {"18:20:00", "18:26:34", "Error", 3},
             {"18:26:33", "19:30:00", "Error", 3},   {"18:26:34", "19:30:00", "Error", 0},
             {"18:20:00", "19:30:00", "Unknown", 3}, {"18:26:34", "19:30:00", "Unknown", 0}};
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        cleanup_free char *status = xasprintf(
            "'containerStatuses':[{'name':'a','restartCount':4,'lastState':{'terminated':{"
            "'reason':'%s','startedAt':'2026-11-23T%sZ','finishedAt':'2026-11-23T%sZ'}}},{'name':'b'}]",
            v[i].reason, v[i].began, v[i].ended);
        POD p = pod(",'creationTimestamp':'" AT_TEXT "'", "'nodeName':'n'", status);
        assert_int_equal(p.start_crashes, v[i].want);
    }
}

/* Who has given the user commands: of other managers alone, and of no other annotation. */
CASE(field_managers_of_commands) {
#define OF(manager, ...)                                                                                     \
    "{'manager':'" manager                                                                                   \
    "','fieldsType':'FieldsV1','fieldsV1':{'f:metadata':{'f:annotations':{'.':{}," __VA_ARGS__ "}}}}"
#define REST ",'spec':{'selector':{},'template':{}}}"
    TARGET t = target(
        "{'metadata':{" META ",'annotations':{'handover.dev/abort':'x','handover.dev/soak':'5m'},"
        "'managedFields':[" OF(
            "handover",
            "'f:handover.dev/release':{}") ","
                                           "{'manager':'kube-controller-manager','fieldsV1':{'f:status':{}}}"
                                           "," OF("handover-cli:a\\u0007b", "'f:handover.dev/abort':{}") "," OF(
                                               "helm",
                                               "'f:handover.dev/soak':{},'f:handover.dev/"
                                               "resume':{},'f:example.com/x':{}") "," OF("",
                                                                                         "'f:handover.dev/"
                                                                                         "pause':{}") "]"
                                                                                                      "}" REST);
    assert_string_equal(json_str_or(t.managers, "handover.dev/abort", ""), "handover-cli:a?b");
    assert_string_equal(json_str_or(t.managers, "handover.dev/resume", ""), "helm");
    assert_int_equal(cJSON_GetArraySize(t.managers), 2);
    TARGET none =
        target("{'metadata':{" META ",'managedFields':[" OF("helm", "'f:handover.dev/soak':{}") "]}" REST);
    assert_null(none.managers);
    for (int a = 0; a < ACTION_N; a++) { /* of each of them */
        cleanup_free char *text =
            xasprintf("{'metadata':{" META ",'annotations':{'handover.dev/soak':'5m'},'managedFields':[" OF(
                          "k9s", "'f:handover.dev/%s':{}") "]}" REST,
                      spec_action_name((enum spec_action)a));
        TARGET one = target(text);
        assert_int_equal(cJSON_GetArraySize(one.managers), 1);
    }
}

CASES("rollout/observe")
