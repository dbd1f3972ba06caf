# A StatefulSet on the real controller: held by its partition, pods made again are stable's, a good version is promoted in its order, a bad one rolled back, one undone in the
# middle of its promotion, a foreign partition undone; scaled to zero it takes what waits, and that is said.
# tags: oldest
# seconds: 900
# shellcheck shell=bash
sets() { sed 's/^kind: Deployment/kind: StatefulSet/; s/^  replicas:/  serviceName: op\n  replicas:/'; }
state() { field "configmap/$1-statefulset-handover" '{.data.state}' | jq -r "$2"; }
partition() { field "statefulset/$1" '{.spec.updateStrategy.rollingUpdate.partition}'; }
paused() { [ "$(partition "$1")" = 2147483647 ]; }
set_partition() { k patch statefulset op --type=merge -p "{\"spec\":{\"updateStrategy\":{\"rollingUpdate\":{\"partition\":$1}}}}" >/dev/null; }
set_image() { k set image "statefulset/$1" "operator=${OPERATOR_IMAGE:-localhost/operator}:$2" >/dev/null; }
image_is() {
  local images; images=$(k get pods -l "app=$1,handover.dev/track!=canary" -o json | jq -r ".items[] | $LIVING | .spec.containers[0].image" | sort -u)
  [ "$images" = "${OPERATOR_IMAGE:-localhost/operator}:$2" ] && [ "$(field "statefulset/$1" '{.status.readyReplicas}')" = "$(field "statefulset/$1" '{.spec.replicas}')" ]
}
no_canary() { local c; c=$(canaries "$1") && [ -z "$c" ]; }
some_pod_is() { k get pods -l "app=op,handover.dev/track!=canary" -o json | jq -e --arg i "${OPERATOR_IMAGE:-localhost/operator}:$1" 'any(.items[]; .spec.containers[0].image == $i)' >/dev/null; }
promoted() { until_true 120 "every pod runs $1" image_is op "$1"; wait_phase op Stable 60; paused op || fail "not held again"; until_true 20 "the canary is gone" no_canary op; }

manifest op v1 "${quick[@]}" | sets | k apply -f - >/dev/null; adopted op
before=$(pods_of op)
set_image op v2; until_true 30 "a canary pod" some_canary op; same_pods op "$before"
k delete pod op-1 --wait=false >/dev/null; until_true 60 "op-1 is made again of stable's version" image_is op v1
promoted v2
[ "$(state op '.history[0].result')" = promoted ] || fail "the history says $(state op '.history[0]')"
before=$(pods_of op)
set_image op bad; wait_phase op RolledBack 90; until_true 20 "the canary is gone" no_canary op; same_pods op "$before"; paused op || fail "not held"
# What was rolled back, by a person's word, and undone in the middle: its pod fails its reconciles and is ready, so that it is slow to go on by itself.
hash=$(state op .hash); k annotate statefulset op "handover.dev/promote=$hash" >/dev/null
until_true 60 "a pod of it" some_pod_is bad
k annotate --overwrite statefulset op "handover.dev/abort=$hash" >/dev/null
either() { image_is op v2 || event_seen 'UnmanagedRollout .*the StatefulSet controller had replaced all pods'; }
until_true 120 "undone, or all were replaced before that" either
image_is op v2 || fail "the abort came after all pods were replaced: two pods, each ready after a second and ended after five"
wait_phase op RolledBack 60; [ "$(state op '.history[0].result')" = aborted ] || fail "the history says $(state op '.history[0]')"
# Another client's partition.
set_partition 0; until_true 30 "held again" paused op; until_true 120 "all are stable's again" image_is op v2
set_image op v3; promoted v3
# kubectl's own undo is held like any template. Without a revision it goes to the last one that was written: what was rolled back stays that.
in_cluster kubectl -n "$NS" rollout undo statefulset/op >/dev/null 2>&1; until_true 30 "the bad one is not rolled out again" event_seen 'Quarantined'
wait_phase op RolledBack 30; image_is op v3 || fail "a pod of v3 has changed"
revision=$(k get controllerrevisions -o json | jq --arg i "${OPERATOR_IMAGE:-localhost/operator}:v2" '.items[] | select(.data.spec.template.spec.containers[0].image == $i) | .revision')
in_cluster kubectl -n "$NS" rollout undo statefulset/op --to-revision="$revision" >/dev/null 2>&1; until_true 30 "a canary of the former template" some_canary op; promoted v2
# Scaled to zero with a template that waits.
set_image op bad; wait_phase op RolledBack 90
k scale statefulset op --replicas=0 >/dev/null
zero() { state op '.history[0] | .result + " " + .reason' | has '^unmanaged .*scaled to zero'; } # not by its Event: there were 25 of this set in two minutes
until_true 60 "it is said that what waits is in service" zero
set_image op v2; k scale statefulset op --replicas=2 >/dev/null
unjudged() { [ "$(state op '.history[] | select(.result == "unmanaged") | .result' | head -1)" = unmanaged ]; }
until_true 20 "the history says so" unjudged
# Refused, and left as it was.
manifest claims v1 "${quick[@]}" | sets | sed 's/: op$/: claims/; s/^  serviceName:.*/  serviceName: claims\n  volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}}]/' | k apply -f - >/dev/null
until_true 20 "claims are refused" event_seen 'InvalidConfig .*spec.volumeClaimTemplates: read 1 \(data\)'
