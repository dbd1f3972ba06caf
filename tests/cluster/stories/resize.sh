# A canary pod is resized in place, twice, its container restarted for it each time, as its resizePolicy says: no crash.
served "in-place resize" 33
manifest op v1 canary-percent=50 soak=60s min-events=10 max-error-rate=5% quiet=1s |
  sed 's|^        resources:.*|        resizePolicy: [{resourceName: memory, restartPolicy: RestartContainer}]\n        resources: {requests: {memory: 32Mi}, limits: {memory: 64Mi}}|' >"/tmp/$NS.yaml"
trap 'rm -f "/tmp/$NS.yaml"' EXIT
k apply -f "/tmp/$NS.yaml" >/dev/null; adopted op
sed "s|operator:v1|operator:v2|" "/tmp/$NS.yaml" | k apply -f - >/dev/null
until_true 20 "a canary pod" some_canary op
ready() { k get pod "$1" -o json | jq -e --arg m "$2" '.status.containerStatuses[0] | .ready and .resources.limits.memory == $m'; }
pod=$(canaries op | head -1)
for m in 72Mi 80Mi; do
  k patch pod "$pod" --subresource resize -p "{\"spec\":{\"containers\":[{\"name\":\"operator\",\"resources\":{\"limits\":{\"memory\":\"$m\"}}}]}}" >/dev/null
  until_true 40 "$pod runs with $m" ready "$pod" $m
done
note "$(k get pod "$pod" -o 'jsonpath={.status.containerStatuses[0].restartCount}') restarts for the resizes"
until_true 150 "every pod runs v2" image_is op v2
wait_phase op Stable 60
[ "$(state op '.history[0].result')" = promoted ] || fail "the history says $(state op .history)"
