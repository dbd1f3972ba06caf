# revisionHistoryLimit 0, scaled to zero and a new image in one apply: stable's ReplicaSet is deleted by its controller. Scaled up, stable
# runs again and the new image is judged. Then a manifest that sets spec.paused again and again is named.
. "$(dirname "$0")/lib.sh"
sim --script '{"image":"*","reconcilesPerSecond":40}'
merge() { api PATCH "$deploy/op" "$1" application/merge-patch+json >/dev/null; }
handover a; target op:v1; merge '{"spec":{"revisionHistoryLimit":0}}'; adopted
merge '{"spec":{"replicas":0,"template":{"spec":{"containers":[{"name":"operator","image":"op:v2"}]}}}}'
until_true 20 "stable's ReplicaSet is gone" eval '[ "$(api GET /apis/apps/v1/namespaces/default/replicasets | jq ".items | length")" = 0 ]'
merge '{"spec":{"replicas":2}}'
until_true 20 "stable runs again" runs op:v1
promoted op:v2 90
fought() { merge '{"spec":{"paused":false}}'; sleep 0.3; events | has '^PausedFieldConflict a manifest sets spec.paused'; }
until_true 20 "the manifest is named" fought
until_true 10 "the status says it" eval 'api GET "$deploy/op" | jq -e ".metadata.annotations[\"handover.dev/status\"] | contains(\"a manifest sets spec.paused\")"'
