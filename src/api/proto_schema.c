/* Messages after the generated.proto of k8s.io/api and k8s.io/apimachinery. managedFields are left out: only the API server writes them. */
#include "api/proto.h"

static const struct proto_message messages[] = {
    {"Event", "1 metadata ObjectMeta|2 involvedObject ObjectReference|3 reason s|4 message s|"
              "5 source EventSource|6 firstTimestamp T|7 lastTimestamp T|8 count i|9 type s|10 eventTime M|"
              "11 series EventSeries|12 action s|13 related ObjectReference|14 reportingComponent s|"
              "15 reportingInstance s"},
    {"events.k8s.io/Event",
     "1 metadata ObjectMeta|2 eventTime M|3 series EventSeries|4 reportingController s|5 reportingInstance s|"
     "6 action s|7 reason s|8 regarding ObjectReference|9 related ObjectReference|10 note s|11 type s|"
     "12 deprecatedSource EventSource|13 deprecatedFirstTimestamp T|14 deprecatedLastTimestamp T|"
     "15 deprecatedCount i"},
    {"Lease", "1 metadata ObjectMeta|2 spec LeaseSpec"},
    {"DeleteOptions",
     "1! gracePeriodSeconds i|2 preconditions Preconditions|3! orphanDependents b|"
     "4! propagationPolicy s|5 dryRun *s|6! ignoreStoreReadErrorWithClusterBreakingPotential b"},
    {"Eviction", "1 metadata ObjectMeta|2 deleteOptions DeleteOptions"},
    {"Binding", "1 metadata ObjectMeta|2 target ObjectReference"},
    {"Scale", "1 metadata ObjectMeta|2 spec ScaleSpec|3 status ScaleStatus"},
    {"ObjectMeta",
     "1 name s|2 generateName s|3 namespace s|5 uid s|6 resourceVersion s|7 generation i|"
     "8 creationTimestamp T|9 deletionTimestamp T|10! deletionGracePeriodSeconds i|11 labels %s|"
     "12 annotations %s|13 ownerReferences *OwnerReference|14 finalizers *s"},
    {"ObjectReference",
     "1 kind s|2 namespace s|3 name s|4 uid s|5 apiVersion s|6 resourceVersion s|7 fieldPath s"},
    {"EventSource", "1 component s|2 host s"},
    {"EventSeries", "1 count i|2 lastObservedTime M"},
    {"LeaseSpec", "1! holderIdentity s|2! leaseDurationSeconds i|3 acquireTime M|4 renewTime M|"
                  "5! leaseTransitions i|6! strategy s|7! preferredHolder s"},
    {"Preconditions", "1! uid s|2! resourceVersion s"},
    {"ScaleSpec", "1 replicas i"},
    {"ScaleStatus", "1 replicas i|2 selector s"},
    {"OwnerReference", "5 apiVersion s|1 kind s|3 name s|4 uid s|6! controller b|7! blockOwnerDeletion b"},
};

const struct proto_message *proto_message_find(struct slice name) {
    for (size_t i = 0; i < ARRAY_LEN(messages); i++) {
        if (slice_eqs(name, messages[i].name)) return &messages[i];
    }
    return NULL;
}
