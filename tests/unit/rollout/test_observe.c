/* What is read from Deployments, ReplicaSets and Pods as API servers and kubelets write them. */
#include "../case.h"
#include "observe/objects.h"
#include "api/template.h"
#include "base/time.h"

#define AT (INT64_C(1795457793) * NS_PER_S) /* 2026-11-23T18:16:33Z */

static struct obs_target target(const char *text) {
    struct obs_target t;
    struct err e = {0};
    cleanup_json cJSON *obj = json_parse(slice_of(text), NULL);
    if (obs_target_read(obj, slice_of(text), &t, &e) < 0) fail_msg("%s", e.msg);
    return t;
}

static struct obs_rs rs(const char *text) {
    struct obs_rs r;
    struct err e = {0};
    cleanup_json cJSON *obj = json_parse(slice_of(text), NULL);
    if (obs_rs_read(obj, slice_of(text), &r, &e) < 0) fail_msg("%s", e.msg);
    return r;
}

static struct obs_pod pod(const char *status, const char *more_meta, const char *spec) {
    struct obs_pod p;
    struct err e = {0};
    cleanup_free char *text =
        xasprintf("{\"metadata\":{\"name\":\"p\",\"namespace\":\"ns\",\"uid\":\"u\"%s},\"spec\":{%s},"
                  "\"status\":{%s}}",
                  more_meta, spec, status);
    cleanup_json cJSON *obj = json_parse(slice_of(text), NULL);
    if (obs_pod_read(obj, &p, &e) < 0) fail_msg("%s in %s", e.msg, text);
    return p;
}

#define TEMPLATE "{ \"spec\":{\"containers\":[{\"image\":\"op:1\",\"big\":9007199254740993,\"e\":1e15}]}}"
#define META     "\"name\":\"op\",\"namespace\":\"ns\",\"uid\":\"u\",\"resourceVersion\":\"7\""

CASE(a_deployment) {
    struct obs_target t =
        target("{\"metadata\":{" META ",\"generation\":5,\"annotations\":{\"handover.dev/status\":\"s\"}},"
               "\"spec\":{\"replicas\":3,\"paused\":true,\"progressDeadlineSeconds\":2147483647,"
               "\"strategy\":{\"type\":\"Recreate\"},\"selector\":{\"matchLabels\": {\"a\":\"b\"}},"
               "\"template\":" TEMPLATE "},\"status\":{\"observedGeneration\":4,\"replicas\":4,"
               "\"updatedReplicas\":1,\"readyReplicas\":2,\"availableReplicas\":3,\"conditions\":["
               "{\"type\":\"Available\",\"reason\":\"x\"},{\"type\":\"Progressing\",\"status\":\"False\","
               "\"reason\":\"ProgressDeadlineExceeded\"}]}}");
    char hash[11];
    assert_int_equal(template_hash(SL(TEMPLATE), hash, NULL), 0);
    assert_string_equal(t.hash, hash);
    assert_string_equal(t.tmpl, TEMPLATE); /* byte for byte */
    assert_string_equal(t.selector, "{\"matchLabels\": {\"a\":\"b\"}}");
    assert_true(t.generation == 5 && t.observed_generation == 4 && t.replicas == 3 && t.paused && t.recreate);
    assert_true(t.deadline_s == 2147483647 && t.st_replicas == 4 && t.st_updated == 1 && t.st_ready == 2 &&
                t.st_available == 3 && !t.deleting);
    assert_string_equal(t.image, "op:1");
    assert_string_equal(t.status, "s");
    assert_string_equal(t.progressing, "ProgressDeadlineExceeded");
    obs_target_free(&t);
    obs_target_free(&t); /* and again */
}

/* As the API server leaves them out. */
CASE(a_deployment_with_little_in_it) {
    struct obs_target t = target("{\"metadata\":{" META ",\"deletionTimestamp\":\"2026-11-23T18:16:33Z\"},"
                                 "\"spec\":{\"selector\":{},\"template\":{}}}");
    assert_true(t.replicas == 1 && t.deadline_s == -1 && !t.paused && !t.recreate && t.deleting);
    assert_true(t.st_replicas == 0 && !t.annotations && !t.status && !t.progressing && !t.image[0]);
    obs_target_free(&t);
    t = target("{\"metadata\":{" META "},\"spec\":{\"replicas\":-5,\"selector\":{},\"template\":{}},"
               "\"status\":{\"replicas\":99999999999}}");
    assert_true(t.replicas == 0 && t.st_replicas == 1000000); /* sane, whatever is written there */
    obs_target_free(&t);
}

