# A StatefulSet: held by its partition, a good version promoted, a bad one rolled back, one undone in the middle of its promotion; a pod made again meanwhile is stable's.
. "$(dirname "$0")/lib.sh"
sets=/apis/apps/v1/namespaces/default/statefulsets
set_target() { # NAME SPEC-JSON [ANNOTATION=VALUE...] : two replicas of op:v1
  local name=$1 more=$2 notes; shift 2
  [ $# -gt 0 ] || set -- canary-percent=50 soak=3s max-error-rate=5% quiet=1s
  notes=$(for a in "$@"; do jq -n --arg k "handover.dev/${a%%=*}" --arg v "${a#*=}" '{($k): $v}'; done | jq -s add)
  api POST "$sets" "$(jq -n --arg name "$name" --argjson notes "$notes" --argjson more "$more" '{apiVersion:"apps/v1",kind:"StatefulSet",
    metadata:{name:$name,annotations:$notes},spec:({serviceName:$name,replicas:2,selector:{matchLabels:{app:$name}},template:{metadata:{labels:{app:$name}},
    spec:{containers:[{name:"operator",image:"op:v1"}]}}} * $more)}')" >/dev/null
}
patch_set() { api PATCH "$sets/$1" "$2" application/merge-patch+json >/dev/null; }
set_image() { patch_set op "{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"operator\",\"image\":\"$1\"}]}}}}"; }
annotate() { patch_set op "{\"metadata\":{\"annotations\":{\"handover.dev/$1\":${2:-null}}}}"; }
state() { api GET /api/v1/namespaces/default/configmaps/op-statefulset-handover | jq -r .data.state >"$dir/last"; jq -r "$1" "$dir/last"; }
partition() { api GET "$sets/op" | jq .spec.updateStrategy.rollingUpdate.partition; }
paused() { [ "$(partition)" = 2147483647 ]; }
one_pod_of() { # IMAGE : some pod of the set runs it
  api GET "/api/v1/namespaces/default/pods?labelSelector=app%3Dop,handover.dev%2Ftrack!%3Dcanary" | jq -e --arg i "$1" 'any(.items[]; .spec.containers[0].image == $i)' >/dev/null
}
sim --script '{"image":"*:bad","errorRate":0.5,"reconcilesPerSecond":40}' --script '{"image":"*:v?","reconcilesPerSecond":40}' \
  --script '{"image":"*:stuck","reconcilesPerSecond":40}'
handover a
api POST "$deploy" '{"metadata":{"name":"op","annotations":{"handover.dev/canary-percent":"50"}},"spec":{"selector":{"matchLabels":{"app":"namesake"}},"template":{"metadata":{"labels":{"app":"namesake"}},"spec":{"containers":[{"name":"operator","image":"op:v1"}]}}}}' >/dev/null
set_target op '{}'; adopted # a Deployment of the same name beside it
namesake() { [ "$(api GET /api/v1/namespaces/default/configmaps/op-handover | jq -r .metadata.ownerReferences[0].kind)" = Deployment ]; }
until_true 20 "the Deployment is adopted" namesake
set_image op:v2; until_true 10 "a canary" some_canary
pod=$(api GET "/api/v1/namespaces/default/pods/op-1" | jq -r .metadata.uid)
api DELETE /api/v1/namespaces/default/pods/op-1 >/dev/null
made_again() { [ "$(api GET /api/v1/namespaces/default/pods/op-1 2>/dev/null | jq -r .metadata.uid)" != "$pod" ]; }
until_true 10 "op-1 is made again" made_again; until_true 10 "of stable's version" runs op:v1
promoted op:v2
before=$(stable_pods); set_image op:bad
wait_phase RolledBack 40; until_true 10 "the canary is gone" no_canary
[ "$(stable_pods)" = "$before" ] || fail "stable pods changed"
paused || fail "not held"; ended failed || fail "the history says $(state '.history[0].result')"
# In the middle of a promotion: its first pod does not come up.
set_image op:stuck; wait_phase Soaking 30
script '{"image":"*:stuck","startMs":600000,"reconcilesPerSecond":40}'
wait_phase Promoting 40; until_true 20 "a pod of it" one_pod_of op:stuck
"$HANDOVER" abort sts/op --server="$server" -n default --timeout=20s || fail "handover abort"
until_true 20 "all are stable's again" runs op:v2; wait_phase RolledBack 20; ended aborted || fail "the history says $(state '.history[0].result')"
# A foreign unpause is undone likewise.
patch_set op '{"spec":{"updateStrategy":{"rollingUpdate":{"partition":0}}}}'
until_true 20 "held again" paused; until_true 20 "all are stable's again" runs op:v2
set_image op:v3; promoted op:v3
# Refused, each with its reason.
of_set() { api GET /api/v1/namespaces/default/events | jq -r '.items[] | select(.involvedObject.kind == "StatefulSet") | "\(.involvedObject.name) \(.reason) \(.message)"'; }
says() { of_set | has "^$1 InvalidConfig .*$2"; }
refused() { until_true 20 "$1: $2" says "$1" "$2"; } # NAME WORDS
set_target claims '{"volumeClaimTemplates":[{"metadata":{"name":"data"},"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}}}]}'
set_target ordinal '{"template":{"spec":{"containers":[{"name":"operator","image":"op:v1","env":[{"name":"N","valueFrom":{"fieldRef":{"fieldPath":"metadata.labels['"'"'apps.kubernetes.io/pod-index'"'"']"}}}]}]}}}'
set_target ondelete '{"updateStrategy":{"type":"OnDelete"}}'
set_target leader '{}' canary-percent=50 mode=leader
refused claims 'spec.volumeClaimTemplates: read 1 (data)'; refused ordinal 'apps.kubernetes.io/pod-index'
refused ondelete 'read OnDelete; allowed is RollingUpdate'; refused leader 'allowed for a StatefulSet is auto or replicas'
# With empty volumes for its canary it can be tried.
patch_set claims '{"metadata":{"annotations":{"handover.dev/canary-volumes":"empty"}}}'
claims_held() { [ "$(api GET "$sets/claims" | jq .spec.updateStrategy.rollingUpdate.partition)" = 2147483647 ]; }
until_true 20 "claims is adopted" claims_held
patch_set claims '{"spec":{"template":{"spec":{"containers":[{"name":"operator","image":"op:v2"}]}}}}'
emptied() { api GET /apis/apps/v1/namespaces/default/replicasets |
  jq -e 'any(.items[]; (.metadata.name | startswith("claims-statefulset-canary-")) and .spec.template.spec.volumes == [{"name":"data","emptyDir":{}}])' >/dev/null; }
until_true 10 "its canary has an empty volume" emptied
claims_run_v2() { api GET "$sets/claims" | jq -e '.status.updatedReplicas == 2 and .status.currentRevision == .status.updateRevision' >/dev/null; }
until_true 60 "claims is promoted" claims_run_v2
# Leaving gives the user's own partition back.
given_back() { [ "$(partition)" = 0 ]; }
annotate canary-percent; until_true 20 "given back" given_back
