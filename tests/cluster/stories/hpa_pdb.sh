# An autoscaler scales the target in the middle of a rollout, and a PodDisruptionBudget covers it: both versions follow, it is promoted.
served horizontalpodautoscalers.autoscaling
manifest op v1 canary-percent=50 soak=20s min-events=10 max-error-rate=5% quiet=1s | k apply -f - >/dev/null; adopted op
k create poddisruptionbudget op --selector=app=op --min-available=2 >/dev/null
set_image op v2; until_true 20 "a canary pod" some_canary op
k autoscale deployment op --min=3 --max=5 --cpu-percent=80 >/dev/null # no metrics here: it keeps the minimum
wanted() { [ "$(field deployment/op '{.spec.replicas}')" = 3 ]; }
until_true 60 "the autoscaler scales it to 3" wanted
stable_has() { [ "$(k get pods -l 'app=op,handover.dev/track!=canary' -o json | jq '[.items[] | select(.metadata.deletionTimestamp == null)] | length')" = "$1" ]; }
until_true 20 "stable has three pods" stable_has 3
until_true 150 "every pod runs v2" image_is op v2
wait_phase op Stable 60
wanted || fail "replicas are $(field deployment/op '{.spec.replicas}')"
[ "$(state op '.history[0].result')" = promoted ] || fail "the history says $(state op .history)"