CASE(what_is_no_deployment) {
    static const char *const v[][2] = {
        {"{}", "Deployment : Deployment without name, namespace, uid or resourceVersion"},
        {"{\"metadata\":{\"name\":\"op\"}}",
         "Deployment op: Deployment without name, namespace, uid or resourceVersion"},
        {"{\"metadata\":{" META "}}", "Deployment op: no spec.template"},
        {"{\"metadata\":{" META "},\"spec\":{\"template\":{}}}", "Deployment op: no spec.selector"},
        {"{\"metadata\":{" META "},\"spec\":{\"template\":[],\"selector\":{}}}", "Deployment op: "},
    };
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        struct obs_target t = {.replicas = 77};
        struct err e = {0};
        cleanup_json cJSON *obj = json_parse(slice_of(v[i][0]), NULL);
        assert_true(obs_target_read(obj, slice_of(v[i][0]), &t, &e) < 0);
        assert_true(e.kind == ERR_PROTOCOL && t.replicas == 77);
        assert_true(slice_starts(slice_of(e.msg), slice_of(v[i][1])));
    }
}

#define OURS "\"app.kubernetes.io/managed-by\":\"handover\","

/* What only claims to be a canary: not labelled as ours, or owned by another than the target that it names. */
CASE(forged_canaries) {
    static const char *const v[] = {
        "\"labels\":{\"handover.dev/target\":\"t\"},\"ownerReferences\":[{\"uid\":\"t\"}]",
        "\"labels\":{" OURS "\"handover.dev/target\":\"t\"},\"ownerReferences\":[{\"uid\":\"other\"}]",
        "\"labels\":{" OURS "\"x\":\"y\"},\"ownerReferences\":[{\"uid\":\"t\"}]",
    };
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        cleanup_free char *text =
            xasprintf("{\"metadata\":{" META ",%s},\"spec\":{\"template\":" TEMPLATE "}}", v[i]);
        struct obs_rs r = rs(text);
        assert_true(!r.canary && !r.owner_uid);
        obs_rs_free(&r);
    }
}

CASE(replicasets) {
    struct obs_rs r =
        rs("{\"metadata\":{" META ",\"creationTimestamp\":\"2026-11-23T18:16:33Z\",\"ownerReferences\":["
           "{\"uid\":\"other\"},{\"uid\":\"owner\",\"controller\":true}],\"labels\":{\"handover.dev/target\":"
           "\"x\"}},\"spec\":{\"replicas\":2,\"template\":" TEMPLATE "},\"status\":{\"replicas\":2,"
           "\"readyReplicas\":1,\"availableReplicas\":1}}");
    assert_false(r.canary); /* controlled by another: whatever its labels say */
    assert_string_equal(r.owner_uid, "owner");
    assert_true(r.created_ns == AT && r.replicas == 2 && r.st_replicas == 2 && r.st_ready == 1 &&
                r.st_available == 1 && !r.failure && !r.quarantined);
    assert_int_equal(strlen(r.hash), 10);
    obs_rs_free(&r);
    r = rs("{\"metadata\":{" META ",\"labels\":{" OURS
           "\"handover.dev/target\":\"t\",\"handover.dev/template\":"
           "\"abc\"},\"annotations\":{\"handover.dev/quarantined\":\"it failed\"},\"ownerReferences\":["
           "{\"uid\":\"t\",\"controller\":false}]},\"spec\":{\"replicas\":0},\"status\":{\"conditions\":["
           "{\"type\":\"ReplicaFailure\",\"status\":\"True\",\"message\":\"exceeded quota\"}]}}");
    assert_true(r.canary && r.replicas == 0);
    assert_string_equal(r.owner_uid, "t");
    assert_string_equal(r.hash, "abc");
    assert_string_equal(r.quarantined, "it failed");
    assert_string_equal(r.failure, "exceeded quota");
    obs_rs_free(&r);
    r = rs("{\"metadata\":{" META ",\"labels\":{" OURS
           "\"handover.dev/target\":\"t\",\"handover.dev/template\":"
           "\"No-Hash\"}},\"status\":{\"conditions\":[{\"type\":\"ReplicaFailure\",\"status\":"
           "\"False\"}]}}");
    assert_true(r.canary && !r.hash[0] && !r.failure && r.replicas == 1);
    obs_rs_free(&r);
}

