# A good version soaks as a canary and is then promoted with the user's own strategy; afterwards we hold it again.
# tags: oldest
apply op v1 "${quick[@]}"; adopted op
[ "$(field deployment/op '{.spec.progressDeadlineSeconds}')" = 2147483647 ] || fail "progressDeadlineSeconds is not set while paused"
before=$(pods_of op)
set_image op v2
until_true 20 "a canary pod" some_canary op
same_pods op "$before"
rs=$(k get rs -l handover.dev/track=canary -o name); [ -z "$rs" ] || fail "the canary ReplicaSet's own labels match the target's selector"
until_true 90 "every pod runs v2" image_is op v2
wait_phase op Stable 30
paused op || fail "not paused again after the promotion"
until_true 10 "the canary is gone" no_canary op # the state is written before its effect
until_true 10 "an Event says that it was promoted" event_seen Promoted # sent after the state was written
[ "$(state op '.history[0].result')" = promoted ] || fail "the history does not say promoted"
# What the stories ask through run.sh's proxy (api.sh) is what kubectl says.
if [ -n "${OWN_CLUSTER:-}" ]; then asked "$NS" get deployment op -o json || fail "the stories start a kubectl for everything they ask"; fi
for ask in 'deployment/op -o jsonpath={.spec.paused}' 'deployment op -o jsonpath={.spec.template.spec.containers[0].image}' \
  'deployment/op -o jsonpath={.spec.absent}' 'configmap/op-handover -o jsonpath={.data.state}'; do
  [ "$(k get $ask)" = "$(in_cluster kubectl -n "$NS" get $ask)" ] || fail "get $ask: read was $(k get $ask), kubectl says $(in_cluster kubectl -n "$NS" get $ask)"
done
names='[.items[].metadata.name] | sort'
[ "$(k get pods -l 'app=op,handover.dev/track!=canary' -o json | jq -c "$names")" = "$(in_cluster kubectl -n "$NS" get pods -l 'app=op,handover.dev/track!=canary' -o json | jq -c "$names")" ] || fail "other pods"
! k get pod absent -o json >/dev/null 2>&1 || fail "a pod that is not there is read"
