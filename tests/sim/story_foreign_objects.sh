# Objects of others with the names that Handover uses: a ConfigMap NAME-handover and a ReplicaSet with the canary's name are named at once
# and left alone, also when the Deployment goes; nothing is judged by them.
. "$(dirname "$0")/lib.sh"
sim --script '{"image":"*","reconcilesPerSecond":40}'
configmap=/api/v1/namespaces/default/configmaps/op-handover rs=/apis/apps/v1/namespaces/default/replicasets
api POST /api/v1/namespaces/default/configmaps '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"op-handover"},"data":{"a":"b"}}' >/dev/null
says() { events | has -E "^NameConflict .*$1"; }
handover a; target op:v1
until_true 20 "the ConfigMap is named" says "ConfigMap op-handover is not Handover's \(it has no owner"
! events | grep -i 'delete configmap' || fail "it is to be deleted"
api DELETE "$deploy/op" >/dev/null
for_a_while 3 "the user's ConfigMap is gone" api GET "$configmap"
api DELETE "$configmap" >/dev/null; target op:v1; adopted
set_image op:v2; until_true 20 "a canary" some_canary; promoted op:v2
set_image op:v3; until_true 20 "a canary" some_canary
name=$(state .canary); annotate pause "\"$(state .hash)\""; set_image op:v2; wait_phase Stable 30; until_true 10 "no canary" no_canary
api POST "$rs" "{\"apiVersion\":\"apps/v1\",\"kind\":\"ReplicaSet\",\"metadata\":{\"name\":\"$name\"},\"spec\":{\"replicas\":1,\"selector\":{\"matchLabels\":
  {\"a\":\"b\"}},\"template\":{\"metadata\":{\"labels\":{\"a\":\"b\"}},\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"x\"}]}}}}" >/dev/null
set_image op:v3
until_true 20 "the ReplicaSet is named" says "ReplicaSet $name has the canary's name"
for_a_while 2 "it was touched" api GET "$rs/$name"; phase_is Starting || fail "it goes on"
api DELETE "$rs/$name" >/dev/null; promoted op:v3 90