static void collect(void *ctx, const char *uid) {
    buf_addf(ctx, "%s,", uid);
}

CASE(owners) {
    static const char *const v[][2] = {
        {"{\"metadata\":{\"ownerReferences\":[{\"uid\":\"a\"},{\"x\":1},{\"uid\":\"b\",\"controller\":true}],"
         "\"labels\":{\"handover.dev/target\":\"t\"}}}",
         "a,b,"},
        {"{\"metadata\":{\"labels\":{\"handover.dev/target\":\"t\"}}}", "t,"}, /* orphaned, and still ours */
        {"{}", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        cleanup_buf struct buf b = BUF(100);
        cleanup_json cJSON *obj = json_parse(slice_of(v[i][0]), NULL);
        obs_each_owner(obj, collect, &b);
        assert_string_equal(buf_str(&b), v[i][1]);
    }
}

#define READY "\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]"

CASE(pods) {
    struct obs_pod p =
        pod("\"podIP\":\"10.0.0.1\",\"phase\":\"Running\"," READY,
            ",\"creationTimestamp\":\"2026-11-23T18:16:33Z\",\"labels\":{\"handover.dev/track\":"
            "\"canary\",\"handover.dev/template\":\"abc\"},\"ownerReferences\":[{\"uid\":\"r\","
            "\"controller\":true}]",
            "\"nodeName\":\"n\"");
    assert_true(p.ready && p.scheduled && !p.finished && !p.terminating && p.track == TRACK_CANARY);
    assert_true(p.created_ns == AT && p.restarts == 0 && !p.waiting && !p.trouble && p.crashed_ns == 0);
    assert_string_equal(p.ip, "10.0.0.1");
    assert_string_equal(p.rs_uid, "r");
    assert_string_equal(p.hash, "abc");
    obs_pod_free(&p);
    p = pod(READY,
            ",\"deletionTimestamp\":\"2026-11-23T18:16:33Z\",\"labels\":{\"handover.dev/template\":\"x\"}",
            "\"nodeName\":\"n\"");
    assert_true(p.terminating && !p.ready && p.track == TRACK_STABLE && !p.hash[0] && !p.ip && !p.rs_uid);
    obs_pod_free(&p);
    p = pod("\"podIP\":\"\",\"phase\":\"Failed\",\"reason\":\"Evicted\",\"message\":\"low on memory\"," READY,
            "", "");
    assert_true(p.finished && !p.ready && !p.ip);
    obs_pod_free(&p);
    p = pod("\"conditions\":[{\"type\":\"PodScheduled\",\"status\":\"False\",\"message\":\"no node fits\"}]",
            "", "");
    assert_false(p.scheduled);
    assert_string_equal(p.trouble, "no node fits");
    obs_pod_free(&p);
    p = pod("\"podIP\":\"10.0.0.1\",\"hostIP\":\"10.0.0.1\"",
            ",\"annotations\":{\"prometheus.io/port\":\"9090\",\"prometheus.io/scheme\":\"https\","
            "\"prometheus.io/path\":\"/m\"}",
            "\"containers\":[{\"ports\":[{\"name\":\"metrics\",\"containerPort\":9090},{\"containerPort\":53,"
            "\"protocol\":\"UDP\"},{\"containerPort\":70000}]},{\"ports\":[{\"containerPort\":80}]}]");
    struct obs_pod copy;
    obs_pod_copy(&p, &copy);
    obs_pod_free(&p);
    assert_true(copy.host_network && copy.nports == 2 && copy.ports[0].port == 9090 &&
                copy.ports[1].port == 80);
    assert_string_equal(copy.ports[0].name, "metrics");
    assert_true(copy.scrape_port == 9090 && copy.scrape_https && !strcmp(copy.scrape_path, "/m"));
    obs_pod_free(&copy);
    p = pod("\"podIP\":\"10.0.0.2\",\"hostIP\":\"10.0.0.1\"", "", "\"hostNetwork\":true");
    assert_true(p.host_network && !p.ports);
    obs_pod_free(&p);
    struct obs_pod unread;
    struct err e = {0};
    cleanup_json cJSON *obj = json_parse(SL("{\"metadata\":{\"name\":\"p\",\"namespace\":\"ns\"}}"), NULL);
    assert_int_equal(obs_pod_read(obj, &unread, &e), -EINVAL);
    assert_int_equal(e.kind, ERR_PROTOCOL);
}

#define ENDED(code, reason, at)                                                                              \
    "{\"terminated\":{\"exitCode\":" #code ",\"reason\":\"" reason "\",\"finishedAt\":\"" at "\"}}"

/* Of several containers the worst tells, restarts add up, the last end that should not have been is kept. */
CASE(containers) {
    struct obs_pod p =
        pod("\"initContainerStatuses\":[{\"name\":\"i\",\"restartCount\":1,\"state\":" ENDED(
                0, "Completed",
                "2026-11-23T18:20:00Z") "}],\"containerStatuses\":["
                                        "{\"name\":\"a\",\"restartCount\":2,\"state\":{\"waiting\":{"
                                        "\"reason\":\"ContainerCreating\"}},"
                                        "\"lastState\":" ENDED(
                                            1, "Error",
                                            "2026-11-23T18:16:33Z") "},"
                                                                    "{\"name\":\"b\",\"restartCount\":3,"
                                                                    "\"state\":{\"waiting\":{\"reason\":"
                                                                    "\"CrashLoopBackOff\","
                                                                    "\"message\":\"back-off "
                                                                    "40s\"}},\"lastState\":" ENDED(
                                                                        137, "OOMKilled",
                                                                        "2026-11-23T18:16:31Z") "}]",
            "", "\"nodeName\":\"n\"");
    assert_true(p.restarts == 6 && p.crashed_ns == AT && !p.ready);
    assert_string_equal(p.waiting, "CrashLoopBackOff");
    assert_true(p.crashes == 5 && p.loops); /* an init container that ended well has not crashed */
    assert_string_equal(p.trouble, "container b: OOMKilled, exit code 137"); /* the one that keeps it down */
    obs_pod_free(&p);
    /* nothing waits: how it ended tells */
    p = pod("\"containerStatuses\":[{\"name\":\"a\",\"restartCount\":1,\"state\":{\"running\":{}},"
            "\"lastState\":" ENDED(137, "OOMKilled", "2026-11-23T18:16:33Z") "}]," READY,
            "", "\"nodeName\":\"n\"");
    assert_true(p.ready && !p.waiting && p.crashed_ns == AT);
    assert_string_equal(p.trouble, "container a: OOMKilled, exit code 137");
    obs_pod_free(&p);
    /* an operator that ends well has ended all the same */
    p = pod("\"containerStatuses\":[{\"name\":\"a\",\"restartCount\":1,\"state\":" ENDED(
                0, "Completed", "2026-11-23T18:16:33Z") ",\"lastState\":" ENDED(1, "Error",
                                                                                "2026-11-23T18:10:00Z") "}]",
            "", "\"nodeName\":\"n\"");
    assert_int_equal(p.crashed_ns, AT);
    assert_string_equal(p.trouble, "container a: Completed, exit code 0");
    obs_pod_free(&p);
    p = pod("\"containerStatuses\":[{\"name\":\"a\",\"restartCount\":-4,\"state\":{\"waiting\":{\"reason\":"
            "\"ErrImagePull\",\"message\":\"not found\"}}},{\"restartCount\":99999999999},7]",
            "", "\"nodeName\":\"n\"");
    assert_int_equal(p.restarts, 0);
    assert_string_equal(p.waiting, "ErrImagePull");
    assert_string_equal(p.trouble, "not found");
    obs_pod_free(&p);
}

CASES("rollout/observe")
