# The main job under a bad network and a busy server: latency, 429, 500, 409, lost requests and lost answers, cut streams,
# forgotten watch history. It takes longer; the end is the same, and there is one canary only.
. "$(dirname "$0")/lib.sh"
sim --script '{"image":"*","reconcilesPerSecond":40}'
handover a; target op:v1; adopted
# the lease itself is spared: with these short lease times, losing it would be the right answer (story lease_silent)
fault '{"match":{'"$ours"',"method":"P*","path":"/api/v1/*"},"count":-1,"probability":0.2,"status":429,"retryAfter":1}'
fault '{"match":{'"$ours"',"path":"/apis/apps/*"},"count":-1,"probability":0.1,"status":500}'
fault '{"match":{'"$ours"',"method":"PATCH","path":"/api*"},"count":2,"status":409}'
fault '{"match":{'"$ours"',"method":"P*","path":"/api/*"},"count":3,"dropAfter":true}'
fault '{"match":{'"$ours"',"method":"P*","path":"/apis/apps/*"},"count":2,"dropBefore":true}'
fault '{"match":{'"$ours"'},"count":-1,"probability":0.2,"latencyMs":50}'
fault '{"match":{'"$ours"',"query":"watch="},"count":3,"cutAfterBytes":200}'
set_image op:v2; until_true 30 "a canary" some_canary
api POST /sim/compact '{}' >/dev/null
promoted op:v2 90
[ "$(api GET /apis/apps/v1/namespaces/default/replicasets | jq '[.items[] | select(.metadata.name | test("canary"))] | length')" = 0 ] || fail "a canary ReplicaSet is left"
