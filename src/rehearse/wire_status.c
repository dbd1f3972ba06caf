/* Statuses of the workloads that controllers make and keep up, out of protobuf: of what only the rehearsal has no server can be asked. */
#include "api/proto.h"
#include "rehearse/wire.h"
#include <errno.h>

/* As in src/api/proto_schema.c. Conditions have the same members but for their times. */
static const struct proto_message messages[] = {
    {"apps/ReplicaSet", "3 status ReplicaSetStatus"},
    {"apps/Deployment", "3 status DeploymentStatus"},
    {"apps/StatefulSet", "3 status StatefulSetStatus"},
    {"apps/DaemonSet", "3 status DaemonSetStatus"},
    {"batch/Job", "3 status JobStatus"},
    {"ReplicaSetStatus",
     "1! replicas i|2 fullyLabeledReplicas i|3 observedGeneration i|4 readyReplicas i|5 availableReplicas i|"
     "6 conditions *Condition|7! terminatingReplicas i"},
    {"DeploymentStatus",
     "1 observedGeneration i|2 replicas i|3 updatedReplicas i|4 availableReplicas i|5 unavailableReplicas i|"
     "6 conditions *DeploymentCondition|7 readyReplicas i|8! collisionCount i|9! terminatingReplicas i"},
    {"StatefulSetStatus",
     "1 observedGeneration i|2! replicas i|3 readyReplicas i|4 currentReplicas i|5 updatedReplicas i|6 "
     "currentRevision s|"
     "7 updateRevision s|9! collisionCount i|10 conditions *Condition|11! availableReplicas i"},
    {"DaemonSetStatus",
     "1! currentNumberScheduled i|2! numberMisscheduled i|3! desiredNumberScheduled i|4! numberReady i|"
     "5 observedGeneration i|6 updatedNumberScheduled i|7 numberAvailable i|8 numberUnavailable i|9! "
     "collisionCount i|"
     "10 conditions *Condition"},
    {"JobStatus",
     "1 conditions *JobCondition|2 startTime T|3 completionTime T|4 active i|5 succeeded i|6 failed i|7 "
     "completedIndexes s|"
     "8 uncountedTerminatedPods UncountedTerminatedPods|9! ready i|10! failedIndexes s|11! terminating i"},
    {"Condition", "1 type s|2 status s|3 lastTransitionTime T|4 reason s|5 message s"},
    {"DeploymentCondition",
     "1 type s|2 status s|4 reason s|5 message s|6 lastUpdateTime T|7 lastTransitionTime T"},
    {"JobCondition", "1 type s|2 status s|3 lastProbeTime T|4 lastTransitionTime T|5 reason s|6 message s"},
    {"UncountedTerminatedPods", "1 succeeded *s|2 failed *s"},
};

static const struct proto_message *find(struct slice name) {
    for (size_t i = 0; i < ARRAY_LEN(messages); i++) {
        if (slice_eqs(name, messages[i].name)) return &messages[i];
    }
    return NULL;
}

int wire_status(struct slice body, struct buf *out, struct err *err) {
    struct proto_envelope o;
    if (proto_open(body, &o) < 0)
        return err_set(err, ERR_REJECTED, -EINVAL, "the body is not Kubernetes' protobuf, or is cut");
    cleanup_json cJSON *v = cJSON_CreateObject();
    if (!v) abort();
    int e = proto_to_json(find, o.api_version, o.kind, o.raw, v);
    if (e < 0) return err_set(err, ERR_REJECTED, e, "the status of this kind is not understood as protobuf");
    cleanup_free char *text = json_print(v);
    return buf_adds(out, text);
}
